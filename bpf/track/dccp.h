/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_TRACK_DCCP_H
#define GW_TRACK_DCCP_H
/*
 * DCCP (RFC 4340) as nf_conntrack tracked it until Linux dropped the protocol (net/netfilter/nf_conntrack_proto_dccp.c).  No maps but
 * scratch, no skb.
 *
 * p->own.flags, p->peer.flags say who is the client; own.end of the server is the sequence number of its Response.
 */
#define DCCP_REQUEST  0
#define DCCP_RESPONSE 1
#define DCCP_ACK      3
#define DCCP_RESET    7
#define DCCP_TYPES    10 /* Data, DataAck, CloseReq, Close, Sync, SyncAck are the others */

#define DCCP_SIDE_CLIENT  (1U << 0)
#define DCCP_SIDE_LAST	  (1U << 1) /* the last packet was of this side ... */
#define DCCP_SIDE_REQUEST (1U << 2) /* ... and a Request */

#define dRQ GW_DCCP_REQUEST
#define dRS GW_DCCP_RESPOND
#define dPO GW_DCCP_PARTOPEN
#define dOP GW_DCCP_OPEN
#define dCR GW_DCCP_CLOSEREQ
#define dCG GW_DCCP_CLOSING
#define dTW GW_DCCP_TIMEWAIT
#define dIG 14
#define dIV 15

/* clang-format off */
/* [server * 128 + type * 8 + state] */
static const __u8 dccp_table[256] = {
	/*                  NO   RQ   RS   PO   OP   CR   CG   TW */
	/* Request       */ dRQ, dRQ, dRS, dIG, dIG, dIG, dIG, dRQ,
	/* Response      */ dIV, dIG, dIG, dIG, dIG, dIG, dIG, dIV,
	/* Data          */ dIV, dIV, dIV, dIV, dOP, dCR, dCG, dIV,
	/* Ack           */ dIV, dIV, dPO, dPO, dOP, dCR, dCG, dIV,
	/* DataAck       */ dIV, dIV, dPO, dPO, dOP, dCR, dCG, dIV,
	/* CloseReq      */ dIV, dIV, dIV, dIV, dIV, dIV, dIV, dIV,
	/* Close         */ dIV, dIV, dIV, dCG, dCG, dCG, dIV, dIV,
	/* Reset         */ dIV, dTW, dTW, dTW, dTW, dTW, dTW, dIG,
	/* Sync          */ dIV, dIG, dIG, dIG, dIG, dIG, dIG, dIG,
	/* SyncAck       */ dIV, dIG, dIG, dIG, dIG, dIG, dIG, dIG,
	[128] =
	/* Request       */ dIV, dIG, dIG, dIG, dIG, dIG, dIG, dRQ,
	/* Response      */ dIV, dRS, dRS, dIG, dIG, dIG, dIG, dIV,
	/* Data          */ dIV, dIV, dIV, dOP, dOP, dIV, dCG, dIV,
	/* Ack           */ dIV, dIV, dIV, dOP, dOP, dIV, dCG, dIV,
	/* DataAck       */ dIV, dIV, dIV, dOP, dOP, dIV, dCG, dIV,
	/* CloseReq      */ dIV, dIV, dIV, dCR, dCR, dCR, dCR, dIV,
	/* Close         */ dIV, dIV, dIV, dCG, dCG, dIV, dCG, dIV,
	/* Reset         */ dIV, dTW, dTW, dTW, dTW, dTW, dTW, dIG,
	/* Sync          */ dIV, dIG, dIG, dIG, dIG, dIG, dIG, dIG,
	/* SyncAck       */ dIV, dIG, dIG, dIG, dIG, dIG, dIG, dIG,
};
/* clang-format on */

static __always_inline __u8 dccp_next(bool client, __u8 type, __u8 state)
{
	__u64 i = (client ? 0 : 128) + (type & 15) * 8 + (state & 7);

	asm volatile("%0 &= 255" : "+r"(i));
	return dccp_table[i];
}

static __always_inline void dccp_last(struct pkt *p)
{
	p->own.flags &= ~DCCP_SIDE_REQUEST;
	p->own.flags |= DCCP_SIDE_LAST | (p->dccp_type == DCCP_REQUEST ? DCCP_SIDE_REQUEST : 0);
	p->peer.flags &= ~(DCCP_SIDE_LAST | DCCP_SIDE_REQUEST);
}

static __always_inline void dccp_roles(struct tcp_side *client, struct tcp_side *server)
{
	client->flags |= DCCP_SIDE_CLIENT;
	server->flags &= ~DCCP_SIDE_CLIENT;
}

/* Judge the packet in scratch, as tcp_judge() does; p->tcp_state GW_DCCP_NONE: it would be the connection's first. */
__noinline int dccp_judge(__u32 reply)
{
	struct pkt *p = pkt_scratch();
	struct tcp_side *own, *peer;
	__u8 old, state;
	bool client;

	if (!p || p->dccp_type >= DCCP_TYPES)
		return CT_BAD;
	own = &p->own;
	peer = &p->peer;
	old = p->tcp_state;
	if (old == GW_DCCP_NONE)
		dccp_roles(own, peer);
	client = own->flags & DCCP_SIDE_CLIENT;
	p->tcp_assured = 0;
	if (p->dccp_type == DCCP_RESET && reply && !(p->tcp_status & GW_FLOW_SEEN_REPLY))
		return CT_KILL; /* a Reset as the only answer */
	state = dccp_next(client, p->dccp_type, old);
	if (state == dIV)
		return CT_BAD;
	if (state == dIG) {
		/* the answer to a Request that was let pass: a new connection over the old one */
		if (p->dccp_type != DCCP_RESPONSE || !(peer->flags & DCCP_SIDE_REQUEST)) {
			dccp_last(p);
			return CT_IGNORE;
		}
		dccp_roles(peer, own);
		own->end = p->seq;
		state = GW_DCCP_RESPOND;
	} else if (state == GW_DCCP_REQUEST && old == GW_DCCP_TIMEWAIT && !client) {
		dccp_roles(own, peer); /* anew, from the other end */
	} else if (state == GW_DCCP_RESPOND && old == GW_DCCP_REQUEST) {
		own->end = p->seq;
	} else if (state == GW_DCCP_PARTOPEN && old == GW_DCCP_RESPOND) {
		p->tcp_assured = p->dccp_type == DCCP_ACK && p->ack == peer->end &&
				 !(p->tcp_status & GW_FLOW_ASSURED);
	}
	dccp_last(p);
	p->tcp_state = state;
	return CT_OK;
}
#endif
