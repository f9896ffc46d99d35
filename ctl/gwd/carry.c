/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/carry.h>

/* An old rule by the text that makes it equal to a new one. */
struct key {
	char *text;
	size_t index;
	bool taken;
};
struct keys {
	struct key *keys;
	size_t n;
};

static void keys_deinit(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->keys[i].text);
	free(k->keys);
}

static char *rule_text(const struct rule *r)
{
	struct strbuf b = { 0 };

	lang_print_rule(r, LANG_STATELESS, &b);
	return strbuf_take(&b);
}

static int key_cmp(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int c = strcmp(x->text, y->text);

	return c ? c : (x->index > y->index) - (x->index < y->index);
}

static int keys_init(struct keys *k, const struct chain *c)
{
	k->keys = calloc(c->n_rules + 1, sizeof(*k->keys));
	if (!k->keys)
		return -ENOMEM;
	for (; k->n < c->n_rules; k->n++) {
		k->keys[k->n].index = k->n;
		k->keys[k->n].text = rule_text(c->rules[k->n]);
		if (!k->keys[k->n].text)
			return -ENOMEM;
	}
	qsort(k->keys, k->n, sizeof(*k->keys), key_cmp);
	return 0;
}

/* The first rule with this text that nobody took yet. */
static struct key *keys_take(struct keys *k, const char *text)
{
	size_t lo = 0, hi = k->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(k->keys[mid].text, text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < k->n && !strcmp(k->keys[lo].text, text); lo++) {
		if (!k->keys[lo].taken) {
			k->keys[lo].taken = true;
			return &k->keys[lo];
		}
	}
	return NULL;
}

static int carry_rule(const struct chain *old, struct keys *keys, struct rule *r)
{
	_cleanup_(freep) char *text = rule_text(r);
	struct key *key = text ? keys_take(keys, text) : NULL;
	const struct rule *from;

	if (!text)
		return -ENOMEM;
	if (!key)
		return 0;
	from = old->rules[key->index];
	r->handle = from->handle;
	r->cid = from->cid;
	r->counter_given = false; /* it goes on counting where it is */
	if (from->xtspec && !r->xtspec) {
		r->xtspec = strdup(from->xtspec);
		if (!r->xtspec)
			return -ENOMEM;
	}
	return 0;
}

static int carry_chain(const struct chain *old, struct chain *next)
{
	_cleanup_(keys_deinit) struct keys keys = { 0 };
	int r;

	next->handle = old->handle;
	next->cid = old->cid;
	if (old->cid)
		next->counter_given = false;
	if (!old->n_rules)
		return 0;
	r = keys_init(&keys, old);
	for (size_t i = 0; i < next->n_rules && !r; i++)
		r = carry_rule(old, &keys, next->rules[i]);
	return r;
}

int carry_over(const struct ruleset *old, struct ruleset *next)
{
	int r = 0;

	for (size_t t = 0; t < next->n_tables; t++) {
		struct table *nt = next->tables[t], *ot = ruleset_table(old, nt->family, nt->name);

		if (!ot)
			continue;
		nt->handle = ot->handle;
		for (size_t i = 0; i < nt->n_chains && !r; i++) {
			struct chain *oc = table_chain(ot, nt->chains[i]->name);

			if (oc)
				r = carry_chain(oc, nt->chains[i]);
		}
	}
	return r < 0 ? raise(r, "ruleset") : 0;
}

static bool set_goes_on(const struct set *a, const struct set *b)
{
	return a->is_map == b->is_map && a->is_vmap == b->is_vmap && a->n_fields == b->n_fields &&
	       a->n_data == b->n_data && a->flags == b->flags &&
	       !memcmp(a->types, b->types, a->n_fields * sizeof(a->types[0])) &&
	       !memcmp(a->data, b->data, a->n_data * sizeof(a->data[0]));
}

void carry_sets(const struct ruleset *old, struct ruleset *next)
{
	for (size_t t = 0; t < next->n_tables; t++) {
		struct table *nt = next->tables[t], *ot = ruleset_table(old, nt->family, nt->name);

		for (size_t i = 0; ot && i < nt->n_sets; i++) {
			const struct set *was = table_set(ot, nt->sets[i]->name);

			if (was && set_goes_on(was, nt->sets[i]))
				nt->sets[i]->handle = was->handle;
		}
	}
}

static bool object_goes_on(const struct object *a, const struct object *b)
{
	switch (a->kind) {
	case OBJECT_QUOTA:
		return a->quota == b->quota && a->quota_over == b->quota_over;
	case OBJECT_LIMIT:
		return a->limit.rate == b->limit.rate && a->limit.unit_s == b->limit.unit_s &&
		       a->limit.burst == b->limit.burst && a->limit.bytes == b->limit.bytes &&
		       a->limit.over == b->limit.over;
	default:
		return true;
	}
}

