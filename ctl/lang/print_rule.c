/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/print.h>

#include <lang/names.h>
#include <lang/value.h>

#include <arpa/inet.h>

/* The inverse of the lexer's escapes; what no screen should see becomes `?`. */
void print_quoted(const char *s, struct strbuf *b)
{
	strbuf_puts(b, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		bool escape = c == '"' || (c == '\\' && (!s[1] || s[1] == '"' || s[1] == '\\'));

		if (escape)
			strbuf_puts(b, "\\");
		strbuf_add(b, c < ' ' || c == 127 ? "?" : s, 1);
	}
	strbuf_puts(b, "\"");
}

static void print_addr(const uint8_t *addr, size_t bytes, struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN];

	strbuf_puts(b, inet_ntop(bytes == 4 ? AF_INET : AF_INET6, addr, text, sizeof(text)));
}

static void print_addr_elem(const struct elem *e, size_t bytes, unsigned int flags,
			    struct strbuf *b)
{
	bool whole = e->plen == (int)bytes * 8 && !(flags & LANG_INTERNAL);

	print_addr(e->addr_lo, bytes, b);
	if (e->plen >= 0 && !whole) {
		strbuf_printf(b, "/%d", e->plen);
	} else if (memcmp(e->addr_lo, e->addr_hi, bytes) != 0) {
		strbuf_puts(b, "-");
		print_addr(e->addr_hi, bytes, b);
	}
}

static void print_states(uint32_t mask, bool is_set, struct strbuf *b)
{
	const struct name_row *row = names_of(FIELD_CT_STATE);
	const char *before = "";

	for (; row->name; row++) {
		if (!(mask & row->value))
			continue;
		strbuf_printf(b, "%s%s", before, row->name);
		before = is_set ? ", " : ",";
	}
}

static void print_num(enum field_type type, uint32_t v, bool named, struct strbuf *b)
{
	const char *name = named ? value_to_name(names_of(type), v) : NULL;

	if (name)
		strbuf_puts(b, name);
	else if (type == FIELD_MARK)
		strbuf_printf(b, "0x%08x", v);
	else
		strbuf_printf(b, "%u", v);
}

static void print_num_elem(enum field_type type, const struct elem *e, struct strbuf *b)
{
	bool range = e->num_lo != e->num_hi;

	/* Names may hold a dash: ranges are numbers, as nft prints them. */
	print_num(type, e->num_lo, !range && type != FIELD_PORT, b);
	if (!range)
		return;
	strbuf_puts(b, "-");
	print_num(type, e->num_hi, false, b);
}

static void print_elem(const struct match *m, const struct elem *e, unsigned int flags,
		       struct strbuf *b)
{
	enum field_type type = field_rows[m->field].type;
	size_t bytes = addr_bytes(type);

	if (type == FIELD_IFNAME)
		strbuf_printf(b, "\"%s\"", e->name);
	else if (type == FIELD_CT_STATE)
		print_states(e->num_lo, m->is_set, b);
	else if (bytes)
		print_addr_elem(e, bytes, flags, b);
	else
		print_num_elem(type, e, b);
}

void print_match(const struct match *m, unsigned int flags, struct strbuf *b)
{
	bool braces = m->is_set || m->n > 1;
	bool masked = field_rows[m->field].type == FIELD_MARK && m->mask != UINT32_MAX;

	strbuf_puts(b, field_rows[m->field].keyword);
	if (masked)
		strbuf_printf(b, " & 0x%08x%s", m->mask, m->negate ? "" : " ==");
	strbuf_puts(b, m->negate ? " != " : " ");
	if (braces)
		strbuf_puts(b, "{ ");
	for (size_t i = 0; i < m->n; i++) {
		if (i)
			strbuf_puts(b, ", ");
		print_elem(m, &m->elems[i], flags, b);
	}
	strbuf_puts(b, braces ? " } " : " ");
}

