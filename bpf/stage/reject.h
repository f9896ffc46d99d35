/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_STAGE_REJECT_H
#define GW_STAGE_REJECT_H
static __always_inline int hook_reject(struct __sk_buff *skb, const bool v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return TC_ACT_SHOT;
	return gw_drop(p, GW_REASON_REJECT, v6);
}
#endif
