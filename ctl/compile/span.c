/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/impl.h>

void spans_deinit(struct spans *l)
{
	free(l->s);
	*l = (struct spans){ 0 };
}

int spans_add(struct spans *l, index_addr lo, index_addr hi)
{
	int r = array_reserve((void **)&l->s, &l->cap, l->n, sizeof(*l->s));

	if (r < 0)
		return r;
	l->s[l->n++] = (struct span){ lo, hi };
	return 0;
}

static int span_cmp(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->hi < y->hi ? -1 : x->hi > y->hi;
}

void spans_merge(struct spans *l)
{
	size_t n = 0;

	if (l->n <= 1)
		return;
	qsort(l->s, l->n, sizeof(*l->s), span_cmp);
	for (size_t i = 1; i < l->n; i++) {
		if (l->s[i].lo <= l->s[n].hi || l->s[i].lo == l->s[n].hi + 1)
			l->s[n].hi = MAX(l->s[n].hi, l->s[i].hi);
		else
			l->s[++n] = l->s[i];
	}
	l->n = n + 1;
}

int spans_complement(struct spans *l, index_addr max)
{
	struct spans out = { 0 };
	index_addr from = 0;
	bool open = true;
	int r = 0;

	for (size_t i = 0; !r && i < l->n; i++) {
		if (l->s[i].lo > from)
			r = spans_add(&out, from, l->s[i].lo - 1);
		open = l->s[i].hi < max;
		from = l->s[i].hi + 1;
	}
	if (!r && open)
		r = spans_add(&out, from, max);
	spans_deinit(l);
	*l = out;
	return r;
}

static unsigned int field_width(enum field field)
{
	return field_rows[field].bits ? field_rows[field].bits : 32;
}

index_addr field_max(enum field field)
{
	unsigned int bits = field_width(field);

	return bits >= 128 ? ~(index_addr)0 : ((index_addr)1 << bits) - 1;
}

static index_addr addr_num(const uint8_t *bytes, size_t n)
{
	index_addr v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | bytes[i];
	return v;
}

static bool name_matches(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return !strncmp(pattern, name, n - 1);
	return !strcmp(pattern, name);
}

static int spans_ifs(const struct ctx *x, const char *pattern, struct spans *ret)
{
	int r = 0;

	if (!strcmp(pattern, "*"))
		return spans_add(ret, 0, UINT32_MAX);
	for (size_t i = 0; !r && i < x->n_ifs; i++) {
		if (!name_matches(pattern, x->ifs[i].name))
			continue;
		if (x->ifs[i].ifindex > GW_META_IF_MAX)
			return refuse(x, "interface %s has index %u, rules can name at most %u",
				      x->ifs[i].name, x->ifs[i].ifindex, GW_META_IF_MAX);
		r = spans_add(ret, x->ifs[i].ifindex, x->ifs[i].ifindex);
	}
	return r;
}

int spans_elem(const struct ctx *x, enum field_type type, const struct elem *e, struct spans *ret)
{
	const struct type_row *row = &type_rows[type];
	int r;

	if (type == FIELD_FIB_OIF && e->name[0] == '/') {
		bool any = !strcmp(e->name, OIF_EXISTS);

		return spans_add(ret, any, any ? UINT32_MAX : 0);
	}
	if (type == FIELD_DATE) /* packets know it in nanoseconds */
		return spans_add(ret, (index_addr)e->num_lo * 1000000000U,
				 (index_addr)e->num_hi * 1000000000U);
	switch (row->base) {
	case BASE_NAME:
		return spans_ifs(x, e->name, ret);
	case BASE_ADDR:
		return spans_add(ret, addr_num(e->addr_lo, row->bytes),
				 addr_num(e->addr_hi, row->bytes));
	default:
		if (e->num_lo <= e->num_hi)
			return spans_add(ret, e->num_lo, e->num_hi);
		/* only the hours of the day go on behind their end */
		r = spans_add(ret, 0, e->num_hi);
		return r ? r : spans_add(ret, e->num_lo, 86399);
	}
}

/* `<`, `>` and so on, of the first value. */
static int spans_compare(const struct match *m, struct spans *ret)
{
	index_addr max = field_max(m->field), v = ret->n ? ret->s[0].lo : 0;
	enum match_op op = m->op;

	ret->n = 0;
	if ((op == MATCH_LT && !v) || (op == MATCH_GT && v >= max))
		return 0;
	if (op == MATCH_LT || op == MATCH_LE)
		return spans_add(ret, 0, op == MATCH_LT ? v - 1 : v);
	return spans_add(ret, op == MATCH_GT ? v + 1 : v, max);
}

int spans_match(const struct ctx *x, const struct match *m, struct spans *ret)
{
	enum field_type type = field_rows[m->field].type;
	const struct elem *elems = m->elems;
	const struct set *set = NULL;
	size_t n = m->n;
	int r = 0;

	if (m->set) {
		r = set_find(x, m->set, &set);
		if (r)
			return r;
		elems = set->elems->keys;
		n = set->elems->n;
	}
	for (size_t i = 0; !r && i < n; i++) {
		if (!set || compile_elem_is_static(set, i))
			r = spans_elem(x, type, &elems[i], ret);
	}
	if (!r && m->op != MATCH_EQ)
		r = spans_compare(m, ret);
	if (!r)
		spans_merge(ret);
	return r;
}
