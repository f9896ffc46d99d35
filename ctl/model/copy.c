/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/impl.h>

/* Everything of a chain but its rules: those are pointers the copy must not share. */
static void chain_copy_head(struct chain *to, const struct chain *from)
{
	struct chain own = *to;

	*to = *from;
	to->rules = own.rules;
	to->n_rules = own.n_rules;
	to->cap_rules = own.cap_rules;
	to->comment = NULL;
}

static int chain_copy_into(struct ruleset *rs, struct table *t, const struct chain *from)
{
	struct chain *c;
	int r = table_add_chain(rs, t, from->name, &c);

	if (r < 0)
		return r;
	chain_copy_head(c, from);
	if (!string_copy(&c->comment, from->comment))
		return -ENOMEM;
	for (size_t i = 0; i < from->n_rules; i++) {
		_cleanup_(rule_freep) struct rule *copy = rule_copy(from->rules[i]);

		if (!copy)
			return -ENOMEM;
		r = chain_insert_rule(rs, c, i, copy);
		if (r < 0)
			return r;
		copy = NULL;
	}
	return 0;
}

static int table_copy_sets(struct ruleset *rs, struct table *t, const struct table *from)
{
	for (size_t i = 0; i < from->n_sets; i++) {
		_cleanup_(set_freep) struct set *s = set_copy(from->sets[i]);
		int r = s ? table_add_set(rs, t, s) : -ENOMEM;

		if (r < 0)
			return r;
		TAKE_PTR(s);
	}
	for (size_t i = 0; i < from->n_objects; i++) {
		_cleanup_(object_freep) struct object *o = object_copy(from->objects[i]);
		int r = o ? table_add_object(rs, t, o) : -ENOMEM;

		if (r < 0)
			return r;
		TAKE_PTR(o);
	}
	return 0;
}

static int table_copy_into(struct ruleset *rs, const struct table *from)
{
	struct table *t;
	int r = ruleset_add_table(rs, from->family, from->name, &t);

	if (r < 0)
		return r;
	t->handle = from->handle;
	t->dormant = from->dormant;
	if (!string_copy(&t->comment, from->comment))
		return -ENOMEM;
	r = table_copy_sets(rs, t, from);
	if (r < 0)
		return r;
	for (size_t i = 0; i < from->n_chains; i++) {
		r = chain_copy_into(rs, t, from->chains[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

struct ruleset *ruleset_copy(const struct ruleset *rs)
{
	_cleanup_(ruleset_freep) struct ruleset *copy = ruleset_new();

	if (!copy)
		return NULL;
	for (size_t i = 0; i < rs->n_tables; i++) {
		if (table_copy_into(copy, rs->tables[i]) < 0)
			return NULL;
	}
	copy->next_handle = rs->next_handle;
	return TAKE_PTR(copy);
}
