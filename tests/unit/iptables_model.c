/* SPDX-License-Identifier: GPL-2.0-only */
/* What command lines become in the model, what the model becomes as command lines, and what nonsense does: nothing. */
#include "iptables_script.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <iptables/spec.h>
#include <iptables/view.h>

static int call(struct ruleset *rs, const char *line, struct strbuf *out, bool *changed,
		struct diag *d)
{
	char copy[1024], *argv[SCRIPT_WORDS + 1] = {};
	int argc;

	snprintf(copy, sizeof(copy), "%s", line);
	argc = script_words(copy, argv);
	return iptables_run(rs, !strcmp(argv[0], "ip6tables") ? 6 : 4, argc - 1, argv + 1, out,
			    changed, d);
}

static void run(struct ruleset *rs, const char *line)
{
	struct strbuf out = {};
	struct diag d = {};
	bool changed = false;
	int r = call(rs, line, &out, &changed, &d);

	if (r)
		ck_abort_msg("%s: %s", line, d.text);
	strbuf_deinit(&out);
}

static void ck_output(struct ruleset *rs, const char *line, const char *want)
{
	struct strbuf out = {};
	struct diag d = {};
	bool changed = true;

	ck_assert_int_eq(call(rs, line, &out, &changed, &d), 0);
	ck_assert(!changed);
	ck_assert_str_eq(out.len ? out.s : "", want);
	strbuf_deinit(&out);
}

static struct rule *first_rule(struct ruleset *rs, enum family f, const char *table,
			       const char *chain)
{
	struct table *t = ruleset_table(rs, f, table);
	struct chain *c = t ? table_chain(t, chain) : NULL;

	ck_assert(c && c->n_rules);
	return c->rules[0];
}

START_TEST(a_forwarded_port_becomes_a_dnat_rule)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r;

	run(rs,
	    "iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to 10.0.0.5:80");
	r = first_rule(rs, FAMILY_IP, "nat", "PREROUTING");
	ck_assert_uint_eq(r->n_matches, 2);
	ck_assert_int_eq(r->matches[0].field, FIELD_ID_IIFNAME);
	ck_assert_str_eq(r->matches[0].elems[0].name, "eth0");
	ck_assert_int_eq(r->matches[1].field, FIELD_ID_TCP_DPORT);
	ck_assert_uint_eq(r->matches[1].elems[0].num_lo, 8080);
	ck_assert_int_eq(r->action.verdict, VERDICT_DNAT);
	ck_assert(r->action.has_addr && r->action.has_port && rule_has_stmt(r, STMT_COUNTER));
	ck_assert_int_eq(r->action.nat_family, 4);
	ck_assert_mem_eq(r->action.addr_lo, ((uint8_t[]){ 10, 0, 0, 5 }), 4);
	ck_assert_mem_eq(r->action.addr_hi, ((uint8_t[]){ 10, 0, 0, 5 }), 4);
	ck_assert_uint_eq(r->action.port_lo, 80);
	ck_assert_str_eq(r->xtspec,
			 "-i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80");
}
END_TEST

