/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/labels.h>
#include <compile/sort.h>

void labels_deinit(struct labels *l)
{
	tree_deinit(&l->tree);
	free(l->own);
	*l = (struct labels){};
}

static unsigned int leading_equal(index_addr a, index_addr b)
{
	uint64_t hi = (uint64_t)((a ^ b) >> 64), lo = (uint64_t)(a ^ b);

	if (hi)
		return (unsigned int)__builtin_clzll(hi);
	return lo ? 64 + (unsigned int)__builtin_clzll(lo) : 128;
}

/* The smallest prefix that covers lo..hi; a range that is not to be matched covers everything. */
static struct tree_span covering(index_addr lo, index_addr hi, bool not, int version)
{
	unsigned int bits = version == 6 ? 128 : 32, len = leading_equal(lo, hi) - (128 - bits);
	index_addr host = len < bits ? ~(index_addr)0 >> (128 - bits + len) : 0;

	if (not || lo > hi || !len)
		return (struct tree_span){ 0, version == 6 ? ~(index_addr)0 : UINT32_MAX, 0 };
	return (struct tree_span){ lo & ~host, lo | host, (uint8_t)len };
}

int labels_addresses(const struct index_rule *rules, size_t n, int version, int dim,
		     struct labels *ret)
{
	_cleanup_(freep) struct tree_span *spans = malloc((n + 1) * sizeof(*spans));
	index_addr top = version == 6 ? ~(index_addr)0 : UINT32_MAX;
	int r;

	if (!spans)
		return raise(-ENOMEM, "cannot build the index");
	for (size_t i = 0; i < n; i++) {
		const struct index_rule *u = &rules[i];

		spans[i] = dim ? covering(u->d_lo, u->d_hi, u->not_d, version)
			       : covering(u->s_lo, u->s_hi, u->not_s, version);
	}
	r = tree_build(spans, n, top, GW_LABEL_MAX, &ret->tree);
	if (!r)
		ret->own = calloc(ret->tree.n_labels, sizeof(*ret->own));
	if (r < 0 || !ret->own)
		return raise(-ENOMEM, "cannot build the index");
	for (size_t i = 0; i < n; i++) {
		const struct index_rule *u = &rules[i];
		index_addr lo = dim ? u->d_lo : u->s_lo, hi = dim ? u->d_hi : u->s_hi;
		bool not = dim ? u->not_d : u->not_s;

		ret->tree.folded[i] |= not || spans[i].lo != lo || spans[i].hi != hi;
	}
	return ret->tree.n_labels >= GW_LABEL_MAX ? INDEX_E_FULL : 0;
}

void labels_accumulate(struct labels *l)
{
	for (size_t i = 1; i < l->tree.n_labels; i++)
		l->own[i] |= l->own[l->tree.labels[i].par];
}

/* ---------------------------------------------------------------------------------------------------------- classes */

struct class_map {
	uint32_t *of; /* label -> class */
	struct gw_class *classes;
	size_t n;
};

static void class_map_deinit(struct class_map *m)
{
	free(m->of);
	free(m->classes);
}

