/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_FRAGS_H
#define GW_FRAGS_H
/*
 * Fragments: the first one of a packet leaves in gw_frag what the transport header said, the later ones read it, or wait for it.
 *
 * Rules see the packet once, as netfilter does behind its reassembly: what an op said of the first fragment is noted, and the later ones, which
 * come to the same ops in the same order, are told the same. So no limit, counter of turns or set that the first one changed parts them.
 */
#define FRAG_LIFE_S 30	 /* net.ipv4.ipfrag_time */
#define FRAG_HELD   1000 /* not a reason: the fragment was taken off the wire and will come again */

static __always_inline void frag_key(struct pkt *p, const bool v6)
{
	struct gw_frag_key *k = &p->frag;

	__builtin_memset(k, 0, sizeof(*k));
	if (v6) {
		for (int i = 0; i < 4; i++) {
			k->saddr[i] = p->t.v6.saddr[i];
			k->daddr[i] = p->t.v6.daddr[i];
		}
	} else {
		k->saddr[0] = p->t.v4.saddr;
		k->daddr[0] = p->t.v4.daddr;
	}
	k->id = p->frag_id;
	k->iif = p->iif;
	k->proto = v6 ? 0 : p->proto; /* IPv6: the id alone (RFC 8200 4.5) */
	k->family = v6 ? 6 : 4;
	k->hook = p->flags & PKT_EGRESS ? 1 : 0;
}

#include "hold.h"

/* A fragment without its first one yet: keep it, if this is ingress and there is room. */
static __always_inline int frag_wait(struct __sk_buff *skb, struct pkt *p, struct gw_frag *old)
{
	struct gw_frag v = { .seen = p->now, .held = 1 };
	__u32 slot = 0;

	if (p->flags & PKT_EGRESS || skb->gso_size)
		return GW_REASON_FRAG_EARLY;
	if (old && p->now - old->seen <= FRAG_LIFE_S * cfg_hz)
		slot = __sync_fetch_and_add(&old->held, 1);
	else
		bpf_map_update_elem(&gw_frag, &p->frag, &v, BPF_ANY);
	return hold_keep(skb, p, &p->frag, slot) ? FRAG_HELD : GW_REASON_FRAG_EARLY;
}

static __always_inline int frag_first(struct __sk_buff *skb, struct pkt *p,
				      const struct gw_frag *old, const bool v6)
{
	struct gw_frag v = { .seen = p->now,
			     .flags = GW_FRAG_KNOWN,
			     .icmp_type = p->icmp_type,
			     .icmp_code = p->icmp_code,
			     .tcp_bits = p->tcp_bits };
	__u32 waiting = old && !(old->flags & GW_FRAG_KNOWN) ? old->held : 0;

	v.sport = key_sport(&p->t, v6);
	v.dport = key_dport(&p->t, v6);
	if (p->flags & PKT_QUERY)
		v.flags |= GW_FRAG_QUERY | (p->flags & PKT_REPLY ? GW_FRAG_QUERY_BACK : 0);
	bpf_map_update_elem(&gw_frag, &p->frag, &v, BPF_ANY);
	if (waiting && !hold_release(skb, p, &p->frag, waiting))
		return GW_REASON_INTERNAL;
	return 0;
}

/* 0, FRAG_HELD (the packet is kept: end it without a drop), or the reason to drop. */
static __always_inline int frag_look(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	struct gw_frag *old;

	frag_key(p, v6);
	old = bpf_map_lookup_elem(&gw_frag, &p->frag);
	if (!(p->flags & PKT_FRAG_LATER))
		return frag_first(skb, p, old, v6);
	if (!old || !(old->flags & GW_FRAG_KNOWN) || p->now - old->seen > FRAG_LIFE_S * cfg_hz)
		return frag_wait(skb, p, old);
	key_sport(&p->t, v6) = old->sport;
	key_dport(&p->t, v6) = old->dport;
	p->icmp_type = old->icmp_type;
	p->icmp_code = old->icmp_code;
	p->tcp_bits = old->tcp_bits;
	if (old->flags & GW_FRAG_QUERY)
		p->flags |= PKT_QUERY | (old->flags & GW_FRAG_QUERY_BACK ? PKT_REPLY : 0);
	return 0;
}

/* Global functions keep their frames from lying under the search of the rules, and their branches from multiplying with the rest. */
__noinline int frag_track(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return GW_REASON_INTERNAL;
	return v6 ? frag_look(skb, p, true) : frag_look(skb, p, false);
}

#define FRAG_OPS \
	64 /* as many as struct gw_frag can note; further ones are asked for each fragment */

/* The row of the packet and, in *bit, the place of the op that is asked now; NULL = there is none. */
static __always_inline struct gw_frag *frag_op(struct pkt *p, __u64 *bit)
{
	__u32 n = p->frag_at++;

	if (n >= FRAG_OPS)
		return NULL;
	*bit = 1ULL << (n & 63);
	return bpf_map_lookup_elem(&gw_frag, &p->frag);
}

/* The first fragment: does the op hold? */
__noinline int frag_note(__u32 holds)
{
	struct pkt *p = pkt_scratch();
	struct gw_frag *row;
	__u64 bit = 0;

	row = p ? frag_op(p, &bit) : NULL;
	if (row && holds)
		row->said |= bit;
	return 0;
}

/* A later one: did it hold?  1, 0, -1 = nobody knows. */
__noinline int frag_told(void)
{
	struct pkt *p = pkt_scratch();
	struct gw_frag *row;
	__u64 bit = 0;

	row = p ? frag_op(p, &bit) : NULL;
	if (!row)
		return -1;
	return !!(row->said & bit);
}

static __always_inline void frag_to(struct pkt *p, const bool v6)
{
	struct gw_frag *row = bpf_map_lookup_elem(&gw_frag, &p->frag);
	__be32 *to = v6 ? p->out.v6.daddr : &p->out.v4.daddr;
	bool later = p->flags & PKT_FRAG_LATER;

	if (!row || !(later ? row->flags & GW_FRAG_DNAT : p->flags & PKT_NEW))
		return;
	for (int i = 0; i < (v6 ? 4 : 1); i++) {
		if (later)
			to[i] = row->to_addr[i];
		else
			row->to_addr[i] = to[i];
	}
	if (later) {
		key_dport(&p->out, v6) = row->to_port;
	} else {
		row->to_port = key_dport(&p->out, v6);
		row->flags |= GW_FRAG_DNAT;
	}
}

/*
 * Behind DNAT: where the first fragment of a new connection is to go, the later ones are to go, too.  Their connection knows that, but there
 * is none if rules refuse the packet.
 */
__noinline int frag_follow(__u32 v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return 0;
	if (v6)
		frag_to(p, true);
	else
		frag_to(p, false);
	return 0;
}
#endif