START_TEST(addresses_states_and_wildcards_become_matches)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r;

	run(rs,
	    "iptables -A FORWARD ! -s 10.1.2.3/16 -d 1.2.3.4 -i eth+ -m state --state NEW,RELATED "
	    "-m mark ! --mark 0x10/0xf0 -m comment --comment 'a b' -p udp -c 5 600 -j DROP");
	r = first_rule(rs, FAMILY_IP, "filter", "FORWARD");
	ck_assert_uint_eq(r->n_matches, 6);
	ck_assert_str_eq(r->matches[0].elems[0].name, "eth*");
	ck_assert(r->matches[1].negate);
	ck_assert_int_eq(r->matches[1].elems[0].plen, 16);
	ck_assert_mem_eq(r->matches[1].elems[0].addr_lo, ((uint8_t[]){ 10, 1, 0, 0 }), 4);
	ck_assert_mem_eq(r->matches[1].elems[0].addr_hi, ((uint8_t[]){ 10, 1, 255, 255 }), 4);
	ck_assert_int_eq(r->matches[2].elems[0].plen, -1);
	ck_assert_uint_eq(r->matches[3].elems[0].num_lo, 1U << GW_CT_NEW | 1U << GW_CT_RELATED);
	ck_assert(r->matches[4].negate);
	ck_assert_uint_eq(r->matches[4].mask, 0xf0);
	ck_assert_int_eq(r->matches[5].field, FIELD_ID_L4PROTO);
	ck_assert_str_eq(r->comment, "a b");
	ck_assert(r->counter_given);
	ck_assert_uint_eq(r->pkts, 5);
	ck_assert_uint_eq(r->bytes, 600);
}
END_TEST

START_TEST(several_ports_become_one_set)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r;

	run(rs, "ip6tables -A INPUT -p udp -m multiport ! --sports 53,1000:2000 -j ACCEPT");
	r = first_rule(rs, FAMILY_IP6, "filter", "INPUT");
	ck_assert_uint_eq(r->n_matches, 1);
	ck_assert_int_eq(r->matches[0].field, FIELD_ID_UDP_SPORT);
	ck_assert(r->matches[0].negate && r->matches[0].is_set);
	ck_assert_uint_eq(r->matches[0].n, 2);
	ck_assert_uint_eq(r->matches[0].elems[1].num_hi, 2000);
}
END_TEST

START_TEST(looking_changes_nothing)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();

	ck_output(rs, "iptables -S OUTPUT", "-P OUTPUT ACCEPT\n");
	ck_output(rs, "iptables -L OUTPUT",
		  "Chain OUTPUT (policy ACCEPT)\ntarget     prot opt source               "
		  "destination         \n");
	ck_assert_uint_eq(rs->n_tables, 0);
	run(rs, "iptables -A OUTPUT -j ACCEPT");
	ck_output(rs, "iptables -C OUTPUT -j ACCEPT", "");
}
END_TEST

/* A rule as nft syntax would make it: no xtspec. */
static struct rule *native_rule(struct ruleset *rs, enum verdict v)
{
	struct chain *c = ruleset_standard_chain(rs, FAMILY_IP, "filter", "FORWARD");
	struct rule *r = rule_new();

	ck_assert(c && r);
	r->action.verdict = v;
	ck_assert_int_eq(chain_insert_rule(rs, c, c->n_rules, r), 0);
	return r;
}

static struct elem *add(struct rule *r, enum field field, size_t n)
{
	struct match m = { .field = field, .n = n, .is_set = n > 1, .mask = UINT32_MAX };

	m.elems = calloc(n, sizeof(*m.elems));
	ck_assert(m.elems && !rule_add_match(r, &m));
	return r->matches[r->n_matches - 1].elems;
}

