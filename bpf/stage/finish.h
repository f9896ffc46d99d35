/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_FINISH_H
#define GW_STAGE_FINISH_H
/*
 * finish: rewrite the packet and send it on its way.
 *
 * "Pass" is TC_ACT_UNSPEC: TC_ACT_OK would make the kernel overwrite skb->tc_index, where we tell our egress program what is done.
 * in:   p->t (on the wire), p->out (to be), route
 * drop: nat-rewrite
 */
#define MARK_DONE \
	0x4757 /* nothing left to do at egress; valid only if ingress_ifindex is managed or 0 */
#define MARK_SLOW 0x4758 /* destination done, source still to be translated */

/* skb->priority as ip_forward() sets it (ip_tos2prio, net/ipv4/route.c). */
static __always_inline __u32 tos_priority(__u8 tos)
{
	switch ((tos & 0x1e) >> 3) {
	case 0:
		return 0;
	case 1:
		return 2;
	case 2:
		return 6;
	}
	return 4;
}

/* Bytes on the wire of the largest packet this skb becomes. */
static __always_inline __u32 wire_size(struct __sk_buff *skb, struct pkt *p)
{
	__u32 head = p->l4 - p->l3;

	if (!skb->gso_size)
		return p->len;
	return skb->gso_size + head + (p->proto == IPPROTO_TCP ? p->tcp_doff * 4 : 8);
}

/* A device without link header (tun, WireGuard): the target of the redirect expects room for one. */
static __always_inline int add_link_header(struct __sk_buff *skb, struct gw_if *ifc, const bool v6)
{
	__be16 type = bpf_htons(v6 ? ETH_P_IPV6 : ETH_P_IP);

	if (!(ifc->flags & GW_IF_L3))
		return 0;
	if (bpf_skb_change_head(skb, 14, 0))
		return -1;
	return bpf_skb_store_bytes(skb, 12, &type, 2, 0);
}

static __always_inline int send_by(struct __sk_buff *skb, __u32 oif, const __be32 *nh,
				   const bool v6)
{
	struct bpf_redir_neigh to = { .nh_family = v6 ? AF_INET6 : AF_INET };

	if (v6) {
		for (int i = 0; i < 4; i++)
			to.ipv6_nh[i] = nh[i];
	} else {
		to.ipv4_nh = nh[0];
	}
	return bpf_redirect_neigh(oif, &to, sizeof(to), 0);
}

/* Linear headers for the rewrite. */
static __always_inline void finish_pull(struct __sk_buff *skb, struct pkt *p)
{
	__u32 want = p->l4 + 20;

	if (want > skb->len)
		want = skb->len;
	bpf_skb_pull_data(skb, want);
}

/* @keep: false = nothing need be known, and what an earlier packet left is not about this one. */
static __always_inline void slow_note(struct pkt *p, const union gw_key *mid, bool keep,
				      const bool v6)
{
	struct gw_tuple6 k = {};
	struct gw_slow s = { .seen = p->now };

	event_key(&k, mid, v6);
	k.zone = 0; /* the raw rules that gave it are not asked again at egress */
	if (!keep) {
		bpf_map_delete_elem(&gw_slow, &k);
		return;
	}
	if (v6)
		s.key = p->t.v6;
	else
		*(struct gw_tuple4 *)&s.key = p->t.v4;
	bpf_map_update_elem(&gw_slow, &k, &s, BPF_ANY);
}

/* Leave routing to the kernel: destination now, source at egress. */
static __always_inline int finish_stack(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	bool refused = p->flags & PKT_NEW && p->flags & PKT_UNROUTED;
	int r;

	key_copy(&p->alt, &p->out, v6);
	if (v6) {
		for (int i = 0; i < 4; i++)
			p->alt.v6.saddr[i] = p->t.v6.saddr[i];
		p->alt.v6.sport = p->t.v6.sport;
	} else {
		p->alt.v4.saddr = p->t.v4.saddr;
		p->alt.v4.sport = p->t.v4.sport;
	}
	/* what the stack refuses is no flow, and its answer is still RELATED to it */
	if (!(p->flags & PKT_ICMP_ERROR))
		slow_note(p, &p->alt,
			  refused || !key_equal(&p->alt, &p->t, v6) ||
				  !key_equal(&p->alt, &p->out, v6) || key_zone(&p->t, v6),
			  v6);
	r = pkt_rewrite(skb, p, &p->alt, false, v6);
	if (r)
		return gw_drop(p, r, v6);
	skb->tc_index = key_equal(&p->alt, &p->out, v6) ? MARK_DONE : MARK_SLOW;
	return TC_ACT_UNSPEC;
}

static __always_inline int finish_in(struct __sk_buff *skb, struct pkt *p, struct gw_if *ifc,
				     const bool v6)
{
	int r;

	finish_pull(skb, p);
	if (p->flags & PKT_LOCAL) {
		r = pkt_rewrite(skb, p, &p->out, false, v6);
		if (r)
			return gw_drop(p, r, v6);
		return TC_ACT_UNSPEC;
	}
	if (p->flags & (PKT_STACK | PKT_UNROUTED | PKT_OPTIONS) || p->ttl <= 1 || !p->oif ||
	    wire_size(skb, p) > p->mtu)
		return finish_stack(skb, p, v6);
	r = pkt_rewrite(skb, p, &p->out, !(p->flags & PKT_TTL_DONE), v6);
	if (r)
		return gw_drop(p, r, v6);
	if (add_link_header(skb, ifc, v6))
		return gw_drop(p, GW_REASON_NAT_REWRITE, v6);
	skb->tc_index = MARK_DONE;
	if (!v6)
		skb->priority = tos_priority(p->tos);
	return send_by(skb, p->oif, p->nh, v6);
}

/* Apart, as core/frag.h says. */
__noinline int finish_ingress(struct __sk_buff *skb, __u32 v6)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct pkt *p = pkt_scratch();

	if (!p || !ifc)
		return TC_ACT_SHOT;
	return v6 ? finish_in(skb, p, ifc, true) : finish_in(skb, p, ifc, false);
}

/* At egress the route is taken; only a DNAT of the gateway's own traffic needs a new one. */
static __always_inline int finish_out(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	bool moved = key_dest_differs(&p->t, &p->out, v6);
	int r;

	finish_pull(skb, p);
	r = pkt_rewrite(skb, p, &p->out, false, v6);
	if (r)
		return gw_drop(p, r, v6);
	skb->tc_index = MARK_DONE;
	if (!moved || p->flags & PKT_ICMP_ERROR)
		return TC_ACT_UNSPEC;
	if (p->oif != skb->ifindex && p->oif)
		return send_by(skb, p->oif, p->nh, v6);
	return bpf_redirect_neigh(skb->ifindex, NULL, 0, 0);
}

__noinline int finish_egress(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return TC_ACT_SHOT;
	return v6 ? finish_out(skb, p, true) : finish_out(skb, p, false);
}
#endif
