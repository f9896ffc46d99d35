/* SPDX-License-Identifier: GPL-2.0-only */
/* print_value - one value of each type, as nft writes it; and the words that say where it is looked for. */
#include <lang/print_part.h>

#include <lang/names.h>
#include <lang/time.h>
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

void print_addr(const uint8_t *a, size_t bytes, struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN];

	if (bytes == 6)
		strbuf_printf(b, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4],
			      a[5]);
	else
		strbuf_puts(b, inet_ntop(bytes == 4 ? AF_INET : AF_INET6, a, text, sizeof(text)));
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

void print_bits(enum field_type type, uint64_t bits, const char *between, struct strbuf *b)
{
	const struct name_row *row = names_of(type);
	const char *before = "";
	uint64_t named = 0;

	for (size_t i = 0; row[i].name; i++)
		named |= row[i].value;
	if (!bits || bits & ~named) {
		strbuf_printf(b, "0x%llx", (unsigned long long)bits);
		return;
	}
	for (; row->name; row++) {
		if (!(bits & row->value))
			continue;
		strbuf_printf(b, "%s%s", before, row->name);
		before = between;
	}
}

/* Numbers as nft writes them where there is no name, by type. */
static void print_number(enum field_type type, uint64_t v, bool range, struct strbuf *b)
{
	if (type == FIELD_MARK)
		strbuf_printf(b, "0x%08llx", (unsigned long long)v);
	else if (type == FIELD_DSCP)
		strbuf_printf(b, "0x%02llx", (unsigned long long)v);
	else if (type == FIELD_ETHERTYPE)
		strbuf_printf(b, "0x%04llx", (unsigned long long)v);
	else if (type == FIELD_HOUR)
		print_hour(v, b);
	else if (type == FIELD_DATE)
		print_date(v, b);
	else if (type == FIELD_TIME && !range)
		print_duration(v * 1000, b);
	else
		strbuf_printf(b, "%llu%s", (unsigned long long)v, type == FIELD_TIME ? "s" : "");
}

static void print_num(enum field_type type, uint64_t v, bool range, struct strbuf *b)
{
	/* Names may hold a dash: ranges are numbers, as nft prints them. */
	bool named = !range && type != FIELD_PORT && v <= UINT32_MAX;
	const char *name = named ? value_to_name(names_of(type), (uint32_t)v) : NULL;

	if (name && type == FIELD_DAY)
		strbuf_printf(b, "\"%s\"", name);
	else if (name)
		strbuf_puts(b, name);
	else
		print_number(type, v, range, b);
}

void print_value(enum field_type type, const struct elem *e, unsigned int flags, struct strbuf *b)
{
	bool range = e->num_lo != e->num_hi;

	switch (type_rows[type].base) {
	case BASE_NAME:
		if (e->name[0] == '/') /* OIF_* */
			strbuf_puts(b, e->name + 1);
		else
			strbuf_printf(b, "\"%s\"", e->name);
		break;
	case BASE_ADDR:
		print_addr_elem(e, addr_bytes(type), flags, b);
		break;
	case BASE_BITS:
		print_bits(type, e->num_lo, " | ", b);
		break;
	case BASE_NUM:
		/* an hour that the clock shows twice is not told from the other in words */
		if (type == FIELD_DATE && flags & LANG_INTERNAL)
			type = FIELD_NUM;
		print_num(type, e->num_lo, range, b);
		if (range) {
			strbuf_puts(b, "-");
			print_num(type, e->num_hi, true, b);
		}
		break;
	}
}

void print_field(enum field f, uint8_t dir, struct strbuf *b)
{
	const char *keyword = field_rows[f].keyword;

	if (dir && (f == FIELD_ID_CT_BYTES || f == FIELD_ID_CT_PACKETS))
		strbuf_printf(b, "ct %s %s", dir == 1 ? "original" : "reply", keyword + 3);
	else
		strbuf_puts(b, keyword);
}

void print_selector(const struct selector *s, struct strbuf *b)
{
	for (unsigned int i = 0; i < s->n; i++) {
		strbuf_puts(b, i ? " . " : "");
		print_field(s->fields[i], s->dir[i], b);
	}
	if (s->mod)
		strbuf_printf(b, " mod %u", s->mod);
}
