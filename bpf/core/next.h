/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_BPF_NEXT_H
#define GW_BPF_NEXT_H
/*
 * next - link addresses of next hops, so that most packets need not ask the kernel's neighbour table.
 *
 * The table stays the kernel's.  Each quarter second a row lets one packet go by bpf_redirect_neigh, which resolves, probes and ages the
 * neighbour as ever, and learns from what the kernel wrote in front of it.  A row is one CPU's: nobody reads it half written.
 */
static __always_inline struct gw_next *next_row(__u32 slot)
{
	__u32 i = bpf_get_smp_processor_id() * GW_NEXT_MAX + (slot & (GW_NEXT_MAX - 1));

	return bpf_map_lookup_elem(&gw_next, &i);
}

static __always_inline __u32 next_slot(__u32 oif, const __be32 *nh, const bool v6)
{
	__u32 h = nh[0] ^ oif;

	if (v6)
		h ^= nh[1] ^ nh[2] ^ nh[3] * 31;
	return h * 0x9e3779b1U >> (32 - GW_NEXT_BITS);
}

static __always_inline bool next_is_fresh(const struct gw_next *n, const struct gw_conf *conf,
					  __u32 now)
{
	return n->rgen == conf->rgen && now - n->asked < cfg_hz / 4;
}

static __always_inline bool next_is_for(const struct gw_next *n, __u32 oif, const __be32 *nh,
					const bool v6)
{
	__u32 differs = (n->key ^ GW_NEXT_KEY(oif, v6)) | (n->nh[0] ^ nh[0]);

	if (v6)
		differs |= (n->nh[1] ^ nh[1]) | (n->nh[2] ^ nh[2]) | (n->nh[3] ^ nh[3]);
	return !differs;
}

/* The mark of a packet that is to tell the link addresses. */
static __always_inline __u16 next_ask(struct gw_next *n, const struct gw_conf *conf, __u32 slot,
				      __u32 oif, const __be32 *nh, __u32 now, const bool v6)
{
	n->key = 0;
	n->rgen = conf->rgen;
	n->asked = now;
	n->asked_key = GW_NEXT_KEY(oif, v6);
	for (int i = 0; i < 4; i++)
		n->nh[i] = i == 0 || v6 ? nh[i] : 0;
	n->turn = (n->turn + 1) % GW_NEXT_TURNS;
	return GW_NEXT_MARK(n->turn, slot);
}

/*
 * At egress, behind the neighbour code.  A packet that had to wait for its neighbour comes late, and perhaps on another CPU: by then the row
 * may be another next hop's, so only one that came at once is believed.
 */
__noinline int next_learn(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 turn = (skb->tc_index & ~GW_NEXT_ASK) >> GW_NEXT_BITS, v6;
	struct gw_next *n = next_row(skb->tc_index);
	struct gw_if *ifc = if_get(skb->ifindex);
	struct ethhdr *eth = data;
	const __u32 *link = data;

	if (!n || !ifc || ifc->flags & GW_IF_L3 || (void *)(eth + 1) > end)
		return 0;
	v6 = n->asked_key & 1;
	if (n->key || n->turn != turn || n->asked_key != GW_NEXT_KEY(skb->ifindex, v6) ||
	    gw_now() - n->asked > 1)
		return 0;
	/* a VLAN device may put its tag here, too (reorder_hdr off) */
	if (eth->h_proto != bpf_htons(v6 ? ETH_P_IPV6 : ETH_P_IP) || eth->h_dest[0] & 1)
		return 0;
	for (int i = 0; i < 3; i++)
		n->link[i] = link[i];
	n->key = n->asked_key;
	return 0;
}
#endif
