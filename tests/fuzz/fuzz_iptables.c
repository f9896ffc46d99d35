/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "$ " begins a script of command lines, as in golden/iptables; '6' or any other byte a text for ip6tables-restore or iptables-restore.
 * What is accepted is a valid ruleset, which is saved and restored to the same text and can be listed; what is refused is one line.
 */
#include "fuzz.h"

#include "../unit/iptables_script.h"

/* What -save prints, without the dates. */
static char *save(const struct ruleset *rs, int version)
{
	char *argv[] = { "-c", NULL };
	struct strbuf b = { 0 }, kept = { 0 };
	struct diag d = { 0 };
	const char *text;

	require(iptables_save(rs, version, 1, argv, &b, &d) == 0, d.text, "");
	for (text = b.s ? b.s : ""; *text;) {
		size_t len;
		const char *line = line_of(&text, &len);

		if (*line != '#')
			strbuf_printf(&kept, "%.*s\n", (int)len, line);
	}
	strbuf_deinit(&b);
	return strbuf_take(&kept);
}

static void list(const struct ruleset *rs, int version, char *table)
{
	_cleanup_(ruleset_freep) struct ruleset *copy = ruleset_copy(rs);
	char *argv[] = { "-t", table, "-L", "-v", "--line-numbers", NULL };
	struct strbuf b = { 0 };
	struct diag d = { 0 };
	bool changed;

	require(iptables_run(copy, version, 5, argv, &b, &changed, &d) == 0, d.text, table);
	require(!changed, "a listing changed the ruleset", table);
	strbuf_deinit(&b);
}

static void require_saved(const struct ruleset *rs, int version)
{
	_cleanup_(ruleset_freep) struct ruleset *back = ruleset_new();
	_cleanup_(freep) char *text = save(rs, version), *again = NULL;
	char *argv[] = { "-c", NULL };
	struct diag d = { 0 };

	require(iptables_restore(back, version, 1, argv, text, strlen(text), &d) == 0, d.text,
		text);
	again = save(back, version);
	require_same(text, again, "restored and saved it is another ruleset");
	list(rs, version, "filter");
	list(rs, version, "nat");
	list(rs, version, "mangle");
}

static void require_sound(const struct ruleset *rs)
{
	struct diag d = { 0 };

	require(ruleset_validate(rs, &d), d.text, "");
	require_saved(rs, 4);
	require_saved(rs, 6);
}

static void run_restore(const uint8_t *data, size_t size)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	int version = size && data[0] == '6' ? 6 : 4;
	char *argv[] = { "-c", NULL };
	struct diag d = { 0 };

	if (iptables_restore(rs, version, 1, argv, (const char *)data + !!size, size - !!size, &d))
		require_diag(&d);
	else
		require_sound(rs);
}

static bool is_ours(const char *command)
{
	return !strncmp(command, "iptables", 8) || !strncmp(command, "ip6tables", 9) ||
	       !strcmp(command, "reset");
}

static void run_script(const char *text)
{
	struct script s = { .rs = ruleset_new(), .errors = true };
	struct strbuf out = { 0 };

	s.out = &out;
	while (*text) {
		_cleanup_(freep) char *command = NULL;
		size_t len;
		const char *line = line_of(&text, &len);
		const char *in = text;
		_cleanup_(freep) char *input = NULL;

		if (strncmp(line, "$ ", 2) != 0)
			continue;
		text = strstr(in, "\n$ ");
		text = text ? text + 1 : in + strlen(in);
		command = strndup(line + 2, len - 2);
		input = strndup(in, (size_t)(text - in));
		if (is_ours(command))
			script_command(&s, command, input);
	}
	require_sound(s.rs);
	ruleset_free(s.rs);
	strbuf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 2 && !memcmp(data, "$ ", 2)) {
		_cleanup_(freep) char *text = strndup((const char *)data, size);

		run_script(text);
	} else {
		run_restore(data, size);
	}
	return 0;
}
