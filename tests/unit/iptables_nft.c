/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules of the dialect mean, as nft syntax says it; and that the text which gwctl sends to gwd loses nothing of them. */
#include "iptables_script.h"

#include <check.h>
#include <dirent.h>
#include <iptables/spec.h>
#include <lang/lang.h>

static void apply(struct ruleset *rs, const char *text)
{
	struct diag d = {};

	if (lang_apply(rs, "text", text, strlen(text), NULL, &d))
		ck_abort_msg("%u:%u: %s\n%s", d.line, d.col, d.text, text);
}

/* The command's outcome; its output is dropped. */
static int try(struct ruleset *rs, const char *line, struct diag *d)
{
	char copy[1024], *argv[SCRIPT_WORDS + 1] = {};
	struct strbuf out = {};
	int argc, r;

	snprintf(copy, sizeof(copy), "%s", line);
	argc = script_words(copy, argv);
	r = script_call(rs, argc, argv, "", &out, d);
	strbuf_deinit(&out);
	return r;
}

static void run(struct ruleset *rs, const char *line)
{
	struct diag d = {};

	if (try(rs, line, &d))
		ck_abort_msg("%s: %s", line, d.text);
}

/* A named set as a user would make it; type2 FIELD_TYPE_MAX: one field. */
static void make_set(struct ruleset *rs, const char *name, enum field_type type1,
		     enum field_type type2)
{
	struct table *t = ruleset_table(rs, FAMILY_IP, "filter");
	struct set *s = set_new();

	ck_assert(t && s);
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->n_fields = type2 == FIELD_TYPE_MAX ? 1 : 2;
	s->types[0] = type1;
	s->types[1] = s->n_fields == 2 ? type2 : (enum field_type)0;
	ck_assert_int_eq(table_add_set(rs, t, s), 0);
}

/* The rule that was made last. */
static const struct rule *newest_rule(const struct ruleset *rs)
{
	const struct rule *newest = NULL;

	for (size_t i = 0; i < rs->n_tables; i++)
		for (size_t k = 0; k < rs->tables[i]->n_chains; k++) {
			const struct chain *c = rs->tables[i]->chains[k];

			for (size_t n = 0; n < c->n_rules; n++)
				if (!newest || c->rules[n]->handle > newest->handle)
					newest = c->rules[n];
		}
	return newest;
}

