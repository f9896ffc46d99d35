/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_HOOK_FAST_H
#define GW_HOOK_FAST_H
/*
 * The fast path: a plain packet of an assured flow whose verdict and route are cached.  One lookup, headers by direct access.
 *
 * It only ever does what the slow path would do for the same packet; whatever is not plain returns FAST_NO untouched.
 */
#define FAST_NO (-2)
#define FAST_L3 \
	14 /* devices without Ethernet header take the slow path: a constant offset is worth more */

struct fast {
	union gw_key key, out;
	__u32 len, now;
	__u8 proto, tos, bits, doff;
	__u32 seq, end, ack;
	__u32 win; /* scaled, once fast_tcp() was there */
	__u32 tcp_last;
	__u16 win_raw;
	__u8 heard;
	bool options; /* other than a timestamp: there may be SACK blocks */
};

static __always_inline bool fast_parse_l4(struct fast *f, void *l4, void *end, __u32 room,
					  const bool v6)
{
	if (f->proto == IPPROTO_TCP) {
		struct tcphdr *th = l4;

		if ((void *)(th + 1) > end || room < th->doff * 4u || th->doff < 5)
			return false;
		key_sport(&f->key, v6) = th->source;
		key_dport(&f->key, v6) = th->dest;
		f->bits = ((__u8 *)th)[13];
		f->doff = th->doff;
		f->seq = bpf_ntohl(th->seq);
		f->end = f->seq + room - th->doff * 4u;
		f->ack = bpf_ntohl(th->ack_seq);
		f->win_raw = bpf_ntohs(th->window);
		f->options = th->doff != 5;
		if (th->doff == 8 && (void *)(th + 1) + 4 <= end)
			f->options = *(__u32 *)(th + 1) != bpf_htonl(0x0101080a);
		/* ACK and nothing but PSH, ECE, CWR beside it: cannot change the state of an established connection */
		return (f->bits & 0x37) == TCP_BIT_ACK;
	}
	if (f->proto == IPPROTO_UDP) {
		struct udphdr *uh = l4;

		if ((void *)(uh + 1) > end || bpf_ntohs(uh->len) < 8 || bpf_ntohs(uh->len) > room)
			return false;
		key_sport(&f->key, v6) = uh->source;
		key_dport(&f->key, v6) = uh->dest;
		f->doff = 2;
		return true;
	}
	return false;
}

/* ip_rcv() would drop a damaged header, and so does the slow path. */
static __always_inline bool ip_sum_is_good(const struct iphdr *h)
{
	const __u32 *w = (const void *)h;

	return csum_fold16((__u64)w[0] + w[1] + w[2] + w[3] + w[4]) == 0xffff;
}

static __always_inline bool fast_parse(struct __sk_buff *skb, struct fast *f, const bool v6)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 frame = skb->len - FAST_L3, head;

	__builtin_memset(&f->key, 0, sizeof(f->key));
	if (v6) {
		struct ipv6hdr *h = data + FAST_L3;

		if ((void *)(h + 1) > end || h->version != 6 || h->hop_limit <= 1)
			return false;
		head = sizeof(*h);
		f->len = bpf_ntohs(h->payload_len) + head;
		f->proto = h->nexthdr;
		for (int i = 0; i < 4; i++) {
			f->key.v6.saddr[i] = h->saddr.in6_u.u6_addr32[i];
			f->key.v6.daddr[i] = h->daddr.in6_u.u6_addr32[i];
		}
		f->key.v6.proto = f->proto;
	} else {
		struct iphdr *h = data + FAST_L3;

		if ((void *)(h + 1) > end || h->version != 4 || h->ihl != 5 || h->ttl <= 1 ||
		    h->frag_off & bpf_htons(0x3fff) || !ip_sum_is_good(h))
			return false;
		head = sizeof(*h);
		f->len = bpf_ntohs(h->tot_len);
		f->proto = h->protocol;
		f->tos = h->tos;
		f->key.v4.saddr = h->saddr;
		f->key.v4.daddr = h->daddr;
		f->key.v4.proto = f->proto;
	}
	if (f->len > frame || f->len < head)
		return false;
	return fast_parse_l4(f, data + FAST_L3 + head, end, f->len - head, v6);
}

/*
 * Is what the entry remembers still in force for this packet?  One branch for all that must be equal: they nearly always are.
 */
static __always_inline bool fast_holds(struct fast *f, const struct gw_conf *conf,
				       const struct gw_flow *e, __u32 kx, __u32 iif, const bool v6)
{
	bool tcp = f->proto == IPPROTO_TCP;
	__u32 class = tcp ? GW_TCP_ESTABLISHED : GW_TIMEOUT_UDP_STREAM;
	__u32 differs;

	differs = (e->gen ^ conf->gen) | (e->iif ^ iif) | (e->kx ^ kx);
	differs |= e->verdict ^ (GW_CT_ESTABLISHED << 4 | GW_VERDICT_ACCEPT);
	differs |= e->flags & (GW_FLOW_SLOW | GW_FLOW_DYING | GW_FLOW_NOFAST);
	differs |= e->state ^ (tcp ? GW_TCP_ESTABLISHED : GW_TCP_NONE);
	return !differs && f->now - e->seen < conf->timeout[class] >> (conf->pressure & 31);
}

