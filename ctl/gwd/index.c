/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/index.h>

#define SLOTS_MIN 64

struct index {
	struct index_entry *slots;
	size_t n, size; /* size: a power of two, at least 4/3 n */
};

/* Handles are handed out one after the other: spread them. */
static size_t slot_of(const struct index *ix, uint64_t handle)
{
	return (size_t)(handle * 0x9e3779b97f4a7c15ULL >> 20) & (ix->size - 1);
}

static void put(struct index *ix, const struct index_entry *e)
{
	size_t i = slot_of(ix, e->handle);

	while (ix->slots[i].handle)
		i = (i + 1) & (ix->size - 1);
	ix->slots[i] = *e;
}

static int grow(struct index *ix, size_t n)
{
	struct index_entry *old = ix->slots;
	size_t old_size = ix->size, size = MAX(old_size, (size_t)SLOTS_MIN);

	while (size / 4 * 3 <= n)
		size *= 2;
	if (size == old_size)
		return 0;
	ix->slots = calloc(size, sizeof(*ix->slots));
	if (!ix->slots) {
		ix->slots = old;
		return -ENOMEM;
	}
	ix->size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].handle)
			put(ix, &old[i]);
	free(old);
	return 0;
}

int index_add(struct index *ix, const struct index_entry *e)
{
	int r = grow(ix, ix->n + 1);

	if (r < 0)
		return raise(r, "index of rules");
	put(ix, e);
	ix->n++;
	return 0;
}

static size_t find(const struct index *ix, uint64_t handle)
{
	size_t i = slot_of(ix, handle);

	while (ix->slots[i].handle && ix->slots[i].handle != handle)
		i = (i + 1) & (ix->size - 1);
	return i;
}

const struct index_entry *index_find(const struct index *ix, uint64_t handle)
{
	const struct index_entry *e = &ix->slots[find(ix, handle)];

	return handle && e->handle ? e : NULL;
}

/* What stands behind the hole and could not be where it wanted to be moves up. */
void index_remove(struct index *ix, uint64_t handle)
{
	size_t mask = ix->size - 1, hole = find(ix, handle);

	if (!handle || !ix->slots[hole].handle)
		return;
	ix->n--;
	for (size_t i = (hole + 1) & mask; ix->slots[i].handle; i = (i + 1) & mask) {
		size_t home = slot_of(ix, ix->slots[i].handle);

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		ix->slots[hole] = ix->slots[i];
		hole = i;
	}
	ix->slots[hole].handle = 0;
}

static size_t count(const struct ruleset *rs)
{
	size_t n = 0;

	for (size_t t = 0; t < rs->n_tables; t++)
		for (size_t c = 0; c < rs->tables[t]->n_chains; c++)
			n += 1 + rs->tables[t]->chains[c]->n_rules;
	return n;
}

static void put_chain(struct index *ix, struct table *t, struct chain *c)
{
	put(ix, &(struct index_entry){ c->handle, t, c, NULL });
	for (size_t i = 0; i < c->n_rules; i++)
		put(ix, &(struct index_entry){ c->rules[i]->handle, t, c, c->rules[i] });
	ix->n += 1 + c->n_rules;
}

struct index *index_new(const struct ruleset *rs)
{
	_cleanup_(index_freep) struct index *ix = calloc(1, sizeof(*ix));

	if (!ix || grow(ix, count(rs)) < 0)
		return NULL;
	for (size_t t = 0; t < rs->n_tables; t++)
		for (size_t c = 0; c < rs->tables[t]->n_chains; c++)
			put_chain(ix, rs->tables[t], rs->tables[t]->chains[c]);
	return TAKE_PTR(ix);
}

struct index *index_free(struct index *ix)
{
	if (ix)
		free(ix->slots);
	free(ix);
	return NULL;
}
