/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/model.h>

#include <check.h>
#include <gw/abi.h>
#include <netinet/in.h>

/* rule with one numeric match */
static struct rule *rule_with(enum field field, uint32_t lo, uint32_t hi)
{
	struct rule *r = rule_new();
	struct match m = { .field = field, .mask = ~0U, .elems = calloc(1, sizeof(struct elem)) };

	m.n = 1;
	m.elems[0] = (struct elem){ .num_lo = lo, .num_hi = hi, .plen = -1 };
	ck_assert_int_eq(rule_add_match(r, &m), 0);
	ck_assert_ptr_null(m.elems);
	return r;
}

START_TEST(handles_are_unique_and_never_reused)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct table *t, *again;
	struct chain *c;
	struct rule *r = rule_new();
	uint64_t last;

	ck_assert_int_eq(ruleset_add_table(rs, FAMILY_INET, "filter", &t), 0);
	ck_assert_int_eq(ruleset_add_table(rs, FAMILY_INET, "filter", &again), 0);
	ck_assert_ptr_eq(t, again);
	ck_assert_int_eq(table_add_chain(rs, t, "c", &c), 0);
	ck_assert_int_eq(table_add_chain(rs, t, "c", &c), -EEXIST);
	ck_assert_int_eq(chain_insert_rule(rs, c, 0, r), 0);
	ck_assert(t->handle != c->handle && c->handle != r->handle);
	last = r->handle;
	chain_delete_rule(c, 0);
	ck_assert_uint_eq(c->n_rules, 0);
	r = rule_new();
	ck_assert_int_eq(chain_insert_rule(rs, c, 1, r), -ERANGE);
	ck_assert_int_eq(chain_insert_rule(rs, c, 0, r), 0);
	ck_assert_uint_gt(r->handle, last);
	ruleset_delete_table(rs, t);
	ck_assert_ptr_null(ruleset_table(rs, FAMILY_INET, "filter"));
}
END_TEST

START_TEST(a_given_handle_pushes_the_next_one)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, "filter", "input");
	struct rule *r = rule_new();

	r->handle = 50;
	ck_assert_int_eq(chain_insert_rule(rs, c, 0, r), 0);
	ck_assert_uint_eq(rs->next_handle, 51);
	ck_assert_ptr_eq(chain_rule(c, 50, NULL), r);
	ck_assert_ptr_null(chain_rule(c, 51, NULL));
}
END_TEST

START_TEST(rules_keep_their_order)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, "filter", "input");
	size_t index = 0;

	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(chain_insert_rule(rs, c, (size_t)i / 2,
						   rule_with(FIELD_ID_META_MARK, (uint32_t)i, 1)),
				 0);
	ck_assert_uint_eq(c->n_rules, 20);
	ck_assert_uint_eq(c->rules[0]->matches[0].elems[0].num_lo, 1);
	ck_assert_uint_eq(c->rules[19]->matches[0].elems[0].num_lo, 0);
	ck_assert_ptr_nonnull(chain_rule(c, c->rules[7]->handle, &index));
	ck_assert_uint_eq(index, 7);
}
END_TEST

START_TEST(long_names_are_refused)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct table *t = NULL;
	char name[65];

	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	ck_assert_int_eq(ruleset_add_table(rs, FAMILY_IP, name, &t), -ENAMETOOLONG);
	ck_assert_ptr_null(t);
	name[63] = '\0';
	ck_assert_int_eq(ruleset_add_table(rs, FAMILY_IP, name, &t), 0);
	name[63] = 'a';
	ck_assert_int_eq(table_add_chain(rs, t, name, NULL), -ENAMETOOLONG);
}
END_TEST

