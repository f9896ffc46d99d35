/* SPDX-License-Identifier: GPL-2.0-only */
/* conntrack's command line: refusals are compared to the byte with what conntrack 1.4.7 prints. */
#include <arpa/inet.h>
#include <check.h>
#include <show/ctargs.h>
#include <show/match.h>
#include <show/show.h>

#define WORDS_MAX 32

/* Splits at spaces; getopt reorders argv, so every parse gets its own. */
static int split(char *copy, const char *line, char *argv[WORDS_MAX])
{
	char *save = NULL;
	int argc = 0;

	strcpy(copy, line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		ck_assert_int_lt(argc, WORDS_MAX - 1);
		argv[argc++] = w;
	}
	argv[argc] = NULL;
	return argc;
}

static int parse(const char *words, struct ctargs *a, struct diag *d)
{
	char line[512], copy[512], *argv[WORDS_MAX];

	snprintf(line, sizeof(line), "conntrack %s", words);
	return ctargs_parse(split(copy, line, argv), argv, a, d);
}

static const struct {
	const char *words, *text;
} refusals[] = {
	{ "-L --foo", "unknown option `--foo'" },
	{ "-L -p foo", "`foo' unsupported protocol" },
	{ "-L -p 256", "`256' unsupported protocol" },
	{ "-L -p 6x", "`6x' unsupported protocol" },
	{ "-L -s bad", "Invalid IP address `bad'" },
	{ "-L -s 300.1.1.1", "Invalid IP address `300.1.1.1'" },
	{ "-L -s 10.0.0.0/33", "Invalid netmask" },
	{ "-L -s 10.0.0.0/255.255.255.0", "Invalid netmask" },
	{ "-L -s 1.2.3.4 -f ipv6", "mismatched address family" },
	{ "-L -f ipv4 -s fd00::1", "mismatched address family" },
	{ "-L -f foo", "`foo' unsupported protocol" },
	{ "-L --mask-src 255.0.0.0", "Can't use --mask-src without --src" },
	{ "-L --sport 5", "unknown option `--sport'" },
	{ "-L -p icmp --sport 1", "unknown option `--sport'" },
	{ "-L -p tcp --icmp-type 8", "unknown option `--icmp-type'" },
	{ "-L -p udp --state TIME_WAIT", "unknown option `--state'" },
	{ "-L -p icmpv6 --icmp-type 128", "unknown option `--icmp-type'" },
	{ "-L -p tcp --state FOO", "unknown TCP state `FOO'" },
	{ "-L -p tcp --state established", "unknown TCP state `established'" },
	{ "-X", "unknown option `-X'" },
	{ "-L -E", "Invalid commands combination" },
	{ "-L -L", "Invalid commands combination" },
	{ "-L --version", "Invalid commands combination" },
	{ "-o foo -L", "Bad parameter `foo'" },
	{ "-L -o id,,extended", "Bad parameter `,extended'" },
	{ "-L -u ASSURED,FOO", "Bad parameter `FOO'" },
	{ "-L -u unreplied2", "Bad parameter `unreplied2'" },
	{ "-E -e NEW,,X", "Bad parameter `,X'" },
	{ "-L -e NEW", "Illegal option `--event-mask' with this command" },
	{ "-E -u ASSURED", "Illegal option `--status' with this command" },
	{ "-D -j", "Illegal option `--any-nat' with this command" },
	{ "-C -p tcp", "Illegal option `--protonum' with this command" },
	{ "-C -f ipv4", "Illegal option `--family' with this command" },
	{ "-F -s 1.2.3.4", "Illegal option `--src' with this command" },
	{ "-S -w 1", "Illegal option `--zone' with this command" },
	{ "-p tcp", "Illegal option `--protonum' with this command" },
	{ "-L -s", "option `-s' requires an argument" },
	{ "-L --src", "option `--src' requires an argument" },
	{ "-L junk", "unknown type `junk'" },
	{ "-S junk", "unknown type `junk'" },
	{ "-L --st ESTABLISHED", "unknown option `--st'" },
	{ "-L --orig 5", "unknown option `--orig'" },
	{ "-L -p tcp --orig-port 5", "unknown option `--orig-port'" },
	{ "-G", "You need to supply the `--protonum' option for this command" },
	{ "-G -p tcp", "you have to specify `--src' and `--dst'" },
	{ "-G -p tcp -s 10.0.0.5 -d 1.1.1.1", "you have to specify `--sport' and `--dport'" },
	{ "-G -p tcp -s 10.0.0.5 -d 1.1.1.1 --sport 5",
	  "you have to specify `--sport' and `--dport'" },
	{ "-G -p icmp -s 10.0.0.5 -d 1.1.1.1",
	  "You need to supply the `--icmp-type' option for this command" },
	/* stricter than conntrack, which reads these as 0 */
	{ "-L -p tcp --sport abc", "Invalid port `abc'" },
	{ "-L -p tcp --dport 99999", "Invalid port `99999'" },
	{ "-L -m xx", "Invalid mark `xx'" },
	{ "-L -w xx", "Invalid zone `xx'" },
	{ "-L -p icmp --icmp-type x", "Invalid ICMP type `x'" },
	/* not there */
	{ "-L -z", "`--zero' is not supported by gatewarden" },
	{ "-L -l web", "`--label' is not supported by gatewarden" },
	{ "-U --label-add web", "`--label-add' is not supported by gatewarden" },
	{ "-R file", "`--load-file' is not supported by gatewarden" },
	{ "-U -p udp -u FIXED_TIMEOUT", "`FIXED_TIMEOUT' is not supported by gatewarden" },
	{ "-I -p sctp -s 10.0.0.5 -d 1.1.1.1 -t 5",
	  "creating sctp connections is not supported by gatewarden" },
	{ "-I", "You need to supply the `--protonum' option for this command" },
	{ "-A -p udp", "You need to supply the `--timeout' option for this command" },
	{ "-I -p udp -t 1", "you have to specify `--src' and `--dst'" },
	{ "-I -p udp -t 1 -r 10.0.0.5", "you have to specify `--reply-src' and `--reply-dst'" },
	{ "-I -p udp -t 1 -s 10.0.0.5 -d 1.1.1.1", "you have to specify `--sport' and `--dport'" },
	{ "-I -p tcp -t 1 -s 10.0.0.5 -d 1.1.1.1",
	  "You need to supply the `--state' option for this command" },
	{ "-I -p icmp -t 1 -s 10.0.0.5 -d 1.1.1.1 --icmp-type 8",
	  "You need to supply the `--icmp-code' option for this command" },
	{ "-I -p gre -t 1 -s 10.0.0.5 -d 1.1.1.1",
	  "you have to specify `--srckey' and `--dstkey'" },
	{ "-I -p udp -s 10.0.0.0/24 -t 1", "Illegal option `--mask-src' with this command" },
	{ "-I -p udp -o id", "Illegal option `--output' with this command" },
	{ "-I -i 5", "Illegal option `--id' with this command" },
	{ "-I -j", "Illegal option `--any-nat' with this command" },
	{ "-U -w 5", "Illegal option `--zone' with this command" },
	{ "-U --orig-zone 5", "Illegal option `--orig-zone' with this command" },
	{ "-U -e NEW", "Illegal option `--event-mask' with this command" },
	{ "-G -w 5", "Illegal option `--zone' with this command" },
	{ "-L -t 5", "Illegal option `--timeout' with this command" },
	{ "-L -r 10.0.0.0/24", "CIDR notation unavailable for `--reply-src'" },
	{ "-L -n 1.2.3.4:x", "Invalid port `x'" },
	{ "-L --resync", "Illegal option `--resync' with this command" },
	{ "-U -t x", "Invalid timeout `x'" },
};

