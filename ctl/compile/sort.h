/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_SORT_H
#define COMPILE_SORT_H
/*
 * sort - stable and linear: a ruleset's author must not be able to choose a slow order.
 */
#include <base/base.h>

struct sort_item {
	uint64_t key;
	uint32_t at;
};
/* By key; items with equal keys keep their order.  tmp has room for n, too; the result is in items. */
void sort_items(struct sort_item *items, struct sort_item *tmp, size_t n);
#endif
