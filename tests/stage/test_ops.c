/* SPDX-License-Identifier: GPL-2.0-only */
/* Each op of a rule (gw/image.h): matches by field, what has a memory, statements. */
#include <arpa/inet.h>
#include <string.h>
#include "stage.h"

#define CT(state) (1 << GW_CT_##state)
#define EQ(f, v)                                                                     \
	OP(.code = GW_OP_RANGE, .field = GW_F_##f, .mask = ~0U, .lo = (uint32_t)(v), \
	   .hi = (uint32_t)(v))
#define FORWARD .hook = GW_HOOK_FILTER_FORWARD
#define SECOND	1000000000ULL

/* --------------------------------------------------------------------------------------------------- fields */

enum shape { UDP4, UDP6, TCP4, TCP6, PING4, PING6, DST6, HBH6 };

static struct frame shaped(enum shape s)
{
	static const uint8_t ext[8] = { 17, 0, 1, 4, 0, 0, 0, 0 };
	struct frame f;

	switch (s) {
	case UDP4:
		f = FRAME(.src = LAN4, .dst = FAR4, .proto = 17, .sport = 5000, .dport = 53,
			  .data = 12, .id = 77);
		f.b[FRAME_L3 + 1] = 0xb9; /* EF, ECT(1) */
		frame_seal(&f);
		return f;
	case UDP6:
		f = udp(LAN6, 5000, FAR6, 53);
		f.b[FRAME_L3] = 0x6b;
		f.b[FRAME_L3 + 1] = 0x90;
		return f;
	case TCP4:
		return tcp(LAN4, 5000, FAR4, 80, S, 1, 0);
	case TCP6:
		return tcp(LAN6, 5000, FAR6, 80, S, 1, 0);
	case PING4:
		return ping(LAN4, FAR4, 9);
	case PING6:
		return ping(LAN6, FAR6, 9);
	default:
		return FRAME(.src = LAN6, .dst = FAR6, .proto = 17, .sport = 5000, .dport = 53,
			     .data = 8, .ext_first = s == DST6 ? 60 : 0, .ext_len = 8,
			     .ext = { ext[0], ext[1], ext[2], ext[3] });
	}
}

/* Fields by the value they must have; -1 = the packet has none. */
static const struct {
	enum shape shape;
	uint8_t field;
	int64_t value;
} fields[] = {
	{ UDP4, GW_F_L4PROTO, 17 },
	{ UDP4, GW_F_IP_PROTOCOL, 17 },
	{ UDP6, GW_F_IP_PROTOCOL, -1 },
	{ UDP6, GW_F_IP6_NEXTHDR, 17 },
	{ DST6, GW_F_IP6_NEXTHDR, 60 },
	{ DST6, GW_F_L4PROTO, 17 },
	{ UDP4, GW_F_UDP_SPORT, 5000 },
	{ UDP6, GW_F_UDP_DPORT, 53 },
	{ UDP4, GW_F_TCP_DPORT, -1 },
	{ TCP6, GW_F_TCP_DPORT, 80 },
	{ TCP4, GW_F_TCP_SPORT, 5000 },
	{ TCP4, GW_F_UDP_SPORT, -1 },
	{ UDP4, GW_F_UDPL_SPORT, -1 },
	{ UDP4, GW_F_SCTP_DPORT, -1 },
	{ UDP4, GW_F_DCCP_DPORT, -1 },
	{ TCP4, GW_F_TH_DPORT, 80 },
	{ UDP6, GW_F_TH_SPORT, 5000 },
	{ PING4, GW_F_TH_SPORT, -1 },
	{ PING4, GW_F_ICMP_TYPE, 8 },
	{ PING4, GW_F_ICMP_CODE, 0 },
	{ PING4, GW_F_ICMP6_TYPE, -1 },
	{ PING6, GW_F_ICMP6_TYPE, 128 },
	{ PING6, GW_F_ICMP6_CODE, 0 },
	{ PING6, GW_F_ICMP_TYPE, -1 },
	{ TCP4, GW_F_TCP_FLAGS, S },
	{ UDP4, GW_F_TCP_FLAGS, -1 },
	{ TCP6, GW_F_TCP_WINDOW, 64240 },
	{ UDP4, GW_F_META_MARK, 7 },
	{ UDP4, GW_F_NFPROTO, 2 },
	{ UDP6, GW_F_NFPROTO, 10 },
	{ UDP4, GW_F_PROTOCOL, 0x0800 },
	{ UDP6, GW_F_PROTOCOL, 0x86dd },
	{ UDP4, GW_F_LENGTH, 40 },
	{ UDP6, GW_F_LENGTH, 60 },
	{ UDP4, GW_F_IP_LENGTH, 40 },
	{ UDP6, GW_F_IP_LENGTH, -1 },
	{ UDP6, GW_F_IP6_LENGTH, 20 },
	{ UDP4, GW_F_IP_TTL, 63 }, /* FORWARD is behind the router */
	{ UDP6, GW_F_IP6_HOPLIMIT, 63 },
	{ UDP6, GW_F_IP_TTL, -1 },
	{ UDP4, GW_F_IP_DSCP, 46 },
	{ UDP4, GW_F_IP_ECN, 1 },
	{ UDP6, GW_F_IP6_DSCP, 46 },
	{ UDP6, GW_F_IP6_ECN, 1 },
	{ UDP6, GW_F_IP_DSCP, -1 },
	{ UDP4, GW_F_IP_ID, 77 },
	{ UDP4, GW_F_IP_FRAG_OFF, 0 },
	{ UDP6, GW_F_IP_ID, -1 },
	{ UDP4, GW_F_PKTTYPE, 0 },
	{ UDP4, GW_F_IIFTYPE, 1 },
	{ UDP4, GW_F_OIFTYPE, 512 },
	{ UDP4, GW_F_ETHER_TYPE, 0x0800 },
	{ UDP4, GW_F_VLAN_ID, -1 },
	{ UDP4, GW_F_HOUR, 80000 },
	{ UDP4, GW_F_DAY, 2 },
	{ UDP4, GW_F_EXT_HBH, -1 },
	{ UDP6, GW_F_EXT_HBH, 0 },
	{ HBH6, GW_F_EXT_HBH, 1 },
	{ HBH6, GW_F_EXT_DST, 0 },
	{ DST6, GW_F_EXT_DST, 1 },
	{ DST6, GW_F_EXT_FRAG, 0 },
	{ DST6, GW_F_EXT_RT, 0 },
	{ DST6, GW_F_EXT_MH, 0 },
	{ UDP4, GW_F_CT_STATE, CT(NEW) },
	{ UDP4, GW_F_CT_MARK, 0 },
	{ UDP4, GW_F_CT_ZONE, 0 },
	{ UDP4, GW_F_CT_DIR, 0 },
	{ UDP4, GW_F_CT_STATUS, 0 },
	{ UDP4, GW_F_CT_EXPIRE, 30 },
	{ TCP4, GW_F_CT_EXPIRE, 120 },
	{ UDP4, GW_F_CT_PROTO, 17 },
	{ UDP4, GW_F_CT_O_SPORT, 5000 },
	{ UDP4, GW_F_CT_O_DPORT, 53 },
	{ UDP4, GW_F_CT_R_SPORT, 53 },
	{ UDP4, GW_F_CT_R_DPORT, 5000 },
	{ UDP4, GW_F_CT_O_SADDR, 0x0a000005 },
	{ UDP4, GW_F_CT_O_DADDR, 0x08080808 },
	{ UDP4, GW_F_CT_R_SADDR, 0x08080808 },
	{ UDP4, GW_F_CT_R_DADDR, 0x0a000005 },
	{ UDP6, GW_F_CT_O_SADDR, -1 },
	{ UDP4, GW_F_IP_SADDR, 0x0a000005 },
	{ UDP4, GW_F_IP_DADDR, 0x08080808 },
	{ UDP6, GW_F_IP_DADDR, -1 },
	{ UDP4, GW_F_FIB_SADDR_TYPE, 1 },
	{ UDP4, GW_F_FIB_DADDR_TYPE, 1 },
	{ UDP6, GW_F_FIB_SADDR_TYPE, 1 },
};

