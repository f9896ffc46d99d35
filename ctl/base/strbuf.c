/* SPDX-License-Identifier: GPL-2.0-only */
#include <base/base.h>

static bool strbuf_reserve(struct strbuf *b, size_t n)
{
	void *s = b->s;

	if (b->failed)
		return false;
	if (n > SIZE_MAX - b->len - 1 || array_reserve(&s, &b->cap, b->len + n, 1) < 0) {
		b->failed = true;
		return false;
	}
	b->s = s;
	return true;
}

void strbuf_add(struct strbuf *b, const char *data, size_t n)
{
	if (!strbuf_reserve(b, n))
		return;
	if (n)
		memcpy(b->s + b->len, data, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list args, again;
	char small[256];
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(small, sizeof(small), fmt, args);
	if (n < 0) {
		b->failed = true;
	} else if ((size_t)n < sizeof(small)) {
		strbuf_add(b, small, (size_t)n);
	} else if (strbuf_reserve(b, (size_t)n)) {
		vsnprintf(b->s + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	va_end(args);
}

void strbuf_deinit(struct strbuf *b)
{
	free(b->s);
	*b = (struct strbuf){ 0 };
}

char *strbuf_take(struct strbuf *b)
{
	char *s;

	if (!b->s)
		strbuf_add(b, "", 0);
	s = b->failed ? NULL : TAKE_PTR(b->s);
	strbuf_deinit(b);
	return s;
}
