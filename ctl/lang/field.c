/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * field - which field a match is about: the words of a row of field.def, read one after the other, and concatenations of them.
 */
#include <lang/parse.h>

#include <lang/field.h>
#include <lang/names.h>

/* Other spellings of a field.  Words that nft takes without `meta` as well. */
static const struct synonym {
	const char *keyword;
	enum field field;
} synonyms[] = {
	{ "meta iif", FIELD_ID_IIF },
	{ "meta oif", FIELD_ID_OIF },
	{ "meta iifname", FIELD_ID_IIFNAME },
	{ "meta oifname", FIELD_ID_OIFNAME },
	{ "iiftype", FIELD_ID_IIFTYPE },
	{ "oiftype", FIELD_ID_OIFTYPE },
	{ "mark", FIELD_ID_META_MARK },
	{ "pkttype", FIELD_ID_PKTTYPE },
	{ "hour", FIELD_ID_HOUR },
	{ "day", FIELD_ID_DAY },
	{ "ct original protocol", FIELD_ID_CT_PROTO },
	{ "ct reply protocol", FIELD_ID_CT_PROTO },
};

/* ct original bytes and the like: the same field, one direction of it. */
static const struct directed {
	const char *keyword;
	enum field field;
	uint8_t dir;
} directed[] = {
	{ "ct original bytes", FIELD_ID_CT_BYTES, 1 },
	{ "ct reply bytes", FIELD_ID_CT_BYTES, 2 },
	{ "ct original packets", FIELD_ID_CT_PACKETS, 1 },
	{ "ct reply packets", FIELD_ID_CT_PACKETS, 2 },
};

/* Without `ip` or `ip6` where the family of the table says it; [1] for ip6. */
static const struct {
	const char *keyword;
	enum field field[2];
} bare[] = {
	{ "ct original saddr", { FIELD_ID_CT_O_SADDR, FIELD_ID_CT_O_SADDR6 } },
	{ "ct original daddr", { FIELD_ID_CT_O_DADDR, FIELD_ID_CT_O_DADDR6 } },
	{ "ct reply saddr", { FIELD_ID_CT_R_SADDR, FIELD_ID_CT_R_SADDR6 } },
	{ "ct reply daddr", { FIELD_ID_CT_R_DADDR, FIELD_ID_CT_R_DADDR6 } },
};

#define KEYWORDS (FIELD_ID_MAX + ARRAY_SIZE(synonyms) + ARRAY_SIZE(directed) + ARRAY_SIZE(bare))

static const char *keyword_at(size_t i, enum field *ret, uint8_t *ret_dir)
{
	*ret_dir = 0;
	if (i < FIELD_ID_MAX) {
		*ret = (enum field)i;
		return field_rows[i].keyword;
	}
	i -= FIELD_ID_MAX;
	if (i < ARRAY_SIZE(synonyms)) {
		*ret = synonyms[i].field;
		return synonyms[i].keyword;
	}
	i -= ARRAY_SIZE(synonyms);
	if (i >= ARRAY_SIZE(directed)) {
		*ret = bare[i - ARRAY_SIZE(directed)].field[0];
		return bare[i - ARRAY_SIZE(directed)].keyword;
	}
	*ret = directed[i].field;
	*ret_dir = directed[i].dir;
	return directed[i].keyword;
}

/* What was read of a keyword so far. */
struct words {
	char text[64];
	size_t len;
	struct token first, last;
};

static void words_push(struct words *w, const struct token *t)
{
	int n = snprintf(w->text + w->len, sizeof(w->text) - w->len, "%s%.*s", w->len ? " " : "",
			 (int)MIN(t->len, (size_t)20), t->s);

	w->len = MIN(w->len + (size_t)n, sizeof(w->text) - 1);
	if (!w->first.s)
		w->first = *t;
	w->last = *t;
}

/* Does the keyword go on (or end) with this token behind what was read? */
static bool goes_on(const char *keyword, const struct words *w, const struct token *t,
		    bool *ret_ends)
{
	const char *rest = keyword + w->len + (w->len ? 1 : 0);

	/* the first letter tells nearly all of them apart, and this runs for each word of each rule */
	if (!keyword[0] || (!w->len && keyword[0] != t->s[0]))
		return false;
	if (w->len && (strncmp(keyword, w->text, w->len) != 0 || keyword[w->len] != ' '))
		return false;
	if (strncmp(rest, t->s, t->len) != 0 || (rest[t->len] && rest[t->len] != ' '))
		return false;
	*ret_ends = !rest[t->len];
	return true;
}

/* 0: no keyword goes on like this; 1: there are more words to come; 2: *ret is the one. */
static int look_up(const struct words *w, const struct token *t, enum field *ret, uint8_t *ret_dir)
{
	int found = 0;

	if (t->type != TOK_WORD && !token_is_punct(t, "."))
		return 0;
	for (size_t i = 1; i < KEYWORDS; i++) {
		enum field f;
		uint8_t dir;
		bool ends;

		if (!goes_on(keyword_at(i, &f, &dir), w, t, &ends))
			continue;
		found = 1;
		if (!ends)
			continue;
		*ret = f;
		*ret_dir = dir;
		return 2;
	}
	return found;
}

