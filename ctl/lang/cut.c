/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deleting from a set whose intervals have grown together (auto-merge): what is deleted may be a part of one.
 */
#include <lang/settle.h>

struct cutter {
	struct merger m;
	const struct batch *b;
	const size_t *order;
	size_t next; /* of order */
};

static const struct elem *next_key(const struct cutter *c)
{
	const struct elems *e = c->b->elems;

	return c->next < e->n ? e->keys + c->order[c->next] * e->n_fields : NULL;
}

/* Deletions that can not be found any more, because what is left begins behind them. */
static int skip_missing(struct cutter *c, const struct elem *key)
{
	const struct place *place;
	const struct elem *del;

	while ((del = next_key(c)) && (!key || key_compare(&c->m.type, del, key) < 0)) {
		if (key && elem_holds(c->m.type.types[0], key, del))
			break;
		place = &c->b->places[c->order[c->next]];
		if (place->verb == ELEMENT_DELETE)
			return fail_here(&c->m, place, "there is no such element");
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
	bool hit = false;
	int r = skip_missing(c, key);

	if (r)
		return r;
	del = next_key(c);
	if (del && key_compare(&c->m.type, key, del) && elem_holds(c->m.type.types[0], key, del))
		return cut_parts(c, old, i);
	/* the same one may be named twice */
	for (; (del = next_key(c)) && !key_compare(&c->m.type, key, del); c->next++)
		hit = true;
	return hit ? 0 : append(c->m.out, old, i);
}

int settle_cut(struct parser *p, const struct settle *s, struct batch *b, struct elems **elems)
{
	_cleanup_(elems_freep) struct elems *out = elems_new(s->shape->n_keys);
	_cleanup_(freep) size_t *order = NULL, *old_order = NULL;
	struct cutter c = { .b = b };
	int r;

	if (!out)
		return -ENOMEM;
	r = merger_init(&c.m, p, s, b);
	if (r)
		return r;
	order = sorted_indices(&c.m.type, b->elems);
	old_order = sorted_indices(&c.m.type, *elems);
	if (!order || !old_order)
		return -ENOMEM;
	c.order = order;
	c.m.out = out;
	for (size_t i = 0; !r && i < (*elems)->n; i++)
		r = cut_element(&c, *elems, old_order[i]);
	if (!r)
		r = skip_missing(&c, NULL);
	if (r)
		return r;
	elems_free(*elems);
	*elems = TAKE_PTR(out);
	batch_deinit(b);
	return 0;
}
