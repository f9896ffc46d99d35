/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Concatenations of ranges that have a key in common.  In a set that does no harm; in a map the key would have two values.
 *
 * A sweep over one field keeps those that are still open there and compares the rest of the fields; the field is the one
 * with the fewest open at a time.  Where all fields are open all the time no order helps: after OVERLAP_BUDGET comparisons
 * the rest is let pass, and the first in the order of the map counts.
 */
#include <lang/overlap.h>

#define OVERLAP_BUDGET 200000000ULL
#define CHOICE_BUDGET \
	10000000ULL /* of a sweep that only counts: more is more than any other field needs */

struct sweep {
	const struct elems *e;
	const enum field_type *types;
	size_t *order, *open;
	unsigned int field;
};

static const struct elem *part(const struct sweep *s, size_t i, unsigned int field)
{
	return s->e->keys + i * s->e->n_fields + field;
}

static int compare_lo(const void *a, const void *b, void *arg)
{
	const struct sweep *s = arg;
	struct key_type one = { .types = &s->types[s->field], .n = 1, .interval = true };
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int r = key_compare(&one, part(s, x, s->field), part(s, y, s->field));

	return r ? r : (x > y) - (x < y);
}

/* Either may begin first. */
static bool parts_meet(enum field_type type, const struct elem *a, const struct elem *b)
{
	struct key_type one = { .types = &type, .n = 1, .interval = true };

	return key_compare(&one, a, b) <= 0 ? elem_overlaps(type, a, b) : elem_overlaps(type, b, a);
}

static bool keys_meet(const struct sweep *s, size_t a, size_t b)
{
	for (unsigned int i = 0; i < s->e->n_fields; i++) {
		if (i != s->field && !parts_meet(s->types[i], part(s, a, i), part(s, b, i)))
			return false;
	}
	return true;
}

/*
 * One sweep over s->field.  ret_a NULL: only count.  The number of comparisons, up to the budget; *ret_found = two keys meet.
 */
static uint64_t sweep(struct sweep *s, size_t *ret_a, size_t *ret_b, bool *ret_found)
{
	enum field_type type = s->types[s->field];
	uint64_t steps = 0, budget = ret_a ? OVERLAP_BUDGET : CHOICE_BUDGET;
	size_t n_open = 0;

	*ret_found = false;
	qsort_r(s->order, s->e->n, sizeof(*s->order), compare_lo, s);
	for (size_t i = 0; i < s->e->n && steps < budget; i++) {
		size_t kept = 0;

		for (size_t j = 0; j < n_open; j++) {
			if (!elem_overlaps(type, part(s, s->open[j], s->field),
					   part(s, s->order[i], s->field)))
				continue;
			s->open[kept++] = s->open[j];
			if (!ret_a || !keys_meet(s, s->open[j], s->order[i]))
				continue;
			*ret_a = s->open[j];
			*ret_b = s->order[i];
			*ret_found = true;
			return steps;
		}
		steps += n_open;
		n_open = kept;
		s->open[n_open++] = s->order[i];
	}
	return steps;
}

int overlap_find(const struct elems *e, const enum field_type *types, size_t *ret_a, size_t *ret_b,
		 bool *ret_found)
{
	_cleanup_(freep) size_t *order = reallocarray(NULL, MAX(e->n, 1U), sizeof(*order));
	_cleanup_(freep) size_t *open = reallocarray(NULL, MAX(e->n, 1U), sizeof(*open));
	struct sweep s = { .e = e, .types = types, .order = order, .open = open };
	uint64_t best = UINT64_MAX;
	unsigned int field = 0;

	if (!order || !open)
		return -ENOMEM;
	for (size_t i = 0; i < e->n; i++)
		order[i] = i;
	for (s.field = 0; s.field < e->n_fields && best > e->n; s.field++) {
		uint64_t steps = sweep(&s, NULL, NULL, ret_found);

		field = steps < best ? s.field : field;
		best = MIN(best, steps);
	}
	s.field = field;
	sweep(&s, ret_a, ret_b, ret_found);
	return 0;
}
