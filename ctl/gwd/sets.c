/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/compile.h>
#include <gwd/ifs.h>
#include <gwd/sets.h>
#include <model/keys.h>
#include <time.h>

#define DUTY 20 /* a pass over all elements may take one part in DUTY of the time */

bool set_lives_in_map(const struct set *s)
{
	return s->flags & (SET_DYNAMIC | SET_TIMEOUT) && !(s->flags & SET_INTERVAL) && !s->is_map;
}

static bool set_has_deadlines(const struct set *s)
{
	return s->flags & SET_TIMEOUT && !set_lives_in_map(s);
}

static uint64_t now_ms(void)
{
	return now_ns(CLOCK_BOOTTIME) / 1000000;
}

static uint64_t number_get(const uint8_t *key, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v = v << 8 | key[i];
	return v;
}

/* One field of a key as the data plane has it. */
static void part_get(const struct gwd *g, enum field_type type, const uint8_t *key, struct elem *e)
{
	const struct type_row *row = &type_rows[type];
	const char *name;

	*e = (struct elem){ .plen = -1 };
	switch (row->base) {
	case BASE_ADDR:
		memcpy(e->addr_lo, key, row->bytes);
		memcpy(e->addr_hi, key, row->bytes);
		break;
	case BASE_NAME:
		name = ifs_name(g->ifs, (unsigned int)number_get(key, row->bytes));
		if (!name)
			name = type == FIELD_FIB_OIF && !number_get(key, row->bytes) ? OIF_NONE
										     : "?";
		snprintf(e->name, sizeof(e->name), "%s", name);
		break;
	default:
		e->num_lo = e->num_hi = number_get(key, row->bytes);
	}
}

static void key_get(const struct gwd *g, const struct set *s, const struct gw_dynkey *key,
		    struct elem *ret)
{
	unsigned int at = 0;

	for (unsigned int i = 0; i < s->n_fields; i++) {
		part_get(g, s->types[i], key->key + at, &ret[i]);
		at += (type_rows[s->types[i]].bytes + 3) / 4 * 4;
	}
}

static bool key_put(const struct gwd *g, const struct set *s, const struct elem *e,
		    struct gw_dynkey *ret)
{
	const struct compile_if *names;
	size_t n = ifs_names(g->ifs, &names);

	*ret = (struct gw_dynkey){ .set = (uint32_t)s->handle };
	return compile_key(s, e, names, n, ret->key) > 0;
}

/* The dynamic sets of a ruleset by their number in the kernel. */
struct set_list {
	struct set **v;
	size_t n, cap;
};

static void set_list_deinit(struct set_list *l)
{
	free(l->v);
}

static int set_cmp(const void *a, const void *b)
{
	uint32_t x = (uint32_t)(*(struct set *const *)a)->handle,
		 y = (uint32_t)(*(struct set *const *)b)->handle;

	return (x > y) - (x < y);
}

static int set_list_init(struct set_list *l, const struct ruleset *rs)
{
	*l = (struct set_list){ 0 };
	for (size_t t = 0; t < rs->n_tables; t++) {
		for (size_t i = 0; i < rs->tables[t]->n_sets; i++) {
			void *p = l->v;

			if (!set_lives_in_map(rs->tables[t]->sets[i]))
				continue;
			if (array_reserve(&p, &l->cap, l->n, sizeof(*l->v)) < 0)
				return raise(-ENOMEM, "sets");
			l->v = p;
			l->v[l->n++] = rs->tables[t]->sets[i];
		}
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), set_cmp);
	return 0;
}

/* ret_at may be NULL. */
static struct set *set_list_find(const struct set_list *l, uint32_t id, size_t *ret_at)
{
	struct set like = { .handle = id }, *key = &like, **found;

	found = l->n ? bsearch(&key, l->v, l->n, sizeof(*l->v), set_cmp) : NULL;
	if (found && ret_at)
		*ret_at = (size_t)(found - l->v);
	return found ? *found : NULL;
}

