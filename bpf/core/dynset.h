/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_DYNSET_H
#define GW_DYNSET_H
/*
 * Sets: is a key in one, and statements that put keys in and take them out.  Static elements are in the image (core/set.h), dynamic ones in
 * gw_dynset, each with its own end, token bucket and counters.
 */

/*
 * Take @cost out of a token bucket that is full at *tat and holds @burst (both ns << 8): nft's limit, kept as one time (GCRA).
 * It is refilled with time alone, so what was denied costs nothing.
 */
static __always_inline bool bucket_take(__u64 *tat, __u64 cost, __u64 burst)
{
	__u64 now = gw_boot_ns() << 8;

	for (int i = 0; i < 4; i++) {
		__u64 old = *(volatile __u64 *)tat, debt = old - now;

		if ((__s64)debt < 0)
			debt = 0;
		if (debt > burst) /* the limit was made smaller */
			debt = burst;
		if (debt + cost > burst)
			return false;
		if (__sync_val_compare_and_swap(tat, old, now + debt + cost) == old)
			return true;
	}
	return false;
}

/* What the op's limit takes for this packet, ns << 8. */
static __always_inline __u64 limit_cost(const struct pkt *p)
{
	if (p->r.op.flags & GW_OPF_BYTES)
		return p->r.more.a * pkt_bytes(p);
	return pkt_count(p) ? p->r.more.a : 0;
}

/* One more field at the end of the set's key; OP_*. */
static __always_inline int set_key_add(struct __sk_buff *skb, struct pkt *p, __u32 field,
				       __u32 *words, const bool v6)
{
	__u32 bytes = field_row(field_bytes, field);
	__u64 i = *words, v;
	int r = field_get(skb, field, p->r.op.flags, v6);

	if (r)
		return r == FIELD_MISSING ? OP_FAIL : OP_REFUSED;
	asm volatile("%0 &= 15" : "+r"(i));
	v = p->r.val[1];
	if (bytes > 8) {
		p->r.set_key[i++] = bpf_htonl(p->r.val[0] >> 32);
		p->r.set_key[i++] = bpf_htonl((__u32)p->r.val[0]);
	} else if (bytes > 4) {
		v <<= (8 - bytes) * 8 & 63;
	} else {
		v <<= (8 - bytes) * 8 & 63;
		p->r.set_key[i] = bpf_htonl(v >> 32);
		*words = i + 1;
		return OP_OK;
	}
	p->r.set_key[i++] = bpf_htonl(v >> 32);
	p->r.set_key[i++] = bpf_htonl((__u32)v);
	*words = i;
	return OP_OK;
}

/* The key the op asks for: up to four fields. */
static __always_inline int set_key(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u32 words = 0, rest = p->r.op.mask;
	int r;

	__builtin_memset(p->r.set_key, 0, sizeof(p->r.set_key));
	r = set_key_add(skb, p, p->r.op.field, &words, v6);
	for (int i = 0; i < 3; i++) {
		if (r || !(rest & 0xff))
			break;
		if (field_row(field_varies, rest & 0xff))
			p->flags |= PKT_VARY;
		r = set_key_add(skb, p, rest & 0xff, &words, v6);
		rest >>= 8;
	}
	if (field_row(field_varies, p->r.op.field))
		p->flags |= PKT_VARY;
	return words <= GW_DYNKEY_LEN / 4 ? r : OP_REFUSED;
}

/* Inlined in both that need it: below it are as many frames as the verifier allows. */
static __always_inline int set_key_make(struct __sk_buff *skb, struct pkt *p, __u32 v6)
{
	return p ? set_key(skb, p, v6) : OP_REFUSED;
}

static __always_inline const struct gw_set *set_row(struct pkt *p)
{
	if (p->r.op.lo >= p->r.n_sets)
		return NULL;
	return (void *)rules_line(p, p->r.o_set + p->r.op.lo);
}

static __always_inline void dyn_key(struct pkt *p, __u32 set)
{
	p->r.dk.set = set;
	for (int i = 0; i < GW_DYNKEY_LEN / 4; i++)
		((__u32 *)p->r.dk.key)[i] = p->r.set_key[i];
}

