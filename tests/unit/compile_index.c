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
static uint64_t lines_read;

static __always_inline const void *region_line(uint32_t line)
{
	lines_read++;
	return line < region_lines ? region + (size_t)line * GW_LINE_SIZE : NULL;
}
static uint32_t loop_max = UINT32_MAX;
#define bpf_loop(n, step, ctx, flags)                                    \
	do {                                                             \
		for (uint32_t i_ = 0; i_ < (n) && i_ < loop_max; i_++) { \
			if (step(i_, ctx))                               \
				break;                                   \
		}                                                        \
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

/* An assertion of Check costs a system call. */
#define must(condition)                                     \
	do {                                                \
		if (!(condition))                           \
			ck_abort_msg("not %s", #condition); \
	} while (0)

/* One packet: the first match, and every one behind it up to 4. */
static void compare(const struct index_rule *rules, size_t n, uint32_t root,
		    const struct find_key *k, int version, bool marks)
{
	struct find f = { .half = HALF, .root = root };

	for (int i = 0; i < 4; i++) {
		struct answer a = search(rules, n, k, f.min);

		find_first(&f, k, version == 6);
		must(f.prio == a.prio);
		/* of a group split by marks it is only known that some entry varies */
		must(f.vary == a.vary || (marks && f.vary < a.vary && f.vary >= f.min));
		if (a.prio == FIND_NONE)
			return;
		must(f.id == a.id);
		must(GW_ENT_VERDICT(f.flags) == 1 + a.id % 3 && GW_ENT_ACT(f.flags) == a.id % 1000);
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
				     sizes[i].packets, 1 + i);
		for (uint64_t seed = 100; is_long() && seed < 104; seed++) {
			compare_many((enum rulegen_kind)_i, version, 3000, 20000, seed);
			compare_many((enum rulegen_kind)_i, version, 100000, 2000, seed);
		}
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- hard rule sets */

static uint8_t *half(void)
{
	return region + HALF * GW_LINE_SIZE;
}

static const struct gw_root *root_of(uint32_t root)
{
	const struct gw_head *h = (const struct gw_head *)half();

	return (const struct gw_root *)(half() + (size_t)h->o_root * GW_LINE_SIZE) + root;
}

/* The first entry of the hash table with one of these flags. */
static const struct gw_ent *entry_with(uint32_t root, uint32_t flags)
{
	const struct gw_root *r = root_of(root);
	const struct gw_ent *e = (const struct gw_ent *)(half() + (size_t)r->o_bkt * GW_LINE_SIZE);

	for (uint32_t i = 0; i < r->nbkt * 2; i++) {
		if (e[i].key != GW_KEY_EMPTY && e[i].flags & flags)
			return &e[i];
	}
	return NULL;
}

static const struct {
	enum rulegen_kind kind;
	bool wide, least, wide_ports, guard;
	unsigned int lines; /* that a search may read on average */
} hard_cases[] = {
	{ RULEGEN_NEST, .wide = true, .least = true, .lines = 80 },
	{ RULEGEN_INNER, .least = true, .lines = 2500 },
	{ RULEGEN_CROSS, .wide_ports = true, .guard = true, .lines = 70 },
	{ RULEGEN_CELLS, .wide_ports = true, .guard = true, .lines = 130 },
	{ RULEGEN_LENGTHS, .wide = true, .lines = 45 },
	{ RULEGEN_PAIRS, .wide = true, .least = true, .lines = 60 },
	{ RULEGEN_RANGES, .wide = true, .lines = 60 },
	{ RULEGEN_ACL, .lines = 45 },
};

/* What makes hard sets fast is in the image, and nothing of it is where it would only cost. */
START_TEST(a_search_in_a_hard_set_reads_few_lines)
{
	typeof(hard_cases[0]) *c = &hard_cases[_i];
	size_t n = 100000;
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(c->kind, 4, n, 7);
	uint32_t root = build(rules, n, 4), packets = 2000;
	const struct gw_root *r = root_of(root);
	const struct gw_ent *ports = entry_with(root, GW_ENT_PORTS);
	struct rulegen g = { 12 };

	ck_assert_uint_eq(r->d[0].flags & GW_DIM_WIDE, c->wide);
	ck_assert_uint_eq(!!r->d[0].o_least, c->least);
	ck_assert_uint_eq(!!r->d[1].o_least, c->least);
	ck_assert_uint_eq(ports && ports->dplo & GW_PORTS_WIDE, c->wide_ports);
	ck_assert_uint_eq(ports && ports->misc, c->guard);
	lines_read = 0;
	for (uint32_t i = 0; i < packets; i++) {
		struct find f = { .half = HALF, .root = root };
		struct find_key k;

		rulegen_key(&g, rules, n, 4, &k);
		find_first(&f, &k, 0);
	}
	ck_assert_uint_le(lines_read / packets, c->lines);
}
END_TEST

/* A group's rules all ask for UDP: its cells are not for TCP. */
START_TEST(a_large_group_is_left_alone_by_packets_that_can_not_match)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(RULEGEN_CELLS, 4, 5000, 7);
	uint32_t root = build(rules, 5000, 4);
	struct rulegen g = { 3 };

	for (int i = 0; i < 200; i++) {
		struct find f = { .half = HALF, .root = root };
		struct find_key k;

		rulegen_key(&g, rules, 5000, 4, &k);
		k.meta = (k.meta & ~GW_META_PROTO(0xff)) | GW_META_PROTO(6);
		lines_read = 0;
		find_first(&f, &k, 0);
		ck_assert_uint_eq(f.prio, FIND_NONE);
		ck_assert_uint_le(lines_read, 20);
	}
}
END_TEST

/* --------------------------------------------------------------------------------------------- changes while in force */

struct changing {
	struct index_rule *rules; /* what the image holds, in order */
	size_t n;
	uint32_t root;
	int version;
};

static void check_changed(const struct changing *c, struct rulegen *g, size_t packets)
{
	for (size_t i = 0; i < packets; i++) {
		struct find_key k;

		rulegen_key(g, c->rules, c->n, c->version, &k);
		compare(c->rules, c->n, c->root, &k, c->version, asks_for_one_mark(c->rules, c->n));
	}
}

/* A rule gets a prio between two others and is put between them. */
static int insert_one(struct changing *c, struct rulegen *g, const struct index_rule *from)
{
	size_t at = rulegen_below(g, (uint32_t)c->n + 1);
	struct index_rule r = *from;
	int error;

	/* behind whole rules only */
	while (at && at < c->n && c->rules[at].prio == c->rules[at - 1].prio)
		at++;
	r.prio = at ? c->rules[at - 1].prio + 1 : 1;
	if (at < c->n && r.prio >= c->rules[at].prio)
		return 0;
	r.id = 500000 + r.prio;
	r.flags = (r.flags & 0xff) | (1 + r.id % 3) << 8 | r.id % 1000 << 12;
	error = image_append(half(), HALF_LINES, c->root, &r, 1, NULL, 0);
	if (error)
		return error;
	region_lines = HALF + ((struct gw_head *)half())->nlines;
	memmove(&c->rules[at + 1], &c->rules[at], (c->n - at) * sizeof(r));
	c->rules[at] = r;
	c->n++;
	return 0;
}

static void remove_one(struct changing *c, struct rulegen *g)
{
	uint32_t id = c->rules[rulegen_below(g, (uint32_t)c->n)].id;
	size_t kept = 0;

	ck_assert_int_eq(image_remove(half(), id), 0);
	for (size_t i = 0; i < c->n; i++) {
		if (c->rules[i].id != id)
			c->rules[kept++] = c->rules[i];
	}
	c->n = kept;
}

static void change_many(enum rulegen_kind kind, int version, size_t n)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(kind, version, n + 80, 9);
	_cleanup_(freep) struct index_rule *more = rulegen_rules(kind, version, 80, 11);
	struct changing c = { rules, n, build(rules, n, version), version };
	struct rulegen g = { 5 };
	int r = 0;

	for (int i = 0; i < 2000 && !r; i++) { /* some find no prio between two others */
		r = insert_one(&c, &g, &more[i % 80]);
		if (i % 3 == 0 && c.n > 1)
			remove_one(&c, &g);
		if (i % 8 == 0 && i < 160)
			check_changed(&c, &g, 400);
	}
	ck_assert_int_eq(r, INDEX_E_FULL); /* 64 fit, and the list itself if it is one */
	check_changed(&c, &g, 1000);
}

START_TEST(appended_and_removed_rules_count_at_once)
{
	static const size_t n[] = { 0, 3, 8, 9, 300 };

	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		change_many((enum rulegen_kind)_i, 4, n[i]);
		change_many((enum rulegen_kind)_i, 6, n[i]);
	}
}
END_TEST

