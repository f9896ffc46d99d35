/* SPDX-License-Identifier: GPL-2.0-only */
/* What is judged when a whole ruleset is there: jumps that end, and rules that come to hooks where they can not work. */
#include <lang/lang.h>

#include <check.h>

#define BASE(hook, rules) "chain base { type filter hook " hook " priority filter; " rules "; }\n"

static const struct {
	const char *text;	    /* what stands in table inet t */
	const char *message, *hint; /* NULL: it is good */
} cases[] = {
	{ BASE("forward",
	       "jump a") "chain a { tcp dport 1 goto b; return; }\nchain b { accept; }\n",
	  NULL, NULL },
	{ BASE("forward", "jump a") "chain a { jump b; }\nchain b { tcp dport 1 goto a; }\n",
	  "inet t: the jumps of chain `a` lead back to it", "" },
	{ "chain a { jump a; }\n", "inet t: the jumps of chain `a` lead back to it", "" },
	{ "chain a { tcp dport vmap { 1 : jump b }; }\nchain b { jump a; }\n",
	  "inet t: the jumps of chain `a` lead back to it", "" },
	{ "map m { type inet_service : verdict; elements = { 1 : goto a }; }\n"
	  "chain a { tcp dport vmap @m; }\n",
	  "inet t: the jumps of chain `a` lead back to it", "" },
	{ BASE("forward", "tcp dport vmap { 1 : jump base }"),
	  "inet t base: chain `base` has a hook: it can not be jumped to", "" },
	{ BASE("forward", "jump a") "chain a { masquerade; }\n",
	  "`masquerade` belongs in a chain of type nat, this one is of type filter",
	  "chain `a` is reached from `base`" },
	{ BASE("prerouting", "jump a") "chain a { jump b; }\nchain b { reject; }\n",
	  "`reject` works in filter chains at hook input, forward or output",
	  "chain `b` is reached from `base`" },
	{ BASE("forward", "jump a") "chain a { notrack; }\n",
	  "`notrack` comes too late in this chain", "chain `a` is reached from `base`" },
	{ "chain a { masquerade; }\nchain b { notrack; reject; }\n", NULL, NULL },
	{ "chain n { type nat hook postrouting priority srcnat; jump a; }\nchain a { masquerade; "
	  "}\n",
	  NULL, NULL },
	{ "chain n { type nat hook prerouting priority dstnat; jump a; }\nchain a { masquerade; "
	  "}\n",
	  "`masquerade` works at hook postrouting, this chain is at prerouting",
	  "chain `a` is reached from `n`" },
};

START_TEST(rulesets_are_judged_as_a_whole)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	const char *message = cases[_i].message;
	struct strbuf b = { 0 };
	struct diag d = { 0 };

	strbuf_printf(&b, "table inet t {\n%s}\n", cases[_i].text);
	ck_assert_msg(lang_apply(rs, "", b.s, b.len, NULL, &d) == 0, "%s: %s", cases[_i].text,
		      d.text);
	ck_assert_msg(ruleset_validate(rs, &d) == !message, "%s: %s", cases[_i].text, d.text);
	if (message) {
		ck_assert_str_eq(d.text, message);
		ck_assert_str_eq(d.hint, cases[_i].hint);
	}
	strbuf_deinit(&b);
}
END_TEST

/* 16 chains with the one that has the hook, as in the kernel; one more is too deep. */
static bool depth_is_good(int depth, struct diag *d)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };

	strbuf_puts(&b, "table inet t {\n" BASE("forward", "jump c1"));
	for (int i = 1; i < depth; i++)
		strbuf_printf(&b, "chain c%d { jump c%d; }\n", i, i + 1);
	strbuf_printf(&b, "chain c%d { accept; }\n}\n", depth);
	ck_assert_msg(lang_apply(rs, "", b.s, b.len, NULL, d) == 0, "%s", d->text);
	strbuf_deinit(&b);
	return ruleset_validate(rs, d);
}

START_TEST(jumps_go_fifteen_deep)
{
	struct diag d = { 0 };

	ck_assert_msg(depth_is_good(15, &d), "%s", d.text);
	ck_assert(!depth_is_good(16, &d));
	ck_assert_str_eq(d.text, "inet t c16: jumps are nested deeper than 15");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lang validate");
	TCase *tc = tcase_create("validate");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, rulesets_are_judged_as_a_whole, 0, ARRAY_SIZE(cases));
	tcase_add_test(tc, jumps_go_fifteen_deep);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
