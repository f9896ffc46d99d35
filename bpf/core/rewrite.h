/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_REWRITE_H
#define GW_REWRITE_H
/*
 * Headers and checksums.
 *
 * Addresses and ports are stored directly; the transport checksum is moved by difference with bpf_l4_csum_replace, which knows
 * CHECKSUM_PARTIAL and GSO.  It takes two calls: addresses are part of the pseudo header, ports are not, and with
 * CHECKSUM_PARTIAL only the pseudo header's share may move (inet_proto_csum_replace_by_diff, net/core/utils.c).
 */
static __always_inline __u64 csum_move(__u64 sum, __u32 from, __u32 to)
{
	return sum + (__u32)~from + to;
}

static __always_inline __u32 csum_fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)((sum & 0xffffffff) + (sum >> 32));
}

static __always_inline __u16 csum_fold16(__u64 sum)
{
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + ((sum >> 32) & 0xffff) + (sum >> 48);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)((sum & 0xffff) + (sum >> 16));
}

/* Offset of the checksum in the transport header, or -1: none, or not of this kind (SCTP: a CRC32c without addresses). */
static __always_inline int l4_csum_offset(__u8 proto, const bool v6)
{
	if (proto == IPPROTO_TCP || proto == IPPROTO_DCCP)
		return proto == IPPROTO_TCP ? 16 : 6;
	if (proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE)
		return 6;
	if (proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return 2;
	return -1;
}

/* What differs between two tuples: address sum (pseudo header) and port sum. */
static __always_inline __u32 diff_addr(const union gw_key *from, const union gw_key *to,
				       const bool v6)
{
	__u64 sum = 0;

	if (v6) {
		for (int i = 0; i < 4; i++) {
			sum = csum_move(sum, from->v6.saddr[i], to->v6.saddr[i]);
			sum = csum_move(sum, from->v6.daddr[i], to->v6.daddr[i]);
		}
	} else {
		sum = csum_move(sum, from->v4.saddr, to->v4.saddr);
		sum = csum_move(sum, from->v4.daddr, to->v4.daddr);
	}
	return csum_fold32(sum);
}

static __always_inline __u32 key_ports(const union gw_key *k, const bool v6)
{
	return (__u32)key_sport(k, v6) | (__u32)key_dport(k, v6) << 16;
}

/* Move the transport checksum; @query: ICMP, whose id is the only "port" in the packet. */
static __always_inline int l4_csum_update(struct __sk_buff *skb, __u32 l4, __u8 proto,
					  const union gw_key *from, const union gw_key *to,
					  const bool v6)
{
	int off = l4_csum_offset(proto, v6);
	__u64 flags = proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	__u32 pf = key_ports(from, v6), pt = key_ports(to, v6);
	__u32 diff = diff_addr(from, to, v6);

	if (off < 0)
		return 0;
	if (v6 || proto != IPPROTO_ICMP) {
		if (bpf_l4_csum_replace(skb, l4 + off, 0, diff,
					BPF_F_PSEUDO_HDR | flags |
						(v6 && cfg_csum_ipv6 ? (1ULL << 7) : 0)))
			return -1;
		if (v6 && !cfg_csum_ipv6) /* the helper assumes that the IP header sums to zero */
			bpf_csum_update(skb, diff);
	}
	if (pf != pt &&
	    bpf_l4_csum_replace(skb, l4 + off, 0, csum_fold32(csum_move(0, pf, pt)), flags))
		return -1;
	return 0;
}

/* The bit of struct sk_buff that a program's context does not show; CO-RE finds it in the kernel at hand. */
struct sk_buff___gw {
	__u8 ip_summed : 2;
} __attribute__((preserve_access_index));
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak; /* 6.2 */

/*
 * Is the transport checksum in the packet the whole truth (CHECKSUM_NONE, CHECKSUM_UNNECESSARY)?  Then moving it is a store.  COMPLETE (2)
 * has a sum beside it and PARTIAL (3) only that of the pseudo header: these are the helper's.
 */
static __always_inline bool sum_is_plain(struct __sk_buff *skb)
{
	struct sk_buff___gw *kernel;

	if (!cfg_kern_ctx)
		return false;
	kernel = bpf_cast_to_kern_ctx(skb);
	return !(BPF_CORE_READ_BITFIELD(kernel, ip_summed) & 2);
}

/* Was the transport checksum verified (UNNECESSARY, 1), or not written yet (PARTIAL, 3)? */
static __always_inline bool sum_is_trusted(struct __sk_buff *skb)
{
	struct sk_buff___gw *kernel;

	if (!cfg_kern_ctx)
		return false;
	kernel = bpf_cast_to_kern_ctx(skb);
	return BPF_CORE_READ_BITFIELD(kernel, ip_summed) & 1;
}

/* Move a checksum; UDP's 0 means that there is none, and stays. */
static __always_inline void sum_store(__u16 *check, __u64 diff, bool udp)
{
	__u16 sum = ~csum_fold16(diff + (__u16) ~*check);

	if (udp && !*check)
		return;
	*check = udp && !sum ? 0xffff : sum;
}

/* Store addresses and, with @ttl_dec, one hop less; moves the IPv4 header checksum. */
static __always_inline int ip_store(struct __sk_buff *skb, __u32 l3, const union gw_key *to,
				    bool ttl_dec, const bool v6)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	l3 &= 15; /* 0 or 14: tells the verifier so */
	if (v6) {
		struct ipv6hdr *h = data + l3;

		if ((void *)(h + 1) > end)
			return -1;
		for (int i = 0; i < 4; i++) {
			h->saddr.in6_u.u6_addr32[i] = to->v6.saddr[i];
			h->daddr.in6_u.u6_addr32[i] = to->v6.daddr[i];
		}
		if (ttl_dec)
			h->hop_limit--;
	} else {
		struct iphdr *h = data + l3;
		__u64 sum;

		if ((void *)(h + 1) > end)
			return -1;
		sum = (__u16)~h->check;
		sum = csum_move(sum, h->saddr, to->v4.saddr);
		sum = csum_move(sum, h->daddr, to->v4.daddr);
		if (ttl_dec) {
			__u16 *word = (__u16 *)&h->ttl, old = *word;

			h->ttl--;
			sum += (__u16)~old + (__u32)*word;
		}
		h->saddr = to->v4.saddr;
		h->daddr = to->v4.daddr;
		h->check = ~csum_fold16(sum);
	}
	return 0;
}

