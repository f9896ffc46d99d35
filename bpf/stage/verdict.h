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
	struct rule_key *k = &p->k;

	if (v6) {
		k->saddr6[0] =
			(__u64)bpf_ntohl(p->t.v6.saddr[0]) << 32 | bpf_ntohl(p->t.v6.saddr[1]);
		k->saddr6[1] =
			(__u64)bpf_ntohl(p->t.v6.saddr[2]) << 32 | bpf_ntohl(p->t.v6.saddr[3]);
		k->daddr6[0] =
			(__u64)bpf_ntohl(dst->v6.daddr[0]) << 32 | bpf_ntohl(dst->v6.daddr[1]);
		k->daddr6[1] =
			(__u64)bpf_ntohl(dst->v6.daddr[2]) << 32 | bpf_ntohl(dst->v6.daddr[3]);
	} else {
		k->saddr = bpf_ntohl(p->t.v4.saddr);
		k->daddr = bpf_ntohl(dst->v4.daddr);
	}
	k->proto = p->proto;
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		k->sport = 0;
		k->dport = p->icmp_type << 8 | p->icmp_code;
	} else {
		k->sport = bpf_ntohs(key_sport(&p->t, v6));
		k->dport = bpf_ntohs(key_dport(dst, v6));
	}
	k->iif = iif;
	k->oif = oif;
	k->mark = skb->mark;
	k->ctmark = p->ctmark;
	k->ctbit = 1 << (p->ctstate & 7);
}

static __always_inline __u32 hooks_active(const struct gw_conf *conf, const bool v6)
{
	return v6 ? conf->hooks6 : conf->hooks4;
}

/* Run a slot if it has chains.  0, a GW_REASON_*, or VERDICT_REJECT. */
static __always_inline int stage_rules(struct pkt *p, struct gw_conf *conf, __u32 hook,
				       const bool v6)
{
	int r;

	if (!(hooks_active(conf, v6) & (1U << hook)))
		return VERDICT_OK;
	r = rules_run(hook, v6);
	if (r == GW_V_DROP)
		return p->last_policy ? GW_REASON_POLICY : GW_REASON_RULE;
	if (r == GW_V_REJECT)
		return VERDICT_REJECT;
	return VERDICT_OK;
}

/* The filter and security stages, from the flow's cache where it holds.  The rules a cached verdict counted are counted again. */
static __always_inline int stage_filter(struct pkt *p, struct gw_conf *conf, struct gw_flow *own,
					__u32 filter, __u32 security, const bool v6)
{
	int r;

	p->rcid[0] = p->rcid[1] = 0;
	if (own && own->gen == conf->gen && own->verdict == (p->ctstate << 4 | GW_VERDICT_ACCEPT) &&
	    own->iif == p->iif && own->oif == p->oif && !(conf->image_flags & GW_IMG_NO_CACHE)) {
		p->flags |= PKT_CACHED;
		rule_count(p, own->rule);
		rule_count(p, own->rule2);
		return VERDICT_OK;
	}
	p->flags = (p->flags & ~PKT_MULTI) | PKT_NOTE;
	r = stage_rules(p, conf, filter, v6);
	if (!r)
		r = stage_rules(p, conf, security, v6);
	p->flags &= ~PKT_NOTE;
	return r;
}

/* Remember an accept in the flow's direction. */
static __always_inline void filter_remember(struct pkt *p, struct gw_conf *conf, struct gw_flow *f)
{
	f->iif = p->iif;
	f->oif = p->oif;
	f->gen = conf->gen;
	f->rule = p->rcid[0];
	f->rule2 = p->rcid[1];
	f->verdict = p->flags & PKT_MULTI ? GW_VERDICT_NONE : p->ctstate << 4 | GW_VERDICT_ACCEPT;
}
#endif
