/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_PARSE_H
#define GW_PARSE_H
/*
 * The careful parser of the slow path: reads by helper, so it sees paged data, and checks what ip_rcv() and ipv6_rcv() check, because
 * redirected packets never reach them.
 *
 * Results: PARSE_OK; PARSE_PASS = not for us (stack decides, untracked by design); or a drop: GW_REASON_* + PARSE_DROP.
 */
#define PARSE_OK   0
#define PARSE_PASS 1
#define PARSE_LINK 2 /* the same, unless somebody wants it forwarded */
#define PARSE_DROP 100

static __always_inline bool addr6_is_local_scope(const __be32 *a)
{
	return (a[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000) ||
	       (a[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* Which TCP flag combinations exist (nf_conntrack_proto_tcp.c: tcp_valid_flags), PSH, ECE and CWR ignored. */
static __always_inline bool tcp_bits_valid(__u8 bits)
{
	switch (bits & 0x37) { /* URG ACK RST SYN FIN */
	case 0x02:	       /* SYN */
	case 0x22:	       /* SYN URG */
	case 0x12:	       /* SYN ACK */
	case 0x04:	       /* RST */
	case 0x14:	       /* RST ACK */
	case 0x11:	       /* FIN ACK */
	case 0x31:	       /* FIN ACK URG */
	case 0x10:	       /* ACK */
	case 0x30:	       /* ACK URG */
		return true;
	}
	return false;
}

static __always_inline bool icmp_is_error(__u8 type, const bool v6)
{
	if (v6)
		return type >= 1 && type <= 4;
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB || type == ICMP_REDIRECT;
}

/* The request type an ICMP query (or its answer) belongs to; 0xff: not a query. *ret_reply: it is the answer. */
static __always_inline __u8 icmp_query(__u8 type, const bool v6, bool *ret_reply)
{
	*ret_reply = false;
	if (v6) {
		*ret_reply = type == 129;
		return type == 128 || type == 129 ? 0 : 0xff; /* 0: echo */
	}
	switch (type) {
	case ICMP_ECHOREPLY:
		*ret_reply = true;
		return 0;
	case ICMP_ECHO:
		return 0;
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESSREPLY:
		*ret_reply = true;
		return type - 1;
	case ICMP_TIMESTAMP:
	case ICMP_INFO_REQUEST:
	case ICMP_ADDRESS:
		return type;
	}
	return 0xff;
}

/* TCP options in p->opts: window scale, SACK permitted, SACK (RFC 7323 2, RFC 2018 2 and 3). */
struct options {
	__u32 at, len;
	__u32 scale, flags, mss;
};

/* The right edges of a SACK option's blocks at p->opts[at]. */
static __always_inline void options_sack(struct pkt *p, __u32 at, __u32 size)
{
	for (__u32 i = 0; i < 4; i++) {
		__u32 edge = 0;

		if (i * 8 + 10 > size)
			return;
		for (__u32 j = 0; j < 4; j++)
			edge = edge << 8 | p->opts[(at + i * 8 + 6 + j) & 63];
		if ((__s32)(edge - p->sack) > 0)
			p->sack = edge;
	}
}

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
	} else if (kind == 2 && size == 4) {
		o->mss = 20 + o->at + 2;
	} else if (kind == 4 && size == 2) {
		o->flags |= GW_TCPF_SACK;
	} else if (kind == 5 && size >= 10 && !((size - 2) & 7)) {
		options_sack(p, o->at, size);
	}
	o->at += size;
	return 0;
}

/* offset of the MSS << 16 | scale << 8 | GW_TCPF_* of the options in scratch */
__noinline int tcp_options(__u32 len)
{
	struct options o = { .len = len & 63 };

	bpf_loop(40, options_step, &o, 0);
	return o.mss << 16 | (o.scale > 14 ? 14 : o.scale) << 8 | o.flags;
}

/* What a SYN announces, into p->syn_*, and how far a segment acknowledges, into p->sack. */
static __always_inline void parse_tcp_options(struct __sk_buff *skb, struct pkt *p)
{
	__u32 len = p->tcp_doff * 4 - 20;
	__u64 last = len - 1;
	int found;

	p->syn_scale = p->syn_flags = p->syn_mss = 0;
	if (!len || len > 40)
		return;
	asm volatile("%0 &= 63" : "+r"(last)); /* 6.1 does not learn from "!= 0" */
	if (bpf_skb_load_bytes(skb, p->l4 + 20, p->opts, last + 1))
		return;
	if (len == 12 && *(__u32 *)p->opts == bpf_htonl(0x0101080a))
		return; /* a timestamp and nothing else (RFC 7323 appendix A) */
	found = tcp_options(len);
	p->syn_mss = found >> 16;
	p->syn_scale = found >> 8 & 15;
	p->syn_flags = found & (GW_TCPF_WSCALE | GW_TCPF_SACK);
}

/* The transport header is not all there: damage, or a fragment cut so that nobody sees its ports (RFC 1858). */
static __always_inline int parse_short(struct pkt *p)
{
	return PARSE_DROP + (p->flags & PKT_FRAG ? GW_REASON_FRAG_TINY : GW_REASON_BAD_L4);
}

/* Ports of p->t from the transport header at p->l4 with @room bytes of IP payload. */
static __always_inline int parse_tcp(struct __sk_buff *skb, struct pkt *p, __u32 room,
				     const bool v6)
{
	struct tcphdr th;

	if (room < sizeof(th) || bpf_skb_load_bytes(skb, p->l4, &th, sizeof(th)))
		return parse_short(p);
	if (th.doff < 5 || th.doff * 4u > room)
		return PARSE_DROP + GW_REASON_BAD_L4;
	key_sport(&p->t, v6) = th.source;
	key_dport(&p->t, v6) = th.dest;
	p->tcp_bits = ((__u8 *)&th)[13];
	p->tcp_doff = th.doff;
	p->seq = bpf_ntohl(th.seq);
	p->ack = bpf_ntohl(th.ack_seq);
	p->win = bpf_ntohs(th.window);
	p->end = p->seq + room - th.doff * 4u + th.syn + th.fin;
	p->sack = p->ack;
	if (th.doff > 5)
		parse_tcp_options(skb, p);
	else
		p->syn_scale = p->syn_flags = p->syn_mss = 0;
	return PARSE_OK;
}

static __always_inline int parse_ports(struct __sk_buff *skb, struct pkt *p, __u32 room, __u32 need,
				       const bool v6)
{
	__be16 head[4] = {};

	if (room < need || bpf_skb_load_bytes(skb, p->l4, head, 8))
		return parse_short(p);
	key_sport(&p->t, v6) = head[0];
	key_dport(&p->t, v6) = head[1];
	if (p->proto != IPPROTO_UDP || p->flags & PKT_FRAG)
		return PARSE_OK;
	/* a jumbogram's 0 is not for us; a UDP length beyond the packet is damage */
	if (bpf_ntohs(head[2]) < 8 || bpf_ntohs(head[2]) > room)
		return skb->gso_size ? PARSE_OK : PARSE_DROP + GW_REASON_BAD_L4;
	return PARSE_OK;
}

/* Walks the chunks of an SCTP packet (do_basic_checks() of nf_conntrack_proto_sctp.c says which orders are wrong). */
struct chunks {
	struct __sk_buff *skb;
	__u32 at, end, seen;
	__u32 alone; /* a chunk was seen that must be the only one */
};

static __always_inline __u32 chunk_bits(const struct chunks *c, __u8 type)
{
	bool first_only = type == 10 || type == 11; /* COOKIE ECHO, COOKIE ACK */

	if ((first_only || c->alone) && c->seen)
		return CHUNK_BAD;
	switch (type) {
	case 0:
	case 1 ... 2:
	case 4 ... 11:
	case 14:
		return 1U << type;
	}
	return CHUNK_OTHER;
}

static long chunk_step(__u32 i, struct chunks *c)
{
	struct pkt *p = pkt_scratch();
	struct sctp_chunk chunk = {};
	__u32 bits;

	if (!p || c->at >= c->end)
		return 1;
	if (bpf_skb_load_bytes(c->skb, c->at, &chunk, 4))
		return 1;
	chunk.len = bpf_ntohs(chunk.len);
	c->alone |= chunk.type == 1 || chunk.type == 2 || chunk.type == 14;
	bits = chunk.len ? chunk_bits(c, chunk.type) : CHUNK_BAD;
	if ((chunk.type == 1 || chunk.type == 2) &&
	    (c->at + 20 > c->end || bpf_skb_load_bytes(c->skb, c->at + 4, &chunk.tag, 4)))
		bits = CHUNK_BAD;
	c->seen++;
	c->at += (chunk.len + 3) & ~3U;
	p->chunks |= bits;
	if (bits & (CHUNK_BAD | CHUNK_OTHER | 1))
		return 0;
	if (p->n_chunks >= CHUNKS_MAX) {
		p->chunks |= CHUNK_BAD;
		return 1;
	}
	p->chunk[p->n_chunks & 7] = chunk;
	p->n_chunks++;
	return 0;
}

#define CHUNK_STEPS \
	64 /* SACKs and DATA of a 1500 byte packet are fewer; the rest is not looked at */

__noinline int parse_chunks(struct __sk_buff *skb, __u32 at, __u32 end)
{
	struct chunks c = { .skb = skb, .at = at, .end = end };
	struct pkt *p = pkt_scratch();

	if (!p)
		return 0;
	p->chunks = p->n_chunks = 0;
	if (bpf_skb_load_bytes(skb, at - 8, &p->seq, 4))
		return 0;
	bpf_loop(CHUNK_STEPS, chunk_step, &c, 0);
	if (!c.seen)
		p->chunks = CHUNK_BAD;
	return 0;
}

/* RFC 4340 5.1: type, and the low halves of the sequence and acknowledgement numbers of long headers. */
static __always_inline int parse_dccp(struct __sk_buff *skb, struct pkt *p, __u32 room)
{
	__u8 head[24] = {};

	p->seq = p->ack = 0;
	if (bpf_skb_load_bytes(skb, p->l4, head, 12))
		return parse_short(p);
	if (head[4] * 4u < 12 || head[4] * 4u > room)
		return PARSE_DROP + GW_REASON_BAD_L4;
	p->dccp_type = head[8] >> 1 & 15;
	if (head[8] & 1 && room >= 24 && !bpf_skb_load_bytes(skb, p->l4, head, 24)) {
		p->seq = bpf_ntohl(*(__be32 *)&head[12]);
		p->ack = bpf_ntohl(*(__be32 *)&head[20]);
	} else if (head[8] & 1 && room >= 16 && !bpf_skb_load_bytes(skb, p->l4, head, 16)) {
		p->seq = bpf_ntohl(*(__be32 *)&head[12]);
	}
	return PARSE_OK;
}

static __always_inline int parse_streams(struct __sk_buff *skb, struct pkt *p, __u32 room,
					 const bool v6)
{
	int r = parse_ports(skb, p, room, 12, v6);

	if (r != PARSE_OK)
		return r;
	if (p->proto == IPPROTO_DCCP)
		return parse_dccp(skb, p, room);
	parse_chunks(skb, p->l4 + 12, p->l4 + room);
	return PARSE_OK;
}

static __always_inline int parse_icmp(struct __sk_buff *skb, struct pkt *p, __u32 room,
				      const bool v6)
{
	__u8 head[8] = {};
	bool reply;
	__u8 query;
	__be16 id;

	if (room < 8)
		return PARSE_DROP + GW_REASON_BAD_L4;
	if (bpf_skb_load_bytes(skb, p->l4, head, 8))
		return PARSE_DROP + GW_REASON_BAD_L4;
	p->icmp_type = head[0];
	p->icmp_code = head[1];
	/* MLD, ND, SEND, MRD: one link's own business, never tracked (RFC 4890 4.4.1) */
	if (v6 && ((p->icmp_type >= 130 && p->icmp_type <= 137) || p->icmp_type == 143 ||
		   p->icmp_type == 148 || p->icmp_type == 149 || p->icmp_type == 151 ||
		   p->icmp_type == 152 || p->icmp_type == 153))
		return addr6_is_local_scope(p->t.v6.daddr) ? PARSE_PASS : PARSE_LINK;
	if (icmp_is_error(p->icmp_type, v6)) {
		p->flags |= PKT_ICMP_ERROR;
		return PARSE_OK;
	}
	query = icmp_query(p->icmp_type, v6, &reply);
	if (query == 0xff)
		return PARSE_OK;
	id = *(__be16 *)&head[4];
	p->flags |= PKT_QUERY | (reply ? PKT_REPLY : 0);
	key_sport(&p->t, v6) = reply ? bpf_htons(query) : id;
	key_dport(&p->t, v6) = reply ? id : bpf_htons(query);
	return PARSE_OK;
}

static __always_inline int parse_l4(struct __sk_buff *skb, struct pkt *p, __u32 room, const bool v6)
{
	switch (p->proto) {
	case IPPROTO_TCP:
		return parse_tcp(skb, p, room, v6);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return parse_ports(skb, p, room, 8, v6);
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return parse_streams(skb, p, room, v6);
	case IPPROTO_ICMP:
		return v6 ? PARSE_OK : parse_icmp(skb, p, room, v6);
	case IPPROTO_ICMPV6:
		return v6 ? parse_icmp(skb, p, room, v6) : PARSE_OK;
	}
	return PARSE_OK;
}

static __always_inline bool addr4_is_multicast(__be32 a)
{
	return bpf_ntohl(a) >> 28 == 0xe ||
	       a == 0xffffffff; /* limited broadcast goes the same way */
}

/* What ip_route_input_slow() calls martian; 240.0.0.0/4 is not among it. */
static __always_inline bool addr4_is_martian_source(__be32 a)
{
	return bpf_ntohl(a) >> 24 == 127 || addr4_is_multicast(a) || !(bpf_ntohl(a) >> 24);
}

static __always_inline int parse_v4(struct __sk_buff *skb, struct pkt *p, __u32 frame)
{
	struct iphdr h;
	__u32 ihl, tot, off;

	if (bpf_skb_load_bytes(skb, p->l3, &h, sizeof(h)))
		return PARSE_DROP + GW_REASON_BAD_IP;
	ihl = h.ihl * 4;
	tot = bpf_ntohs(h.tot_len);
	if (!tot && skb->gso_size) /* BIG TCP */
		tot = frame;
	p->len = tot;
	p->proto = h.protocol;
	p->ttl = h.ttl;
	p->tos = h.tos;
	p->t.v4.saddr = h.saddr;
	p->t.v4.daddr = h.daddr;
	p->t.v4.proto = h.protocol;
	if (h.version != 4 || ihl < 20 || tot < ihl || tot > frame)
		return PARSE_DROP + GW_REASON_BAD_IP;
	if (ihl == 20 && csum_fold16(bpf_csum_diff(NULL, 0, (__be32 *)&h, sizeof(h), 0)) != 0xffff)
		return PARSE_DROP + GW_REASON_BAD_IP;
	if (ihl > 20) /* the stack looks at these, checksum and all */
		p->flags |= PKT_OPTIONS;
	p->l4 = p->l3 + ihl;
	off = bpf_ntohs(h.frag_off);
	if (off & 0x3fff) {
		p->flags |= PKT_FRAG;
		p->frag_id = h.id;
		if (off & 0x1fff) {
			p->flags |= PKT_FRAG_LATER;
			if ((off & 0x1fff) * 8 + tot - ihl > 0xffff)
				return PARSE_DROP + GW_REASON_BAD_IP;
			/* RFC 1858, RFC 3128: nothing honest starts inside the transport header */
			if ((off & 0x1fff) == 1 && h.protocol == IPPROTO_TCP)
				return PARSE_DROP + GW_REASON_FRAG_TINY;
			return PARSE_OK;
		}
	}
	return parse_l4(skb, p, tot - ihl, false);
}

/* One extension header; returns the next header's number, or -reason.  -PARSE_OK never happens. */
static __always_inline int parse_ext6(struct __sk_buff *skb, struct pkt *p, __u8 next, __u32 end)
{
	__u8 head[8];

	if (p->l4 + 8 > end || bpf_skb_load_bytes(skb, p->l4, head, 8))
		return -GW_REASON_BAD_EXTHDR;
	if (next == 44) { /* fragment */
		__u16 off = bpf_ntohs(*(__be16 *)&head[2]);

		p->exthdr |= EXT6_FRAG;
		p->l4 += 8;
		p->frag_id = *(__be32 *)&head[4];
		if (off & 0xfff9) { /* else an atomic fragment: whole (RFC 6946) */
			p->flags |= PKT_FRAG;
			if (off >> 3) {
				p->flags |= PKT_FRAG_LATER;
				if ((off & 0xfff8) + end - p->l4 > 0xffff)
					return -GW_REASON_BAD_IP;
				if (off >> 3 == 1 && head[0] == IPPROTO_TCP)
					return -GW_REASON_FRAG_TINY;
			}
		}
		return head[0];
	}
	if (next == 43 && head[2] == 0) /* type 0 routing header: RFC 5095 */
		return -GW_REASON_BAD_EXTHDR;
	if (next == 0)
		p->flags |= PKT_OPTIONS;
	p->exthdr |= next == 0 ? EXT6_HBH : next == 43 ? EXT6_RT : EXT6_DST;
	p->l4 += next == 51 ? (head[1] + 2) * 4 : (head[1] + 1) * 8;
	return head[0];
}

static __always_inline bool is_ext6(__u8 next)
{
	return next == 0 || next == 43 || next == 44 || next == 60;
}

#define EXT6_MAX 8
static __always_inline int parse_v6(struct __sk_buff *skb, struct pkt *p, __u32 frame)
{
	struct ipv6hdr h;
	__u32 end;
	int next;

	if (bpf_skb_load_bytes(skb, p->l3, &h, sizeof(h)))
		return PARSE_DROP + GW_REASON_BAD_IP;
	p->len = bpf_ntohs(h.payload_len) + sizeof(h);
	if (!h.payload_len && skb->gso_size)
		p->len = frame;
	p->ttl = h.hop_limit;
	p->tos = (__u8)(h.priority << 4 | h.flow_lbl[0] >> 4);
	for (int i = 0; i < 4; i++) {
		p->t.v6.saddr[i] = h.saddr.in6_u.u6_addr32[i];
		p->t.v6.daddr[i] = h.daddr.in6_u.u6_addr32[i];
	}
	next = h.nexthdr;
	p->proto = next;
	p->t.v6.proto = next;
	if (h.version != 6 || p->len > frame)
		return PARSE_DROP + GW_REASON_BAD_IP;
	p->l4 = p->l3 + sizeof(h);
	end = p->l3 + p->len;
	for (int i = 0; i < EXT6_MAX; i++) {
		if (!is_ext6(next) || p->flags & PKT_FRAG_LATER)
			break;
		if (next == 0 && i) /* hop-by-hop must come first (RFC 8200 4.1) */
			return PARSE_DROP + GW_REASON_BAD_EXTHDR;
		next = parse_ext6(skb, p, next, end);
		if (next < 0)
			return PARSE_DROP - next;
	}
	if (is_ext6(next) && !(p->flags & PKT_FRAG_LATER))
		return PARSE_DROP + GW_REASON_BAD_EXTHDR;
	p->proto = next;
	p->t.v6.proto = next;
	if (p->flags & PKT_FRAG_LATER)
		return PARSE_OK;
	if (p->l4 > end)
		return PARSE_DROP + GW_REASON_BAD_EXTHDR;
	return parse_l4(skb, p, end - p->l4, true);
}

static __always_inline int pkt_parse_as(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u32 frame = skb->len - p->l3;

	return v6 ? parse_v6(skb, p, frame) : parse_v4(skb, p, frame);
}

/* Apart, as core/frag.h says; one for each family, because a program needs one. */
__noinline int pkt_parse4(struct __sk_buff *skb)
{
	struct pkt *p = pkt_scratch();

	return p ? pkt_parse_as(skb, p, false) : PARSE_PASS;
}

__noinline int pkt_parse6(struct __sk_buff *skb)
{
	struct pkt *p = pkt_scratch();

	return p ? pkt_parse_as(skb, p, true) : PARSE_PASS;
}

static __always_inline int pkt_parse(struct __sk_buff *skb, const bool v6)
{
	return v6 ? pkt_parse6(skb) : pkt_parse4(skb);
}
#endif
