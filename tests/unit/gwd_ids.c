/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of counters, states and logs: who keeps his, who gets whose, and when. */
#include <check.h>
#include <gwd/carry.h>
#include <gwd/ids.h>
#include <lang/lang.h>

/* A model in force, as gwd has it. */
struct world {
	struct ids *ids;
	struct ruleset *rs;
	struct index *index;
	uint32_t gen;
};

static struct world w;

static void setup(void)
{
	w = (struct world){ .ids = ids_new(), .rs = ruleset_new() };
	w.index = index_new(w.rs);
	ck_assert(w.ids && w.rs && w.index);
}

static void teardown(void)
{
	ids_free(w.ids);
	index_free(w.index);
	ruleset_free(w.rs);
}

static struct ruleset *changed(const struct ruleset *from, const char *text)
{
	struct ruleset *rs = ruleset_copy(from);
	struct diag d = { 0 };
	int r = lang_apply(rs, "test", text, strlen(text), NULL, &d);

	ck_assert_msg(r == 0, "%s", d.text);
	return rs;
}

static void force(struct ruleset *next)
{
	enum ids_space full;

	carry_objects(w.rs, next, false);
	ck_assert_int_eq(ids_assign(w.ids, w.index, next, w.gen + 1, &full), 0);
	ids_commit(w.ids, next, ++w.gen);
	ruleset_free(w.rs);
	index_free(w.index);
	w.rs = next;
	w.index = index_new(next);
}

static void apply(const char *text)
{
	force(changed(w.rs, text));
}

static struct chain *chain(void)
{
	return table_chain(ruleset_table(w.rs, FAMILY_INET, "t"), "c");
}

static struct rule *rule(size_t at)
{
	ck_assert_uint_lt(at, chain()->n_rules);
	return chain()->rules[at];
}

#define CHAIN "add table inet t; add chain inet t c { type filter hook input priority 0; };"
#define RULE  "add rule inet t c "

START_TEST(rules_keep_their_counters)
{
	uint32_t policy, first, second;

	apply(CHAIN RULE "tcp dport 1 accept;" RULE "tcp dport 2 accept");
	policy = chain()->cid;
	first = rule(0)->cid;
	second = rule(1)->cid;
	ck_assert(policy && first && second && policy != first && first != second);
	apply("insert rule inet t c tcp dport 3 accept");
	ck_assert_uint_eq(chain()->cid, policy);
	ck_assert_uint_eq(rule(1)->cid, first);
	ck_assert_uint_eq(rule(2)->cid, second);
	ck_assert_uint_gt(rule(0)->cid, second);
}
END_TEST

/* What a text says of itself is not believed. */
START_TEST(nobody_takes_the_counter_of_somebody_else)
{
	struct ruleset *next;
	uint32_t first;

	apply(CHAIN RULE "tcp dport 1 accept;" RULE "tcp dport 2 accept");
	first = rule(0)->cid;
	next = changed(w.rs, RULE "tcp dport 3 accept");
	table_chain(next->tables[0], "c")->rules[2]->cid = first;
	table_chain(next->tables[0], "c")->rules[1]->cid = 999;
	force(next);
	ck_assert_uint_eq(rule(0)->cid, first);
	ck_assert_uint_ne(rule(2)->cid, first);
	ck_assert_uint_ne(rule(2)->cid, 0);
	ck_assert_uint_ne(rule(1)->cid, 999);
}
END_TEST

START_TEST(number_rests_before_somebody_else_has_it)
{
	enum ids_space full;
	struct rule *r = rule_new();
	uint32_t taken, seen = 0;

	apply(CHAIN RULE "tcp dport 1 accept");
	taken = rule(0)->cid;
	apply("flush chain inet t c");
	/* all that were never used go first */
	for (uint32_t i = 0; i + 4 < GW_COUNTERS_MAX && !seen; i++) {
		ck_assert_int_eq(ids_assign_rule(w.ids, r, w.gen + 1, &full), 0);
		seen = r->cid == taken;
	}
	ck_assert_uint_eq(seen, 0);
	ck_assert_int_eq(ids_assign_rule(w.ids, r, w.gen + 1, &full), 0);
	ck_assert_int_eq(ids_assign_rule(w.ids, r, w.gen + IDS_REST - 1, &full), IDS_E_FULL);
	ck_assert_int_eq(full, IDS_COUNTER);
	rule_free(r);
}
END_TEST

