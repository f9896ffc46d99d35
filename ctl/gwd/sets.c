/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/compile.h>
#include <gwd/ifs.h>
#include <gwd/sets.h>
#include <time.h>

#define DUTY 20 /* a pass over all elements may take one part in DUTY of the time */

bool set_is_dynamic(const struct set *s)
{
	return s->flags & (SET_DYNAMIC | SET_TIMEOUT) && !(s->flags & SET_INTERVAL) && !s->is_map;
}

static bool set_has_deadlines(const struct set *s)
{
	return s->flags & SET_TIMEOUT && !set_is_dynamic(s);
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
		snprintf(e->name, sizeof(e->name), "%s", name ? name : "?");
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
	return compile_elem_key(s, e, names, n, ret->key) > 0;
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

			if (!set_is_dynamic(rs->tables[t]->sets[i]))
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

static struct set *set_list_find(const struct set_list *l, uint32_t id)
{
	struct set like = { .handle = id }, *key = &like, **found;

	found = l->n ? bsearch(&key, l->v, l->n, sizeof(*l->v), set_cmp) : NULL;
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
	struct set *s = set_list_find(&f->sets, key->set);
	struct elem_extra extra = { .timeout_ms = value->timeout_ns / 1000000,
				    .pkts = value->pkts,
				    .bytes = value->bytes };
	struct elem elem[CONCAT_MAX];

	if (!s || (value->expires_ns && value->expires_ns <= f->now_ns))
		return 0;
	if (value->expires_ns)
		extra.expires_ms = (value->expires_ns - f->now_ns + 999999) / 1000000;
	key_get(f->g, s, key, elem);
	return elems_add(s->elems, elem, NULL, &extra);
}

static int clear_dynamic(const struct set_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct elems *none = elems_new(l->v[i]->n_fields);

		if (!none)
			return raise(-ENOMEM, "sets");
		elems_free(l->v[i]->elems);
		l->v[i]->elems = none;
	}
	return 0;
}

/* A comment is the model's alone. */
static void fill_comments(const struct set_list *l, const struct ruleset *from)
{
	_cleanup_(set_list_deinit) struct set_list own = { 0 };

	if (set_list_init(&own, from) < 0)
		return;
	for (size_t i = 0; i < l->n; i++)
		elems_sort_like(l->v[i], set_list_find(&own, (uint32_t)l->v[i]->handle));
}

static void deadlines_to_left(struct ruleset *rs)
{
	uint64_t now = now_ms();

	for (size_t t = 0; t < rs->n_tables; t++) {
		for (size_t i = 0; i < rs->tables[t]->n_sets; i++) {
			struct set *s = rs->tables[t]->sets[i];

			if (!set_has_deadlines(s) || !s->elems->extra || elems_own(&s->elems) < 0)
				continue;
			for (size_t e = 0; e < s->elems->n; e++) {
				uint64_t *at = &s->elems->extra[e].expires_ms;

				*at = *at > now ? *at - now : *at ? 1 : 0;
			}
		}
	}
}