/* Where pairs are passed by for what they hold at least, a later rule may come before all that; the same when it goes. */
START_TEST(hard_sets_change_like_others)
{
	enum rulegen_kind kind = hard_cases[_i].kind;

	change_many(kind, _i & 1 ? 6 : 4, 1000);
}
END_TEST

START_TEST(append_brings_its_action_and_needs_room)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(RULEGEN_FORWARD, 4, 30, 1);
	uint32_t root = build(rules, 20, 4), nlines;
	struct gw_head *h = (struct gw_head *)half();
	struct find f = { .half = HALF, .root = root };
	struct gw_act act[2] = { { .arg = 77 }, {} };
	struct find_key k;

	nlines = h->nlines;
	ck_assert_int_eq(image_append(half(), nlines + 3, root, &rules[20], 2, act, 2),
			 INDEX_E_FULL);
	ck_assert_int_eq(image_append(half(), HALF_LINES, root, &rules[20], 1, act, 2), 0);
	region_lines = HALF + h->nlines;
	k = (struct find_key){ .d = { 0, (uint64_t)rules[20].d_lo },
			       .meta = rules[20].meta,
			       .dport = rules[20].dp_lo,
			       .state = 1 };
	find_first(&f, &k, 0);
	ck_assert_uint_eq(f.id, rules[20].id);
	memcpy(act, half() + ((size_t)h->o_act + GW_ENT_ACT(f.flags)) * GW_LINE_SIZE, sizeof(act));
	ck_assert_uint_eq(act[0].arg, 77);
	ck_assert_int_eq(image_append(half(), HALF_LINES, h->n_roots, rules, 1, NULL, 0),
			 INDEX_E_FULL);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------------- sets */

