/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>
#include <lang/value.h>

#define FIELD_NFPROTO FIELD_ID_MAX /* no field: it only says which IP version the rule is for */

/* Other spellings of a field; version: the rule is then for that version of IP alone. */
static const struct synonym {
	const char *keyword;
	enum field field;
	int version;
} synonyms[] = {
	{ "iif", FIELD_ID_IIFNAME, 0 },		 { "oif", FIELD_ID_OIFNAME, 0 },
	{ "meta iif", FIELD_ID_IIFNAME, 0 },	 { "meta oif", FIELD_ID_OIFNAME, 0 },
	{ "meta iifname", FIELD_ID_IIFNAME, 0 }, { "meta oifname", FIELD_ID_OIFNAME, 0 },
	{ "mark", FIELD_ID_META_MARK, 0 },	 { "ip protocol", FIELD_ID_L4PROTO, 4 },
	{ "ip6 nexthdr", FIELD_ID_L4PROTO, 6 },	 { "meta nfproto", FIELD_NFPROTO, 0 },
	{ "meta protocol", FIELD_NFPROTO, 0 },
};

/* "ip saddr" is the pair (ip, saddr); "iifname" is (iifname, ""). */
static bool keyword_is(const char *keyword, const struct token *first, const struct token *second)
{
	size_t n = first->len;

	/* the first letter tells nearly all of them apart, and this runs for each word of each rule */
	if (keyword[0] != first->s[0] || strncmp(keyword, first->s, n) != 0)
		return false;
	if (!second)
		return !keyword[n];
	return keyword[n] == ' ' && strlen(keyword + n + 1) == second->len &&
	       !memcmp(keyword + n + 1, second->s, second->len);
}

static bool keyword_begins(const char *keyword, const struct token *first)
{
	return keyword[0] == first->s[0] && !strncmp(keyword, first->s, first->len) &&
	       keyword[first->len] == ' ';
}

static bool field_find(const struct token *first, const struct token *second, enum field *ret,
		       int *ret_version)
{
	for (int i = 0; i < FIELD_ID_IIF; i++) {
		if (!keyword_is(field_rows[i].keyword, first, second))
			continue;
		*ret = (enum field)i;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++) {
		if (!keyword_is(synonyms[i].keyword, first, second))
			continue;
		*ret = synonyms[i].field;
		if (synonyms[i].version)
			*ret_version = synonyms[i].version;
		return true;
	}
	return false;
}

static bool is_group(const struct token *first)
{
	for (int i = 0; i < FIELD_ID_IIF; i++) {
		if (keyword_begins(field_rows[i].keyword, first))
			return true;
	}
	return false;
}

static int fail_second_word(struct parser *p, const struct token *first)
{
	char group[16];
	int n = (int)MIN(first->len, sizeof(group) - 1);

	snprintf(group, sizeof(group), "%.*s", n, first->s);
	if (p->tok.type == TOK_WORD && word_is_known_elsewhere(group, p->tok.s, p->tok.len))
		return fail_unsupported(p, &p->tok, group);
	if (p->tok.type == TOK_WORD)
		return fail_at(p, &p->tok, "`%s %.*s` is not a match", group,
			       (int)MIN(p->tok.len, (size_t)40), p->tok.s);
	return fail_expected(p, "a field name");
}

/* The keyword of a match; *ret_done = false: the word is something else. */
static int parse_field(struct parser *p, struct token *at, enum field *ret, int *version,
		       bool *ret_done)
{
	struct token first = p->tok;
	int r;

	*at = first;
	*ret_done = first.type == TOK_WORD && field_find(&first, NULL, ret, version);
	if (*ret_done)
		return parse_advance(p);
	if (first.type != TOK_WORD || !is_group(&first))
		return 0;
	r = parse_advance(p);
	if (r)
		return r;
	if (p->tok.type != TOK_WORD || !field_find(&first, &p->tok, ret, version))
		return fail_second_word(p, &first);
	*ret_done = true;
	if (at->line == p->tok.line && p->tok.at > at->at)
		at->at_len = (size_t)(p->tok.at - at->at) + p->tok.at_len;
	return parse_advance(p);
}

