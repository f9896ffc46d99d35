/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_FLOWS_H
#define GW_FLOWS_H
/*
 * Finding, ending and promoting flows in the four tables.
 */
static __always_inline union gw_key *flow_peer(struct gw_flow *f, const bool v6)
{
	return v6 ? (union gw_key *)&((struct gw_flow6 *)f)->peer
		  : (union gw_key *)&((struct gw_flow4 *)f)->peer;
}

/* flags share a word with state and verdict; two CPUs may see both directions of a flow at once. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FLOW_FLAGS_SHIFT 16
#else
#define FLOW_FLAGS_SHIFT 0
#endif
/* Returns the flags before. */
static __always_inline __u16 flow_set(struct gw_flow *f, __u16 bits)
{
	return __sync_fetch_and_or((__u32 *)&f->state, (__u32)bits << FLOW_FLAGS_SHIFT) >>
	       FLOW_FLAGS_SHIFT;
}

static __always_inline void flow_clear(struct gw_flow *f, __u16 bits)
{
	__sync_fetch_and_and((__u32 *)&f->state, ~((__u32)bits << FLOW_FLAGS_SHIFT));
}

static __always_inline struct gw_flow *flow_find_est(const union gw_key *k, const bool v6)
{
	struct gw_flow *f =
		v6 ? bpf_map_lookup_elem(&gw_est6, k) : bpf_map_lookup_elem(&gw_est4, k);

	return f && f->kx == key_hash(k, v6) ? f : NULL;
}

static __always_inline struct gw_flow *flow_find_emb(const union gw_key *k, const bool v6)
{
	struct gw_flow *f =
		v6 ? bpf_map_lookup_elem(&gw_emb6, k) : bpf_map_lookup_elem(&gw_emb4, k);

	return f && f->kx == key_hash(k, v6) ? f : NULL;
}

/*
 * Flows move one way, from embryonic to assured, and another CPU may move one between the first two looks: the third is conclusive.
 */
static __always_inline struct gw_flow *flow_find(const union gw_key *k, const bool v6)
{
	struct gw_flow *f = flow_find_est(k, v6);

	if (!f)
		f = flow_find_emb(k, v6);
	return f ? f : flow_find_est(k, v6);
}

static __always_inline long flow_erase_est(const union gw_key *k, const bool v6)
{
	return v6 ? bpf_map_delete_elem(&gw_est6, k) : bpf_map_delete_elem(&gw_est4, k);
}

static __always_inline long flow_erase_emb(const union gw_key *k, const bool v6)
{
	return v6 ? bpf_map_delete_elem(&gw_emb6, k) : bpf_map_delete_elem(&gw_emb4, k);
}

static __always_inline void count_add(__s64 n, const bool v6)
{
	__u32 i = v6;
	__s64 *c = bpf_map_lookup_elem(&gw_count, &i);

	if (c)
		__sync_fetch_and_add(c, n);
}

/* The later of the two directions' last packets. */
static __always_inline __u32 flow_last(const struct gw_flow *a, const struct gw_flow *b)
{
	return b && (__s32)(b->seen - a->seen) > 0 ? b->seen : a->seen;
}

/* What few connections have; NULL = this one has nothing of it. */
static __always_inline struct gw_ext *ext_get(const struct gw_flow *f)
{
	__u32 id = f->id;

	return f->flags & GW_FLOW_EXT ? bpf_map_lookup_elem(&gw_ext, &id) : NULL;
}

static __always_inline void ext_forget(const struct gw_flow *f)
{
	__u32 id = f->id;

	if (f->flags & GW_FLOW_EXT)
		bpf_map_delete_elem(&gw_ext, &id);
}

/* Jiffies a flow in its state may be silent.  @reply: NULL = not known.  Verified once, for it is asked for in many places. */
__noinline int flow_timeout_state(const struct gw_conf *conf, __u32 proto,
				  const struct gw_flow *orig, const struct gw_flow *reply)
{
	struct gw_ext *ext;
	__u32 t;

	if (!conf || !orig)
		return 0;
	t = gw_timeout(conf, proto, orig, reply);
	ext = ext_get(orig);
	if (ext && ext->timeout)
		t = ext->timeout;
	return orig->flags & GW_FLOW_ASSURED ? t >> (conf->pressure & 31) : t;
}

/* Likewise, but for a time set by hand since the last packet, which was seen at @last. */
static __always_inline __u32 flow_timeout(const struct gw_conf *conf, __u8 proto,
					  const struct gw_flow *orig, const struct gw_flow *reply,
					  __u32 last)
{
	struct gw_ext *ext = ext_get(orig);

	if (ext && ext->once && ext->once_seen == last)
		return ext->once;
	return flow_timeout_state(conf, proto, orig, reply);
}

/*
 * End a connection: tell, then delete both halves wherever they are.  @ko, @kr: keys of the original and the reply entry.
 */
static __always_inline void flow_end(struct gw_flow *orig, struct gw_flow *reply, union gw_key *ko,
				     union gw_key *kr, __u8 cause, __u32 left_s, const bool v6)
{
	if (flow_set(orig, GW_FLOW_DYING) & GW_FLOW_DYING)
		return; /* another CPU is ending it */
	event_send(GW_EVENT_DESTROY, cause, orig, reply, ko, kr, left_s, v6);
	if (reply)
		flow_set(reply, GW_FLOW_DYING);
	/*
	 * The reply first, and only who really deletes the original counts it out: two CPUs may end one connection, and half a pair that is
	 * being ended must not look like what an eviction leaves.
	 */
	flow_erase_est(kr, v6);
	if (!flow_erase_est(ko, v6))
		count_add(-1, v6);
	flow_erase_emb(ko, v6);
	flow_erase_emb(kr, v6);
	ext_forget(orig);
	stat_add(GW_STAT_DELETE, 1);
}

/*
 * Move a pair from the embryonic to the assured table: reply first, then original, then delete the embryonic halves, so that
 * each key is found in one of the tables at any moment.  Full: it stays where it is.  0 = moved.
 */
static __always_inline int flow_promote(struct gw_conf *conf, struct gw_flow *orig,
					struct gw_flow *reply, union gw_key *ko, union gw_key *kr,
					const bool v6)
{
	__u32 i = v6;
	__u64 *count = bpf_map_lookup_elem(&gw_count, &i);
	int r;

	if (!count || (__s64)*count >= conf->est_max) {
		stat_add(GW_STAT_EST_FULL, 1);
		return -1;
	}
	r = v6 ? bpf_map_update_elem(&gw_est6, kr, reply, BPF_NOEXIST)
	       : bpf_map_update_elem(&gw_est4, kr, reply, BPF_NOEXIST);
	if (r)
		return -1; /* another CPU is at it */
	r = v6 ? bpf_map_update_elem(&gw_est6, ko, orig, BPF_NOEXIST)
	       : bpf_map_update_elem(&gw_est4, ko, orig, BPF_NOEXIST);
	if (r) {
		flow_erase_est(kr, v6);
		return -1;
	}
	__sync_fetch_and_add(count, 1);
	stat_add(GW_STAT_PROMOTE, 1);
	flow_erase_emb(ko, v6);
	flow_erase_emb(kr, v6);
	return 0;
}
#endif
