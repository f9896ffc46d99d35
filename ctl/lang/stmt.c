/* SPDX-License-Identifier: GPL-2.0-only */
/* stmt - what a rule does: one row for each word that begins a statement. */
#include <lang/parse.h>

#include <lang/stmt.h>

bool words_follow(struct parser *p, const char *first, const char *second)
{
	struct lexer lx;
	struct token next;

	if (!token_is(&p->tok, first))
		return false;
	lx = p->lx;
	/* a definition in the second place stands for a value, so the raw token will do */
	lex_next(&lx, &next);
	return token_is(&next, second);
}

static int rule_take_stmt(struct rule *r, struct stmt *s)
{
	int e = rule_add_stmt(r, s);

	stmt_deinit(s);
	return e;
}

/* `name "x"` of a counter, a limit or a quota, at the name. */
static int parse_object(struct parser *p, struct rule *r, enum object_kind kind, enum ref_kind ref)
{
	struct stmt s = { .kind = STMT_OBJECT, .object = { .kind = kind } };
	char name[NAME_SIZE];
	struct token at = p->tok;
	struct selector sel;
	bool field = false;
	int e = 0;

	if (at.type == TOK_WORD)
		e = parse_selector(p, &sel, &field);
	if (!e && field)
		return fail_at(p, &at, "maps of objects are not supported yet");
	if (!e)
		e = parse_name(p, "a name", name);
	if (!e)
		e = ref_add(p, ref, name, &at);
	if (e)
		return e;
	s.object.name = strdup(name);
	return s.object.name ? rule_take_stmt(r, &s) : -ENOMEM;
}

static int parse_counts(struct parser *p, struct rule *r)
{
	int e;

	r->counter_given = true;
	e = parse_u64(p, "a number of packets", 0, UINT64_MAX, &r->pkts);
	if (e)
		return e;
	if (!token_is(&p->tok, "bytes"))
		return fail_expected(p, "`bytes`");
	e = parse_advance(p);
	return e ? e : parse_u64(p, "a number of bytes", 0, UINT64_MAX, &r->bytes);
}

int parse_counter(struct parser *p, struct rule *r)
{
	bool taken = p->tok.type == TOK_STRING;
	int e = taken ? 0 : take_word(p, "name", &taken);

	if (e)
		return e;
	if (taken)
		return parse_object(p, r, OBJECT_COUNTER, REF_COUNTER);
	if (rule_has_stmt(r, STMT_COUNTER))
		return fail_at(p, &p->tok, "a rule has one counter");
	e = rule_add_word(r, STMT_COUNTER);
	if (!e)
		e = take_word(p, "packets", &taken);
	return e || !taken ? e : parse_counts(p, r);
}

static int parse_limit_stmt(struct parser *p, struct rule *r)
{
	struct stmt s = { .kind = STMT_LIMIT };
	bool named;
	int e = take_word(p, "name", &named);

	if (!e && named)
		return parse_object(p, r, OBJECT_LIMIT, REF_LIMIT);
	if (!e)
		e = parse_limit_rate(p, &s.limit);
	return e ? e : rule_take_stmt(r, &s);
}

static int parse_quota_stmt(struct parser *p, struct rule *r)
{
	struct stmt s = { .kind = STMT_QUOTA };
	bool named;
	int e = take_word(p, "name", &named);

	if (!e && named)
		return parse_object(p, r, OBJECT_QUOTA, REF_QUOTA);
	if (!e)
		e = parse_quota_value(p, &s.quota.bytes, &s.quota.over, &s.quota.used);
	return e ? e : rule_take_stmt(r, &s);
}

/* `[over] N`, behind `ct count` */
static int parse_ctcount(struct parser *p, struct rule *r)
{
	struct stmt s = { .kind = STMT_CTCOUNT };
	uint64_t n = 0;
	int e = take_word(p, "over", &s.ctcount.over);

	if (!e)
		e = parse_u64(p, "a number of connections", 0, UINT32_MAX, &n);
	s.ctcount.count = (uint32_t)n;
	return e ? e : rule_take_stmt(r, &s);
}

static int parse_jump(struct parser *p, struct rule *r, enum verdict v)
{
	struct token at = p->tok;
	int e = parse_name(p, "the name of a chain", r->action.chain);

	r->action.verdict = v;
	return e ? e : ref_add(p, REF_CHAIN, r->action.chain, &at);
}

