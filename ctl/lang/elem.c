/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>
#include <lang/suggest.h>
#include <lang/time.h>
#include <lang/value.h>

#include <arpa/inet.h>

static bool token_to_addr(const struct token *t, int version, uint8_t ret[16])
{
	char text[64];

	if (t->type != TOK_WORD || t->len >= sizeof(text))
		return false;
	memcpy(text, t->s, t->len);
	text[t->len] = '\0';
	return inet_pton(version == 4 ? AF_INET : AF_INET6, text, ret) == 1;
}

static bool looks_like_host(const struct token *t)
{
	bool letter = t->type == TOK_WORD && ((t->s[0] | 32) >= 'a' && (t->s[0] | 32) <= 'z');

	return letter && memchr(t->s, '.', t->len) && !memchr(t->s, ':', t->len);
}

int parse_addr_token(struct parser *p, int version, uint8_t ret[16])
{
	uint8_t addr[16] = { 0 };

	if (!token_to_addr(&p->tok, version, addr)) {
		fail_expected(p, version == 4 ? "an IPv4 address" : "an IPv6 address");
		if (looks_like_host(&p->tok))
			return fail_hint(p, "names are not looked up: write the number");
		return LANG_E_DIAG;
	}
	memcpy(ret, addr, 16);
	return parse_advance(p);
}

/* The second half of `a-b`; *ret_taken = there was one. */
static int take_dash(struct parser *p, bool *ret_taken)
{
	*ret_taken = token_is_punct(&p->tok, "-");
	return *ret_taken ? parse_advance(p) : 0;
}

static int parse_addr(struct parser *p, int version, struct elem *e)
{
	size_t bytes = version == 4 ? 4 : 16;
	struct token first = p->tok;
	uint64_t plen;
	bool dash;
	uint8_t addr[16] = { 0 };
	int r = parse_addr_token(p, version, addr);

	if (r)
		return r;
	memcpy(e->addr_lo, addr, 16);
	memcpy(e->addr_hi, addr, 16);
	if (token_is_punct(&p->tok, "/")) {
		r = parse_advance(p);
		if (!r)
			r = parse_u64(p, "a prefix length", 0, bytes * 8, &plen);
		if (r)
			return r;
		e->plen = (int)plen;
		addr_prefix_range(e->addr_lo, e->addr_hi, bytes, (unsigned int)plen);
		return 0;
	}
	r = take_dash(p, &dash);
	if (r || !dash)
		return r;
	r = parse_addr_token(p, version, addr);
	memcpy(e->addr_hi, addr, 16);
	if (!r && memcmp(e->addr_lo, e->addr_hi, bytes) > 0)
		return fail_at(p, &first, "the range ends before it begins");
	return r;
}

