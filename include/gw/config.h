/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_CONFIG_H
#define GW_CONFIG_H
/*
 * What gwd tells the data plane at run time (.rodata knobs, which need a reload, are in bpf/conf.h).
 */
#include <linux/types.h>

/* Timeout classes: the TCP states by their number, then the rest. */
#define GW_TIMEOUT_UDP	       10 /* not assured */
#define GW_TIMEOUT_UDP_STREAM  11
#define GW_TIMEOUT_ICMP	       12
#define GW_TIMEOUT_GENERIC     13
#define GW_TIMEOUT_TCP_RETRANS 14 /* upper limit while the last segment came three times */
#define GW_TIMEOUT_TCP_UNACK   15 /* upper limit while data is not acknowledged */
#define GW_TIMEOUT_SCTP	       16 /* + the state (enum sctp_conntrack), 16..25 */
#define GW_TIMEOUT_DCCP	       26 /* + the state (enum ct_dccp_states), 26..35 */
#define GW_TIMEOUT_GRE	       36 /* not assured */
#define GW_TIMEOUT_GRE_STREAM  37
#define GW_TIMEOUT_MAX	       64

/* gw_conf.flags */
#define GW_CONF_TCP_LOOSE      (1U << 0) /* pick up connections in the middle */
#define GW_CONF_TCP_BE_LIBERAL (1U << 1) /* of what is out of window only RSTs are INVALID */
#define GW_CONF_FIB_MARK       (1U << 2) /* an `ip rule` looks at fwmark */
#define GW_CONF_XFRM	       (1U << 3) /* IPsec policies exist: forward through the stack */
#define GW_CONF_PROTECT_LOCAL \
	(1U << 4) /* no translated source takes a port a socket of the gateway is bound to */
#define GW_CONF_TCP_IGNORE_RST (1U << 20) /* a RST before the window is not INVALID */
#define GW_CONF_TCP_STRICT \
	(1U << 21) /* INVALID segments are dropped, and half a connection is none */
#define GW_CONF_CHECKSUM (1U << 22) /* verify TCP checksums on the way in */

#define GW_CONF_RECHECK (1U << 16) /* connections that the rules in force would not let begin end */

/* The only element of the array gw_conf. */
struct gw_conf {
	__u32 gen;     /* ruleset generation in force */
	__u32 rgen;    /* route generation: raised by gwd at each route/link/address/rule change */
	__u32 flags;   /* GW_CONF_* */
	__u32 est_max; /* connections that may be assured (95 % of the table) */
	__u32 timeout[GW_TIMEOUT_MAX]; /* jiffies */
	__u32 pressure; /* the governor: assured timeouts are shifted right by this, normally 0 */
	__u32 hooks4;	/* gw_head.hooks4/6 of the ruleset in force, OR of both during a swap */
	__u32 hooks6;
	__u32 image_flags; /* GW_IMG_* of the ruleset in force, OR of both during a swap */
	__u32 beat; /* jiffies when gwd last ran gw_expire (which writes it): gwd watches routes */
	__u32 half_lines;      /* lines of a half of gw_region */
	__u64 wall_ns;	       /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	__u32 tcp_max_retrans; /* the same segment so often: GW_TIMEOUT_TCP_RETRANS */
	__u32 pad[19];
};
GW_ABI_SIZE(gw_conf, 384);

/* gw_if.flags */
#define GW_IF_MANAGED	(1U << 0)
#define GW_IF_L3	(1U << 1) /* no Ethernet header (tun, wireguard, ipip, ppp) */
#define GW_IF_RP_STRICT (1U << 2) /* rp_filter 1 */
#define GW_IF_RP_LOOSE	(1U << 3) /* rp_filter 2 */
#define GW_IF_LOOPBACK	(1U << 4)
#define GW_IF_FORWARD4	(1U << 5) /* forwarding enabled for this interface */
#define GW_IF_FORWARD6	(1U << 6)

/* Value of gw_ifs (array by ifindex below GW_IFS_ARRAY) and gw_ifs_far (hash, the rest). */
#define GW_IFS_ARRAY 1024
struct gw_if {
	__u32 flags; /* GW_IF_*; 0 = not managed */
	__u32 mtu;
	__u16 zone;
	__u16 iftype;	 /* ARPHRD_* */
	__be32 masq4;	 /* address a masquerade takes, 0 = none */
	__be32 masq6[4]; /* all 0 = none */
};
GW_ABI_SIZE(gw_if, 32);

/* Value of gw_local4, gw_local6; the keys are addresses. */
struct gw_local {
	__u32 kind;    /* GW_LOCAL_* */
	__u32 ifindex; /* the interface that has it; 0 = several have */
};
GW_ABI_SIZE(gw_local, 8);
#define GW_LOCAL_HOST	   1 /* an address of the gateway */
#define GW_LOCAL_BROADCAST 2

