/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CLASSIFY_MEASURE_H
#define BENCH_CLASSIFY_MEASURE_H
/*
 * measure - the loaded programs and what is said about them.
 */
#include "find.skel.h"
#include "headers.h"
#include "rulegen.h"

#define REGION_LINES (1U << 20)

struct bench {
	struct find_bpf *skel;
	uint8_t *region;
	struct header *headers;
	double base_ns; /* of a run that only fetches a header */
	FILE *out;	/* "NAME VALUE" lines */
	unsigned int passes;
};
int bench_open(struct bench *b, size_t trie_entries);
void bench_close(struct bench *b);

/* ns of a run, net of the base, each header once a pass; the median of the passes. */
double bench_run(struct bench *b, struct bpf_program *prog, uint32_t runs);
void bench_base(struct bench *b);
void bench_say(struct bench *b, double value, const char *name, ...) _printf_(3, 4);
double bench_now_ms(void); /* of this thread: who else runs does not count */
int bench_put(struct bench *b, const struct image *img);
#endif
