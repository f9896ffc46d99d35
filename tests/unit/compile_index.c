/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The index and its reader (bpf/core/find.h, the very code that the object runs) against a linear search over the same rules.
 */
#include <check.h>
#include <time.h>
#include <gw/abi.h>
#include "rulegen.h"

/* What the object gets from its kernel and the map. */
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
static uint8_t *region;
static size_t region_lines;

static __always_inline const void *region_line(uint32_t line)
{
	return line < region_lines ? region + (size_t)line * GW_LINE_SIZE : NULL;
}
#define bpf_loop(n, step, ctx, flags)                   \
	do {                                            \
		for (uint32_t i_ = 0; i_ < (n); i_++) { \
			if (step(i_, ctx))              \
				break;                  \
		}                                       \
	} while (0)
#include <core/find.h>
#include <core/set.h>

#define HALF	   3 /* the half does not start at line 0 */
#define HALF_LINES (1U << 20)

static bool is_long(void)
{
	return getenv("GW_LONG") != NULL;
}

/* ------------------------------------------------------------------------------------------------ the linear search */

struct answer {
	uint32_t prio, id, vary;
};

static bool in_range(const __u64 *a, index_addr lo, index_addr hi)
{
	index_addr at = (index_addr)a[0] << 64 | a[1];

	return at >= lo && at <= hi;
}

static bool lasting_match(const struct index_rule *r, const struct find_key *k)
{
	if (in_range(k->s, r->s_lo, r->s_hi) == r->not_s ||
	    in_range(k->d, r->d_lo, r->d_hi) == r->not_d)
		return false;
	if (k->sport < r->sp_lo || k->sport > r->sp_hi || k->dport < r->dp_lo ||
	    k->dport > r->dp_hi)
		return false;
	return (k->meta & r->mmask) >> 8 == r->meta >> 8 && r->states & k->state;
}

static bool varying_match(const struct index_rule *r, const struct find_key *k)
{
	return (k->meta & r->mmask & 0xff) == (r->meta & 0xff) && (k->mark & r->markm) == r->mark;
}

static struct answer search(const struct index_rule *rules, size_t n, const struct find_key *k,
			    uint32_t min)
{
	struct answer a = { FIND_NONE, 0, FIND_NONE };

	for (size_t i = 0; i < n; i++) {
		const struct index_rule *r = &rules[i];

		if (r->prio < min || !lasting_match(r, k))
			continue;
		if (a.vary == FIND_NONE &&
		    (r->flags & GW_ENT_VARY || (r->flags & GW_ENT_VARY_SYN && k->syn)))
			a.vary = r->prio;
		if (!varying_match(r, k))
			continue;
		a.prio = r->prio;
		a.id = r->id;
		break;
	}
	return a;
}

/* ------------------------------------------------------------------------------------------------------ image in memory */

static uint32_t build(const struct index_rule *rules, size_t n, int version)
{
	_cleanup_(builder_freep) struct builder *b = NULL;
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_root head = { .next = GW_NO_ROOT, .handle = 77, .flags = GW_ROOT_BASE };
	const struct gw_head h = { .gen = 1 };
	uint32_t other, root;

	ck_assert_int_eq(builder_new(HALF_LINES, &b), 0);
	other = builder_reserve_root(b); /* so that offsets differ from those of a lone root */
	root = builder_reserve_root(b);
	ck_assert_int_eq(builder_root(b, other, version, &head, rules, MIN(n, 40U)), 0);
	ck_assert_int_eq(builder_root(b, root, version, &head, rules, n), 0);
	builder_slot(b, 0, version, root);
	ck_assert_int_eq(builder_finish(b, &h, &img), 0);
	ck_assert_uint_le(img->nlines, HALF_LINES);
	memcpy(region + HALF * GW_LINE_SIZE, img->lines, img->nlines * GW_LINE_SIZE);
	region_lines = HALF + img->nlines;
	return root;
}

static bool asks_for_one_mark(const struct index_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i].markm == ~0U)
			return true;
	}
	return false;
}

/* One packet: the first match, and every one behind it up to 4. */
static void compare(const struct index_rule *rules, size_t n, uint32_t root,
		    const struct find_key *k, int version, bool marks)
{
	struct find f = { .half = HALF, .root = root };

	for (int i = 0; i < 4; i++) {
		struct answer a = search(rules, n, k, f.min);

		find_first(&f, k, version == 6);
		ck_assert_uint_eq(f.prio, a.prio);
		if (f.vary != a.vary) {
			/* of a group split by marks it is only known that some entry varies */
			ck_assert(marks);
			ck_assert_uint_lt(f.vary, a.vary);
			ck_assert_uint_ge(f.vary, f.min);
		}
		if (a.prio == FIND_NONE)
			return;
		ck_assert_uint_eq(f.id, a.id);
		ck_assert_uint_eq(GW_ENT_VERDICT(f.flags), 1 + a.id % 3);
		ck_assert_uint_eq(GW_ENT_ACT(f.flags), a.id % 1000);
		f.min = f.prio + 1;
	}
}

static void compare_many(enum rulegen_kind kind, int version, size_t n, size_t packets,
			 uint64_t seed)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(kind, version, n, seed);
	struct rulegen g = { seed };
	bool marks = asks_for_one_mark(rules, n);
	uint32_t root = build(rules, n, version);

	for (size_t i = 0; i < packets; i++) {
		struct find_key k;

		rulegen_key(&g, rules, n, version, &k);
		compare(rules, n, root, &k, version, marks);
	}
}

static const struct {
	size_t rules, packets;
} sizes[] = { { 0, 50 },     { 1, 500 },     { 5, 4000 },    { 9, 5000 },
	      { 10, 20000 }, { 100, 60000 }, { 1000, 9500 }, { 10000, 950 } };

START_TEST(first_match_of_the_index_is_the_first_match_of_the_list)
{
	for (int version = 4; version <= 6; version += 2) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			compare_many((enum rulegen_kind)_i, version, sizes[i].rules,
				     sizes[i].packets / (is_long() ? 1 : 2), 1 + i);
		for (uint64_t seed = 100; is_long() && seed < 104; seed++) {
			compare_many((enum rulegen_kind)_i, version, 3000, 20000, seed);
			compare_many((enum rulegen_kind)_i, version, 100000, 2000, seed);
		}
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------- main */

static void set_up(void)
{
	region = calloc(HALF + HALF_LINES, GW_LINE_SIZE);
	ck_assert_ptr_nonnull(region);
}

static void tear_down(void)
{
	free(region);
}

int main(void)
{
	Suite *suite = suite_create("compile_index");
	TCase *tc = tcase_create("index");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, is_long() ? 1200 : 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, first_match_of_the_index_is_the_first_match_of_the_list, 0,
			    RULEGEN_KINDS);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