static const struct {
	const char *command, *want;
} rows[] = {
	{ "iptables -A INPUT -p tcp ! --tcp-flags SYN,ACK SYN --dport 22 -j DROP",
	  "tcp dport 22 tcp flags != syn / syn,ack counter packets 0 bytes 0 drop" },
	{ "iptables -A INPUT -p tcp --tcp-flags ALL NONE",
	  "tcp flags ! fin,syn,rst,psh,ack,urg counter packets 0 bytes 0" },
	{ "iptables -A INPUT -p tcp -m multiport --ports 80,443:445 -j ACCEPT",
	  "tcp sport . tcp dport { 0-79 . 80, 0-79 . 443-445, 80 . 0-65535, 81-442 . 80, 81-442 . "
	  "443-445, 443-445 . 0-65535, 446-65535 . 80, 446-65535 . 443-445 } counter packets 0 "
	  "bytes 0 accept" },
	{ "iptables -A INPUT -p tcp -m multiport --ports 0:9,65535",
	  "tcp sport . tcp dport { 0-9 . 0-65535, 10-65534 . 0-9, 10-65534 . 65535, 65535 . "
	  "0-65535 } counter packets 0 bytes 0" },
	{ "iptables -A INPUT -p sctp -m multiport ! --ports 80,443:445 -j ACCEPT",
	  "sctp sport != { 80, 443-445 } sctp dport != { 80, 443-445 } counter packets 0 bytes 0 "
	  "accept" },
	{ "iptables -A INPUT -p tcp -m multiport --dports 80,80:90,85:100",
	  "tcp dport 80-100 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -p icmp --icmp-type 200/7",
	  "icmp type 200 icmp code 7 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -p icmp ! --icmp-type 200/7",
	  "icmp type . icmp code != { 200 . 7 } counter packets 0 bytes 0" },
	{ "iptables -A INPUT -p udp ! -f -s 1.1.1.1",
	  "ip saddr 1.1.1.1 ip frag-off & 8191 == 0 meta l4proto udp counter packets 0 bytes 0" },
	{ "iptables -A INPUT -f", "ip frag-off & 8191 != 0 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m conntrack --ctstate SNAT,DNAT",
	  "ct status snat,dnat counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m conntrack ! --ctstate INVALID,UNTRACKED,DNAT",
	  "ct state ! invalid,untracked ct status ! dnat counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m conntrack --ctproto tcp --ctorigsrc 10.0.0.0/8 ! --ctorigdst "
	  "1.2.3.4",
	  "ct protocol tcp ct original ip saddr 10.0.0.0/8 ct original ip daddr != 1.2.3.4 counter "
	  "packets 0 bytes 0" },
	{ "iptables -A INPUT -m conntrack --ctorigsrcport 1000:2000 ! --ctreplsrcport 80 "
	  "--ctstatus ASSURED,CONFIRMED --ctexpire 10:20 --ctdir REPLY",
	  "ct original proto-src 1000-2000 ct reply proto-src != 80 ct status assured,confirmed ct "
	  "expiration 10s-20s ct direction reply counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m conntrack ! --ctstatus NONE",
	  "ct state ! invalid,untracked counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m connlimit --connlimit-above 10 -j DROP",
	  "add @xt_connlimit_1 { ip saddr ct count over 10 } counter packets 0 bytes 0 drop" },
	{ "iptables -A INPUT -m connlimit --connlimit-upto 3 --connlimit-mask 0",
	  "ct count 3 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -p tcp -m limit --limit 1/s -m tcp --dport 22 -j LOG",
	  "meta l4proto tcp limit rate 1/second tcp dport 22 counter packets 0 "
	  "bytes 0 log" },
	{ "iptables -A INPUT -p tcp -m tcp --dport 22 -m limit --limit 1/s -j LOG",
	  "tcp dport 22 limit rate 1/second counter packets 0 bytes 0 log" },
	{ "iptables -A INPUT -p tcp -m hashlimit --hashlimit-above 10/sec --hashlimit-burst 20 "
	  "--hashlimit-mode srcip,dstport --hashlimit-name b",
	  "meta l4proto tcp update @xt_hashlimit_b { ip saddr . tcp dport limit rate over "
	  "10/second burst 20 packets } counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m recent --set",
	  "update @xt_recent_DEFAULT { ip saddr } counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m recent --name S --update --seconds 60 --rdest",
	  "ip daddr @xt_recent_S update @xt_recent_S { ip daddr } counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m recent --name S ! --rcheck",
	  "ip saddr != @xt_recent_S counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m recent --name S --remove",
	  "ip saddr @xt_recent_S delete @xt_recent_S { ip saddr } counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m statistic --mode random --probability 0.25",
	  "numgen random mod 2147483648 < 536870912 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m statistic --mode nth --every 3 --packet 0",
	  "numgen inc mod 3 0 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m statistic --mode nth ! --every 3 --packet 2",
	  "numgen inc mod 3 != 2 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m iprange --src-range 1.1.1.1-1.1.1.9 ! --dst-range 2.2.2.2-2.2.2.3",
	  "ip saddr 1.1.1.1-1.1.1.9 ip daddr != 2.2.2.2-2.2.2.3 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m mac ! --mac-source 00:11:22:aa:BB:cc",
	  "ether saddr != 00:11:22:aa:bb:cc counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m addrtype --src-type LOCAL,UNICAST ! --dst-type BROADCAST",
	  "fib saddr type { unicast, local } fib daddr type != broadcast counter packets 0 bytes "
	  "0" },
	{ "iptables -A INPUT -m addrtype --dst-type LOCAL --limit-iface-in",
	  "fib daddr . iif type local counter packets 0 bytes 0" },
	{ "iptables -A FORWARD -m addrtype --src-type LOCAL ! --dst-type LOCAL --limit-iface-out",
	  "fib saddr . oif type local fib daddr . oif type != local counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m length ! --length 100:200",
	  "meta length != 100-200 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m ttl --ttl-gt 64", "ip ttl > 64 counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m dscp ! --dscp-class EF",
	  "ip dscp != ef counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m pkttype --pkt-type bcast",
	  "meta pkttype broadcast counter packets 0 bytes 0" },
	{ "iptables -A INPUT -m set ! --match-set hosts dst",
	  "ip daddr != @hosts counter packets 0 bytes 0" },
	{ "iptables -A INPUT -p udp -m set --match-set pairs src,dst",
	  "ip saddr . udp dport @pairs meta l4proto udp counter packets 0 bytes 0" },
	{ "iptables -A INPUT -j LOG --log-prefix \"a b: \" --log-level 7 --log-uid",
	  "counter packets 0 bytes 0 log prefix \"a b: \" level debug flags skuid" },
	{ "iptables -A INPUT -j NFLOG --nflog-group 5 --nflog-size 100",
	  "counter packets 0 bytes 0 log group 5 snaplen 100" },
	{ "iptables -A INPUT -j RETURN", "counter packets 0 bytes 0 return" },
	{ "iptables -A INPUT -p tcp -g users",
	  "meta l4proto tcp counter packets 0 bytes 0 goto users" },
	{ "iptables -A INPUT -j users", "counter packets 0 bytes 0 jump users" },
	{ "iptables -t mangle -A FORWARD -j MARK --set-mark 1",
	  "counter packets 0 bytes 0 meta mark set 0x00000001" },
	{ "iptables -t mangle -A FORWARD -j MARK --and-mark 0xff",
	  "counter packets 0 bytes 0 meta mark set meta mark & 0x000000ff" },
	{ "iptables -t mangle -A FORWARD -j MARK --xor-mark 0xff",
	  "counter packets 0 bytes 0 meta mark set meta mark ^ 0x000000ff" },
	{ "iptables -t mangle -A FORWARD -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xffffffff",
	  "counter packets 0 bytes 0 ct mark set meta mark & 0x000000ff" },
	{ "iptables -t mangle -A FORWARD -j CONNMARK --save-mark --mask 0xff",
	  "counter packets 0 bytes 0 ct mark set ct mark & 0xffffff00 | meta mark & 0x000000ff" },
	{ "iptables -t mangle -A FORWARD -j CONNMARK --save-mark --nfmask 0xff00 --ctmask 0xff",
	  "counter packets 0 bytes 0 ct mark set ct mark & 0xffffff00 ^ meta mark & 0x0000ff00" },
	{ "iptables -t mangle -A FORWARD -j CONNMARK --save-mark --nfmask 0 --ctmask 0xff",
	  "counter packets 0 bytes 0 ct mark set ct mark & 0xffffff00" },
	{ "iptables -t mangle -A FORWARD -j CONNMARK --restore-mark --mask 0xff0000",
	  "counter packets 0 bytes 0 meta mark set meta mark & 0xff00ffff | ct mark & 0x00ff0000" },
	{ "iptables -t mangle -A FORWARD -j CONNMARK --restore-mark",
	  "counter packets 0 bytes 0 meta mark set ct mark" },
	{ "iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu",
	  "tcp flags syn / fin,syn,rst,ack counter packets 0 bytes 0 tcp option maxseg size set rt "
	  "mtu" },
	{ "iptables -t mangle -A FORWARD -p tcp --syn -j TCPMSS --set-mss 1400",
	  "tcp flags syn / fin,syn,rst,ack counter packets 0 bytes 0 tcp option maxseg size set "
	  "1400 gw-at-most" },
	{ "iptables -t mangle -A FORWARD -j DSCP --set-dscp-class ef",
	  "counter packets 0 bytes 0 ip dscp set ef" },
	{ "iptables -t mangle -A FORWARD -j TTL --ttl-dec 2",
	  "counter packets 0 bytes 0 ip ttl gw-sub 2" },
	{ "iptables -t raw -A PREROUTING -j CT --zone 5 --notrack",
	  "counter packets 0 bytes 0 ct zone set 5 notrack" },
	{ "iptables -t nat -A PREROUTING -d 1.2.3.0/24 -j NETMAP --to 10.0.0.0/24",
	  "ip daddr 1.2.3.0/24 counter packets 0 bytes 0 dnat ip prefix to 10.0.0.0/24" },
	{ "iptables -t nat -A POSTROUTING -j NETMAP --to 10.0.0.0/24",
	  "counter packets 0 bytes 0 snat ip prefix to 10.0.0.0/24" },
	{ "iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited",
	  "counter packets 0 bytes 0 reject with icmp host-prohibited" },
	{ "ip6tables -A INPUT -p icmpv6 ! --icmpv6-type 1/4",
	  "icmpv6 type . icmpv6 code != { destination-unreachable . port-unreachable } counter "
	  "packets 0 bytes 0" },
	{ "ip6tables -A INPUT -m hl --hl-lt 64 -m conntrack --ctorigdst fd00::/8",
	  "ip6 hoplimit < 64 ct original ip6 daddr fd00::/8 counter packets 0 bytes 0" },
	{ "ip6tables -A INPUT -m hashlimit --hashlimit-upto 5/min --hashlimit-mode srcip,dstip "
	  "--hashlimit-name six",
	  "update @xt_hashlimit_six { ip6 saddr . ip6 daddr limit rate 5/minute } "
	  "counter packets 0 bytes 0" },
	{ "ip6tables -t mangle -A FORWARD -j HL --hl-inc 1",
	  "counter packets 0 bytes 0 ip6 hoplimit gw-add 1" },
	{ "ip6tables -A INPUT -j REJECT --reject-with policy-fail",
	  "counter packets 0 bytes 0 reject with icmpv6 policy-fail" },
};

