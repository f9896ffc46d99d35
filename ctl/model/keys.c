/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/keys.h>

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Bytes as one little-endian number. */
static int compare_reversed(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	while (n-- > 0) {
		if (x[n] != y[n])
			return x[n] < y[n] ? -1 : 1;
	}
	return 0;
}

/* Only names of one place have something behind the `*`. */
static size_t name_stem(const struct elem *e, bool *ret_open)
{
	size_t len = strnlen(e->name, sizeof(e->name));

	*ret_open = len && e->name[len - 1] == '*';
	return *ret_open ? len - 1 : len;
}

static int compare_names(const struct elem *a, const struct elem *b)
{
	bool open_a, open_b;
	size_t len_a = name_stem(a, &open_a), len_b = name_stem(b, &open_b);
	int r = memcmp(a->name, b->name, MIN(len_a, len_b));

	if (r)
		return r;
	/* the wider one first */
	return len_a == len_b ? (int)open_b - (int)open_a : len_a < len_b ? -1 : 1;
}

static int compare_lo(enum field_type type, const struct elem *a, const struct elem *b)
{
	switch (type_rows[type].base) {
	case BASE_NAME:
		return compare_names(a, b);
	case BASE_ADDR:
		return memcmp(a->addr_lo, b->addr_lo, type_rows[type].bytes);
	default:
		return compare_u64(a->num_lo, b->num_lo);
	}
}

static int compare_hi(enum field_type type, const struct elem *a, const struct elem *b)
{
	switch (type_rows[type].base) {
	case BASE_NAME:
		return 0;
	case BASE_ADDR:
		return memcmp(a->addr_hi, b->addr_hi, type_rows[type].bytes);
	default:
		return compare_u64(a->num_hi, b->num_hi);
	}
}

static int compare_range(enum field_type type, const struct elem *a, const struct elem *b)
{
	int r = compare_lo(type, a, b);

	return r ? r : compare_hi(type, a, b);
}

/* Numbers that a packet holds in network order, where they are part of a larger key. */
static bool is_network_order(enum field_type type)
{
	return type == FIELD_PORT || type == FIELD_ETHERTYPE;
}

static int compare_part(enum field_type type, const struct elem *a, const struct elem *b)
{
	uint16_t x = (uint16_t)a->num_lo, y = (uint16_t)b->num_lo;

	if (type_rows[type].base == BASE_NAME)
		return compare_reversed(a->name, b->name, sizeof(a->name));
	if (type_rows[type].base == BASE_ADDR)
		return compare_reversed(a->addr_lo, b->addr_lo, type_rows[type].bytes);
	if (!is_network_order(type))
		return compare_u64(a->num_lo, b->num_lo);
	x = (uint16_t)(x << 8 | x >> 8);
	y = (uint16_t)(y << 8 | y >> 8);
	return compare_u64(x, y);
}

int key_compare(const struct key_type *t, const struct elem *a, const struct elem *b)
{
	int r = 0;

	if (t->interval) {
		for (unsigned int i = 0; !r && i < t->n; i++)
			r = compare_range(t->types[i], &a[i], &b[i]);
		return r;
	}
	if (t->n == 1 && type_rows[t->types[0]].base != BASE_NAME)
		return compare_lo(t->types[0], a, b);
	for (unsigned int i = t->n; !r && i-- > 0;)
		r = compare_part(t->types[i], &a[i], &b[i]);
	return r;
}

bool elem_is_range(enum field_type type, const struct elem *e)
{
	bool open;

	switch (type_rows[type].base) {
	case BASE_NAME:
		name_stem(e, &open);
		return open;
	case BASE_ADDR:
		return memcmp(e->addr_lo, e->addr_hi, type_rows[type].bytes) != 0;
	default:
		return e->num_lo != e->num_hi;
	}
}

/* A name is in a stem's range if it begins with the stem. */
static bool name_holds(const struct elem *a, const struct elem *b)
{
	bool open_a, open_b;
	size_t len_a = name_stem(a, &open_a), len_b = name_stem(b, &open_b);

	if (!open_a)
		return !open_b && len_a == len_b && !memcmp(a->name, b->name, len_a);
	return len_b >= len_a && !memcmp(a->name, b->name, len_a);
}

bool elem_overlaps(enum field_type type, const struct elem *a, const struct elem *b)
{
	switch (type_rows[type].base) {
	case BASE_NAME:
		return name_holds(a, b);
	case BASE_ADDR:
		return memcmp(b->addr_lo, a->addr_hi, type_rows[type].bytes) <= 0;
	default:
		return b->num_lo <= a->num_hi;
	}
}

