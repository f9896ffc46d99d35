/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_FRAGS_H
#define GW_FRAGS_H
/*
 * Ports of fragments: the first one of a packet leaves them in gw_frag, the later ones read them, or wait for it.
 */
#define FRAG_LIFE_S 30	 /* net.ipv4.ipfrag_time */
#define FRAG_HELD   1000 /* not a reason: the fragment was taken off the wire and will come again */

static __always_inline void frag_key(struct pkt *p, struct gw_frag_key *k, const bool v6)
{
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
static __always_inline int frag_wait(struct __sk_buff *skb, struct pkt *p,
				     const struct gw_frag_key *k, struct gw_frag *old)
{
	struct gw_frag v = { .seen = p->now, .held = 1 };
	__u32 slot = 0;

	if (p->flags & PKT_EGRESS || skb->gso_size)
		return GW_REASON_FRAG_EARLY;
	if (old && p->now - old->seen <= FRAG_LIFE_S * cfg_hz)
		slot = __sync_fetch_and_add(&old->held, 1);
	else
		bpf_map_update_elem(&gw_frag, k, &v, BPF_ANY);
	return hold_keep(skb, p, k, slot) ? FRAG_HELD : GW_REASON_FRAG_EARLY;
}

static __always_inline int frag_first(struct __sk_buff *skb, struct pkt *p,
				      const struct gw_frag_key *k, const struct gw_frag *old,
				      const bool v6)
{
	struct gw_frag v = { .seen = p->now, .flags = GW_FRAG_KNOWN };
	__u32 waiting = old && !(old->flags & GW_FRAG_KNOWN) ? old->held : 0;

	v.sport = key_sport(&p->t, v6);
	v.dport = key_dport(&p->t, v6);
	if (p->flags & PKT_QUERY)
		v.flags |= GW_FRAG_QUERY | (p->flags & PKT_REPLY ? GW_FRAG_QUERY_BACK : 0);
	bpf_map_update_elem(&gw_frag, k, &v, BPF_ANY);
	if (waiting && !hold_release(skb, p, k, waiting))
		return GW_REASON_INTERNAL;
	return 0;
}

/* 0, FRAG_HELD (the packet is kept: end it without a drop), or the reason to drop. */
static __always_inline int frag_look(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	struct gw_frag_key k;
	struct gw_frag *old;

	frag_key(p, &k, v6);
	old = bpf_map_lookup_elem(&gw_frag, &k);
	if (!(p->flags & PKT_FRAG_LATER))
		return frag_first(skb, p, &k, old, v6);
	if (!old || !(old->flags & GW_FRAG_KNOWN) || p->now - old->seen > FRAG_LIFE_S * cfg_hz)
		return frag_wait(skb, p, &k, old);
	key_sport(&p->t, v6) = old->sport;
	key_dport(&p->t, v6) = old->dport;
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
#endif