/* A rule with the op drops the packet, or it does not. */
static void expect_op(enum shape s, union cell c0, union cell c1, union cell c2, bool hits)
{
	stage.mark = 7;
	stage_wall(1700000000); /* a Tuesday, 22:13:20 */
	RULES({ FORWARD, .verdict = GW_V_DROP, OPS(c0, c1, c2) });
	flush();
	expect_drop(shaped(s), LAN, hits ? GW_REASON_RULE : GW_REASON_NONE);
}

static void if_types(void)
{
	struct gw_if lan = stage_get_if(LAN), wan = stage_get_if(WAN);

	lan.iftype = 1;
	wan.iftype = 512;
	stage_set_if(LAN, lan);
	stage_set_if(WAN, wan);
}

START_TEST(a_field_has_its_value)
{
	typeof(fields[0]) *c = &fields[_i];
	union cell pass = OP(.code = GW_OP_COUNT), is = EQ(NONE, c->value), not ;
	uint32_t slack = c->field == GW_F_HOUR ? 30 : c->field == GW_F_CT_EXPIRE ? 1 : 0;

	if_types();
	is.op.field = c->field;
	is.op.hi += slack;
	not = is;
	not .op.flags = GW_OPF_NOT;
	expect_op(c->shape, is, pass, pass, c->value >= 0);
	expect_op(c->shape, not, pass, pass, false); /* what is missing is not "another value" */
	not .op.lo = not .op.hi = (uint32_t)c->value + slack + 1;
	expect_op(c->shape, not, pass, pass, c->value >= 0);
}
END_TEST

START_TEST(a_range_has_bounds_and_a_mask)
{
	union cell pass = OP(.code = GW_OP_COUNT);
	union cell r =
		OP(.code = GW_OP_RANGE, .field = GW_F_UDP_DPORT, .mask = ~0U, .lo = 53, .hi = 60);

	expect_op(UDP4, r, pass, pass, true);
	r.op.lo = 50;
	r.op.hi = 53;
	expect_op(UDP4, r, pass, pass, true);
	r.op.hi = 52;
	expect_op(UDP4, r, pass, pass, false);
	r.op.mask = 1;
	r.op.lo = r.op.hi = 1;
	expect_op(UDP4, r, pass, pass, true);
	r.op.lo = r.op.hi = 0;
	expect_op(UDP4, r, pass, pass, false);
}
END_TEST

START_TEST(wide_values_are_compared_in_full)
{
	union cell mac = OP(.code = GW_OP_RANGE64, .field = GW_F_ETHER_SADDR, .len = 1);
	union cell at = PAIR(0x020000000002, 0x020000000002), pass = OP(.code = GW_OP_COUNT);
	union cell ip = OP(.code = GW_OP_RANGE128, .field = GW_F_IP6_SADDR, .len = 2);
	union cell lo = PAIR(0xfd00001000000000, 5), hi = PAIR(0xfd00001000000000, 5);

	expect_op(UDP4, mac, at, pass, true);
	at.pair.a = at.pair.b = 0x020000000003;
	expect_op(UDP4, mac, at, pass, false);
	mac.op.field = GW_F_ETHER_DADDR;
	at.pair.a = at.pair.b = 0x020000000001;
	expect_op(UDP6, mac, at, pass, true);
	expect_op(UDP6, ip, lo, hi, true);
	expect_op(UDP4, ip, lo, hi, false);
	ip.op.field = GW_F_CT_O_SADDR6;
	expect_op(UDP6, ip, lo, hi, true);
	ip.op.flags = GW_OPF_NOT;
	expect_op(UDP6, ip, lo, hi, false);
	hi.pair.b = lo.pair.b = 6;
	expect_op(UDP6, ip, lo, hi, true);
	ip.op.field = GW_F_CT_R_SADDR6;
	ip.op.flags = 0;
	lo.pair = (struct gw_op_pair){ 0x20010db800090000, 0 };
	hi.pair = (struct gw_op_pair){ 0x20010db800090000, 9 };
	expect_op(UDP6, ip, lo, hi, true);
}
END_TEST

START_TEST(ops_behind_the_third_are_on_further_lines)
{
	union cell pass = OP(.code = GW_OP_COUNT);

	for (int i = 0; i < 12; i++) {
		union cell c[12];

		for (int j = 0; j < 12; j++)
			c[j] = pass;
		c[i] = (union cell)EQ(UDP_DPORT, 54);
		RULES({ FORWARD, .verdict = GW_V_DROP, .ops = c, .n_ops = 12 });
		expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
		expect_drop(udp(LAN4, 5000, FAR4, 54), LAN, GW_REASON_RULE);
	}
}
END_TEST

START_TEST(interfaces_are_fields_too)
{
	union cell iif = EQ(IIFNAME, stage.ifindex[LAN]), oif = EQ(OIFNAME, stage.ifindex[WAN]);

	expect_op(UDP4, iif, oif, iif, true);
	expect_op(UDP4, iif, iif, (union cell)EQ(OIF, stage.ifindex[LAN]), false);
}
END_TEST

START_TEST(the_fib_knows_the_way_back)
{
	union cell back = EQ(FIB_SADDR_IIF_OIF, 0), oif = EQ(FIB_SADDR_OIF, stage.ifindex[LAN]);

	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(back) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4_B, 5000, DMZ4, 53), WAN, GW_REASON_RULE);
	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(oif) });
	expect_drop(udp(LAN4_B, 5000, DMZ4, 53), WAN, GW_REASON_RULE);
	expect_drop(udp(FAR4, 5000, DMZ4, 53), WAN, GW_REASON_NONE);
}
END_TEST

