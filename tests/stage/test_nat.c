/* SPDX-License-Identifier: GPL-2.0-only */
/* Source and destination translation, on the first packet and on its answer. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include "stage.h"

START_TEST(masquerade_keeps_the_port)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	TAKES(tcp(n->lan, 5000, n->far, 53, S, 1, 0), LAN,
	      line("tcp %s.5000 > %s.53 S", n->gw_wan, n->far));
	TAKES(ping(n->lan, n->far, 77), LAN,
	      line("icmp %s > %s %s id 77", n->gw_wan, n->far, _i ? "128/0" : "8/0"));
}
END_TEST

/* 10.1.0.0/24 <-> 203.0.113.128/25 and its kind: the prefix is replaced, the host stays. */
START_TEST(a_prefix_is_mapped_onto_another)
{
	const struct names *n = &names[_i];
	const char *lo = _i ? "2001:db8:77::" : "198.51.100.0";
	const char *hi = _i ? "2001:db8:77:0:ffff:ffff:ffff:ffff" : "198.51.100.255";
	const char *mapped = _i ? "2001:db8:77::5" : "198.51.100.5";

	RULES({ .hook = GW_HOOK_NAT_POSTROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_SNAT,
		.nat_flags = GW_NATF_NETMAP,
		.to = lo,
		.to_hi = hi,
		.oif = stage.ifindex[WAN] },
	      { .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_DNAT,
		.nat_flags = GW_NATF_NETMAP,
		.dst = mapped,
		.to = _i ? "fd00:10::" : "10.0.0.0",
		.to_hi = _i ? "fd00:10::ffff:ffff:ffff:ffff" : "10.0.0.255" });
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, line("udp %s.5000 > %s.53", mapped, n->far));
	TAKES(udp(n->far, 6000, mapped, 80), WAN, line("udp %s.6000 > %s.80", n->far, n->lan));
	TAKES(udp(n->lan, 80, n->far, 6000), LAN, line("udp %s.80 > %s.6000", mapped, n->far));
}
END_TEST

/* The source port a frame left with, after the same port was taken by another host. */
static uint16_t moved_port(struct frame *f)
{
	uint16_t before = get16(frame_l4(f)), after;

	ck_assert_int_eq(in(f, LAN), REDIRECT);
	ck_assert_int_eq(frame_bad_sums(f), 0);
	after = get16(frame_l4(f));
	ck_assert_int_ne(before, after);
	return after;
}

START_TEST(a_taken_port_is_moved_and_both_checksums_follow)
{
	const struct names *n = &names[_i];
	struct frame u = udp(n->lan_b, 5000, n->far, 53);
	struct frame t = tcp(n->lan_b, 5000, n->far, 53, S, 1, 0);

	RULES(MASQUERADE(WAN));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	TAKES(tcp(n->lan, 5000, n->far, 53, S, 1, 0), LAN,
	      line("tcp %s.5000 > %s.53 S", n->gw_wan, n->far));
	ck_assert_uint_ge(moved_port(&u), 1024);
	ck_assert_uint_ge(moved_port(&t), 1024);
	ck_assert_int_eq(stat(GW_STAT_CLASH_RESOLVE), 2);
	/* another destination: the same port is free */
	TAKES(udp(n->lan_b, 5001, n->far, 53), LAN, line("udp %s.5001 > %s.53", n->gw_wan, n->far));
	TAKES(udp(n->lan_b, 5000, n->far, 54), LAN, line("udp %s.5000 > %s.54", n->gw_wan, n->far));
}
END_TEST

static const struct {
	uint16_t port, lo, hi;
} port_ranges[] = {
	{ 80, 1, 511 }, { 600, 600, 1023 }, { 1023, 600, 1023 }, { 1024, 1024, 65535 }
};

START_TEST(a_privileged_port_moves_to_a_privileged_one)
{
	typeof(port_ranges[0]) *c = &port_ranges[_i];
	struct frame f = udp(LAN4_B, c->port, FAR4, 53);
	uint16_t moved;

	RULES(MASQUERADE(WAN));
	TAKES(udp(LAN4, c->port, FAR4, 53), LAN, line("udp %s.%u > 8.8.8.8.53", GW_WAN4, c->port));
	moved = moved_port(&f);
	ck_assert_uint_ge(moved, c->lo);
	ck_assert_uint_le(moved, c->hi);
}
END_TEST