START_TEST(native_rules_are_printed_as_iptables_would)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = native_rule(rs, VERDICT_ACCEPT);
	struct elem *e;

	strcpy(add(r, FIELD_ID_IIFNAME, 1)->name, "lan*");
	e = add(r, FIELD_ID_TCP_DPORT, 2);
	e[0].num_lo = e[0].num_hi = 80;
	e[1].num_lo = 443, e[1].num_hi = 445;
	r = native_rule(rs, VERDICT_REJECT);
	e = add(r, FIELD_ID_IP_SADDR, 1);
	memcpy(e->addr_lo, (uint8_t[]){ 10, 0, 0, 0 }, 4);
	memcpy(e->addr_hi, (uint8_t[]){ 10, 0, 0, 255 }, 4);
	e = add(r, FIELD_ID_UDP_SPORT, 1);
	e->num_lo = e->num_hi = 53;
	e = add(r, FIELD_ID_UDP_DPORT, 1);
	e->num_lo = 1024, e->num_hi = 65535;
	add(r, FIELD_ID_CT_STATE, 1)->num_lo = 1U << GW_CT_NEW;
	r->comment = strdup("two words");
	ck_output(rs, "iptables -S FORWARD",
		  "-P FORWARD ACCEPT\n"
		  "-A FORWARD -i lan+ -p tcp -m multiport --dports 80,443:445 -j ACCEPT\n"
		  "-A FORWARD -s 10.0.0.0/24 -p udp -m udp --sport 53 --dport 1024:65535 -m "
		  "conntrack --ctstate NEW "
		  "-m comment --comment \"two words\" -j REJECT --reject-with "
		  "icmp-port-unreachable\n");
	run(rs, "iptables -D FORWARD -i lan+ -p tcp -m multiport --dports 80,443:445 -j ACCEPT");
	ck_output(rs, "iptables -L FORWARD 1 -n",
		  "REJECT     17   --  10.0.0.0/24          0.0.0.0/0            udp spt:53 "
		  "dpts:1024:65535 "
		  "ctstate NEW /* two words */ reject-with icmp-port-unreachable\n");
}
END_TEST

START_TEST(rules_without_an_iptables_form_are_named)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = native_rule(rs, VERDICT_ACCEPT);
	struct elem *e = add(r, FIELD_ID_IP_SADDR, 1);
	char want[128];

	memcpy(e->addr_lo, (uint8_t[]){ 10, 0, 0, 1 }, 4);
	memcpy(e->addr_hi, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	snprintf(want, sizeof(want),
		 "-P FORWARD ACCEPT\n# FORWARD: the rule with handle %llu has no iptables form, "
		 "see `gwctl rule list'\n",
		 (unsigned long long)r->handle);
	ck_output(rs, "iptables -S FORWARD", want);
}
END_TEST

static bool same_match(const struct match *a, const struct match *b)
{
	if (a->field != b->field || a->negate != b->negate || a->mask != b->mask || a->n != b->n)
		return false;
	/* the length of a prefix is spelling: the range is what it means */
	for (size_t i = 0; i < a->n; i++)
		if (memcmp(a->elems[i].addr_lo, b->elems[i].addr_lo, 16) ||
		    memcmp(a->elems[i].addr_hi, b->elems[i].addr_hi, 16))
			return false;
	return true;
}

static bool same_meaning(const struct rule *a, const struct rule *b)
{
	if (a->n_matches != b->n_matches || memcmp(&a->action, &b->action, sizeof(a->action)))
		return false;
	/* the order of matches is no matter of meaning */
	for (size_t i = 0; i < a->n_matches; i++) {
		bool found = false;

		for (size_t k = 0; k < b->n_matches; k++)
			found |= same_match(&a->matches[i], &b->matches[k]);
		if (!found)
			return false;
	}
	return true;
}

/* model -> iptables -> model again; how many rules iptables can say. */
static size_t check_there_and_back(const struct ruleset *rs)
{
	size_t said = 0;

	for (size_t i = 0; i < rs->n_tables; i++)
		for (size_t k = 0; k < rs->tables[i]->n_chains; k++)
			for (size_t n = 0; n < rs->tables[i]->chains[k]->n_rules; n++) {
				const struct rule *r = rs->tables[i]->chains[k]->rules[n];
				int version = rs->tables[i]->family == FAMILY_IP6 ? 6 : 4;
				_cleanup_(rule_freep) struct rule *again = NULL;
				struct diag d = {};
				struct xt_rule x;

				if (!xt_from_rule(r, version, &x))
					continue;
				ck_assert_int_eq(xt_to_rule(&x, NULL, &again, &d), 0);
				if (!same_meaning(r, again))
					ck_abort_msg("%s | %s", r->xtspec, again->xtspec);
				said++;
			}
	return said;
}

