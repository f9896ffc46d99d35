/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_TRACK_SCTP_H
#define GW_TRACK_SCTP_H
/*
 * SCTP as nf_conntrack tracks it (net/netfilter/nf_conntrack_proto_sctp.c): the association's state by the chunks of both sides, and the
 * verification tags that RFC 9260 8.5 asks for.  No maps but scratch, no skb: core/parse left the chunks in p->chunk.
 *
 * p->own.end, p->peer.end: the tag that packets of this side, of the other side, must carry; p->seq: the packet's.
 */
#define SCTP_DATA	   0
#define SCTP_INIT	   1
#define SCTP_INIT_ACK	   2
#define SCTP_HEARTBEAT	   4
#define SCTP_HEARTBEAT_ACK 5
#define SCTP_ABORT	   6
#define SCTP_SHUTDOWN	   7
#define SCTP_SHUTDOWN_ACK  8
#define SCTP_ERROR	   9
#define SCTP_COOKIE_ECHO   10
#define SCTP_COOKIE_ACK	   11
#define SCTP_COMPLETE	   14
#define SCTP_FLAG_T	   1

/* tcp_side.flags */
#define SCTP_SIDE_INIT (1U << 0) /* sent an INIT that no COOKIE ACK answered */
#define SCTP_SIDE_TAG_BAD \
	(1U << 1) /* sent a HEARTBEAT with another tag: its answer may change the tags */

#define cCL GW_SCTP_CLOSED
#define cCW GW_SCTP_COOKIE_WAIT
#define cCE GW_SCTP_COOKIE_ECHOED
#define cES GW_SCTP_ESTABLISHED
#define cSS GW_SCTP_SHUTDOWN_SENT
#define cSR GW_SCTP_SHUTDOWN_RECD
#define cSA GW_SCTP_SHUTDOWN_ACK_SENT
#define cHS GW_SCTP_HEARTBEAT_SENT
#define cIV 15

/* clang-format off */
/* [direction * 256 + chunk type * 16 + state]; rows of chunks that change nothing are not asked for */
static const __u8 sctp_table[512] = {
	/*                                     NO   CL   CW   CE   ES   SS   SR   SA   HS */
	[SCTP_INIT * 16]		    = cCL, cCL, cCW, cCE, cES, cCL, cCL, cSA, cCW,
	[SCTP_INIT_ACK * 16]		    = cCL, cCL, cCW, cCE, cES, cSS, cSR, cSA, cCL,
	[SCTP_HEARTBEAT * 16]		    = cHS, cCL, cCW, cCE, cES, cSS, cSR, cSA, cHS,
	[SCTP_HEARTBEAT_ACK * 16]	    = cCL, cCL, cCW, cCE, cES, cSS, cSR, cSA, cHS,
	[SCTP_ABORT * 16]		    = cCL, cCL, cCL, cCL, cCL, cCL, cCL, cCL, cCL,
	[SCTP_SHUTDOWN * 16]		    = cCL, cCL, cCW, cCE, cSS, cSS, cSR, cSA, cCL,
	[SCTP_SHUTDOWN_ACK * 16]	    = cSA, cCL, cCW, cCE, cES, cSA, cSA, cSA, cSA,
	[SCTP_ERROR * 16]		    = cCL, cCL, cCW, cCE, cES, cSS, cSR, cSA, cCL,
	[SCTP_COOKIE_ECHO * 16]		    = cCL, cCL, cCE, cCE, cES, cSS, cSR, cSA, cCL,
	[SCTP_COOKIE_ACK * 16]		    = cCL, cCL, cCW, cES, cES, cSS, cSR, cSA, cCL,
	[SCTP_COMPLETE * 16]		    = cCL, cCL, cCW, cCE, cES, cSS, cSR, cCL, cCL,
	[256 + SCTP_INIT * 16]		    = cIV, cCL, cCW, cCE, cES, cSS, cSR, cSA, cIV,
	[256 + SCTP_INIT_ACK * 16]	    = cIV, cCW, cCW, cCE, cES, cSS, cSR, cSA, cIV,
	[256 + SCTP_HEARTBEAT * 16]	    = cIV, cCL, cCW, cCE, cES, cSS, cSR, cSA, cHS,
	[256 + SCTP_HEARTBEAT_ACK * 16]	    = cIV, cCL, cCW, cCE, cES, cSS, cSR, cSA, cES,
	[256 + SCTP_ABORT * 16]		    = cIV, cCL, cCL, cCL, cCL, cCL, cCL, cCL, cIV,
	[256 + SCTP_SHUTDOWN * 16]	    = cIV, cCL, cCW, cCE, cSR, cSS, cSR, cSA, cIV,
	[256 + SCTP_SHUTDOWN_ACK * 16]	    = cIV, cCL, cCW, cCE, cES, cSA, cSA, cSA, cIV,
	[256 + SCTP_ERROR * 16]		    = cIV, cCL, cCW, cCL, cES, cSS, cSR, cSA, cIV,
	[256 + SCTP_COOKIE_ECHO * 16]	    = cIV, cCL, cCE, cCE, cES, cSS, cSR, cSA, cIV,
	[256 + SCTP_COOKIE_ACK * 16]	    = cIV, cCL, cCW, cES, cES, cSS, cSR, cSA, cIV,
	[256 + SCTP_COMPLETE * 16]	    = cIV, cCL, cCW, cCE, cES, cSS, cSR, cCL, cIV,
};
/* clang-format on */

