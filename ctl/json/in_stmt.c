/* SPDX-License-Identifier: GPL-2.0-only */
#include <json/impl.h>

static bool in_match(struct in *in, const json_t *a)
{
	static const char *const ops[] = { "==", "!=", "<", ">", "<=", ">=", "in", "!" };
	const char *op = json_string_value(json_object_get(a, "op"));
	bool known = false;

	for (size_t i = 0; op && i < ARRAY_SIZE(ops); i++)
		known = known || !strcmp(op, ops[i]);
	if (!known)
		return in_fail(in, "`match` has no operator `%.20s`", op ? op : "");
	if (!in_value(in, json_object_get(a, "left")))
		return false;
	strbuf_puts(in->b, " ");
	if (strcmp(op, "in") != 0) /* any of some bits: what a value alone means */
		strbuf_printf(in->b, "%s ", op);
	return in_value(in, json_object_get(a, "right"));
}

static bool in_counter(struct in *in, const json_t *a)
{
	if (json_is_string(a)) {
		strbuf_puts(in->b, "counter name ");
		in_quoted(in, json_string_value(a));
		return true;
	}
	strbuf_puts(in->b, "counter");
	if (json_is_object(a))
		strbuf_printf(in->b, " packets %lld bytes %lld",
			      (long long)json_integer_value(json_object_get(a, "packets")),
			      (long long)json_integer_value(json_object_get(a, "bytes")));
	return true;
}

/* A word that is optional: " WORD VALUE". */
static bool in_option(struct in *in, const json_t *a, const char *key, const char *word)
{
	const json_t *v = json_object_get(a, key);

	if (!v)
		return true;
	strbuf_printf(in->b, " %s ", word);
	if (!json_is_string(v) || !strcmp(key, "level"))
		return in_value(in, v);
	in_quoted(in, json_string_value(v));
	return true;
}

bool in_limit(struct in *in, const json_t *a)
{
	const char *per = json_string_value(json_object_get(a, "per"));
	const char *unit = json_string_value(json_object_get(a, "rate_unit"));
	const char *burst_unit = json_string_value(json_object_get(a, "burst_unit"));
	const json_t *burst = json_object_get(a, "burst");
	bool bytes = unit && strcmp(unit, "packets") != 0;

	if (!json_is_integer(json_object_get(a, "rate")))
		return in_fail(in, "`limit` needs `rate`");
	strbuf_printf(in->b, "rate %s%lld%s%.10s/%.10s",
		      json_is_true(json_object_get(a, "inv")) ? "over " : "",
		      (long long)json_integer_value(json_object_get(a, "rate")), bytes ? " " : "",
		      bytes ? unit : "", per ? per : "second");
	if (burst && json_integer_value(burst))
		strbuf_printf(in->b, " burst %lld %.10s", (long long)json_integer_value(burst),
			      burst_unit ? burst_unit
			      : bytes	 ? "bytes"
					 : "packets");
	return true;
}

static bool in_limit_stmt(struct in *in, const json_t *a)
{
	if (!json_is_string(a)) {
		strbuf_puts(in->b, "limit ");
		return in_limit(in, a);
	}
	strbuf_puts(in->b, "limit name ");
	in_quoted(in, json_string_value(a));
	return true;
}

static bool in_quota(struct in *in, const json_t *a)
{
	const char *unit = json_string_value(json_object_get(a, "val_unit"));

	if (json_is_string(a)) {
		strbuf_puts(in->b, "quota name ");
		in_quoted(in, json_string_value(a));
		return true;
	}
	if (!json_is_integer(json_object_get(a, "val")))
		return in_fail(in, "`quota` needs `val`");
	strbuf_printf(
		in->b, "quota %s%lld %.10s", json_is_true(json_object_get(a, "inv")) ? "over " : "",
		(long long)json_integer_value(json_object_get(a, "val")), unit ? unit : "bytes");
	if (json_object_get(a, "used")) {
		unit = json_string_value(json_object_get(a, "used_unit"));
		strbuf_printf(in->b, " used %lld %.10s",
			      (long long)json_integer_value(json_object_get(a, "used")),
			      unit ? unit : "bytes");
	}
	return true;
}

