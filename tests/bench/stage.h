/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H
/* stage - a table and the worlds its samples are taken in: what the phases have in common. */
#include "bench.h"

struct stage {
	struct bench *b;
	struct table *table;
	struct world worlds[SERIES_MAX];
};

struct table *table_add(struct bench *b, const char *id, const char *unit);
void stage_add(struct stage *s, struct contender c, struct world_need need);
void stage_down(struct stage *s);
void shuffle(struct bench *b, int *order, int n);
void series_take(struct series *s, const struct load *load, const struct shot *shot);
void stage_establish_udp(struct stage *s, __u32 flows);
void established_rounds(struct stage *s, struct load load, int rounds);
#endif
