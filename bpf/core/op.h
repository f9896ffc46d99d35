/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_OPS_H
#define GW_OPS_H
/*
 * The ops of a rule (GW_OP_*): matches beyond what the index looks at, and statements.  The seldom ones are global functions; all of them
 * find the op in p->r.op with its further cells in p->r.more.
 */
#define OP_OK	   0
#define OP_FAIL	   1 /* a match that does not hold: the rule does not apply */
#define OP_REFUSED 2

#include "field.h"
#include "dynset.h"
#include "log.h"
#include "mangle.h"

/* ------------------------------------------------------------------------------------------ what has memory */

static __always_inline struct gw_state *op_state_row(__u32 index)
{
	return bpf_map_lookup_elem(&gw_states, &index);
}

static __always_inline int op_holds(const struct pkt *p, bool holds)
{
	return holds != !!(p->r.op.flags & GW_OPF_NOT) ? OP_OK : OP_FAIL;
}

/* nft's quota counts each packet that asks, and is over behind its last byte. */
static __always_inline int op_quota(struct pkt *p, struct gw_state *st)
{
	__u32 bytes = pkt_bytes(p);

	return op_holds(p, __sync_fetch_and_add(&st->used, bytes) + bytes <= p->r.more.a);
}

static __always_inline int op_limit(struct pkt *p, struct gw_state *st)
{
	return op_holds(p, bucket_take(&st->tat, limit_cost(p), p->r.more.b));
}

/*
 * The number is drawn once for all alternatives of a rule: `numgen inc mod 2 map { 0 : ..., 1 : ... }` asks for it element by element.
 */
static __always_inline int op_numgen(struct pkt *p)
{
	__u32 index = p->r.more.a, mod = p->r.op.mask;
	struct gw_state *st;
	bool known = p->r.op.len && p->r.numgen_state == index + 1;

	if (!known && p->r.op.flags & GW_OPF_FROM) {
		st = op_state_row(index);
		if (!st)
			return OP_REFUSED;
		p->r.numgen_value = __sync_fetch_and_add(&st->used, 1);
	} else if (!known) {
		p->r.numgen_value = bpf_get_prandom_u32();
	}
	p->r.numgen_state = p->r.op.len ? index + 1 : 0;
	mod = p->r.numgen_value % (mod ? mod : 1);
	return op_holds(p, mod >= p->r.op.lo && mod <= p->r.op.hi);
}

__noinline int op_memory(void)
{
	struct pkt *p = pkt_scratch();
	struct gw_state *st;

	if (!p)
		return OP_REFUSED;
	p->flags |= PKT_VARY;
	if (p->r.op.code == GW_OP_CTCOUNT)
		return OP_REFUSED; /* nothing counts a connection out when it ends */
	if (p->flags & PKT_PROBE)
		return OP_OK;
	if (p->r.op.code == GW_OP_NUMGEN)
		return op_numgen(p);
	st = op_state_row(p->r.op.lo);
	if (!st)
		return OP_REFUSED;
	return p->r.op.code == GW_OP_QUOTA ? op_quota(p, st) : op_limit(p, st);
}

/* --------------------------------------------------------------------------------------------------- values */

static __always_inline bool op_between(const __u64 *v, const struct gw_op_pair *lo,
				       const struct gw_op_pair *hi)
{
	if (v[0] < lo->a || (v[0] == lo->a && v[1] < lo->b))
		return false;
	return v[0] < hi->a || (v[0] == hi->a && v[1] <= hi->b);
}

/* Does what the op looks at differ inside a flow?  Plain segments all look alike to who asks for SYN, FIN or RST. */
static __always_inline bool op_varies(const struct pkt *p, __u32 field)
{
	if (field == GW_F_TCP_FLAGS && p->r.op.code == GW_OP_RANGE &&
	    !(p->r.op.mask & ~(TCP_BIT_FIN | TCP_BIT_SYN | TCP_BIT_RST)))
		return p->r.k.syn;
	return field_row(field_varies, field);
}

