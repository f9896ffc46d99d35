/* SPDX-License-Identifier: GPL-2.0-only */
/* Damaged and unusual packets, each with the reason it is dropped for. */
#include <string.h>
#include "stage.h"

enum base { UDP4, TCP4, PING4, UDP6, TCP6, PING6 };
#define NONE GW_REASON_NONE
#define IP   GW_REASON_BAD_IP
#define L4   GW_REASON_BAD_L4
#define EXT  GW_REASON_BAD_EXTHDR

/* A good packet with some bytes changed; at counts from the IP header. */
static const struct row {
	const char *what;
	enum base base;
	int16_t at;
	uint8_t size, value[4];
	enum gw_reason reason;
	int16_t cut;  /* frame length = L3 header + this, 0 = whole */
	bool damaged; /* leave the IP header checksum wrong */
} rows[] = {
	{ "untouched", UDP4, 0, 0, {}, NONE, 0, false },
	{ "version 5", UDP4, 0, 1, { 0x55 }, IP, 0, false },
	{ "version 6 as IPv4", UDP4, 0, 1, { 0x65 }, IP, 0, false },
	{ "version 0", UDP4, 0, 1, { 0x05 }, IP, 0, false },
	{ "ihl 4", UDP4, 0, 1, { 0x44 }, IP, 0, false },
	{ "ihl 0", UDP4, 0, 1, { 0x40 }, IP, 0, false },
	{ "ihl beyond the packet", UDP4, 0, 1, { 0x4f }, IP, 0, false },
	{ "total length below the header", UDP4, 2, 2, { 0, 19 }, IP, 0, false },
	{ "total length 0", UDP4, 2, 2, { 0, 0 }, IP, 0, false },
	{ "total length beyond the frame", UDP4, 2, 2, { 0, 41 }, IP, 0, false },
	{ "total length 65535", UDP4, 2, 2, { 0xff, 0xff }, IP, 0, false },
	{ "wrong header checksum", UDP4, 10, 2, { 0x12, 0x34 }, IP, 0, true },
	{ "no room for a header", UDP4, 2, 2, { 0, 20 }, L4, 0, false },
	{ "7 bytes of UDP", UDP4, 2, 2, { 0, 27 }, L4, 0, false },
	{ "UDP length 7", UDP4, 24, 2, { 0, 7 }, L4, 0, false },
	{ "UDP length 0", UDP4, 24, 2, { 0, 0 }, L4, 0, false },
	{ "UDP length beyond the packet", UDP4, 24, 2, { 0, 21 }, L4, 0, false },
	{ "UDP length below the packet", UDP4, 24, 2, { 0, 10 }, NONE, 0, false },
	{ "padding behind the packet", UDP4, 2, 2, { 0, 39 }, L4, 0, false },
	{ "19 bytes of TCP", TCP4, 2, 2, { 0, 39 }, L4, 0, false },
	{ "TCP offset 4", TCP4, 32, 1, { 0x40 }, L4, 0, false },
	{ "TCP offset 0", TCP4, 32, 1, { 0 }, L4, 0, false },
	{ "TCP offset beyond the packet", TCP4, 32, 1, { 0xf0 }, L4, 0, false },
	{ "7 bytes of ICMP", PING4, 2, 2, { 0, 27 }, L4, 0, false },
	{ "4 bytes of ICMP", PING4, 2, 2, { 0, 24 }, L4, 0, false },
	{ "no ICMP", PING4, 2, 2, { 0, 20 }, L4, 0, false },
	{ "cut in the IP header's rest", UDP4, 0, 0, {}, IP, 30, false },
	{ "untouched", UDP6, 0, 0, {}, NONE, 0, false },
	{ "version 4 as IPv6", UDP6, 0, 1, { 0x40 }, IP, 0, false },
	{ "version 7", UDP6, 0, 1, { 0x70 }, IP, 0, false },
	{ "payload beyond the frame", UDP6, 4, 2, { 0, 21 }, IP, 0, false },
	{ "payload 65535", UDP6, 4, 2, { 0xff, 0xff }, IP, 0, false },
	{ "payload 0", UDP6, 4, 2, { 0, 0 }, L4, 0, false },
	{ "7 bytes of UDP", UDP6, 4, 2, { 0, 7 }, L4, 0, false },
	{ "UDP length 7", UDP6, 44, 2, { 0, 7 }, L4, 0, false },
	{ "UDP length beyond the packet", UDP6, 44, 2, { 0, 21 }, L4, 0, false },
	{ "19 bytes of TCP", TCP6, 4, 2, { 0, 19 }, L4, 0, false },
	{ "TCP offset 4", TCP6, 52, 1, { 0x40 }, L4, 0, false },
	{ "TCP offset beyond the packet", TCP6, 52, 1, { 0xf0 }, L4, 0, false },
	{ "7 bytes of ICMPv6", PING6, 4, 2, { 0, 7 }, L4, 0, false },
	{ "3 bytes of ICMPv6", PING6, 4, 2, { 0, 3 }, L4, 0, false },
	{ "cut behind the IPv6 header", UDP6, 0, 0, {}, IP, 44, false },
	{ "no next header", UDP6, 6, 1, { 59 }, NONE, 0, false },
	{ "an unknown protocol", UDP6, 6, 1, { 253 }, NONE, 0, false },
	{ "UDP as hop-by-hop options too long", UDP6, 6, 1, { 0 }, EXT, 0, false },
};

