/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>
#include <lang/suggest.h>

enum verb { VERB_ADD, VERB_CREATE, VERB_INSERT, VERB_REPLACE, VERB_DELETE, VERB_DESTROY };
enum noun {
	NOUN_TABLE,
	NOUN_CHAIN,
	NOUN_RULE,
	NOUN_SET,
	NOUN_MAP,
	NOUN_ELEMENT,
	NOUN_OBJECT /* and the kinds of objects behind it */
};
static const char *const verb_words[] = {
	[VERB_ADD] = "add",	    [VERB_CREATE] = "create", [VERB_INSERT] = "insert",
	[VERB_REPLACE] = "replace", [VERB_DELETE] = "delete", [VERB_DESTROY] = "destroy",
};
static const char *const noun_words[] = {
	[NOUN_TABLE] = "table",
	[NOUN_CHAIN] = "chain",
	[NOUN_RULE] = "rule",
	[NOUN_SET] = "set",
	[NOUN_MAP] = "map",
	[NOUN_ELEMENT] = "element",
	[NOUN_OBJECT + OBJECT_COUNTER] = "counter",
	[NOUN_OBJECT + OBJECT_QUOTA] = "quota",
	[NOUN_OBJECT + OBJECT_LIMIT] = "limit",
};

static int word_number(const struct token *t, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (token_is(t, words[i]))
			return (int)i;
	}
	return -1;
}

static int add_table_command(struct parser *p, enum verb verb)
{
	struct target target;
	struct table *t;
	int r = parse_target(p, &target, false);

	if (r)
		return r;
	if (verb == VERB_CREATE && ruleset_table(p->rs, target.family, target.table))
		return fail_at(p, &target.table_tok, "table `%s %s` exists already",
			       family_name(target.family), target.table);
	r = add_table(p, target.family, target.table, &t);
	if (!r)
		t->dormant = false; /* who names a table without the flag wakes it */
	if (r || !token_is_punct(&p->tok, "{"))
		return r;
	return parse_table_block(p, t);
}

static int add_chain_command(struct parser *p, enum verb verb)
{
	const struct chain_spec none = { 0 };
	struct target target;
	struct table *t;
	struct chain *c;
	int r = parse_target(p, &target, true);

	if (!r)
		r = find_table(p, &target, &t);
	if (r)
		return r;
	p->table = t;
	if (verb == VERB_CREATE && table_chain(t, target.chain))
		return fail_at(p, &target.chain_tok, "chain `%s` exists already", target.chain);
	if (token_is_punct(&p->tok, "{"))
		return parse_chain_block(p, t, target.chain, &target.chain_tok);
	return chain_resolve(p, t, target.chain, &target.chain_tok, &none, &c);
}

static int index_of_handle(struct parser *p, const struct chain *c, size_t *ret)
{
	struct token at = p->tok;
	uint64_t handle;
	int r = parse_u64(p, "a handle", 1, HANDLE_MAX, &handle);

	if (r || chain_rule(c, handle, ret))
		return r;
	return fail_at(p, &at, "there is no rule with handle %llu in chain `%s`",
		       (unsigned long long)handle, c->name);
}

static int index_given(struct parser *p, const struct chain *c, size_t *ret)
{
	struct token at = p->tok;
	uint64_t index;
	int r = parse_u64(p, "an index", 0, UINT32_MAX, &index);

	if (r)
		return r;
	if (index >= c->n_rules)
		return fail_at(p, &at, "chain `%s` has %zu rules, counted from 0", c->name,
			       c->n_rules);
	*ret = (size_t)index;
	return 0;
}

/* Where a new rule goes: `insert` before, `add` behind the rule that is named. */
static int parse_place(struct parser *p, const struct chain *c, enum verb verb, size_t *ret)
{
	bool handle = token_is(&p->tok, "handle") || token_is(&p->tok, "position");
	int r;

	*ret = verb == VERB_INSERT ? 0 : c->n_rules;
	if (!handle && !token_is(&p->tok, "index"))
		return 0;
	r = parse_advance(p);
	if (!r)
		r = handle ? index_of_handle(p, c, ret) : index_given(p, c, ret);
	if (!r && verb != VERB_INSERT)
		(*ret)++;
	return r;
}

