/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_EVENT_H
#define GW_EVENT_H
/*
 * Ring records of gw_events.  Also what gwd sends to gwctl for each connection it lists: type GW_EVENT_NONE.
 */
#include <gw/tuple.h>

#define GW_EVENT_NONE	 0 /* a row of a listing */
#define GW_EVENT_NEW	 1
#define GW_EVENT_UPDATE	 2
#define GW_EVENT_DESTROY 3
#define GW_EVENT_LOST	 4 /* made by gwd: `pkts[0]` events were lost */
/* Made by gwd for a reader that asked for it: between these two are rows of GW_EVENT_NONE, all connections there are. */
#define GW_EVENT_SYNC	5
#define GW_EVENT_SYNCED 6 /* `pkts[0]` rows were sent */

/* gw_event.cause: of a DESTROY, or GW_CAUSE_USER */
#define GW_CAUSE_TIMEOUT 0
#define GW_CAUSE_USER	 1 /* conntrack -D / -F / -I / -U: prints [USERSPACE] portid= */
#define GW_CAUSE_KILL \
	2 /* the data plane ended it: RST before a reply, tuple reused, address gone */
#define GW_CAUSE_EARLY 3 /* governor */

struct gw_event {
	__u64 time_ns; /* CLOCK_BOOTTIME; gwd turns it into CLOCK_REALTIME before anyone sees it */
	__u8 type;     /* GW_EVENT_* */
	__u8 family;   /* 4 or 6 */
	__u8 proto;
	__u8 state;  /* GW_TCP_* */
	__u16 flags; /* GW_FLOW_* of the original entry */
	__u8 cause;  /* GW_CAUSE_* */
	__u8 pad;
	__u32 timeout; /* seconds left */
	__u32 id;
	__u32 mark;
	__u32 rule; /* what admitted it: counter id of the filter rule or policy; gwd makes a handle of it */
	__u32 created; /* seconds since boot */
	__u32 zone;
	__u64 pkts[2]; /* [0] original, [1] reply direction */
	__u64 bytes[2];
	struct gw_tuple6 tuple[2]; /* IPv4 addresses in saddr[0], daddr[0] */
	__u32 nat_rule;		   /* likewise the NAT rule; 0 = none */
	__u32 master;		   /* id of the connection that announced it; 0 = none */
	__u64 seq; /* given by gwd to all events alike, without gaps; of a LOST: the last that is missing */
	__u32 nat_rule2; /* the second NAT rule, where one translated the destination and one the source */
	__u32 iif,
		oif; /* interfaces of the original direction, as far as they are known; 0 = none */
	__u32 pad2;
};
GW_ABI_SIZE(gw_event, 184);

#endif
