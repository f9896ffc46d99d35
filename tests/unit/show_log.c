/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines are those of the kernel's net/netfilter/nf_log_syslog.c for the same bytes, written down by hand. */
#include <check.h>
#include <show/log.h>

static const uint8_t mac[14] = { 0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x08, 0 };

struct packet {
	const char *what;
	int family;
	unsigned int flags;
	uint32_t mark, len; /* len 0: what is given */
	const char *hex;
	const char *line; /* behind "MAC=... " */
};

#define IP4(len, frag, proto)                    \
	"4500" len "1234" frag "40" proto "0000" \
	"0a000005"                               \
	"0a000001"
#define IP6(len, next) "60000000" len next "40" ADDR6_A ADDR6_B
#define ADDR6_A	       "20010db8000000000000000000000005"
#define ADDR6_B	       "20010db8000000000000000000000001"
#define SAID4(len, rest) \
	"SRC=10.0.0.5 DST=10.0.0.1 LEN=" len " TOS=0x00 PREC=0x00 TTL=64 ID=4660 " rest
#define SAID6(len, rest)                               \
	"SRC=2001:0db8:0000:0000:0000:0000:0000:0005 " \
	"DST=2001:0db8:0000:0000:0000:0000:0000:0001 LEN=" len " TC=0 HOPLIMIT=64 FLOWLBL=0 " rest
#define SYN                        \
	"ae5400501122334455667788" \
	"a002"                     \
	"faf0"                     \
	"0000"                     \
	"0000"
#define SYN_OPTS   \
	"020405b4" \
	"0402080a" \
	"00000001" \
	"00000000" \
	"01030307"