struct fill {
	struct gwd *g;
	struct set_list sets;
	uint64_t now_ns;
};

static int fill_one(const struct gw_dynkey *key, const struct gw_dynval *value, void *arg)
{
	struct fill *f = arg;
	struct set *s = set_list_find(&f->sets, key->set, NULL);
	struct elem_extra extra = { .timeout_ms = value->timeout_ns / 1000000,
				    .pkts = value->pkts,
				    .bytes = value->bytes };
	struct elem elem[CONCAT_MAX];

	if (!s || (value->expires_ns && value->expires_ns <= f->now_ns))
		return 0;
	if (extra.timeout_ms == s->timeout_ms) /* the set's own is not written at each element */
		extra.timeout_ms = 0;
	if (value->expires_ns)
		extra.expires_ms = (value->expires_ns - f->now_ns + 999999) / 1000000;
	key_get(f->g, s, key, elem);
	return elems_add(s->elems, elem, NULL, &extra);
}

static struct key_type key_type_of(const struct set *s)
{
	return (struct key_type){ .types = s->types,
				  .n = s->n_fields,
				  .interval = s->flags & SET_INTERVAL };
}

struct order {
	const struct elems *e;
	struct key_type type;
};

static int order_cmp(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;

	return key_compare(&o->type, o->e->keys + *(const size_t *)a * o->e->n_fields,
			   o->e->keys + *(const size_t *)b * o->e->n_fields);
}

/* The kernel's hash has no order, the model has. */
static int set_sort(struct set *s)
{
	_cleanup_(elems_freep) struct elems *sorted = elems_new(s->n_fields);
	_cleanup_(freep) size_t *at = calloc(s->elems->n + 1, sizeof(*at));
	struct order o = { s->elems, key_type_of(s) };
	int r = 0;

	if (!sorted || !at)
		return -ENOMEM;
	for (size_t i = 0; i < s->elems->n; i++)
		at[i] = i;
	qsort_r(at, s->elems->n, sizeof(*at), order_cmp, &o);
	for (size_t i = 0; i < s->elems->n && r == 0; i++)
		r = elems_add(sorted, s->elems->keys + at[i] * s->n_fields, NULL,
			      &s->elems->extra[at[i]]);
	if (r < 0)
		return r;
	elems_free(s->elems);
	s->elems = TAKE_PTR(sorted);
	return 0;
}

static bool elems_have(const struct set *s, const struct elems *e, const struct elem *key,
		       size_t *ret_at)
{
	struct key_type type = key_type_of(s);

	return elems_find(e, &type, key, ret_at);
}

/* Comments are the model's alone. */
static int fill_comments(struct set *s, const struct elems *own)
{
	size_t at;

	for (size_t i = 0; own->extra && i < own->n; i++) {
		const char *comment = own->extra[i].comment;

		if (!comment || !elems_have(s, s->elems, own->keys + i * own->n_fields, &at))
			continue;
		s->elems->extra[at].comment = strdup(comment);
		if (!s->elems->extra[at].comment)
			return -ENOMEM;
	}
	return 0;
}

/* The elements of dynamic sets by the set's handle; the lists are shared with the model they were read for. */
struct sets_seen {
	size_t n;
	struct {
		uint64_t handle;
		struct elems *elems;
	} v[];
};

struct sets_seen *sets_seen_free(struct sets_seen *s)
{
	for (size_t i = 0; s && i < s->n; i++)
		elems_free(s->v[i].elems);
	free(s);
	return NULL;
}

static struct sets_seen *seen_new(const struct set_list *l)
{
	struct sets_seen *s = calloc(1, sizeof(*s) + l->n * sizeof(s->v[0]));

	for (; s && s->n < l->n; s->n++) {
		s->v[s->n].handle = l->v[s->n]->handle;
		s->v[s->n].elems = elems_ref(l->v[s->n]->elems);
	}
	return s;
}

