/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP: the transition table, what proves a connection, which RST is believed. */
#include <string.h>
#include "stage.h"

/* ------------------------------------------------------------------------------------------------- the table */

enum { NO, SS, SR, ES, FW, CW, LA, TW, CL, S2, IV, IG };
static const char *const state_names[] = { "NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
					   "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
					   "CLOSE",    "SYN_SENT2" };
static const struct {
	const char *name;
	uint8_t bits;
} sets[] = { { "SYN", S }, { "SYN-ACK", S | A }, { "FIN", F | A },
	     { "ACK", A }, { "RST", R | A },	 { "none", 0 } };

/*
 * What Linux does, written down from its documentation of the states, not from our object: by direction, flags and old state.
 * IV: invalid; IG: ignored, the packet passes and nothing is learnt.
 */
static const uint8_t expected[2][6][GW_TCP_STATES] = {
	{
		/*          NO  SS  SR  ES  FW  CW  LA  TW  CL  S2 */
		/* SYN */ { SS, SS, IG, IG, IG, IG, IG, SS, SS, S2 },
		/* SA  */ { IV, IV, SR, IV, IV, IV, IV, IV, IV, SR },
		/* FIN */ { IV, IV, FW, FW, LA, LA, LA, TW, CL, IV },
		/* ACK */ { ES, IV, ES, ES, CW, CW, TW, TW, CL, IV },
		/* RST */ { IV, CL, CL, CL, CL, CL, CL, CL, CL, CL },
		/* 0   */ { IV, IV, IV, IV, IV, IV, IV, IV, IV, IV },
	},
	{
		/* SYN */ { IV, S2, IV, IV, IV, IV, IV, SS, IV, S2 },
		/* SA  */ { IV, SR, IG, IG, IG, IG, IG, IG, IG, SR },
		/* FIN */ { IV, IV, FW, FW, LA, LA, LA, TW, CL, IV },
		/* ACK */ { IV, IG, SR, ES, CW, CW, TW, TW, CL, IG },
		/* RST */ { IV, CL, CL, CL, CL, CL, CL, CL, CL, CL },
		/* 0   */ { IV, IV, IV, IV, IV, IV, IV, IV, IV, IV },
	},
};

#define CLIENT_NEXT 1001
#define SERVER_NEXT 5001

static struct frame from_client(uint8_t bits)
{
	return tcp(LAN4, 40000, FAR4, 80, bits, CLIENT_NEXT, SERVER_NEXT);
}

static struct frame from_server(uint8_t bits)
{
	return tcp(FAR4, 80, LAN4, 40000, bits, SERVER_NEXT, CLIENT_NEXT);
}

static void half_set(const struct frame *f, uint8_t state, uint32_t end, uint32_t ack)
{
	struct entry e = entry_of(f);

	e.f.state = state;
	e.f.flags |= GW_FLOW_SEEN_REPLY;
	e.f.tcp_end = end;
	e.f.tcp_ack = ack;
	e.f.tcp_win = 64240;
	e.f.tcp_maxend = ack + 64240;
	e.f.tcp_flags = GW_TCPF_ACKED;
	entry_store(&e);
}

/* A connection in this state, both ends in step; its id. */
static uint32_t connection_in(uint8_t state)
{
	struct frame syn = tcp(LAN4, 40000, FAR4, 80, S, CLIENT_NEXT - 1, 0);
	struct frame c = from_client(A), s = from_server(A);

	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	half_set(&c, state, CLIENT_NEXT, SERVER_NEXT);
	half_set(&s, state, SERVER_NEXT, CLIENT_NEXT);
	return entry_of(&c).f.id;
}

