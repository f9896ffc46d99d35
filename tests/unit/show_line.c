/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines were taken from conntrack 1.4.7 and /proc/net/nf_conntrack with real traffic on Linux 6.18. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <show/show.h>

struct addrs {
	const char *src, *dst;
	unsigned int sport, dport;
};

static void tuple_set(struct gw_tuple6 *t, int family, uint8_t proto, const struct addrs *a)
{
	int af = family == 6 ? AF_INET6 : AF_INET;

	ck_assert_int_eq(inet_pton(af, a->src, t->saddr), 1);
	ck_assert_int_eq(inet_pton(af, a->dst, t->daddr), 1);
	t->sport = htons(a->sport);
	t->dport = htons(a->dport);
	t->proto = proto;
}

static struct gw_event event(int family, uint8_t proto, unsigned int timeout, uint8_t state,
			     unsigned int flags, struct addrs orig, struct addrs reply)
{
	struct gw_event ev = { .family = family,
			       .proto = proto,
			       .timeout = timeout,
			       .state = state,
			       .flags = flags,
			       .id = 2300251298U,
			       .time_ns = 1795166454464159999ULL };

	tuple_set(&ev.tuple[0], family, proto, &orig);
	tuple_set(&ev.tuple[1], family, proto, &reply);
	return ev;
}

#define REPLIED (GW_FLOW_SEEN_REPLY)
#define ASSURED (GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED)
#define WEB                                                                          \
	(struct addrs){ "192.168.1.10", "82.120.11.99", 50798, 443 }, (struct addrs) \
	{                                                                            \
		"82.120.11.99", "82.120.11.22", 443, 50798                           \
	}
#define WEB_ORIG  "src=192.168.1.10 dst=82.120.11.99 sport=50798 dport=443 "
#define WEB_REPLY "src=82.120.11.99 dst=82.120.11.22 sport=443 dport=50798"
#define PING(type, id)                                                        \
	(struct addrs){ "10.0.0.5", "203.0.113.9", id, type }, (struct addrs) \
	{                                                                     \
		"203.0.113.9", "203.0.113.1", type, id                        \
	}
#define PING6(type, id)                                                      \
	(struct addrs){ "fd00:1::5", "fd00:2::9", id, type }, (struct addrs) \
	{                                                                    \
		"fd00:2::9", "fd00:1::5", type, id                           \
	}
#define BARE                                                              \
	(struct addrs){ "10.0.0.5", "203.0.113.9", 0, 0 }, (struct addrs) \
	{                                                                 \
		"203.0.113.9", "203.0.113.1", 0, 0                        \
	}
#define BARE_LINE "[UNREPLIED] src=203.0.113.9 dst=203.0.113.1 "

static void check_text(struct strbuf *b, const char *want)
{
	char *text = strbuf_take(b);

	ck_assert_str_eq(text, want);
	free(text);
}

static void check_flow(struct gw_event ev, unsigned int flags, const char *want)
{
	struct strbuf b = { 0 };

	show_flow(&ev, flags, &b);
	check_text(&b, want);
}

static void check_event(struct gw_event ev, uint8_t type, unsigned int flags, const char *want)
{
	struct strbuf b = { 0 };

	ev.type = type;
	show_event(&ev, flags, 3776600533U, &b);
	check_text(&b, want);
}

/* S77, S88 */
START_TEST(listing_is_conntracks)
{
	struct gw_event ev = event(4, IPPROTO_TCP, 431998, GW_TCP_ESTABLISHED, ASSURED, WEB);

	check_flow(ev, 0,
		   "tcp      6 431998 ESTABLISHED " WEB_ORIG WEB_REPLY " [ASSURED] mark=0 use=1\n");
	check_flow(ev, SHOW_EXTENDED | SHOW_ID,
		   "ipv4     2 tcp      6 431998 ESTABLISHED " WEB_ORIG WEB_REPLY
		   " [ASSURED] mark=0 use=1 id=2300251298\n");
	ev.mark = 17;
	ev.zone = 5;
	check_flow(ev, SHOW_ID,
		   "tcp      6 431998 ESTABLISHED " WEB_ORIG WEB_REPLY
		   " [ASSURED] mark=17 zone=5 use=1 id=2300251298\n");
	ev.pkts[0] = 6, ev.bytes[0] = 399, ev.pkts[1] = 5, ev.bytes[1] = 1046;
	check_flow(ev, SHOW_ACCT,
		   "tcp      6 431998 ESTABLISHED " WEB_ORIG "packets=6 bytes=399 " WEB_REPLY
		   " packets=5 bytes=1046 [ASSURED] mark=17 zone=5 use=1\n");
}
END_TEST

