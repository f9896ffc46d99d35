/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/impl.h>

struct elems *elems_new(unsigned int n_fields)
{
	struct elems *e = calloc(1, sizeof(*e));

	if (e)
		*e = (struct elems){ .refs = 1, .n_fields = n_fields };
	return e;
}

struct elems *elems_ref(struct elems *e)
{
	e->refs++;
	return e;
}

struct elems *elems_free(struct elems *e)
{
	if (!e || --e->refs)
		return NULL;
	for (size_t i = 0; e->data && i < e->n; i++)
		free(e->data[i].chain);
	for (size_t i = 0; e->extra && i < e->n; i++)
		free(e->extra[i].comment);
	free(e->keys);
	free(e->data);
	free(e->extra);
	free(e);
	return NULL;
}

/* Room for one more row in each of the arrays that are in use. */
static int elems_reserve(struct elems *e, bool data, bool extra)
{
	size_t cap = e->n < e->cap ? e->cap : MAX(e->cap * 2, 4U);
	void *grown;

	if (cap != e->cap || !e->keys) {
		grown = reallocarray(e->keys, cap * e->n_fields, sizeof(*e->keys));
		if (!grown)
			return -ENOMEM;
		e->keys = grown;
	}
	if ((data || e->data) && (cap != e->cap || !e->data)) {
		grown = reallocarray(e->data, cap, sizeof(*e->data));
		if (!grown)
			return -ENOMEM;
		if (!e->data)
			memset(grown, 0, e->n * sizeof(*e->data));
		e->data = grown;
	}
	if ((extra || e->extra) && (cap != e->cap || !e->extra)) {
		grown = reallocarray(e->extra, cap, sizeof(*e->extra));
		if (!grown)
			return -ENOMEM;
		if (!e->extra)
			memset(grown, 0, e->n * sizeof(*e->extra));
		e->extra = grown;
	}
	e->cap = cap;
	return 0;
}

int elems_add(struct elems *e, const struct elem *key, struct map_data *data,
	      struct elem_extra *extra)
{
	int r = elems_reserve(e, data, extra);

	if (r < 0)
		return r;
	memcpy(e->keys + e->n * e->n_fields, key, e->n_fields * sizeof(*key));
	if (e->data)
		e->data[e->n] = data ? *data : (struct map_data){ 0 };
	if (e->extra)
		e->extra[e->n] = extra ? *extra : (struct elem_extra){ 0 };
	if (data)
		data->chain = NULL;
	if (extra)
		extra->comment = NULL;
	e->n++;
	return 0;
}

void elems_remove(struct elems *e, size_t index)
{
	size_t behind = e->n - index - 1;

	if (e->data) {
		free(e->data[index].chain);
		memmove(e->data + index, e->data + index + 1, behind * sizeof(*e->data));
	}
	if (e->extra) {
		free(e->extra[index].comment);
		memmove(e->extra + index, e->extra + index + 1, behind * sizeof(*e->extra));
	}
	memmove(e->keys + index * e->n_fields, e->keys + (index + 1) * e->n_fields,
		behind * e->n_fields * sizeof(*e->keys));
	e->n--;
}

static struct elems *elems_copy(const struct elems *e)
{
	_cleanup_(elems_freep) struct elems *copy = elems_new(e->n_fields);

	for (size_t i = 0; copy && i < e->n; i++) {
		struct map_data data = e->data ? e->data[i] : (struct map_data){ 0 };
		struct elem_extra extra = e->extra ? e->extra[i] : (struct elem_extra){ 0 };
		/* both, whatever becomes of the first: what is freed below must be the copy's */
		bool chain = string_copy(&data.chain, data.chain);
		bool comment = string_copy(&extra.comment, extra.comment);
		int r = -ENOMEM;

		if (chain && comment)
			r = elems_add(copy, e->keys + i * e->n_fields, e->data ? &data : NULL,
				      e->extra ? &extra : NULL);
		if (r < 0) {
			free(data.chain);
			free(extra.comment);
			return NULL;
		}
	}
	return TAKE_PTR(copy);
}

