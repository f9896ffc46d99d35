/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/suggest.h>

int add_table(struct parser *p, enum family f, const char *name, struct table **ret)
{
	size_t tables = p->rs->n_tables;
	int r = ruleset_add_table(p->rs, f, name, ret);

	p->ch.tables_added += (unsigned int)(p->rs->n_tables - tables);
	return r;
}

/* `}` of a block, or the mistake that it is missing. */
int block_end(struct parser *p, bool *ret_end)
{
	int r = skip_separators(p);

	*ret_end = !r && token_is_punct(&p->tok, "}");
	if (r)
		return r;
	if (*ret_end)
		return parse_advance(p);
	return p->tok.type == TOK_END ? fail_expected(p, "`}`") : 0;
}

/* Parts of a block end with a newline or `;`, the last one also with `}`. */
int expect_separator(struct parser *p)
{
	if (!at_separator(p) || p->tok.type == TOK_END)
		return fail_expected(p, "`;` or the end of the line");
	return 0;
}

static int parse_chain_internal(struct parser *p, struct chain *c)
{
	uint64_t cid = c->cid;
	int e = parse_advance(p);

	p->saw_internal = true;
	while (!e && !at_separator(p)) {
		struct token word = p->tok;

		e = parse_advance(p);
		if (e)
			break;
		if (token_is(&word, "handle"))
			e = parse_u64(p, "a handle", 1, HANDLE_MAX, &c->handle);
		else if (token_is(&word, "cid"))
			e = parse_u64(p, "a counter id", 0, GW_COUNTERS_MAX - 1, &cid);
		else if (token_is(&word, "packets"))
			e = parse_u64(p, "a number of packets", 0, UINT64_MAX, &c->pkts);
		else if (token_is(&word, "bytes"))
			e = parse_u64(p, "a number of bytes", 0, UINT64_MAX, &c->bytes);
		else if (token_is(&word, "given"))
			c->counter_given = true;
		else
			return fail_at(p, &word,
				       "`handle`, `cid`, `packets`, `bytes` or `given` expected");
	}
	c->cid = (uint32_t)cid;
	return e;
}

struct chain_block {
	struct table *table;
	const char *name;
	const struct token *at;
	struct chain_spec spec;
	struct chain *chain; /* NULL until it is needed */
};

static int need_chain(struct parser *p, struct chain_block *b)
{
	return b->chain ? 0 : chain_resolve(p, b->table, b->name, b->at, &b->spec, &b->chain);
}

static int parse_block_rule(struct parser *p, struct chain_block *b)
{
	struct rule *rule;
	int r = parse_rule(p, b->table, b->chain, &rule);

	return r ? r : chain_append(p, b->chain, b->chain->n_rules, rule);
}

static int parse_chain_item(struct parser *p, struct chain_block *b)
{
	bool done, late = b->chain && token_is(&p->tok, "type");
	int r;

	if (late)
		return fail_at(p, &p->tok, "the type must stand before the rules");
	r = parse_define(p, &done);
	if (!r && !done)
		r = parse_chain_spec(p, &b->spec, &done);
	if (r || done)
		return r;
	r = need_chain(p, b);
	if (!r)
		r = take_word(p, "gw-rule", &done);
	if (r)
		return r;
	return token_is(&p->tok, "gw-chain") ? parse_chain_internal(p, b->chain)
					     : parse_block_rule(p, b);
}

int parse_chain_block(struct parser *p, struct table *t, const char *name, const struct token *at)
{
	struct chain_block b = { .table = t, .name = name, .at = at };
	bool end = false;
	int r = expect_punct(p, "{");

	while (!r) {
		r = block_end(p, &end);
		if (r || end)
			break;
		r = parse_chain_item(p, &b);
		if (!r)
			r = expect_separator(p);
	}
	if (!r)
		r = need_chain(p, &b);
	if (!r && b.spec.comment) {
		free(b.chain->comment);
		b.chain->comment = TAKE_PTR(b.spec.comment);
	}
	free(b.spec.comment);
	return r ? r : chain_set_policy(p, b.chain, &b.spec);
}