START_TEST(a_copy_shares_nothing)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new(), *copy = NULL;
	struct chain *c = ruleset_standard_chain(rs, FAMILY_IP, "nat", "POSTROUTING"), *cc;
	struct rule *r = rule_with(FIELD_ID_TCP_DPORT, 80, 80);

	r->comment = strdup("web");
	r->xtspec = strdup("-p tcp");
	r->cid = 9;
	c->policy_drop = true;
	ck_assert_int_eq(chain_insert_rule(rs, c, 0, r), 0);
	rs->next_handle = 1000;
	copy = ruleset_copy(rs);
	ck_assert_uint_eq(copy->next_handle, 1000);
	cc = table_chain(ruleset_table(copy, FAMILY_IP, "nat"), "POSTROUTING");
	ck_assert_uint_eq(cc->handle, c->handle);
	ck_assert(cc->policy_drop);
	ck_assert_uint_eq(cc->rules[0]->handle, r->handle);
	ck_assert_uint_eq(cc->rules[0]->cid, 9);
	ck_assert_str_eq(cc->rules[0]->comment, "web");
	ck_assert_ptr_ne(cc->rules[0]->comment, r->comment);
	r->matches[0].elems[0].num_lo = 1;
	ck_assert_uint_eq(cc->rules[0]->matches[0].elems[0].num_lo, 80);
}
END_TEST

START_TEST(standard_chains_of_iptables_come_together_in_its_order)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_IP, "nat", "OUTPUT");
	struct table *t = ruleset_table(rs, FAMILY_IP, "nat");
	static const char *const order[] = { "PREROUTING", "INPUT", "OUTPUT", "POSTROUTING" };

	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(t->n_chains, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(t->chains[i]->name, order[i]);
	ck_assert_ptr_eq(ruleset_standard_chain(rs, FAMILY_IP, "nat", "OUTPUT"), c);
	ck_assert_uint_eq(t->n_chains, 4);
	ck_assert_ptr_null(ruleset_standard_chain(rs, FAMILY_IP, "nat", "output"));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(ruleset_standard_chain(rs, FAMILY_IP, "nat", "FORWARD"));
	ck_assert_ptr_null(ruleset_standard_chain(rs, FAMILY_INET, "bogus", "input"));
	ck_assert_ptr_null(ruleset_standard_chain(rs, FAMILY_INET, "filter", "prerouting"));
	ck_assert_ptr_nonnull(ruleset_standard_chain(rs, FAMILY_IP, "filter", "INPUT"));
	ck_assert_uint_eq(ruleset_table(rs, FAMILY_IP, "filter")->n_chains, 3);
}
END_TEST

/* Every standard chain sits in the slot of its own row. */
static const struct {
	const char *table, *chain;
} rows[] = {
#define GW_HOOK(id, table, chain, prio_name, prio) { table, chain },
#include <gw/hook.def>
#undef GW_HOOK
};

START_TEST(standard_chain_sits_in_its_slot)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, rows[_i].table, rows[_i].chain);

	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(chain_hook(c), _i);
	ck_assert(!c->policy_drop);
	ck_assert_uint_eq(ruleset_table(rs, FAMILY_INET, rows[_i].table)->n_chains, 1);
}
END_TEST

