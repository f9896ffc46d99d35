/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

#include <lang/names.h>
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
	int r = parse_addr_token(p, version, e->addr_lo);

	if (r)
		return r;
	memcpy(e->addr_hi, e->addr_lo, 16);
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
	r = parse_addr_token(p, version, e->addr_hi);
	if (!r && memcmp(e->addr_lo, e->addr_hi, bytes) > 0)
		return fail_at(p, &first, "the range ends before it begins");
	return r;
}

/* What a number of this type is called in messages, and how large it can be. */
static const char *const num_words[] = {
	[FIELD_PROTO] = "a protocol",
	[FIELD_PORT] = "a port",
	[FIELD_ICMP_TYPE] = "an ICMP type",
	[FIELD_ICMP6_TYPE] = "an ICMPv6 type",
	[FIELD_CT_STATE] = "a connection state",
	[FIELD_MARK] = "a mark",
};
static const uint32_t num_max[] = {
	[FIELD_PROTO] = 255,	  [FIELD_PORT] = 65535,	     [FIELD_ICMP_TYPE] = 255,
	[FIELD_ICMP6_TYPE] = 255, [FIELD_MARK] = UINT32_MAX,
};

static int parse_num(struct parser *p, enum field_type type, uint64_t *ret)
{
	uint32_t named;
	uint64_t v;

	if (p->tok.type == TOK_WORD &&
	    name_to_value(names_of(type), p->tok.s, p->tok.len, &named)) {
		*ret = named;
		return parse_advance(p);
	}
	if (type == FIELD_CT_STATE) {
		fail_expected(p, num_words[type]);
		return fail_hint(p, "invalid, established, related, new or untracked");
	}
	if (token_to_u64(&p->tok, 0, num_max[type], &v)) {
		*ret = v;
		return parse_advance(p);
	}
	if (token_to_u64(&p->tok, 0, UINT64_MAX, &v))
		return fail_at(p, &p->tok, "%s is at most %u", num_words[type], num_max[type]);
	return fail_expected(p, num_words[type]);
}

static int parse_num_range(struct parser *p, enum field_type type, struct elem *e)
{
	struct token first = p->tok;
	bool dash = false;
	int r = parse_num(p, type, &e->num_lo);

	e->num_hi = e->num_lo;
	if (!r && type != FIELD_CT_STATE)
		r = take_dash(p, &dash);
	if (r || !dash)
		return r;
	r = parse_num(p, type, &e->num_hi);
	if (!r && e->num_lo > e->num_hi)
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

int parse_elem(struct parser *p, enum field_type type, struct elem *ret)
{
	*ret = (struct elem){ .plen = -1 };
	switch (type) {
	case FIELD_IFNAME:
		return parse_ifname(p, ret);
	case FIELD_ADDR4:
		return parse_addr(p, 4, ret);
	case FIELD_ADDR6:
		return parse_addr(p, 6, ret);
	default:
		return parse_num_range(p, type, ret);
	}
}