/* The living element of p->r.dk. */
static __always_inline struct gw_dynval *dyn_find(struct pkt *p)
{
	struct gw_dynval *e = bpf_map_lookup_elem(&gw_dynset, &p->r.dk);

	return e && (!e->expires_ns || e->expires_ns > gw_boot_ns()) ? e : NULL;
}

__noinline int set_match(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();
	const struct gw_set *set;
	bool found;
	int r = set_key_make(skb, p, v6);

	if (!p || r)
		return r;
	set = set_row(p);
	if (!set)
		return OP_REFUSED;
	dyn_key(p, set->id);
	found = set_has(p->half, p->r.op.lo, &p->r.dk);
	if (set->flags & GW_SETF_DYN) {
		p->flags |= PKT_VARY;
		found = found || dyn_find(p);
	}
	return found != !!(p->r.op.flags & GW_OPF_NOT) ? OP_OK : OP_FAIL;
}

/* Count an element of the set in or out; false = the set is full. */
static __always_inline bool dyn_count(const struct gw_set *set, __s64 n)
{
	__u32 id = set->id;
	__s64 *count = set->size ? bpf_map_lookup_elem(&gw_dyncount, &id) : NULL;
	__s64 old;

	if (!count)
		return true;
	old = __sync_fetch_and_add(count, n);
	if (n < 0 || old < (__s64)set->size)
		return true;
	__sync_fetch_and_add(count, -n);
	return false;
}

static __always_inline void dyn_fill(struct pkt *p, struct gw_dynval *to, __u64 timeout)
{
	to->expires_ns = timeout ? gw_boot_ns() + timeout : 0;
	to->timeout_ns = timeout;
	to->tat = to->pkts = to->bytes = 0;
	to->count = 0; /* pad is gwd's */
}

/* The element of p->r.dk, made if it is not there; NULL = there is no room. */
static __always_inline struct gw_dynval *dyn_add(struct pkt *p, const struct gw_set *set,
						 bool refresh)
{
	__u64 timeout = (__u64)(p->r.op.hi ? p->r.op.hi : set->timeout) * 1000000000ULL;
	struct gw_dynval *e = bpf_map_lookup_elem(&gw_dynset, &p->r.dk);
	__u64 now = gw_boot_ns();
	int r;

	if (e && e->expires_ns && e->expires_ns <= now) {
		dyn_fill(p, e, timeout); /* it was over, and nobody has taken it out yet */
		return e;
	}
	if (e) {
		if (refresh && e->expires_ns)
			e->expires_ns = now + (timeout ? timeout : e->timeout_ns);
		return e;
	}
	if (!dyn_count(set, 1))
		return NULL;
	p->r.dv.pad = 0;
	dyn_fill(p, &p->r.dv, timeout);
	r = bpf_map_update_elem(&gw_dynset, &p->r.dk, &p->r.dv, BPF_NOEXIST);
	if (r)
		dyn_count(set, -1);
	return bpf_map_lookup_elem(&gw_dynset, &p->r.dk);
}

/* GW_OP_SETADD, SETUPD, SETDEL. */
__noinline int set_change(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();
	const struct gw_set *set;
	struct gw_dynval *e;
	int r = set_key_make(skb, p, v6);
	bool in;

	if (!p || r)
		return r;
	set = set_row(p);
	if (!set || p->r.op.flags & GW_OPF_CTCOUNT)
		return OP_REFUSED;
	dyn_key(p, set->id);
	if (p->r.op.code == GW_OP_SETDEL) {
		r = bpf_map_delete_elem(&gw_dynset, &p->r.dk);
		if (!r)
			dyn_count(set, -1);
		return OP_OK;
	}
	if (p->flags & PKT_FRAG_LATER) /* its bytes count */
		e = dyn_find(p);
	else
		e = dyn_add(p, set, p->r.op.code == GW_OP_SETUPD);
	if (!e)
		return OP_FAIL;
	if (p->r.op.flags & GW_OPF_COUNT) {
		__sync_fetch_and_add(&e->pkts, pkt_count(p));
		__sync_fetch_and_add(&e->bytes, pkt_bytes(p));
	}
	if (!(p->r.op.flags & GW_OPF_LIMIT))
		return OP_OK;
	in = bucket_take(&e->tat, limit_cost(p), p->r.more.b);
	return in != !!(p->r.op.flags & GW_OPF_NOT) ? OP_OK : OP_FAIL;
}
#endif
