/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_ICMP_ERROR_H
#define GW_STAGE_ICMP_ERROR_H
/*
 * icmp_error: an error belongs to the connection whose packet it quotes (RFC 5508 section 4).
 *
 * The quoted packet left us as the swap of one entry's key; that entry is the direction the error travels in.  The quote is restored to
 * what the addressee once sent (the peer's key), the outer addresses are translated as that direction's packets are.
 *
 * in:   PKT_ICMP_ERROR;  out: p->out, p->ctstate = RELATED, the quote rewritten and the ICMP checksum moved by difference
 * drop: icmp-error (forwarded errors that quote nothing of ours)
 */
struct quote {
	__u32 l3, l4; /* offsets */
	__u8 proto;
	bool query_reply; /* the quoted packet is the answer of an ICMP query */
	bool l4_csum;	  /* the quote is long enough to hold the transport checksum */
};

static __always_inline int quote_ports(struct __sk_buff *skb, struct pkt *p, struct quote *q,
				       const bool v6)
{
	__be16 head[4];
	bool reply;
	__u8 query;

	if (bpf_skb_load_bytes(skb, q->l4, head, 8))
		return -1;
	if (q->proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		query = icmp_query(*(__u8 *)head, v6, &reply);
		if (query == 0xff)
			return -1;
		q->query_reply = reply;
		key_sport(&p->quote, v6) = reply ? bpf_htons(query) : head[2];
		key_dport(&p->quote, v6) = reply ? head[2] : bpf_htons(query);
	} else if (q->proto == IPPROTO_TCP || q->proto == IPPROTO_UDP ||
		   q->proto == IPPROTO_UDPLITE || q->proto == IPPROTO_SCTP ||
		   q->proto == IPPROTO_DCCP) {
		key_sport(&p->quote, v6) = head[0];
		key_dport(&p->quote, v6) = head[1];
	}
	q->l4_csum = q->proto != IPPROTO_TCP || q->l4 + 18 <= skb->len;
	return 0;
}

static __always_inline int quote_parse(struct __sk_buff *skb, struct pkt *p, struct quote *q,
				       const bool v6)
{
	q->l3 = p->l4 + 8;
	q->query_reply = q->l4_csum = false;
	__builtin_memset(&p->quote, 0, sizeof(p->quote));
	key_zone(&p->quote, v6) = key_zone(&p->t, v6);
	if (v6) {
		struct ipv6hdr h;

		if (bpf_skb_load_bytes(skb, q->l3, &h, sizeof(h)) || h.version != 6)
			return -1;
		for (int i = 0; i < 4; i++) {
			p->quote.v6.saddr[i] = h.saddr.in6_u.u6_addr32[i];
			p->quote.v6.daddr[i] = h.daddr.in6_u.u6_addr32[i];
		}
		q->proto = h.nexthdr;
		p->quote.v6.proto = h.nexthdr;
		q->l4 = q->l3 + sizeof(h);
		if (is_ext6(h.nexthdr)) {
			__u8 ext[8];

			/* one fragment header is what a too-big fragment comes back with; anything longer is not followed */
			if (h.nexthdr != 44 || bpf_skb_load_bytes(skb, q->l4, ext, 8) ||
			    bpf_ntohs(*(__be16 *)&ext[2]) >> 3)
				return -1;
			q->proto = ext[0];
			p->quote.v6.proto = ext[0];
			q->l4 += 8;
		}
	} else {
		struct iphdr h;

		if (bpf_skb_load_bytes(skb, q->l3, &h, sizeof(h)) || h.version != 4 || h.ihl < 5)
			return -1;
		if (bpf_ntohs(h.frag_off) & 0x1fff)
			return -1;
		p->quote.v4.saddr = h.saddr;
		p->quote.v4.daddr = h.daddr;
		p->quote.v4.proto = h.protocol;
		q->proto = h.protocol;
		q->l4 = q->l3 + h.ihl * 4;
	}
	return quote_ports(skb, p, q, v6);
}

/* Store the restored addresses in the quote; returns what the outer ICMP checksum has to move by. */
static __always_inline int quote_store_ip(struct __sk_buff *skb, struct quote *q,
					  const union gw_key *to, const bool v6, __u64 *sum)
{
	if (v6) {
		__be32 a[8];

		for (int i = 0; i < 4; i++) {
			a[i] = to->v6.saddr[i];
			a[i + 4] = to->v6.daddr[i];
		}
		return bpf_skb_store_bytes(skb, q->l3 + 8, a, 32, 0);
	}
	__be32 a[2] = { to->v4.saddr, to->v4.daddr }, old[2];
	__u16 check;
	__u64 c;

	if (bpf_skb_load_bytes(skb, q->l3 + 12, old, 8) ||
	    bpf_skb_load_bytes(skb, q->l3 + 10, &check, 2))
		return -1;
	c = (__u16)~check;
	c = csum_move(csum_move(c, old[0], a[0]), old[1], a[1]);
	c = (__u16)~csum_fold16(c);
	*sum = csum_move(*sum, check, c);
	check = c;
	return bpf_skb_store_bytes(skb, q->l3 + 10, &check, 2, 0) ||
	       bpf_skb_store_bytes(skb, q->l3 + 12, a, 8, 0);
}