START_TEST(refusals_are_conntracks)
{
	struct ctargs a;
	struct diag d;

	ck_assert_int_eq(parse(refusals[_i].words, &a, &d), CTARGS_E_USAGE);
	ck_assert_str_eq(d.text, refusals[_i].text);
}
END_TEST

/* What conntrack finds out when it is at work: no word about its help. */
static const char *const refused_late[] = {
	"-L -u UNSET",
	"-L -o id,save",
	"-I -p udp -t 1 -s 10.0.0.5 -d 1.1.1.1 --sport 1 --dport 2 -r 1.1.1.1 -q 10.0.0.5",
	"-I -p udp -t 1 -s 10.0.0.5 -d 1.1.1.1 --sport 1 --dport 2 -n 1.2.3.4 -q 10.0.0.5",
	"-I -p icmp -t 1 -s 10.0.0.5 -d 1.1.1.1 --icmp-type 3 --icmp-code 0",
};
START_TEST(some_refusals_come_late)
{
	struct ctargs a;
	struct diag d;

	ck_assert_int_eq(parse(refused_late[_i], &a, &d), CTARGS_E_REFUSED);
}
END_TEST

/* PROTO SRC:PORT > DST:PORT of both directions. */
static void put_flow(const struct gw_event *ev, char out[256])
{
	int at = snprintf(out, 256, "%u zone %u", ev->proto, ev->zone);

	for (int i = 0; i < 2; i++) {
		const struct gw_tuple6 *t = &ev->tuple[i];
		char src[64], dst[64];

		inet_ntop(ev->family == 6 ? AF_INET6 : AF_INET, t->saddr, src, sizeof(src));
		inet_ntop(ev->family == 6 ? AF_INET6 : AF_INET, t->daddr, dst, sizeof(dst));
		at += snprintf(out + at, 256 - at, ", %s %u > %s %u", src, ntohs(t->sport), dst,
			       ntohs(t->dport));
	}
}

