/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How elements come to a set and go: in order, without doubles, intervals apart.  Costs n log n in what is new and one
 * pass over what is there.
 */
#include <lang/parse.h>

#include <lang/print.h>
#include <model/keys.h>

struct merger {
	struct parser *p;
	const struct settle *s;
	struct key_type type;
	struct elems *out;
	const struct place *last; /* where the last of out was written, NULL: it was there */
};

struct sort_arg {
	const struct key_type *type;
	const struct elems *e;
};

/* Equal ones stay as they were written. */
static int compare_indices(const void *a, const void *b, void *arg)
{
	const struct sort_arg *sort = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int r = key_compare(sort->type, sort->e->keys + x * sort->e->n_fields,
			    sort->e->keys + y * sort->e->n_fields);

	return r ? r : (x > y) - (x < y);
}

/* The order of the elements, as indices; the caller frees. */
static size_t *sorted_indices(const struct key_type *type, const struct elems *e)
{
	size_t *order = reallocarray(NULL, MAX(e->n, 1U), sizeof(*order));
	struct sort_arg arg = { .type = type, .e = e };
	bool sorted = true;

	if (!order)
		return NULL;
	for (size_t i = 0; i < e->n; i++) {
		order[i] = i;
		sorted = sorted && (!i || compare_indices(&order[i - 1], &order[i], &arg) < 0);
	}
	if (!sorted)
		qsort_r(order, e->n, sizeof(*order), compare_indices, &arg);
	return order;
}

static bool key_is_range(const struct shape *shape, const struct elem *key)
{
	for (unsigned int i = 0; i < shape->n_keys; i++) {
		if (elem_is_range(shape->keys[i], &key[i]))
			return true;
	}
	return false;
}

/* Is the element one that the set can have?  What was written as 10.0.0.0-10.0.0.255 becomes the prefix it is. */
static int judge_element(struct parser *p, const struct settle *s, const struct batch *b, size_t i,
			 bool *ret_range)
{
	const struct shape *shape = s->shape;
	struct elem *key = b->elems->keys + i * shape->n_keys;
	const struct elem_extra *x = b->elems->extra ? &b->elems->extra[i] : NULL;
	struct token at = place_token(&b->places[i]);

	for (unsigned int f = 0; f < shape->n_keys; f++)
		elem_tidy(shape->keys[f], &key[f]);
	*ret_range = key_is_range(shape, key);
	if (*ret_range && !s->interval) {
		fail_at(p, &at, "`%s` holds single values, this is a range", s->set);
		return fail_hint(p, "declare it with `flags interval`");
	}
	if (x && (x->timeout_ms || x->expires_ms) && !s->timeout) {
		fail_at(p, &at, "elements of %s%s%s have no timeout", s->set ? "`" : "",
			s->set ? s->set : "an anonymous set", s->set ? "`" : "");
		return s->set ? fail_hint(p, "declare it with `flags timeout`") : LANG_E_DIAG;
	}
	return 0;
}

static int merger_init(struct merger *m, struct parser *p, const struct settle *s,
		       const struct batch *b)
{
	bool range, ranges = s->set && s->interval;
	int r = 0;

	for (size_t i = 0; !r && i < b->elems->n; i++) {
		r = judge_element(p, s, b, i, &range);
		ranges = ranges || range;
	}
	*m = (struct merger){ .p = p, .s = s };
	m->type = (struct key_type){ .types = s->shape->keys,
				     .n = s->shape->n_keys,
				     .interval = ranges };
	return r;
}

static struct elem *last_key(const struct merger *m)
{
	return m->out->keys + (m->out->n - 1) * m->out->n_fields;
}

/* Shows the other one of two that do not go together. */
static int fail_pair(const struct merger *m, const struct place *place, const struct elem *key,
		     const char *text, const char *advice)
{
	/* the younger one is the mistake; one of the two is new */
	const struct place *blamed = place ? place : m->last;
	const struct elem *other = place ? last_key(m) : key;
	struct token at = place_token(blamed);
	struct strbuf b = { 0 };

	print_key(m->type.types, m->type.n, other, 0, &b);
	fail_at(m->p, &at, "%s", text);
	fail_hint(m->p, "there is `%s`%s", b.s ? b.s : "", advice);
	strbuf_deinit(&b);
	return LANG_E_DIAG;
}

