/* SPDX-License-Identifier: GPL-2.0-only */
/* rule, chain, table: each becomes one command of the ruleset language, or one `show`. */
#include <gwctl/gwctl.h>

json_t *apply_request(const char *file, const char *text, size_t len)
{
	json_t *request = json_object();
	/* who looks for bytes that are not UTF-8 looks at each one by itself */
	json_t *value =
		str_is_ascii(text, len) ? json_stringn_nocheck(text, len) : json_stringn(text, len);

	json_object_set_new(request, "verb", json_string("apply"));
	json_object_set_new(request, "file", json_string(file));
	if (json_object_set_new(request, "text", value) < 0) {
		json_decref(request); /* not UTF-8 */
		return NULL;
	}
	return request;
}

int apply_line(struct gwctl *g, const char *line)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	json_t *request = apply_request("", line, strlen(line));
	int r;

	if (!request)
		return refuse("the command is no valid UTF-8");
	r = gwctl_call(g, request, &reply);
	if (!r && g->json)
		return print_json(reply.json);
	return r;
}

/* "VERB NOUN FAMILY " and then the words */
int apply_words(struct gwctl *g, const char *command, int argc, char **argv)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	int used;

	strbuf_printf(&b, "%s %s", command, words_family(argc, argv, &used));
	words_join(argc - used, argv + used, &b);
	return b.failed ? refuse("out of memory") : apply_line(g, b.s);
}

/* At least `min` words behind the optional family, or it is a usage error. */
static int need_words(int argc, char **argv, int min, const char *what)
{
	int used;

	words_family(argc, argv, &used);
	return argc - used < min ? usage_error("%s", what) : EXIT_OK;
}

int verb_rule_add(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 3, "a rule needs a table, a chain and a statement");

	return r ? r : apply_words(g, "add rule", argc, argv);
}

int verb_rule_insert(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 3, "a rule needs a table, a chain and a statement");

	return r ? r : apply_words(g, "insert rule", argc, argv);
}

/* TABLE CHAIN [handle] N ...: with the word `handle` in front of the number, which nft wants and people forget */
static int handle_words(struct gwctl *g, const char *command, int argc, char **argv, int max)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	uint64_t handle;
	int used, at;

	strbuf_printf(&b, "%s %s", command, words_family(argc, argv, &used));
	at = used + 2;
	words_join(MIN(argc - used, 2), argv + used, &b);
	if (at < argc && !strcmp(argv[at], "handle"))
		at++;
	if (at >= argc || !str_to_u64(argv[at], 1, UINT64_MAX, &handle))
		return usage_error(
			"which rule? TABLE CHAIN HANDLE; `gwctl rule list' shows handles");
	if (argc - at > max)
		return usage_error("`%s' is too much", argv[at + max]);
	strbuf_printf(&b, " handle %llu", (unsigned long long)handle);
	words_join(argc - at - 1, argv + at + 1, &b);
	return b.failed ? refuse("out of memory") : apply_line(g, b.s);
}

int verb_rule_replace(struct gwctl *g, int argc, char **argv)
{
	return handle_words(g, "replace rule", argc, argv, ANY);
}

int verb_rule_delete(struct gwctl *g, int argc, char **argv)
{
	return handle_words(g, "delete rule", argc, argv, 1);
}

/* `show` with the family, table and chain that were named. */
static json_t *show_request(struct gwctl *g, int argc, char **argv)
{
	static const char *const keys[] = { "table", "chain" };
	json_t *request = json_pack("{s:s, s:b}", "verb", "show", "json", g->json);
	const char *family;
	int used;

	family = words_family(argc, argv, &used);
	if (argc) /* a bare `list' shows all families */
		json_object_set_new(request, "family", json_string(family));
	for (int i = used; i < argc && i - used < 2; i++)
		json_object_set_new(request, keys[i - used], json_string(argv[i]));
	return request;
}

static int list(struct gwctl *g, int argc, char **argv, bool detail)
{
	int used, r = reject_options(argc, argv);
	json_t *request;

	words_family(argc, argv, &used);
	if (!r && argc - used > 2)
		r = usage_error("`%s' is too much", argv[argc - 1]);
	if (r)
		return r;
	request = show_request(g, argc, argv);
	json_object_set_new(request, "handles", json_boolean(detail));
	json_object_set_new(request, "counters", json_boolean(detail));
	return gwctl_print(g, request);
}

int verb_rule_list(struct gwctl *g, int argc, char **argv)
{
	return list(g, argc, argv, true);
}

int verb_list(struct gwctl *g, int argc, char **argv)
{
	return list(g, argc, argv, false);
}

int verb_chain_add(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 2, "a chain needs a table and a name");

	return r ? r : apply_words(g, "add chain", argc, argv);
}

int verb_chain_delete(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 2, "which chain? [FAMILY] TABLE CHAIN");

	return r ? r : apply_words(g, "delete chain", argc, argv);
}

int verb_chain_flush(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 2, "which chain? [FAMILY] TABLE CHAIN");

	return r ? r : apply_words(g, "flush chain", argc, argv);
}

int verb_chain_policy(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	const char *family, *policy = argv[argc - 1];
	int used;

	family = words_family(argc, argv, &used);
	if (argc - used != 3)
		return usage_error("usage: gwctl chain policy [FAMILY] TABLE CHAIN accept|drop");
	if (strcmp(policy, "accept") && strcmp(policy, "drop"))
		return usage_error("a policy is accept or drop, not `%s'", policy);
	strbuf_printf(&b, "add chain %s %s %s { policy %s; }", family, argv[used], argv[used + 1],
		      policy);
	return b.failed ? refuse("out of memory") : apply_line(g, b.s);
}

int verb_table_add(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 1, "a table needs a name");

	return r ? r : apply_words(g, "add table", argc, argv);
}

int verb_table_delete(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 1, "which table? [FAMILY] TABLE");

	return r ? r : apply_words(g, "delete table", argc, argv);
}

int verb_table_flush(struct gwctl *g, int argc, char **argv)
{
	int r = need_words(argc, argv, 1, "which table? [FAMILY] TABLE");

	return r ? r : apply_words(g, "flush table", argc, argv);
}
