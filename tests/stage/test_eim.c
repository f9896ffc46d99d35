/* SPDX-License-Identifier: GPL-2.0-only */
/* Endpoint-independent mapping and filtering (RFC 4787 REQ-1, 2, 4, 6, 8, 9; RFC 5382; RFC 5508 REQ-1). */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "stage.h"

#define EIM .nat_flags = GW_NATF_ENDPOINT

static uint16_t port_of(struct frame *f)
{
	ck_assert_int_eq(in(f, LAN), REDIRECT);
	ck_assert_int_eq(frame_bad_sums(f), 0);
	return get16(frame_l4(f));
}

/* The source port that a packet leaves with. */
static uint16_t sends(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	struct frame f = udp(src, sport, dst, dport);

	return port_of(&f);
}

static const char *second(int v6)
{
	return v6 ? "2001:db8:9::10" : "8.8.4.4";
}

START_TEST(all_connections_of_an_endpoint_leave_from_one_port)
{
	const struct names *n = &names[_i];
	uint16_t port;

	RULES(MASQUERADE(WAN, EIM));
	/* 5000 is another host's: taken for every destination, not for one */
	ck_assert_uint_eq(sends(n->lan_b, 5000, n->far, 53), 5000);
	port = sends(n->lan, 5000, second(_i), 53);
	ck_assert_uint_ne(port, 5000);
	ck_assert_uint_eq(sends(n->lan, 5000, second(_i), 54), port);
	ck_assert_uint_eq(sends(n->lan, 5000, n->far, 53), port);
	ck_assert_uint_eq(sends(n->lan_b, 5000, second(_i), 54), 5000);
	ck_assert_uint_eq(mappings(), 2);
	/* TCP has ports of its own */
	TAKES(tcp(n->lan, 5000, n->far, 80, S, 1, 0), LAN,
	      line("tcp %s.5000 > %s.80 S", n->gw_wan, n->far));
}
END_TEST

START_TEST(a_moved_port_keeps_its_parity)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, EIM));
	for (uint16_t port = 5000; port < 5020; port++) {
		ck_assert_uint_eq(sends(n->lan_b, port, n->far, 53), port);
		ck_assert_uint_eq(sends(n->lan, port, n->far, 53) & 1, port & 1);
	}
}
END_TEST

START_TEST(queries_of_one_id_leave_with_one_id)
{
	const struct names *n = &names[_i];
	struct frame a = ping(n->lan, n->far, 77), b = ping(n->lan, second(_i), 77);

	RULES(MASQUERADE(WAN, EIM));
	TAKES(ping(n->lan_b, n->far, 77), LAN, "");
	ck_assert_int_eq(in(&a, LAN), REDIRECT);
	ck_assert_int_eq(in(&b, LAN), REDIRECT);
	ck_assert_uint_ne(get16(frame_l4(&a) + 4), 77);
	ck_assert_uint_eq(get16(frame_l4(&a) + 4), get16(frame_l4(&b) + 4));
}
END_TEST

START_TEST(any_remote_reaches_who_is_behind_a_mapping)
{
	const struct names *n = &names[_i];
	struct frame f = udp(second(_i), 9999, n->gw_wan, 5000);

	RULES(MASQUERADE(WAN, EIM));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	ck_assert_int_eq(in(&f, WAN), REDIRECT);
	ck_assert_str_eq(frame_text(&f), line("udp %s.9999 > %s.5000", second(_i), n->lan));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	expect_event(line("NEW udp %s.5000 > %s.53, %s.53 > %s.5000 UNREPLIED", n->lan, n->far,
			  n->far, n->gw_wan));
	expect_event(line("NEW udp %s.9999 > %s.5000, %s.5000 > %s.9999 UNREPLIED", second(_i),
			  n->gw_wan, n->lan, second(_i)));
	TAKES(udp(n->lan, 5000, second(_i), 9999), LAN,
	      line("udp %s.5000 > %s.9999", n->gw_wan, second(_i)));
	/* another port, another protocol: nothing is mapped */
	expect_in(udp(second(_i), 9999, n->gw_wan, 5001), WAN, PASS, "");
	expect_in(tcp(second(_i), 9999, n->gw_wan, 5000, S, 1, 0), WAN, PASS, "");
}
END_TEST

START_TEST(the_filter_decides_about_what_comes_to_a_mapping)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, EIM), { .hook = GW_HOOK_FILTER_FORWARD,
				      .verdict = GW_V_DROP,
				      .iif = stage.ifindex[WAN],
				      .ctstate = 1 << GW_CT_NEW });
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	expect_drop(udp(second(_i), 9999, n->gw_wan, 5000), WAN, GW_REASON_RULE);
	TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, line("udp %s.53 > %s.5000", n->far, n->lan));
}
END_TEST

START_TEST(without_the_flag_nobody_else_gets_in)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	expect_in(udp(second(_i), 9999, n->gw_wan, 5000), WAN, PASS,
		  line("udp %s.9999 > %s.5000", second(_i), n->gw_wan));
	ck_assert_uint_eq(mappings(), 0);
}
END_TEST