static __always_inline int op_range(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	int r = field_get(skb, p->r.op.field, p->r.op.flags, v6);
	__u32 v;

	if (r)
		return r == FIELD_MISSING ? OP_FAIL : OP_REFUSED;
	if (p->r.op.code == GW_OP_RANGE64)
		return op_holds(p, p->r.val[1] >= p->r.more.a && p->r.val[1] <= p->r.more.b);
	if (p->r.op.code == GW_OP_RANGE128)
		return op_holds(p, op_between(p->r.val, &p->r.more, &p->r.more2));
	v = (__u32)p->r.val[1] & p->r.op.mask;
	return op_holds(p, v >= p->r.op.lo && v <= p->r.op.hi);
}

/* -------------------------------------------------------------------------------------------- the packet's marks */

/* Both halves of the connection hold its mark; what was cached may have been judged by it. */
static __always_inline void ctmark_store(struct pkt *p, const bool v6)
{
	struct gw_flow *own, *peer;

	key_copy(&p->tmp, field_flow_key(p), v6);
	own = flow_find(&p->tmp, v6);
	if (!own || own->mark == p->ctmark)
		return;
	own->mark = p->ctmark;
	own->gen = 0;
	key_copy(&p->tmp, flow_peer(own, v6), v6);
	peer = flow_find(&p->tmp, v6);
	if (peer) {
		peer->mark = p->ctmark;
		peer->gen = 0;
	}
	if (!(p->flags & PKT_ICMP_ERROR))
		p->news |= CT_NEWS_UPDATE;
}

static __always_inline __u32 op_marked(const struct pkt *p, __u32 own, __u32 other)
{
	if (!(p->r.op.flags & GW_OPF_FROM))
		return (own & ~p->r.op.mask) ^ p->r.op.lo;
	return (own & p->r.op.hi) ^ (other & p->r.op.mask) ^ p->r.op.lo;
}

__noinline int op_ctmark(__u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return OP_REFUSED;
	/* as nft: without a connection there is no mark to read, and nothing happens where none is read */
	if (!field_tracked(p))
		return (p->r.op.flags & GW_OPF_FROM ? p->r.op.hi : ~p->r.op.mask) ? OP_FAIL : OP_OK;
	p->ctmark = op_marked(p, p->ctmark, p->r.k.mark);
	if (p->flags & PKT_NEW)
		return OP_OK; /* the connection is made with it */
	if (v6)
		ctmark_store(p, true);
	else
		ctmark_store(p, false);
	return OP_OK;
}

static __always_inline int op_mark(struct __sk_buff *skb, struct pkt *p)
{
	if (p->r.op.flags & GW_OPF_FROM && !field_tracked(p))
		return OP_FAIL;
	p->r.k.mark = op_marked(p, p->r.k.mark, p->ctmark);
	skb->mark = p->r.k.mark;
	return OP_OK;
}

static __always_inline int op_statement(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	/* an MSS is only in a SYN: to other packets the op does nothing */
	if (p->flags & PKT_PROBE)
		return OP_OK;
	if (p->r.op.code != GW_OP_MSS || p->r.k.syn)
		p->flags |= PKT_VARY;
	switch (p->r.op.code) {
	case GW_OP_LOG:
		return log_packet(skb, v6);
	case GW_OP_MARK:
		return op_mark(skb, p);
	case GW_OP_CTMARK:
		return op_ctmark(v6);
	case GW_OP_DSCP:
	case GW_OP_TTL:
	case GW_OP_MSS:
		return mangle_packet(skb, v6);
	case GW_OP_NOTRACK:
		p->flags |= PKT_NOTRACK;
		return OP_OK;
	case GW_OP_ZONE:
		key_zone(&p->t, v6) = p->r.op.lo;
		return OP_OK;
	case GW_OP_SETADD:
	case GW_OP_SETUPD:
	case GW_OP_SETDEL:
		return set_change(skb, v6);
	}
	return OP_REFUSED;
}

