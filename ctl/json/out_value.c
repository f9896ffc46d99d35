/* SPDX-License-Identifier: GPL-2.0-only */
#include <json/impl.h>
#include <lang/print.h>

static const char *const payloads[] = { "ip",	"ip6", "tcp",  "udp",	 "udplite", "sctp",
					"dccp", "th",  "icmp", "icmpv6", "ether",   "vlan" };

static json_t *out_fib(const char *keyword)
{
	json_t *flags = json_array(), *result;
	char words[64], *save = NULL, *w;

	snprintf(words, sizeof(words), "%s", keyword);
	for (w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (strcmp(w, "fib") != 0 && strcmp(w, ".") != 0)
			json_array_append_new(flags, json_string(w));
	}
	/* the last word is what is asked for */
	result = json_incref(json_array_get(flags, json_array_size(flags) - 1));
	json_array_remove(flags, json_array_size(flags) - 1);
	return json_pack("{s:{s:o, s:o}}", "fib", "result", result, "flags", flags);
}

/* "NAME" or "NAME FIELD" */
static json_t *out_tcp_option(const char *words)
{
	const char *field = strchr(words, ' ');

	if (!field)
		return json_pack("{s:{s:s}}", "tcp option", "name", words);
	return json_pack("{s:{s:s%, s:s}}", "tcp option", "name", words, (size_t)(field - words),
			 "field", field + 1);
}

static json_t *out_ct(const char *key, unsigned int dir)
{
	static const char *const dirs[] = { NULL, "original", "reply" };

	for (unsigned int i = 1; i < ARRAY_SIZE(dirs); i++) {
		size_t n = strlen(dirs[i]);

		if (strncmp(key, dirs[i], n) == 0 && key[n] == ' ')
			return json_pack("{s:{s:s, s:s}}", "ct", "key", key + n + 1, "dir",
					 dirs[i]);
	}
	if (dir && dir < ARRAY_SIZE(dirs))
		return json_pack("{s:{s:s, s:s}}", "ct", "key", key, "dir", dirs[dir]);
	return json_pack("{s:{s:s}}", "ct", "key", key);
}

json_t *out_field(enum field f, unsigned int dir)
{
	const char *keyword = field_rows[f].keyword, *rest = strchr(keyword, ' ');
	char first[16];

	if (!rest)
		return json_pack("{s:{s:s}}", "meta", "key", keyword);
	snprintf(first, sizeof(first), "%.*s", (int)(rest - keyword), keyword);
	rest++;
	if (!strcmp(first, "meta"))
		return json_pack("{s:{s:s}}", "meta", "key", rest);
	if (!strcmp(first, "ct"))
		return out_ct(rest, dir);
	if (!strcmp(first, "fib"))
		return out_fib(keyword);
	if (!strncmp(rest, "option ", 7))
		return out_tcp_option(rest + 7);
	if (!strcmp(first, "exthdr"))
		return json_pack("{s:{s:s}}", "exthdr", "name", rest);
	for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
		if (!strcmp(first, payloads[i]))
			return json_pack("{s:{s:s, s:s}}", "payload", "protocol", first, "field",
					 rest);
	}
	return NULL;
}

json_t *out_selector(const struct selector *s)
{
	bool inc = s->fields[0] == FIELD_ID_NUMGEN_INC;
	json_t *parts;

	if (inc || s->fields[0] == FIELD_ID_NUMGEN_RANDOM)
		return json_pack("{s:{s:s, s:I, s:i}}", "numgen", "mode", inc ? "inc" : "random",
				 "mod", (json_int_t)s->mod, "offset", 0);
	if (s->n == 1)
		return out_field(s->fields[0], s->dir[0]);
	parts = json_array();
	for (unsigned int i = 0; i < s->n; i++)
		json_array_append_new(parts, out_field(s->fields[i], s->dir[i]));
	return json_pack("{s:o}", "concat", parts);
}

/* A word as the printer writes it: a number, or a string without its quotes. */
static json_t *out_word(const char *s, size_t len)
{
	bool quoted = true;
	char word[128];
	uint64_t v;

	if (len >= 2 && s[0] == '"')
		s++, len -= 2;
	else
		quoted = false;
	snprintf(word, sizeof(word), "%.*s", (int)len, s);
	if (quoted)
		return out_text(word);
	return str_to_u64(word, 0, INT64_MAX, &v) ? json_integer((json_int_t)v) : json_string(word);
}

