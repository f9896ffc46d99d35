/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_H
#define BENCH_H
/* The phases and what they yield: tables of series, one series per engine and variant. */
#include <spawn.h>
#include <stdio.h>
#include "gun.h"
#include "world.h"

#define ROUNDS_MAX  64
#define SERIES_MAX  32
#define TABLES_MAX  12
#define TIMINGS_MAX 48

/* Established flows of P1 and P2; powers of two. */
#define FLOWS_FEW  1024U
#define FLOWS_MANY 65536U
#define FLOWS_HUGE 262144U /* as many as netfilter's default table holds */
#define FLOWS_MOST 1048576U

struct contender {
	const char *engine;
	int lanes;	    /* routers side by side */
	bool listen;	    /* an event listener is attached */
	unsigned int rules; /* mixed rules in FORWARD (P5) */
};

struct series {
	struct contender c;
	bool missing;		/* the engine could not be set up */
	double cpu[ROUNDS_MAX]; /* CPU time per frame, floor included */
	int rounds;
	double deferred; /* largest part of a sample that ksoftirqd had */
	unsigned long long sent;
	struct frame_count got;		  /* sums over all samples */
	unsigned long long probed, alive; /* established flows asked for and found */
	unsigned long long created,
		announced; /* connections, and their NEW events that were read */
};

struct table {
	const char *id;
	char title[96];
	const char *unit;
	bool dropped; /* no frame may arrive */
	struct series series[SERIES_MAX];
	int count;
};

/* How often something took how long (P6); "bytes": memory for a rule or an element. */
struct timing {
	const char *what, *name;
	unsigned int n; /* rules or elements */
	double ms[ROUNDS_MAX];
	int rounds;
	int failed; /* refused, not counted in rounds */
};

struct bench {
	struct gun gun;
	struct world_env env;
	bool smoke;
	const char *only; /* engine to measure beside the floor; NULL = all */
	unsigned int seed;
	int worlds;  /* made so far */
	__u32 fresh; /* number of the next flow that was never used */
	struct table tables[TABLES_MAX];
	int count;
	struct timing timings[TIMINGS_MAX];
	int timings_count;
	posix_spawn_file_actions_t quiet; /* P6's commands print nothing */
	const char *classify; /* what the classifier alone costs: figures and tables (README.md) */
};

/* phase.c */
void phase_established(struct bench *b, __u32 flows, int generations, int rounds, __u32 frames);
void phase_new(struct bench *b, int rounds, __u32 frames);
void phase_flood(struct bench *b, int rounds);

/* phase_rules.c, phase_load.c */
void phase_rules(struct bench *b, int rounds);
void phase_load(struct bench *b, int rounds);

/* report.c */
/* What this run did not measure is taken over from the report `old` (NULL = there is none). */
void report_markdown(const struct bench *b, const char *old, FILE *out);
void report_json(const struct bench *b, FILE *out);
int report_defects(
	const struct bench *b); /* series that are not what they should be, named on stderr */
bool report_goals_met(const struct bench *b);
#endif
