/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_REJECT_H
#define GW_STAGE_REJECT_H
/*
 * reject: turn the packet into its own refusal, a TCP RST or an ICMP error, and send it back where it came from.
 *
 * As nf_reject_ipv4/6 do: never in answer to an ICMP error, a later fragment or a broadcast, and no RST to a RST.  What can not be answered
 * is dropped; both are counted as `reject`.
 * in: the packet as it came (nothing is rewritten before the filter), p->last_arg = GW_REJECT_*
 */
#define QUOTE_MAX  548	/* 576 - 20 - 8: RFC 1812 4.3.2.3 */
#define QUOTE_MAX6 1232 /* 1280 - 40 - 8: RFC 4443 2.4 (c) */

static __always_inline __u32 sum_words(const void *data, int n, __u32 seed)
{
	return bpf_csum_diff(NULL, 0, (__be32 *)data, n, seed);
}

static __always_inline bool reject_answerable(struct pkt *p, bool rst)
{
	if (p->flags & (PKT_FRAG_LATER | PKT_ICMP_ERROR | PKT_STATELESS | PKT_EGRESS))
		return false;
	return !rst || !(p->tcp_bits & TCP_BIT_RST);
}

/* Address the refusal comes from: the one that was addressed, if it is ours or DNAT gave another; else the interface's. */
static __always_inline bool reject_source(struct pkt *p, struct gw_if *ifc, bool as_peer,
					  const bool v6)
{
	bool local = as_peer || local_kind(&p->t, true, v6) == GW_LOCAL_HOST ||
		     key_dest_differs(&p->t, &p->out, v6) ||
		     key_dport(&p->t, v6) != key_dport(&p->out, v6);

	if (v6) {
		for (int i = 0; i < 4; i++) {
			p->alt.v6.saddr[i] = local ? p->t.v6.daddr[i] : ifc->masq6[i];
			p->alt.v6.daddr[i] = p->t.v6.saddr[i];
		}
		return p->alt.v6.saddr[0] | p->alt.v6.saddr[1] | p->alt.v6.saddr[2] |
		       p->alt.v6.saddr[3];
	}
	p->alt.v4.saddr = local ? p->t.v4.daddr : ifc->masq4;
	p->alt.v4.daddr = p->t.v4.saddr;
	return p->alt.v4.saddr;
}

/*
 * Write the IP header of the answer; @len = what follows it.  As the kernel's: a reset has no TOS and may not be fragmented (nf_reject_ipv4.c),
 * an ICMP error has precedence "internetwork control" and an id of its own (icmp.c).
 */
static __always_inline int reject_ip(struct __sk_buff *skb, struct pkt *p, __u8 proto, __u32 len,
				     const bool v6)
{
	if (v6) {
		struct ipv6hdr h = { .version = 6, .nexthdr = proto, .hop_limit = 64 };

		h.payload_len = bpf_htons(len);
		for (int i = 0; i < 4; i++) {
			h.saddr.in6_u.u6_addr32[i] = p->alt.v6.saddr[i];
			h.daddr.in6_u.u6_addr32[i] = p->alt.v6.daddr[i];
		}
		return bpf_skb_store_bytes(skb, p->l3, &h, sizeof(h), 0);
	}
	struct iphdr h = { .version = 4, .ihl = 5, .ttl = 64, .protocol = proto };

	h.tot_len = bpf_htons(len + sizeof(h));
	if (proto == IPPROTO_TCP) {
		h.frag_off = bpf_htons(0x4000);
	} else {
		h.tos = 0xc0 | (p->tos & 0x1e);
		h.id = bpf_get_prandom_u32();
	}
	h.saddr = p->alt.v4.saddr;
	h.daddr = p->alt.v4.daddr;
	h.check = ~csum_fold16(sum_words(&h, sizeof(h), 0));
	return bpf_skb_store_bytes(skb, p->l3, &h, sizeof(h), 0);
}

static __always_inline __u64 pseudo_sum(struct pkt *p, __u8 proto, __u32 len, const bool v6)
{
	__u64 sum = (__u64)bpf_htonl(len) + bpf_htonl(proto);

	if (v6) {
		for (int i = 0; i < 4; i++)
			sum += (__u64)p->alt.v6.saddr[i] + p->alt.v6.daddr[i];
	} else {
		sum += (__u64)p->alt.v4.saddr + p->alt.v4.daddr;
	}
	return sum;
}

/* RFC 9293 3.10.7.1: the sequence number the sender expects, or an ack of all it sent. */
static __always_inline int reject_rst(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u32 head = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	struct tcphdr th = {};

	if (bpf_skb_change_tail(skb, p->l3 + head + sizeof(th), 0))
		return -1;
	th.source = key_dport(&p->t, v6);
	th.dest = key_sport(&p->t, v6);
	th.doff = 5;
	th.rst = 1;
	if (p->tcp_bits & TCP_BIT_ACK) {
		th.seq = bpf_htonl(p->ack);
	} else {
		th.ack = 1;
		th.ack_seq = bpf_htonl(p->end);
	}
	th.check = ~csum_fold16(sum_words(&th, sizeof(th), 0) +
				pseudo_sum(p, IPPROTO_TCP, sizeof(th), v6));
	if (reject_ip(skb, p, IPPROTO_TCP, sizeof(th), v6))
		return -1;
	return bpf_skb_store_bytes(skb, p->l3 + head, &th, sizeof(th), 0);
}

