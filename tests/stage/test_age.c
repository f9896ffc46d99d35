/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections over time: promotion, expiry in pairs, full tables, events. */
#include <stdio.h>
#include <string.h>
#include "stage.h"

/* One exchange by UDP through masquerade. */
static void exchange(const struct names *n, uint16_t port)
{
	TAKES(udp(n->lan, port, n->far, 53), LAN,
	      line("udp %s.%u > %s.53", n->gw_wan, port, n->far));
	TAKES(udp(n->far, 53, n->gw_wan, port), WAN,
	      line("udp %s.53 > %s.%u", n->far, n->lan, port));
}

static const char *pair(const struct names *n, uint16_t port)
{
	return line("%s.%u > %s.53, %s.53 > %s.%u", n->lan, port, n->far, n->far, n->gw_wan, port);
}

/* -------------------------------------------------------------------------------------------------- promotion */

START_TEST(udp_is_assured_only_after_two_seconds)
{
	const struct names *n = &names[_i];
	struct frame key = udp(n->lan, 5000, n->far, 53);

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	exchange(n, 5000);
	exchange(n, 5000);
	ck_assert_int_eq(entry_of(&key).table, EMB4 + _i);
	stage_wait(1);
	exchange(n, 5000);
	ck_assert_int_eq(entry_of(&key).table, EMB4 + _i);
	stage_wait(2);
	exchange(n, 5000);
	ck_assert_int_eq(entry_of(&key).table, EST4 + _i);
	ck_assert_uint_eq(entries_all(), 2);
	ck_assert_uint_eq(assured_count(_i), 1);
}
END_TEST

START_TEST(udp_without_an_answer_is_never_assured)
{
	const struct names *n = &names[_i];
	struct frame key = udp(n->lan, 5000, n->far, 53);

	RULES(MASQUERADE(WAN));
	for (int i = 0; i < 5; i++) {
		TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
		stage_wait(2);
	}
	ck_assert_int_eq(entry_of(&key).table, EMB4 + _i);
	ck_assert_int_eq(entry_of(&key).f.flags & (GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED), 0);
}
END_TEST

START_TEST(a_full_assured_table_keeps_the_connection_embryonic)
{
	const struct names *n = &names[_i];
	struct frame ack, back, first;

	stage.conf.est_max = 1;
	stage_conf();
	RULES(MASQUERADE(WAN));
	handshake(n->lan, 40000, n->far, 80, &first, &back);
	ck_assert_int_eq(entry_of(&first).table, EST4 + _i);
	handshake(n->lan, 40001, n->far, 80, &ack, &back);
	ck_assert_int_eq(entry_of(&ack).table, EMB4 + _i);
	ck_assert_uint_ge(stat(GW_STAT_EST_FULL), 1);
	ck_assert_uint_eq(assured_count(_i), 1);
	/* it works, and moves on when there is room */
	TAKES(ack, LAN, line("tcp %s.40001 > %s.80 A", n->gw_wan, n->far));
	TAKES(back, WAN, line("tcp %s.80 > %s.40001 A", n->far, n->lan));
	ck_assert(kill_flow(&first, 0));
	TAKES(ack, LAN, "");
	ck_assert_int_eq(entry_of(&ack).table, EST4 + _i);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- expiry */

START_TEST(a_pair_ends_together)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	exchange(n, 5001);
	ck_assert_uint_eq(expire(), 0);
	stage_wait(29);
	ck_assert_uint_eq(expire(), 0);
	exchange(n, 5001);
	stage_wait(2);
	/* 5001 became assured: it has 120 s */
	ck_assert_uint_eq(expire(), 1);
	ck_assert_uint_eq(entries_all(), 2);
	stage_wait(120);
	ck_assert_uint_eq(expire(), 1);
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert_uint_eq(expire(), 0);
	ck_assert_uint_eq(stat(GW_STAT_DELETE), 2);
}
END_TEST

