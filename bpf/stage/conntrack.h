/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_CONNTRACK_H
#define GW_STAGE_CONNTRACK_H
/*
 * conntrack: which connection is it, and does the packet fit?
 *
 * in:   p->t
 * out:  p->ctstate; known connections: p->out (what to leave as), PKT_REPLY, counters and state moved, events sent.
 *       PKT_NEW: there is none yet and the packet may start one.
 * drop: ct-rst, ct-tcp
 */
/* The flow of p->t, if it is whole and alive.  Leaves the peer's key in p->alt. */
static __always_inline void ct_lookup(struct pkt *p, struct gw_conf *conf, struct ct *ct,
				      const bool v6)
{
	struct gw_flow *own = flow_find_est(&p->t, v6), *peer, *orig;
	__u32 idle;

	ct->own = ct->peer = NULL;
	ct->est = own;
	if (!own)
		own = flow_find_emb(&p->t, v6);
	if (!own) /* promoted between the two looks? */
		ct->est = own = flow_find_est(&p->t, v6);
	if (!own || own->flags & GW_FLOW_DYING)
		return;
	key_copy(&p->alt, flow_peer(own, v6), v6);
	peer = flow_find(&p->alt, v6);
	if (!peer || peer->id != own->id) {
		/* the LRU took the other half: what is left is not a connection */
		flow_erase_emb(&p->t, v6);
		if (!flow_erase_est(&p->t, v6))
			count_add(-1, v6);
		stat_add(GW_STAT_EMB_EVICTED, 1);
		return;
	}
	orig = own->flags & GW_FLOW_REPLY ? peer : own;
	idle = p->now - flow_last(own, peer);
	if ((__s32)idle > 0 &&
	    idle > flow_timeout(conf, p->proto, orig, orig == own ? peer : own, p->now - idle)) {
		ct_end(v6, GW_CAUSE_TIMEOUT);
		return;
	}
	ct->own = own;
	ct->peer = peer;
}

static __always_inline void ct_set(struct ct *ct, __u16 bits)
{
	flow_set(ct->own, bits);
	flow_set(ct->peer, bits);
}

static __always_inline void ct_clear(struct ct *ct, __u16 bits)
{
	flow_clear(ct->own, bits);
	flow_clear(ct->peer, bits);
}

/* Keep or drop the note of a segment that was let pass. */
static __always_inline void ct_note(struct pkt *p, struct ct *ct, int r)
{
	if (r == CT_NOTE)
		ct_set(ct, noted_keep(p->tcp_status));
	else if (p->noted.valid && r != CT_IGNORE)
		ct_clear(ct, noted_drop());
}

/* One segment of a known connection: judged on copies (tcp_judge), then written back. */
static __always_inline int ct_tcp(struct pkt *p, struct gw_conf *conf, struct ct *ct, bool *changed,
				  bool *assured)
{
	bool reply = p->flags & PKT_REPLY;
	struct gw_flow *orig = reply ? ct->peer : ct->own;
	__u8 old = orig->state;
	int r;

	p->tcp_state = old;
	p->tcp_status = orig->flags;
	p->tcp_id = orig->id;
	p->tcp_heard = ct->peer->pkts & 15;
	p->tcp_sent = ct->own->pkts & 15;
	sides_load(p, ct->own, ct->peer);
	noted_load(p, orig->flags);
	r = tcp_judge(reply, conf->flags);
	if (r == CT_BAD || r == CT_RST_DROP || r == CT_REOPEN)
		return r;
	ct_note(p, ct, r);
	if (r == CT_NOTE)
		return CT_IGNORE;
	if (r == CT_KILL)
		p->flags |= PKT_KILL;
	ct_judged(p, ct, old, changed, assured);
	return r == CT_IGNORE ? r : CT_OK;
}

static __always_inline __u64 boot_seconds(void)
{
	return gw_boot_ns() / 1000000000ULL;
}

/* Does a UDP flow become a stream now?  nf_conntrack_udp_packet: an original or reply packet more than 2 s after the first. */
static __always_inline bool ct_udp_assured(const struct gw_flow *orig)
{
	return orig->flags & GW_FLOW_SEEN_REPLY && !(orig->flags & GW_FLOW_ASSURED) &&
	       boot_seconds() > orig->created + 2;
}

/* After the protocol said yes: flags, events, promotion. */
static __always_inline void ct_accept(struct pkt *p, struct ct *ct, bool changed, bool assured,
				      const bool v6)
{
	bool reply = p->flags & PKT_REPLY;
	struct gw_flow *orig = reply ? ct->peer : ct->own;
	bool udp = p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE;
	bool generic = !udp && p->proto != IPPROTO_TCP && p->proto != IPPROTO_ICMP &&
		       p->proto != IPPROTO_ICMPV6 && !ct_is_sctp(p) && p->proto != IPPROTO_GRE;
	__u32 what = 0, status;

	if (udp)
		assured = ct_udp_assured(orig);
	if (p->proto == IPPROTO_GRE) /* gre_packet(): the second packet after the first answer */
		assured = orig->flags & GW_FLOW_SEEN_REPLY && !(orig->flags & GW_FLOW_ASSURED);
	changed |= reply && !(orig->flags & GW_FLOW_SEEN_REPLY);
	status = orig->flags | (reply ? GW_FLOW_SEEN_REPLY : 0) | (assured ? GW_FLOW_ASSURED : 0);
	if (changed || assured)
		what |= CT_NEWS_UPDATE;
	/* netfilter never calls a generic flow assured; two-way traffic is proof enough to keep it */
	if (!ct->est && status & (generic ? GW_FLOW_SEEN_REPLY : GW_FLOW_ASSURED))
		what |= CT_NEWS_PROMOTE;
	if (!what)
		return;
	ct_set(ct, status & (GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED));
	if (!(p->flags & PKT_KILL)) /* its DESTROY follows */
		p->news = what;
}

