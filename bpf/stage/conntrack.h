/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_CONNTRACK_H
#define GW_STAGE_CONNTRACK_H
/*
 * conntrack: which connection is it, and does the packet fit?
 *
 * in:   p->t
 * out:  p->ctstate; known connections: p->out (what to leave as), PKT_REPLY, counters and state moved, events sent.
 *       PKT_NEW: there is none yet and the packet may start one.
 * drop: ct-rst
 */
struct ct {
	struct gw_flow *own, *peer; /* the packet's direction and the other; NULL = no flow */
	bool est;		    /* found in the assured table */
};

enum { CT_OK, CT_IGNORE, CT_BAD, CT_REOPEN, CT_RST_DROP };

/* The flow of p->t, if it is whole and alive.  Leaves the peer's key in p->alt. */
static __always_inline void ct_lookup(struct pkt *p, struct gw_conf *conf, struct ct *ct,
				      const bool v6)
{
	struct gw_flow *own = flow_find_est(&p->t, v6), *peer, *orig;

	ct->own = ct->peer = NULL;
	ct->est = own;
	if (!own)
		own = flow_find_emb(&p->t, v6);
	if (!own || own->flags & GW_FLOW_DYING)
		return;
	key_copy(&p->alt, flow_peer(own, v6), v6);
	peer = flow_find(&p->alt, v6);
	if (!peer || peer->id != own->id) {
		/* the LRU took the other half: what is left is not a connection */
		flow_erase_emb(&p->t, v6);
		if (!flow_erase_est(&p->t, v6) && !(own->flags & GW_FLOW_REPLY))
			count_add(-1, v6);
		stat_add(GW_STAT_EMB_EVICTED, 1);
		return;
	}
	orig = own->flags & GW_FLOW_REPLY ? peer : own;
	if (p->now - flow_last(own, peer) > flow_timeout(conf, p->proto, orig) &&
	    (__s32)(p->now - flow_last(own, peer)) > 0) {
		if (own->flags & GW_FLOW_REPLY)
			flow_end(peer, own, &p->alt, &p->t, GW_CAUSE_TIMEOUT, 0, v6);
		else
			flow_end(own, peer, &p->t, &p->alt, GW_CAUSE_TIMEOUT, 0, v6);
		return;
	}
	ct->own = own;
	ct->peer = peer;
}

/* TCP options in p->opts: window scale and SACK permitted (RFC 7323 2, RFC 2018 2). */
struct options {
	__u32 at, len;
	__u32 scale, flags;
};

static long options_step(__u32 i, struct options *o)
{
	struct pkt *p = pkt_scratch();
	__u8 kind, size;

	if (!p || o->at >= o->len)
		return 1;
	kind = p->opts[o->at & 63];
	if (!kind)
		return 1;
	if (kind == 1) {
		o->at++;
		return 0;
	}
	size = p->opts[(o->at + 1) & 63];
	if (size < 2 || o->at + size > o->len)
		return 1;
	if (kind == 3 && size == 3) {
		o->scale = p->opts[(o->at + 2) & 63];
		o->flags |= GW_TCPF_WSCALE;
	} else if (kind == 4 && size == 2) {
		o->flags |= GW_TCPF_SACK;
	}
	o->at += size;
	return 0;
}

/* scale << 8 | GW_TCPF_* of the options in scratch */
__noinline int tcp_options(__u32 len)
{
	struct options o = { .len = len & 63 };

	bpf_loop(40, options_step, &o, 0);
	return (o.scale > 14 ? 14 : o.scale) << 8 | o.flags;
}

/* Learn them from a SYN. */
static __always_inline void ct_tcp_options(struct __sk_buff *skb, struct pkt *p, struct gw_flow *f)
{
	__u32 len = p->tcp_doff * 4 - 20;
	int found;

	f->tcp_scale = 0;
	f->tcp_flags &= ~(GW_TCPF_WSCALE | GW_TCPF_SACK);
	if (len < 1 || len > 40 || bpf_skb_load_bytes(skb, p->l4 + 20, p->opts, len))
		return;
	found = tcp_options(len);
	f->tcp_scale = found >> 8 & 15;
	f->tcp_flags |= found & (GW_TCPF_WSCALE | GW_TCPF_SACK);
}

