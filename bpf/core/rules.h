/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_RULES_H
#define GW_RULES_H
/*
 * The rules of a slot over one packet (gw/image.h).
 *
 * One loop walks base chains, user chains and ops alike: each step finds the next entry, or runs one op of the entry found, or both.
 * Everything is in scratch (p->r), so the parts are global functions of their own that the verifier sees once.
 */
#define RULES_STEPS (1U << 20)
#define RULES_NAT_MASK                                                                       \
	(1U << GW_HOOK_NAT_PREROUTING | 1U << GW_HOOK_NAT_INPUT | 1U << GW_HOOK_NAT_OUTPUT | \
	 1U << GW_HOOK_NAT_POSTROUTING)

static __always_inline struct gw_line *rules_line(const struct pkt *p, __u32 line)
{
	line += p->half;
	return bpf_map_lookup_elem(&gw_region, &line);
}

static __always_inline void count_by(__u32 cid, __u32 n, __u32 bytes)
{
	__u32 i = bpf_get_smp_processor_id() * GW_COUNTERS_MAX + (cid & (GW_COUNTERS_MAX - 1));
	struct gw_counter *c;

	if (!cid)
		return;
	c = bpf_map_lookup_elem(&gw_counters, &i);
	if (c) {
		c->pkts += n;
		c->bytes += bytes;
	}
}

static __always_inline void count_raise(__u32 cid, __u32 bytes)
{
	count_by(cid, 1, bytes);
}

/* Count a rule, and remember it with the verdict.  NAT rules count connections: no verdict holds them. */
static __always_inline void rule_count(struct pkt *p, __u32 cid)
{
	if (!cid || p->flags & PKT_PROBE)
		return;
	count_by(cid, pkt_count(p), pkt_bytes(p));
	if (RULES_NAT_MASK >> (p->r.hook & 31) & 1)
		return;
	if (!p->rcid[0])
		p->rcid[0] = cid;
	else if (!p->rcid[1])
		p->rcid[1] = cid;
	else
		p->flags |= PKT_VARY;
}

/* What core/find.h and core/set.h read. */
static __always_inline const void *region_line(__u32 line)
{
	return bpf_map_lookup_elem(&gw_region, &line);
}

#include "find.h"
#include "set.h"
#include "op.h"

static __always_inline long rules_end(struct pkt *p, __u32 verdict)
{
	p->r.verdict = verdict;
	return 1;
}

/* What the data plane can not do is not let through. */
static __always_inline long rules_refuse(struct pkt *p)
{
	stat_add(GW_STAT_OP_REFUSED, 1);
	p->last_cid = p->r.f.id;
	p->last_policy = 0;
	return rules_end(p, GW_V_DROP);
}

static __always_inline long rules_enter(struct pkt *p, __u32 root, __u32 min)
{
	if (root >= p->r.n_roots)
		return rules_refuse(p);
	p->r.f.root = root;
	p->r.f.min = min;
	return 0;
}

/* The last of a root's lines: next, policy, cid, flags. */
static __always_inline struct gw_line *rules_base(struct pkt *p)
{
	return rules_line(p, p->r.o_root + p->r.base * GW_ROOT_LINES + 2);
}

/* A base chain lets the packet on: to the next one of the slot. */
static __always_inline long rules_next_base(struct pkt *p)
{
	struct gw_line *base = rules_base(p);
	__u32 next = base ? (__u32)base->w[0] : GW_NO_ROOT;

	p->r.depth = 0;
	if (next == GW_NO_ROOT)
		return rules_end(p, GW_V_ACCEPT);
	p->r.base = next;
	return rules_enter(p, next, 0);
}

/* The end of a chain: back to where the jump came from, or the base chain's policy. */
static __always_inline long rules_return(struct pkt *p)
{
	struct gw_line *base;
	__u64 top = p->r.depth - 1;
	__u32 policy, cid;

	if (p->r.depth) {
		asm volatile("%0 &= 15" : "+r"(top)); /* GW_JUMP_DEPTH - 1 */
		p->r.depth--;
		p->r.f.root = p->r.stack[top].root;
		p->r.f.min = p->r.stack[top].min;
		return 0;
	}
	base = rules_base(p);
	if (!base)
		return rules_refuse(p);
	policy = base->w[0] >> 32;
	cid = (__u32)base->w[1];
	rule_count(p, cid);
	p->last_cid = cid;
	p->last_arg = 0;
	p->last_policy = 1;
	if (policy == GW_V_DROP)
		return rules_end(p, GW_V_DROP);
	return rules_next_base(p);
}

static __always_inline long rules_jump(struct pkt *p)
{
	__u64 top = p->r.depth;

	if (top >= GW_JUMP_DEPTH)
		return rules_refuse(p);
	asm volatile("%0 &= 15" : "+r"(top));
	p->r.stack[top].root = p->r.f.root;
	p->r.stack[top].min = p->r.f.prio + 1;
	p->r.depth++;
	return rules_enter(p, p->r.arg, 0);
}

/* The gw_nat line behind the action's cells. */
static __always_inline long rules_nat(struct pkt *p)
{
	struct gw_nat *nat = (void *)rules_line(p, p->r.act + (p->r.act_head >> 16));

	if (!nat || !(p->r.act_head >> 16))
		return rules_refuse(p);
	p->nat = *nat;
	p->nat_cid = p->r.f.id;
	return rules_end(p, GW_V_NAT);
}