START_TEST(a_taken_icmp_id_is_moved_and_restored)
{
	const struct names *n = &names[_i];
	struct frame f = ping(n->lan_b, n->far, 77);
	uint16_t id;

	RULES(MASQUERADE(WAN));
	TAKES(ping(n->lan, n->far, 77), LAN,
	      line("icmp %s > %s %s id 77", n->gw_wan, n->far, _i ? "128/0" : "8/0"));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	id = get16(frame_l4(&f) + 4);
	ck_assert_int_ne(id, 77);
	TAKES(pong(n->far, n->gw_wan, id), WAN,
	      line("icmp %s > %s %s id 77", n->far, n->lan_b, _i ? "129/0" : "0/0"));
	TAKES(pong(n->far, n->gw_wan, 77), WAN,
	      line("icmp %s > %s %s id 77", n->far, n->lan, _i ? "129/0" : "0/0"));
}
END_TEST

START_TEST(the_reply_is_restored)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->lan_b, 5000, n->far, 53);
	uint16_t port;

	RULES(MASQUERADE(WAN));
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	port = moved_port(&f);
	TAKES(udp(n->far, 53, n->gw_wan, 5000), WAN, line("udp %s.53 > %s.5000", n->far, n->lan));
	TAKES(udp(n->far, 53, n->gw_wan, port), WAN, line("udp %s.53 > %s.5000", n->far, n->lan_b));
}
END_TEST

START_TEST(a_udp_checksum_of_zero_stays_zero)
{
	struct frame f = udp(LAN4, 5000, FAR4, 53);

	RULES(MASQUERADE(WAN));
	put16(frame_l4(&f) + 6, 0);
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_uint_eq(get16(frame_l4(&f) + 6), 0);
	ck_assert_str_eq(frame_text(&f), "udp 203.0.113.1.5000 > 8.8.8.8.53");
}
END_TEST