static const struct elems *seen_elems(const struct sets_seen *s, uint64_t handle)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].handle == handle)
			return s->v[i].elems;
	return NULL;
}

static int fill_clear(const struct set_list *l, struct elems **ret_own)
{
	for (size_t i = 0; i < l->n; i++) {
		struct elems *none = elems_new(l->v[i]->n_fields);

		if (!none)
			return -ENOMEM;
		ret_own[i] = l->v[i]->elems;
		l->v[i]->elems = none;
	}
	return 0;
}

static int fill_finish(const struct set_list *l, struct elems **own)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++) {
		if (l->v[i]->elems->n)
			r = set_sort(l->v[i]);
		if (r == 0 && own[i])
			r = fill_comments(l->v[i], own[i]);
	}
	return r;
}

int sets_fill(struct gwd *g, struct ruleset *rs, struct sets_seen **ret_seen)
{
	struct fill f = { .g = g, .now_ns = now_ns(CLOCK_BOOTTIME) };
	_cleanup_(freep) struct elems **own = NULL;
	int r = set_list_init(&f.sets, rs);

	if (r == 0 && f.sets.n) {
		own = calloc(f.sets.n, sizeof(struct elems *));
		r = own ? fill_clear(&f.sets, own) : -ENOMEM;
		if (r == 0)
			r = kern_dynset_walk(g->kern, fill_one, &f);
		if (r == 0)
			r = fill_finish(&f.sets, own);
		for (size_t i = 0; own && i < f.sets.n; i++)
			elems_free(own[i]);
	}
	if (r == 0 && ret_seen) {
		*ret_seen = seen_new(&f.sets);
		r = *ret_seen ? 0 : -ENOMEM;
	}
	set_list_deinit(&f.sets);
	return r;
}

static int deadlines_to_left(struct set *s)
{
	uint64_t now = now_ms();

	if (!s->elems->extra)
		return 0;
	if (elems_own(&s->elems) < 0)
		return -ENOMEM;
	for (size_t e = 0; e < s->elems->n; e++) {
		uint64_t *at = &s->elems->extra[e].expires_ms;

		*at = *at > now ? *at - now : *at ? 1 : 0;
	}
	return 0;
}

int sets_show(struct gwd *g, struct ruleset *rs)
{
	int r = sets_fill(g, rs, NULL);

	for (size_t t = 0; t < rs->n_tables; t++)
		for (size_t i = 0; i < rs->tables[t]->n_sets && r == 0; i++)
			if (set_has_deadlines(rs->tables[t]->sets[i]))
				r = deadlines_to_left(rs->tables[t]->sets[i]);
	return r;
}

struct put {
	struct gw_dynkey key;
	struct gw_dynval value;
	bool fresh; /* what is there stays as it is */
	/* for taking it back */
	bool done, was_there;
	struct gw_dynval was;
};

struct sets_change {
	struct put *puts;
	size_t n_puts, cap_puts;
	struct gw_dynkey *deletes;
	size_t n_deletes, cap_deletes;
	uint32_t *gone; /* sets that are no more */
	size_t n_gone, cap_gone;
	bool is_sized; /* a new set has a size of its own */
};

struct sets_change *sets_change_free(struct sets_change *c)
{
	if (!c)
		return NULL;
	free(c->puts);
	free(c->deletes);
	free(c->gone);
	free(c);
	return NULL;
}

static const struct elem *key_at(const struct elems *e, size_t i)
{
	return e->keys + i * e->n_fields;
}

static struct gw_dynval value_of(const struct set *s, const struct elems *e, size_t i)
{
	struct elem_extra x = e->extra ? e->extra[i] : (struct elem_extra){ 0 };
	uint64_t timeout = x.timeout_ms ? x.timeout_ms : s->timeout_ms;
	uint64_t left = x.expires_ms ? x.expires_ms : timeout;

