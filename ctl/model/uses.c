/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who uses a chain, a set or an object: what is used can not be deleted.
 */
#include <model/impl.h>

static bool elems_jump_to(const struct elems *e, const char *chain)
{
	for (size_t i = 0; e && e->data && i < e->n; i++) {
		if (e->data[i].chain && !strcmp(e->data[i].chain, chain))
			return true;
	}
	return false;
}

static bool map_names(const struct map_use *m, const char *set)
{
	return m && m->name && !strcmp(m->name, set);
}

static bool rule_uses_chain(const struct rule *r, const void *name)
{
	const struct action *a = &r->action;

	if (a->verdict == VERDICT_JUMP || a->verdict == VERDICT_GOTO)
		return !strcmp(a->chain, name);
	return a->map && elems_jump_to(a->map->elems, name);
}

static bool rule_uses_set(const struct rule *r, const void *name)
{
	if (map_names(r->action.map, name))
		return true;
	for (size_t i = 0; i < r->n_matches; i++) {
		if (r->matches[i].set && !strcmp(r->matches[i].set, name))
			return true;
	}
	for (size_t i = 0; i < r->n_stmts; i++) {
		const struct stmt *s = &r->stmts[i];

		if (s->kind == STMT_SET && !strcmp(s->set.set, name))
			return true;
		if ((s->kind == STMT_MARK || s->kind == STMT_CTMARK) &&
		    map_names(s->mark.map, name))
			return true;
	}
	return false;
}

struct object_use {
	enum object_kind kind;
	const char *name;
};

static bool rule_uses_object(const struct rule *r, const void *arg)
{
	const struct object_use *use = arg;

	for (size_t i = 0; i < r->n_stmts; i++) {
		const struct stmt *s = &r->stmts[i];

		if (s->kind == STMT_OBJECT && s->object.kind == use->kind &&
		    !strcmp(s->object.name, use->name))
			return true;
	}
	return false;
}

static bool table_any_rule(const struct table *t, bool (*uses)(const struct rule *, const void *),
			   const void *arg)
{
	for (size_t c = 0; c < t->n_chains; c++) {
		for (size_t i = 0; i < t->chains[c]->n_rules; i++) {
			if (uses(t->chains[c]->rules[i], arg))
				return true;
		}
	}
	return false;
}

bool table_uses_chain(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n_sets; i++) {
		if (elems_jump_to(t->sets[i]->elems, name))
			return true;
	}
	return table_any_rule(t, rule_uses_chain, name);
}

bool table_uses_set(const struct table *t, const char *name)
{
	return table_any_rule(t, rule_uses_set, name);
}

bool table_uses_object(const struct table *t, enum object_kind kind, const char *name)
{
	return table_any_rule(t, rule_uses_object, &(struct object_use){ kind, name });
}

/* Every jump to `from` becomes one to `to`; elements that are shared are copied first. */
static int elems_rename_chain(struct elems **e, const char *from, const char *to)
{
	int r;

	if (!*e || !elems_jump_to(*e, from))
		return 0;
	r = elems_own(e);
	for (size_t i = 0; !r && i < (*e)->n; i++) {
		struct map_data *data = &(*e)->data[i];
		char *name;

		if (!data->chain || strcmp(data->chain, from) != 0)
			continue;
		name = strdup(to);
		if (!name)
			return -ENOMEM;
		free(data->chain);
		data->chain = name;
	}
	return r;
}

static int rule_rename_chain(struct rule *r, const char *from, const char *to)
{
	struct action *a = &r->action;

	if ((a->verdict == VERDICT_JUMP || a->verdict == VERDICT_GOTO) && !strcmp(a->chain, from)) {
		snprintf(a->chain, sizeof(a->chain), "%s", to);
		/* its iptables form names the chain too: it is made anew from the model */
		free(r->xtspec);
		r->xtspec = NULL;
	}
	return a->map ? elems_rename_chain(&a->map->elems, from, to) : 0;
}

int table_rename_chain(struct table *t, struct chain *c, const char *name)
{
	char from[sizeof(c->name)];
	int r = 0;

	memcpy(from, c->name, sizeof(from));
	for (size_t i = 0; !r && i < t->n_sets; i++)
		r = elems_rename_chain(&t->sets[i]->elems, from, name);
	for (size_t i = 0; !r && i < t->n_chains; i++) {
		for (size_t j = 0; !r && j < t->chains[i]->n_rules; j++)
			r = rule_rename_chain(t->chains[i]->rules[j], from, name);
	}
	if (!r)
		snprintf(c->name, sizeof(c->name), "%s", name);
	return r;
}
