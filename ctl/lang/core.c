/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>

/* The source line around the mistake; where it is too long for the diag the line is left out. */
static void set_source(struct parser *p, const struct token *t)
{
	const char *nl = memchr(t->line_start, '\n', (size_t)(p->text_end - t->line_start));
	size_t len = (size_t)((nl ? nl : p->text_end) - t->line_start);
	size_t col = (size_t)(t->at - t->line_start);

	if (len && t->line_start[len - 1] == '\r')
		len--;
	if (col + 1 >= sizeof(p->d->source))
		return;
	len = MIN(len, sizeof(p->d->source) - 1);
	/* A NUL in the input must not end the line on the screen. */
	for (size_t i = 0; i < len; i++)
		p->d->source[i] = t->line_start[i] ? t->line_start[i] : '?';
	p->d->source[len] = '\0';
}

static void set_position(struct parser *p, const struct token *t)
{
	if (t->file)
		snprintf(p->d->file, sizeof(p->d->file), "%.*s", (int)MIN(t->file_len, (size_t)255),
			 t->file);
	else
		snprintf(p->d->file, sizeof(p->d->file), "%s", p->file);
	p->d->line = t->line;
	p->d->col = (unsigned int)(t->at - t->line_start) + 1;
	p->d->len = (unsigned int)MAX(MIN(t->at_len, (size_t)400), (size_t)1);
	set_source(p, t);
}

int fail_at(struct parser *p, const struct token *t, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	diag_set(p->d, "%s", t->type == TOK_BAD ? t->why : text);
	if (t->depth)
		diag_hint(p->d, "the mistake is in the value of `%.*s`",
			  (int)MIN(t->at_len, (size_t)100), t->at);
	set_position(p, t);
	return LANG_E_DIAG;
}

int fail_hint(struct parser *p, const char *fmt, ...)
{
	char text[sizeof(p->d->hint)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	diag_hint(p->d, "%s", text);
	return LANG_E_DIAG;
}

int fail_expected(struct parser *p, const char *what)
{
	char shown[64];

	token_describe(&p->tok, shown, sizeof(shown));
	return fail_at(p, &p->tok, "%s expected, not %s", what, shown);
}

int fail_unsupported(struct parser *p, const struct token *t, const char *first)
{
	int n = (int)MIN(t->len, (size_t)60);

	return fail_at(p, t, "`%s%s%.*s` is not supported yet", first, *first ? " " : "", n, t->s);
}

int fail_model(struct parser *p, const struct token *t)
{
	set_position(p, t);
	return LANG_E_DIAG;
}

void parse_raw(struct parser *p)
{
	lex_next(&p->lx, &p->tok);
}

int parse_advance(struct parser *p)
{
	parse_raw(p);
	while (p->tok.type == TOK_VAR) {
		int r = expand_var(p);

		if (r)
			return r;
		parse_raw(p);
	}
	return 0;
}

int expect_punct(struct parser *p, const char *punct)
{
	char what[16];

	if (token_is_punct(&p->tok, punct))
		return parse_advance(p);
	snprintf(what, sizeof(what), "`%s`", punct);
	return fail_expected(p, what);
}

bool at_separator(const struct parser *p)
{
	return p->tok.type == TOK_END || token_is_punct(&p->tok, "\n") ||
	       token_is_punct(&p->tok, ";") || token_is_punct(&p->tok, "}");
}

int skip_newlines(struct parser *p)
{
	int r = 0;

	while (!r && token_is_punct(&p->tok, "\n"))
		r = parse_advance(p);
	return r;
}

int skip_separators(struct parser *p)
{
	int r = 0;

	while (!r && (token_is_punct(&p->tok, "\n") || token_is_punct(&p->tok, ";")))
		r = parse_advance(p);
	return r;
}

int take_word(struct parser *p, const char *word, bool *ret_taken)
{
	*ret_taken = token_is(&p->tok, word);
	return *ret_taken ? parse_advance(p) : 0;
}

int token_to_u64(const struct token *t, uint64_t min, uint64_t max, uint64_t *ret)
{
	char text[32];

	if (t->type != TOK_WORD || t->len >= sizeof(text))
		return false;
	memcpy(text, t->s, t->len);
	text[t->len] = '\0';
	return str_to_u64(text, min, max, ret);
}

int parse_u64(struct parser *p, const char *what, uint64_t min, uint64_t max, uint64_t *ret)
{
	char expected[96];

	if (token_to_u64(&p->tok, min, max, ret))
		return parse_advance(p);
	snprintf(expected, sizeof(expected), "%s (%llu to %llu)", what, (unsigned long long)min,
		 (unsigned long long)max);
	return fail_expected(p, expected);
}

/* Undo the escapes of a string token; -1: it does not fit or holds what no screen should see. */
static int unescape(const struct token *t, char *ret, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < t->len; i++) {
		unsigned char c = (unsigned char)t->s[i];

		if (c == '\\' && i + 1 < t->len && (t->s[i + 1] == '"' || t->s[i + 1] == '\\'))
			c = (unsigned char)t->s[++i];
		if (c < ' ' || c == 127 || n + 1 >= size)
			return -1;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return 0;
}

int parse_string(struct parser *p, const char *what, size_t max, char **ret)
{
	_cleanup_(freep) char *s = NULL;
	int r;

	if (p->tok.type != TOK_STRING)
		return fail_expected(p, what);
	s = malloc(max + 1);
	if (!s)
		return -ENOMEM;
	if (unescape(&p->tok, s, max + 1) < 0)
		return fail_at(p, &p->tok, "%s has at most %zu printable characters", what, max);
	r = parse_advance(p);
	if (r)
		return r;
	free(*ret);
	*ret = TAKE_PTR(s);
	return 0;
}

int parse_name(struct parser *p, const char *what, char ret[NAME_SIZE])
{
	const struct token *t = &p->tok;

	if (t->type != TOK_WORD && t->type != TOK_STRING)
		return fail_expected(p, what);
	if (!t->len)
		return fail_at(p, t, "%s is empty", what);
	if (t->len >= NAME_SIZE)
		return fail_at(p, t, "%s has at most %d characters", what, NAME_SIZE - 1);
	if (unescape(t, ret, NAME_SIZE) < 0)
		return fail_at(p, t, "%s holds a character that can not be printed", what);
	if (t->type == TOK_WORD && !lex_is_plain_name(ret))
		return fail_expected(p, what);
	return parse_advance(p);
}