	return (struct gw_dynval){ .timeout_ns = timeout * 1000000,
				   .expires_ns = left ? now_ns(CLOCK_BOOTTIME) + left * 1000000 : 0,
				   .pkts = x.pkts,
				   .bytes = x.bytes };
}

static int plan_put(const struct gwd *g, struct sets_change *c, const struct set *s,
		    const struct elems *e, size_t i, bool fresh)
{
	struct put put = { .fresh = fresh, .value = value_of(s, e, i) };
	void *p = c->puts;

	/* an interface that does not exist can be in no packet */
	if (!key_put(g, s, key_at(e, i), &put.key))
		return 0;
	if (array_reserve(&p, &c->cap_puts, c->n_puts, sizeof(*c->puts)) < 0)
		return -ENOMEM;
	c->puts = p;
	c->puts[c->n_puts++] = put;
	return 0;
}

static int plan_delete(const struct gwd *g, struct sets_change *c, const struct set *s,
		       const struct elem *key)
{
	struct gw_dynkey k;
	void *p = c->deletes;

	if (!key_put(g, s, key, &k))
		return 0;
	if (array_reserve(&p, &c->cap_deletes, c->n_deletes, sizeof(*c->deletes)) < 0)
		return -ENOMEM;
	c->deletes = p;
	c->deletes[c->n_deletes++] = k;
	return 0;
}

static int plan_deletes(const struct gwd *g, struct sets_change *c, const struct set *s,
			const struct elems *before)
{
	size_t at;
	int r = 0;

	for (size_t i = 0; i < before->n && r == 0; i++)
		if (!elems_have(s, s->elems, key_at(before, i), &at))
			r = plan_delete(g, c, s, key_at(before, i));
	return r;
}

static bool extra_differs(const struct elems *a, size_t i, const struct elems *b, size_t k)
{
	return (a->extra ? a->extra[i].timeout_ms : 0) != (b->extra ? b->extra[k].timeout_ms : 0);
}

/* Copy one element with what belongs to it. */
static int elems_take(struct elems *to, const struct elems *from, size_t i)
{
	struct elem_extra extra = from->extra ? from->extra[i] : (struct elem_extra){ 0 };
	int r;

	extra.comment = extra.comment ? strdup(extra.comment) : NULL;
	extra.expires_ms = 0;
	r = elems_add(to, key_at(from, i), NULL, &extra);
	if (r < 0)
		free(extra.comment);
	return r;
}

/* Elements of a set that was filled before it was changed; `own` is what users had put there. */
static int plan_filled(const struct gwd *g, struct sets_change *c, struct set *s,
		       const struct elems *before, const struct elems *own)
{
	_cleanup_(elems_freep) struct elems *next_own = elems_new(s->n_fields);
	const struct elems *e = s->elems;
	int r = next_own ? plan_deletes(g, c, s, before) : -ENOMEM;
	size_t at;

	for (size_t i = 0; i < e->n && r == 0; i++) {
		bool was = elems_have(s, before, key_at(e, i), &at) &&
			   !extra_differs(e, i, before, at);

		if (!was)
			r = plan_put(g, c, s, e, i, false);
		if (r == 0 && (!was || (own && elems_have(s, own, key_at(e, i), &at))))
			r = elems_take(next_own, e, i);
	}
	if (r < 0)
		return r;
	elems_free(s->elems);
	s->elems = TAKE_PTR(next_own);
	return 0;
}

static int plan_replaced(const struct gwd *g, struct sets_change *c, const struct set *s,
			 const struct elems *own)
{
	int r = own ? plan_deletes(g, c, s, own) : 0;

	for (size_t i = 0; i < s->elems->n && r == 0; i++)
		r = plan_put(g, c, s, s->elems, i, true);
	return r;
}