int elems_own(struct elems **e)
{
	struct elems *copy;

	if ((*e)->refs == 1)
		return 0;
	copy = elems_copy(*e);
	if (!copy)
		return -ENOMEM;
	elems_free(*e);
	*e = copy;
	return 0;
}

struct map_use *map_use_free(struct map_use *m)
{
	if (!m)
		return NULL;
	free(m->name);
	elems_free(m->elems);
	free(m);
	return NULL;
}

int map_use_copy(struct map_use **to, const struct map_use *from)
{
	_cleanup_(map_use_freep) struct map_use *m = NULL;

	*to = NULL;
	if (!from)
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->key = from->key;
	m->elems = from->elems ? elems_ref(from->elems) : NULL;
	if (!string_copy(&m->name, from->name))
		return -ENOMEM;
	*to = TAKE_PTR(m);
	return 0;
}

struct set *set_new(void)
{
	return calloc(1, sizeof(struct set));
}

struct set *set_free(struct set *s)
{
	if (!s)
		return NULL;
	elems_free(s->elems);
	free(s->policy);
	free(s->comment);
	free(s);
	return NULL;
}

struct set *set_copy(const struct set *from)
{
	_cleanup_(set_freep) struct set *s = set_new();

	if (!s)
		return NULL;
	*s = *from;
	s->elems = from->elems ? elems_ref(from->elems) : NULL;
	s->policy = s->comment = NULL;
	if (!string_copy(&s->policy, from->policy) || !string_copy(&s->comment, from->comment))
		return NULL;
	return TAKE_PTR(s);
}

struct set *table_set(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n_sets; i++) {
		if (!strcmp(t->sets[i]->name, name))
			return t->sets[i];
	}
	return NULL;
}

int table_add_set(struct ruleset *rs, struct table *t, struct set *s)
{
	int r;

	if (table_set(t, s->name))
		return -EEXIST;
	if (!s->elems) {
		s->elems = elems_new(s->n_fields);
		if (!s->elems)
			return -ENOMEM;
	}
	r = pointers_insert((void ***)&t->sets, &t->n_sets, &t->cap_sets, t->n_sets, s);
	if (r < 0)
		return r;
	handle_take(rs, &s->handle);
	return 0;
}

void table_delete_set(struct table *t, struct set *s)
{
	if (pointers_drop((void **)t->sets, &t->n_sets, s))
		set_free(s);
}

static const char *const object_names[] = {
	[OBJECT_COUNTER] = "counter",
	[OBJECT_QUOTA] = "quota",
	[OBJECT_LIMIT] = "limit",
};

const char *object_kind_name(int kind)
{
	return kind >= 0 && kind < (int)ARRAY_SIZE(object_names) ? object_names[kind] : NULL;
}

struct object *object_free(struct object *o)
{
	if (o)
		free(o->comment);
	free(o);
	return NULL;
}

struct object *object_copy(const struct object *from)
{
	_cleanup_(object_freep) struct object *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	*o = *from;
	o->comment = NULL;
	return string_copy(&o->comment, from->comment) ? TAKE_PTR(o) : NULL;
}

struct object *table_object(const struct table *t, enum object_kind kind, const char *name)
{
	for (size_t i = 0; i < t->n_objects; i++) {
		if (t->objects[i]->kind == kind && !strcmp(t->objects[i]->name, name))
			return t->objects[i];
	}
	return NULL;
}

int table_add_object(struct ruleset *rs, struct table *t, struct object *o)
{
	int r;

	if (table_object(t, o->kind, o->name))
		return -EEXIST;
	r = pointers_insert((void ***)&t->objects, &t->n_objects, &t->cap_objects, t->n_objects, o);
	if (r < 0)
		return r;
	handle_take(rs, &o->handle);
	return 0;
}

void table_delete_object(struct table *t, struct object *o)
{
	if (pointers_drop((void **)t->objects, &t->n_objects, o))
		object_free(o);
}
