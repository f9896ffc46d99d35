/* SPDX-License-Identifier: GPL-2.0-only */
/* Refusals: the answer is the packet itself, turned round. */
#include <string.h>
#include "stage.h"

static void reject_with(uint32_t arg)
{
	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_REJECT, .arg = arg, .cid = 1 },
	      { .hook = GW_HOOK_FILTER_INPUT, .verdict = GW_V_REJECT, .arg = arg, .cid = 2 });
}

/* The packet comes back as this text, counted once as a reject. */
static struct frame refused(struct frame f, const char *text)
{
	uint8_t mac[6];
	uint64_t before = reason(GW_REASON_REJECT);

	memcpy(mac, f.b + 6, 6);
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_str_eq(frame_text(&f), text);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	ck_assert_mem_eq(f.b, mac, 6);
	ck_assert_uint_eq(reason(GW_REASON_REJECT), before + 1);
	ck_assert_uint_eq(entries_all(), 0);
	return f;
}

static const struct {
	uint32_t arg;
	const char *v4, *v6;
} kinds[] = {
	{ GW_REJECT_PORT, "3/3", "1/4" },      { GW_REJECT_NET, "3/0", "1/0" },
	{ GW_REJECT_HOST, "3/1", "1/3" },      { GW_REJECT_ADMIN, "3/13", "1/1" },
	{ GW_REJECT_TCP_RESET, "3/3", "1/4" }, /* of what is not TCP */
	{ GW_REJECT_PROTO, "3/2", "1/4" },     { GW_REJECT_NET_PRO, "3/9", "1/1" },
	{ GW_REJECT_HOST_PRO, "3/10", "1/1" }, { GW_REJECT_POLICY, "3/13", "1/5" },
	{ GW_REJECT_ROUTE, "3/13", "1/6" },
};

START_TEST(each_kind_answers_with_its_icmp_error)
{
	typeof(kinds[0]) *c = &kinds[_i / 2];
	const struct names *n = &names[_i & 1];
	struct frame f;

	reject_with(c->arg);
	f = refused(udp(n->lan, 5000, n->far, 53),
		    line("icmp %s > %s %s (udp %s.5000 > %s.53)", n->gw_lan, n->lan,
			 _i & 1 ? c->v6 : c->v4, n->lan, n->far));
	ck_assert_uint_eq(f.len, FRAME_L3 + (_i & 1 ? 48 + 60 : 28 + 40));
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

/* FORWARD refuses behind the router's hop. */
START_TEST(the_quote_is_the_packet_with_one_hop_less)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->lan, 5000, n->far, 53), back;

	reject_with(GW_REJECT_PORT);
	back = f;
	ck_assert_int_eq(in(&back, LAN), REDIRECT);
	--*frame_ttl(&f);
	frame_seal(&f);
	ck_assert_mem_eq(back.b + FRAME_L3 + (_i ? 48 : 28), f.b + FRAME_L3, f.len - FRAME_L3);
}
END_TEST

START_TEST(a_packet_to_the_gateway_is_refused_by_the_address_it_asked)
{
	const struct names *n = &names[_i];

	reject_with(GW_REJECT_PORT);
	refused(udp(n->lan, 5000, n->gw_wan, 53),
		line("icmp %s > %s %s (udp %s.5000 > %s.53)", n->gw_wan, n->lan, _i ? "1/4" : "3/3",
		     n->lan, n->gw_wan));
}
END_TEST

/* What stands behind the forwarded port says nothing of itself. */
START_TEST(a_packet_that_dnat_moved_is_refused_by_the_address_it_asked)
{
	const struct names *n = &names[_i];

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.proto = 17,
		.dport = 53,
		.nat = GW_NAT_DNAT,
		.to = n->dmz,
		.port_lo = 80 },
	      { .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_REJECT, .arg = GW_REJECT_PORT });
	refused(udp(n->lan, 5000, n->far, 53), line("icmp %s > %s %s (udp %s.5000 > %s.53)", n->far,
						    n->lan, _i ? "1/4" : "3/3", n->lan, n->far));
}
END_TEST

