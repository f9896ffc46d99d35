/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MODEL_KEYS_H
#define MODEL_KEYS_H
/*
 * keys - order and equality of the elements of sets and maps.
 *
 * The order is that of nft's listings: intervals from low to high; single values by their number; names and concatenations by their
 * bytes read as one little-endian number, the last byte first.  Concatenations of intervals go field by field.
 */
#include <model/model.h>

struct key_type {
	const enum field_type *types;
	unsigned int n;
	bool interval;
};

int key_compare(const struct key_type *t, const struct elem *a, const struct elem *b);
/* Is one field more than a single value: a range, a prefix, a name with `*`? */
bool elem_is_range(enum field_type type, const struct elem *e);
/* One field, b not before a in the order: do they have a value in common?  Is there no value between them? */
bool elem_overlaps(enum field_type type, const struct elem *a, const struct elem *b);
bool elem_touches(enum field_type type, const struct elem *a, const struct elem *b);
/* Does a hold all of b? */
bool elem_holds(enum field_type type, const struct elem *a, const struct elem *b);
/* Let a end where b ends, if that is later. */
void elem_join(enum field_type type, struct elem *a, const struct elem *b);
/* What of a is below b (*below) and above b (*above); false: nothing. */
bool elem_below(enum field_type type, const struct elem *a, const struct elem *b, struct elem *ret);
bool elem_above(enum field_type type, const struct elem *a, const struct elem *b, struct elem *ret);
/* plen of an address range as it is printed: that of the prefix it is, -1 for one address or any other range. */
void elem_tidy(enum field_type type, struct elem *e);

/* Index of the element with exactly this key in elements that are in order; false: there is none. */
bool elems_find(const struct elems *e, const struct key_type *t, const struct elem *key,
		size_t *ret);
bool map_data_equal(const struct map_data *a, const struct map_data *b, const enum field_type *data,
		    unsigned int n);

#endif