START_TEST(the_fib_knows_what_is_local)
{
	const struct names *n = &names[_i];
	union cell local = EQ(FIB_DADDR_TYPE, 2), multi = EQ(FIB_DADDR_TYPE, 5);

	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(local) },
	      { .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(multi), .cid = 1 });
	expect_drop(udp(n->lan, 5000, n->gw_lan, 53), LAN, GW_REASON_RULE);
	expect_drop(udp(n->lan, 5000, n->far, 53), LAN, GW_REASON_NONE);
	ck_assert_uint_eq(counter(1).pkts, 0);
	expect_drop(udp(n->lan, 5000, _i ? "ff05::1:3" : "239.1.2.3", 53), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

/* The options of a segment, and what a field makes of them; -1: it has none of that name, and the rule does not apply. */
static const struct {
	uint8_t opts[12];
	uint8_t len;
	uint32_t field;
	int64_t value;
} tcpopts[] = {
#define SYN_OPTS                                      \
	{                                             \
		2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7, 1, 0 \
	}
	{ SYN_OPTS, 12, GW_F_TCPOPT_MAXSEG, 1 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_SACK_PERM, 1 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_WINDOW, 1 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_NOP, 1 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_EOL, 0 }, /* the last byte is not looked at, as in netfilter */
	{ SYN_OPTS, 12, GW_F_TCPOPT_SACK, 0 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_TIMESTAMP, 0 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_MD5SIG, 0 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_MPTCP, 0 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_FASTOPEN, 0 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_MAXSEG_SIZE, 1460 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_WINDOW_COUNT, 7 },
	{ SYN_OPTS, 12, GW_F_TCPOPT_TSVAL, -1 },
	{ { 0 }, 0, GW_F_TCPOPT_MAXSEG, 0 },
	{ { 0 }, 0, GW_F_TCPOPT_MAXSEG_SIZE, -1 },
	{ { 1, 1, 8, 10, 0x12, 0x34, 0x56, 0x78, 0, 0, 1, 2 }, 12, GW_F_TCPOPT_TIMESTAMP, 1 },
	{ { 1, 1, 8, 10, 0x12, 0x34, 0x56, 0x78, 0, 0, 1, 2 }, 12, GW_F_TCPOPT_TSVAL, 0x12345678 },
	{ { 1, 1, 8, 10, 0x12, 0x34, 0x56, 0x78, 0, 0, 1, 2 }, 12, GW_F_TCPOPT_TSECR, 0x102 },
	/* behind the end of the list, behind one without a length, and cut short */
	{ { 0, 1, 2, 4, 5, 0xb4, 1, 1 }, 8, GW_F_TCPOPT_MAXSEG_SIZE, 1460 },
	{ { 0, 1, 2, 4, 5, 0xb4, 1, 1 }, 8, GW_F_TCPOPT_EOL, 1 },
	{ { 9, 0, 2, 4, 5, 0xb4, 1, 1 }, 8, GW_F_TCPOPT_MAXSEG, 1 },
	{ { 9, 0, 1, 2, 4, 5, 0xb4, 1 }, 8, GW_F_TCPOPT_MAXSEG_SIZE, 1460 },
	{ { 1, 1, 1, 1, 1, 1, 2, 4 }, 8, GW_F_TCPOPT_MAXSEG, 0 },
	{ { 2, 3, 5, 1, 1, 1, 1, 1 }, 8, GW_F_TCPOPT_MAXSEG, 1 },
	{ { 2, 3, 5, 1, 1, 1, 1, 1 }, 8, GW_F_TCPOPT_MAXSEG_SIZE, -1 },
	{ { 30, 255, 5, 1, 2, 4, 5, 0xb4 }, 8, GW_F_TCPOPT_MAXSEG, 0 },
	{ { 19, 2, 30, 2, 34, 2, 1, 1 }, 8, GW_F_TCPOPT_MD5SIG, 1 },
	{ { 19, 2, 30, 2, 34, 2, 1, 1 }, 8, GW_F_TCPOPT_MPTCP, 1 },
	{ { 19, 2, 30, 2, 34, 2, 5, 2 }, 8, GW_F_TCPOPT_FASTOPEN, 1 },
	{ { 19, 2, 30, 2, 34, 2, 5, 2 }, 8, GW_F_TCPOPT_SACK, 1 },
};

START_TEST(tcp_options_are_found_as_netfilter_finds_them)
{
	bool has = tcpopts[_i].value >= 0;
	union cell c =
		OP(.code = GW_OP_RANGE, .field = (uint8_t)tcpopts[_i].field, .mask = UINT32_MAX,
		   .lo = (uint32_t)tcpopts[_i].value, .hi = (uint32_t)tcpopts[_i].value);

	if (!has)
		c.op.lo = 0;
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame f =
			FRAME(.src = names[v6].lan, .dst = names[v6].far, .proto = 6, .sport = 5000,
			      .dport = 80, .bits = S, .seq = 1, .opts_len = tcpopts[_i].len);

		memcpy(f.b + FRAME_L3 + (v6 ? 60 : 40), tcpopts[_i].opts, tcpopts[_i].len);
		frame_seal(&f);
		RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(c) });
		expect_drop(f, LAN, has ? GW_REASON_RULE : GW_REASON_NONE);
		flush();
	}
}
END_TEST

/* What is no TCP misses every option. */
START_TEST(other_protocols_have_no_tcp_options)
{
	union cell missing = EQ(TCPOPT_MAXSEG, 0), size = EQ(TCPOPT_MAXSEG_SIZE, 0);

	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(missing) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	size.op.hi = UINT32_MAX;
	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(size) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
}
END_TEST

