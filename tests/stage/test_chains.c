/* SPDX-License-Identifier: GPL-2.0-only */
/* How a packet goes through the chains of a slot, and when its flow's next packets need not. */
#include <string.h>
#include "stage.h"

#define CT(state) (1 << GW_CT_##state)
#define FORWARD	  .hook = GW_HOOK_FILTER_FORWARD
#define FIRST	  1
#define SECOND	  2

static struct frame plain(int i)
{
	return udp(names[i].lan, 5000, names[i].far, 53);
}

static void expect_counts(const char *want)
{
	char got[16] = "";

	for (size_t i = 0; i < strlen(want); i++)
		got[i] = '0' + counter(i + 1).pkts;
	ck_assert_str_eq(got, want);
}

/* -------------------------------------------------------------------------------------------------- chains */

START_TEST(a_jump_comes_back_behind_itself)
{
	RULES({ FORWARD, .verdict = GW_V_JUMP, .arg = FIRST, .cid = 1 },
	      { FORWARD, .verdict = GW_V_DROP, .cid = 2 },
	      { .chain = FIRST, .verdict = GW_V_CONTINUE, .cid = 3 },
	      { .chain = FIRST, .verdict = GW_V_JUMP, .arg = SECOND, .cid = 4 },
	      { .chain = FIRST, .verdict = GW_V_CONTINUE, .cid = 5 },
	      { .chain = SECOND, .verdict = GW_V_RETURN, .proto = 17, .cid = 6 },
	      { .chain = SECOND, .verdict = GW_V_ACCEPT, .cid = 7 });
	expect_drop(plain(_i), LAN, GW_REASON_RULE);
	expect_counts("1111110");
}
END_TEST

START_TEST(a_goto_does_not_come_back)
{
	RULES({ FORWARD, .verdict = GW_V_JUMP, .arg = FIRST, .cid = 1 },
	      { FORWARD, .verdict = GW_V_DROP, .cid = 2 },
	      { .chain = FIRST, .verdict = GW_V_GOTO, .arg = SECOND, .cid = 3 },
	      { .chain = FIRST, .verdict = GW_V_ACCEPT, .cid = 4 },
	      { .chain = SECOND, .verdict = GW_V_CONTINUE, .cid = 5 });
	expect_drop(plain(_i), LAN, GW_REASON_RULE); /* back to where the jump was */
	expect_counts("11101");
	RULES({ FORWARD, .verdict = GW_V_GOTO, .arg = SECOND, .cid = 6 },
	      { FORWARD, .verdict = GW_V_ACCEPT, .cid = 7 },
	      { FORWARD, .policy = 1, .verdict = GW_V_DROP, .cid = 8 },
	      { .chain = SECOND, .verdict = GW_V_CONTINUE, .cid = 9 });
	expect_drop(plain(_i), LAN, GW_REASON_POLICY); /* from a base chain: its policy */
	ck_assert_uint_eq(counter(7).pkts, 0);
	ck_assert_uint_eq(counter(8).pkts, 1);
	ck_assert_uint_eq(counter(9).pkts, 1);
}
END_TEST

START_TEST(return_in_a_base_chain_is_its_policy)
{
	RULES({ FORWARD, .verdict = GW_V_RETURN, .cid = 1 },
	      { FORWARD, .verdict = GW_V_ACCEPT, .cid = 2 },
	      { FORWARD, .policy = 1, .verdict = GW_V_DROP, .cid = 3 });
	expect_drop(plain(_i), LAN, GW_REASON_POLICY);
	expect_counts("101");
}
END_TEST

START_TEST(accept_in_a_user_chain_ends_the_base_chain)
{
	RULES({ FORWARD, .verdict = GW_V_JUMP, .arg = FIRST, .cid = 1 },
	      { FORWARD, .verdict = GW_V_DROP, .cid = 2 },
	      { .chain = FIRST, .verdict = GW_V_ACCEPT, .cid = 3 },
	      { FORWARD, .base = 1, .verdict = GW_V_CONTINUE, .cid = 4 },
	      { FORWARD, .base = 1, .policy = 1, .verdict = GW_V_DROP, .cid = 5 });
	expect_drop(plain(_i), LAN, GW_REASON_POLICY);
	expect_counts("10111");
}
END_TEST

