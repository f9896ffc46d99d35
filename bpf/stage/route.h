/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_ROUTE_H
#define GW_STAGE_ROUTE_H
/*
 * route: to the gateway itself, or out by which interface to which next hop?
 *
 * in:   p->out (destination translated), p->t (source as it came)
 * out:  PKT_LOCAL, or p->oif, p->nh, p->mtu; PKT_STACK: the kernel must route it; PKT_UNROUTED: the kernel will refuse it
 * drop: martian, rpfilter (only checked when a flow is created: @check_source)
 */
static __always_inline void fib_fill(struct bpf_fib_lookup *fib, struct pkt *p, __u32 ifindex,
				     const union gw_key *src, const union gw_key *dst,
				     const bool v6)
{
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->ifindex = ifindex;
	fib->l4_protocol = p->proto;
	fib->tot_len = 1; /* asks for the route's MTU in return; the comparison is ours (GSO) */
	if (v6) {
		fib->family = AF_INET6;
		fib->flowinfo = bpf_htonl((__u32)p->tos << 20);
		for (int i = 0; i < 4; i++) {
			fib->ipv6_src[i] = src->v6.saddr[i];
			fib->ipv6_dst[i] = dst->v6.daddr[i];
		}
	} else {
		fib->family = AF_INET;
		fib->tos = p->tos & 0x1e;
		fib->ipv4_src = src->v4.saddr;
		fib->ipv4_dst = dst->v4.daddr;
	}
	if (!(p->flags & PKT_QUERY)) {
		fib->sport = key_sport(src, v6);
		fib->dport = key_dport(dst, v6);
	}
}

/* Reverse path (RFC 3704) as net.ipv4.conf.*.rp_filter asks. */
static __always_inline int source_check(struct __sk_buff *skb, struct pkt *p, struct gw_if *ifc,
					const bool v6)
{
	struct bpf_fib_lookup fib;
	long r;

	if (!v6 && addr4_is_martian_source(p->t.v4.saddr))
		return GW_REASON_MARTIAN;
	if (local_kind(&p->t, false, v6))
		return GW_REASON_MARTIAN; /* our own address, or a broadcast, as source */
	if (!(ifc->flags & (GW_IF_RP_STRICT | GW_IF_RP_LOOSE)) || v6)
		return 0;
	key_swap(&p->tmp, &p->t, v6);
	fib_fill(&fib, p, skb->ifindex, &p->tmp, &p->tmp, v6);
	fib.sport = fib.dport = 0;
	r = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH)
		return GW_REASON_RPFILTER;
	if (ifc->flags & GW_IF_RP_STRICT && fib.ifindex != skb->ifindex)
		return GW_REASON_RPFILTER;
	return 0;
}

__noinline int route_check_source(struct __sk_buff *skb, __u32 v6)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct pkt *p = pkt_scratch();

	if (!p || !ifc)
		return GW_REASON_INTERNAL;
	return v6 ? source_check(skb, p, ifc, true) : source_check(skb, p, ifc, false);
}

static __always_inline void route_find(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				       const bool v6)
{
	struct bpf_fib_lookup fib;
	__u32 flags = cfg_fib_skip_neigh
			      ? 1U << 2
			      : 0; /* BPF_FIB_LOOKUP_SKIP_NEIGH: redirect_neigh finds it */
	struct gw_if *out;
	long r;

	fib_fill(&fib, p, p->iif, &p->t, &p->out, v6);
	if (cfg_fib_mark && conf->flags & GW_CONF_FIB_MARK) {
		flags |= 1U << 5; /* BPF_FIB_LOOKUP_MARK: the mark shares smac (6.10) */
		*(__u32 *)fib.smac = skb->mark;
	} else if (conf->flags & GW_CONF_FIB_MARK && skb->mark) {
		p->flags |= PKT_STACK;
	}
	r = bpf_fib_lookup(skb, &fib, sizeof(fib), flags);
	p->mtu = fib.mtu_result;
	switch (r) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		break;
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		p->flags |= PKT_STACK;
		p->oif = 0;
		return;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		p->flags |=
			PKT_LOCAL; /* an address gwd does not know yet, or no route: INPUT decides, the stack answers */
		p->oif = 0;
		return;
	default:
		p->flags |= PKT_UNROUTED;
		p->oif = 0;
		return;
	}
	p->oif = fib.ifindex;
	if (v6) {
		for (int i = 0; i < 4; i++)
			p->nh[i] = fib.ipv6_dst[i];
	} else {
		p->nh[0] = fib.ipv4_dst;
	}
	if (fib.family != (v6 ? AF_INET6 : AF_INET))
		p->flags |= PKT_STACK; /* IPv4 by an IPv6 gateway */
	out = if_get(p->oif);
	if (!out || conf->flags & GW_CONF_XFRM)
		p->flags |= PKT_STACK;
	else if (r == BPF_FIB_LKUP_RET_NO_NEIGH)
		p->mtu = out->mtu; /* the kernel did not come as far as the route's */
}

/* Apart, because its frame would be under that of the rules' search. */
__noinline int route_lookup(struct __sk_buff *skb, __u32 v6)
{
	struct gw_conf *conf = conf_get();
	struct pkt *p = pkt_scratch();

	if (!p || !conf)
		return -1;
	if (v6)
		route_find(skb, p, conf, true);
	else
		route_find(skb, p, conf, false);
	return 0;
}

/* About quarter seconds: how old a cached route is told in.  A shift, because a division costs as much as a lookup. */
static __always_inline __u16 route_time(__u32 now)
{
	return now >> (cfg_hz >= 1000 ? 8 : cfg_hz >= 250 ? 6 : 5);
}

/*
 * Does a cached route still hold?  While gwd lives it raises rgen at each change of routes, and a minute is only a bound; a dead gwd
 * can not freeze a route for longer than a second.
 */
static __always_inline bool route_holds(const struct gw_conf *conf, const struct gw_flow *f,
					__u32 now)
{
	bool watched = now - conf->beat < 3 * cfg_hz;

	return f->oif && f->rgen == (__u16)conf->rgen &&
	       (__u16)(route_time(now) - f->rtime) < (watched ? 240 : 4);
}

static __always_inline void route_remember(struct pkt *p, struct gw_conf *conf, struct gw_flow *f,
					   const bool v6)
{
	f->rgen = conf->rgen;
	f->rtime = route_time(p->now);
	f->mtu = p->mtu > 0xffff ? 0xffff : p->mtu;
	if (p->flags & PKT_STACK)
		flow_set(f, GW_FLOW_SLOW);
	else if (f->flags & GW_FLOW_SLOW)
		flow_clear(f, GW_FLOW_SLOW);
	if (v6) {
		struct gw_flow6 *f6 = (void *)f;

		for (int i = 0; i < 4; i++)
			f6->nh[i] = p->nh[i];
	} else {
		((struct gw_flow4 *)f)->nh = p->nh[0];
	}
}

static __always_inline void stage_route(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u8 kind = local_kind(&p->out, true, v6);

	if (kind) {
		p->flags |= PKT_LOCAL;
		p->oif = 0;
		return;
	}
	route_lookup(skb, v6);
}
#endif
