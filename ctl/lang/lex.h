/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_LEX_H
#define LANG_LEX_H
/*
 * lex - text -> tokens, one at a time, without copying: tokens point into the text.
 *
 * A `$name` is a token of its own; whoever reads it may push the text it stands for, which is then read first.
 * Tokens from pushed text carry the position of the outermost `$name`: that is what the user sees.
 * A comment `#gw-line N "FILE"` says where the line behind it comes from (include.c writes it).
 */
#include <base/base.h>

enum tok {
	TOK_END,
	TOK_WORD,   /* bare: keyword, name, number, address */
	TOK_STRING, /* "..."; s/len are the text between the quotes, still escaped */
	TOK_VAR,    /* $name; s/len are the name */
	TOK_PUNCT,  /* s/len are the one or two characters */
	TOK_BAD,    /* can not be read; why says what is wrong */
};

struct token {
	enum tok type;
	const char *s;
	size_t len;
	const char *why;
	/* position */
	unsigned int line;
	const char *line_start;
	const char *at;
	size_t at_len;
	const char *file; /* NULL = the one that was given */
	size_t file_len;
	unsigned int depth; /* of pushed text it came from, 0 = the text itself */
};

#define LEX_DEPTH 16
#define LEX_BUDGET \
	(16U << 20) /* bytes of pushed text in all: definitions of definitions grow fast */

struct lexer {
	struct {
		const char *p, *end;
	} frames[LEX_DEPTH];
	unsigned int depth;
	unsigned int line;
	const char *line_start;
	const char *file; /* of a `#gw-line` */
	size_t file_len;
	const char *var_at;
	size_t var_len;
	size_t budget;
};

void lex_init(struct lexer *lx, const char *text, size_t len);
/* The next token; text that was pushed is left when it is used up. */
void lex_next(struct lexer *lx, struct token *t);
/* Read s next, for the token var.  false: too deep or too much. */
bool lex_push(struct lexer *lx, const struct token *var, const char *s, size_t len);

/* Asked many times for each word of each rule: inline, so that the length of the word is known. */
static inline bool token_has_text(const struct token *t, const char *text)
{
	return t->s[0] == text[0] && strlen(text) == t->len && !memcmp(t->s, text, t->len);
}
static inline bool token_is(const struct token *t, const char *word) /* a bare word */
{
	return t->type == TOK_WORD && token_has_text(t, word);
}
static inline bool token_is_punct(const struct token *t, const char *punct)
{
	return t->type == TOK_PUNCT && token_has_text(t, punct);
}
/* How messages call it: `word`, "end of line"... */
void token_describe(const struct token *t, char *ret, size_t size);
/* Is s a name that can be written without quotes? */
bool lex_is_plain_name(const char *s);

#endif