static __always_inline int quote_store_l4(struct __sk_buff *skb, struct pkt *p, struct quote *q,
					  const union gw_key *to, const bool v6, __u64 *sum)
{
	__u32 pf = key_ports(&p->quote, v6), pt = key_ports(to, v6);
	bool icmp = q->proto == IPPROTO_ICMP || q->proto == IPPROTO_ICMPV6;
	int off = l4_csum_offset(q->proto, v6);
	__u16 check, fresh;
	__u64 c;

	if (pf != pt) {
		__u16 id = q->query_reply ? key_dport(to, v6) : key_sport(to, v6);

		if (icmp ? bpf_skb_store_bytes(skb, q->l4 + 4, &id, 2, 0)
			 : bpf_skb_store_bytes(skb, q->l4, &pt, 4, 0))
			return -1;
		*sum = csum_move(*sum, pf, pt);
	}
	if (off < 0 || !q->l4_csum || bpf_skb_load_bytes(skb, q->l4 + off, &check, 2))
		return 0;
	if (q->proto == IPPROTO_UDP && !check)
		return 0; /* the sender did not use one */
	c = (__u16)~check;
	c = csum_move(c, pf, pt);
	if (v6 || !icmp)
		c += diff_addr(&p->quote, to, v6);
	fresh = ~csum_fold16(c);
	if (q->proto == IPPROTO_UDP && !fresh)
		fresh = 0xffff;
	*sum = csum_move(*sum, check, fresh);
	return bpf_skb_store_bytes(skb, q->l4 + off, &fresh, 2, 0);
}

/* Rewrite the quote from p->quote to @to and move the ICMP checksum. */
static __always_inline int quote_rewrite(struct __sk_buff *skb, struct pkt *p, struct quote *q,
					 const union gw_key *to, const bool v6)
{
	__u64 sum = 0;

	if (key_equal(&p->quote, to, v6))
		return 0;
	if (quote_store_ip(skb, q, to, v6, &sum) || quote_store_l4(skb, p, q, to, v6, &sum))
		return -1;
	/* IPv4: addresses and header checksum cancel out inside the quote; IPv6 has no header checksum */
	sum += diff_addr(&p->quote, to, v6);
	return bpf_l4_csum_replace(skb, p->l4 + 2, 0, csum_fold32(sum), 0);
}

/* An error the gateway's own stack made about a packet that had passed DNAT, but not yet SNAT: gw_slow knows what it was. */
static __always_inline bool quote_is_slow(struct pkt *p, const bool v6)
{
	struct gw_tuple6 k = {};
	struct gw_slow *s;

	event_key(&k, &p->quote, v6);
	s = bpf_map_lookup_elem(&gw_slow, &k);
	if (!s || p->now - s->seen > 30 * cfg_hz)
		return false;
	if (v6)
		p->alt.v6 = s->key;
	else
		p->alt.v4 = *(struct gw_tuple4 *)&s->key;
	return true;
}

/* A damaged error is not repaired by translating it: it is INVALID (nf_conntrack_proto_icmp.c checks too). */
static __always_inline bool icmp_sum_good(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u64 sum;

	if (p->flags & (PKT_FRAG | PKT_EGRESS))
		return true;
	sum = sum_payload(skb, p);
	if (v6)
		sum += sum_pseudo(p, IPPROTO_ICMPV6, true);
	return csum_fold16(sum) == 0xffff;
}

/*
 * The error's own addresses: to who sent what it quotes (p->alt is the quote as it was sent), from whom that was sent to if the destination
 * was translated, even if the gateway's own stack made the error (nf_nat_icmp_reply_translation).
 */
static __always_inline void error_outer(struct pkt *p, const bool v6)
{
	bool dnat = key_dest_differs(&p->alt, &p->quote, v6) ||
		    key_dport(&p->alt, v6) != key_dport(&p->quote, v6);

	if (v6) {
		for (int i = 0; i < 4; i++) {
			p->out.v6.daddr[i] = p->alt.v6.saddr[i];
			if (dnat)
				p->out.v6.saddr[i] = p->alt.v6.daddr[i];
		}
		return;
	}
	p->out.v4.daddr = p->alt.v4.saddr;
	if (dnat)
		p->out.v4.saddr = p->alt.v4.daddr;
}

/* 0 or a GW_REASON_*; p->ctstate = RELATED if it belongs to a flow, else INVALID. */
static __always_inline int error_relate(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	struct quote q = {};
	struct gw_flow *own;

	key_copy(&p->out, &p->t, v6);
	p->ctstate = GW_CT_INVALID;
	if (!icmp_sum_good(skb, p, v6) || quote_parse(skb, p, &q, v6)) {
		stat_add(GW_STAT_ERROR, 1);
		return 0;
	}
	if (p->flags & PKT_OUTPUT && quote_is_slow(p, v6)) {
		p->ctstate = GW_CT_RELATED;
		key_copy(&p->related, &p->alt, v6);
		own = flow_find(&p->alt, v6);
		if (own) { /* the error travels the other way */
			p->ctmark = own->mark;
			key_copy(&p->related, flow_peer(own, v6), v6);
		}
		error_outer(p, v6);
		return quote_rewrite(skb, p, &q, &p->alt, v6) ? GW_REASON_NAT_REWRITE : 0;
	}
	key_swap(&p->alt, &p->quote, v6);
	own = flow_find(&p->alt, v6);
	if (!own || own->flags & GW_FLOW_DYING) {
		stat_add(GW_STAT_ERROR, 1);
		return 0;
	}
	p->ctstate = GW_CT_RELATED;
	p->ctmark = own->mark;
	key_copy(&p->related, &p->alt, v6);
	if (p->icmp_type == ICMP_REDIRECT && !v6 && !(p->flags & PKT_OUTPUT))
		return GW_REASON_ICMP_ERROR; /* a redirect is for one link; translated it would lie */
	key_copy(&p->alt, flow_peer(own, v6), v6);
	error_outer(p, v6);
	return quote_rewrite(skb, p, &q, &p->alt, v6) ? GW_REASON_NAT_REWRITE : 0;
}

__noinline int stage_icmp_error(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return GW_REASON_INTERNAL;
	return v6 ? error_relate(skb, p, true) : error_relate(skb, p, false);
}
#endif
