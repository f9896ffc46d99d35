/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * field - which field a match is about: the words of a row of field.def, read one after the other, and concatenations of them.
 */
#include <lang/parse.h>

#include <lang/field.h>
#include <lang/names.h>

/* How fields are written beside the keyword of their row. */
static const struct keyword {
	const char *words;
	enum field field;
	uint8_t dir;	   /* of CT_BYTES and CT_PACKETS */
	enum field field6; /* not NONE: the family of the table says which of the two */
} spellings[] = {
	{ "meta iif", FIELD_ID_IIF, 0, FIELD_ID_NONE },
	{ "meta oif", FIELD_ID_OIF, 0, FIELD_ID_NONE },
	{ "meta iifname", FIELD_ID_IIFNAME, 0, FIELD_ID_NONE },
	{ "meta oifname", FIELD_ID_OIFNAME, 0, FIELD_ID_NONE },
	/* what nft takes without `meta` */
	{ "iiftype", FIELD_ID_IIFTYPE, 0, FIELD_ID_NONE },
	{ "oiftype", FIELD_ID_OIFTYPE, 0, FIELD_ID_NONE },
	{ "mark", FIELD_ID_META_MARK, 0, FIELD_ID_NONE },
	{ "pkttype", FIELD_ID_PKTTYPE, 0, FIELD_ID_NONE },
	{ "hour", FIELD_ID_HOUR, 0, FIELD_ID_NONE },
	{ "day", FIELD_ID_DAY, 0, FIELD_ID_NONE },
	{ "time", FIELD_ID_TIME, 0, FIELD_ID_NONE },
	{ "tcp option sack-permitted", FIELD_ID_TCPOPT_SACK_PERM, 0, FIELD_ID_NONE },
	{ "tcp option noop", FIELD_ID_TCPOPT_NOP, 0, FIELD_ID_NONE },
	{ "tcp option echo", FIELD_ID_TCPOPT_TIMESTAMP, 0, FIELD_ID_NONE },
	{ "ct original protocol", FIELD_ID_CT_PROTO, 0, FIELD_ID_NONE },
	{ "ct reply protocol", FIELD_ID_CT_PROTO, 0, FIELD_ID_NONE },
	/* one direction of it */
	{ "ct original bytes", FIELD_ID_CT_BYTES, 1, FIELD_ID_NONE },
	{ "ct reply bytes", FIELD_ID_CT_BYTES, 2, FIELD_ID_NONE },
	{ "ct original packets", FIELD_ID_CT_PACKETS, 1, FIELD_ID_NONE },
	{ "ct reply packets", FIELD_ID_CT_PACKETS, 2, FIELD_ID_NONE },
	{ "ct original saddr", FIELD_ID_CT_O_SADDR, 0, FIELD_ID_CT_O_SADDR6 },
	{ "ct original daddr", FIELD_ID_CT_O_DADDR, 0, FIELD_ID_CT_O_DADDR6 },
	{ "ct reply saddr", FIELD_ID_CT_R_SADDR, 0, FIELD_ID_CT_R_SADDR6 },
	{ "ct reply daddr", FIELD_ID_CT_R_DADDR, 0, FIELD_ID_CT_R_DADDR6 },
};

#define KEYWORDS (FIELD_ID_MAX + ARRAY_SIZE(spellings))

static const char *keyword_at(size_t i)
{
	return i < FIELD_ID_MAX ? field_rows[i].keyword : spellings[i - FIELD_ID_MAX].words;
}

static struct keyword spelling_at(size_t i)
{
	if (i < FIELD_ID_MAX)
		return (struct keyword){ .words = field_rows[i].keyword,
					 .field = (enum field)i,
					 .field6 = FIELD_ID_NONE };
	return spellings[i - FIELD_ID_MAX];
}

/* What was read of a keyword so far. */
struct words {
	char text[64];
	size_t len;
	struct token first, last;
};

static void words_push(struct words *w, const struct token *t)
{
	size_t n = MIN(t->len, sizeof(w->text) - w->len - 2);

	if (w->len)
		w->text[w->len++] = ' ';
	memcpy(w->text + w->len, t->s, n);
	w->len += n;
	w->text[w->len] = '\0';
	if (!w->first.s)
		w->first = *t;
	w->last = *t;
}

static size_t first_word_length(const char *words)
{
	return strcspn(words, " ");
}

/* Keywords with equal first words are in one row. */
static size_t field_row_of(const char *first, size_t len)
{
	return ((uint8_t)first[0] * 7 + (uint8_t)first[len - 1] * 31 + len) % FIELD_INDEX_ROWS;
}

void field_index_init(struct field_index *x)
{
	_Static_assert(KEYWORDS <= FIELD_INDEX_MAX, "not all keywords fit the index");
	size_t tail[FIELD_INDEX_ROWS];

	memset(x->first, 0, sizeof(x->first));
	for (size_t i = 0; i < KEYWORDS; i++) {
		const char *keyword = keyword_at(i);
		size_t len = first_word_length(keyword), row;

		x->next[i] = 0;
		if (!len) /* FIELD_ID_NONE has no words */
			continue;
		row = field_row_of(keyword, len);
		*(x->first[row] ? &x->next[tail[row]] : &x->first[row]) = (uint16_t)(i + 1);
		tail[row] = i;
	}
}

