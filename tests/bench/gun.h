/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_GUN_H
#define BENCH_GUN_H
/*
 * gun - sends frames through a world and says what they cost.
 *
 * The kernel's live-frame test run sends from a veth device; GRO at its peer means NAPI, so the router, the second
 * veth pair and the counter all run in softirqs of the sending thread: its CPU time is the whole cost, and nothing
 * waits in a queue.  ksoftirqd of the same CPU is watched too: what it takes over is added.
 */
#include <stdbool.h>
#include <sys/types.h>
#include "frame.h"

struct traffic_bpf;
struct world;

struct gun {
	struct traffic_bpf *traffic;
	int cpu;
	pid_t ksoftirqd;
	int home_ns;
};

/* What to send.  Zero is "established flows, UDP, from the client". */
struct load {
	__u32 frames;
	__u32 flows; /* power of two, over all lanes; 0 = each frame opens a new flow */
	__u32 base;
	bool scatter;
	bool reply;
	bool tcp;
	bool listed; /* the frames of gun_list, from number base on */
	__u32 tcp_flags;
};

struct shot {
	double ns;	 /* CPU time per frame */
	double deferred; /* the part of it that ksoftirqd had */
	struct frame_count got;
};

void gun_open(struct gun *gun);
void gun_pin(const struct gun *gun); /* to the measuring CPU, as gun_open did */
/* What listed loads send: FRAME_LIST packets. */
struct frame_head *gun_list(struct gun *gun);
void gun_close(struct gun *gun);
void gun_fire(struct gun *gun, const struct world *w, const struct load *load,
	      struct shot *ret_shot);
#endif