START_TEST(a_date_is_known_to_the_nanosecond)
{
	const uint64_t now = 1700000000 * SECOND;
	union cell from = OP(.code = GW_OP_RANGE64, .field = GW_F_TIME, .len = 1);

	stage_wall(1700000000);
	RULES({ .hook = GW_HOOK_RAW_PREROUTING,
		.verdict = GW_V_DROP,
		OPS(from, PAIR(now, now + SECOND)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	RULES({ .hook = GW_HOOK_RAW_PREROUTING,
		.verdict = GW_V_DROP,
		OPS(from, PAIR(now + 10 * SECOND, now + 20 * SECOND)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	stage_wall(1700000015);
	expect_drop(udp(LAN4, 5000, FAR4, 54), LAN, GW_REASON_RULE);
}
END_TEST

/* What a packet is to the FIB in raw PREROUTING; interfaces: a port of the stage. */
#define NO_PORT (-1)
static const struct {
	const char *src, *dst;
	uint32_t field;
	bool is_port;
	int value;
} fibs[] = {
	{ LAN4, GW_LAN4, GW_F_FIB_DADDR_IIF_TYPE, false, 2 },
	{ LAN4, GW_WAN4, GW_F_FIB_DADDR_IIF_TYPE, false, 1 },
	{ LAN4, GW_WAN4, GW_F_FIB_DADDR_TYPE, false, 2 },
	{ LAN4, "10.0.0.255", GW_F_FIB_DADDR_IIF_TYPE, false, 3 },
	{ LAN4, "255.255.255.255", GW_F_FIB_DADDR_IIF_TYPE, false, 3 },
	{ LAN4, "239.1.2.3", GW_F_FIB_DADDR_IIF_TYPE, false, 5 },
	{ LAN4, "127.0.0.1", GW_F_FIB_DADDR_IIF_TYPE, false, 1 },
	{ LAN4, FAR4, GW_F_FIB_SADDR_IIF_TYPE, false, 1 },
	{ GW_WAN4, FAR4, GW_F_FIB_SADDR_IIF_TYPE, false, 1 },
	{ GW_LAN4, FAR4, GW_F_FIB_SADDR_IIF_TYPE, false, 2 },
	{ LAN6, GW_LAN6, GW_F_FIB_DADDR_IIF_TYPE, false, 2 },
	{ LAN6, GW_WAN6, GW_F_FIB_DADDR_IIF_TYPE, false, 1 },
	{ LAN6, "ff02::1", GW_F_FIB_DADDR_IIF_TYPE, false, 5 },
	{ LAN4, FAR4, GW_F_FIB_DADDR_OIF, true, WAN },
	{ LAN6, FAR6, GW_F_FIB_DADDR_OIF, true, WAN },
	{ LAN4, FAR4, GW_F_FIB_DADDR_IIF_OIF, true, NO_PORT },
	{ LAN4, GW_LAN4, GW_F_FIB_DADDR_OIF, true, NO_PORT },
	{ LAN4, FAR4, GW_F_FIB_SADDR_IIF_OIF, true, LAN },
	{ FAR4, LAN4, GW_F_FIB_SADDR_IIF_OIF, true, NO_PORT },
	{ "10.0.0.255", FAR4, GW_F_FIB_SADDR_IIF_OIF, true, LAN },
	{ GW_LAN4, FAR4, GW_F_FIB_SADDR_IIF_OIF, true, NO_PORT },
	/* who asks for an address is let in */
	{ "0.0.0.0", "255.255.255.255", GW_F_FIB_SADDR_IIF_OIF, true, LAN },
	{ "0.0.0.0", FAR4, GW_F_FIB_SADDR_IIF_OIF, true, NO_PORT },
	{ "fe80::5", "ff02::1", GW_F_FIB_SADDR_IIF_OIF, true, LAN },
	{ LAN4, FAR4, GW_F_FIB_SADDR_MARK_IIF_OIF, true, LAN },
	{ LAN4, FAR4, GW_F_FIB_SADDR_MARK_OIF, true, LAN },
	{ LAN4, FAR4, GW_F_FIB_DADDR_MARK_OIF, true, WAN },
	{ LAN6, FAR6, GW_F_FIB_DADDR_MARK_IIF_OIF, true, NO_PORT },
};

START_TEST(the_fib_is_asked_as_the_rule_says)
{
	uint32_t is = (uint32_t)fibs[_i].value;
	union cell c;

	if (fibs[_i].is_port)
		is = fibs[_i].value == NO_PORT ? 0 : stage.ifindex[fibs[_i].value];
	c = (union cell)OP(.code = GW_OP_RANGE, .field = (uint8_t)fibs[_i].field, .lo = is,
			   .hi = is, .mask = UINT32_MAX);
	RULES({ .hook = GW_HOOK_RAW_PREROUTING, .verdict = GW_V_DROP, OPS(c) });
	expect_drop(udp(fibs[_i].src, 5000, fibs[_i].dst, 53), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(stat(GW_STAT_OP_REFUSED), 0);
}
END_TEST

START_TEST(an_op_that_is_not_known_drops)
{
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, OPS(OP(.code = 99)), .cid = 1 });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, OPS(OP(.code = GW_OP_CTCOUNT)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(stat(GW_STAT_OP_REFUSED), 2);
}
END_TEST

/* ------------------------------------------------------------------------------------------- the connection */

START_TEST(fields_of_a_known_connection_show_both_directions)
{
	struct frame ack, back;
	union cell seen = OP(.code = GW_OP_RANGE, .field = GW_F_CT_STATUS, .mask = 0x3e, .lo = 0x1e,
			     .hi = 0x1e);

	RULES(MASQUERADE(WAN), { FORWARD, .verdict = GW_V_CONTINUE, .cid = 1, OPS(seen) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 2, OPS(EQ(CT_DIR, 1)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 3,
		OPS(EQ(CT_R_DADDR, 0xcb007101), EQ(CT_O_SADDR, 0x0a000005), EQ(CT_R_SPORT, 80),
		    EQ(CT_O_SPORT, 40000)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 4, OPS(EQ(CT_EXPIRE, 432000)) });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	ck_assert_uint_eq(counter(1).pkts, 1); /* the handshake's last packet assures */
	ck_assert_uint_eq(counter(2).pkts, 1);
	ck_assert_uint_eq(counter(3).pkts, 2);
	ck_assert_uint_eq(counter(4).pkts, 1);
	expect_in(back, WAN, REDIRECT, "");
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert_uint_eq(counter(1).pkts, 3);
	ck_assert_uint_eq(counter(2).pkts, 2);
	ck_assert_uint_eq(counter(3).pkts, 4);
}
END_TEST

static void ct_packets(uint8_t flags, uint64_t want, uint32_t cid, const struct frame *f)
{
	RULES({ FORWARD, .verdict = GW_V_CONTINUE, .vary = 1, .cid = cid,
		OPS(OP(.code = GW_OP_RANGE64, .field = GW_F_CT_PACKETS, .flags = flags, .len = 1),
		    PAIR(want, want)) });
	expect_in(*f, LAN, REDIRECT, "");
	ck_assert_uint_eq(counter(cid).pkts, 1);
}

START_TEST(packets_are_those_of_a_direction_or_of_both)
{
	struct frame ack, back;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back); /* 2 there, 1 back */
	ct_packets(0, 3, 1, &ack);
	ct_packets(GW_OPF_REPLY, 1, 2, &ack);
	ct_packets(GW_OPF_BOTH, 6, 3, &ack);
	RULES({ FORWARD, .verdict = GW_V_CONTINUE, .vary = 1, .cid = 4,
		OPS(OP(.code = GW_OP_RANGE64, .field = GW_F_CT_BYTES, .len = 1), PAIR(240, 240)) });
	expect_in(ack, LAN, REDIRECT, "");
	ck_assert_uint_eq(counter(4).pkts, 1); /* six of 40 bytes */
}
END_TEST

/* --------------------------------------------------------------------------------------------- with a memory */

static int passed(int n)
{
	int pass = 0;

	for (int i = 0; i < n; i++) {
		struct frame f = udp(LAN4, 5000, FAR4, 53);

		pass += in(&f, LAN) != SHOT;
	}
	return pass;
}

#define LIMIT_OP(over, bytes)                                                                      \
	OP(.code = GW_OP_LIMIT, .flags = ((over) ? GW_OPF_NOT : 0) | ((bytes) ? GW_OPF_BYTES : 0), \
	   .len = 1, .lo = 3)

START_TEST(a_limit_is_a_bucket_that_time_refills)
{
	/* 1/second burst 3 */
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .vary = 1,
		OPS(LIMIT_OP(false, false), PAIR(SECOND << 8, 3 * SECOND << 8)) },
	      { FORWARD, .verdict = GW_V_DROP });
	ck_assert_int_eq(passed(10), 3);
	stage_wait(1);
	ck_assert_int_eq(passed(10), 1);
	stage_wait(2);
	ck_assert_int_eq(passed(10), 2);
	stage_wait(1000);
	ck_assert_int_eq(passed(10), 3);
}
END_TEST

START_TEST(over_a_limit_is_the_opposite)
{
	RULES({ FORWARD, .verdict = GW_V_DROP, .vary = 1,
		OPS(LIMIT_OP(true, false), PAIR(SECOND << 8, 3 * SECOND << 8)) });
	ck_assert_int_eq(passed(10), 3);
	stage_wait(1);
	ck_assert_int_eq(passed(10), 1);
}
END_TEST

START_TEST(a_limit_of_bytes_costs_by_length)
{
	/* 40 bytes a second, burst 120 */
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .vary = 1,
		OPS(LIMIT_OP(false, true), PAIR((SECOND << 8) / 40, 3 * SECOND << 8)) },
	      { FORWARD, .verdict = GW_V_DROP });
	ck_assert_int_eq(passed(10), 3);
	stage_wait(1);
	ck_assert_int_eq(passed(10), 1);
}
END_TEST

START_TEST(limits_outlive_a_swap)
{
	for (int i = 0; i < 3; i++) {
		RULES({ FORWARD, .verdict = GW_V_ACCEPT, .vary = 1,
			OPS(LIMIT_OP(false, false), PAIR(SECOND << 8, 3 * SECOND << 8)) },
		      { FORWARD, .verdict = GW_V_DROP });
		ck_assert_int_eq(passed(10), i ? 0 : 3);
	}
}
END_TEST

START_TEST(a_quota_counts_bytes)
{
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .vary = 1,
		OPS(OP(.code = GW_OP_QUOTA, .lo = 4, .len = 1), PAIR(100, 0)) },
	      { FORWARD, .verdict = GW_V_DROP });
	ck_assert_int_eq(passed(10), 2);
	RULES({ FORWARD, .verdict = GW_V_DROP, .vary = 1,
		OPS(OP(.code = GW_OP_QUOTA, .flags = GW_OPF_NOT, .lo = 5, .len = 1),
		    PAIR(100, 0)) });
	ck_assert_int_eq(passed(10), 2);
}
END_TEST

START_TEST(numgen_counts_or_draws)
{
	int n;

	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .vary = 1,
		OPS(OP(.code = GW_OP_NUMGEN, .flags = GW_OPF_FROM, .mask = 5, .lo = 1, .hi = 2,
		       .len = 1),
		    PAIR(6, 0)) },
	      { FORWARD, .verdict = GW_V_DROP });
	ck_assert_int_eq(passed(50), 20);
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .vary = 1,
		OPS(OP(.code = GW_OP_NUMGEN, .mask = 4, .lo = 0, .hi = 0)) },
	      { FORWARD, .verdict = GW_V_DROP });
	n = passed(400);
	ck_assert_msg(n > 40 && n < 180, "%d of 400", n);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- sets */

