/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/value.h>

size_t addr_bytes(enum field_type type)
{
	return type_rows[type].base == BASE_ADDR ? type_rows[type].bytes : 0;
}

/* Bit i of an address, 0 = the most significant. */
static bool addr_bit(const uint8_t *a, unsigned int i)
{
	return a[i / 8] >> (7 - i % 8) & 1;
}

int addr_range_plen(const uint8_t *lo, const uint8_t *hi, size_t bytes)
{
	unsigned int bits = (unsigned int)bytes * 8, plen = 0;

	while (plen < bits && addr_bit(lo, plen) == addr_bit(hi, plen))
		plen++;
	for (unsigned int i = plen; i < bits; i++) {
		if (addr_bit(lo, i) || !addr_bit(hi, i))
			return -1;
	}
	return (int)plen;
}

void addr_prefix_range(uint8_t *lo, uint8_t *hi, size_t bytes, unsigned int plen)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned int keep = plen >= 8 ? 8 : plen;
		uint8_t mask = (uint8_t)(0xff00U >> keep);

		lo[i] &= mask;
		hi[i] = (uint8_t)(lo[i] | (uint8_t)~mask);
		plen -= keep;
	}
}

static int compare_addr(const void *a, const void *b)
{
	const struct elem *x = a, *y = b;
	int lo = memcmp(x->addr_lo, y->addr_lo, 16);

	return lo ? lo : memcmp(x->addr_hi, y->addr_hi, 16);
}

static int compare_num(const void *a, const void *b)
{
	const struct elem *x = a, *y = b;

	if (x->num_lo != y->num_lo)
		return x->num_lo < y->num_lo ? -1 : 1;
	return (x->num_hi > y->num_hi) - (x->num_hi < y->num_hi);
}

/* One more than a; false: there is none. */
static bool addr_successor(const uint8_t *a, size_t bytes, uint8_t *ret)
{
	memcpy(ret, a, bytes);
	for (size_t i = bytes; i-- > 0;) {
		if (++ret[i])
			return true;
	}
	return false;
}

/* b begins not later than right behind a; a begins first. */
static bool touches(const struct elem *a, const struct elem *b, size_t bytes)
{
	uint8_t next[16];

	if (!bytes)
		return a->num_hi == UINT64_MAX || b->num_lo <= a->num_hi + 1;
	return !addr_successor(a->addr_hi, bytes, next) || memcmp(b->addr_lo, next, bytes) <= 0;
}

static void join(struct elem *a, const struct elem *b, size_t bytes)
{
	if (bytes && memcmp(b->addr_hi, a->addr_hi, bytes) > 0)
		memcpy(a->addr_hi, b->addr_hi, bytes);
	a->num_hi = MAX(a->num_hi, b->num_hi);
	if (bytes)
		a->plen = addr_range_plen(a->addr_lo, a->addr_hi, bytes);
}

static bool is_range(const struct elem *e, size_t bytes)
{
	return bytes ? memcmp(e->addr_lo, e->addr_hi, bytes) != 0 : e->num_lo != e->num_hi;
}

static void merge_sorted(struct match *m, size_t bytes)
{
	bool intervals = false;
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++)
		intervals = intervals || is_range(&m->elems[i], bytes);
	for (size_t i = 1; i < m->n; i++) {
		struct elem *a = &m->elems[kept], *b = &m->elems[i];
		bool same = bytes ? !compare_addr(a, b) : !compare_num(a, b);

		if (same || (intervals && touches(a, b, bytes)))
			join(a, b, bytes);
		else
			m->elems[++kept] = *b;
	}
	m->n = kept + 1;
}

static void drop_double_names(struct match *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		size_t j = 0;

		while (j < kept && strcmp(m->elems[j].name, m->elems[i].name) != 0)
			j++;
		if (j == kept)
			m->elems[kept++] = m->elems[i];
	}
	m->n = kept;
}

/* States are one mask, however many were written. */
static void unite_states(struct match *m)
{
	for (size_t i = 1; i < m->n; i++)
		m->elems[0].num_lo |= m->elems[i].num_lo;
	m->elems[0].num_hi = m->elems[0].num_lo;
	m->n = 1;
	m->is_set = m->is_set && (m->elems[0].num_lo & (m->elems[0].num_lo - 1));
}

static bool elem_equal(enum field_type type, const struct elem *a, const struct elem *b)
{
	switch (type_rows[type].base) {
	case BASE_NAME:
		return !strcmp(a->name, b->name);
	case BASE_ADDR:
		return !compare_addr(a, b);
	default:
		return !compare_num(a, b);
	}
}

static bool key_equal(const struct match *m, size_t i, size_t j)
{
	for (unsigned int k = 0; k < m->n_fields; k++) {
		if (!elem_equal(field_rows[m->more[k]].type, &m->elems[i * m->n_fields + k],
				&m->elems[j * m->n_fields + k]))
			return false;
	}
	return true;
}

/* Concatenations stay in the order they were written in. */
static void drop_double_keys(struct match *m)
{
	size_t kept = 0, parts = m->n_fields;

	for (size_t i = 0; i < m->n; i++) {
		size_t j = 0;

		/* long sets are for named sets; looking at each pair would take forever there */
		while (j < kept && (m->n > 512 || !key_equal(m, j, i)))
			j++;
		if (j < kept)
			continue;
		memmove(m->elems + kept * parts, m->elems + i * parts, parts * sizeof(*m->elems));
		kept++;
	}
	m->n = kept;
}

void match_normalise(struct match *m)
{
	enum field_type type = field_rows[m->field].type;
	size_t bytes = addr_bytes(type);

	if (!m->n)
		return;
	if (m->n_fields > 1) {
		drop_double_keys(m);
		return;
	}
	if (type == FIELD_CT_STATE) {
		unite_states(m);
		return;
	}
	if (type_rows[type].base == BASE_NAME) {
		drop_double_names(m);
	} else if (m->is_set) {
		qsort(m->elems, m->n, sizeof(*m->elems), bytes ? compare_addr : compare_num);
		merge_sorted(m, bytes);
	}
	/* `tcp flags { syn }` is that flag alone, `tcp flags syn` any packet that has it */
	m->is_set = m->is_set && (m->n > 1 || type_rows[type].base == BASE_BITS);
}