static struct frame base_frame(enum base b)
{
	const char *src = b < UDP6 ? LAN4 : LAN6, *dst = b < UDP6 ? FAR4 : FAR6;

	switch (b % 3) {
	case UDP4:
		return udp(src, 0x1388, dst, 53);
	case TCP4:
		return tcp(src, 5000, dst, 80, S, 1, 0);
	}
	return ping(src, dst, 7);
}

static uint16_t header_sum(const uint8_t *ip)
{
	unsigned int len = (ip[0] & 15) * 4;
	uint32_t sum = 0;

	for (unsigned int i = 0; i < len; i += 2)
		sum += i == 10 ? 0 : get16(ip + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

START_TEST(a_damaged_packet_is_dropped_with_its_reason)
{
	const struct row *c = &rows[_i];
	struct frame f = base_frame(c->base);
	uint8_t *ip = f.b + FRAME_L3;

	memcpy(ip + c->at, c->value, c->size);
	if (c->base < UDP6 && !c->damaged)
		put16(ip + 10, header_sum(ip));
	if (c->cut)
		f.len = FRAME_L3 + c->cut;
	expect_drop(f, LAN, c->reason);
	if (c->reason != NONE)
		ck_assert_msg(entries_all() == 0, "%s left a connection", c->what);
}
END_TEST

/* ---------------------------------------------------------------------------------------- extension headers */

#define HBH	       0
#define ROUTING	       43
#define DEST	       60
#define OPT(next)      next, 0, 1, 4, 0, 0, 0, 0
#define RH(next, type) next, 0, type, 0, 0, 0, 0, 0

static const struct chain {
	const char *what;
	uint8_t first, len, bytes[72];
	enum gw_reason reason;
	bool stack; /* the kernel must see it */
} chains[] = {
	{ "hop-by-hop", HBH, 8, { OPT(17) }, NONE, true },
	{ "destination options", DEST, 8, { OPT(17) }, NONE, false },
	{ "hop-by-hop and destination options", HBH, 16, { OPT(DEST), OPT(17) }, NONE, true },
	{ "seven of them",
	  DEST,
	  56,
	  { OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST), OPT(17) },
	  NONE,
	  false },
	{ "nine of them",
	  DEST,
	  72,
	  { OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST), OPT(DEST),
	    OPT(17) },
	  EXT,
	  false },
	{ "hop-by-hop not first", DEST, 16, { OPT(HBH), OPT(17) }, EXT, false },
	{ "hop-by-hop twice", HBH, 16, { OPT(HBH), OPT(17) }, EXT, false },
	{ "routing header type 0", ROUTING, 8, { RH(17, 0) }, EXT, false },
	{ "routing header type 0 behind options",
	  DEST,
	  16,
	  { OPT(ROUTING), RH(17, 0) },
	  EXT,
	  false },
	{ "routing header type 2", ROUTING, 8, { RH(17, 2) }, NONE, false },
	{ "a length beyond the packet", DEST, 8, { 17, 40, 1, 4 }, EXT, false },
	{ "a chain that ends the packet", DEST, 8, { DEST, 2, 1, 4 }, EXT, false },
};

