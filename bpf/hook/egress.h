/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_HOOK_EGRESS_H
#define GW_HOOK_EGRESS_H
/*
 * Egress: the gateway's own packets (OUTPUT, POSTROUTING), packets the stack forwarded for us (finish SNAT), packets the stack forwarded
 * from interfaces that are not managed (FORWARD, POSTROUTING).
 */

/* Finish what ingress began.  EGRESS_UNKNOWN = nothing known about it. */
#define EGRESS_UNKNOWN 1
static __always_inline int egress_finish(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	struct gw_tuple6 k = {};
	struct gw_flow *own;
	struct gw_slow *s;
	int r;

	event_key(&k, &p->t, v6);
	s = bpf_map_lookup_elem(&gw_slow, &k);
	key_copy(&p->alt, &p->t, v6);
	if (s && v6)
		p->alt.v6 = s->key;
	else if (s)
		p->alt.v4 = *(struct gw_tuple4 *)&s->key;
	own = flow_find(&p->alt, v6);
	if (!own)
		return EGRESS_UNKNOWN;
	p->flags = own->flags & GW_FLOW_REPLY ? p->flags | PKT_REPLY : p->flags & ~PKT_REPLY;
	key_swap(&p->out, flow_peer(own, v6), v6);
	finish_pull(skb, p);
	r = pkt_rewrite(skb, p, &p->out, false, v6);
	if (r)
		return gw_drop(p, r, v6);
	skb->tc_index = MARK_DONE;
	return TC_ACT_UNSPEC;
}

__noinline int egress_slow(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return EGRESS_UNKNOWN;
	return v6 ? egress_finish(skb, p, true) : egress_finish(skb, p, false);
}

/* IPsec output keeps the inner packet's input interface: it is the gateway's own all the same. */
static __always_inline bool egress_is_own(struct pkt *p, const bool v6)
{
	if (p->proto != IPPROTO_ESP && p->proto != IPPROTO_AH &&
	    !(p->proto == IPPROTO_UDP && key_sport(&p->t, v6) == bpf_htons(4500)))
		return false;
	return local_kind(&p->t, false, v6) == GW_LOCAL_HOST;
}

/* DNAT of the gateway's own packet: where does the new destination live? */
static __always_inline int output_reroute(struct __sk_buff *skb, struct pkt *p,
					  struct gw_conf *conf, const bool v6)
{
	if (!(p->flags & PKT_OUTPUT) || !key_dest_differs(&p->t, &p->out, v6) ||
	    p->flags & PKT_ICMP_ERROR)
		return 0;
	if (local_kind(&p->out, true, v6))
		return GW_REASON_ROUTE; /* it has left towards a wire; there is no way back inside from here */
	p->iif = 1;
	route_lookup(skb, v6);
	p->iif = 0;
	p->flags &= ~(PKT_LOCAL | PKT_UNROUTED | PKT_STACK);
	if (!p->oif)
		p->oif = skb->ifindex;
	return 0;
}

/* What a refusal is here: nobody can be told. */
static __always_inline int egress_drop(struct pkt *p, int r, const bool v6)
{
	if (p->flags & PKT_KILL)
		ct_kill(v6);
	return gw_drop(p, r == VERDICT_REJECT ? GW_REASON_REJECT : r, v6);
}

/* raw, conntrack, mangle and DNAT of OUTPUT; of what the stack forwarded only conntrack. */
static __always_inline int output(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				  struct gw_if *ifc, const bool v6)
{
	bool own = p->flags & PKT_OUTPUT;
	int r = 0;

	if (own) {
		key_for_rules(skb, p, &p->t, 0, p->oif, v6);
		r = stage_rules(skb, p, conf, GW_HOOK_RAW_OUTPUT, v6);
	}
	if (!r)
		r = track(skb, p, 0, v6);
	if (!r && own)
		r = mangle(skb, p, conf, GW_HOOK_MANGLE_OUTPUT, 0, p->oif, v6);
	if (!r && own && p->flags & PKT_NEW)
		r = stage_dnat(skb, p, conf, ifc, GW_HOOK_NAT_OUTPUT, v6);
	if (p->flags & PKT_FRAG)
		frag_follow(v6);
	return r ? r : output_reroute(skb, p, conf, v6);
}

/* filter and security of OUTPUT or FORWARD, mangle POSTROUTING. */
static __always_inline int egress_filter(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
					 struct gw_flow *own, const bool v6)
{
	int r;

	if (p->flags & PKT_OUTPUT) {
		key_for_rules(skb, p, &p->out, 0, p->oif, v6);
		r = stage_filter(skb, p, conf, own, GW_HOOK_FILTER_OUTPUT, GW_HOOK_SECURITY_OUTPUT,
				 v6);
	} else {
		r = check_forward(skb, p, conf, own, v6);
	}
	return r ? r : mangle(skb, p, conf, GW_HOOK_MANGLE_POSTROUTING, p->iif, p->oif, v6);
}

static __always_inline int egress_post(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				       const bool v6)
{
	struct gw_flow *own = pkt_flow(p, v6);
	bool output = p->flags & PKT_OUTPUT;
	int r = egress_filter(skb, p, conf, own, v6);

	if (r)
		return egress_drop(p, r, v6);
	if (p->flags & PKT_STATELESS) {
		if (!output && snat_applies(skb, p, conf, v6))
			return gw_drop(p, GW_REASON_NAT_UNTRACKED, v6); /* routed multicast */
		return TC_ACT_UNSPEC;
	}
	if (!own && output && p->ctstate == GW_CT_INVALID)
		return finish_egress(skb, v6); /* our own stack's answer to something untracked */
	r = settle(skb, p, conf, own, v6);
	if (r < 0)
		return p->restarts++ & 3 ? gw_drop(p, GW_REASON_CT_INSERT, v6)
					 : jump(skb, JUMP_OUT, v6);
	if (r)
		return gw_drop(p, r, v6);
	return finish_egress(skb, v6);
}

static __always_inline int hook_out(struct __sk_buff *skb, const bool v6)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct pkt *p = pkt_scratch();
	struct gw_conf *conf = conf_get();
	int r;

	if (!ifc || !p || !conf)
		return TC_ACT_UNSPEC;
	pkt_start(skb, p, conf, ifc, PKT_EGRESS);
	p->iif = skb->ingress_ifindex;
	p->oif = skb->ifindex;
	r = pkt_parse(skb, v6);
	if (r >= PARSE_DROP)
		return gw_drop(p, r - PARSE_DROP, v6);
	if (r == PARSE_PASS || (r == PARSE_LINK && !p->iif))
		return TC_ACT_UNSPEC;
	if (!p->iif || egress_is_own(p, v6)) {
		p->iif = 0;
		p->flags |= PKT_OUTPUT;
	}
	if (p->flags & PKT_FRAG) {
		r = frag_track(skb, v6);
		if (r)
			return gw_drop(p, r, v6);
	}
	if (skb->tc_index == MARK_SLOW && if_get(p->iif)) {
		r = egress_slow(skb, v6);
		if (r != EGRESS_UNKNOWN)
			return r;
	}
	r = output(skb, p, conf, ifc, v6);
	return r ? egress_drop(p, r, v6) : egress_post(skb, p, conf, v6);
}
#endif