static void put_key(const struct index_range *r, unsigned int key_len, struct gw_dynkey *k)
{
	*k = (struct gw_dynkey){};
	for (unsigned int i = 0; i < key_len; i++) {
		uint64_t word = r->lo[key_len > 8 && i < 8 ? 0 : 1];

		k->key[i] = (uint8_t)(word >> (8 * ((key_len - 1 - i) % 8)));
	}
}

static index_addr lo_of(const struct index_range *r)
{
	return (index_addr)r->lo[0] << 64 | r->lo[1];
}

static index_addr hi_of(const struct index_range *r)
{
	return (index_addr)r->hi[0] << 64 | r->hi[1];
}

static bool ranges_have(const struct index_range *ranges, size_t n, index_addr a)
{
	for (size_t i = 0; i < n; i++) {
		if (a >= lo_of(&ranges[i]) && a <= hi_of(&ranges[i]))
			return true;
	}
	return false;
}

/* The only set of an image. */
static uint32_t finish_set(struct builder *b)
{
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_head h = { .gen = 1 };

	ck_assert_int_eq(builder_finish(b, &h, &img), 0);
	memcpy(half(), img->lines, img->nlines * GW_LINE_SIZE);
	region_lines = HALF + img->nlines;
	return 1; /* number 0 is another one */
}

static uint32_t build_ranges(const struct index_range *ranges, size_t n, unsigned int key_len)
{
	_cleanup_(builder_freep) struct builder *b = NULL;
	const struct gw_set head = { .id = 5 };
	uint32_t set;

	ck_assert_int_eq(builder_new(HALF_LINES, &b), 0);
	ck_assert_int_eq(builder_set_ranges(b, key_len, ranges, MIN(n, 2U), &head, &set), 0);
	ck_assert_int_eq(builder_set_ranges(b, key_len, ranges, n, &head, &set), 0);
	ck_assert_uint_eq(set, 1);
	return finish_set(b);
}