static int plan_set(const struct gwd *g, struct sets_change *c, struct set *s,
		    const struct set *old, const struct sets_seen *seen)
{
	static const struct elems nothing;
	const struct elems *own = old ? old->elems : NULL,
			   *before = seen ? seen_elems(seen, s->handle) : NULL;

	if (!seen && old && s->elems == old->elems)
		return 0;
	if (!seen)
		return plan_replaced(g, c, s, own);
	if (before != s->elems)
		return plan_filled(g, c, s, before ? before : &nothing, own);
	elems_free(s->elems); /* as it was */
	s->elems = elems_ref((struct elems *)own);
	return 0;
}

/* Elements that are new here have the time from now on, the others the deadline they had. */
static int plan_deadlines(struct set *s, const struct set *old)
{
	uint64_t now = now_ms();
	size_t at;

	if ((old && s->elems == old->elems) || (!s->elems->extra && !s->timeout_ms))
		return 0;
	if (elems_own(&s->elems) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < s->elems->n; i++) {
		struct elem_extra *x = s->elems->extra ? &s->elems->extra[i] : NULL;
		uint64_t left = x && x->expires_ms   ? x->expires_ms
				: x && x->timeout_ms ? x->timeout_ms
						     : s->timeout_ms;

		if (!x)
			return 0;
		if (old && old->elems->extra &&
		    elems_have(s, old->elems, key_at(s->elems, i), &at) &&
		    old->elems->extra[at].expires_ms == x->expires_ms)
			continue;
		x->expires_ms = left ? now + left : 0;
	}
	return 0;
}

static struct set *set_by_handle(const struct ruleset *rs, uint64_t handle)
{
	for (size_t t = 0; t < rs->n_tables; t++)
		for (size_t i = 0; i < rs->tables[t]->n_sets; i++)
			if (rs->tables[t]->sets[i]->handle == handle)
				return rs->tables[t]->sets[i];
	return NULL;
}

static int plan_gone(struct sets_change *c, const struct set_list *was, const struct set_list *is)
{
	for (size_t i = 0; i < was->n; i++) {
		uint32_t id = (uint32_t)was->v[i]->handle;
		void *p = c->gone;

		if (set_list_find(is, id, NULL))
			continue;
		if (array_reserve(&p, &c->cap_gone, c->n_gone, sizeof(*c->gone)) < 0)
			return -ENOMEM;
		c->gone = p;
		c->gone[c->n_gone++] = id;
	}
	return 0;
}

static int plan_all(struct gwd *g, struct sets_change *c, struct ruleset *next,
		    const struct sets_seen *seen, const struct set_list *was)
{
	int r = 0;

	for (size_t t = 0; t < next->n_tables; t++) {
		for (size_t i = 0; i < next->tables[t]->n_sets && r == 0; i++) {
			struct set *s = next->tables[t]->sets[i];

			if (set_lives_in_map(s))
				r = plan_set(g, c, s, set_list_find(was, (uint32_t)s->handle, NULL),
					     seen);
			else if (set_has_deadlines(s))
				r = plan_deadlines(s, set_by_handle(g->rs, s->handle));
		}
	}
	return r;
}

int sets_plan(struct gwd *g, struct ruleset *next, const struct sets_seen *seen,
	      struct sets_change **ret)
{
	_cleanup_(sets_change_freep) struct sets_change *c = calloc(1, sizeof(*c));
	_cleanup_(set_list_deinit) struct set_list was = { 0 }, is = { 0 };
	int r = c ? set_list_init(&was, g->rs) : -ENOMEM;

	if (r == 0)
		r = set_list_init(&is, next);
	if (r == 0)
		r = plan_gone(c, &was, &is);
	for (size_t i = 0; r == 0 && i < is.n; i++)
		c->is_sized |=
			is.v[i]->size && !set_list_find(&was, (uint32_t)is.v[i]->handle, NULL);
	if (r == 0)
		r = plan_all(g, c, next, seen, &was);
	if (r < 0)
		return raise(r, "elements of sets");
	*ret = TAKE_PTR(c);
	return 0;
}