START_TEST(the_transition_table_is_the_one_of_linux)
{
	int reply = _i / 60, set = _i / 10 % 6, old = _i % 10, want = expected[reply][set][old];
	uint32_t id = connection_in(old), invalid = stat(GW_STAT_INVALID);
	struct frame f = reply ? from_server(sets[set].bits) : from_client(sets[set].bits), key = f;
	bool reopens = want == SS && (old == TW || old == CL);
	int r = in(&f, reply ? WAN : LAN), state = want < IV ? want : old;
	struct entry e = entry_of(&key);
	const char *row = line("%s, %s in %s", reply ? "reply" : "original", sets[set].name,
			       state_names[old]);

	ck_assert_msg(r == REDIRECT, "%s: returned %d", row, r);
	ck_assert_msg(e.table != NO_TABLE, "%s: the connection is gone", row);
	ck_assert_msg(e.f.state == state, "%s: became %s, not %s", row,
		      e.f.state < 10 ? state_names[e.f.state] : "?", state_names[state]);
	ck_assert_msg((stat(GW_STAT_INVALID) > invalid) == (want == IV), "%s: invalid?", row);
	ck_assert_msg((e.f.id != id) == reopens, "%s: a new connection?", row);
	if (reopens)
		ck_assert_msg(!(e.f.flags & GW_FLOW_REPLY), "%s: not its original", row);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- promotion */

START_TEST(a_syn_flood_with_answers_promotes_nothing)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN));
	for (int i = 0; i < 200; i++) {
		struct frame syn = tcp(n->lan, 10000 + i, n->far, 80, S, 1000, 0);
		struct frame back = tcp(n->far, 80, n->gw_wan, 10000 + i, S | A, 5000, 1001);

		ck_assert_int_eq(in(&syn, LAN), REDIRECT);
		ck_assert_int_eq(in(&back, WAN), REDIRECT);
	}
	ck_assert_uint_eq(entries(EST4) + entries(EST6), 0);
	ck_assert_uint_eq(entries_all(), 400);
	ck_assert_uint_eq(stat(GW_STAT_PROMOTE), 0);
}
END_TEST

START_TEST(only_the_right_ack_ends_the_handshake)
{
	const struct names *n = &names[_i];
	struct frame syn = tcp(n->lan, 40000, n->far, 80, S, 1000, 0);
	struct frame back = tcp(n->far, 80, n->gw_wan, 40000, S | A, 5000, 1001);
	struct frame right = tcp(n->lan, 40000, n->far, 80, A, 1001, 5001);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	ck_assert_int_eq(in(&back, WAN), REDIRECT);
	/* a spoofer does not see 5000 */
	expect_drop(tcp(n->lan, 40000, n->far, 80, A, 1001, 5002), LAN, GW_REASON_CT_INVALID);
	expect_drop(tcp(n->lan, 40000, n->far, 80, A, 1001, 0x80000000), LAN, GW_REASON_CT_INVALID);
	ck_assert_int_eq(entry_of(&right).f.state, GW_TCP_SYN_RECV);
	ck_assert_uint_eq(stat(GW_STAT_PROMOTE), 0);
	TAKES(right, LAN, line("tcp %s.40000 > %s.80 A", n->gw_wan, n->far));
	ck_assert_int_eq(entry_of(&right).f.state, GW_TCP_ESTABLISHED);
	ck_assert_int_eq(entry_of(&right).table, EST4 + _i);
	ck_assert_uint_eq(stat(GW_STAT_PROMOTE), 1);
}
END_TEST