static bool in_ctcount(struct in *in, const json_t *a)
{
	strbuf_printf(in->b, "ct count %s%lld",
		      json_is_true(json_object_get(a, "inv")) ? "over " : "",
		      (long long)json_integer_value(json_object_get(a, "val")));
	return true;
}

/* "all", or a list of "tcp sequence", "ether" ... */
static bool in_log_flags(struct in *in, const json_t *flags)
{
	size_t n = json_is_array(flags) ? json_array_size(flags) : 1;

	for (size_t i = 0; i < n; i++) {
		const char *s =
			json_string_value(json_is_array(flags) ? json_array_get(flags, i) : flags);

		if (!s || s[strspn(s, "abcdefghijklmnopqrstuvwxyz ")])
			return in_fail(in, "`log` has flags that are no words");
		strbuf_printf(in->b, " flags %s", s);
	}
	return true;
}

static bool in_log(struct in *in, const json_t *a)
{
	const json_t *flags = json_object_get(a, "flags");

	strbuf_puts(in->b, "log");
	if (!in_option(in, a, "prefix", "prefix") || !in_option(in, a, "level", "level") ||
	    !in_option(in, a, "group", "group") || !in_option(in, a, "snaplen", "snaplen") ||
	    !in_option(in, a, "queue-threshold", "queue-threshold"))
		return false;
	return !flags || in_log_flags(in, flags);
}

static bool in_mangle(struct in *in, const json_t *a)
{
	const json_t *key = json_object_get(a, "key");
	const json_t *value = json_object_get(a, "value"),
		     *rt = json_object_get(json_object_get(value, "rt"), "key");

	if (!in_value(in, key))
		return false;
	strbuf_puts(in->b, " set ");
	if (!rt)
		return in_value(in, value);
	strbuf_puts(in->b, "rt mtu");
	return !strcmp(json_string_value(rt) ? json_string_value(rt) : "", "mtu") ||
	       in_fail(in, "`rt` has only `mtu` here");
}

static bool in_set_stmt(struct in *in, const json_t *a)
{
	const char *op = json_string_value(json_object_get(a, "op")),
		   *set = json_string_value(json_object_get(a, "set"));
	const json_t *stmts = json_object_get(a, "stmt");
	size_t i;
	json_t *s;

	if (!op || !set || set[0] != '@' ||
	    (strcmp(op, "add") != 0 && strcmp(op, "update") != 0 && strcmp(op, "delete") != 0))
		return in_fail(in, "`set` needs `op` (add, update, delete) and `set` (@name)");
	strbuf_printf(in->b, "%s %.64s { ", op, set);
	if (!in_value(in, json_object_get(a, "elem")))
		return false;
	json_array_foreach(stmts, i, s)
	{
		const char *word = json_object_iter_key(json_object_iter(s));

		strbuf_puts(in->b, " ");
		if (!word || !in_statement(in, word, json_object_get(s, word)))
			return in_fail(in, "a statement of `set` is none");
	}
	strbuf_puts(in->b, " }");
	return true;
}

static bool in_plain(struct in *in, const char *word)
{
	strbuf_puts(in->b, word);
	return true;
}

static bool in_accept(struct in *in, const json_t *a)
{
	return in_plain(in, "accept");
}

static bool in_drop(struct in *in, const json_t *a)
{
	return in_plain(in, "drop");
}

static bool in_continue(struct in *in, const json_t *a)
{
	return in_plain(in, "continue");
}

static bool in_return(struct in *in, const json_t *a)
{
	return in_plain(in, "return");
}

static bool in_notrack(struct in *in, const json_t *a)
{
	return in_plain(in, "notrack");
}

static bool in_jump(struct in *in, const json_t *a)
{
	strbuf_puts(in->b, "jump ");
	return in_name(in, a, "target");
}

static bool in_goto(struct in *in, const json_t *a)
{
	strbuf_puts(in->b, "goto ");
	return in_name(in, a, "target");
}

