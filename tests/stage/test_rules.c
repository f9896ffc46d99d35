/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdicts, reasons and counters, on the slow path and on the cached one. */
#include <arpa/inet.h>
#include <string.h>
#include "stage.h"

#define CT(state) (1 << GW_CT_##state)

START_TEST(an_interface_that_is_not_managed_is_left_alone)
{
	struct frame f = udp(LAN4, 5000, FAR4, 53), before = f;

	stage_set_if(LAN, (struct gw_if){});
	ck_assert_int_eq(in(&f, LAN), PASS);
	ck_assert_mem_eq(f.b, before.b, f.len);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(what_is_not_ip_passes)
{
	struct frame f = udp(LAN4, 5000, FAR4, 53);

	put16(f.b + 12, 0x0806);
	ck_assert_int_eq(in(&f, LAN), PASS);
	ck_assert_int_eq(out(&f, LAN, NOWHERE), PASS);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(a_drop_rule_drops_with_reason_and_example)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->lan, 5000, n->far, 53);
	struct gw_reason_row row;

	RULES({ .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_DROP,
		.proto = 17,
		.dport = 53,
		.cid = 9 });
	expect_drop(f, LAN, GW_REASON_RULE);
	row = reason_row(GW_REASON_RULE);
	ck_assert_uint_eq(row.bytes, f.len - FRAME_L3);
	ck_assert_uint_eq(row.rule, 9);
	ck_assert_uint_eq(row.iif, stage.ifindex[LAN]);
	ck_assert_uint_eq(row.oif, stage.ifindex[WAN]);
	ck_assert_uint_eq(row.family, _i ? 6 : 4);
	ck_assert_uint_eq(ntohs(row.tuple.sport), 5000);
	ck_assert_uint_eq(counter(9).pkts, 1);
	ck_assert_uint_eq(entries_all(), 0);
	expect_drop(udp(n->lan, 5000, n->far, 54), LAN, GW_REASON_NONE);
}
END_TEST

START_TEST(a_drop_policy_drops_with_its_own_reason)
{
	const struct names *n = &names[_i];

	RULES({ .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_ACCEPT,
		.proto = 17,
		.dport = 53,
		.cid = 1 },
	      { .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_DROP, .policy = 1, .cid = 2 },
	      { .hook = GW_HOOK_FILTER_INPUT, .verdict = GW_V_DROP, .policy = 1, .cid = 3 });
	expect_drop(udp(n->lan, 5000, n->far, 53), LAN, GW_REASON_NONE);
	expect_drop(udp(n->lan, 5000, n->far, 54), LAN, GW_REASON_POLICY);
	expect_drop(tcp(n->lan, 5000, n->far, 53, S, 1, 0), LAN, GW_REASON_POLICY);
	expect_drop(udp(n->lan, 5000, n->gw_lan, 53), LAN, GW_REASON_POLICY);
	ck_assert_uint_eq(counter(1).pkts, 1);
	ck_assert_uint_eq(counter(2).pkts, 2);
	ck_assert_uint_eq(counter(3).pkts, 1);
}
END_TEST

START_TEST(output_rules_judge_the_gateways_own_packets)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->gw_wan, 5000, n->far, 53), g = udp(n->gw_wan, 5000, n->far, 54);

	RULES({ .hook = GW_HOOK_FILTER_OUTPUT,
		.verdict = GW_V_DROP,
		.proto = 17,
		.dport = 53,
		.oif = stage.ifindex[WAN],
		.cid = 1 });
	ck_assert_int_eq(out(&f, WAN, NOWHERE), SHOT);
	ck_assert_uint_eq(reason(GW_REASON_RULE), 1);
	ck_assert_int_eq(out(&g, WAN, NOWHERE), PASS);
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

static const struct {
	const char *what;
	struct rule rule;
	bool hits;
} matches[] = {
	{ "source", { .src = LAN4 }, true },
	{ "another source", { .src = LAN4_B }, false },
	{ "destination", { .dst = FAR4 }, true },
	{ "another destination", { .dst = LAN4 }, false },
	{ "protocol", { .proto = 17 }, true },
	{ "another protocol", { .proto = 6 }, false },
	{ "source port", { .proto = 17, .sport = 5000 }, true },
	{ "another source port", { .proto = 17, .sport = 5001 }, false },
	{ "destination port", { .proto = 17, .dport = 53 }, true },
	{ "new", { .ctstate = CT(NEW) }, true },
	{ "established", { .ctstate = CT(ESTABLISHED) }, false },
	{ "mark", { .mark = 7 }, true },
	{ "another mark", { .mark = 8 }, false },
	{ "ct mark", { .ctmark = 1 }, false },
};

