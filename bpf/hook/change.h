/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_HOOK_CHANGE_H
#define GW_HOOK_CHANGE_H
/*
 * Changes by hand, run by gwd: gw_update changes one connection where it is, gw_insert enters one.
 *
 * Packets go on meanwhile.  Words that packets write too are exchanged and not stored.  An element may become another connection's under
 * our hands: after a word was exchanged kx and id are looked at again, and what hit somebody else is taken back.  A promotion may
 * have copied the entry before the change and show the copy after it: gwd waits until no program of that time runs any more and
 * asks once more, with GW_UPDATE_AGAIN.
 */
#define CHANGE_TRIES 8

/* Put @want where @old is. */
static __always_inline bool mark_swap(struct gw_flow *f, __u32 kx, __u32 id, __u32 old, __u32 want)
{
	if (__sync_val_compare_and_swap(&f->mark, old, want) != old)
		return false;
	if (*(volatile __u32 *)&f->kx != kx || *(volatile __u32 *)&f->id != id) {
		__sync_val_compare_and_swap(&f->mark, want, old);
		return true;
	}
	f->gen = 0; /* what was cached may have been judged by it */
	return true;
}

static __always_inline bool update_mark(struct gw_update_ctx *c, struct gw_flow *orig, __u32 ko,
					struct gw_flow *reply, __u32 kr)
{
	__u32 old = 0, want = 0;

	if (c->what & GW_UPDATE_AGAIN) {
		mark_swap(orig, ko, c->id, c->mark_mask, c->mark);
		mark_swap(reply, kr, c->id, c->mark_mask, c->mark);
		return false;
	}
	for (int i = 0; i < CHANGE_TRIES; i++) {
		old = *(volatile __u32 *)&orig->mark;
		want = (old & ~c->mark_mask) ^ c->mark;
		if (old == want || mark_swap(orig, ko, c->id, old, want))
			break;
	}
	mark_swap(reply, kr, c->id, *(volatile __u32 *)&reply->mark, want);
	c->mark = want;
	c->mark_mask = old;
	return old != want;
}

/* A row of gw_ext for the connection.  NULL = no room. */
static __always_inline struct gw_ext *ext_make(__u32 id)
{
	struct gw_ext row = { .id = id };

	bpf_map_update_elem(&gw_ext, &id, &row, BPF_NOEXIST);
	return bpf_map_lookup_elem(&gw_ext, &id);
}

/*
 * It ends @timeout jiffies from now, unless a packet comes.  A time that is not longer than what its state allows is silence that it has
 * already had; a longer one needs a row of its own.
 */
static __always_inline bool update_timeout(struct gw_update_ctx *c, struct gw_conf *conf,
					   struct gw_flow *orig, struct gw_flow *reply,
					   union gw_key *ko, const bool v6)
{
	__u32 now = gw_now(), seen = now,
	      t = flow_timeout_state(conf, key_proto(ko, v6), orig, reply);
	struct gw_ext *ext = ext_get(orig);
	struct gw_flow *still;

	if (ext)
		ext->once = 0;
	if (c->timeout <= t) {
		seen = now - (t - c->timeout);
	} else {
		ext = ext_make(c->id);
		if (ext) {
			ext->once_seen = now;
			ext->once = c->timeout;
		}
		flow_set(orig, GW_FLOW_EXT);
		flow_set(reply, GW_FLOW_EXT);
	}
	orig->seen = seen;
	reply->seen = seen;
	still = flow_find(ko, v6);
	if (!still || still->id != c->id || still->flags & GW_FLOW_DYING) {
		__u32 id = c->id;

		bpf_map_delete_elem(&gw_ext, &id); /* it ended meanwhile, and took no row along */
	}
	return true;
}

static __always_inline bool update_status(struct gw_update_ctx *c, struct gw_conf *conf,
					  struct gw_flow *orig, struct gw_flow *reply,
					  union gw_key *ko, union gw_key *kr, const bool v6)
{
	__u16 bits = c->status & (GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED);
	bool news = (orig->flags & bits) != bits;