START_TEST(number_that_rested_is_given_out_again)
{
	enum ids_space full;
	struct rule *r = rule_new();
	uint32_t taken;

	apply(CHAIN RULE "tcp dport 1 accept");
	taken = rule(0)->cid;
	apply("flush chain inet t c");
	while (ids_assign_rule(w.ids, r, w.gen + IDS_REST, &full) == 0 && r->cid != taken)
		ids_commit_rule(w.ids, r, NULL, w.gen);
	ck_assert_uint_eq(r->cid, taken);
	rule_free(r);
}
END_TEST

START_TEST(number_that_no_packet_can_use_any_more_need_not_rest)
{
	struct rule *r = rule_new();
	enum ids_space full;
	uint32_t taken;

	apply(CHAIN RULE "tcp dport 1 accept");
	taken = rule(0)->cid;
	apply("flush chain inet t c");
	while (ids_assign_rule(w.ids, r, w.gen, &full) == 0)
		ids_commit_rule(w.ids, r, NULL, w.gen);
	ids_rested(w.ids);
	ck_assert_int_eq(ids_assign_rule(w.ids, r, w.gen, &full), 0);
	ck_assert_uint_eq(r->cid, taken);
	ids_commit_rule(w.ids, r, NULL, w.gen);
	/* what is given up after that rests as ever */
	ids_commit_rule(w.ids, NULL, r, w.gen);
	ck_assert_int_eq(ids_assign_rule(w.ids, r, w.gen + 1, &full), IDS_E_FULL);
	rule_free(r);
}
END_TEST

START_TEST(change_that_failed_gives_its_numbers_back)
{
	struct ruleset *next;
	enum ids_space full;
	uint32_t cid;

	apply(CHAIN);
	for (int i = 0; i < 3; i++) {
		next = changed(w.rs, RULE "tcp dport 1 limit rate 1/second log accept");
		ck_assert_int_eq(ids_assign(w.ids, w.index, next, w.gen + 1, &full), 0);
		cid = table_chain(next->tables[0], "c")->rules[0]->cid;
		ck_assert(ids_is_fresh(w.ids, IDS_COUNTER, cid));
		ids_abort(w.ids);
		ck_assert(!ids_is_fresh(w.ids, IDS_COUNTER, cid));
		ruleset_free(next);
	}
	apply(RULE "tcp dport 1 limit rate 1/second log accept");
	ck_assert_uint_eq(rule(0)->cid, cid);
	ck_assert_uint_eq(rule(0)->stmts[0].id, 1);
	ck_assert_uint_eq(rule(0)->stmts[1].id, 1);
	ck_assert(!ids_is_fresh(w.ids, IDS_COUNTER, cid));
}
END_TEST

START_TEST(limit_goes_on_as_long_as_it_is_the_same)
{
	uint32_t id, log;
	struct rule *r;

	apply(CHAIN RULE "limit rate 1/second log accept");
	id = rule(0)->stmts[0].id;
	log = rule(0)->stmts[1].id;
	ck_assert(id && log);
	apply(RULE "tcp dport 2 accept");
	ck_assert_uint_eq(rule(0)->stmts[0].id, id);
	ck_assert_uint_eq(rule(0)->stmts[1].id, log);
	/* another rate in the same rule begins anew */
	r = rule(0);
	force(({
		struct ruleset *next = ruleset_copy(w.rs);

		table_chain(next->tables[0], "c")->rules[0]->stmts[0].limit.rate =
			r->stmts[0].limit.rate + 1;
		next;
	}));
	ck_assert_uint_ne(rule(0)->stmts[0].id, id);
	ck_assert_uint_ne(rule(0)->stmts[0].id, 0);
	ck_assert_uint_eq(rule(0)->stmts[1].id, log);
}
END_TEST

