/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * '{' begins a document of libnftables' JSON, everything else a text in nft's syntax.  A document becomes a text for the one parser or a
 * mistake with a text; a ruleset that came out of either is written as JSON, read back, and is the same ruleset.
 */
#include "fuzz.h"

#include <json/json.h>

static char *print(const struct ruleset *rs)
{
	struct strbuf b = { 0 };

	lang_print(rs, LANG_COUNTERS, &b);
	return strbuf_take(&b);
}

/* nft's identifiers; the native language has quoted names, too, and JSON's reader refuses those. */
static bool is_plain(const char *name)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./\\";

	return *name && !name[strspn(name, chars)];
}

/* What is not can not be written in JSON; something stands in its place. */
static bool is_utf8(const char *text)
{
	json_t *j = json_string(text);
	bool is = j;

	json_decref(j);
	return is;
}

static bool names_are_plain(const struct ruleset *rs)
{
	bool plain = true;

	for (size_t i = 0; i < rs->n_tables; i++) {
		const struct table *t = rs->tables[i];

		plain = plain && is_plain(t->name);
		for (size_t k = 0; k < t->n_chains; k++)
			plain = plain && is_plain(t->chains[k]->name);
		for (size_t k = 0; k < t->n_sets; k++)
			plain = plain && is_plain(t->sets[k]->name);
		for (size_t k = 0; k < t->n_objects; k++)
			plain = plain && is_plain(t->objects[k]->name);
	}
	return plain;
}

/* A document to a ruleset; NULL: refused, *d says why. */
static struct ruleset *read_json(const char *text, size_t len, struct diag *d)
{
	struct ruleset *rs = ruleset_new();
	struct strbuf b = { 0 };
	int r = json_import("fuzz", text, len, &b, d);

	if (!r)
		r = lang_apply(rs, "fuzz", b.s ? b.s : "", b.len, NULL, d);
	strbuf_deinit(&b);
	require(r >= 0, "neither a ruleset nor a mistake", "");
	return r ? ruleset_free(rs) : rs;
}

static struct ruleset *read_text(const char *text, size_t len, struct diag *d)
{
	struct ruleset *rs = ruleset_new();

	return lang_apply(rs, "fuzz", text, len, NULL, d) ? ruleset_free(rs) : rs;
}

/* As it is listed: what only the internal form can say (a rule that says nothing) is no matter of JSON. */
static struct ruleset *read_any(const char *text, size_t len, struct diag *d)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = NULL;
	_cleanup_(freep) char *listed = NULL;

	if (len && text[0] == '{')
		return read_json(text, len, d);
	rs = read_text(text, len, d);
	if (!rs)
		return NULL;
	listed = print(rs);
	return read_text(listed, strlen(listed), d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = NULL, *back = NULL;
	_cleanup_(freep) char *text = NULL, *again = NULL, *document = NULL;
	struct diag d = { 0 };
	json_t *out;

	rs = read_any((const char *)data, size, &d);
	if (!rs) {
		require_diag(&d);
		return 0;
	}
	if (!names_are_plain(rs))
		return 0;
	text = print(rs);
	out = json_export(rs);
	require(out, "a ruleset without JSON", "");
	document = json_dumps(out, JSON_COMPACT);
	json_decref(out);
	require(document, "JSON that can not be written", text);
	back = read_json(document, strlen(document), &d);
	require(back, d.text, document);
	again = print(back);
	if (is_utf8(text))
		require_same(text, again, document);
	return 0;
}
