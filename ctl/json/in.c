/* SPDX-License-Identifier: GPL-2.0-only */
#include <json/impl.h>

static void in_place(struct in *in, const json_t *o, const char *kind)
{
	const char *family = json_string_value(json_object_get(o, "family"));

	strbuf_printf(in->b, " %s %.8s ", kind, family ? family : "ip");
}

/* KIND FAMILY TABLE [NAME] */
static bool in_address(struct in *in, const json_t *o, const char *kind, const char *name)
{
	in_place(in, o, kind);
	if (!name)
		return in_name(in, o, "name");
	if (!in_name(in, o, "table"))
		return false;
	strbuf_puts(in->b, " ");
	return in_name(in, o, name);
}

static bool in_comment(struct in *in, const json_t *o, const char *before)
{
	const char *comment = json_string_value(json_object_get(o, "comment"));

	if (!comment)
		return true;
	strbuf_printf(in->b, "%scomment ", before);
	in_quoted(in, comment);
	return true;
}

static bool in_table(struct in *in, const json_t *o, bool body)
{
	const json_t *flags = json_object_get(o, "flags");
	bool comment = json_object_get(o, "comment");

	if (!in_address(in, o, "table", NULL))
		return false;
	if (!body || (!flags && !comment))
		return true;
	strbuf_puts(in->b, " { ");
	if (json_is_array(flags) && json_array_size(flags) == 1)
		flags = json_array_get(flags, 0);
	if (flags) {
		strbuf_puts(in->b, "flags ");
		if (!in_value(in, flags))
			return false;
		strbuf_puts(in->b, "; ");
	}
	in_comment(in, o, "");
	strbuf_puts(in->b, comment ? "; }" : "}");
	return true;
}

static bool in_chain(struct in *in, const json_t *o, bool body)
{
	const char *type = json_string_value(json_object_get(o, "type")),
		   *hook = json_string_value(json_object_get(o, "hook"));
	const char *policy = json_string_value(json_object_get(o, "policy"));
	json_t *prio = json_object_get(o, "prio");

	if (!in_address(in, o, "chain", "name"))
		return false;
	if (!body || !type)
		return true;
	if (!hook || !prio)
		return in_fail(in, "a base chain needs `type`, `hook` and `prio`");
	strbuf_printf(in->b, " { type %.16s hook %.16s priority ", type, hook);
	if (!in_value(in, prio))
		return false;
	strbuf_puts(in->b, ";");
	if (policy)
		strbuf_printf(in->b, " policy %.10s;", policy);
	in_comment(in, o, " ");
	strbuf_puts(in->b, json_object_get(o, "comment") ? "; }" : " }");
	return true;
}

static bool in_rule(struct in *in, const json_t *o, bool body)
{
	const json_t *handle = json_object_get(o, "handle"), *index = json_object_get(o, "index");

	if (!in_address(in, o, "rule", "chain"))
		return false;
	if (!body || index) {
		if (json_is_integer(index))
			strbuf_printf(in->b, " index %lld", (long long)json_integer_value(index));
		else if (json_is_integer(handle))
			strbuf_printf(in->b, " handle %lld", (long long)json_integer_value(handle));
		else
			return in_fail(in, "the rule is named by `handle` or `index`");
	}
	if (!body)
		return true;
	return in_rule_expr(in, json_object_get(o, "expr")) && in_comment(in, o, " ");
}

/* A type, or several: "ipv4_addr", ["ipv4_addr", "inet_service"], "ipv4_addr . inet_service". */
static bool in_types(struct in *in, const json_t *v)
{
	size_t i;
	json_t *t;

	if (json_is_string(v)) {
		for (const char *c = json_string_value(v); *c; c++) {
			if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_. ", *c))
				return in_fail(in, "`%.40s` is no type", json_string_value(v));
		}
		strbuf_puts(in->b, json_string_value(v));
		return true;
	}
	if (!json_is_array(v) || !json_array_size(v))
		return in_fail(in, "`type` is missing");
	json_array_foreach(v, i, t)
	{
		if (i)
			strbuf_puts(in->b, " . ");
		if (!json_is_string(t) || !in_types(in, t))
			return in_fail(in, "`type` has something that is no type");
	}
	return true;
}