/* Payload that makes the translated checksum come out as zero, which the wire must show as ffff. */
START_TEST(a_udp_checksum_that_becomes_zero_is_sent_as_ffff)
{
	const struct names *n = &names[_i];
	struct frame probe = udp(n->lan, 5000, n->far, 53), f = probe;
	uint8_t *data = frame_l4(&f) + 8;
	uint32_t word;

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(in(&probe, LAN), REDIRECT);
	/* the translated sum plus what the word grows by is ffff: the complement is 0 */
	word = get16(data) + get16(frame_l4(&probe) + 6);
	put16(data, (word & 0xffff) + (word >> 16));
	frame_seal(&f);
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_uint_eq(get16(frame_l4(&f) + 6), 0xffff);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

/* A masqueraded UDP flow in the assured table, whose port had to be moved to the one returned. */
static uint16_t assured_udp(const struct names *n)
{
	struct frame f;
	uint16_t port;

	RULES(MASQUERADE(WAN));
	TAKES(udp(n->lan_b, 5000, n->far, 53), LAN, "");
	f = udp(n->lan, 5000, n->far, 53);
	port = moved_port(&f);
	TAKES(udp(n->far, 53, n->gw_wan, port), WAN, "");
	stage_wait(4);
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	TAKES(udp(n->far, 53, n->gw_wan, port), WAN, "");
	ck_assert(!stage.fast);
	return port;
}

START_TEST(the_fast_path_moves_addresses_ports_and_checksums)
{
	const struct names *n = &names[_i];
	uint16_t port = assured_udp(n);

	TAKES(udp(n->lan, 5000, n->far, 53), LAN,
	      line("udp %s.%u > %s.53", n->gw_wan, port, n->far));
	ck_assert(stage.fast);
	TAKES(udp(n->far, 53, n->gw_wan, port), WAN, line("udp %s.53 > %s.5000", n->far, n->lan));
	ck_assert(stage.fast);
}
END_TEST

START_TEST(the_fast_path_knows_udps_zero_checksum)
{
	const struct names *n = &names[_i];
	struct frame none, probe, f;
	uint32_t word;

	assured_udp(n);
	none = probe = f = udp(n->lan, 5000, n->far, 53);
	put16(frame_l4(&none) + 6, 0);
	ck_assert_int_eq(in(&none, LAN), REDIRECT);
	ck_assert(stage.fast);
	ck_assert_uint_eq(get16(frame_l4(&none) + 6), 0);
	ck_assert_int_eq(in(&probe, LAN), REDIRECT);
	word = get16(frame_l4(&f) + 8) + get16(frame_l4(&probe) + 6);
	put16(frame_l4(&f) + 8, (word & 0xffff) + (word >> 16));
	frame_seal(&f);
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert(stage.fast);
	ck_assert_uint_eq(get16(frame_l4(&f) + 6), 0xffff);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

/* RFC 5508 REQ-8: the sender of a packet that finds no port hears of it. */
static const char *no_port(const struct names *n, const char *src, uint16_t sport)
{
	return line("icmp %s > %s %s (udp %s.%u > %s.53)", n->gw_lan, src,
		    strchr(src, ':') ? "1/1" : "3/13", src, sport, n->far);
}

/* conntrack -S: `found` tuples were taken, `drop` packets could not be tracked, `insert_failed` connections not entered. */
START_TEST(statistics_tell_what_a_full_range_cost)
{
	const struct names *n = &names[_i];

	RULES({ .hook = GW_HOOK_NAT_POSTROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_MASQUERADE,
		.oif = stage.ifindex[WAN],
		.proto = 17,
		.port_lo = 7000,
		.port_hi = 7000 },
	      { .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_DROP, .proto = 6 });
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	ck_assert_uint_eq(stat(GW_STAT_FOUND), 0);
	ck_assert_uint_eq(stat(GW_STAT_SLOW), 1);
	expect_told(udp(n->lan, 5001, n->far, 53), LAN, GW_REASON_NAT_NO_PORT,
		    no_port(n, n->lan, 5001));
	ck_assert_uint_ge(stat(GW_STAT_FOUND), 1);
	ck_assert_uint_eq(stat(GW_STAT_DROP), 1);
	ck_assert_uint_eq(stat(GW_STAT_INSERT_FAILED), 1);
	expect_drop(tcp(n->lan, 5002, n->far, 80, S, 1, 0), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(stat(GW_STAT_DROP), 1); /* a rule's drop is no tracking's */
	ck_assert_uint_eq(stat(GW_STAT_SLOW), 3);
}
END_TEST

START_TEST(only_the_slow_path_counts_as_slow)
{
	const struct names *n = &names[_i];
	uint64_t slow;

	assured_udp(n);
	slow = stat(GW_STAT_SLOW);
	ck_assert_uint_eq(slow, 5);
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	ck_assert(stage.fast);
	ck_assert_uint_eq(stat(GW_STAT_SLOW), slow);
}
END_TEST

START_TEST(snat_uses_the_rules_address_and_ports)
{
	struct frame f = udp(LAN4, 5000, FAR4, 53);
	uint16_t port;

	RULES({ .hook = GW_HOOK_NAT_POSTROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_SNAT,
		.oif = stage.ifindex[WAN],
		.to = "203.0.113.7",
		.proto = 17,
		.port_lo = 7000,
		.port_hi = 7001 });
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	port = get16(frame_l4(&f));
	ck_assert(port == 7000 || port == 7001);
	TAKES(udp(FAR4, 53, "203.0.113.7", port), WAN, "udp 8.8.8.8.53 > 10.0.0.5.5000");
	/* a port inside the range is kept */
	TAKES(udp(LAN4_B, 7001, FAR4, 54), LAN, "udp 203.0.113.7.7001 > 8.8.8.8.54");
}
END_TEST

START_TEST(a_full_port_range_is_told_to_the_sender)
{
	const struct names *n = &names[_i];
	struct frame third = udp(n->lan, 5002, n->far, 53), before = third;

	RULES({ .hook = GW_HOOK_NAT_POSTROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_MASQUERADE,
		.oif = stage.ifindex[WAN],
		.proto = 17,
		.port_lo = 7000,
		.port_hi = 7001 });
	TAKES(udp(n->lan, 5000, n->far, 53), LAN, "");
	TAKES(udp(n->lan, 5001, n->far, 53), LAN, "");
	ck_assert_int_eq(in(&third, LAN), REDIRECT);
	--*frame_ttl(&before);
	frame_seal(&before);
	/* the quote is the packet as it came: nothing is half rewritten */
	ck_assert_mem_eq(third.b + FRAME_L3 + (_i ? 48 : 28), before.b + FRAME_L3,
			 before.len - FRAME_L3);
	ck_assert_uint_eq(reason(GW_REASON_NAT_NO_PORT), 1);
	expect_told(udp(n->lan, 5002, n->far, 53), LAN, GW_REASON_NAT_NO_PORT,
		    no_port(n, n->lan, 5002));
	ck_assert_uint_eq(entries_all(), 4);
	TAKES(udp(n->lan, 5002, n->far, 54), LAN, "");
}
END_TEST

/* 400 of 424 ports in one block: every one of the rest is found. */
START_TEST(a_nearly_full_range_is_searched_to_its_end)
{
	const struct names *n = &names[_i];

	RULES(MASQUERADE(WAN));
	for (int i = 0; i < 400; i++)
		TAKES(udp(n->lan, 600 + i, n->far, 53), LAN, "");
	for (int i = 0; i < 12; i++) {
		struct frame f = udp(n->lan_b, 600 + i, n->far, 53);

		ck_assert_int_ge(moved_port(&f), 1000);
	}
	ck_assert_uint_eq(reason(GW_REASON_NAT_NO_PORT), 0);
}
END_TEST

static int socket_bind(int type, const char *addr, uint16_t port)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool v6 = inet_pton(AF_INET6, addr, &to6.sin6_addr) == 1;
	int fd = socket(v6 ? AF_INET6 : AF_INET, type, 0);

	inet_pton(AF_INET, addr, &to4.sin_addr);
	ck_assert_int_eq(
		v6 ? bind(fd, (void *)&to6, sizeof(to6)) : bind(fd, (void *)&to4, sizeof(to4)), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

START_TEST(a_port_with_a_socket_behind_it_is_not_given_away)
{
	const struct names *n = &names[_i];
	struct frame u = udp(n->lan, 5000, n->far, 53);
	struct frame t = tcp(n->lan, 5000, n->far, 53, S, 1, 0);

	RULES(MASQUERADE(WAN));
	stage.conf.flags |= GW_CONF_PROTECT_LOCAL;
	stage_conf();
	socket_bind(SOCK_DGRAM, n->gw_wan, 5000);
	socket_bind(SOCK_STREAM, n->gw_wan, 5000);
	moved_port(&u);
	moved_port(&t);
	TAKES(udp(n->lan, 5001, n->far, 53), LAN, line("udp %s.5001 > %s.53", n->gw_wan, n->far));
}
END_TEST

START_TEST(masquerade_without_an_address_drops_with_reason)
{
	const struct names *n = &names[_i];
	struct gw_if row = stage_get_if(WAN);

	row.masq4 = row.masq6[0] = row.masq6[1] = row.masq6[3] = 0;
	stage_set_if(WAN, row);
	RULES(MASQUERADE(WAN));
	expect_drop(udp(n->lan, 5000, n->far, 53), LAN, GW_REASON_NAT_NO_ADDR);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

static void port_forward(const struct names *n)
{
	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.proto = 6,
		.dst = n->gw_wan,
		.dport = 8080,
		.nat = GW_NAT_DNAT,
		.to = n->dmz,
		.port_lo = 80,
		.cid = 3 },
	      MASQUERADE(WAN), MASQUERADE(DMZ, .src = n->dmz));
}

START_TEST(dnat_changes_address_and_port_and_the_reply_back)
{
	const struct names *n = &names[_i];

	port_forward(n);
	TAKES(tcp(n->far, 6000, n->gw_wan, 8080, S, 1, 0), WAN,
	      line("tcp %s.6000 > %s.80 S", n->far, n->dmz));
	TAKES(tcp(n->dmz, 80, n->far, 6000, S | A, 9, 2), DMZ,
	      line("tcp %s.8080 > %s.6000 SA", n->gw_wan, n->far));
	TAKES(tcp(n->far, 6000, n->gw_wan, 8080, A, 2, 10), WAN,
	      line("tcp %s.6000 > %s.80 A", n->far, n->dmz));
	ck_assert_uint_eq(counter(3).pkts, 1);
}
END_TEST

START_TEST(hairpin_translates_both_ends)
{
	const struct names *n = &names[_i];

	port_forward(n);
	/* the server asks for itself by the public address: out by the interface it came in by */
	TAKES(tcp(n->dmz, 6000, n->gw_wan, 8080, S, 1, 0), DMZ,
	      line("tcp %s.6000 > %s.80 S", n->gw_dmz, n->dmz));
	TAKES(tcp(n->dmz, 80, n->gw_dmz, 6000, S | A, 9, 2), DMZ,
	      line("tcp %s.8080 > %s.6000 SA", n->gw_wan, n->dmz));
}
END_TEST

START_TEST(redirect_goes_to_the_interfaces_own_address)
{
	const struct names *n = &names[_i];

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.proto = 17,
		.dport = 53,
		.nat = GW_NAT_REDIRECT,
		.port_lo = 5353 });
	expect_in(udp(n->lan, 5000, n->far, 53), LAN, PASS,
		  line("udp %s.5000 > %s.5353", n->lan, n->gw_lan));
}
END_TEST

START_TEST(without_rules_nothing_is_changed_but_the_hop_count)
{
	const struct names *n = &names[_i];

	TAKES(udp(n->lan, 5000, n->far, 53), LAN, line("udp %s.5000 > %s.53", n->lan, n->far));
	TAKES(udp(n->far, 53, n->lan, 5000), WAN, line("udp %s.53 > %s.5000", n->far, n->lan));
	expect_in(udp(n->lan, 5000, n->gw_lan, 53), LAN, PASS,
		  line("udp %s.5000 > %s.53", n->lan, n->gw_lan));
	ck_assert_uint_eq(entries_all(), 4);
}
END_TEST

START_TEST(the_gateways_own_packets_are_masqueraded_too)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->gw_lan, 5000, n->far, 53);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(out(&f, WAN, NOWHERE), PASS);
	ck_assert_str_eq(frame_text(&f), line("udp %s.5000 > %s.53", n->gw_wan, n->far));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	expect_in(udp(n->far, 53, n->gw_wan, 5000), WAN, PASS,
		  line("udp %s.53 > %s.5000", n->far, n->gw_lan));
}
END_TEST

