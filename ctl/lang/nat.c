/* SPDX-License-Identifier: GPL-2.0-only */
/* nat - `snat|dnat [ip|ip6] [prefix] to TARGET`, `masquerade|redirect [to :PORTS]`, and their flags. */
#include <lang/parse.h>

#include <lang/names.h>
#include <lang/suggest.h>
#include <lang/value.h>

/* What was said before the target. */
struct nat_head {
	int said; /* `ip`, `ip6`: 4, 6 */
	bool prefix, to;
};

static int parse_nat_ports(struct parser *p, struct action *a)
{
	struct elem e;
	int r = parse_elem(p, FIELD_PORT, &e);

	if (r)
		return r;
	a->has_port = true;
	a->port_lo = (uint16_t)e.num_lo;
	a->port_hi = (uint16_t)e.num_hi;
	return 0;
}

/* `:PORTS`, if it is there. */
static int take_nat_ports(struct parser *p, struct action *a)
{
	struct selector sel;
	struct token at;
	bool field = false;
	int r;

	if (!token_is_punct(&p->tok, ":"))
		return 0;
	r = parse_advance(p);
	at = p->tok;
	if (!r && at.type == TOK_WORD)
		r = parse_selector(p, &sel, &field);
	if (!r && field) {
		fail_at(p, &at, "a map of ports beside the address is not supported yet");
		return fail_hint(p, "one map gives both: `map { 80 : 10.0.0.2 . 8080 }`");
	}
	return r ? r : parse_nat_ports(p, a);
}

/* `[fd00::1]` */
static int parse_bracketed(struct parser *p, uint8_t ret[16])
{
	int r = expect_punct(p, "[");

	if (!r)
		r = parse_addr_token(p, 6, ret);
	return r ? r : expect_punct(p, "]");
}

static int parse_nat_addr(struct parser *p, int version, uint8_t ret[16])
{
	if (version == 6 && token_is_punct(&p->tok, "["))
		return parse_bracketed(p, ret);
	return parse_addr_token(p, version, ret);
}

static bool looks_like_addr6(const struct token *t)
{
	return token_is_punct(t, "[") || (t->type == TOK_WORD && memchr(t->s, ':', t->len));
}

static int check_nat_family(struct parser *p, const struct token *at, const struct action *a,
			    int said)
{
	if (said && said != a->nat_family)
		return fail_at(p, at, "this is an IPv%d address, the statement says ip%s",
			       a->nat_family, said == 6 ? "6" : "");
	if (!family_sees(p->table->family, a->nat_family))
		return fail_at(p, at, "an IPv%d address is of no use in a table of family %s",
			       a->nat_family, family_name(p->table->family));
	return 0;
}

static int parse_nat_plen(struct parser *p, struct action *a, bool prefix)
{
	size_t bytes = a->nat_family == 4 ? 4 : 16;
	uint64_t plen = 0;
	int r = parse_advance(p);

	if (!r)
		r = parse_u64(p, "a prefix length", 0, bytes * 8, &plen);
	if (r)
		return r;
	a->nat_plen = (int)plen;
	addr_prefix_range(a->addr_lo, a->addr_hi, bytes, (unsigned int)plen);
	/* one address */
	if (plen == bytes * 8 && !prefix)
		a->nat_plen = -1;
	return 0;
}

static int parse_nat_addrs(struct parser *p, struct action *a, const struct nat_head *head)
{
	struct token at = p->tok;
	int r;

	a->nat_family = looks_like_addr6(&at) ? 6 : 4;
	r = parse_nat_addr(p, a->nat_family, a->addr_lo);
	if (r)
		return r;
	a->has_addr = true;
	memcpy(a->addr_hi, a->addr_lo, 16);
	if (token_is_punct(&p->tok, "/")) {
		r = parse_nat_plen(p, a, head->prefix);
	} else if (token_is_punct(&p->tok, "-")) {
		r = parse_advance(p);
		if (!r)
			r = parse_nat_addr(p, a->nat_family, a->addr_hi);
	}
	if (!r)
		r = check_nat_family(p, &at, a, head->said);
	if (!r && head->prefix && a->nat_plen < 0)
		return fail_at(p, &at, "`prefix to` needs a prefix, for example 10.0.0.0/24");
	return r ? r : take_nat_ports(p, a);
}

/* What the values of a map that is written here look like: addresses of which version, with ports behind them? */
static void peek_map_data(struct parser *p, bool *ret_v6, bool *ret_ports)
{
	struct lexer lx = p->lx;
	struct token tok = p->tok;
	bool data = false;

	*ret_v6 = *ret_ports = false;
	while (p->tok.type != TOK_END && p->tok.type != TOK_BAD && !token_is_punct(&p->tok, "}")) {
		if (data && token_is_punct(&p->tok, ","))
			break;
		if (data && looks_like_addr6(&p->tok))
			*ret_v6 = true;
		if (data && token_is_punct(&p->tok, "."))
			*ret_ports = true;
		if (token_is_punct(&p->tok, ":"))
			data = true;
		if (parse_advance(p))
			break;
	}
	p->lx = lx;
	p->tok = tok;
}

static int map_version(const struct parser *p, int said, bool v6)
{
	if (said)
		return said;
	if (p->table->family != FAMILY_INET)
		return p->table->family == FAMILY_IP ? 4 : 6;
	return v6 ? 6 : 4;
}

