/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H
/*
 * What the generator and the counter (traffic.bpf.c) share with user space.
 *
 * Flow i is  10.77.0.1 + i % 64, port 1024 + i % 32768  ->  10.88.0.2, port 2000 + i / 32768:
 * no two flows differ in the client's address only, so a masquerade never has to change a port.
 */
#include <linux/types.h>

#define FRAME_LEN     64
#define FRAME_BATCH   64 /* frames in one NAPI run; also how long the generator stays on a lane */
#define FRAME_CLIENTS 0x0a4d0001U
#define FRAME_WAN     0x0a580001U /* the router's address on the server's side */
#define FRAME_SERVER  0x0a580002U
#define FRAME_LANES   8 /* routers side by side, see world.h */

#define FRAME_FIN 0x01
#define FRAME_SYN 0x02
#define FRAME_ACK 0x10

#define FRAME_LIST 16384 /* packets in a list */

/* A packet that is not of the flows above.  Host order; TCP has SYN set. */
struct frame_head {
	__u32 saddr, daddr;
	__u16 sport, dport;
	__u32 proto;
};

/* What to send.  Written by user space between runs. */
struct frame_plan {
	__u32 ifindex[FRAME_LANES]; /* devices to send from, all in the sender's namespace */
	__u32 lane_shift;	    /* log2 of their number */
	__u32 mask;		    /* flows of a lane - 1; all ones: every frame is a new flow */
	__u32 base;		    /* number of a lane's first flow */
	__u32 scatter;		    /* visit the flows in pseudo-random order */
	__u32 proto;		    /* IPPROTO_UDP or IPPROTO_TCP */
	__u32 tcp_flags;	    /* FRAME_*; seq and ack are those of a handshake */
	__u32 reply;		    /* send from the server */
	__u32 to_wan;		    /* replies go to the router's address: it translates */
	__u32 listed;		    /* send the frames of the list, from number `base` on */
	__u32 next;		    /* frames sent so far */
};

/* What arrived.  Every frame is dropped behind the counter. */
struct frame_count {
	__u64 translated; /* at the server, from the router's address */
	__u64 plain;	  /* at the server, from a client's address */
	__u64 back;	  /* at the client the flow belongs to */
	__u64 other;	  /* anything else */
	__u64 checked;	  /* one in 64 has its checksums verified */
	__u64 damaged;	  /* of these, wrong */
};

#endif