START_TEST(a_port_of_the_gateway_itself_is_not_given_away)
{
	const struct names *n = &names[_i];
	struct frame own = udp(n->gw_wan, 5000, n->far, 53), f = udp(n->lan, 5000, n->far, 53);

	RULES(MASQUERADE(WAN));
	ck_assert_int_eq(out(&own, WAN, NOWHERE), PASS);
	moved_port(&f);
	/* the answer to the gateway goes to the stack */
	expect_in(udp(n->far, 53, n->gw_wan, 5000), WAN, PASS,
		  line("udp %s.53 > %s.5000", n->far, n->gw_wan));
}
END_TEST

START_TEST(other_protocols_are_translated_by_address)
{
	const struct names *n = &names[_i];
	struct frame f = FRAME(.src = n->lan, .dst = n->far, .proto = 47, .data = 20);

	RULES(MASQUERADE(WAN));
	TAKES(f, LAN, line("proto47 %s > %s", n->gw_wan, n->far));
	f = FRAME(.src = n->far, .dst = n->gw_wan, .proto = 47, .data = 20);
	TAKES(f, WAN, line("proto47 %s > %s", n->far, n->lan));
	/* there is no port to tell a second host apart */
	f = FRAME(.src = n->lan_b, .dst = n->far, .proto = 47, .data = 20);
	expect_told(f, LAN, GW_REASON_NAT_NO_PORT,
		    line("icmp %s > %s %s (proto47 %s > %s)", n->gw_lan, n->lan_b,
			 _i ? "1/1" : "3/13", n->lan_b, n->far));
}
END_TEST