	flow_set(orig, bits);
	flow_set(reply, bits);
	if (bits & GW_FLOW_ASSURED && !flow_find_est(ko, v6))
		flow_promote(conf, orig, reply, ko, kr, v6);
	return news;
}

static __always_inline bool update_state(struct gw_update_ctx *c, struct gw_flow *orig,
					 struct gw_flow *reply)
{
	bool news = orig->state != (__u8)c->state;

	orig->state = c->state;
	reply->state = c->state;
	return news;
}

static __always_inline void update_report(struct gw_update_ctx *c, struct gw_conf *conf,
					  struct gw_flow *orig, struct gw_flow *reply,
					  union gw_key *ko, union gw_key *kr, bool news,
					  const bool v6)
{
	__u32 last = flow_last(orig, reply), idle = gw_now() - last;
	__u32 t = flow_timeout(conf, key_proto(ko, v6), orig, reply, last);

	c->done = news ? GW_CHANGE_DONE : GW_CHANGE_NOTHING;
	c->timeout = (__s32)idle < 0 ? t : idle > t ? 0 : t - idle;
	c->status = orig->flags;
	c->state = orig->state;
	if (news)
		event_send(GW_EVENT_UPDATE, GW_CAUSE_USER, orig, reply, ko, kr, c->timeout / cfg_hz,
			   v6);
}

static __always_inline void update_one(struct gw_update_ctx *c, const bool v6)
{
	struct gw_flow *orig, *reply;
	struct gw_conf *conf = conf_get();
	union gw_key ko, kr;
	bool news = false;

	key_narrow(&ko, &c->key, v6);
	orig = flow_find(&ko, v6);
	if (!orig || !conf || orig->id != c->id || orig->flags & (GW_FLOW_REPLY | GW_FLOW_DYING))
		return;
	key_copy(&kr, flow_peer(orig, v6), v6);
	reply = flow_find(&kr, v6);
	if (!reply || reply->id != c->id)
		return;
	if (c->what & GW_UPDATE_MARK)
		news |= update_mark(c, orig, key_hash(&ko, v6), reply, key_hash(&kr, v6));
	if (c->what & GW_UPDATE_STATE && key_proto(&ko, v6) == IPPROTO_TCP)
		news |= update_state(c, orig, reply);
	if (c->what & GW_UPDATE_STATUS)
		news |= update_status(c, conf, orig, reply, &ko, &kr, v6);
	/* it may have become assured: another entry, and another timeout to count from */
	orig = flow_find(&ko, v6);
	reply = flow_find(&kr, v6);
	if (!orig || !reply || orig->id != c->id || reply->id != c->id)
		return;
	if (c->what & GW_UPDATE_TIMEOUT)
		news |= update_timeout(c, conf, orig, reply, &ko, v6);
	update_report(c, conf, orig, reply, &ko, &kr, news && !(c->what & GW_UPDATE_AGAIN), v6);
}

/* Functions of their own for the sake of the stack. */
static __noinline int update_v4(struct gw_update_ctx *c)
{
	update_one(c, false);
	return 0;
}

static __noinline int update_v6(struct gw_update_ctx *c)
{
	update_one(c, true);
	return 0;
}

SEC("syscall") int gw_update(struct gw_update_ctx *ctx)
{
	ctx->done = GW_CHANGE_GONE;
	return ctx->family == 6 ? update_v6(ctx) : update_v4(ctx);
}

/* What both halves have in common. */
static __always_inline void insert_fill(struct gw_insert_ctx *c, struct gw_conf *conf,
					union gw_entry *e, __u8 proto)
{
	__u32 t;

	__builtin_memset(e, 0, sizeof(*e));
	e->f.id = c->id;
	e->f.state = c->state;
	e->f.mark = c->mark;
	e->f.flags =
		c->flags & (GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED | GW_FLOW_SNAT | GW_FLOW_DNAT);
	e->f.seen = gw_now();
	if (proto == IPPROTO_TCP) /* nobody told us its windows */
		e->f.tcp_flags = GW_TCPF_SACK | GW_TCPF_LIBERAL;
	t = gw_timeout(conf, proto, &e->f, NULL);
	if (c->timeout <= t)
		e->f.seen -= t - c->timeout;
	else
		e->f.flags |= GW_FLOW_EXT;
}

