/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_SNAT_H
#define GW_STAGE_SNAT_H
/*
 * snat: choose the source a new connection leaves with, and enter the connection in the table.
 * The reply tuple is what must be unique: core/claim.h inserts it first.
 *
 * in:   PKT_NEW, p->t, p->out with the destination of DNAT
 * out:  both entries are in gw_emb*, p->out is complete
 * drop: nat-no-port, nat-no-addr, ct-insert, rule, policy
 */
/* Source address by the rule in p->nat. */
static __always_inline int snat_apply(struct pkt *p, struct gw_if *out_if, const bool v6)
{
	if (p->nat.kind == GW_NAT_MASQUERADE) {
		if (v6) {
			if (!out_if || !(out_if->masq6[0] | out_if->masq6[1] | out_if->masq6[2] |
					 out_if->masq6[3]))
				return GW_REASON_NAT_NO_ADDR;
			for (int i = 0; i < 4; i++)
				p->out.v6.saddr[i] = out_if->masq6[i];
		} else {
			if (!out_if || !out_if->masq4)
				return GW_REASON_NAT_NO_ADDR;
			p->out.v4.saddr = out_if->masq4;
		}
	} else if (p->nat.flags & GW_NATF_ADDR) {
		return nat_pick_addr(p, v6 ? p->out.v6.saddr : &p->out.v4.saddr, v6);
	}
	return 0;
}

static __always_inline void create_fill(struct pkt *p, struct gw_conf *conf, const bool v6)
{
	struct gw_flow *a = &p->a.f, *b = &p->b.f;

	__builtin_memset(&p->a, 0, sizeof(p->a));
	__builtin_memset(&p->b, 0, sizeof(p->b));
	a->kx = key_hash(&p->t, v6);
	a->id = bpf_get_prandom_u32() | 1;
	a->created = boot_seconds();
	a->seen = p->now;
	a->mark = p->ctmark;
	a->pkts = 1;
	a->bytes = pkt_bytes(p);
	if (p->flags & PKT_OUTPUT)
		a->flags |= GW_FLOW_LOCAL_OUT;
	if (p->flags & PKT_LOCAL)
		a->flags |= GW_FLOW_LOCAL_IN;
	if (p->proto == IPPROTO_TCP) {
		a->state = tcp_begin(conf->flags);
		side_store(a, &p->own, &p->peer);
	}
	if (ct_is_sctp(p)) {
		a->state = p->tcp_state;
		side_store(a, &p->own, &p->peer);
	}
	if (p->flags & PKT_EIM || claim_is_eim(p))
		a->flags |= GW_FLOW_EIM;
	filter_remember(p, a);
	*b = *a;
	b->flags = GW_FLOW_REPLY | (p->flags & PKT_OUTPUT ? GW_FLOW_LOCAL_IN : 0) |
		   (p->flags & PKT_LOCAL ? GW_FLOW_LOCAL_OUT : 0);
	b->verdict = GW_VERDICT_NONE;
	b->rule = b->rule2 = b->gen = b->iif = b->oif = 0;
	b->pkts = b->bytes = 0;
	if (p->proto == IPPROTO_TCP || ct_is_sctp(p))
		side_store(b, &p->peer, &p->own);
	b->created = p->admitted;
}

/* The pair's second half: the original tuple.  0, 1 = another CPU was first, < 0 refused. */
static __always_inline int create_original(struct pkt *p, const bool v6)
{
	int r; /* before 6.4 map helpers return int: the upper half of r0 is not the sign */

	if (v6)
		p->a.v6.peer = p->alt.v6;
	else
		p->a.v4.peer = p->alt.v4;
	r = v6 ? bpf_map_update_elem(&gw_emb6, &p->t, &p->a, BPF_NOEXIST)
	       : bpf_map_update_elem(&gw_emb4, &p->t, &p->a, BPF_NOEXIST);
	if (!r)
		return 0;
	flow_erase_emb(&p->alt, v6);
	stat_add(GW_STAT_INSERT_FAILED, 1);
	return r == -17 ? 1 : -1;
}

