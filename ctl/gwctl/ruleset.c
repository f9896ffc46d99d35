/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole rulesets: apply, check, show, save, flush, diff. */
#include <gwctl/diff.h>
#include <gwctl/gwctl.h>
#include <json/json.h>
#include <lang/lang.h>

static const char *file_name(const char *path)
{
	return strcmp(path, "-") ? path : "<stdin>";
}

/* The text of a ruleset file; what begins with `{` is libnftables' JSON and becomes text. */
static int read_ruleset(const char *path, char **ret, size_t *ret_len)
{
	_cleanup_(freep) char *text = NULL;
	struct strbuf b = { 0 };
	struct diag d = { 0 };
	size_t len;
	int r = read_input(path, &text, &len);

	if (r)
		return r;
	if (text[strspn(text, " \t\r\n")] != '{') {
		*ret = TAKE_PTR(text);
		*ret_len = len;
		return EXIT_OK;
	}
	r = json_import(file_name(path), text, len, &b, &d);
	if (r) {
		strbuf_deinit(&b);
		return r < 0 ? refuse("out of memory") : refuse_diag(&d);
	}
	*ret_len = b.len;
	*ret = strbuf_take(&b);
	return *ret ? EXIT_OK : refuse("out of memory");
}

static unsigned int count(const json_t *reply, const char *key)
{
	return json_integer_value(json_object_get(reply, key));
}

int print_changes(struct gwctl *g, const json_t *json, bool check)
{
	if (g->json)
		return print_json(json);
	if (check)
		printf("would change: ");
	else
		printf("applied as generation %u: ", count(json, "gen"));
	printf("rules +%u -%u, chains +%u -%u, policies %u\n", count(json, "rules_added"),
	       count(json, "rules_deleted"), count(json, "chains_added"),
	       count(json, "chains_deleted"), count(json, "policies"));
	return EXIT_OK;
}

static int find_included(void *arg, const char *pattern, struct include_files *ret)
{
	return include_find(arg, pattern, ret);
}

#define INCLUDE_DIRS_MAX 16

/* `-I DIR`, any number of times, looked in in this order; /etc if none is given. */
static int take_dirs(int *argc, char **argv, const char *dirs[INCLUDE_DIRS_MAX], size_t *ret_n)
{
	static const char *const names[] = { "-I", "--includepath" };
	const char *dir = NULL;
	int r = EXIT_OK;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !r;) {
		dir = NULL;
		r = take_value(argc, argv, names[i], &dir);
		if (!r && dir && *ret_n == INCLUDE_DIRS_MAX)
			return usage_error("too many directories to include from");
		if (!r && dir)
			dirs[(*ret_n)++] = dir;
		else
			i++;
	}
	if (!*ret_n)
		dirs[(*ret_n)++] = "/etc";
	return r;
}

/* A ruleset with everything it includes.  Files are opened here, with the rights of who asks, and never by gwd. */
static int read_whole_ruleset(int *argc, char **argv, char **ret_text, size_t *ret_len)
{
	_cleanup_(strbuf_deinit) struct strbuf whole = { 0 };
	_cleanup_(freep) char *text = NULL;
	const char *dirs[INCLUDE_DIRS_MAX];
	struct include_dirs where = { .dirs = dirs, .max = INPUT_MAX };
	struct diag d = { 0 };
	size_t len = 0;
	int r = take_dirs(argc, argv, dirs, &where.n);

	if (!r)
		r = reject_options(*argc, argv);
	if (!r && *argc != 1)
		r = usage_error("one FILE expected, or - for the standard input");
	if (!r)
		r = read_ruleset(argv[0], &text, &len);
	if (r)
		return r;
	r = lang_expand_includes(file_name(argv[0]), text, len, find_included, &where, &whole, &d);
	if (r)
		return r < 0 ? refuse("%s: %s", argv[0], strerror(-r)) : refuse_diag(&d);
	if (whole.len > INPUT_MAX)
		return refuse("%s is larger than %u MB with what it includes", argv[0],
			      INPUT_MAX >> 20);
	*ret_len = whole.len;
	*ret_text = strbuf_take(&whole);
	return *ret_text ? EXIT_OK : refuse("out of memory");
}

int verb_ruleset_apply(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	_cleanup_(freep) char *text = NULL;
	bool check = take_flag(&argc, argv, "--check");
	bool replace = take_flag(&argc, argv, "--replace");
	json_t *request;
	size_t len;
	int r = read_whole_ruleset(&argc, argv, &text, &len);

	if (r)
		return r;
	request = apply_request(file_name(argv[0]), text, len);
	if (!request)
		return refuse("%s: not valid UTF-8", file_name(argv[0]));
	json_object_set_new(request, "check", json_boolean(check));
	json_object_set_new(request, "replace", json_boolean(replace));
	r = gwctl_call(g, request, &reply);
	return r ? r : print_changes(g, reply.json, check);
}

