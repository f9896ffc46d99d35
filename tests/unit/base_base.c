/* SPDX-License-Identifier: GPL-2.0-only */
#include <base/base.h>
#include <base/diag.h>

#include <check.h>
#include <sys/stat.h>

START_TEST(strbuf_grows_and_is_taken)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	_cleanup_(freep) char *text = NULL;

	for (int i = 0; i < 1000; i++)
		strbuf_printf(&b, "%d,", i % 10);
	ck_assert_uint_eq(b.len, 2000);
	strbuf_printf(&b, "%0500d", 7);
	ck_assert_uint_eq(b.len, 2500);
	text = strbuf_take(&b);
	ck_assert_uint_eq(strlen(text), 2500);
	ck_assert_ptr_null(b.s);
	ck_assert_int_eq(strncmp(text, "0,1,2,3,", 8), 0);
	ck_assert_int_eq(text[2499], '7');
}
END_TEST

START_TEST(empty_strbuf_gives_empty_string)
{
	struct strbuf b = { 0 };
	_cleanup_(freep) char *text = strbuf_take(&b);

	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(failed_strbuf_gives_null)
{
	struct strbuf b = { 0 };

	strbuf_puts(&b, "x");
	b.failed = true;
	strbuf_puts(&b, "y");
	ck_assert_uint_eq(b.len, 1);
	ck_assert_ptr_null(strbuf_take(&b));
	ck_assert_ptr_null(b.s);
}
END_TEST

START_TEST(array_reserve_refuses_overflow)
{
	void *p = NULL;
	size_t cap = 0;

	ck_assert_int_eq(array_reserve(&p, &cap, 100, 8), 0);
	ck_assert_uint_gt(cap, 100);
	ck_assert_int_eq(array_reserve(&p, &cap, SIZE_MAX / 8, 8), -ENOMEM);
	ck_assert_int_eq(array_reserve(&p, &cap, SIZE_MAX, 1), -ENOMEM);
	free(p);
}
END_TEST

static const struct {
	const char *s;
	uint64_t min, max;
	bool ok;
	uint64_t v;
} number_cases[] = {
	{ "0", 0, 10, true, 0 },
	{ "10", 0, 10, true, 10 },
	{ "11", 0, 10, false, 0 },
	{ "4", 5, 10, false, 0 },
	{ "0x1F", 0, 100, true, 31 },
	{ "0x", 0, 100, false, 0 },
	{ "", 0, 100, false, 0 },
	{ "-1", 0, 100, false, 0 },
	{ "+1", 0, 100, false, 0 },
	{ " 1", 0, 100, false, 0 },
	{ "1 ", 0, 100, false, 0 },
	{ "1a", 0, 100, false, 0 },
	{ "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", 0, UINT64_MAX, false, 0 },
	{ "0xffffffffffffffff", 0, UINT64_MAX, true, UINT64_MAX },
	{ "0x10000000000000000", 0, UINT64_MAX, false, 0 },
};

START_TEST(numbers_are_strict)
{
	uint64_t v = 77;

	ck_assert_int_eq(
		str_to_u64(number_cases[_i].s, number_cases[_i].min, number_cases[_i].max, &v),
		number_cases[_i].ok);
	ck_assert_uint_eq(v, number_cases[_i].ok ? number_cases[_i].v : 77);
}
END_TEST

START_TEST(file_is_written_whole_and_read_back)
{
	char dir[] = "/tmp/gw-base-XXXXXX", path[64];
	_cleanup_(freep) char *text = NULL;
	char *untouched = NULL;
	struct stat st;
	size_t len = 0;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	ck_assert_int_eq(file_write_atomic(path, "one", 3, 0600), 0);
	ck_assert_int_eq(file_write_atomic(path, "two\0!", 5, 0640), 0);
	ck_assert_int_eq(file_read(path, 5, &text, &len), 0);
	ck_assert_uint_eq(len, 5);
	ck_assert_mem_eq(text, "two\0!", 6);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(file_read(path, 4, &untouched, &len), -EFBIG);
	ck_assert_ptr_null(untouched);
	unlink(path);
	ck_assert_int_eq(file_read(path, 4, &untouched, &len), -ENOENT);
	ck_assert_int_eq(rmdir(dir), 0); /* no temporary file was left */
	ck_assert_int_eq(file_write_atomic(path, "x", 1, 0600), -ENOENT);
}
END_TEST

static const struct {
	struct diag d;
	const char *text;
} render_cases[] = {
	{ { .text = "no daemon" }, "error: no daemon\n" },
	{ { .text = "bad", .hint = "do this" }, "error: bad\nhint: do this\n" },
	{ { .file = "r.nft",
	    .line = 3,
	    .col = 5,
	    .len = 4,
	    .text = "bad port",
	    .source = "tcp  http" },
	  "r.nft:3:5: error: bad port\ntcp  http\n    ^~~~\n" },
	{ { .line = 1, .col = 2, .len = 99, .text = "t", .source = "\tab" },
	  "1:2: error: t\n\tab\n\t^~\n" },
	{ { .line = 1, .col = 3, .len = 1, .text = "end", .source = "ab" },
	  "1:3: error: end\nab\n  ^\n" },
	{ { .line = 1, .col = 9, .len = 1, .text = "far", .source = "ab" },
	  "1:9: error: far\nab\n" },
	{ { .line = 1, .col = 1, .len = 0, .text = "a\x1b[2J", .source = "a\x1b" },
	  "1:1: error: a?[2J\na?\n^\n" },
};

START_TEST(diag_is_rendered_with_caret)
{
	struct strbuf b = { 0 };
	_cleanup_(freep) char *text = NULL;

	diag_render(&render_cases[_i].d, &b);
	text = strbuf_take(&b);
	ck_assert_str_eq(text, render_cases[_i].text);
}
END_TEST

START_TEST(diag_set_forgets_the_last_mistake)
{
	struct diag d = { .line = 4, .hint = "old" };

	diag_set(&d, "new %d", 1);
	ck_assert_str_eq(d.text, "new 1");
	ck_assert_uint_eq(d.line, 0);
	ck_assert_str_eq(d.hint, "");
	diag_hint(&d, "try %s", "x");
	ck_assert_str_eq(d.hint, "try x");
}
END_TEST

START_TEST(raise_returns_its_error)
{
	log_set_level(LOG_LEVEL_ERR);
	ck_assert_int_eq(raise(-ENOENT, "open %s", "x"), -ENOENT);
	log_info("not shown");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("base");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, strbuf_grows_and_is_taken);
	tcase_add_test(tc, empty_strbuf_gives_empty_string);
	tcase_add_test(tc, failed_strbuf_gives_null);
	tcase_add_test(tc, array_reserve_refuses_overflow);
	tcase_add_loop_test(tc, numbers_are_strict, 0, (int)ARRAY_SIZE(number_cases));
	tcase_add_test(tc, file_is_written_whole_and_read_back);
	tcase_add_loop_test(tc, diag_is_rendered_with_caret, 0, (int)ARRAY_SIZE(render_cases));
	tcase_add_test(tc, diag_set_forgets_the_last_mistake);
	tcase_add_test(tc, raise_returns_its_error);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