START_TEST(one_talking_direction_keeps_both_halves)
{
	const struct names *n = &names[_i & 1];

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	for (int s = 0; s < 300; s += 20) { /* longer than the 120 s of a stream */
		stage_wait(20);
		if (_i & 2)
			TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
		else
			TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, "");
		ck_assert_uint_eq(expire(), 0);
		ck_assert_uint_eq(entries_all(), 2);
	}
}
END_TEST

static const struct {
	uint8_t state;
	unsigned int s;
} tcp_lives[] = {
	{ GW_TCP_SYN_SENT, 120 },  { GW_TCP_SYN_RECV, 60 },   { GW_TCP_ESTABLISHED, 432000 },
	{ GW_TCP_FIN_WAIT, 120 },  { GW_TCP_CLOSE_WAIT, 60 }, { GW_TCP_LAST_ACK, 30 },
	{ GW_TCP_TIME_WAIT, 120 }, { GW_TCP_CLOSE, 10 },
};

static void state_set(const struct frame *f, uint8_t state)
{
	struct entry e = entry_of(f);

	e.f.state = state;
	entry_store(&e);
}

START_TEST(each_tcp_state_has_its_timeout)
{
	typeof(tcp_lives[0]) *c = &tcp_lives[_i];
	struct frame ack, back;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	state_set(&ack, c->state);
	state_set(&back, c->state);
	stage_wait(c->s - 1);
	ck_assert_uint_eq(expire(), 0);
	stage_wait(2);
	ck_assert_uint_eq(expire(), 1);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(pressure_shortens_only_assured_connections)
{
	struct frame ack, back;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	exchange(&(struct names){ .lan = LAN4, .gw_wan = LAN4, .far = FAR4 }, 5000);
	stage.conf.pressure = 15; /* 432000 s become 13 s */
	stage_conf();
	stage_wait(20);
	ck_assert_uint_eq(expire(), 1);
	ck_assert_uint_eq(entries(EST4), 0);
	ck_assert_uint_eq(entries(EMB4), 2);
	ck_assert_uint_eq(stat(GW_STAT_EARLY_DROP), 1);
}
END_TEST

START_TEST(an_expired_entry_is_a_miss_before_it_is_swept)
{
	const struct names *n = &names[_i];
	struct frame key = udp(n->lan, 5000, n->far, 53);
	uint32_t id;

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	id = entry_of(&key).f.id;
	stage_wait(31);
	/* the answer comes too late: nobody is waiting for it, it is for the gateway itself */
	expect_in(udp(n->far, 53, n->gw_wan, 5000), WAN, PASS,
		  line("udp %s.53 > %s.5000", n->far, n->gw_wan));
	flush();
	TAKES(key, LAN, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	ck_assert_uint_ne(entry_of(&key).f.id, id);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(an_expired_connection_starts_anew_from_its_own_side)
{
	const struct names *n = &names[_i];
	struct frame key = udp(n->lan, 5000, n->far, 53);
	uint32_t id;

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	id = entry_of(&key).f.id;
	stage_wait(31);
	TAKES(key, LAN, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	ck_assert_uint_ne(entry_of(&key).f.id, id);
	ck_assert_int_eq(entry_of(&key).f.flags & GW_FLOW_SEEN_REPLY, 0);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

/* The fast path looks at the clock too. */
START_TEST(an_expired_assured_entry_is_a_miss)
{
	const struct names *n = &names[_i];
	struct frame key = udp(n->lan, 5000, n->far, 53);
	uint32_t id;

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	stage_wait(4);
	exchange(n, 5000);
	exchange(n, 5000);
	ck_assert_int_eq(entry_of(&key).table, EST4 + _i);
	id = entry_of(&key).f.id;
	stage_wait(121);
	TAKES(key, LAN, "");
	ck_assert_uint_ne(entry_of(&key).f.id, id);
	ck_assert_int_eq(entry_of(&key).table, EMB4 + _i);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(a_killed_connection_is_gone_and_one_with_another_id_is_not)
{
	const struct names *n = &names[_i];
	struct frame key = udp(n->lan, 5000, n->far, 53), back = udp(n->far, 53, n->gw_wan, 5000);

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	ck_assert(!kill_flow(&key, entry_of(&key).f.id ^ 2));
	ck_assert_uint_eq(entries_all(), 2);
	ck_assert(kill_flow(&back, entry_of(&key).f.id));
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert(!kill_flow(&key, 0));
}
END_TEST

START_TEST(a_flush_ends_everything)
{
	struct frame ack, back;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	handshake(LAN6, 40000, FAR6, 80, &ack, &back);
	TAKES(udp(LAN4, 5000, FAR4, 53), LAN, "");
	TAKES(ping(LAN6, FAR6, 1), LAN, "");
	ck_assert_uint_eq(flush(), 4);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

/* ------------------------------------------------------------------------------------- reuse and eviction */

START_TEST(a_reused_element_is_a_miss)
{
	const struct names *n = &names[_i & 1];
	struct frame ack, back;
	struct entry e;

	RULES(MASQUERADE(WAN));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	e = entry_of(&back);
	e.f.kx ^= 2; /* what a reader sees while the element becomes another flow's */
	entry_store(&e);
	/* not translated to the inside */
	expect_in(back, WAN, PASS, line("tcp %s.80 > %s.40000 A", n->far, n->gw_wan));
	ck_assert(!stage.fast);
	stage_reset();
}
END_TEST

START_TEST(a_connection_whose_other_half_was_evicted_is_a_miss)
{
	const struct names *n = &names[_i & 1];
	struct frame key = udp(n->lan, 5000, n->far, 53), back = udp(n->far, 53, n->gw_wan, 5000);
	struct entry e;

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	e = entry_of(_i & 2 ? &key : &back);
	entry_delete(&e);
	if (_i & 2)
		expect_in(back, WAN, PASS, frame_text(&back));
	else
		TAKES(key, LAN, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	ck_assert_uint_eq(stat(GW_STAT_EMB_EVICTED), 1);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(half_an_assured_connection_is_counted_out)
{
	const struct names *n = &names[_i & 1];
	struct frame ack, back;
	struct entry e;

	RULES(MASQUERADE(WAN));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	e = entry_of(_i & 2 ? &ack : &back);
	entry_delete(&e);
	/* a packet without data can be told from the fast path only by the peer it lacks: a SYN looks */
	if (_i & 2)
		stage_wait(432001);
	else
		expect_drop(tcp(n->lan, 40000, n->far, 80, S, 7000, 0), LAN, GW_REASON_NONE);
	expire();
	flush();
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert_uint_eq(assured_count(_i & 1), 0);
	stage_reset();
}
END_TEST

START_TEST(an_overflowing_embryonic_table_leaves_assured_connections_alone)
{
	struct frame ack, back;

	RULES(MASQUERADE(WAN));
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	for (int i = 0; i < 6000; i++) {
		struct frame f = udp(LAN4_B, 1024 + i, FAR4, 53);

		ck_assert_int_eq(in(&f, LAN), REDIRECT);
	}
	ck_assert_uint_le(entries(EMB4), 4096);
	TAKES(back, WAN, line("tcp %s.80 > %s.40000 A", FAR4, LAN4));
	TAKES(ack, LAN, line("tcp %s.40000 > %s.80 A", GW_WAN4, FAR4));
	/* what is left is swept, whole pairs and halves */
	stage_wait(31);
	expire();
	ck_assert_uint_eq(entries(EMB4), 0);
	ck_assert_uint_eq(entries(EST4), 2);
}
END_TEST

START_TEST(the_count_is_right_after_many_connections)
{
	const struct names *n = &names[_i];
	struct frame ack, back;

	RULES(MASQUERADE(WAN));
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 40; i++) {
			handshake(n->lan, 40000 + i, n->far, 80, &ack, &back);
			if (i % 3 == 0)
				ck_assert(kill_flow(i & 1 ? &ack : &back, 0));
		}
		stage_check_tables();
		ck_assert_uint_eq(assured_count(_i), 26);
		stage_wait(432001);
		ck_assert_uint_eq(expire(), 26);
		ck_assert_uint_eq(assured_count(_i), 0);
		ck_assert_uint_eq(entries_all(), 0);
	}
	ck_assert_uint_eq(stat(GW_STAT_PROMOTE), 200);
	ck_assert_uint_eq(stat(GW_STAT_DELETE), 200);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- events */

START_TEST(udp_events_come_in_order)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN));
	exchange(n, 5000);
	expect_event(line("NEW udp %s UNREPLIED", pair(n, 5000)));
	expect_event(line("UPDATE udp %s", pair(n, 5000)));
	exchange(n, 5000);
	expect_no_event();
	stage_wait(4);
	exchange(n, 5000);
	expect_event(line("UPDATE udp %s ASSURED", pair(n, 5000)));
	expect_no_event();
	stage_wait(121);
	ck_assert_uint_eq(expire(), 1);
	expect_event(line("DESTROY udp %s ASSURED", pair(n, 5000)));
	ck_assert_uint_eq(expire(), 0);
	expect_no_event();
}
END_TEST

static const struct {
	bool reply;
	uint8_t bits;
	uint32_t seq, ack;
	const char *event; /* "" = none */
} tcp_story[] = {
	{ false, S, 1000, 0, "NEW tcp SYN_SENT %s UNREPLIED" },
	{ true, S | A, 5000, 1001, "UPDATE tcp SYN_RECV %s" },
	{ false, A, 1001, 5001, "UPDATE tcp ESTABLISHED %s ASSURED" },
	{ true, A, 5001, 1001, "" },
	{ false, A | P, 1001, 5001, "" },
	{ false, F | A, 1001, 5001, "UPDATE tcp FIN_WAIT %s ASSURED" },
	{ true, A, 5001, 1002, "UPDATE tcp CLOSE_WAIT %s ASSURED" },
	{ true, F | A, 5001, 1002, "UPDATE tcp LAST_ACK %s ASSURED" },
	{ false, A, 1002, 5002, "UPDATE tcp TIME_WAIT %s ASSURED" },
};

static void expect_story_event(const char *pattern, const char *tuples)
{
	char text[256];
	const char *at = strstr(pattern, "%s");

	if (!*pattern) {
		expect_no_event();
		return;
	}
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - pattern), pattern, tuples, at + 2);
	expect_event(text);
}

START_TEST(tcp_events_tell_each_state_once)
{
	const struct names *n = &names[_i];
	const char *tuples = pair(n, 40000);

	RULES(MASQUERADE(WAN));
	for (size_t i = 0; i < sizeof(tcp_story) / sizeof(tcp_story[0]); i++) {
		typeof(tcp_story[0]) *c = &tcp_story[i];

		expect_in(c->reply ? tcp(n->far, 53, n->gw_wan, 40000, c->bits, c->seq, c->ack)
				   : tcp(n->lan, 40000, n->far, 53, c->bits, c->seq, c->ack),
			  c->reply ? WAN : LAN, REDIRECT, "");
		tuples = pair(n, 40000);
		expect_story_event(c->event, tuples);
	}
	stage_wait(121);
	ck_assert_uint_eq(expire(), 1);
	expect_event(line("DESTROY tcp TIME_WAIT %s ASSURED", pair(n, 40000)));
	expect_no_event();
}
END_TEST

START_TEST(an_event_carries_counters_rule_and_time)
{
	struct frame ack, back;
	struct gw_event e[8];

	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_ACCEPT, .cid = 9 });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	expect_in(back, WAN, REDIRECT, "");
	ck_assert_uint_eq(events(e, 8), 3);
	ck_assert_uint_eq(e[0].timeout, 120);
	ck_assert_uint_eq(e[0].pkts[0], 1);
	ck_assert_uint_eq(e[0].bytes[0], 40);
	ck_assert_uint_eq(e[0].rule, 9);
	ck_assert_uint_ne(e[0].time_ns, 0);
	ck_assert_uint_eq(e[1].timeout, 60);
	ck_assert_uint_eq(e[2].timeout, 432000);
	ck_assert_uint_eq(e[1].id, e[0].id);
	ck_assert(kill_flow(&ack, 0));
	ck_assert_uint_eq(events(e, 8), 1);
	ck_assert_uint_eq(e[0].cause, GW_CAUSE_USER);
	ck_assert_uint_eq(e[0].pkts[0], 2);
	ck_assert_uint_eq(e[0].pkts[1], 2);
	ck_assert_uint_eq(e[0].bytes[1], 80);
	ck_assert_uint_ge(e[0].timeout, 431999);
	ck_assert_uint_le(e[0].timeout, 432000);
}
END_TEST

START_TEST(a_lone_rst_tells_destroy_once)
{
	const struct names *n = &names[_i];
	struct gw_event e[4];

	RULES(MASQUERADE(WAN));
	TAKES(tcp(n->lan, 40000, n->far, 53, S, 1000, 0), LAN, "");
	TAKES(tcp(n->far, 53, n->gw_wan, 40000, R | A, 0, 1001), WAN, "");
	ck_assert_uint_eq(events(e, 4), 2);
	ck_assert_str_eq(event_text(&e[0]), line("NEW tcp SYN_SENT %s UNREPLIED", pair(n, 40000)));
	ck_assert_int_eq(e[1].type, GW_EVENT_DESTROY);
	ck_assert_int_eq(e[1].cause, GW_CAUSE_KILL);
}
END_TEST

START_TEST(a_full_ring_counts_what_it_lost)
{
	static struct gw_event all[4096];
	unsigned int got;

	RULES(MASQUERADE(WAN));
	for (int i = 0; i < 1800; i++) {
		struct frame f = udp(LAN4, 1024 + i, FAR4, 53);

		ck_assert_int_eq(in(&f, LAN), REDIRECT);
	}
	ck_assert_uint_gt(stat(GW_STAT_EVENT_LOST), 0);
	got = events(all, 4096);
	ck_assert_uint_eq(got + stat(GW_STAT_EVENT_LOST), 1800);
	/* after a look there is room again */
	TAKES(udp(LAN4, 1000, FAR4, 53), LAN, "");
	ck_assert_uint_eq(events(all, 4096), 1);
}
END_TEST

static void add_events(TCase *tc)
{
	tcase_add_loop_test(tc, udp_events_come_in_order, 0, 2);
	tcase_add_loop_test(tc, tcp_events_tell_each_state_once, 0, 2);
	tcase_add_test(tc, an_event_carries_counters_rule_and_time);
	tcase_add_loop_test(tc, a_lone_rst_tells_destroy_once, 0, 2);
	tcase_add_test(tc, a_full_ring_counts_what_it_lost);
}

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, udp_is_assured_only_after_two_seconds, 0, 2);
	tcase_add_loop_test(tc, udp_without_an_answer_is_never_assured, 0, 2);
	tcase_add_loop_test(tc, a_full_assured_table_keeps_the_connection_embryonic, 0, 2);
	tcase_add_loop_test(tc, a_pair_ends_together, 0, 2);
	tcase_add_loop_test(tc, one_talking_direction_keeps_both_halves, 0, 4);
	tcase_add_loop_test(tc, each_tcp_state_has_its_timeout, 0, 8);
	tcase_add_test(tc, pressure_shortens_only_assured_connections);
	tcase_add_loop_test(tc, an_expired_entry_is_a_miss_before_it_is_swept, 0, 2);
	tcase_add_loop_test(tc, an_expired_connection_starts_anew_from_its_own_side, 0, 2);
	tcase_add_loop_test(tc, an_expired_assured_entry_is_a_miss, 0, 2);
	tcase_add_loop_test(tc, a_killed_connection_is_gone_and_one_with_another_id_is_not, 0, 2);
	tcase_add_test(tc, a_flush_ends_everything);
	tcase_add_loop_test(tc, a_reused_element_is_a_miss, 0, 2);
	tcase_add_loop_test(tc, a_connection_whose_other_half_was_evicted_is_a_miss, 0, 4);
	tcase_add_loop_test(tc, half_an_assured_connection_is_counted_out, 0, 4);
	tcase_add_test(tc, an_overflowing_embryonic_table_leaves_assured_connections_alone);
	tcase_add_loop_test(tc, the_count_is_right_after_many_connections, 0, 2);
	add_events(tc);
}

int main(void)
{
	return stage_main("age", add);
}