START_TEST(listing_knows_every_protocol)
{
	check_flow(event(4, IPPROTO_UDP, 1, 0, 0,
			 (struct addrs){ "10.0.0.5", "203.0.113.9", 47861, 53 },
			 (struct addrs){ "203.0.113.9", "203.0.113.1", 53, 47861 }),
		   0,
		   "udp      17 1 src=10.0.0.5 dst=203.0.113.9 sport=47861 dport=53 [UNREPLIED] "
		   "src=203.0.113.9 dst=203.0.113.1 sport=53 dport=47861 mark=0 use=1\n");
	check_flow(event(4, IPPROTO_ICMP, 28, 0, REPLIED, PING(0, 8167)), 0,
		   "icmp     1 28 src=10.0.0.5 dst=203.0.113.9 type=8 code=0 id=8167 "
		   "src=203.0.113.9 dst=203.0.113.1 type=0 code=0 id=8167 mark=0 use=1\n");
	check_flow(event(4, IPPROTO_ICMP, 28, 0, REPLIED, PING(13, 90)), 0,
		   "icmp     1 28 src=10.0.0.5 dst=203.0.113.9 type=13 code=0 id=90 "
		   "src=203.0.113.9 dst=203.0.113.1 type=14 code=0 id=90 mark=0 use=1\n");
	check_flow(
		event(4, IPPROTO_ICMP, 28, 0, 0, PING(17, 94)), SHOW_EXTENDED,
		"ipv4     2 icmp     1 28 src=10.0.0.5 dst=203.0.113.9 type=17 code=0 id=94 "
		"[UNREPLIED] src=203.0.113.9 dst=203.0.113.1 type=18 code=0 id=94 mark=0 use=1\n");
	check_flow(event(6, IPPROTO_ICMPV6, 29, 0, REPLIED, PING6(0, 8168)), SHOW_EXTENDED,
		   "ipv6     10 icmpv6   58 29 src=fd00:1::5 dst=fd00:2::9 type=128 code=0 id=8168 "
		   "src=fd00:2::9 dst=fd00:1::5 type=129 code=0 id=8168 mark=0 use=1\n");
	check_flow(event(4, IPPROTO_GRE, 3, 0, 0, BARE), 0,
		   "gre      47 3 src=10.0.0.5 dst=203.0.113.9 srckey=0x0 dstkey=0x0 [UNREPLIED] "
		   "src=203.0.113.9 dst=203.0.113.1 srckey=0x0 dstkey=0x0 mark=0 use=1\n");
	check_flow(event(4, 99, 2, 0, 0, BARE), SHOW_EXTENDED,
		   "ipv4     2 unknown  99 2 src=10.0.0.5 dst=203.0.113.9 " BARE_LINE
		   "mark=0 use=1\n");
	check_flow(event(4, IPPROTO_IPIP, 2, 0, 0, BARE), 0,
		   "unknown  4 2 src=10.0.0.5 dst=203.0.113.9 " BARE_LINE "mark=0 use=1\n");
}
END_TEST

