/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_RULE_H
#define GW_RULE_H
/*
 * What rules say: verdicts, refusals, translations, counters.  How they are laid out: gw/image.h.
 */
#include <linux/types.h>

#define GW_LINE_SIZE 64

/* GW_ENT_VERDICT() of an entry; 4 and 6 were the first image's */
#define GW_V_CONTINUE 0
#define GW_V_ACCEPT   1
#define GW_V_DROP     2
#define GW_V_REJECT   3 /* gw_act.arg = GW_REJECT_* */
#define GW_V_NAT      5 /* gw_act.nat leads to a struct gw_nat */
#define GW_V_JUMP     7 /* gw_act.arg = root */
#define GW_V_GOTO     8
#define GW_V_RETURN   9

#define GW_REJECT_PORT	    0 /* ICMP/ICMPv6 port unreachable */
#define GW_REJECT_TCP_RESET 1 /* RST for TCP, else port unreachable */
#define GW_REJECT_NET	    2 /* ICMP net unreachable; ICMPv6 no route */
#define GW_REJECT_HOST	    3 /* ICMP host unreachable; ICMPv6 address unreachable */
#define GW_REJECT_ADMIN	    4 /* ICMP/ICMPv6 administratively prohibited */
#define GW_REJECT_PROTO	    5 /* ICMP protocol unreachable */
#define GW_REJECT_NET_PRO   6 /* ICMP network prohibited */
#define GW_REJECT_HOST_PRO  7 /* ICMP host prohibited */
#define GW_REJECT_POLICY    8 /* ICMPv6 policy fail */
#define GW_REJECT_ROUTE	    9 /* ICMPv6 reject route */
#define GW_REJECT_MAX	    10

/* gw_nat.kind */
#define GW_NAT_MASQUERADE 1
#define GW_NAT_SNAT	  2
#define GW_NAT_DNAT	  3
#define GW_NAT_REDIRECT	  4
/* gw_nat.flags */
#define GW_NATF_ADDR	     (1U << 0) /* addr_lo..addr_hi given */
#define GW_NATF_PORT	     (1U << 1) /* port_lo..port_hi given */
#define GW_NATF_RANDOM	     (1U << 2)
#define GW_NATF_FULLY_RANDOM (1U << 3)
#define GW_NATF_PERSISTENT   (1U << 4)
#define GW_NATF_NETMAP \
	(1U << 5) /* addr_lo..addr_hi is a prefix: the bits behind it are kept (NETMAP) */
#define GW_NATF_NEUTRAL	 (1U << 7) /* NETMAP of IPv6 that keeps checksums (RFC 6296) */
#define GW_NATF_ENDPOINT (1U << 6) /* endpoint-independent mapping and filtering (RFC 4787) */
struct gw_nat {
	__u32 kind;
	__u32 flags;
	__be32 addr_lo[4]; /* network order, inclusive; IPv4 in [0] */
	__be32 addr_hi[4];
	__u16 port_lo; /* host order, inclusive */
	__u16 port_hi;
	__u32 pad[5];
};
GW_ABI_SIZE(gw_nat, 64);

/* Value of the mmapable array gw_counters; index = cpu * GW_COUNTERS_MAX + counter id. */
struct gw_counter {
	__u64 pkts;
	__u64 bytes;
};
GW_ABI_SIZE(gw_counter, 16);
#define GW_COUNTERS_MAX 262144

#endif