static __always_inline int ct_tcp_rst(struct pkt *p, struct gw_conf *conf, struct ct *ct,
				      __u8 *state)
{
	struct gw_flow *orig = p->flags & PKT_REPLY ? ct->peer : ct->own;
	int r = tcp_rst_check(ct->own, ct->peer, p->seq, p->ack, p->tcp_bits, orig->state);

	if (r == RST_INVALID && !(conf->flags & GW_CONF_TCP_BE_LIBERAL))
		return CT_RST_DROP;
	if (r == RST_PASSES && !(conf->flags & GW_CONF_TCP_BE_LIBERAL)) {
		*state = orig->state;
		return CT_OK;
	}
	/* a RST as the only answer: there never was a connection (nf_conntrack_tcp_packet) */
	if (p->flags & PKT_REPLY && !(orig->flags & GW_FLOW_SEEN_REPLY))
		p->flags |= PKT_KILL;
	return CT_OK;
}

/* One segment of a known connection.  *assured: it is proven that both ends mean it. */
static __always_inline int ct_tcp(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				  struct ct *ct, bool *changed, bool *assured)
{
	bool reply = p->flags & PKT_REPLY;
	struct gw_flow *orig = reply ? ct->peer : ct->own;
	__u32 index = tcp_index(p->tcp_bits);
	__u8 old = orig->state, state;
	int r;

	if (!tcp_bits_valid(p->tcp_bits))
		return CT_BAD;
	state = tcp_next(reply, index, old);
	if (state == sIV)
		return CT_BAD;
	if (state == sIG)
		return CT_IGNORE;
	if (state == GW_TCP_SYN_SENT && (old == GW_TCP_TIME_WAIT || old == GW_TCP_CLOSE))
		return CT_REOPEN;
	if (index == TCP_RST_SET) {
		r = ct_tcp_rst(p, conf, ct, &state);
		if (r)
			return r;
	}
	/* the handshake's last ACK must ack what the server sent: a spoofed SYN proves nothing */
	if (old == GW_TCP_SYN_RECV && state == GW_TCP_ESTABLISHED &&
	    ct->peer->tcp_flags & GW_TCPF_INIT &&
	    (seq_before(ct->peer->tcp_end, p->ack) ||
	     seq_before(p->ack, ct->peer->tcp_end - 66000)))
		return CT_BAD;
	if (index == TCP_SYN_SET || (index == TCP_SYNACK_SET && old != GW_TCP_SYN_RECV)) {
		ct->own->tcp_flags &= ~GW_TCPF_INIT; /* a new sequence space */
		ct_tcp_options(skb, p, ct->own);
	}
	if (index != TCP_RST_SET)
		tcp_learn(ct->own, p->end, p->ack, p->win, p->tcp_bits,
			  ct->peer->tcp_flags & GW_TCPF_WSCALE);
	*assured = orig->flags & GW_FLOW_SEEN_REPLY && !(orig->flags & GW_FLOW_ASSURED) &&
		   state == GW_TCP_ESTABLISHED &&
		   (old == GW_TCP_SYN_RECV || old == GW_TCP_ESTABLISHED);
	*changed = state != old;
	ct->own->state = state;
	ct->peer->state = state;
	return CT_OK;
}

static __always_inline __u64 boot_seconds(void)
{
	return bpf_ktime_get_boot_ns() / 1000000000ULL + gw_clock_skew / cfg_hz;
}

/* Does a UDP flow become a stream now?  nf_conntrack_udp_packet: an original or reply packet more than 2 s after the first. */
static __always_inline bool ct_udp_assured(const struct gw_flow *orig)
{
	return orig->flags & GW_FLOW_SEEN_REPLY && !(orig->flags & GW_FLOW_ASSURED) &&
	       boot_seconds() > orig->created + 2;
}

static __always_inline void ct_set(struct ct *ct, __u16 bits)
{
	ct->own->flags |= bits;
	ct->peer->flags |= bits;
}

static __always_inline void ct_tell(struct pkt *p, struct gw_conf *conf, struct ct *ct, __u8 type,
				    const bool v6)
{
	bool reply = p->flags & PKT_REPLY;
	struct gw_flow *orig = reply ? ct->peer : ct->own, *other = reply ? ct->own : ct->peer;
	union gw_key *ko = reply ? &p->alt : &p->t, *kr = reply ? &p->t : &p->alt;
	__u32 timeout = conf->timeout[timeout_class(p->proto, orig) & (GW_TIMEOUT_MAX - 1)];

	event_send(type, 0, orig, other, ko, kr, timeout / cfg_hz, v6);
}

