/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H
/* What the two halves of the report share: report.c (frames), report_rules.c (P5, P6). */
#include "bench.h"

struct goal {
	const char *id, *text;
	double value, want;
	bool most; /* @want is the most allowed, not the least */
};
#define GOALS_MAX 40

double doubles_quantile(const double *values, int n, double q); /* NAN of none */
double series_cost(const struct table *t, const struct series *s, double q);
double percent(unsigned long long part, unsigned long long whole);
const struct table *table_find(const struct bench *b, const char *id, const char *word);

int goals_fill_rules(const struct bench *b, struct goal *goals);
void table_print_rules(const struct table *t, FILE *out);
void timings_print(const struct bench *b, FILE *out);
void timings_json(const struct bench *b, FILE *out);
void classify_print(const struct bench *b, FILE *out);
#endif
