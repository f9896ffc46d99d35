/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_ORDER_H
#define COMPILE_ORDER_H
/*
 * order - what a search meets on its way through pairs of labels, asked for some of the rules as if a packet of theirs came.
 */
#include <compile/sort.h>
#include <compile/tree.h>

/* Rules by their pair of labels: key = source << shift[0] | destination << shift[1], ascending, and in order inside a pair. */
struct order {
	const struct tree *tree[2];
	const struct sort_item *items;
	size_t n;
	const struct index_rule *rules;
	unsigned int shift[2];
};
/* Pairs and rules that a packet may meet, a pair counting as many as ORDER_PROBE rules. */
#define ORDER_PROBE 2
double order_cost(const struct order *o);
/* Is something in front of a rule more often to be found in the widest pair than in the rule's own? */
bool order_is_wide(const struct order *o);
/* Of the pairs that may exist for a packet (bits of both labels), how many there are, and in how many something may precede what it finds. */
struct order_pairs {
	double all, needed;
};
struct order_pairs order_pairs(const struct order *o, uint64_t *const own[2],
			       uint32_t *const least[2]);
#endif
