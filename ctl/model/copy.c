/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/model.h>

/* Everything of a chain but its rules: those are pointers the copy must not share. */
static void chain_copy_head(struct chain *to, const struct chain *from)
{
	struct chain own = *to;

	*to = *from;
	to->rules = own.rules;
	to->n_rules = own.n_rules;
	to->cap_rules = own.cap_rules;
}

static int chain_copy_into(struct ruleset *rs, struct table *t, const struct chain *from)
{
	struct chain *c;
	int r = table_add_chain(rs, t, from->name, &c);

	if (r < 0)
		return r;
	chain_copy_head(c, from);
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

static int table_copy_into(struct ruleset *rs, const struct table *from)
{
	struct table *t;
	int r = ruleset_add_table(rs, from->family, from->name, &t);

	if (r < 0)
		return r;
	t->handle = from->handle;
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
