/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/dim.h>
#include <netinet/in.h>

void dims_init(struct dims *d)
{
	*d = (struct dims){ .ctstate = DIM_CTSTATE_ALL };
}

void dims_deinit(struct dims *d)
{
	for (int i = 0; i < DIM_MAX; i++) {
		free(d->list[i].spans);
		d->list[i] = (struct dim_list){};
	}
}

static int list_add(struct dim_list *l, dim_num lo, dim_num hi)
{
	int r;

	if (l->n >= GW_IMAGE_LINES_MAX)
		return IMAGE_TOO_LARGE;
	r = array_reserve((void **)&l->spans, &l->cap, l->n, sizeof(*l->spans));
	if (r < 0)
		return r;
	l->spans[l->n++] = (struct dim_span){ lo, hi };
	return 0;
}

/* Can both hold at once?  Then *ret is what is left. */
static bool span_meet(enum dim dim, struct dim_span a, struct dim_span b, struct dim_span *ret)
{
	if (dim == DIM_MARK || dim == DIM_CTMARK) {
		*ret = (struct dim_span){ a.lo | b.lo, a.hi | b.hi };
		return ((a.lo ^ b.lo) & a.hi & b.hi) == 0;
	}
	*ret = (struct dim_span){ MAX(a.lo, b.lo), MIN(a.hi, b.hi) };
	return ret->lo <= ret->hi;
}

/* *l becomes the alternatives that are in *l and in *by; takes the spans of *by. */
static int list_meet(enum dim dim, struct dim_list *l, struct dim_list *by)
{
	struct dim_list met = { .given = true };
	struct dim_span span;
	int r = 0;

	if (!l->given) {
		*l = *by;
		l->given = true;
		*by = (struct dim_list){};
		return 0;
	}
	if (l->n > GW_IMAGE_LINES_MAX / MAX(by->n, 1U) * 16)
		return IMAGE_TOO_LARGE;
	for (size_t i = 0; !r && i < l->n; i++)
		for (size_t k = 0; !r && k < by->n; k++)
			if (span_meet(dim, l->spans[i], by->spans[k], &span))
				r = list_add(&met, span.lo, span.hi);
	free(l->spans);
	*l = met;
	return r;
}

