/* SPDX-License-Identifier: GPL-2.0-only */
/* print_rule - matches and the verdict. */
#include <lang/print_part.h>

#include <lang/names.h>
#include <lang/value.h>

static void print_match_fields(const struct match *m, struct strbuf *b)
{
	struct selector s = { .n = MAX(m->n_fields, 1), .mod = m->mod };

	for (unsigned int i = 0; i < s.n; i++)
		s.fields[i] = s.n > 1 ? m->more[i] : m->field;
	s.dir[0] = m->dir;
	print_selector(&s, b);
}

/* The elements of a match: in braces, or one. */
static void print_operand(const struct match *m, unsigned int flags, struct strbuf *b)
{
	bool braces = m->is_set || m->n > 1;
	unsigned int parts = MAX(m->n_fields, 1U);
	enum field_type types[CONCAT_MAX];

	if (m->set) {
		strbuf_puts(b, "@");
		print_name(m->set, b);
		strbuf_puts(b, " ");
		return;
	}
	for (unsigned int i = 0; i < parts; i++)
		types[i] = field_rows[parts > 1 ? m->more[i] : m->field].type;
	strbuf_puts(b, braces ? "{ " : "");
	for (size_t i = 0; i < m->n; i++) {
		strbuf_puts(b, i ? ", " : "");
		print_key(types, parts, m->elems + i * parts, flags, b);
	}
	strbuf_puts(b, braces ? " } " : " ");
}

static bool one_bit(uint64_t v)
{
	return v && !(v & (v - 1));
}

static void print_states(const struct match *m, struct strbuf *b)
{
	/* nft's `!= a,b` compares with both bits at once; `! a,b` is what is meant */
	strbuf_puts(b, !m->negate ? "" : m->is_set || one_bit(m->elems[0].num_lo) ? "!= " : "! ");
	strbuf_puts(b, m->is_set ? "{ " : "");
	print_bits(FIELD_CT_STATE, m->elems[0].num_lo, m->is_set ? ", " : ",", b);
	strbuf_puts(b, m->is_set ? " } " : " ");
}

/* `a / a,b`, or `& a == a` where the mask is one bit */
static void print_masked_bits(const struct match *m, enum field_type type, struct strbuf *b)
{
	if (one_bit(m->mask)) {
		strbuf_puts(b, "& ");
		print_bits(type, m->mask, ",", b);
		strbuf_puts(b, m->negate ? " != " : " == ");
		print_bits(type, m->elems[0].num_lo, ",", b);
	} else {
		strbuf_puts(b, m->negate ? "!= " : "");
		print_bits(type, m->elems[0].num_lo, ",", b);
		strbuf_puts(b, " / ");
		print_bits(type, m->mask, ",", b);
	}
	strbuf_puts(b, " ");
}

static void print_bit_match(const struct match *m, unsigned int flags, struct strbuf *b)
{
	enum field_type type = field_rows[m->field].type;
	uint64_t bits = m->elems[0].num_lo;

	if (m->is_set && m->mask != UINT32_MAX) {
		strbuf_puts(b, "& (");
		print_bits(type, m->mask, " | ", b);
		strbuf_puts(b, m->negate ? ") != " : ") == ");
		print_operand(m, flags, b);
	} else if (m->is_set) {
		strbuf_puts(b, m->negate ? "!= " : "");
		print_operand(m, flags, b);
	} else if (m->mask != UINT32_MAX) {
		print_masked_bits(m, type, b);
	} else {
		if (m->negate)
			strbuf_puts(b, m->exact ? "!= " : "! ");
		else if (m->exact)
			strbuf_puts(b, "== ");
		/* several at once have no name that nft reads back as exactly these */
		if (m->exact && !one_bit(bits))
			strbuf_printf(b, "0x%llx", (unsigned long long)bits);
		else
			print_bits(type, bits, ",", b);
		strbuf_puts(b, " ");
	}
}

static bool is_one_range(const struct match *m)
{
	return !m->is_set && m->n == 1 && m->elems[0].num_lo != m->elems[0].num_hi;
}