static const struct {
	enum chain_type type;
	int hook_nf, prio, slot;
} slot_cases[] = {
	{ CHAIN_FILTER, 0, -300, GW_HOOK_RAW_PREROUTING },
	{ CHAIN_FILTER, 0, -201, GW_HOOK_RAW_PREROUTING },
	{ CHAIN_FILTER, 0, -200, GW_HOOK_MANGLE_PREROUTING },
	{ CHAIN_FILTER, 0, -101, GW_HOOK_MANGLE_PREROUTING },
	{ CHAIN_FILTER, 0, -100, GW_HOOK_FILTER_PREROUTING }, /* sees packets after DNAT */
	{ CHAIN_FILTER, 0, 0, GW_HOOK_FILTER_PREROUTING },
	{ CHAIN_FILTER, 0, 1000, GW_HOOK_FILTER_PREROUTING },
	{ CHAIN_FILTER, 1, -1, GW_HOOK_MANGLE_INPUT },
	{ CHAIN_FILTER, 1, 0, GW_HOOK_FILTER_INPUT },
	{ CHAIN_FILTER, 1, 10, GW_HOOK_FILTER_INPUT },
	{ CHAIN_FILTER, 1, 50, GW_HOOK_SECURITY_INPUT },
	{ CHAIN_FILTER, 1, 101, GW_HOOK_SECURITY_INPUT },
	{ CHAIN_FILTER, 2, -150, GW_HOOK_MANGLE_FORWARD },
	{ CHAIN_FILTER, 2, -1, GW_HOOK_MANGLE_FORWARD },
	{ CHAIN_FILTER, 2, 49, GW_HOOK_FILTER_FORWARD },
	{ CHAIN_FILTER, 2, 1000, GW_HOOK_SECURITY_FORWARD },
	{ CHAIN_FILTER, 3, -300, GW_HOOK_RAW_OUTPUT },
	{ CHAIN_FILTER, 3, -101, GW_HOOK_MANGLE_OUTPUT },
	{ CHAIN_FILTER, 3, -100, GW_HOOK_FILTER_OUTPUT },
	{ CHAIN_FILTER, 3, 50, GW_HOOK_SECURITY_OUTPUT },
	{ CHAIN_FILTER, 4, 0, GW_HOOK_MANGLE_POSTROUTING },
	{ CHAIN_FILTER, 4, 100, -1 },
	{ CHAIN_ROUTE, 3, -150, GW_HOOK_MANGLE_OUTPUT },
	{ CHAIN_ROUTE, 1, -150, -1 },
	{ CHAIN_NAT, 0, 0, GW_HOOK_NAT_PREROUTING },
	{ CHAIN_NAT, 4, 100, GW_HOOK_NAT_POSTROUTING },
	{ CHAIN_NAT, 1, 100, GW_HOOK_NAT_INPUT },
	{ CHAIN_NAT, 2, 0, -1 },
	{ CHAIN_NAT, 0, -200, -1 },
};

START_TEST(slot_follows_type_hook_and_priority)
{
	struct chain c = { .base = true,
			   .type = slot_cases[_i].type,
			   .hook_nf = slot_cases[_i].hook_nf,
			   .prio = slot_cases[_i].prio };

	ck_assert_int_eq(chain_hook(&c), slot_cases[_i].slot);
	c.base = false;
	ck_assert_int_eq(chain_hook(&c), -1);
}
END_TEST