static int same_key(const struct merger *m, const struct elems *from, size_t i,
		    const struct place *place)
{
	const struct shape *shape = m->s->shape;
	const struct elem *key = from->keys + i * from->n_fields;
	bool same_data =
		!shape->is_map || map_data_equal(&m->out->data[m->out->n - 1], &from->data[i],
						 shape->data, shape->n_data);

	if (!same_data)
		return fail_pair(m, place, key, "the key stands for something else already",
				 ": a key has one value");
	if (m->s->exclusive && place)
		return fail_pair(m, place, key, "the element exists already", "");
	return 0;
}

/* Replace a string by a copy of its own; *s stays NULL if it was. */
static bool string_or_null(char **s)
{
	bool was = *s;

	*s = was ? strdup(*s) : NULL;
	return *s || !was;
}

/* Element i of from behind those of out; strings of what is shared are copied. */
static int append(struct elems *out, struct elems *from, size_t i)
{
	const struct elem *key = from->keys + i * from->n_fields;
	struct map_data data = from->data ? from->data[i] : (struct map_data){ 0 };
	struct elem_extra extra = from->extra ? from->extra[i] : (struct elem_extra){ 0 };
	bool chain, comment;
	int r = -ENOMEM;

	if (from->refs == 1)
		return elems_add(out, key, from->data ? &from->data[i] : NULL,
				 from->extra ? &from->extra[i] : NULL);
	chain = string_or_null(&data.chain);
	comment = string_or_null(&extra.comment);
	if (chain && comment)
		r = elems_add(out, key, from->data ? &data : NULL, from->extra ? &extra : NULL);
	if (r < 0) {
		free(data.chain);
		free(extra.comment);
	}
	return r;
}

/* The next element in order: alone, the same as the last one, or one that meets it. */
static int take(struct merger *m, struct elems *from, size_t i, const struct place *place)
{
	const struct elem *key = from->keys + i * from->n_fields;
	enum field_type type = m->type.types[0];
	bool joins = m->s->merge && !m->s->shape->is_map;
	int r;

	if (m->out->n && !key_compare(&m->type, last_key(m), key))
		return same_key(m, from, i, place);
	if (m->out->n && m->type.interval && m->type.n == 1) {
		bool overlaps = elem_overlaps(type, last_key(m), key);

		if (joins && elem_touches(type, last_key(m), key)) {
			elem_join(type, last_key(m), key);
			return 0;
		}
		if (overlaps)
			return fail_pair(m, place, key, "conflicting intervals specified",
					 m->s->shape->is_map ? ""
							     : "; `auto-merge` makes one of both");
	}
	r = append(m->out, from, i);
	m->last = place;
	return r;
}

/* Both in order, into one. */
static int merge(struct merger *m, struct elems *old, struct batch *b, const size_t *order)
{
	size_t i = 0, j = 0, n_old = old ? old->n : 0;
	int r = 0;

	while (!r && (i < n_old || j < b->elems->n)) {
		bool new = i == n_old;

		if (!new &&j < b->elems->n)
			new = key_compare(&m->type, old->keys + i * old->n_fields,
					  b->elems->keys + order[j] * old->n_fields) > 0;
		if (new) {
			r = take(m, b->elems, order[j], &b->places[order[j]]);
			j++;
		} else {
			r = take(m, old, i++, NULL);
		}
	}
	return r;
}

static int judge_size(const struct merger *m, const struct batch *b)
{
	struct token at;

	if (!m->s->size || m->out->n <= m->s->size || !b->elems->n)
		return 0;
	at = place_token(&b->places[b->elems->n - 1]);
	fail_at(m->p, &at, "`%s` is full: %zu elements, its size is %u", m->s->set, m->out->n,
		m->s->size);
	return LANG_E_DIAG;
}

