/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/impl.h>

void idmap_deinit(struct idmap *m)
{
	free(m->rows);
	*m = (struct idmap){ 0 };
}

static struct idmap_row *idmap_row(const struct idmap *m, uint64_t key)
{
	size_t at = (size_t)((key ^ key >> 29) * 0x9e3779b97f4a7c15ULL >> 20) & (m->cap - 1);

	while (m->rows[at].used && m->rows[at].key != key)
		at = (at + 1) & (m->cap - 1);
	return &m->rows[at];
}

static int idmap_grow(struct idmap *m, size_t cap)
{
	struct idmap bigger = { .n = m->n, .cap = cap };

	bigger.rows = calloc(bigger.cap, sizeof(*bigger.rows));
	if (!bigger.rows)
		return -ENOMEM;
	for (size_t i = 0; i < m->cap; i++) {
		if (m->rows[i].used)
			*idmap_row(&bigger, m->rows[i].key) = m->rows[i];
	}
	free(m->rows);
	*m = bigger;
	return 0;
}

int idmap_reserve(struct idmap *m, size_t n)
{
	size_t cap = MAX(m->cap, 64U);

	while ((m->n + n) * 4 > cap * 3)
		cap *= 2;
	return cap > m->cap ? idmap_grow(m, cap) : 0;
}

int idmap_put(struct idmap *m, uint64_t key, uint64_t value)
{
	struct idmap_row *row;
	int r = m->n * 4 >= m->cap * 3 ? idmap_grow(m, MAX(m->cap * 2, 64U)) : 0;

	if (r < 0)
		return r;
	row = idmap_row(m, key);
	m->n += !row->used;
	*row = (struct idmap_row){ key, value, true };
	return 0;
}

bool idmap_get(const struct idmap *m, uint64_t key, uint64_t *ret)
{
	const struct idmap_row *row = m->cap ? idmap_row(m, key) : NULL;

	if (!row || !row->used)
		return false;
	*ret = row->value;
	return true;
}