static __always_inline int ct_known(struct pkt *p, struct gw_conf *conf, struct ct *ct,
				    const bool v6)
{
	bool changed = false, assured = false;
	int r = CT_OK;

	p->flags = ct->own->flags & GW_FLOW_REPLY ? p->flags | PKT_REPLY : p->flags & ~PKT_REPLY;
	if (p->proto == IPPROTO_TCP && !(p->flags & PKT_FRAG_LATER))
		r = ct_tcp(p, conf, ct, &changed, &assured);
	else if (ct_is_sctp(p) && !(p->flags & PKT_FRAG_LATER))
		r = ct_sctp(p, ct, &changed, &assured);
	if (r == CT_REOPEN || r == CT_BAD || r == CT_RST_DROP)
		return r;
	key_swap(&p->out, &p->alt, v6);
	p->ctmark = ct->own->mark;
	p->ctstate = p->flags & PKT_REPLY || ct->own->flags & GW_FLOW_SEEN_REPLY ? GW_CT_ESTABLISHED
										 : GW_CT_NEW;
	if (r !=
	    CT_IGNORE) { /* what teaches nothing keeps nothing alive and is not counted, but an answer it is */
		ct->own->pkts += pkt_count(p);
		ct->own->bytes += pkt_bytes(p);
		ct->own->seen = p->now;
	}
	ct_accept(p, ct, changed, assured, v6);
	return CT_OK;
}

/*
 * Is it a damaged segment that could change something?  The data of an established connection is not looked at, here as on the fast path: its
 * ends do that, and a sum over every byte costs more than all the rest.
 */
static __always_inline bool ct_damaged(struct __sk_buff *skb, struct pkt *p, struct gw_conf *conf,
				       struct ct *ct, const bool v6)
{
	if (p->proto != IPPROTO_TCP || !(conf->flags & GW_CONF_CHECKSUM) ||
	    p->flags & PKT_FRAG_LATER)
		return false;
	if (ct->own && ct->own->state == GW_TCP_ESTABLISHED && ct->own->flags & GW_FLOW_ASSURED &&
	    tcp_index(p->tcp_bits) == TCP_ACK_SET)
		return false;
	return v6 ? tcp_sum_bad6(skb) : tcp_sum_bad4(skb);
}

/* INVALID: the rules will see it; in strict mode they do not see a TCP segment any more. */
static __always_inline int ct_invalid(struct pkt *p, struct gw_conf *conf)
{
	p->ctstate = GW_CT_INVALID;
	stat_add(GW_STAT_INVALID, 1);
	return p->proto == IPPROTO_TCP && conf->flags & GW_CONF_TCP_STRICT ? GW_REASON_CT_TCP : 0;
}

/* May this packet start a connection? */
static __always_inline bool ct_may_start(struct pkt *p, struct gw_conf *conf, const bool v6)
{
	__u32 index;

	if (p->proto == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return (p->flags & (PKT_QUERY | PKT_REPLY)) == PKT_QUERY;
	if (ct_is_sctp(p))
		return ct_sctp_first(p) == CT_OK;
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
	if (ct_damaged(skb, p, conf, ct, v6)) {
		ct->own = ct->peer = NULL;
		return ct_invalid(p, conf);
	}
	if (ct->own) {
		r = ct_known(p, conf, ct, v6);
		if (r == CT_OK)
			return 0;
		if (r == CT_RST_DROP)
			return GW_REASON_CT_RST;
		if (r == CT_REOPEN) {
			ct_end(v6, GW_CAUSE_KILL);
			p->flags &= ~PKT_REPLY;
		}
		ct->own = ct->peer = NULL;
		if (r == CT_BAD)
			return ct_invalid(p, conf);
	}
	if (p->flags &
	    PKT_FRAG_LATER) { /* of a packet whose first part was refused: it meets the same rules, and makes nothing */
		p->ctstate = GW_CT_NEW;
		return 0;
	}
	if (!ct_may_start(p, conf, v6))
		return ct_invalid(p, conf);
	p->flags = (p->flags | PKT_NEW) & ~PKT_REPLY;
	p->ctstate = GW_CT_NEW;
	return 0;
}

/* A function of its own, so that its paths do not multiply with those of what follows. */
__noinline int conntrack4(struct __sk_buff *skb)
{
	struct gw_conf *conf = conf_get();
	struct pkt *p = pkt_scratch();
	struct ct ct;

	return p && conf ? stage_conntrack(skb, p, conf, &ct, false) : GW_REASON_INTERNAL;
}

__noinline int conntrack6(struct __sk_buff *skb)
{
	struct gw_conf *conf = conf_get();
	struct pkt *p = pkt_scratch();
	struct ct ct;

	return p && conf ? stage_conntrack(skb, p, conf, &ct, true) : GW_REASON_INTERNAL;
}

static __always_inline int conntrack(struct __sk_buff *skb, const bool v6)
{
	return v6 ? conntrack6(skb) : conntrack4(skb);
}
#endif
