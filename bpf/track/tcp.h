/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_TRACK_TCP_H
#define GW_TRACK_TCP_H
#include "window.h"
/*
 * TCP as nf_conntrack tracks it: the combined state of both directions by its own transition table
 * (net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks), windows (window.h), RST validation by RFC 5961 section 3.2.
 * No maps but scratch, no skb.
 *
 * A connection that we see otherwise than its ends do (one of them forgot it and begins anew) is mended as Linux does it: the SYN passes and
 * is only noted; what the other end answers tells who is right.
 */
enum { TCP_SYN_SET, TCP_SYNACK_SET, TCP_FIN_SET, TCP_ACK_SET, TCP_RST_SET, TCP_NONE_SET };

#define sNO GW_TCP_NONE
#define sSS GW_TCP_SYN_SENT
#define sSR GW_TCP_SYN_RECV
#define sES GW_TCP_ESTABLISHED
#define sFW GW_TCP_FIN_WAIT
#define sCW GW_TCP_CLOSE_WAIT
#define sLA GW_TCP_LAST_ACK
#define sTW GW_TCP_TIME_WAIT
#define sCL GW_TCP_CLOSE
#define sS2 GW_TCP_SYN_SENT2
#define sIV 14 /* invalid */
#define sIG 15 /* let pass, learn nothing */

/* clang-format off */
/* [direction * 128 + flag set * 16 + state]; what is not named is 0 and becomes sIV in tcp_next() */
static const __u8 tcp_table[256] = {
	/*                  NO   SS   SR   ES   FW   CW   LA   TW   CL   S2 */
	/* orig   syn    */ sSS, sSS, sIG, sIG, sIG, sIG, sIG, sSS, sSS, sS2, 0, 0, 0, 0, 0, 0,
	/*        synack */ sIV, sIV, sSR, sIV, sIV, sIV, sIV, sIV, sIV, sSR, 0, 0, 0, 0, 0, 0,
	/*        fin    */ sIV, sIV, sFW, sFW, sLA, sLA, sLA, sTW, sCL, sIV, 0, 0, 0, 0, 0, 0,
	/*        ack    */ sES, sIV, sES, sES, sCW, sCW, sTW, sTW, sCL, sIV, 0, 0, 0, 0, 0, 0,
	/*        rst    */ sIV, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, 0, 0, 0, 0, 0, 0,
	[128] =
	/* reply  syn    */ sIV, sS2, sIV, sIV, sIV, sIV, sIV, sSS, sIV, sS2, 0, 0, 0, 0, 0, 0,
	/*        synack */ sIV, sSR, sIG, sIG, sIG, sIG, sIG, sIG, sIG, sSR, 0, 0, 0, 0, 0, 0,
	/*        fin    */ sIV, sIV, sFW, sFW, sLA, sLA, sLA, sTW, sCL, sIV, 0, 0, 0, 0, 0, 0,
	/*        ack    */ sIV, sIG, sSR, sES, sCW, sCW, sTW, sTW, sCL, sIG, 0, 0, 0, 0, 0, 0,
	/*        rst    */ sIV, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, 0, 0, 0, 0, 0, 0,
};
/* clang-format on */

static __always_inline __u32 tcp_index(__u8 bits)
{
	if (bits & TCP_BIT_RST)
		return TCP_RST_SET;
	if (bits & TCP_BIT_SYN)
		return bits & TCP_BIT_ACK ? TCP_SYNACK_SET : TCP_SYN_SET;
	if (bits & TCP_BIT_FIN)
		return TCP_FIN_SET;
	return bits & TCP_BIT_ACK ? TCP_ACK_SET : TCP_NONE_SET;
}

static __always_inline __u8 tcp_next(__u32 reply, __u32 index, __u8 state)
{
	__u64 i = reply * 128 + index * 16 + (state & 15);

	asm volatile("%0 &= 255" : "+r"(i)); /* 6.1 does not follow the 32-bit arithmetic */
	return tcp_table[i] ? tcp_table[i] : sIV;
}

/* What a judgement says: */
enum {
	CT_OK,
	CT_IGNORE, /* let pass; it is no sign of life */
	CT_NOTE,   /* the same, and p->noted is to be kept until a segment is accepted */
	CT_BAD,	   /* INVALID */
	CT_REOPEN, /* a new connection over the old one's tuple */
	CT_RST_DROP,
	CT_KILL, /* let pass, then forget the connection */
};

