/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP errors: they belong to the connection they quote, and the quote is restored. */
#include <string.h>
#include "stage.h"

/* Who sends the errors: a router on the way. */
static const char *const router[2] = { "9.9.9.9", "2001:db8:5::5" };

static const struct {
	uint8_t type4, code4, type6, code6;
} errors[] = {
	{ 3, 0, 1, 0 },	 { 3, 1, 1, 3 },  { 3, 3, 1, 4 },  { 3, 4, 2, 0 },
	{ 3, 13, 1, 1 }, { 11, 0, 3, 0 }, { 11, 1, 3, 1 }, { 12, 0, 4, 0 },
};

static struct frame error(int v6, int row, const char *dst, const struct frame *quote, uint16_t len)
{
	typeof(errors[0]) *e = &errors[row];

	return icmp_error(router[v6], dst, v6 ? e->type6 : e->type4, v6 ? e->code6 : e->code4,
			  quote, len);
}

static const char *kind(int v6, int row)
{
	typeof(errors[0]) *e = &errors[row];

	return line("%u/%u", v6 ? e->type6 : e->type4, v6 ? e->code6 : e->code4);
}

#define HOST_UNREACHABLE 1
#define TOO_BIG		 3

/* How much the router quotes: everything, or the least: the IP header and 8 bytes. */
static uint16_t quoted(int v6, bool least)
{
	return least ? (v6 ? 48 : 28) : 0;
}

START_TEST(every_error_finds_its_sender_and_restores_the_quote)
{
	int v6 = _i & 1, row = _i / 4;
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	TAKES(error(v6, row, n->gw_wan, &f, quoted(v6, _i & 2)), WAN,
	      line("icmp %s > %s %s (udp %s.5000 > %s.53)", router[v6], n->lan, kind(v6, row),
		   n->lan, n->far));
	ck_assert_uint_eq(entries_all(), 2);
}
END_TEST

START_TEST(a_quoted_tcp_segment_is_restored)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = tcp(n->lan_b, 5000, n->far, 80, S, 1, 0);

	RULES(MASQUERADE(WAN));
	TAKES(tcp(n->lan, 5000, n->far, 80, S, 1, 0), LAN, "");
	ck_assert_int_eq(in(&f, LAN), REDIRECT); /* its port was moved */
	TAKES(error(v6, HOST_UNREACHABLE, n->gw_wan, &f, 0), WAN,
	      line("icmp %s > %s %s (tcp %s.5000 > %s.80 S)", router[v6], n->lan_b,
		   kind(v6, HOST_UNREACHABLE), n->lan_b, n->far));
}
END_TEST

START_TEST(eight_quoted_bytes_of_tcp_are_enough)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = tcp(n->lan_b, 5000, n->far, 80, S, 1, 0);

	RULES(MASQUERADE(WAN));
	TAKES(tcp(n->lan, 5000, n->far, 80, S, 1, 0), LAN, "");
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	TAKES(error(v6, HOST_UNREACHABLE, n->gw_wan, &f, quoted(v6, true)), WAN,
	      line("icmp %s > %s %s (tcp %s.5000 > %s.80)", router[v6], n->lan_b,
		   kind(v6, HOST_UNREACHABLE), n->lan_b, n->far));
}
END_TEST

START_TEST(a_quoted_echo_gets_its_id_back)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = ping(n->lan_b, n->far, 77);

	RULES(MASQUERADE(WAN));
	TAKES(ping(n->lan, n->far, 77), LAN, "");
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	TAKES(error(v6, HOST_UNREACHABLE, n->gw_wan, &f, 0), WAN,
	      line("icmp %s > %s %s (icmp %s > %s %s id 77)", router[v6], n->lan_b,
		   kind(v6, HOST_UNREACHABLE), n->lan_b, n->far, v6 ? "128/0" : "8/0"));
}
END_TEST

START_TEST(the_mtu_of_a_too_big_error_is_kept)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53), e;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	e = FRAME(.src = router[v6], .dst = n->gw_wan, .proto = v6 ? 58 : 1, .type = v6 ? 2 : 3,
		  .code = v6 ? 0 : 4, .quote = &f, .sport = 1400);
	ck_assert_int_eq(in(&e, WAN), REDIRECT);
	ck_assert_uint_eq(get16(frame_l4(&e) + 6), 1400);
	ck_assert_int_eq(frame_bad_sums(&e), 0);
}
END_TEST

