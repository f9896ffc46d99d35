/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/print_part.h>

#include <lang/names.h>

void print_name(const char *s, struct strbuf *b)
{
	if (lex_is_plain_name(s))
		strbuf_puts(b, s);
	else
		print_quoted(s, b);
}

static void print_gw_counts(uint32_t cid, uint64_t pkts, uint64_t bytes, bool given,
			    struct strbuf *b)
{
	if (cid)
		strbuf_printf(b, " cid %u", cid);
	if (pkts || bytes)
		strbuf_printf(b, " packets %llu bytes %llu", (unsigned long long)pkts,
			      (unsigned long long)bytes);
	if (given)
		strbuf_puts(b, " given");
}

static void print_rule_internal(const struct rule *r, struct strbuf *b)
{
	strbuf_puts(b, "gw");
	if (r->handle)
		strbuf_printf(b, " handle %llu", (unsigned long long)r->handle);
	print_gw_counts(r->cid, r->pkts, r->bytes, r->counter_given, b);
	if (r->xtspec) {
		strbuf_puts(b, " xt ");
		print_quoted(r->xtspec, b);
	}
}

/* Parts are separated by one blank; each printer leaves one behind itself, the last is taken back. */
static void trim_blank(struct strbuf *b, size_t from)
{
	if (!b->failed && b->len > from && b->s[b->len - 1] == ' ')
		b->s[--b->len] = '\0';
}

/* A rule that says nothing only counts; the internal form marks it, so that it is not taken for something else. */
static void print_nothing(const struct rule *r, unsigned int flags, struct strbuf *b)
{
	if (flags & LANG_INTERNAL)
		strbuf_puts(b, "gw-rule ");
	else
		print_counter(r, flags, b);
}

void print_rule(const struct rule *r, int family, unsigned int flags, struct strbuf *b)
{
	size_t from = b->len;

	print_body(r, family, flags, b);
	if (b->len == from)
		print_nothing(r, flags, b);
	if (r->comment) {
		strbuf_puts(b, "comment ");
		print_quoted(r->comment, b);
		strbuf_puts(b, " ");
	}
	if (flags & LANG_INTERNAL)
		print_rule_internal(r, b);
	trim_blank(b, from);
}

void lang_print_rule(const struct rule *r, unsigned int flags, struct strbuf *b)
{
	print_rule(r, FAMILY_INET, flags, b);
}

void print_handle(uint64_t handle, unsigned int flags, struct strbuf *b)
{
	if (flags & LANG_HANDLES && !(flags & LANG_INTERNAL))
		strbuf_printf(b, " # handle %llu", (unsigned long long)handle);
}

static void print_chain_head(const struct chain *c, unsigned int flags, struct strbuf *b)
{
	if (c->comment) {
		strbuf_puts(b, "\t\tcomment ");
		print_quoted(c->comment, b);
		strbuf_puts(b, "\n");
	}
	if (c->base) {
		strbuf_printf(b, "\t\ttype %s hook %s priority ", chain_type_name((int)c->type),
			      hook_name(c->hook_nf));
		prio_print(c->prio, c->hook_nf, b);
		strbuf_printf(b, "; policy %s;\n", c->policy_drop ? "drop" : "accept");
	}
	if (flags & LANG_INTERNAL) {
		strbuf_printf(b, "\t\tgw-chain handle %llu", (unsigned long long)c->handle);
		print_gw_counts(c->cid, c->pkts, c->bytes, c->counter_given, b);
		strbuf_puts(b, "\n");
	}
}

static void print_chain(const struct table *t, const struct chain *c, unsigned int flags,
			struct strbuf *b)
{
	strbuf_puts(b, "\tchain ");
	print_name(c->name, b);
	strbuf_puts(b, " {");
	print_handle(c->handle, flags, b);
	strbuf_puts(b, "\n");
	print_chain_head(c, flags, b);
	for (size_t i = 0; i < c->n_rules; i++) {
		strbuf_puts(b, "\t\t");
		print_rule(c->rules[i], (int)t->family, flags, b);
		print_handle(c->rules[i]->handle, flags, b);
		strbuf_puts(b, "\n");
	}
	strbuf_puts(b, "\t}\n");
}

static void print_table_head(const struct table *t, unsigned int flags, struct strbuf *b)
{
	strbuf_printf(b, "table %s ", family_name(t->family));
	print_name(t->name, b);
	strbuf_puts(b, " {");
	print_handle(t->handle, flags, b);
	strbuf_puts(b, "\n");
	if (flags & LANG_INTERNAL)
		strbuf_printf(b, "\tgw-table handle %llu\n", (unsigned long long)t->handle);
	if (t->dormant)
		strbuf_puts(b, "\tflags dormant\n");
	if (t->comment) {
		strbuf_puts(b, "\tcomment ");
		print_quoted(t->comment, b);
		strbuf_puts(b, "\n");
	}
}

/* A blank line between the parts of a table. */
static void print_gap(bool *first, struct strbuf *b)
{
	if (!*first)
		strbuf_puts(b, "\n");
	*first = false;
}

void lang_print_chain(const struct table *t, const struct chain *c, unsigned int flags,
		      struct strbuf *b)
{
	print_table_head(t, flags, b);
	print_chain(t, c, flags, b);
	strbuf_puts(b, "}\n");
}

void lang_print_table(const struct table *t, unsigned int flags, struct strbuf *b)
{
	bool first = !t->dormant;

	print_table_head(t, flags, b);
	for (size_t i = 0; i < t->n_objects; i++) {
		print_gap(&first, b);
		print_object(t->objects[i], flags, b);
	}
	for (size_t i = 0; i < t->n_sets; i++) {
		print_gap(&first, b);
		print_set(t->sets[i], flags, b);
	}
	for (size_t i = 0; i < t->n_chains; i++) {
		print_gap(&first, b);
		print_chain(t, t->chains[i], flags, b);
	}
	strbuf_puts(b, "}\n");
}

void lang_print(const struct ruleset *rs, unsigned int flags, struct strbuf *b)
{
	for (size_t i = 0; i < rs->n_tables; i++)
		lang_print_table(rs->tables[i], flags, b);
	if (flags & LANG_INTERNAL)
		strbuf_printf(b, "gw-ruleset next-handle %llu\n",
			      (unsigned long long)rs->next_handle);
}
