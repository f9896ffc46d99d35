/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_DROP_H
#define GW_DROP_H
/*
 * The only way to drop a packet: one reason, counted, with the last packet as an example.
 */
/* What netfilter counts as `drop` (conntrack -S): its table or its tracker said so, not a rule. */
static __always_inline bool reason_is_tracking(__u32 reason)
{
	return reason == GW_REASON_CT_RST || reason == GW_REASON_CT_INSERT ||
	       reason == GW_REASON_NAT_NO_PORT;
}

static __always_inline int gw_drop(struct pkt *p, __u32 reason, const bool v6)
{
	bool tracking = reason_is_tracking(reason); /* a constant, until a helper has its address */
	struct gw_reason_row *row = bpf_map_lookup_elem(&gw_reasons, &reason);

	if (!row)
		return TC_ACT_SHOT;
	if (tracking)
		stat_add(GW_STAT_DROP, 1);
	row->pkts++;
	row->bytes += p->len;
	row->time_ns = bpf_ktime_get_boot_ns();
	row->iif = p->iif;
	row->oif = p->oif;
	row->rule = p->last_cid;
	row->family = v6 ? 6 : 4;
	if (v6) {
		row->tuple = p->t.v6;
	} else {
		row->tuple.saddr[0] = p->t.v4.saddr;
		row->tuple.daddr[0] = p->t.v4.daddr;
		row->tuple.sport = p->t.v4.sport;
		row->tuple.dport = p->t.v4.dport;
		row->tuple.proto = p->t.v4.proto;
	}
	return TC_ACT_SHOT;
}
#endif
