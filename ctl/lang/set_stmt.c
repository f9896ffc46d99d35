/* SPDX-License-Identifier: GPL-2.0-only */
/* set_stmt - packets that change sets: `add @s { ip saddr timeout 1m limit rate 5/second counter }` */
#include <lang/print_part.h>

#include <lang/parse.h>

static const char *const verbs[] = {
	[SET_ADD] = "add", [SET_UPDATE] = "update", [SET_DELETE] = "delete"
};

static int parse_set_ref(struct parser *p, struct stmt *s)
{
	char name[NAME_SIZE];
	struct token at;
	int r = expect_punct(p, "@");

	at = p->tok;
	if (!r)
		r = parse_name(p, "the name of a set", name);
	if (r)
		return r;
	s->set.set = strdup(name);
	return s->set.set ? ref_add(p, REF_SET, name, &at) : -ENOMEM;
}

static int parse_set_key(struct parser *p, struct stmt *s)
{
	bool done;
	int r = parse_selector(p, &s->set.key, &done);

	if (r)
		return r;
	return done ? 0 : fail_expected(p, "what to put into the set (ip saddr, ...)");
}

static int parse_element_ctcount(struct parser *p, struct stmt *s)
{
	uint64_t n = 0;
	int r;

	if (!token_is(&p->tok, "count"))
		return fail_expected(p, "`count`");
	r = parse_advance(p);
	if (!r)
		r = take_word(p, "over", &s->set.ctcount_over);
	if (!r)
		r = parse_u64(p, "a number of connections", 0, UINT32_MAX, &n);
	s->set.has_ctcount = true;
	s->set.ctcount = (uint32_t)n;
	return r;
}

/* What may stand behind the key. */
static int parse_set_option(struct parser *p, struct stmt *s, bool *ret_done)
{
	struct token word = p->tok;
	int r;

	*ret_done = token_is(&word, "timeout") || token_is(&word, "limit") ||
		    token_is(&word, "ct") || token_is(&word, "counter");
	if (!*ret_done)
		return 0;
	r = parse_advance(p);
	if (r)
		return r;
	if (token_is(&word, "timeout"))
		return parse_duration(p, &s->set.timeout_ms);
	if (token_is(&word, "limit")) {
		s->set.has_limit = true;
		return parse_limit_rate(p, &s->set.limit);
	}
	if (token_is(&word, "ct"))
		return parse_element_ctcount(p, s);
	s->set.counter = true;
	return 0;
}

static int parse_set_options(struct parser *p, struct stmt *s)
{
	bool more = true;
	int r = 0;

	while (!r && more)
		r = parse_set_option(p, s, &more);
	if (!r && token_is_punct(&p->tok, ":"))
		return fail_at(p, &p->tok, "a map that packets change is not supported yet");
	if (!r && (token_is(&p->tok, "quota") || token_is(&p->tok, "comment") ||
		   token_is(&p->tok, "last") || token_is(&p->tok, "expires")))
		return fail_at(p, &p->tok, "`%.*s` of an element is not supported yet here",
			       (int)p->tok.len, p->tok.s);
	return r;
}

int parse_set_stmt(struct parser *p, struct rule *r, enum set_verb verb)
{
	_cleanup_(stmt_deinit) struct stmt s = { .kind = STMT_SET, .set = { .verb = verb } };
	int e = parse_set_ref(p, &s);

	if (!e)
		e = expect_punct(p, "{");
	if (!e)
		e = parse_set_key(p, &s);
	if (!e)
		e = parse_set_options(p, &s);
	if (!e)
		e = expect_punct(p, "}");
	return e ? e : rule_add_stmt(r, &s);
}

int parse_old_set_stmt(struct parser *p, struct rule *r)
{
	_cleanup_(stmt_deinit) struct stmt s = { .kind = STMT_SET };
	size_t i = 0;
	int e;

	while (i < ARRAY_SIZE(verbs) && !token_is(&p->tok, verbs[i]))
		i++;
	if (i == ARRAY_SIZE(verbs))
		return fail_expected(p, "`add`, `update` or `delete`");
	s.set.verb = (enum set_verb)i;
	e = parse_advance(p);
	if (!e)
		e = parse_set_key(p, &s);
	if (!e)
		e = parse_set_options(p, &s);
	if (!e)
		e = parse_set_ref(p, &s);
	return e ? e : rule_add_stmt(r, &s);
}

void print_set_stmt(const struct stmt *s, struct strbuf *b)
{
	strbuf_printf(b, "%s @", verbs[s->set.verb]);
	print_name(s->set.set, b);
	strbuf_puts(b, " { ");
	print_selector(&s->set.key, b);
	if (s->set.timeout_ms) {
		strbuf_puts(b, " timeout ");
		print_duration(s->set.timeout_ms, b);
	}
	if (s->set.has_limit) {
		strbuf_puts(b, " limit ");
		print_limit_rate(&s->set.limit, b);
	}
	if (s->set.has_ctcount)
		strbuf_printf(b, " ct count %s%u", s->set.ctcount_over ? "over " : "",
			      s->set.ctcount);
	if (s->set.counter)
		strbuf_puts(b, " counter");
	strbuf_puts(b, " } ");
}