static int classes_find(const struct labels *l, struct class_map *m)
{
	_cleanup_(freep) uint32_t *slots = NULL;
	size_t n = l->tree.n_labels, mask = 15;

	while (mask < 2 * n)
		mask = mask * 2 + 1;
	slots = calloc(mask + 1, sizeof(*slots));
	m->of = malloc(n * sizeof(*m->of));
	m->classes = calloc(n, sizeof(*m->classes));
	if (!slots || !m->of || !m->classes)
		return raise(-ENOMEM, "cannot build the index");
	for (size_t i = 0; i < n; i++) {
		struct gw_class c = { .bm = l->own[i], .lev = l->tree.labels[i].lev };
		size_t at = hash_key(c.bm ^ c.lev) & mask;

		while (slots[at] && memcmp(&m->classes[slots[at] - 1], &c, sizeof(c)))
			at = (at + 1) & mask;
		if (!slots[at]) {
			m->classes[m->n++] = c;
			slots[at] = (uint32_t)m->n;
		}
		m->of[i] = slots[at] - 1;
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------------ range table */

int chunks_build(struct builder *b, const uint64_t *starts, size_t n, unsigned int sh_max,
		 struct chunks *ret)
{
	struct chunks c = { .sh = sh_max };
	uint64_t first, last, want = 8;
	uint32_t *dx;
	size_t at = 0;
	int r;

	if (n > 1) {
		first = starts[1];
		last = starts[n - 1];
		while (want < n && want < 1U << 18)
			want *= 2;
		for (c.sh = 0; c.sh < sh_max && (last >> c.sh) - (first >> c.sh) >= want;)
			c.sh++;
		c.base = first >> c.sh << c.sh;
		c.nx = (uint32_t)((last - c.base) >> c.sh) + 1;
	}
	r = body_take(b, (size_t)c.nx + 1, sizeof(*dx), &c.o_dx, &dx);
	if (r)
		return r;
	for (uint32_t i = 0; i <= c.nx; i++) {
		/* the chunk's start does not overflow before the last start is behind */
		while (at + 1 < n && (i == c.nx || starts[at + 1] < c.base + ((uint64_t)i << c.sh)))
			at++;
		dx[i] = (uint32_t)at;
	}
	*ret = c;
	return 0;
}

static uint64_t cut_value(const struct class_map *m, const struct tree_cut *c)
{
	return (uint64_t)m->of[c->label] << 20 | c->label;
}

static int write_ranges4(struct builder *b, const struct tree *t, const struct class_map *m,
			 struct gw_dim *d, uint64_t *starts)
{
	uint64_t *rr;
	int r = body_take(b, t->n_cuts, sizeof(*rr), &d->o_rr, &rr);

	for (size_t i = 0; !r && i < t->n_cuts; i++) {
		starts[i] = (uint64_t)t->cuts[i].start;
		rr[i] = starts[i] << 40 | cut_value(m, &t->cuts[i]);
	}
	return r;
}

/* Cuts with the upper half of cuts[i]: how many. */
static size_t same_upper(const struct tree *t, size_t i)
{
	uint64_t upper = (uint64_t)(t->cuts[i].start >> 64);
	size_t end = i + 1;

	while (end < t->n_cuts && (uint64_t)(t->cuts[end].start >> 64) == upper)
		end++;
	return end - i;
}

/* An upper half needs pairs of lower halves unless its only cut starts at its first address. */
static bool upper_is_whole(const struct tree *t, size_t i, size_t n)
{
	return n == 1 && !(uint64_t)t->cuts[i].start;
}

static void count_ranges6(const struct tree *t, size_t *n_upper, size_t *n_sub)
{
	for (size_t i = 0, n; i < t->n_cuts; i += n) {
		n = same_upper(t, i);
		++*n_upper;
		if (!upper_is_whole(t, i, n))
			*n_sub += n + !!(uint64_t)t->cuts[i].start;
	}
}

static int write_ranges6(struct builder *b, const struct tree *t, const struct class_map *m,
			 struct gw_dim *d, uint64_t *starts, size_t *ret_n)
{
	size_t n_upper = 0, n_sub = 0, at = 0;
	struct gw_pair64 *rr, *sub;
	uint64_t value = 0;
	int r;

	count_ranges6(t, &n_upper, &n_sub);
	r = body_take(b, MAX(n_sub, 1U), sizeof(*sub), &d->o_sub, &sub);
	if (!r)
		r = body_take(b, n_upper, sizeof(*rr), &d->o_rr, &rr);
	if (r)
		return r;
	sub = section_at(&b->body, d->o_sub); /* it may have moved */
	*ret_n = n_upper;
	for (size_t i = 0, n; i < t->n_cuts; i += n, rr++) {
		size_t first = at;

		n = same_upper(t, i);
		rr->at = *starts++ = (uint64_t)(t->cuts[i].start >> 64);
		if (upper_is_whole(t, i, n)) {
			rr->value = value = cut_value(m, &t->cuts[i]);
			continue;
		}
		if ((uint64_t)t->cuts[i].start)
			sub[at++] = (struct gw_pair64){ 0, value };
		for (size_t j = i; j < i + n; j++) {
			value = cut_value(m, &t->cuts[j]);
			sub[at++] = (struct gw_pair64){ (uint64_t)t->cuts[j].start, value };
		}
		rr->value = GW_DIM_SUB | (uint64_t)(at - first) << 32 | first;
	}
	return 0;
}

static int write_classes(struct builder *b, const struct gw_class *classes, size_t n,
			 uint32_t *ret_line)
{
	struct gw_class *to;
	int r = body_take(b, n, sizeof(*to), ret_line, &to);

	if (!r)
		memcpy(to, classes, n * sizeof(*to));
	return r;
}

static int write_parents(struct builder *b, const struct tree *t, uint32_t *ret_line)
{
	uint32_t *to;
	int r = body_take(b, t->n_labels, sizeof(*to), ret_line, &to);

	for (size_t i = 0; !r && i < t->n_labels; i++)
		to[i] = t->labels[i].par;
	return r;
}

int labels_write(struct builder *b, struct labels *l, int version, struct gw_dim *d)
{
	_cleanup_(class_map_deinit) struct class_map m = {};
	_cleanup_(freep) uint64_t *starts = malloc((l->tree.n_cuts + 1) * sizeof(*starts));
	size_t n = l->tree.n_cuts;
	struct chunks c = {};
	int r;

	if (!starts)
		return raise(-ENOMEM, "cannot build the index");
	r = classes_find(l, &m);
	if (r)
		return r;
	r = version == 6 ? write_ranges6(b, &l->tree, &m, d, starts, &n)
			 : write_ranges4(b, &l->tree, &m, d, starts);
	if (!r)
		r = chunks_build(b, starts, n, version == 6 ? 63 : GW_DIM_SH_MAX, &c);
	if (!r)
		r = write_classes(b, m.classes, m.n, &d->o_cl);
	if (!r)
		r = write_parents(b, &l->tree, &d->o_par);
	d->base = c.base;
	d->sh = (uint16_t)c.sh;
	d->nx = c.nx;
	d->o_dx = c.o_dx;
	return r;
}

/* ------------------------------------------------------------------------------------------------------------ ports */

struct piece {
	uint32_t lo, hi;
	uint32_t of; /* which distinct range */
};
struct cutter {
	struct piece *heap; /* by lo, the wider one first */
	size_t n, cap;
	struct piece *out;
	size_t n_out, out_cap;
	uint8_t *cuts; /* of each range; > PORT_PIECES: given up */
};

void portmap_deinit(struct portmap *p)
{
	labels_deinit(&p->labels);
	free(p->range_of);
	free(p->first);
	free(p->n_labels);
	free(p->list);
	*p = (struct portmap){};
}

static void cutter_deinit(struct cutter *c)
{
	free(c->heap);
	free(c->out);
	free(c->cuts);
}

static bool piece_before(const struct piece *a, const struct piece *b)
{
	return a->lo < b->lo || (a->lo == b->lo && a->hi > b->hi);
}

static int heap_push(struct cutter *c, struct piece p)
{
	size_t i = c->n;

	if (array_reserve((void **)&c->heap, &c->cap, c->n, sizeof(p)) < 0)
		return -ENOMEM;
	c->n++;
	for (; i && piece_before(&p, &c->heap[(i - 1) / 2]); i = (i - 1) / 2)
		c->heap[i] = c->heap[(i - 1) / 2];
	c->heap[i] = p;
	return 0;
}

static struct piece heap_pop(struct cutter *c)
{
	struct piece top = c->heap[0], last = c->heap[--c->n];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < c->n; i = child) {
		if (child + 1 < c->n && piece_before(&c->heap[child + 1], &c->heap[child]))
			child++;
		if (!piece_before(&c->heap[child], &last))
			break;
		c->heap[i] = c->heap[child];
	}
	c->heap[i] = last;
	return top;
}

/* Ranges that cross those around them are cut; what comes out nests, by start, the wider one first. */
static int cut_crossing(struct cutter *c)
{
	_cleanup_(freep) uint32_t *open = NULL; /* ends of the pieces around, the innermost last */
	size_t n_open = 0, open_cap = 0;

	while (c->n) {
		struct piece p = heap_pop(c);

		while (n_open && open[n_open - 1] < p.lo)
			n_open--;
		if (c->cuts[p.of] > PORT_PIECES)
			continue;
		if (n_open && p.hi > open[n_open - 1]) {
			struct piece rest = { open[n_open - 1] + 1, p.hi, p.of };

			p.hi = open[n_open - 1];
			if (++c->cuts[p.of] > PORT_PIECES)
				continue;
			if (heap_push(c, rest) < 0)
				return -ENOMEM;
		}
		if (array_reserve((void **)&open, &open_cap, n_open, sizeof(*open)) < 0 ||
		    array_reserve((void **)&c->out, &c->out_cap, c->n_out, sizeof(p)) < 0)
			return -ENOMEM;
		if (!n_open || open[n_open - 1] != p.hi || !c->n_out ||
		    c->out[c->n_out - 1].lo != p.lo)
			open[n_open++] = p.hi;
		c->out[c->n_out++] = p;
	}
	return 0;
}

/* Each range in blocks of one size, the smallest of which BLOCKS are enough; else it counts as any. */
#define BLOCKS 3
static int cover_by_blocks(struct cutter *c)
{
	static const uint8_t shifts[] = { 0, 3, 6, 8, 10, 12, 14 };

	for (size_t i = 0; i < c->n; i++) {
		struct piece p = c->heap[i];
		size_t s = 0;

		while (s < ARRAY_SIZE(shifts) &&
		       (p.hi >> shifts[s]) - (p.lo >> shifts[s]) >= BLOCKS)
			s++;
		if (s == ARRAY_SIZE(shifts))
			continue;
		for (uint32_t at = p.lo >> shifts[s]; at <= p.hi >> shifts[s]; at++) {
			uint32_t lo = at << shifts[s], hi = lo + (1U << shifts[s]) - 1;

			if (array_reserve((void **)&c->out, &c->out_cap, c->n_out, sizeof(p)) < 0)
				return -ENOMEM;
			c->out[c->n_out++] = (struct piece){ lo, hi, p.of };
		}
	}
	return 0;
}

static uint8_t width_class(uint32_t lo, uint32_t hi)
{
	return (uint8_t)(16 - (31 - __builtin_clz(hi - lo + 1)));
}

/* The distinct ranges of the rules: range_of[], and the pieces they start as. */
static int distinct_ranges(const struct index_rule *rules, const uint32_t *at, size_t n, int dim,
			   struct portmap *p, struct cutter *c)
{
	_cleanup_(freep) struct sort_item *items = malloc((2 * n + 1) * sizeof(*items));
	size_t count = 0;

	p->range_of = malloc((n + 1) * sizeof(*p->range_of));
	if (!items || !p->range_of)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct index_rule *r = &rules[at[i]];
		uint32_t lo = dim ? r->dp_lo : r->sp_lo, hi = dim ? r->dp_hi : r->sp_hi;

		if (lo > hi) {
			lo = 0;
			hi = 0xffff;
		}
		items[i] = (struct sort_item){ lo << 16 | (0xffff - hi), (uint32_t)i };
	}
	sort_items(items, items + n, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t lo = (uint32_t)items[i].key >> 16, hi = 0xffff - (items[i].key & 0xffff);

		if (!i || items[i].key != items[i - 1].key) {
			if ((lo || hi != 0xffff) &&
			    heap_push(c, (struct piece){ lo, hi, (uint32_t)count }) < 0)
				return -ENOMEM;
			count++;
		}
		p->range_of[items[i].at] = (uint32_t)count - 1;
	}
	p->n_ranges = count;
	c->cuts = calloc(count + 1, 1);
	return c->cuts ? 0 : -ENOMEM;
}