static void carry_object(const struct table *ot, struct object *o, bool handle)
{
	const struct object *was = ot ? table_object(ot, o->kind, o->name) : NULL;

	if (was && handle)
		o->handle = was->handle;
	o->id = was && was->handle == o->handle && object_goes_on(was, o) ? was->id : 0;
}

void carry_objects(const struct ruleset *old, struct ruleset *next, bool handles)
{
	for (size_t t = 0; t < next->n_tables; t++) {
		struct table *nt = next->tables[t];
		const struct table *ot = ruleset_table(old, nt->family, nt->name);

		for (size_t i = 0; i < nt->n_objects; i++)
			carry_object(ot, nt->objects[i], handles);
	}
}

/* Every handle of a ruleset, sorted, with what it is. */
enum kind { KIND_TABLE, KIND_CHAIN, KIND_RULE, KIND_OTHER };
struct item {
	uint64_t handle;
	enum kind kind;
	bool policy_drop;
};
struct items {
	struct item *items;
	size_t n, cap;
};

static int items_add(struct items *l, uint64_t handle, enum kind kind, bool policy_drop)
{
	void *p = l->items;
	int r = array_reserve(&p, &l->cap, l->n, sizeof(*l->items));

	if (r < 0)
		return r;
	l->items = p;
	l->items[l->n++] = (struct item){ handle, kind, policy_drop };
	return 0;
}

static int item_cmp(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->handle > y->handle) - (x->handle < y->handle);
}

static int items_init(struct items *l, const struct ruleset *rs)
{
	int r = 0;

	for (size_t t = 0; t < rs->n_tables; t++) {
		const struct table *tab = rs->tables[t];

		r |= items_add(l, tab->handle, KIND_TABLE, false);
		for (size_t i = 0; i < tab->n_chains; i++) {
			const struct chain *c = tab->chains[i];

			r |= items_add(l, c->handle, KIND_CHAIN, c->policy_drop);
			for (size_t j = 0; j < c->n_rules; j++)
				r |= items_add(l, c->rules[j]->handle, KIND_RULE, false);
		}
		for (size_t i = 0; i < tab->n_sets; i++)
			r |= items_add(l, tab->sets[i]->handle, KIND_OTHER, false);
		for (size_t i = 0; i < tab->n_objects; i++)
			r |= items_add(l, tab->objects[i]->handle, KIND_OTHER, false);
	}
	if (l->n)
		qsort(l->items, l->n, sizeof(*l->items), item_cmp);
	return r ? raise(-ENOMEM, "ruleset") : 0;
}

static void items_deinit(struct items *l)
{
	free(l->items);
}

static const struct item *items_find(const struct items *l, const struct item *like)
{
	return l->n ? bsearch(like, l->items, l->n, sizeof(*like), item_cmp) : NULL;
}

/* Count what `from` has and `other` has not. */
static void count_missing(const struct items *from, const struct items *other, unsigned int *tables,
			  unsigned int *chains, unsigned int *rules)
{
	for (size_t i = 0; i < from->n; i++) {
		if (items_find(other, &from->items[i]))
			continue;
		*tables += from->items[i].kind == KIND_TABLE;
		*chains += from->items[i].kind == KIND_CHAIN;
		*rules += from->items[i].kind == KIND_RULE;
	}
}

int carry_diff(const struct ruleset *old, const struct ruleset *next, struct lang_changes *ret)
{
	_cleanup_(items_deinit) struct items was = { 0 }, is = { 0 };
	struct lang_changes ch = { 0 };
	int r = items_init(&was, old);

	if (!r)
		r = items_init(&is, next);
	if (r < 0)
		return r;
	count_missing(&is, &was, &ch.tables_added, &ch.chains_added, &ch.rules_added);
	count_missing(&was, &is, &ch.tables_deleted, &ch.chains_deleted, &ch.rules_deleted);
	for (size_t i = 0; i < is.n; i++) {
		const struct item *before = items_find(&was, &is.items[i]);

		if (is.items[i].kind == KIND_CHAIN && before)
			ch.policies += before->policy_drop != is.items[i].policy_drop;
		if (is.items[i].kind == KIND_RULE && !before)
			ch.last_handle = is.items[i].handle;
	}
	*ret = ch;
	return 0;
}

int carry_duplicate(const struct ruleset *rs, uint64_t *ret_handle)
{
	_cleanup_(items_deinit) struct items is = { 0 };
	int r = items_init(&is, rs);

	if (r < 0)
		return r;
	for (size_t i = 0; i < is.n; i++) {
		if (is.items[i].handle && (!i || is.items[i].handle != is.items[i - 1].handle))
			continue;
		*ret_handle = is.items[i].handle;
		return 1;
	}
	return 0;
}