/* S80 to S87 */
START_TEST(events_are_conntracks)
{
	struct gw_event ev = event(4, IPPROTO_TCP, 120, GW_TCP_SYN_SENT, 0, WEB);

	check_event(ev, GW_EVENT_NEW, SHOW_TIMESTAMP,
		    "[1795166454.464159]\t    [NEW] tcp      6 120 SYN_SENT " WEB_ORIG
		    "[UNREPLIED] " WEB_REPLY "\n");
	ev = event(4, IPPROTO_TCP, 60, GW_TCP_SYN_RECV, REPLIED, WEB);
	check_event(ev, GW_EVENT_UPDATE, 0,
		    " [UPDATE] tcp      6 60 SYN_RECV " WEB_ORIG WEB_REPLY "\n");
	ev = event(4, IPPROTO_TCP, 432000, GW_TCP_ESTABLISHED, ASSURED, WEB);
	check_event(ev, GW_EVENT_UPDATE, SHOW_EXTENDED | SHOW_ID,
		    " [UPDATE] ipv4     2 tcp      6 432000 ESTABLISHED " WEB_ORIG WEB_REPLY
		    " [ASSURED] id=2300251298\n");
	ev.mark = 17;
	check_event(ev, GW_EVENT_UPDATE, SHOW_ACCT, /* counters come with the last event only */
		    " [UPDATE] tcp      6 432000 ESTABLISHED " WEB_ORIG WEB_REPLY
		    " [ASSURED] mark=17\n");
}
END_TEST

/* S87, as measured: the timer's DESTROY has no timeout left to print, and the state stays */
START_TEST(destroy_by_timer_has_no_timeout)
{
	struct gw_event ev = event(4, IPPROTO_TCP, 0, GW_TCP_TIME_WAIT, ASSURED, WEB);

	check_event(ev, GW_EVENT_DESTROY, 0,
		    "[DESTROY] tcp      6 TIME_WAIT " WEB_ORIG WEB_REPLY " [ASSURED]\n");
	ev = event(4, IPPROTO_ICMP, 0, 0, 0, PING(17, 94));
	check_event(ev, GW_EVENT_DESTROY, 0,
		    "[DESTROY] icmp     1 src=10.0.0.5 dst=203.0.113.9 type=17 code=0 id=94 "
		    "[UNREPLIED] src=203.0.113.9 dst=203.0.113.1 type=18 code=0 id=94\n");
}
END_TEST

START_TEST(destroy_by_user_names_the_process)
{
	struct gw_event ev = event(4, IPPROTO_TCP, 117, GW_TCP_TIME_WAIT, ASSURED, WEB);

	ev.cause = GW_CAUSE_USER;
	check_event(ev, GW_EVENT_DESTROY, 0,
		    "[DESTROY] tcp      6 117 TIME_WAIT " WEB_ORIG WEB_REPLY
		    " [ASSURED] [USERSPACE] portid=3776600533\n");
	ev.cause = GW_CAUSE_KILL;
	check_event(ev, GW_EVENT_DESTROY, SHOW_ID,
		    "[DESTROY] tcp      6 117 TIME_WAIT " WEB_ORIG WEB_REPLY
		    " [ASSURED] id=2300251298\n");
}
END_TEST

START_TEST(lost_events_have_their_line)
{
	struct gw_event ev = { .pkts = { 42 }, .time_ns = 1000000000 };

	check_event(ev, GW_EVENT_LOST, 0, "[LOST 42]\n");
	check_event(ev, GW_EVENT_LOST, SHOW_TIMESTAMP, "[1.000000]\t[LOST 42]\n");
}
END_TEST

START_TEST(proc_has_long_addresses_and_the_zone)
{
	struct gw_event ev = event(4, IPPROTO_TCP, 431998, GW_TCP_ESTABLISHED, ASSURED, WEB);
	struct strbuf b = { 0 };

	show_flow_proc(&ev, &b);
	check_text(&b, "ipv4     2 tcp      6 431998 ESTABLISHED " WEB_ORIG WEB_REPLY
		       " [ASSURED] mark=0 zone=0 use=2\n");
	ev = event(6, IPPROTO_ICMPV6, 29, 0, REPLIED, PING6(0, 8168));
	show_flow_proc(&ev, &b);
	check_text(&b, "ipv6     10 icmpv6   58 29 src=fd00:0001:0000:0000:0000:0000:0000:0005 "
		       "dst=fd00:0002:0000:0000:0000:0000:0000:0009 type=128 code=0 id=8168 "
		       "src=fd00:0002:0000:0000:0000:0000:0000:0009 "
		       "dst=fd00:0001:0000:0000:0000:0000:0000:0005 type=129 code=0 id=8168 "
		       "mark=0 zone=0 use=2\n");
}
END_TEST

