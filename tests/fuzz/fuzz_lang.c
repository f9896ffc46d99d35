/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libFuzzer: any text is a ruleset that prints and reads back, or a mistake with a text.
 *
 *   clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iinclude -Ictl tests/fuzz/fuzz_lang.c \
 *         ctl/lang/x.c ctl/model/x.c ctl/base/x.c      (x: every file)
 */
#include <lang/lang.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "%s:\n%s\n", what, text);
	abort();
}

static char *print(const struct ruleset *rs, unsigned int flags)
{
	struct strbuf b = { 0 };

	lang_print(rs, flags, &b);
	return strbuf_take(&b);
}

static void check_fixed_point(const struct ruleset *rs, unsigned int flags)
{
	_cleanup_(ruleset_freep) struct ruleset *back = ruleset_new();
	_cleanup_(freep) char *text = print(rs, flags), *again = NULL;
	struct diag d = { 0 };
	int r = lang_apply(back, "", text, strlen(text), NULL, &d);

	require(r == 0, d.text, text);
	again = print(back, flags);
	require(!strcmp(text, again), "not a fixed point", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };
	struct diag d = { 0 };
	int r = lang_apply(rs, "fuzz", (const char *)data, size, NULL, &d);

	if (r) {
		require(r == LANG_E_DIAG && d.text[0], "no text", "");
		diag_render(&d, &b);
		strbuf_deinit(&b);
		return 0;
	}
	require(ruleset_validate(rs, &d), d.text, "");
	check_fixed_point(rs, 0);
	check_fixed_point(rs, LANG_COUNTERS);
	check_fixed_point(rs, LANG_INTERNAL);
	return 0;
}