enum word_kind {
	WORD_VERDICT,
	WORD_JUMP,
	WORD_REJECT,
	WORD_NAT,
	WORD_COUNTER,
	WORD_NOTRACK,
	WORD_LIMIT,
	WORD_QUOTA,
	WORD_LOG,
	WORD_SET,
	WORD_OLD_SET
};
static const struct stmt_row {
	const char *word;
	enum word_kind kind;
	int arg; /* enum verdict, enum set_verb */
} stmt_rows[] = {
	{ "accept", WORD_VERDICT, VERDICT_ACCEPT },
	{ "drop", WORD_VERDICT, VERDICT_DROP },
	{ "return", WORD_VERDICT, VERDICT_RETURN },
	{ "continue", WORD_VERDICT, VERDICT_CONTINUE },
	{ "jump", WORD_JUMP, VERDICT_JUMP },
	{ "goto", WORD_JUMP, VERDICT_GOTO },
	{ "reject", WORD_REJECT, VERDICT_REJECT },
	{ "masquerade", WORD_NAT, VERDICT_MASQUERADE },
	{ "snat", WORD_NAT, VERDICT_SNAT },
	{ "dnat", WORD_NAT, VERDICT_DNAT },
	{ "redirect", WORD_NAT, VERDICT_REDIRECT },
	{ "counter", WORD_COUNTER, 0 },
	{ "notrack", WORD_NOTRACK, 0 },
	{ "limit", WORD_LIMIT, 0 },
	{ "quota", WORD_QUOTA, 0 },
	{ "log", WORD_LOG, 0 },
	{ "add", WORD_SET, SET_ADD },
	{ "update", WORD_SET, SET_UPDATE },
	{ "delete", WORD_SET, SET_DELETE },
	{ "set", WORD_OLD_SET, 0 },
};

static int parse_row(struct parser *p, struct rule *r, const struct stmt_row *row)
{
	switch (row->kind) {
	case WORD_VERDICT:
		r->action.verdict = (enum verdict)row->arg;
		return 0;
	case WORD_JUMP:
		return parse_jump(p, r, (enum verdict)row->arg);
	case WORD_REJECT:
		return parse_reject(p, r);
	case WORD_NAT:
		return parse_nat(p, r, (enum verdict)row->arg);
	case WORD_COUNTER:
		return parse_counter(p, r);
	case WORD_NOTRACK:
		return rule_add_word(r, STMT_NOTRACK);
	case WORD_LIMIT:
		return parse_limit_stmt(p, r);
	case WORD_QUOTA:
		return parse_quota_stmt(p, r);
	case WORD_LOG:
		return parse_log(p, r);
	case WORD_SET:
		return parse_set_stmt(p, r, (enum set_verb)row->arg);
	case WORD_OLD_SET:
		return parse_old_set_stmt(p, r);
	}
	return 0;
}

/* A statement whose first word is that of fields, too. */
static int parse_two_words(struct parser *p, struct rule *r, bool *ret_done)
{
	int e;

	*ret_done = words_follow(p, "ct", "count");
	if (!*ret_done)
		return 0;
	e = parse_advance(p);
	if (!e)
		e = parse_advance(p);
	return e ? e : parse_ctcount(p, r);
}

/* Most words that are asked for are none of these, which their first letter shows. */
static const struct stmt_row *find_row(const struct token *t)
{
	for (size_t i = 0; t->type == TOK_WORD && i < ARRAY_SIZE(stmt_rows); i++) {
		if (stmt_rows[i].word[0] == t->s[0] && token_is(t, stmt_rows[i].word))
			return &stmt_rows[i];
	}
	return NULL;
}

int parse_stmt(struct parser *p, struct rule *r, bool *ret_done)
{
	const struct stmt_row *row = find_row(&p->tok);
	int e;

	*ret_done = row;
	if (!row)
		return parse_two_words(p, r, ret_done);
	e = parse_advance(p);
	return e ? e : parse_row(p, r, row);
}

void suggest_stmts(struct suggest *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(stmt_rows); i++)
		suggest_try(s, stmt_rows[i].word);
	suggest_try(s, "comment");
}

int parse_rule_internal(struct parser *p, struct rule *r)
{
	uint64_t cid = 0;
	int e = parse_advance(p);

	p->saw_internal = true;
	while (!e && !at_separator(p)) {
		struct token word = p->tok;

		e = parse_advance(p);
		if (e)
			break;
		if (token_is(&word, "handle"))
			e = parse_u64(p, "a handle", 1, HANDLE_MAX, &r->handle);
		else if (token_is(&word, "cid"))
			e = parse_u64(p, "a counter id", 0, GW_COUNTERS_MAX - 1, &cid);
		else if (token_is(&word, "packets"))
			e = parse_u64(p, "a number of packets", 0, UINT64_MAX, &r->pkts);
		else if (token_is(&word, "bytes"))
			e = parse_u64(p, "a number of bytes", 0, UINT64_MAX, &r->bytes);
		else if (token_is(&word, "given"))
			r->counter_given = true;
		else if (token_is(&word, "xt"))
			e = parse_string(p, "a rule in iptables' words", XTSPEC_MAX, &r->xtspec);
		else
			return fail_at(
				p, &word,
				"`handle`, `cid`, `packets`, `bytes`, `given` or `xt` expected");
	}
	r->cid = (uint32_t)cid;
	return e;
}