/* Does the keyword go on (or end) with this token behind what was read? */
static bool goes_on(const char *keyword, const struct words *w, const struct token *t,
		    bool *ret_ends)
{
	const char *rest = keyword;

	if (w->len) {
		for (size_t i = 0; i < w->len; i++)
			if (keyword[i] != w->text[i] || !keyword[i])
				return false;
		if (keyword[w->len] != ' ')
			return false;
		rest += w->len + 1;
	}
	for (size_t i = 0; i < t->len; i++)
		if (rest[i] != t->s[i] || !rest[i])
			return false;
	if (rest[t->len] && rest[t->len] != ' ')
		return false;
	*ret_ends = !rest[t->len];
	return true;
}

/* true: a keyword goes on like this; *ret is its index if it ends here, else KEYWORDS. */
static bool look_up(const struct parser *p, const struct words *w, const struct token *t,
		    size_t *ret)
{
	const struct field_index *x = &p->fields;
	const struct token *first = w->len ? &w->first : t;
	bool found = false, ends;
	size_t i;

	*ret = KEYWORDS;
	if ((t->type != TOK_WORD && !token_is_punct(t, ".")) || !first->len)
		return false;
	i = x->first[field_row_of(first->s, first->len)];
	for (; i && *ret == KEYWORDS; i = x->next[i - 1]) {
		if (!goes_on(keyword_at(i - 1), w, t, &ends))
			continue;
		found = true;
		if (ends)
			*ret = i - 1;
	}
	return found;
}

/* The word that should have been written, of those that may stand behind w. */
static int hint_nearest(struct parser *p, const struct words *w)
{
	struct suggest s;

	suggest_init(&s, p->tok.s, p->tok.len);
	for (size_t i = 0; i < KEYWORDS; i++) {
		const char *keyword = keyword_at(i);
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
static int settle_field(struct parser *p, const struct words *w, const struct keyword *k,
			enum field *ret)
{
	*ret = k->field;
	if (k->field6 == FIELD_ID_NONE)
		return 0;
	if (!p->table || p->table->family == FAMILY_INET) {
		fail_at(p, &w->last, "`%s` does not say of which version of IP", w->text);
		return fail_hint(p, "write `%s`", field_rows[k->field].keyword);
	}
	if (p->table->family == FAMILY_IP6)
		*ret = k->field6;
	return 0;
}

static const char *const fib_keys[] = { "saddr", "daddr", "mark", "iif", "oif" };

/* One key and the `.` behind it. */
static int parse_fib_key(struct parser *p, struct words *w, unsigned int *have, bool *ret_more)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(fib_keys); i++) {
		if (!token_is(&p->tok, fib_keys[i]))
			continue;
		*have |= 1U << i;
		w->last = p->tok;
		r = parse_advance(p);
		*ret_more = !r && token_is_punct(&p->tok, ".");
		return r || !*ret_more ? r : parse_advance(p);
	}
	return fail_expected(p, "`saddr`, `daddr`, `mark`, `iif` or `oif`");
}

/* `saddr . iif`: what is looked up, in whatever order; nft writes it in this one. */
static int parse_fib_keys(struct parser *p, struct words *w)
{
	const char *between = " ";
	unsigned int have = 0;
	bool more = true;
	int r = 0;

	while (!r && more)
		r = parse_fib_key(p, w, &have, &more);
	if (r)
		return r;
	if ((have & 3) != 1 && (have & 3) != 2)
		return fail_at(p, &w->last, "`fib` needs either `saddr` or `daddr`");
	for (size_t i = 0; i < ARRAY_SIZE(fib_keys); i++) {
		if (!(have & 1U << i))
			continue;
		w->len += (size_t)snprintf(w->text + w->len, sizeof(w->text) - w->len, "%s%s",
					   between, fib_keys[i]);
		between = " . ";
	}
	return 0;
}

/* One field; *ret_at covers its words. */
static int parse_field(struct parser *p, enum field *ret, uint8_t *ret_dir, struct token *ret_at,
		       bool *ret_done)
{
	struct words w = { .len = 0 };
	struct keyword k;
	size_t index, ended;
	int r;

	*ret_done = look_up(p, &w, &p->tok, &index);
	if (!*ret_done)
		return 0;
	for (;;) {
		words_push(&w, &p->tok);
		r = parse_advance(p);
		if (r)
			return r;
		if (!strcmp(w.text, "fib"))
			r = parse_fib_keys(p, &w);
		if (r)
			return r;
		ended = index;
		/* `tcp option maxseg` may go on with `size` */
		if (look_up(p, &w, &p->tok, &index))
			continue;
		if (ended == KEYWORDS || word_is_known_elsewhere(w.text, p->tok.s, p->tok.len))
			return fail_word(p, &w);
		break;
	}
	*ret_at = w.first;
	if (w.first.line == w.last.line && w.last.at > w.first.at)
		ret_at->at_len = (size_t)(w.last.at - w.first.at) + w.last.at_len;
	k = spelling_at(ended);
	*ret_dir = k.dir;
	return settle_field(p, &w, &k, ret);
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
	for (size_t i = 0; i < KEYWORDS; i++) {
		const char *keyword = keyword_at(i);
		char word[NAME_SIZE];

		snprintf(word, sizeof(word), "%.*s", (int)strcspn(keyword, " "), keyword);
		suggest_try(s, word);
	}
}
