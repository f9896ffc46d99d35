/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/ids.h>

#include <compile/compile.h>

/* The last ones are compile's, for what need not be remembered. */
#define STATES_MAX (GW_STATES_MAX - 2 * COMPILE_STATES)

static const struct {
	uint32_t max;
	const char *name;
} spaces[IDS_SPACES] = {
	[IDS_COUNTER] = { GW_COUNTERS_MAX, "counters" },
	[IDS_STATE] = { STATES_MAX, "limits and quotas" },
	[IDS_LOG] = { IDS_LOGS_MAX, "log statements" },
};

/* Number 0 means none. */
struct pool {
	uint32_t max;
	uint8_t *used; /* POOL_* */
	uint32_t next; /* this one and those above were never used */
	/* a ring of what was given up, the longest ago first, and the generations that did it */
	uint32_t *rest, *rest_gen;
	uint32_t rest_at, rest_n;
	uint32_t fit_n;	 /* of these, the first ones are fit for use whatever their generation */
	uint32_t *taken; /* since the last commit */
	uint32_t taken_n;
	uint32_t *back; /* taken and given back: fit for use at once */
	uint32_t back_n;
};
enum { POOL_FREE, POOL_TAKEN, POOL_USED, POOL_SEEN };

/* Whose a counter was last, and since when. */
struct holder {
	uint64_t handle;
	uint32_t since;
};

struct ids {
	struct pool pools[IDS_SPACES];
	struct holder *owners; /* by counter */
	uint32_t now;
};

static int pool_init(struct pool *p, uint32_t max)
{
	p->max = max;
	p->next = 1;
	p->used = calloc(max, sizeof(*p->used));
	p->rest = calloc(max, sizeof(*p->rest));
	p->rest_gen = calloc(max, sizeof(*p->rest_gen));
	p->taken = calloc(max, sizeof(*p->taken));
	p->back = calloc(max, sizeof(*p->back));
	return p->used && p->rest && p->rest_gen && p->taken && p->back ? 0 : -ENOMEM;
}

static void pool_deinit(struct pool *p)
{
	free(p->used);
	free(p->rest);
	free(p->rest_gen);
	free(p->taken);
	free(p->back);
}

static uint32_t pool_take(struct pool *p, uint32_t gen)
{
	uint32_t id = 0;

	/* an adopted ruleset may have some of these after all */
	while (!id && p->back_n) {
		id = p->back[--p->back_n];
		id = p->used[id] == POOL_FREE ? id : 0;
	}
	if (!id && p->next < p->max)
		id = p->next++;
	if (!id && p->rest_n && (p->fit_n || gen - p->rest_gen[p->rest_at] >= IDS_REST)) {
		id = p->rest[p->rest_at];
		p->rest_at = (p->rest_at + 1) % p->max;
		p->rest_n--;
		p->fit_n -= p->fit_n > 0;
	}
	if (id) {
		p->used[id] = POOL_TAKEN;
		p->taken[p->taken_n++] = id;
	}
	return id;
}

static void pool_release(struct pool *p, uint32_t id, uint32_t gen)
{
	uint32_t at = (p->rest_at + p->rest_n) % p->max;

	p->used[id] = POOL_FREE;
	p->rest[at] = id;
	p->rest_gen[at] = gen;
	p->rest_n++;
}

static void pool_abort(struct pool *p)
{
	while (p->taken_n) {
		uint32_t id = p->taken[--p->taken_n];

		p->used[id] = POOL_FREE;
		p->back[p->back_n++] = id;
	}
}

static void pool_keep_taken(struct pool *p)
{
	while (p->taken_n)
		p->used[p->taken[--p->taken_n]] = POOL_USED;
}

/* Numbers that came with an adopted ruleset were not taken here. */
static void pool_see(struct pool *p, uint32_t id)
{
	if (!id || id >= p->max)
		return;
	for (; p->next <= id; p->next++)
		if (p->next != id && p->used[p->next] == POOL_FREE)
			p->back[p->back_n++] = p->next;
	p->used[id] = POOL_SEEN;
}

