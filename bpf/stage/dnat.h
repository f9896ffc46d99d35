/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_DNAT_H
#define GW_STAGE_DNAT_H
/*
 * dnat: give the first packet of a connection its new destination.
 *
 * in:   PKT_NEW, p->t;  out: p->out.daddr/dport
 * drop: rule, policy (of the nat chain), nat-no-addr
 */
static __always_inline __u32 addr_hash(const union gw_key *k, bool with_dst, const bool v6)
{
	__u32 h = v6 ? k->v6.saddr[0] ^ k->v6.saddr[1] ^ k->v6.saddr[2] ^ k->v6.saddr[3]
		     : k->v4.saddr;

	if (with_dst)
		h += v6 ? k->v6.daddr[0] ^ k->v6.daddr[1] ^ k->v6.daddr[2] ^ k->v6.daddr[3]
			: k->v4.daddr;
	h *= 0x9e3779b1;
	return h ^ h >> 15;
}

/* The prefix of nat's range, the rest as it is (NETMAP). */
static __always_inline void nat_map_addr(const struct gw_nat *n, __be32 *to, const bool v6)
{
	for (int i = 0; i < (v6 ? 4 : 1); i++) {
		__be32 host = n->addr_lo[i] ^ n->addr_hi[i];

		to[i] = (n->addr_lo[i] & ~host) | (to[i] & host);
	}
}

/*
 * The same, and the address keeps its checksum (RFC 6296 3): what the prefix changes it by is taken from the subnet, or, behind a prefix of
 * more than 48 bits, from the first word of the interface identifier that can take it.  0 or GW_REASON_ROUTE: there is none.
 */
static __always_inline int nat_map_neutral(const struct gw_nat *n, __be32 *to)
{
	const __be32 subnet = bpf_htonl(0xffff);
	__be32 old0 = to[0], old1 = to[1];
	__u16 *word = (void *)to, delta;
	int at = 3;

	nat_map_addr(n, to, true);
	delta = csum_fold16(csum_move(csum_move(0, to[0], old0), to[1], old1));
	if (((n->addr_lo[1] ^ n->addr_hi[1]) & subnet) != subnet) {
		if (!(to[2] | to[3])) /* the subnet routers' anycast address */
			return GW_REASON_ROUTE;
		at = word[4] != 0xffff ? 4 : word[5] != 0xffff ? 5 : word[6] != 0xffff ? 6 : 7;
	}
	for (int i = 3; i < 8; i++) { /* constant offsets, for the verifier */
		__u16 sum;

		if (i != at)
			continue;
		if (word[i] == 0xffff)
			return GW_REASON_ROUTE;
		sum = csum_fold16((__u64)word[i] + delta);
		word[i] = sum == 0xffff ? 0 : sum;
	}
	return 0;
}

/*
 * The address of nat's range for this packet, into @to (4 words for IPv6), which holds the one it has.  IPv6 ranges vary in the last word.
 * 0 or GW_REASON_*.
 */
static __always_inline int nat_pick_addr(struct pkt *p, __be32 *to, const bool v6)
{
	struct gw_nat *n = &p->nat;
	const __u32 last = v6 ? 3 : 0;
	__u32 lo = bpf_ntohl(n->addr_lo[last]), hi = bpf_ntohl(n->addr_hi[last]);

	if (n->flags & GW_NATF_NEUTRAL && v6)
		return nat_map_neutral(n, to);
	if (n->flags & GW_NATF_NETMAP) {
		nat_map_addr(n, to, v6);
		return 0;
	}
	if (v6) {
		to[0] = n->addr_lo[0];
		to[1] = n->addr_lo[1];
		to[2] = n->addr_lo[2];
	}
	if (hi > lo) {
		/* RFC 4787 REQ-2: a host leaves by one address of the pool */
		bool paired = n->flags & (GW_NATF_PERSISTENT | GW_NATF_ENDPOINT);
		__u32 h = addr_hash(&p->t, !paired, v6);

		if (n->flags & (GW_NATF_RANDOM | GW_NATF_FULLY_RANDOM) && !paired)
			h = bpf_get_prandom_u32();
		lo += (__u32)(((__u64)h * ((__u64)hi - lo + 1)) >> 32);
	}
	to[last] = bpf_htonl(lo);
	return 0;
}

static __always_inline int dnat_apply(struct pkt *p, struct gw_if *ifc, const bool v6)
{
	struct gw_nat *n = &p->nat;
	bool has_ports = p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ||
			 p->proto == IPPROTO_UDPLITE || p->proto == IPPROTO_DCCP ||
			 p->proto == IPPROTO_SCTP;

	if (n->kind == GW_NAT_REDIRECT) {
		if (v6) {
			if (!(ifc->masq6[0] | ifc->masq6[1] | ifc->masq6[2] | ifc->masq6[3]))
				return GW_REASON_NAT_NO_ADDR;
			for (int i = 0; i < 4; i++)
				p->out.v6.daddr[i] = ifc->masq6[i];
		} else {
			if (!ifc->masq4)
				return GW_REASON_NAT_NO_ADDR;
			p->out.v4.daddr = ifc->masq4;
		}
	} else if (n->flags & GW_NATF_ADDR) {
		int r = nat_pick_addr(p, v6 ? p->out.v6.daddr : &p->out.v4.daddr, v6);

		if (r)
			return r;
	}
	if (n->flags & GW_NATF_PORT && has_ports) {
		__u32 size = n->port_hi - n->port_lo + 1;
		__u32 port = n->port_lo;

		if (size > 1)
			port += bpf_get_prandom_u32() % size;
		key_dport(&p->out, v6) = bpf_htons(port);
	}
	return 0;
}

/*
 * No rule says where to: perhaps a mapping does.  Not if a socket of the gateway waits for it: that opened behind the mapping's back.
 */
static __always_inline int dnat_mapped(struct __sk_buff *skb, struct pkt *p, __u32 hook,
				       const bool v6)
{
	if (hook == GW_HOOK_NAT_PREROUTING && eim_any() && !claim_is_for_us(skb, v6))
		eim_inbound(v6);
	return 0;
}

static __always_inline int stage_dnat(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				      struct gw_if *ifc, __u32 hook, const bool v6)
{
	int r;

	p->nat_cid = 0;
	p->nat.kind = 0;
	p->flags &= ~PKT_EIM;
	if (!(hooks_active(conf, v6) & (1U << hook)))
		return dnat_mapped(skb, p, hook, v6);
	key_for_rules(skb, p, &p->t, p->flags & PKT_OUTPUT ? 0 : p->iif,
		      p->flags & PKT_OUTPUT ? p->oif : 0, v6);
	r = rules_run(skb, hook, v6);
	if (r == GW_V_DROP || r == GW_V_REJECT)
		return p->last_policy ? GW_REASON_POLICY : GW_REASON_RULE;
	if (r != GW_V_NAT)
		return dnat_mapped(skb, p, hook, v6);
	return dnat_apply(p, ifc, v6);
}
#endif
