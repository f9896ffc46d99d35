/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_NEXT_H
#define GW_NEXT_H
/*
 * Value of gw_next: how packets to a next hop begin, as the kernel's neighbour code last wrote it.
 */
#include <linux/types.h>

#define GW_NEXT_BITS 10
#define GW_NEXT_MAX  (1U << GW_NEXT_BITS) /* rows of a CPU */

/* skb->tc_index of a packet whose link addresses egress is to learn: the row that asked, and which of its questions this is. */
#define GW_NEXT_ASK		 0x8000U
#define GW_NEXT_TURNS		 32U
#define GW_NEXT_MARK(turn, slot) (GW_NEXT_ASK | (turn) << GW_NEXT_BITS | (slot))

/* gw_next.key, gw_next.asked_key: output interface and IP version; 0 = none */
#define GW_NEXT_KEY(oif, v6) ((oif) << 1 | (v6))

struct gw_next {
	__u32 key;	 /* whose link addresses these are; 0 = not known */
	__u32 rgen;	 /* route generation when they were asked for */
	__u32 asked;	 /* when, jiffies */
	__u32 asked_key; /* for whom */
	__be32 nh[4];	 /* next hop; IPv4: [0], rest 0 */
	__u32 link[3];	 /* destination and source link address */
	__u32 turn;	 /* how often it was asked for, modulo GW_NEXT_TURNS */
	__u32 pad[4];	 /* a row is a line of the cache */
};
GW_ABI_SIZE(gw_next, 64);
#endif
