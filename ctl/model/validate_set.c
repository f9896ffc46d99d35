/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets, maps and objects: do they say something that can be kept?
 */
#include <model/impl.h>

static bool fail_set(const struct table *t, const struct set *s, struct diag *d, const char *text)
{
	diag_set(d, "%s %s %s %s: %s", s->is_map ? "map" : "set", family_name(t->family), t->name,
		 s->name, text);
	return false;
}

/* The chain a verdict of a map leads to. */
static bool target_validate(const struct table *t, const struct set *s, const char *name,
			    struct diag *d)
{
	const struct chain *c = table_chain(t, name);
	char text[160];

	if (c && !c->base)
		return true;
	snprintf(text, sizeof(text),
		 c ? "chain `%s` has a hook, so nothing can jump to it" : "there is no chain `%s`",
		 name);
	return fail_set(t, s, d, text);
}

static bool verdicts_validate(const struct table *t, const struct set *s, struct diag *d)
{
	const char *last = NULL;

	for (size_t i = 0; i < s->elems->n; i++) {
		const struct map_data *data = &s->elems->data[i];

		/* many elements lead to few chains, often one after the other */
		if (!data->chain || (last && !strcmp(last, data->chain)))
			continue;
		if (!target_validate(t, s, data->chain, d))
			return false;
		last = data->chain;
	}
	return true;
}

bool set_validate(const struct table *t, const struct set *s, struct diag *d)
{
	if (!s->n_fields || s->n_fields > CONCAT_MAX)
		return fail_set(t, s, d, "it has no type");
	if (s->is_map && !s->is_vmap && !s->n_data)
		return fail_set(t, s, d, "its values have no type");
	if (s->flags & SET_AUTO_MERGE && (s->is_map || !(s->flags & SET_INTERVAL)))
		return fail_set(t, s, d, "`auto-merge` works for sets of intervals only");
	if (s->elems && s->elems->n && s->is_map && !s->elems->data)
		return fail_set(t, s, d, "its elements have no values");
	return !s->is_vmap || !s->elems || !s->elems->n || verdicts_validate(t, s, d);
}

bool object_validate(const struct table *t, const struct object *o, struct diag *d)
{
	if ((o->kind == OBJECT_LIMIT && !o->limit.rate) || (o->kind == OBJECT_QUOTA && !o->quota)) {
		diag_set(d, "%s %s %s %s: it says nothing", object_kind_name((int)o->kind),
			 family_name(t->family), t->name, o->name);
		return false;
	}
	return true;
}