START_TEST(a_rule_means_what_nft_would_say)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf text = {};

	run(rs, "iptables -N users");
	make_set(rs, "hosts", FIELD_ADDR4, FIELD_TYPE_MAX);
	make_set(rs, "pairs", FIELD_ADDR4, FIELD_PORT);
	run(rs, rows[_i].command);
	lang_print_rule(newest_rule(rs), 0, &text);
	ck_assert_str_eq(text.s, rows[_i].want);
	strbuf_deinit(&text);
}
END_TEST

static const struct set *own_set(const struct ruleset *rs, const char *name)
{
	const struct table *t = ruleset_table(rs, FAMILY_IP, "filter");

	return t ? table_set(t, name) : NULL;
}

START_TEST(sets_of_the_dialect_come_and_go_with_their_rules)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	const char *limit = "-m hashlimit --hashlimit-upto 5/min --hashlimit-htable-max 99 "
			    "--hashlimit-mode srcip --hashlimit-name a.b";
	const struct set *s;
	char line[256];

	snprintf(line, sizeof(line), "iptables -A INPUT %s -j ACCEPT", limit);
	run(rs, line);
	snprintf(line, sizeof(line), "iptables -A FORWARD %s", limit);
	run(rs, line);
	s = own_set(rs, "xt_hashlimit_a_b");
	ck_assert(s && s->n_fields == 1 && s->types[0] == FIELD_ADDR4);
	ck_assert_uint_eq(s->flags, SET_DYNAMIC | SET_TIMEOUT);
	ck_assert_uint_eq(s->timeout_ms, 60000);
	ck_assert_uint_eq(s->size, 99);
	ck_assert_uint_eq(ruleset_table(rs, FAMILY_IP, "filter")->n_sets, 1);
	run(rs, "iptables -D INPUT 1");
	ck_assert(own_set(rs, "xt_hashlimit_a_b"));
	run(rs, "iptables -F");
	ck_assert(!own_set(rs, "xt_hashlimit_a_b"));
}
END_TEST

