/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_VALUE_H
#define LANG_VALUE_H
/* value - sets in canonical form: sorted, without doubles, neighbours joined. */
#include <model/model.h>

/* Length of the prefix that is exactly lo..hi, or -1. */
int addr_range_plen(const uint8_t *lo, const uint8_t *hi, size_t bytes);
void addr_prefix_range(uint8_t *lo, uint8_t *hi, size_t bytes,
		       unsigned int plen); /* lo is the address */
size_t addr_bytes(enum field_type type);   /* 4, 16; 0 = no address */

/* A set becomes what nft lists; one element loses its braces. */
void match_normalise(struct match *m);
#endif