static __always_inline __u8 sctp_next(__u32 reply, __u8 type, __u8 state)
{
	__u64 i = reply * 256 + (type & 15) * 16 + (state & 15);

	asm volatile("%0 &= 511" : "+r"(i));
	return sctp_table[i];
}

/* A packet's tag that is not this side's: tolerated in a HEARTBEAT and its answer, by which a restarted peer is learnt. */
static __always_inline int sctp_heartbeat(struct pkt *p, bool answer)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;

	if (!own->end) {
		own->end = p->seq;
		return CT_OK;
	}
	if (p->seq == own->end) {
		own->flags &= ~SCTP_SIDE_TAG_BAD;
		peer->flags &= ~SCTP_SIDE_TAG_BAD;
		return CT_OK;
	}
	if (p->chunks & 1U << SCTP_DATA)
		return CT_BAD;
	if (!answer) {
		own->flags |= SCTP_SIDE_TAG_BAD;
		peer->flags &= ~SCTP_SIDE_TAG_BAD;
		return CT_IGNORE;
	}
	if (!(peer->flags & SCTP_SIDE_TAG_BAD))
		return CT_BAD;
	peer->flags &= ~SCTP_SIDE_TAG_BAD;
	own->end = p->seq;
	peer->end = 0;
	return CT_OK;
}

/* RFC 9260 8.5.1: which tag a chunk must come with. */
static __always_inline int sctp_tag(struct pkt *p, const struct sctp_chunk *c)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;

	switch (c->type) {
	case SCTP_INIT:
		return p->seq ? CT_BAD : CT_OK;
	case SCTP_ABORT:
	case SCTP_COMPLETE:
		return p->seq == (c->flags & SCTP_FLAG_T ? peer->end : own->end) ? CT_OK : CT_BAD;
	case SCTP_COOKIE_ECHO:
		return p->seq == own->end ? CT_OK : CT_BAD;
	case SCTP_COOKIE_ACK:
		own->flags &= ~SCTP_SIDE_INIT;
		peer->flags &= ~SCTP_SIDE_INIT;
		return CT_OK;
	case SCTP_HEARTBEAT:
		return sctp_heartbeat(p, false);
	case SCTP_HEARTBEAT_ACK:
		return sctp_heartbeat(p, true);
	}
	return CT_OK;
}

