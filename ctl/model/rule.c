/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/model.h>

struct rule *rule_new(void)
{
	return calloc(1, sizeof(struct rule));
}

struct rule *rule_free(struct rule *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_matches; i++)
		free(r->matches[i].elems);
	free(r->matches);
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
	m->n = 0;
	return 0;
}

static int match_copy(struct rule *to, const struct match *m)
{
	struct match copy = *m;
	_cleanup_(freep) struct elem *elems = reallocarray(NULL, m->n ? m->n : 1, sizeof(*elems));
	int r;

	if (!elems)
		return -ENOMEM;
	if (m->n)
		memcpy(elems, m->elems, m->n * sizeof(*elems));
	copy.elems = elems;
	r = rule_add_match(to, &copy);
	if (r == 0)
		elems = NULL;
	return r;
}

static bool string_copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

struct rule *rule_copy(const struct rule *r)
{
	_cleanup_(rule_freep) struct rule *copy = rule_new();

	if (!copy)
		return NULL;
	*copy = *r;
	copy->matches = NULL;
	copy->n_matches = 0;
	copy->comment = NULL;
	copy->xtspec = NULL;
	if (!string_copy(&copy->comment, r->comment) || !string_copy(&copy->xtspec, r->xtspec))
		return NULL;
	for (size_t i = 0; i < r->n_matches; i++) {
		if (match_copy(copy, &r->matches[i]) < 0)
			return NULL;
	}
	return TAKE_PTR(copy);
}