enum { RST_CLOSES, RST_CLOSES_NOW, RST_PASSES, RST_INVALID }; /* NOW: whatever the windows say */

/* Before both sides have spoken: an answer must show that it has seen what it answers (RFC 9293 3.10.7.3). */
static __always_inline int rst_check_opening(const struct pkt *p, bool reply)
{
	const struct tcp_side *own = &p->own, *peer = &p->peer;
	const struct tcp_noted *n = &p->noted;

	if (p->tcp_bits & TCP_BIT_ACK && peer->win && p->ack == peer->end)
		return RST_CLOSES_NOW;
	if (reply)
		return RST_INVALID;
	if (p->seq == own->end || p->seq + 1 == own->end)
		return RST_CLOSES;
	/* the client's answer to the challenge ACK of a server that thinks it is still connected */
	return n->valid && n->index == TCP_ACK_SET && n->dir && p->seq == n->ack ? RST_CLOSES_NOW
										 : RST_INVALID;
}

/* Does it stand right behind the last segment, which was its side's own?  tcp_last knows the lower half of where that was. */
static __always_inline bool rst_ends_train(const struct pkt *p)
{
	const struct tcp_side *own = &p->own;

	return own->heard == p->tcp_heard && !((p->seq ^ own->last) & 0xffff) &&
	       own->end - p->seq < 0x10000;
}

/*
 * The receiver's last ack is the only sequence number that surely closes (RFC 5961 3.2); what else may is the end of what the sender has
 * sent.  Elsewhere in the window the receiver answers with a challenge ACK: let it, and change nothing, not even the timeout, because who
 * guesses the window need not let the RST go further than to us.
 */
static __always_inline int rst_check(const struct pkt *p, bool reply, __u32 conf_flags)
{
	const struct tcp_side *own = &p->own, *peer = &p->peer;
	bool liberal = conf_flags & GW_CONF_TCP_BE_LIBERAL || own->flags & GW_TCPF_LIBERAL;
	bool settled = p->tcp_state == GW_TCP_ESTABLISHED && p->tcp_status & GW_FLOW_ASSURED;

	switch (p->tcp_state) {
	case GW_TCP_TIME_WAIT:
	case GW_TCP_CLOSE:
		return RST_CLOSES_NOW;
	case GW_TCP_SYN_SENT:
	case GW_TCP_SYN_SENT2:
		return liberal ? RST_CLOSES_NOW : rst_check_opening(p, reply);
	}
	if (!(peer->flags & GW_TCPF_ACKED))
		return liberal || p->seq == own->end ? RST_CLOSES : RST_PASSES;
	if (seq_before(p->seq, peer->ack) && !(conf_flags & GW_CONF_TCP_IGNORE_RST))
		return RST_INVALID;
	if (p->seq == peer->ack || rst_ends_train(p))
		return RST_CLOSES;
	return !settled && (liberal || p->seq == own->end) ? RST_CLOSES : RST_PASSES;
}

/* Let pass, but remember: the answer tells what it was. */
static __always_inline int tcp_note(struct pkt *p, __u32 index, bool reply)
{
	struct tcp_noted *n = &p->noted;

	if (index == TCP_SYNACK_SET && !n->valid &&
	    (p->tcp_state != GW_TCP_SYN_RECV || p->end == p->own.end))
		return CT_IGNORE; /* nobody will ask for it */
	n->valid = 1;
	n->index = index;
	n->dir = reply;
	n->ack = p->ack;
	n->end = p->end;
	n->win = p->win;
	n->scale = p->syn_scale;
	n->flags = p->syn_flags;
	/* in LAST_ACK a challenge ACK looks like the end */
	if (index == TCP_SYN_SET && p->tcp_state == GW_TCP_LAST_ACK)
		n->flags |= GW_TCPF_CLOSING;
	return CT_NOTE;
}

static __always_inline bool tcp_noted(const struct pkt *p, __u32 index, bool reply)
{
	return p->noted.valid && p->noted.index == index && p->noted.dir == reply;
}

