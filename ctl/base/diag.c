/* SPDX-License-Identifier: GPL-2.0-only */
#include <base/diag.h>

void diag_set(struct diag *d, const char *fmt, ...)
{
	va_list args;

	*d = (struct diag){ 0 };
	va_start(args, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, args);
	va_end(args);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(d->hint, sizeof(d->hint), fmt, args);
	va_end(args);
}

/* Input may hold anything; a terminal must not act on it.  Tabs stay: the caret line repeats them. */
static void add_clean(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		strbuf_add(b, (c < ' ' && c != '\t') || c == 127 ? "?" : s, 1);
	}
}

static void add_caret(const struct diag *d, struct strbuf *b)
{
	size_t have = strlen(d->source), at = d->col - 1;
	size_t room = have > at ? have - at : 1;
	size_t n = MIN(MAX((size_t)d->len, (size_t)1), room);

	if (at > have)
		return;
	for (size_t i = 0; i < at; i++)
		strbuf_puts(b, d->source[i] == '\t' ? "\t" : " ");
	strbuf_puts(b, "^");
	for (size_t i = 1; i < n; i++)
		strbuf_puts(b, "~");
	strbuf_puts(b, "\n");
}

void diag_render(const struct diag *d, struct strbuf *b)
{
	add_clean(b, d->file);
	if (d->line)
		strbuf_printf(b, "%s%u:%u", d->file[0] ? ":" : "", d->line, MAX(d->col, 1U));
	if (d->file[0] || d->line)
		strbuf_puts(b, ": ");
	strbuf_puts(b, "error: ");
	add_clean(b, d->text);
	strbuf_puts(b, "\n");
	if (d->source[0] && d->line && d->col) {
		add_clean(b, d->source);
		strbuf_puts(b, "\n");
		add_caret(d, b);
	}
	if (d->hint[0]) {
		strbuf_puts(b, "hint: ");
		add_clean(b, d->hint);
		strbuf_puts(b, "\n");
	}
}
