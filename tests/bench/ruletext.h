/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_RULETEXT_H
#define BENCH_RULETEXT_H
/*
 * ruletext - the rule sets of P5 and P6 in every engine's language, and packets that none of their rules matches.
 *
 * A set is tests/lib/rulegen's access lists, firewalls and host-to-host rules in turn, from a fixed seed; the same rules for every
 * engine and the same counters.  FORWARD has:  established accept; n rules; the benchmark's own flows accept; policy drop.
 */
#include <stddef.h>
#include "frame.h"

/* A set with ranges takes nft and the kernel more than linear time: no larger ones. */
#define RULES_CONCAT_MAX 10000

struct index_rule;

/* n mixed rules, none of which matches the flows of frame.h.  The caller frees. */
struct index_rule *ruletext_make(size_t n);

/*
 * DIR/rules-N.ipt, DIR/rules-N.nft (first sentence: flush ruleset) and, for what nft does best:
 * DIR/map-N.nft     n verdict map elements `address . protocol . port`: a hash; can not say prefixes, ranges or an order
 * DIR/concat-N.nft  n elements `prefix . address . protocol . ports` that do not overlap: a set with ranges
 */
void ruletext_write(const char *dir, const struct index_rule *rules, size_t n);

/* DIR/set-N.nft: a chain that drops sources in a set of n disjoint prefixes. */
void ruletext_write_set(const char *dir, size_t n);

/* Fill list with `size` packets that come near the rules and match none of them. */
void ruletext_misses(const struct index_rule *rules, size_t n, struct frame_head *list,
		     size_t size);
#endif
