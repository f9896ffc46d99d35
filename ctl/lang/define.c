/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

static struct define *define_find(struct parser *p, const char *s, size_t len)
{
	for (size_t i = 0; i < p->n_defines; i++) {
		if (strlen(p->defines[i].name) == len && !memcmp(p->defines[i].name, s, len))
			return &p->defines[i];
	}
	return NULL;
}

int expand_var(struct parser *p)
{
	struct define *def = define_find(p, p->tok.s, p->tok.len);

	if (!def) {
		fail_at(p, &p->tok, "`$%.*s` is not defined", (int)MIN(p->tok.len, (size_t)60),
			p->tok.s);
		return fail_hint(p, "write `define %.*s = ...` before it is used",
				 (int)MIN(p->tok.len, (size_t)60), p->tok.s);
	}
	if (!lex_push(&p->lx, &p->tok, def->s, def->len))
		return fail_at(p, &p->tok, "definitions refer to each other too deeply");
	return 0;
}

/* The value is the text up to the end of the statement; it is read where it is used. */
static int take_value(struct parser *p, const char **ret_s, size_t *ret_len)
{
	unsigned int depth = 0;
	const char *end;

	if (p->tok.depth)
		return fail_at(p, &p->tok, "a definition can not come out of a variable");
	parse_raw(p);
	*ret_s = end = p->tok.s - (p->tok.type == TOK_STRING || p->tok.type == TOK_VAR);
	while (p->tok.type != TOK_END &&
	       (depth || (!token_is_punct(&p->tok, "\n") && !token_is_punct(&p->tok, ";") &&
			  !token_is_punct(&p->tok, "}")))) {
		if (p->tok.type == TOK_BAD)
			return fail_expected(p, "a value");
		if (token_is_punct(&p->tok, "{"))
			depth++;
		if (token_is_punct(&p->tok, "}"))
			depth--;
		end = p->tok.at + p->tok.at_len;
		parse_raw(p);
	}
	*ret_len = (size_t)(end - *ret_s);
	if (depth || !*ret_len)
		return fail_expected(p, depth ? "`}`" : "a value");
	return 0;
}

static int define_set(struct parser *p, const struct token *at, const char *name, bool again)
{
	struct define *def = define_find(p, name, strlen(name));
	void *grown = p->defines;
	const char *s = NULL;
	size_t len = 0;
	int r;

	if (def && !again)
		return fail_at(p, at, "`%s` is defined already", name);
	if (!token_is_punct(&p->tok, "="))
		return fail_expected(p, "`=`");
	r = take_value(p, &s, &len);
	if (r)
		return r;
	if (!def) {
		r = array_reserve(&grown, &p->cap_defines, p->n_defines, sizeof(*def));
		if (r < 0)
			return r;
		p->defines = grown;
		def = &p->defines[p->n_defines++];
		snprintf(def->name, sizeof(def->name), "%s", name);
	}
	def->s = s;
	def->len = len;
	return 0;
}

static int define_remove(struct parser *p, const struct token *at, const char *name)
{
	struct define *def = define_find(p, name, strlen(name));

	if (!def)
		return fail_at(p, at, "`%s` is not defined", name);
	*def = p->defines[--p->n_defines];
	return 0;
}

int parse_define(struct parser *p, bool *ret_done)
{
	bool again = token_is(&p->tok, "redefine"), gone = token_is(&p->tok, "undefine");
	char name[NAME_SIZE];
	struct token at;
	int r;

	*ret_done = false;
	if (token_is(&p->tok, "include")) {
		fail_at(p, &p->tok, "`include` is not read here");
		return fail_hint(p, "`gwctl ruleset apply` and gwd's own file can include others");
	}
	if (!again && !gone && !token_is(&p->tok, "define"))
		return 0;
	*ret_done = true;
	r = parse_advance(p);
	if (r)
		return r;
	at = p->tok;
	r = parse_name(p, "a name for the definition", name);
	if (r)
		return r;
	return gone ? define_remove(p, &at, name) : define_set(p, &at, name, again);
}
