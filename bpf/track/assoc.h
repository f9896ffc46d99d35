/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_TRACK_ASSOC_H
#define GW_TRACK_ASSOC_H
/*
 * SCTP and DCCP: from the entries to scratch, where they are judged, and back.
 */
/* What the judgement in scratch made of the connection, whose state was @old, into its entries.  TCP's, too. */
static __always_inline void ct_judged(struct pkt *p, struct ct *ct, __u8 old, bool *changed,
				      bool *assured)
{
	sides_update(p, ct->own, ct->peer);
	*assured = p->tcp_assured;
	*changed = p->tcp_state != old;
	ct->own->state = p->tcp_state;
	ct->peer->state = p->tcp_state;
}

/* A packet of a known SCTP or DCCP connection, likewise; both sides learn. */
static __always_inline int ct_sctp(struct pkt *p, struct ct *ct, bool *changed, bool *assured)
{
	bool reply = p->flags & PKT_REPLY;
	struct gw_flow *orig = reply ? ct->peer : ct->own;
	__u8 old = orig->state;
	int r;

	p->tcp_state = old;
	p->tcp_status = orig->flags;
	sides_load(p, ct->own, ct->peer);
	r = p->proto == IPPROTO_SCTP ? sctp_judge(reply) : dccp_judge(reply);
	if (r == CT_BAD)
		return r;
	if (r == CT_KILL)
		p->flags |= PKT_KILL;
	ct_judged(p, ct, old, changed, assured);
	return r == CT_KILL ? CT_OK : r;
}

/* The first packet of one; what it says is left in scratch for create_fill(). */
static __always_inline int ct_sctp_first(struct pkt *p)
{
	p->tcp_state = p->tcp_status = 0;
	__builtin_memset(&p->own, 0, sizeof(p->own));
	__builtin_memset(&p->peer, 0, sizeof(p->peer));
	return p->proto == IPPROTO_SCTP ? sctp_judge(0) : dccp_judge(0);
}

static __always_inline bool ct_is_sctp(const struct pkt *p)
{
	return p->proto == IPPROTO_SCTP || p->proto == IPPROTO_DCCP;
}
#endif