int sets_plan_elements(struct gwd *g, const struct set *s, const struct elems *elems, bool delete,
		       struct sets_change **ret)
{
	_cleanup_(sets_change_freep) struct sets_change *c = calloc(1, sizeof(*c));
	struct gw_dynval value;
	int r = c ? 0 : -ENOMEM;

	for (size_t i = 0; i < elems->n && r == 0; i++)
		r = delete ? plan_delete(g, c, s, key_at(elems, i))
			   : plan_put(g, c, s, elems, i, false);
	for (size_t i = 0; r == 0 && i < c->n_deletes; i++)
		r = kern_dynset_get(g->kern, &c->deletes[i], &value) > 0 ? 0 : 1;
	if (r)
		return r < 0 ? raise(r, "elements of a set") : r;
	*ret = TAKE_PTR(c);
	return 0;
}

/* The last element belongs at `at`. */
static void elems_move_last(struct elems *e, size_t at)
{
	struct elem key[CONCAT_MAX];
	size_t last = e->n - 1;

	memcpy(key, key_at(e, last), e->n_fields * sizeof(*key));
	memmove(e->keys + (at + 1) * e->n_fields, e->keys + at * e->n_fields,
		(last - at) * e->n_fields * sizeof(*e->keys));
	memcpy(e->keys + at * e->n_fields, key, e->n_fields * sizeof(*key));
	if (e->extra) {
		struct elem_extra extra = e->extra[last];

		memmove(e->extra + at + 1, e->extra + at, (last - at) * sizeof(*e->extra));
		e->extra[at] = extra;
	}
}

void sets_note_elements(struct set *s, const struct elems *elems, bool delete)
{
	size_t at;

	if (elems_own(&s->elems) < 0)
		return; /* the kernel has it: only a later reload will see less */
	for (size_t i = 0; i < elems->n; i++) {
		bool there = elems_have(s, s->elems, key_at(elems, i), &at);

		if (there)
			elems_remove(s->elems, at);
		if (!delete &&elems_take(s->elems, elems, i) == 0)
			elems_move_last(s->elems, at);
	}
}

static bool any_set(const struct ruleset *rs, bool (*is)(const struct set *s))
{
	for (size_t t = 0; t < rs->n_tables; t++)
		for (size_t i = 0; i < rs->tables[t]->n_sets; i++)
			if (is(rs->tables[t]->sets[i]))
				return true;
	return false;
}

bool sets_are_dynamic(const struct ruleset *rs)
{
	return any_set(rs, set_lives_in_map);
}

bool sets_have_deadlines(const struct ruleset *rs)
{
	return any_set(rs, set_has_deadlines);
}

void sets_full_diag(const struct gwd *g, struct diag *d)
{
	diag_set(d, "the dynamic sets are full: all of them hold %u elements together",
		 kern_features(g->kern)->dynset_max);
	diag_hint(d, "raise sets.dynamic_max");
}

static int put_one(struct gwd *g, struct put *p)
{
	int r = 0;

	if (!p->fresh) {
		r = kern_dynset_get(g->kern, &p->key, &p->was);
		p->was_there = r > 0;
	}
	if (r >= 0)
		r = kern_dynset_put(g->kern, &p->key, &p->value, p->fresh);
	p->done = r == 0;
	return MIN(r, 0);
}

int sets_begin(struct gwd *g, struct sets_change *c)
{
	int r = 0;

	for (size_t i = 0; i < c->n_puts && r == 0; i++)
		r = put_one(g, &c->puts[i]);
	if (r == 0)
		return 0;
	sets_abort(g, c);
	return r == -E2BIG ? SETS_E_FULL : r;
}

void sets_abort(struct gwd *g, struct sets_change *c)
{
	for (size_t i = 0; i < c->n_puts; i++) {
		struct put *p = &c->puts[i];

		if (p->done && p->was_there)
			kern_dynset_put(g->kern, &p->key, &p->was, false);
		else if (p->done)
			kern_dynset_delete(g->kern, &p->key);
		p->done = false;
	}
}

