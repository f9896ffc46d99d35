/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/build.h>
#include <lang/field.h>
#include <lang/names.h>
#include <lang/stmt.h>

#include <string.h>

/* Where in a rule we are; a part may not stand before an earlier one. */
enum phase { PHASE_BODY, PHASE_VERDICT, PHASE_COMMENT, PHASE_INTERNAL };

struct rule_state {
	struct table *table;
	struct chain *chain;
	enum phase phase;
	struct token last;  /* the statement that opened the phase */
	struct facts facts; /* what was judged */
};

static int fail_order(struct parser *p, const struct token *t, const struct rule_state *st)
{
	int n = (int)MIN(st->last.len, (size_t)40);

	if (st->phase == PHASE_COMMENT)
		return fail_at(p, t, "nothing may stand behind the comment");
	return fail_at(p, t, "nothing but a comment may stand behind `%.*s`", n, st->last.s);
}

/* What was read so far is judged at once: the position is that of the part that does not fit. */
static int judge(struct parser *p, struct rule_state *st, const struct rule *r,
		 const struct token *at)
{
	/* what a refusal implies was put in front of what was judged */
	if (r->action.verdict == VERDICT_REJECT)
		st->facts.n = 0;
	return rule_validate_grown(st->table, st->chain, r, &st->facts, p->d) ? 0
									      : fail_model(p, at);
}

static int parse_body_part(struct parser *p, struct rule_state *st, struct rule *r, bool *ret_done)
{
	struct token at = p->tok;
	int e = parse_stmt(p, r, ret_done);

	if (!e && !*ret_done)
		e = parse_match(p, r, ret_done);
	if (e || !*ret_done)
		return e;
	if (st->phase >= PHASE_VERDICT)
		return fail_order(p, &at, st);
	if (r->action.verdict != VERDICT_NONE) {
		st->phase = PHASE_VERDICT;
		st->last = r->action.verdict == VERDICT_VMAP
				   ? (struct token){ .s = "vmap", .len = 4 }
				   : at;
	}
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
	struct suggest s;

	if (p->tok.type == TOK_WORD && word_is_known_elsewhere("", p->tok.s, p->tok.len))
		return fail_unsupported(p, &p->tok, "");
	if (token_is_punct(&p->tok, "@"))
		return fail_at(p, &p->tok, "raw payload expressions are not supported yet");
	if (p->tok.type != TOK_WORD)
		return fail_expected(p, "a match or a statement");
	fail_at(p, &p->tok, "`%.*s` is neither a match nor a statement",
		(int)MIN(p->tok.len, (size_t)60), p->tok.s);
	suggest_init(&s, p->tok.s, p->tok.len);
	suggest_fields(&s);
	suggest_stmts(&s);
	return suggest_hint(p, &s);
}

static int parse_part(struct parser *p, struct rule_state *st, struct rule *r)
{
	bool done = false;
	int e = parse_tail_part(p, st, r, &done);

	if (!e && !done)
		e = parse_body_part(p, st, r, &done);
	return e || done ? e : fail_unknown(p);
}

/*
 * The version of IP whose header these fields are in, 0 = both.  A connection's addresses can be asked of any packet: as with nft, they do
 * not make a rule one for their version.
 */
static int version_of_fields(const enum field *fields, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct field_row *row = &field_rows[fields[i]];

		if (row->families != 46 && strcmp(row->hooks, "CT") != 0)
			return row->families;
	}
	return 0;
}

static int version_of_match(const struct match *m)
{
	if (m->n_fields > 1)
		return version_of_fields(m->more, m->n_fields);
	if (m->field == FIELD_ID_NFPROTO && m->n == 1 && !m->negate &&
	    m->elems[0].num_lo == m->elems[0].num_hi)
		return m->elems[0].num_lo == NFPROTO_4	 ? 4
		       : m->elems[0].num_lo == NFPROTO_6 ? 6
							 : 0;
	return version_of_fields(&m->field, 1);
}

static int version_of_stmt(const struct stmt *st)
{
	const struct selector *key = NULL;

	if (st->kind == STMT_SET)
		key = &st->set.key;
	else if ((st->kind == STMT_MARK || st->kind == STMT_CTMARK) && st->mark.map)
		key = &st->mark.map->key;
	return key ? version_of_fields(key->fields, key->n) : 0;
}

int version_of_rule(const struct table *t, const struct rule *r)
{
	int version = 0;

	if (t->family != FAMILY_INET)
		return t->family == FAMILY_IP ? 4 : 6;
	for (size_t i = 0; i < r->n_matches && !version; i++)
		version = version_of_match(&r->matches[i]);
	for (size_t i = 0; i < r->n_stmts && !version; i++)
		version = version_of_stmt(&r->stmts[i]);
	return version;
}

int parse_rule(struct parser *p, struct table *t, struct chain *c, struct rule **ret)
{
	struct rule_state st = { .table = t, .chain = c };
	_cleanup_(rule_freep) struct rule *r = rule_new();
	struct table *outer = p->table;
	int e = 0;

	if (!r)
		return -ENOMEM;
	if (at_separator(p))
		return fail_expected(p, "a rule");
	p->table = t;
	while (!e && !at_separator(p))
		e = parse_part(p, &st, r);
	p->table = outer;
	if (!e)
		e = rule_pack(&r);
	if (e)
		return e;
	*ret = TAKE_PTR(r);
	return 0;
}