void print_match(const struct match *m, unsigned int flags, struct strbuf *b)
{
	static const char *const ops[] = { "", "< ", "> ", "<= ", ">= " };
	const struct field_row *row = &field_rows[m->field];
	bool masked = m->mask != UINT32_MAX && m->n_fields <= 1;

	print_match_fields(m, b);
	strbuf_puts(b, " ");
	if (type_rows[row->type].base == BASE_BITS && m->n_fields <= 1 && !m->set) {
		if (row->type == FIELD_CT_STATE)
			print_states(m, b);
		else
			print_bit_match(m, flags, b);
		return;
	}
	if (masked)
		strbuf_printf(b, row->type == FIELD_MARK ? "& 0x%08x " : "& %u ", m->mask);
	strbuf_puts(b, ops[m->op]);
	if (m->negate)
		strbuf_puts(b, "!= ");
	else if (masked && m->op == MATCH_EQ && !is_one_range(m))
		strbuf_puts(b, "== ");
	print_operand(m, flags, b);
}

static void print_reject(const struct action *a, struct strbuf *b)
{
	static const char *const words[] = { [4] = "icmp", [6] = "icmpv6" };
	const char *word =
		a->reject_family == 4 || a->reject_family == 6 ? words[a->reject_family] : "icmpx";

	strbuf_puts(b, "reject ");
	if (a->reject == GW_REJECT_TCP_RESET) {
		strbuf_puts(b, "with tcp reset ");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reject_rows); i++) {
		const struct reject_row *row = &reject_rows[i];

		if (row->code == a->reject && !strcmp(row->family, word) && a->reject_explicit)
			strbuf_printf(b, "with %s %s ", word, row->type);
	}
}

static const char *const words[] = {
	[VERDICT_NONE] = "",
	[VERDICT_ACCEPT] = "accept ",
	[VERDICT_DROP] = "drop ",
	[VERDICT_REJECT] = "",
	[VERDICT_MASQUERADE] = "masquerade ",
	[VERDICT_SNAT] = "snat ",
	[VERDICT_DNAT] = "dnat ",
	[VERDICT_REDIRECT] = "redirect ",
	[VERDICT_JUMP] = "jump ",
	[VERDICT_GOTO] = "goto ",
	[VERDICT_RETURN] = "return ",
	[VERDICT_CONTINUE] = "continue ",
	[VERDICT_VMAP] = "",
};

/* What was written is kept; what is shown is as short as nft's. */
static struct action reject_in_words(const struct rule *r, int family, unsigned int flags)
{
	struct action a = r->action;

	if (family != FAMILY_INET)
		a.reject_family = family == FAMILY_IP ? 4 : 6;
	if (flags & LANG_INTERNAL && a.reject_explicit)
		return a;
	a.reject_explicit =
		a.reject != GW_REJECT_PORT ||
		(family == FAMILY_INET && (a.reject_family == 4 || a.reject_family == 6));
	return a;
}

static void print_verdict_of(const struct rule *r, int family, unsigned int flags, struct strbuf *b)
{
	const struct action *a = &r->action;

	strbuf_puts(b, words[a->verdict]);
	switch (a->verdict) {
	case VERDICT_REJECT: {
		struct action said = reject_in_words(r, family, flags);

		print_reject(&said, b);
		break;
	}
	case VERDICT_JUMP:
	case VERDICT_GOTO:
		print_name(a->chain, b);
		strbuf_puts(b, " ");
		break;
	case VERDICT_VMAP:
		print_map_use(a->map, "vmap", NULL, 0, flags, b);
		strbuf_puts(b, " ");
		break;
	case VERDICT_MASQUERADE:
	case VERDICT_SNAT:
	case VERDICT_DNAT:
	case VERDICT_REDIRECT:
		print_nat(a, family, flags, b);
		break;
	default:
		break;
	}
}

/* The rule's own count, where nobody asked for it but the reader. */
static bool prints_count(const struct rule *r, unsigned int flags)
{
	return !rule_has_stmt(r, STMT_COUNTER) && !(flags & LANG_INTERNAL) && flags & LANG_COUNTERS;
}

/* Matches up to statement s. */
static void print_matches(const struct rule *r, size_t *at, size_t s, int family,
			  unsigned int flags, struct strbuf *b)
{
	bool counted = prints_count(r, flags);

	while (*at < r->n_matches && (r->matches[*at].after <= s || s == r->n_stmts)) {
		if (flags & LANG_INTERNAL || !match_is_implied(r, *at, family, counted))
			print_match(&r->matches[*at], flags, b);
		++*at;
	}
}

void print_body(const struct rule *r, int family, unsigned int flags, struct strbuf *b)
{
	size_t at = 0;

	for (size_t s = 0; s <= r->n_stmts; s++) {
		print_matches(r, &at, s, family, flags, b);
		if (s < r->n_stmts)
			print_stmt(r, &r->stmts[s], flags, b);
	}
	if (prints_count(r, flags))
		print_counter(r, flags, b);
	print_verdict_of(r, family, flags, b);
}