START_TEST(a_chain_of_extension_headers_is_walked)
{
	const struct chain *c = &chains[_i];
	struct frame f = FRAME(.src = LAN6, .dst = FAR6, .proto = 17, .sport = 5000, .dport = 53,
			       .data = 8, .ext_first = c->first, .ext_len = c->len);

	memcpy(f.b + FRAME_L3 + 40, c->bytes, c->len);
	frame_seal(&f);
	RULES(MASQUERADE(WAN));
	if (c->reason != NONE) {
		expect_drop(f, LAN, c->reason);
		return;
	}
	ck_assert_int_eq(in(&f, LAN), c->stack ? PASS : REDIRECT);
	ck_assert_str_eq(frame_text(&f),
			 line("udp %s.5000 > %s.53", c->stack ? LAN6 : GW_WAN6, FAR6));
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- unusual */

START_TEST(ip_options_go_to_the_stack)
{
	struct frame f = FRAME(.src = LAN4, .dst = FAR4, .proto = 17, .sport = 5000, .dport = 53,
			       .data = 8, .ip_opts = 10);

	RULES(MASQUERADE(WAN));
	expect_in(f, LAN, PASS, "udp 10.0.0.5.5000 > 8.8.8.8.53");
	ck_assert_int_eq(in(&f, LAN), PASS);
	ck_assert_int_eq(out_marked(&f, WAN, LAN), PASS);
	ck_assert_str_eq(frame_text(&f), "udp 203.0.113.1.5000 > 8.8.8.8.53");
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

START_TEST(padding_of_short_frames_is_no_payload)
{
	struct frame f = FRAME(.src = LAN4, .dst = FAR4, .proto = 6, .sport = 5000, .dport = 80,
			       .bits = S, .seq = 1000),
		     key = f, back = tcp(FAR4, 80, LAN4, 5000, R | A, 0, 1001);

	memset(f.b + f.len, 0, 6);
	f.len = 60; /* the shortest Ethernet frame */
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_uint_eq(entry_of(&key).f.bytes, 40);
	ck_assert_uint_eq(entry_of(&key).f.tcp_end, 1001);
	expect_drop(back, WAN, NONE);
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

static struct frame icmp6(const char *dst, uint8_t type)
{
	return FRAME(.src = LAN6, .dst = dst, .proto = 58, .type = type, .data = 16);
}

START_TEST(neighbour_discovery_is_left_to_the_stack_but_not_forwarded_unjudged)
{
	static const uint8_t types[] = { 130, 131, 132, 133, 134, 135, 136, 137, 143 };

	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_DROP, .policy = 1 },
	      { .hook = GW_HOOK_FILTER_INPUT, .verdict = GW_V_DROP, .policy = 1 });
	for (size_t i = 0; i < sizeof(types); i++) {
		struct frame link = icmp6("fe80::1", types[i]), own = icmp6(GW_LAN6, types[i]);

		ck_assert_int_eq(in(&link, LAN), PASS);
		ck_assert_int_eq(in(&own, LAN), PASS);
		expect_drop(icmp6(FAR6, types[i]), LAN, GW_REASON_POLICY);
	}
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(multicast_and_broadcast_make_no_connection)
{
	static const char *const to[] = { "224.0.0.251", "255.255.255.255", "10.0.0.255",
					  "ff02::fb" };

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		expect_in(udp(strchr(to[i], ':') ? LAN6 : LAN4, 5353, to[i], 5353), LAN, PASS,
			  line("udp %s.5353 > %s.5353", strchr(to[i], ':') ? LAN6 : LAN4, to[i]));
	ck_assert_uint_eq(entries_all(), 0);
}
END_TEST

START_TEST(a_gso_packet_is_measured_by_its_segments)
{
	const struct names *n = &names[_i];
	struct frame f = FRAME(.src = n->lan, .dst = n->far, .proto = 6, .sport = 5000, .dport = 80,
			       .bits = A, .seq = 1, .data = 2100);

	RULES(MASQUERADE(WAN));
	stage.gso_size = 1400;
	TAKES(f, LAN, line("tcp %s.5000 > %s.80 A", n->gw_wan, n->far));
	stage.gso_size = 1500; /* a segment is longer than the MTU */
	expect_in(f, LAN, PASS, "");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_damaged_packet_is_dropped_with_its_reason, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, a_chain_of_extension_headers_is_walked, 0,
			    sizeof(chains) / sizeof(chains[0]));
	tcase_add_test(tc, ip_options_go_to_the_stack);
	tcase_add_test(tc, padding_of_short_frames_is_no_payload);
	tcase_add_test(tc, neighbour_discovery_is_left_to_the_stack_but_not_forwarded_unjudged);
	tcase_add_test(tc, multicast_and_broadcast_make_no_connection);
	tcase_add_loop_test(tc, a_gso_packet_is_measured_by_its_segments, 0, 2);
}

int main(void)
{
	return stage_main("parse", add);
}
