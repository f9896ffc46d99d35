/* SPDX-License-Identifier: GPL-2.0-only */
/* Whatever the input: a ruleset that prints and reads back, or a mistake with a text. Never a crash. */
#include <lang/lang.h>

#include <check.h>

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static char *print(const struct ruleset *rs, unsigned int flags)
{
	struct strbuf b = { 0 };

	lang_print(rs, flags, &b);
	return strbuf_take(&b);
}

static void feed(const char *text, size_t len)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new(), *back = ruleset_new();
	_cleanup_(freep) char *copy = malloc(len ? len : 1), *printed = NULL, *again = NULL;
	struct strbuf b = { 0 };
	struct diag d = { 0 };
	int r;

	/* exactly as long as it is: the sanitizer sees a read behind its end */
	memcpy(copy, text, len);
	r = lang_apply(rs, "f", copy, len, NULL, &d);
	if (r) {
		ck_assert_int_eq(r, LANG_E_DIAG);
		ck_assert(d.text[0]);
		diag_render(&d, &b);
		strbuf_deinit(&b);
		return;
	}
	printed = print(rs, 0);
	ck_assert_msg(lang_apply(back, "f", printed, strlen(printed), NULL, &d) == 0, "%s in\n%s",
		      d.text, printed);
	again = print(back, 0);
	ck_assert_str_eq(again, printed);
}

static char *corpus(size_t *ret_len)
{
	char *text = NULL;

	ck_assert_int_eq(file_read(GW_GOLDEN_DIR "/lang/files.txt", 1 << 20, &text, ret_len), 0);
	return text;
}

static const char *const lines[] = {
	"add rule inet filter forward iifname { \"a\", \"b*\" } ip saddr { 10.0.0.0/8, "
	"1.2.3.4-1.2.3.9 } "
	"tcp dport { 22, 80-90 } ct state established,related counter packets 1 bytes 2 accept "
	"comment \"x\"",
	"table inet t { chain c { type filter hook input priority filter + 5; policy drop; meta "
	"mark & 0xff == 1 "
	"reject with tcp reset; } }",
	"add rule inet nat prerouting tcp dport 80 dnat ip6 to [fd00::1]-[fd00::5]:80-90 "
	"random,persistent",
	"define a = { 1, 2 }\ndefine b = { $a, 3 }\nadd rule inet filter input udp dport $b drop "
	"gw handle 7 cid 3 xt \"-j \\\"x\\\"\"",
	"add rule inet filter forward ip saddr . tcp dport { 10.0.0.0/8 . 80, 1.2.3.4-1.2.3.9 . 22 "
	"} "
	"meta hour \"22:00\"-\"06:00\" tcp flags & (syn|ack) == syn ct status ! snat,dnat ether "
	"saddr "
	"00:11:22:33:44:55 ct original ip saddr & 255.0.0.0 == 10.0.0.0 tcp dport vmap { 1 : jump "
	"a, 2-5 "
	": drop }",
	"add rule inet filter forward limit rate over 5 kbytes/second burst 9 mbytes log prefix "
	"\"a\" "
	"level info flags tcp sequence,options quota over 5 mbytes used 3 bytes ct count over 5 "
	"meta mark "
	"set (meta mark & 0xff) | 5 ct mark set ip saddr map { 1.2.3.4 : 5, 2.0.0.0/8 : 7 } "
	"counter name "
	"\"x\" update @d { ip saddr timeout 1d2h limit rate 5/minute counter } reject with icmpx "
	"no-route",
	"add rule ip nat PREROUTING dnat ip addr . port to numgen inc mod 4 offset 3 map { 0 : "
	"10.0.0.1 . "
	"80 } random; add rule inet nat postrouting snat ip6 prefix to fd00::/64 persistent,random",
};

START_TEST(every_beginning_of_a_line_is_survived)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		for (size_t n = 0; n <= strlen(lines[i]); n++)
			feed(lines[i], n);
	}
}
END_TEST

START_TEST(changed_bytes_are_survived)
{
	uint32_t seed = 1;

	for (int round = 0; round < 4000; round++) {
		char text[512];
		size_t len = strlen(lines[round % ARRAY_SIZE(lines)]);

		memcpy(text, lines[round % ARRAY_SIZE(lines)], len);
		for (uint32_t n = 1 + next_random(&seed) % 4; n > 0; n--)
			text[next_random(&seed) % len] = (char)next_random(&seed);
		feed(text, len);
	}
}
END_TEST

