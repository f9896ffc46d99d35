/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rulesets as JSON: tests/golden/json/NAME.nft is a ruleset, NAME.json what nft's own `nft -j list ruleset` printed of it (nft 1.0.6,
 * with the flag `dynamic` and `auto-merge` put in, which that version leaves out).
 */
#include <check.h>
#include <json/json.h>

static const char *const names[] = { "whole", "bits", "fields" };

static void load(const char *name, const char *suffix, char **ret, size_t *len)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/json/%s.%s", GW_GOLDEN_DIR, name, suffix);
	ck_assert_int_eq(file_read(path, 1U << 20, ret, len), 0);
}

static struct ruleset *parse(const char *file, const char *text, size_t len)
{
	struct ruleset *rs = ruleset_new();
	struct diag d = { 0 };
	int r = lang_apply(rs, file, text, len, NULL, &d);

	ck_assert_msg(r == 0, "%s:%u:%u: %s: %s", file, d.line, d.col, d.text, d.source);
	return rs;
}

/* What says nothing about the meaning: handles, and time that has passed. */
static void forget(json_t *j)
{
	static const char *const keys[] = { "handle", "expires" };
	const char *key;
	json_t *v;
	size_t i;

	for (i = 0; json_is_object(j) && i < ARRAY_SIZE(keys); i++)
		json_object_del(j, keys[i]);
	if (json_is_object(j)) {
		json_object_foreach(j, key, v) forget(v);
		/* nft does not print `dynamic` */
		v = json_object_get(j, "flags");
		for (i = 0; json_is_array(v) && i < json_array_size(v); i++) {
			const char *word = json_string_value(json_array_get(v, i));

			if (word && !strcmp(word, "dynamic"))
				json_array_remove(v, i--);
		}
		if (json_is_array(v) && !json_array_size(v))
			json_object_del(j, "flags");
	}
	json_array_foreach(j, i, v) forget(v);
}

/* Item by item, so that the message names the one that differs. */
static void same_items(const json_t *ours, const json_t *theirs)
{
	size_t n = json_array_size(theirs);

	for (size_t i = 1; i < n; i++) { /* [0] is metainfo */
		char *a = json_dumps(json_array_get(ours, i), JSON_SORT_KEYS);
		char *b = json_dumps(json_array_get(theirs, i), JSON_SORT_KEYS);

		ck_assert_msg(a && b && !strcmp(a, b), "item %zu\nours: %s\nnft:  %s", i,
			      a ? a : "(none)", b);
		free(a);
		free(b);
	}
	ck_assert_uint_eq(json_array_size(ours), n);
}

/* Line by line: Check's messages are short. */
static void same_lines(char *got, char *want)
{
	char *a, *b, *keep_a = NULL, *keep_b = NULL;

	a = strtok_r(got, "\n", &keep_a);
	b = strtok_r(want, "\n", &keep_b);
	while (a && b) {
		ck_assert_str_eq(a, b);
		a = strtok_r(NULL, "\n", &keep_a);
		b = strtok_r(NULL, "\n", &keep_b);
	}
	ck_assert(!a && !b);
}

START_TEST(export_is_what_nft_prints)
{
	_cleanup_(freep) char *text = NULL, *json = NULL;
	size_t len, json_len;
	struct ruleset *rs;
	json_t *ours, *theirs;

	load(names[_i], "nft", &text, &len);
	load(names[_i], "json", &json, &json_len);
	rs = parse(names[_i], text, len);
	ours = json_export(rs);
	theirs = json_loadb(json, json_len, 0, NULL);
	ck_assert(ours && theirs);
	forget(ours);
	forget(theirs);
	same_items(json_object_get(ours, "nftables"), json_object_get(theirs, "nftables"));
	json_decref(ours);
	json_decref(theirs);
	ruleset_free(rs);
}
END_TEST

START_TEST(import_of_nfts_json_is_the_ruleset)
{
	_cleanup_(freep) char *text = NULL, *json = NULL;
	_cleanup_(strbuf_deinit) struct strbuf imported = { 0 }, want = { 0 }, got = { 0 };
	size_t len, json_len;
	struct ruleset *a, *b;
	struct diag d = { 0 };

	load(names[_i], "nft", &text, &len);
	load(names[_i], "json", &json, &json_len);
	a = parse(names[_i], text, len);
	ck_assert_msg(json_import(names[_i], json, json_len, &imported, &d) == 0, "%s", d.text);
	b = parse("imported", imported.s, imported.len);
	lang_print(a, LANG_STATELESS, &want);
	lang_print(b, LANG_STATELESS, &got);
	same_lines(got.s, want.s);
	ruleset_free(a);
	ruleset_free(b);
}
END_TEST