/* How wide ranges are: single addresses, short, of all widths, one that ends at the top. */
static struct index_range *random_ranges(struct rulegen *g, size_t n, unsigned int key_len,
					 int shape)
{
	index_addr top = key_len == 16 ? ~(index_addr)0 : (1ULL << (key_len * 8)) - 1;
	struct index_range *ranges = calloc(n + 1, sizeof(*ranges));

	for (size_t i = 0; i < n; i++) {
		index_addr lo = ((index_addr)rulegen_next(g) << 64 | rulegen_next(g)) & top, hi,
			   width;

		if (shape == 3) /* all in a few upper halves */
			lo = (lo & ~(index_addr)0 >> 64) | (index_addr)(lo >> 126) << 64;
		width = shape ? rulegen_next(g) >> rulegen_below(g, 64) : 0;
		if (shape > 1 && key_len == 16)
			width <<= rulegen_below(g, 64);
		hi = lo + width > top || lo + width < lo ? top : lo + width;
		if (shape == 1 && hi - lo > 300)
			hi = lo + 300 > lo && lo + 300 <= top ? lo + 300 : lo;
		ranges[i] = (struct index_range){ { (uint64_t)(lo >> 64), (uint64_t)lo },
						  { (uint64_t)(hi >> 64), (uint64_t)hi } };
	}
	return ranges;
}

static void check_ranges(unsigned int key_len, size_t n, int shape, size_t lookups)
{
	struct rulegen g = { 77 + n + (unsigned int)shape };
	_cleanup_(freep) struct index_range *ranges = random_ranges(&g, n, key_len, shape);
	index_addr top = key_len == 16 ? ~(index_addr)0 : (1ULL << (key_len * 8)) - 1;
	uint32_t set = build_ranges(ranges, n, key_len);

	for (size_t i = 0; i < lookups; i++) {
		const struct index_range *near = &ranges[n ? rulegen_below(&g, (uint32_t)n) : 0];
		index_addr at[] = { lo_of(near), hi_of(near), lo_of(near) - 1, hi_of(near) + 1,
				    (index_addr)rulegen_next(&g) << 64 | rulegen_next(&g) };
		index_addr a = at[rulegen_below(&g, ARRAY_SIZE(at))] & top;
		struct index_range one = { { (uint64_t)(a >> 64), (uint64_t)a }, {} };
		struct gw_dynkey k;

		put_key(&one, key_len, &k);
		must(set_has(HALF, set, &k) == ranges_have(ranges, n, a));
	}
}

START_TEST(a_set_of_ranges_has_what_a_list_of_them_has)
{
	static const size_t n[] = { 0, 1, 2, 17, 63, 64, 500, 5000 };
	static const unsigned int key_len[] = { 2, 4, 16 };

	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(key_len); k++) {
			for (int shape = 0; shape < 4; shape++)
				check_ranges(key_len[k], n[i], shape, n[i] > 1000 ? 500 : 2000);
		}
	}
}
END_TEST

START_TEST(everything_and_nothing_are_sets)
{
	const struct index_range all4 = { {}, { 0, UINT32_MAX } }, all6 = { {}, { ~0ULL, ~0ULL } };
	const struct index_range reversed = { { 0, 9 }, { 0, 3 } };
	struct gw_dynkey k = { .key = { 1, 2, 3, 4, 5 } };

	ck_assert_int_eq(set_has(HALF, build_ranges(&all4, 1, 4), &k), 1);
	ck_assert_int_eq(set_has(HALF, build_ranges(&all6, 1, 16), &k), 1);
	ck_assert_int_eq(set_has(HALF, build_ranges(&reversed, 1, 4), &k), 0);
	ck_assert_int_eq(set_has(HALF, build_ranges(NULL, 0, 16), &k), 0);
	ck_assert_int_eq(set_has(HALF, 2, &k), 0);
}
END_TEST

