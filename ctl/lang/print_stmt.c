/* SPDX-License-Identifier: GPL-2.0-only */
/* print_stmt - statements and NAT. */
#include <lang/print_part.h>

#include <lang/names.h>
#include <lang/value.h>

void print_map_use(const struct map_use *m, const char *word, const enum field_type *data,
		   unsigned int n_data, unsigned int flags, struct strbuf *b)
{
	enum field_type keys[CONCAT_MAX];

	print_selector(&m->key, b);
	strbuf_printf(b, " %s ", word);
	if (m->name) {
		strbuf_puts(b, "@");
		print_name(m->name, b);
	} else {
		for (unsigned int i = 0; i < m->key.n; i++)
			keys[i] = field_rows[m->key.fields[i]].type;
		print_elems(m->elems, keys, data, n_data, flags, b);
	}
}

void print_counter(const struct rule *r, unsigned int flags, struct strbuf *b)
{
	strbuf_puts(b, "counter");
	if (!(flags & (LANG_STATELESS | LANG_INTERNAL)))
		strbuf_printf(b, " packets %llu bytes %llu", (unsigned long long)r->pkts,
			      (unsigned long long)r->bytes);
	strbuf_puts(b, " ");
}

/* Bits of both marks; what is turned stands last, where `^` takes it together with all of it. */
static void print_two_marks(const struct stmt *s, const char *own, const char *other,
			    struct strbuf *b)
{
	bool apart = !(s->mark.keep & s->mark.mask) && !s->mark.value;

	strbuf_puts(b, own);
	if (s->mark.keep != UINT32_MAX)
		strbuf_printf(b, " & 0x%08x", s->mark.keep);
	strbuf_printf(b, " %s %s", apart ? "|" : "^", other);
	if (s->mark.mask != UINT32_MAX)
		strbuf_printf(b, " & 0x%08x", s->mark.mask);
	if (s->mark.value)
		strbuf_printf(b, " ^ 0x%08x", s->mark.value);
}

/* mark = (source & mask) ^ value, in the order nft takes it apart: & ^ | */
static void print_mark(const struct stmt *s, unsigned int flags, struct strbuf *b)
{
	static const enum field_type data[] = { FIELD_MARK };
	const char *own = s->kind == STMT_MARK ? "meta mark" : "ct mark";
	const char *other = s->kind == STMT_MARK ? "ct mark" : "meta mark";
	uint32_t either = s->mark.value & ~s->mark.mask, turn = s->mark.value & s->mark.mask;
	uint32_t both = s->mark.mask | either;

	strbuf_printf(b, "%s set ", own);
	if (s->mark.map) {
		print_map_use(s->mark.map, "map", data, 1, flags, b);
	} else if (!s->mark.mask) {
		strbuf_printf(b, "0x%08x", s->mark.value);
	} else if (s->mark.keep) {
		print_two_marks(s, own, other, b);
	} else {
		strbuf_puts(b, s->mark.from_other ? other : own);
		if (both != UINT32_MAX)
			strbuf_printf(b, " & 0x%08x", both);
		if (turn)
			strbuf_printf(b, " ^ 0x%08x", turn);
		if (either)
			strbuf_printf(b, " | 0x%08x", either);
	}
	strbuf_puts(b, " ");
}

static void print_field_set(enum field f, uint32_t value, struct strbuf *b)
{
	struct elem e = { .plen = -1, .num_lo = value, .num_hi = value };

	strbuf_printf(b, "%s set ", field_rows[f].keyword);
	print_value(field_rows[f].type, &e, 0, b);
	strbuf_puts(b, " ");
}

static void print_ttl(const struct stmt *s, struct strbuf *b)
{
	enum field f = s->value.family == 4 ? FIELD_ID_IP_TTL : FIELD_ID_IP6_HOPLIMIT;

	/* steps are the iptables dialect's; nft has no words for them */
	if (s->value.op)
		strbuf_printf(b, "%s %s %u ", field_rows[f].keyword,
			      s->value.op == 1 ? "gw-add" : "gw-sub", s->value.value);
	else
		print_field_set(f, s->value.value, b);
}

static void print_quota(const struct stmt *s, unsigned int flags, struct strbuf *b)
{
	strbuf_puts(b, s->quota.over ? "quota over " : "quota ");
	print_bytes(s->quota.bytes, b);
	if (s->quota.used && !(flags & LANG_STATELESS)) {
		strbuf_puts(b, " used ");
		print_bytes(s->quota.used, b);
	}
	strbuf_puts(b, " ");
}

static void print_mss(const struct stmt *s, struct strbuf *b)
{
	strbuf_puts(b, "tcp option maxseg size set ");
	if (s->mss.value)
		strbuf_printf(b, "%u%s ", s->mss.value, s->mss.never_raise ? " gw-at-most" : "");
	else
		strbuf_puts(b, "rt mtu ");
}