/* File -> model; a mistake is printed with its caret. */
static int apply_text(struct ruleset *rs, const char *file, const char *text, size_t len)
{
	struct diag d = { 0 };
	int r = lang_apply(rs, file, text, len, NULL, &d);

	if (r < 0)
		return refuse("%s: %s", file, strerror(-r));
	if (r || !ruleset_validate(rs, &d))
		return refuse_diag(&d);
	return EXIT_OK;
}

static int print_checked(struct gwctl *g, const char *file, const struct ruleset *rs)
{
	size_t chains = 0, rules = 0;

	for (size_t i = 0; i < rs->n_tables; i++) {
		chains += rs->tables[i]->n_chains;
		for (size_t k = 0; k < rs->tables[i]->n_chains; k++)
			rules += rs->tables[i]->chains[k]->n_rules;
	}
	if (!g->json) {
		printf("%s: ok: %zu tables, %zu chains, %zu rules\n", file, rs->n_tables, chains,
		       rules);
		return EXIT_OK;
	}
	printf("{\"ok\": true, \"tables\": %zu, \"chains\": %zu, \"rules\": %zu}\n", rs->n_tables,
	       chains, rules);
	return EXIT_OK;
}

int verb_reload(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "reload"), &reply);

	return r ? r : print_changes(g, reply.json, false);
}

int verb_ruleset_check(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r = rs ? read_whole_ruleset(&argc, argv, &text, &len) : refuse("out of memory");

	if (!r)
		r = apply_text(rs, file_name(argv[0]), text, len);
	return r ? r : print_checked(g, file_name(argv[0]), rs);
}

int verb_ruleset_save(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	int r = gwctl_call(g, json_pack("{s:s}", "verb", "save"), &reply);
	const char *path = json_string_value(json_object_get(reply.json, "path"));

	if (r)
		return r;
	if (g->json)
		return print_json(reply.json);
	printf("saved to %s\n", path ? path : "gwd's ruleset file");
	return EXIT_OK;
}

int verb_ruleset_flush(struct gwctl *g, int argc, char **argv)
{
	return apply_line(g, "flush ruleset");
}

/* What gwd has, as a model. */
static int fetch(struct gwctl *g, struct ruleset **ret)
{
	_cleanup_(reply_deinit) struct reply reply = { 0 };
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	int r = rs ? EXIT_OK : refuse("out of memory");

	if (!r)
		r = gwctl_call(g, json_pack("{s:s, s:b}", "verb", "show", "internal", 1), &reply);
	if (!r)
		r = apply_text(rs, "<gwd>", reply.text.s ? reply.text.s : "", reply.text.len);
	if (!r)
		*ret = TAKE_PTR(rs);
	return r;
}

/* In libnftables' schema. */
static int show_json(struct gwctl *g)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = NULL;
	json_t *json;
	int r = fetch(g, &rs);

	if (r)
		return r;
	json = json_export(rs);
	r = json ? print_json(json) : refuse("out of memory");
	json_decref(json);
	return r;
}

int verb_ruleset_show(struct gwctl *g, int argc, char **argv)
{
	bool handles = take_flag(&argc, argv, "--handles") || take_flag(&argc, argv, "-a");
	bool counters = take_flag(&argc, argv, "--counters");
	bool stateless = take_flag(&argc, argv, "--stateless") || take_flag(&argc, argv, "-s");

	if (argc)
		return usage_error("unknown option `%s'", argv[0]);
	if (g->json)
		return show_json(g);
	return gwctl_print(g, json_pack("{s:s, s:b, s:b, s:b}", "verb", "show", "handles", handles,
					"counters", counters, "stateless", stateless));
}

static int print_diff(const struct ruleset *before, const struct ruleset *after)
{
	_cleanup_(strbuf_deinit) struct strbuf a = { 0 }, b = { 0 }, out = { 0 };

	lang_print(before, LANG_STATELESS, &a);
	lang_print(after, LANG_STATELESS, &b);
	strbuf_puts(&a, "");
	strbuf_puts(&b, "");
	if (a.failed || b.failed || diff_lines(a.s, b.s, &out) < 0 || out.failed)
		return refuse("out of memory");
	if (out.len)
		fwrite(out.s, 1, out.len, stdout);
	return EXIT_OK;
}

int verb_ruleset_diff(struct gwctl *g, int argc, char **argv)
{
	_cleanup_(ruleset_freep) struct ruleset *before = NULL, *after = NULL;
	_cleanup_(freep) char *text = NULL;
	bool replace = take_flag(&argc, argv, "--replace");
	size_t len;
	int r = read_whole_ruleset(&argc, argv, &text, &len);

	if (!r)
		r = fetch(g, &before);
	if (r)
		return r;
	after = replace ? ruleset_new() : ruleset_copy(before);
	if (!after)
		return refuse("out of memory");
	r = apply_text(after, file_name(argv[0]), text, len);
	return r ? r : print_diff(before, after);
}
