/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A foreign ruleset: '4', '6' and '0' begin dumps of iptables-save (the first byte is the version), everything else what nft lists.  What is
 * kept is a valid ruleset that prints and reads back; each thing left out is a line of the report.
 */
#include "fuzz.h"

#include <iptables/iptables.h>
#include <lang/import.h>

static size_t count_lines(const struct strbuf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->s[i] == '\n';
	return n;
}

static char *print(const struct ruleset *rs)
{
	struct strbuf b = { 0 };

	lang_print(rs, 0, &b);
	return strbuf_take(&b);
}

static void require_kept(const struct ruleset *rs)
{
	_cleanup_(ruleset_freep) struct ruleset *back = ruleset_new();
	_cleanup_(freep) char *text = print(rs), *again = NULL;
	struct diag d = { 0 };

	require(ruleset_validate(rs, &d), d.text, text);
	require(lang_apply(back, "", text, strlen(text), NULL, &d) == 0, d.text, text);
	again = print(back);
	require_same(text, again, "not a fixed point");
}

static void run_dump(const char *text, size_t len)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct xt_import_result result = { 0 };
	struct strbuf report = { 0 };
	int r = xt_import("dump", text + 1, len - 1, rs, &report, text[0] - '0', XT_IMPORT_COUNTERS,
			  &result);

	require(r == 0, "a dump is never an error", strerror(-r));
	require(result.lost_lines == 0 || report.len, "lost without a word", "");
	require(result.lost_rules <= result.rules, "more rules lost than there were", "");
	require_kept(rs);
	strbuf_deinit(&report);
}

static void run_listing(const char *text, size_t len)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct strbuf report = { 0 };
	unsigned int skipped = 0;
	struct diag d = { 0 };
	int r = lang_import(rs, "listing", text, len, &report, &skipped, &d);

	require(r >= 0, "neither a ruleset nor a mistake", strerror(-r));
	if (r)
		require_diag(&d);
	else
		require_kept(rs);
	require(skipped <= count_lines(&report), "left out without a word", report.s);
	strbuf_deinit(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && (data[0] == '4' || data[0] == '6' || data[0] == '0'))
		run_dump((const char *)data, size);
	else
		run_listing((const char *)data, size);
	return 0;
}
