/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/import.h>

#include <ctype.h>

/* Lines of the text, and where the block around each begins: header[i] = line of the `{` that is open there, -1 = none. */
struct lines {
	char *text; /* own copy: what is left out becomes blanks */
	size_t *start, *end;
	int *header;
	size_t n;
};

static void lines_deinit(struct lines *l)
{
	free(l->text);
	free(l->start);
	free(l->end);
	free(l->header);
}

#define DEPTH_MAX 64

/* Braces outside of strings and comments open and close blocks. */
static void line_braces(struct lines *l, size_t i, int stack[DEPTH_MAX], int *depth)
{
	bool quoted = false;

	l->header[i] = *depth > 0 ? stack[MIN(*depth, DEPTH_MAX) - 1] : -1;
	for (size_t k = l->start[i]; k < l->end[i]; k++) {
		char c = l->text[k];

		if (c == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (c == '#')
			return;
		if (c == '{' && (*depth)++ < DEPTH_MAX)
			stack[*depth - 1] = (int)i;
		if (c == '}' && *depth > 0)
			(*depth)--;
	}
}

static int lines_init(struct lines *l, const char *text, size_t len)
{
	int stack[DEPTH_MAX], depth = 0;
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	*l = (struct lines){ .text = malloc(len + 1),
			     .start = calloc(n, sizeof(*l->start)),
			     .end = calloc(n, sizeof(*l->end)),
			     .header = calloc(n, sizeof(*l->header)) };
	if (!l->text || !l->start || !l->end || !l->header)
		return -ENOMEM;
	memcpy(l->text, text, len);
	l->text[len] = '\0';
	for (size_t at = 0; l->n < n; l->n++) {
		const char *nl = memchr(l->text + at, '\n', len - at);

		l->start[l->n] = at;
		l->end[l->n] = nl ? (size_t)(nl - l->text) : len;
		line_braces(l, l->n, stack, &depth);
		at = l->end[l->n] + 1;
	}
	return 0;
}

static bool line_begins(const struct lines *l, size_t i, const char *word)
{
	const char *s = l->text + l->start[i];

	while (isblank((unsigned char)*s))
		s++;
	return !strncmp(s, word, strlen(word)) && isspace((unsigned char)s[strlen(word)]);
}

/* The first line behind the block that line i opens. */
static size_t block_end(const struct lines *l, size_t i)
{
	size_t k = i + 1;

	while (k < l->n && l->header[k] >= (int)i)
		k++;
	return k;
}

/* What is left out because of a refusal in line i: lines *first .. *end. */
static void refused_part(const struct lines *l, size_t i, size_t *first, size_t *end)
{
	int header = l->header[i];

	*first = i;
	*end = block_end(l, i);
	if (header >= 0 && *end == i + 1 && !line_begins(l, (size_t)header, "chain") &&
	    !line_begins(l, (size_t)header, "table")) {
		*first = (size_t)header;
		*end = block_end(l, *first);
	}
}

static void report_line(const struct lines *l, const char *file, size_t i, const struct diag *d,
			struct strbuf *report)
{
	const char *s = l->text + l->start[i];
	size_t len = l->end[i] - l->start[i];

	while (len && isblank((unsigned char)*s))
		s++, len--;
	strbuf_printf(report, "%s:%zu: %s: %.*s\n", file, i + 1, d->text,
		      (int)MIN(len, (size_t)200), s);
}

/* Blank out what was refused; false: there is nothing left to blank there. */
static bool lines_leave_out(struct lines *l, const char *file, const struct diag *d,
			    struct strbuf *report)
{
	size_t first, end;
	bool any = false;

	if (!d->line || d->line > l->n)
		return false;
	refused_part(l, d->line - 1, &first, &end);
	report_line(l, file, first, d, report);
	for (size_t i = first; i < end; i++) {
		for (size_t k = l->start[i]; k < l->end[i]; k++) {
			any = any || !isspace((unsigned char)l->text[k]);
			l->text[k] = ' ';
		}
	}
	return any;
}

int lang_import(struct ruleset *rs, const char *file, const char *text, size_t len,
		struct strbuf *report, unsigned int *ret_skipped, struct diag *d)
{
	_cleanup_(lines_deinit) struct lines l = { 0 };
	int r = lines_init(&l, text, len);

	*ret_skipped = 0;
	while (r == 0) {
		_cleanup_(ruleset_freep) struct ruleset *next = ruleset_copy(rs);

		if (!next)
			return -ENOMEM;
		*d = (struct diag){ 0 };
		r = lang_apply(next, file, l.text, len, NULL, d);
		if (r == 0) {
			struct ruleset old = *rs;

			*rs = *next;
			*next = old;
			return 0;
		}
		if (r == LANG_E_DIAG && *ret_skipped < IMPORT_SKIPS_MAX &&
		    lines_leave_out(&l, file, d, report)) {
			(*ret_skipped)++;
			r = 0;
		}
	}
	return r;
}