/* The named map knows what its values are; one that is not there yet leaves it to `ip` and `ip6`. */
static int named_version(struct parser *p, const struct map_use *m, int said)
{
	const struct set *s = table_set(p->table, m->name);

	if (s && s->is_map && s->n_data && s->data[0] == FIELD_ADDR6)
		return map_version(p, said, true);
	return map_version(p, said, false);
}

/* `SELECTOR map ...`, behind the selector. */
static int parse_nat_map(struct parser *p, struct action *a, const struct nat_head *head,
			 const struct selector *sel, bool addrs)
{
	enum field_type data[2] = { FIELD_PORT, FIELD_PORT };
	bool v6 = false, ports = false;
	int r;

	if (!token_is(&p->tok, "map"))
		return fail_expected(p, "`map`");
	r = parse_advance(p);
	if (r)
		return r;
	if (token_is_punct(&p->tok, "{"))
		peek_map_data(p, &v6, &ports);
	a->nat_family = addrs ? map_version(p, head->said, v6) : 0;
	if (addrs)
		data[0] = a->nat_family == 4 ? FIELD_ADDR4 : FIELD_ADDR6;
	r = parse_map_use(p, sel, data, addrs && ports ? 2 : 1, &a->map);
	if (!r && addrs && a->map->name)
		a->nat_family = named_version(p, a->map, head->said);
	return r;
}

/* An address, or where to look for it. */
static int parse_nat_target(struct parser *p, struct action *a, const struct nat_head *head)
{
	static const char *const words[] = { "jhash", "symhash" };
	struct selector sel;
	bool done = false;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (token_is(&p->tok, words[i]))
			return fail_unsupported(p, &p->tok, "");
	}
	if (p->tok.type == TOK_WORD)
		r = parse_selector(p, &sel, &done);
	if (r)
		return r;
	if (!done)
		return parse_nat_addrs(p, a, head);
	r = parse_nat_map(p, a, head, &sel, true);
	return r ? r : take_nat_ports(p, a);
}

/* The target of `redirect` and `masquerade`, or behind `to :`. */
static int parse_port_target(struct parser *p, struct action *a, const struct nat_head *head)
{
	struct selector sel;
	bool done = false;
	int r = 0;

	if (a->verdict != VERDICT_MASQUERADE && p->tok.type == TOK_WORD)
		r = parse_selector(p, &sel, &done);
	if (r)
		return r;
	return done ? parse_nat_map(p, a, head, &sel, false) : parse_nat_ports(p, a);
}

static int take_addr_port(struct parser *p, bool *ret_taken)
{
	int r = take_word(p, "addr", ret_taken);

	if (r || !*ret_taken)
		return r;
	r = expect_punct(p, ".");
	if (!r && !token_is(&p->tok, "port"))
		return fail_expected(p, "`port`");
	return r ? r : parse_advance(p);
}

/* `ip`, `ip6`, what kind of target, and `to` in front of it. */
static int parse_nat_head(struct parser *p, struct nat_head *head)
{
	bool ip6, taken;
	/* `dnat ip saddr map` without `to` is not nft's language */
	bool ip = token_is(&p->tok, "ip");
	int r = take_word(p, "ip6", &ip6);

	if (!r && ip)
		r = parse_advance(p);
	head->said = ip6 ? 6 : ip ? 4 : 0;
	if (!r)
		r = take_word(p, "prefix", &head->prefix);
	if (!r && !head->prefix)
		r = take_word(p, "interval", &taken);
	if (!r && !head->prefix)
		r = take_addr_port(p, &taken);
	return r ? r : take_word(p, "to", &head->to);
}

static int parse_nat_flag(struct parser *p, struct action *a, bool *ret_taken)
{
	uint32_t flag;

	*ret_taken = p->tok.type == TOK_WORD &&
		     name_to_value(nat_flag_names, p->tok.s, p->tok.len, &flag);
	if (!*ret_taken)
		return 0;
	a->nat_flags |= flag;
	return parse_advance(p);
}

static int fail_flag(struct parser *p)
{
	struct suggest s;

	fail_expected(p, "`random`, `fully-random`, `persistent`, `endpoint-independent` or "
			 "`checksum-neutral`");
	if (p->tok.type != TOK_WORD)
		return LANG_E_DIAG;
	suggest_init(&s, p->tok.s, p->tok.len);
	for (const struct name_row *row = nat_flag_names; row->name; row++)
		suggest_try(&s, row->name);
	return suggest_hint(p, &s);
}

static int parse_nat_flags(struct parser *p, struct action *a)
{
	bool taken;
	int r = parse_nat_flag(p, a, &taken);

	while (!r && taken && token_is_punct(&p->tok, ",")) {
		r = parse_advance(p);
		if (!r)
			r = parse_nat_flag(p, a, &taken);
		if (!r && !taken)
			return fail_flag(p);
	}
	return r;
}

int parse_nat(struct parser *p, struct rule *rule, enum verdict v)
{
	bool takes_addr = v == VERDICT_SNAT || v == VERDICT_DNAT;
	struct action *a = &rule->action;
	struct nat_head head = { 0 };
	int r;

	a->verdict = v;
	a->nat_plen = -1;
	r = takes_addr ? parse_nat_head(p, &head) : take_word(p, "to", &head.to);
	if (!r && token_is_punct(&p->tok, ":")) {
		r = parse_advance(p);
		if (!r)
			r = parse_port_target(p, a, &head);
	} else if (!r && takes_addr) {
		r = parse_nat_target(p, a, &head);
	} else if (!r && head.to) {
		r = parse_port_target(p, a, &head);
	}
	a->nat_prefix = head.prefix;
	return r ? r : parse_nat_flags(p, a);
}