static void check_json(struct gw_event ev, const char *want)
{
	json_t *obj = show_json(&ev);
	char *text = json_dumps(obj, JSON_COMPACT | JSON_PRESERVE_ORDER);

	ck_assert_str_eq(text, want);
	free(text);
	json_decref(obj);
}

START_TEST(json_has_everything)
{
	struct gw_event ev = event(4, IPPROTO_TCP, 117, GW_TCP_TIME_WAIT, ASSURED, WEB);

	ev.type = GW_EVENT_DESTROY;
	ev.cause = GW_CAUSE_EARLY;
	ev.seq = 12;
	ev.rule = 17;
	ev.nat_rule = 4;
	ev.nat_rule2 = 5;
	ev.iif = 2;
	ev.oif = 3;
	check_json(
		ev,
		"{\"event\":\"destroy\",\"time_ns\":1795166454464159999,\"seq\":12,\"cause\":"
		"\"early-drop\","
		"\"id\":2300251298,\"family\":\"ipv4\",\"proto\":\"tcp\",\"protonum\":6,"
		"\"timeout\":117,\"state\":\"TIME_WAIT\",\"original\":{\"src\":\"192.168.1.10\","
		"\"dst\":\"82.120.11.99\",\"sport\":50798,\"dport\":443,\"packets\":0,\"bytes\":0},"
		"\"reply\":{\"src\":\"82.120.11.99\",\"dst\":\"82.120.11.22\",\"sport\":443,"
		"\"dport\":50798,\"packets\":0,\"bytes\":0},\"flags\":[\"seen_reply\",\"assured\"],"
		"\"mark\":0,\"zone\":0,\"rule\":17,\"nat_rules\":[4,5],\"iif\":2,\"oif\":3}");
	check_json((struct gw_event){ .type = GW_EVENT_LOST, .pkts = { 7 } },
		   "{\"event\":\"lost\",\"time_ns\":0,\"seq\":0,\"lost\":7}");
	check_json((struct gw_event){ .type = GW_EVENT_SYNC, .seq = 9 },
		   "{\"event\":\"sync\",\"time_ns\":0,\"seq\":9}");
	check_json((struct gw_event){ .type = GW_EVENT_SYNCED, .seq = 9, .pkts = { 3 } },
		   "{\"event\":\"synced\",\"time_ns\":0,\"seq\":9,\"connections\":3}");
}
END_TEST

START_TEST(stream_lines_carry_numbers_and_rules)
{
	struct gw_event ev = event(4, IPPROTO_UDP, 30, 0, 0, WEB);
	struct gw_event mark = { .type = GW_EVENT_SYNCED, .pkts = { 3 }, .seq = 8 };
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };

	ev.type = GW_EVENT_NEW;
	ev.seq = 7;
	ev.rule = 17;
	ev.nat_rule = 4;
	ev.nat_rule2 = 5;
	show_event(&ev, SHOW_SEQ | SHOW_RULE, 1, &b);
	show_event(&mark, SHOW_SEQ, 1, &b);
	ev.type = GW_EVENT_NONE;
	show_event(&ev, SHOW_SEQ, 1, &b);
	mark.type = GW_EVENT_SYNC;
	show_event(&mark, 0, 1, &b);
	ev.type = GW_EVENT_UPDATE;
	ev.cause = GW_CAUSE_USER;
	show_event(&ev, 0, 33, &b);
	ck_assert_str_eq(b.s, "    [NEW] udp      17 30 " WEB_ORIG "[UNREPLIED] " WEB_REPLY
			      " rule=17 nat-rule=4 nat-rule=5 seq=7\n"
			      "[SYNCED 3] seq=8\n"
			      "  [THERE] udp      17 30 " WEB_ORIG "[UNREPLIED] " WEB_REPLY "\n"
			      "[SYNC]\n"
			      " [UPDATE] udp      17 30 " WEB_ORIG "[UNREPLIED] " WEB_REPLY
			      " mark=0 [USERSPACE] portid=33\n");
}
END_TEST