/* Every golden script, up to each reset and to its end. */
static void each_golden(void (*fn)(const char *text, void *arg), void *arg)
{
	struct dirent **names;
	int n = scandir(GW_GOLDEN_DIR "/iptables", &names, NULL, alphasort);

	ck_assert_int_gt(n, 0);
	for (int i = 0; i < n; i++) {
		char path[512], *text = NULL;
		size_t len;

		snprintf(path, sizeof(path), "%s/iptables/%s", GW_GOLDEN_DIR, names[i]->d_name);
		if (strstr(names[i]->d_name, ".txt") && !file_read(path, 1U << 24, &text, &len))
			fn(text, arg);
		free(text);
		free(names[i]);
	}
	free(names);
}

static void there_and_back(const char *text, void *arg)
{
	struct strbuf out = {};
	struct script s = { .rs = ruleset_new(), .out = &out };
	size_t len;

	while (*text) {
		const char *line = line_of(&text, &len);
		char command[1024];

		snprintf(command, sizeof(command), "%.*s", len > 2 ? (int)len - 2 : 0, line + 2);
		if (strncmp(line, "$ ", 2) || strstr(command, "restore"))
			continue;
		if (strstr(command, " -F") || strstr(command, "reset") || strstr(command, "-L"))
			*(size_t *)arg += check_there_and_back(s.rs);
		script_command(&s, command, "");
	}
	ruleset_free(s.rs);
	strbuf_deinit(&out);
}

START_TEST(what_the_model_holds_can_be_said_again)
{
	size_t said = 0;

	each_golden(there_and_back, &said);
	ck_assert_uint_gt(said, 200);
}
END_TEST

struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *d, uint32_t n)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (uint32_t)(d->state >> 11) % n;
}

/* Change, drop or double some characters. */
static void damage(struct dice *d, char *s, size_t size)
{
	static const char odd[] = " !-+,:/[]\"'\\=.0123456789azAZ*~\x01\xff";

	for (uint32_t n = 1 + roll(d, 4); n; n--) {
		size_t len = strlen(s), at = len ? roll(d, (uint32_t)len) : 0;

		switch (roll(d, 3)) {
		case 0:
			if (len)
				s[at] = odd[roll(d, sizeof(odd) - 1)];
			break;
		case 1:
			memmove(s + at, s + at + !!len, len - at + !len);
			break;
		default:
			if (len + 2 < size)
				memmove(s + at + 1, s + at, len - at + 1);
		}
	}
}

static void run_damaged(const char *text, void *arg)
{
	struct strbuf out = {};
	struct script s = { .rs = ruleset_new(), .out = &out };
	size_t len;

	while (*text) {
		const char *line = line_of(&text, &len);
		char command[1024];

		if (len < 3 || strncmp(line, "$ ip", 4))
			continue;
		for (int n = 0; n < 8; n++) {
			struct strbuf restore = {};

			/* the program's name stays whole */
			snprintf(command, sizeof(command), "%.*s", (int)len - 2, line + 2);
			damage(arg, command + strcspn(command, " "), sizeof(command) - 64);
			if (!strncmp(command, "ip6tables", 9) || !strncmp(command, "iptables", 8)) {
				strbuf_printf(&restore, "*filter\n%s\nCOMMIT\n",
					      command + strcspn(command, " "));
				script_command(&s, command, restore.s ? restore.s : "");
				script_command(&s, (char[]){ "iptables-restore" },
					       restore.s ? restore.s : "");
			}
			strbuf_deinit(&restore);
		}
	}
	ruleset_free(s.rs);
	strbuf_deinit(&out);
}

START_TEST(damaged_lines_are_refused_or_understood)
{
	struct dice d = { .state = 0x9e3779b97f4a7c15ULL * (uint64_t)(_i + 1) };

	each_golden(run_damaged, &d);
}
END_TEST