static const struct {
	const char *words, *flow;
} created[] = {
	{ "-I -p udp -t 9 -s 10.0.0.5 -d 1.1.1.1 --sport 1 --dport 2",
	  "17 zone 0, 10.0.0.5 1 > 1.1.1.1 2, 1.1.1.1 2 > 10.0.0.5 1" },
	{ "-A -p udp -t 9 -r 1.1.1.1 -q 10.0.0.5 --reply-port-src 2 --reply-port-dst 1 -w 7",
	  "17 zone 7, 10.0.0.5 1 > 1.1.1.1 2, 1.1.1.1 2 > 10.0.0.5 1" },
	{ "-I -p tcp --state LISTEN -t 9 -s 10.0.0.5 -d 1.1.1.1 --sport 1 --dport 2 -n 9.9.9.9:77",
	  "6 zone 0, 10.0.0.5 1 > 1.1.1.1 2, 1.1.1.1 2 > 9.9.9.9 77" },
	{ "-I -p udp -t 9 -s 10.0.0.5 -d 1.1.1.1 --sport 1 --dport 2 -g 9.9.9.9 -n 8.8.8.8",
	  "17 zone 0, 10.0.0.5 1 > 1.1.1.1 2, 9.9.9.9 2 > 8.8.8.8 1" },
	{ "-I -p icmp -t 9 -s 10.0.0.5 -d 1.1.1.1 --icmp-type 8 --icmp-code 0 --icmp-id 3",
	  "1 zone 0, 10.0.0.5 3 > 1.1.1.1 0, 1.1.1.1 0 > 10.0.0.5 3" },
	{ "-I -p icmp -t 9 -s 10.0.0.5 -d 1.1.1.1 --icmp-type 13 --icmp-code 0",
	  "1 zone 0, 10.0.0.5 0 > 1.1.1.1 13, 1.1.1.1 13 > 10.0.0.5 0" },
	{ "-I -p 99 -t 9 -s fd00::1 -d fd00::2",
	  "99 zone 0, fd00::1 0 > fd00::2 0, fd00::2 0 > fd00::1 0" },
};
START_TEST(a_connection_is_made_of_words)
{
	char got[256];
	struct ctargs a;
	struct diag d = { 0 };

	ck_assert_msg(!parse(created[_i].words, &a, &d), "%s: %s", created[_i].words, d.text);
	put_flow(&a.flow, got);
	ck_assert_str_eq(got, created[_i].flow);
	ck_assert_uint_eq(a.change.timeout, 9);
}
END_TEST

START_TEST(an_update_sets_what_else_is_a_filter)
{
	_cleanup_(freep) char *json = NULL;
	struct ctargs a;
	struct diag d;

	ck_assert(!parse("-m 0x5/0xf -t 40 -u ASSURED -p tcp --state CLOSE -U --dport 80", &a, &d));
	ck_assert(a.change.has_mark && a.change.has_timeout && a.change.has_state);
	ck_assert_uint_eq(a.change.mark, 5);
	ck_assert_uint_eq(a.change.mark_mask, 15);
	ck_assert_uint_eq(a.change.timeout, 40);
	ck_assert_uint_eq(a.change.status, GW_FLOW_ASSURED);
	ck_assert_uint_eq(a.change.state, GW_TCP_CLOSE);
	json = flow_filter_to_json(&a.filter);
	ck_assert_str_eq(json, "{\"proto\":6,\"orig_dport\":80}");
}
END_TEST