/* The pieces of ranges that were not given up, as a tree. */
static int piece_tree(struct cutter *c, struct portmap *p)
{
	_cleanup_(freep) struct tree_span *spans = malloc((c->n_out + 1) * sizeof(*spans));
	size_t n = 0;

	if (!spans)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_out; i++) {
		if (c->cuts[c->out[i].of] > PORT_PIECES)
			continue;
		c->out[n] = c->out[i];
		spans[n] = (struct tree_span){ c->out[n].lo, c->out[n].hi,
					       width_class(c->out[n].lo, c->out[n].hi) };
		n++;
	}
	c->n_out = n;
	return tree_build(spans, n, 0xffff, UINT16_MAX, &p->labels.tree);
}

/* Labels of each range, each once; a range without pieces has label 0. */
static int range_labels(const struct cutter *c, struct portmap *p)
{
	size_t sum = 0;

	p->first = calloc(p->n_ranges + 1, sizeof(*p->first));
	p->n_labels = calloc(p->n_ranges + 1, 1);
	p->list = calloc(c->n_out + p->n_ranges + 1, sizeof(*p->list));
	if (!p->first || !p->n_labels || !p->list)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_out; i++)
		p->first[c->out[i].of]++;
	for (size_t i = 0; i < p->n_ranges; i++) {
		size_t count = MAX(p->first[i], 1U);

		p->first[i] = (uint32_t)sum;
		sum += count;
	}
	for (size_t i = 0; i < c->n_out; i++) {
		uint32_t of = c->out[i].of;
		uint16_t label = (uint16_t)p->labels.tree.label_of[i], *to = &p->list[p->first[of]];
		size_t have = 0;

		while (have < p->n_labels[of] && to[have] != label)
			have++;
		to[have] = label;
		p->n_labels[of] = (uint8_t)MAX(have + 1, p->n_labels[of]);
	}
	for (size_t i = 0; i < p->n_ranges; i++)
		p->n_labels[i] = MAX(p->n_labels[i], 1);
	return 0;
}