/* All of the entry's matches held: do what it says. */
static __always_inline long rules_verdict(struct pkt *p)
{
	__u32 verdict = GW_ENT_VERDICT(p->r.f.flags);

	if (!(p->r.act_head >> 8 & GW_ACT_NO_COUNT))
		rule_count(p, p->r.f.id);
	switch (verdict) {
	case GW_V_CONTINUE:
		p->r.f.min = p->r.f.prio + 1;
		return 0;
	case GW_V_JUMP:
		return rules_jump(p);
	case GW_V_GOTO:
		return rules_enter(p, p->r.arg, 0);
	case GW_V_RETURN:
		return rules_return(p);
	}
	p->last_cid = p->r.f.id;
	p->last_arg = p->r.arg;
	p->last_policy = 0;
	switch (verdict) {
	case GW_V_ACCEPT:
		return rules_next_base(p);
	case GW_V_NAT:
		return rules_nat(p);
	case GW_V_DROP:
	case GW_V_REJECT:
		return rules_end(p, verdict);
	}
	return rules_refuse(p);
}

/* These two end in 0 or 1, which the verifier has to see at the call. */
__noinline int rules_decide(void)
{
	struct pkt *p = pkt_scratch();

	return p ? rules_verdict(p) : 1;
}

__noinline int rules_back(void)
{
	struct pkt *p = pkt_scratch();

	return p ? rules_return(p) : 1;
}

/* An entry was found: its action, if it has one. */
static __always_inline bool rules_load(struct pkt *p)
{
	__u32 line = GW_ENT_ACT(p->r.f.flags);
	struct gw_line *act;

	p->r.cell = p->r.act = p->r.act_head = p->r.arg = 0;
	p->r.numgen_state = 0;
	p->r.matched = 1;
	if (!line)
		return true;
	p->r.act = p->r.o_act + line;
	act = rules_line(p, p->r.act);
	if (!act)
		return false;
	p->r.act_head = (__u32)act->w[0];
	p->r.arg = act->w[0] >> 32;
	return true;
}

static __always_inline long rules_step(struct __sk_buff *skb, const bool v6)
{
	struct pkt *p = pkt_scratch();
	int r;

	if (!p)
		return 1;
	if (!p->r.matched) {
		find_first(&p->r.f, &p->r.k, v6);
		if (p->r.f.vary != FIND_NONE)
			p->flags |= PKT_VARY;
		if (p->r.f.prio == FIND_NONE)
			return rules_back() ? 1 : 0;
		if (!rules_load(p))
			return rules_refuse(p);
	}
	if (p->r.cell < (p->r.act_head & 0xff)) {
		r = v6 ? op_run6(skb) : op_run4(skb);
		if (r == OP_FAIL) {
			p->r.matched = 0;
			p->r.f.min = p->r.f.prio + 1;
			return 0;
		}
		if (r)
			return rules_refuse(p);
		if (p->r.cell < (p->r.act_head & 0xff))
			return 0;
	}
	p->r.matched = 0;
	return rules_decide() ? 1 : 0;
}

struct rules_walk {
	struct __sk_buff *skb;
};

static long rules_step4(__u32 i, struct rules_walk *w)
{
	return rules_step(w->skb, false);
}

static long rules_step6(__u32 i, struct rules_walk *w)
{
	return rules_step(w->skb, true);
}

/* 1 = there are rules to run. */
static __always_inline int rules_begin(struct pkt *p, __u32 hook, const bool v6)
{
	__u32 slot = hook * 2 + v6, root;
	const struct gw_head *head = (void *)rules_line(p, 0);
	const struct gw_line *slots;
	__u64 word = slot >> 1 & 7;

	p->r.verdict = GW_V_DROP; /* should the steps not reach a verdict */
	p->r.hook = hook;
	if (!head)
		return 0;
	if (!head->o_slot) { /* no ruleset in this half yet: nothing to say */
		p->r.verdict = GW_V_ACCEPT;
		return 0;
	}
	p->r.o_root = head->o_root;
	p->r.n_roots = head->n_roots;
	p->r.o_act = head->o_act;
	p->r.o_set = head->o_set;
	p->r.n_sets = head->n_sets;
	slots = rules_line(p, head->o_slot + slot / 16);
	if (!slots)
		return 0;
	asm volatile("%0 &= 7" : "+r"(word));
	root = slots->w[word] >> (slot & 1 ? 32 : 0);
	if (root == GW_NO_ROOT) {
		p->r.verdict = GW_V_ACCEPT;
		return 0;
	}
	p->r.depth = p->r.matched = 0;
	p->r.base = root;
	p->r.f.half = p->half;
	return !rules_enter(p, root, 0);
}

/*
 * Run one slot over the packet in scratch (p->r.k must be filled).  GW_V_ACCEPT, GW_V_DROP, GW_V_REJECT or GW_V_NAT (then p->nat is set).
 * Counts as it goes, unless PKT_PROBE: then statements do nothing and what has a memory is taken to match.
 */
__noinline int rules_run4(struct __sk_buff *skb, __u32 hook)
{
	struct rules_walk w = { .skb = skb };
	struct pkt *p = pkt_scratch();

	if (!p)
		return GW_V_DROP;
	if (rules_begin(p, hook, false))
		bpf_loop(RULES_STEPS, rules_step4, &w, 0);
	return p->r.verdict;
}

__noinline int rules_run6(struct __sk_buff *skb, __u32 hook)
{
	struct rules_walk w = { .skb = skb };
	struct pkt *p = pkt_scratch();

	if (!p)
		return GW_V_DROP;
	if (rules_begin(p, hook, true))
		bpf_loop(RULES_STEPS, rules_step6, &w, 0);
	return p->r.verdict;
}

static __always_inline int rules_run(struct __sk_buff *skb, __u32 hook, const bool v6)
{
	return v6 ? rules_run6(skb, hook) : rules_run4(skb, hook);
}
#endif
