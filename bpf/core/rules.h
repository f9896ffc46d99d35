/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_RULES_H
#define GW_RULES_H
/*
 * The classifier: which rule of a slot matches first?
 *
 * This version walks the slot's lines in order (gw/rule.h).  What the stages use is only rules_run(); it asks for the first match
 * from a position on, and asks again behind every rule that is not final, so another index may take the walk's place.
 */
struct walk {
	void *image; /* the inner map: one image for the whole walk, however often gwd swaps */
	__u32 line;
	__u32 v6;
	__u32 verdict; /* GW_V_*; GW_V_CONTINUE = the slot's end */
};

static __always_inline bool range_has64(const __u64 *a, const __u64 *lo, const __u64 *hi)
{
	if (a[0] < lo[0] || (a[0] == lo[0] && a[1] < lo[1]))
		return false;
	return a[0] < hi[0] || (a[0] == hi[0] && a[1] <= hi[1]);
}

static __always_inline bool rule_match(const struct gw_rule *r, const struct rule_key *k, bool v6)
{
	if (r->proto) {
		if (r->proto != k->proto)
			return false;
		if (k->dport < r->dport_lo || k->dport > r->dport_hi)
			return false;
		if (k->sport < r->sport_lo || k->sport > r->sport_hi)
			return false;
	}
	if (r->ctstate && !(r->ctstate & k->ctbit))
		return false;
	if ((r->iif && r->iif != k->iif) || (r->oif && r->oif != k->oif))
		return false;
	if (!v6 && (k->saddr < r->saddr_lo || k->saddr > r->saddr_hi || k->daddr < r->daddr_lo ||
		    k->daddr > r->daddr_hi))
		return false;
	return (k->mark & r->mark_mask) == r->mark && (k->ctmark & r->ctmark_mask) == r->ctmark;
}

static __always_inline void rule_count(struct pkt *p, __u32 cid)
{
	__u32 i = bpf_get_smp_processor_id() * GW_COUNTERS_MAX + (cid & (GW_COUNTERS_MAX - 1));
	struct gw_counter *c;

	if (!cid || p->flags & PKT_PROBE)
		return;
	c = bpf_map_lookup_elem(&gw_counters, &i);
	if (c) {
		c->pkts++;
		c->bytes += p->len;
	}
	if (!(p->flags & PKT_NOTE))
		return;
	if (!p->rcid[0])
		p->rcid[0] = cid;
	else if (!p->rcid[1])
		p->rcid[1] = cid;
	else
		p->flags |= PKT_MULTI;
}

static __always_inline bool rule_match6(struct walk *w, const struct rule_key *k)
{
	__u32 line = w->line + 1;
	struct gw_rule_addr6 *a = bpf_map_lookup_elem(w->image, &line);

	return a && range_has64(k->saddr6, a->saddr_lo, a->saddr_hi) &&
	       range_has64(k->daddr6, a->daddr_lo, a->daddr_hi);
}

/* One rule; 1 ends the walk. */
static long rule_step(__u32 i, struct walk *w)
{
	struct gw_rule *r = bpf_map_lookup_elem(w->image, &w->line);
	struct pkt *p = pkt_scratch();
	__u32 follow, flags;

	if (!r || !p) {
		w->verdict = GW_V_DROP;
		return 1;
	}
	flags = r->flags;
	follow = w->line + 1 + (flags & GW_RULE_ADDR6 ? 1 : 0) + (flags & GW_RULE_ACT ? 1 : 0);
	if (!rule_match(r, &p->k, w->v6) || (flags & GW_RULE_ADDR6 && !rule_match6(w, &p->k))) {
		w->line = follow;
		return 0;
	}
	if (r->verdict == GW_V_SKIP) {
		w->line = r->next;
		return 0;
	}
	rule_count(p, r->cid);
	if (r->verdict == GW_V_CONTINUE || r->verdict == GW_V_NOTRACK) {
		if (r->verdict == GW_V_NOTRACK)
			p->flags |= PKT_NOTRACK;
		w->line = flags & GW_RULE_MORE ? r->next : follow;
		return 0;
	}
	p->last_cid = r->cid;
	p->last_arg = r->arg;
	p->last_policy = flags & GW_RULE_POLICY;
	if (r->verdict == GW_V_NAT) {
		__u32 line = follow - 1;
		struct gw_nat *nat = bpf_map_lookup_elem(w->image, &line);

		if (nat)
			p->nat = *nat;
		p->nat_cid = r->cid;
	}
	w->verdict = r->verdict;
	if (r->verdict == GW_V_ACCEPT && r->next) {
		w->line = r->next; /* accept ends only its chain */
		return 0;
	}
	return 1;
}

/*
 * Run one slot of the matrix over the packet in scratch (p->k must be filled).  Returns GW_V_ACCEPT, GW_V_DROP, GW_V_REJECT or
 * GW_V_NAT (then p->nat is set).  Counts as it goes.
 */
__noinline int rules_run(__u32 hook, __u32 v6)
{
	__u32 zero = 0, slot = hook * 2 + !!v6, line = 1 + slot / 16;
	struct walk w = { .v6 = v6, .verdict = GW_V_ACCEPT };
	struct gw_slots *slots;

	w.image = bpf_map_lookup_elem(&gw_rulesets, &zero);
	if (!w.image)
		return GW_V_ACCEPT; /* no ruleset yet: nothing to say */
	slots = bpf_map_lookup_elem(w.image, &line);
	if (!slots)
		return GW_V_DROP;
	w.line = slots->line[slot & 15];
	if (!w.line)
		return GW_V_ACCEPT;
	bpf_loop(1 << 20, rule_step, &w, 0);
	return w.verdict;
}
#endif
