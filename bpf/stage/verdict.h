/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_VERDICT_H
#define GW_STAGE_VERDICT_H
/*
 * raw, mangle, filter, security: the stages that only ask the rules.
 *
 * in:   p->t, p->out, p->ctstate, interfaces
 * drop: rule, policy, reject (VERDICT_REJECT: the caller answers the sender)
 */
#define VERDICT_OK     0
#define VERDICT_REJECT 0x1000

/* Rules look at the source as it came and at the destination as it will be: that is what netfilter's hooks see on the way. */
static __always_inline void key_for_rules(struct __sk_buff *skb, struct pkt *p,
					  const union gw_key *dst, __u32 iif, __u32 oif,
					  const bool v6)
{
	struct find_key *k = &p->r.k;
	__u64 meta = GW_META_IIF(iif & GW_META_IF_MAX) | GW_META_OIF(oif & GW_META_IF_MAX) |
		     GW_META_PROTO(p->proto);

	if (v6) {
		k->s[0] = (__u64)bpf_ntohl(p->t.v6.saddr[0]) << 32 | bpf_ntohl(p->t.v6.saddr[1]);
		k->s[1] = (__u64)bpf_ntohl(p->t.v6.saddr[2]) << 32 | bpf_ntohl(p->t.v6.saddr[3]);
		k->d[0] = (__u64)bpf_ntohl(dst->v6.daddr[0]) << 32 | bpf_ntohl(dst->v6.daddr[1]);
		k->d[1] = (__u64)bpf_ntohl(dst->v6.daddr[2]) << 32 | bpf_ntohl(dst->v6.daddr[3]);
	} else {
		k->s[0] = k->d[0] = 0;
		k->s[1] = bpf_ntohl(p->t.v4.saddr);
		k->d[1] = bpf_ntohl(dst->v4.daddr);
	}
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		k->sport = 0;
		k->dport = p->icmp_type << 8 | p->icmp_code;
	} else {
		k->sport = bpf_ntohs(key_sport(&p->t, v6));
		k->dport = bpf_ntohs(key_dport(dst, v6));
	}
	if (p->proto == IPPROTO_TCP)
		meta |= GW_META_TCPF(p->tcp_bits);
	k->meta = meta;
	k->mark = skb->mark;
	k->state = 1 << (p->ctstate & 7);
	k->syn = !!(p->tcp_bits & (TCP_BIT_FIN | TCP_BIT_SYN | TCP_BIT_RST));
	k->pad = 0;
	p->r.iif = iif;
	p->r.oif = oif;
}

static __always_inline __u32 hooks_active(const struct gw_conf *conf, const bool v6)
{
	return v6 ? conf->hooks6 : conf->hooks4;
}

/* Run a slot if it has chains.  0, a GW_REASON_*, or VERDICT_REJECT. */
static __always_inline int stage_rules(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				       __u32 hook, const bool v6)
{
	int r;

	if (!(hooks_active(conf, v6) & (1U << hook)))
		return VERDICT_OK;
	r = rules_run(skb, hook, v6);
	if (r == GW_V_DROP)
		return p->last_policy ? GW_REASON_POLICY : GW_REASON_RULE;
	if (r == GW_V_REJECT)
		return VERDICT_REJECT;
	return VERDICT_OK;
}

/* Slots beside the filter's: with rules there, a packet on the slow path has moved counters before its flow is known. */
#define OTHER_HOOKS                                                                              \
	(1U << GW_HOOK_RAW_PREROUTING | 1U << GW_HOOK_MANGLE_PREROUTING |                        \
	 1U << GW_HOOK_FILTER_PREROUTING | 1U << GW_HOOK_MANGLE_INPUT |                          \
	 1U << GW_HOOK_MANGLE_FORWARD | 1U << GW_HOOK_RAW_OUTPUT | 1U << GW_HOOK_MANGLE_OUTPUT | \
	 1U << GW_HOOK_MANGLE_POSTROUTING)

/*
 * May the slow path go by what the flow remembers?  A verdict is kept for the flow's plain packets, and holds all slots of their way:
 * nothing else may be asked of it.
 */
static __always_inline bool filter_is_cached(struct pkt *p, struct gw_conf *conf,
					     const struct gw_flow *own, const bool v6)
{
	return own && own->gen == p->gen && own->verdict == (p->ctstate << 4 | GW_VERDICT_ACCEPT) &&
	       own->iif == p->iif && own->oif == p->oif &&
	       !(hooks_active(conf, v6) & OTHER_HOOKS) && !p->r.k.syn &&
	       !(p->flags & (PKT_FRAG | PKT_VARY)) && p->proto != IPPROTO_ICMP &&
	       p->proto != IPPROTO_ICMPV6;
}

/* The filter and security stages, from the flow's cache where it holds.  The rules a cached verdict counted are counted again. */
static __always_inline int stage_filter(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
					struct gw_flow *own, __u32 filter, __u32 security,
					const bool v6)
{
	int r;

	if (filter_is_cached(p, conf, own, v6)) {
		p->flags |= PKT_CACHED;
		p->r.hook = filter;
		rule_count(p, own->rule);
		rule_count(p, own->rule2);
		return VERDICT_OK;
	}
	r = stage_rules(skb, p, conf, filter, v6);
	if (!r && hooks_active(conf, v6) & (1U << filter))
		p->admitted = p->last_cid;
	if (!r)
		r = stage_rules(skb, p, conf, security, v6);
	return r;
}

/*
 * Remember an accept in the flow's direction: what all slots on the packet's way said, if they say the same of all its plain packets.
 * The search tells what varies; a fragment has no flags to be asked for.
 */
static __always_inline void filter_remember(struct pkt *p, struct gw_flow *f)
{
	f->iif = p->iif;
	f->oif = p->oif;
	f->gen = p->gen;
	f->rule = p->rcid[0];
	f->rule2 = p->rcid[1];
	f->verdict = p->flags & (PKT_VARY | PKT_FRAG) ? GW_VERDICT_NONE
						      : p->ctstate << 4 | GW_VERDICT_ACCEPT;
}
#endif
