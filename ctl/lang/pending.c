/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

/* Are they to be deleted, all of them?  (Asked where they are of one kind.) */
static bool is_deletion(const struct batch *b)
{
	return b->elems && b->elems->n &&
	       (b->places[0].verb == ELEMENT_DELETE || b->places[0].verb == ELEMENT_DESTROY);
}

/* What is pending is done before anything that could see the difference. */
int pending_flush(struct parser *p)
{
	struct pending *pending = &p->pending;
	struct set *set = pending->set;
	struct shape shape;
	struct settle s;
	int r;

	if (!set)
		return 0;
	shape = (struct shape){ .keys = set->types,
				.n_keys = set->n_fields,
				.data = set->data,
				.n_data = set->n_data,
				.is_map = set->is_map };
	s = (struct settle){ .shape = &shape,
			     .interval = set->flags & SET_INTERVAL,
			     .merge = set->flags & SET_AUTO_MERGE && set->n_fields == 1,
			     .timeout = set->flags & SET_TIMEOUT,
			     .size = set->size,
			     .set = set->name };
	r = s.merge && is_deletion(&pending->batch)
		    ? settle_cut(p, &s, &pending->batch, &set->elems)
		    : settle(p, &s, &pending->batch, &set->elems);
	pending->set = NULL;
	return r;
}

int pending_batch(struct parser *p, struct set *set, enum element_verb verb, struct batch **ret)
{
	struct pending *pending = &p->pending;
	bool deletes = verb == ELEMENT_DELETE || verb == ELEMENT_DESTROY;
	int r = 0;

	/* what grows together is another element then: additions and deletions are done in turn */
	if (pending->set != set ||
	    (set->flags & SET_AUTO_MERGE && deletes != is_deletion(&pending->batch)))
		r = pending_flush(p);
	if (r)
		return r;
	pending->set = set;
	*ret = &pending->batch;
	return 0;
}
