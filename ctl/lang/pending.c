/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

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
			     .merge = set->flags & SET_AUTO_MERGE,
			     .timeout = set->flags & SET_TIMEOUT,
			     .exclusive = pending->verb == PENDING_CREATE,
			     .size = set->size,
			     .set = set->name };
	if (pending->verb == PENDING_ADD || pending->verb == PENDING_CREATE)
		r = settle_add(p, &s, &pending->batch, &set->elems);
	else
		r = settle_delete(p, &s, &pending->batch, pending->verb == PENDING_DELETE,
				  &set->elems);
	pending->set = NULL;
	return r;
}

int pending_add(struct parser *p, struct set *set, enum pending_verb verb, struct batch **ret)
{
	int r = 0;

	if (p->pending.set != set || p->pending.verb != verb)
		r = pending_flush(p);
	if (r)
		return r;
	p->pending.set = set;
	p->pending.verb = verb;
	*ret = &p->pending.batch;
	return 0;
}
