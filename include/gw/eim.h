/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_EIM_H
#define GW_EIM_H
/*
 * gw_eim - endpoint-independent mappings (RFC 4787): one inside endpoint leaves from one outside endpoint, whoever it speaks to.
 *
 * A mapping is two entries.  Under the outside endpoint: who is behind it, and how long it lasts; the insert of this one is the lock.
 * Under the inside endpoint and the outside address (a host that leaves by two lines has a mapping on each): the outside port.
 */
#include <linux/types.h>

/* gw_eim_key.kind */
#define GW_EIM_V6      (1U << 0)
#define GW_EIM_OUTSIDE (1U << 1)

struct gw_eim_key {
	__be32 addr[4];	   /* the endpoint; IPv4 in [0] */
	__be32 outside[4]; /* of an inside endpoint: the address it leaves from */
	__be16 port;	   /* ICMP queries: the id */
	__u8 proto;
	__u8 kind;
	__u32 zone;
};
GW_ABI_SIZE(gw_eim_key, 40);

/* gw_eim.flags */
#define GW_EIM_CLOSED \
	(1U << 0) /* nothing went out for the timeout: only the connections it has go on */

struct gw_eim {
	__be32 addr[4]; /* outside: the inside address */
	__be16 port;	/* the port of the other side */
	__u16 flags;
	__u32 seen;	/* jiffies: something went out */
	__u32 held;	/* jiffies: a connection of it was alive */
	__u32 created;	/* seconds since boot */
	__u32 oif;	/* interface it was made for */
	__u32 nat_rule; /* counter id of the rule that made it */
};
GW_ABI_SIZE(gw_eim, 40);
#endif