START_TEST(names_of_other_sets_are_never_taken)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct diag d = {};

	run(rs, "iptables -N users");
	make_set(rs, "xt_recent_x", FIELD_ADDR4, FIELD_TYPE_MAX);
	run(rs, "iptables -A INPUT -m recent --set --name x");
	ck_assert(own_set(rs, "xt_recent_x_2"));
	run(rs, "iptables -A INPUT -m connlimit --connlimit-above 3");
	run(rs, "iptables -A INPUT -m connlimit --connlimit-above 4");
	ck_assert(own_set(rs, "xt_connlimit_1") && own_set(rs, "xt_connlimit_2"));
	ck_assert_int_ne(try(rs, "iptables -A INPUT -m set --match-set xt_recent_x_2 src", &d), 0);
	ck_assert_str_eq(d.text, "iptables: Set xt_recent_x_2 doesn't exist.");
	run(rs, "iptables -F");
	ck_assert(own_set(rs, "xt_recent_x") && !own_set(rs, "xt_recent_x_2"));
}
END_TEST

START_TEST(a_list_of_recent_addresses_forgets_when_its_rules_do)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();

	run(rs, "iptables -A INPUT -m recent --set --name x");
	ck_assert_uint_eq(own_set(rs, "xt_recent_x")->timeout_ms, 0);
	run(rs, "iptables -I INPUT -m recent --update --seconds 60 --name x -j DROP");
	ck_assert_uint_eq(own_set(rs, "xt_recent_x")->timeout_ms, 60000);
	ck_assert(own_set(rs, "xt_recent_x")->flags & SET_TIMEOUT);
}
END_TEST

