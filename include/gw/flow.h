/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_FLOW_H
#define GW_FLOW_H
/*
 * Values of the flow tables gw_est4/6 (assured) and gw_emb4/6 (embryonic).
 *
 * A connection is two entries, one per direction, each under the tuple its packets carry when they enter the
 * gateway.  `peer` is the other entry's key; a packet that hits an entry leaves the gateway as `peer` swapped, so no
 * translation is stored twice.  The entry of the original direction (without GW_FLOW_REPLY) is the authority for
 * state and flags; the reply entry mirrors them.
 */
#include <gw/tuple.h>

/* Connection states of nf_conntrack (include/uapi/linux/netfilter/nf_conntrack_tcp.h), same numbers. */
#define GW_TCP_NONE	   0
#define GW_TCP_SYN_SENT	   1
#define GW_TCP_SYN_RECV	   2
#define GW_TCP_ESTABLISHED 3
#define GW_TCP_FIN_WAIT	   4
#define GW_TCP_CLOSE_WAIT  5
#define GW_TCP_LAST_ACK	   6
#define GW_TCP_TIME_WAIT   7
#define GW_TCP_CLOSE	   8
#define GW_TCP_SYN_SENT2   9
#define GW_TCP_STATES	   10

/* States of SCTP associations (include/uapi/linux/netfilter/nf_conntrack_sctp.h), same numbers. */
#define GW_SCTP_NONE		  0
#define GW_SCTP_CLOSED		  1
#define GW_SCTP_COOKIE_WAIT	  2
#define GW_SCTP_COOKIE_ECHOED	  3
#define GW_SCTP_ESTABLISHED	  4
#define GW_SCTP_SHUTDOWN_SENT	  5
#define GW_SCTP_SHUTDOWN_RECD	  6
#define GW_SCTP_SHUTDOWN_ACK_SENT 7
#define GW_SCTP_HEARTBEAT_SENT	  8
#define GW_SCTP_STATES		  9

/* States of DCCP connections: RFC 4340 4.3, numbers of enum ct_dccp_state of kernels that track DCCP (before 6.16). */
#define GW_DCCP_NONE	 0
#define GW_DCCP_REQUEST	 1
#define GW_DCCP_RESPOND	 2
#define GW_DCCP_PARTOPEN 3
#define GW_DCCP_OPEN	 4
#define GW_DCCP_CLOSEREQ 5
#define GW_DCCP_CLOSING	 6
#define GW_DCCP_TIMEWAIT 7
#define GW_DCCP_STATES	 8

/* gw_flow.flags */
#define GW_FLOW_REPLY (1U << 0) /* this entry is the reply direction */
#define GW_FLOW_SEEN_REPLY \
	(1U << 1) /* a packet of the reply direction was accepted (not [UNREPLIED]) */
#define GW_FLOW_ASSURED	   (1U << 2) /* [ASSURED] */
#define GW_FLOW_SNAT	   (1U << 3) /* the source of the original direction is translated */
#define GW_FLOW_DNAT	   (1U << 4) /* the destination of the original direction is translated */
#define GW_FLOW_LOCAL_OUT  (1U << 5) /* packets of this direction start at the gateway */
#define GW_FLOW_LOCAL_IN   (1U << 6) /* packets of this direction end at the gateway */
#define GW_FLOW_SLOW	   (1U << 7) /* packets of this direction are routed by the kernel's stack */
#define GW_FLOW_DYING	   (1U << 8)  /* killed; its packets are treated as a miss */
#define GW_FLOW_CLOSED_RST (1U << 9)  /* the state is CLOSE because of a valid RST */
#define GW_FLOW_EXT	   (1U << 10) /* gw_ext has a row for the connection */
#define GW_FLOW_NOFAST	   (1U << 11) /* every packet takes the slow path */
#define GW_FLOW_EXPECTED \
	(1U << 12)	       /* another connection announced it: its first packet is RELATED */
#define GW_FLOW_EIM (1U << 13) /* its source has an endpoint-independent mapping (gw_eim) */