/* The word that should have been written, of those that may stand behind w. */
static int hint_nearest(struct parser *p, const struct words *w)
{
	struct suggest s;

	suggest_init(&s, p->tok.s, p->tok.len);
	for (size_t i = 1; i < KEYWORDS; i++) {
		enum field f;
		uint8_t dir;
		const char *keyword = keyword_at(i, &f, &dir);
		char word[NAME_SIZE];

		if (strncmp(keyword, w->text, w->len) != 0 || keyword[w->len] != ' ')
			continue;
		keyword += w->len + 1;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(keyword, " "), keyword);
		suggest_try(&s, word);
	}
	return suggest_hint(p, &s);
}

static int fail_word(struct parser *p, const struct words *w)
{
	if (p->tok.type != TOK_WORD)
		return fail_expected(p, "a field name");
	if (word_is_known_elsewhere(w->text, p->tok.s, p->tok.len))
		return fail_unsupported(p, &p->tok, w->text);
	fail_at(p, &p->tok, "`%s %.*s` is not a match", w->text, (int)MIN(p->tok.len, (size_t)40),
		p->tok.s);
	return hint_nearest(p, w);
}

/* Which version of IP are the addresses of? */
static int settle_bare(struct parser *p, const struct words *w, enum field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(bare); i++) {
		if (strcmp(bare[i].keyword, w->text) != 0)
			continue;
		if (!p->table || p->table->family == FAMILY_INET) {
			fail_at(p, &w->last, "`%s` does not say of which version of IP", w->text);
			return fail_hint(p, "write `%s`", field_rows[*f].keyword);
		}
		*f = bare[i].field[p->table->family == FAMILY_IP6];
	}
	return 0;
}

/* One field; *ret_at covers its words. */
static int parse_field(struct parser *p, enum field *ret, uint8_t *ret_dir, struct token *ret_at,
		       bool *ret_done)
{
	struct words w = { .len = 0 };
	int r, found = look_up(&w, &p->tok, ret, ret_dir);

	*ret_done = found;
	while (found) {
		words_push(&w, &p->tok);
		r = parse_advance(p);
		if (r)
			return r;
		if (found == 2)
			break;
		found = look_up(&w, &p->tok, ret, ret_dir);
		if (!found)
			return fail_word(p, &w);
	}
	*ret_at = w.first;
	if (found && w.first.line == w.last.line && w.last.at > w.first.at)
		ret_at->at_len = (size_t)(w.last.at - w.first.at) + w.last.at_len;
	return found ? settle_bare(p, &w, ret) : 0;
}

static bool is_numgen(enum field f)
{
	return f == FIELD_ID_NUMGEN_INC || f == FIELD_ID_NUMGEN_RANDOM;
}

/* `mod N [offset M]` */
static int parse_modulus(struct parser *p, struct selector *s, uint32_t *ret_offset)
{
	uint64_t v = 0;
	bool taken;
	int r;

	if (!token_is(&p->tok, "mod"))
		return fail_expected(p, "`mod`");
	r = parse_advance(p);
	if (!r)
		r = parse_u64(p, "a modulus", 1, UINT32_MAX, &v);
	s->mod = (uint32_t)v;
	v = 0;
	if (!r)
		r = take_word(p, "offset", &taken);
	if (!r && taken)
		r = parse_u64(p, "an offset", 0, UINT32_MAX - s->mod, &v);
	*ret_offset = (uint32_t)v;
	return r;
}

int parse_selector_at(struct parser *p, struct selector *ret, uint32_t *ret_offset,
		      struct token *ret_at, bool *ret_done)
{
	struct token at, last;
	int r;

	*ret = (struct selector){ .n = 1 };
	*ret_offset = 0;
	r = parse_field(p, &ret->fields[0], &ret->dir[0], ret_at, ret_done);
	if (r || !*ret_done)
		return r;
	if (is_numgen(ret->fields[0]))
		return parse_modulus(p, ret, ret_offset);
	while (token_is_punct(&p->tok, ".")) {
		bool done = false;

		r = parse_advance(p);
		if (r)
			return r;
		if (ret->n == CONCAT_MAX)
			return fail_at(p, &p->tok, "at most %d fields are joined", CONCAT_MAX);
		last = p->tok;
		r = parse_field(p, &ret->fields[ret->n], &ret->dir[ret->n], &at, &done);
		if (!r && (!done || is_numgen(ret->fields[ret->n])))
			return fail_at(p, &last, "the name of a field expected behind `.`");
		if (r)
			return r;
		ret->n++;
	}
	return 0;
}

int parse_selector(struct parser *p, struct selector *ret, bool *ret_done)
{
	struct token at;
	uint32_t offset;
	int r = parse_selector_at(p, ret, &offset, &at, ret_done);

	if (!r && *ret_done && offset)
		return fail_at(p, &at, "`offset` is not supported yet where a map is looked up");
	return r;
}

void suggest_fields(struct suggest *s)
{
	for (size_t i = 1; i < KEYWORDS; i++) {
		enum field f;
		uint8_t dir;
		const char *keyword = keyword_at(i, &f, &dir);
		char word[NAME_SIZE];

		snprintf(word, sizeof(word), "%.*s", (int)strcspn(keyword, " "), keyword);
		suggest_try(s, word);
	}
}