START_TEST(sets_must_fit_what_is_asked_of_them)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct diag d = {};

	run(rs, "iptables -N users");
	make_set(rs, "pairs", FIELD_ADDR4, FIELD_PORT);
	make_set(rs, "six", FIELD_ADDR6, FIELD_TYPE_MAX);
	ck_assert_int_ne(try(rs, "iptables -A INPUT -m set --match-set pairs src", &d), 0);
	ck_assert_str_eq(d.text,
			 "iptables: set: elements of `pairs' have 2 fields, `src' and `dst' "
			 "name 1");
	ck_assert_int_ne(try(rs, "iptables -A INPUT -m set --match-set six src", &d), 0);
	ck_assert_str_eq(d.text, "iptables: set: elements of `six' are of a type that has no `src' "
				 "here");
}
END_TEST

/* In nft's words, with prefixes written as the ranges they are. */
static void print_ranges(const struct rule *r, struct strbuf *b)
{
	_cleanup_(rule_freep) struct rule *copy = rule_copy(r);

	ck_assert(copy);
	for (size_t i = 0; i < copy->n_matches; i++)
		for (size_t k = 0; k < copy->matches[i].n; k++)
			copy->matches[i].elems[k].plen = -1;
	lang_print_rule(copy, 0, b);
}

/* What the model holds without xtspec, in iptables' words, means the same again; how many rules have such words. */
static size_t check_words(const struct table *t, const struct chain *c)
{
	int version = t->family == FAMILY_IP6 ? 6 : 4;
	size_t said = 0;

	for (size_t i = 0; i < c->n_rules; i++) {
		struct xt_place place = { NULL, NULL, c };
		struct strbuf want = {}, have = {};
		struct rule *again = NULL;
		struct diag d = {};
		struct xt_rule x;

		if (!xt_from_rule(c->rules[i], version, &x))
			continue;
		if (xt_to_rule(&x, &place, &again, &d))
			ck_abort_msg("%s: %s", c->rules[i]->xtspec, d.text);
		print_ranges(c->rules[i], &want);
		print_ranges(again, &have);
		ck_assert_str_eq(have.s, want.s);
		rule_free(again);
		strbuf_deinit(&want);
		strbuf_deinit(&have);
		said++;
	}
	return said;
}