/* gw_flow.verdict: what the filter said for (gen, ctstate, iif, oif); GW_VERDICT_NONE = ask again */
#define GW_VERDICT_NONE	  0
#define GW_VERDICT_ACCEPT 1

/* Connection tracking states for matching; bit (1 << state) in rules. Order of nft's `ct state`. */
#define GW_CT_INVALID	  0
#define GW_CT_ESTABLISHED 1
#define GW_CT_RELATED	  2
#define GW_CT_NEW	  3
#define GW_CT_UNTRACKED	  6

/* gw_flow.tcp_flags: what one side announced or did */
#define GW_TCPF_WSCALE	(1U << 0) /* sent a window scale option */
#define GW_TCPF_SACK	(1U << 1) /* sent SACK permitted */
#define GW_TCPF_CLOSING (1U << 2) /* its FIN was the first */
#define GW_TCPF_ACKED	(1U << 3) /* it has acknowledged something: tcp_ack is valid */
#define GW_TCPF_UNACKED \
	(1U << 4) /* sent data; acknowledged when the other side's tcp_ack is tcp_end */
#define GW_TCPF_LIBERAL (1U << 5) /* picked up in the middle: its windows are not known */
#define GW_TCPF_SIMOPEN (1U << 6) /* its SYN met the other side's */
#define GW_TCPF_ZEROWIN (1U << 7) /* its last segment closed its window */

/*
 * gw_flow.tcp_last: bits 0-15 of where the side's last segment (ACK, no SYN, FIN or RST) ended, 12 bits of what else makes it the same
 * segment, and how often it came again, the other side being silent.
 */
#define GW_TCP_LAST_SEGMENT  0x0fffffffU
#define GW_TCP_RETRANS(last) ((last) >> 28) /* 15 = 15 times or more */
/* gw_flow.tcp_scale */
#define GW_TCP_SCALE(b) ((b)&15) /* window scale of the connection's direction, 0..14 */
#define GW_TCP_HEARD(b) \
	((b) >> 4) /* packets of the other side when the side sent its last segment, modulo 16 */

struct gw_flow {
	__u32 kx;     /* hash of the entry's own key: a reused element shows a different one */
	__u8 state;   /* GW_TCP_*, GW_SCTP_*, GW_DCCP_*; 0 for other protocols */
	__u8 verdict; /* low nibble GW_VERDICT_*, high nibble the GW_CT_* state it was given for */
	__u16 flags;  /* GW_FLOW_* */
	__u32 seen;   /* last packet of this direction, jiffies (low 32 bits) */
	__u32 gen;    /* ruleset generation of the cached verdict */
	__u32 rule;   /* counter id of the rule (or policy) that gave the verdict; 0 = none */
	__u32 rule2; /* a second rule whose counter every packet of this direction moves; 0 = none */
	__u32 mark;  /* ct mark */
	__u32 oif;   /* cached route: output interface; 0 = not known */
	__u32 iif;   /* input interface the cached verdict is for; 0 = made by the gateway */
	__u16 rgen;  /* route generation of the cached route */
	__u16 rtime;	/* when the route was looked up, quarter seconds (low 16 bits) */
	__u16 mtu;	/* of the cached route */
	__u8 tcp_scale; /* GW_TCP_SCALE, GW_TCP_HEARD */
	__u8 tcp_flags; /* GW_TCPF_* */
	__u32 tcp_end; /* highest seq + len sent by this side, host order; SCTP: the verification tag it must send */
	__u32 tcp_ack; /* highest ack sent by this side, host order */
	__u32 tcp_win; /* largest window announced by this side, scaled, bytes; 0 = nothing seen of it */
	__u32 tcp_maxend; /* the peer may send up to here: highest ack + window announced by this side */
	__u32 tcp_last; /* GW_TCP_LAST_SEGMENT, GW_TCP_RETRANS */
	__u64 pkts;	/* packets of this direction */
	__u64 bytes;	/* their IP lengths */
	__u32 id;	/* the connection's id, the same in both entries */
	/*
	 * Original entry: seconds since boot.  Reply entry: the counter id of the filter rule (or policy) that let the first packet
	 * pass; `rule` is that of the latest verdict.
	 */
	__u32 created;
};
GW_ABI_SIZE(gw_flow, 88);