START_TEST(promotion_leaves_exactly_two_entries)
{
	const struct names *n = &names[_i];
	struct frame ack, back;

	RULES(MASQUERADE(WAN));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	ck_assert_uint_eq(entries(EST4 + _i), 2);
	ck_assert_uint_eq(entries_all(), 2);
	ck_assert_uint_eq(assured_count(_i), 1);
	ck_assert_int_ne(entry_of(&ack).f.flags & GW_FLOW_ASSURED, 0);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- RST */

enum { DROPPED, PASSED, CLOSED };
static const struct {
	const char *what;
	uint32_t off; /* from what the receiver expects */
	int result;
} rst_rows[] = {
	{ "exactly what the receiver expects", 0, CLOSED },
	{ "one before", -1, DROPPED },
	{ "far before", -100000, DROPPED },
	{ "one behind, in the window", 1, PASSED },
	{ "at the window's end", 64240, PASSED },
	{ "one behind the window", 64241, DROPPED },
	{ "half the space away", 0x80000000, DROPPED },
};

/* The server's RST, judged by what the client acknowledged and offers; and the other way round. */
START_TEST(a_rst_is_believed_by_its_sequence_number)
{
	typeof(rst_rows[0]) *c = &rst_rows[_i / 4];
	const struct names *n = &names[_i & 1];
	bool server = _i & 2;
	struct frame ack, back, rst;

	RULES(MASQUERADE(WAN));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	/* both ends have sent their window */
	expect_in(back, WAN, REDIRECT, "");
	rst = server ? tcp(n->far, 80, n->gw_wan, 40000, R, 5001 + c->off, 0)
		     : tcp(n->lan, 40000, n->far, 80, R, 1001 + c->off, 0);
	if (c->result == DROPPED)
		expect_drop(rst, server ? WAN : LAN, GW_REASON_CT_RST);
	else
		expect_drop(rst, server ? WAN : LAN, GW_REASON_NONE);
	ck_assert_msg(entry_of(&ack).f.state ==
			      (c->result == CLOSED ? GW_TCP_CLOSE : GW_TCP_ESTABLISHED),
		      "%s: %s", c->what, state_names[entry_of(&ack).f.state]);
}
END_TEST

START_TEST(a_rst_right_behind_the_senders_data_closes)
{
	struct frame ack, back, data;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	data = FRAME(.src = FAR4, .dst = LAN4, .proto = 6, .sport = 80, .dport = 40000, .bits = A,
		     .seq = 5001, .ack = 1001, .data = 500);
	ck_assert_int_eq(in(&data, WAN), REDIRECT);
	expect_drop(tcp(FAR4, 80, LAN4, 40000, R, 5501, 0), WAN, GW_REASON_NONE);
	ck_assert_int_eq(entry_of(&ack).f.state, GW_TCP_CLOSE);
}
END_TEST

START_TEST(a_scaled_window_counts_in_full)
{
	struct frame syn = FRAME(.src = LAN4, .dst = FAR4, .proto = 6, .sport = 40000, .dport = 80,
				 .bits = S, .seq = 1000, .opts = { 1, 3, 3, 7 }, .opts_len = 4);
	struct frame back = FRAME(.src = FAR4, .dst = LAN4, .proto = 6, .sport = 80, .dport = 40000,
				  .bits = S | A, .seq = 5000, .ack = 1001, .opts = { 1, 3, 3, 2 },
				  .opts_len = 4);
	struct frame ack = FRAME(.src = LAN4, .dst = FAR4, .proto = 6, .sport = 40000, .dport = 80,
				 .bits = A, .seq = 1001, .ack = 5001, .win = 1000),
		     key = ack;

	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	ck_assert_int_eq(in(&back, WAN), REDIRECT);
	ck_assert_int_eq(in(&ack, LAN), REDIRECT);
	expect_drop(tcp(FAR4, 80, LAN4, 40000, R, 5001 + 128000 + 1, 0), WAN, GW_REASON_CT_RST);
	expect_drop(tcp(FAR4, 80, LAN4, 40000, R, 5001 + 128000, 0), WAN, GW_REASON_NONE);
	ck_assert_int_eq(entry_of(&key).f.state, GW_TCP_ESTABLISHED);
}
END_TEST

/* What netfilter's tcp_be_liberal means: of what is out of window, only a RST is INVALID. */
START_TEST(be_liberal_lets_everything_pass_but_a_rst_before_the_window)
{
	struct frame ack, back;

	stage.conf.flags |= GW_CONF_TCP_BE_LIBERAL;
	stage_conf();
	RULES(MASQUERADE(WAN));
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	TAKES(tcp(LAN4, 40000, FAR4, 80, A, 0x70000000, 5001), LAN, "");
	TAKES(tcp(LAN4, 40000, FAR4, 80, R, 0x70000000, 0), LAN, "");
	expect_drop(tcp(LAN4, 40000, FAR4, 80, R, 1, 0), LAN, GW_REASON_CT_RST);
	ck_assert_int_eq(entry_of(&ack).f.state, GW_TCP_ESTABLISHED);
	TAKES(tcp(LAN4, 40000, FAR4, 80, R, 1001, 0), LAN, "");
	ck_assert_int_eq(entry_of(&ack).f.state, GW_TCP_CLOSE);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- windows */

enum { FITS, IGNORED, INVALID };
static const struct {
	const char *what;
	uint32_t seq, ack; /* from what is right */
	uint16_t data;
	int result;
} window_rows[] = {
	{ "what is expected", 0, 0, 100, FITS },
	{ "at the window's end", 64240, 0, 0, FITS },
	{ "over the window's end", 64200, 0, 100, FITS },
	{ "just beyond it", 64241, 0, 0, IGNORED },
	{ "a window beyond it", 64240 + 64239, 0, 0, IGNORED },
	{ "more than a window beyond", 64240 + 64240, 0, 0, INVALID },
	{ "half the space away", 0x7fffffff, 0, 0, INVALID },
	{ "sent again, still in the window", -64240, 0, 0, FITS },
	{ "sent again from before it", -64241, 0, 0, IGNORED },
	{ "far before", 0x80000000, 0, 0, INVALID },
	{ "the oldest ACK", 0, -66000, 0, FITS },
	{ "an older ACK", 0, -66001, 0, IGNORED },
	{ "an ACK of what nobody sent", 0, 1, 0, INVALID },
	{ "an ACK from half the space away", 0, 0x7fffffff, 0, INVALID },
};

/* By either family, and around 2^32; the first segment by the slow path, or after others by the fast one. */
START_TEST(a_segment_must_fit_the_windows)
{
	typeof(window_rows[0]) *c = &window_rows[_i / 8];
	const struct names *n = &names[_i & 1];
	uint32_t cs = _i & 2 ? 0xfffffff0 : 1000, ss = _i & 2 ? 0xffffff00 : 5000, invalid;
	struct frame syn = tcp(n->lan, 40000, n->far, 80, S, cs, 0);
	struct frame back = tcp(n->far, 80, n->gw_wan, 40000, S | A, ss, cs + 1);
	struct frame ack = tcp(n->lan, 40000, n->far, 80, A, cs + 1, ss + 1), key = ack;
	struct frame f =
		FRAME(.src = n->lan, .dst = n->far, .proto = 6, .sport = 40000, .dport = 80,
		      .bits = A, .seq = cs + 1 + c->seq, .ack = ss + 1 + c->ack, .data = c->data);
	uint64_t pkts;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	ck_assert_int_eq(in(&back, WAN), REDIRECT);
	ck_assert_int_eq(in(&ack, LAN), REDIRECT);
	for (int i = 0; i < (_i & 4 ? 3 : 0); i++)
		TAKES(tcp(n->lan, 40000, n->far, 80, A, cs + 1, ss + 1), LAN, "");
	invalid = stat(GW_STAT_INVALID);
	pkts = entry_of(&key).f.pkts;
	if (c->result == INVALID)
		expect_drop(f, LAN, GW_REASON_CT_INVALID);
	else
		TAKES(f, LAN, "");
	ck_assert_msg(stat(GW_STAT_INVALID) - invalid == (c->result == INVALID), "%s", c->what);
	ck_assert_msg(entry_of(&key).f.pkts - pkts == (c->result == FITS), "%s: learnt from?",
		      c->what);
}
END_TEST

START_TEST(a_rst_as_the_only_answer_ends_the_connection)
{
	const struct names *n = &names[_i];
	struct frame syn = tcp(n->lan, 40000, n->far, 80, S, 1000, 0);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	expect_drop(tcp(n->far, 80, n->gw_wan, 40000, R | A, 0, 999), WAN, GW_REASON_CT_RST);
	expect_drop(tcp(n->far, 80, n->gw_wan, 40000, R, 0, 1001), WAN, GW_REASON_CT_RST);
	ck_assert_uint_eq(stat(GW_STAT_DROP), 2);
	ck_assert_uint_eq(entries_all(), 2);
	TAKES(tcp(n->far, 80, n->gw_wan, 40000, R | A, 0, 1001), WAN,
	      line("tcp %s.80 > %s.40000 RA", n->far, n->lan));
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert_uint_eq(stat(GW_STAT_DELETE), 1);
}
END_TEST

/* Nobody has answered yet: it is forgotten, whether it began with a SYN or was picked up in the middle. */
START_TEST(a_rst_of_the_side_that_began_ends_an_unanswered_connection)
{
	const struct names *n = &names[_i & 1];
	uint8_t began = _i & 2 ? A : S;
	struct gw_event e[4];

	RULES(MASQUERADE(WAN));
	TAKES(tcp(n->lan, 40000, n->far, 80, began, 1000, 0), LAN, "");
	TAKES(tcp(n->lan, 40000, n->far, 80, R | A, began == S ? 1001 : 1000, 0), LAN,
	      line("tcp %s.40000 > %s.80 RA", n->gw_wan, n->far));
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert_uint_eq(events(e, 4), 2);
	ck_assert_int_eq(e[1].type, GW_EVENT_DESTROY);
	ck_assert_int_eq(e[1].cause, GW_CAUSE_KILL);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ life */

static const struct {
	bool reply;
	uint8_t bits;
	uint32_t seq, ack;
	int state;
} life[] = {
	{ false, S, 1000, 0, GW_TCP_SYN_SENT },
	{ true, S | A, 5000, 1001, GW_TCP_SYN_RECV },
	{ false, A, 1001, 5001, GW_TCP_ESTABLISHED },
	{ false, A | P, 1001, 5001, GW_TCP_ESTABLISHED },
	{ true, A, 5001, 1001, GW_TCP_ESTABLISHED },
	{ false, F | A, 1001, 5001, GW_TCP_FIN_WAIT },
	{ true, A, 5001, 1002, GW_TCP_CLOSE_WAIT },
	{ true, F | A, 5001, 1002, GW_TCP_LAST_ACK },
	{ false, A, 1002, 5002, GW_TCP_TIME_WAIT },
};

static void live(const struct names *n)
{
	struct frame key = tcp(n->lan, 40000, n->far, 80, S, 0, 0);

	for (size_t i = 0; i < sizeof(life) / sizeof(life[0]); i++) {
		typeof(life[0]) *c = &life[i];
		struct frame f =
			c->reply ? tcp(n->far, 80, n->gw_wan, 40000, c->bits, c->seq, c->ack)
				 : tcp(n->lan, 40000, n->far, 80, c->bits, c->seq, c->ack);

		expect_in(f, c->reply ? WAN : LAN, REDIRECT,
			  c->reply ? line("tcp %s.80 > %s.40000 %s", n->far, n->lan,
					  strrchr(frame_text(&f), ' ') + 1)
				   : line("tcp %s.40000 > %s.80 %s", n->gw_wan, n->far,
					  strrchr(frame_text(&f), ' ') + 1));
		ck_assert_int_eq(entry_of(&key).f.state, c->state);
	}
}

START_TEST(a_connection_lives_and_ends)
{
	RULES(MASQUERADE(WAN));
	live(&names[_i]);
	ck_assert_uint_eq(entries(EST4 + _i), 2);
}
END_TEST

START_TEST(a_syn_in_time_wait_is_a_new_connection)
{
	const struct names *n = &names[_i];
	struct frame syn = tcp(n->lan, 40000, n->far, 80, S, 90000, 0);
	uint32_t id;

	RULES(MASQUERADE(WAN));
	live(n);
	id = entry_of(&syn).f.id;
	TAKES(syn, LAN, line("tcp %s.40000 > %s.80 S", n->gw_wan, n->far));
	ck_assert_uint_ne(entry_of(&syn).f.id, id);
	ck_assert_int_eq(entry_of(&syn).table, EMB4 + _i);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

static const struct {
	uint8_t bits;
	bool starts;
} starts[] = {
	{ S, true },	  { S | U, true },	{ S | 0xc0, true },
	{ A, true },	  { A | P, true },	{ 0, false },
	{ F, false },	  { S | F, false },	{ S | R, false },
	{ F | A, false }, { R, false },		{ R | A, false },
	{ S | A, false }, { F | P | U, false }, { S | F | R | A, false },
	{ P, false },	  { 0xff, false },
};

START_TEST(only_a_syn_or_a_picked_up_ack_starts_a_connection)
{
	typeof(starts[0]) *c = &starts[_i / 2];
	const struct names *n = &names[_i & 1];
	struct frame f = tcp(n->lan, 40000, n->far, 80, c->bits, 1000, 1);

	RULES(MASQUERADE(WAN));
	expect_drop(f, LAN, c->starts ? GW_REASON_NONE : GW_REASON_CT_INVALID);
	ck_assert_uint_eq(entries_all(), c->starts ? 2 : 0);
}
END_TEST

START_TEST(without_loose_an_ack_starts_nothing)
{
	RULES(MASQUERADE(WAN));
	stage.conf.flags = 0;
	stage_conf();
	expect_drop(tcp(LAN4, 40000, FAR4, 80, A, 1000, 1), LAN, GW_REASON_CT_INVALID);
	expect_drop(tcp(LAN4, 40000, FAR4, 80, S, 1000, 0), LAN, GW_REASON_NONE);
}
END_TEST

START_TEST(a_lost_synack_may_come_again)
{
	struct frame syn = tcp(LAN4, 40000, FAR4, 80, S, 1000, 0), key = syn;
	struct frame back = tcp(FAR4, 80, LAN4, 40000, S | A, 5000, 1001), again = back;
	struct frame syn2 = syn;

	ck_assert_int_eq(in(&syn, LAN), REDIRECT);
	ck_assert_int_eq(in(&syn2, LAN), REDIRECT);
	ck_assert_int_eq(in(&back, WAN), REDIRECT);
	ck_assert_int_eq(in(&again, WAN), REDIRECT);
	ck_assert_int_eq(entry_of(&key).f.state, GW_TCP_SYN_RECV);
	ck_assert_uint_eq(stat(GW_STAT_INVALID), 0);
	ck_assert_uint_eq(stat(GW_STAT_INSERT), 1);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, the_transition_table_is_the_one_of_linux, 0, 120);
	tcase_add_loop_test(tc, a_syn_flood_with_answers_promotes_nothing, 0, 2);
	tcase_add_loop_test(tc, only_the_right_ack_ends_the_handshake, 0, 2);
	tcase_add_loop_test(tc, promotion_leaves_exactly_two_entries, 0, 2);
	tcase_add_loop_test(tc, a_rst_is_believed_by_its_sequence_number, 0, 28);
	tcase_add_test(tc, a_rst_right_behind_the_senders_data_closes);
	tcase_add_test(tc, a_scaled_window_counts_in_full);
	tcase_add_test(tc, be_liberal_lets_everything_pass_but_a_rst_before_the_window);
	tcase_add_loop_test(tc, a_segment_must_fit_the_windows, 0,
			    8 * sizeof(window_rows) / sizeof(window_rows[0]));
	tcase_add_loop_test(tc, a_rst_as_the_only_answer_ends_the_connection, 0, 2);
	tcase_add_loop_test(tc, a_rst_of_the_side_that_began_ends_an_unanswered_connection, 0, 4);
	tcase_add_loop_test(tc, a_connection_lives_and_ends, 0, 2);
	tcase_add_loop_test(tc, a_syn_in_time_wait_is_a_new_connection, 0, 2);
	tcase_add_loop_test(tc, only_a_syn_or_a_picked_up_ack_starts_a_connection, 0, 34);
	tcase_add_test(tc, without_loose_an_ack_starts_nothing);
	tcase_add_test(tc, a_lost_synack_may_come_again);
}

int main(void)
{
	return stage_main("tcp", add);
}