/* After the protocol said yes: flags, counters, events, promotion. */
static __always_inline void ct_accept(struct pkt *p, struct gw_conf *conf, struct ct *ct,
				      bool changed, bool assured, const bool v6)
{
	bool reply = p->flags & PKT_REPLY;
	struct gw_flow *orig = reply ? ct->peer : ct->own, *other = reply ? ct->own : ct->peer;
	union gw_key *ko = reply ? &p->alt : &p->t, *kr = reply ? &p->t : &p->alt;
	bool generic =
		p->proto != IPPROTO_TCP && p->proto != IPPROTO_ICMP && p->proto != IPPROTO_ICMPV6;

	if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE) {
		assured = ct_udp_assured(orig);
		generic = false;
	}
	if (reply && !(orig->flags & GW_FLOW_SEEN_REPLY)) {
		ct_set(ct, GW_FLOW_SEEN_REPLY);
		changed = true;
	}
	if (assured)
		ct_set(ct, GW_FLOW_ASSURED);
	if (p->flags & PKT_KILL)
		return; /* its DESTROY follows */
	if (changed || assured)
		ct_tell(p, conf, ct, GW_EVENT_UPDATE, v6);
	/* netfilter never calls a generic flow assured; two-way traffic is proof enough to keep it */
	if (ct->est ||
	    !(orig->flags & GW_FLOW_ASSURED || (generic && orig->flags & GW_FLOW_SEEN_REPLY)))
		return;
	if (!flow_promote(conf, orig, other, ko, kr, v6)) {
		ct->own = flow_find_est(&p->t, v6);
		ct->peer = flow_find_est(&p->alt, v6);
	}
}

static __always_inline int ct_known(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				    struct ct *ct, const bool v6)
{
	bool changed = false, assured = false;
	int r = CT_OK;

	p->flags = ct->own->flags & GW_FLOW_REPLY ? p->flags | PKT_REPLY : p->flags & ~PKT_REPLY;
	if (p->proto == IPPROTO_TCP && !(p->flags & PKT_FRAG_LATER))
		r = ct_tcp(skb, p, conf, ct, &changed, &assured);
	if (r == CT_REOPEN || r == CT_BAD || r == CT_RST_DROP)
		return r;
	key_swap(&p->out, &p->alt, v6);
	p->ctmark = ct->own->mark;
	p->ctstate = p->flags & PKT_REPLY || ct->own->flags & GW_FLOW_SEEN_REPLY ? GW_CT_ESTABLISHED
										 : GW_CT_NEW;
	ct->own->pkts++;
	ct->own->bytes += p->len;
	if (r == CT_IGNORE)
		return CT_OK;
	ct->own->seen = p->now;
	ct_accept(p, conf, ct, changed, assured, v6);
	return CT_OK;
}

/* May this packet start a connection? */
static __always_inline bool ct_may_start(struct pkt *p, struct gw_conf *conf, const bool v6)
{
	__u32 index;

	if (p->flags & PKT_FRAG_LATER)
		return false;
	if (p->proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return (p->flags & (PKT_QUERY | PKT_REPLY)) == PKT_QUERY;
	if (p->proto != IPPROTO_TCP)
		return true;
	if (!tcp_bits_valid(p->tcp_bits))
		return false;
	index = tcp_index(p->tcp_bits);
	if (index == TCP_SYN_SET)
		return true;
	return index == TCP_ACK_SET && conf->flags & GW_CONF_TCP_LOOSE;
}

static __always_inline int stage_conntrack(struct __sk_buff *skb, struct pkt *p,
					   struct gw_conf *conf, struct ct *ct, const bool v6)
{
	int r;

	key_copy(&p->out, &p->t, v6);
	ct->own = ct->peer = NULL;
	if (p->flags & PKT_NOTRACK) {
		p->ctstate = GW_CT_UNTRACKED;
		return 0;
	}
	ct_lookup(p, conf, ct, v6);
	if (ct->own) {
		r = ct_known(skb, p, conf, ct, v6);
		if (r == CT_OK)
			return 0;
		if (r == CT_RST_DROP)
			return GW_REASON_CT_RST;
		if (r == CT_REOPEN) {
			if (p->flags & PKT_REPLY)
				flow_end(ct->peer, ct->own, &p->alt, &p->t, GW_CAUSE_KILL, 0, v6);
			else
				flow_end(ct->own, ct->peer, &p->t, &p->alt, GW_CAUSE_KILL, 0, v6);
			p->flags &= ~PKT_REPLY;
		}
		ct->own = ct->peer = NULL;
		if (r == CT_BAD) {
			p->ctstate = GW_CT_INVALID;
			stat_add(GW_STAT_INVALID, 1);
			return 0;
		}
	}
	if (!ct_may_start(p, conf, v6)) {
		p->ctstate = GW_CT_INVALID;
		stat_add(GW_STAT_INVALID, 1);
		return 0;
	}
	p->flags = (p->flags | PKT_NEW) & ~PKT_REPLY;
	p->ctstate = GW_CT_NEW;
	return 0;
}
#endif