static bool in_set_options(struct in *in, const json_t *o)
{
	static const struct {
		const char *key, *unit;
	} numbers[] = { { "timeout", "s" }, { "gc-interval", "s" }, { "size", "" } };
	const json_t *flags = json_object_get(o, "flags"), *policy = json_object_get(o, "policy");

	if (json_array_size(flags)) {
		strbuf_puts(in->b, " flags ");
		if (!in_value(in, flags))
			return false;
		strbuf_puts(in->b, ";");
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const json_t *v = json_object_get(o, numbers[i].key);

		if (v)
			strbuf_printf(in->b, " %s %lld%s;", numbers[i].key,
				      (long long)json_integer_value(v), numbers[i].unit);
	}
	if (json_is_string(policy))
		strbuf_printf(in->b, " policy %.16s;", json_string_value(policy));
	if (json_is_true(json_object_get(o, "auto-merge")))
		strbuf_puts(in->b, " auto-merge;");
	if (json_array_size(json_object_get(o, "stmt")))
		strbuf_puts(in->b, " counter;");
	return true;
}

static bool in_set_any(struct in *in, const json_t *o, const char *kind, bool body)
{
	const json_t *elem = json_object_get(o, "elem"), *data = json_object_get(o, "map");

	if (!in_address(in, o, kind, "name"))
		return false;
	if (!body)
		return true;
	strbuf_puts(in->b, " { type ");
	if (!in_types(in, json_object_get(o, "type")))
		return false;
	if (data && (strbuf_puts(in->b, " : "), !in_types(in, data)))
		return false;
	strbuf_puts(in->b, ";");
	if (!in_set_options(in, o))
		return false;
	if (json_object_get(o, "comment")) {
		in_comment(in, o, " ");
		strbuf_puts(in->b, ";");
	}
	if (json_array_size(elem)) {
		strbuf_puts(in->b, " elements = ");
		if (!in_elements(in, elem))
			return false;
		strbuf_puts(in->b, ";");
	}
	strbuf_puts(in->b, " }");
	return true;
}

static bool in_set_cmd(struct in *in, const json_t *o, bool body)
{
	return in_set_any(in, o, "set", body);
}

static bool in_map_cmd(struct in *in, const json_t *o, bool body)
{
	return in_set_any(in, o, "map", body);
}

static bool in_element(struct in *in, const json_t *o, bool body)
{
	if (!in_address(in, o, "element", "name"))
		return false;
	strbuf_puts(in->b, " ");
	return in_elements(in, json_object_get(o, "elem"));
}

static bool in_counter_cmd(struct in *in, const json_t *o, bool body)
{
	if (!in_address(in, o, "counter", "name") || !body)
		return !in->why[0];
	strbuf_printf(in->b, " { packets %lld bytes %lld; ",
		      (long long)json_integer_value(json_object_get(o, "packets")),
		      (long long)json_integer_value(json_object_get(o, "bytes")));
	in_comment(in, o, "");
	strbuf_puts(in->b, json_object_get(o, "comment") ? "; }" : "}");
	return true;
}

static bool in_quota_cmd(struct in *in, const json_t *o, bool body)
{
	if (!in_address(in, o, "quota", "name") || !body)
		return !in->why[0];
	strbuf_printf(in->b, " { %s%lld bytes used %lld bytes; }",
		      json_is_true(json_object_get(o, "inv")) ? "over " : "",
		      (long long)json_integer_value(json_object_get(o, "bytes")),
		      (long long)json_integer_value(json_object_get(o, "used")));
	return true;
}

static bool in_limit_cmd(struct in *in, const json_t *o, bool body)
{
	if (!in_address(in, o, "limit", "name") || !body)
		return !in->why[0];
	strbuf_puts(in->b, " { ");
	if (!in_limit(in, o))
		return false;
	strbuf_puts(in->b, "; }");
	return true;
}