/* Every golden script: after each command the ruleset goes to gwd as text and back. */
static void there_and_back(const char *text, size_t *count, size_t *said)
{
	struct strbuf out = {};
	struct script s = { .rs = ruleset_new(), .out = &out };
	size_t len;

	while (*text) {
		const char *line = line_of(&text, &len);
		struct strbuf sent = {}, again = {};
		struct ruleset *rs = ruleset_new();
		char command[1024];

		snprintf(command, sizeof(command), "%.*s", len > 2 ? (int)len - 2 : 0, line + 2);
		if (!strncmp(line, "$ ", 2)) {
			script_command(&s, command, "");
			lang_print(s.rs, LANG_INTERNAL, &sent);
			apply(rs, sent.len ? sent.s : "");
			lang_print(rs, LANG_INTERNAL, &again);
			ck_assert_str_eq(again.len ? again.s : "", sent.len ? sent.s : "");
			++*count;
			for (size_t i = 0; i < rs->n_tables; i++)
				for (size_t k = 0; k < rs->tables[i]->n_chains; k++)
					*said += check_words(rs->tables[i],
							     rs->tables[i]->chains[k]);
		}
		ruleset_free(rs);
		strbuf_deinit(&sent);
		strbuf_deinit(&again);
	}
	ruleset_free(s.rs);
	strbuf_deinit(&out);
}

START_TEST(what_gwctl_sends_says_everything)
{
	struct dirent **names;
	size_t count = 0, said = 0;
	int n = scandir(GW_GOLDEN_DIR "/iptables", &names, NULL, alphasort);

	ck_assert_int_gt(n, 0);
	for (int i = 0; i < n; i++) {
		char path[512], *text = NULL;
		size_t len;

		snprintf(path, sizeof(path), "%s/iptables/%s", GW_GOLDEN_DIR, names[i]->d_name);
		if (strstr(names[i]->d_name, ".txt") && !file_read(path, 1U << 24, &text, &len))
			there_and_back(text, &count, &said);
		free(text);
		free(names[i]);
	}
	free(names);
	ck_assert_uint_gt(count, 900);
	ck_assert_uint_gt(said, 10000);
}
END_TEST

static const char dump[] = "# Generated by iptables-save v1.8.7 on Mon Jan  1 00:00:00 2024\n"
			   "*filter\n"
			   ":INPUT DROP [5:600]\n"
			   ":FORWARD ACCEPT [0:0]\n"
			   ":OUTPUT ACCEPT [0:0]\n"
			   ":jail - [0:0]\n"
			   ":TRACE - [0:0]\n"
			   "[7:420] -A INPUT -p tcp -m tcp --dport 22 -j jail\n"
			   "-A INPUT -m time --timestart 10:00:00 -j ACCEPT\r\n"
			   "-A jail -s 192.0.2.1/32 -j DROP\n"
			   "-A jail -j QUEUE\n"
			   "COMMIT\n"
			   "*broute\n"
			   ":BROUTING ACCEPT [0:0]\n"
			   "-A BROUTING -j DROP\n"
			   "COMMIT\n"
			   "# Generated by ip6tables-save v1.8.7 on Mon Jan  1 00:00:00 2024\n"
			   "*filter\n"
			   ":INPUT ACCEPT [0:0]\n"
			   "-A INPUT -s fe80::/10 -j ACCEPT\n"
			   "-A INPUT -m rt --rt-type 0 -j DROP\n";

START_TEST(a_foreign_dump_is_taken_over_line_by_line)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf report = {}, out = {};
	struct xt_import_result result;
	struct diag d = {};

	ck_assert_int_eq(
		xt_import("dump", dump, strlen(dump), rs, &report, 0, XT_IMPORT_COUNTERS, &result),
		0);
	ck_assert_str_eq(
		report.s,
		"dump:7: chain name may not clash with target name\n    :TRACE - [0:0]\n"
		"dump:9: match `time' is not supported\n"
		"    -A INPUT -m time --timestart 10:00:00 -j ACCEPT\n"
		"dump:11: target `QUEUE' is not supported\n    -A jail -j QUEUE\n"
		"dump:13: table name `broute' invalid\n    *broute\n"
		"dump:14: its table is not supported\n    :BROUTING ACCEPT [0:0]\n"
		"dump:15: its table is not supported\n    -A BROUTING -j DROP\n"
		"dump:21: match `rt' is not supported\n    -A INPUT -m rt --rt-type 0 -j DROP\n"
		"dump:22: COMMIT is missing: the dump may have been cut off\n    \n");
	ck_assert_uint_eq(result.rules, 7);
	ck_assert_uint_eq(result.lost_rules, 4);
	ck_assert_uint_eq(result.lost_lines, 8);
	ck_assert_int_eq(iptables_run(rs, 4, 2, (char *[]){ "-S", "-v" }, &out, &(bool){ 0 }, &d),
			 0);
	ck_assert_str_eq(out.s, "-P INPUT DROP -c 5 600\n-P FORWARD ACCEPT -c 0 0\n"
				"-P OUTPUT ACCEPT -c 0 0\n-N jail\n"
				"-A INPUT -p tcp -m tcp --dport 22 -c 7 420 -j jail\n"
				"-A jail -s 192.0.2.1/32 -c 0 0 -j DROP\n");
	strbuf_deinit(&out);
	ck_assert_int_eq(
		iptables_run(rs, 6, 2, (char *[]){ "-S", "INPUT" }, &out, &(bool){ 0 }, &d), 0);
	ck_assert_str_eq(out.s, "-P INPUT ACCEPT\n-A INPUT -s fe80::/10 -j ACCEPT\n");
	strbuf_deinit(&out);
	strbuf_deinit(&report);
}
END_TEST

