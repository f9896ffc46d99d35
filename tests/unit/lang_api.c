/* SPDX-License-Identifier: GPL-2.0-only */
/* What callers of lang see besides text: counts of changes, handles, printers of parts. */
#include <lang/lang.h>

#include <check.h>
#include <gw/abi.h>

static int apply(struct ruleset *rs, const char *text, struct lang_changes *ch)
{
	struct diag d = { 0 };
	int r = lang_apply(rs, "", text, strlen(text), ch, &d);

	ck_assert_msg(r == 0, "%u:%u: %s", d.line, d.col, d.text);
	return r;
}

START_TEST(changes_are_counted)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct lang_changes ch = { 0 };

	apply(rs, "add rule inet filter forward accept", &ch);
	ck_assert_uint_eq(ch.tables_added, 1);
	ck_assert_uint_eq(ch.chains_added, 1);
	ck_assert_uint_eq(ch.rules_added, 1);
	ck_assert_uint_eq(ch.last_handle, 3);
	apply(rs, "add rule ip nat PREROUTING accept", &ch);
	ck_assert_uint_eq(ch.chains_added, 4);
	apply(rs, "add chain inet filter forward { policy drop; }", &ch);
	ck_assert_uint_eq(ch.policies, 1);
	ck_assert_uint_eq(ch.chains_added, 0);
	apply(rs, "add chain inet filter forward { policy drop; }", &ch);
	ck_assert_uint_eq(ch.policies, 0);
	apply(rs, "replace rule inet filter forward handle 3 drop", &ch);
	ck_assert_uint_eq(ch.rules_added, 1);
	ck_assert_uint_eq(ch.rules_deleted, 1);
	ck_assert_uint_eq(ch.last_handle, 3);
	apply(rs, "flush ruleset", &ch);
	ck_assert_uint_eq(ch.rules_deleted, 2);
	ck_assert_uint_eq(ch.chains_deleted, 5);
	ck_assert_uint_eq(ch.tables_deleted, 2);
	ck_assert_uint_eq(rs->n_tables, 0);
}
END_TEST

START_TEST(handles_are_not_reused_after_a_flush)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct lang_changes ch = { 0 };

	apply(rs, "add rule inet filter forward accept", &ch);
	apply(rs, "flush ruleset; add rule inet filter forward accept", &ch);
	ck_assert_uint_eq(ch.last_handle, 6);
}
END_TEST

START_TEST(changes_are_untouched_by_a_mistake)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	const char *text =
		"add rule inet filter forward accept\nadd rule inet filter forward bogus";
	struct lang_changes ch = { .rules_added = 77 };
	struct diag d = { 0 };

	ck_assert_int_eq(lang_apply(rs, "f.nft", text, strlen(text), &ch, &d), LANG_E_DIAG);
	ck_assert_uint_eq(ch.rules_added, 77);
	ck_assert_str_eq(d.file, "f.nft");
	ck_assert_uint_eq(d.line, 2);
	ck_assert_uint_eq(d.col, 30);
	ck_assert_uint_eq(d.len, 5);
	ck_assert_str_eq(d.source, "add rule inet filter forward bogus");
}
END_TEST

START_TEST(a_mistake_far_right_has_no_source_line)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };
	struct diag d = { 0 };

	strbuf_printf(&b, "%600s", "bogus");
	ck_assert_int_eq(lang_apply(rs, "", b.s, b.len, NULL, &d), LANG_E_DIAG);
	ck_assert_uint_eq(d.col, 596);
	ck_assert_str_eq(d.source, "");
	strbuf_deinit(&b);
}
END_TEST

START_TEST(parts_are_printed_alone)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };
	struct table *t;
	struct chain *c;

	apply(rs,
	      "table ip nat { chain a { type nat hook prerouting priority dstnat; tcp dport 80 "
	      "dnat to "
	      "10.0.0.1:8080; }\nchain b { }\n}",
	      NULL);
	t = ruleset_table(rs, FAMILY_IP, "nat");
	c = table_chain(t, "a");
	lang_print_rule(c->rules[0], LANG_COUNTERS, &b);
	ck_assert_str_eq(b.s, "tcp dport 80 counter packets 0 bytes 0 dnat ip to 10.0.0.1:8080");
	strbuf_deinit(&b);
	lang_print_chain(t, c, 0, &b);
	ck_assert_str_eq(
		b.s, "table ip nat {\n\tchain a {\n\t\ttype nat hook prerouting priority dstnat; "
		     "policy accept;\n\t\ttcp dport 80 dnat to 10.0.0.1:8080\n\t}\n}\n");
	strbuf_deinit(&b);
	lang_print_table(t, LANG_HANDLES, &b);
	ck_assert_ptr_nonnull(strstr(b.s, "\tchain b { # handle 4\n\t}\n}\n"));
	strbuf_deinit(&b);
}
END_TEST