int settle_add(struct parser *p, const struct settle *s, struct batch *b, struct elems **elems)
{
	_cleanup_(elems_freep) struct elems *out = elems_new(s->shape->n_keys);
	_cleanup_(freep) size_t *order = NULL;
	struct merger m;
	int r;

	if (!out)
		return -ENOMEM;
	r = merger_init(&m, p, s, b);
	if (r)
		return r;
	order = sorted_indices(&m.type, b->elems);
	if (!order)
		return -ENOMEM;
	m.out = out;
	r = merge(&m, *elems, b, order);
	if (!r)
		r = judge_size(&m, b);
	if (r)
		return r;
	elems_free(*elems);
	*elems = TAKE_PTR(out);
	batch_deinit(b);
	return 0;
}

/* Cut what is deleted out of element i; pieces stay. */
struct cutter {
	struct merger m;
	const struct batch *b;
	const size_t *order;
	size_t next; /* of order */
	bool must_exist;
};

static int fail_missing(const struct cutter *c, size_t index)
{
	struct token at = place_token(&c->b->places[index]);

	return fail_at(c->m.p, &at, "there is no such element in `%s`", c->m.s->set);
}

static const struct elem *next_key(const struct cutter *c)
{
	const struct elems *e = c->b->elems;

	return c->next < e->n ? e->keys + c->order[c->next] * e->n_fields : NULL;
}

/* Deletions that can not be found any more, because what is left begins behind them. */
static int skip_missing(struct cutter *c, const struct elem *key)
{
	bool parts = c->m.s->merge && c->m.type.n == 1;
	const struct elem *del;

	while ((del = next_key(c)) && (!key || key_compare(&c->m.type, del, key) < 0)) {
		if (parts && key && elem_holds(c->m.type.types[0], key, del))
			break;
		if (c->must_exist)
			return fail_missing(c, c->order[c->next]);
		c->next++;
	}
	return 0;
}

/* The pieces of an interval that has grown together. */
static int cut_parts(struct cutter *c, struct elems *old, size_t i)
{
	enum field_type type = c->m.type.types[0];
	struct elem rest = old->keys[i], piece;
	bool left = true;
	const struct elem *del;
	int r = 0;

	while (!r && left && (del = next_key(c)) && elem_holds(type, &rest, del)) {
		if (elem_below(type, &rest, del, &piece))
			r = elems_add(c->m.out, &piece, NULL, NULL);
		left = elem_above(type, &rest, del, &piece);
		rest = left ? piece : rest;
		c->next++;
	}
	return r || !left ? r : elems_add(c->m.out, &rest, NULL, NULL);
}

static int cut_element(struct cutter *c, struct elems *old, size_t i)
{
	const struct elem *key = old->keys + i * old->n_fields, *del;
	bool hit = false, parts = c->m.s->merge && c->m.type.n == 1 && c->m.type.interval;
	int r = skip_missing(c, key);

	if (r)
		return r;
	del = next_key(c);
	if (parts && del && key_compare(&c->m.type, key, del) &&
	    elem_holds(c->m.type.types[0], key, del))
		return cut_parts(c, old, i);
	/* the same one may be named twice */
	for (; (del = next_key(c)) && !key_compare(&c->m.type, key, del); c->next++)
		hit = true;
	return hit ? 0 : append(c->m.out, old, i);
}

int settle_delete(struct parser *p, const struct settle *s, struct batch *b, bool must_exist,
		  struct elems **elems)
{
	_cleanup_(elems_freep) struct elems *out = elems_new(s->shape->n_keys);
	_cleanup_(freep) size_t *order = NULL;
	struct cutter c = { .b = b, .must_exist = must_exist };
	int r;

	if (!out)
		return -ENOMEM;
	r = merger_init(&c.m, p, s, b);
	if (r)
		return r;
	order = sorted_indices(&c.m.type, b->elems);
	if (!order)
		return -ENOMEM;
	c.order = order;
	c.m.out = out;
	for (size_t i = 0; !r && i < (*elems)->n; i++)
		r = cut_element(&c, *elems, i);
	if (!r)
		r = skip_missing(&c, NULL);
	if (r)
		return r;
	elems_free(*elems);
	*elems = TAKE_PTR(out);
	batch_deinit(b);
	return 0;
}