bool elem_holds(enum field_type type, const struct elem *a, const struct elem *b)
{
	if (type_rows[type].base == BASE_NAME)
		return name_holds(a, b);
	return compare_lo(type, a, b) <= 0 && compare_hi(type, a, b) >= 0;
}

/* One more (step 1) or less (step -1); false: there is none. */
static bool addr_step(uint8_t *a, size_t bytes, int step)
{
	for (size_t i = bytes; i-- > 0;) {
		a[i] = (uint8_t)(a[i] + step);
		if (a[i] != (step > 0 ? 0 : 0xff))
			return true;
	}
	return false;
}

bool elem_touches(enum field_type type, const struct elem *a, const struct elem *b)
{
	uint8_t next[16];

	if (elem_overlaps(type, a, b))
		return true;
	switch (type_rows[type].base) {
	case BASE_ADDR:
		memcpy(next, a->addr_hi, 16);
		return !addr_step(next, type_rows[type].bytes, 1) ||
		       !memcmp(next, b->addr_lo, type_rows[type].bytes);
	case BASE_NUM:
		return b->num_lo == a->num_hi + 1;
	default:
		return false;
	}
}

void elem_join(enum field_type type, struct elem *a, const struct elem *b)
{
	if (type_rows[type].base == BASE_ADDR && compare_hi(type, a, b) < 0)
		memcpy(a->addr_hi, b->addr_hi, sizeof(a->addr_hi));
	else if (type_rows[type].base == BASE_NUM)
		a->num_hi = MAX(a->num_hi, b->num_hi);
	elem_tidy(type, a);
}

bool elem_below(enum field_type type, const struct elem *a, const struct elem *b, struct elem *ret)
{
	if (type_rows[type].base == BASE_NAME || compare_lo(type, a, b) >= 0)
		return false;
	*ret = *a;
	if (type_rows[type].base == BASE_ADDR) {
		memcpy(ret->addr_hi, b->addr_lo, sizeof(ret->addr_hi));
		addr_step(ret->addr_hi, type_rows[type].bytes, -1);
	} else {
		ret->num_hi = b->num_lo - 1;
	}
	elem_tidy(type, ret);
	return true;
}

bool elem_above(enum field_type type, const struct elem *a, const struct elem *b, struct elem *ret)
{
	if (type_rows[type].base == BASE_NAME || compare_hi(type, a, b) <= 0)
		return false;
	*ret = *a;
	if (type_rows[type].base == BASE_ADDR) {
		memcpy(ret->addr_lo, b->addr_hi, sizeof(ret->addr_lo));
		addr_step(ret->addr_lo, type_rows[type].bytes, 1);
	} else {
		ret->num_lo = b->num_hi + 1;
	}
	elem_tidy(type, ret);
	return true;
}

/* Length of the prefix that is exactly lo..hi, or -1. */
static int range_plen(const uint8_t *lo, const uint8_t *hi, size_t bytes)
{
	size_t same = 0, bit = 0;

	while (same < bytes && lo[same] == hi[same])
		same++;
	if (same == bytes)
		return -1; /* one address: not printed as prefix */
	while (!((lo[same] ^ hi[same]) & (0x80U >> bit)))
		bit++;
	if ((lo[same] & (0xffU >> bit)) || (hi[same] & (0xffU >> bit)) != 0xffU >> bit)
		return -1;
	for (size_t i = same + 1; i < bytes; i++) {
		if (lo[i] != 0 || hi[i] != 0xff)
			return -1;
	}
	return (int)(same * 8 + bit);
}

void elem_tidy(enum field_type type, struct elem *e)
{
	if (type == FIELD_ADDR4 || type == FIELD_ADDR6)
		e->plen = range_plen(e->addr_lo, e->addr_hi, type_rows[type].bytes);
	else
		e->plen = -1;
}

bool elems_find(const struct elems *e, const struct key_type *t, const struct elem *key,
		size_t *ret)
{
	size_t lo = 0, hi = e->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = key_compare(t, e->keys + mid * e->n_fields, key);

		if (!r) {
			*ret = mid;
			return true;
		}
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return false;
}

bool map_data_equal(const struct map_data *a, const struct map_data *b, const enum field_type *data,
		    unsigned int n)
{
	if (a->verdict != b->verdict || !a->chain != !b->chain ||
	    (a->chain && strcmp(a->chain, b->chain) != 0))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (compare_range(data[i], &a->val[i], &b->val[i]))
			return false;
	}
	return true;
}
