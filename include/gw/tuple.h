/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_TUPLE_H
#define GW_TUPLE_H
/*
 * One direction of a flow as seen on the wire: the key of the flow tables.
 *
 * Everything is in network byte order; padding is zero.  What the two "ports" mean:
 *   TCP, UDP, UDP-Lite, SCTP, DCCP   the ports
 *   ICMP/ICMPv6 queries              the identifier on the requester's side (sport of the request, dport of
 *                                    the reply); the other side holds htons(request type), 0 for echo
 *   everything else                  both 0: tracked by addresses
 * The reply of a tuple is the tuple with both pairs swapped, for ICMP queries too.
 */
#include <linux/types.h>

struct gw_tuple4 {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto; /* IPPROTO_* */
	__u8 pad;
	__u16 zone; /* host order; 0 = the default zone */
};
GW_ABI_SIZE(gw_tuple4, 16);

struct gw_tuple6 {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad;
	__u16 zone;
};
GW_ABI_SIZE(gw_tuple6, 40);

#endif
