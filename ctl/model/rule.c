/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/impl.h>

struct rule *rule_new(void)
{
	return calloc(1, sizeof(struct rule));
}

struct rule *rule_free(struct rule *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_matches; i++) {
		free(r->matches[i].elems);
		free(r->matches[i].set);
	}
	free(r->matches);
	for (size_t i = 0; i < r->n_stmts; i++)
		stmt_deinit(&r->stmts[i]);
	free(r->stmts);
	map_use_free(r->action.map);
	free(r->comment);
	free(r->xtspec);
	free(r);
	return NULL;
}

int rule_add_match(struct rule *r, struct match *m)
{
	struct match *grown = reallocarray(r->matches, r->n_matches + 1, sizeof(*grown));

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

static int match_copy(struct rule *to, const struct match *m)
{
	size_t parts = m->n * MAX(m->n_fields, 1U);
	struct match copy = *m;
	_cleanup_(freep) struct elem *elems = reallocarray(NULL, MAX(parts, 1U), sizeof(*elems));
	_cleanup_(freep) char *set = NULL;
	int r;

	if (!elems || !string_copy(&set, m->set))
		return -ENOMEM;
	if (parts)
		memcpy(elems, m->elems, parts * sizeof(*elems));
	copy.elems = elems;
	copy.set = set;
	r = rule_add_match(to, &copy);
	if (r == 0)
		elems = NULL, set = NULL;
	return r;
}

static int rule_copy_parts(struct rule *copy, const struct rule *r)
{
	struct stmt s;
	int e;

	for (size_t i = 0; i < r->n_matches; i++) {
		e = match_copy(copy, &r->matches[i]);
		if (e < 0)
			return e;
	}
	for (size_t i = 0; i < r->n_stmts; i++) {
		e = stmt_copy(&s, &r->stmts[i]);
		if (e == 0)
			e = rule_add_stmt(copy, &s);
		if (e < 0) {
			stmt_deinit(&s);
			return e;
		}
	}
	return map_use_copy(&copy->action.map, r->action.map);
}

struct rule *rule_copy(const struct rule *r)
{
	_cleanup_(rule_freep) struct rule *copy = rule_new();

	if (!copy)
		return NULL;
	*copy = *r;
	copy->matches = NULL;
	copy->n_matches = 0;
	copy->stmts = NULL;
	copy->n_stmts = 0;
	copy->action.map = NULL;
	copy->comment = NULL;
	copy->xtspec = NULL;
	if (!string_copy(&copy->comment, r->comment) || !string_copy(&copy->xtspec, r->xtspec))
		return NULL;
	return rule_copy_parts(copy, r) < 0 ? NULL : TAKE_PTR(copy);
}