void print_stmt(const struct rule *r, const struct stmt *s, unsigned int flags, struct strbuf *b)
{
	switch (s->kind) {
	case STMT_COUNTER:
		print_counter(r, flags, b);
		break;
	case STMT_OBJECT:
		strbuf_printf(b, "%s name ", object_kind_name((int)s->object.kind));
		print_quoted(s->object.name, b);
		strbuf_puts(b, " ");
		break;
	case STMT_NOTRACK:
		strbuf_puts(b, "notrack ");
		break;
	case STMT_LOG:
		print_log(s, b);
		break;
	case STMT_LIMIT:
		strbuf_puts(b, "limit ");
		print_limit_rate(&s->limit, b);
		strbuf_puts(b, " ");
		break;
	case STMT_QUOTA:
		print_quota(s, flags, b);
		break;
	case STMT_CTCOUNT:
		strbuf_printf(b, "ct count %s%u ", s->ctcount.over ? "over " : "",
			      s->ctcount.count);
		break;
	case STMT_MARK:
	case STMT_CTMARK:
		print_mark(s, flags, b);
		break;
	case STMT_DSCP:
		print_field_set(s->value.family == 4 ? FIELD_ID_IP_DSCP : FIELD_ID_IP6_DSCP,
				s->value.value, b);
		break;
	case STMT_TTL:
		print_ttl(s, b);
		break;
	case STMT_MSS:
		print_mss(s, b);
		break;
	case STMT_ZONE:
		print_field_set(FIELD_ID_CT_ZONE, s->value.value, b);
		break;
	case STMT_SET:
		print_set_stmt(s, b);
		break;
	}
}

static void print_nat_addr(const struct action *a, const uint8_t *addr, struct strbuf *b)
{
	bool brackets = a->nat_family == 6 && a->has_port;

	strbuf_puts(b, brackets ? "[" : "");
	print_addr(addr, a->nat_family == 4 ? 4 : 16, b);
	strbuf_puts(b, brackets ? "]" : "");
}

/* The length of the prefix that the target is written as, -1: an address or a range. */
static int nat_target_plen(const struct action *a, unsigned int flags)
{
	size_t bytes = a->nat_family == 4 ? 4 : 16;
	int plen = addr_range_plen(a->addr_lo, a->addr_hi, bytes);

	/* other hands than the parser's leave only the range, and 0 */
	if (flags & LANG_INTERNAL && a->nat_plen <= 0)
		return a->nat_prefix ? plen : -1;
	if (flags & LANG_INTERNAL)
		return a->nat_plen;
	/* nft lists a prefix in front of a port, too, but does not read it back */
	return a->nat_prefix || (!a->has_port && plen < (int)bytes * 8) ? plen : -1;
}

static void print_nat_addrs(const struct action *a, unsigned int flags, struct strbuf *b)
{
	int plen = nat_target_plen(a, flags);

	print_nat_addr(a, a->addr_lo, b);
	if (plen >= 0) {
		strbuf_printf(b, "/%d", plen);
	} else if (memcmp(a->addr_lo, a->addr_hi, a->nat_family == 4 ? 4 : 16) != 0) {
		strbuf_puts(b, "-");
		print_nat_addr(a, a->addr_hi, b);
	}
}

/* What the values of an anonymous map are. */
static bool map_has_ports(const struct map_use *m)
{
	for (size_t i = 0; m->elems && i < m->elems->n; i++) {
		if (m->elems->data[i].val[1].num_hi)
			return true;
	}
	return false;
}

static bool map_has_ranges(const struct map_use *m)
{
	for (size_t i = 0; m->elems && i < m->elems->n; i++) {
		const struct elem *e = &m->elems->data[i].val[0];

		if (memcmp(e->addr_lo, e->addr_hi, sizeof(e->addr_lo)) != 0)
			return true;
	}
	return false;
}

static void print_nat_map(const struct action *a, unsigned int flags, struct strbuf *b)
{
	enum field_type data[2] = { FIELD_PORT, FIELD_PORT };

	if (a->nat_family)
		data[0] = a->nat_family == 4 ? FIELD_ADDR4 : FIELD_ADDR6;
	else
		strbuf_puts(b, ":");
	print_map_use(a->map, "map", data, a->nat_family && map_has_ports(a->map) ? 2 : 1, flags,
		      b);
}

/* Where nft says `ip` or `ip6` in front of the target. */
static bool nat_says_family(const struct action *a, int family)
{
	if (!a->has_addr && !(a->map && a->nat_family))
		return false;
	if (family == FAMILY_INET)
		return true;
	return a->map && (a->nat_prefix || map_has_ports(a->map) || map_has_ranges(a->map));
}

static void print_nat_flags(uint32_t flags, struct strbuf *b)
{
	const char *before = "";

	for (const struct name_row *row = nat_flag_names; row->name; row++) {
		if (!(flags & row->value))
			continue;
		strbuf_printf(b, "%s%s", before, row->name);
		before = ",";
	}
	if (*before)
		strbuf_puts(b, " ");
}

void print_nat(const struct action *a, int family, unsigned int flags, struct strbuf *b)
{
	bool target = a->has_addr || a->has_port || a->map;

	if (nat_says_family(a, family))
		strbuf_puts(b, a->nat_family == 4 ? "ip " : "ip6 ");
	if (a->nat_prefix)
		strbuf_puts(b, "prefix ");
	if (target)
		strbuf_puts(b, "to ");
	if (a->map)
		print_nat_map(a, flags, b);
	else if (a->has_addr)
		print_nat_addrs(a, flags, b);
	if (a->has_port) {
		strbuf_printf(b, ":%u", a->port_lo);
		if (a->port_lo != a->port_hi)
			strbuf_printf(b, "-%u", a->port_hi);
	}
	if (target)
		strbuf_puts(b, " ");
	print_nat_flags(a->nat_flags, b);
}
