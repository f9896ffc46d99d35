/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/impl.h>

void boxes_deinit(struct boxes *l)
{
	free(l->b);
	*l = (struct boxes){ 0 };
}

static index_addr addr_max(int version)
{
	return version == 4 ? UINT32_MAX : ~(index_addr)0;
}

struct index_rule box_any(int version)
{
	return (struct index_rule){
		.s_hi = addr_max(version),
		.d_hi = addr_max(version),
		.sp_hi = UINT16_MAX,
		.dp_hi = UINT16_MAX,
		.states = UINT8_MAX,
	};
}

static int boxes_first(struct boxes *l)
{
	l->b = malloc(sizeof(*l->b));
	if (!l->b)
		return -ENOMEM;
	l->cap = 1;
	return 0;
}

int boxes_add(struct boxes *l, const struct index_rule *b)
{
	int r;

	if (l->n >= BOXES_MAX)
		return FLAT_MANY;
	/* most lists stay at one box, and what a rule is made of comes and goes for each rule */
	r = l->cap ? array_reserve((void **)&l->b, &l->cap, l->n, sizeof(*l->b)) : boxes_first(l);
	if (r < 0)
		return r;
	l->b[l->n++] = *b;
	return 0;
}

/* One side's addresses. */
struct side {
	index_addr lo, hi;
	bool negate;
};

static struct side side_get(const struct index_rule *b, int dst)
{
	return dst ? (struct side){ b->d_lo, b->d_hi, b->not_d }
		   : (struct side){ b->s_lo, b->s_hi, b->not_s };
}

static void side_put(struct index_rule *b, int dst, struct side s)
{
	*(dst ? &b->d_lo : &b->s_lo) = s.lo;
	*(dst ? &b->d_hi : &b->s_hi) = s.hi;
	*(dst ? &b->not_d : &b->not_s) = s.negate;
}

static bool side_is_any(int version, struct side s)
{
	return !s.negate && !s.lo && s.hi == addr_max(version);
}

/* One of them is any, or both are plain ranges. */
static bool side_meet(int version, struct side a, struct side b, struct side *ret)
{
	if (side_is_any(version, a) || side_is_any(version, b)) {
		*ret = side_is_any(version, a) ? b : a;
		return true;
	}
	*ret = (struct side){ MAX(a.lo, b.lo), MIN(a.hi, b.hi), false };
	return ret->lo <= ret->hi;
}

static bool box_meet(int version, const struct index_rule *a, const struct index_rule *b,
		     struct index_rule *ret)
{
	*ret = *a;
	for (int dst = 0; dst < 2; dst++) {
		struct side s;

		if (!side_meet(version, side_get(a, dst), side_get(b, dst), &s))
			return false;
		side_put(ret, dst, s);
	}
	ret->sp_lo = MAX(a->sp_lo, b->sp_lo);
	ret->sp_hi = MIN(a->sp_hi, b->sp_hi);
	ret->dp_lo = MAX(a->dp_lo, b->dp_lo);
	ret->dp_hi = MIN(a->dp_hi, b->dp_hi);
	ret->meta |= b->meta;
	ret->mmask |= b->mmask;
	ret->mark |= b->mark;
	ret->markm |= b->markm;
	ret->states &= b->states;
	return ret->sp_lo <= ret->sp_hi && ret->dp_lo <= ret->dp_hi && ret->states &&
	       !((a->meta ^ b->meta) & a->mmask & b->mmask) &&
	       !((a->mark ^ b->mark) & a->markm & b->markm);
}

static bool boxes_any_side(int version, const struct boxes *l, int dst, bool negated)
{
	for (size_t i = 0; i < l->n; i++) {
		struct side s = side_get(&l->b[i], dst);

		if (negated ? s.negate : !side_is_any(version, s))
			return true;
	}
	return false;
}

/* "Not this range" becomes the ranges beside it. */
static int boxes_resolve_not(int version, struct boxes *l, int dst)
{
	struct boxes out = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < l->n; i++) {
		struct index_rule b = l->b[i];
		struct side s = side_get(&b, dst);

		if (!s.negate) {
			r = boxes_add(&out, &b);
			continue;
		}
		if (s.lo) {
			side_put(&b, dst, (struct side){ 0, s.lo - 1, false });
			r = boxes_add(&out, &b);
		}
		if (!r && s.hi < addr_max(version)) {
			side_put(&b, dst, (struct side){ s.hi + 1, addr_max(version), false });
			r = boxes_add(&out, &b);
		}
	}
	free(l->b);
	*l = out;
	return r;
}

static int boxes_copy(const struct boxes *from, struct boxes *ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < from->n; i++)
		r = boxes_add(ret, &from->b[i]);
	return r;
}

static int boxes_product(int version, struct boxes *l, const struct boxes *by)
{
	struct boxes out = { 0 };
	struct index_rule b;
	int r = 0;

	if (by->n && l->n > (size_t)16 * BOXES_MAX / by->n)
		return FLAT_MANY;
	for (size_t i = 0; !r && i < l->n; i++)
		for (size_t k = 0; !r && k < by->n; k++)
			if (box_meet(version, &l->b[i], &by->b[k], &b))
				r = boxes_add(&out, &b);
	free(l->b);
	*l = out;
	return r;
}

/* What most rules are: one box, narrowed by another. */
static bool boxes_meet_alone(int version, struct boxes *l, const struct boxes *by)
{
	struct index_rule b;

	if (l->n != 1 || by->n != 1 || l->b->not_s || l->b->not_d || by->b->not_s || by->b->not_d)
		return false;
	l->n = box_meet(version, l->b, by->b, &b);
	*l->b = b;
	return true;
}

int boxes_meet(int version, struct boxes *l, const struct boxes *by)
{
	struct boxes other = { 0 };
	int r;

	if (boxes_meet_alone(version, l, by))
		return 0;
	r = boxes_copy(by, &other);

	for (int dst = 0; !r && dst < 2; dst++) {
		bool clash = (boxes_any_side(version, l, dst, true) &&
			      boxes_any_side(version, &other, dst, false)) ||
			     (boxes_any_side(version, &other, dst, true) &&
			      boxes_any_side(version, l, dst, false));

		if (clash)
			r = boxes_resolve_not(version, l, dst);
		if (clash && !r)
			r = boxes_resolve_not(version, &other, dst);
	}
	if (!r)
		r = boxes_product(version, l, &other);
	boxes_deinit(&other);
	return r;
}