/* What a value of this type is called in messages, how large a number can be, and what to say to who wrote none. */
static const struct word_row {
	const char *what;
	uint64_t max;
	const char *hint;
} word_rows[FIELD_TYPE_MAX] = {
	[FIELD_PROTO] = { "a protocol", 255, NULL },
	[FIELD_PORT] = { "a port", 65535, NULL },
	[FIELD_ICMP_TYPE] = { "an ICMP type", 255, NULL },
	[FIELD_ICMP6_TYPE] = { "an ICMPv6 type", 255, NULL },
	[FIELD_CT_STATE] = { "a connection state", 0,
			     "invalid, established, related, new or untracked" },
	[FIELD_MARK] = { "a mark", UINT32_MAX, NULL },
	[FIELD_NUM] = { "a number", UINT64_MAX, NULL },
	[FIELD_ETHERTYPE] = { "an EtherType", 65535, "ip, ip6, arp, vlan, 8021ad or a number" },
	[FIELD_DSCP] = { "a DSCP", 63, "cs0 to cs7, af11 to af43, ef or a number" },
	[FIELD_ECN] = { "an ECN", 3, "not-ect, ect0, ect1 or ce" },
	[FIELD_TCP_FLAG] = { "a TCP flag", 255, "fin, syn, rst, psh, ack, urg, ecn or cwr" },
	[FIELD_ICMP_CODE] = { "an ICMP code", 255, NULL },
	[FIELD_ICMP6_CODE] = { "an ICMPv6 code", 255, NULL },
	[FIELD_CT_STATUS] = { "a status of a connection", UINT32_MAX,
			      "expected, seen-reply, assured, confirmed, snat, dnat or dying" },
	[FIELD_CT_DIR] = { "a direction", 1, "original or reply" },
	[FIELD_NFPROTO] = { "`ipv4` or `ipv6`", 0, NULL },
	[FIELD_PKTTYPE] = { "a packet type", 255, "host, broadcast, multicast or other" },
	[FIELD_IFTYPE] = { "a hardware type", 65535, "ether, loopback, ppp, sit or a number" },
	[FIELD_FIB_TYPE] = { "an address type", 0,
			     "local, unicast, broadcast, multicast, blackhole, ..." },
	[FIELD_BOOL] = { "`exists` or `missing`", 1, NULL },
	[FIELD_DAY] = { "a day of the week", 6, "\"Sunday\" to \"Saturday\", or 0 to 6" },
};

static int fail_value(struct parser *p, enum field_type type)
{
	const struct word_row *row = &word_rows[type];
	const struct name_row *names = names_of(type);
	struct suggest s;

	fail_expected(p, row->what);
	if (row->hint)
		return fail_hint(p, "%s", row->hint);
	if (p->tok.type != TOK_WORD)
		return LANG_E_DIAG;
	suggest_init(&s, p->tok.s, p->tok.len);
	for (; names && names->name; names++)
		suggest_try(&s, names->name);
	return suggest_hint(p, &s);
}

static bool is_quoted_day(const struct parser *p, enum field_type type)
{
	return type == FIELD_DAY && p->tok.type == TOK_STRING;
}

static int parse_num(struct parser *p, enum field_type type, uint64_t *ret)
{
	const struct word_row *row = &word_rows[type];
	uint32_t named;
	uint64_t v;

	/* no name is a number, and numbers are what most values are */
	if (row->max && token_to_u64(&p->tok, 0, row->max, &v)) {
		*ret = v;
		return parse_advance(p);
	}
	if ((p->tok.type == TOK_WORD || is_quoted_day(p, type)) &&
	    name_to_value(names_of(type), p->tok.s, p->tok.len, &named)) {
		*ret = named;
		return parse_advance(p);
	}
	if (row->max && token_to_u64(&p->tok, 0, UINT64_MAX, &v))
		return fail_at(p, &p->tok, "%s is at most %llu", row->what,
			       (unsigned long long)row->max);
	return fail_value(p, type);
}

/* `a | b`, `(a | b)` or one of them. */
static int parse_bits(struct parser *p, enum field_type type, struct elem *e)
{
	bool open = token_is_punct(&p->tok, "(");
	uint64_t bit = 0;
	int r = open ? parse_advance(p) : 0;

	if (!r)
		r = parse_num(p, type, &bit);
	e->num_lo = bit;
	while (!r && token_is_punct(&p->tok, "|")) {
		r = parse_advance(p);
		if (!r)
			r = parse_num(p, type, &bit);
		e->num_lo |= bit;
	}
	e->num_hi = e->num_lo;
	return r || !open ? r : expect_punct(p, ")");
}

static int parse_one(struct parser *p, enum field_type type, uint64_t *ret)
{
	if (type == FIELD_HOUR)
		return parse_hour(p, ret);
	if (type == FIELD_DATE)
		return parse_date(p, ret);
	return type == FIELD_TIME ? parse_seconds(p, ret) : parse_num(p, type, ret);
}