/* The model keeps numbers the kernel works with, whatever words were written. */
START_TEST(words_become_numbers)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	const struct rule *r;

	apply(rs,
	      "add rule inet filter input ct state { new, related } tcp dport ssh meta mark and "
	      "0xf0 0x10 "
	      "reject with icmpx admin-prohibited",
	      NULL);
	r = ruleset_table(rs, FAMILY_INET, "filter")->chains[0]->rules[0];
	ck_assert_uint_eq(r->n_matches, 3);
	ck_assert_uint_eq(r->matches[0].n, 1);
	ck_assert_uint_eq(r->matches[0].elems[0].num_lo, 1U << GW_CT_NEW | 1U << GW_CT_RELATED);
	ck_assert_uint_eq(r->matches[1].elems[0].num_lo, 22);
	ck_assert_uint_eq(r->matches[2].mask, 0xf0);
	ck_assert_uint_eq(r->matches[2].elems[0].num_hi, 0x10);
	ck_assert_uint_eq(r->action.reject, GW_REJECT_ADMIN);
	ck_assert(r->action.reject_explicit);
}
END_TEST

/* The iptables dialect may leave names and texts that nobody could type here. */
START_TEST(odd_names_survive_the_internal_form)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new(), *back = ruleset_new();
	struct strbuf b = { 0 }, again = { 0 };
	struct table *t;
	struct chain *c;
	struct rule *r = rule_new();
	struct diag d = { 0 };

	ck_assert_int_eq(ruleset_add_table(rs, FAMILY_IP, "filter", &t), 0);
	ck_assert_int_eq(table_add_chain(rs, t, "f2b-ssh+\"x\\", &c), 0);
	r->xtspec = strdup("-m comment --comment \"a \\\"b\\\" \\\\\" -j ACCEPT");
	r->comment = strdup("tab\there");
	ck_assert_int_eq(chain_insert_rule(rs, c, 0, r), 0);
	lang_print(rs, LANG_INTERNAL, &b);
	ck_assert_msg(lang_apply(back, "", b.s, b.len, NULL, &d) == 0, "%s in\n%s", d.text, b.s);
	c = ruleset_table(back, FAMILY_IP, "filter")->chains[0];
	ck_assert_str_eq(c->name, "f2b-ssh+\"x\\");
	ck_assert_str_eq(c->rules[0]->xtspec, r->xtspec);
	ck_assert_str_eq(c->rules[0]->comment, "tab?here");
	lang_print(back, LANG_INTERNAL, &again);
	ck_assert_str_eq(again.s, b.s);
	strbuf_deinit(&b);
	strbuf_deinit(&again);
}
END_TEST

START_TEST(crlf_files_are_read)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();

	apply(rs, "table inet t {\r\n\tchain c {\r\n\t\taccept\r\n\t}\r\n}\r\n", NULL);
	ck_assert_uint_eq(ruleset_table(rs, FAMILY_INET, "t")->chains[0]->n_rules, 1);
}
END_TEST

static const struct {
	const char *text;
	bool first;
} flush_cases[] = {
	{ "flush ruleset", true },
	{ "#!/usr/sbin/nft -f\n\n# all of it\nflush ruleset\ntable inet t {}\n", true },
	{ " ; flush\truleset;add table inet t", true },
	{ "flush \\\nruleset\n", true },
	{ "flush ruleset ip\n", false },
	{ "flush table inet t\n", false },
	{ "flush\nruleset\n", false },
	{ "\"flush\" ruleset\n", false },
	{ "define x = 1\nflush ruleset\n", false },
	{ "table inet t {}\nflush ruleset\n", false },
	{ "flush", false },
	{ "", false },
};

START_TEST(it_is_seen_whether_a_text_begins_anew)
{
	const typeof(flush_cases[0]) *c = &flush_cases[_i];

	ck_assert_int_eq(lang_flushes_first(c->text, strlen(c->text)), c->first);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lang api");
	TCase *tc = tcase_create("api");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, changes_are_counted);
	tcase_add_test(tc, handles_are_not_reused_after_a_flush);
	tcase_add_test(tc, changes_are_untouched_by_a_mistake);
	tcase_add_test(tc, a_mistake_far_right_has_no_source_line);
	tcase_add_test(tc, parts_are_printed_alone);
	tcase_add_test(tc, words_become_numbers);
	tcase_add_test(tc, odd_names_survive_the_internal_form);
	tcase_add_test(tc, crlf_files_are_read);
	tcase_add_loop_test(tc, it_is_seen_whether_a_text_begins_anew, 0,
			    (int)ARRAY_SIZE(flush_cases));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
