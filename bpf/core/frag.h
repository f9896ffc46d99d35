/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_FRAGS_H
#define GW_FRAGS_H
/*
 * Ports of fragments: the first one of a packet leaves them in gw_frag, the later ones read them.
 */
#define FRAG_LIFE_S 30 /* net.ipv4.ipfrag_time */

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

/* 0, or the reason to drop. */
static __always_inline int frag_track(struct pkt *p, const bool v6)
{
	struct gw_frag_key k;
	struct gw_frag v = {}, *old;

	frag_key(p, &k, v6);
	if (!(p->flags & PKT_FRAG_LATER)) {
		v.sport = key_sport(&p->t, v6);
		v.dport = key_dport(&p->t, v6);
		v.seen = p->now;
		v.icmp = p->flags & (PKT_QUERY | PKT_REPLY);
		bpf_map_update_elem(&gw_frag, &k, &v, BPF_ANY);
		return 0;
	}
	old = bpf_map_lookup_elem(&gw_frag, &k);
	if (!old || p->now - old->seen > FRAG_LIFE_S * cfg_hz)
		return GW_REASON_FRAG_EARLY;
	key_sport(&p->t, v6) = old->sport;
	key_dport(&p->t, v6) = old->dport;
	p->flags |= old->icmp;
	return 0;
}
#endif