/* gw_stats, per-CPU array of __u64: conntrack -S and friends. */
enum gw_stat {
	GW_STAT_FOUND,	 /* reply tuples that a new connection asked for and another one has */
	GW_STAT_INVALID, /* packets that fit no connection */
	GW_STAT_INSERT,	 /* connections created */
	GW_STAT_INSERT_FAILED, /* lost a race, found no port, or the table refused */
	GW_STAT_DROP,	    /* packets dropped by tracking itself: ct-rst, ct-insert, nat-no-port */
	GW_STAT_EARLY_DROP, /* connections ended by the governor */
	GW_STAT_ERROR,	    /* ICMP errors that could not be related */
	GW_STAT_CLASH_RESOLVE, /* source ports changed because the first choice was taken */
	GW_STAT_DELETE,	       /* connections ended */
	GW_STAT_PROMOTE,       /* connections that became assured */
	GW_STAT_EST_FULL,      /* promotions refused: the assured table is full */
	GW_STAT_EVENT_LOST,    /* events that did not fit the ring */
	GW_STAT_FAST, /* reserved, always 0: the fast path counts in its flow and nowhere else */
	GW_STAT_SLOW, /* IP packets that did not take the fast path */
	GW_STAT_EST_COUNT,   /* reserved, always 0: gw_count has it */
	GW_STAT_EMB_EVICTED, /* embryonic connections seen without their other half */
	GW_STAT_LOG_LOST,    /* records of log statements that did not fit the ring */
	GW_STAT_OP_REFUSED, /* packets dropped because a rule asked for what the data plane can not do */
	GW_STAT_REVOKED, /* connections ended because the rules in force would not let them begin */
	GW_STAT_MAX = 32,
};

/* Context of the SYSCALL program gw_expire. */
struct gw_expire_ctx {
	__u32 table;	/* 0 est4, 1 est6, 2 emb4, 3 emb6; at last 4: mappings that are over */
	__u32 cause;	/* GW_CAUSE_TIMEOUT: expire what is due; GW_CAUSE_USER: end all (flush) */
	__u32 scanned;	/* out: entries looked at */
	__u32 ended;	/* out: connections ended */
	__u32 left;	/* out: connections (original entries) still there */
	__u32 now;	/* out: jiffies; in, for the mappings: what the round's first table gave */
	__be32 addr[4]; /* in, for the mappings: only those on this address, and all of them */
	__u32 family;	/* of it, 4 or 6; 0 = no address */
	__u32 pad;
};
GW_ABI_SIZE(gw_expire_ctx, 48);

/* Context of the SYSCALL program gw_kill: end one connection (conntrack -D). */
struct gw_kill_ctx {
	struct gw_tuple6 key; /* tuple of either direction; v4 in saddr[0]/daddr[0] */
	__u32 family;	      /* 4 or 6 */
	__u32 id;	      /* 0 = any; else only if the connection has this id */
	__u32 cause;	      /* GW_CAUSE_* */
	__u32 done;	      /* out: 1 = ended, 0 = not found */
};
GW_ABI_SIZE(gw_kill_ctx, 56);

/* Context of the SYSCALL program gw_update: change one connection in its place (conntrack -U). */
#define GW_UPDATE_MARK	  (1U << 0)
#define GW_UPDATE_TIMEOUT (1U << 1)
#define GW_UPDATE_STATUS  (1U << 2)
#define GW_UPDATE_STATE	  (1U << 3)
#define GW_UPDATE_AGAIN \
	(1U << 4) /* only what a promotion in the meantime has undone; tells nobody */
#define GW_CHANGE_GONE	  0
#define GW_CHANGE_DONE	  1
#define GW_CHANGE_NOTHING 2 /* it was so before */
#define GW_CHANGE_EXISTS  3
#define GW_CHANGE_FULL	  4
struct gw_update_ctx {
	struct gw_tuple6 key; /* as in gw_kill_ctx */
	__u32 family;
	__u32 id;	 /* only the connection with this id */
	__u32 what;	 /* GW_UPDATE_* */
	__u32 mark;	 /* in: after clearing mark_mask, mark is XORed; out: the mark it has */
	__u32 mark_mask; /* in; out: the mark it had */
	__u32 timeout;	 /* jiffies until it ends, if no packet comes */
	__u32 status;	 /* GW_FLOW_SEEN_REPLY, GW_FLOW_ASSURED: to be set; out: all its flags */
	__u32 state;	 /* GW_TCP_* */
	__u32 done;	 /* out: GW_CHANGE_* */
	__u32 pad;
};
GW_ABI_SIZE(gw_update_ctx, 80);

/* Context of the SYSCALL program gw_insert: enter a connection by hand (conntrack -I). */
struct gw_insert_ctx {
	struct gw_tuple6 orig, reply;
	__u32 family;
	__u32 flags; /* GW_FLOW_* of the original entry */
	__u32 state; /* GW_TCP_* */
	__u32 mark;
	__u32 timeout; /* jiffies until it ends, if no packet comes */
	__u32 id;      /* out */
	__u32 done;    /* out: GW_CHANGE_* */
	__u32 pad;
};
GW_ABI_SIZE(gw_insert_ctx, 112);

#endif