static const struct {
	enum family family;
	const char *table, *chain;
	enum field field;
	uint32_t value;
	struct action action;
	const char *text; /* NULL = fine */
} rule_cases[] = {
	{ FAMILY_INET,
	  "filter",
	  "input",
	  FIELD_ID_TCP_DPORT,
	  22,
	  { .verdict = VERDICT_ACCEPT },
	  NULL },
	{ FAMILY_INET,
	  "filter",
	  "input",
	  FIELD_ID_OIFNAME,
	  0,
	  { 0 },
	  "`oifname` never matches in an input chain" },
	{ FAMILY_INET,
	  "filter",
	  "output",
	  FIELD_ID_IIFNAME,
	  0,
	  { 0 },
	  "`iifname` never matches in an output chain" },
	{ FAMILY_INET, "nat", "postrouting", FIELD_ID_IIFNAME, 0, { 0 }, NULL },
	{ FAMILY_INET,
	  "raw",
	  "prerouting",
	  FIELD_ID_CT_STATE,
	  8,
	  { 0 },
	  "`ct state` is not known yet in a raw chain" },
	{ FAMILY_IP6,
	  "filter",
	  "INPUT",
	  FIELD_ID_IP_SADDR,
	  0,
	  { 0 },
	  "`ip saddr` can not match in a table of family ip6" },
	{ FAMILY_IP,
	  "filter",
	  "INPUT",
	  FIELD_ID_ICMP6_TYPE,
	  128,
	  { 0 },
	  "`icmpv6 type` can not match in a table of family ip" },
	{ FAMILY_INET,
	  "filter",
	  "input",
	  FIELD_ID_TCP_DPORT,
	  22,
	  { .verdict = VERDICT_REJECT, .reject = GW_REJECT_TCP_RESET },
	  NULL },
	{ FAMILY_INET,
	  "filter",
	  "input",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_REJECT, .reject = GW_REJECT_TCP_RESET },
	  "`reject with tcp reset` works for TCP only" },
	{ FAMILY_INET,
	  "nat",
	  "prerouting",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_REJECT },
	  "`reject` works in filter chains at hook input, forward or output" },
	{ FAMILY_INET,
	  "nat",
	  "postrouting",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_MASQUERADE, .has_port = true, .port_lo = 1, .port_hi = 9 },
	  NULL },
	{ FAMILY_INET,
	  "nat",
	  "postrouting",
	  FIELD_ID_CT_MARK,
	  22,
	  { .verdict = VERDICT_MASQUERADE, .has_port = true, .port_lo = 1, .port_hi = 9 },
	  "a port needs a match on a transport protocol before it" },
	{ FAMILY_INET,
	  "nat",
	  "postrouting",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_MASQUERADE, .has_port = true, .port_lo = 9, .port_hi = 1 },
	  "the port range ends before it begins" },
	{ FAMILY_INET,
	  "nat",
	  "prerouting",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_MASQUERADE },
	  "`masquerade` works at hook postrouting, this chain is at prerouting" },
	{ FAMILY_INET,
	  "filter",
	  "forward",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_REDIRECT },
	  "`redirect` belongs in a chain of type nat, this one is of type filter" },
	{ FAMILY_INET,
	  "nat",
	  "output",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_DNAT },
	  "`dnat` needs an address or a port" },
	{ FAMILY_INET,
	  "nat",
	  "input",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_SNAT, .has_addr = true, .nat_family = 4 },
	  NULL },
	{ FAMILY_IP,
	  "nat",
	  "INPUT",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_SNAT, .has_addr = true, .nat_family = 6 },
	  "an IPv6 address can not replace the addresses of IPv4 packets" },
	{ FAMILY_INET,
	  "nat",
	  "postrouting",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_MASQUERADE, .has_addr = true, .nat_family = 4 },
	  "`masquerade` takes no address" },
	{ FAMILY_INET,
	  "nat",
	  "postrouting",
	  FIELD_ID_UDP_DPORT,
	  22,
	  { .verdict = VERDICT_SNAT, .has_addr = true, .nat_family = 4, .addr_lo = { 9 } },
	  "the address range ends before it begins" },
};

START_TEST(notrack_works_in_raw_chains_only)
{
	static const struct {
		const char *table;
		bool good;
	} rows[] = { { "raw", true }, { "filter", false } };
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, rows[_i].table, "output");
	struct rule *r = rule_with(FIELD_ID_UDP_DPORT, 22, 22);
	struct diag d = { 0 };

	ck_assert_int_eq(rule_add_word(r, STMT_NOTRACK), 0);
	ck_assert_int_eq(chain_insert_rule(rs, c, 0, r), 0);
	ck_assert_int_eq(ruleset_validate(rs, &d), rows[_i].good);
	ck_assert_int_eq(!!strstr(d.text, "`notrack` comes too late in this chain"),
			 !rows[_i].good);
}
END_TEST

START_TEST(rule_is_usable_where_it_is)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, rule_cases[_i].family, rule_cases[_i].table,
						 rule_cases[_i].chain);
	struct table *t = ruleset_table(rs, rule_cases[_i].family, rule_cases[_i].table);
	struct rule *r =
		rule_with(rule_cases[_i].field, rule_cases[_i].value, rule_cases[_i].value);
	struct diag d = { 0 };

	r->action = rule_cases[_i].action;
	ck_assert_int_eq(chain_insert_rule(rs, c, 0, r), 0);
	ck_assert_msg(rule_validate(t, c, r, &d) == !rule_cases[_i].text, "%s", d.text);
	ck_assert_str_eq(d.text, rule_cases[_i].text ? rule_cases[_i].text : "");
	ck_assert_int_eq(ruleset_validate(rs, &d), !rule_cases[_i].text);
	if (rule_cases[_i].text)
		ck_assert_ptr_nonnull(strstr(d.text, rule_cases[_i].text));
}
END_TEST