/* Seen ones are in force, used ones that were not seen are not any more. */
static void pool_sweep(struct pool *p, uint32_t gen)
{
	p->taken_n = 0;
	for (uint32_t id = 1; id < p->next; id++) {
		if (p->used[id] == POOL_SEEN)
			p->used[id] = POOL_USED;
		else if (p->used[id] != POOL_FREE)
			pool_release(p, id, gen);
	}
}

struct ids *ids_new(void)
{
	_cleanup_(ids_freep) struct ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return NULL;
	for (size_t i = 0; i < IDS_SPACES; i++)
		if (pool_init(&ids->pools[i], spaces[i].max) < 0)
			return NULL;
	ids->owners = calloc(spaces[IDS_COUNTER].max, sizeof(*ids->owners));
	return ids->owners ? TAKE_PTR(ids) : NULL;
}

struct ids *ids_free(struct ids *ids)
{
	for (size_t i = 0; ids && i < IDS_SPACES; i++)
		pool_deinit(&ids->pools[i]);
	if (ids)
		free(ids->owners);
	free(ids);
	return NULL;
}

void ids_clock(struct ids *ids, uint32_t now)
{
	ids->now = now;
}

uint64_t ids_owner(const struct ids *ids, uint32_t cid, uint32_t when)
{
	const struct holder *o = &ids->owners[cid < spaces[IDS_COUNTER].max ? cid : 0];

	return when >= o->since ? o->handle : 0;
}

static void own(struct ids *ids, uint32_t cid, uint64_t handle)
{
	if (!cid || cid >= spaces[IDS_COUNTER].max || ids->owners[cid].handle == handle)
		return;
	ids->owners[cid] = (struct holder){ handle, ids->now };
}

const char *ids_space_name(enum ids_space space)
{
	return spaces[space].name;
}

uint32_t ids_space_size(enum ids_space space)
{
	return spaces[space].max;
}

bool ids_is_fresh(const struct ids *ids, enum ids_space space, uint32_t id)
{
	const struct pool *p = &ids->pools[space];

	return id < p->max && p->used[id] == POOL_TAKEN;
}

static void walk_table_counted(struct table *t, counted_fn fn, void *arg)
{
	for (size_t i = 0; i < t->n_chains; i++) {
		struct chain *c = t->chains[i];

		if (c->base)
			fn(&(struct counted){ c->handle, &c->cid, &c->pkts, &c->bytes,
					      &c->counter_given },
			   arg);
		for (size_t j = 0; j < c->n_rules; j++) {
			struct rule *r = c->rules[j];

			fn(&(struct counted){ r->handle, &r->cid, &r->pkts, &r->bytes,
					      &r->counter_given },
			   arg);
		}
	}
	for (size_t i = 0; i < t->n_objects; i++) {
		struct object *o = t->objects[i];

		if (o->kind == OBJECT_COUNTER)
			fn(&(struct counted){ o->handle, &o->id, &o->pkts, &o->bytes, &o->given },
			   arg);
	}
}

void ids_walk_counted(const struct ruleset *rs, counted_fn fn, void *arg)
{
	for (size_t t = 0; t < rs->n_tables; t++)
		walk_table_counted(rs->tables[t], fn, arg);
}

static void forget_given(const struct counted *c, void *arg _unused_)
{
	*c->given = false;
}

void ids_forget_given(const struct ruleset *rs)
{
	ids_walk_counted(rs, forget_given, NULL);
}

struct owner {
	uint32_t cid;
	uint64_t handle;
};

static void find_owner(const struct counted *c, void *arg)
{
	struct owner *o = arg;

	if (*c->cid == o->cid)
		o->handle = c->handle;
}

uint64_t ids_handle_of(const struct ruleset *rs, uint32_t cid)
{
	struct owner owner = { .cid = cid };

	if (cid)
		ids_walk_counted(rs, find_owner, &owner);
	return owner.handle;
}