/* One end of a range. */
static json_t *out_single(enum field_type type, const struct elem *e, bool high)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	struct elem one = *e;

	if (type_rows[type].base == BASE_ADDR) {
		memcpy(high ? one.addr_lo : one.addr_hi, high ? one.addr_hi : one.addr_lo, 16);
		one.plen = -1;
	} else if (type_rows[type].base == BASE_NUM) {
		one.num_lo = one.num_hi = high ? e->num_hi : e->num_lo;
	}
	/* a range of named values is told in numbers, but for the clock */
	if (type_rows[type].base == BASE_NUM && e->num_lo != e->num_hi && type != FIELD_HOUR &&
	    type != FIELD_DATE)
		return json_integer((json_int_t)one.num_lo);
	print_value(type, &one, 0, &b);
	return b.failed ? NULL : out_word(b.s, b.len);
}

/* The words of a set of bits; one alone is no array. */
static json_t *out_bits(enum field_type type, const struct elem *e)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	json_t *words = json_array();
	char *save = NULL, *w;

	print_value(type, e, 0, &b);
	for (w = b.s ? strtok_r(b.s, ",| ", &save) : NULL; w; w = strtok_r(NULL, ",| ", &save))
		json_array_append_new(words, out_word(w, strlen(w)));
	if (json_array_size(words) == 1) {
		json_t *one = json_incref(json_array_get(words, 0));

		json_decref(words);
		return one;
	}
	return words;
}

json_t *out_value(enum field_type type, const struct elem *e)
{
	enum type_base base = type_rows[type].base;
	size_t bytes = base == BASE_ADDR ? type_rows[type].bytes : 0;
	bool range = base == BASE_ADDR ? memcmp(e->addr_lo, e->addr_hi, bytes) != 0
				       : base == BASE_NUM && e->num_lo != e->num_hi;

	if (type == FIELD_BOOL)
		return json_boolean(e->num_lo);
	if (type == FIELD_FIB_OIF && e->name[0] == '/')
		return strcmp(e->name, OIF_NONE) ? json_boolean(!strcmp(e->name, OIF_EXISTS))
						 : json_string("0");
	if (base == BASE_BITS)
		return out_bits(type, e);
	if (range && base == BASE_ADDR && e->plen >= 0)
		return json_pack("{s:{s:o, s:i}}", "prefix", "addr", out_single(type, e, false),
				 "len", e->plen);
	if (range)
		return json_pack("{s:[o, o]}", "range", out_single(type, e, false),
				 out_single(type, e, true));
	return out_single(type, e, false);
}

json_t *out_key(const enum field_type *types, unsigned int n, const struct elem *key)
{
	json_t *parts;

	if (n == 1)
		return out_value(types[0], key);
	parts = json_array();
	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(parts, out_value(types[i], key + i));
	return json_pack("{s:o}", "concat", parts);
}

json_t *out_verdict(enum verdict v, const char *chain)
{
	switch (v) {
	case VERDICT_ACCEPT:
		return json_pack("{s:n}", "accept");
	case VERDICT_DROP:
		return json_pack("{s:n}", "drop");
	case VERDICT_CONTINUE:
		return json_pack("{s:n}", "continue");
	case VERDICT_RETURN:
		return json_pack("{s:n}", "return");
	case VERDICT_JUMP:
		return json_pack("{s:{s:o}}", "jump", "target", out_text(chain));
	case VERDICT_GOTO:
		return json_pack("{s:{s:o}}", "goto", "target", out_text(chain));
	default:
		return NULL;
	}
}

/* {"elem": {"val": ...}} where there is more to say than the value. */
static json_t *out_rich(json_t *val, const struct elem_extra *x, bool counts)
{
	json_t *body;

	counts = counts || (x && (x->pkts || x->bytes));
	if (!x || (!x->timeout_ms && !x->expires_ms && !x->comment && !counts))
		return val;
	body = json_pack("{s:o}", "val", val);
	if (x->timeout_ms)
		json_object_set_new(body, "timeout",
				    json_integer((json_int_t)(x->timeout_ms / 1000)));
	if (x->expires_ms)
		json_object_set_new(body, "expires",
				    json_integer((json_int_t)(x->expires_ms / 1000)));
	if (x->comment)
		json_object_set_new(body, "comment", out_text(x->comment));
	if (counts)
		json_object_set_new(body, "counter",
				    json_pack("{s:I, s:I}", "packets", (json_int_t)x->pkts, "bytes",
					      (json_int_t)x->bytes));
	return json_pack("{s:o}", "elem", body);
}

json_t *out_elems(const struct elems *e, const enum field_type *types, const enum field_type *data,
		  unsigned int n_data, bool is_map, bool counts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->n; i++) {
		json_t *key = out_key(types, e->n_fields, e->keys + i * e->n_fields);

		key = out_rich(key, e->extra ? &e->extra[i] : NULL, counts);
		if (is_map)
			key = json_pack("[o, o]", key,
					n_data ? out_key(data, n_data, e->data[i].val)
					       : out_verdict(e->data[i].verdict, e->data[i].chain));
		json_array_append_new(list, key);
	}
	return list;
}