START_TEST(matches_that_exclude_each_other_are_refused)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, "filter", "input");
	struct table *t = ruleset_table(rs, FAMILY_INET, "filter");
	_cleanup_(rule_freep) struct rule *r = rule_with(FIELD_ID_L4PROTO, 6, 17);
	struct match m = { .field = FIELD_ID_ICMP_TYPE,
			   .n = 1,
			   .elems = calloc(1, sizeof(*m.elems)) };
	struct diag d = { 0 };

	ck_assert(rule_validate(t, c, r, &d));
	ck_assert_int_eq(rule_add_match(r, &m), 0);
	ck_assert(!rule_validate(t, c, r, &d));
	r->matches[1].field = FIELD_ID_IP_SADDR;
	ck_assert(rule_validate(t, c, r, &d));
	r->matches[0].field = FIELD_ID_IP6_SADDR;
	ck_assert(!rule_validate(t, c, r, &d));
	ck_assert_str_eq(d.text,
			 "`ip saddr` contradicts an earlier match: the rule is for IPv6 already");
	r->matches[0].field = FIELD_ID_L4PROTO;
	r->matches[0].negate = true;
	r->matches[1].field = FIELD_ID_TCP_DPORT;
	ck_assert(!rule_validate(t, c, r, &d));
	r->matches[1].n = 0;
	ck_assert(!rule_validate(t, c, r, &d));
	ck_assert_str_eq(d.text, "`tcp dport` has no value");
}
END_TEST

START_TEST(chain_without_a_place_is_refused)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, "filter", "input");
	struct diag d = { 0 };

	ck_assert(ruleset_validate(rs, &d));
	c->prio = 200;
	c->hook_nf = 4;
	ck_assert(!ruleset_validate(rs, &d));
	ck_assert_str_eq(d.text,
			 "chain inet filter input: there is no place for type filter at hook "
			 "postrouting with priority 200");
}
END_TEST

START_TEST(families_see_their_packets)
{
	ck_assert(family_sees(FAMILY_INET, 4) && family_sees(FAMILY_INET, 6));
	ck_assert(family_sees(FAMILY_IP, 4) && !family_sees(FAMILY_IP, 6));
	ck_assert(!family_sees(FAMILY_IP6, 4) && family_sees(FAMILY_IP6, 6));
	ck_assert_str_eq(family_name(FAMILY_IP6), "ip6");
	ck_assert_str_eq(field_rows[FIELD_ID_IP_SADDR].keyword, "ip saddr");
	ck_assert_int_eq(field_rows[FIELD_ID_UDP_DPORT].implies, IPPROTO_UDP);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("model");
	TCase *tc = tcase_create("model");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, handles_are_unique_and_never_reused);
	tcase_add_test(tc, a_given_handle_pushes_the_next_one);
	tcase_add_test(tc, rules_keep_their_order);
	tcase_add_test(tc, long_names_are_refused);
	tcase_add_test(tc, a_copy_shares_nothing);
	tcase_add_test(tc, standard_chains_of_iptables_come_together_in_its_order);
	tcase_add_loop_test(tc, standard_chain_sits_in_its_slot, 0, GW_HOOK_FILTER_PREROUTING);
	tcase_add_loop_test(tc, slot_follows_type_hook_and_priority, 0,
			    (int)ARRAY_SIZE(slot_cases));
	tcase_add_loop_test(tc, rule_is_usable_where_it_is, 0, (int)ARRAY_SIZE(rule_cases));
	tcase_add_loop_test(tc, notrack_works_in_raw_chains_only, 0, 2);
	tcase_add_test(tc, matches_that_exclude_each_other_are_refused);
	tcase_add_test(tc, chain_without_a_place_is_refused);
	tcase_add_test(tc, families_see_their_packets);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
