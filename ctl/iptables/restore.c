/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/args.h>
#include <iptables/command.h>
#include <iptables/convert.h>
#include <iptables/restore.h>

static const struct arg_option options[] = {
	{ "counters", 'c', ARG_NONE },	   { "noflush", 'n', ARG_NONE },
	{ "test", 't', ARG_NONE },	   { "table", 'T', ARG_REQUIRED },
	{ "verbose", 'v', ARG_NONE },	   { "wait", 'w', ARG_OPTIONAL },
	{ "modprobe", 'M', ARG_REQUIRED }, { "ipv4", '4', ARG_NONE },
	{ "ipv6", '6', ARG_NONE },	   {},
};

/* As if the table had been deleted: rules, user chains, policies, counters. */
static void table_reset(struct table *t)
{
	for (size_t i = t->n_chains; i-- > 0;) {
		struct chain *c = t->chains[i];

		if (!c->base) {
			table_delete_chain(t, c);
			continue;
		}
		chain_flush(c);
		chain_zero(c);
		c->policy_drop = false;
	}
}

static int begin_table(struct restorer *s, const char *line, size_t len)
{
	struct command c = { .version = s->version };
	struct run run = { .rs = s->rs, .c = &c, .d = s->d };
	char name[32];
	struct table *t;
	int r;

	while (len && (line[len - 1] == ' ' || line[len - 1] == '\r'))
		len--;
	snprintf(name, sizeof(name), "%.*s", (int)MIN(len, 31U), line);
	s->table = run.table = view_table_find(name);
	if (!s->table)
		return xt_usage(s->d, "table name `%s' invalid", name);
	s->skipping = s->only && strcmp(s->only, name);
	if (s->skipping)
		return 0;
	r = run_table(&run, &t);
	if (!r && !s->keep)
		table_reset(t);
	return r;
}

/* "[12:345]", the whole of s */
static bool parse_counters(const char *s, uint64_t *pkts, uint64_t *bytes)
{
	const char *colon = strchr(s, ':');
	size_t n = strlen(s);
	char a[24], b[24];

	if (!colon || n < 5 || n > 44 || s[0] != '[' || s[n - 1] != ']')
		return false;
	snprintf(a, sizeof(a), "%.*s", (int)MIN(colon - s - 1, 23), s + 1);
	snprintf(b, sizeof(b), "%.*s", (int)MIN(s + n - 1 - (colon + 1), 23), colon + 1);
	return str_to_u64(a, 0, UINT64_MAX, pkts) && str_to_u64(b, 0, UINT64_MAX, bytes);
}

static int set_chain(struct restorer *s, struct chain *c, const struct words *w)
{
	bool drop = !strcmp(w->v[1], "DROP");

	if (!drop && strcmp(w->v[1], "ACCEPT"))
		return xt_usage(s->d, "bad policy name `%.64s'", w->v[1]);
	c->policy_drop = drop;
	c->pkts = c->bytes = 0;
	c->counter_given = true;
	if (!s->counters || w->n < 3)
		return 0;
	if (!parse_counters(w->v[2], &c->pkts, &c->bytes))
		return xt_usage(s->d, "invalid policy counters for chain `%s'", c->name);
	return 0;
}

static int user_chain(struct restorer *s, struct table *t, char *name)
{
	struct command c = { .version = s->version };
	struct chain *chain = table_chain(t, name);
	char *argv[] = { "-N", name };
	int r;

	if (chain && !chain->base) {
		chain_flush(chain);
		return 0;
	}
	r = command_parse(&c, 2, argv, s->d);
	return r ? r : table_add_chain(s->rs, t, name, &chain);
}

/* ":CHAIN POLICY [PACKETS:BYTES]" */
static int chain_line(struct restorer *s, const char *line, size_t len)
{
	_cleanup_(words_deinit) struct words w = {};
	struct table *t = ruleset_table(s->rs, view_family(s->version), s->table->name);
	struct chain *c;
	int r = words_split(line, len, &w, s->d);

	if (r)
		return r < 0 ? r : IPTABLES_E_USAGE;
	if (!w.n || w.n < 2)
		return xt_usage(s->d, "policy invalid");
	if (!t)
		return -ENOENT;
	if (!view_is_builtin(s->table, w.v[0]))
		return user_chain(s, t, w.v[0]);
	c = table_chain(t, w.v[0]);
	return c ? set_chain(s, c, &w) : -ENOENT;
}