/* conntrack -L -o save and -o xml of 1.4.7. */
START_TEST(other_formats_are_conntracks)
{
	struct gw_event web = event(4, IPPROTO_TCP, 99, GW_TCP_ESTABLISHED, ASSURED, WEB);
	struct gw_event ping = event(4, IPPROTO_ICMP, 99, 0, GW_FLOW_SNAT, PING(13, 6));
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };

	web.mark = 5;
	show_save(&web, &b);
	show_save(&ping, &b);
	show_xml(&web, 0, &b);
	ck_assert_str_eq(
		b.s,
		"-A -t 99 -u SEEN_REPLY,ASSURED -s 192.168.1.10 -d 82.120.11.99 -r 82.120.11.99 "
		"-q 82.120.11.22 -p tcp --sport 50798 --dport 443 --reply-port-src 443 "
		"--reply-port-dst 50798 --state ESTABLISHED\n"
		"-A -t 99 -u UNSET -s 10.0.0.5 -d 203.0.113.9 -r 203.0.113.9 -n 203.0.113.1 -p "
		"icmp "
		"--icmp-type 13 --icmp-code 0 --icmp-id 6\n"
		"<flow><meta direction=\"original\"><layer3 protonum=\"2\" protoname=\"ipv4\">"
		"<src>192.168.1.10</src><dst>82.120.11.99</dst></layer3><layer4 protonum=\"6\" "
		"protoname=\"tcp\"><sport>50798</sport><dport>443</dport></layer4></meta>"
		"<meta direction=\"reply\"><layer3 protonum=\"2\" protoname=\"ipv4\">"
		"<src>82.120.11.99</src><dst>82.120.11.22</dst></layer3><layer4 protonum=\"6\" "
		"protoname=\"tcp\"><sport>443</sport><dport>50798</dport></layer4></meta>"
		"<meta direction=\"independent\"><state>ESTABLISHED</state><timeout>99</timeout>"
		"<mark>5</mark><use>1</use><id>2300251298</id><assured/></meta></flow>\n");
}
END_TEST

/* Rows come from a socket: any bytes must come out as text. */
START_TEST(any_bytes_print)
{
	for (unsigned int fill = 0; fill < 256; fill++) {
		struct strbuf b = { 0 };
		struct gw_event ev;
		json_t *obj;

		memset(&ev, fill, sizeof(ev));
		show_flow(&ev, ~0U, &b);
		show_flow_proc(&ev, &b);
		show_event(&ev, ~0U, 1, &b);
		show_save(&ev, &b);
		show_xml(&ev, ~0U, &b);
		obj = show_json(&ev);
		ck_assert_ptr_nonnull(obj);
		ck_assert(!b.failed && b.s[b.len - 1] == '\n');
		json_decref(obj);
		strbuf_deinit(&b);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("show/line");
	TCase *t = tcase_create("line");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, listing_is_conntracks);
	tcase_add_test(t, listing_knows_every_protocol);
	tcase_add_test(t, events_are_conntracks);
	tcase_add_test(t, destroy_by_timer_has_no_timeout);
	tcase_add_test(t, destroy_by_user_names_the_process);
	tcase_add_test(t, lost_events_have_their_line);
	tcase_add_test(t, proc_has_long_addresses_and_the_zone);
	tcase_add_test(t, json_has_everything);
	tcase_add_test(t, stream_lines_carry_numbers_and_rules);
	tcase_add_test(t, other_formats_are_conntracks);
	tcase_add_test(t, any_bytes_print);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