static const struct {
	const char *words;
	enum ct_command command;
	unsigned int show;
	const char *filter;
} accepted[] = {
	{ "", CT_NONE, 0, "{}" },
	{ "-L", CT_LIST, 0, "{}" },
	{ "--dump conntrack", CT_LIST, 0, "{}" },
	{ "-E --proto tcp --orig-port-dst 443", CT_EVENT, 0, "{\"proto\":6,\"orig_dport\":443}" },
	{ "-E -p tcp --dport=443 -o timestamp", CT_EVENT, SHOW_TIMESTAMP,
	  "{\"proto\":6,\"orig_dport\":443}" },
	{ "-L -o extended,id", CT_LIST, SHOW_EXTENDED | SHOW_ID, "{}" },
	{ "-L -o ID -o ext", CT_LIST, SHOW_EXTENDED | SHOW_ID, "{}" },
	{ "-L -oid", CT_LIST, SHOW_ID, "{}" },
	{ "-L --out id", CT_LIST, SHOW_ID, "{}" },
	{ "-Lp tcp", CT_LIST, 0, "{\"proto\":6}" },
	{ "-L -p TCP --state ESTABLISHED", CT_LIST, 0, "{\"proto\":6,\"state\":3}" },
	{ "-L -p ipv6-icmp --icmpv6-type 128", CT_LIST, 0, "{\"proto\":58,\"icmp_type\":128}" },
	{ "-L -p tcp -p udp", CT_LIST, 0, "{\"proto\":17}" },
	{ "-L -s 10.0.0.5/24", CT_LIST, 0,
	  "{\"family\":4,\"orig_src\":{\"addr\":\"10.0.0.5\",\"mask\":\"255.255.255.0\"}}" },
	{ "-L --orig-dst fd00::/64", CT_LIST, 0,
	  "{\"family\":6,\"orig_dst\":{\"addr\":\"fd00::\",\"mask\":\"ffff:ffff:ffff:ffff::\"}}" },
	{ "-D -r 10.0.0.5 -q 10.0.0.6", CT_DELETE, 0,
	  "{\"family\":4,\"reply_src\":{\"addr\":\"10.0.0.5\",\"mask\":\"255.255.255.255\"},"
	  "\"reply_dst\":{\"addr\":\"10.0.0.6\",\"mask\":\"255.255.255.255\"}}" },
	{ "-L -s 10.0.0.5 --mask-src 255.0.0.0", CT_LIST, 0,
	  "{\"family\":4,\"orig_src\":{\"addr\":\"10.0.0.5\",\"mask\":\"255.0.0.0\"}}" },
	{ "-L --family=ipv6", CT_LIST, 0, "{\"family\":6}" },
	{ "-L -u ASSURED,UNREPLIED", CT_LIST, 0, "{\"status_set\":4,\"status_clear\":2}" },
	{ "-L -n", CT_LIST, 0, "{\"status_set\":8}" },
	{ "-L --src-nat 203.0.113.1", CT_LIST, 0,
	  "{\"family\":4,\"status_set\":8,"
	  "\"reply_dst\":{\"addr\":\"203.0.113.1\",\"mask\":\"255.255.255.255\"}}" },
	{ "-L --dst-nat=203.0.113.1", CT_LIST, 0,
	  "{\"family\":4,\"status_set\":16,"
	  "\"reply_src\":{\"addr\":\"203.0.113.1\",\"mask\":\"255.255.255.255\"}}" },
	{ "-L -j", CT_LIST, 0, "{\"nat\":24}" },
	{ "-L -j 203.0.113.1:80", CT_LIST, 0,
	  "{\"family\":4,\"nat\":24,\"nat_port\":80,\"nat_addr\":\"203.0.113.1\"}" },
	{ "-L -n 203.0.113.1:80", CT_LIST, 0,
	  "{\"family\":4,\"status_set\":8,\"reply_dport\":80,\"pat\":8,"
	  "\"reply_dst\":{\"addr\":\"203.0.113.1\",\"mask\":\"255.255.255.255\"}}" },
	{ "-L --orig-zone 3", CT_LIST, 0, "{\"none\":true}" },
	{ "-L -u OFFLOAD", CT_LIST, 0, "{\"none\":true}" },
	{ "-L -o rule", CT_LIST, SHOW_RULE, "{}" },
	{ "-E -o seq,id --resync", CT_EVENT, SHOW_SEQ | SHOW_ID, "{}" },
	{ "-L -m 0x10/0xff -w 3", CT_LIST, 0, "{\"zone\":3,\"mark\":16,\"mark_mask\":255}" },
	{ "-E -e NEW,DESTROY", CT_EVENT, 0, "{\"event_mask\":10}" },
	{ "-E -e update", CT_EVENT, 0, "{\"event_mask\":4}" },
	{ "-G -p icmp -s 10.0.0.5 -d 1.1.1.1 --icmp-type 8 --icmp-code 0 --icmp-id 85", CT_GET, 0,
	  "{\"family\":4,\"proto\":1,\"icmp_type\":8,\"icmp_code\":0,\"icmp_id\":85,"
	  "\"orig_src\":{\"addr\":\"10.0.0.5\",\"mask\":\"255.255.255.255\"},"
	  "\"orig_dst\":{\"addr\":\"1.1.1.1\",\"mask\":\"255.255.255.255\"}}" },
	{ "-F -f ipv4", CT_FLUSH, 0, "{\"family\":4}" },
	{ "-C", CT_COUNT, 0, "{}" },
	{ "-S", CT_STATS, 0, "{}" },
	{ "--versio", CT_VERSION, 0, "{}" },
};

