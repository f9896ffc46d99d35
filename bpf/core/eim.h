/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_EIMS_H
#define GW_EIMS_H
/*
 * eim - endpoint-independent mappings (gw/eim.h): taken while a reply tuple is claimed, asked by packets that start a connection.
 *
 * All are global functions on scratch, away from the stack of those who call them.
 */
#define EIM_TABLE	  4   /* gw_expire_ctx.table */
#define EIM_COUNT	  2   /* index in gw_count */
#define EIM_TIMEOUT_UDP_S 120 /* RFC 4787 REQ-5 */

enum { EIM_FREE, EIM_TAKEN, EIM_OURS, EIM_FULL = -1 };

/* Are there any?  Without them, nothing is looked up. */
static __always_inline bool eim_any(void)
{
	__u32 i = EIM_COUNT;
	__u64 *n = bpf_map_lookup_elem(&gw_count, &i);

	return n && *n;
}

static __always_inline void eim_count(__s64 by)
{
	__u32 i = EIM_COUNT;
	__u64 *n = bpf_map_lookup_elem(&gw_count, &i);

	if (n)
		__sync_fetch_and_add(n, by);
}

/* The key of the outside endpoint that packets of tuple @t are sent to. */
static __always_inline void eim_key_outside(struct gw_eim_key *k, const union gw_key *t,
					    const bool v6)
{
	__builtin_memset(k, 0, sizeof(*k));
	if (v6) {
		for (int i = 0; i < 4; i++)
			k->addr[i] = t->v6.daddr[i];
	} else {
		k->addr[0] = t->v4.daddr;
	}
	k->port = key_dport(t, v6);
	k->proto = key_proto(t, v6);
	k->kind = GW_EIM_OUTSIDE | (v6 ? GW_EIM_V6 : 0);
	k->zone = key_zone(t, v6);
}

/* The key of who sends a new connection's packets, as seen by the outside address that was chosen for it. */
static __always_inline void eim_key_inside(struct gw_eim_key *k, const struct pkt *p, const bool v6)
{
	__builtin_memset(k, 0, sizeof(*k));
	if (v6) {
		for (int i = 0; i < 4; i++) {
			k->addr[i] = p->t.v6.saddr[i];
			k->outside[i] = p->out.v6.saddr[i];
		}
	} else {
		k->addr[0] = p->t.v4.saddr;
		k->outside[0] = p->out.v4.saddr;
	}
	k->port = key_sport(&p->t, v6);
	k->proto = p->proto;
	k->kind = v6 ? GW_EIM_V6 : 0;
	k->zone = key_zone(&p->t, v6);
}

/* Is the one behind the outside endpoint the sender of this packet? */
static __always_inline bool eim_is_ours(const struct gw_eim *m, const struct pkt *p, const bool v6)
{
	if (m->port != key_sport(&p->t, v6))
		return false;
	if (!v6)
		return m->addr[0] == p->t.v4.saddr;
	return !((m->addr[0] ^ p->t.v6.saddr[0]) | (m->addr[1] ^ p->t.v6.saddr[1]) |
		 (m->addr[2] ^ p->t.v6.saddr[2]) | (m->addr[3] ^ p->t.v6.saddr[3]));
}

static __always_inline void eim_alive(struct gw_eim *m, __u32 now)
{
	m->seen = m->held = now;
	m->flags = 0;
}

static __always_inline int eim_known_for(struct pkt *p, const bool v6)
{
	struct gw_eim *m;
	__be16 port;

	eim_key_inside(&p->eim_key, p, v6);
	m = bpf_map_lookup_elem(&gw_eim, &p->eim_key);
	if (!m)
		return 0;
	port = m->port;
	key_dport(&p->alt, v6) = port;
	eim_key_outside(&p->eim_key, &p->alt, v6);
	m = bpf_map_lookup_elem(&gw_eim, &p->eim_key);
	if (m && eim_is_ours(m, p, v6)) {
		eim_alive(m, p->now);
		return 1;
	}
	/* its outside half ended under our hands: what is left says nothing */
	eim_key_inside(&p->eim_key, p, v6);
	bpf_map_delete_elem(&gw_eim, &p->eim_key);
	return 0;
}

/* Does the sender have a mapping on the address chosen for it?  Then its port is in p->alt. */
__noinline int eim_known(__u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return 0;
	return v6 ? eim_known_for(p, true) : eim_known_for(p, false);
}

static __always_inline int eim_reserve(struct pkt *p, const bool v6)
{
	struct gw_eim *m;
	int r;

	__builtin_memset(&p->eim, 0, sizeof(p->eim));
	if (v6) {
		for (int i = 0; i < 4; i++)
			p->eim.addr[i] = p->t.v6.saddr[i];
	} else {
		p->eim.addr[0] = p->t.v4.saddr;
	}
	p->eim.port = key_sport(&p->t, v6);
	p->eim.seen = p->eim.held = p->now;
	p->eim.created = gw_boot_ns() / 1000000000ULL;
	p->eim.oif = p->oif;
	p->eim.nat_rule = p->nat_cid;
	r = bpf_map_update_elem(&gw_eim, &p->eim_key, &p->eim, BPF_NOEXIST);
	if (!r) {
		eim_count(1);
		return EIM_FREE;
	}
	if (r != -17 /* EEXIST */)
		return EIM_FULL;
	m = bpf_map_lookup_elem(&gw_eim, &p->eim_key);
	return m && eim_is_ours(m, p, v6) ? EIM_OURS : EIM_TAKEN;
}

