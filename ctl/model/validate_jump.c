/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * validate_jump - jumps lead somewhere, come to an end, and bring no rule to a hook where it can not work.
 */
#include <model/validate.h>

#define JUMP_DEPTH_MAX 15 /* as the kernel: 16 chains with the one that has the hook */

struct walk {
	const struct table *t;
	const struct chain **by_name;
	uint8_t *state;		  /* of by_name[i] */
	const struct chain *base; /* the walk began there */
	struct diag *d;
};

static int compare_names(const void *a, const void *b)
{
	const struct chain *x = *(const struct chain *const *)a;
	const struct chain *y = *(const struct chain *const *)b;

	return strcmp(x->name, y->name);
}

static int compare_key(const void *key, const void *chain)
{
	return strcmp(key, (*(const struct chain *const *)chain)->name);
}

/* Index of a chain, -1: there is none. */
static ssize_t find_chain(const struct walk *w, const char *name)
{
	const struct chain **found =
		bsearch(name, w->by_name, w->t->n_chains, sizeof(*w->by_name), compare_key);

	return found ? found - w->by_name : -1;
}

static bool visit(struct walk *w, size_t i, unsigned int depth);

static bool follow(struct walk *w, const struct chain *from, const char *name, unsigned int depth)
{
	ssize_t i = find_chain(w, name);

	if (i < 0) {
		diag_set(w->d, "%s %s %s: there is no chain `%s` to jump to",
			 family_name(w->t->family), w->t->name, from->name, name);
		return false;
	}
	if (w->by_name[i]->base) {
		diag_set(w->d, "%s %s %s: chain `%s` has a hook: it can not be jumped to",
			 family_name(w->t->family), w->t->name, from->name, name);
		return false;
	}
	return visit(w, (size_t)i, depth + 1);
}

static bool follow_elems(struct walk *w, const struct chain *from, const struct elems *e,
			 unsigned int depth)
{
	for (size_t i = 0; e && e->data && i < e->n; i++) {
		if (e->data[i].chain && !follow(w, from, e->data[i].chain, depth))
			return false;
	}
	return true;
}

static bool follow_rule(struct walk *w, const struct chain *c, const struct rule *r,
			unsigned int depth)
{
	const struct action *a = &r->action;
	const struct set *s;

	if (w->base && !c->base && !place_validate(w->base, r, w->d)) {
		diag_hint(w->d, "chain `%s` is reached from `%s`", c->name, w->base->name);
		return false;
	}
	if (a->verdict == VERDICT_JUMP || a->verdict == VERDICT_GOTO)
		return follow(w, c, a->chain, depth);
	if (a->verdict != VERDICT_VMAP || !a->map)
		return true;
	s = a->map->name ? table_set(w->t, a->map->name) : NULL;
	return follow_elems(w, c, s ? s->elems : a->map->elems, depth);
}

enum { NEW, OPEN, DONE };

static bool visit(struct walk *w, size_t i, unsigned int depth)
{
	const struct chain *c = w->by_name[i];

	if (w->state[i] == OPEN) {
		diag_set(w->d, "%s %s: the jumps of chain `%s` lead back to it",
			 family_name(w->t->family), w->t->name, c->name);
		return false;
	}
	if (depth > JUMP_DEPTH_MAX) {
		diag_set(w->d, "%s %s %s: jumps are nested deeper than %d",
			 family_name(w->t->family), w->t->name, c->name, JUMP_DEPTH_MAX);
		return false;
	}
	if (w->state[i] == DONE + depth)
		return true;
	w->state[i] = OPEN;
	for (size_t k = 0; k < c->n_rules; k++) {
		if (!follow_rule(w, c, c->rules[k], depth))
			return false;
	}
	/* once for each depth is enough */
	w->state[i] = (uint8_t)(DONE + depth);
	return true;
}

/* From each base chain, then from each chain that nobody reaches. */
static bool walk_all(struct walk *w)
{
	for (size_t i = 0; i < w->t->n_chains; i++) {
		if (!w->by_name[i]->base)
			continue;
		memset(w->state, NEW, w->t->n_chains);
		w->base = w->by_name[i];
		if (!visit(w, i, 0))
			return false;
	}
	memset(w->state, NEW, w->t->n_chains);
	w->base = NULL;
	for (size_t i = 0; i < w->t->n_chains; i++) {
		if (!w->by_name[i]->base && w->state[i] == NEW && !visit(w, i, 0))
			return false;
	}
	return true;
}

static bool maps_lead_somewhere(struct walk *w)
{
	for (size_t i = 0; i < w->t->n_sets; i++) {
		const struct elems *e = w->t->sets[i]->elems;

		for (size_t k = 0; e && e->data && k < e->n; k++) {
			if (!e->data[k].chain || find_chain(w, e->data[k].chain) >= 0)
				continue;
			diag_set(w->d, "there is no chain `%s`, but map `%s` leads to it",
				 e->data[k].chain, w->t->sets[i]->name);
			return false;
		}
	}
	return true;
}

bool jumps_validate(const struct table *t, struct diag *d)
{
	_cleanup_(freep) const struct chain **by_name =
		reallocarray(NULL, MAX(t->n_chains, 1U), sizeof(*by_name));
	_cleanup_(freep) uint8_t *state = calloc(MAX(t->n_chains, 1U), 1);
	struct walk w = { .t = t, .by_name = by_name, .state = state, .d = d };

	if (!by_name || !state) {
		diag_set(d, "out of memory");
		return false;
	}
	for (size_t i = 0; i < t->n_chains; i++)
		by_name[i] = t->chains[i];
	qsort(by_name, t->n_chains, sizeof(*by_name), compare_names);
	return maps_lead_somewhere(&w) && walk_all(&w);
}
