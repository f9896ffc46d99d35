/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/sort.h>
#include <compile/tree.h>

#define BANDS (GW_DEPTHS - 1)
/* Spans are visited in an order that no cache guesses; this far ahead they are asked for. */
#define AHEAD 12

/* The sweep: spans that are open, the innermost last. */
struct open_span {
	index_addr hi;
	uint32_t label;
	uint8_t cls;
};
struct sweep {
	const struct tree_span *spans;
	size_t n;
	index_addr top;
	struct sort_item *order;
	uint8_t band[TREE_CLASSES];
	uint32_t (*inside)[TREE_CLASSES]; /* [class around][class]: spans */
	size_t depth_max;
	struct open_span *open;
	size_t n_open, open_cap;
};

static void sweep_deinit(struct sweep *w)
{
	free(w->order);
	free(w->inside);
	free(w->open);
}

void tree_deinit(struct tree *t)
{
	free(t->labels);
	free(t->cuts);
	free(t->label_of);
	free(t->folded);
	*t = (struct tree){};
}

/* By start, the wider one first. */
static int order_spans(struct sweep *w)
{
	_cleanup_(freep) struct sort_item *tmp = malloc((w->n + 1) * sizeof(*tmp));
	bool wide = w->top > UINT32_MAX;

	w->order = malloc((w->n + 1) * sizeof(*w->order));
	if (!tmp || !w->order)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++)
		w->order[i] = (struct sort_item){
			(wide ? 0 : (uint64_t)w->spans[i].lo << 8) | w->spans[i].cls, (uint32_t)i
		};
	sort_items(w->order, tmp, w->n);
	for (int part = 0; wide && part < 2; part++) {
		for (size_t i = 0; i < w->n; i++)
			w->order[i].key = (uint64_t)(w->spans[w->order[i].at].lo >> (part * 64));
		sort_items(w->order, tmp, w->n);
	}
	return 0;
}

static const struct tree_span *span_visit(const struct sweep *w, size_t i)
{
	if (i + AHEAD < w->n)
		__builtin_prefetch(&w->spans[w->order[i + AHEAD].at]);
	return &w->spans[w->order[i].at];
}

static bool span_equal(const struct tree_span *a, const struct tree_span *b)
{
	return a->lo == b->lo && a->hi == b->hi;
}

static int open_push(struct sweep *w, const struct tree_span *s, uint32_t label)
{
	if (array_reserve((void **)&w->open, &w->open_cap, w->n_open, sizeof(*w->open)) < 0)
		return -ENOMEM;
	w->open[w->n_open++] = (struct open_span){ s->hi, label, s->cls };
	return 0;
}

/* How deep do spans nest, and which classes inside which? */
static int measure(struct sweep *w)
{
	const struct tree_span *last = NULL;

	w->n_open = 0;
	for (size_t i = 0; i < w->n; i++) {
		const struct tree_span *s = span_visit(w, i);

		if (!s->cls)
			continue;
		if (last && span_equal(s, last)) {
			if (w->n_open > 1)
				w->inside[w->open[w->n_open - 2].cls][s->cls]++;
			continue;
		}
		last = s;
		while (w->n_open && w->open[w->n_open - 1].hi < s->lo)
			w->n_open--;
		if (w->n_open)
			w->inside[w->open[w->n_open - 1].cls][s->cls]++;
		if (open_push(w, s, 0) < 0)
			return -ENOMEM;
		w->depth_max = MAX(w->depth_max, w->n_open);
	}
	return 0;
}

/* Spans that would be folded if the classes from..to were one band, for a fixed `from` and every `to`. */
static void fold_costs(const struct sweep *w, int from, uint64_t *cost)
{
	uint64_t sum = 0;

	for (int to = from; to < TREE_CLASSES; to++) {
		for (int around = from; around <= to; around++)
			sum += w->inside[around][to];
		cost[to] = sum;
	}
}