/* The error concerns a packet of the reply direction: it leaves as the gateway, about what the far end sent. */
START_TEST(an_error_from_inside_shows_nothing_private)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53), back = udp(n->far, 53, n->gw_wan, 5000), e;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_int_eq(in(&back, WAN), REDIRECT);
	e = icmp_error(n->lan, n->far, v6 ? 1 : 3, v6 ? 4 : 3, &back, 0);
	TAKES(e, LAN,
	      line("icmp %s > %s %s (udp %s.53 > %s.5000)", n->gw_wan, n->far, v6 ? "1/4" : "3/3",
		   n->far, n->gw_wan));
}
END_TEST

START_TEST(an_error_about_a_forwarded_port_shows_the_public_one)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = udp(n->far, 6000, n->gw_wan, 8080), e;

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.proto = 17,
		.dport = 8080,
		.nat = GW_NAT_DNAT,
		.to = n->dmz,
		.port_lo = 80 });
	ck_assert_int_eq(in(&f, WAN), REDIRECT);
	e = icmp_error(n->dmz, n->far, v6 ? 1 : 3, v6 ? 4 : 3, &f, 0);
	TAKES(e, DMZ,
	      line("icmp %s > %s %s (udp %s.6000 > %s.8080)", n->gw_wan, n->far, v6 ? "1/4" : "3/3",
		   n->far, n->gw_wan));
}
END_TEST

/* The stack answers for the last hop: it saw the packet behind DNAT, the sender must not. */
START_TEST(the_gateways_own_error_is_about_what_the_sender_sent)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = FRAME(.src = n->far, .dst = n->gw_wan, .proto = 17, .sport = 6000,
			       .dport = 8080, .ttl = 1, .data = 8),
		     e;

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.proto = 17,
		.dport = 8080,
		.nat = GW_NAT_DNAT,
		.to = n->dmz,
		.port_lo = 80 },
	      MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, WAN), PASS);
	for (int i = 0; i < 2; i++) {
		/* whatever address the stack took: it comes from whom the sender wrote to */
		e = icmp_error(i ? n->gw_dmz : n->gw_wan, n->far, v6 ? 3 : 11, 0, &f, 0);
		ck_assert_int_eq(out(&e, WAN, NOWHERE), PASS);
		ck_assert_str_eq(frame_text(&e),
				 line("icmp %s > %s %s (udp %s.6000 > %s.8080)", n->gw_wan, n->far,
				      v6 ? "3/0" : "11/0", n->far, n->gw_wan));
		ck_assert_int_eq(frame_bad_sums(&e), 0);
	}
}
END_TEST

START_TEST(an_error_is_related_and_moves_no_connection)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53), key = f;

	RULES(MASQUERADE(WAN), { .hook = GW_HOOK_FILTER_FORWARD,
				 .verdict = GW_V_CONTINUE,
				 .ctstate = 1 << GW_CT_RELATED,
				 .cid = 1 });
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	TAKES(error(v6, 0, n->gw_wan, &f, 0), WAN, "");
	ck_assert_uint_eq(counter(1).pkts, 1);
	ck_assert_int_eq(entry_of(&key).f.flags & GW_FLOW_SEEN_REPLY, 0);
	ck_assert_uint_eq(entry_of(&key).f.pkts, 1);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ lies */

static void expect_error_drop(struct frame f)
{
	expect_drop(f, WAN, GW_REASON_ICMP_ERROR);
}

START_TEST(an_error_about_nothing_of_ours_is_dropped)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53), lie, late;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	lie = udp(n->gw_wan, 5001, n->far, 53);
	expect_error_drop(error(v6, 0, n->lan, &lie, 0));
	lie = udp(n->lan, 5000, n->far, 53); /* as it never was on that wire */
	expect_error_drop(error(v6, 0, n->lan, &lie, 0));
	late = f;
	ck_assert(kill_flow(&lie, 0));
	expect_error_drop(error(v6, 0, n->lan, &late, 0));
	/* the gateway's own stack may judge what is addressed to it */
	expect_in(error(v6, 0, n->gw_wan, &late, 0), WAN, PASS, "");
}
END_TEST

START_TEST(an_error_about_an_untranslated_connection_does_not_leave_where_masquerade_applies)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53), back = udp(n->far, 53, n->lan, 5000);

	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_int_eq(in(&back, WAN), REDIRECT);
	RULES(MASQUERADE(WAN)); /* the connection is older than the rule */
	expect_drop(icmp_error(n->lan, n->far, v6 ? 1 : 3, v6 ? 4 : 3, &back, 0), LAN,
		    GW_REASON_ICMP_ERROR);
	/* inwards there is nothing to hide */
	TAKES(error(v6, 0, n->lan, &f, 0), WAN, "");
}
END_TEST