START_TEST(a_long_packet_is_quoted_in_part)
{
	const struct names *n = &names[_i];
	struct frame f = FRAME(.src = n->lan, .dst = n->far, .proto = 17, .sport = 5000,
			       .dport = 53, .data = 1400);

	reject_with(GW_REJECT_PORT);
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_uint_eq(f.len, FRAME_L3 + (_i ? 1280 : 576));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

START_TEST(an_odd_length_is_summed_right)
{
	const struct names *n = &names[_i & 1];
	struct frame f = FRAME(.src = n->lan, .dst = n->far, .proto = 17, .sport = 5000,
			       .dport = 53, .data = _i / 2);

	reject_with(GW_REJECT_PORT);
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

static const struct {
	uint8_t bits, data;
	uint32_t seq, ack;
	uint8_t r_bits;
	uint32_t r_seq, r_ack;
} resets[] = {
	{ S, 0, 1000, 0, R | A, 0, 1001 },    { S, 10, 1000, 0, R | A, 0, 1011 },
	{ A, 0, 1000, 7000, R, 7000, 0 },     { A | P, 100, 1000, 7000, R, 7000, 0 },
	{ F | A, 0, 1000, 7000, R, 7000, 0 },
};

START_TEST(a_reset_has_the_numbers_the_sender_expects)
{
	typeof(resets[0]) *c = &resets[_i / 2];
	const struct names *n = &names[_i & 1];
	struct frame f = FRAME(.src = n->lan, .dst = n->far, .proto = 6, .sport = 5000, .dport = 80,
			       .bits = c->bits, .seq = c->seq, .ack = c->ack, .data = c->data);
	uint8_t *l4;

	reject_with(GW_REJECT_TCP_RESET);
	f = refused(f, line("tcp %s.80 > %s.5000 %s", n->far, n->lan, c->r_bits & A ? "RA" : "R"));
	l4 = frame_l4(&f);
	ck_assert_uint_eq(get32(l4 + 4), c->r_seq);
	ck_assert_uint_eq(get32(l4 + 8), c->r_ack);
	ck_assert_uint_eq(f.len, FRAME_L3 + (_i & 1 ? 60 : 40));
}
END_TEST

/* What nobody may answer is dropped in silence, and counted. */
static void silent(struct frame f)
{
	expect_drop(f, LAN, GW_REASON_REJECT);
}

START_TEST(a_rst_an_error_and_a_later_fragment_are_not_answered)
{
	const struct names *n = &names[_i];
	struct frame whole = FRAME(.src = n->lan, .dst = n->far, .proto = 17, .sport = 5000,
				   .dport = 53, .data = 1200);
	struct frame quoted = udp(n->far, 53, n->lan, 5000);
	struct frame first = frame_fragment(&whole, 0, 800, 7);

	reject_with(GW_REJECT_TCP_RESET);
	silent(tcp(n->lan, 5000, n->far, 80, R, 1, 0));
	silent(icmp_error(n->lan, n->far, _i ? 1 : 3, _i ? 4 : 3, &quoted, 0));
	ck_assert_int_eq(in(&first, LAN), REDIRECT);
	silent(frame_fragment(&whole, 800, 408, 7));
}
END_TEST

START_TEST(a_reject_at_egress_only_drops)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->gw_wan, 5000, n->far, 53);

	RULES({ .hook = GW_HOOK_FILTER_OUTPUT, .verdict = GW_V_REJECT, .cid = 1 });
	ck_assert_int_eq(out(&f, WAN, NOWHERE), SHOT);
	ck_assert_uint_eq(reason(GW_REASON_REJECT), 1);
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

START_TEST(an_established_connection_can_be_refused)
{
	const struct names *n = &names[_i];
	struct frame ack, back;

	RULES(MASQUERADE(WAN));
	handshake(n->lan, 40000, n->far, 80, &ack, &back);
	RULES(MASQUERADE(WAN), { .hook = GW_HOOK_FILTER_FORWARD,
				 .verdict = GW_V_REJECT,
				 .arg = GW_REJECT_TCP_RESET,
				 .proto = 6 });
	ck_assert_int_eq(in(&ack, LAN), REDIRECT);
	ck_assert_str_eq(frame_text(&ack), line("tcp %s.80 > %s.40000 R", n->far, n->lan));
	ck_assert_int_eq(frame_bad_sums(&ack), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, each_kind_answers_with_its_icmp_error, 0,
			    2 * sizeof(kinds) / sizeof(kinds[0]));
	tcase_add_loop_test(tc, the_quote_is_the_packet_with_one_hop_less, 0, 2);
	tcase_add_loop_test(tc, a_packet_to_the_gateway_is_refused_by_the_address_it_asked, 0, 2);
	tcase_add_loop_test(tc, a_packet_that_dnat_moved_is_refused_by_the_address_it_asked, 0, 2);
	tcase_add_loop_test(tc, a_long_packet_is_quoted_in_part, 0, 2);
	tcase_add_loop_test(tc, an_odd_length_is_summed_right, 0, 12);
	tcase_add_loop_test(tc, a_reset_has_the_numbers_the_sender_expects, 0, 10);
	tcase_add_loop_test(tc, a_rst_an_error_and_a_later_fragment_are_not_answered, 0, 2);
	tcase_add_loop_test(tc, a_reject_at_egress_only_drops, 0, 2);
	tcase_add_loop_test(tc, an_established_connection_can_be_refused, 0, 2);
}

int main(void)
{
	return stage_main("reject", add);
}
