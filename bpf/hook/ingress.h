/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_HOOK_INGRESS_H
#define GW_HOOK_INGRESS_H
/*
 * Ingress behind the fast path: prerouting (in), then routing, input or forward, postrouting (post).
 */
static __always_inline void pkt_start(struct __sk_buff *skb, struct pkt *p,
				      const struct gw_conf *conf, struct gw_if *ifc, __u32 flags)
{
	__builtin_memset(&p->t, 0, sizeof(p->t));
	p->flags = flags;
	p->l3 = ifc->flags & GW_IF_L3 ? 0 : 14;
	p->l4 = p->l3;
	p->len = skb->len - p->l3;
	p->iif = p->oif = 0;
	p->now = gw_now();
	p->gen = conf->gen;
	p->half = p->gen & 1 ? conf->half_lines : 0;
	p->mtu = p->news = p->frag_at = 0;
	p->syn_mss = p->exthdr = 0;
	p->win = 0;
	p->ctmark = 0;
	p->ctstate = GW_CT_UNTRACKED;
	p->icmp_type = p->icmp_code = 0;
	p->rcid[0] = p->rcid[1] = 0;
	p->last_cid = 0;
	p->nat_cid = p->nat_cid2 = p->admitted = 0;
	p->tcp_bits = p->tcp_doff = 0;
	p->proto = 0;
	p->tos = 0;
	p->ttl = 64;
}