START_TEST(all_base_chains_of_a_slot_have_a_say)
{
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .cid = 1 },
	      { FORWARD, .base = 1, .policy = 1, .verdict = GW_V_ACCEPT, .cid = 2 },
	      { FORWARD, .base = 2, .verdict = GW_V_DROP, .proto = 17, .cid = 3 },
	      { FORWARD, .base = 2, .policy = 1, .verdict = GW_V_ACCEPT, .cid = 4 });
	expect_drop(plain(_i), LAN, GW_REASON_RULE);
	expect_counts("1110");
	expect_drop(tcp(names[_i].lan, 5000, names[_i].far, 53, S, 1, 0), LAN, GW_REASON_NONE);
	expect_counts("2211");
}
END_TEST

/* A chain of chains: each jumps to the next one. */
static void deep(struct rule *rows, int n)
{
	rows[0] = (struct rule){ FORWARD, .verdict = GW_V_JUMP, .arg = 1, .cid = 1 };
	for (int i = 1; i < n; i++)
		rows[i] = (struct rule){ .chain = i, .verdict = GW_V_JUMP, .arg = i + 1 };
	rows[n] = (struct rule){ .chain = n, .verdict = GW_V_CONTINUE, .cid = 2 };
	rows[n + 1] = (struct rule){ FORWARD, .verdict = GW_V_CONTINUE, .cid = 3 };
}

START_TEST(jumps_may_be_as_deep_as_nfts)
{
	struct rule rows[GW_JUMP_DEPTH + 3];

	deep(rows, GW_JUMP_DEPTH);
	rules_set(rows, GW_JUMP_DEPTH + 2);
	expect_drop(plain(_i), LAN, GW_REASON_NONE);
	expect_counts("111");
	deep(rows, GW_JUMP_DEPTH + 1); /* the compiler lets nobody do this */
	rules_set(rows, GW_JUMP_DEPTH + 3);
	expect_drop(plain(_i), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(counter(2).pkts, 1);
	ck_assert_uint_eq(stat(GW_STAT_OP_REFUSED), 1);
}
END_TEST

START_TEST(a_rule_whose_op_fails_gives_way_to_the_next)
{
	RULES({ FORWARD, .verdict = GW_V_DROP, .cid = 1,
		OPS(OP(.code = GW_OP_RANGE, .field = GW_F_LENGTH, .mask = ~0U, .lo = 1, .hi = 2)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 2 },
	      { FORWARD, .verdict = GW_V_JUMP, .arg = FIRST, .cid = 3,
		OPS(OP(.code = GW_OP_RANGE, .field = GW_F_LENGTH, .mask = ~0U, .lo = 30,
		       .hi = 90)) },
	      { .chain = FIRST, .verdict = GW_V_DROP, .cid = 4 });
	expect_drop(plain(_i), LAN, GW_REASON_RULE);
	expect_counts("0111");
}
END_TEST

START_TEST(a_nat_slot_ends_with_the_first_mapping)
{
	const struct names *n = &names[_i];

	RULES({ .hook = GW_HOOK_NAT_POSTROUTING, .verdict = GW_V_ACCEPT, .cid = 1 },
	      { .hook = GW_HOOK_NAT_POSTROUTING, .verdict = GW_V_CONTINUE, .base = 1, .cid = 2 },
	      { .hook = GW_HOOK_NAT_POSTROUTING,
		.verdict = GW_V_JUMP,
		.arg = FIRST,
		.base = 1,
		.cid = 3 },
	      { .chain = FIRST, .verdict = GW_V_NAT, .nat = GW_NAT_MASQUERADE, .cid = 4 },
	      { .hook = GW_HOOK_NAT_POSTROUTING, .verdict = GW_V_DROP, .base = 2, .cid = 5 });
	TAKES(plain(_i), LAN, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	expect_counts("11110");
}
END_TEST

START_TEST(filter_prerouting_sees_the_translated_destination)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->far, 6000, n->gw_wan, 8080);

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.dst = n->gw_wan,
		.nat = GW_NAT_DNAT,
		.to = n->dmz },
	      { .hook = GW_HOOK_MANGLE_PREROUTING,
		.verdict = GW_V_CONTINUE,
		.dst = n->gw_wan,
		.cid = 1 },
	      { .hook = GW_HOOK_FILTER_PREROUTING, .verdict = GW_V_DROP, .dst = n->dmz, .cid = 2 });
	expect_drop(f, WAN, GW_REASON_RULE);
	expect_counts("11");
	expect_drop(udp(n->far, 6000, n->gw_lan, 8080), WAN, GW_REASON_NONE);
}
END_TEST