static int parse_chain_in_table(struct parser *p, struct table *t)
{
	char name[NAME_SIZE];
	struct token at;
	int r = parse_advance(p);

	at = p->tok;
	if (!r)
		r = parse_name(p, "the name of a chain", name);
	return r ? r : parse_chain_block(p, t, name, &at);
}

static int parse_table_internal(struct parser *p, struct table *t)
{
	int r = parse_advance(p);

	p->saw_internal = true;
	if (r)
		return r;
	if (!token_is(&p->tok, "handle"))
		return fail_expected(p, "`handle`");
	r = parse_advance(p);
	return r ? r : parse_u64(p, "a handle", 1, HANDLE_MAX, &t->handle);
}

static int fail_table_item(struct parser *p)
{
	static const char *const words[] = { "flowtable", "ct", "secmark", "synproxy" };
	static const char *const known[] = { "chain", "set",	 "map",	   "counter", "quota",
					     "limit", "comment", "define", "flags" };
	struct suggest s;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (token_is(&p->tok, words[i]))
			return fail_at(p, &p->tok, "`%s` in a table is not supported yet",
				       words[i]);
	}
	fail_expected(p, "`chain`, `set`, `map`, `counter`, `quota`, `limit` or `}`");
	suggest_init(&s, p->tok.s, p->tok.type == TOK_WORD ? p->tok.len : 0);
	suggest_words(&s, known, ARRAY_SIZE(known));
	return suggest_hint(p, &s);
}

static int parse_set_in_table(struct parser *p, struct table *t, bool is_map)
{
	char name[NAME_SIZE];
	struct token at;
	int r = parse_advance(p);

	at = p->tok;
	if (!r)
		r = parse_name(p, is_map ? "the name of a map" : "the name of a set", name);
	return r ? r : parse_set_block(p, t, is_map, name, &at);
}

static int parse_object_in_table(struct parser *p, struct table *t, enum object_kind kind)
{
	char name[NAME_SIZE], what[48];
	struct token at;
	int r = parse_advance(p);

	at = p->tok;
	snprintf(what, sizeof(what), "the name of a %s", object_kind_name((int)kind));
	if (!r)
		r = parse_name(p, what, name);
	return r ? r : parse_object_block(p, t, kind, name, &at);
}

static int parse_table_comment(struct parser *p, struct table *t)
{
	int r = parse_advance(p);

	return r ? r : parse_string(p, "a comment", COMMENT_MAX, &t->comment);
}

/* `flags dormant` */
static int parse_table_flags(struct parser *p, struct table *t)
{
	int r = parse_advance(p);

	if (r)
		return r;
	if (token_is(&p->tok, "owner"))
		return fail_unsupported(p, &p->tok, "flags");
	if (!token_is(&p->tok, "dormant"))
		return fail_expected(p, "`dormant`");
	t->dormant = true;
	return parse_advance(p);
}

static int parse_table_item(struct parser *p, struct table *t)
{
	bool done;
	int r = parse_define(p, &done);

	if (r || done)
		return r;
	if (token_is(&p->tok, "chain"))
		return parse_chain_in_table(p, t);
	if (token_is(&p->tok, "set") || token_is(&p->tok, "map"))
		return parse_set_in_table(p, t, token_is(&p->tok, "map"));
	for (int kind = 0; object_kind_name(kind); kind++) {
		if (token_is(&p->tok, object_kind_name(kind)))
			return parse_object_in_table(p, t, (enum object_kind)kind);
	}
	if (token_is(&p->tok, "comment"))
		return parse_table_comment(p, t);
	if (token_is(&p->tok, "flags"))
		return parse_table_flags(p, t);
	if (token_is(&p->tok, "gw-table"))
		return parse_table_internal(p, t);
	return fail_table_item(p);
}

int parse_table_block(struct parser *p, struct table *t)
{
	struct table *outer = p->table;
	bool end = false;
	int r = expect_punct(p, "{");

	p->table = t;
	while (!r) {
		r = block_end(p, &end);
		if (r || end)
			break;
		r = parse_table_item(p, t);
	}
	p->table = outer;
	return r;
}