/* May the new connection leave from the endpoint in p->alt?  With @make, the endpoint becomes its sender's. */
__noinline int eim_take(__u32 v6, __u32 make)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return EIM_FULL;
	if (v6)
		eim_key_outside(&p->eim_key, &p->alt, true);
	else
		eim_key_outside(&p->eim_key, &p->alt, false);
	if (!make)
		return bpf_map_lookup_elem(&gw_eim, &p->eim_key) ? EIM_TAKEN : EIM_FREE;
	return v6 ? eim_reserve(p, true) : eim_reserve(p, false);
}

/* The endpoint in p->alt is not wanted after all. */
__noinline int eim_release(__u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return 0;
	if (v6)
		eim_key_outside(&p->eim_key, &p->alt, true);
	else
		eim_key_outside(&p->eim_key, &p->alt, false);
	if (!bpf_map_delete_elem(&gw_eim, &p->eim_key))
		eim_count(-1);
	return 0;
}

/* The sender is known by the endpoint in p->alt from now on.  0, or 1: another CPU gave it another one. */
__noinline int eim_bind(__u32 v6)
{
	struct pkt *p = pkt_scratch();
	struct gw_eim *m;
	__be16 port;
	int r;

	if (!p)
		return 1;
	__builtin_memset(&p->eim, 0, sizeof(p->eim));
	if (v6)
		eim_key_inside(&p->eim_key, p, true);
	else
		eim_key_inside(&p->eim_key, p, false);
	port = v6 ? p->alt.v6.dport : p->alt.v4.dport;
	p->eim.port = port;
	r = bpf_map_update_elem(&gw_eim, &p->eim_key, &p->eim, BPF_NOEXIST);
	if (!r)
		return 0;
	m = bpf_map_lookup_elem(&gw_eim, &p->eim_key);
	return !m || m->port != port;
}

static __always_inline int eim_find(struct pkt *p, const bool v6)
{
	struct gw_eim *m;

	if (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP && p->proto != IPPROTO_UDPLITE &&
	    p->proto != IPPROTO_DCCP)
		return 0;
	eim_key_outside(&p->eim_key, &p->t, v6);
	m = bpf_map_lookup_elem(&gw_eim, &p->eim_key);
	if (!m || m->flags & GW_EIM_CLOSED)
		return 0;
	if (v6) {
		for (int i = 0; i < 4; i++)
			p->out.v6.daddr[i] = m->addr[i];
		p->out.v6.dport = m->port;
	} else {
		p->out.v4.daddr = m->addr[0];
		p->out.v4.dport = m->port;
	}
	p->eim_oif = m->oif;
	p->nat_cid = m->nat_rule;
	p->flags |= PKT_EIM;
	return 1;
}

/* Endpoint-independent filtering: whoever sends to a mapped endpoint reaches who is behind it.  1 = p->out has its address. */
__noinline int eim_inbound(__u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return 0;
	return v6 ? eim_find(p, true) : eim_find(p, false);
}

/* Jiffies a mapping outlives the last packet that went out; a connection that is alive keeps it in any case. */
static __always_inline __u32 eim_timeout(const struct gw_conf *conf, __u8 proto)
{
	__u32 t;

	if (proto == IPPROTO_TCP || proto == IPPROTO_DCCP)
		return 0;
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return conf->timeout[GW_TIMEOUT_ICMP];
	t = conf->timeout[GW_TIMEOUT_UDP_STREAM];
	return t < EIM_TIMEOUT_UDP_S * cfg_hz ? EIM_TIMEOUT_UDP_S * cfg_hz : t;
}

/* A connection of the mapping that tuple @to is sent to is alive; its last packet out was at @seen. */
static __always_inline void eim_hold(const union gw_key *to, __u32 seen, __u32 now, const bool v6)
{
	struct gw_eim_key k;
	struct gw_eim *m;

	eim_key_outside(&k, to, v6);
	m = bpf_map_lookup_elem(&gw_eim, &k);
	if (!m)
		return;
	m->held = now;
	if ((__s32)(seen - m->seen) > 0) {
		m->seen = seen;
		m->flags = 0;
	}
}

/* The mappings of a connection that is alive: @ko and @kr are the keys of its halves. */
static __always_inline void eim_hold_flow(const struct gw_flow *orig, const union gw_key *ko,
					  const union gw_key *kr, __u32 now, const bool v6)
{
	struct gw_flow *reply;

	if (!(orig->flags & GW_FLOW_EIM))
		return;
	if (orig->flags & GW_FLOW_SNAT)
		eim_hold(kr, orig->seen, now, v6);
	if (!(orig->flags & GW_FLOW_DNAT) || !(orig->flags & GW_FLOW_SEEN_REPLY))
		return; /* who is inside has to say something to keep what others send to */
	reply = flow_find(kr, v6);
	if (reply)
		eim_hold(ko, reply->seen, now, v6);
}

/* End a mapping, the inside half first: without the outside one it would be found and be wrong. */
static __always_inline void eim_end(const struct gw_eim_key *k, const struct gw_eim *m)
{
	struct gw_eim_key in = { .port = m->port, .proto = k->proto, .zone = k->zone };
	struct gw_eim_key out = *k;

	for (int i = 0; i < 4; i++) {
		in.addr[i] = m->addr[i];
		in.outside[i] = k->addr[i];
	}
	in.kind = k->kind & GW_EIM_V6;
	bpf_map_delete_elem(&gw_eim, &in);
	if (!bpf_map_delete_elem(&gw_eim, &out))
		eim_count(-1);
}
#endif
