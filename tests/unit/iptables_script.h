/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_IPTABLES_SCRIPT_H
#define TESTS_IPTABLES_SCRIPT_H
/*
 * Scripts of iptables command lines with their output, as tests/check/iptables_oracle.sh captures them:
 *   $ iptables -A FORWARD -j ACCEPT    a command
 *   > *filter                          its standard input, line by line
 *   ## words                           a comment; "## errors" shows what our errors say from here on
 *   $ reset                            a new, empty ruleset
 * everything else is output; "= refused" stands for an exit status that is not 0.
 */
#include <iptables/iptables.h>

struct script {
	struct ruleset *rs;
	bool errors;
	struct strbuf *out;
};

static inline const char *line_of(const char **text, size_t *ret_len)
{
	const char *line = *text;

	*ret_len = strcspn(line, "\n");
	*text = line + *ret_len + (line[*ret_len] == '\n');
	return line;
}

#define SCRIPT_WORDS 255
/* Split as a shell would: '...' and "..." with backslashes; in place. */
static inline int script_words(char *s, char **argv)
{
	int argc = 0;

	while (argc < SCRIPT_WORDS) {
		char quote = 0, *to = s;

		while (*s == ' ')
			s++;
		if (!*s)
			break;
		argv[argc++] = to = s;
		for (; *s && (quote || *s != ' '); s++) {
			if (!quote && (*s == '"' || *s == '\''))
				quote = *s;
			else if (quote && *s == quote)
				quote = 0;
			else if (quote != '\'' && *s == '\\' && s[1])
				*to++ = *++s;
			else
				*to++ = *s;
		}
		s += *s == ' ';
		*to = '\0';
	}
	return argc;
}

/* "on Sat Nov 21 10:00:00 2026" at the end of a comment line becomes "on DATE". */
static inline void script_output(struct script *s, const char *text)
{
	while (*text) {
		size_t len;
		const char *line = line_of(&text, &len);
		const char *on = memmem(line, len, " on ", 4);

		if (on && (!strncmp(line, "# Generated", 11) || !strncmp(line, "# Completed", 11)))
			strbuf_printf(s->out, "%.*s on DATE\n", (int)(on - line), line);
		else
			strbuf_printf(s->out, "%.*s\n", (int)len, line);
	}
}

static inline int script_call(struct ruleset *rs, int argc, char **argv, const char *in,
			      struct strbuf *out, struct diag *d)
{
	int version = !strncmp(argv[0], "ip6", 3) ? 6 : 4;
	const char *tool = argv[0] + (version == 6 ? 9 : 8);
	bool changed;

	if (!strcmp(tool, "s-save") || !strcmp(tool, "-save"))
		return iptables_save(rs, version, argc - 1, argv + 1, out, d);
	if (!strcmp(tool, "s-restore") || !strcmp(tool, "-restore"))
		return iptables_restore(rs, version, argc - 1, argv + 1, in, strlen(in), d);
	return iptables_run(rs, version, argc - 1, argv + 1, out, &changed, d);
}

static inline void script_command(struct script *s, char *command, const char *in)
{
	char *argv[SCRIPT_WORDS + 1] = {};
	int argc = script_words(command, argv), r;
	struct ruleset *copy;
	struct strbuf out = {};
	struct diag d = {};

	if (argc == 1 && !strcmp(argv[0], "reset")) {
		ruleset_free(s->rs);
		s->rs = ruleset_new();
		return;
	}
	copy = ruleset_copy(s->rs);
	r = script_call(copy, argc, argv, in, &out, &d);
	if (out.len)
		script_output(s, out.s);
	strbuf_deinit(&out);
	if (r) {
		ruleset_free(copy);
		strbuf_puts(s->out, "= refused\n");
		if (s->errors)
			strbuf_printf(s->out, "! %s\n", d.text);
		return;
	}
	ruleset_free(s->rs);
	s->rs = copy;
}

/* Run all commands of a script and write it down anew, with the output we give. */
static inline void script_run(const char *text, struct strbuf *out)
{
	struct script s = { .rs = ruleset_new(), .out = out };
	struct strbuf command = {}, in = {};

	for (;;) {
		size_t len;
		const char *line = line_of(&text, &len);

		if (command.len && strncmp(line, "> ", 2)) {
			script_command(&s, command.s, in.len ? in.s : "");
			strbuf_deinit(&command);
			strbuf_deinit(&in);
		}
		if (!*line && !len && !*text)
			break;
		if (!strncmp(line, "## ", 3) || !strncmp(line, "$ ", 2) || !strncmp(line, "> ", 2))
			strbuf_printf(out, "%.*s\n", (int)len, line);
		if (!strncmp(line, "## errors", 9))
			s.errors = true;
		if (!strncmp(line, "$ ", 2))
			strbuf_add(&command, line + 2, len - 2);
		if (!strncmp(line, "> ", 2))
			strbuf_printf(&in, "%.*s\n", (int)len - 2, line + 2);
	}
	ruleset_free(s.rs);
}
#endif