/* INIT and INIT ACK say which tag the other side's packets will carry. */
static __always_inline int sctp_init(struct pkt *p, const struct sctp_chunk *c, __u8 old,
				     __u8 state)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;
	bool mine = own->flags & SCTP_SIDE_INIT, other = peer->flags & SCTP_SIDE_INIT;

	if (c->type == SCTP_INIT) {
		if (mine && other)
			peer->flags &= ~SCTP_SIDE_INIT;
		own->flags |= SCTP_SIDE_INIT;
		peer->end = c->tag;
		/* a repeated INIT keeps nothing alive */
		return old == GW_SCTP_CLOSED && state == GW_SCTP_CLOSED ? CT_IGNORE : CT_OK;
	}
	if (!other && peer->end && peer->end != c->tag)
		return CT_BAD;
	if (mine && other && peer->end != c->tag)
		return CT_BAD;
	peer->end = c->tag;
	return CT_OK;
}

/* The next chunk; p->tcp_state is the state before and after it. */
__noinline int sctp_step(__u32 i, __u32 reply)
{
	struct pkt *p = pkt_scratch();
	struct sctp_chunk *c;
	__u8 old, state;
	int r;

	if (!p)
		return CT_BAD;
	c = &p->chunk[i & 7];
	r = sctp_tag(p, c);
	if (r != CT_OK)
		return r;
	old = p->tcp_state;
	state = sctp_next(!!reply, c->type, old);
	if (state == cIV)
		return CT_BAD;
	if (c->type == SCTP_INIT || c->type == SCTP_INIT_ACK)
		r = sctp_init(p, c, old, state);
	if (state == GW_SCTP_ESTABLISHED && old != state && !(p->tcp_status & GW_FLOW_ASSURED))
		p->tcp_assured = 1;
	p->tcp_state = state;
	return r;
}

#define SCTP_OUT_OF_BLUE ((1U << SCTP_ABORT) | (1U << SCTP_COMPLETE) | (1U << SCTP_COOKIE_ACK))
#define SCTP_STATELESS	 ((1U << SCTP_DATA) | CHUNK_OTHER)
#define SCTP_OWN_TAG_RULE                                                          \
	((1U << SCTP_INIT) | (1U << SCTP_COMPLETE) | (1U << SCTP_COOKIE_ECHO) |    \
	 (1U << SCTP_ABORT) | (1U << SCTP_SHUTDOWN_ACK) | (1U << SCTP_HEARTBEAT) | \
	 (1U << SCTP_HEARTBEAT_ACK))

/* The first packet: whose tag it shows (RFC 9260 8.4). */
static __always_inline int sctp_first(struct pkt *p)
{
	__u32 chunks = p->chunks;

	if (chunks & (SCTP_OUT_OF_BLUE | SCTP_STATELESS))
		return CT_BAD;
	if (chunks & 1U << SCTP_INIT)
		return p->seq ? CT_BAD : CT_OK;
	if (chunks & ((1U << SCTP_HEARTBEAT) | (1U << SCTP_HEARTBEAT_ACK)))
		p->own.end = p->seq;
	else
		p->peer.end = p->seq;
	return CT_OK;
}

/* Judge the packet in scratch, as tcp_judge() does; p->tcp_state GW_SCTP_NONE: it would be the association's first. */
__noinline int sctp_judge(__u32 reply)
{
	struct pkt *p = pkt_scratch();
	bool first;
	int r = CT_OK;

	if (!p || p->chunks & CHUNK_BAD)
		return CT_BAD;
	p->tcp_assured = 0;
	first = p->tcp_state == GW_SCTP_NONE;
	if (first && sctp_first(p) != CT_OK)
		return CT_BAD;
	if (!(p->chunks & SCTP_OWN_TAG_RULE) && p->seq != p->own.end)
		return CT_BAD;
	for (__u32 i = 0; i < CHUNKS_MAX && i < p->n_chunks; i++) {
		int one = sctp_step(i, reply);

		if (one == CT_BAD)
			return CT_BAD;
		if (one == CT_IGNORE && !first)
			r = CT_IGNORE;
	}
	return r;
}
#endif
