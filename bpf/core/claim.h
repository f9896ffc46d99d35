/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_CLAIM_H
#define GW_CLAIM_H
/*
 * Claiming a reply tuple: the insert with BPF_NOEXIST is the lock.  The source port is kept if its reply tuple is free, else searched in
 * the range nf_nat_l4proto_unique_tuple uses (net/netfilter/nf_nat_core.c).
 */
#define CLAIM_TRIES 256
#define CLAIM_RACE  (-2)

struct claim {
	struct __sk_buff *skb;
	__u32 v6;
	__u32 lo, size; /* candidate ports, host order */
	__u32 off;
	__u32 port; /* the packet's own, host order */
	__u32 keep; /* try the packet's own port first */
	__u32 can_search;
	__u32 protect; /* leave the ports of the gateway's own sockets alone */
	__u32 mapped; /* there are endpoint-independent mappings, whose ports are taken for all others */
	__u32 eim;  /* and this connection has one, or makes it */
	int result; /* 0 claimed, 1 all taken, < 0 the table refused, CLAIM_RACE: look again */
};

/* Which NAT happened, by comparing tuples. */
static __always_inline __u16 create_status(struct pkt *p, const bool v6)
{
	bool src = key_sport(&p->t, v6) != key_sport(&p->out, v6) ||
		   key_source_differs(&p->t, &p->out, v6);
	bool dst = key_dport(&p->t, v6) != key_dport(&p->out, v6) ||
		   key_dest_differs(&p->t, &p->out, v6);

	return (src ? GW_FLOW_SNAT : 0) | (dst ? GW_FLOW_DNAT : 0);
}

static __always_inline int claim_insert(struct pkt *p, const bool v6)
{
	if (flow_find_est(&p->alt, v6))
		return 1;
	p->b.f.kx = key_hash(&p->alt, v6);
	key_swap(&p->out, &p->alt, v6);
	/* complete before it is visible: an answer may come at once, on another CPU */
	p->b.f.flags = (p->b.f.flags & ~(GW_FLOW_SNAT | GW_FLOW_DNAT)) | create_status(p, v6);
	int r = v6 ? bpf_map_update_elem(&gw_emb6, &p->alt, &p->b, BPF_NOEXIST)
		   : bpf_map_update_elem(&gw_emb4, &p->alt, &p->b, BPF_NOEXIST);
	if (r)
		return r == -17 /* EEXIST */ ? 1 : -1;
	/* a promotion may have moved it from one table to the other between the two looks */
	if (flow_find_est(&p->alt, v6)) {
		flow_erase_emb(&p->alt, v6);
		return 1;
	}
	return 0;
}

static __always_inline int claim_try(struct pkt *p, const bool v6)
{
	int r = claim_insert(p, v6);

	if (r > 0)
		stat_add(GW_STAT_FOUND, 1);
	return r;
}

