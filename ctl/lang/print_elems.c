/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/print.h>

void print_key(const enum field_type *types, unsigned int n, const struct elem *key,
	       unsigned int flags, struct strbuf *b)
{
	for (unsigned int i = 0; i < n; i++) {
		strbuf_puts(b, i ? " . " : "");
		print_value(types[i], &key[i], flags, b);
	}
}

void print_verdict(const struct map_data *data, struct strbuf *b)
{
	static const char *const words[] = {
		[VERDICT_ACCEPT] = "accept", [VERDICT_DROP] = "drop",
		[VERDICT_RETURN] = "return", [VERDICT_CONTINUE] = "continue",
		[VERDICT_JUMP] = "jump ",    [VERDICT_GOTO] = "goto ",
	};

	strbuf_puts(b, words[data->verdict]);
	if (data->chain)
		print_name(data->chain, b);
}

static void print_times(const struct elem_extra *x, unsigned int flags, struct strbuf *b)
{
	if (x->timeout_ms) {
		strbuf_puts(b, " timeout ");
		print_duration(x->timeout_ms, b);
	}
	if (x->expires_ms && !(flags & LANG_STATELESS)) {
		strbuf_puts(b, " expires ");
		print_duration(x->expires_ms, b);
	}
}

static void print_extra(const struct elem_extra *x, bool counts, unsigned int flags,
			struct strbuf *b)
{
	static const struct elem_extra none = { 0 };

	x = x ? x : &none;
	if (counts || x->pkts || x->bytes)
		strbuf_puts(b, " counter");
	if ((counts || x->pkts || x->bytes) && !(flags & LANG_STATELESS))
		strbuf_printf(b, " packets %llu bytes %llu", (unsigned long long)x->pkts,
			      (unsigned long long)x->bytes);
	print_times(x, flags, b);
	if (x->comment) {
		strbuf_puts(b, " comment ");
		print_quoted(x->comment, b);
	}
}

void print_element(const struct elems *e, size_t i, const struct elem_style *style,
		   struct strbuf *b)
{
	print_key(style->types, e->n_fields, e->keys + i * e->n_fields, style->flags, b);
	print_extra(e->extra ? &e->extra[i] : NULL, style->counts, style->flags, b);
	if (!e->data)
		return;
	strbuf_puts(b, " : ");
	if (style->n_data)
		print_key(style->data, style->n_data, e->data[i].val, style->flags, b);
	else
		print_verdict(&e->data[i], b);
}

void print_elems(const struct elems *e, const enum field_type *types, const enum field_type *data,
		 unsigned int n_data, unsigned int flags, struct strbuf *b)
{
	const struct elem_style style = {
		.types = types, .data = data, .n_data = n_data, .flags = flags
	};

	strbuf_puts(b, "{ ");
	for (size_t i = 0; i < e->n; i++) {
		strbuf_puts(b, i ? ", " : "");
		print_element(e, i, &style, b);
	}
	strbuf_puts(b, " }");
}