START_TEST(a_rule_for_the_port_comes_before_a_mapping)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, EIM), { .hook = GW_HOOK_NAT_PREROUTING,
				      .verdict = GW_V_NAT,
				      .nat = GW_NAT_DNAT,
				      .iif = stage.ifindex[WAN],
				      .dport = 5000,
				      .proto = 17,
				      .to = n->dmz });
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	TAKES(udp(second(_i), 9999, n->gw_wan, 5000), WAN,
	      line("udp %s.9999 > %s.5000", second(_i), n->dmz));
}
END_TEST

/* RFC 4787 REQ-9: seen from the other side, the sender has its outside address. */
START_TEST(two_hosts_of_one_lan_speak_by_their_outside_endpoints)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, EIM));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	TAKES(udp(n->lan_b, 6000, n->far, 53), LAN, "");
	TAKES(udp(n->lan, 5000, n->gw_wan, 6000), LAN,
	      line("udp %s.5000 > %s.6000", n->gw_wan, n->lan_b));
	TAKES(udp(n->lan_b, 6000, n->gw_wan, 5000), LAN,
	      line("udp %s.6000 > %s.5000", n->gw_wan, n->lan));
	/* a host that has none yet gets one on the way */
	TAKES(udp(n->dmz, 7000, n->gw_wan, 6000), DMZ,
	      line("udp %s.7000 > %s.6000", n->gw_wan, n->lan_b));
	TAKES(udp(n->far, 1, n->gw_wan, 7000), WAN, line("udp %s.1 > %s.7000", n->far, n->dmz));
}
END_TEST

START_TEST(a_mapping_lives_as_long_as_something_goes_out)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, EIM));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	for (int i = 0; i < 5; i++) { /* from without: no refreshment */
		TAKES(udp(second(_i), 9999, n->gw_wan, 5000), WAN, "");
		stage_wait(25);
		expire();
		ck_assert_uint_eq(mappings(), i < 4);
	}
	expect_in(udp(second(_i), 9998, n->gw_wan, 5000), WAN, PASS, "");
	flush();
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	for (int i = 0; i < 5; i++) {
		TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
		stage_wait(100);
		expire();
		ck_assert_uint_eq(mappings(), 1);
	}
}
END_TEST

/* The connection holds its port, but what is idle from inside is closed for others. */
START_TEST(a_mapping_only_answered_from_without_is_kept_but_closed)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, EIM));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	for (int i = 0; i < 6; i++) {
		TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, "");
		stage_wait(25);
		expire();
	}
	ck_assert_uint_eq(mappings(), 1);
	expect_in(udp(second(_i), 9998, n->gw_wan, 5000), WAN, PASS, "");
	TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, line("udp %s.53 > %s.5000", n->far, n->lan));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	expire();
	TAKES(udp(second(_i), 9997, n->gw_wan, 5000), WAN, "");
}
END_TEST

START_TEST(a_tcp_mapping_ends_with_its_last_connection)
{
	const struct names *n = &names[_i];
	struct frame syn = tcp(n->lan, 5000, n->far, 80, S, 1, 0);

	RULES(MASQUERADE(WAN, EIM));
	TAKES(syn, LAN, "");
	TAKES(tcp(n->lan, 5000, second(_i), 80, S, 1, 0), LAN, "");
	stage_wait(1);
	expire();
	TAKES(tcp(second(_i), 9, n->gw_wan, 5000, S, 1, 0), WAN,
	      line("tcp %s.9 > %s.5000 S", second(_i), n->lan));
	ck_assert(kill_flow(&syn, 0));
	expire();
	ck_assert_uint_eq(mappings(), 1);
	stage_wait(121);
	expire();
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert_uint_eq(mappings(), 0);
}
END_TEST

START_TEST(a_port_that_is_mapped_is_nobody_elses)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN, EIM, .proto = 17, .src = n->lan), MASQUERADE(WAN, .src = n->lan_b));
	ck_assert_uint_eq(sends(n->lan, 5000, n->far, 53), 5000);
	ck_assert_uint_ne(sends(n->lan_b, 5000, second(_i), 54), 5000);
	ck_assert_uint_eq(sends(n->lan, 5000, second(_i), 54), 5000);
}
END_TEST

START_TEST(a_socket_of_the_gateway_keeps_its_port)
{
	const struct names *n = &names[_i];
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(5000) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(5000) };
	int fd = socket(_i ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	RULES(MASQUERADE(WAN, EIM));
	ck_assert_uint_eq(sends(n->lan_b, 5000, n->far, 53), 5000);
	ck_assert_int_eq(
		_i ? bind(fd, (void *)&to6, sizeof(to6)) : bind(fd, (void *)&to4, sizeof(to4)), 0);
	/* opened behind the mapping's back: others reach the socket now, the connection goes on */
	expect_in(udp(second(_i), 9, n->gw_wan, 5000), WAN, PASS, "");
	TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, "");
	flush();
	ck_assert_uint_ne(sends(n->lan, 5000, n->far, 53), 5000);
	close(fd);
}
END_TEST