static __always_inline __u16 reject_code(__u32 arg, const bool v6)
{
	switch (arg) { /* type << 8 | code */
	case GW_REJECT_NET:
		return v6 ? 1 << 8 | 0 : 3 << 8 | 0;
	case GW_REJECT_HOST:
		return v6 ? 1 << 8 | 3 : 3 << 8 | 1;
	case GW_REJECT_ADMIN:
		return v6 ? 1 << 8 | 1 : 3 << 8 | 13;
	case GW_REJECT_PROTO:
		return v6 ? 1 << 8 | 4 : 3 << 8 | 2;
	case GW_REJECT_NET_PRO:
		return v6 ? 1 << 8 | 1 : 3 << 8 | 9;
	case GW_REJECT_HOST_PRO:
		return v6 ? 1 << 8 | 1 : 3 << 8 | 10;
	case GW_REJECT_POLICY:
		return v6 ? 1 << 8 | 5 : 3 << 8 | 13;
	case GW_REJECT_ROUTE:
		return v6 ? 1 << 8 | 6 : 3 << 8 | 13;
	}
	return v6 ? 1 << 8 | 4 : 3 << 8 | 3;
}

static __always_inline int reject_icmp(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u32 head = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 max = v6 ? QUOTE_MAX6 : QUOTE_MAX, quote = p->len > max ? max : p->len;
	__be16 icmp[4] = { bpf_htons(reject_code(p->last_arg, v6)) };
	__u8 proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	struct sum_walk s = { .skb = skb };
	__u64 sum;

	/* FORWARD refuses behind the hop count: the quote shows one hop less */
	if (!(p->flags & PKT_LOCAL) && p->oif &&
	    ip_store(skb, p->l3, &p->t, !(p->flags & PKT_TTL_DONE), v6))
		return -1;
	if (skb->len != p->l3 + quote && bpf_skb_change_tail(skb, p->l3 + quote, 0))
		return -1;
	if (bpf_skb_adjust_room(skb, head + sizeof(icmp), BPF_ADJ_ROOM_MAC, 0))
		return -1;
	if (reject_ip(skb, p, proto, quote + sizeof(icmp), v6) ||
	    bpf_skb_store_bytes(skb, p->l3 + head, icmp, sizeof(icmp), 0))
		return -1;
	s.at = p->l3 + head;
	s.end = s.at + sizeof(icmp) + quote;
	bpf_loop(32, sum_step, &s, 0);
	sum = s.sum;
	if (v6)
		sum += pseudo_sum(p, proto, quote + sizeof(icmp), v6);
	icmp[1] = ~csum_fold16(sum);
	return bpf_skb_store_bytes(skb, p->l3 + head, icmp, sizeof(icmp), 0);
}

/* A connection that is told to be reset is over (nf_ct_set_closing). */
static __always_inline void reject_closes(struct pkt *p, const bool v6)
{
	struct gw_flow *own, *peer;

	if (!field_tracked(p))
		return;
	own = flow_find(&p->t, v6);
	if (!own)
		return;
	key_copy(&p->tmp, flow_peer(own, v6), v6);
	own->state = GW_TCP_CLOSE;
	own->gen = 0;
	peer = flow_find(&p->tmp, v6);
	if (!peer)
		return;
	peer->state = GW_TCP_CLOSE;
	peer->gen = 0;
}

static __always_inline int hook_reject(struct __sk_buff *skb, const bool v6)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct pkt *p = pkt_scratch();
	__u8 mac[12], swapped[12];
	bool rst;

	if (!ifc || !p)
		return TC_ACT_SHOT;
	gw_drop(p, p->refusal, v6);
	rst = p->last_arg == GW_REJECT_TCP_RESET && p->proto == IPPROTO_TCP;
	if (!reject_answerable(p, rst) || !reject_source(p, ifc, rst, v6))
		return TC_ACT_SHOT;
	if (rst)
		reject_closes(p, v6);
	if (rst ? reject_rst(skb, p, v6) : reject_icmp(skb, p, v6))
		return TC_ACT_SHOT;
	if (!(ifc->flags & GW_IF_L3)) {
		if (bpf_skb_load_bytes(skb, 0, mac, sizeof(mac)))
			return TC_ACT_SHOT;
		__builtin_memcpy(swapped, mac + 6, 6);
		__builtin_memcpy(swapped + 6, mac, 6);
		if (bpf_skb_store_bytes(skb, 0, swapped, sizeof(swapped), 0))
			return TC_ACT_SHOT;
	}
	skb->tc_index = MARK_DONE;
	return bpf_redirect(skb->ifindex, 0);
}
#endif
