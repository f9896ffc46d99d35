/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/impl.h>

static void chain_free(struct chain *c)
{
	chain_flush(c);
	free(c->rules);
	free(c->comment);
	free(c);
}

static void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n_chains; i++)
		chain_free(t->chains[i]);
	free(t->chains);
	for (size_t i = 0; i < t->n_sets; i++)
		set_free(t->sets[i]);
	free(t->sets);
	for (size_t i = 0; i < t->n_objects; i++)
		object_free(t->objects[i]);
	free(t->objects);
	free(t->comment);
	free(t);
}

struct ruleset *ruleset_new(void)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));

	if (rs)
		rs->next_handle = 1;
	return rs;
}

struct ruleset *ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return NULL;
	for (size_t i = 0; i < rs->n_tables; i++)
		table_free(rs->tables[i]);
	free(rs->tables);
	free(rs);
	return NULL;
}

struct table *ruleset_table(const struct ruleset *rs, enum family f, const char *name)
{
	for (size_t i = 0; i < rs->n_tables; i++) {
		if (rs->tables[i]->family == f && !strcmp(rs->tables[i]->name, name))
			return rs->tables[i];
	}
	return NULL;
}

struct chain *table_chain(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n_chains; i++) {
		if (!strcmp(t->chains[i]->name, name))
			return t->chains[i];
	}
	return NULL;
}

struct rule *chain_rule(const struct chain *c, uint64_t handle, size_t *ret_index)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		if (c->rules[i]->handle != handle)
			continue;
		if (ret_index)
			*ret_index = i;
		return c->rules[i];
	}
	return NULL;
}

int pointers_insert(void ***items, size_t *n, size_t *cap, size_t index, void *item)
{
	void *grown = *items;
	int r = array_reserve(&grown, cap, *n, sizeof(void *));

	if (r < 0)
		return r;
	*items = grown;
	memmove(*items + index + 1, *items + index, (*n - index) * sizeof(void *));
	(*items)[index] = item;
	(*n)++;
	return 0;
}

void pointers_remove(void **items, size_t *n, size_t index)
{
	(*n)--;
	memmove(items + index, items + index + 1, (*n - index) * sizeof(void *));
}

bool pointers_drop(void **items, size_t *n, const void *item)
{
	for (size_t i = 0; i < *n; i++) {
		if (items[i] != item)
			continue;
		pointers_remove(items, n, i);
		return true;
	}
	return false;
}

void handle_take(struct ruleset *rs, uint64_t *handle)
{
	if (!*handle)
		*handle = rs->next_handle++;
	else if (*handle >= rs->next_handle)
		rs->next_handle = *handle + 1;
}

int ruleset_add_table(struct ruleset *rs, enum family f, const char *name, struct table **ret)
{
	struct table *t = ruleset_table(rs, f, name);
	int r;

	if (!t) {
		if (strlen(name) >= sizeof(t->name))
			return -ENAMETOOLONG;
		t = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		t->family = f;
		strcpy(t->name, name);
		r = pointers_insert((void ***)&rs->tables, &rs->n_tables, &rs->cap_tables,
				    rs->n_tables, t);
		if (r < 0) {
			free(t);
			return r;
		}
		t->handle = rs->next_handle++;
	}
	if (ret)
		*ret = t;
	return 0;
}

int table_add_chain(struct ruleset *rs, struct table *t, const char *name, struct chain **ret)
{
	struct chain *c;
	int r;

	if (table_chain(t, name))
		return -EEXIST;
	if (strlen(name) >= sizeof(c->name))
		return -ENAMETOOLONG;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	strcpy(c->name, name);
	r = pointers_insert((void ***)&t->chains, &t->n_chains, &t->cap_chains, t->n_chains, c);
	if (r < 0) {
		free(c);
		return r;
	}
	c->handle = rs->next_handle++;
	if (ret)
		*ret = c;
	return 0;
}

void ruleset_delete_table(struct ruleset *rs, struct table *t)
{
	if (pointers_drop((void **)rs->tables, &rs->n_tables, t))
		table_free(t);
}

void table_delete_chain(struct table *t, struct chain *c)
{
	if (pointers_drop((void **)t->chains, &t->n_chains, c))
		chain_free(c);
}

void chain_flush(struct chain *c)
{
	for (size_t i = 0; i < c->n_rules; i++)
		rule_free(c->rules[i]);
	c->n_rules = 0;
}

void chain_delete_rule(struct chain *c, size_t index)
{
	rule_free(c->rules[index]);
	pointers_remove((void **)c->rules, &c->n_rules, index);
}

int chain_insert_rule(struct ruleset *rs, struct chain *c, size_t index, struct rule *r)
{
	int e;

	if (index > c->n_rules)
		return -ERANGE;
	e = pointers_insert((void ***)&c->rules, &c->n_rules, &c->cap_rules, index, r);
	if (e < 0)
		return e;
	handle_take(rs, &r->handle);
	return 0;
}
