/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/impl.h>

struct rule *rule_new(void)
{
	return calloc(1, sizeof(struct rule));
}

static size_t match_parts(const struct match *m)
{
	return m->elems ? m->n * MAX(m->n_fields, 1U) : 0;
}

static void rule_free_arrays(struct rule *r)
{
	if (r->packed)
		return;
	for (size_t i = 0; i < r->n_matches; i++)
		free(r->matches[i].elems);
	free(r->matches);
	free(r->stmts);
}

struct rule *rule_free(struct rule *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_matches; i++)
		free(r->matches[i].set);
	for (size_t i = 0; i < r->n_stmts; i++)
		stmt_deinit(&r->stmts[i]);
	rule_free_arrays(r);
	map_use_free(r->action.map);
	free(r->comment);
	free(r->xtspec);
	free(r);
	return NULL;
}

/* The rule and its arrays in a new piece of memory; strings and maps are still those of r. */
static struct rule *rule_gather(const struct rule *r)
{
	size_t parts = 0;
	struct rule *to;
	struct elem *e;

	for (size_t i = 0; i < r->n_matches; i++)
		parts += match_parts(&r->matches[i]);
	to = malloc(sizeof(*to) + r->n_matches * sizeof(*r->matches) +
		    r->n_stmts * sizeof(*r->stmts) + parts * sizeof(*e));
	if (!to)
		return NULL;
	*to = *r;
	to->packed = true;
	to->matches = (struct match *)(to + 1);
	to->stmts = (struct stmt *)(to->matches + r->n_matches);
	e = (struct elem *)(to->stmts + r->n_stmts);
	if (r->n_stmts)
		memcpy(to->stmts, r->stmts, r->n_stmts * sizeof(*r->stmts));
	for (size_t i = 0; i < r->n_matches; i++) {
		const struct match *m = &r->matches[i];

		to->matches[i] = *m;
		if (!m->elems)
			continue;
		to->matches[i].elems = memcpy(e, m->elems, match_parts(m) * sizeof(*e));
		e += match_parts(m);
	}
	return to;
}

int rule_pack(struct rule **r)
{
	struct rule *packed = (*r)->packed ? *r : rule_gather(*r);

	if (!packed)
		return -ENOMEM;
	if (packed != *r) {
		rule_free_arrays(*r);
		free(*r);
	}
	*r = packed;
	return 0;
}

/* Room for one more behind n: there is some but where n is 0 or a power of two above 1. */
static void *array_grow(void *items, size_t n, size_t size)
{
	if (n == 1 || n & (n - 1))
		return items;
	return reallocarray(items, MAX(n * 2, 2U), size);
}

/* Arrays of its own again, so that it can grow. */
static int rule_unpack(struct rule *r)
{
	struct rule own = *r;

	if (!r->packed)
		return 0;
	own.packed = false;
	own.matches = NULL;
	own.stmts = NULL;
	own.n_matches = own.n_stmts = 0;
	for (size_t i = 0; i < r->n_matches; i++) {
		struct match m = r->matches[i];
		size_t parts = match_parts(&m);

		m.elems = parts ? reallocarray(NULL, parts, sizeof(*m.elems)) : NULL;
		if ((parts && !m.elems) || rule_add_match(&own, &m)) {
			free(m.elems);
			goto failed;
		}
		if (parts)
			memcpy(own.matches[i].elems, r->matches[i].elems, parts * sizeof(*m.elems));
	}
	for (size_t i = 0; i < r->n_stmts; i++) {
		struct stmt s = r->stmts[i];

		if (rule_add_stmt(&own, &s))
			goto failed;
	}
	*r = own;
	return 0;
failed:
	rule_free_arrays(&own);
	return -ENOMEM;
}

int rule_add_match(struct rule *r, struct match *m)
{
	struct match *grown =
		rule_unpack(r) ? NULL : array_grow(r->matches, r->n_matches, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	r->matches = grown;
	grown[r->n_matches] = *m;
	r->n_matches++;
	m->elems = NULL;
	m->set = NULL;
	m->n = 0;
	return 0;
}

int rule_add_stmt(struct rule *r, struct stmt *s)
{
	struct stmt *grown =
		rule_unpack(r) ? NULL : array_grow(r->stmts, r->n_stmts, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	r->stmts = grown;
	grown[r->n_stmts++] = *s;
	*s = (struct stmt){ 0 };
	return 0;
}

/* What the copy still shares with the original becomes its own; after a failure it owns what it was given so far. */
static bool rule_own_strings(struct rule *copy, const struct rule *r)
{
	bool ok = true;

	ok &= string_copy(&copy->comment, r->comment);
	ok &= string_copy(&copy->xtspec, r->xtspec);
	ok &= map_use_copy(&copy->action.map, r->action.map) == 0;
	for (size_t i = 0; i < r->n_matches; i++)
		ok &= string_copy(&copy->matches[i].set, r->matches[i].set);
	for (size_t i = 0; i < r->n_stmts; i++)
		ok &= stmt_copy(&copy->stmts[i], &r->stmts[i]) == 0;
	return ok;
}

struct rule *rule_copy(const struct rule *r)
{
	_cleanup_(rule_freep) struct rule *copy = rule_gather(r);

	if (!copy)
		return NULL;
	return rule_own_strings(copy, r) ? TAKE_PTR(copy) : NULL;
}