START_TEST(a_set_of_keys_has_those_keys)
{
	static const size_t n[] = { 0, 1, 5, 100, 20000 };
	unsigned int key_len = 4 + 4 * (unsigned int)_i;

	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		_cleanup_(builder_freep) struct builder *b = NULL;
		_cleanup_(freep) uint8_t *keys = calloc(n[i] + 1, key_len);
		const struct gw_set head = {};
		struct rulegen g = { key_len };
		uint32_t set;

		/* words of few values, so that keys differ in any one of them; bit 31 says: in */
		for (size_t j = 0; j < n[i] * key_len / 4; j++)
			((uint32_t *)keys)[j] = (rulegen_below(&g, key_len < 12 ? 60000 : 40)) << 1;
		ck_assert_int_eq(builder_new(HALF_LINES, &b), 0);
		ck_assert_int_eq(builder_set_keys(b, key_len, keys, 0, &head, &set), 0);
		ck_assert_int_eq(builder_set_keys(b, key_len, keys, n[i], &head, &set), 0);
		finish_set(b);
		for (size_t j = 0; j < n[i]; j++) {
			struct gw_dynkey k = {};

			memcpy(k.key, keys + j * key_len, key_len);
			must(set_has(HALF, set, &k) == 1);
			k.key[rulegen_below(&g, key_len / 4) * 4] ^=
				1; /* odd words are in no key */
			must(set_has(HALF, set, &k) == 0);
		}
	}
}
END_TEST

START_TEST(a_million_prefixes_are_built_soon)
{
	size_t n = is_long() ? 1000000 : 100000;
	struct rulegen g = { 3 };
	_cleanup_(freep) struct index_range *ranges = random_ranges(&g, n, _i ? 16 : 4, 1);
	_cleanup_(builder_freep) struct builder *b = NULL;
	const struct gw_set head = {};
	clock_t start = clock();
	uint32_t set;

	ck_assert_int_eq(builder_new(HALF_LINES, &b), 0);
	ck_assert_int_eq(builder_set_ranges(b, _i ? 16 : 4, ranges, n, &head, &set), 0);
	ck_assert_uint_lt((uint64_t)(clock() - start), CLOCKS_PER_SEC);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------- limits */

START_TEST(a_hostile_ruleset_is_built_soon)
{
	_cleanup_(freep) struct index_rule *rules =
		rulegen_rules((enum rulegen_kind)_i, 4, 100000, 2);
	clock_t start = clock();

	build(rules, 100000, 4);
	ck_assert_uint_lt((uint64_t)(clock() - start), CLOCKS_PER_SEC);
}
END_TEST

START_TEST(what_does_not_fit_is_an_outcome)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(RULEGEN_FW, 6, 2000, 2);
	const struct gw_root head = {};
	size_t needed;

	build(rules, 2000, 6);
	needed = region_lines - HALF;
	for (size_t max = 1; max < needed; max += 1 + max / 7) {
		_cleanup_(builder_freep) struct builder *b = NULL;
		int r = builder_new(max, &b);

		if (!r)
			r = builder_root(b, builder_reserve_root(b), 6, &head, rules, 40);
		if (!r)
			r = builder_root(b, builder_reserve_root(b), 6, &head, rules, 2000);
		ck_assert_int_eq(r, INDEX_E_FULL);
	}
}
END_TEST

START_TEST(equal_actions_share_their_lines)
{
	_cleanup_(builder_freep) struct builder *b = NULL;
	struct gw_act act[3] = { { .arg = 1 }, { .arg = 2 }, { .arg = 3 } };
	uint32_t first, again, other;

	ck_assert_int_eq(builder_new(100000, &b), 0);
	ck_assert_int_eq(builder_act(b, act, 2, &first), 0);
	ck_assert_int_eq(builder_act(b, act, 2, &again), 0);
	ck_assert_int_eq(builder_act(b, act, 3, &other), 0);
	ck_assert_uint_gt(first, 0);
	ck_assert_uint_eq(first, again);
	ck_assert_uint_ne(first, other);
	for (uint32_t i = 0; i < 1000; i++) {
		act[1].arg = i;
		ck_assert_int_eq(builder_act(b, act, 2, &other), 0);
		ck_assert_int_eq(builder_act(b, act, 2, &again), 0);
		ck_assert_uint_eq(other, again);
	}
}
END_TEST

