/* SPDX-License-Identifier: GPL-2.0-only */
#include <json/impl.h>
#include <lang/print.h>

#include <ctype.h>

bool in_fail(struct in *in, const char *fmt, ...)
{
	va_list ap;

	if (!in->why[0]) {
		va_start(ap, fmt);
		vsnprintf(in->why, sizeof(in->why), fmt, ap);
		va_end(ap);
	}
	return false;
}

void in_quoted(struct in *in, const char *s)
{
	print_quoted(s, in->b);
}

/* A word that can stand bare in the language, or becomes a string. */
static bool in_word(struct in *in, const char *s)
{
	static const char bare[] = "._-:/*@+";

	for (const char *c = s; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr(bare, *c)) {
			in_quoted(in, s);
			return true;
		}
	}
	if (!*s)
		return in_fail(in, "an empty string");
	if (strchr(s, '*'))
		in_quoted(in, s);
	else
		strbuf_puts(in->b, s);
	return true;
}

bool in_name(struct in *in, const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	if (!s)
		return in_fail(in, "`%s` is missing or no string", key);
	for (const char *c = s; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("_-./\\", *c))
			return in_fail(in, "`%s` is no name", key);
	}
	print_name(s, in->b);
	return true;
}

static bool in_list(struct in *in, const json_t *list, const char *between)
{
	size_t i;
	json_t *v;

	if (!json_is_array(list))
		return in_fail(in, "an array expected");
	json_array_foreach(list, i, v)
	{
		if (i)
			strbuf_puts(in->b, between);
		if (!in_value(in, v))
			return false;
	}
	return true;
}

static bool in_payload(struct in *in, const json_t *v)
{
	const char *protocol = json_string_value(json_object_get(v, "protocol"));
	const char *field = json_string_value(json_object_get(v, "field"));

	if (!protocol || !field)
		return in_fail(in, "`payload` needs `protocol` and `field`");
	return in_word(in, protocol) && (strbuf_puts(in->b, " "), in_word(in, field));
}

static bool in_meta(struct in *in, const json_t *v)
{
	static const char *const bare[] = {
		"iif", "oif", "iifname", "oifname", "iiftype", "oiftype"
	};
	const char *key = json_string_value(json_object_get(v, "key"));
	bool short_form = false;

	if (!key)
		return in_fail(in, "`meta` needs `key`");
	for (size_t i = 0; i < ARRAY_SIZE(bare); i++)
		short_form = short_form || !strcmp(key, bare[i]);
	if (!short_form)
		strbuf_puts(in->b, "meta ");
	return in_word(in, key);
}

static bool in_ct(struct in *in, const json_t *v)
{
	const char *key = json_string_value(json_object_get(v, "key"));
	const char *dir = json_string_value(json_object_get(v, "dir"));

	if (!key)
		return in_fail(in, "`ct` needs `key`");
	strbuf_puts(in->b, "ct ");
	if (dir && (!in_word(in, dir) || (strbuf_puts(in->b, " "), false)))
		return false;
	for (const char *c = key; *c; c++) {
		if (!isalnum((unsigned char)*c) && *c != ' ' && *c != '-')
			return in_fail(in, "`ct` has no key `%.40s`", key);
	}
	strbuf_puts(in->b, key);
	return true;
}

static bool in_fib(struct in *in, const json_t *v)
{
	const json_t *flags = json_object_get(v, "flags");
	const char *result = json_string_value(json_object_get(v, "result"));

	if (!result)
		return in_fail(in, "`fib` needs `result`");
	strbuf_puts(in->b, "fib ");
	if (json_is_string(flags) ? !in_value(in, flags) : !in_list(in, flags, " . "))
		return false;
	strbuf_puts(in->b, " ");
	return in_word(in, result);
}

static bool in_numgen(struct in *in, const json_t *v)
{
	const char *mode = json_string_value(json_object_get(v, "mode"));
	json_int_t mod = json_integer_value(json_object_get(v, "mod"));
	json_int_t offset = json_integer_value(json_object_get(v, "offset"));

	if (!mode || mod < 1)
		return in_fail(in, "`numgen` needs `mode` and `mod`");
	strbuf_printf(in->b, "numgen %s mod %lld", !strcmp(mode, "inc") ? "inc" : "random",
		      (long long)mod);
	if (offset)
		strbuf_printf(in->b, " offset %lld", (long long)offset);
	return true;
}

static bool in_prefix(struct in *in, const json_t *v)
{
	if (!in_value(in, json_object_get(v, "addr")))
		return false;
	strbuf_printf(in->b, "/%lld", (long long)json_integer_value(json_object_get(v, "len")));
	return true;
}

static bool in_range(struct in *in, const json_t *v)
{
	return json_array_size(v) == 2 ? in_list(in, v, "-")
				       : in_fail(in, "`range` needs two values");
}

static bool in_concat(struct in *in, const json_t *v)
{
	return in_list(in, v, " . ");
}

static bool in_set(struct in *in, const json_t *v)
{
	return in_elements(in, v);
}