struct sweep {
	const struct set_list *sets; /* elements of all others go */
	uint64_t now_ns;
	struct gw_dynkey *keys;
	size_t n, cap;
	int64_t *counts; /* of what stays, by set */
};

static int sweep_one(const struct gw_dynkey *key, const struct gw_dynval *value, void *arg)
{
	struct sweep *s = arg;
	void *p = s->keys;
	size_t at;

	if (!(value->expires_ns && value->expires_ns <= s->now_ns) &&
	    set_list_find(s->sets, key->set, &at)) {
		s->counts[at]++;
		return 0;
	}
	if (array_reserve(&p, &s->cap, s->n, sizeof(*s->keys)) < 0)
		return 1; /* the next pass takes the rest */
	s->keys = p;
	s->keys[s->n++] = *key;
	return 0;
}

/* A packet may have refreshed it meanwhile. */
static bool sweep_is_due(struct gwd *g, const struct sweep *s, const struct gw_dynkey *key)
{
	struct gw_dynval v;

	return kern_dynset_get(g->kern, key, &v) > 0 &&
	       (!set_list_find(s->sets, key->set, NULL) ||
		(v.expires_ns && v.expires_ns <= s->now_ns));
}

/* What has expired, and what belongs to no set of the model. */
static void sweep(struct gwd *g)
{
	_cleanup_(set_list_deinit) struct set_list sets = { 0 };
	struct sweep s = { .sets = &sets, .now_ns = now_ns(CLOCK_BOOTTIME) };

	if (set_list_init(&sets, g->rs) == 0)
		s.counts = calloc(sets.n + 1, sizeof(*s.counts));
	/* an error was said; the next pass tries again */
	if (s.counts && kern_dynset_walk(g->kern, sweep_one, &s) == 0)
		for (size_t i = 0; i < sets.n; i++)
			if (sets.v[i]->size)
				kern_dyncount_set(g->kern, (uint32_t)sets.v[i]->handle,
						  s.counts[i]);
	for (size_t i = 0; i < s.n; i++)
		if (sweep_is_due(g, &s, &s.keys[i]))
			kern_dynset_delete(g->kern, &s.keys[i]);
	free(s.keys);
	free(s.counts);
}

void sets_commit(struct gwd *g, struct sets_change *c)
{
	for (size_t i = 0; i < c->n_deletes; i++)
		kern_dynset_delete(g->kern, &c->deletes[i]);
	for (size_t i = 0; i < c->n_gone; i++)
		kern_dyncount_set(g->kern, c->gone[i], -1);
	/* called when g->rs is the new one: elements of sets that are gone belong to nobody, new sets are counted */
	if (c->n_gone || c->is_sized)
		sweep(g);
}

/* Take what has expired out of the model; how many. */
static size_t deadlines_pass(struct set *s, uint64_t now)
{
	size_t n = 0;

	for (size_t i = s->elems->n; s->elems->extra && i-- > 0;) {
		uint64_t at = s->elems->extra[i].expires_ms;

		if (!at || at > now)
			continue;
		if (elems_own(&s->elems) < 0)
			return n;
		elems_remove(s->elems, i);
		n++;
	}
	return n;
}

void sets_tick(struct gwd *g, bool *ret_stale)
{
	uint64_t start = now_ns(CLOCK_MONOTONIC), now = now_ms();
	bool any = false;
	size_t passed = 0;

	for (size_t t = 0; t < g->rs->n_tables; t++) {
		for (size_t i = 0; i < g->rs->tables[t]->n_sets; i++) {
			struct set *s = g->rs->tables[t]->sets[i];

			any |= set_lives_in_map(s);
			if (set_has_deadlines(s))
				passed += deadlines_pass(s, now);
		}
	}
	*ret_stale = passed;
	if (!any || start < g->sets_next_ns)
		return;
	sweep(g);
	g->sets_next_ns = start + (now_ns(CLOCK_MONOTONIC) - start) * DUTY;
}