/* How many rules have a range that was given up. */
static size_t rules_given_up(const struct cutter *c, const struct portmap *p, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += c->cuts[p->range_of[i]] > PORT_PIECES;
	return sum;
}

static int portmap_try(const struct index_rule *rules, const uint32_t *at, size_t n, int dim,
		       struct portmap *ret, size_t *ret_given_up)
{
	_cleanup_(cutter_deinit) struct cutter c = {};

	if (distinct_ranges(rules, at, n, dim, ret, &c) < 0 ||
	    (ret->blocks ? cover_by_blocks(&c) : cut_crossing(&c)) < 0)
		return -ENOMEM;
	*ret_given_up = rules_given_up(&c, ret, n);
	if (*ret_given_up > n / 8)
		return 0;
	return piece_tree(&c, ret) < 0 || range_labels(&c, ret) < 0 ? -ENOMEM : 0;
}

int portmap_build(const struct index_rule *rules, const uint32_t *at, size_t n, int dim,
		  struct portmap *ret)
{
	struct labels *l = &ret->labels;
	size_t given_up;
	int r = portmap_try(rules, at, n, dim, ret, &given_up);

	if (!r && given_up > n / 8) {
		portmap_deinit(ret);
		ret->blocks = true;
		r = portmap_try(rules, at, n, dim, ret, &given_up);
	}
	if (r)
		return raise(-ENOMEM, "cannot build the index");
	l->own = calloc(l->tree.n_labels, sizeof(*l->own));
	return l->own ? 0 : raise(-ENOMEM, "cannot build the index");
}

