/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/suggest.h>

int remove_rules(struct parser *p, struct chain *c)
{
	p->ch.rules_deleted += (unsigned int)c->n_rules;
	chain_flush(c);
	return 0;
}

int remove_chain(struct parser *p, struct table *t, struct chain *c)
{
	remove_rules(p, c);
	p->ch.chains_deleted++;
	table_delete_chain(t, c);
	return 0;
}

int remove_table(struct parser *p, struct table *t)
{
	while (t->n_chains)
		remove_chain(p, t, t->chains[t->n_chains - 1]);
	p->ch.tables_deleted++;
	ruleset_delete_table(p->rs, t);
	return 0;
}

int parse_handle(struct parser *p, uint64_t *ret)
{
	int r;

	if (!token_is(&p->tok, "handle"))
		return fail_expected(p, "`handle`");
	r = parse_advance(p);
	return r ? r : parse_u64(p, "a handle", 1, HANDLE_MAX, ret);
}

static struct table *table_by_handle(const struct ruleset *rs, enum family f, uint64_t handle)
{
	for (size_t i = 0; i < rs->n_tables; i++) {
		if (rs->tables[i]->handle == handle && rs->tables[i]->family == f)
			return rs->tables[i];
	}
	return NULL;
}

static struct chain *chain_by_handle(const struct table *t, uint64_t handle)
{
	for (size_t i = 0; i < t->n_chains; i++) {
		if (t->chains[i]->handle == handle)
			return t->chains[i];
	}
	return NULL;
}

int parse_delete_table(struct parser *p, bool must_exist)
{
	char name[NAME_SIZE];
	struct table *t;
	struct token at;
	uint64_t handle;
	enum family f;
	int r = parse_family(p, &f);

	at = p->tok;
	if (!r && token_is(&p->tok, "handle")) {
		r = parse_handle(p, &handle);
		t = r ? NULL : table_by_handle(p->rs, f, handle);
	} else if (!r) {
		r = parse_name(p, "the name of a table", name);
		t = r ? NULL : ruleset_table(p->rs, f, name);
	}
	if (r)
		return r;
	if (t)
		return remove_table(p, t);
	return must_exist ? fail_at(p, &at, "there is no such table of family %s", family_name(f))
			  : 0;
}

/* A chain that jumps to itself is not held by that. */
static bool chain_is_used(struct table *t, struct chain *c)
{
	struct rule **rules = c->rules;
	size_t n = c->n_rules;
	bool used;

	c->n_rules = 0;
	used = table_uses_chain(t, c->name);
	c->n_rules = n;
	c->rules = rules;
	return used;
}

int parse_delete_chain(struct parser *p, bool must_exist)
{
	struct target target;
	struct chain *c = NULL;
	struct table *t;
	struct token at;
	uint64_t handle;
	int r = parse_target(p, &target, false);

	if (r)
		return r;
	t = ruleset_table(p->rs, target.family, target.table);
	at = p->tok;
	if (token_is(&p->tok, "handle")) {
		r = parse_handle(p, &handle);
		c = r || !t ? NULL : chain_by_handle(t, handle);
	} else {
		r = parse_name(p, "the name of a chain", target.chain);
		c = r || !t ? NULL : table_chain(t, target.chain);
	}
	if (r)
		return r;
	if (c && chain_is_used(t, c)) {
		fail_at(p, &at, "chain `%s` is used: something jumps to it", c->name);
		return fail_hint(p, "delete the rule or the element of the map first");
	}
	if (c)
		return remove_chain(p, t, c);
	if (!must_exist)
		return 0;
	return fail_at(p, &at, "there is no such chain in table `%s %s`",
		       family_name(target.family), target.table);
}

int parse_delete_rule(struct parser *p, bool must_exist)
{
	struct target target;
	struct token at;
	struct table *t;
	struct chain *c;
	uint64_t handle;
	size_t index;
	int r = parse_target(p, &target, true);

	if (!r)
		r = find_chain(p, &target, &t, &c);
	at = p->tok;
	if (!r)
		r = parse_handle(p, &handle);
	if (r)
		return r;
	if (chain_rule(c, handle, &index)) {
		chain_delete_rule(c, index);
		p->ch.rules_deleted++;
		return 0;
	}
	if (!must_exist)
		return 0;
	return fail_at(p, &at, "there is no rule with handle %llu in chain `%s`",
		       (unsigned long long)handle, c->name);
}

static int flush_ruleset(struct parser *p)
{
	bool all = at_separator(p);
	enum family f = FAMILY_IP;
	int r = all ? 0 : parse_family(p, &f);

	for (size_t i = p->rs->n_tables; !r && i-- > 0;) {
		if (all || p->rs->tables[i]->family == f)
			r = remove_table(p, p->rs->tables[i]);
	}
	return r;
}

static int flush_table(struct parser *p)
{
	struct target target;
	struct table *t;
	int r = parse_target(p, &target, false);

	if (!r)
		r = find_table(p, &target, &t);
	for (size_t i = 0; !r && i < t->n_chains; i++)
		remove_rules(p, t->chains[i]);
	return r;
}

static int flush_chain(struct parser *p)
{
	struct target target;
	struct table *t;
	struct chain *c;
	int r = parse_target(p, &target, true);

	if (!r)
		r = find_chain(p, &target, &t, &c);
	return r ? r : remove_rules(p, c);
}

int parse_flush(struct parser *p)
{
	static const struct {
		const char *word;
		int (*flush)(struct parser *p);
	} rows[] = { { "ruleset", flush_ruleset },
		     { "table", flush_table },
		     { "chain", flush_chain },
		     { "set", flush_set_command },
		     { "map", flush_set_command } };
	struct suggest s;
	int r;

	suggest_init(&s, p->tok.s, p->tok.type == TOK_WORD ? p->tok.len : 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		suggest_try(&s, rows[i].word);
		if (!token_is(&p->tok, rows[i].word))
			continue;
		r = parse_advance(p);
		return r ? r : rows[i].flush(p);
	}
	if (token_is(&p->tok, "meter") || token_is(&p->tok, "flowtable"))
		return fail_unsupported(p, &p->tok, "flush");
	fail_expected(p, "`ruleset`, `table`, `chain`, `set` or `map`");
	return suggest_hint(p, &s);
}