/* A side as the noted SYN or SYN-ACK opened it. */
static __always_inline void side_from_note(struct tcp_side *s, const struct tcp_noted *n)
{
	s->end = s->maxend = n->end;
	s->win = n->win ?: 1;
	s->scale = n->scale & 15;
	s->flags = n->flags & (GW_TCPF_WSCALE | GW_TCPF_SACK);
}

/* The server answers a SYN that we let pass: they are in step, and we follow. */
static __always_inline void tcp_resync(struct pkt *p)
{
	struct tcp_side *own = &p->own;

	side_from_note(&p->peer, &p->noted);
	own->end = own->maxend = own->win = own->ack = 0;
	own->scale = 0;
	own->flags &= GW_TCPF_LIBERAL;
}

/*
 * Two SYN-ACKs were on their way, one of them of an older connection: the client's ACK says which is right.  Linux believes the first.
 */
static __always_inline void tcp_choose_server(struct pkt *p)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;
	const struct tcp_noted *n = &p->noted;

	if (p->ack != n->end || p->ack == peer->end || seq_after(n->ack, own->end) ||
	    seq_before(n->ack, own->end - ACK_WINDOW))
		return;
	side_from_note(peer, n);
	peer->ack = n->ack;
	peer->flags |= GW_TCPF_ACKED;
	own->maxend = n->ack + peer->win;
	if (!(own->flags & peer->flags & GW_TCPF_WSCALE))
		own->scale = peer->scale = 0;
}

/*
 * Strict: the answer to what was picked up in the middle must be one.  Then both directions have been seen, and the windows, whose scale
 * nobody told us, are not believed.
 */
static __always_inline bool tcp_pick_up_proves(struct pkt *p)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;

	if (own->win || own->flags & GW_TCPF_LIBERAL || p->tcp_state != GW_TCP_ESTABLISHED ||
	    p->tcp_bits & TCP_BIT_SYN)
		return true;
	if (p->seq - own->end + ACK_WINDOW > 2 * ACK_WINDOW || seq_after(p->ack, peer->end) ||
	    seq_before(p->ack, peer->end - ACK_WINDOW))
		return false;
	own->flags |= GW_TCPF_LIBERAL;
	peer->flags |= GW_TCPF_LIBERAL;
	return true;
}

/* What the table alone does not know.  CT_OK: *state is what it becomes, if the windows agree. */
static __always_inline int tcp_transition(struct pkt *p, bool reply, __u32 index, __u8 *state)
{
	__u8 old = p->tcp_state;

	if (*state == sIV)
		return CT_BAD;
	if (*state == GW_TCP_SYN_SENT && (old == GW_TCP_TIME_WAIT || old == GW_TCP_CLOSE))
		return CT_REOPEN;
	if (*state == sIG) {
		if (index != TCP_SYNACK_SET || !tcp_noted(p, TCP_SYN_SET, !reply) ||
		    p->ack != p->noted.end)
			return tcp_note(p, index, reply);
		tcp_resync(p);
		*state = GW_TCP_SYN_RECV;
	} else if (*state == GW_TCP_TIME_WAIT && old == GW_TCP_LAST_ACK && index == TCP_ACK_SET &&
		   tcp_noted(p, TCP_SYN_SET, !reply) && p->noted.flags & GW_TCPF_CLOSING) {
		p->noted.flags &= ~GW_TCPF_CLOSING;
		return CT_NOTE;
	} else if (*state == GW_TCP_SYN_SENT2) {
		p->own.flags |= GW_TCPF_SIMOPEN;
	} else if (*state == GW_TCP_SYN_RECV && reply && index == TCP_ACK_SET &&
		   (p->own.flags | p->peer.flags) & GW_TCPF_SIMOPEN) {
		*state = GW_TCP_ESTABLISHED;
	} else if (old == GW_TCP_SYN_RECV && !reply && tcp_noted(p, TCP_SYNACK_SET, true)) {
		tcp_choose_server(p);
	}
	return CT_OK;
}