START_TEST(a_rule_matches_what_it_says)
{
	typeof(matches[0]) *c = &matches[_i];
	struct rule rule = c->rule;

	rule.hook = GW_HOOK_FILTER_FORWARD;
	rule.verdict = GW_V_DROP;
	rules_set(&rule, 1);
	stage.mark = 7;
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, c->hits ? GW_REASON_RULE : GW_REASON_NONE);
}
END_TEST

START_TEST(ipv6_addresses_match_in_full)
{
	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_DROP, .src = LAN6, .dst = FAR6 });
	expect_drop(udp(LAN6, 5000, FAR6, 53), LAN, GW_REASON_RULE);
	expect_drop(udp(LAN6_B, 5000, FAR6, 53), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN6, 5000, "2001:db8:9::a", 53), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- counting */

/* @n packets of an established connection each way; how many took the fast path. */
static int traffic(const struct frame *out_frame, const struct frame *back, int n)
{
	int fast = 0;

	for (int i = 0; i < n; i++) {
		expect_in(*out_frame, LAN, REDIRECT, "");
		fast += stage.fast;
		expect_in(*back, WAN, REDIRECT, "");
		fast += stage.fast;
	}
	return fast;
}

START_TEST(the_fast_path_counts_like_the_slow_one)
{
	const struct names *n = &names[_i];
	struct frame ack, back;
	uint64_t bytes;
	int fast;

	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_CONTINUE, .cid = 1 },
	      { .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_ACCEPT,
		.ctstate = CT(ESTABLISHED) | CT(RELATED),
		.cid = 2 },
	      { .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_ACCEPT,
		.ctstate = CT(NEW),
		.cid = 3 },
	      MASQUERADE(WAN, .cid = 4));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	bytes = counter(1).bytes;
	fast = traffic(&ack, &back, 100);
	ck_assert_msg(fast >= 196, "only %d of 200 packets were fast", fast);
	ck_assert_uint_eq(counter(1).pkts, 203);
	ck_assert_uint_eq(counter(2).pkts, 202);
	ck_assert_uint_eq(counter(3).pkts, 1);
	ck_assert_uint_eq(counter(4).pkts, 1);
	ck_assert_uint_eq(counter(1).bytes - bytes, 200 * (ack.len - FRAME_L3));
	ck_assert_uint_eq(entry_of(&ack).f.pkts, 102);
	ck_assert_uint_eq(entry_of(&back).f.pkts, 101);
	ck_assert_uint_eq(entry_of(&back).f.bytes, 101 * (ack.len - FRAME_L3));
}
END_TEST

START_TEST(rules_beyond_what_a_flow_remembers_count_all_the_same)
{
	struct frame ack, back;

	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_CONTINUE, .cid = 1 },
	      { .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_CONTINUE, .cid = 2 },
	      { .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_CONTINUE, .cid = 3 },
	      { .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_ACCEPT, .cid = 4 });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	traffic(&ack, &back, 10);
	for (int cid = 1; cid <= 4; cid++)
		ck_assert_uint_eq(counter(cid).pkts, 23);
}
END_TEST

START_TEST(nat_rules_count_connections)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, .cid = 1),
	      { .hook = GW_HOOK_NAT_PREROUTING, .verdict = GW_V_CONTINUE, .cid = 2 });
	for (int i = 0; i < 5; i++) {
		TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
		TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, "");
	}
	ck_assert_uint_eq(counter(1).pkts, 1);
	ck_assert_uint_eq(counter(1).bytes, 40 + 20 * _i);
	ck_assert_uint_eq(counter(2).pkts, 1);
	TAKES(udp(n->lan, 5001, n->far, 53), LAN, "");
	ck_assert_uint_eq(counter(1).pkts, 2);
}
END_TEST