static bool stmt_space(const struct stmt *s, enum ids_space *ret)
{
	switch (s->kind) {
	case STMT_LIMIT:
	case STMT_QUOTA:
	case STMT_CTCOUNT:
		*ret = IDS_STATE;
		return true;
	case STMT_LOG:
		*ret = IDS_LOG;
		return true;
	default:
		return false;
	}
}

void ids_walk_rule(struct rule *r, stateful_fn fn, void *arg)
{
	struct stateful one = { .space = IDS_STATE };

	for (size_t i = 0; i < r->n_stmts; i++) {
		if (!stmt_space(&r->stmts[i], &one.space))
			continue;
		one.stmt = &r->stmts[i];
		one.id = &one.stmt->id;
		fn(&one, arg);
	}
}

static void walk_objects(struct table *t, stateful_fn fn, void *arg)
{
	for (size_t i = 0; i < t->n_objects; i++) {
		struct object *o = t->objects[i];

		if (o->kind != OBJECT_COUNTER)
			fn(&(struct stateful){ .space = IDS_STATE, .id = &o->id, .object = o },
			   arg);
	}
}

void ids_walk_stateful(const struct ruleset *rs, stateful_fn fn, void *arg)
{
	for (size_t t = 0; t < rs->n_tables; t++) {
		for (size_t c = 0; c < rs->tables[t]->n_chains; c++)
			for (size_t i = 0; i < rs->tables[t]->chains[c]->n_rules; i++)
				ids_walk_rule(rs->tables[t]->chains[c]->rules[i], fn, arg);
		walk_objects(rs->tables[t], fn, arg);
	}
}

uint64_t stateful_start(const struct stateful *s)
{
	if (s->stmt && s->stmt->kind == STMT_QUOTA)
		return s->stmt->quota.used;
	if (s->object && s->object->kind == OBJECT_QUOTA)
		return s->object->bytes;
	return 0;
}

struct assign {
	struct ids *ids;
	const struct index *old;
	uint32_t gen;
	bool full;
	enum ids_space what;
};

static void give(struct assign *a, enum ids_space space, uint32_t *id)
{
	if (*id || a->full)
		return;
	*id = pool_take(&a->ids->pools[space], a->gen);
	a->full = !*id;
	a->what = space;
}

static void give_stateful(const struct stateful *s, void *arg)
{
	give(arg, s->space, s->id);
}

static void forget_stateful(const struct stateful *s, void *arg _unused_)
{
	*s->id = 0;
}

static bool limit_equal(const struct limit *a, const struct limit *b)
{
	return a->rate == b->rate && a->unit_s == b->unit_s && a->burst == b->burst &&
	       a->bytes == b->bytes;
}

static bool stmt_goes_on(const struct stmt *a, const struct stmt *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case STMT_LIMIT:
		return limit_equal(&a->limit, &b->limit);
	case STMT_QUOTA:
		return a->quota.bytes == b->quota.bytes;
	default:
		return true;
	}
}

/* A rule that goes on has the statements it had. */
static void keep_rule(struct rule *r, const struct rule *was)
{
	for (size_t i = 0; i < r->n_stmts && i < was->n_stmts; i++)
		if (stmt_goes_on(&r->stmts[i], &was->stmts[i]))
			r->stmts[i].id = was->stmts[i].id;
}

static void assign_rule(struct assign *a, struct rule *r)
{
	const struct index_entry *e = r->cid ? index_find(a->old, r->handle) : NULL;

	ids_walk_rule(r, forget_stateful, NULL);
	if (e && e->rule && e->rule->cid == r->cid)
		keep_rule(r, e->rule);
	else
		r->cid = 0;
	give(a, IDS_COUNTER, &r->cid);
	ids_walk_rule(r, give_stateful, a);
}

