/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_RECHECK_H
#define GW_STAGE_RECHECK_H
/*
 * recheck: would the rules in force still let this connection begin?
 *
 * A rule for ESTABLISHED packets keeps every connection alive that any ruleset ever admitted.  So the first packet of the original
 * direction after a change is asked about once more, as if it were the connection's first: NEW (RELATED, if it was announced), a SYN.
 * Nothing is counted.  Where the answer depends on what has a memory (limits, quotas) or differs from packet to packet, the connection
 * stays.
 *
 * in:   p->t, p->out, route, an accepted packet of a known flow
 * drop: ct-revoked, or what reject answers; the connection ends
 */
static __always_inline bool recheck_is_due(const struct pkt *p, const struct gw_conf *conf,
					   const struct gw_flow *own)
{
	return own && conf->flags & GW_CONF_RECHECK && own->gen != p->gen &&
	       p->ctstate == GW_CT_ESTABLISHED &&
	       !(own->flags & (GW_FLOW_REPLY | GW_FLOW_LOCAL_OUT)) &&
	       !(p->flags & (PKT_FRAG | PKT_KILL | PKT_UNROUTED | PKT_STATELESS));
}

/* What the filter says of such a first packet: 0, GW_REASON_*, VERDICT_REJECT. */
static __always_inline int recheck_ask(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				       const struct gw_flow *own, const bool v6)
{
	bool local = p->flags & PKT_LOCAL;
	__u32 flags = p->flags;
	__u8 state = p->ctstate, bits = p->tcp_bits;
	bool unsure;
	int r;

	p->flags = (flags & ~PKT_VARY) | PKT_PROBE;
	p->ctstate = own->flags & GW_FLOW_EXPECTED ? GW_CT_RELATED : GW_CT_NEW;
	p->tcp_bits = TCP_BIT_SYN;
	key_for_rules(skb, p, &p->out, p->iif, p->oif, v6);
	p->r.k.syn = 0; /* its flags are known: rules that ask for SYN do not vary */
	r = stage_rules(skb, p, conf, local ? GW_HOOK_FILTER_INPUT : GW_HOOK_FILTER_FORWARD, v6);
	if (!r)
		r = stage_rules(skb, p, conf,
				local ? GW_HOOK_SECURITY_INPUT : GW_HOOK_SECURITY_FORWARD, v6);
	unsure = p->flags & PKT_VARY;
	p->flags = flags;
	p->ctstate = state;
	p->tcp_bits = bits;
	return unsure ? 0 : r;
}

static __always_inline int stage_recheck(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
					 struct gw_flow *own, const bool v6)
{
	int r;

	if (!recheck_is_due(p, conf, own))
		return 0;
	r = recheck_ask(skb, p, conf, own, v6);
	if (!r)
		return 0;
	key_copy(&p->alt, flow_peer(own, v6), v6);
	ct_end(v6, GW_CAUSE_KILL);
	stat_add(GW_STAT_REVOKED, 1);
	return r == VERDICT_REJECT ? r : GW_REASON_CT_REVOKED;
}
#endif