static struct set_row dynamic(uint32_t id, uint8_t key_len, uint32_t timeout, uint32_t size)
{
	return (struct set_row){ .head = { .key_len = key_len,
					   .flags = GW_SETF_DYN,
					   .id = id,
					   .timeout = timeout,
					   .size = size } };
}

#define SET_OP(c, ...) OP(.code = GW_OP_##c, .field = GW_F_IP_SADDR, __VA_ARGS__)

START_TEST(a_packet_adds_an_element_that_later_packets_find)
{
	struct set_row set = dynamic(77, 4, 10, 0);
	struct gw_dynval v;

	rules_sets(&set, 1);
	RULES({ FORWARD, .verdict = GW_V_DROP, OPS(SET_OP(SET)), .cid = 1 },
	      { FORWARD, .verdict = GW_V_CONTINUE, .proto = 17, .dport = 1, OPS(SET_OP(SETADD)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	expect_drop(udp(LAN4_B, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	ck_assert(dyn_get(77, "\x0a\x00\x00\x05", 4, &v));
	ck_assert_uint_eq(v.timeout_ns, 10 * SECOND);
	stage_wait(9);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	stage_wait(1);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE); /* it is over */
	expect_drop(udp(LAN4, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
}
END_TEST

START_TEST(only_update_refreshes)
{
	bool update = _i;
	struct set_row set = dynamic(78, 4, 10, 0);

	rules_sets(&set, 1);
	RULES({ FORWARD, .verdict = GW_V_DROP, .proto = 17, .dport = 53, OPS(SET_OP(SET)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .proto = 17, .dport = 1,
		OPS(OP(.code = update ? GW_OP_SETUPD : GW_OP_SETADD, .field = GW_F_IP_SADDR)) });
	expect_drop(udp(LAN4, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	stage_wait(6);
	expect_drop(udp(LAN4, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	stage_wait(6);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, update ? GW_REASON_RULE : GW_REASON_NONE);
}
END_TEST

START_TEST(an_op_may_give_its_own_timeout_and_delete)
{
	struct set_row set = dynamic(79, 4, 0, 0);

	rules_sets(&set, 1);
	RULES({ FORWARD, .verdict = GW_V_DROP, .proto = 17, .dport = 53, OPS(SET_OP(SET)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .proto = 17, .dport = 1,
		OPS(SET_OP(SETADD, .hi = 100)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .proto = 17, .dport = 2, OPS(SET_OP(SETADD)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .proto = 17, .dport = 3, OPS(SET_OP(SETDEL)) });
	expect_drop(udp(LAN4, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	stage_wait(99);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	stage_wait(1);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4_B, 5000, FAR4, 2), LAN, GW_REASON_NONE);
	stage_wait(100000);
	expect_drop(udp(LAN4_B, 5000, FAR4, 53), LAN, GW_REASON_RULE); /* no timeout at all */
	expect_drop(udp(LAN4_B, 5000, FAR4, 3), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4_B, 5000, FAR4, 53), LAN, GW_REASON_NONE);
}
END_TEST

START_TEST(a_full_set_takes_no_more_and_the_rule_does_not_apply)
{
	struct set_row set = dynamic(80, 4, 10, 2);
	struct gw_dynval v;

	rules_sets(&set, 1);
	dyn_size(80);
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .proto = 17, .dport = 1, OPS(SET_OP(SETADD)),
		.cid = 1 },
	      { FORWARD, .verdict = GW_V_DROP, .proto = 17, .dport = 1 },
	      { FORWARD, .verdict = GW_V_CONTINUE, OPS(SET_OP(SETDEL)) });
	expect_drop(udp(LAN4, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4_B, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4_B, 5000, FAR4, 1), LAN, GW_REASON_NONE);
	expect_drop(udp("10.0.0.7", 5000, FAR4, 1), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(dyn_count(80), 2);
	ck_assert(!dyn_get(80, "\x0a\x00\x00\x07", 4, &v));
	expect_drop(udp(LAN4, 5000, FAR4, 2), LAN, GW_REASON_NONE); /* takes its own out */
	ck_assert_uint_eq(dyn_count(80), 1);
	expect_drop(udp("10.0.0.7", 5000, FAR4, 1), LAN, GW_REASON_NONE);
	ck_assert_uint_eq(counter(1).pkts, 4);
}
END_TEST

START_TEST(each_element_has_its_own_bucket_and_counters)
{
	struct set_row set = dynamic(81, 4, 60, 0);
	struct gw_dynval v;

	rules_sets(&set, 1);
	RULES({ FORWARD, .verdict = GW_V_DROP,
		OPS(SET_OP(SETUPD, .flags = GW_OPF_LIMIT | GW_OPF_NOT | GW_OPF_COUNT, .len = 1),
		    PAIR(SECOND << 8, 2 * SECOND << 8)) });
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(passed(5), i ? 1 : 2);
		for (int j = 0; j < 2 && !i; j++)
			expect_drop(udp(LAN4_B, 5000, FAR4, 53), LAN, GW_REASON_NONE);
		expect_drop(udp(LAN4_B, 5000, FAR4, 53), LAN, i ? GW_REASON_NONE : GW_REASON_RULE);
		stage_wait(1);
	}
	ck_assert(dyn_get(81, "\x0a\x00\x00\x05", 4, &v));
	ck_assert_uint_eq(v.pkts, 10);
	ck_assert_uint_eq(v.bytes, 400);
}
END_TEST

/* inet_service . ipv4_addr . ifname, each padded to 4 bytes */
START_TEST(keys_of_several_fields_are_laid_out_one_behind_the_other)
{
	struct set_row set = dynamic(82, 12, 0, 0);
	uint8_t key[12] = { 0, 53, 0, 0, 10, 0, 0, 5 };
	struct gw_dynval v = {};

	put32(key + 8, stage.ifindex[LAN]);
	rules_sets(&set, 1);
	RULES({ FORWARD, .verdict = GW_V_DROP,
		OPS(OP(.code = GW_OP_SET, .field = GW_F_UDP_DPORT,
		       .mask = GW_F_IP_SADDR | GW_F_IIFNAME << 8)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	dyn_put(82, key, sizeof(key), &v);
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	expect_drop(udp(LAN4, 5000, FAR4, 54), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4_B, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	expect_drop(tcp(LAN4, 5000, FAR4, 53, S, 1, 0), LAN, GW_REASON_NONE);
}
END_TEST

START_TEST(keys_hold_wide_fields)
{
	struct set_row set = dynamic(83, 24, 0, 0);
	uint8_t key[24] = { 0xfd, 0, 0, 0x10 };
	struct gw_dynval v = {};

	key[15] = 5;
	memcpy(key + 16, "\x02\x00\x00\x00\x00\x02", 6);
	rules_sets(&set, 1);
	dyn_put(83, key, sizeof(key), &v);
	RULES({ FORWARD, .verdict = GW_V_DROP,
		OPS(OP(.code = GW_OP_SET, .field = GW_F_IP6_SADDR, .mask = GW_F_ETHER_SADDR)) });
	expect_drop(udp(LAN6, 5000, FAR6, 53), LAN, GW_REASON_RULE);
	expect_drop(udp(LAN6_B, 5000, FAR6, 53), LAN, GW_REASON_NONE);
}
END_TEST

/* A number has the four bytes of its type, however few its header field has. */
START_TEST(keys_hold_numbers_as_wide_as_their_type)
{
	struct set_row set = dynamic(85, 12, 0, 0);
	uint8_t key[12] = { 17, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 40 };
	struct gw_dynval v = {};

	rules_sets(&set, 1);
	dyn_put(85, key, sizeof(key), &v);
	RULES({ FORWARD, .verdict = GW_V_DROP,
		OPS(OP(.code = GW_OP_SET, .field = GW_F_L4PROTO,
		       .mask = GW_F_IP_TTL | GW_F_IP_LENGTH << 8)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
}
END_TEST

START_TEST(static_sets_are_in_the_image)
{
	static uint64_t ports[1024];
	struct set_row set = { .head = { .kind = GW_SET_BITMAP, .key_len = 2 },
			       .table = ports,
			       .lines = 128 };

	memset(ports, 0, sizeof(ports));
	ports[53 / 64] |= 1ULL << (53 & 63);
	rules_sets(&set, 1);
	RULES({ FORWARD, .verdict = GW_V_DROP,
		OPS(OP(.code = GW_OP_SET, .field = GW_F_UDP_DPORT)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	expect_drop(udp(LAN4, 5000, FAR4, 54), LAN, GW_REASON_NONE);
	RULES({ FORWARD, .verdict = GW_V_DROP,
		OPS(OP(.code = GW_OP_SET, .field = GW_F_UDP_DPORT, .flags = GW_OPF_NOT)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4, 5000, FAR4, 54), LAN, GW_REASON_RULE);
	expect_drop(tcp(LAN4, 5000, FAR4, 54, S, 1, 0), LAN, GW_REASON_NONE);
}
END_TEST

/* ----------------------------------------------------------------------------------------------- statements */

START_TEST(count_moves_its_own_counter)
{
	RULES({ FORWARD, .verdict = GW_V_ACCEPT, .act_flags = GW_ACT_NO_COUNT, .cid = 2,
		OPS(OP(.code = GW_OP_COUNT, .lo = 1), EQ(UDP_DPORT, 53)) });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NONE);
	expect_drop(udp(LAN4, 5000, FAR4, 54), LAN, GW_REASON_NONE);
	ck_assert_uint_eq(counter(1).pkts, 2); /* in front of the match */
	ck_assert_uint_eq(counter(1).bytes, 80);
	ck_assert_uint_eq(counter(2).pkts, 0);
}
END_TEST

START_TEST(log_records_the_packet_as_the_rule_sees_it)
{
	const struct names *n = &names[_i];
	struct frame f = udp(n->far, 6000, n->gw_wan, 8080), seen = udp(n->far, 6000, n->dmz, 80);
	unsigned int at = _i ? 24 : 16;
	struct gw_log log;

	RULES({ .hook = GW_HOOK_NAT_PREROUTING,
		.verdict = GW_V_NAT,
		.nat = GW_NAT_DNAT,
		.to = n->dmz,
		.port_lo = 80 },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 5, OPS(OP(.code = GW_OP_LOG, .lo = 9)) });
	stage.mark = 3;
	TAKES(f, WAN, line("udp %s.6000 > %s.80", n->far, n->dmz));
	ck_assert(logged(&log));
	ck_assert_uint_eq(log.log_id, 9);
	ck_assert_uint_eq(log.rule, 5);
	ck_assert_uint_eq(log.iif, stage.ifindex[WAN]);
	ck_assert_uint_eq(log.oif, stage.ifindex[DMZ]);
	ck_assert_uint_eq(log.len, f.len - FRAME_L3);
	ck_assert_uint_eq(log.mark, 3);
	ck_assert_uint_eq(log.family, _i ? 6 : 4);
	ck_assert_uint_eq(log.hook, GW_HOOK_FILTER_FORWARD);
	ck_assert_uint_eq(log.caplen, f.len - FRAME_L3);
	ck_assert_uint_eq(log.has_mac, 1);
	ck_assert_mem_eq(log.mac, f.b, 14);
	ck_assert_mem_eq(log.bytes + at, seen.b + FRAME_L3 + at, _i ? 16 : 4);
	ck_assert_mem_eq(log.bytes + (_i ? 40 : 20), seen.b + FRAME_L3 + (_i ? 40 : 20), 4);
	ck_assert(!logged(&log));
}
END_TEST

START_TEST(a_full_ring_of_logs_is_counted)
{
	struct frame f = udp(LAN4, 5000, FAR4, 53);
	struct gw_log log;
	int n = 0;

	RULES({ FORWARD, .verdict = GW_V_CONTINUE, OPS(OP(.code = GW_OP_LOG)) });
	for (int i = 0; i < 4000; i++) {
		struct frame g = f;

		ck_assert_int_eq(in_quick(&g, LAN), REDIRECT);
	}
	ck_assert_uint_gt(stat(GW_STAT_LOG_LOST), 0);
	while (logged(&log))
		n++;
	ck_assert_uint_eq(n + stat(GW_STAT_LOG_LOST), 4000);
}
END_TEST

START_TEST(a_mark_is_seen_by_the_rules_behind)
{
	stage.mark = 0xf0;
	RULES({ .hook = GW_HOOK_MANGLE_PREROUTING,
		.verdict = GW_V_CONTINUE,
		OPS(OP(.code = GW_OP_MARK, .mask = 0x0f, .lo = 5)) },
	      { .hook = GW_HOOK_MANGLE_PREROUTING,
		.verdict = GW_V_CONTINUE,
		.mark = 0xf5,
		.cid = 1 },
	      { FORWARD, .verdict = GW_V_DROP, .mark = 0xf5 });
	expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_RULE);
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

START_TEST(a_ct_mark_stays_with_the_connection)
{
	struct frame ack, back;

	RULES({ .hook = GW_HOOK_MANGLE_PREROUTING,
		.verdict = GW_V_CONTINUE,
		.ctstate = CT(NEW),
		.iif = stage.ifindex[LAN],
		OPS(OP(.code = GW_OP_CTMARK, .mask = ~0U, .lo = 0x42)) },
	      { .hook = GW_HOOK_MANGLE_PREROUTING,
		.verdict = GW_V_CONTINUE,
		OPS(OP(.code = GW_OP_MARK, .flags = GW_OPF_FROM, .mask = ~0U)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .mark = 0x42, .ctmark = 0x42, .cid = 1 });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	ck_assert_uint_eq(counter(1).pkts, 3);
	ck_assert_uint_eq(entry_of(&ack).f.mark, 0x42);
	ck_assert_uint_eq(entry_of(&back).f.mark, 0x42);
}
END_TEST

START_TEST(a_ct_mark_of_a_known_connection_changes_both_halves)
{
	struct frame ack, back;
	struct gw_event e;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	while (events(&e, 1))
		;
	stage.mark = 0x1234;
	RULES({ FORWARD, .verdict = GW_V_CONTINUE, .vary = 1,
		OPS(OP(.code = GW_OP_CTMARK, .flags = GW_OPF_FROM, .mask = 0xff, .lo = 1)) });
	expect_in(back, WAN, REDIRECT, "");
	ck_assert_uint_eq(entry_of(&ack).f.mark, 0x35);
	ck_assert_uint_eq(entry_of(&back).f.mark, 0x35);
	ck_assert_uint_eq(events(&e, 1), 1);
	ck_assert_uint_eq(e.type, GW_EVENT_UPDATE);
	ck_assert_uint_eq(e.mark, 0x35);
	expect_in(back, WAN, REDIRECT, "");
	expect_no_event(); /* no change, no news */
}
END_TEST

START_TEST(a_mark_of_the_other_one_keeps_the_bits_it_is_told_to)
{
	struct frame ack, back;

	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	stage.mark = 0x1234;
	RULES({ FORWARD, .verdict = GW_V_CONTINUE, .vary = 1,
		OPS(OP(.code = GW_OP_CTMARK, .mask = ~0U, .lo = 0xabcd),
		    OP(.code = GW_OP_CTMARK, .flags = GW_OPF_FROM, .mask = 0xff, .hi = 0xff00),
		    OP(.code = GW_OP_MARK, .flags = GW_OPF_FROM, .mask = 0xf0f0, .hi = 0xff0,
		       .lo = 1)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .mark = 0xa201, .ctmark = 0xab34, .cid = 1 });
	expect_in(back, WAN, REDIRECT, "");
	ck_assert_uint_eq(entry_of(&ack).f.mark, 0xab34);
	/* 0x1234 & 0xff0 = 0x230, 0xab34 & 0xf0f0 = 0xa030 */
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

START_TEST(a_changed_ct_mark_ends_cached_verdicts)
{
	struct frame ack, back;

	RULES({ FORWARD, .verdict = GW_V_DROP, .iif = stage.ifindex[LAN], .ctmark = 9 },
	      { FORWARD, .verdict = GW_V_CONTINUE, .iif = stage.ifindex[WAN], .tcp_bits = F,
		.tcp_mask = F, OPS(OP(.code = GW_OP_CTMARK, .mask = ~0U, .lo = 9)) });
	handshake(LAN4, 40000, FAR4, 80, &ack, &back);
	for (int i = 0; i < 2; i++)
		expect_in(ack, LAN, REDIRECT, "");
	ck_assert(stage.fast);
	frame_l4(&back)[13] = F | A;
	frame_seal(&back);
	expect_in(back, WAN, REDIRECT, "");
	expect_drop(ack, LAN, GW_REASON_RULE);
}
END_TEST

static uint8_t tos_of(const struct frame *f)
{
	const uint8_t *ip = f->b + FRAME_L3;

	return frame_is6(f) ? (ip[0] & 15) << 4 | ip[1] >> 4 : ip[1];
}

START_TEST(dscp_is_written_and_ecn_left_alone)
{
	struct frame f = shaped(_i ? UDP6 : UDP4);

	RULES({ .hook = GW_HOOK_MANGLE_PREROUTING,
		.verdict = GW_V_CONTINUE,
		OPS(OP(.code = GW_OP_DSCP, .lo = 10)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 1, .family = _i ? 6 : 4,
		OPS(OP(.code = GW_OP_RANGE, .field = _i ? GW_F_IP6_DSCP : GW_F_IP_DSCP, .mask = ~0U,
		       .lo = 10, .hi = 10)) });
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_uint_eq(tos_of(&f), 10 << 2 | 1);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

static const struct {
	uint8_t hook, hi, lo, ttl, want;
} ttls[] = {
	{ GW_HOOK_MANGLE_PREROUTING, 0, 100, 64, 99 }, /* the hop comes behind */
	{ GW_HOOK_MANGLE_PREROUTING, 1, 1, 64, 64 },
	{ GW_HOOK_MANGLE_PREROUTING, 1, 200, 64, 254 },
	{ GW_HOOK_MANGLE_PREROUTING, 2, 10, 64, 53 },
	{ GW_HOOK_MANGLE_PREROUTING, 1, 1, 1, 1 }, /* its last hop is one more */
	{ GW_HOOK_MANGLE_FORWARD, 0, 100, 64, 100 },
	{ GW_HOOK_MANGLE_FORWARD, 1, 5, 64, 68 },
	{ GW_HOOK_MANGLE_POSTROUTING, 0, 255, 64, 255 },
	{ GW_HOOK_MANGLE_POSTROUTING, 2, 3, 64, 60 },
};

START_TEST(ttl_is_set_raised_and_lowered)
{
	typeof(ttls[0]) *c = &ttls[_i / 2];
	const struct names *n = &names[_i & 1];
	struct frame f = FRAME(.src = n->lan, .dst = n->far, .proto = 17, .sport = 5000,
			       .dport = 53, .ttl = c->ttl, .data = 12);

	RULES({ .hook = c->hook,
		.verdict = GW_V_CONTINUE,
		OPS(OP(.code = GW_OP_TTL, .lo = c->lo, .hi = c->hi)) });
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_uint_eq(*frame_ttl(&f), c->want);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

static const struct {
	uint8_t opts[12], opts_len, bits, flags;
	uint32_t lo;
	int want, mss; /* want: what becomes of the mss that is there */
} mss_cases[] = {
	{ { 2, 4, 0x05, 0xb4 }, 4, S, 0, 1400, 1400, 1460 },
	{ { 2, 4, 0x05, 0x00 }, 4, S, 0, 1400, 1280, 1280 },	       /* never raised ... */
	{ { 2, 4, 0x05, 0x00 }, 4, S, GW_OPF_FROM, 1400, 1400, 1280 }, /* ... unless told to */
	{ { 1, 2, 4, 0x05, 0xb4, 1, 1, 1 }, 8, S | A, 0, 1400, 1400, 1460 }, /* at an odd place */
	{ { 4, 2, 1, 1, 2, 4, 0xff, 0xff }, 8, S, 0, 0, -1, 65535 },	     /* to the MTU */
	{ { 2, 4, 0x05, 0xb4 }, 4, A, 0, 1400, 1460, 1460 },		     /* only of a SYN */
};

static int mss_of(struct frame *f)
{
	const uint8_t *o = frame_l4(f) + 20, *end = frame_l4(f) + (frame_l4(f)[12] >> 4) * 4;

	for (; o + 3 < end; o += o[0] == 1 ? 1 : o[1])
		if (o[0] == 2)
			return get16(o + 2);
	return -1;
}

START_TEST(mss_is_lowered)
{
	typeof(mss_cases[0]) *c = &mss_cases[_i / 2];
	const struct names *n = &names[_i & 1];
	struct spec s = { .src = n->lan,
			  .dst = n->far,
			  .proto = 6,
			  .sport = 5000,
			  .dport = 80,
			  .bits = c->bits,
			  .opts_len = c->opts_len };
	struct frame f;

	memcpy(s.opts, c->opts, sizeof(s.opts));
	f = frame_build(&s);
	ck_assert_int_eq(mss_of(&f), c->mss);
	RULES({ FORWARD, .verdict = GW_V_CONTINUE,
		OPS(OP(.code = GW_OP_MSS, .lo = c->lo, .flags = c->flags)) });
	ck_assert_int_ne(in(&f, LAN), SHOT);
	ck_assert_int_eq(mss_of(&f), c->want < 0 ? 1500 - (_i & 1 ? 60 : 40) : c->want);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

START_TEST(a_syn_without_options_is_left_alone)
{
	struct frame f = tcp(LAN4, 5000, FAR4, 80, S, 1, 0);

	RULES({ FORWARD, .verdict = GW_V_CONTINUE, OPS(OP(.code = GW_OP_MSS, .lo = 1400)) });
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_int_eq(frame_bad_sums(&f), 0);
}
END_TEST

START_TEST(zones_keep_equal_tuples_apart)
{
	struct frame f = udp(LAN4, 5000, FAR4, 53), g = udp(LAN4, 5000, FAR4, 53);

	RULES({ .hook = GW_HOOK_RAW_PREROUTING,
		.verdict = GW_V_CONTINUE,
		.mark = 1,
		OPS(OP(.code = GW_OP_ZONE, .lo = 7)) },
	      { FORWARD, .verdict = GW_V_CONTINUE, .cid = 1, OPS(EQ(CT_ZONE, 7)) });
	ck_assert_int_eq(in(&f, LAN), REDIRECT);
	ck_assert_uint_eq(entries_all(), 2);
	stage.mark = 1;
	ck_assert_int_eq(in(&g, LAN), REDIRECT);
	ck_assert_uint_eq(entries_all(), 4);
	ck_assert_uint_eq(counter(1).pkts, 1);
}
END_TEST

START_TEST(asking_does_nothing)
{
	struct set_row set = dynamic(84, 4, 0, 0);
	struct gw_dynval v;
	struct gw_log log;

	rules_sets(&set, 1);
	/* an untracked packet asks the NAT rules whether they would translate it */
	RULES({ .hook = GW_HOOK_RAW_PREROUTING, OPS(OP(.code = GW_OP_NOTRACK)) },
	      MASQUERADE(WAN, .cid = 1,
			 OPS(SET_OP(SETADD), OP(.code = GW_OP_LOG),
			     OP(.code = GW_OP_COUNT, .lo = 2), LIMIT_OP(false, false),
			     PAIR(SECOND << 8, SECOND << 8))));
	for (int i = 0; i < 3; i++)
		expect_drop(udp(LAN4, 5000, FAR4, 53), LAN, GW_REASON_NAT_UNTRACKED);
	ck_assert(!dyn_get(84, "\x0a\x00\x00\x05", 4, &v));
	ck_assert(!logged(&log));
	ck_assert_uint_eq(counter(1).pkts + counter(2).pkts, 0);
}
END_TEST

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static void add_matches(TCase *tc)
{
	tcase_add_loop_test(tc, a_field_has_its_value, 0, N(fields));
	tcase_add_test(tc, a_range_has_bounds_and_a_mask);
	tcase_add_test(tc, wide_values_are_compared_in_full);
	tcase_add_test(tc, ops_behind_the_third_are_on_further_lines);
	tcase_add_test(tc, interfaces_are_fields_too);
	tcase_add_test(tc, the_fib_knows_the_way_back);
	tcase_add_loop_test(tc, the_fib_knows_what_is_local, 0, 2);
	tcase_add_loop_test(tc, tcp_options_are_found_as_netfilter_finds_them, 0,
			    (int)(sizeof(tcpopts) / sizeof(tcpopts[0])));
	tcase_add_test(tc, other_protocols_have_no_tcp_options);
	tcase_add_test(tc, a_date_is_known_to_the_nanosecond);
	tcase_add_loop_test(tc, the_fib_is_asked_as_the_rule_says, 0,
			    (int)(sizeof(fibs) / sizeof(fibs[0])));
	tcase_add_test(tc, an_op_that_is_not_known_drops);
	tcase_add_test(tc, fields_of_a_known_connection_show_both_directions);
	tcase_add_test(tc, packets_are_those_of_a_direction_or_of_both);
}

static void add_memory(TCase *tc)
{
	tcase_add_test(tc, a_limit_is_a_bucket_that_time_refills);
	tcase_add_test(tc, over_a_limit_is_the_opposite);
	tcase_add_test(tc, a_limit_of_bytes_costs_by_length);
	tcase_add_test(tc, limits_outlive_a_swap);
	tcase_add_test(tc, a_quota_counts_bytes);
	tcase_add_test(tc, numgen_counts_or_draws);
	tcase_add_test(tc, a_packet_adds_an_element_that_later_packets_find);
	tcase_add_loop_test(tc, only_update_refreshes, 0, 2);
	tcase_add_test(tc, an_op_may_give_its_own_timeout_and_delete);
	tcase_add_test(tc, a_full_set_takes_no_more_and_the_rule_does_not_apply);
	tcase_add_test(tc, each_element_has_its_own_bucket_and_counters);
	tcase_add_test(tc, keys_of_several_fields_are_laid_out_one_behind_the_other);
	tcase_add_test(tc, keys_hold_wide_fields);
	tcase_add_test(tc, keys_hold_numbers_as_wide_as_their_type);
	tcase_add_test(tc, static_sets_are_in_the_image);
}

static void add(TCase *tc)
{
	add_matches(tc);
	add_memory(tc);
	tcase_add_test(tc, count_moves_its_own_counter);
	tcase_add_loop_test(tc, log_records_the_packet_as_the_rule_sees_it, 0, 2);
	tcase_add_test(tc, a_full_ring_of_logs_is_counted);
	tcase_add_test(tc, a_mark_is_seen_by_the_rules_behind);
	tcase_add_test(tc, a_ct_mark_stays_with_the_connection);
	tcase_add_test(tc, a_ct_mark_of_a_known_connection_changes_both_halves);
	tcase_add_test(tc, a_mark_of_the_other_one_keeps_the_bits_it_is_told_to);
	tcase_add_test(tc, a_changed_ct_mark_ends_cached_verdicts);
	tcase_add_loop_test(tc, dscp_is_written_and_ecn_left_alone, 0, 2);
	tcase_add_loop_test(tc, ttl_is_set_raised_and_lowered, 0, 2 * N(ttls));
	tcase_add_loop_test(tc, mss_is_lowered, 0, 2 * N(mss_cases));
	tcase_add_test(tc, a_syn_without_options_is_left_alone);
	tcase_add_test(tc, zones_keep_equal_tuples_apart);
	tcase_add_test(tc, asking_does_nothing);
}

int main(void)
{
	return stage_main("ops", add);
}