struct gw_flow4 {
	struct gw_flow f;
	struct gw_tuple4 peer;
	__be32 nh; /* next hop of the cached route */
	__u32 nat_rule; /* counter id of the NAT rule that translated it; reply entry: of a second one; 0 = none */
};
GW_ABI_SIZE(gw_flow4, 112);

struct gw_flow6 {
	struct gw_flow f;
	struct gw_tuple6 peer;
	__be32 nh[4];
	__u32 nat_rule;
	__u32 pad;
};
GW_ABI_SIZE(gw_flow6, 152);

/*
 * gw_ext: what few connections have, by the connection's id; GW_FLOW_EXT says that there is a row.  It goes with its connection.
 */
struct gw_seqadj {    /* an ALG changed the length of what one side sends (nf_ct_seqadj) */
	__u32 pos;    /* sequence number of the last change, as sent */
	__s32 before; /* to add to sequence numbers before it */
	__s32 after;  /* to add from it on */
};
/* gw_ext.flags */
#define GW_EXT_LAST (1U << 0) /* last_* wait for the answer to the segment they describe */
#define GW_EXT_SLOW (1U << 1) /* GW_FLOW_NOFAST stood before the row did */
struct gw_ext {
	__u32 id;      /* of the connection */
	__u32 timeout; /* jiffies it may be silent; 0 = what its state says */
	__u32 master;  /* id of the connection that announced it; 0 = none */
	__u16 helper;  /* GW_HELPER_* */
	__u8 last_index,
		last_dir; /* TCP: the last segment that was let pass without learning: what it was ... */
	__u32 last_seq, last_end;
	__u16 last_win;
	__u8 last_scale, last_flags;
	__u32 flags;		 /* GW_EXT_* */
	struct gw_seqadj seq[2]; /* of the original direction, of the reply direction */
	/* Set by hand (conntrack -U): jiffies it may be silent until the next packet; 0 = none.  It holds as long as its last packet
	 * is that of once_seen. */
	__u32 once, once_seen;
};
GW_ABI_SIZE(gw_ext, 64);

/*
 * Fragments carry their ports only in the first one.  gw_frag4/6 remember them.
 */
struct gw_frag_key {
	__be32 saddr[4]; /* IPv4: [0], rest 0 */
	__be32 daddr[4];
	__be32 id; /* IPv4: 16 bit id */
	__u32 iif; /* 0 = at egress, made by the gateway */
	__u8 proto;
	__u8 family; /* 4 or 6 */
	__u16 hook;  /* GW_DIR_IN / GW_DIR_OUT */
};
GW_ABI_SIZE(gw_frag_key, 44);

struct gw_frag {
	__be16 sport;
	__be16 dport;
	__u32 seen; /* jiffies; valid for 30 s as the stack's reassembly timer (net.ipv4.ipfrag_time) */
	__u32 flags; /* GW_FRAG_* */
	__u32 held; /* fragments that wait for the first one; it has not come if GW_FRAG_KNOWN is not set */
	__u64 said; /* bit N: the N-th op that the first one met in rules held */
	__u8 icmp_type, icmp_code, tcp_bits;
	__u8 pad;
	__be16 to_port; /* GW_FRAG_DNAT: where the first one was to go */
	__u16 pad2;
	__be32 to_addr[4];
};
GW_ABI_SIZE(gw_frag, 48);
#define GW_FRAG_KNOWN	   (1U << 0) /* the ports are known */
#define GW_FRAG_QUERY	   (1U << 1) /* they belong to an ICMP query ... */
#define GW_FRAG_QUERY_BACK (1U << 2) /* ... to the answer of one */
#define GW_FRAG_DNAT \
	(1U << 3) /* the first one got a new destination; rules may have refused it then */

/* A packet left to the stack half translated: post-DNAT tuple -> key of its flow entry. */
struct gw_slow {
	struct gw_tuple6 key; /* v4 tuples: as gw_tuple4 in the first 16 bytes */
	__u32 seen;
	__u32 pad;
};
GW_ABI_SIZE(gw_slow, 48);

#endif
