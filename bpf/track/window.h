/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_TRACK_WINDOW_H
#define GW_TRACK_WINDOW_H
/*
 * Does a TCP segment fit the windows of its connection?  What Linux asks (nf_conntrack_proto_tcp.c, tcp_in_window; the bounds are those of
 * van Rooij, "Real Stateful TCP Packet Filtering in IP Filter"), on copies of both sides: what is refused has changed nothing.
 */
#define TCP_BIT_FIN 0x01
#define TCP_BIT_SYN 0x02
#define TCP_BIT_RST 0x04
#define TCP_BIT_ACK 0x10

#define ACK_WINDOW 66000 /* an ACK may be so old, or as old as the largest window */

static __always_inline bool seq_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

static __always_inline bool seq_after(__u32 a, __u32 b)
{
	return (__s32)(b - a) < 0;
}

static __always_inline void side_load(struct tcp_side *s, const struct gw_flow *f,
				      const struct gw_flow *other)
{
	s->end = f->tcp_end;
	s->maxend = other->tcp_maxend;
	s->ack = f->tcp_ack;
	s->win = f->tcp_win;
	s->last = f->tcp_last;
	s->scale = GW_TCP_SCALE(f->tcp_scale);
	s->heard = GW_TCP_HEARD(f->tcp_scale);
	s->flags = f->tcp_flags;
}

static __always_inline void side_store(struct gw_flow *f, const struct tcp_side *s,
				       const struct tcp_side *other)
{
	f->tcp_end = s->end;
	f->tcp_maxend = other->maxend;
	f->tcp_ack = s->ack;
	f->tcp_win = s->win;
	f->tcp_last = s->last;
	f->tcp_scale = s->scale | s->heard << 4;
	f->tcp_flags = s->flags;
}

static __always_inline void side_update(struct gw_flow *f, struct gw_flow *other,
					const struct tcp_side *s, const struct tcp_side *was)
{
	if (s->end != was->end)
		f->tcp_end = s->end;
	if (s->maxend != was->maxend)
		other->tcp_maxend = s->maxend;
	if (s->ack != was->ack)
		f->tcp_ack = s->ack;
	if (s->win != was->win)
		f->tcp_win = s->win;
	if (s->last != was->last)
		f->tcp_last = s->last;
	if (s->scale != was->scale || s->heard != was->heard)
		f->tcp_scale = s->scale | s->heard << 4;
	if (s->flags != was->flags)
		f->tcp_flags = s->flags;
}

/* Both sides of a known connection into scratch. */
static __always_inline void sides_load(struct pkt *p, const struct gw_flow *own,
				       const struct gw_flow *peer)
{
	side_load(&p->own, own, peer);
	side_load(&p->peer, peer, own);
	p->own_was = p->own;
	p->peer_was = p->peer;
}

/*
 * What the judgement changed, and nothing else: the other direction's fast path may have written its half meanwhile, and what it sent would
 * be unknown again.
 */
static __always_inline void sides_update(struct pkt *p, struct gw_flow *own, struct gw_flow *peer)
{
	side_update(own, peer, &p->own, &p->own_was);
	side_update(peer, own, &p->peer, &p->peer_was);
}

/* What makes a segment the same as the one before: struct gw_flow.tcp_last without the count. */
static __always_inline __u32 segment_signature(__u32 seq, __u32 end, __u32 ack, __u16 win)
{
	__u32 h = (seq ^ (ack << 13 | ack >> 19) ^ (__u32)win << 7) * 0x9e3779b1U;

	return (end & 0xffff) | (h >> 20) << 16;
}

/* tcp_last behind a segment with this signature; @silent: nothing came from the other side since the last one. */
static __always_inline __u32 segment_count(__u32 last, __u32 sign, bool silent)
{
	if (!silent || (last & GW_TCP_LAST_SEGMENT) != sign)
		return sign;
	return last >> 28 == 15 ? last : last + (1U << 28);
}

/* One segment, as far as windows are concerned; what it does not say is filled in with what fits. */
struct segment {
	__u32 seq, end, ack, sack, win;
};

static __always_inline __u32 window_of_acks(const struct tcp_side *own)
{
	return own->win > ACK_WINDOW ? own->win : ACK_WINDOW;
}

/* A SYN opens its side's sequence space; windows scale if both SYNs said so (RFC 7323 2.2). */
static __always_inline void side_open(struct pkt *p, bool reply)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;

	own->end = own->maxend = p->end;
	own->win = p->win ?: 1;
	if (p->tcp_doff > 5) {
		own->scale = p->syn_scale;
		own->flags = (own->flags & (GW_TCPF_LIBERAL | GW_TCPF_SIMOPEN)) | p->syn_flags;
	}
	if (reply && !(own->flags & peer->flags & GW_TCPF_WSCALE))
		own->scale = peer->scale = 0;
}

/* The first segment of a side that was picked up in the middle. */
static __always_inline void side_pick_up(struct pkt *p, const struct segment *s)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;

	own->end = s->end;
	own->win = s->win << (own->scale & 15) ?: 1;
	own->maxend = s->end + own->win;
	if (!peer->win)
		peer->end = peer->maxend = s->sack;
	else if (s->sack == peer->end + 1) /* the answer to a keep-alive */
		peer->end++;
}

/* true: a SYN that meets another one, with which there is nothing to compare. */
static __always_inline bool window_begin(struct pkt *p, const struct segment *s, bool reply)
{
	bool syn = p->tcp_bits & TCP_BIT_SYN, ack = p->tcp_bits & TCP_BIT_ACK;

	if (!p->own.win) {
		if (!syn) {
			side_pick_up(p, s);
			return false;
		}
		side_open(p, reply);
		return !ack;
	}
	if (syn && seq_after(s->end, p->own.end) &&
	    (p->tcp_state == GW_TCP_SYN_SENT || p->tcp_state == GW_TCP_SYN_RECV)) {
		side_open(p, reply); /* a client that began again, a server that lost its answer */
		return reply && !ack;
	}
	return false;
}

