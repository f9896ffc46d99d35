/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `include "file"`: the text of the files in its place, each part with a line that says where it comes from.
 *
 * Done before anything is read as a ruleset, by whoever may open files: gwd must not open what a client names.
 */
#include <lang/lang.h>

#include <lang/lex.h>

#define INCLUDE_DEPTH 16
#define INCLUDE_MAX   (256U << 20) /* bytes of everything together */

struct expansion {
	lang_include_fn find;
	void *arg;
	struct strbuf *out;
	struct diag *d;
};

struct source {
	const char *file, *text, *end;
	unsigned int depth;
};

static void set_place(const struct expansion *x, const struct source *s, const struct token *t)
{
	const char *nl = memchr(t->line_start, '\n', (size_t)(s->end - t->line_start));
	size_t len = (size_t)((nl ? nl : s->end) - t->line_start);

	snprintf(x->d->file, sizeof(x->d->file), "%s", s->file);
	x->d->line = t->line;
	x->d->col = (unsigned int)(t->at - t->line_start) + 1;
	x->d->len = (unsigned int)MAX(MIN(t->at_len, (size_t)400), (size_t)1);
	if (x->d->col < sizeof(x->d->source))
		snprintf(x->d->source, sizeof(x->d->source), "%.*s",
			 (int)MIN(len, sizeof(x->d->source) - 1), t->line_start);
}

/* The line behind this one is line N of the file; what could end the name early becomes `?`. */
static void put_mark(struct strbuf *out, const char *file, unsigned int line)
{
	strbuf_printf(out, "#gw-line %u \"", line);
	for (; *file; file++)
		strbuf_add(out, (unsigned char)*file < ' ' || *file == '"' ? "?" : file, 1);
	strbuf_puts(out, "\"\n");
}

static int expand(const struct expansion *x, const struct source *s);

static int fail_files(const struct expansion *x, const struct source *s, const struct token *t,
		      const char *pattern, int r)
{
	if (r == -ENOMEM)
		return r;
	diag_set(x->d, "cannot include `%.100s`: %s", pattern, strerror(-r));
	if (r == -ENOENT && pattern[0] != '/' && pattern[0] != '.')
		diag_hint(x->d,
			  "bare names are looked for in the include directories; `./%.100s` is "
			  "from here",
			  pattern);
	set_place(x, s, t);
	return LANG_E_DIAG;
}

static int expand_files(const struct expansion *x, const struct source *s, const struct token *t)
{
	struct include_files files = { 0 };
	char pattern[512];
	int r;

	snprintf(pattern, sizeof(pattern), "%.*s", (int)MIN(t->len, sizeof(pattern) - 1), t->s);
	if (s->depth >= INCLUDE_DEPTH) {
		diag_set(x->d, "files include each other too deeply");
		set_place(x, s, t);
		return LANG_E_DIAG;
	}
	r = x->find(x->arg, pattern, &files);
	for (size_t i = 0; !r && i < files.n; i++) {
		const struct include_file *f = &files.v[i];
		struct source inner = { f->name, f->text, f->text + f->len, s->depth + 1 };

		strbuf_puts(x->out, "\n");
		put_mark(x->out, f->name, 1);
		r = expand(x, &inner);
	}
	include_files_deinit(&files);
	return r < 0 ? fail_files(x, s, t, pattern, r) : r;
}

/* Back behind the statement: in its line and its column. */
static void put_return(const struct expansion *x, const struct source *s, const struct token *t)
{
	size_t col = (size_t)(t->at + t->at_len - t->line_start);

	strbuf_puts(x->out, "\n");
	put_mark(x->out, s->file, t->line);
	for (; col > 0; col--)
		strbuf_add(x->out, " ", 1);
}

static bool ends_statement(const struct token *t)
{
	return token_is_punct(t, "\n") || token_is_punct(t, ";") || token_is_punct(t, "{") ||
	       token_is_punct(t, "}");
}

static int check_total(const struct expansion *x, const struct source *s, const struct token *t)
{
	if (x->out->failed)
		return -ENOMEM;
	if (x->out->len + (size_t)(s->end - s->text) <= INCLUDE_MAX)
		return 0;
	diag_set(x->d, "the included files are larger than %u MB together", INCLUDE_MAX >> 20);
	set_place(x, s, t);
	return LANG_E_DIAG;
}

static int expand(const struct expansion *x, const struct source *s)
{
	const char *done = s->text;
	struct token t, at;
	struct lexer lx;
	bool start = true;
	int r = 0;

	lex_init(&lx, s->text, (size_t)(s->end - s->text));
	lex_next(&lx, &t);
	r = check_total(x, s, &t);
	for (; !r && t.type != TOK_END; lex_next(&lx, &t)) {
		if (!start || !token_is(&t, "include")) {
			start = ends_statement(&t);
			continue;
		}
		at = t;
		lex_next(&lx, &t);
		if (t.type == TOK_END)
			break;
		if (t.type != TOK_STRING) {
			diag_set(x->d, "the name of a file in quotes expected");
			set_place(x, s, &t);
			return LANG_E_DIAG;
		}
		strbuf_add(x->out, done, (size_t)(at.at - done));
		r = expand_files(x, s, &t);
		put_return(x, s, &t);
		done = t.at + t.at_len;
		start = false;
	}
	strbuf_add(x->out, done, (size_t)(s->end - done));
	return r;
}

int lang_expand_includes(const char *file, const char *text, size_t len, lang_include_fn find,
			 void *arg, struct strbuf *out, struct diag *d)
{
	const struct expansion x = { .find = find, .arg = arg, .out = out, .d = d };
	const struct source s = { .file = file ? file : "", .text = text, .end = text + len };
	int r = 0;

	/* most texts include nothing, and some have millions of words */
	if (memmem(text, len, "include", strlen("include")))
		r = expand(&x, &s);
	else
		strbuf_add(out, text, len);
	return !r && out->failed ? -ENOMEM : r;
}