/* In the object the map bounds every access; here the sanitizer sees one that is not. */
START_TEST(a_damaged_image_misleads_but_does_not_crash)
{
	for (int version = 4; version <= 6; version += 2) {
		_cleanup_(freep) struct index_rule *rules =
			rulegen_rules((enum rulegen_kind)_i, version, 400, 3);
		struct rulegen g = { 4 };
		uint32_t root;

		loop_max = 64;
		for (int round = 0; round < 60; round++) {
			size_t lines, damage;

			root = build(rules, 400, version);
			lines = region_lines - HALF;
			if (round % 3 == 0)
				region_lines = HALF + rulegen_below(&g, (uint32_t)lines);
			damage = round % 3 ? lines * GW_LINE_SIZE / (round % 3 == 1 ? 50 : 4) : 0;
			for (; damage; damage--)
				half()[GW_LINE_SIZE +
				       rulegen_below(&g, (uint32_t)(lines - 1) * GW_LINE_SIZE)] =
					(uint8_t)rulegen_next(&g);
			for (int i = 0; i < 40; i++) {
				struct find f = { .half = HALF, .root = root };
				struct find_key k;

				rulegen_key(&g, rules, 400, version, &k);
				find_first(&f, &k, version == 6);
			}
		}
	}
}
END_TEST

START_TEST(statistics_tell_the_largest_group)
{
	_cleanup_(freep) struct index_rule *rules = rulegen_rules(RULEGEN_SAME, 4, 500, 3);
	_cleanup_(freep) struct index_rule *forward = rulegen_rules(RULEGEN_FORWARD, 4, 500, 3);
	struct index_stats s;

	image_stats(half(), build(rules, 500, 4), &s);
	ck_assert_uint_eq(s.entries, 500);
	ck_assert_uint_ge(s.largest, 400);
	ck_assert_uint_eq(s.handle, 77);
	image_stats(half(), build(forward, 500, 4), &s);
	ck_assert_uint_eq(s.entries, 500);
	ck_assert_uint_le(s.largest, 16);
	ck_assert_uint_gt(s.groups, 0);
	ck_assert_uint_gt(s.bytes, 500 * sizeof(struct gw_ent));
	image_stats(half(), build(rules, 5, 4), &s);
	ck_assert_uint_eq(s.entries, 5);
	ck_assert_uint_eq(s.delta, 0);
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

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, is_long() ? 1200 : 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	suite_add_tcase(suite, tc);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("compile_index");
	TCase *tc = add_case(suite, "index");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, first_match_of_the_index_is_the_first_match_of_the_list, 0,
			    RULEGEN_KINDS);
	tcase_add_test(tc, statistics_tell_the_largest_group);
	tc = add_case(suite, "hard");
	tcase_add_loop_test(tc, a_search_in_a_hard_set_reads_few_lines, 0, ARRAY_SIZE(hard_cases));
	tcase_add_test(tc, a_large_group_is_left_alone_by_packets_that_can_not_match);
	tc = add_case(suite, "change");
	tcase_add_loop_test(tc, appended_and_removed_rules_count_at_once, 0, RULEGEN_KINDS);
	tcase_add_loop_test(tc, hard_sets_change_like_others, 0, ARRAY_SIZE(hard_cases));
	tcase_add_test(tc, append_brings_its_action_and_needs_room);
	tc = add_case(suite, "set");
	tcase_add_test(tc, a_set_of_ranges_has_what_a_list_of_them_has);
	tcase_add_test(tc, everything_and_nothing_are_sets);
	tcase_add_loop_test(tc, a_set_of_keys_has_those_keys, 0, GW_DYNKEY_LEN / 4);
	tcase_add_loop_test(tc, a_million_prefixes_are_built_soon, 0, 2);
	tc = add_case(suite, "limit");
	if (is_long())
		tcase_add_loop_test(tc, a_hostile_ruleset_is_built_soon, 0, RULEGEN_KINDS);
	else
		tcase_add_loop_test(tc, a_hostile_ruleset_is_built_soon, RULEGEN_NEST,
				    RULEGEN_FORWARD);
	tcase_add_test(tc, what_does_not_fit_is_an_outcome);
	tcase_add_test(tc, equal_actions_share_their_lines);
	tcase_add_loop_test(tc, a_damaged_image_misleads_but_does_not_crash, 0, RULEGEN_KINDS);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
