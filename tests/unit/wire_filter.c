/* SPDX-License-Identifier: GPL-2.0-only */
/* Flow filters: each row is one filter (as JSON) and whether it selects the connection. */
#include <arpa/inet.h>
#include <check.h>
#include <wire/wire.h>

/* 10.0.0.5:51234 -> 8.8.8.8:443, masqueraded behind 203.0.113.1 */
static struct gw_event tcp_event(void)
{
	struct gw_event ev = {
		.type = GW_EVENT_NONE,
		.family = 4,
		.proto = IPPROTO_TCP,
		.state = GW_TCP_ESTABLISHED,
		.flags = GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED | GW_FLOW_SNAT,
		.id = 4000000000U,
		.mark = 0x1ab,
		.zone = 0,
		.rule = 17,
		.nat_rule = 4,
		.nat_rule2 = 5,
	};

	inet_pton(AF_INET, "10.0.0.5", &ev.tuple[0].saddr[0]);
	inet_pton(AF_INET, "8.8.8.8", &ev.tuple[0].daddr[0]);
	inet_pton(AF_INET, "8.8.8.8", &ev.tuple[1].saddr[0]);
	inet_pton(AF_INET, "203.0.113.1", &ev.tuple[1].daddr[0]);
	ev.tuple[0].sport = ev.tuple[1].dport = htons(51234);
	ev.tuple[0].dport = ev.tuple[1].sport = htons(443);
	return ev;
}

static struct gw_event ping6_event(void)
{
	struct gw_event ev = { .type = GW_EVENT_NEW, .family = 6, .proto = IPPROTO_ICMPV6 };

	inet_pton(AF_INET6, "2001:db8::5", ev.tuple[0].saddr);
	inet_pton(AF_INET6, "2001:db8:1::1", ev.tuple[0].daddr);
	memcpy(ev.tuple[1].saddr, ev.tuple[0].daddr, 16);
	memcpy(ev.tuple[1].daddr, ev.tuple[0].saddr, 16);
	ev.tuple[0].sport = ev.tuple[1].dport = htons(77);
	return ev;
}

static const struct {
	const char *json;
	bool tcp, ping6;
} match_cases[] = {
	{ "{}", true, true },
	{ "{\"family\": 4}", true, false },
	{ "{\"family\": 6}", false, true },
	{ "{\"proto\": 6}", true, false },
	{ "{\"proto\": 58}", false, true },
	{ "{\"state\": 3}", true, false },
	{ "{\"state\": 0}", false, false },
	{ "{\"status_set\": 4}", true, false },
	{ "{\"status_clear\": 2}", false, true },
	{ "{\"nat\": 8}", true, false },
	{ "{\"nat\": 16}", false, false },
	{ "{\"nat\": 24}", true, false },
	{ "{\"mark\": 427}", true, false },
	{ "{\"mark\": 1, \"mark_mask\": 1}", true, false },
	{ "{\"mark\": 0}", false, true },
	{ "{\"zone\": 0}", true, true },
	{ "{\"zone\": 1}", false, false },
	{ "{\"id\": 4000000000}", true, false },
	{ "{\"orig_src\": {\"addr\": \"10.0.0.5\"}}", true, false },
	{ "{\"orig_src\": {\"addr\": \"10.0.0.6\"}}", false, false },
	{ "{\"orig_src\": {\"addr\": \"10.0.0.0\", \"mask\": \"255.0.0.0\"}}", true, false },
	{ "{\"reply_dst\": {\"addr\": \"203.0.113.1\"}}", true, false },
	{ "{\"reply_src\": {\"addr\": \"8.8.8.8\"}}", true, false },
	{ "{\"orig_dst\": {\"addr\": \"2001:db8:1::\", \"mask\": \"ffff:ffff:ffff::\"}}", false,
	  true },
	{ "{\"orig_dst\": {\"addr\": \"2001:db8:1::2\"}}", false, false },
	{ "{\"orig_dport\": 443}", true, false },
	{ "{\"orig_dport\": 80}", false, false },
	{ "{\"orig_sport\": 51234, \"reply_dport\": 51234, \"reply_sport\": 443}", true, false },
	{ "{\"orig_sport\": 77}", false, false }, /* an ICMP id is no port */
	{ "{\"icmp_type\": 128}", false, true },
	{ "{\"icmp_type\": 8}", false, false },
	{ "{\"icmp_code\": 0}", false, true },
	{ "{\"icmp_code\": 1}", false, false },
	{ "{\"icmp_id\": 77}", false, true },
	{ "{\"rule\": 17}", true, false },
	{ "{\"rule\": 4}", false, false },
	{ "{\"nat_rule\": 4}", true, false },
	{ "{\"nat_rule\": 5}", true, false },
	{ "{\"nat_rule\": 17}", false, false },
	{ "{\"nat_addr\": \"203.0.113.1\"}", true, false },
	{ "{\"nat_addr\": \"8.8.8.8\"}", false, false }, /* an end, but no translated one */
	{ "{\"nat_addr\": \"203.0.113.1\", \"nat_port\": 51234}", false, false },
	{ "{\"pat\": 8}", false, false },
	{ "{\"orig_sport\": 51000, \"orig_sport_hi\": 52000}", true, false },
	{ "{\"orig_sport\": 51235, \"orig_sport_hi\": 52000}", false, false },
	{ "{\"none\": true}", false, false },
	{ "{\"iif\": \"lan0\"}", true, true }, /* nobody has looked it up: both are 0 */
	{ "{\"event_mask\": 2}", false, true },
	{ "{\"event_mask\": 1}", true, false },
};
START_TEST(a_filter_selects)
{
	struct gw_event tcp = tcp_event(), ping6 = ping6_event();
	struct flow_filter f;

	ck_assert_int_eq(flow_filter_from_json(match_cases[_i].json, &f), 0);
	ck_assert_msg(flow_filter_match(&f, &tcp) == match_cases[_i].tcp, "%s",
		      match_cases[_i].json);
	ck_assert_msg(flow_filter_match(&f, &ping6) == match_cases[_i].ping6, "%s",
		      match_cases[_i].json);
}
END_TEST