START_TEST(own_export_comes_back)
{
	_cleanup_(freep) char *text = NULL, *json = NULL;
	_cleanup_(strbuf_deinit) struct strbuf imported = { 0 }, want = { 0 }, got = { 0 };
	struct ruleset *a, *b;
	struct diag d = { 0 };
	json_t *ours;
	size_t len;

	load(names[_i], "nft", &text, &len);
	a = parse(names[_i], text, len);
	ours = json_export(a);
	json = json_dumps(ours, 0);
	ck_assert_msg(json_import("own", json, strlen(json), &imported, &d) == 0, "%s", d.text);
	b = parse("imported", imported.s, imported.len);
	lang_print(a, 0, &want);
	lang_print(b, 0, &got);
	same_lines(got.s, want.s);
	json_decref(ours);
	ruleset_free(a);
	ruleset_free(b);
}
END_TEST

/* Found by a fuzzer. */
static const struct {
	const char *rule, *back; /* NULL: the same */
} survivors[] = {
	{ "ip ttl & 0 == 1", NULL },
	{ "iifname \"$an0\" accept", NULL },
	{ "log prefix \"caf\xc3\xa9\"", NULL },
	{ "log prefix \"caf\xe9\"", "log prefix \"caf?\"" },
};

START_TEST(a_rule_survives_json)
{
	_cleanup_(strbuf_deinit) struct strbuf imported = { 0 }, got = { 0 };
	const char *want = survivors[_i].back ? survivors[_i].back : survivors[_i].rule;
	struct ruleset *a, *b;
	struct diag d = { 0 };
	char text[128], *json;
	json_t *ours;

	snprintf(text, sizeof(text), "add table ip f\nadd chain ip f c\nadd rule ip f c %s\n",
		 survivors[_i].rule);
	a = parse("rule", text, strlen(text));
	ours = json_export(a);
	json = json_dumps(ours, 0);
	ck_assert_ptr_nonnull(json);
	ck_assert_msg(json_import("json", json, strlen(json), &imported, &d) == 0, "%s", d.text);
	b = parse("imported", imported.s, imported.len);
	lang_print_rule(b->tables[0]->chains[0]->rules[0], 0, &got);
	ck_assert_str_eq(got.s, want);
	json_decref(ours);
	free(json);
	ruleset_free(a);
	ruleset_free(b);
}
END_TEST

static const struct {
	const char *json, *text;
} refusals[] = {
	{ "{", "'}' expected" },
	{ "[]", "an object with an array `nftables` expected" },
	{ "{\"nftables\": [5]}", "item 0: an object with one command expected" },
	{ "{\"nftables\": [{\"add\": {\"flowtable\": {}}}]}",
	  "item 0: `flowtable` is not supported" },
	{ "{\"nftables\": [{\"metainfo\": {}}, {\"add\": {\"table\": {}}}]}",
	  "item 1: `name` is missing" },
	{ "{\"nftables\": [{\"add\": {\"table\": {\"name\": \"a; flush ruleset\"}}}]}",
	  "`name` is no name" },
	{ "{\"nftables\": [{\"rule\": {\"table\": \"t\", \"chain\": \"c\", \"expr\": [{\"tproxy\": "
	  "null}]}}]}",
	  "the statement `tproxy` is not supported" },
	{ "{\"nftables\": [{\"rule\": {\"table\": \"t\", \"chain\": \"c\", \"expr\": [{\"match\": "
	  "{\"op\": \"~\"}}]}}]}",
	  "no operator `~`" },
	{ "{\"nftables\": [{\"rule\": {\"table\": \"t\", \"chain\": \"c\", \"expr\": [{\"match\": "
	  "{\"op\": \"==\", \"left\": {\"osf\": 1}, \"right\": 1}}]}}]}",
	  "the expression `osf` is not supported" },
	{ "{\"nftables\": [{\"set\": {\"name\": \"s\", \"table\": \"t\", \"type\": \"x; }\"}}]}",
	  "is no type" },
};

START_TEST(refusal_names_the_item)
{
	_cleanup_(strbuf_deinit) struct strbuf out = { 0 };
	struct diag d = { 0 };

	ck_assert_int_eq(json_import("f", refusals[_i].json, strlen(refusals[_i].json), &out, &d),
			 JSON_E_DIAG);
	ck_assert_msg(strstr(d.text, refusals[_i].text), "%s", d.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");
	SRunner *sr;
	int failed;

	setenv("TZ", "UTC", 1); /* dates are local time */
	tcase_add_loop_test(t, export_is_what_nft_prints, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(t, import_of_nfts_json_is_the_ruleset, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(t, own_export_comes_back, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(t, a_rule_survives_json, 0, ARRAY_SIZE(survivors));
	tcase_add_loop_test(t, refusal_names_the_item, 0, ARRAY_SIZE(refusals));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
