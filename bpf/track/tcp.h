/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_TRACK_TCP_H
#define GW_TRACK_TCP_H
/*
 * TCP as nf_conntrack tracks it: the combined state of both directions by its own transition table
 * (net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks), RST validation by RFC 5961 section 3.2.  No maps, no skb.
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

#define TCP_BIT_FIN 0x01
#define TCP_BIT_SYN 0x02
#define TCP_BIT_RST 0x04
#define TCP_BIT_ACK 0x10

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

static __always_inline bool seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

/* What a judgement says: */
enum {
	CT_OK,
	CT_IGNORE, /* let pass, learn nothing */
	CT_BAD,	   /* INVALID */
	CT_REOPEN, /* a new connection over the old one's tuple */
	CT_RST_DROP,
	CT_KILL, /* let pass, then forget the connection */
};

static __always_inline void side_load(struct tcp_side *s, const struct gw_flow *f)
{
	s->end = f->tcp_end;
	s->ack = f->tcp_ack;
	s->win = f->tcp_win;
	s->scale = f->tcp_scale;
	s->flags = f->tcp_flags;
}

static __always_inline void side_store(struct gw_flow *f, const struct tcp_side *s)
{
	f->tcp_end = s->end;
	f->tcp_ack = s->ack;
	f->tcp_win = s->win;
	f->tcp_scale = s->scale;
	f->tcp_flags = s->flags;
}

/* Learn from an accepted segment of this side. */
static __always_inline void tcp_learn(struct tcp_side *s, const struct pkt *p, bool peer_scales)
{
	__u32 win = p->win;

	if (p->tcp_bits & TCP_BIT_SYN) {
		s->scale = p->syn_scale;
		s->flags = (s->flags & ~(GW_TCPF_WSCALE | GW_TCPF_SACK)) | p->syn_flags;
	} else if (s->flags & GW_TCPF_WSCALE && peer_scales) {
		win <<= s->scale & 15;
	}
	if (!(s->flags & GW_TCPF_INIT)) {
		s->end = p->end;
		s->ack = p->ack;
		s->win = win;
		s->flags |= GW_TCPF_INIT;
		return;
	}
	if (seq_before(s->end, p->end))
		s->end = p->end;
	if (p->tcp_bits & TCP_BIT_ACK && seq_before(s->ack, p->ack))
		s->ack = p->ack;
	if (s->win < win)
		s->win = win;
}

enum { RST_CLOSES, RST_PASSES, RST_INVALID };

/*
 * The receiver's last ack is the only sequence number that surely closes (RFC 5961 3.2); the sender's own end is what a RST right
 * behind data, or before a gap, carries.  Elsewhere in the window the receiver answers with a challenge ACK: let it.
 */
static __always_inline int tcp_rst_check(const struct pkt *p, bool reply)
{
	const struct tcp_side *own = &p->own, *peer = &p->peer;

	if (p->tcp_state == GW_TCP_SYN_SENT || p->tcp_state == GW_TCP_SYN_SENT2) {
		if (reply) /* an answer to a SYN must ack it (RFC 9293 3.10.7.3) */
			return p->tcp_bits & TCP_BIT_ACK && p->ack == peer->end ? RST_CLOSES
										: RST_INVALID;
		return p->seq == own->end || p->seq + 1 == own->end ? RST_CLOSES : RST_INVALID;
	}
	if (!(peer->flags & GW_TCPF_INIT))
		return RST_CLOSES; /* picked up in the middle: nothing to compare with */
	if (p->seq == peer->ack || (own->flags & GW_TCPF_INIT && p->seq == own->end))
		return RST_CLOSES;
	if (seq_before(p->seq, peer->ack) || seq_before(peer->ack + peer->win, p->seq))
		return RST_INVALID;
	return RST_PASSES;
}

/* The handshake's last ACK must ack what the server sent: a spoofed SYN proves nothing. */
static __always_inline bool tcp_ack_proves(const struct pkt *p)
{
	return !(p->peer.flags & GW_TCPF_INIT) ||
	       !(seq_before(p->peer.end, p->ack) || seq_before(p->ack, p->peer.end - 66000));
}

/*
 * Judge the segment in scratch: p->own, p->peer, p->tcp_state, p->tcp_status are the connection before it.  CT_OK, CT_KILL: they
 * are the connection after it, and p->tcp_assured says that both ends have now proven to mean it.
 */
__noinline int tcp_judge(__u32 reply, __u32 conf_flags)
{
	struct pkt *p = pkt_scratch();
	__u32 index;
	__u8 old, state;
	int r = CT_OK, rst;

	if (!p || !tcp_bits_valid(p->tcp_bits))
		return CT_BAD;
	index = tcp_index(p->tcp_bits);
	old = p->tcp_state;
	state = tcp_next(!!reply, index, old);
	if (state == sIV)
		return CT_BAD;
	if (state == sIG)
		return CT_IGNORE;
	if (state == GW_TCP_SYN_SENT && (old == GW_TCP_TIME_WAIT || old == GW_TCP_CLOSE))
		return CT_REOPEN;
	if (index == TCP_RST_SET) {
		rst = conf_flags & GW_CONF_TCP_BE_LIBERAL ? RST_CLOSES : tcp_rst_check(p, reply);
		if (rst == RST_INVALID)
			return CT_RST_DROP;
		if (rst == RST_PASSES)
			state = old;
		else if (!(p->tcp_status & GW_FLOW_SEEN_REPLY))
			r = CT_KILL; /* of whichever side: there never was a connection */
	}
	if (old == GW_TCP_SYN_RECV && state == GW_TCP_ESTABLISHED && !tcp_ack_proves(p))
		return CT_BAD;
	if (index == TCP_SYN_SET || (index == TCP_SYNACK_SET && old != GW_TCP_SYN_RECV))
		p->own.flags &= ~GW_TCPF_INIT; /* a new sequence space */
	if (index != TCP_RST_SET)
		tcp_learn(&p->own, p, p->peer.flags & GW_TCPF_WSCALE);
	p->tcp_assured = p->tcp_status & GW_FLOW_SEEN_REPLY && !(p->tcp_status & GW_FLOW_ASSURED) &&
			 state == GW_TCP_ESTABLISHED &&
			 (old == GW_TCP_SYN_RECV || old == GW_TCP_ESTABLISHED);
	p->tcp_state = state;
	return r;
}
#endif
