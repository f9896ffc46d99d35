/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/line.h>

void lines_deinit(struct lines *l)
{
	free(l->bytes);
	*l = (struct lines){};
}

int lines_reserve(struct lines *l, size_t n)
{
	int r;

	if (l->n + n > GW_IMAGE_LINES_MAX)
		return IMAGE_TOO_LARGE;
	r = array_reserve((void **)&l->bytes, &l->cap, l->n + n - 1, GW_LINE_SIZE);
	if (r < 0)
		return r;
	memset(l->bytes + l->n * GW_LINE_SIZE, 0, n * GW_LINE_SIZE);
	l->n += n;
	return 0;
}

void *line_at(const struct lines *l, size_t index)
{
	return l->bytes + index * GW_LINE_SIZE;
}

static struct dim_span pick(const struct dims *d, const size_t *at, enum dim dim, dim_num max)
{
	const struct dim_list *list = &d->list[dim];

	return list->given ? list->spans[at[dim]] : (struct dim_span){ 0, max };
}

/* Interfaces and protocols: 0 stands for any. */
static uint32_t pick_one(const struct dims *d, const size_t *at, enum dim dim)
{
	struct dim_span s = pick(d, at, dim, UINT32_MAX);

	return s.lo == s.hi ? (uint32_t)s.lo : 0;
}

static void fill_rule(struct gw_rule *g, int version, const struct dims *d, const size_t *at)
{
	struct dim_span s = pick(d, at, DIM_SPORT, UINT16_MAX),
			p = pick(d, at, DIM_DPORT, UINT16_MAX);
	struct dim_span src = pick(d, at, DIM_SADDR, UINT32_MAX);
	struct dim_span dst = pick(d, at, DIM_DADDR, UINT32_MAX);
	struct dim_span mark = pick(d, at, DIM_MARK, 0), ctmark = pick(d, at, DIM_CTMARK, 0);

	if (version == 6)
		src = dst = (struct dim_span){ 0, UINT32_MAX };
	*g = (struct gw_rule){
		.saddr_lo = (uint32_t)src.lo,
		.saddr_hi = (uint32_t)src.hi,
		.daddr_lo = (uint32_t)dst.lo,
		.daddr_hi = (uint32_t)dst.hi,
		.sport_lo = (uint16_t)s.lo,
		.sport_hi = (uint16_t)s.hi,
		.dport_lo = (uint16_t)p.lo,
		.dport_hi = (uint16_t)p.hi,
		.iif = pick_one(d, at, DIM_IIF),
		.oif = pick_one(d, at, DIM_OIF),
		.mark = (uint32_t)mark.lo,
		.mark_mask = (uint32_t)mark.hi,
		.ctmark = (uint32_t)ctmark.lo,
		.ctmark_mask = (uint32_t)ctmark.hi,
		.proto = (uint8_t)pick_one(d, at, DIM_PROTO),
		.ctstate = d->ctstate == DIM_CTSTATE_ALL ? 0 : d->ctstate,
	};
}

static void split(dim_num v, __u64 words[2])
{
	words[0] = (uint64_t)(v >> 64);
	words[1] = (uint64_t)v;
}

static void fill_addr6(struct gw_rule_addr6 *a, const struct dims *d, const size_t *at)
{
	struct dim_span src = pick(d, at, DIM_SADDR, ~(dim_num)0);
	struct dim_span dst = pick(d, at, DIM_DADDR, ~(dim_num)0);

	split(src.lo, a->saddr_lo);
	split(src.hi, a->saddr_hi);
	split(dst.lo, a->daddr_lo);
	split(dst.hi, a->daddr_hi);
}

static int add_one(struct lines *l, int version, const struct dims *d, const size_t *at,
		   const struct line_action *a)
{
	bool addr6 = version == 6 && (d->list[DIM_SADDR].given || d->list[DIM_DADDR].given);
	size_t index = l->n;
	struct gw_rule *g;
	int r = lines_reserve(l, 1U + addr6 + !!a->nat);

	if (r)
		return r;
	g = line_at(l, index);
	fill_rule(g, version, d, at);
	g->verdict = a->verdict;
	g->arg = a->arg;
	g->cid = a->cid;
	g->flags = (uint8_t)(a->flags | (addr6 ? GW_RULE_ADDR6 : 0) | (a->nat ? GW_RULE_ACT : 0));
	if (addr6)
		fill_addr6(line_at(l, index + 1), d, at);
	if (a->nat)
		memcpy(line_at(l, index + 1 + addr6), a->nat, sizeof(*a->nat));
	return 0;
}

/* The next combination; false after the last. */
static bool advance(const struct dims *d, size_t *at)
{
	for (int i = DIM_MAX - 1; i >= 0; i--) {
		if (!d->list[i].given)
			continue;
		if (++at[i] < d->list[i].n)
			return true;
		at[i] = 0;
	}
	return false;
}

int lines_add(struct lines *l, int version, const struct dims *d, const struct line_action *a)
{
	bool goes_on = a->verdict == GW_V_CONTINUE || a->verdict == GW_V_NOTRACK;
	size_t at[DIM_MAX] = {};
	bool more;

	if (dims_are_empty(d))
		return 0;
	if (dims_combinations(d) > GW_IMAGE_LINES_MAX)
		return IMAGE_TOO_LARGE;
	do {
		struct gw_rule *g;
		size_t index = l->n;
		int r = add_one(l, version, d, at, a);

		if (r)
			return r;
		more = advance(d, at);
		g = line_at(l, index);
		if (more && goes_on)
			g->flags |= GW_RULE_MORE;
	} while (more);
	return 0;
}

static size_t rule_lines(const struct gw_rule *g)
{
	return 1U + !!(g->flags & GW_RULE_ADDR6) + !!(g->flags & GW_RULE_ACT);
}

void lines_close_rule(struct lines *l, size_t first)
{
	for (size_t i = first; i < l->n; i += rule_lines(line_at(l, i))) {
		struct gw_rule *g = line_at(l, i);

		if (!g->next && (g->verdict == GW_V_SKIP || g->flags & GW_RULE_MORE))
			g->next = (uint32_t)l->n;
	}
}

void lines_close_chain(struct lines *l, size_t first, size_t end, uint32_t next)
{
	for (size_t i = first; i < end; i += rule_lines(line_at(l, i))) {
		struct gw_rule *g = line_at(l, i);

		if (g->verdict == GW_V_ACCEPT || g->verdict == GW_V_NAT)
			g->next = next;
	}
}