/* ------------------------------------------------------------------------------------------------ prefixes, SCTP */

#define PREFIX(kind_, hook_, lo, hi, ...)                                                \
	{                                                                                \
		.hook = hook_, .verdict = GW_V_NAT, .nat = kind_, .to = lo, .to_hi = hi, \
		.nat_flags = GW_NATF_NETMAP | GW_NATF_NEUTRAL, __VA_ARGS__               \
	}

static const struct {
	const char *in_lo, *in_hi, *out_lo, *out_hi, *inside, *outside;
} neutral[] = {
	/* RFC 6296 3.6 */
	{ "fd01:203:405::", "fd01:203:405:ffff:ffff:ffff:ffff:ffff", "2001:db8:1::",
	  "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "fd01:203:405:1::1234", "2001:db8:1:d550::1234" },
	/* a sum of ffff is written as 0 */
	{ "fd01:203:405::", "fd01:203:405:ffff:ffff:ffff:ffff:ffff", "2001:db8:1::",
	  "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "fd01:203:405:2ab0::1", "2001:db8:1::1" },
	/* 3.7: the identifier's first word, or the first that is not all ones */
	{ "fd01:203:405:1::", "fd01:203:405:1:ffff:ffff:ffff:ffff", "2001:db8:1:2::",
	  "2001:db8:1:2:ffff:ffff:ffff:ffff", "fd01:203:405:1::1234", "2001:db8:1:2:d54e::1234" },
	{ "fd01:203:405:1::", "fd01:203:405:1:ffff:ffff:ffff:ffff",
	  "2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff", "fd01:203:405:1:ffff:1:2:1234",
	  "2001:db8:1:2:ffff:d54f:2:1234" },
	{ "fd01:203:405:100::", "fd01:203:405:1ff:ffff:ffff:ffff:ffff",
	  "2001:db8:1:200::", "2001:db8:1:2ff:ffff:ffff:ffff:ffff", "fd01:203:405:123::1234",
	  "2001:db8:1:223:d44f::1234" },
};

START_TEST(a_prefix_is_mapped_without_a_change_of_the_checksum)
{
	typeof(neutral[0]) *c = &neutral[_i];
	struct frame f = udp(c->inside, 5000, FAR6, 53);
	uint16_t sum = get16(frame_l4(&f) + 6);

	RULES(PREFIX(GW_NAT_SNAT, GW_HOOK_NAT_POSTROUTING, c->out_lo, c->out_hi,
		     .iif = stage.ifindex[LAN]),
	      PREFIX(GW_NAT_DNAT, GW_HOOK_NAT_PREROUTING, c->in_lo, c->in_hi,
		     .iif = stage.ifindex[WAN]));
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_str_eq(frame_text(&f), line("udp %s.5000 > %s.53", c->outside, FAR6));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	ck_assert_uint_eq(get16(frame_l4(&f) + 6), sum);
	/* without a memory of it, too: a connection from outside */
	expect_in(udp(FAR6, 99, c->outside, 80), WAN, REDIRECT,
		  line("udp %s.99 > %s.80", FAR6, c->inside));
}
END_TEST

static const struct {
	const char *lo, *hi, *src;
} no_neutral[] = {
	{ "2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "fd01:203:405:ffff::1" },
	{ "2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff", "fd01:203:405:1::" },
	{ "2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff",
	  "fd01:203:405:1:ffff:ffff:ffff:ffff" },
};

START_TEST(an_address_that_has_no_mapping_is_told_so)
{
	typeof(no_neutral[0]) *c = &no_neutral[_i];

	RULES(PREFIX(GW_NAT_SNAT, GW_HOOK_NAT_POSTROUTING, c->lo, c->hi,
		     .oif = stage.ifindex[WAN]));
	expect_told(udp(c->src, 5000, FAR6, 53), LAN, GW_REASON_ROUTE,
		    line("icmp %s > %s 1/0 (udp %s.5000 > %s.53)", GW_LAN6, c->src, c->src, FAR6));
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

/* CRC32c bit by bit, over a packet whose field is zero. */
static uint32_t crc32c(const uint8_t *at, size_t n)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < n; i++) {
		crc ^= i >= 8 && i < 12 ? 0 : at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static struct frame sctp(const char *src, uint16_t sport, const char *dst, uint16_t dport,
			 uint16_t data)
{
	struct frame f = FRAME(.src = src, .dst = dst, .proto = 132, .data = 4 + data);
	uint8_t *l4 = frame_l4(&f);
	uint32_t crc;

	put16(l4, sport);
	put16(l4 + 2, dport);
	put32(l4 + 4, 0); /* an INIT has no tag */
	l4[12] = 1;
	l4[13] = 0;
	put16(l4 + 14, data);
	frame_seal(&f);
	crc = crc32c(l4, 12 + data);
	memcpy(l4 + 8, &crc, 4);
	return f;
}

static bool sctp_is_good(struct frame *f, size_t data)
{
	uint32_t crc = crc32c(frame_l4(f), 12 + data), has;

	memcpy(&has, frame_l4(f) + 8, 4);
	return has == crc;
}

static const uint16_t sctp_sizes[] = { 20, 24, 300, 1400 };

START_TEST(sctps_checksum_follows_its_ports)
{
	const struct names *n = &names[_i & 1];
	const uint16_t size = sctp_sizes[_i / 2];
	struct frame f = sctp(n->lan, 5000, n->far, 80, size), kept = f;
	struct frame b = sctp(n->lan_b, 5000, n->far, 80, size);

	RULES(MASQUERADE(WAN));
	ck_assert(sctp_is_good(&f, size));
	/* only the address changes: not a byte of the packet does */
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_mem_eq(frame_l4(&f), frame_l4(&kept), 12 + size);
	ck_assert_int_eq(in(&b, LAN), REDIRECT);
	ck_assert_uint_ne(get16(frame_l4(&b)), 5000);
	ck_assert(sctp_is_good(&b, size));
	ck_assert_mem_eq(frame_l4(&b) + 12, frame_l4(&kept) + 12, size);
}
END_TEST

START_TEST(dnat_moves_sctps_port_and_checksum)
{
	const struct names *n = &names[_i];
	struct frame f = sctp(n->far, 5000, n->gw_wan, 80, 60);

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_DNAT,
		.to = n->dmz,
		.port_lo = 8080,
		.proto = 132 });
	ck_assert_int_eq(in(&f, WAN), REDIRECT);
	ck_assert_uint_eq(get16(frame_l4(&f) + 2), 8080);
	ck_assert(sctp_is_good(&f, 60));
}
END_TEST

START_TEST(a_fragment_of_sctp_whose_ports_would_change_is_refused)
{
	struct frame whole = sctp(FAR4, 5000, GW_WAN4, 80, 600);

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_DNAT,
		.to = DMZ4,
		.port_lo = 8080,
		.proto = 132 });
	expect_drop(frame_fragment(&whole, 0, 400, 7), WAN, GW_REASON_SCTP_CRC);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_prefix_is_mapped_without_a_change_of_the_checksum, 0, 5);
	tcase_add_loop_test(tc, an_address_that_has_no_mapping_is_told_so, 0, 3);
	tcase_add_loop_test(tc, sctps_checksum_follows_its_ports, 0, 8);
	tcase_add_loop_test(tc, dnat_moves_sctps_port_and_checksum, 0, 2);
	tcase_add_test(tc, a_fragment_of_sctp_whose_ports_would_change_is_refused);
	tcase_add_loop_test(tc, masquerade_keeps_the_port, 0, 2);
	tcase_add_loop_test(tc, a_taken_port_is_moved_and_both_checksums_follow, 0, 2);
	tcase_add_loop_test(tc, a_privileged_port_moves_to_a_privileged_one, 0, 4);
	tcase_add_loop_test(tc, a_taken_icmp_id_is_moved_and_restored, 0, 2);
	tcase_add_loop_test(tc, the_reply_is_restored, 0, 2);
	tcase_add_test(tc, a_udp_checksum_of_zero_stays_zero);
	tcase_add_loop_test(tc, a_udp_checksum_that_becomes_zero_is_sent_as_ffff, 0, 2);
	tcase_add_loop_test(tc, the_fast_path_moves_addresses_ports_and_checksums, 0, 2);
	tcase_add_loop_test(tc, the_fast_path_knows_udps_zero_checksum, 0, 2);
	tcase_add_loop_test(tc, statistics_tell_what_a_full_range_cost, 0, 2);
	tcase_add_loop_test(tc, only_the_slow_path_counts_as_slow, 0, 2);
	tcase_add_test(tc, snat_uses_the_rules_address_and_ports);
	tcase_add_loop_test(tc, a_full_port_range_is_told_to_the_sender, 0, 2);
	tcase_add_loop_test(tc, a_nearly_full_range_is_searched_to_its_end, 0, 2);
	tcase_add_loop_test(tc, a_port_with_a_socket_behind_it_is_not_given_away, 0, 2);
	tcase_add_loop_test(tc, masquerade_without_an_address_drops_with_reason, 0, 2);
	tcase_add_loop_test(tc, dnat_changes_address_and_port_and_the_reply_back, 0, 2);
	tcase_add_loop_test(tc, hairpin_translates_both_ends, 0, 2);
	tcase_add_loop_test(tc, a_prefix_is_mapped_onto_another, 0, 2);
	tcase_add_loop_test(tc, redirect_goes_to_the_interfaces_own_address, 0, 2);
	tcase_add_loop_test(tc, without_rules_nothing_is_changed_but_the_hop_count, 0, 2);
	tcase_add_loop_test(tc, the_gateways_own_packets_are_masqueraded_too, 0, 2);
	tcase_add_loop_test(tc, a_port_of_the_gateway_itself_is_not_given_away, 0, 2);
	tcase_add_loop_test(tc, other_protocols_are_translated_by_address, 0, 2);
}

int main(void)
{
	return stage_main("nat", add);
}