static int parse_num_range(struct parser *p, enum field_type type, struct elem *e)
{
	struct token first = p->tok;
	bool dash = false;
	int r = parse_one(p, type, &e->num_lo);

	e->num_hi = e->num_lo;
	if (!r)
		r = take_dash(p, &dash);
	if (r || !dash)
		return r;
	r = parse_one(p, type, &e->num_hi);
	if (!r && e->num_lo > e->num_hi && type != FIELD_HOUR)
		return fail_at(p, &first, "the range ends before it begins");
	return r;
}

static int parse_ether_addr(struct parser *p, uint8_t ret[16])
{
	unsigned int b[6];
	char text[18], end;

	if (p->tok.type == TOK_WORD && p->tok.len < sizeof(text)) {
		memcpy(text, p->tok.s, p->tok.len);
		text[p->tok.len] = '\0';
		if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4],
			   &b[5], &end) == 6) {
			for (int i = 0; i < 6; i++)
				ret[i] = (uint8_t)b[i];
			return parse_advance(p);
		}
	}
	fail_expected(p, "an Ethernet address");
	return fail_hint(p, "for example 00:1b:21:3c:4d:5e");
}

static int parse_ether(struct parser *p, struct elem *e)
{
	struct token first = p->tok;
	uint8_t addr[16] = { 0 };
	bool dash;
	int r = parse_ether_addr(p, addr);

	memcpy(e->addr_lo, addr, 16);
	memcpy(e->addr_hi, addr, 16);
	if (!r)
		r = take_dash(p, &dash);
	if (r || !dash)
		return r;
	r = parse_ether_addr(p, addr);
	memcpy(e->addr_hi, addr, 16);
	if (!r && memcmp(e->addr_lo, e->addr_hi, 6) > 0)
		return fail_at(p, &first, "the range ends before it begins");
	return r;
}

static bool ifname_is_good(const char *s, size_t len)
{
	if (!len || len > 15 || (len == 1 && s[0] == '*'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] == 127 || strchr("/\\\"", s[i]) ||
		    (s[i] == '*' && i + 1 < len))
			return false;
	}
	return true;
}

static int parse_ifname(struct parser *p, struct elem *e)
{
	const struct token *t = &p->tok;
	uint64_t index;

	if (t->type != TOK_WORD && t->type != TOK_STRING)
		return fail_expected(p, "the name of an interface");
	if (token_to_u64(t, 0, UINT64_MAX, &index)) {
		fail_expected(p, "the name of an interface");
		return fail_hint(p, "interface numbers are not supported yet");
	}
	if (!ifname_is_good(t->s, t->len)) {
		fail_expected(p, "the name of an interface");
		return fail_hint(p,
				 "1 to 15 characters without blanks and slashes; `*` may end it");
	}
	memcpy(e->name, t->s, t->len);
	return parse_advance(p);
}

/* The interface of a route, or whether there is one. */
static int parse_oif(struct parser *p, struct elem *e)
{
	static const char *const words[] = { OIF_MISSING, OIF_EXISTS, OIF_NONE };

	for (size_t i = 0; p->tok.type == TOK_WORD && i < ARRAY_SIZE(words); i++) {
		if (!token_is(&p->tok, words[i] + 1))
			continue;
		memcpy(e->name, words[i], strlen(words[i]));
		return parse_advance(p);
	}
	return parse_ifname(p, e);
}

int parse_elem(struct parser *p, enum field_type type, struct elem *ret)
{
	*ret = (struct elem){ .plen = -1 };
	switch (type_rows[type].base) {
	case BASE_NAME:
		return type == FIELD_FIB_OIF ? parse_oif(p, ret) : parse_ifname(p, ret);
	case BASE_BITS:
		return parse_bits(p, type, ret);
	case BASE_NUM:
		return parse_num_range(p, type, ret);
	case BASE_ADDR:
		break;
	}
	if (type == FIELD_ETHER_ADDR)
		return parse_ether(p, ret);
	return parse_addr(p, type == FIELD_ADDR4 ? 4 : 6, ret);
}