static __always_inline int insert_half(const union gw_key *k, union gw_entry *e,
				       const union gw_key *peer, const bool v6)
{
	int r; /* before 6.4 map helpers return int */

	e->f.kx = key_hash(k, v6);
	if (v6)
		e->v6.peer = peer->v6;
	else
		e->v4.peer = peer->v4;
	r = v6 ? bpf_map_update_elem(&gw_emb6, k, e, BPF_NOEXIST)
	       : bpf_map_update_elem(&gw_emb4, k, e, BPF_NOEXIST);
	if (r)
		return r == -17 /* EEXIST */ ? GW_CHANGE_EXISTS : GW_CHANGE_FULL;
	if (!flow_find_est(k, v6))
		return 0;
	flow_erase_emb(k, v6);
	return GW_CHANGE_EXISTS;
}

static __always_inline int insert_original(struct gw_insert_ctx *c, union gw_entry *e,
					   union gw_key *ko, union gw_key *kr, const bool v6)
{
	struct gw_event *ev = event_reserve();
	int r;

	e->f.flags &= ~GW_FLOW_REPLY;
	e->f.created = boot_seconds();
	r = insert_half(ko, e, kr, v6);
	if (ev) {
		event_fill(ev, GW_EVENT_NEW, GW_CAUSE_USER, &e->f, NULL, ko, kr,
			   c->timeout / cfg_hz, v6);
		if (r)
			bpf_ringbuf_discard(ev, BPF_RB_NO_WAKEUP);
		else
			bpf_ringbuf_submit(ev, BPF_RB_NO_WAKEUP);
	} else if (!r) {
		stat_add(GW_STAT_EVENT_LOST, 1);
	}
	return r;
}

static __always_inline int insert_pair(struct gw_insert_ctx *c, struct gw_conf *conf,
				       union gw_key *ko, union gw_key *kr, const bool v6)
{
	union gw_entry e;
	struct gw_ext *ext;
	__u32 id = c->id;
	int r;

	insert_fill(c, conf, &e, key_proto(ko, v6));
	if (e.f.flags & GW_FLOW_EXT) {
		ext = ext_make(id);
		if (!ext)
			return GW_CHANGE_FULL;
		ext->once_seen = e.f.seen;
		ext->once = c->timeout;
	}
	e.f.flags |= GW_FLOW_REPLY;
	r = insert_half(kr, &e, ko, v6);
	if (!r) {
		r = insert_original(c, &e, ko, kr, v6);
		if (r)
			flow_erase_emb(kr, v6);
	}
	if (r)
		ext_forget(&e.f);
	return r;
}

static __always_inline int insert_one(struct gw_insert_ctx *c, const bool v6)
{
	struct gw_conf *conf = conf_get();
	struct gw_flow *orig, *reply;
	union gw_key ko, kr;
	int r;

	key_narrow(&ko, &c->orig, v6);
	key_narrow(&kr, &c->reply, v6);
	if (!conf)
		return GW_CHANGE_FULL;
	if (flow_find(&ko, v6) || flow_find(&kr, v6) || key_equal(&ko, &kr, v6))
		return GW_CHANGE_EXISTS;
	c->id = bpf_get_prandom_u32() | 1;
	r = insert_pair(c, conf, &ko, &kr, v6);
	if (r)
		return r;
	stat_add(GW_STAT_INSERT, 1);
	orig = flow_find_emb(&ko, v6);
	reply = flow_find_emb(&kr, v6);
	if (orig && reply && orig->flags & GW_FLOW_ASSURED)
		flow_promote(conf, orig, reply, &ko, &kr, v6);
	return GW_CHANGE_DONE;
}

static __noinline int insert_v4(struct gw_insert_ctx *c)
{
	return insert_one(c, false);
}

static __noinline int insert_v6(struct gw_insert_ctx *c)
{
	return insert_one(c, true);
}

SEC("syscall") int gw_insert(struct gw_insert_ctx *ctx)
{
	ctx->done = ctx->family == 6 ? insert_v6(ctx) : insert_v4(ctx);
	return 0;
}
#endif
