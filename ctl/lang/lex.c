/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/lex.h>

#include <ctype.h>

void lex_init(struct lexer *lx, const char *text, size_t len)
{
	*lx = (struct lexer){ .line = 1, .line_start = text, .budget = LEX_BUDGET };
	lx->frames[0].p = text;
	lx->frames[0].end = text + len;
}

bool lex_push(struct lexer *lx, const struct token *var, const char *s, size_t len)
{
	if (lx->depth + 1 >= LEX_DEPTH || len + 1 > lx->budget)
		return false;
	if (!lx->depth) {
		lx->var_at = var->at;
		lx->var_len = var->at_len;
	}
	lx->budget -= len + 1;
	lx->depth++;
	lx->frames[lx->depth].p = s;
	lx->frames[lx->depth].end = s + len;
	return true;
}

/* What characters are; a table, because every one of a text is looked at. */
enum {
	CHAR_START = 1, /* may begin a name */
	CHAR_NAME = 2,	/* may stand in a name */
	CHAR_DIGIT = 4,
	CHAR_ADDR = 8, /* may stand in an IPv6 address */
};
static const uint8_t char_kinds[256] = {
	['a' ... 'f'] = CHAR_START | CHAR_NAME | CHAR_ADDR,
	['A' ... 'F'] = CHAR_START | CHAR_NAME | CHAR_ADDR,
	['g' ... 'z'] = CHAR_START | CHAR_NAME,
	['G' ... 'Z'] = CHAR_START | CHAR_NAME,
	['_'] = CHAR_START | CHAR_NAME,
	['0' ... '9'] = CHAR_NAME | CHAR_DIGIT | CHAR_ADDR,
	['.'] = CHAR_NAME | CHAR_ADDR,
	['-'] = CHAR_NAME,
	[':'] = CHAR_ADDR,
};

static bool char_is(char c, uint8_t kinds)
{
	return char_kinds[(unsigned char)c] & kinds;
}

static bool is_name_start(char c)
{
	return char_is(c, CHAR_START);
}

static bool is_name_char(char c)
{
	return char_is(c, CHAR_NAME);
}

bool lex_is_plain_name(const char *s)
{
	if (!is_name_start(*s))
		return false;
	while (is_name_char(*s))
		s++;
	return !*s;
}

static const char *skip_line(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? nl : end;
}

/*
 * `#gw-line N "FILE"` at the beginning of a line of the text itself: the lines behind it are those of FILE from N on.  It is a
 * comment: what can not be read as that says nothing.
 */
static void take_line_mark(struct lexer *lx, const char *p, const char *end)
{
	static const char mark[] = "#gw-line ";
	const char *nl = skip_line(p, end), *quote;
	unsigned int line = 0;

	if (lx->depth || p != lx->line_start || (size_t)(nl - p) < sizeof(mark) ||
	    memcmp(p, mark, sizeof(mark) - 1) != 0)
		return;
	for (p += sizeof(mark) - 1; p < nl && isdigit((unsigned char)*p) && line < 100000000; p++)
		line = line * 10 + (unsigned int)(*p - '0');
	if (nl - p < 3 || p[0] != ' ' || p[1] != '"')
		return;
	p += 2;
	quote = memchr(p, '"', (size_t)(nl - p));
	if (!quote || !line)
		return;
	lx->file = p;
	lx->file_len = (size_t)(quote - p);
	lx->line = line - 1; /* the end of this line makes it N */
}

/* A backslash at the end of a line joins it with the next one; 0 = this is not one. */
static size_t continuation_length(const char *p, const char *end)
{
	if (end - p >= 2 && p[0] == '\\' && p[1] == '\n')
		return 2;
	if (end - p >= 3 && p[0] == '\\' && p[1] == '\r' && p[2] == '\n')
		return 3;
	return 0;
}

/* Blanks, comments and joined lines; a newline itself is a token. */
static void skip_blank(struct lexer *lx)
{
	const char *p = lx->frames[lx->depth].p, *end = lx->frames[lx->depth].end;

	while (p < end) {
		size_t joined;

		if (*p == ' ' || *p == '\t' || *p == '\r') {
			p++;
		} else if (*p == '#') {
			take_line_mark(lx, p, end);
			p = skip_line(p, end);
		} else if ((joined = continuation_length(p, end))) {
			p += joined;
			if (!lx->depth) {
				lx->line++;
				lx->line_start = p;
			}
		} else {
			break;
		}
	}
	lx->frames[lx->depth].p = p;
}

/* Hexadecimal digits, colons and dots with two colons in it: meant as an IPv6 address. */
static size_t addr6_length(const char *p, const char *end)
{
	const char *q = p;
	size_t colons = 0;

	for (; q < end && char_is(*q, CHAR_ADDR); q++)
		colons += *q == ':';
	return colons >= 2 ? (size_t)(q - p) : 0;
}