static __always_inline int tcp_judge_rst(struct pkt *p, bool reply, __u32 conf_flags)
{
	bool liberal = conf_flags & GW_CONF_TCP_BE_LIBERAL || p->own.flags & GW_TCPF_LIBERAL;
	int rst = rst_check(p, reply, conf_flags), r;

	/* data may overshoot, a RST has nothing to look for there */
	if (rst == RST_INVALID ||
	    (rst != RST_CLOSES_NOW && !liberal && p->own.win && seq_after(p->seq, p->own.maxend)))
		return CT_RST_DROP;
	if (rst != RST_CLOSES_NOW) {
		r = tcp_window(p, reply, false, liberal);
		if (r == WIN_BAD)
			return CT_RST_DROP;
		if (r == WIN_IGNORE || rst == RST_PASSES)
			return CT_IGNORE;
	}
	p->tcp_state = GW_TCP_CLOSE;
	return p->tcp_status & GW_FLOW_SEEN_REPLY ? CT_OK : CT_KILL; /* there never was one */
}

/*
 * Judge the segment in scratch: p->own, p->peer, p->tcp_state, p->tcp_status, p->noted are the connection before it.  CT_OK, CT_KILL,
 * CT_IGNORE: they are the connection after it, and p->tcp_assured says that both ends have now proven to mean it.
 */
__noinline int tcp_judge(__u32 reply, __u32 conf_flags)
{
	struct pkt *p = pkt_scratch();
	__u32 index;
	__u8 old, state;
	int r;

	if (!p || !tcp_bits_valid(p->tcp_bits))
		return CT_BAD;
	index = tcp_index(p->tcp_bits);
	old = p->tcp_state;
	p->tcp_assured = 0;
	state = tcp_next(!!reply, index, old);
	r = tcp_transition(p, reply, index, &state);
	if (r != CT_OK)
		return r;
	if (index == TCP_RST_SET)
		return tcp_judge_rst(p, reply, conf_flags);
	if (conf_flags & GW_CONF_TCP_STRICT && reply && !tcp_pick_up_proves(p))
		return CT_BAD;
	r = tcp_window(p, reply, index == TCP_ACK_SET,
		       conf_flags & GW_CONF_TCP_BE_LIBERAL || p->own.flags & GW_TCPF_LIBERAL);
	if (r == WIN_BAD)
		return CT_BAD;
	if (r == WIN_IGNORE)
		return CT_IGNORE;
	if (state == GW_TCP_FIN_WAIT && old != state)
		p->own.flags |= GW_TCPF_CLOSING;
	p->tcp_state = state;
	/* else who tries again and again keeps an entry, and its translation, for ever */
	if (index == TCP_SYN_SET && old == GW_TCP_SYN_SENT && !(p->tcp_status & GW_FLOW_SEEN_REPLY))
		return CT_IGNORE;
	p->tcp_assured = p->tcp_status & GW_FLOW_SEEN_REPLY && !(p->tcp_status & GW_FLOW_ASSURED) &&
			 state == GW_TCP_ESTABLISHED &&
			 (old == GW_TCP_SYN_RECV || old == GW_TCP_ESTABLISHED);
	return CT_OK;
}

/* The first segment of a connection, into p->own and p->peer; the state it begins in. */
__noinline int tcp_begin(__u32 conf_flags)
{
	struct pkt *p = pkt_scratch();
	struct tcp_side *own, *peer;
	__u32 index;

	if (!p)
		return GW_TCP_NONE;
	own = &p->own;
	peer = &p->peer;
	index = tcp_index(p->tcp_bits);
	__builtin_memset(own, 0, sizeof(*own));
	__builtin_memset(peer, 0, sizeof(*peer));
	p->tcp_heard = p->tcp_sent = p->noted.valid = 0;
	p->tcp_state = GW_TCP_NONE;
	own->end = own->maxend = p->end;
	own->win = p->win ?: 1;
	if (index == TCP_SYN_SET) {
		own->scale = p->syn_scale;
		own->flags = p->syn_flags;
	} else {
		own->maxend += own->win;
		own->flags = peer->flags = GW_TCPF_SACK;
		own->flags |= GW_TCPF_ZEROWIN; /* as long as nothing can be learnt */
		if (conf_flags & GW_CONF_TCP_STRICT)
			peer->end = peer->maxend = p->ack;
		else
			own->flags |= peer->flags |= GW_TCPF_LIBERAL;
	}
	tcp_window(p, false, index == TCP_ACK_SET, true);
	return tcp_next(0, index, GW_TCP_NONE);
}
#endif
