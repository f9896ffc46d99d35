/* SPDX-License-Identifier: GPL-2.0-only */
/* What a change of rules does to connections that older rules admitted. */
#include <stdio.h>
#include <string.h>
#include "stage.h"

#define ESTABLISHED_ACCEPT                                              \
	{                                                               \
		.hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_ACCEPT, \
		.ctstate = 1 << GW_CT_ESTABLISHED | 1 << GW_CT_RELATED  \
	}
#define POLICY(what)                                                         \
	{                                                                    \
		.hook = GW_HOOK_FILTER_FORWARD, .policy = 1, .verdict = what \
	}
#define ALLOW(port, ...)                                                                           \
	{                                                                                          \
		.hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_ACCEPT, .dport = port, __VA_ARGS__ \
	}

static struct frame ack, back;

/* A connection from the LAN to port 80 that today's rules admit. */
static void connected(const struct names *n)
{
	stage.conf.flags |= GW_CONF_RECHECK;
	stage_conf();
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT, ALLOW(80), POLICY(GW_V_DROP));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	ck_assert_int_ne(entry_of(&ack).table, NO_TABLE);
}

static bool lives(void)
{
	return entry_of(&ack).table != NO_TABLE;
}

START_TEST(what_is_no_longer_allowed_ends_at_its_next_packet)
{
	connected(&names[_i]);
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT, ALLOW(443), POLICY(GW_V_DROP));
	expect_drop(ack, LAN, GW_REASON_CT_REVOKED);
	ck_assert(!lives());
	ck_assert_uint_eq(stat(GW_STAT_REVOKED), 1);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(what_is_still_allowed_does_not_notice)
{
	connected(&names[_i]);
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT, ALLOW(80, .cid = 9), POLICY(GW_V_DROP));
	TAKES(ack, LAN, "");
	TAKES(back, WAN, "");
	ck_assert(lives());
	ck_assert_uint_eq(counter(9).pkts, 0); /* it is asked, not counted */
	ck_assert_uint_eq(stat(GW_STAT_REVOKED), 0);
}
END_TEST

START_TEST(answers_pass_until_the_original_direction_is_asked)
{
	connected(&names[_i]);
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT, POLICY(GW_V_DROP));
	TAKES(back, WAN, "");
	ck_assert(lives());
	expect_drop(ack, LAN, GW_REASON_CT_REVOKED);
}
END_TEST

START_TEST(a_rule_for_syns_is_asked_with_a_syn)
{
	connected(&names[_i]);
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT,
	      ALLOW(80, .proto = 6, .tcp_bits = S, .tcp_mask = S | A | F | R), POLICY(GW_V_DROP));
	TAKES(ack, LAN, "");
	ck_assert(lives());
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT,
	      { .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_DROP,
		.proto = 6,
		.tcp_bits = S,
		.tcp_mask = S | A | F | R });
	expect_drop(ack, LAN, GW_REASON_CT_REVOKED);
}
END_TEST

START_TEST(reject_answers_and_ends_it)
{
	connected(&names[_i]);
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT,
	      { .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_REJECT,
		.arg = GW_REJECT_TCP_RESET,
		.dport = 80 });
	in(&ack, LAN);
	ck_assert_uint_eq(reason(GW_REASON_REJECT), 1);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(a_limit_ends_no_connection)
{
	connected(&names[_i]);
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT,
	      { .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_DROP,
		.dport = 80,
		OPS(OP(.code = GW_OP_LIMIT), PAIR(1000000000, 1)) },
	      ALLOW(80), POLICY(GW_V_DROP));
	TAKES(ack, LAN, "");
	ck_assert(lives());
}
END_TEST

START_TEST(without_the_setting_it_lives_on)
{
	connected(&names[_i]);
	stage.conf.flags &= ~GW_CONF_RECHECK;
	stage_conf();
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT, POLICY(GW_V_DROP));
	TAKES(ack, LAN, "");
	ck_assert(lives());
}
END_TEST

START_TEST(it_is_asked_once_for_each_change)
{
	connected(&names[_i]);
	RULES(MASQUERADE(WAN), ESTABLISHED_ACCEPT, ALLOW(80), POLICY(GW_V_DROP));
	TAKES(ack, LAN, "");
	TAKES(ack, LAN, "");
	ck_assert(stage.fast);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, what_is_no_longer_allowed_ends_at_its_next_packet, 0, 2);
	tcase_add_loop_test(tc, what_is_still_allowed_does_not_notice, 0, 2);
	tcase_add_loop_test(tc, answers_pass_until_the_original_direction_is_asked, 0, 2);
	tcase_add_loop_test(tc, a_rule_for_syns_is_asked_with_a_syn, 0, 2);
	tcase_add_loop_test(tc, reject_answers_and_ends_it, 0, 2);
	tcase_add_loop_test(tc, a_limit_ends_no_connection, 0, 2);
	tcase_add_loop_test(tc, without_the_setting_it_lives_on, 0, 2);
	tcase_add_loop_test(tc, it_is_asked_once_for_each_change, 0, 2);
}

int main(void)
{
	return stage_main("recheck", add);
}
