/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DCCP (RFC 4340), which no current kernel tracks any more, and what SCTP needs beside the walks of e2e/net_protocols: those compare
 * every state with netfilter.
 */
#include <stdio.h>
#include <string.h>
#include "stage.h"

enum { REQ, RSP, DATA, ACK, DATAACK, CLOSEREQ, CLOSE, RESET, SYNC, SYNCACK, RESERVED };

static struct frame dccp(const struct names *n, bool reply, uint8_t type, uint32_t seq,
			 uint32_t ack)
{
	struct frame f = FRAME(.src = reply ? n->far : n->lan, .dst = reply ? n->lan : n->far,
			       .proto = 33, .data = 32);
	uint8_t *l4 = frame_l4(&f);

	memset(l4, 0, 32);
	put16(l4, reply ? 5001 : 40000);
	put16(l4 + 2, reply ? 40000 : 5001);
	l4[4] = 7; /* data offset: 28 bytes */
	l4[8] = (uint8_t)(type << 1 | 1);
	put32(l4 + 12, seq);
	put32(l4 + 20, ack);
	return f;
}

struct step {
	bool reply;
	uint8_t type;
	uint32_t seq, ack;
	int state; /* after it; -1 = INVALID */
};

static void walk(const struct names *n, const struct step *steps, size_t count)
{
	struct frame key = dccp(n, false, REQ, 0, 0);

	for (size_t i = 0; i < count; i++) {
		const struct step *s = &steps[i];
		uint64_t invalid = stat(GW_STAT_INVALID);
		struct frame f = dccp(n, s->reply, s->type, s->seq, s->ack);

		in(&f, s->reply ? WAN : LAN);
		ck_assert_msg((stat(GW_STAT_INVALID) > invalid) == (s->state < 0),
			      "step %zu: INVALID?", i);
		if (s->state >= 0)
			ck_assert_msg(entry_of(&key).f.state == s->state,
				      "step %zu: state %u, not %d", i, entry_of(&key).f.state,
				      s->state);
	}
}
#define WALK(n, ...)                                  \
	walk(n, (const struct step[]){ __VA_ARGS__ }, \
	     sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

START_TEST(a_dccp_connection_from_request_to_reset)
{
	const struct names *n = &names[_i];
	struct frame key = dccp(n, false, REQ, 0, 0);

	RULES();
	WALK(n, { false, REQ, 100, 0, GW_DCCP_REQUEST }, { false, DATA, 101, 0, -1 },
	     { true, RSP, 900, 100, GW_DCCP_RESPOND }, { false, DATA, 101, 0, -1 },
	     { false, ACK, 101, 900, GW_DCCP_PARTOPEN });
	ck_assert(entry_of(&key).f.flags & GW_FLOW_ASSURED);
	ck_assert_int_eq(entry_of(&key).table, EST4 + _i);
	WALK(n, { true, DATAACK, 901, 101, GW_DCCP_OPEN }, { false, DATA, 102, 0, GW_DCCP_OPEN },
	     { false, RESERVED, 103, 0, -1 }, { false, CLOSEREQ, 103, 0, -1 },
	     { true, SYNC, 902, 102, GW_DCCP_OPEN }, { true, CLOSEREQ, 903, 102, GW_DCCP_CLOSEREQ },
	     { true, DATA, 904, 0, -1 }, { false, CLOSE, 104, 903, GW_DCCP_CLOSING },
	     { true, RESET, 905, 104, GW_DCCP_TIMEWAIT }, { false, DATA, 105, 0, -1 });
}
END_TEST

START_TEST(an_ack_of_something_else_does_not_assure)
{
	const struct names *n = &names[_i];
	struct frame key = dccp(n, false, REQ, 0, 0);

	RULES();
	WALK(n, { false, REQ, 100, 0, GW_DCCP_REQUEST }, { true, RSP, 900, 100, GW_DCCP_RESPOND },
	     { false, ACK, 101, 899, GW_DCCP_PARTOPEN });
	ck_assert(!(entry_of(&key).f.flags & GW_FLOW_ASSURED));
	ck_assert_int_eq(entry_of(&key).table, EMB4 + _i);
}
END_TEST

START_TEST(dccp_starts_with_a_request_only)
{
	const struct names *n = &names[_i];

	RULES();
	for (uint8_t type = RSP; type <= RESERVED; type++)
		WALK(n, { false, type, 100, 0, -1 });
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(a_reset_as_the_only_answer_ends_it)
{
	const struct names *n = &names[_i];
	struct frame key = dccp(n, false, REQ, 0, 0), reset = dccp(n, true, RESET, 0, 100);

	RULES();
	WALK(n, { false, REQ, 100, 0, GW_DCCP_REQUEST });
	ck_assert_int_eq(in(&reset, WAN), REDIRECT);
	ck_assert_int_eq(entry_of(&key).table, NO_TABLE);
}
END_TEST

START_TEST(a_request_in_the_middle_is_believed_when_it_is_answered)
{
	const struct names *n = &names[_i];

	RULES();
	WALK(n, { false, REQ, 100, 0, GW_DCCP_REQUEST }, { true, RSP, 900, 100, GW_DCCP_RESPOND },
	     { false, ACK, 101, 900, GW_DCCP_PARTOPEN }, { true, DATA, 901, 0, GW_DCCP_OPEN },
	     { false, REQ, 5000, 0, GW_DCCP_OPEN }, { true, RSP, 7000, 5000, GW_DCCP_RESPOND },
	     { false, ACK, 5001, 7000, GW_DCCP_PARTOPEN });
}
END_TEST

START_TEST(the_other_end_may_begin_anew_after_the_end)
{
	const struct names *n = &names[_i];

	RULES();
	WALK(n, { false, REQ, 100, 0, GW_DCCP_REQUEST }, { true, RSP, 900, 100, GW_DCCP_RESPOND },
	     { true, RESET, 901, 100, GW_DCCP_TIMEWAIT }, { true, REQ, 3000, 0, GW_DCCP_REQUEST },
	     { false, RSP, 4000, 3000, GW_DCCP_RESPOND },
	     { true, ACK, 3001, 4000, GW_DCCP_PARTOPEN });
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ SCTP */

static struct frame sctp(const struct names *n, uint32_t tag, const uint8_t *chunks, uint16_t len)
{
	struct frame f =
		FRAME(.src = n->lan, .dst = n->far, .proto = 132, .data = (uint16_t)(12 + len));
	uint8_t *l4 = frame_l4(&f);

	memset(l4, 0, 12);
	put16(l4, 40000);
	put16(l4 + 2, 5000);
	put32(l4 + 4, tag);
	memcpy(l4 + 12, chunks, len);
	return f;
}

START_TEST(hostile_chunks_make_no_association)
{
	static const struct {
		const char *what;
		uint32_t tag;
		uint16_t len;
		uint8_t b[64];
	} rows[] = {
		{ "no chunk", 0, 0, { 0 } },
		{ "half a chunk header", 0, 2, { 1, 0 } },
		{ "length 0", 0, 20, { 1, 0, 0, 0, 0, 0, 0, 9 } },
		{ "INIT cut short", 0, 8, { 1, 0, 0, 20, 0, 0, 0, 9 } },
		{ "INIT with a tag", 5, 20, { 1, 0, 0, 20, 0, 0, 0, 9 } },
		{ "INIT and something more",
		  0,
		  24,
		  { [0] = 1, [3] = 20, [7] = 9, [20] = 4, [23] = 4 } },
		{ "something before INIT",
		  0,
		  24,
		  { [0] = 4, [3] = 4, [4] = 1, [7] = 20, [11] = 9 } },
		{ "DATA", 5, 8, { 0, 3, 0, 8 } },
		{ "an unknown chunk", 5, 8, { 200, 0, 0, 8 } },
		{ "ABORT", 5, 4, { 6, 0, 0, 4 } },
		{ "COOKIE ACK", 5, 4, { 11, 0, 0, 4 } },
		{ "nine ERRORs", 0, 36, { 9, 0, 0, 4, 9, 0, 0, 4, 9, 0, 0, 4, 9, 0, 0, 4, 9, 0,
					  0, 4, 9, 0, 0, 4, 9, 0, 0, 4, 9, 0, 0, 4, 9, 0, 0, 4 } },
	};
	const struct names *n = &names[_i];

	RULES();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame f = sctp(n, rows[i].tag, rows[i].b, rows[i].len);
		uint64_t invalid = stat(GW_STAT_INVALID);

		in(&f, LAN);
		ck_assert_msg(stat(GW_STAT_INVALID) == invalid + 1, "%s is not INVALID",
			      rows[i].what);
		ck_assert_msg(!entries_all(), "%s made an entry", rows[i].what);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_dccp_connection_from_request_to_reset, 0, 2);
	tcase_add_loop_test(tc, an_ack_of_something_else_does_not_assure, 0, 2);
	tcase_add_loop_test(tc, dccp_starts_with_a_request_only, 0, 2);
	tcase_add_loop_test(tc, a_reset_as_the_only_answer_ends_it, 0, 2);
	tcase_add_loop_test(tc, a_request_in_the_middle_is_believed_when_it_is_answered, 0, 2);
	tcase_add_loop_test(tc, the_other_end_may_begin_anew_after_the_end, 0, 2);
	tcase_add_loop_test(tc, hostile_chunks_make_no_association, 0, 2);
}

int main(void)
{
	return stage_main("assoc", add);
}