START_TEST(a_new_generation_is_asked_again)
{
	const struct names *n = &names[_i];
	struct frame ack, back;

	RULES(MASQUERADE(WAN));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	ck_assert_int_gt(traffic(&ack, &back, 5), 0);
	RULES(MASQUERADE(WAN),
	      { .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_DROP, .proto = 6, .dport = 80 });
	expect_drop(ack, LAN, GW_REASON_RULE);
	expect_drop(back, WAN, GW_REASON_NONE);
	expect_drop(ack, LAN, GW_REASON_RULE);
	/* the connection is still known, and goes on when the rule is gone: it outlives even the NAT rule */
	RULES();
	expect_in(ack, LAN, REDIRECT, line("tcp %s.40000 > %s.80 A", n->gw_wan, n->far));
	expect_in(back, WAN, REDIRECT, line("tcp %s.80 > %s.40000 A", n->far, n->lan));
}
END_TEST

START_TEST(a_rule_that_looks_at_marks_is_asked_for_each_packet)
{
	struct frame ack, back;

	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_DROP, .mark = 7 });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	ck_assert_int_eq(traffic(&ack, &back, 5), 0);
	stage.mark = 7;
	expect_drop(ack, LAN, GW_REASON_RULE);
	stage.mark = 0;
	expect_drop(ack, LAN, GW_REASON_NONE);
}
END_TEST

START_TEST(a_raw_rule_sees_every_packet)
{
	struct frame ack, back;

	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_CONTINUE, .cid = 1 },
	      { .hook = GW_HOOK_MANGLE_POSTROUTING, .verdict = GW_V_CONTINUE, .cid = 2 });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	traffic(&ack, &back, 10);
	ck_assert_uint_eq(counter(1).pkts, 23);
	ck_assert_uint_eq(counter(2).pkts, 23);
}
END_TEST

/* Which fast-path preconditions are lost: the packet must still pass, by the slow path. */
START_TEST(the_fast_path_is_left_when_anything_is_not_plain)
{
	struct frame ack, back, f;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	traffic(&ack, &back, 2);
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert(stage.fast);
	stage.conf.rgen++; /* routes changed */
	stage_conf();
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert(!stage.fast);
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert(stage.fast);
	stage_wait(2); /* the cached route is old */
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert(!stage.fast);
	f = FRAME(.src = LAN4, .dst = FAR4, .proto = 6, .sport = 40000, .dport = 80, .bits = A,
		  .seq = 1001, .ack = 5001, .ttl = 1);
	expect_in(f, LAN, PASS, "");
	ck_assert(!stage.fast);
	f = FRAME(.src = LAN4, .dst = FAR4, .proto = 6, .sport = 40000, .dport = 80, .bits = A,
		  .seq = 1001, .ack = 5001, .ip_opts = 1);
	expect_in(f, LAN, PASS, "");
	ck_assert(!stage.fast);
	expect_in(ack, DMZ, REDIRECT, ""); /* it comes in by another interface */
	ck_assert(!stage.fast);
}
END_TEST

START_TEST(a_damaged_ip_header_does_not_pass_by_the_fast_path)
{
	struct frame ack, back, f;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	traffic(&ack, &back, 2);
	for (int bit = 0; bit < 16; bit++) {
		f = ack;
		f.b[FRAME_L3 + 10 + bit / 8] ^= 1 << bit % 8;
		expect_drop(f, LAN, GW_REASON_BAD_IP);
	}
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert(stage.fast);
}
END_TEST

/* gw_expire is the daemon's heartbeat: while it beats, a route need not be looked up each second. */
START_TEST(a_cached_route_holds_while_the_daemon_lives)
{
	struct frame ack, back;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	traffic(&ack, &back, 2);
	for (int s = 0; s < 20; s += 2) {
		expire();
		stage_wait(2);
		expect_in(ack, LAN, REDIRECT, "");
		ck_assert(stage.fast);
	}
	stage_wait(4); /* it died */
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert(!stage.fast);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- stateless */

START_TEST(notrack_creates_nothing)
{
	const struct names *n = &names[_i];

	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .proto = 17, OPS(OP(.code = GW_OP_NOTRACK)) },
	      { .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_CONTINUE,
		.ctstate = CT(UNTRACKED),
		.cid = 1 });
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, line("udp %s.5000 > %s.53", n->lan, n->far));
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert_uint_eq(counter(1).pkts, 1);
	TAKES(tcp(n->lan, 5000, n->far, 53, S, 1, 0), LAN, "");
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(an_untracked_packet_never_leaves_where_masquerade_applies)
{
	const struct names *n = &names[_i];

	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .proto = 17, OPS(OP(.code = GW_OP_NOTRACK)) },
	      MASQUERADE(WAN, .cid = 1));
	expect_drop(udp(n->lan, 5000, n->far, 53), LAN, GW_REASON_NAT_UNTRACKED);
	TAKES(udp(n->lan, 5000, n->dmz, 53), LAN, line("udp %s.5000 > %s.53", n->lan, n->dmz));
	ck_assert_uint_eq(counter(1).pkts, 0); /* only asked */
}
END_TEST

