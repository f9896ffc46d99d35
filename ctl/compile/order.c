/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/order.h>

#define SAMPLES 256

/* A label and those around it; [0] = any. */
struct around {
	uint32_t label[GW_DEPTHS];
	uint32_t lev;
};

static struct around around_of(const struct tree *t, uint32_t label)
{
	struct around c = { .lev = t->labels[label].lev };

	for (uint32_t i = c.lev; i; i--) {
		c.label[i] = label;
		label = t->labels[label].par;
	}
	return c;
}

static uint64_t key_of(const struct order *o, uint32_t s, uint32_t d)
{
	return (uint64_t)s << o->shift[0] | (uint64_t)d << o->shift[1];
}

/* The first rule whose pair is not below this one. */
static size_t lower_bound(const struct order *o, uint64_t key)
{
	size_t lo = 0, n = o->n;

	while (n) {
		size_t half = n / 2;

		if (o->items[lo + half].key < key) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}

/* The pair of the sample and what is around it. */
struct sample {
	struct around s, d;
	size_t at; /* the rule in items */
};

static size_t sample_count(const struct order *o)
{
	return MIN(o->n, (size_t)SAMPLES);
}

static struct sample sample_at(const struct order *o, size_t i)
{
	size_t at = i * o->n / sample_count(o);
	uint64_t key = o->items[at].key;
	uint32_t label[2];

	for (int dim = 0; dim < 2; dim++) {
		label[dim] = (uint32_t)(key >> o->shift[dim]);
		if (!o->shift[dim]) /* what stands below the other one */
			label[dim] &= (uint32_t)((1ULL << o->shift[!dim]) - 1);
	}
	return (struct sample){ around_of(o->tree[0], label[0]), around_of(o->tree[1], label[1]),
				at };
}

static size_t run_length(const struct order *o, uint64_t key)
{
	return lower_bound(o, key + 1) - lower_bound(o, key);
}

double order_cost(const struct order *o)
{
	size_t sum = 0, count = sample_count(o);

	for (size_t k = 0; k < count; k++) {
		struct sample x = sample_at(o, k);

		for (uint32_t i = 0; i <= x.s.lev; i++) {
			for (uint32_t j = 0; j <= x.d.lev; j++) {
				size_t run = run_length(o, key_of(o, x.s.label[i], x.d.label[j]));

				sum += run ? run + ORDER_PROBE : 0;
			}
		}
	}
	return count ? (double)sum / (double)count : 0;
}

static uint32_t prio_at(const struct order *o, size_t i)
{
	return o->rules[o->items[i].at].prio;
}

/* The first prio of the widest pair that exists around the sample's; its own at last. */
static uint32_t widest_prio(const struct order *o, const struct sample *x)
{
	for (uint32_t i = 0; i <= x->s.lev; i++) {
		for (uint32_t j = 0; j <= x->d.lev; j++) {
			uint64_t key = key_of(o, x->s.label[i], x->d.label[j]);
			size_t at = lower_bound(o, key);

			if (at < o->n && o->items[at].key == key)
				return prio_at(o, at);
		}
	}
	return prio_at(o, x->at);
}

bool order_is_wide(const struct order *o)
{
	size_t wide = 0, narrow = 0;

	for (size_t k = 0; k < sample_count(o); k++) {
		struct sample x = sample_at(o, k);
		uint32_t own = prio_at(o, lower_bound(o, o->items[x.at].key)),
			 other = widest_prio(o, &x);

		wide += other < own;
		narrow += other > own;
	}
	return wide > narrow;
}

static unsigned int needed_pairs(const struct sample *x, uint64_t bits, uint32_t *const least[2],
				 uint32_t prio)
{
	unsigned int needed = 0;

	for (uint32_t i = 0; i <= x->s.lev; i++) {
		for (uint32_t j = 0; j <= x->d.lev; j++)
			needed += bits & GW_DEPTH_BIT(i, j) && least[0][x->s.label[i]] <= prio &&
				  least[1][x->d.label[j]] <= prio;
	}
	return needed;
}

struct order_pairs order_pairs(const struct order *o, uint64_t *const own[2],
			       uint32_t *const least[2])
{
	struct order_pairs sum = {};
	size_t count = sample_count(o);

	for (size_t k = 0; k < count; k++) {
		struct sample x = sample_at(o, k);
		uint64_t bits = own[0][x.s.label[x.s.lev]] & own[1][x.d.label[x.d.lev]];

		sum.all += __builtin_popcountll(bits);
		if (least)
			sum.needed += needed_pairs(&x, bits, least,
						   MIN(prio_at(o, x.at), widest_prio(o, &x)));
	}
	if (count) {
		sum.all /= (double)count;
		sum.needed /= (double)count;
	}
	return sum;
}
