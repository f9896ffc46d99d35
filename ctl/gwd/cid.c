/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/cid.h>

struct cids {
	bool used[GW_COUNTERS_MAX];
	uint32_t freed[GW_COUNTERS_MAX]; /* generation that let go of it; 0 = never used */
};

void cid_walk(const struct ruleset *rs, counted_fn fn, void *arg)
{
	for (size_t t = 0; t < rs->n_tables; t++) {
		for (size_t i = 0; i < rs->tables[t]->n_chains; i++) {
			struct chain *c = rs->tables[t]->chains[i];

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
	}
}

static void forget_given(const struct counted *c, void *arg)
{
	*c->given = false;
}

void cid_forget_given(const struct ruleset *rs)
{
	cid_walk(rs, forget_given, NULL);
}

struct cids *cids_new(void)
{
	return calloc(1, sizeof(struct cids));
}

struct cids *cids_free(struct cids *c)
{
	free(c);
	return NULL;
}

bool cids_in_use(const struct cids *c, uint32_t cid)
{
	return cid < GW_COUNTERS_MAX && c->used[cid];
}

struct assign {
	const struct cids *c;
	uint64_t owner[GW_COUNTERS_MAX]; /* handle that has the id in the old ruleset */
	bool taken[GW_COUNTERS_MAX];	 /* in the next one */
	uint32_t gen, at;
	bool full;
};

static void note_owner(const struct counted *c, void *arg)
{
	struct assign *a = arg;

	if (*c->cid && *c->cid < GW_COUNTERS_MAX)
		a->owner[*c->cid] = c->handle;
}

static void keep_or_clear(const struct counted *c, void *arg)
{
	struct assign *a = arg;
	uint32_t cid = *c->cid;

	if (cid && cid < GW_COUNTERS_MAX && a->owner[cid] == c->handle && !a->taken[cid])
		a->taken[cid] = true;
	else
		*c->cid = 0;
}

static bool may_take(const struct assign *a, uint32_t cid)
{
	uint32_t freed = a->c->freed[cid];

	if (a->taken[cid] || a->c->used[cid])
		return false;
	return !freed || a->gen - freed >= CID_REST_GENERATIONS;
}

static void give(const struct counted *c, void *arg)
{
	struct assign *a = arg;

	if (*c->cid || a->full)
		return;
	while (a->at < GW_COUNTERS_MAX && !may_take(a, a->at))
		a->at++;
	if (a->at >= GW_COUNTERS_MAX) {
		a->full = true;
		return;
	}
	a->taken[a->at] = true;
	*c->cid = a->at;
}

int cids_assign(const struct cids *c, const struct ruleset *old, const struct ruleset *next,
		uint32_t gen)
{
	_cleanup_(freep) struct assign *a = calloc(1, sizeof(*a));

	if (!a)
		return raise(-ENOMEM, "counter ids");
	a->c = c;
	a->gen = gen;
	a->at = 1; /* 0 means "not counted" */
	cid_walk(old, note_owner, a);
	cid_walk(next, keep_or_clear, a);
	cid_walk(next, give, a);
	return a->full ? CIDS_E_FULL : 0;
}

static void mark_used(const struct counted *c, void *arg)
{
	bool *used = arg;

	if (*c->cid < GW_COUNTERS_MAX)
		used[*c->cid] = true;
}

void cids_commit(struct cids *c, const struct ruleset *rs, uint32_t gen)
{
	bool used[GW_COUNTERS_MAX] = { 0 };

	cid_walk(rs, mark_used, used);
	for (uint32_t i = 0; i < GW_COUNTERS_MAX; i++) {
		if (c->used[i] && !used[i])
			c->freed[i] = gen;
		c->used[i] = used[i];
	}
}