static const struct {
	const char *word;
	bool (*fn)(struct in *, const json_t *, bool body);
} objects[] = {
	{ "table", in_table },	       { "chain", in_chain },	  { "rule", in_rule },
	{ "set", in_set_cmd },	       { "map", in_map_cmd },	  { "element", in_element },
	{ "counter", in_counter_cmd }, { "quota", in_quota_cmd }, { "limit", in_limit_cmd },
};

static bool in_object(struct in *in, const json_t *cmd, bool body)
{
	const char *word = json_object_iter_key(json_object_iter((json_t *)cmd));

	for (size_t i = 0; word && i < ARRAY_SIZE(objects); i++) {
		if (!strcmp(word, objects[i].word))
			return objects[i].fn(in, json_object_get(cmd, word), body);
	}
	return in_fail(in, "`%.40s` is not supported", word ? word : "a command without an object");
}

static bool in_flush(struct in *in, const json_t *cmd)
{
	if (!json_object_get(cmd, "ruleset"))
		return in_object(in, cmd, false);
	strbuf_puts(in->b, " ruleset");
	return true;
}

static bool in_rename(struct in *in, const json_t *cmd)
{
	const json_t *chain = json_object_get(cmd, "chain");

	if (!chain || !in_address(in, chain, "chain", "name"))
		return in_fail(in, "only chains are renamed");
	strbuf_puts(in->b, " ");
	return in_name(in, chain, "newname");
}

/* One item of the array, as one command. */
static bool in_command(struct in *in, const json_t *item)
{
	static const char *const with_body[] = { "add", "create", "insert", "replace" };
	const char *word = json_object_iter_key(json_object_iter((json_t *)item));
	const json_t *cmd = word ? json_object_get(item, word) : NULL;

	if (!word || json_object_size(item) != 1)
		return in_fail(in, "an object with one command expected");
	if (!strcmp(word, "metainfo"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(with_body); i++) {
		if (strcmp(word, with_body[i]) != 0)
			continue;
		strbuf_puts(in->b, word);
		return in_object(in, cmd, true);
	}
	if (!strcmp(word, "delete") || !strcmp(word, "destroy")) {
		strbuf_puts(in->b, word);
		return in_object(in, cmd, false);
	}
	if (!strcmp(word, "flush") || !strcmp(word, "rename")) {
		strbuf_puts(in->b, word);
		return word[0] == 'f' ? in_flush(in, cmd) : in_rename(in, cmd);
	}
	strbuf_puts(in->b, "add"); /* a bare object, as a listing has it */
	return in_object(in, item, true);
}

static int in_syntax(const char *file, const json_error_t *e, struct diag *d)
{
	diag_set(d, "%s", e->text);
	snprintf(d->file, sizeof(d->file), "%s", file);
	d->line = e->line > 0 ? (unsigned int)e->line : 0;
	d->col = e->column > 0 ? (unsigned int)e->column : 1;
	return JSON_E_DIAG;
}

int json_import(const char *file, const char *text, size_t len, struct strbuf *ret_text,
		struct diag *d)
{
	struct in in = { .b = ret_text };
	json_error_t e;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e), *item;
	const json_t *list = json_object_get(root, "nftables");
	size_t i;
	int r = 0;

	if (!root)
		return in_syntax(file, &e, d);
	if (!json_is_array(list)) {
		diag_set(d, "%s: an object with an array `nftables` expected", file);
		r = JSON_E_DIAG;
	}
	json_array_foreach(list, i, item)
	{
		if (!in_command(&in, item)) {
			diag_set(d, "%s: item %zu: %s", file, i, in.why);
			r = JSON_E_DIAG;
			break;
		}
		strbuf_puts(ret_text, "\n");
	}
	json_decref(root);
	return r ? r : ret_text->failed ? -ENOMEM : 0;
}