START_TEST(accepted_becomes_a_filter)
{
	char *json;
	struct ctargs a;
	struct diag d = { 0 };
	int r = parse(accepted[_i].words, &a, &d);

	ck_assert_msg(r == 0, "%s: %s", accepted[_i].words, d.text);
	ck_assert_int_eq(a.command, accepted[_i].command);
	ck_assert_uint_eq(a.show, accepted[_i].show);
	json = flow_filter_to_json(&a.filter);
	ck_assert_str_eq(json, accepted[_i].filter);
	free(json);
}
END_TEST

START_TEST(tables_are_known)
{
	struct ctargs a;
	struct diag d;

	ck_assert_int_eq(parse("-L expect", &a, &d), 0);
	ck_assert_int_eq(a.table, CT_TABLE_EXPECT);
	ck_assert_int_eq(parse("-C dying", &a, &d), 0);
	ck_assert_int_eq(a.table, CT_TABLE_DYING);
}
END_TEST

static const struct {
	const char *words, *filter, *error;
} matches[] = {
	{ "", "{}", NULL },
	{ "tcp dport 443 assured", "{\"proto\":6,\"status_set\":4,\"orig_dport\":443}", NULL },
	{ "src 10.0.0.0/8 unreplied",
	  "{\"family\":4,\"status_clear\":2,\"orig_src\":"
	  "{\"addr\":\"10.0.0.0\",\"mask\":\"255.0.0.0\"}}",
	  NULL },
	{ "state established id 7", "{\"state\":3,\"id\":7}", NULL },
	{ "proto 47 ip6", "{\"family\":6,\"proto\":47}", NULL },
	{ "new destroy nat", "{\"nat\":24,\"event_mask\":10}", NULL },
	{ "mark 1/0xf zone 2", "{\"zone\":2,\"mark\":1,\"mark_mask\":15}", NULL },
	{ "rule 17 nat-rule 4", "{\"rule\":17,\"nat_rule\":4}", NULL },
	{ "iif lan0 oif eth0", "{\"iif\":\"lan0\",\"oif\":\"eth0\"}", NULL },
	{ "sport 1024-2047", "{\"orig_sport\":1024,\"orig_sport_hi\":2047}", NULL },
	{ "nat-addr fd00::1", "{\"nat_addr\":\"fd00::1\"}", NULL },
	{ "sport 20-10", NULL, "`20-10' is no valid sport" },
	{ "rule x", NULL, "`x' is no valid rule" },
	{ "iif abcdefghijklmnop", NULL, "`abcdefghijklmnop' is no valid iif" },
	{ "foo", NULL, "unknown match `foo'" },
	{ "6", NULL, "unknown match `6'" },
	{ "dport", NULL, "`dport' needs a value" },
	{ "dport http", NULL, "`http' is no valid dport" },
	{ "proto foo", NULL, "`foo' is no valid proto" },
	{ "state foo", NULL, "`foo' is no valid state" },
	{ "src x", NULL, "Invalid IP address `x'" },
};

START_TEST(native_words_become_a_filter)
{
	char copy[512], *argv[WORDS_MAX], *json;
	struct flow_filter f;
	struct diag d;
	int r = match_parse(split(copy, matches[_i].words, argv), argv, &f, &d);

	ck_assert_int_eq(r, matches[_i].error ? MATCH_E_USAGE : 0);
	if (r) {
		ck_assert_str_eq(d.text, matches[_i].error);
		return;
	}
	json = flow_filter_to_json(&f);
	ck_assert_str_eq(json, matches[_i].filter);
	free(json);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("show/ctargs");
	TCase *t = tcase_create("ctargs");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, refusals_are_conntracks, 0, ARRAY_SIZE(refusals));
	tcase_add_loop_test(t, accepted_becomes_a_filter, 0, ARRAY_SIZE(accepted));
	tcase_add_test(t, tables_are_known);
	tcase_add_loop_test(t, some_refusals_come_late, 0, ARRAY_SIZE(refused_late));
	tcase_add_loop_test(t, a_connection_is_made_of_words, 0, ARRAY_SIZE(created));
	tcase_add_test(t, an_update_sets_what_else_is_a_filter);
	tcase_add_loop_test(t, native_words_become_a_filter, 0, ARRAY_SIZE(matches));
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