START_TEST(an_invalid_packet_never_leaves_where_masquerade_applies)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, .cid = 1));
	expect_drop(tcp(n->lan, 5000, n->far, 53, R, 1, 0), LAN, GW_REASON_CT_INVALID);
	expect_drop(tcp(n->lan, 5000, n->far, 53, S | F, 1, 0), LAN, GW_REASON_CT_INVALID);
	expect_drop(pong(n->lan, n->far, 1), LAN, GW_REASON_CT_INVALID);
	TAKES(tcp(n->lan, 5000, n->dmz, 53, R, 1, 0), LAN,
	      line("tcp %s.5000 > %s.53 R", n->lan, n->dmz));
	expect_in(tcp(n->lan, 5000, n->gw_lan, 53, R, 1, 0), LAN, PASS,
		  line("tcp %s.5000 > %s.53 R", n->lan, n->gw_lan));
	ck_assert_uint_eq(counter(1).pkts, 0);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(an_invalid_packet_meets_the_rules_as_invalid)
{
	RULES({ .hook = GW_HOOK_FILTER_FORWARD,
		.verdict = GW_V_DROP,
		.ctstate = CT(INVALID),
		.cid = 1 });
	expect_drop(tcp(LAN4, 5000, FAR4, 53, R, 1, 0), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ routing */

START_TEST(the_last_hop_goes_to_the_stack_with_dnat_done)
{
	const struct names *n = &names[_i];
	struct frame f = FRAME(.src = n->far, .dst = n->gw_wan, .proto = 17, .sport = 6000,
			       .dport = 8080, .ttl = 1, .data = 8);

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.proto = 17,
		.dport = 8080,
		.nat = GW_NAT_DNAT,
		.to = n->dmz,
		.port_lo = 80 });
	expect_in(f, WAN, PASS, line("udp %s.6000 > %s.80", n->far, n->dmz));
}
END_TEST

static struct frame big(const struct names *n, uint16_t len)
{
	bool v6 = strchr(n->lan, ':');

	return FRAME(.src = n->lan, .dst = n->far, .proto = 17, .sport = 5000, .dport = 53,
		     .data = len - (v6 ? 48 : 28));
}