/* 65536 labels as pages of 256, equal ones once. */
static int write_pages(struct builder *b, const uint16_t *labels, uint32_t *ret_line)
{
	uint16_t map[GW_PORT_PAGE], of[GW_PORT_PAGE], *to;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < GW_PORT_PAGE; i++) {
		const uint16_t *page = labels + i * GW_PORT_PAGE;
		size_t j = 0;

		while (j < n && memcmp(labels + of[j] * GW_PORT_PAGE, page, sizeof(map)))
			j++;
		if (j == n)
			of[n++] = (uint16_t)i;
		map[i] = (uint16_t)j;
	}
	r = body_take(b, (n + 1) * GW_PORT_PAGE, sizeof(*to), ret_line, &to);
	if (r)
		return r;
	memcpy(to, map, sizeof(map));
	for (size_t j = 0; j < n; j++)
		memcpy(to + (j + 1) * GW_PORT_PAGE, labels + of[j] * GW_PORT_PAGE, sizeof(map));
	return 0;
}

static int write_port_map(struct builder *b, const struct tree *t, uint32_t *ret_line)
{
	_cleanup_(freep) uint16_t *labels = malloc(65536 * sizeof(*labels));

	if (!labels)
		return raise(-ENOMEM, "cannot build the index");
	for (size_t i = 0; i < t->n_cuts; i++) {
		size_t end = i + 1 < t->n_cuts ? (size_t)t->cuts[i + 1].start : 65536;

		for (size_t port = (size_t)t->cuts[i].start; port < end; port++)
			labels[port] = (uint16_t)t->cuts[i].label;
	}
	return write_pages(b, labels, ret_line);
}

int portmap_write(struct builder *b, struct portmap *p, uint32_t *ret_map, uint32_t *ret_classes,
		  uint32_t *ret_parents)
{
	const struct tree *t = &p->labels.tree;
	_cleanup_(freep) struct gw_class *classes = calloc(t->n_labels, sizeof(*classes));
	int r;

	if (!classes)
		return raise(-ENOMEM, "cannot build the index");
	labels_accumulate(&p->labels);
	for (size_t i = 0; i < t->n_labels; i++)
		classes[i] = (struct gw_class){ .bm = p->labels.own[i], .lev = t->labels[i].lev };
	r = write_port_map(b, t, ret_map);
	if (!r)
		r = write_classes(b, classes, t->n_labels, ret_classes);
	if (!r)
		r = write_parents(b, t, ret_parents);
	return r;
}