static void assign_chain(struct assign *a, struct chain *c)
{
	const struct index_entry *e = c->cid ? index_find(a->old, c->handle) : NULL;

	if (!c->base || !e || e->rule || e->chain->cid != c->cid)
		c->cid = 0;
	if (c->base)
		give(a, IDS_COUNTER, &c->cid);
	for (size_t i = 0; i < c->n_rules; i++)
		assign_rule(a, c->rules[i]);
}

/* Objects come with the number of the object they go on from, or with none: see carry_over(). */
static void assign_object(struct assign *a, struct object *o)
{
	enum ids_space space = o->kind == OBJECT_COUNTER ? IDS_COUNTER : IDS_STATE;
	const struct pool *p = &a->ids->pools[space];

	/* taken by an attempt that failed */
	if (o->id && o->id < p->max && p->used[o->id] == POOL_FREE)
		o->id = 0;
	give(a, space, &o->id);
}

static int assigned(const struct assign *a, enum ids_space *ret_full)
{
	if (!a->full)
		return 0;
	*ret_full = a->what;
	ids_abort(a->ids);
	return IDS_E_FULL;
}

int ids_assign(struct ids *ids, const struct index *old, const struct ruleset *next, uint32_t gen,
	       enum ids_space *ret_full)
{
	struct assign a = { .ids = ids, .old = old, .gen = gen };

	for (size_t t = 0; t < next->n_tables; t++) {
		for (size_t c = 0; c < next->tables[t]->n_chains; c++)
			assign_chain(&a, next->tables[t]->chains[c]);
		for (size_t i = 0; i < next->tables[t]->n_objects; i++)
			assign_object(&a, next->tables[t]->objects[i]);
	}
	return assigned(&a, ret_full);
}

int ids_assign_rule(struct ids *ids, struct rule *r, uint32_t gen, enum ids_space *ret_full)
{
	struct assign a = { .ids = ids, .gen = gen };

	r->cid = 0;
	ids_walk_rule(r, forget_stateful, NULL);
	give(&a, IDS_COUNTER, &r->cid);
	ids_walk_rule(r, give_stateful, &a);
	return assigned(&a, ret_full);
}

void ids_rested(struct ids *ids)
{
	for (size_t i = 0; i < IDS_SPACES; i++)
		ids->pools[i].fit_n = ids->pools[i].rest_n;
}

void ids_abort(struct ids *ids)
{
	for (size_t i = 0; i < IDS_SPACES; i++)
		pool_abort(&ids->pools[i]);
}

static void see_counted(const struct counted *c, void *arg)
{
	struct ids *ids = arg;

	pool_see(&ids->pools[IDS_COUNTER], *c->cid);
	own(ids, *c->cid, c->handle);
}

static void see_stateful(const struct stateful *s, void *arg)
{
	struct ids *ids = arg;

	pool_see(&ids->pools[s->space], *s->id);
}

void ids_commit(struct ids *ids, const struct ruleset *rs, uint32_t gen)
{
	ids_walk_counted(rs, see_counted, ids);
	ids_walk_stateful(rs, see_stateful, ids);
	for (size_t i = 0; i < IDS_SPACES; i++)
		pool_sweep(&ids->pools[i], gen);
}

struct release {
	struct ids *ids;
	uint32_t gen;
};

static void release_stateful(const struct stateful *s, void *arg)
{
	struct release *rel = arg;

	pool_release(&rel->ids->pools[s->space], *s->id, rel->gen);
}

void ids_commit_rule(struct ids *ids, struct rule *added, struct rule *deleted, uint32_t gen)
{
	struct release rel = { ids, gen };

	if (added) {
		own(ids, added->cid, added->handle);
		for (size_t i = 0; i < IDS_SPACES; i++)
			pool_keep_taken(&ids->pools[i]);
	}
	if (!deleted)
		return;
	pool_release(&ids->pools[IDS_COUNTER], deleted->cid, gen);
	ids_walk_rule(deleted, release_stateful, &rel);
}