START_TEST(a_packet_above_the_mtu_goes_to_the_stack)
{
	const struct names *n = &names[_i];
	struct frame f = big(n, 1501);

	RULES(MASQUERADE(WAN));
	TAKES(big(n, 1500), LAN, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	/* its source is changed only at egress: the stack may have to answer its sender */
	ck_assert_int_eq(in(&f, LAN), PASS);
	ck_assert_str_eq(frame_text(&f), line("udp %s.5000 > %s.53", n->lan, n->far));
	ck_assert_int_eq(out_marked(&f, WAN, LAN), PASS);
	ck_assert_str_eq(frame_text(&f), line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(the_stack_finishes_both_translations)
{
	const struct names *n = &names[_i];
	struct frame f = FRAME(.src = n->dmz, .dst = n->gw_wan, .proto = 17, .sport = 6000,
			       .dport = 8080, .ttl = 1, .data = 8);

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.proto = 17,
		.dport = 8080,
		.nat = GW_NAT_DNAT,
		.to = n->lan,
		.port_lo = 80 },
	      MASQUERADE(LAN));
	ck_assert_int_eq(in(&f, DMZ), PASS);
	ck_assert_str_eq(frame_text(&f), line("udp %s.6000 > %s.80", n->dmz, n->lan));
	ck_assert_int_eq(out_marked(&f, LAN, DMZ), PASS);
	ck_assert_str_eq(frame_text(&f), line("udp %s.6000 > %s.80", n->gw_lan, n->lan));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

START_TEST(a_neighbour_without_a_link_address_is_left_to_the_stack)
{
	const struct names *n = &names[_i];
	const char *stranger = _i ? "fd00:11::99" : "10.1.0.99";
	struct frame f = udp(n->lan, 5000, stranger, 53);

	RULES(MASQUERADE(DMZ));
	ck_assert_int_ne(in(&f, LAN), SHOT);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(our_own_address_as_source_is_martian)
{
	const struct names *n = &names[_i];

	expect_drop(udp(n->gw_wan, 5000, n->lan, 53), WAN, GW_REASON_MARTIAN);
	if (_i)
		return;
	expect_drop(udp("127.0.0.1", 5000, LAN4, 53), WAN, GW_REASON_MARTIAN);
	expect_drop(udp("0.1.2.3", 5000, LAN4, 53), WAN, GW_REASON_MARTIAN);
	expect_drop(udp("224.0.0.1", 5000, LAN4, 53), WAN, GW_REASON_MARTIAN);
	expect_drop(udp("10.0.0.255", 5000, LAN4, 53), WAN, GW_REASON_MARTIAN);
}
END_TEST

START_TEST(rp_filter_asks_for_the_way_back)
{
	struct gw_if row = stage_get_if(WAN);

	expect_drop(udp(LAN4_B, 5000, LAN4, 53), WAN, GW_REASON_NONE);
	row.flags |= GW_IF_RP_STRICT;
	stage_set_if(WAN, row);
	expect_drop(udp(LAN4_B, 5001, LAN4, 53), WAN, GW_REASON_RPFILTER);
	expect_drop(udp(FAR4, 5001, LAN4, 53), WAN, GW_REASON_NONE);
	row.flags = (row.flags & ~GW_IF_RP_STRICT) | GW_IF_RP_LOOSE;
	stage_set_if(WAN, row);
	expect_drop(udp(LAN4_B, 5002, LAN4, 53), WAN, GW_REASON_NONE);
}
END_TEST

static void add_verdicts(TCase *tc)
{
	tcase_add_test(tc, an_interface_that_is_not_managed_is_left_alone);
	tcase_add_test(tc, what_is_not_ip_passes);
	tcase_add_loop_test(tc, a_drop_rule_drops_with_reason_and_example, 0, 2);
	tcase_add_loop_test(tc, a_drop_policy_drops_with_its_own_reason, 0, 2);
	tcase_add_loop_test(tc, output_rules_judge_the_gateways_own_packets, 0, 2);
	tcase_add_loop_test(tc, a_rule_matches_what_it_says, 0,
			    sizeof(matches) / sizeof(matches[0]));
	tcase_add_test(tc, ipv6_addresses_match_in_full);
	tcase_add_loop_test(tc, the_fast_path_counts_like_the_slow_one, 0, 2);
	tcase_add_test(tc, rules_beyond_what_a_flow_remembers_count_all_the_same);
	tcase_add_loop_test(tc, nat_rules_count_connections, 0, 2);
	tcase_add_loop_test(tc, a_new_generation_is_asked_again, 0, 2);
	tcase_add_test(tc, a_rule_that_looks_at_marks_is_asked_for_each_packet);
	tcase_add_test(tc, a_raw_rule_sees_every_packet);
	tcase_add_test(tc, the_fast_path_is_left_when_anything_is_not_plain);
	tcase_add_test(tc, a_damaged_ip_header_does_not_pass_by_the_fast_path);
	tcase_add_test(tc, a_cached_route_holds_while_the_daemon_lives);
}

static void add(TCase *tc)
{
	add_verdicts(tc);
	tcase_add_loop_test(tc, notrack_creates_nothing, 0, 2);
	tcase_add_loop_test(tc, an_untracked_packet_never_leaves_where_masquerade_applies, 0, 2);
	tcase_add_loop_test(tc, an_invalid_packet_never_leaves_where_masquerade_applies, 0, 2);
	tcase_add_test(tc, an_invalid_packet_meets_the_rules_as_invalid);
	tcase_add_loop_test(tc, the_last_hop_goes_to_the_stack_with_dnat_done, 0, 2);
	tcase_add_loop_test(tc, a_packet_above_the_mtu_goes_to_the_stack, 0, 2);
	tcase_add_loop_test(tc, the_stack_finishes_both_translations, 0, 2);
	tcase_add_loop_test(tc, a_neighbour_without_a_link_address_is_left_to_the_stack, 0, 2);
	tcase_add_loop_test(tc, our_own_address_as_source_is_martian, 0, 2);
	tcase_add_test(tc, rp_filter_asks_for_the_way_back);
}

int main(void)
{
	return stage_main("rules", add);
}