/* 4 or 6 if the rule can only be for that version, else 0. */
static int rule_version(const struct rule *r, int family)
{
	if (family != FAMILY_INET)
		return family == FAMILY_IP ? 4 : 6;
	for (size_t i = 0; i < r->n_matches; i++) {
		if (field_rows[r->matches[i].field].families != 46)
			return field_rows[r->matches[i].field].families;
	}
	return 0;
}

static void print_reject(const struct rule *r, int family, struct strbuf *b)
{
	int version = rule_version(r, family);
	const char *word = version == 4 ? "icmp" : version == 6 ? "icmpv6" : "icmpx";
	uint32_t code = r->action.reject;

	strbuf_puts(b, "reject ");
	if (code == GW_REJECT_TCP_RESET)
		strbuf_puts(b, "with tcp reset ");
	for (size_t i = 0; i < ARRAY_SIZE(reject_rows); i++) {
		if (reject_rows[i].code != code || strcmp(reject_rows[i].family, word) != 0)
			continue;
		if (code != GW_REJECT_PORT || r->action.reject_explicit)
			strbuf_printf(b, "with %s %s ", word, reject_rows[i].type);
	}
}

static void print_nat_addr(const struct action *a, const uint8_t *addr, struct strbuf *b)
{
	bool brackets = a->nat_family == 6 && a->has_port;

	strbuf_puts(b, brackets ? "[" : "");
	print_addr(addr, a->nat_family == 4 ? 4 : 16, b);
	strbuf_puts(b, brackets ? "]" : "");
}

static void print_nat_target(const struct action *a, int family, struct strbuf *b)
{
	if (a->has_addr && family == FAMILY_INET)
		strbuf_puts(b, a->nat_family == 4 ? "ip " : "ip6 ");
	if (a->has_addr || a->has_port)
		strbuf_puts(b, "to ");
	if (a->has_addr) {
		print_nat_addr(a, a->addr_lo, b);
		if (memcmp(a->addr_lo, a->addr_hi, a->nat_family == 4 ? 4 : 16) != 0) {
			strbuf_puts(b, "-");
			print_nat_addr(a, a->addr_hi, b);
		}
	}
	if (a->has_port) {
		strbuf_printf(b, ":%u", a->port_lo);
		if (a->port_lo != a->port_hi)
			strbuf_printf(b, "-%u", a->port_hi);
	}
	if (a->has_addr || a->has_port)
		strbuf_puts(b, " ");
}

static void print_nat_flags(uint32_t flags, struct strbuf *b)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = { { GW_NATF_RANDOM, "random" },
		      { GW_NATF_FULLY_RANDOM, "fully-random" },
		      { GW_NATF_PERSISTENT, "persistent" } };
	const char *before = "";

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!(flags & words[i].flag))
			continue;
		strbuf_printf(b, "%s%s", before, words[i].word);
		before = ",";
	}
	if (*before)
		strbuf_puts(b, " ");
}

void print_action(const struct rule *r, int family, struct strbuf *b)
{
	static const char *const words[] = {
		[VERDICT_NONE] = "",	  [VERDICT_ACCEPT] = "accept ",
		[VERDICT_DROP] = "drop ", [VERDICT_REJECT] = "",
		[VERDICT_SNAT] = "snat ", [VERDICT_MASQUERADE] = "masquerade ",
		[VERDICT_DNAT] = "dnat ", [VERDICT_REDIRECT] = "redirect ",
	};
	const struct action *a = &r->action;

	if (rule_has_stmt(r, STMT_NOTRACK))
		strbuf_puts(b, "notrack ");
	strbuf_puts(b, words[a->verdict]);
	if (a->verdict == VERDICT_REJECT)
		print_reject(r, family, b);
	if (a->verdict >= VERDICT_MASQUERADE) {
		print_nat_target(a, family, b);
		print_nat_flags(a->nat_flags, b);
	}
}