/* What was acknowledged while only the other half was written (the fast path). */
static __always_inline void sides_settle(struct tcp_side *a, const struct tcp_side *b)
{
	if (b->flags & GW_TCPF_ACKED && b->ack == a->end)
		a->flags &= ~GW_TCPF_UNACKED;
}

enum {
	WIN_OK,
	WIN_BLIND, /* it does not fit, but the connection's windows are not believed: nothing is learnt */
	WIN_IGNORE, /* let pass, nothing is learnt */
	WIN_BAD,
};

/* More than the receiver announced: up to another window of it passes, as senders do that; what was sent may be acknowledged. */
static __always_inline int window_overshot(struct pkt *p, const struct segment *s)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;

	if (!peer->win || !seq_after(s->end, own->end - peer->win - 1) ||
	    !seq_after(s->sack, peer->end - window_of_acks(own) - 1) ||
	    s->end - own->maxend + 1 > peer->win || seq_after(s->sack, peer->end))
		return WIN_BAD;
	own->end = s->end;
	own->flags |= GW_TCPF_UNACKED;
	return WIN_IGNORE;
}

static __always_inline int window_judge(struct pkt *p, const struct segment *s)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;

	if (seq_after(s->seq, own->maxend))
		return window_overshot(p, s);
	if (seq_after(s->sack, peer->end))
		return WIN_BAD; /* nobody has sent that yet */
	if (peer->win && !seq_after(s->end, own->end - peer->win - 1))
		return WIN_IGNORE; /* sent again though acknowledged */
	if (!seq_after(s->sack, peer->end - window_of_acks(own) - 1))
		return WIN_IGNORE; /* very late */
	return WIN_OK;
}

static __always_inline void window_learn(struct pkt *p, const struct segment *s, bool plain)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;
	__u32 win = p->tcp_bits & TCP_BIT_SYN ? s->win : s->win << (own->scale & 15);

	if (own->win < win + (s->sack - s->ack))
		own->win = win + (s->sack - s->ack);
	if (seq_after(s->end, own->end)) {
		own->end = s->end;
		own->flags |= GW_TCPF_UNACKED;
	}
	if (p->tcp_bits & TCP_BIT_ACK &&
	    (!(own->flags & GW_TCPF_ACKED) || seq_after(s->ack, own->ack))) {
		own->ack = s->ack;
		own->flags |= GW_TCPF_ACKED;
	}
	if (peer->win && seq_after(s->end, own->maxend))
		peer->win += s->end - own->maxend;
	if (!seq_before(s->sack + win, peer->maxend))
		peer->maxend = s->sack + win + !win; /* a closed window takes a probe */
	if (s->ack == peer->end)
		peer->flags &= ~GW_TCPF_UNACKED;
	if (!plain)
		return;
	own->last = segment_count(own->last, segment_signature(s->seq, s->end, s->ack, s->win),
				  own->heard == p->tcp_heard);
	own->heard = p->tcp_heard;
	own->flags = s->win ? own->flags & ~GW_TCPF_ZEROWIN : own->flags | GW_TCPF_ZEROWIN;
}

/* A segment of which nothing is believed: whether the last window was a closed one stays as it was. */
static __always_inline void window_blind(struct pkt *p)
{
	struct tcp_side *own = &p->own, *peer = &p->peer;
	bool shut = (own->flags & GW_TCPF_ZEROWIN && own->heard == p->tcp_heard) ||
		    (peer->flags & GW_TCPF_ZEROWIN && peer->heard == p->tcp_sent);

	if (p->noted.valid)
		shut = !p->noted.win;
	own->flags = shut ? own->flags | GW_TCPF_ZEROWIN : own->flags & ~GW_TCPF_ZEROWIN;
	own->heard = p->tcp_heard;
}

static __always_inline __u32 window_cap(const struct tcp_side *own, __u32 most, __u32 least)
{
	__u32 cap = seq_before(most, own->maxend) ? most : own->maxend;

	return seq_after(cap, least) ? cap : least;
}

/*
 * Judge the segment in scratch against p->own, its sender, and p->peer, and learn from it.  @plain: an ACK without SYN, FIN, RST.
 */
static __always_inline int tcp_window(struct pkt *p, bool reply, bool plain, bool liberal)
{
	struct segment s = {
		.seq = p->seq, .end = p->end, .ack = p->ack, .sack = p->ack, .win = p->win
	};
	bool rst = p->tcp_bits & TCP_BIT_RST;
	int r;

	sides_settle(&p->own, &p->peer);
	sides_settle(&p->peer, &p->own);
	if (p->peer.flags & GW_TCPF_SACK)
		s.sack = p->sack;
	if (p->flags & PKT_FRAG) /* how much follows is not known: what the receiver may take */
		s.end = window_cap(&p->own, s.seq + 0xffff, s.end);
	if (window_begin(p, &s, reply))
		return WIN_OK;
	if (!(p->tcp_bits & TCP_BIT_ACK) || (rst && !s.ack))
		s.ack = s.sack = p->peer.end;
	if (rst && !s.seq && p->tcp_state == GW_TCP_SYN_SENT)
		s.seq = s.end = p->own.end;
	r = window_judge(p, &s);
	if (r != WIN_OK && liberal) {
		if (plain)
			window_blind(p);
		return WIN_BLIND;
	}
	if (r != WIN_OK)
		return r;
	window_learn(p, &s, plain);
	return WIN_OK;
}
#endif