static const struct {
	const char *line;
	const char
		*want; /* the rule as -S prints it, "#N" a number, NULL: not for one chain alone */
} single_cases[] = {
	{ "iptables -A FORWARD -s 10.1.2.3 -j DROP", "-s 10.1.2.3/32 -j DROP" },
	{ "iptables -I INPUT -p tcp --dport 22 -j ACCEPT", "-p tcp -m tcp --dport 22 -j ACCEPT" },
	{ "iptables -I INPUT 1 -j ACCEPT", "-j ACCEPT" },
	{ "iptables -t nat -A POSTROUTING -o wan -j MASQUERADE", "-o wan -j MASQUERADE" },
	{ "iptables -A MINE -j RETURN", "-j RETURN" },
	{ "iptables -C FORWARD -s 10.1.2.3 -j DROP", "-s 10.1.2.3/32 -j DROP" },
	{ "iptables -D FORWARD -j DROP", "-j DROP" },
	{ "iptables -D FORWARD 7", "#7" },
	{ "ip6tables -D FORWARD -s 2001:db8::1 -j DROP", "-s 2001:db8::1/128 -j DROP" },
	{ "iptables -I INPUT 2 -j ACCEPT", NULL },
	{ "iptables -A INPUT -j MINE", NULL },
	{ "iptables -A INPUT -s 10.0.0.1,10.0.0.2 -j DROP", NULL },
	{ "iptables -D INPUT -d 10.0.0.1,10.0.0.2 -j DROP", NULL },
	{ "iptables -A INPUT -m recent --name r --set -j DROP", NULL },
	{ "iptables -A INPUT -m set --match-set s src -j DROP", NULL },
	{ "iptables -A INPUT -j MASQUERADE", NULL },
	{ "iptables -R INPUT 1 -j ACCEPT", NULL },
	{ "iptables -F INPUT", NULL },
	{ "iptables -S", NULL },
	{ "iptables -t other -A INPUT -j ACCEPT", NULL },
};

START_TEST(one_rule_is_understood_without_the_others)
{
	const typeof(single_cases[0]) *c = &single_cases[_i];
	char copy[256], number[16], *argv[SCRIPT_WORDS + 1] = {};
	struct iptables_single s = { 0 };
	struct strbuf out = {};
	int argc;
	bool is;

	snprintf(copy, sizeof(copy), "%s", c->line);
	argc = script_words(copy, argv);
	is = iptables_single(&s, !strcmp(argv[0], "ip6tables") ? 6 : 4, argc - 1, argv + 1, &out);
	ck_assert_int_eq(is, c->want != NULL);
	if (is) {
		snprintf(number, sizeof(number), "#%u", s.number);
		if (s.rule)
			ck_assert_str_eq(s.rule->xtspec, c->want);
		else
			ck_assert_str_eq(s.number ? number : s.text.s + 1, c->want);
		ck_assert_uint_eq(s.chain->n_rules, 0);
		ck_assert_int_eq(s.builtin, strcmp(s.chain->name, "MINE") != 0);
	}
	ck_assert_uint_eq(out.len, 0);
	iptables_single_deinit(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("iptables/model");
	TCase *t = tcase_create("model");
	SRunner *r;
	int failed;

	tcase_add_test(t, a_forwarded_port_becomes_a_dnat_rule);
	tcase_add_test(t, addresses_states_and_wildcards_become_matches);
	tcase_add_test(t, several_ports_become_one_set);
	tcase_add_test(t, looking_changes_nothing);
	tcase_add_test(t, native_rules_are_printed_as_iptables_would);
	tcase_add_test(t, rules_without_an_iptables_form_are_named);
	tcase_add_test(t, what_the_model_holds_can_be_said_again);
	tcase_add_loop_test(t, one_rule_is_understood_without_the_others, 0,
			    (int)ARRAY_SIZE(single_cases));
	tcase_add_loop_test(t, damaged_lines_are_refused_or_understood, 0, 4);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