/* Is a socket of the gateway bound to the reply tuple's destination (p->alt)?  Its answers would end up in the translation. */
static __always_inline bool claim_hits_socket(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk;

	if (v6) {
		for (int i = 0; i < 4; i++) {
			t.ipv6.saddr[i] = p->alt.v6.saddr[i];
			t.ipv6.daddr[i] = p->alt.v6.daddr[i];
		}
		t.ipv6.sport = p->alt.v6.sport;
		t.ipv6.dport = p->alt.v6.dport;
	} else {
		t.ipv4.saddr = p->alt.v4.saddr;
		t.ipv4.daddr = p->alt.v4.daddr;
		t.ipv4.sport = p->alt.v4.sport;
		t.ipv4.dport = p->alt.v4.dport;
	}
	if (p->proto == IPPROTO_TCP)
		sk = bpf_skc_lookup_tcp(skb, &t, v6 ? sizeof(t.ipv6) : sizeof(t.ipv4),
					BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &t, v6 ? sizeof(t.ipv6) : sizeof(t.ipv4),
				       BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

/* Does a socket of the gateway wait for this packet? */
__noinline int claim_is_for_us(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p || (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP))
		return 0;
	if (v6) {
		key_copy(&p->alt, &p->t, true);
		return claim_hits_socket(skb, p, true);
	}
	key_copy(&p->alt, &p->t, false);
	return claim_hits_socket(skb, p, false);
}

static __always_inline int claim_port_for(struct claim *c, struct pkt *p, const bool v6)
{
	int mapping = EIM_OURS, r;

	if (c->protect && claim_hits_socket(c->skb, p, v6))
		return 1;
	if (c->mapped)
		mapping = eim_take(v6, c->eim);
	if (mapping == EIM_TAKEN || mapping == EIM_FULL)
		return mapping;
	r = claim_try(p, v6);
	if (r && c->eim && mapping == EIM_FREE)
		eim_release(v6);
	return r;
}

/* The @i-th port to try.  A mapping's: first those of the parity of the host's own port (RFC 4787 REQ-4). */
static __always_inline __u32 claim_candidate(const struct claim *c, __u32 i)
{
	__u32 odd = (c->lo ^ c->port) & 1, same = (c->size + !odd) / 2;

	if (!c->eim || c->size < 2)
		return c->lo + (c->off + i) % c->size;
	if (i < same)
		return c->lo + odd + 2 * ((c->off + i) % same);
	return c->lo + !odd + 2 * ((c->off + i) % (c->size - same));
}

static long claim_step(__u32 i, struct claim *c)
{
	struct pkt *p = pkt_scratch();
	__u32 port;

	if (!p)
		return 1;
	if (!i && c->keep) {
		port = c->port;
	} else {
		if (!c->can_search || i - c->keep >= c->size)
			return 1;
		if (c->size >
		    CLAIM_TRIES) /* hosts count their ports up: a block of taken ones must not stop us */
			c->off = bpf_get_prandom_u32();
		port = claim_candidate(c, i - c->keep);
		stat_add(GW_STAT_CLASH_RESOLVE, i == 1);
	}
	if (c->v6) {
		p->alt.v6.dport = bpf_htons(port);
		c->result = claim_port_for(c, p, true);
	} else {
		p->alt.v4.dport = bpf_htons(port);
		c->result = claim_port_for(c, p, false);
	}
	return c->result <= 0;
}

static __always_inline bool claim_is_eim(const struct pkt *p)
{
	bool ports = p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ||
		     p->proto == IPPROTO_UDPLITE || p->proto == IPPROTO_DCCP ||
		     p->flags & PKT_QUERY;

	return p->nat.kind && p->nat.flags & GW_NATF_ENDPOINT && ports && !(p->flags & PKT_OUTPUT);
}

/* Which ports may be tried, which first. */
static __always_inline void claim_range(struct claim *c, const struct pkt *p)
{
	__u32 port = c->port;

	c->can_search = p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ||
			p->proto == IPPROTO_UDPLITE || p->proto == IPPROTO_DCCP ||
			p->proto == IPPROTO_SCTP || p->flags & PKT_QUERY;
	c->lo = port < 512 ? 1 : port < 1024 ? 600 : 1024;
	c->size = port < 512 ? 511 : port < 1024 ? 424 : 64512;
	if (p->flags & PKT_QUERY) {
		c->lo = 0;
		c->size = 65536;
	}
	if (p->nat.kind && p->nat.flags & GW_NATF_PORT) {
		c->lo = p->nat.port_lo;
		c->size = p->nat.port_hi - c->lo + 1;
		c->keep = port >= c->lo && port - c->lo < c->size;
	}
	if (p->nat.kind && p->nat.flags & (GW_NATF_RANDOM | GW_NATF_FULLY_RANDOM))
		c->keep = !c->can_search;
	if (c->size < 1 || c->size > 65536)
		c->size = 1;
}

__noinline int claim_once(__u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return -1;
	return v6 ? claim_try(p, true) : claim_try(p, false);
}

/* Behind a claim that made a mapping: the inside endpoint is known by it, or everything is taken back. */
static __always_inline int claim_bind(struct pkt *p, __u32 v6)
{
	if (!eim_bind(v6))
		return 0;
	if (v6)
		flow_erase_emb(&p->alt, true);
	else
		flow_erase_emb(&p->alt, false);
	eim_release(v6);
	return CLAIM_RACE;
}

/* Find a free reply tuple for p->out and insert it.  0, 1 = none free, < 0 refused or CLAIM_RACE. */
__noinline int snat_claim(struct __sk_buff *skb, __u32 v6)
{
	struct gw_conf *conf = conf_get();
	struct pkt *p = pkt_scratch();
	struct claim c = { .skb = skb, .v6 = v6, .keep = 1, .result = 1 };

	if (!p || !conf)
		return -1;
	c.eim = claim_is_eim(p);
	c.mapped = p->nat.kind && (c.eim || eim_any());
	/* whoever sends to a mapped port is translated: what listens there would be deaf */
	c.protect = (conf->flags & GW_CONF_PROTECT_LOCAL || c.eim) && p->nat.kind &&
		    (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP);
	c.port = bpf_ntohs(v6 ? p->out.v6.sport : p->out.v4.sport);
	claim_range(&c, p);
	c.off = bpf_get_prandom_u32();
	if (v6)
		key_swap(&p->alt, &p->out, true);
	else
		key_swap(&p->alt, &p->out, false);
	if (c.eim && eim_known(v6))
		return claim_once(v6);
	bpf_loop(CLAIM_TRIES, claim_step, &c, 0);
	return !c.result && c.eim ? claim_bind(p, v6) : c.result;
}
#endif