START_TEST(objects_go_on_by_name_while_they_mean_the_same)
{
	struct table *t;
	uint32_t counter, quota;

	apply("add table inet t; add counter inet t a; add quota inet t q { over 5 bytes }");
	t = ruleset_table(w.rs, FAMILY_INET, "t");
	counter = table_object(t, OBJECT_COUNTER, "a")->id;
	quota = table_object(t, OBJECT_QUOTA, "q")->id;
	ck_assert(counter && quota);
	apply("add counter inet t b");
	t = ruleset_table(w.rs, FAMILY_INET, "t");
	ck_assert_uint_eq(table_object(t, OBJECT_COUNTER, "a")->id, counter);
	ck_assert_uint_eq(table_object(t, OBJECT_QUOTA, "q")->id, quota);
	ck_assert_uint_ne(table_object(t, OBJECT_COUNTER, "b")->id, counter);
	apply("delete quota inet t q; add quota inet t q { over 6 bytes }");
	t = ruleset_table(w.rs, FAMILY_INET, "t");
	ck_assert_uint_ne(table_object(t, OBJECT_QUOTA, "q")->id, quota);
}
END_TEST

/* An adopted ruleset has numbers with gaps, in any order. */
START_TEST(adopted_numbers_are_in_use_and_gaps_are_free)
{
	bool seen[64] = { false };
	struct ruleset *rs =
		changed(w.rs, CHAIN RULE "tcp dport 1 accept;" RULE "tcp dport 2 accept");
	struct chain *c = table_chain(rs->tables[0], "c");
	struct ids *next = ids_new();
	enum ids_space full;

	c->cid = 9;
	c->rules[0]->cid = 40;
	c->rules[1]->cid = 3;
	ids_commit(next, rs, 7);
	seen[9] = seen[40] = seen[3] = true;
	for (int i = 0; i < 45; i++) {
		struct rule *r = rule_new();

		ck_assert_int_eq(ids_assign_rule(next, r, 8, &full), 0);
		ck_assert_uint_lt(r->cid, 64);
		ck_assert(!seen[r->cid]);
		seen[r->cid] = true;
		rule_free(r);
	}
	ids_free(next);
	ruleset_free(rs);
}
END_TEST

START_TEST(index_finds_what_is_there_and_nothing_else)
{
	struct index *ix = index_new(w.rs);
	struct index_entry e = { 0 };

	/* removals from the middle of runs leave no hole that hides others */
	for (e.handle = 1; e.handle <= 5000; e.handle++)
		ck_assert_int_eq(index_add(ix, &e), 0);
	for (uint64_t h = 1; h <= 5000; h += 1 + h % 3)
		index_remove(ix, h);
	index_remove(ix, 999999);
	for (uint64_t h = 1, gone = 1; h <= 5000; h++) {
		ck_assert((index_find(ix, h) != NULL) == (h != gone));
		if (h == gone)
			gone += 1 + gone % 3;
	}
	ck_assert_ptr_null(index_find(ix, 0));
	index_free(ix);
}
END_TEST

START_TEST(a_counter_knows_whose_it_is_and_since_when)
{
	uint64_t handle;
	uint32_t cid;

	ids_clock(w.ids, 100);
	apply(CHAIN RULE "tcp dport 22 accept");
	handle = rule(0)->handle;
	cid = rule(0)->cid;
	ck_assert_uint_eq(ids_owner(w.ids, cid, 100), handle);
	ck_assert_uint_eq(ids_owner(w.ids, cid, 99), 0); /* what is older was somebody else's */
	ids_clock(w.ids, 200);
	apply("flush chain inet t c");
	ck_assert_uint_eq(ids_owner(w.ids, cid, 150), handle); /* it outlives its rule */
	ck_assert_uint_eq(ids_owner(w.ids, cid + 100, 150), 0);
	ck_assert_uint_eq(ids_owner(w.ids, UINT32_MAX, 150), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gwd_ids");
	TCase *tc = tcase_create("ids");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_counter_knows_whose_it_is_and_since_when);
	tcase_add_test(tc, rules_keep_their_counters);
	tcase_add_test(tc, nobody_takes_the_counter_of_somebody_else);
	tcase_add_test(tc, number_rests_before_somebody_else_has_it);
	tcase_add_test(tc, number_that_rested_is_given_out_again);
	tcase_add_test(tc, number_that_no_packet_can_use_any_more_need_not_rest);
	tcase_add_test(tc, change_that_failed_gives_its_numbers_back);
	tcase_add_test(tc, limit_goes_on_as_long_as_it_is_the_same);
	tcase_add_test(tc, objects_go_on_by_name_while_they_mean_the_same);
	tcase_add_test(tc, adopted_numbers_are_in_use_and_gaps_are_free);
	tcase_add_test(tc, index_finds_what_is_there_and_nothing_else);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