static int match_add_elem(struct parser *p, struct match *m, size_t *cap, const struct elem *e)
{
	void *grown = m->elems;
	int r;

	if (field_rows[m->field].type == FIELD_IFNAME && m->n >= IFNAMES_MAX)
		return fail_at(p, &p->tok, "a set has at most %d interfaces", IFNAMES_MAX);
	r = array_reserve(&grown, cap, m->n, sizeof(*e));
	if (r < 0)
		return r;
	m->elems = grown;
	m->elems[m->n++] = *e;
	return 0;
}

/* What follows a value in nft, but not here. */
static int check_behind_value(struct parser *p)
{
	if (token_is_punct(&p->tok, ":"))
		return fail_at(p, &p->tok, "maps are not supported yet");
	if (token_is_punct(&p->tok, "."))
		return fail_at(p, &p->tok, "concatenations are not supported yet");
	return 0;
}

static int check_behind_elem(struct parser *p)
{
	if (token_is(&p->tok, "timeout") || token_is(&p->tok, "comment") ||
	    token_is(&p->tok, "counter") || token_is(&p->tok, "expires"))
		return fail_unsupported(p, &p->tok, "");
	return check_behind_value(p);
}

static int parse_set_elem(struct parser *p, struct match *m, size_t *cap)
{
	struct elem e;
	int r = parse_elem(p, field_rows[m->field].type, &e);

	if (!r)
		r = check_behind_elem(p);
	return r ? r : match_add_elem(p, m, cap, &e);
}

/* A set in a set is what a definition leaves there; its elements are taken as they are. */
static int parse_set(struct parser *p, struct match *m, size_t *cap)
{
	unsigned int depth = 0;
	bool want = true; /* an element, not a comma */
	int r = 0;

	while (!r) {
		r = skip_newlines(p);
		if (r)
			break;
		if (want && token_is_punct(&p->tok, "{")) {
			if (++depth > NEST_MAX)
				return fail_at(p, &p->tok, "sets are nested too deeply");
			r = parse_advance(p);
		} else if (token_is_punct(&p->tok, "}")) {
			r = parse_advance(p);
			want = false;
			if (!--depth)
				break;
		} else if (want) {
			r = parse_set_elem(p, m, cap);
			want = false;
		} else {
			r = token_is_punct(&p->tok, ",") ? parse_advance(p)
							 : fail_expected(p, "`,` or `}`");
			want = true;
		}
	}
	return r;
}

static int parse_braces(struct parser *p, struct match *m, size_t *cap)
{
	struct token brace = p->tok;
	int r = parse_set(p, m, cap);

	m->is_set = true;
	if (!r && !m->n)
		return fail_at(p, &brace, "the set is empty");
	return r;
}

/* One value, or states with commas. */
static int parse_values(struct parser *p, struct match *m, size_t *cap)
{
	bool states = field_rows[m->field].type == FIELD_CT_STATE;
	struct elem e;
	int r = parse_elem(p, field_rows[m->field].type, &e);

	if (!r)
		r = match_add_elem(p, m, cap, &e);
	while (!r && token_is_punct(&p->tok, ",")) {
		if (!states) {
			fail_at(p, &p->tok, "several values need braces");
			return fail_hint(p, "write `{ a, b }`");
		}
		r = parse_advance(p);
		if (!r)
			r = parse_elem(p, field_rows[m->field].type, &e);
		if (!r)
			r = match_add_elem(p, m, cap, &e);
	}
	if (!r && token_is_punct(&p->tok, ":")) {
		fail_expected(p, "a match or a statement");
		return fail_hint(p, "a range is written with `-`");
	}
	return r ? r : check_behind_value(p);
}