/* Found by a fuzzer: the second dump's rules were put into the first one's table, of the other family. */
START_TEST(a_dump_that_was_cut_off_ends_where_the_next_begins)
{
	static const char two[] =
		"# Generated by iptables-save v1.8.7 on Mon Jan  1 00:00:00 2024\n"
		"*nat\n"
		"-A POSTROUTING -j MASQUERADE\n"
		"# Generated by ip6tables-save v1.8.7 on Mon Jan  1 00:00:00 2024\n"
		":FORWARD DROP [0:0]\n"
		"*filter\n"
		":FORWARD DROP [0:0]\n"
		"# a line that was made by iptables ends nothing\n"
		"-A FORWARD -j ACCEPT\n"
		"COMMIT\n";
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf report = {}, out = {};
	struct xt_import_result result;
	struct diag d = {};

	ck_assert_int_eq(xt_import("dump", two, strlen(two), rs, &report, 0, 0, &result), 0);
	ck_assert_str_eq(report.s,
			 "dump:4: COMMIT is missing: the dump may have been cut off\n"
			 "    # Generated by ip6tables-save v1.8.7 on Mon Jan  1 00:00:00 2024\n"
			 "dump:5: `*TABLE' expected\n    :FORWARD DROP [0:0]\n");
	ck_assert_uint_eq(result.lost_rules, 0);
	ck_assert_int_eq(
		iptables_run(rs, 6, 2, (char *[]){ "-S", "FORWARD" }, &out, &(bool){ 0 }, &d), 0);
	ck_assert_str_eq(out.s, "-P FORWARD DROP\n-A FORWARD -j ACCEPT\n");
	strbuf_deinit(&out);
	strbuf_deinit(&report);
}
END_TEST

/* With a command line as argument: print what the rule means. */
static int print_meaning(const char *line)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf text = {};
	struct diag d = {};

	if (try(rs, line, &d)) {
		puts(d.text);
		return EXIT_FAILURE;
	}
	lang_print(rs, 0, &text);
	fputs(text.len ? text.s : "", stdout);
	strbuf_deinit(&text);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	Suite *s = suite_create("iptables/nft");
	TCase *t = tcase_create("nft");
	SRunner *r;
	int failed;

	if (argc > 1)
		return print_meaning(argv[1]);
	tcase_add_loop_test(t, a_rule_means_what_nft_would_say, 0, ARRAY_SIZE(rows));
	tcase_add_test(t, sets_of_the_dialect_come_and_go_with_their_rules);
	tcase_add_test(t, names_of_other_sets_are_never_taken);
	tcase_add_test(t, a_list_of_recent_addresses_forgets_when_its_rules_do);
	tcase_add_test(t, sets_must_fit_what_is_asked_of_them);
	tcase_add_test(t, what_gwctl_sends_says_everything);
	tcase_add_test(t, a_foreign_dump_is_taken_over_line_by_line);
	tcase_add_test(t, a_dump_that_was_cut_off_ends_where_the_next_begins);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
