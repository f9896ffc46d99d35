/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwctl/diff.h>

/* Above this the middle of two very different rulesets is shown as one replaced block: memory is n * m bits. */
#define CELLS_MAX (64U << 20)

struct line {
	const char *s;
	size_t len;
};
struct lines {
	struct line *v;
	size_t n, cap;
};

static void lines_deinit(struct lines *l)
{
	free(l->v);
}

static int lines_split(const char *text, struct lines *l)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		void *v = l->v;
		int r = array_reserve(&v, &l->cap, l->n, sizeof(*l->v));

		if (r < 0)
			return r;
		l->v = v;
		l->v[l->n++] = (struct line){ text, len };
		text += len + (text[len] == '\n');
	}
	return 0;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->len == b->len && !memcmp(a->s, b->s, a->len);
}

/* Writes lines; an unchanged opener waits until something below it changed. */
struct writer {
	struct strbuf *out;
	struct line open[8]; /* blocks around the current line, by depth */
	bool shown[8];
	size_t depth;
};

static void put(struct writer *w, char mark, const struct line *l)
{
	strbuf_add(w->out, &mark, 1);
	strbuf_add(w->out, l->s, l->len);
	strbuf_puts(w->out, "\n");
}

static void keep(struct writer *w, const struct line *l)
{
	bool opens = l->len && l->s[l->len - 1] == '{';
	bool closes = l->len && l->s[l->len - 1] == '}' && !memchr(l->s, '{', l->len);

	if (opens && w->depth < ARRAY_SIZE(w->open)) {
		w->shown[w->depth] = false;
		w->open[w->depth++] = *l;
	} else if (closes && w->depth) {
		if (w->shown[--w->depth])
			put(w, ' ', l);
	}
}

static void change(struct writer *w, char mark, const struct line *l)
{
	if (!l->len)
		return;
	for (size_t i = 0; i < w->depth; i++)
		if (!w->shown[i]) {
			put(w, ' ', &w->open[i]);
			w->shown[i] = true;
		}
	put(w, mark, l);
}

/* Longest common subsequence, lengths from the end; row i, column j at len[i * (m + 1) + j]. */
static void fill(const struct line *a, size_t n, const struct line *b, size_t m, uint32_t *len)
{
	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			uint32_t down = len[(i + 1) * (m + 1) + j],
				 right = len[i * (m + 1) + j + 1];

			len[i * (m + 1) + j] = same(&a[i], &b[j])
						       ? len[(i + 1) * (m + 1) + j + 1] + 1
						       : MAX(down, right);
		}
}

static int diff_middle(struct writer *w, const struct line *a, size_t n, const struct line *b,
		       size_t m)
{
	bool small = (n + 1) <= CELLS_MAX / (m + 1) / sizeof(uint32_t);
	_cleanup_(freep) uint32_t *len = small ? calloc((n + 1) * (m + 1), sizeof(*len)) : NULL;
	size_t i = 0, j = 0;

	if (small && !len)
		return -ENOMEM;
	if (small)
		fill(a, n, b, m, len);
	while (small && i < n && j < m) {
		if (same(&a[i], &b[j])) {
			keep(w, &a[i]);
			i++, j++;
		} else if (len[(i + 1) * (m + 1) + j] >= len[i * (m + 1) + j + 1]) {
			change(w, '-', &a[i++]);
		} else {
			change(w, '+', &b[j++]);
		}
	}
	while (i < n)
		change(w, '-', &a[i++]);
	while (j < m)
		change(w, '+', &b[j++]);
	return 0;
}

int diff_lines(const char *a, const char *b, struct strbuf *out)
{
	_cleanup_(lines_deinit) struct lines la = { 0 }, lb = { 0 };
	struct writer w = { .out = out };
	size_t head = 0, tail = 0;
	int r = lines_split(a, &la);

	if (!r)
		r = lines_split(b, &lb);
	if (r < 0)
		return r;
	for (; head < la.n && head < lb.n && same(&la.v[head], &lb.v[head]); head++)
		keep(&w, &la.v[head]);
	while (tail < la.n - head && tail < lb.n - head &&
	       same(&la.v[la.n - 1 - tail], &lb.v[lb.n - 1 - tail]))
		tail++;
	r = diff_middle(&w, la.v + head, la.n - head - tail, lb.v + head, lb.n - head - tail);
	for (size_t i = la.n - tail; i < la.n; i++)
		keep(&w, &la.v[i]);
	return r;
}