static size_t word_length(const char *p, const char *end)
{
	const char *q = p;
	size_t n = char_is(*p, CHAR_ADDR) ? addr6_length(p, end) : 0;

	if (n)
		return n;
	if (char_is(*q, CHAR_DIGIT)) {
		while (q < end && is_name_char(*q) && *q != '-')
			q++;
		return (size_t)(q - p);
	}
	if (!is_name_start(*q))
		return 0;
	while (q < end && is_name_char(*q))
		q++;
	if (q < end && *q == '*')
		q++;
	return (size_t)(q - p);
}

static void take_string(struct token *t, const char *p, const char *end)
{
	const char *q = p + 1;

	while (q < end && *q != '"' && *q != '\n') {
		if (*q == '\\' && end - q > 1 && (q[1] == '"' || q[1] == '\\'))
			q++;
		q++;
	}
	t->s = p + 1;
	t->len = (size_t)(q - p - 1);
	t->at_len = (size_t)(q - p);
	if (q >= end || *q != '"') {
		t->type = TOK_BAD;
		t->why = "the string has no end: `\"` expected on the same line";
		return;
	}
	t->type = TOK_STRING;
	t->at_len++;
}

static void take_var(struct token *t, const char *p, const char *end)
{
	const char *q = p + 1;

	while (q < end && (isalnum((unsigned char)*q) || *q == '_' || *q == '.'))
		q++;
	t->s = p + 1;
	t->len = (size_t)(q - p - 1);
	t->at_len = t->len + 1;
	t->type = t->len ? TOK_VAR : TOK_BAD;
	t->why = "a name is expected behind `$`";
}

static void take_punct(struct token *t, const char *p, const char *end)
{
	static const char *const pairs[] = { "==", "!=", "<=", ">=", "<<", ">>" };

	t->s = p;
	t->len = t->at_len = 1;
	t->type = TOK_PUNCT;
	if (*p == '\n') /* by far the most */
		return;
	for (size_t i = 0; end - p >= 2 && i < ARRAY_SIZE(pairs); i++) {
		if (p[0] == pairs[i][0] && p[1] == pairs[i][1])
			t->len = t->at_len = 2;
	}
	if (!*p || !strchr("\n;{}()[],:=!<>&|^/-+*.@~%", *p)) {
		t->type = TOK_BAD;
		t->why = "this character has no meaning here";
	}
}

static void take_token(struct token *t, const char *p, const char *end)
{
	size_t n;

	if (*p == '"') {
		take_string(t, p, end);
		return;
	}
	if (*p == '$') {
		take_var(t, p, end);
		return;
	}
	n = word_length(p, end);
	if (!n) {
		take_punct(t, p, end);
		return;
	}
	t->type = TOK_WORD;
	t->s = p;
	t->len = t->at_len = n;
}

static void take_position(struct lexer *lx, struct token *t, const char *at)
{
	t->line = lx->line;
	t->line_start = lx->line_start;
	t->file = lx->file;
	t->file_len = lx->file_len;
	t->depth = lx->depth;
	t->at = lx->depth ? lx->var_at : at;
	if (lx->depth)
		t->at_len = lx->var_len;
}

void lex_next(struct lexer *lx, struct token *t)
{
	const char *p, *end;

	*t = (struct token){ .type = TOK_END };

	skip_blank(lx);
	while (lx->depth && lx->frames[lx->depth].p >= lx->frames[lx->depth].end) {
		lx->depth--;
		skip_blank(lx);
	}
	p = lx->frames[lx->depth].p;
	end = lx->frames[lx->depth].end;
	if (p < end)
		take_token(t, p, end);
	else
		t->s = p;
	/* The end of the token in its own text, before its position is replaced by that of the `$name`. */
	lx->frames[lx->depth].p = p + t->at_len;
	take_position(lx, t, p);
	if (token_is_punct(t, "\n") && !lx->depth) {
		lx->line++;
		lx->line_start = p + 1;
	}
}

void token_describe(const struct token *t, char *ret, size_t size)
{
	int n = (int)MIN(t->len, (size_t)40);
	const char *more = t->len > 40 ? "..." : "";

	if (t->type == TOK_END)
		snprintf(ret, size, "the end of the text");
	else if (token_is_punct(t, "\n"))
		snprintf(ret, size, "the end of the line");
	else if (t->type == TOK_STRING)
		snprintf(ret, size, "\"%.*s%s\"", n, t->s, more);
	else
		snprintf(ret, size, "`%s%.*s%s`", t->type == TOK_VAR ? "$" : "", n, t->s, more);
}