static int refuse_operator(struct parser *p)
{
	static const char *const words[] = { "set", "map", "vmap", "or", "xor",
					     "lt",  "gt",  "le",   "ge" };
	static const char *const signs[] = { "<", ">", "<=", ">=", "<<", ">>", "|", "^", "&", "." };
	const char *hint = "write a range, for example 1024-65535";

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (token_is(&p->tok, words[i]))
			return fail_unsupported(p, &p->tok, "");
	}
	if (token_is_punct(&p->tok, "@"))
		return fail_at(p, &p->tok, "named sets are not supported yet");
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (!token_is_punct(&p->tok, signs[i]))
			continue;
		fail_unsupported(p, &p->tok, "");
		return signs[i][0] == '<' || signs[i][0] == '>' ? fail_hint(p, "%s", hint)
								: LANG_E_DIAG;
	}
	return 0;
}

/* `and MASK`: marks only. */
static int parse_mask(struct parser *p, struct match *m)
{
	bool is_mask = token_is(&p->tok, "and") || token_is_punct(&p->tok, "&");
	uint64_t mask;
	int r;

	m->mask = UINT32_MAX;
	if (!is_mask || field_rows[m->field].type != FIELD_MARK)
		return 0;
	r = parse_advance(p);
	if (!r)
		r = parse_u64(p, "a mask", 0, UINT32_MAX, &mask);
	if (!r)
		m->mask = (uint32_t)mask;
	return r;
}

static int parse_operator(struct parser *p, struct match *m)
{
	int r = parse_mask(p, m);

	if (r)
		return r;
	m->negate = token_is_punct(&p->tok, "!=") || token_is(&p->tok, "ne");
	if (m->negate || token_is_punct(&p->tok, "==") || token_is(&p->tok, "eq"))
		r = parse_advance(p);
	return r ? r : refuse_operator(p);
}

static int check_mask(struct parser *p, const struct match *m, const struct token *at)
{
	for (size_t i = 0; m->mask != UINT32_MAX && i < m->n; i++) {
		if (m->elems[i].num_lo != m->elems[i].num_hi)
			return fail_at(p, at, "a mask and a range do not go together");
	}
	return 0;
}

static int parse_operand(struct parser *p, struct match *m)
{
	size_t cap = 0;
	struct token at;
	int r = parse_operator(p, m);

	at = p->tok;
	if (!r)
		r = token_is_punct(&p->tok, "{") ? parse_braces(p, m, &cap)
						 : parse_values(p, m, &cap);
	if (!r)
		r = check_mask(p, m, &at);
	if (!r)
		match_normalise(m);
	return r;
}

/* `meta nfproto ipv4`: no field of its own, see rule.c for what becomes of *version. */
static int parse_nfproto(struct parser *p, int *version)
{
	bool is4 = token_is(&p->tok, "ipv4") || token_is(&p->tok, "ip");

	if (!is4 && !token_is(&p->tok, "ipv6") && !token_is(&p->tok, "ip6"))
		return fail_expected(p, "`ipv4` or `ipv6`");
	*version = is4 ? 4 : 6;
	return parse_advance(p);
}

int parse_match(struct parser *p, struct rule *r, int *version, bool *ret_done)
{
	_cleanup_(freep) struct elem *elems = NULL;
	struct match m = { 0 };
	struct token at;
	int e = parse_field(p, &at, &m.field, version, ret_done);

	if (e || !*ret_done)
		return e;
	if (r->n_matches >= MATCHES_MAX)
		return fail_at(p, &at, "a rule has at most %d matches", MATCHES_MAX);
	if (m.field == FIELD_NFPROTO)
		return parse_nfproto(p, version);
	e = parse_operand(p, &m);
	elems = m.elems;
	if (e)
		return e;
	e = rule_add_match(r, &m);
	if (e < 0)
		return e;
	elems = NULL;
	return 0;
}
