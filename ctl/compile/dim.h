/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_DIM_H
#define COMPILE_DIM_H
/*
 * dim - what a rule asks of a packet, one list of alternatives per dimension.
 *
 * Matches on the same dimension narrow each other ("ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16" is two matches); the
 * rule is then written out as one line per combination of alternatives.
 */
#include <compile/compile.h>

typedef unsigned __int128 dim_num;

/* Ranges: lo..hi inclusive.  Marks: lo = value, hi = mask. */
struct dim_span {
	dim_num lo, hi;
};
enum dim {
	DIM_IIF,
	DIM_OIF,
	DIM_SADDR,
	DIM_DADDR,
	DIM_PROTO,
	DIM_SPORT,
	DIM_DPORT,
	DIM_MARK,
	DIM_CTMARK,
	DIM_MAX
};

struct dim_list {
	bool given; /* false: anything passes */
	struct dim_span *spans;
	size_t n, cap;
};
struct dims {
	struct dim_list list[DIM_MAX];
	uint8_t ctstate; /* DIM_CTSTATE_ALL = any */
};
#define DIM_CTSTATE_ALL                                                              \
	((1U << GW_CT_INVALID) | (1U << GW_CT_ESTABLISHED) | (1U << GW_CT_RELATED) | \
	 (1U << GW_CT_NEW) | (1U << GW_CT_UNTRACKED))

/* What the walk of one family looks at. */
struct dim_view {
	int version; /* 4 or 6 */
	const struct compile_if *ifs;
	size_t n_ifs;
};

/* The sets of the ruleset, written out, do not fit. */
enum { IMAGE_TOO_LARGE = 1 };

void dims_init(struct dims *d);
void dims_deinit(struct dims *d); /* idempotent */
/* Narrow *d by the positive form of m; its negation is the caller's. */
int dims_narrow(struct dims *d, const struct match *m, const struct dim_view *view);
/* Narrow *d by what a match on this field implies, negated or not: the protocol of a port. */
int dims_narrow_implied(struct dims *d, enum field field);
/* Narrow *d by a negated ct state, the only negation that needs no line of its own. */
void dims_narrow_ctstate(struct dims *d, uint32_t mask);
uint32_t match_ctstate(const struct match *m);
/* No packet can pass. */
bool dims_are_empty(const struct dims *d);
/* How many lines it takes, saturating at GW_IMAGE_LINES_MAX + 1. */
size_t dims_combinations(const struct dims *d);
#endif
