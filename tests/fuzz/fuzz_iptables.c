/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libFuzzer: any text for iptables-restore is a ruleset that can be saved and restored to the same text, or a mistake
 * with a text.
 *
 *   clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -DGW_VERSION='"fuzz"' -Iinclude -Ictl \
 *         tests/fuzz/fuzz_iptables.c ctl/iptables/x.c ctl/model/x.c ctl/base/x.c      (x: every file)
 */
#include <iptables/iptables.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "%s:\n%s\n", what, text);
	abort();
}

static char *save(const struct ruleset *rs, int version)
{
	char *argv[] = { "-c", NULL };
	struct strbuf b = {};
	struct diag d = {};
	_cleanup_(freep) char *text = NULL;
	char *line, *rest, *kept;
	size_t len = 0;

	require(iptables_save(rs, version, 1, argv, &b, &d) == 0, d.text, "");
	text = strbuf_take(&b);
	kept = calloc(1, strlen(text) + 1);
	/* without the dates */
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (*line != '#')
			len += (size_t)sprintf(kept + len, "%s\n", line);
	return kept;
}

static void list(struct ruleset *rs, int version, char *table)
{
	char *argv[] = { "-t", table, "-L", "-v", "--line-numbers", NULL };
	struct strbuf b = {};
	struct diag d = {};
	bool changed;

	require(iptables_run(rs, version, 5, argv, &b, &changed, &d) == 0, d.text, table);
	strbuf_deinit(&b);
}

static void check_saved(const char *text, int version)
{
	_cleanup_(ruleset_freep) struct ruleset *back = ruleset_new();
	_cleanup_(freep) char *again = NULL;
	char *argv[] = { "-c", NULL };
	struct diag d = {};

	require(iptables_restore(back, version, 1, argv, text, strlen(text), &d) == 0, d.text,
		text);
	again = save(back, version);
	require(!strcmp(text, again), text, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	int version = size && data[0] == '6' ? 6 : 4;
	_cleanup_(freep) char *text = NULL;
	char *argv[] = { "-c", NULL };
	struct diag d = {};

	if (iptables_restore(rs, version, 1, argv, (const char *)data + !!size, size - !!size,
			     &d)) {
		require(d.text[0] && !strchr(d.text, '\n'), "no line", d.text);
		return 0;
	}
	require(ruleset_validate(rs, &d), d.text, "");
	text = save(rs, version);
	check_saved(text, version);
	list(rs, version, "filter");
	list(rs, version, "nat");
	return 0;
}
