/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How elements come to a set and go: in order, without doubles, intervals apart.  Costs n log n in what is new and one
 * pass over what is there.
 */
#include <lang/settle.h>

#include <lang/overlap.h>
#include <lang/print.h>

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

size_t *sorted_indices(const struct key_type *type, const struct elems *e)
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

int merger_init(struct merger *m, struct parser *p, const struct settle *s, const struct batch *b)
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

/* Replace a string by a copy of its own; *s stays NULL if it was. */
static bool string_or_null(char **s)
{
	bool was = *s;

	*s = was ? strdup(*s) : NULL;
	return *s || !was;
}

int append(struct elems *out, struct elems *from, size_t i)
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

static bool wants_places(const struct merger *m)
{
	return m->type.interval && m->type.n > 1 && m->s->shape->is_map;
}

static int remember_place(struct merger *m, const struct place *place)
{
	void *grown = m->places;
	int r;

	if (!wants_places(m))
		return 0;
	r = array_reserve(&grown, &m->cap_places, m->out->n - 1, sizeof(*m->places));
	if (r < 0)
		return r;
	m->places = grown;
	m->places[m->out->n - 1] = place;
	return 0;
}

/* Concatenations are not in an order that puts those beside each other that meet. */
static int judge_overlaps(struct merger *m)
{
	size_t a = 0, b = 0, other;
	bool found;
	int r;

	if (!wants_places(m))
		return 0;
	r = overlap_find(m->out, m->type.types, &a, &b, &found);
	if (r || !found)
		return r;
	/* what is new is the mistake; of two new ones the later */
	if (!m->places[a] || (m->places[b] && m->places[b]->at > m->places[a]->at)) {
		other = a;
		a = b;
		b = other;
	}
	m->last = m->places[a];
	return fail_pair(m, NULL, m->out->keys + b * m->out->n_fields,
			 "conflicting intervals specified", "");
}

/* The next element in order: alone, or one that meets the last. */
static int take(struct merger *m, struct elems *from, size_t i, const struct place *place)
{
	const struct elem *key = from->keys + i * from->n_fields;
	enum field_type type = m->type.types[0];
	bool joins = m->s->merge && !m->s->shape->is_map;
	int r;

	if (m->out->n && m->type.interval && m->type.n == 1) {
		if (joins && elem_touches(type, last_key(m), key)) {
			elem_join(type, last_key(m), key);
			return 0;
		}
		if (elem_overlaps(type, last_key(m), key))
			return fail_pair(m, place, key, "conflicting intervals specified",
					 m->s->shape->is_map ? ""
							     : "; `auto-merge` makes one of both");
	}
	r = append(m->out, from, i);
	m->last = place;
	return r ? r : remember_place(m, place);
}

/* One key: what was there, and what is done with it one after the other. */
struct current {
	struct elems *from; /* NULL = the key is not there */
	size_t i;
	const struct place *place;
};

int fail_here(const struct merger *m, const struct place *place, const char *text)
{
	struct token at = place_token(place);

	return fail_at(m->p, &at, "%s", text);
}

static int same_data(const struct merger *m, const struct current *c, const struct elems *from,
		     size_t i)
{
	const struct shape *shape = m->s->shape;

	return !shape->is_map ||
	       map_data_equal(&c->from->data[c->i], &from->data[i], shape->data, shape->n_data);
}

static int apply_verb(const struct merger *m, struct current *c, struct elems *from, size_t i,
		      const struct place *place)
{
	switch (place->verb) {
	case ELEMENT_DELETE:
	case ELEMENT_DESTROY:
		if (!c->from && place->verb == ELEMENT_DELETE)
			return fail_here(m, place, "there is no such element");
		c->from = NULL;
		return 0;
	default:
		if (c->from && !same_data(m, c, from, i)) {
			fail_here(m, place, "the key stands for something else already");
			return fail_hint(m->p, "a key has one value: delete the other first");
		}
		if (c->from && place->verb == ELEMENT_CREATE)
			return fail_here(m, place, "the element exists already");
		if (!c->from)
			*c = (struct current){ from, i, place };
		return 0;
	}
}

static const struct elem *key_at(const struct elems *e, size_t i)
{
	return e->keys + i * e->n_fields;
}

/* All of the batch that have the key of number *j; c is what was there. */
static int take_group(struct merger *m, struct batch *b, const size_t *order, size_t *j,
		      struct current *c)
{
	const struct elem *key = key_at(b->elems, order[*j]);
	int r = 0;

	do {
		r = apply_verb(m, c, b->elems, order[*j], &b->places[order[*j]]);
		(*j)++;
	} while (!r && *j < b->elems->n &&
		 !key_compare(&m->type, key, key_at(b->elems, order[*j])));
	return r || !c->from ? r : take(m, c->from, c->i, c->place);
}

/* Both in order, into one. */
static int merge(struct merger *m, struct elems *old, const size_t *old_order, struct batch *b,
		 const size_t *order)
{
	size_t i = 0, j = 0, n_old = old ? old->n : 0;
	int r = 0;

	while (!r && (i < n_old || j < b->elems->n)) {
		int side = i == n_old ? 1 : -1; /* -1: the old one is next, 0: they are the same */
		struct current c = { 0 };

		if (i < n_old && j < b->elems->n)
			side = key_compare(&m->type, key_at(old, old_order[i]),
					   key_at(b->elems, order[j]));
		if (side <= 0)
			c = (struct current){ old, old_order[i++], NULL };
		r = side < 0 ? take(m, old, c.i, NULL) : take_group(m, b, order, &j, &c);
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

int settle(struct parser *p, const struct settle *s, struct batch *b, struct elems **elems)
{
	_cleanup_(elems_freep) struct elems *out = elems_new(s->shape->n_keys);
	_cleanup_(freep) size_t *order = NULL, *old_order = NULL;
	struct merger m;
	int r;

	if (!out)
		return -ENOMEM;
	r = merger_init(&m, p, s, b);
	if (r)
		return r;
	order = sorted_indices(&m.type, b->elems);
	/* in order, unless packets have added some */
	old_order = sorted_indices(&m.type, *elems ? *elems : out);
	if (!order || !old_order)
		return -ENOMEM;
	m.out = out;
	r = merge(&m, *elems, old_order, b, order);
	if (!r)
		r = judge_overlaps(&m);
	free(m.places);
	if (!r)
		r = judge_size(&m, b);
	if (r)
		return r;
	elems_free(*elems);
	*elems = TAKE_PTR(out);
	batch_deinit(b);
	return 0;
}
