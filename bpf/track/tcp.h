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

/* [direction * 128 + flag set * 16 + state] */
static const __u8 tcp_table[256] = {
	/* original:    NO   SS   SR   ES   FW   CW   LA   TW   CL   S2 */
	/* syn    */ sSS,
	sSS,
	sIG,
	sIG,
	sIG,
	sIG,
	sIG,
	sSS,
	sSS,
	sS2,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* synack */ sIV,
	sIV,
	sSR,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sSR,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* fin    */ sIV,
	sIV,
	sFW,
	sFW,
	sLA,
	sLA,
	sLA,
	sTW,
	sCL,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* ack    */ sES,
	sIV,
	sES,
	sES,
	sCW,
	sCW,
	sTW,
	sTW,
	sCL,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* rst    */ sIV,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* none   */ sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	[96 ... 127] = sIV,
	/* reply */
	/* syn    */[128] = sIV,
	sS2,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sSS,
	sIV,
	sS2,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* synack */ sIV,
	sSR,
	sIG,
	sIG,
	sIG,
	sIG,
	sIG,
	sIG,
	sIG,
	sSR,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* fin    */ sIV,
	sIV,
	sFW,
	sFW,
	sLA,
	sLA,
	sLA,
	sTW,
	sCL,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* ack    */ sIV,
	sIG,
	sSR,
	sES,
	sCW,
	sCW,
	sTW,
	sTW,
	sCL,
	sIG,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* rst    */ sIV,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sCL,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	/* none   */ sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	sIV,
	[224 ... 255] = sIV,
};

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
	return tcp_table[i];
}

static __always_inline bool seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

/* Learn from an accepted segment of the side that owns @f; @peer_scales: the other side sent a window scale too. */
static __always_inline void tcp_learn(struct gw_flow *f, __u32 end, __u32 ack, __u32 win, __u8 bits,
				      bool peer_scales)
{
	if (!(bits & TCP_BIT_SYN) && f->tcp_flags & GW_TCPF_WSCALE && peer_scales)
		win <<= f->tcp_scale & 15;
	if (!(f->tcp_flags & GW_TCPF_INIT)) {
		f->tcp_end = end;
		f->tcp_ack = ack;
		f->tcp_win = win;
		f->tcp_flags |= GW_TCPF_INIT;
		return;
	}
	if (seq_before(f->tcp_end, end))
		f->tcp_end = end;
	if (bits & TCP_BIT_ACK && (seq_before(f->tcp_ack, ack) || bits & TCP_BIT_SYN))
		f->tcp_ack = ack;
	if (f->tcp_win < win)
		f->tcp_win = win;
}

/* What to do with a RST of the side that owns @own: */
enum { RST_CLOSES, RST_PASSES, RST_INVALID };

/*
 * The receiver's last ack is the only sequence number that surely closes (RFC 5961 3.2); the sender's own end is what a RST right
 * behind data, or before a gap, carries.  Elsewhere in the window the receiver answers with a challenge ACK: let it.
 */
static __always_inline int tcp_rst_check(const struct gw_flow *own, const struct gw_flow *peer,
					 __u32 seq, __u32 ack, __u8 bits, __u8 state)
{
	if (state == GW_TCP_SYN_SENT || state == GW_TCP_SYN_SENT2) {
		if (own->flags &
		    GW_FLOW_REPLY) /* an answer to our SYN must ack it (RFC 9293 3.10.7.3) */
			return bits & TCP_BIT_ACK && ack == peer->tcp_end ? RST_CLOSES
									  : RST_INVALID;
		return seq == own->tcp_end || seq + 1 == own->tcp_end ? RST_CLOSES : RST_INVALID;
	}
	if (!(peer->tcp_flags & GW_TCPF_INIT))
		return RST_CLOSES; /* picked up in the middle: nothing to compare with */
	if (seq == peer->tcp_ack || (own->tcp_flags & GW_TCPF_INIT && seq == own->tcp_end))
		return RST_CLOSES;
	if (seq_before(seq, peer->tcp_ack) || seq_before(peer->tcp_ack + peer->tcp_win, seq))
		return RST_INVALID;
	return RST_PASSES;
}
#endif
