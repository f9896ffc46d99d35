/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands on sets, maps, their elements, and on named objects.
 */
#include <lang/parse.h>

#include <lang/suggest.h>

/* The table is t's afterwards: names in what follows are looked up there. */
static int find_own_table(struct parser *p, const struct target *target, struct table **ret)
{
	int r = find_table(p, target, ret);

	if (!r)
		p->table = *ret;
	return r;
}

int add_set_command(struct parser *p, bool is_map, bool create)
{
	struct target target;
	struct token at;
	struct table *t;
	int r = parse_target(p, &target, false);

	if (!r)
		r = find_own_table(p, &target, &t);
	at = p->tok;
	if (!r)
		r = parse_name(p, is_map ? "the name of a map" : "the name of a set", target.chain);
	if (r)
		return r;
	if (create && table_set(t, target.chain))
		return fail_at(p, &at, "`%s` exists already", target.chain);
	return parse_set_block(p, t, is_map, target.chain, &at);
}

int add_object_command(struct parser *p, enum object_kind kind, bool create)
{
	const char *word = object_kind_name((int)kind);
	struct target target;
	struct token at;
	struct table *t;
	int r = parse_target(p, &target, false);

	if (!r)
		r = find_own_table(p, &target, &t);
	at = p->tok;
	if (!r)
		r = parse_name(p, "a name", target.chain);
	if (r)
		return r;
	if (create && table_object(t, kind, target.chain))
		return fail_at(p, &at, "%s `%s` exists already", word, target.chain);
	return parse_object_block(p, t, kind, target.chain, &at);
}

static int fail_no_set(struct parser *p, const struct table *t, const struct token *at,
		       const char *name)
{
	struct suggest s;

	fail_at(p, at, "there is no set or map `%s` in table `%s %s`", name, family_name(t->family),
		t->name);
	suggest_init(&s, name, strlen(name));
	for (size_t i = 0; i < t->n_sets; i++)
		suggest_try(&s, t->sets[i]->name);
	return suggest_hint(p, &s);
}

/* [FAMILY] TABLE NAME of a set or map */
static int find_set(struct parser *p, struct table **ret_table, struct set **ret,
		    struct token *ret_at)
{
	char name[NAME_SIZE];
	struct target target;
	int r = parse_target(p, &target, false);

	if (!r)
		r = find_own_table(p, &target, ret_table);
	*ret_at = p->tok;
	if (!r)
		r = parse_name(p, "the name of a set or map", name);
	if (r)
		return r;
	*ret = table_set(*ret_table, name);
	return *ret ? 0 : fail_no_set(p, *ret_table, ret_at, name);
}

/* What anonymous sets point to is not in reach of commands: only named sets come here. */
int element_command(struct parser *p, enum element_verb verb)
{
	bool deletes = verb == ELEMENT_DELETE || verb == ELEMENT_DESTROY;
	struct batch *batch;
	struct shape shape;
	struct token at;
	struct table *t;
	struct set *set;
	size_t before;
	int r = find_set(p, &t, &set, &at);

	if (r)
		return r;
	if (set->flags & SET_CONSTANT && (set->elems->n || p->pending.set == set || deletes)) {
		fail_at(p, &at, "`%s` is constant", set->name);
		return fail_hint(p, "its elements stand in its declaration");
	}
	shape = (struct shape){ .keys = set->types,
				.n_keys = set->n_fields,
				.data = set->data,
				.n_data = set->n_data,
				.is_map = set->is_map,
				.data_optional = deletes };
	r = pending_batch(p, set, verb, &batch);
	if (r)
		return r;
	before = batch->elems ? batch->elems->n : 0;
	r = parse_elements(p, &shape, batch);
	for (size_t i = before; !r && i < batch->elems->n; i++)
		batch->places[i].verb = (uint8_t)verb;
	return r;
}

static struct set *set_by_handle(const struct table *t, uint64_t handle)
{
	for (size_t i = 0; i < t->n_sets; i++) {
		if (t->sets[i]->handle == handle)
			return t->sets[i];
	}
	return NULL;
}

static struct object *object_by_handle(const struct table *t, enum object_kind kind,
				       uint64_t handle)
{
	for (size_t i = 0; i < t->n_objects; i++) {
		if (t->objects[i]->handle == handle && t->objects[i]->kind == kind)
			return t->objects[i];
	}
	return NULL;
}

/* What is named by its name or its handle. */
struct named {
	struct table *table; /* NULL = there is none */
	struct token at;
	bool by_handle;
	uint64_t handle;
	char name[NAME_SIZE];
};

static int parse_named(struct parser *p, const char *what, struct named *ret)
{
	struct target target;
	int r = parse_target(p, &target, false);

	*ret = (struct named){ .at = p->tok };
	if (r)
		return r;
	ret->table = ruleset_table(p->rs, target.family, target.table);
	ret->by_handle = token_is(&p->tok, "handle");
	return ret->by_handle ? parse_handle(p, &ret->handle) : parse_name(p, what, ret->name);
}

static int fail_named(struct parser *p, const struct named *n, const char *what, bool must_exist)
{
	return must_exist ? fail_at(p, &n->at, "there is no such %s", what) : 0;
}

static int fail_used(struct parser *p, const struct named *n, const char *what, const char *name)
{
	fail_at(p, &n->at, "%s `%s` is used by a rule", what, name);
	return fail_hint(p, "delete the rule first");
}

int delete_set_command(struct parser *p, bool is_map, bool must_exist)
{
	const char *what = is_map ? "map" : "set";
	struct set *s = NULL;
	struct named n;
	int r = parse_named(p, is_map ? "the name of a map" : "the name of a set", &n);

	if (r)
		return r;
	if (n.table)
		s = n.by_handle ? set_by_handle(n.table, n.handle) : table_set(n.table, n.name);
	if (!s || s->is_map != is_map)
		return fail_named(p, &n, what, must_exist);
	if (table_uses_set(n.table, s->name))
		return fail_used(p, &n, what, s->name);
	table_delete_set(n.table, s);
	return 0;
}

int delete_object_command(struct parser *p, enum object_kind kind, bool must_exist)
{
	const char *what = object_kind_name((int)kind);
	struct object *o = NULL;
	struct named n;
	int r = parse_named(p, "a name", &n);

	if (r)
		return r;
	if (n.table)
		o = n.by_handle ? object_by_handle(n.table, kind, n.handle)
				: table_object(n.table, kind, n.name);
	if (!o)
		return fail_named(p, &n, what, must_exist);
	if (table_uses_object(n.table, kind, o->name))
		return fail_used(p, &n, what, o->name);
	table_delete_object(n.table, o);
	return 0;
}

int flush_set_command(struct parser *p)
{
	struct elems *none;
	struct token at;
	struct table *t;
	struct set *set;
	int r = find_set(p, &t, &set, &at);

	if (r)
		return r;
	if (set->flags & SET_CONSTANT)
		return fail_at(p, &at, "`%s` is constant", set->name);
	none = elems_new(set->n_fields);
	if (!none)
		return -ENOMEM;
	elems_free(set->elems);
	set->elems = none;
	return 0;
}