static __always_inline void fast_touch(struct fast *f, struct gw_flow *e)
{
	e->seen = f->now;
	e->pkts++;
	e->bytes += f->len;
	if (f->proto == IPPROTO_TCP) {
		__u8 flags = e->tcp_flags & ~GW_TCPF_ZEROWIN;

		if (seq_before(e->tcp_end, f->end)) {
			e->tcp_end = f->end;
			flags |= GW_TCPF_UNACKED;
		}
		if (seq_before(e->tcp_ack, f->ack))
			e->tcp_ack = f->ack;
		if (e->tcp_win < f->win)
			e->tcp_win = f->win;
		if (seq_before(e->tcp_maxend, f->ack + f->win))
			e->tcp_maxend = f->ack + f->win;
		e->tcp_last = f->tcp_last;
		e->tcp_scale = GW_TCP_SCALE(e->tcp_scale) | f->heard << 4;
		e->tcp_flags = flags;
	}
	count_raise(e->rule, f->len);
	if (e->rule2)
		count_raise(e->rule2, f->len);
}

static __always_inline bool fast_routed(struct __sk_buff *skb, struct fast *f,
					const struct gw_conf *conf, const struct gw_flow *e,
					const bool v6)
{
	const __u32 head = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 size = skb->gso_size ? skb->gso_size + head + f->doff * 4u : f->len;

	return route_holds(conf, e, f->now) && size <= e->mtu;
}

/* Ports and checksum, stored. */
static __always_inline int fast_l4_store(struct __sk_buff *skb, struct fast *f, __u32 l4,
					 const bool v6)
{
	void *data = (void *)(long)skb->data + l4, *end = (void *)(long)skb->data_end;
	__u32 from = key_ports(&f->key, v6), to = key_ports(&f->out, v6);
	__u64 diff = csum_move(diff_addr(&f->key, &f->out, v6), from, to);
	bool udp = f->proto == IPPROTO_UDP;

	if (data + (udp ? sizeof(struct udphdr) : sizeof(struct tcphdr)) > end)
		return -1;
	if (udp)
		sum_store(&((struct udphdr *)data)->check, diff, true);
	else
		sum_store(&((struct tcphdr *)data)->check, diff, false);
	*(__u32 *)data = to;
	return 0;
}

/* The same where the checksum is not all in the packet. */
static __always_inline int fast_l4_update(struct __sk_buff *skb, struct fast *f, __u32 l4,
					  const bool v6)
{
	void *data, *end;

	if (l4_csum_update(skb, l4, f->proto, &f->key, &f->out, v6))
		return -1;
	if (key_ports(&f->key, v6) == key_ports(&f->out, v6))
		return 0;
	data = (void *)(long)skb->data + l4;
	end = (void *)(long)skb->data_end;
	if (data + sizeof(__u32) > end)
		return -1;
	*(__u32 *)data = key_ports(&f->out, v6);
	return 0;
}

