/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets, maps and objects in nft's layout.
 */
#include <lang/print.h>

static void print_types(const enum field_type *types, unsigned int n, struct strbuf *b)
{
	for (unsigned int i = 0; i < n; i++)
		strbuf_printf(b, "%s%s", i ? " . " : "", type_rows[types[i]].name);
}

static void print_set_type(const struct set *s, struct strbuf *b)
{
	strbuf_puts(b, s->type_of.n ? "\t\ttypeof " : "\t\ttype ");
	if (s->type_of.n)
		print_selector(&s->type_of, b);
	else
		print_types(s->types, s->n_fields, b);
	if (s->is_map)
		strbuf_puts(b, " : ");
	if (s->is_vmap)
		strbuf_puts(b, "verdict");
	else if (s->is_map && s->data_of.n)
		print_selector(&s->data_of, b);
	else if (s->is_map)
		print_types(s->data, s->n_data, b);
	strbuf_puts(b, "\n");
}

static void print_set_flags(const struct set *s, struct strbuf *b)
{
	static const struct {
		const char *word;
		unsigned int flag;
	} words[] = { { "constant", SET_CONSTANT },
		      { "dynamic", SET_DYNAMIC },
		      { "interval", SET_INTERVAL },
		      { "timeout", SET_TIMEOUT } };
	const char *before = "\t\tflags ";

	/* `timeout 1h` says it alone */
	if (!(s->flags & (SET_CONSTANT | SET_DYNAMIC | SET_INTERVAL)) && s->timeout_ms)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!(s->flags & words[i].flag))
			continue;
		strbuf_printf(b, "%s%s", before, words[i].word);
		before = ",";
	}
	strbuf_puts(b, *before == ',' ? "\n" : "");
}

static void print_line_duration(const char *word, uint64_t ms, struct strbuf *b)
{
	if (!ms)
		return;
	strbuf_printf(b, "\t\t%s ", word);
	print_duration(ms, b);
	strbuf_puts(b, "\n");
}

static void print_comment(const char *comment, struct strbuf *b)
{
	if (!comment)
		return;
	strbuf_puts(b, "\t\tcomment ");
	print_quoted(comment, b);
	strbuf_puts(b, "\n");
}

/* How many elements nft puts on a line. */
static unsigned int elements_per_line(const struct set *s)
{
	if (s->n_fields > 1)
		return 1;
	switch (s->types[0]) {
	case FIELD_PORT:
	case FIELD_MARK:
	case FIELD_PROTO:
	case FIELD_NUM:
	case FIELD_TCP_FLAG:
		return 5;
	case FIELD_ADDR4:
	case FIELD_CT_STATE:
	case FIELD_CT_STATUS:
	case FIELD_CT_DIR:
	case FIELD_NFPROTO:
	case FIELD_PKTTYPE:
		return 2;
	default:
		return 1;
	}
}

static void print_set_elements(const struct set *s, unsigned int flags, struct strbuf *b)
{
	const struct elem_style style = { .types = s->types,
					  .data = s->data,
					  .n_data = s->n_data,
					  .flags = flags,
					  .counts = s->flags & SET_COUNTER };
	unsigned int per_line = elements_per_line(s);

	if (!s->elems || !s->elems->n)
		return;
	strbuf_puts(b, "\t\telements = { ");
	for (size_t i = 0; i < s->elems->n; i++) {
		if (i)
			strbuf_puts(b, i % per_line ? ", " : ",\n\t\t\t     ");
		print_element(s->elems, i, &style, b);
	}
	strbuf_puts(b, " }\n");
}

void print_set(const struct set *s, unsigned int flags, struct strbuf *b)
{
	strbuf_puts(b, s->is_map ? "\tmap " : "\tset ");
	print_name(s->name, b);
	strbuf_puts(b, " {");
	print_handle(s->handle, flags, b);
	strbuf_puts(b, "\n");
	print_set_type(s, b);
	if (flags & LANG_INTERNAL)
		strbuf_printf(b, "\t\tgw-set handle %llu\n", (unsigned long long)s->handle);
	if (s->policy)
		strbuf_printf(b, "\t\tpolicy %s\n", s->policy);
	if (s->size)
		strbuf_printf(b, "\t\tsize %u\n", s->size);
	print_set_flags(s, b);
	if (s->flags & SET_COUNTER)
		strbuf_puts(b, "\t\tcounter\n");
	if (s->flags & SET_AUTO_MERGE)
		strbuf_puts(b, "\t\tauto-merge\n");
	print_line_duration("timeout", s->timeout_ms, b);
	print_line_duration("gc-interval", s->gc_ms, b);
	print_comment(s->comment, b);
	print_set_elements(s, flags, b);
	strbuf_puts(b, "\t}\n");
}

static void print_object_body(const struct object *o, unsigned int flags, struct strbuf *b)
{
	bool stateless = (flags & LANG_STATELESS) && !(flags & LANG_INTERNAL);

	switch (o->kind) {
	case OBJECT_COUNTER:
		if (!stateless)
			strbuf_printf(b, "\t\tpackets %llu bytes %llu\n",
				      (unsigned long long)o->pkts, (unsigned long long)o->bytes);
		break;
	case OBJECT_QUOTA:
		strbuf_puts(b, o->quota_over ? "\t\tover " : "\t\t");
		print_bytes(o->quota, b);
		if (o->bytes && !stateless) {
			strbuf_puts(b, " used ");
			print_bytes(o->bytes, b);
		}
		strbuf_puts(b, "\n");
		break;
	case OBJECT_LIMIT:
		strbuf_puts(b, "\t\t");
		print_limit_rate(&o->limit, b);
		strbuf_puts(b, "\n");
		break;
	}
}

void print_object(const struct object *o, unsigned int flags, struct strbuf *b)
{
	strbuf_printf(b, "\t%s ", object_kind_name((int)o->kind));
	print_name(o->name, b);
	strbuf_puts(b, " {");
	print_handle(o->handle, flags, b);
	strbuf_puts(b, "\n");
	print_comment(o->comment, b);
	print_object_body(o, flags, b);
	if (flags & LANG_INTERNAL) {
		strbuf_printf(b, "\t\tgw-object handle %llu", (unsigned long long)o->handle);
		if (o->id)
			strbuf_printf(b, " id %u", o->id);
		strbuf_puts(b, o->given ? " given\n" : "\n");
	}
	strbuf_puts(b, "\t}\n");
}
