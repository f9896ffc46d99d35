/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIB_INDEXED_H
#define TESTS_LIB_INDEXED_H
/*
 * indexed - one base chain as the product's builder of images writes it (ctl/compile/index.h, whose names are not those of stage.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned __int128 indexed_addr;

struct indexed_rule { /* inclusive ranges, host order */
	indexed_addr s_lo, s_hi, d_lo, d_hi;
	bool not_s;
	uint16_t dp_lo, dp_hi;
	uint8_t proto; /* 0 = any */
	uint8_t verdict;
	uint32_t id;
};

/* The lines of the image; the caller frees them.  NULL = it does not fit. */
void *indexed_build(unsigned int hook, bool v6, const struct indexed_rule *rules, size_t n,
		    size_t max_lines, size_t *ret_lines);
#endif