static int add_rule_command(struct parser *p, enum verb verb)
{
	struct target target;
	struct rule *rule;
	struct table *t;
	struct chain *c;
	size_t index;
	int r = parse_target(p, &target, true);

	if (!r)
		r = find_chain(p, &target, &t, &c);
	if (!r)
		p->table = t;
	if (!r)
		r = parse_place(p, c, verb, &index);
	if (!r)
		r = parse_rule(p, t, c, &rule);
	return r ? r : chain_append(p, c, index, rule);
}

/* The new rule keeps the handle; its counter starts anew. */
static int replace_rule_command(struct parser *p)
{
	struct target target;
	struct rule *rule;
	struct table *t;
	struct chain *c;
	size_t index = 0;
	int r = parse_target(p, &target, true);

	if (!r)
		r = find_chain(p, &target, &t, &c);
	if (!r && !token_is(&p->tok, "handle"))
		return fail_expected(p, "`handle`");
	if (!r)
		r = parse_advance(p);
	if (!r)
		r = index_of_handle(p, c, &index);
	if (r)
		return r;
	p->table = t;
	r = parse_rule(p, t, c, &rule);
	if (r)
		return r;
	rule->handle = c->rules[index]->handle;
	chain_delete_rule(c, index);
	p->ch.rules_deleted++;
	return chain_append(p, c, index, rule);
}

static int run_add(struct parser *p, enum verb verb, enum noun noun)
{
	bool create = verb == VERB_CREATE;

	switch (noun) {
	case NOUN_TABLE:
		return add_table_command(p, verb);
	case NOUN_CHAIN:
		return add_chain_command(p, verb);
	case NOUN_RULE:
		return add_rule_command(p, verb);
	case NOUN_SET:
	case NOUN_MAP:
		return add_set_command(p, noun == NOUN_MAP, create);
	case NOUN_ELEMENT:
		return element_command(p, create ? ELEMENT_CREATE : ELEMENT_ADD);
	default:
		return add_object_command(p, (enum object_kind)(noun - NOUN_OBJECT), create);
	}
}

static int run_delete(struct parser *p, bool must_exist, enum noun noun)
{
	switch (noun) {
	case NOUN_TABLE:
		return parse_delete_table(p, must_exist);
	case NOUN_CHAIN:
		return parse_delete_chain(p, must_exist);
	case NOUN_RULE:
		return parse_delete_rule(p, must_exist);
	case NOUN_SET:
	case NOUN_MAP:
		return delete_set_command(p, noun == NOUN_MAP, must_exist);
	case NOUN_ELEMENT:
		return element_command(p, must_exist ? ELEMENT_DELETE : ELEMENT_DESTROY);
	default:
		return delete_object_command(p, (enum object_kind)(noun - NOUN_OBJECT), must_exist);
	}
}

static int run_verb(struct parser *p, enum verb verb, enum noun noun, const struct token *at)
{
	bool rule_only = verb == VERB_INSERT || verb == VERB_REPLACE;
	/* only elements can wait: whatever else is done sees the sets as they are */
	int r = noun == NOUN_ELEMENT ? 0 : pending_flush(p);

	if (r)
		return r;
	if ((rule_only && noun != NOUN_RULE) || (verb == VERB_CREATE && noun == NOUN_RULE))
		return fail_at(p, at, "there is no `%s %s`", verb_words[verb], noun_words[noun]);
	if (verb == VERB_REPLACE)
		return replace_rule_command(p);
	if (verb == VERB_DELETE || verb == VERB_DESTROY)
		return run_delete(p, verb == VERB_DELETE, noun);
	return run_add(p, verb, noun);
}

