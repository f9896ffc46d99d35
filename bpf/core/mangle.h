/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_MANGLE_H
#define GW_MANGLE_H
/*
 * Statements that write into the packet: DSCP, TTL, MSS.  Checksums move by difference.
 */

/* Replace the two bytes at @off of the IPv4 header, or of the IPv6 header, whose sum nothing covers. */
static __always_inline int mangle_word(struct __sk_buff *skb, struct pkt *p, __u32 off, __u16 mask,
				       __u16 value, const bool v6)
{
	__be16 old, new;

	if (bpf_skb_load_bytes(skb, p->l3 + off, &old, 2))
		return OP_REFUSED;
	new = (old & ~bpf_htons(mask)) | bpf_htons(value);
	if (new == old)
		return OP_OK;
	if (!v6 && bpf_l3_csum_replace(skb, p->l3 + 10, old, new, 2))
		return OP_REFUSED;
	return bpf_skb_store_bytes(skb, p->l3 + off, &new, 2, v6 ? BPF_F_RECOMPUTE_CSUM : 0)
		       ? OP_REFUSED
		       : OP_OK;
}

static __always_inline int mangle_dscp(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u32 dscp = p->r.op.lo & 63;

	p->tos = dscp << 2 | (p->tos & 3);
	/* version, header length, tos; version, traffic class, flow label */
	return v6 ? mangle_word(skb, p, 0, 0x0fc0, dscp << 6, true)
		  : mangle_word(skb, p, 0, 0x00fc, dscp << 2, false);
}

/*
 * Behind the router the packet has one hop less than what is still in its header: finish takes that hop, so one more is written; 255 has no
 * room for it and is written as it is (PKT_TTL_DONE).
 */
static __always_inline int mangle_ttl(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	bool due = ttl_is_due(p);
	__u32 ttl = p->ttl - due, by = p->r.op.lo & 0xff;

	if (p->r.op.hi == 0)
		ttl = by;
	else if (p->r.op.hi == 1)
		ttl = ttl + by > 255 ? 255 : ttl + by;
	else
		ttl = ttl < by ? 0 : ttl - by;
	if (due && ttl == 255)
		p->flags |= PKT_TTL_DONE;
	else if (due)
		ttl++;
	p->ttl = ttl;
	/* ttl, protocol; next header, hop limit */
	return v6 ? mangle_word(skb, p, 6, 0x00ff, ttl, true)
		  : mangle_word(skb, p, 8, 0xff00, ttl << 8, false);
}

/* What the smaller of both ways' MTUs leaves to a segment. */
static __always_inline __u32 mangle_mss_fits(struct pkt *p, const bool v6)
{
	const __u32 head = v6 ? 60 : 40;
	struct gw_if *in = p->iif ? if_get(p->iif) : NULL, *out;
	__u32 mtu = p->mtu;

	if (!mtu) {
		out = p->oif ? if_get(p->oif) : NULL;
		mtu = out ? out->mtu : 0;
	}
	if (in && in->mtu && (!mtu || in->mtu < mtu))
		mtu = in->mtu;
	return mtu <= head || mtu > 0xffff ? 536 : mtu - head;
}

static __always_inline __u16 swap16(__u16 v)
{
	return v << 8 | v >> 8;
}

static __always_inline int mangle_mss(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u32 at = p->l4 + p->syn_mss, to = p->r.op.lo;
	__be16 old, new;

	if (p->proto != IPPROTO_TCP || p->flags & PKT_FRAG_LATER || !(p->tcp_bits & TCP_BIT_SYN) ||
	    !p->syn_mss)
		return OP_OK;
	if (!to)
		to = mangle_mss_fits(p, v6);
	if (bpf_skb_load_bytes(skb, at, &old, 2))
		return OP_REFUSED;
	if (bpf_ntohs(old) == to || (bpf_ntohs(old) < to && !(p->r.op.flags & GW_OPF_FROM)))
		return OP_OK;
	new = bpf_htons(to);
	if (bpf_skb_store_bytes(skb, at, &new, 2, 0))
		return OP_REFUSED;
	if (p->syn_mss & 1) { /* it stands across two words of the sum */
		old = swap16(old);
		new = swap16(new);
	}
	return bpf_l4_csum_replace(skb, p->l4 + 16, old, new, 2) ? OP_REFUSED : OP_OK;
}

static __always_inline int mangle_one(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	switch (p->r.op.code) {
	case GW_OP_DSCP:
		return mangle_dscp(skb, p, v6);
	case GW_OP_TTL:
		return mangle_ttl(skb, p, v6);
	}
	return mangle_mss(skb, p, v6);
}

__noinline int mangle_packet(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return OP_REFUSED;
	return v6 ? mangle_one(skb, p, true) : mangle_one(skb, p, false);
}
#endif