/* Enter the connection p->t -> p->out.  0, GW_REASON_*, or -1: lost a race, look again. */
static __always_inline int create_pair(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				       const bool v6)
{
	struct gw_event *ev;
	int r;

	create_fill(p, conf, v6);
	if (!(p->flags & PKT_LOCAL) && p->oif)
		route_remember(p, conf, &p->a.f, v6);
	if (v6) {
		p->b.v6.peer = p->t.v6;
		p->b.v6.nat_rule = p->nat_cid2;
	} else {
		p->b.v4.peer = p->t.v4;
		p->b.v4.nat_rule = p->nat_cid2;
	}
	r = snat_claim(skb, v6);
	if (r)
		stat_add(GW_STAT_INSERT_FAILED, 1);
	if (r > 0)
		return GW_REASON_NAT_NO_PORT;
	if (r < 0)
		return r == CLAIM_RACE ? -1 : GW_REASON_CT_INSERT;
	p->a.f.flags |= p->b.f.flags & (GW_FLOW_SNAT | GW_FLOW_DNAT);
	if (v6)
		p->a.v6.nat_rule = p->nat_cid;
	else
		p->a.v4.nat_rule = p->nat_cid;
	ev = event_reserve();
	r = create_original(p, v6);
	if (ev) {
		event_fill(ev, GW_EVENT_NEW, 0, &p->a.f, &p->b.f, &p->t, &p->alt,
			   gw_timeout(conf, p->proto, &p->a.f, NULL) / cfg_hz, v6);
		if (r)
			bpf_ringbuf_discard(ev, BPF_RB_NO_WAKEUP);
		else
			bpf_ringbuf_submit(ev, BPF_RB_NO_WAKEUP);
	} else if (!r) {
		stat_add(GW_STAT_EVENT_LOST, 1);
	}
	if (r)
		return r > 0 ? -1 : GW_REASON_CT_INSERT;
	stat_add(GW_STAT_INSERT, 1);
	return 0;
}

__noinline int create(struct __sk_buff *skb, __u32 v6)
{
	struct gw_conf *conf = conf_get();
	struct pkt *p = pkt_scratch();

	if (!p || !conf)
		return GW_REASON_INTERNAL;
	return v6 ? create_pair(skb, p, conf, true) : create_pair(skb, p, conf, false);
}

/* Does a source translation apply here?  Asked without counting, for packets that can not be translated. */
static __always_inline bool snat_applies(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
					 const bool v6)
{
	int r;

	if (!(hooks_active(conf, v6) & (1U << GW_HOOK_NAT_POSTROUTING)))
		return false;
	key_for_rules(skb, p, &p->out, p->iif, p->oif, v6);
	p->flags |= PKT_PROBE;
	r = rules_run(skb, GW_HOOK_NAT_POSTROUTING, v6);
	p->flags &= ~PKT_PROBE;
	return r == GW_V_NAT;
}

/*
 * What came back from inside to a mapped endpoint leaves as if it had gone out by the line of that mapping, and come in again: with the
 * source that the world sees (RFC 4787 REQ-9).
 */
static __always_inline bool snat_turns_back(const struct pkt *p)
{
	return p->flags & PKT_EIM && !(p->flags & PKT_LOCAL) && p->iif != p->eim_oif;
}

/* Ask the rules.  0, -1: they translate, GW_REASON_*. */
static __always_inline int snat_rules(struct __sk_buff *skb, struct pkt *p, __u32 hook,
				      const union gw_key *dst, __u32 oif, const bool v6)
{
	int r;

	key_for_rules(skb, p, dst, p->iif, oif, v6);
	r = rules_run(skb, hook, v6);
	if (r == GW_V_DROP || r == GW_V_REJECT)
		return p->last_policy ? GW_REASON_POLICY : GW_REASON_RULE;
	return r == GW_V_NAT ? -1 : 0;
}

static __always_inline int stage_snat(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				      struct gw_if *out_if, const bool v6)
{
	__u32 hook = p->flags & PKT_LOCAL ? GW_HOOK_NAT_INPUT : GW_HOOK_NAT_POSTROUTING;
	__u32 dnat_cid = p->nat_cid;
	int r = 0;

	p->nat.kind = 0;
	p->nat_cid = p->nat_cid2 = 0;
	if (hooks_active(conf, v6) & (1U << hook)) {
		if (snat_turns_back(p)) {
			r = snat_rules(skb, p, hook, &p->t, p->eim_oif, v6);
			if (r < 0)
				out_if = if_get(p->eim_oif);
		}
		if (!r)
			r = snat_rules(skb, p, hook, &p->out, p->oif, v6);
		if (r < 0)
			r = snat_apply(p, out_if, v6);
		if (r)
			return r;
	}
	if (dnat_cid) {
		p->nat_cid2 = p->nat_cid;
		p->nat_cid = dnat_cid;
	}
	return create(skb, v6);
}
#endif
