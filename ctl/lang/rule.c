/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>

/* Where in a rule we are; a part may not stand before an earlier one. */
enum phase { PHASE_MATCH, PHASE_STMT, PHASE_VERDICT, PHASE_COMMENT, PHASE_INTERNAL };

struct rule_state {
	struct table *table;
	struct chain *chain;
	enum phase phase;
	struct token last; /* the statement that opened the phase */
	int version;	   /* 4, 6: the words used mean this version of IP alone */
};

static int fail_order(struct parser *p, const struct token *t, const struct rule_state *st)
{
	int n = (int)MIN(st->last.len, (size_t)40);

	if (st->phase == PHASE_STMT) {
		fail_at(p, t, "a match behind `%.*s` is not supported yet", n, st->last.s);
		return fail_hint(p, "write the matches first");
	}
	if (st->phase == PHASE_COMMENT)
		return fail_at(p, t, "nothing may stand behind the comment");
	return fail_at(p, t, "nothing but a comment may stand behind `%.*s`", n, st->last.s);
}

/* `ip protocol`, `reject with icmp` and the like say more than the model's fields do. */
static int judge_version(struct parser *p, const struct rule_state *st, const struct rule *r,
			 const struct token *at)
{
	int other = st->version == 4 ? 6 : 4;

	if (!family_sees(st->table->family, st->version))
		return fail_at(p, at, "this is for IPv%d, the table is of family %s", st->version,
			       family_name(st->table->family));
	for (size_t i = 0; i < r->n_matches; i++) {
		if (field_rows[r->matches[i].field].families == other)
			return fail_at(p, at, "this is for IPv%d, `%s` is for IPv%d", st->version,
				       field_rows[r->matches[i].field].keyword, other);
	}
	if (r->action.has_addr && r->action.nat_family == other)
		return fail_at(p, at, "the rule is for IPv%d, the address is for IPv%d",
			       st->version, other);
	return 0;
}

/* What was read so far is judged at once: the position is that of the part that does not fit. */
static int judge(struct parser *p, const struct rule_state *st, const struct rule *r,
		 const struct token *at)
{
	if (!rule_validate(st->table, st->chain, r, p->d))
		return fail_model(p, at);
	return st->version ? judge_version(p, st, r, at) : 0;
}

static int parse_match_part(struct parser *p, struct rule_state *st, struct rule *r, bool *ret_done)
{
	struct token at = p->tok;
	int e = parse_match(p, r, &st->version, ret_done);

	if (e || !*ret_done)
		return e;
	if (st->phase > PHASE_MATCH)
		return fail_order(p, &at, st);
	return judge(p, st, r, &at);
}

static int parse_stmt_part(struct parser *p, struct rule_state *st, struct rule *r, bool *ret_done)
{
	struct token at = p->tok;
	int e = parse_stmt(p, st->table->family, r, &st->version, ret_done);

	if (e || !*ret_done)
		return e;
	if (st->phase >= PHASE_VERDICT)
		return fail_order(p, &at, st);
	st->phase = r->action.verdict == VERDICT_NONE ? PHASE_STMT : PHASE_VERDICT;
	st->last = at;
	return judge(p, st, r, &at);
}

static int parse_tail_part(struct parser *p, struct rule_state *st, struct rule *r, bool *ret_done)
{
	struct token at = p->tok;
	int e;

	*ret_done = true;
	if (token_is(&p->tok, "gw")) {
		st->phase = PHASE_INTERNAL;
		st->last = at;
		return parse_rule_internal(p, r);
	}
	*ret_done = token_is(&p->tok, "comment");
	if (!*ret_done)
		return 0;
	if (r->comment || st->phase == PHASE_INTERNAL)
		return fail_order(p, &at, st);
	st->phase = PHASE_COMMENT;
	st->last = at;
	e = parse_advance(p);
	return e ? e : parse_string(p, "a comment", COMMENT_MAX, &r->comment);
}

static int fail_unknown(struct parser *p)
{
	if (p->tok.type == TOK_WORD && word_is_known_elsewhere("", p->tok.s, p->tok.len))
		return fail_unsupported(p, &p->tok, "");
	if (p->tok.type == TOK_WORD)
		return fail_at(p, &p->tok, "`%.*s` is neither a match nor a statement",
			       (int)MIN(p->tok.len, (size_t)60), p->tok.s);
	if (token_is_punct(&p->tok, "@"))
		return fail_at(p, &p->tok, "raw payload expressions are not supported yet");
	return fail_expected(p, "a match or a statement");
}

static int parse_part(struct parser *p, struct rule_state *st, struct rule *r)
{
	bool done = false;
	int e = parse_match_part(p, st, r, &done);

	if (!e && !done)
		e = parse_stmt_part(p, st, r, &done);
	if (!e && !done)
		e = parse_tail_part(p, st, r, &done);
	return e || done ? e : fail_unknown(p);
}

static bool rule_has_version(const struct rule *r, int version)
{
	for (size_t i = 0; i < r->n_matches; i++) {
		if (field_rows[r->matches[i].field].families == version)
			return true;
	}
	return r->action.has_addr && r->action.nat_family == version;
}

/*
 * `ip protocol` in an inet table means IPv4 alone.  The model has no field for that; a match on every source address
 * says the same.  It goes first, so that what is printed reads like what was written.
 */
static int pin_version(const struct rule_state *st, struct rule *r)
{
	struct match m = { .mask = UINT32_MAX, .n = 1 }, *first;
	int e;

	if (!st->version || st->table->family != FAMILY_INET || rule_has_version(r, st->version))
		return 0;
	m.field = st->version == 4 ? FIELD_ID_IP_SADDR : FIELD_ID_IP6_SADDR;
	m.elems = calloc(1, sizeof(*m.elems));
	if (!m.elems)
		return -ENOMEM;
	memset(m.elems[0].addr_hi, 0xff, st->version == 4 ? 4 : 16);
	e = rule_add_match(r, &m);
	free(m.elems);
	if (e < 0)
		return e;
	first = r->matches;
	m = first[r->n_matches - 1];
	memmove(first + 1, first, (r->n_matches - 1) * sizeof(*first));
	*first = m;
	return 0;
}

int parse_rule(struct parser *p, struct table *t, struct chain *c, struct rule **ret)
{
	struct rule_state st = { .table = t, .chain = c };
	_cleanup_(rule_freep) struct rule *r = rule_new();
	int e = 0;

	if (!r)
		return -ENOMEM;
	if (at_separator(p))
		return fail_expected(p, "a rule");
	while (!e && !at_separator(p))
		e = parse_part(p, &st, r);
	if (!e)
		e = pin_version(&st, r);
	if (e)
		return e;
	*ret = TAKE_PTR(r);
	return 0;
}
