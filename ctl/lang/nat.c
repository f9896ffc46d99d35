/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

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

/* `[fd00::1]` */
static int parse_bracketed(struct parser *p, uint8_t ret[16])
{
	int r = expect_punct(p, "[");

	if (!r)
		r = parse_addr_token(p, 6, ret);
	return r ? r : expect_punct(p, "]");
}

static int parse_nat_addr(struct parser *p, int version, bool *ret_open, uint8_t ret[16])
{
	bool brackets = version == 6 && token_is_punct(&p->tok, "[");

	/* Without brackets the colon of a port can not be told from the address. */
	*ret_open = version == 6 && !brackets;
	return brackets ? parse_bracketed(p, ret) : parse_addr_token(p, version, ret);
}

static bool looks_like_addr6(const struct token *t)
{
	return token_is_punct(t, "[") || (t->type == TOK_WORD && memchr(t->s, ':', t->len));
}

static int check_nat_family(struct parser *p, const struct token *at, enum family f,
			    const struct action *a, int said)
{
	if (said && said != a->nat_family)
		return fail_at(p, at, "this is an IPv%d address, the statement says ip%s",
			       a->nat_family, said == 6 ? "6" : "");
	if (!family_sees(f, a->nat_family))
		return fail_at(p, at, "an IPv%d address is of no use in a table of family %s",
			       a->nat_family, family_name(f));
	return 0;
}

static int parse_nat_target(struct parser *p, enum family f, struct action *a, int said)
{
	struct token at = p->tok;
	bool open;
	int r;

	a->nat_family = looks_like_addr6(&at) ? 6 : 4;
	r = parse_nat_addr(p, a->nat_family, &open, a->addr_lo);
	if (r)
		return r;
	a->has_addr = true;
	memcpy(a->addr_hi, a->addr_lo, 16);
	if (token_is_punct(&p->tok, "/"))
		return fail_at(p, &p->tok, "a prefix as a NAT target is not supported yet");
	if (token_is_punct(&p->tok, "-")) {
		r = parse_advance(p);
		if (!r)
			r = parse_nat_addr(p, a->nat_family, &open, a->addr_hi);
	}
	if (!r)
		r = check_nat_family(p, &at, f, a, said);
	if (r || !token_is_punct(&p->tok, ":"))
		return r;
	r = parse_advance(p);
	return r ? r : parse_nat_ports(p, a);
}

static int refuse_nat_target(struct parser *p)
{
	static const char *const words[] = { "prefix", "interval", "addr", "numgen",
					     "jhash",  "symhash",  "map",  "ip",
					     "tcp",    "udp",	   "meta", "ct" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (token_is(&p->tok, words[i]))
			return fail_unsupported(p, &p->tok, "");
	}
	return 0;
}

/* `ip`, `ip6` and `to` in front of the target. */
static int parse_nat_head(struct parser *p, int *said, bool *to)
{
	bool ip, ip6;
	int r = take_word(p, "ip6", &ip6);

	if (!r)
		r = take_word(p, "ip", &ip);
	if (!r)
		r = take_word(p, "to", to);
	if (!r)
		*said = ip6 ? 6 : ip ? 4 : 0;
	return r ? r : refuse_nat_target(p);
}

static const struct {
	const char *word;
	uint32_t flag;
} nat_flags[] = {
	{ "random", GW_NATF_RANDOM },
	{ "fully-random", GW_NATF_FULLY_RANDOM },
	{ "persistent", GW_NATF_PERSISTENT },
};

static int parse_nat_flag(struct parser *p, struct action *a, bool *ret_taken)
{
	*ret_taken = false;
	for (size_t i = 0; i < ARRAY_SIZE(nat_flags); i++) {
		if (!token_is(&p->tok, nat_flags[i].word))
			continue;
		a->nat_flags |= nat_flags[i].flag;
		*ret_taken = true;
		return parse_advance(p);
	}
	return 0;
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
			return fail_expected(p, "`random`, `fully-random` or `persistent`");
	}
	return r;
}

int parse_nat(struct parser *p, enum family f, struct rule *rule, enum verdict v)
{
	bool takes_addr = v == VERDICT_SNAT || v == VERDICT_DNAT, to = false;
	struct action *a = &rule->action;
	int said = 0, r;

	r = takes_addr ? parse_nat_head(p, &said, &to) : take_word(p, "to", &to);
	if (!r && token_is_punct(&p->tok, ":")) {
		r = parse_advance(p);
		if (!r)
			r = parse_nat_ports(p, a);
	} else if (!r && takes_addr) {
		r = parse_nat_target(p, f, a, said);
	} else if (!r && to) {
		r = parse_nat_ports(p, a);
	}
	return r ? r : parse_nat_flags(p, a);
}
