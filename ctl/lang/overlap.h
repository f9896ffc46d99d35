/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_OVERLAP_H
#define LANG_OVERLAP_H
/* overlap - two elements of a map of concatenated ranges that have a key in common. */
#include <model/keys.h>

/* *ret_a and *ret_b are their indices if *ret_found. */
int overlap_find(const struct elems *e, const enum field_type *types, size_t *ret_a, size_t *ret_b,
		 bool *ret_found);

#endif