START_TEST(prerouting_sees_broadcasts)
{
	RULES({ .hook = GW_HOOK_MANGLE_PREROUTING, .verdict = GW_V_CONTINUE, .cid = 1 },
	      { .hook = GW_HOOK_FILTER_PREROUTING, .verdict = GW_V_DROP, .proto = 17, .cid = 2 });
	expect_drop(udp(LAN4, 5000, "239.1.2.3", 53), LAN, GW_REASON_RULE);
	expect_counts("11");
}
END_TEST

/* ------------------------------------------------------------------------------------------- kept verdicts */

static bool fast_after(struct frame f, int n)
{
	for (int i = 0; i < n; i++)
		expect_in(f, LAN, REDIRECT, "");
	return stage.fast;
}

/* What may be kept: a flow's packets take the fast path behind such a rule in any slot. */
static const struct {
	const char *what;
	struct rule rule;
	bool fast;
} kept[] = {
	{ "addresses and ports", { .src = LAN4, .proto = 6, .dport = 80, .cid = 1 }, true },
	{ "a mark", { .mark = 5 }, false },
	{ "SYN", { .tcp_bits = S, .tcp_mask = S | F | R }, true },
	{ "a rule that the compiler calls varying", { .vary = 1 }, false },
	{ "a varying rule for other packets", { .vary = 1, .proto = 17 }, true },
	{ "a ct mark", { .ctmark = 5 }, true },
	{ "a field that varies",
	  { OPS(OP(.code = GW_OP_RANGE, .field = GW_F_LENGTH, .mask = ~0U, .hi = 9999)) },
	  false },
	{ "a field that does not",
	  { OPS(OP(.code = GW_OP_RANGE, .field = GW_F_CT_DIR, .mask = ~0U, .hi = 1)) },
	  true },
	{ "SYN asked by an op",
	  { OPS(OP(.code = GW_OP_RANGE, .field = GW_F_TCP_FLAGS, .mask = S, .lo = S, .hi = S)) },
	  true },
	{ "ACK asked by an op",
	  { OPS(OP(.code = GW_OP_RANGE, .field = GW_F_TCP_FLAGS, .mask = A, .lo = A, .hi = A)) },
	  false },
	{ "a counter", { OPS(OP(.code = GW_OP_COUNT, .lo = 1)) }, true },
	{ "a limit", { OPS(OP(.code = GW_OP_LIMIT, .len = 1), PAIR(1, 1)) }, false },
	{ "a log", { OPS(OP(.code = GW_OP_LOG)) }, false },
	{ "a mark set", { OPS(OP(.code = GW_OP_MARK)) }, false },
	{ "an MSS", { OPS(OP(.code = GW_OP_MSS, .lo = 1400)) }, true },
	{ "a TTL", { OPS(OP(.code = GW_OP_TTL, .lo = 64)) }, false },
};

static const uint8_t way[] = { GW_HOOK_RAW_PREROUTING,	  GW_HOOK_MANGLE_PREROUTING,
			       GW_HOOK_FILTER_PREROUTING, GW_HOOK_MANGLE_FORWARD,
			       GW_HOOK_FILTER_FORWARD,	  GW_HOOK_SECURITY_FORWARD,
			       GW_HOOK_MANGLE_POSTROUTING };

START_TEST(a_verdict_is_kept_if_nothing_varies)
{
	typeof(kept[0]) *c = &kept[_i];
	struct frame ack, back;
	struct rule rule = c->rule;

	for (size_t i = 0; i < sizeof(way); i++) {
		if (way[i] == GW_HOOK_RAW_PREROUTING && c->rule.ctmark)
			continue;
		rule.hook = way[i];
		rule.verdict = GW_V_CONTINUE;
		flush();
		rules_set(&rule, 1);
		handshake(LAN4, 40000, FAR4, 80, &ack, &back);
		ck_assert_msg(fast_after(ack, 3) == c->fast, "%s in slot %d", c->what, way[i]);
	}
}
END_TEST

START_TEST(all_slots_count_on_the_fast_path)
{
	const struct names *n = &names[_i];
	struct frame ack, back;

	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_CONTINUE, .cid = 1 },
	      { .hook = GW_HOOK_MANGLE_POSTROUTING, .verdict = GW_V_CONTINUE, .cid = 2 });
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	ck_assert(fast_after(ack, 10));
	ck_assert_uint_eq(counter(1).pkts, 13);
	ck_assert_uint_eq(counter(2).pkts, 13);
	ck_assert_uint_eq(counter(2).bytes, counter(1).bytes);
}
END_TEST