static bool in_binary(struct in *in, const json_t *v, const char *op)
{
	json_t *right = json_array_get(v, 1);

	if (json_array_size(v) != 2)
		return in_fail(in, "`%s` needs two operands", op);
	if (!in_value(in, json_array_get(v, 0)))
		return false;
	strbuf_printf(in->b, " %s ", op);
	if (!json_is_array(right))
		return in_value(in, right);
	strbuf_puts(in->b, "(");
	if (!in_list(in, right, " | "))
		return false;
	strbuf_puts(in->b, ")");
	return true;
}

static bool in_and(struct in *in, const json_t *v)
{
	return in_binary(in, v, "&");
}

static bool in_or(struct in *in, const json_t *v)
{
	return in_binary(in, v, "|");
}

static bool in_xor(struct in *in, const json_t *v)
{
	return in_binary(in, v, "^");
}

static bool in_map(struct in *in, const json_t *v)
{
	if (!in_value(in, json_object_get(v, "key")))
		return false;
	strbuf_puts(in->b, " map ");
	return in_value(in, json_object_get(v, "data"));
}

static bool in_exthdr(struct in *in, const json_t *v)
{
	const char *name = json_string_value(json_object_get(v, "name"));

	strbuf_puts(in->b, "exthdr ");
	return name && !json_object_get(v, "field")
		       ? in_word(in, name)
		       : in_fail(in, "fields of extension headers are not supported");
}

static bool in_tcp_option(struct in *in, const json_t *v)
{
	const char *name = json_string_value(json_object_get(v, "name")),
		   *field = json_string_value(json_object_get(v, "field"));

	if (!name)
		return in_fail(in, "`tcp option` needs `name`");
	strbuf_puts(in->b, "tcp option ");
	if (!in_word(in, name))
		return false;
	if (field)
		strbuf_puts(in->b, " ");
	return !field || in_word(in, field);
}

static bool in_rt(struct in *in, const json_t *v)
{
	strbuf_puts(in->b, "rt ");
	return in_value(in, json_object_get(v, "key"));
}

/* An element with more than its value. */
static bool in_elem(struct in *in, const json_t *v)
{
	const json_t *counter = json_object_get(v, "counter");
	const char *comment = json_string_value(json_object_get(v, "comment"));
	static const char *const times[] = { "timeout", "expires" };

	if (!in_value(in, json_object_get(v, "val")))
		return false;
	if (counter)
		strbuf_printf(in->b, " counter packets %lld bytes %lld",
			      (long long)json_integer_value(json_object_get(counter, "packets")),
			      (long long)json_integer_value(json_object_get(counter, "bytes")));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		const json_t *t = json_object_get(v, times[i]);

		if (t)
			strbuf_printf(in->b, " %s %llds", times[i],
				      (long long)json_integer_value(t));
	}
	if (comment) {
		strbuf_puts(in->b, " comment ");
		in_quoted(in, comment);
	}
	return true;
}

static const struct {
	const char *word;
	bool (*fn)(struct in *, const json_t *);
} forms[] = {
	{ "payload", in_payload },
	{ "meta", in_meta },
	{ "ct", in_ct },
	{ "fib", in_fib },
	{ "numgen", in_numgen },
	{ "prefix", in_prefix },
	{ "range", in_range },
	{ "set", in_set },
	{ "concat", in_concat },
	{ "&", in_and },
	{ "|", in_or },
	{ "^", in_xor },
	{ "map", in_map },
	{ "elem", in_elem },
	{ "exthdr", in_exthdr },
	{ "rt", in_rt },
	{ "tcp option", in_tcp_option },
};

bool in_value(struct in *in, const json_t *v)
{
	const char *word = json_object_iter_key(json_object_iter((json_t *)v));

	if (json_is_string(v))
		return in_word(in, json_string_value(v));
	if (json_is_integer(v)) {
		strbuf_printf(in->b, "%lld", (long long)json_integer_value(v));
		return true;
	}
	if (json_is_boolean(v)) {
		strbuf_puts(in->b, json_is_true(v) ? "exists" : "missing");
		return true;
	}
	if (json_is_array(v))
		return in_list(in, v, ",");
	for (size_t i = 0; word && json_object_size(v) == 1 && i < ARRAY_SIZE(forms); i++) {
		if (!strcmp(word, forms[i].word))
			return forms[i].fn(in, json_object_get(v, word));
	}
	return word ? in_fail(in, "the expression `%.60s` is not supported", word)
		    : in_fail(in, "an expression expected");
}

/* `{ a, b }`; an array of two is a key and what it stands for. */
bool in_elements(struct in *in, const json_t *list)
{
	size_t i;
	json_t *v;

	if (!json_is_array(list))
		return in_fail(in, "an array of elements expected");
	strbuf_puts(in->b, "{ ");
	json_array_foreach(list, i, v)
	{
		const json_t *data = json_array_get(v, 1);
		const char *word = json_object_iter_key(json_object_iter((json_t *)data));

		if (i)
			strbuf_puts(in->b, ", ");
		if (!in_value(in, json_is_array(v) ? json_array_get(v, 0) : v))
			return false;
		if (!json_is_array(v))
			continue;
		strbuf_puts(in->b, " : ");
		if (word && in_statement(in, word, json_object_get(data, word)))
			continue;
		if (word)
			in->why[0] = '\0';
		if (!in_value(in, data))
			return false;
	}
	strbuf_puts(in->b, " }");
	return true;
}