static __always_inline int op_do(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	switch (p->r.op.code) {
	case GW_OP_COUNT:
		rule_count(p, p->r.op.lo);
		return OP_OK;
	case GW_OP_RANGE:
	case GW_OP_RANGE64:
	case GW_OP_RANGE128:
		if (op_varies(p, p->r.op.field))
			p->flags |= PKT_VARY;
		return op_range(skb, p, v6);
	case GW_OP_SET:
		return set_match(skb, v6);
	case GW_OP_LIMIT:
	case GW_OP_QUOTA:
	case GW_OP_CTCOUNT:
	case GW_OP_NUMGEN:
		return op_memory();
	}
	return op_statement(skb, p, v6);
}

/* What is done to each fragment, or takes account of its bytes; everything else is asked and done once. */
static __always_inline bool op_is_for_each(const struct pkt *p)
{
	switch (p->r.op.code) {
	case GW_OP_COUNT:
	case GW_OP_QUOTA:
	case GW_OP_MARK:
	case GW_OP_DSCP:
	case GW_OP_TTL:
	case GW_OP_NOTRACK:
	case GW_OP_ZONE:
		return true;
	case GW_OP_LIMIT:
	case GW_OP_SETADD:
	case GW_OP_SETUPD:
		return p->r.op.flags & (GW_OPF_BYTES | GW_OPF_COUNT);
	}
	return false;
}

/* An op over a fragment: the later ones are told what the first one was. */
static __always_inline int op_fragment(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	int told = -1, r = OP_OK;

	p->flags |= PKT_VARY;
	if (p->flags & PKT_FRAG_LATER)
		told = frag_told();
	if (told < 0 || op_is_for_each(p))
		r = op_do(skb, p, v6);
	if (!(p->flags & PKT_FRAG_LATER))
		frag_note(r == OP_OK);
	return told < 0 || r == OP_REFUSED ? r : told ? OP_OK : OP_FAIL;
}

/* Translation is asked of the first fragment alone. */
static __always_inline int op_apply(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	if (p->flags & PKT_FRAG && !(p->flags & PKT_PROBE) &&
	    !(RULES_NAT_MASK >> (p->r.hook & 31) & 1))
		return op_fragment(skb, p, v6);
	return op_do(skb, p, v6);
}

/* Cell @i of the action: the first three share the line with its head. */
static __always_inline bool op_cell(struct pkt *p, __u32 i, struct gw_op_pair *to)
{
	struct gw_line *line = rules_line(p, p->r.act + (i + 1) / 4);
	__u64 at = (i + 1) & 3;

	if (!line)
		return false;
	asm volatile("%0 &= 3" : "+r"(at));
	to->a = line->w[at * 2];
	to->b = line->w[at * 2 + 1];
	return true;
}

/* Fetch the next op. */
__noinline int op_load(void)
{
	struct pkt *p = pkt_scratch();
	__u32 i;

	if (!p)
		return OP_REFUSED;
	i = p->r.cell;
	if (!op_cell(p, i, (struct gw_op_pair *)&p->r.op))
		return OP_REFUSED;
	if (p->r.op.len && !op_cell(p, i + 1, &p->r.more))
		return OP_REFUSED;
	if (p->r.op.len > 1 && !op_cell(p, i + 2, &p->r.more2))
		return OP_REFUSED;
	p->r.cell = i + 1 + p->r.op.len;
	return OP_OK;
}

__noinline int op_run4(struct __sk_buff *skb)
{
	struct pkt *p = pkt_scratch();

	if (!p || op_load())
		return OP_REFUSED;
	return op_apply(skb, p, false);
}

__noinline int op_run6(struct __sk_buff *skb)
{
	struct pkt *p = pkt_scratch();

	if (!p || op_load())
		return OP_REFUSED;
	return op_apply(skb, p, true);
}
#endif