START_TEST(a_filter_survives_the_wire)
{
	_cleanup_(freep) char *one = NULL, *two = NULL;
	struct flow_filter f, g;

	ck_assert_int_eq(flow_filter_from_json(match_cases[_i].json, &f), 0);
	one = flow_filter_to_json(&f);
	ck_assert_ptr_nonnull(one);
	ck_assert_int_eq(flow_filter_from_json(one, &g), 0);
	two = flow_filter_to_json(&g);
	ck_assert_str_eq(one, two);
}
END_TEST

START_TEST(an_empty_filter_is_an_empty_object)
{
	_cleanup_(freep) char *text = NULL;
	struct flow_filter f;

	flow_filter_init(&f);
	text = flow_filter_to_json(&f);
	ck_assert_str_eq(text, "{}");
}
END_TEST

START_TEST(a_loss_concerns_every_reader)
{
	struct gw_event lost = { .type = GW_EVENT_LOST };
	struct flow_filter f;

	ck_assert_int_eq(flow_filter_from_json("{\"proto\": 6, \"event_mask\": 2}", &f), 0);
	ck_assert(flow_filter_match(&f, &lost));
}
END_TEST

static const char *const bad_filters[] = {
	"",
	"[]",
	"1",
	"{",
	"{\"colour\": 1}",
	"{\"none\": false}",
	"{\"iif\": \"\"}",
	"{\"oif\": \"abcdefghijklmnop\"}",
	"{\"nat_addr\": \"x\"}",
	"{\"orig_sport\": 5, \"orig_sport_hi\": 4}",
	"{\"rule\": -2}",
	"{\"proto\": \"tcp\"}",
	"{\"proto\": 256}",
	"{\"proto\": -2}",
	"{\"family\": 5}",
	"{\"id\": 4294967296}",
	"{\"orig_sport\": 65536}",
	"{\"orig_sport\": 1.5}",
	"{\"mark\": 4294967296}",
	"{\"mark\": -1}",
	"{\"mark_mask\": true}",
	"{\"orig_src\": \"10.0.0.1\"}",
	"{\"orig_src\": {}}",
	"{\"orig_src\": {\"addr\": \"10.0.0\"}}",
	"{\"orig_src\": {\"addr\": 1}}",
	"{\"orig_src\": {\"addr\": \"10.0.0.1\", \"mask\": \"ffff::\"}}",
	"{\"orig_src\": {\"addr\": \"10.0.0.1\", \"plen\": 8}}",
	"{\"proto\": 6, \"proto\": 17}",
	"{\"state\": 10}",
	"{\"nat\": 1024}",
};
START_TEST(a_filter_that_is_not_understood_is_refused)
{
	struct flow_filter f = { .family = 42 };

	ck_assert_msg(flow_filter_from_json(bad_filters[_i], &f) == -EINVAL, "%s", bad_filters[_i]);
	ck_assert_int_eq(f.family, 42); /* never clobbered on failure */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire_filter");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, a_filter_selects, 0, ARRAY_SIZE(match_cases));
	tcase_add_loop_test(tc, a_filter_survives_the_wire, 0, ARRAY_SIZE(match_cases));
	tcase_add_test(tc, an_empty_filter_is_an_empty_object);
	tcase_add_test(tc, a_loss_concerns_every_reader);
	tcase_add_loop_test(tc, a_filter_that_is_not_understood_is_refused, 0,
			    ARRAY_SIZE(bad_filters));
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