static const struct packet packets[] = {
	{ "a SYN", 4, 0, 0, 0, IP4("003c", "4000", "06") SYN SYN_OPTS,
	  SAID4("60", "DF PROTO=TCP SPT=44628 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 ") },
	{ "with everything", 4, 7, 0x2a, 0, IP4("003c", "4000", "06") SYN SYN_OPTS,
	  SAID4("60", "DF PROTO=TCP SPT=44628 DPT=80 SEQ=287454020 ACK=1432778632 WINDOW=64240 "
		      "RES=0x00 SYN URGP=0 OPT (020405B40402080A000000010000000001030307) "
		      "MARK=0x2a ") },
	{ "all flags", 4, 0, 0, 0,
	  IP4("0028", "0000", "06") "00010002"
				    "00000000"
				    "00000000"
				    "5fff"
				    "0001"
				    "0000"
				    "0007",
	  SAID4("40", "PROTO=TCP SPT=1 DPT=2 WINDOW=1 RES=0x38 AE CWR ECE URG ACK PSH RST SYN FIN "
		      "URGP=7 ") },
	{ "a cut TCP header, and no mark behind it", 4, 0, 1, 32,
	  IP4("0020", "0000", "06") "000100020000",
	  SAID4("32", "PROTO=TCP INCOMPLETE [12 bytes] ") },
	{ "options behind what was recorded", 4, 2, 0, 60, IP4("003c", "4000", "06") SYN,
	  SAID4("60", "DF PROTO=TCP SPT=44628 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 "
		      "OPT (TRUNCATED)") },
	{ "UDP", 4, 0, 0, 0,
	  IP4("001d", "0000", "11") "0035"
				    "0036"
				    "0009"
				    "0000"
				    "61",
	  SAID4("29", "PROTO=UDP SPT=53 DPT=54 LEN=9 ") },
	{ "UDPLITE", 4, 0, 0, 0,
	  IP4("001c", "0000", "88") "0035"
				    "0036"
				    "0008"
				    "0000",
	  SAID4("28", "PROTO=UDPLITE SPT=53 DPT=54 LEN=8 ") },
	{ "a first fragment", 4, 0, 0, 0,
	  IP4("001c", "2000", "11") "0035"
				    "0036"
				    "0008"
				    "0000",
	  SAID4("28", "MF PROTO=UDP SPT=53 DPT=54 LEN=8 ") },
	{ "a later one", 4, 0, 9, 0,
	  IP4("001c", "00b9", "11") "0035"
				    "0036"
				    "0008"
				    "0000",
	  SAID4("28", "FRAG:185 PROTO=UDP MARK=0x9 ") },
	{ "TOS and IP options", 4, 4, 0, 0,
	  "46b8001c00010000"
	  "01020000"
	  "0a000005"
	  "0a000001"
	  "94040000"
	  "00000000",
	  "SRC=10.0.0.5 DST=10.0.0.1 LEN=28 TOS=0x18 PREC=0xA0 TTL=1 ID=1 OPT (94040000) "
	  "PROTO=2 " },
	{ "a ping", 4, 0, 0, 0, IP4("001c", "4000", "01") "0800f7fb00070001",
	  SAID4("28", "DF PROTO=ICMP TYPE=8 CODE=0 ID=7 SEQ=1 ") },
	{ "an error with its quote", 4, 0, 3, 0,
	  IP4("0038", "0000", "01") "030100000000"
				    "0000" IP4("001c", "0000", "11") "00350036"
								     "00080000",
	  SAID4("56", "PROTO=ICMP TYPE=3 CODE=1 [" SAID4(
			      "28", "PROTO=UDP SPT=53 DPT=54 LEN=8 ") "] MARK=0x3 ") },
	{ "fragmentation needed", 4, 0, 0, 0,
	  IP4("0030", "0000", "01") "030400000000"
				    "0578" IP4("0014", "0000", "2f"),
	  SAID4("48", "PROTO=ICMP TYPE=3 CODE=4 [" SAID4("20", "PROTO=47 ") "] MTU=1400 ") },
	{ "a redirect", 4, 0, 0, 0,
	  IP4("0030", "0000", "01") "05010000"
				    "0a0000fe" IP4("0014", "0000", "2f"),
	  SAID4("48",
		"PROTO=ICMP TYPE=5 CODE=1 GATEWAY=10.0.0.254 [" SAID4("20", "PROTO=47 ") "] ") },
	{ "an error that is too short", 4, 0, 0, 0, IP4("001c", "0000", "01") "0301000000000000",
	  SAID4("28", "PROTO=ICMP TYPE=3 CODE=1 INCOMPLETE [8 bytes] ") },
	{ "ESP", 4, 0, 0, 0, IP4("001c", "0000", "32") "0000cafe00000001",
	  SAID4("28", "PROTO=ESP SPI=0xcafe ") },
	{ "AH", 4, 0, 0, 0,
	  IP4("0020", "0000", "33") "06010000"
				    "0000beef"
				    "00000001",
	  SAID4("32", "PROTO=AH SPI=0xbeef ") },
	{ "GRE", 4, 0, 0, 0, IP4("0018", "0000", "2f") "00000800", SAID4("24", "PROTO=47 ") },
	{ "less than a header", 4, 0, 1, 0, "4500", "TRUNCATED" },
	{ "TCP over IPv6", 6, 0, 5, 0, IP6("0028", "06") SYN SYN_OPTS,
	  SAID6("80", "PROTO=TCP SPT=44628 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 MARK=0x5 ") },
	{ "traffic class and flow label", 6, 0, 0, 0,
	  "6b812345"
	  "0000"
	  "3b"
	  "01" ADDR6_A ADDR6_B,
	  "SRC=2001:0db8:0000:0000:0000:0000:0000:0005 "
	  "DST=2001:0db8:0000:0000:0000:0000:0000:0001 LEN=40 TC=184 HOPLIMIT=1 FLOWLBL=74565 "
	  "PROTO=59 " },
	{ "a ping over IPv6", 6, 0, 0, 0, IP6("0008", "3a") "8000000000070001",
	  SAID6("48", "PROTO=ICMPv6 TYPE=128 CODE=0 ID=7 SEQ=1 ") },
	{ "packet too big", 6, 0, 0, 0, IP6("0030", "3a") "0200000000000500" IP6("0000", "3b"),
	  SAID6("88", "PROTO=ICMPv6 TYPE=2 CODE=0 [" SAID6("40", "PROTO=59 ") "] MTU=1280 ") },
	{ "an option header, not asked for", 6, 0, 0, 0,
	  IP6("0010", "00") "1100010400000000"
			    "0035003600080000",
	  SAID6("56", "PROTO=UDP SPT=53 DPT=54 LEN=8 ") },
	{ "and asked for", 6, 4, 0, 0,
	  IP6("0010", "00") "1100010400000000"
			    "0035003600080000",
	  SAID6("56", "OPT ( ) PROTO=UDP SPT=53 DPT=54 LEN=8 ") },
	{ "fragments over IPv6", 6, 0, 0, 0,
	  IP6("0010", "2c") "110005a9"
			    "0000abcd"
			    "0035003600080000",
	  SAID6("56", "FRAG:1448 INCOMPLETE ID:0000abcd PROTO=UDP ") },
	{ "ESP over IPv6", 6, 4, 1, 0, IP6("0008", "32") "0000cafe00000001",
	  SAID6("48", "OPT ( ESP SPI=0xcafe )") },
	{ "a cut IPv6 header", 6, 0, 0, 0, "60000000", "TRUNCATED" },
};