/* Broadcast, multicast and senders without an address: no connection, only the filter. */
static __always_inline bool pkt_is_stateless(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	if (v6)
		return (p->t.v6.daddr[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000) ||
		       !(p->t.v6.saddr[0] | p->t.v6.saddr[1] | p->t.v6.saddr[2] | p->t.v6.saddr[3]);
	return skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST ||
	       !p->t.v4.saddr || addr4_is_multicast(p->t.v4.daddr) ||
	       local_kind(&p->t, true, v6) == GW_LOCAL_BROADCAST;
}

/* Drop the packet and tell its sender: p->last_arg says how. */
static __always_inline int refuse(struct __sk_buff *skb, struct pkt *p, __u32 reason, const bool v6)
{
	p->refusal = reason;
	return jump(skb, JUMP_REJECT, v6);
}

/* The connection could not be made.  RFC 5508 REQ-8: want of a port is told to the sender; RFC 6296 3.6: that of an address, too. */
static __always_inline int settle_failed(struct __sk_buff *skb, struct pkt *p, int r, const bool v6)
{
	if (r != GW_REASON_NAT_NO_PORT && r != GW_REASON_ROUTE)
		return gw_drop(p, r, v6);
	p->last_cid = p->nat_cid;
	p->last_arg = r == GW_REASON_ROUTE ? GW_REJECT_NET : GW_REJECT_ADMIN;
	return refuse(skb, p, r, v6);
}

/* Reject at a place where the sender can not be answered is a drop. */
static __always_inline int verdict_end(struct __sk_buff *skb, struct pkt *p, int r, const bool v6)
{
	if (p->flags & PKT_KILL)
		ct_kill(v6);
	if (r == VERDICT_REJECT)
		return refuse(skb, p, GW_REASON_REJECT, v6);
	return gw_drop(p, r, v6);
}

/* Which connection?  @stateless: flags of a packet that none can be of.  0 or GW_REASON_*. */
static __always_inline int track(struct __sk_buff *skb, struct pkt *p, __u32 stateless,
				 const bool v6)
{
	if (pkt_is_stateless(skb, p, v6)) {
		p->flags |= PKT_STATELESS | stateless;
		p->ctstate = GW_CT_NEW;
		key_copy(&p->out, &p->t, v6);
		return 0;
	}
	if (p->flags & PKT_ICMP_ERROR && !(p->flags & PKT_NOTRACK))
		return stage_icmp_error(skb, v6);
	return conntrack(skb, v6);
}

static __always_inline int mangle(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				  __u32 hook, __u32 iif, __u32 oif, const bool v6)
{
	if (!(hooks_active(conf, v6) & (1U << hook)))
		return 0;
	key_for_rules(skb, p, &p->out, iif, oif, v6);
	return stage_rules(skb, p, conf, hook, v6);
}

/* In front of DNAT, the destination is what came in. */
static __always_inline int mangle_prerouting(struct __sk_buff *skb, struct pkt *p,
					     struct gw_conf *conf, const bool v6)
{
	if (!(hooks_active(conf, v6) & (1U << GW_HOOK_MANGLE_PREROUTING)))
		return 0;
	key_for_rules(skb, p, &p->t, p->iif, 0, v6);
	return stage_rules(skb, p, conf, GW_HOOK_MANGLE_PREROUTING, v6);
}

static __always_inline int filter_prerouting(struct __sk_buff *skb, struct pkt *p,
					     struct gw_conf *conf, const bool v6)
{
	return mangle(skb, p, conf, GW_HOOK_FILTER_PREROUTING, p->iif, 0, v6);
}

/* raw, conntrack, mangle, DNAT, filter. */
static __always_inline int prerouting(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				      struct gw_if *ifc, const bool v6)
{
	int r;

	key_for_rules(skb, p, &p->t, p->iif, 0, v6);
	r = stage_rules(skb, p, conf, GW_HOOK_RAW_PREROUTING, v6);
	if (r)
		return r;
	r = track(skb, p, PKT_LOCAL, v6);
	if (!r)
		r = mangle_prerouting(skb, p, conf, v6);
	if (!r && p->flags & PKT_NEW)
		r = stage_dnat(skb, p, conf, ifc, GW_HOOK_NAT_PREROUTING, v6);
	if (p->flags & PKT_FRAG)
		frag_follow(v6);
	return r ? r : filter_prerouting(skb, p, conf, v6);
}

/*
 * What belongs to no connection, or is an ICMP error about an untranslated one, may not leave where a source translation applies: it
 * would show a private address.  The gateway's own packets carry the address its stack chose.
 */
static __always_inline int check_untranslated(struct __sk_buff *skb, struct pkt *p,
					      struct gw_conf *conf, const bool v6)
{
	bool error = p->flags & PKT_ICMP_ERROR;

	if (p->flags & (PKT_LOCAL | PKT_OUTPUT))
		return 0;
	if (error && p->ctstate == GW_CT_INVALID)
		return GW_REASON_ICMP_ERROR;
	if (key_source_differs(&p->t, &p->out, v6) || !snat_applies(skb, p, conf, v6))
		return 0;
	if (error)
		return GW_REASON_ICMP_ERROR;
	return p->ctstate == GW_CT_UNTRACKED ? GW_REASON_NAT_UNTRACKED : GW_REASON_CT_INVALID;
}

/* mangle, filter and security of INPUT or FORWARD. */
static __always_inline int check_forward(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
					 struct gw_flow *own, const bool v6)
{
	bool local = p->flags & PKT_LOCAL;
	int r = mangle(skb, p, conf, local ? GW_HOOK_MANGLE_INPUT : GW_HOOK_MANGLE_FORWARD, p->iif,
		       p->oif, v6);

	if (r)
		return r;
	key_for_rules(skb, p, &p->out, p->iif, p->oif, v6);
	if (local)
		return stage_filter(skb, p, conf, own, GW_HOOK_FILTER_INPUT, GW_HOOK_SECURITY_INPUT,
				    v6);
	return stage_filter(skb, p, conf, own, GW_HOOK_FILTER_FORWARD, GW_HOOK_SECURITY_FORWARD,
			    v6);
}

/* The flow whose direction the packet is, or NULL (new, untracked, related ...). */
static __always_inline struct gw_flow *pkt_flow(struct pkt *p, const bool v6)
{
	if (p->flags & (PKT_NEW | PKT_STATELESS | PKT_ICMP_ERROR | PKT_NOTRACK) ||
	    p->ctstate == GW_CT_INVALID || p->ctstate == GW_CT_UNTRACKED)
		return NULL;
	return flow_find(&p->t, v6);
}

/* Behind the verdict: enter a new connection, or refresh what the known one remembers.  0, reason, -1 = start over. */
static __always_inline int settle(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				  struct gw_flow *own, const bool v6)
{
	if (p->flags & PKT_NEW)
		return stage_snat(skb, p, conf, if_get(p->oif), v6);
	if (p->flags & PKT_KILL) {
		ct_kill(v6);
		return 0;
	}
	if (!own)
		return check_untranslated(skb, p, conf, v6);
	if (!(p->flags & PKT_CACHED))
		filter_remember(p, own);
	if (p->flags & PKT_LOCAL)
		flow_set(own, GW_FLOW_LOCAL_IN);
	else if (p->oif && !(p->flags & PKT_EGRESS))
		route_remember(p, conf, own, v6);
	if (p->news) { /* last: a promotion makes another entry of the flow */
		key_copy(&p->alt, flow_peer(own, v6), v6);
		ct_news(v6, p->news);
	}
	return 0;
}

/*
 * A packet on its last hop: the stack answers it before FORWARD (ip_forward, ip6_forward), so no rule of FORWARD sees it, and no connection
 * is made of it: gw_slow knows how to translate the answer back.
 */
static __always_inline bool pkt_expires(struct pkt *p)
{
	if (p->flags & (PKT_LOCAL | PKT_STATELESS) || p->ttl > 1)
		return false;
	if (p->flags & PKT_NEW)
		p->flags |= PKT_UNROUTED;
	return true;
}

/* Behind PREROUTING: to the gateway itself, or on. */
static __always_inline int post(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				const bool v6)
{
	struct gw_flow *own = pkt_flow(p, v6);
	int r;

	if (own && own->flags & GW_FLOW_LOCAL_OUT)
		return gw_drop(p, GW_REASON_MARTIAN,
			       v6); /* our own side of a connection does not come in by a wire */
	if (!(p->flags & PKT_STATELESS))
		stage_route(skb, p, v6);
	if (!(p->flags & (PKT_LOCAL | PKT_UNROUTED)) && (!own || p->flags & PKT_NEW)) {
		r = route_check_source(skb, v6);
		if (r)
			return gw_drop(p, r, v6);
	}
	if (!pkt_expires(p) && !(p->flags & PKT_UNROUTED)) {
		r = check_forward(skb, p, conf, own, v6);
		if (!r && !(p->flags & PKT_LOCAL))
			r = mangle(skb, p, conf, GW_HOOK_MANGLE_POSTROUTING, p->iif, p->oif, v6);
		if (!r)
			r = stage_recheck(skb, p, conf, own, v6);
		if (r)
			return verdict_end(skb, p, r, v6);
	}
	if (p->flags & PKT_STATELESS)
		return TC_ACT_UNSPEC;
	if (!(p->flags & PKT_UNROUTED)) {
		r = settle(skb, p, conf, own, v6);
		if (r < 0)
			return p->restarts++ & 3 ? gw_drop(p, GW_REASON_CT_INSERT, v6)
						 : jump(skb, JUMP_IN, v6);
		if (r)
			return settle_failed(skb, p, r, v6);
	}
	return finish_ingress(skb, v6);
}

static __always_inline int hook_in(struct __sk_buff *skb, const bool v6)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct pkt *p = pkt_scratch();
	struct gw_conf *conf = conf_get();
	int r;

	if (!ifc || !p || !conf)
		return TC_ACT_UNSPEC;
	pkt_start(skb, p, conf, ifc, 0);
	p->iif = skb->ifindex;
	r = pkt_parse(skb, v6);
	if (r >= PARSE_DROP)
		return gw_drop(p, r - PARSE_DROP, v6);
	if (r == PARSE_PASS || (r == PARSE_LINK && local_kind(&p->t, true, v6)))
		return TC_ACT_UNSPEC;
	if (p->flags & PKT_FRAG) {
		r = frag_track(skb, v6);
		if (r == FRAG_HELD)
			return TC_ACT_SHOT;
		if (r)
			return gw_drop(p, r, v6);
	}
	r = prerouting(skb, p, conf, ifc, v6);
	return r ? verdict_end(skb, p, r, v6) : post(skb, p, conf, v6);
}
#endif