static bool in_reject(struct in *in, const json_t *a)
{
	const char *type = json_string_value(json_object_get(a, "type")),
		   *expr = json_string_value(json_object_get(a, "expr"));

	strbuf_puts(in->b, "reject");
	if (!type)
		return true;
	if (!strcmp(type, "tcp reset"))
		return in_plain(in, " with tcp reset");
	strbuf_printf(in->b, " with %.10s", type);
	if (expr)
		strbuf_printf(in->b, " %.32s", expr);
	return true;
}

static bool in_vmap(struct in *in, const json_t *a)
{
	if (!in_value(in, json_object_get(a, "key")))
		return false;
	strbuf_puts(in->b, " vmap ");
	return in_value(in, json_object_get(a, "data"));
}

static bool in_nat_flags(struct in *in, const json_t *flags)
{
	bool list = json_is_array(flags);
	size_t n = list ? json_array_size(flags) : flags != NULL;
	const char *before = " ";

	for (size_t i = 0; i < n; i++) {
		const json_t *flag = list ? json_array_get(flags, i) : flags;

		/* `prefix` says so already */
		if (json_is_string(flag) && !strcmp(json_string_value(flag), "netmap"))
			continue;
		strbuf_puts(in->b, before);
		if (!in_value(in, flag))
			return false;
		before = ",";
	}
	return true;
}

static bool in_nat(struct in *in, const char *word, const json_t *a)
{
	const char *family = json_string_value(json_object_get(a, "family")),
		   *type = json_string_value(json_object_get(a, "type_flags"));
	const json_t *addr = json_object_get(a, "addr"), *port = json_object_get(a, "port");
	bool six = json_is_string(addr) && strchr(json_string_value(addr), ':');

	strbuf_puts(in->b, word);
	if (family)
		strbuf_printf(in->b, " %.4s", family);
	if (type && !strcmp(type, "prefix"))
		strbuf_puts(in->b, " prefix");
	if (addr || port)
		strbuf_puts(in->b, " to ");
	if (addr && port && six)
		strbuf_puts(in->b, "[");
	if (addr && !in_value(in, addr))
		return false;
	if (addr && port && six)
		strbuf_puts(in->b, "]");
	if (port && (strbuf_puts(in->b, ":"), !in_value(in, port)))
		return false;
	return in_nat_flags(in, json_object_get(a, "flags"));
}

static bool in_masquerade(struct in *in, const json_t *a)
{
	return in_nat(in, "masquerade", a);
}

static bool in_snat(struct in *in, const json_t *a)
{
	return in_nat(in, "snat", a);
}

static bool in_dnat(struct in *in, const json_t *a)
{
	return in_nat(in, "dnat", a);
}

static bool in_redirect(struct in *in, const json_t *a)
{
	return in_nat(in, "redirect", a);
}

static const struct {
	const char *word;
	bool (*fn)(struct in *, const json_t *);
} statements[] = {
	{ "match", in_match },	   { "counter", in_counter },	{ "limit", in_limit_stmt },
	{ "quota", in_quota },	   { "ct count", in_ctcount },	{ "log", in_log },
	{ "mangle", in_mangle },   { "set", in_set_stmt },	{ "accept", in_accept },
	{ "drop", in_drop },	   { "continue", in_continue }, { "return", in_return },
	{ "notrack", in_notrack }, { "jump", in_jump },		{ "goto", in_goto },
	{ "reject", in_reject },   { "vmap", in_vmap },		{ "snat", in_snat },
	{ "dnat", in_dnat },	   { "redirect", in_redirect }, { "masquerade", in_masquerade },
};

bool in_statement(struct in *in, const char *word, const json_t *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		if (!strcmp(word, statements[i].word))
			return statements[i].fn(in, arg);
	}
	return in_fail(in, "the statement `%.60s` is not supported", word);
}

bool in_rule_expr(struct in *in, const json_t *expr)
{
	size_t i;
	json_t *s;

	if (!json_is_array(expr))
		return in_fail(in, "a rule needs an array `expr`");
	json_array_foreach(expr, i, s)
	{
		const char *word = json_object_iter_key(json_object_iter(s));

		strbuf_puts(in->b, " ");
		if (!word)
			return in_fail(in, "statement %zu of the rule is no object", i + 1);
		if (!in_statement(in, word, json_object_get(s, word)))
			return false;
	}
	return true;
}