static size_t unhex(const char *hex, uint8_t *to, size_t max)
{
	size_t n = 0;
	unsigned int byte;

	for (; *hex; hex += 2, n++) {
		ck_assert_uint_lt(n, max);
		ck_assert_int_eq(sscanf(hex, "%2x", &byte), 1);
		to[n] = (uint8_t)byte;
	}
	return n;
}

static struct gw_log record_of(const struct packet *p)
{
	struct gw_log log = { .family = (uint8_t)p->family, .mark = p->mark, .has_mac = 1 };

	memcpy(log.mac, mac, sizeof(mac));
	log.caplen = (uint8_t)unhex(p->hex, log.bytes, sizeof(log.bytes));
	log.len = p->len ? p->len : log.caplen;
	return log;
}

START_TEST(packet_reads_as_the_kernel_prints_it)
{
	const struct packet *p = &packets[_i];
	const struct show_log how = { .prefix = "x ", .flags = p->flags, .in = "lan0" };
	const struct gw_log log = record_of(p);
	struct strbuf want = { 0 }, got = { 0 };

	strbuf_printf(&want, "x IN=lan0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 %s",
		      p->line);
	show_log_line(&log, &how, &got);
	ck_assert_msg(!strcmp(got.s, want.s), "%s:\ngot  %s\nwant %s", p->what, got.s, want.s);
	strbuf_deinit(&want);
	strbuf_deinit(&got);
}
END_TEST

/* Whatever the bytes are, and wherever they end. */
START_TEST(damaged_packets_do_no_harm)
{
	const struct packet *p = &packets[_i];
	const struct show_log how = { .flags = 0xff, .in = "lan0", .out = "wan0" };
	struct gw_log log = record_of(p);

	for (unsigned int end = 0; end <= log.caplen; end++) {
		struct gw_log cut = log;
		struct strbuf b = { 0 };

		cut.caplen = (uint8_t)end;
		show_log_line(&cut, &how, &b);
		ck_assert(!b.failed && b.len > 20);
		strbuf_deinit(&b);
		for (unsigned int bit = 0; end < log.caplen && bit < 8; bit++) {
			cut = log;
			cut.bytes[end] ^= (uint8_t)(1U << bit);
			show_log_line(&cut, &how, &b);
			strbuf_deinit(&b);
		}
	}
}
END_TEST

START_TEST(interfaces_and_ethernet_headers_vary)
{
	static const struct {
		struct show_log how;
		bool has_mac;
		const char *line;
	} rows[] = {
		{ { .in = "tun0", .out = "wan0" }, false, "IN=tun0 OUT=wan0 MAC= TRUNCATED" },
		{ { .out = "wan0" }, false, "IN= OUT=wan0 TRUNCATED" },
		{ { .in = "a", .flags = SHOW_LOG_MACDECODE },
		  true,
		  "IN=a OUT= MACSRC=02:00:00:00:00:02 MACDST=02:00:00:00:00:01 MACPROTO=0800 "
		  "TRUNCATED" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gw_log log = { .family = 4, .has_mac = rows[i].has_mac };
		struct strbuf b = { 0 };

		memcpy(log.mac, mac, sizeof(mac));
		show_log_line(&log, &rows[i].how, &b);
		ck_assert_str_eq(b.s, rows[i].line);
		strbuf_deinit(&b);
	}
}
END_TEST

START_TEST(json_has_the_line_and_where_it_comes_from)
{
	const struct gw_log log = { .family = 4, .time_ns = 7 };
	const struct show_log how = { .prefix = "p ", .in = "lan0" };
	json_t *o = show_log_json(&log, &how, 6, 42);

	ck_assert_str_eq(json_string_value(json_object_get(o, "line")),
			 "p IN=lan0 OUT= MAC= TRUNCATED");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "rule")), 42);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "level")), 6);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "time_ns")), 7);
	json_decref(o);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("show_log");
	TCase *tc = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, packet_reads_as_the_kernel_prints_it, 0, ARRAY_SIZE(packets));
	tcase_add_loop_test(tc, damaged_packets_do_no_harm, 0, ARRAY_SIZE(packets));
	tcase_add_test(tc, interfaces_and_ethernet_headers_vary);
	tcase_add_test(tc, json_has_the_line_and_where_it_comes_from);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