START_TEST(shuffled_words_are_survived)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	uint32_t seed = 7;

	text = corpus(&len);
	for (int round = 0; round < 3000; round++) {
		char mixed[600];
		size_t n = 0;

		while (n < 400) {
			size_t at = next_random(&seed) % (len - 40),
			       part = 1 + next_random(&seed) % 40;

			memcpy(mixed + n, text + at, part);
			n += part;
		}
		feed(mixed, n);
	}
}
END_TEST

static void feed_repeated(const char *head, const char *part, size_t times, const char *tail)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, head);
	for (size_t i = 0; i < times; i++)
		strbuf_puts(&b, part);
	strbuf_puts(&b, tail);
	feed(b.s, b.len);
	strbuf_deinit(&b);
}

START_TEST(huge_and_deep_input_ends)
{
	const char *add = "add rule inet filter input ";

	feed_repeated(add, "tcp dport 1 ", 10000, "accept");
	feed_repeated("add rule inet filter input tcp dport ", "{", 100000, "");
	feed_repeated("add rule inet filter input tcp dport { ", "1, ", 100000, "2 } accept");
	feed_repeated("add rule inet filter input iifname { ", "\"aaaaaaaaaaaaaaa\", ", 5000,
		      "b } accept");
	feed_repeated("", "{", 100000, "");
	feed_repeated("", "table inet t { ", 10000, "");
	feed_repeated("table inet ", "a", 100000, " { }");
	feed_repeated("add rule inet filter input accept comment \"", "\\\"", 100000, "\"");
	feed_repeated("#", "x", 1000000, "\nadd table inet t");
	feed_repeated("", "\\\n", 100000, "add table inet t");
	feed_repeated("", "$", 1000, "");
}
END_TEST

/* Ten definitions of ten of the one before: 10^10 elements if nobody counted. */
START_TEST(definitions_that_multiply_are_stopped)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };
	struct diag d = { 0 };

	strbuf_puts(&b, "define a0 = 80\n");
	for (int i = 1; i <= 10; i++) {
		strbuf_printf(&b, "define a%d = { ", i);
		for (int j = 0; j < 10; j++)
			strbuf_printf(&b, "%s$a%d", j ? ", " : "", i - 1);
		strbuf_puts(&b, " }\n");
	}
	strbuf_puts(&b, "add rule inet filter input tcp dport $a10 accept\n");
	ck_assert_int_eq(lang_apply(rs, "", b.s, b.len, NULL, &d), LANG_E_DIAG);
	ck_assert_str_eq(d.text, "definitions refer to each other too deeply");
	strbuf_deinit(&b);
}
END_TEST

START_TEST(many_rules_are_read_and_printed)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct lang_changes ch = { 0 };
	struct strbuf b = { 0 };
	struct diag d = { 0 };

	strbuf_puts(&b,
		    "table inet filter {\nchain forward {\ntype filter hook forward priority 0\n");
	for (int i = 0; i < 20000; i++)
		strbuf_printf(&b, "ip saddr 10.%d.%d.0/24 tcp dport %d accept\n", i / 256 % 256,
			      i % 256, i % 65536);
	strbuf_puts(&b, "}\n}\n");
	ck_assert_int_eq(lang_apply(rs, "", b.s, b.len, &ch, &d), 0);
	ck_assert_uint_eq(ch.rules_added, 20000);
	strbuf_deinit(&b);
	lang_print(rs, LANG_INTERNAL, &b);
	ck_assert(!b.failed);
	strbuf_deinit(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lang robust");
	TCase *tc = tcase_create("robust");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_test(tc, every_beginning_of_a_line_is_survived);
	tcase_add_test(tc, changed_bytes_are_survived);
	tcase_add_test(tc, shuffled_words_are_survived);
	tcase_add_test(tc, huge_and_deep_input_ends);
	tcase_add_test(tc, definitions_that_multiply_are_stopped);
	tcase_add_test(tc, many_rules_are_read_and_printed);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