START_TEST(a_full_range_is_told_to_the_sender)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->dmz, 5000, n->far, 54);

	RULES(MASQUERADE(WAN, EIM, .proto = 17, .port_lo = 7000, .port_hi = 7001));
	ck_assert_uint_ne(sends(n->lan, 5000, n->far, 53), sends(n->lan_b, 5000, n->far, 53));
	ck_assert_int_eq(in(&f, DMZ), REDIRECT);
	ck_assert_str_eq(frame_text(&f), line("icmp %s > %s %s (udp %s.5000 > %s.54)", n->gw_dmz,
					      n->dmz, _i ? "1/1" : "3/13", n->dmz, n->far));
	ck_assert_uint_eq(reason(GW_REASON_NAT_NO_PORT), 1);
	ck_assert_uint_eq(mappings(), 2);
}
END_TEST

START_TEST(a_host_leaves_by_one_address_of_a_pool)
{
	RULES({ .hook = GW_HOOK_NAT_POSTROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_SNAT,
		EIM,
		.oif = stage.ifindex[WAN],
		.to = "203.0.113.8",
		.to_hi = "203.0.113.15" });
	for (int host = 1; host < 20; host++) {
		char src[16], first[16] = "", now[16];

		snprintf(src, sizeof(src), "10.0.0.%d", 100 + host);
		for (int i = 0; i < 8; i++) {
			struct frame f = udp(src, 5000 + i, i & 1 ? FAR4 : "8.8.4.4", 53 + i);

			ck_assert_int_eq(in(&f, LAN), REDIRECT);
			inet_ntop(AF_INET, f.b + FRAME_L3 + 12, now, sizeof(now));
			if (!*first)
				strcpy(first, now);
			ck_assert_str_eq(first, now);
		}
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------- two at once */

#define RACE_PORTS 300

struct runner {
	int cpu;
	uint16_t got[RACE_PORTS];
};
static pthread_barrier_t line_up;

/* Each of the two opens a connection from the same endpoints, to a place of its own. */
static void *run_race(void *arg)
{
	struct runner *r = arg;

	for (int i = 0; i < RACE_PORTS; i++) {
		struct frame f = udp(LAN4, 20000 + i, FAR4, 53 + r->cpu);

		pthread_barrier_wait(&line_up);
		if (in_quick(&f, LAN) == REDIRECT)
			r->got[i] = get16(frame_l4(&f));
	}
	return NULL;
}

START_TEST(two_cpus_agree_about_the_port_of_an_endpoint)
{
	struct runner r[2] = { { .cpu = 0 }, { .cpu = 1 } };
	pthread_t other;

	stage.racy = true;
	RULES(MASQUERADE(WAN, .nat_flags = GW_NATF_ENDPOINT | GW_NATF_FULLY_RANDOM));
	pthread_barrier_init(&line_up, NULL, 2);
	ck_assert_int_eq(pthread_create(&other, NULL, run_race, &r[1]), 0);
	run_race(&r[0]);
	pthread_join(other, NULL);
	for (int i = 0; i < RACE_PORTS; i++) {
		ck_assert_uint_ne(r[0].got[i], 0);
		ck_assert_uint_eq(r[0].got[i], r[1].got[i]);
	}
	ck_assert_uint_eq(mappings(), RACE_PORTS);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, all_connections_of_an_endpoint_leave_from_one_port, 0, 2);
	tcase_add_loop_test(tc, a_moved_port_keeps_its_parity, 0, 2);
	tcase_add_loop_test(tc, queries_of_one_id_leave_with_one_id, 0, 2);
	tcase_add_loop_test(tc, any_remote_reaches_who_is_behind_a_mapping, 0, 2);
	tcase_add_loop_test(tc, the_filter_decides_about_what_comes_to_a_mapping, 0, 2);
	tcase_add_loop_test(tc, without_the_flag_nobody_else_gets_in, 0, 2);
	tcase_add_loop_test(tc, a_rule_for_the_port_comes_before_a_mapping, 0, 2);
	tcase_add_loop_test(tc, two_hosts_of_one_lan_speak_by_their_outside_endpoints, 0, 2);
	tcase_add_loop_test(tc, a_mapping_lives_as_long_as_something_goes_out, 0, 2);
	tcase_add_loop_test(tc, a_mapping_only_answered_from_without_is_kept_but_closed, 0, 2);
	tcase_add_loop_test(tc, a_tcp_mapping_ends_with_its_last_connection, 0, 2);
	tcase_add_loop_test(tc, a_port_that_is_mapped_is_nobody_elses, 0, 2);
	tcase_add_loop_test(tc, a_socket_of_the_gateway_keeps_its_port, 0, 2);
	tcase_add_loop_test(tc, a_full_range_is_told_to_the_sender, 0, 2);
	tcase_add_test(tc, a_host_leaves_by_one_address_of_a_pool);
	tcase_add_test(tc, two_cpus_agree_about_the_port_of_an_endpoint);
}

int main(void)
{
	return stage_main("eim", add);
}
