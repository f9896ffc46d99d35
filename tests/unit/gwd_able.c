/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel without BPF_FIB_LOOKUP_MARK can not do is refused by name, wherever it stands. */
#include <check.h>
#include <gwd/able.h>
#include <lang/lang.h>

static const struct {
	const char *rule, *refused;
} rules[] = {
	{ "fib saddr . iif oif missing drop", NULL },
	{ "fib saddr . mark . iif oif missing drop",
	  "`fib saddr . mark . iif oif` needs Linux 6.10 (chain inet filter forward, rule 2)" },
	{ "ip saddr . fib daddr . mark oifname { 10.0.0.1 . \"lo\" } drop",
	  "`fib daddr . mark oifname` needs Linux 6.10 (chain inet filter forward, rule 2)" },
	{ "fib daddr . mark oif vmap { \"lo\" : drop }",
	  "`fib daddr . mark oif` needs Linux 6.10 (chain inet filter forward, rule 2)" },
	{ "meta mark set fib saddr . mark oifname map { \"lo\" : 1 }",
	  "`fib saddr . mark oifname` needs Linux 6.10 (chain inet filter forward, rule 2)" },
};

START_TEST(a_mark_in_the_fib_is_refused_where_the_kernel_has_none)
{
	struct ruleset *rs = ruleset_new();
	struct diag d = { 0 };
	char text[256];

	snprintf(text, sizeof(text),
		 "add rule inet filter forward accept\nadd rule inet filter forward %s",
		 rules[_i].rule);
	ck_assert_msg(!lang_apply(rs, "test", text, strlen(text), NULL, &d), "%s", d.text);
	ck_assert(able_ruleset(rs, true, &d));
	ck_assert_int_eq(able_ruleset(rs, false, &d), !rules[_i].refused);
	if (rules[_i].refused)
		ck_assert_str_eq(d.text, rules[_i].refused);
	ck_assert_int_eq(able_rule(rs->tables[0]->chains[0]->rules[1], false), !rules[_i].refused);
	ruleset_free(rs);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gwd able");
	TCase *t = tcase_create("able");
	SRunner *run = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, a_mark_in_the_fib_is_refused_where_the_kernel_has_none, 0,
			    ARRAY_SIZE(rules));
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? 1 : 0;
}
