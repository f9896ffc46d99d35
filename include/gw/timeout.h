/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_TIMEOUT_H
#define GW_TIMEOUT_H
/*
 * Which timeout a connection has: one answer for the data plane, which ages it, and the control plane, which lists it.
 */
#include <gw/config.h>
#include <gw/flow.h>

/* GW_TIMEOUT_* of a connection: its protocol, the state and flags of its original entry. */
static inline __attribute__((always_inline)) __u32 gw_timeout_class(__u8 proto,
								    const struct gw_flow *orig)
{
	switch (proto) {
	case 6: /* TCP */
		return orig->state < GW_TCP_STATES ? orig->state : GW_TCP_NONE;
	case 17:  /* UDP */
	case 136: /* UDP-Lite */
		return orig->flags & GW_FLOW_ASSURED ? GW_TIMEOUT_UDP_STREAM : GW_TIMEOUT_UDP;
	case 132: /* SCTP */
		return GW_TIMEOUT_SCTP +
		       (orig->state < GW_SCTP_STATES ? orig->state : GW_SCTP_NONE);
	case 33: /* DCCP */
		return GW_TIMEOUT_DCCP +
		       (orig->state < GW_DCCP_STATES ? orig->state : GW_DCCP_NONE);
	case 47: /* GRE */
		return orig->flags & GW_FLOW_ASSURED ? GW_TIMEOUT_GRE_STREAM : GW_TIMEOUT_GRE;
	case 1:	 /* ICMP */
	case 58: /* ICMPv6 */
		return GW_TIMEOUT_ICMP;
	}
	return GW_TIMEOUT_GENERIC;
}
#endif