/* Seven bands of classes with the fewest folded spans. */
static int choose_bands(struct sweep *w)
{
	uint64_t best[BANDS + 1][TREE_CLASSES + 1];
	uint8_t from_of[BANDS + 1][TREE_CLASSES + 1];
	uint64_t cost[TREE_CLASSES];
	int end = TREE_CLASSES;

	memset(best, 0xff, sizeof(best));
	memset(from_of, 0, sizeof(from_of));
	best[0][0] = 0;
	/* best[b][end]: the classes below `end` in b bands; `from` ascends, so what it builds on is done */
	for (int from = 0; from < TREE_CLASSES; from++) {
		fold_costs(w, from, cost);
		for (int b = 1; b <= BANDS; b++) {
			if (best[b - 1][from] == UINT64_MAX)
				continue;
			for (int to = from; to < TREE_CLASSES; to++) {
				if (best[b - 1][from] + cost[to] >= best[b][to + 1])
					continue;
				best[b][to + 1] = best[b - 1][from] + cost[to];
				from_of[b][to + 1] = (uint8_t)from;
			}
		}
	}
	for (int b = BANDS; b > 0; b--) {
		for (int c = from_of[b][end]; c < end; c++)
			w->band[c] = (uint8_t)b;
		end = from_of[b][end];
	}
	return 0;
}

static void cut_add(struct tree *t, index_addr start, uint32_t label)
{
	if (t->n_cuts && t->cuts[t->n_cuts - 1].start == start)
		t->n_cuts--;
	if (t->n_cuts && t->cuts[t->n_cuts - 1].label == label)
		return;
	t->cuts[t->n_cuts++] = (struct tree_cut){ start, label };
}

/* Close what ends below `start`: behind it the label around goes on. */
static void close_until(struct sweep *w, struct tree *t, index_addr start)
{
	while (w->n_open && w->open[w->n_open - 1].hi < start) {
		index_addr hi = w->open[--w->n_open].hi;

		cut_add(t, hi + 1, w->n_open ? w->open[w->n_open - 1].label : 0);
	}
}

static uint32_t top_label(const struct sweep *w)
{
	return w->n_open ? w->open[w->n_open - 1].label : 0;
}

static int label_spans(struct sweep *w, struct tree *t, size_t max_labels)
{
	bool banded = w->depth_max > BANDS;
	const struct tree_span *last = NULL;
	bool last_folded = false;

	w->n_open = 0;
	cut_add(t, 0, 0);
	for (size_t i = 0; i < w->n; i++) {
		uint32_t at = w->order[i].at, around;
		const struct tree_span *s = span_visit(w, i);

		if (!s->cls)
			continue; /* label 0, and that is exact */
		close_until(w, t, s->lo);
		around = top_label(w);
		if (last && span_equal(s, last)) {
			t->label_of[at] = around;
			t->folded[at] = last_folded;
			continue;
		}
		last = s;
		last_folded = t->n_labels >= max_labels ||
			      (banded && around &&
			       w->band[w->open[w->n_open - 1].cls] == w->band[s->cls]);
		t->folded[at] = last_folded;
		if (!last_folded) {
			uint32_t label = (uint32_t)t->n_labels++;

			t->labels[label] = (struct tree_label){ around, t->labels[around].lev + 1 };
			if (open_push(w, s, label) < 0)
				return -ENOMEM;
			cut_add(t, s->lo, label);
		}
		t->label_of[at] = top_label(w);
	}
	while (w->n_open && w->open[w->n_open - 1].hi < w->top)
		close_until(w, t, w->open[w->n_open - 1].hi + 1);
	return 0;
}

static int tree_alloc(struct tree *t, size_t n)
{
	t->labels = calloc(n + 1, sizeof(*t->labels));
	t->cuts = malloc((2 * n + 2) * sizeof(*t->cuts));
	t->label_of = calloc(n + 1, sizeof(*t->label_of));
	t->folded = calloc(n + 1, sizeof(*t->folded));
	t->n_labels = 1;
	return t->labels && t->cuts && t->label_of && t->folded ? 0 : -ENOMEM;
}

int tree_build(const struct tree_span *spans, size_t n, index_addr top, size_t max_labels,
	       struct tree *t)
{
	_cleanup_(sweep_deinit) struct sweep w = { .spans = spans, .n = n, .top = top };

	w.inside = calloc(TREE_CLASSES, sizeof(*w.inside));
	if (!w.inside || tree_alloc(t, n) < 0 || order_spans(&w) < 0 || measure(&w) < 0)
		return -ENOMEM;
	if (w.depth_max > BANDS)
		choose_bands(&w);
	return label_spans(&w, t, max_labels);
}