/* A command, with "[PACKETS:BYTES]" in front of it or not. */
static int command_line(struct restorer *s, const char *line, size_t len)
{
	_cleanup_(words_deinit) struct words w = {};
	struct command c = { .version = s->version, .in_restore = true, .table = s->table->name };
	struct strbuf out = {};
	struct run run = { .rs = s->rs, .c = &c, .out = &out, .d = s->d };
	uint64_t pkts = 0, bytes = 0;
	bool counted;
	int r = words_split(line, len, &w, s->d);

	if (r)
		return r < 0 ? r : IPTABLES_E_USAGE;
	counted = w.n && w.v[0][0] == '[';
	if (counted && !parse_counters(w.v[0], &pkts, &bytes))
		return xt_usage(s->d, "bad counters `%.64s'", w.v[0]);
	r = command_parse(&c, w.n - counted, w.v + counted, s->d);
	if (r || c.other_family)
		return r;
	if (counted && s->counters) {
		c.rule.pkts = pkts;
		c.rule.bytes = bytes;
		c.rule.counters = true;
	}
	r = command_run(&run);
	strbuf_deinit(&out);
	return r;
}

static bool is_word(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	if (len < n || memcmp(line, word, n))
		return false;
	while (n < len && strchr(" \t\r", line[n]) && line[n])
		n++;
	return n == len;
}

int restore_line(struct restorer *s, const char *line, size_t len)
{
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (!len || *line == '#' || *line == '\r')
		return 0;
	if (!s->table) {
		if (*line != '*')
			return xt_usage(s->d, "`*TABLE' expected");
		return begin_table(s, line + 1, len - 1);
	}
	if (is_word(line, len, "COMMIT")) {
		s->table = NULL;
		return 0;
	}
	if (s->skipping)
		return 0;
	if (*line == ':')
		return chain_line(s, line + 1, len - 1);
	return command_line(s, line, len);
}

static int all_lines(struct restorer *s, const char *text, size_t len)
{
	unsigned int number = 1;

	for (; len; number++) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		int r = restore_line(s, text, n);

		if (r)
			return run_say(s->d, r, "line %u: ", number);
		n += !!end;
		text += n;
		len -= n;
	}
	if (s->table)
		return run_say(s->d, xt_usage(s->d, "COMMIT expected"), "line %u: ", number);
	return 0;
}

static int restore_option(struct restorer *s, struct args *a, const struct arg_token *t)
{
	const struct arg_option *found = NULL;
	const char *value = NULL;

	for (const struct arg_option *o = options; o->name; o++)
		if (t->kind == ARG_SHORT ? o->key == t->key : arg_fits(t, o->name) && !found)
			found = o;
	if (!found)
		return xt_usage(s->d, "option `%s' is not supported yet", t->text);
	if (found->arg == ARG_REQUIRED)
		value = args_value(a, t);
	else if (found->arg == ARG_OPTIONAL)
		value = args_optional(a, t);
	if (found->arg == ARG_REQUIRED && !value)
		return xt_usage(s->d, "option `%s' requires an argument", t->text);
	s->counters |= found->key == 'c';
	s->keep |= found->key == 'n';
	s->test |= found->key == 't';
	if (found->key == 'T')
		s->only = value;
	if ((found->key == '4' || found->key == '6') && found->key - '0' != s->version)
		return xt_usage(s->d, "`%s' asks for the other family", t->text);
	return 0;
}

static int restore_options(struct restorer *s, int argc, char **argv)
{
	struct args a = { .argc = argc, .argv = argv };
	struct arg_token t;
	int r = 0;

	for (args_next(&a, &t); !r && t.kind != ARG_END; args_next(&a, &t)) {
		if (t.kind == ARG_WORD || t.kind == ARG_BANG)
			return xt_usage(s->d, "unknown arguments found on commandline");
		r = restore_option(s, &a, &t);
	}
	if (!r && s->only && !view_table_find(s->only))
		return xt_usage(s->d, "table `%.64s' does not exist", s->only);
	return r;
}

int iptables_restore(struct ruleset *rs, int version, int argc, char **argv, const char *text,
		     size_t len, struct diag *d)
{
	struct restorer s = { .rs = rs, .version = version, .d = d };
	_cleanup_(ruleset_freep) struct ruleset *trial = NULL;
	int r = restore_options(&s, argc, argv);

	if (!r && s.test) {
		trial = ruleset_copy(rs);
		if (!trial)
			return -ENOMEM;
		s.rs = trial;
	}
	if (!r)
		r = all_lines(&s, text, len);
	if (!r)
		own_sweep(s.rs, version);
	return run_say(d, r, "ip%stables-restore: ", version == 6 ? "6" : "");
}