static int parse_noun(struct parser *p, enum noun *ret)
{
	static const char *const others[] = { "flowtable", "ct", "secmark", "synproxy", "meter" };
	int i = word_number(&p->tok, noun_words, ARRAY_SIZE(noun_words));
	struct suggest s;

	if (i >= 0) {
		*ret = (enum noun)i;
		return parse_advance(p);
	}
	if (word_number(&p->tok, others, ARRAY_SIZE(others)) >= 0)
		return fail_unsupported(p, &p->tok, "");
	fail_expected(p, "`table`, `chain`, `rule`, `set`, `map`, `element`, `counter`, `quota` or "
			 "`limit`");
	suggest_init(&s, p->tok.s, p->tok.type == TOK_WORD ? p->tok.len : 0);
	suggest_words(&s, noun_words, ARRAY_SIZE(noun_words));
	return suggest_hint(p, &s);
}

static int parse_rename(struct parser *p)
{
	char name[NAME_SIZE];
	struct target target;
	struct token at;
	struct table *t;
	struct chain *c;
	int r;

	if (!token_is(&p->tok, "chain"))
		return fail_expected(p, "`chain`");
	r = parse_advance(p);
	if (!r)
		r = parse_target(p, &target, true);
	if (!r)
		r = find_chain(p, &target, &t, &c);
	at = p->tok;
	if (!r)
		r = parse_name(p, "the new name", name);
	if (r)
		return r;
	if (table_chain(t, name))
		return fail_at(p, &at, "chain `%s` exists already", name);
	return table_rename_chain(t, c, name);
}

static int parse_next_handle(struct parser *p)
{
	int r;

	p->saw_internal = true;
	if (!token_is(&p->tok, "next-handle"))
		return fail_expected(p, "`next-handle`");
	r = parse_advance(p);
	return r ? r : parse_u64(p, "a handle", 1, HANDLE_MAX, &p->rs->next_handle);
}

static int fail_command(struct parser *p)
{
	static const char *const others[] = { "export", "import", "monitor", "describe" };
	struct suggest s;

	if (token_is(&p->tok, "list")) {
		fail_at(p, &p->tok, "`list` changes nothing and has no place in a ruleset");
		return fail_hint(p, "say `gwctl ruleset show`");
	}
	if (token_is(&p->tok, "reset")) {
		fail_at(p, &p->tok, "`reset` has no place in a ruleset");
		return fail_hint(p, "say `gwctl zero` to set counters to zero");
	}
	if (word_number(&p->tok, others, ARRAY_SIZE(others)) >= 0)
		return fail_at(p, &p->tok, "`%.*s` changes nothing and has no place in a ruleset",
			       (int)p->tok.len, p->tok.s);
	fail_expected(p, "a command (table, add, insert, delete, flush, ...)");
	suggest_init(&s, p->tok.s, p->tok.type == TOK_WORD ? p->tok.len : 0);
	suggest_words(&s, verb_words, ARRAY_SIZE(verb_words));
	suggest_words(&s, noun_words, NOUN_RULE + 1);
	suggest_try(&s, "flush");
	suggest_try(&s, "rename");
	return suggest_hint(p, &s);
}

static int parse_verb(struct parser *p)
{
	int verb = word_number(&p->tok, verb_words, ARRAY_SIZE(verb_words));
	struct token at = p->tok;
	enum noun noun = NOUN_RULE;
	int r;

	/* `table inet x { ... }` and friends: add is meant */
	if (verb < 0 && word_number(&p->tok, noun_words, ARRAY_SIZE(noun_words)) < 0)
		return fail_command(p);
	r = verb < 0 ? 0 : parse_advance(p);
	if (!r)
		r = parse_noun(p, &noun);
	return r ? r : run_verb(p, verb < 0 ? VERB_ADD : (enum verb)verb, noun, &at);
}

int parse_command(struct parser *p)
{
	bool taken;
	int r = parse_define(p, &taken);

	if (r || taken)
		return r;
	r = take_word(p, "flush", &taken);
	if (!r && taken)
		r = pending_flush(p);
	if (r || taken)
		return r ? r : parse_flush(p);
	r = take_word(p, "rename", &taken);
	if (!r && taken)
		r = pending_flush(p);
	if (r || taken)
		return r ? r : parse_rename(p);
	r = take_word(p, "gw-ruleset", &taken);
	if (r || taken)
		return r ? r : parse_next_handle(p);
	return parse_verb(p);
}