static __always_inline int ports_store(struct __sk_buff *skb, __u32 l4, __u8 proto, bool reply_id,
				       const union gw_key *to, const bool v6)
{
	__u16 id = reply_id ? key_dport(to, v6) : key_sport(to, v6);
	__u32 ports = key_ports(to, v6);

	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return bpf_skb_store_bytes(skb, l4 + 4, &id, 2, 0);
	return bpf_skb_store_bytes(skb, l4, &ports, 4, 0);
}

/* Make the first @len bytes of the frame linear and writable. */
static __always_inline int frame_pull(struct __sk_buff *skb, __u32 len)
{
	if ((void *)(long)skb->data + len <= (void *)(long)skb->data_end)
		return 0;
	return bpf_skb_pull_data(skb, len);
}

/*
 * SCTP's sum covers the whole packet, so that of a fragment can not be told.  What the device or the stack sums (GSO) is not there yet.
 */
static __always_inline int sctp_update(struct __sk_buff *skb, struct pkt *p, const union gw_key *to,
				       const bool v6)
{
	__u32 diff = key_ports(&p->t, v6) ^ key_ports(to, v6);

	if (!diff || skb->gso_size)
		return 0;
	if (p->flags & PKT_FRAG)
		return GW_REASON_SCTP_CRC;
	return crc32c_move(skb, p->l4, p->l3 + p->len - p->l4, diff) ? GW_REASON_NAT_REWRITE : 0;
}

/*
 * Turn the packet's tuple p->t into `to`.  The caller made IP and transport headers linear.  0 or GW_REASON_*.
 */
static __always_inline int pkt_rewrite(struct __sk_buff *skb, struct pkt *p, const union gw_key *to,
				       bool ttl_dec, const bool v6)
{
	bool has_l4 = !(p->flags & PKT_FRAG_LATER);
	bool changed = !key_equal(&p->t, to, v6);
	int r = 0;

	if (changed && has_l4) {
		if (p->proto == IPPROTO_SCTP)
			r = sctp_update(skb, p, to, v6);
		if (r)
			return r;
		if (l4_csum_update(skb, p->l4, p->proto, &p->t, to, v6))
			return GW_REASON_NAT_REWRITE;
		if (key_ports(&p->t, v6) != key_ports(to, v6) &&
		    ports_store(skb, p->l4, p->proto, !!(p->flags & PKT_REPLY), to, v6))
			return GW_REASON_NAT_REWRITE;
	}
	if ((changed || ttl_dec) && ip_store(skb, p->l3, to, ttl_dec, v6))
		return GW_REASON_NAT_REWRITE;
	return 0;
}
#endif
