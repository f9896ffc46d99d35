/* SPDX-License-Identifier: GPL-2.0-only */
/* Fragments through translation, in every order. */
#include <string.h>
#include "stage.h"

static struct frame whole_udp(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	return FRAME(.src = src, .dst = dst, .proto = 17, .sport = sport, .dport = dport,
		     .data = 1992);
}

/* The translated fragments make a whole packet again, with a good checksum. */
static void expect_whole(const struct frame *parts, unsigned int n, const char *text)
{
	struct frame whole = frame_join(parts, n);

	ck_assert_str_eq(frame_text(&whole), text);
	ck_assert_int_eq(frame_bad_sums(&whole), 0);
}

START_TEST(fragments_in_order_are_translated)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan, 5000, n->far, 53), parts[3];

	RULES(MASQUERADE(WAN));
	for (int i = 0; i < 3; i++) {
		parts[i] = frame_fragment(&w, i * 800, i < 2 ? 800 : 400, 7);
		ck_assert_int_eq(in(&parts[i], LAN), REDIRECT);
	}
	expect_whole(parts, 3, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(fragments_of_a_moved_port_follow_it)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan_b, 5000, n->far, 53), parts[2];

	RULES(MASQUERADE(WAN));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	for (int i = 0; i < 2; i++) {
		parts[i] = frame_fragment(&w, i * 1000, 1000, 7);
		ck_assert_int_eq(in(&parts[i], LAN), REDIRECT);
	}
	ck_assert_uint_ne(get16(frame_l4(&parts[0])), 5000);
	expect_whole(parts, 2,
		     line("udp %s.%u > %s.53", n->gw_wan, get16(frame_l4(&parts[0])), n->far));
}
END_TEST

START_TEST(fragmented_answers_come_back)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->far, 53, n->gw_wan, 5000), parts[2];

	RULES(MASQUERADE(WAN));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	for (int i = 0; i < 2; i++) {
		parts[i] = frame_fragment(&w, i * 1000, 1000, 9);
		ck_assert_int_eq(in(&parts[i], WAN), REDIRECT);
	}
	expect_whole(parts, 2, line("udp %s.53 > %s.5000", n->far, n->lan));
}
END_TEST

/* @n fragments, the first one last: each is kept, then comes again behind the first. */
static void reversed(const struct names *names_, struct frame *parts, unsigned int n)
{
	struct frame again;

	for (unsigned int i = n - 1; i > 0; i--) {
		ck_assert_int_eq(in(&parts[i], LAN), SHOT);
		ck_assert_uint_eq(reason(GW_REASON_FRAG_EARLY), 0);
	}
	ck_assert_int_eq(in(&parts[0], LAN), REDIRECT);
	for (unsigned int i = 1; i < n; i++) {
		unsigned int at;

		ck_assert_msg(caught(&again), "fragment %u did not come again", i);
		at = frame_is6(&again) ? get16(again.b + FRAME_L3 + 42) & 0xfff8
				       : (get16(again.b + FRAME_L3 + 6) & 0x1fff) * 8;
		ck_assert_uint_lt(at / 500, n);
		parts[at / 500] = again;
		ck_assert_int_eq(in(&parts[at / 500], LAN), REDIRECT);
	}
	expect_whole(parts, n, line("udp %s.5000 > %s.53", names_->gw_wan, names_->far));
}

START_TEST(fragments_out_of_order_wait_for_the_first)
{
	const struct names *n = &names[_i & 1];
	unsigned int count = 2 + _i / 2;
	struct frame parts[8], w = FRAME(.src = n->lan, .dst = n->far, .proto = 17, .sport = 5000,
					 .dport = 53, .data = count * 504 - 8 - 3); /* odd */

	RULES(MASQUERADE(WAN));
	for (unsigned int i = 0; i < count; i++)
		parts[i] = frame_fragment(&w, i * 504, i < count - 1 ? 504 : 501, 7);
	reversed(n, parts, count);
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(fragments_without_their_first_are_kept_for_a_while_only)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan, 5000, n->far, 53), got;
	struct frame first = frame_fragment(&w, 0, 1000, 7),
		     later = frame_fragment(&w, 1000, 1000, 7);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&later, LAN), SHOT);
	stage_wait(31);
	ck_assert_int_eq(in(&first, LAN), REDIRECT);
	ck_assert(!caught(&got));
}
END_TEST