static dim_num addr_num(const uint8_t *bytes, size_t n)
{
	dim_num v = 0;

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

static int add_ifs(struct dim_list *l, const struct elem *e, const struct dim_view *view)
{
	int r = 0;

	if (!strcmp(e->name, "*"))
		return list_add(l, 0, UINT32_MAX);
	for (size_t i = 0; !r && i < view->n_ifs; i++)
		if (name_matches(e->name, view->ifs[i].name))
			r = list_add(l, view->ifs[i].ifindex, view->ifs[i].ifindex);
	return r;
}

/* A range of marks as value/mask blocks, each as large as its start allows. */
static int add_marks(struct dim_list *l, uint64_t lo, uint64_t hi, uint32_t mask)
{
	int r = 0;

	while (!r && lo <= hi) {
		uint64_t size = lo ? lo & -lo : 1ULL << 32;
		uint32_t block;

		while (lo + size - 1 > hi)
			size >>= 1;
		block = (uint32_t) ~(size - 1);
		if (!(lo & ~(uint64_t)mask & block))
			r = list_add(l, lo, block & mask);
		lo += size;
	}
	return r;
}

/* 0 says "any" in a line, and no packet the data plane classifies carries it as a transport. */
static int add_protos(struct dim_list *l, const struct elem *e)
{
	int r = 0;

	if (e->num_lo == 0 && e->num_hi >= 255)
		return list_add(l, 0, 255);
	for (uint32_t p = MAX(e->num_lo, 1U); !r && p <= MIN(e->num_hi, 255U); p++)
		r = list_add(l, p, p);
	return r;
}

static int add_elem(struct dim_list *l, const struct match *m, const struct elem *e,
		    const struct dim_view *view)
{
	switch (field_rows[m->field].type) {
	case FIELD_IFNAME:
		return add_ifs(l, e, view);
	case FIELD_ADDR4:
		return list_add(l, addr_num(e->addr_lo, 4), addr_num(e->addr_hi, 4));
	case FIELD_ADDR6:
		return list_add(l, addr_num(e->addr_lo, 16), addr_num(e->addr_hi, 16));
	case FIELD_PROTO:
		return add_protos(l, e);
	case FIELD_PORT:
		return list_add(l, e->num_lo, e->num_hi);
	case FIELD_ICMP_TYPE:
	case FIELD_ICMP6_TYPE:
		return list_add(l, e->num_lo << 8, MIN(e->num_hi, 255U) << 8 | 0xff);
	case FIELD_MARK:
		return add_marks(l, e->num_lo, e->num_hi, m->mask);
	case FIELD_CT_STATE:
		return 0;
	default:
		return -EOPNOTSUPP; /* the language does not let it in */
	}
}

static enum dim dim_of(enum field field)
{
	switch (field) {
	case FIELD_ID_IIFNAME:
		return DIM_IIF;
	case FIELD_ID_OIFNAME:
		return DIM_OIF;
	case FIELD_ID_IP_SADDR:
	case FIELD_ID_IP6_SADDR:
		return DIM_SADDR;
	case FIELD_ID_IP_DADDR:
	case FIELD_ID_IP6_DADDR:
		return DIM_DADDR;
	case FIELD_ID_L4PROTO:
		return DIM_PROTO;
	case FIELD_ID_TCP_SPORT:
	case FIELD_ID_UDP_SPORT:
		return DIM_SPORT;
	case FIELD_ID_CT_MARK:
		return DIM_CTMARK;
	case FIELD_ID_META_MARK:
		return DIM_MARK;
	default:
		return DIM_DPORT;
	}
}

uint32_t match_ctstate(const struct match *m)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < m->n; i++)
		mask |= m->elems[i].num_lo;
	return mask;
}

void dims_narrow_ctstate(struct dims *d, uint32_t mask)
{
	d->ctstate &= mask;
}

int dims_narrow_implied(struct dims *d, enum field field)
{
	struct dim_list by = {};
	uint8_t proto = field_rows[field].implies;
	int r;

	if (!proto)
		return 0;
	r = list_add(&by, proto, proto);
	if (!r)
		r = list_meet(DIM_PROTO, &d->list[DIM_PROTO], &by);
	free(by.spans);
	return r;
}

int dims_narrow(struct dims *d, const struct match *m, const struct dim_view *view)
{
	enum dim dim = dim_of(m->field);
	struct dim_list by = {};
	int r = dims_narrow_implied(d, m->field);

	if (r)
		return r;
	if (m->field == FIELD_ID_CT_STATE) {
		dims_narrow_ctstate(d, match_ctstate(m));
		return 0;
	}
	for (size_t i = 0; !r && i < m->n; i++)
		r = add_elem(&by, m, &m->elems[i], view);
	/* no such interface now: a line that never matches, so the image keeps the rule's place */
	if (!r && !by.n && !m->negate && (dim == DIM_IIF || dim == DIM_OIF))
		r = list_add(&by, GW_IF_NONE, GW_IF_NONE);
	if (!r)
		r = list_meet(dim, &d->list[dim], &by);
	free(by.spans);
	return r;
}

bool dims_are_empty(const struct dims *d)
{
	for (int i = 0; i < DIM_MAX; i++)
		if (d->list[i].given && !d->list[i].n)
			return true;
	return !d->ctstate;
}

size_t dims_combinations(const struct dims *d)
{
	size_t n = 1;

	for (int i = 0; i < DIM_MAX; i++) {
		if (d->list[i].given)
			n *= d->list[i].n;
		if (n > GW_IMAGE_LINES_MAX)
			return GW_IMAGE_LINES_MAX + 1;
	}
	return n;
}