START_TEST(a_damaged_error_is_not_repaired)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53), e;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	e = error(v6, 0, n->gw_wan, &f, 0);
	frame_l4(&e)[2] ^= 0x10;
	/* addressed to the gateway and damaged: untouched to the stack, which drops it */
	expect_in(e, WAN, PASS, "");
	e = error(v6, 0, n->gw_wan, &f, 0);
	e.b[e.len - 1] ^= 1;
	ck_assert_int_eq(in(&e, WAN), PASS);
	ck_assert_int_eq(frame_bad_sums(&e) > 0, 1);
}
END_TEST

static const struct {
	const char *what;
	int at; /* in the quote */
	uint8_t value;
} damage4[] = { { "version", 0, 0x55 },
		{ "header length", 0, 0x44 },
		{ "fragment offset", 7, 3 },
		{ "header length beyond the end", 0, 0x4f } },
  damage6[] = { { "version", 0, 0x50 }, { "next header", 6, 43 }, { "next header", 6, 0 } };

START_TEST(a_damaged_quote_is_nobodys)
{
	bool v6 = _i >= 4;
	typeof(damage4[0]) *c = v6 ? (void *)&damage6[_i - 4] : (void *)&damage4[_i];
	const struct names *n = &names[v6];
	struct frame f = udp(n->lan, 5000, n->far, 53), e;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	e = error(v6, 0, n->gw_wan, &f, quoted(v6, true));
	frame_l4(&e)[8 + c->at] = c->value;
	frame_seal(&e);
	ck_assert_int_eq(in(&e, WAN), PASS); /* not sent to the inside */
	ck_assert_uint_eq(stat(GW_STAT_ERROR), 1);
}
END_TEST

START_TEST(a_redirect_is_never_translated)
{
	struct frame f = udp(LAN4, 5000, FAR4, 53);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	expect_error_drop(icmp_error(router[0], GW_WAN4, 5, 1, &f, 0));
}
END_TEST

START_TEST(a_too_big_fragment_is_found_behind_its_header)
{
	struct frame w = FRAME(.src = LAN6, .dst = FAR6, .proto = 17, .sport = 5000, .dport = 53,
			       .data = 1992),
		     f = frame_fragment(&w, 0, 1200, 7), e;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	e = icmp_error(router[1], GW_WAN6, 2, 0, &f, 400);
	TAKES(e, WAN, line("icmp %s > %s 2/0 (udp %s.5000 > %s.53)", router[1], LAN6, LAN6, FAR6));
}
END_TEST

START_TEST(odd_quotes_are_summed_right)
{
	int v6 = _i & 1;
	const struct names *n = &names[v6];
	struct frame f = FRAME(.src = n->lan, .dst = n->far, .proto = 17, .sport = 5000,
			       .dport = 53, .data = 200);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	for (int len = 0; len < 130; len++) {
		struct frame e = error(v6, 0, n->gw_wan, &f, quoted(v6, true) + len);

		ck_assert_int_eq(in(&e, WAN), REDIRECT);
		ck_assert_int_eq(frame_bad_sums(&e), 0);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, every_error_finds_its_sender_and_restores_the_quote, 0, 32);
	tcase_add_loop_test(tc, a_quoted_tcp_segment_is_restored, 0, 2);
	tcase_add_loop_test(tc, eight_quoted_bytes_of_tcp_are_enough, 0, 2);
	tcase_add_loop_test(tc, a_quoted_echo_gets_its_id_back, 0, 2);
	tcase_add_loop_test(tc, the_mtu_of_a_too_big_error_is_kept, 0, 2);
	tcase_add_loop_test(tc, an_error_from_inside_shows_nothing_private, 0, 2);
	tcase_add_loop_test(tc, an_error_about_a_forwarded_port_shows_the_public_one, 0, 2);
	tcase_add_loop_test(tc, the_gateways_own_error_is_about_what_the_sender_sent, 0, 2);
	tcase_add_loop_test(tc, an_error_is_related_and_moves_no_connection, 0, 2);
	tcase_add_loop_test(tc, an_error_about_nothing_of_ours_is_dropped, 0, 2);
	tcase_add_loop_test(
		tc,
		an_error_about_an_untranslated_connection_does_not_leave_where_masquerade_applies,
		0, 2);
	tcase_add_loop_test(tc, a_damaged_error_is_not_repaired, 0, 2);
	tcase_add_loop_test(tc, a_damaged_quote_is_nobodys, 0, 7);
	tcase_add_test(tc, a_redirect_is_never_translated);
	tcase_add_test(tc, a_too_big_fragment_is_found_behind_its_header);
	tcase_add_loop_test(tc, odd_quotes_are_summed_right, 0, 2);
}

int main(void)
{
	return stage_main("icmp", add);
}
