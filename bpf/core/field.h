/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_FIELDS_H
#define GW_FIELDS_H
/*
 * The value of a match field (GW_F_*) of the packet in scratch, into p->r.val; numbers in host order.
 *
 * A field that the packet does not have (the TCP port of a datagram, the connection of an untracked packet) is missing, and a rule that asks
 * for it does not apply, whatever it compares with.  Of a fragment the fields say what those of the whole packet would, but for its length.
 */
#define FIELD_OK      0
#define FIELD_MISSING 1
#define FIELD_UNKNOWN 2

/* Bytes of a field in a set's key, before padding to 4: those of its type (type_rows in ctl/model); a name of an interface is its index. */
#define FIELD_BYTES_NUM	       4
#define FIELD_BYTES_IFNAME     4
#define FIELD_BYTES_ADDR4      4
#define FIELD_BYTES_ADDR6      16
#define FIELD_BYTES_PROTO      1
#define FIELD_BYTES_PORT       2
#define FIELD_BYTES_ICMP_TYPE  1
#define FIELD_BYTES_ICMP6_TYPE 1
#define FIELD_BYTES_CT_STATE   4
#define FIELD_BYTES_MARK       4
#define FIELD_BYTES_ETHER_ADDR 6
#define FIELD_BYTES_ETHERTYPE  2
#define FIELD_BYTES_DSCP       1
#define FIELD_BYTES_ECN	       1
#define FIELD_BYTES_TCP_FLAG   1
#define FIELD_BYTES_ICMP_CODE  1
#define FIELD_BYTES_ICMP6_CODE 1
#define FIELD_BYTES_CT_STATUS  4
#define FIELD_BYTES_CT_DIR     1
#define FIELD_BYTES_NFPROTO    1
#define FIELD_BYTES_PKTTYPE    1
#define FIELD_BYTES_IFTYPE     2
#define FIELD_BYTES_FIB_TYPE   4
#define FIELD_BYTES_FIB_OIF    4
#define FIELD_BYTES_BOOL       1
#define FIELD_BYTES_HOUR       4
#define FIELD_BYTES_DAY	       1
#define FIELD_BYTES_TIME       4
#define FIELD_BYTES_DATE       8
static const __u8 field_bytes[GW_F_MAX] = {
#define GW_FIELD(id, keyword, type, bits, families, implies, hooks, varies, help) \
	[GW_F_##id] = FIELD_BYTES_##type,
#include <gw/field.def>
#undef GW_FIELD
};

/* Fields that may differ between packets of one direction of a flow. */
#define FIELD_VARIES_F 0
#define FIELD_VARIES_S 1
#define FIELD_VARIES_P 1
static const __u8 field_varies[GW_F_MAX] = {
#define GW_FIELD(id, keyword, type, bits, families, implies, hooks, varies, help) \
	[GW_F_##id] = FIELD_VARIES_##varies,
#include <gw/field.def>
#undef GW_FIELD
};

static __always_inline __u8 field_row(const __u8 *table, __u64 field)
{
	asm volatile("" : "+r"(field));
	return field < GW_F_MAX ? table[field] : 0;
}

static __always_inline int field_is(struct pkt *p, __u64 v)
{
	p->r.val[1] = v;
	return FIELD_OK;
}

static __always_inline int field_if(struct pkt *p, bool has, __u64 v)
{
	p->r.val[1] = v;
	return has ? FIELD_OK : FIELD_MISSING;
}

/* Forwarded packets meet their rules behind the router, which took one hop: ip_forward() does it before FORWARD. */
static __always_inline bool ttl_is_due(const struct pkt *p)
{
	const __u32 behind = 1U << GW_HOOK_MANGLE_FORWARD | 1U << GW_HOOK_FILTER_FORWARD |
			     1U << GW_HOOK_SECURITY_FORWARD | 1U << GW_HOOK_MANGLE_POSTROUTING |
			     1U << GW_HOOK_NAT_POSTROUTING;

	return behind >> (p->r.hook & 31) & 1 &&
	       !(p->flags & (PKT_EGRESS | PKT_LOCAL | PKT_TTL_DONE)) && p->ttl;
}

/* ------------------------------------------------------------------------------------------- the connection */

/* Key of the flow the packet belongs to, in the packet's direction. */
static __always_inline const union gw_key *field_flow_key(const struct pkt *p)
{
	return p->flags & PKT_ICMP_ERROR ? &p->related : &p->t;
}

static __always_inline bool field_tracked(const struct pkt *p)
{
	return p->ctstate != GW_CT_INVALID && p->ctstate != GW_CT_UNTRACKED &&
	       !(p->flags & PKT_STATELESS);
}

/* IPS_* of linux/netfilter/nf_conntrack_common.h. */
#define STATUS_SEEN_REPLY (1U << 1)
#define STATUS_ASSURED	  (1U << 2)
#define STATUS_CONFIRMED  (1U << 3)
#define STATUS_SNAT	  (1U << 4)
#define STATUS_DNAT	  (1U << 5)
#define STATUS_DYING	  (1U << 9)

static __always_inline __u32 field_status(const struct gw_flow *own)
{
	__u32 flags = own->flags, bits = STATUS_CONFIRMED;

	bits |= flags & GW_FLOW_SEEN_REPLY ? STATUS_SEEN_REPLY : 0;
	bits |= flags & GW_FLOW_ASSURED ? STATUS_ASSURED : 0;
	bits |= flags & GW_FLOW_SNAT ? STATUS_SNAT : 0;
	bits |= flags & GW_FLOW_DNAT ? STATUS_DNAT : 0;
	bits |= flags & GW_FLOW_DYING ? STATUS_DYING : 0;
	return bits;
}

static __always_inline int field_addr(struct pkt *p, const union gw_key *k, bool dst, bool want6,
				      const bool v6)
{
	if (want6 != v6)
		return FIELD_MISSING;
	if (v6) {
		const __be32 *a = dst ? k->v6.daddr : k->v6.saddr;

		p->r.val[0] = (__u64)bpf_ntohl(a[0]) << 32 | bpf_ntohl(a[1]);
		p->r.val[1] = (__u64)bpf_ntohl(a[2]) << 32 | bpf_ntohl(a[3]);
	} else {
		p->r.val[1] = bpf_ntohl(dst ? k->v4.daddr : k->v4.saddr);
	}
	return FIELD_OK;
}

static __always_inline bool field_is_of_reply(__u32 field)
{
	return field == GW_F_CT_R_SADDR || field == GW_F_CT_R_DADDR || field == GW_F_CT_R_SADDR6 ||
	       field == GW_F_CT_R_DADDR6 || field == GW_F_CT_R_SPORT || field == GW_F_CT_R_DPORT;
}

/* A part of the tuple in p->tmp, which is the one the field asks for. */
static __always_inline int field_tuple(struct pkt *p, __u32 field, const bool v6)
{
	switch (field) {
	case GW_F_CT_O_SPORT:
	case GW_F_CT_R_SPORT:
		return field_is(p, bpf_ntohs(key_sport(&p->tmp, v6)));
	case GW_F_CT_O_DPORT:
	case GW_F_CT_R_DPORT:
		return field_is(p, bpf_ntohs(key_dport(&p->tmp, v6)));
	case GW_F_CT_O_SADDR:
	case GW_F_CT_R_SADDR:
		return field_addr(p, &p->tmp, false, false, v6);
	case GW_F_CT_O_DADDR:
	case GW_F_CT_R_DADDR:
		return field_addr(p, &p->tmp, true, false, v6);
	case GW_F_CT_O_SADDR6:
	case GW_F_CT_R_SADDR6:
		return field_addr(p, &p->tmp, false, true, v6);
	case GW_F_CT_O_DADDR6:
	case GW_F_CT_R_DADDR6:
		return field_addr(p, &p->tmp, true, true, v6);
	}
	return FIELD_UNKNOWN;
}

/* Of a connection that this packet is about to make. */
static __always_inline int field_ct_new(struct pkt *p, struct gw_conf *conf, __u32 field,
					__u32 flags, const bool v6)
{
	bool dnat = key_dest_differs(&p->t, &p->out, v6) ||
		    key_dport(&p->t, v6) != key_dport(&p->out, v6);

	switch (field) {
	case GW_F_CT_STATUS:
		return field_is(p, dnat ? STATUS_DNAT : 0);
	case GW_F_CT_DIR:
		return field_is(p, 0);
	case GW_F_CT_EXPIRE:
		p->a.f.state = p->proto == IPPROTO_TCP ? GW_TCP_SYN_SENT : GW_TCP_NONE;
		p->a.f.flags = 0;
		return field_is(p, flow_timeout_state(conf, p->proto, &p->a.f, NULL) / cfg_hz);
	case GW_F_CT_BYTES:
		return field_is(p, flags & GW_OPF_REPLY ? 0 : p->len);
	case GW_F_CT_PACKETS:
		return field_is(p, flags & GW_OPF_REPLY ? 0 : 1);
	case GW_F_CT_PROTO:
		return field_is(p, p->proto);
	}
	if (field_is_of_reply(field))
		key_swap(&p->tmp, &p->out, v6);
	else
		key_copy(&p->tmp, &p->t, v6);
	return field_tuple(p, field, v6);
}

static __always_inline __u32 field_expire(struct pkt *p, struct gw_conf *conf, struct gw_flow *orig,
					  struct gw_flow *reply)
{
	__u32 last = flow_last(orig, reply), idle = p->now - last;
	__u32 t = flow_timeout(conf, p->proto, orig, reply, last);

	return (__s32)idle < 0 || idle > t ? 0 : (t - idle) / cfg_hz;
}

/* @dir: GW_OPF_BOTH, GW_OPF_REPLY, or neither: of the original direction. */
static __always_inline __u64 field_sum(__u64 orig, __u64 reply, __u32 dir)
{
	return dir & GW_OPF_BOTH ? orig + reply : dir & GW_OPF_REPLY ? reply : orig;
}

static __always_inline int field_ct_known(struct pkt *p, struct gw_conf *conf, __u32 field,
					  __u32 flags, const bool v6)
{
	struct gw_flow *own, *peer, *orig, *reply;
	bool is_reply;

	key_copy(&p->tmp, field_flow_key(p), v6);
	own = flow_find(&p->tmp, v6);
	if (!own)
		return FIELD_MISSING; /* it ended meanwhile */
	is_reply = own->flags & GW_FLOW_REPLY;
	if (field == GW_F_CT_STATUS)
		return field_is(p, field_status(own));
	if (field == GW_F_CT_DIR)
		return field_is(p, is_reply);
	if (field == GW_F_CT_PROTO)
		return field_is(p, key_proto(&p->tmp, v6));
	if (field > GW_F_CT_PACKETS) {
		if (is_reply != field_is_of_reply(field))
			key_copy(&p->tmp, flow_peer(own, v6), v6);
		return field_tuple(p, field, v6);
	}
	key_copy(&p->tmp, flow_peer(own, v6), v6);
	peer = flow_find(&p->tmp, v6);
	if (!peer)
		return FIELD_MISSING;
	orig = is_reply ? peer : own;
	reply = is_reply ? own : peer;
	if (field == GW_F_CT_EXPIRE)
		return field_is(p, field_expire(p, conf, orig, reply));
	if (field == GW_F_CT_BYTES)
		return field_is(p, field_sum(orig->bytes, reply->bytes, flags));
	return field_is(p, field_sum(orig->pkts, reply->pkts, flags));
}

static __always_inline int field_ct_of(struct pkt *p, __u32 field, __u32 flags, const bool v6)
{
	struct gw_conf *conf = conf_get();

	if (!conf || !field_tracked(p))
		return FIELD_MISSING;
	if (p->flags & PKT_NEW)
		return field_ct_new(p, conf, field, flags, v6);
	return field_ct_known(p, conf, field, flags, v6);
}

__noinline int field_ct(__u32 field, __u32 flags, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return FIELD_UNKNOWN;
	return v6 ? field_ct_of(p, field, flags, true) : field_ct_of(p, field, flags, false);
}

/* -------------------------------------------------------------------------------------------------- routing */

/* RTN_* of linux/rtnetlink.h, by what the gateway's own addresses are. */
#define FIELD_UNICAST	  1
#define FIELD_LOCAL	  2
#define FIELD_BROADCAST	  3
#define FIELD_MULTICAST	  5
#define FIELD_UNREACHABLE 7

/* What a field asks the FIB about, as nft's flags. */
#define FIB_DST	 (1U << 0) /* the destination; else the source */
#define FIB_IIF	 (1U << 1) /* on the interface the packet came in by */
#define FIB_OIF	 (1U << 2) /* on the one it leaves by */
#define FIB_MARK (1U << 3) /* with its mark */
#define FIB_TYPE (1U << 4) /* the address's type; else the route's interface */
static const __u8 fib_asks[GW_F_MAX] = {
	[GW_F_FIB_SADDR_TYPE] = FIB_TYPE,
	[GW_F_FIB_DADDR_TYPE] = FIB_TYPE | FIB_DST,
	[GW_F_FIB_SADDR_IIF_TYPE] = FIB_TYPE | FIB_IIF,
	[GW_F_FIB_DADDR_IIF_TYPE] = FIB_TYPE | FIB_DST | FIB_IIF,
	[GW_F_FIB_SADDR_OIF_TYPE] = FIB_TYPE | FIB_OIF,
	[GW_F_FIB_DADDR_OIF_TYPE] = FIB_TYPE | FIB_DST | FIB_OIF,
	[GW_F_FIB_DADDR_OIF] = FIB_DST,
	[GW_F_FIB_SADDR_IIF_OIF] = FIB_IIF,
	[GW_F_FIB_DADDR_IIF_OIF] = FIB_DST | FIB_IIF,
	[GW_F_FIB_SADDR_MARK_OIF] = FIB_MARK,
	[GW_F_FIB_DADDR_MARK_OIF] = FIB_MARK | FIB_DST,
	[GW_F_FIB_SADDR_MARK_IIF_OIF] = FIB_MARK | FIB_IIF,
	[GW_F_FIB_DADDR_MARK_IIF_OIF] = FIB_MARK | FIB_DST | FIB_IIF,
};

static __always_inline void field_fib_fill(struct bpf_fib_lookup *fib, struct pkt *p, bool dst,
					   const bool v6)
{
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->ifindex = p->iif ? p->iif : 1;
	fib->l4_protocol = p->proto;
	if (v6) {
		fib->family = AF_INET6;
		for (int i = 0; i < 4; i++) {
			fib->ipv6_dst[i] = dst ? p->tmp.v6.daddr[i] : p->tmp.v6.saddr[i];
			fib->ipv6_src[i] = dst ? p->tmp.v6.saddr[i] : p->tmp.v6.daddr[i];
		}
	} else {
		fib->family = AF_INET;
		fib->tos = p->tos & 0x1e;
		fib->ipv4_dst = dst ? p->tmp.v4.daddr : p->tmp.v4.saddr;
		fib->ipv4_src = dst ? p->tmp.v4.saddr : p->tmp.v4.daddr;
	}
}

/* Who has no address yet asks by this interface: netfilter lets it pass as a source that is reached there. */
static __always_inline bool field_is_nobody(const struct pkt *p, const bool v6)
{
	__u32 d = bpf_ntohl(v6 ? p->tmp.v6.daddr[0] : p->tmp.v4.daddr);

	if (!v6)
		return !(bpf_ntohl(p->tmp.v4.saddr) >> 24) &&
		       (d == 0xffffffff || d >> 8 == 0xe00000);
	return p->proto == IPPROTO_ICMPV6 &&
	       !(p->tmp.v6.saddr[0] | p->tmp.v6.saddr[1] | p->tmp.v6.saddr[2] |
		 p->tmp.v6.saddr[3]) &&
	       (d >> 24 == 0xff || d >> 22 == 0x3fa);
}

/* Interface of the route to the address; 0 = there is none, or it is our own address.  *unknown: not on this kernel */
static __always_inline __u32 field_route_oif(struct __sk_buff *skb, struct pkt *p, __u32 asks,
					     int *unknown, const bool v6)
{
	bool dst = asks & FIB_DST;
	struct gw_local *local = local_find(&p->tmp, dst, v6);
	struct bpf_fib_lookup fib;
	__u32 flags = 0;
	long r;

	if (field_is_nobody(p, v6))
		return p->r.iif;
	if (local && local->kind == GW_LOCAL_HOST)
		return 0;
	if (local)
		return local->ifindex ? local->ifindex : p->r.iif;
	if (v6 && bpf_ntohl(dst ? p->tmp.v6.daddr[0] : p->tmp.v6.saddr[0]) >> 22 == 0x3fa)
		return p->r.iif; /* a link-local address is on the link it came from */
	field_fib_fill(&fib, p, dst, v6);
	if (asks & FIB_MARK && p->r.k.mark) {
		*unknown = !cfg_fib_mark;
		flags = 1U << 5; /* BPF_FIB_LOOKUP_MARK: the mark shares smac (6.10) */
		*(__u32 *)fib.smac = p->r.k.mark;
	}
	r = bpf_fib_lookup(skb, &fib, sizeof(fib), flags);
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH &&
	    r != BPF_FIB_LKUP_RET_FWD_DISABLED)
		return 0;
	return fib.ifindex;
}

/* Of a local address that another interface has than the one that is asked for, it is unicast, as any other. */
static __always_inline __u32 field_addr_type(struct __sk_buff *skb, struct pkt *p, __u32 asks,
					     const bool v6)
{
	bool dst = asks & FIB_DST;
	__u32 dev = asks & FIB_IIF ? p->r.iif : asks & FIB_OIF ? p->r.oif : 0;
	struct gw_local *local = local_find(&p->tmp, dst, v6);
	struct bpf_fib_lookup fib;
	__be32 a;
	long r;

	if (local && (!dev || !local->ifindex || local->ifindex == dev))
		return local->kind == GW_LOCAL_HOST ? FIELD_LOCAL : FIELD_BROADCAST;
	if (!v6) {
		a = dst ? p->tmp.v4.daddr : p->tmp.v4.saddr;
		if (a == 0xffffffff || !(bpf_ntohl(a) >> 24))
			return FIELD_BROADCAST;
		if (bpf_ntohl(a) >> 28 == 0xe)
			return FIELD_MULTICAST;
		return bpf_ntohl(a) >> 24 == 127 && dev <= 1 ? FIELD_LOCAL : FIELD_UNICAST;
	}
	if (local)
		return FIELD_UNICAST;
	a = dst ? p->tmp.v6.daddr[0] : p->tmp.v6.saddr[0];
	if (bpf_ntohl(a) >> 24 == 0xff)
		return FIELD_MULTICAST;
	field_fib_fill(&fib, p, dst, true);
	r = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	return r == BPF_FIB_LKUP_RET_UNREACHABLE || r == BPF_FIB_LKUP_RET_PROHIBIT ||
			       r == BPF_FIB_LKUP_RET_BLACKHOLE
		       ? FIELD_UNREACHABLE
		       : FIELD_UNICAST;
}

static __always_inline int field_fib_of(struct __sk_buff *skb, struct pkt *p, __u32 field,
					const bool v6)
{
	__u32 asks = field_row(fib_asks, field), oif;
	int unknown = 0;

	/* as the rules see it: source as it came, destination as it will be */
	key_copy(&p->tmp, &p->t, v6);
	if (v6) {
		p->tmp.v6.daddr[0] = bpf_htonl(p->r.k.d[0] >> 32);
		p->tmp.v6.daddr[1] = bpf_htonl((__u32)p->r.k.d[0]);
		p->tmp.v6.daddr[2] = bpf_htonl(p->r.k.d[1] >> 32);
		p->tmp.v6.daddr[3] = bpf_htonl((__u32)p->r.k.d[1]);
	} else {
		p->tmp.v4.daddr = bpf_htonl((__u32)p->r.k.d[1]);
	}
	if (asks & FIB_TYPE)
		return field_is(p, field_addr_type(skb, p, asks, v6));
	oif = field_route_oif(skb, p, asks, &unknown, v6);
	if (unknown)
		return FIELD_UNKNOWN;
	return field_is(p, asks & FIB_IIF && oif != p->r.iif ? 0 : oif);
}

__noinline int field_fib(struct __sk_buff *skb, __u32 field, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return FIELD_UNKNOWN;
	return v6 ? field_fib_of(skb, p, field, true) : field_fib_of(skb, p, field, false);
}

/* ----------------------------------------------------------------------------------------- clock and frame */

#define DAY_S 86400
static __always_inline int field_time(struct pkt *p, __u32 field)
{
	struct gw_conf *conf = conf_get();
	__u64 s;

	if (!conf)
		return FIELD_MISSING;
	s = gw_boot_ns() + conf->wall_ns;
	if (field == GW_F_TIME)
		return field_is(p, s);
	s /= 1000000000ULL;
	if (field == GW_F_HOUR)
		return field_is(p, s % DAY_S);
	return field_is(p, (s / DAY_S + 4) % 7); /* 1970-01-01 was a Thursday; Sunday is 0 */
}

static __always_inline int field_iftype(struct pkt *p, __u32 ifindex)
{
	struct gw_if *row = ifindex ? if_get(ifindex) : NULL;

	return field_if(p, row && row->iftype, row ? row->iftype : 0);
}

/* Header fields that are nowhere in scratch: 2 bytes at @off of the frame. */
static __always_inline int field_bytes2(struct __sk_buff *skb, struct pkt *p, __u32 off)
{
	__be16 v;

	if (bpf_skb_load_bytes(skb, off, &v, 2))
		return FIELD_MISSING;
	return field_is(p, bpf_ntohs(v));
}

static __always_inline int field_mac(struct __sk_buff *skb, struct pkt *p, __u32 off)
{
	__u8 mac[6];

	if (!p->l3 || p->flags & PKT_EGRESS || bpf_skb_load_bytes(skb, off, mac, 6))
		return FIELD_MISSING;
	return field_is(p, (__u64)mac[0] << 40 | (__u64)mac[1] << 32 | (__u64)mac[2] << 24 |
				   (__u64)mac[3] << 16 | (__u64)mac[4] << 8 | mac[5]);
}

__noinline int field_frame(struct __sk_buff *skb, __u32 field, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return FIELD_UNKNOWN;
	switch (field) {
	case GW_F_HOUR:
	case GW_F_DAY:
	case GW_F_TIME:
		return field_time(p, field);
	case GW_F_IIFTYPE:
		return field_iftype(p, p->r.iif);
	case GW_F_OIFTYPE:
		return field_iftype(p, p->r.oif);
	case GW_F_PKTTYPE:
		return field_is(p, skb->pkt_type);
	case GW_F_ETHER_SADDR:
		return field_mac(skb, p, 6);
	case GW_F_ETHER_DADDR:
		return field_mac(skb, p, 0);
	case GW_F_ETHER_TYPE:
		if (!p->l3 || p->flags & PKT_EGRESS)
			return FIELD_MISSING;
		return field_bytes2(skb, p, 12);
	case GW_F_VLAN_ID: /* a VLAN device's frames come without */
		return field_if(p, skb->vlan_present, skb->vlan_tci & 0xfff);
	case GW_F_IP_ID:
		return v6 ? FIELD_MISSING : field_bytes2(skb, p, p->l3 + 4);
	case GW_F_IP_FRAG_OFF:
		if (v6 || field_bytes2(skb, p, p->l3 + 6))
			return FIELD_MISSING;
		return field_is(p, p->flags & PKT_FRAG ? p->r.val[1] & 0x4000 : p->r.val[1]);
	case GW_F_IP6_LENGTH:
		return v6 ? field_bytes2(skb, p, p->l3 + 4) : FIELD_MISSING;
	case GW_F_IP6_NEXTHDR:
		if (!v6 || field_bytes2(skb, p, p->l3 + 6))
			return FIELD_MISSING;
		if (p->flags & PKT_FRAG && p->r.val[1] >> 8 == 44 &&
		    field_bytes2(skb, p, p->l3 + 40))
			return FIELD_MISSING;
		return field_is(p, p->r.val[1] >> 8);
	}
	return FIELD_UNKNOWN;
}

/* --------------------------------------------------------------------------------------------- TCP options */

/* Kind of the option, and which bytes of it are asked for; none: is it there? */
struct tcpopt {
	__u8 kind, at, bytes;
};
static const struct tcpopt tcpopts[] = {
	[GW_F_TCPOPT_EOL - GW_F_TCPOPT_EOL] = { .kind = 0 },
	[GW_F_TCPOPT_NOP - GW_F_TCPOPT_EOL] = { .kind = 1 },
	[GW_F_TCPOPT_MAXSEG - GW_F_TCPOPT_EOL] = { .kind = 2 },
	[GW_F_TCPOPT_WINDOW - GW_F_TCPOPT_EOL] = { .kind = 3 },
	[GW_F_TCPOPT_SACK_PERM - GW_F_TCPOPT_EOL] = { .kind = 4 },
	[GW_F_TCPOPT_SACK - GW_F_TCPOPT_EOL] = { .kind = 5 },
	[GW_F_TCPOPT_TIMESTAMP - GW_F_TCPOPT_EOL] = { .kind = 8 },
	[GW_F_TCPOPT_MD5SIG - GW_F_TCPOPT_EOL] = { .kind = 19 },
	[GW_F_TCPOPT_MPTCP - GW_F_TCPOPT_EOL] = { .kind = 30 },
	[GW_F_TCPOPT_FASTOPEN - GW_F_TCPOPT_EOL] = { .kind = 34 },
	[GW_F_TCPOPT_MAXSEG_SIZE - GW_F_TCPOPT_EOL] = { 2, 2, 2 },
	[GW_F_TCPOPT_WINDOW_COUNT - GW_F_TCPOPT_EOL] = { 3, 2, 1 },
	[GW_F_TCPOPT_TSVAL - GW_F_TCPOPT_EOL] = { 8, 2, 4 },
	[GW_F_TCPOPT_TSECR - GW_F_TCPOPT_EOL] = { 8, 6, 4 },
};
#define TCPOPTS (sizeof(tcpopts) / sizeof(tcpopts[0]))

/* The options into p->opts; how many bytes they have. */
static __always_inline __u32 tcpopt_load(struct __sk_buff *skb, struct pkt *p)
{
	__u32 len = p->tcp_doff * 4 - 20;
	__u64 last = len - 1;

	if (p->proto != IPPROTO_TCP || p->flags & PKT_FRAG_LATER || !len || len > 40)
		return 0;
	asm volatile("%0 &= 63" : "+r"(last)); /* 6.1 does not learn from "!= 0" */
	return bpf_skb_load_bytes(skb, p->l4 + 20, p->opts, last + 1) ? 0 : len;
}

/* As netfilter looks for it: the end of the list is no end, and no length counts as 1. */
struct tcpopt_walk {
	__u32 at, len, size;
	__u32 kind;
	__u32 found;
};

static long tcpopt_step(__u32 i, struct tcpopt_walk *w)
{
	struct pkt *p = pkt_scratch();
	__u8 kind;

	if (!p || w->at + 1 >= w->len)
		return 1;
	kind = p->opts[w->at & 63];
	w->size = p->opts[(w->at + 1) & 63];
	if (kind <= 1 || !w->size)
		w->size = 1;
	if (kind == w->kind) {
		w->found = w->at + w->size <= w->len;
		return 1;
	}
	w->at += w->size;
	return 0;
}

__noinline int field_tcpopt(struct __sk_buff *skb, __u32 field)
{
	__u64 i = field - GW_F_TCPOPT_EOL, v = 0;
	struct pkt *p = pkt_scratch();
	struct tcpopt_walk w = {};
	const struct tcpopt *o;

	asm volatile("" : "+r"(i));
	if (!p || i >= TCPOPTS)
		return FIELD_UNKNOWN;
	o = &tcpopts[i];
	w.len = tcpopt_load(skb, p);
	w.kind = o->kind;
	bpf_loop(40, tcpopt_step, &w, 0);
	if (!o->bytes)
		return field_is(p, w.found);
	if (!w.found || o->at + o->bytes > w.size)
		return FIELD_MISSING;
	for (int k = 0; k < 4 && k < o->bytes; k++)
		v = v << 8 | p->opts[(w.at + o->at + k) & 63];
	return field_is(p, v);
}

/* ---------------------------------------------------------------------------------------------- the packet */

static __always_inline int field_port(struct pkt *p, __u8 proto, bool dst)
{
	bool any = !proto && (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ||
			      p->proto == IPPROTO_UDPLITE || p->proto == IPPROTO_SCTP ||
			      p->proto == IPPROTO_DCCP);

	return field_if(p, any || p->proto == proto, dst ? p->r.k.dport : p->r.k.sport);
}

static __always_inline int field_icmp(struct pkt *p, bool here, __u8 v)
{
	return field_if(p, here && !(p->flags & PKT_FRAG_LATER), v);
}

static __always_inline int field_tcp(struct pkt *p, __u16 v)
{
	return field_if(p, p->proto == IPPROTO_TCP && !(p->flags & PKT_FRAG_LATER), v);
}

static __always_inline int field_wide(struct pkt *p, const __u64 *v)
{
	p->r.val[0] = v[0];
	p->r.val[1] = v[1];
	return FIELD_OK;
}

static __always_inline int field_l4(struct pkt *p, __u32 field, const bool v6)
{
	switch (field) {
	case GW_F_TCP_SPORT:
		return field_port(p, IPPROTO_TCP, false);
	case GW_F_TCP_DPORT:
		return field_port(p, IPPROTO_TCP, true);
	case GW_F_UDP_SPORT:
		return field_port(p, IPPROTO_UDP, false);
	case GW_F_UDP_DPORT:
		return field_port(p, IPPROTO_UDP, true);
	case GW_F_UDPL_SPORT:
		return field_port(p, IPPROTO_UDPLITE, false);
	case GW_F_UDPL_DPORT:
		return field_port(p, IPPROTO_UDPLITE, true);
	case GW_F_SCTP_SPORT:
		return field_port(p, IPPROTO_SCTP, false);
	case GW_F_SCTP_DPORT:
		return field_port(p, IPPROTO_SCTP, true);
	case GW_F_DCCP_SPORT:
		return field_port(p, IPPROTO_DCCP, false);
	case GW_F_DCCP_DPORT:
		return field_port(p, IPPROTO_DCCP, true);
	case GW_F_TH_SPORT:
		return field_port(p, 0, false);
	case GW_F_TH_DPORT:
		return field_port(p, 0, true);
	case GW_F_ICMP_TYPE:
		return field_icmp(p, !v6 && p->proto == IPPROTO_ICMP, p->icmp_type);
	case GW_F_ICMP_CODE:
		return field_icmp(p, !v6 && p->proto == IPPROTO_ICMP, p->icmp_code);
	case GW_F_ICMP6_TYPE:
		return field_icmp(p, v6 && p->proto == IPPROTO_ICMPV6, p->icmp_type);
	case GW_F_ICMP6_CODE:
		return field_icmp(p, v6 && p->proto == IPPROTO_ICMPV6, p->icmp_code);
	case GW_F_TCP_FLAGS:
		return field_tcp(p, p->tcp_bits);
	case GW_F_TCP_WINDOW:
		return field_tcp(p, p->win);
	}
	return FIELD_UNKNOWN;
}

static __always_inline int field_plain(struct pkt *p, __u32 field, const bool v6)
{
	switch (field) {
	case GW_F_IIFNAME: /* none is 0: as nft, whose `iifname != "lo"` holds for it */
	case GW_F_IIF:
		return field_is(p, p->r.iif);
	case GW_F_OIFNAME:
	case GW_F_OIF:
		return field_is(p, p->r.oif);
	case GW_F_IP_SADDR:
		return v6 ? FIELD_MISSING : field_wide(p, p->r.k.s);
	case GW_F_IP_DADDR:
		return v6 ? FIELD_MISSING : field_wide(p, p->r.k.d);
	case GW_F_IP6_SADDR:
		return v6 ? field_wide(p, p->r.k.s) : FIELD_MISSING;
	case GW_F_IP6_DADDR:
		return v6 ? field_wide(p, p->r.k.d) : FIELD_MISSING;
	case GW_F_L4PROTO:
		return field_is(p, p->proto);
	case GW_F_IP_PROTOCOL:
		return field_if(p, !v6, p->proto);
	case GW_F_CT_STATE:
		return field_is(p, p->r.k.state);
	case GW_F_CT_MARK:
		return field_if(p, field_tracked(p), p->ctmark);
	case GW_F_CT_ZONE:
		return field_if(p, field_tracked(p), key_zone(&p->t, v6));
	case GW_F_META_MARK:
		return field_is(p, p->r.k.mark);
	case GW_F_LENGTH:
		return field_is(p, p->len);
	case GW_F_NFPROTO: /* NFPROTO_* */
		return field_is(p, v6 ? 10 : 2);
	case GW_F_PROTOCOL:
		return field_is(p, v6 ? ETH_P_IPV6 : ETH_P_IP);
	case GW_F_IP_TTL:
		return field_if(p, !v6, p->ttl - ttl_is_due(p));
	case GW_F_IP6_HOPLIMIT:
		return field_if(p, v6, p->ttl - ttl_is_due(p));
	case GW_F_IP_DSCP:
		return field_if(p, !v6, p->tos >> 2);
	case GW_F_IP6_DSCP:
		return field_if(p, v6, p->tos >> 2);
	case GW_F_IP_ECN:
		return field_if(p, !v6, p->tos & 3);
	case GW_F_IP6_ECN:
		return field_if(p, v6, p->tos & 3);
	case GW_F_IP_LENGTH:
		return field_if(p, !v6, p->len);
	case GW_F_EXT_HBH:
		return field_if(p, v6, !!(p->exthdr & EXT6_HBH));
	case GW_F_EXT_FRAG:
		return field_if(p, v6, p->exthdr & EXT6_FRAG && !(p->flags & PKT_FRAG));
	case GW_F_EXT_RT:
		return field_if(p, v6, !!(p->exthdr & EXT6_RT));
	case GW_F_EXT_DST:
		return field_if(p, v6, !!(p->exthdr & EXT6_DST));
	case GW_F_EXT_MH:
		return field_if(p, v6, p->proto == 135);
	case GW_F_NUMGEN_RANDOM:
		return field_is(p, bpf_get_prandom_u32());
	}
	return FIELD_UNKNOWN;
}

__noinline int field_get(struct __sk_buff *skb, __u32 field, __u32 flags, __u32 v6)
{
	struct pkt *p = pkt_scratch();
	int r;

	if (!p)
		return FIELD_UNKNOWN;
	p->r.val[0] = 0;
	r = v6 ? field_plain(p, field, true) : field_plain(p, field, false);
	if (r == FIELD_UNKNOWN)
		r = field_l4(p, field, v6);
	if (r != FIELD_UNKNOWN)
		return r;
	if (field >= GW_F_CT_STATUS && field <= GW_F_CT_PROTO)
		return field_ct(field, flags, v6);
	if ((field >= GW_F_FIB_SADDR_TYPE && field <= GW_F_FIB_SADDR_OIF) ||
	    (field >= GW_F_FIB_SADDR_IIF_TYPE && field <= GW_F_FIB_DADDR_MARK_IIF_OIF))
		return field_fib(skb, field, v6);
	if (field >= GW_F_TCPOPT_EOL && field <= GW_F_TCPOPT_TSECR)
		return field_tcpopt(skb, field);
	return field_frame(skb, field, v6);
}
#endif