START_TEST(a_fin_leaves_no_verdict_for_plain_packets)
{
	struct frame ack, back, fin;

	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .tcp_bits = F, .tcp_mask = F, .cid = 1 },
	      { FORWARD, .verdict = GW_V_DROP, .iif = stage.ifindex[LAN], .ctmark = 7 },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 2 });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	ck_assert(fast_after(ack, 3));
	ck_assert_uint_eq(counter(1).pkts, 0);
	fin = ack;
	frame_l4(&fin)[13] = F | A;
	frame_seal(&fin);
	expect_in(fin, LAN, REDIRECT, "");
	ck_assert_uint_eq(counter(1).pkts, 1);
	ck_assert_uint_eq(entry_of(&fin).f.verdict & 15, GW_VERDICT_NONE);
	expect_in(fin, LAN, REDIRECT, "");
	ck_assert_uint_eq(counter(1).pkts, 2); /* nor is it judged by theirs */
}
END_TEST

START_TEST(a_packet_that_a_rule_drops_is_no_news)
{
	struct frame syn = tcp(LAN4, 40000, FAR4, 80, S, 1000, 0), back;
	struct gw_event e;

	RULES({ FORWARD, .verdict = GW_V_DROP, .iif = stage.ifindex[WAN] });
	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	ck_assert_uint_eq(events(&e, 1), 1);
	back = frame_back(&syn);
	frame_l4(&back)[13] = S | A;
	put32(frame_l4(&back) + 8, 1001);
	frame_seal(&back);
	expect_drop(back, WAN, GW_REASON_RULE);
	expect_no_event();
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- swap */

START_TEST(each_packet_is_judged_by_one_generation)
{
	struct frame ack, back;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	for (int i = 0; i < 40; i++) {
		if (i & 1)
			RULES({ FORWARD, .verdict = GW_V_DROP, .iif = stage.ifindex[LAN] },
			      { FORWARD, .policy = 1, .verdict = GW_V_ACCEPT });
		else
			RULES({ FORWARD, .verdict = GW_V_ACCEPT },
			      { FORWARD, .policy = 1, .verdict = GW_V_DROP });
		for (int j = 0; j < 3; j++) {
			expect_drop(ack, LAN, i & 1 ? GW_REASON_RULE : GW_REASON_NONE);
			expect_drop(back, WAN, GW_REASON_NONE);
		}
	}
}
END_TEST

START_TEST(a_half_without_a_ruleset_says_nothing)
{
	/* as before the first ruleset: conf names the hooks of what is about to be published */
	stage.conf.hooks4 = stage.conf.hooks6 = ~0U;
	stage_conf();
	expect_drop(plain(_i), LAN, GW_REASON_NONE);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_jump_comes_back_behind_itself, 0, 2);
	tcase_add_loop_test(tc, a_goto_does_not_come_back, 0, 2);
	tcase_add_loop_test(tc, return_in_a_base_chain_is_its_policy, 0, 2);
	tcase_add_loop_test(tc, accept_in_a_user_chain_ends_the_base_chain, 0, 2);
	tcase_add_loop_test(tc, all_base_chains_of_a_slot_have_a_say, 0, 2);
	tcase_add_loop_test(tc, jumps_may_be_as_deep_as_nfts, 0, 2);
	tcase_add_loop_test(tc, a_rule_whose_op_fails_gives_way_to_the_next, 0, 2);
	tcase_add_loop_test(tc, a_nat_slot_ends_with_the_first_mapping, 0, 2);
	tcase_add_loop_test(tc, filter_prerouting_sees_the_translated_destination, 0, 2);
	tcase_add_test(tc, prerouting_sees_broadcasts);
	tcase_add_loop_test(tc, a_verdict_is_kept_if_nothing_varies, 0,
			    sizeof(kept) / sizeof(kept[0]));
	tcase_add_loop_test(tc, all_slots_count_on_the_fast_path, 0, 2);
	tcase_add_test(tc, a_fin_leaves_no_verdict_for_plain_packets);
	tcase_add_test(tc, a_packet_that_a_rule_drops_is_no_news);
	tcase_add_test(tc, each_packet_is_judged_by_one_generation);
	tcase_add_loop_test(tc, a_half_without_a_ruleset_says_nothing, 0, 2);
}

int main(void)
{
	return stage_main("chains", add);
}
