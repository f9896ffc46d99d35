/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H
/*
 * world - one engine under test with a client, a router and a server of its own.
 *
 *   client ns            router ns               server ns
 *   c0 (count) -- veth -- rc (GRO)  rs (GRO) -- veth -- s0 (count)
 *
 * The client and the server have no addresses; their devices only send what the generator makes and count what
 * arrives.  A world may have several routers side by side ("lanes"): nf_conntrack_max limits each namespace.
 * All worlds of a phase exist at the same time, so that samples can be interleaved.
 */
#include <stdbool.h>
#include <sys/types.h>
#include "frame.h"

struct traffic_bpf;
struct redirect_bpf;

#define ENGINE_FLOOR	  (1U << 0) /* frames are dropped by XDP where the router would receive them */
#define ENGINE_TRANSLATES (1U << 1)
#define ENGINE_TRACKS	  (1U << 2)
#define ENGINE_TCX	  (1U << 3) /* the redirect program, by tcx */
#define ENGINE_CLSACT	  (1U << 4) /* the redirect program, by clsact */
#define ENGINE_NETFILTER  (1U << 5)
#define ENGINE_GWD	  (1U << 6)
#define ENGINE_LINEAR	  (1U << 7) /* looks at one rule after the other */

/* One way to route.  The scripts see $R = router namespace, $D = a directory of its own, $GWCTL. */
struct engine {
	const char *name;
	unsigned int flags;
	const char *setup;  /* NULL = nothing to do */
	const char *policy; /* install the 100 rules of the new-flow phase */
	const char *rules;  /* install a rule set of P5, $N rules */
	const char *flush;  /* forget all flows */
	const char *listen; /* print events, one line each, until killed */
};

extern const struct engine engines[];
const struct engine *engine_find(const char *name); /* NULL = no such engine */

struct world_need {
	int lanes;		 /* power of two */
	unsigned long flows;	 /* table size for engines that have one of their own */
	unsigned long embryonic; /* connections that may be under construction; 0 = as it comes */
	bool policy;		 /* the 100 filter rules */
	bool listen;		 /* somebody reads the event stream */
	unsigned int rules;	 /* a rule set of P5 */
	unsigned int rules_mb;	 /* room for rules; 0 = as it comes */
};

struct world {
	const struct engine *engine;
	struct world_need need;
	char name[16];
	char dir[32];
	char router[FRAME_LANES][32];
	int client_ns, server_ns;
	__u32 client_if[FRAME_LANES], server_if[FRAME_LANES];
	struct redirect_bpf *redirect[FRAME_LANES];
	int tcx_fd[FRAME_LANES];
	pid_t gwd[FRAME_LANES];
	pid_t listener;
	pid_t counter;		       /* counts the listener's lines ... */
	volatile unsigned long *lines; /* ... here */
};

struct world_env {
	const struct traffic_bpf *traffic;
	const char *gwd, *gwctl;
	int cpu; /* the measuring CPU: helpers stay away from it */
};

/* Before anything else: a mount namespace and /run of our own, so that nothing can be left behind. */
void world_isolate(void);

/* Build a world.  False = the engine is not to be had here; what it said went to stderr. */
bool world_up(struct world *w, const struct world_env *env, const struct engine *engine, int number,
	      const struct world_need *need);
void world_flush(struct world *w, const struct world_env *env);
void world_settle(struct world *w); /* wait until the listener has read everything */
void world_down(struct world *w);
#endif