static __always_inline int fast_rewrite(struct __sk_buff *skb, struct fast *f, bool nat,
					bool ttl_dec, const bool v6)
{
	const __u32 l4 = FAST_L3 + (v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	int r = 0;

	if (nat)
		r = sum_is_plain(skb) ? fast_l4_store(skb, f, l4, v6)
				      : fast_l4_update(skb, f, l4, v6);
	return r ?: ip_store(skb, FAST_L3, &f->out, ttl_dec, v6);
}

static __always_inline int fast_fail(struct __sk_buff *skb, struct fast *f, const bool v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return TC_ACT_SHOT;
	key_copy(&p->t, &f->key, v6);
	p->len = f->len;
	return gw_drop(p, GW_REASON_NAT_REWRITE, v6);
}

/*
 * tcp_window() for a plain segment that fits: what the other side announced is in its half.  Anything else, also what would be learnt
 * otherwise than below, is for the slow path.
 */
static __always_inline bool fast_tcp(struct fast *f, const struct gw_flow *e, const bool v6)
{
	struct gw_flow *peer;
	__u32 kx, end, win, maxend, acks;
	__u8 flags;

	key_copy(&f->out, flow_peer((struct gw_flow *)e, v6), v6);
	peer = v6 ? bpf_map_lookup_elem(&gw_est6, &f->out) : bpf_map_lookup_elem(&gw_est4, &f->out);
	if (!peer)
		return false;
	end = peer->tcp_end;
	win = peer->tcp_win;
	maxend = peer->tcp_maxend;
	flags = peer->tcp_flags;
	f->heard = peer->pkts & 15;
	barrier();
	kx = *(volatile __u32 *)&peer->kx;
	if (kx != key_hash(&f->out, v6) || (f->options && flags & GW_TCPF_SACK))
		return false;
	f->win = (__u32)f->win_raw << GW_TCP_SCALE(e->tcp_scale);
	acks = e->tcp_win > ACK_WINDOW ? e->tcp_win : ACK_WINDOW;
	if (!win || !f->win || !e->tcp_win || !(e->tcp_flags & GW_TCPF_ACKED) ||
	    seq_after(f->end, maxend) || seq_after(f->seq, maxend) || seq_after(f->ack, end) ||
	    !seq_after(f->end, e->tcp_end - win - 1) || !seq_after(f->ack, end - acks - 1))
		return false;
	f->tcp_last =
		segment_count(e->tcp_last, segment_signature(f->seq, f->end, f->ack, f->win_raw),
			      GW_TCP_HEARD(e->tcp_scale) == f->heard);
	return true;
}

/* The flow of the packet, if all it remembers holds; f->out is what to leave as. */
static __always_inline struct gw_flow *fast_find(struct __sk_buff *skb, struct fast *f,
						 struct gw_conf *conf, __u32 iif, const bool v6)
{
	struct gw_flow *e;
	__u32 kx;

	f->tos = f->bits = 0;
	if (!fast_parse(skb, f, v6))
		return NULL;
	kx = key_hash(&f->key, v6);
	e = v6 ? bpf_map_lookup_elem(&gw_est6, &f->key) : bpf_map_lookup_elem(&gw_est4, &f->key);
	if (!e)
		return NULL;
	f->now = gw_now();
	if (!fast_holds(f, conf, e, kx, iif, v6))
		return NULL;
	if (f->proto == IPPROTO_TCP && !fast_tcp(f, e, v6))
		return NULL;
	key_swap(&f->out, flow_peer(e, v6), v6);
	barrier();
	/* the element may have become another flow's while we read it */
	return *(volatile __u32 *)&e->kx == kx ? e : NULL;
}

/* By the link addresses that are known, or by the kernel's neighbour table. */
static __always_inline int fast_send(struct __sk_buff *skb, const struct gw_conf *conf, __u32 now,
				     __u32 oif, const __be32 *nh, const bool v6)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 slot = next_slot(oif, nh, v6), *link = data;
	struct gw_next *n = next_row(slot);

	skb->tc_index = MARK_DONE;
	if (!n || data + FAST_L3 > end)
		return send_by(skb, oif, nh, v6);
	if (!next_is_fresh(n, conf, now)) {
		skb->tc_index = next_ask(n, conf, slot, oif, nh, now, v6);
	} else if (next_is_for(n, oif, nh, v6)) {
		for (int i = 0; i < 3; i++)
			link[i] = n->link[i];
		return bpf_redirect(oif, 0);
	}
	return send_by(skb, oif, nh, v6);
}

static __always_inline int fast_in(struct __sk_buff *skb, struct gw_conf *conf, const bool v6)
{
	struct fast f;
	struct gw_flow *e = fast_find(skb, &f, conf, skb->ifindex, v6);
	__be32 nh[4];
	__u32 oif;
	bool nat;

	if (!e)
		return FAST_NO;
	nat = !key_equal(&f.key, &f.out, v6);
	if (e->flags & GW_FLOW_LOCAL_IN) {
		fast_touch(&f, e);
		if (nat && fast_rewrite(skb, &f, nat, false, v6))
			return fast_fail(skb, &f, v6);
		return TC_ACT_UNSPEC;
	}
	if (!fast_routed(skb, &f, conf, e, v6))
		return FAST_NO;
	oif = e->oif;
	if (v6)
		__builtin_memcpy(nh, ((struct gw_flow6 *)e)->nh, 16);
	else
		nh[0] = ((struct gw_flow4 *)e)->nh;
	fast_touch(&f, e);
	if (fast_rewrite(skb, &f, nat, true, v6))
		return fast_fail(skb, &f, v6);
	if (!v6)
		skb->priority = tos_priority(f.tos);
	return fast_send(skb, conf, f.now, oif, nh, v6);
}

/* The gateway's own packets of assured connections. */
static __always_inline int fast_out(struct __sk_buff *skb, struct gw_conf *conf, const bool v6)
{
	struct fast f;
	struct gw_flow *e = fast_find(skb, &f, conf, 0, v6);

	if (!e || !(e->flags & GW_FLOW_LOCAL_OUT) || e->oif != skb->ifindex ||
	    e->flags & GW_FLOW_DNAT)
		return FAST_NO;
	fast_touch(&f, e);
	if (e->flags & GW_FLOW_SNAT && fast_rewrite(skb, &f, true, false, v6))
		return fast_fail(skb, &f, v6);
	return TC_ACT_UNSPEC;
}
#endif