START_TEST(only_so_many_fragments_are_kept)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan, 5000, n->far, 53);

	RULES(MASQUERADE(WAN));
	for (int i = 1; i <= 8; i++) {
		struct frame f = frame_fragment(&w, i * 200, 200, 7);

		ck_assert_int_eq(in(&f, LAN), SHOT);
	}
	ck_assert_uint_eq(reason(GW_REASON_FRAG_EARLY), 0);
	expect_drop(frame_fragment(&w, 1800, 200, 7), LAN, GW_REASON_FRAG_EARLY);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(fragments_of_different_packets_do_not_mix)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan, 5000, n->far, 53);
	struct frame first = frame_fragment(&w, 0, 1000, 7),
		     other = frame_fragment(&w, 1000, 1000, 8);
	struct frame far = frame_fragment(&w, 1000, 1000, 7);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&first, LAN), REDIRECT);
	ck_assert_int_eq(in(&other, LAN), SHOT); /* another packet's: kept */
	ck_assert_int_eq(in(&far, DMZ), SHOT);	 /* from another interface */
}
END_TEST

START_TEST(a_big_ping_is_translated)
{
	const struct names *n = &names[_i];
	struct frame w = FRAME(.src = n->lan_b, .dst = n->far, .proto = _i ? 58 : 1,
			       .type = _i ? 128 : 8, .sport = 77, .data = 1992),
		     parts[2];

	RULES(MASQUERADE(WAN));
	TAKES(ping(n->lan, n->far, 77), LAN, "");
	for (int i = 0; i < 2; i++) {
		parts[i] = frame_fragment(&w, i * 1000, 1000, 7);
		ck_assert_int_eq(in(&parts[i], LAN), REDIRECT);
	}
	ck_assert_uint_ne(get16(frame_l4(&parts[0]) + 4), 77);
	expect_whole(parts, 2,
		     line("icmp %s > %s %s id %u", n->gw_wan, n->far, _i ? "128/0" : "8/0",
			  get16(frame_l4(&parts[0]) + 4)));
}
END_TEST

START_TEST(a_later_fragment_at_egress_without_its_first_is_dropped)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->gw_wan, 5000, n->far, 53),
		     f = frame_fragment(&w, 1000, 1000, 7);

	ck_assert_int_eq(out(&f, WAN, NOWHERE), SHOT);
	ck_assert_uint_eq(reason(GW_REASON_FRAG_EARLY), 1);
}
END_TEST

START_TEST(the_gateways_own_fragments_are_translated)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->gw_lan, 5000, n->far, 53), parts[2];

	RULES(MASQUERADE(WAN));
	for (int i = 0; i < 2; i++) {
		parts[i] = frame_fragment(&w, i * 1000, 1000, 7);
		ck_assert_int_eq(out(&parts[i], WAN, NOWHERE), PASS);
	}
	expect_whole(parts, 2, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
}
END_TEST

START_TEST(nothing_honest_starts_inside_a_tcp_header)
{
	const struct names *n = &names[_i];
	struct frame w = FRAME(.src = n->lan, .dst = n->far, .proto = 6, .sport = 5000, .dport = 80,
			       .bits = A, .data = 1000);

	expect_drop(frame_fragment(&w, 8, 800, 7), LAN, GW_REASON_FRAG_TINY);
	expect_drop(frame_fragment(&w, 0, 16, 7), LAN, GW_REASON_FRAG_TINY);
	expect_drop(frame_fragment(&w, 0, 8, 7), LAN, GW_REASON_FRAG_TINY);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(a_fragment_beyond_the_longest_packet_is_damage)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan, 5000, n->far, 53), f = frame_fragment(&w, 1000, 1000, 7);

	if (_i)
		put16(f.b + FRAME_L3 + 42, 65528);
	else
		put16(f.b + FRAME_L3 + 6, 65528 / 8);
	frame_seal(&f);
	expect_drop(f, LAN, GW_REASON_BAD_IP);
}
END_TEST

#define FORWARD GW_HOOK_FILTER_FORWARD
#define SECOND	1000000000ULL

/* How many of the two fragments of packet @id pass? */
static int fragments_passed(const struct frame *whole, uint32_t id)
{
	int passed = 0;

	for (int i = 0; i < 2; i++) {
		struct frame part = frame_fragment(whole, i * 1000, 1000, id);

		passed += in(&part, LAN) == REDIRECT;
	}
	return passed;
}

START_TEST(a_limit_is_asked_once_for_a_packet)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan, 5000, n->far, 53);

	/* 1/second burst 1 */
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .vary = 1,
		OPS(OP(.code = GW_OP_LIMIT, .len = 1, .lo = 3), PAIR(SECOND << 8, SECOND << 8)) },
	      { FORWARD, .verdict = GW_V_DROP });
	ck_assert_int_eq(fragments_passed(&w, 7), 2);
	ck_assert_int_eq(fragments_passed(&w, 8), 0);
	stage_wait(1);
	ck_assert_int_eq(fragments_passed(&w, 9), 2);
}
END_TEST

START_TEST(fragments_are_one_packet_to_a_counter)
{
	const struct names *n = &names[_i];
	struct frame w = whole_udp(n->lan, 5000, n->far, 53);
	struct gw_counter c;

	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .cid = 5 });
	ck_assert_int_eq(fragments_passed(&w, 7), 2);
	c = counter(5);
	ck_assert_uint_eq(c.pkts, 1);
	ck_assert_uint_eq(c.bytes, (_i ? 40 : 20) + 2000);
	ck_assert_uint_eq(entry_of(&w).f.pkts, 1);
	ck_assert_uint_eq(entry_of(&w).f.bytes, (_i ? 40 : 20) + 2000);
}
END_TEST

START_TEST(later_fragments_have_the_icmp_type_of_the_first)
{
	const struct names *n = &names[_i & 1];
	bool as_op = _i & 2;
	struct frame w = FRAME(.src = n->lan, .dst = n->far, .proto = _i & 1 ? 58 : 1,
			       .type = _i & 1 ? 128 : 8, .sport = 77, .data = 1992);

	if (as_op)
		RULES({ FORWARD, .verdict = GW_V_ACCEPT,
			OPS(OP(.code = GW_OP_RANGE,
			       .field = _i & 1 ? GW_F_ICMP6_TYPE : GW_F_ICMP_TYPE, .mask = 0xff,
			       .lo = _i & 1 ? 128 : 8, .hi = _i & 1 ? 128 : 8)) },
		      { FORWARD, .verdict = GW_V_DROP });
	else
		RULES({ FORWARD, .verdict = GW_V_ACCEPT, .dport = (_i & 1 ? 128 : 8) << 8 },
		      { FORWARD, .verdict = GW_V_DROP });
	ck_assert_int_eq(fragments_passed(&w, 7), 2);
}
END_TEST

START_TEST(an_atomic_fragment_is_a_whole_packet)
{
	struct frame f =
		FRAME(.src = LAN6, .dst = FAR6, .proto = 17, .sport = 5000, .dport = 53, .data = 8,
		      .ext_first = 44, .ext_len = 8, .ext = { 17, 0, 0, 0, 1, 2, 3, 4 });

	RULES(MASQUERADE(WAN));
	TAKES(f, LAN, line("udp %s.5000 > %s.53", GW_WAN6, FAR6));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, fragments_in_order_are_translated, 0, 2);
	tcase_add_loop_test(tc, fragments_of_a_moved_port_follow_it, 0, 2);
	tcase_add_loop_test(tc, fragmented_answers_come_back, 0, 2);
	tcase_add_loop_test(tc, fragments_out_of_order_wait_for_the_first, 0, 6);
	tcase_add_loop_test(tc, fragments_without_their_first_are_kept_for_a_while_only, 0, 2);
	tcase_add_loop_test(tc, only_so_many_fragments_are_kept, 0, 2);
	tcase_add_loop_test(tc, fragments_of_different_packets_do_not_mix, 0, 2);
	tcase_add_loop_test(tc, a_big_ping_is_translated, 0, 2);
	tcase_add_loop_test(tc, a_later_fragment_at_egress_without_its_first_is_dropped, 0, 2);
	tcase_add_loop_test(tc, the_gateways_own_fragments_are_translated, 0, 2);
	tcase_add_loop_test(tc, nothing_honest_starts_inside_a_tcp_header, 0, 2);
	tcase_add_loop_test(tc, a_fragment_beyond_the_longest_packet_is_damage, 0, 2);
	tcase_add_loop_test(tc, a_limit_is_asked_once_for_a_packet, 0, 2);
	tcase_add_loop_test(tc, fragments_are_one_packet_to_a_counter, 0, 2);
	tcase_add_loop_test(tc, later_fragments_have_the_icmp_type_of_the_first, 0, 4);
	tcase_add_test(tc, an_atomic_fragment_is_a_whole_packet);
}

int main(void)
{
	return stage_main("frag", add);
}
