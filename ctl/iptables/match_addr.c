/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Matches on addresses: iprange, mac, addrtype, set.
 */
#include <iptables/ext.h>

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <strings.h>

static int read_iprange(struct xt_match *m, char key, const char *value, bool invert,
			const struct xt_rule *x, struct diag *d)
{
	int af = x->version == 6 ? AF_INET6 : AF_INET;
	struct xt_span *span = &m->span[key == 'd'];
	const char *dash = strchr(value, '-'), *hi = dash ? dash + 1 : value;
	char lo[INET6_ADDRSTRLEN + 1];

	snprintf(lo, sizeof(lo), "%.*s",
		 dash ? (int)MIN(dash - value, INET6_ADDRSTRLEN) : INET6_ADDRSTRLEN, value);
	if (inet_pton(af, lo, span->lo) != 1)
		return xt_usage(d, "iprange: Bad IP address `%s'", lo);
	if (inet_pton(af, hi, span->hi) != 1)
		return xt_usage(d, "iprange: Bad IP address `%.64s'", hi);
	if (memcmp(span->lo, span->hi, x->version == 6 ? 16 : 4) > 0)
		return xt_refuse(d, "iprange: range %.80s is reversed and will never match", value);
	span->given = m->given = true;
	span->invert = invert;
	return 0;
}

static int check_iprange(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	if (m->given)
		return 0;
	return xt_usage(d, "iprange match: You must specify `--src-range' or `--dst-range'");
}

static void span_print(const struct xt_span *s, int version, struct strbuf *b)
{
	int af = version == 6 ? AF_INET6 : AF_INET;
	char lo[INET6_ADDRSTRLEN] = "", hi[INET6_ADDRSTRLEN] = "";

	inet_ntop(af, s->lo, lo, sizeof(lo));
	inet_ntop(af, s->hi, hi, sizeof(hi));
	strbuf_printf(b, " %s-%s", lo, hi);
}

static void save_iprange(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	for (int i = 0; i < 2; i++) {
		if (!m->span[i].given)
			continue;
		strbuf_printf(b, "%s --%s-range", m->span[i].invert ? " !" : "", i ? "dst" : "src");
		span_print(&m->span[i], x->version, b);
	}
}

static void list_iprange(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			 struct strbuf *b)
{
	for (int i = 0; i < 2; i++) {
		if (!m->span[i].given)
			continue;
		strbuf_printf(b, " %s IP range%s", i ? "destination" : "source",
			      m->span[i].invert ? " !" : "");
		span_print(&m->span[i], x->version, b);
	}
}

/* Six pairs of hexadecimal digits. */
static int read_mac(struct xt_match *m, char key, const char *value, bool invert,
		    const struct xt_rule *x, struct diag *d)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *s = value;

	for (int i = 0; i < 6; i++, s += 3) {
		if (!*s || !strchr(digits, s[0]) || !s[1] || !strchr(digits, s[1]) ||
		    s[2] != (i < 5 ? ':' : '\0'))
			return xt_usage(d, "mac: bad value \"%.32s\" for option `--mac-source'",
					value);
		m->mac[i] = (uint8_t)strtoul((char[]){ s[0], s[1], 0 }, NULL, 16);
	}
	m->given = true;
	m->invert = invert;
	return 0;
}

static void mac_print(const struct xt_match *m, struct strbuf *b)
{
	for (int i = 0; i < 6; i++)
		strbuf_printf(b, "%s%02x", i ? ":" : "", m->mac[i]);
}

static void save_mac(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --mac-source ", m->invert ? " !" : "");
	mac_print(m, b);
}

static void list_mac(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		     struct strbuf *b)
{
	strbuf_printf(b, " MAC%s ", m->invert ? " !" : "");
	mac_print(m, b);
}

/* Row number = RTN_*; the gateway tells those with `known` apart. */
static const struct {
	const char *name;
	bool known;
} types[] = {
	[RTN_UNSPEC] = { "UNSPEC", false },
	[RTN_UNICAST] = { "UNICAST", true },
	[RTN_LOCAL] = { "LOCAL", true },
	[RTN_BROADCAST] = { "BROADCAST", true },
	[RTN_ANYCAST] = { "ANYCAST", false },
	[RTN_MULTICAST] = { "MULTICAST", true },
	[RTN_BLACKHOLE] = { "BLACKHOLE", false },
	[RTN_UNREACHABLE] = { "UNREACHABLE", false },
	[RTN_PROHIBIT] = { "PROHIBIT", false },
	[RTN_THROW] = { "THROW", false },
	[RTN_NAT] = { "NAT", false },
	[RTN_XRESOLVE] = { "XRESOLVE", false },
};

static int read_types(const char *s, uint16_t *ret, struct diag *d)
{
	for (;;) {
		size_t n = strcspn(s, ","), i;

		for (i = 0; i < ARRAY_SIZE(types); i++)
			if (n && n == strlen(types[i].name) && !strncasecmp(s, types[i].name, n))
				break;
		if (i == ARRAY_SIZE(types))
			return xt_usage(d, "addrtype: bad type \"%.*s\"", (int)MIN(n, 32U), s);
		if (!types[i].known)
			return xt_refuse(d, "addrtype: type %s is not supported", types[i].name);
		*ret |= (uint16_t)(1U << i);
		if (!s[n])
			return 0;
		s += n + 1;
	}
}

static int read_addrtype(struct xt_match *m, char key, const char *value, bool invert,
			 const struct xt_rule *x, struct diag *d)
{
	if (key == 'i' || key == 'o') {
		if (m->fib.limit)
			return xt_usage(d, "addrtype: you can't specify both --limit-iface-in and "
					   "--limit-iface-out");
		m->fib.limit = key;
		return 0;
	}
	m->given = true;
	m->fib.invert[key == 'd'] = invert;
	return read_types(value, &m->fib.types[key == 'd'], d);
}

static int check_addrtype(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	if (!m->given)
		return xt_usage(d, "addrtype: you must specify --src-type or --dst-type");
	return 0;
}

static void types_print(uint16_t mask, struct strbuf *b)
{
	const char *sep = "";

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!(mask & 1U << i))
			continue;
		strbuf_printf(b, "%s%s", sep, types[i].name);
		sep = ",";
	}
}

static void save_addrtype(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	for (int i = 0; i < 2; i++) {
		if (!m->fib.types[i])
			continue;
		strbuf_printf(b, "%s --%s-type ", m->fib.invert[i] ? " !" : "", i ? "dst" : "src");
		types_print(m->fib.types[i], b);
	}
	if (m->fib.limit)
		strbuf_printf(b, " --limit-iface-%s", m->fib.limit == 'i' ? "in" : "out");
}

static void list_addrtype(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			  struct strbuf *b)
{
	strbuf_puts(b, " ADDRTYPE match");
	for (int i = 0; i < 2; i++) {
		if (!m->fib.types[i])
			continue;
		strbuf_printf(b, " %s-type %s", i ? "dst" : "src", m->fib.invert[i] ? "!" : "");
		types_print(m->fib.types[i], b);
	}
	if (m->fib.limit)
		strbuf_printf(b, " limit-%s", m->fib.limit == 'i' ? "in" : "out");
}

/* "NAME src,dst": the parser joins the two words. */
static int read_match_set(struct xt_match *m, const char *value, bool invert, struct diag *d)
{
	const char *space = strchr(value, ' ');

	if (!space || space == value)
		return xt_usage(d, "--match-set requires two args.");
	if (space - value >= XT_NAME_MAX)
		return xt_usage(d, "setname `%.64s' too long, max %d characters.", value,
				XT_NAME_MAX - 1);
	snprintf(m->set.name, sizeof(m->set.name), "%.*s", (int)(space - value), value);
	if (strpbrk(m->set.name, "\"\\"))
		return xt_usage(d, "bad character in the name of set `%s'", m->set.name);
	for (const char *s = space + 1;; s += 4) {
		if (m->set.n == XT_SET_DIMS)
			return xt_usage(d, "Can't be more src/dst options than %d.", XT_SET_DIMS);
		if (strncmp(s, "src", 3) && strncmp(s, "dst", 3))
			return xt_usage(d,
					"You must specify (the comma separated list of) 'src' or "
					"'dst'.");
		m->set.dest[m->set.n++] = *s == 'd';
		if (!s[3])
			break;
		if (s[3] != ',')
			return xt_usage(d,
					"You must specify (the comma separated list of) 'src' or "
					"'dst'.");
	}
	m->given = true;
	m->invert = invert;
	return 0;
}

static int read_set(struct xt_match *m, char key, const char *value, bool invert,
		    const struct xt_rule *x, struct diag *d)
{
	if (key != 's')
		return xt_refuse(d, "set: only the option `--match-set' is supported");
	return read_match_set(m, value, invert, d);
}

static int check_set(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	return m->given ? 0 : xt_usage(d, "You must specify `--match-set' with proper arguments");
}

static void set_print(const struct xt_match *m, struct strbuf *b)
{
	strbuf_printf(b, " %s", m->set.name);
	for (int i = 0; i < m->set.n; i++)
		strbuf_printf(b, "%s%s", i ? "," : " ", m->set.dest[i] ? "dst" : "src");
}

static void save_set(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --match-set", m->invert ? " !" : "");
	set_print(m, b);
}

static void list_set(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		     struct strbuf *b)
{
	strbuf_printf(b, "%s match-set", m->invert ? " !" : "");
	set_print(m, b);
}

static const struct arg_option iprange_options[] = { { "src-range", 's', ARG_REQUIRED },
						     { "dst-range", 'd', ARG_REQUIRED },
						     {} };
static const struct arg_option mac_options[] = { { "mac-source", 'm', ARG_REQUIRED }, {} };
static const struct arg_option addrtype_options[] = {
	{ "src-type", 's', ARG_REQUIRED },
	{ "dst-type", 'd', ARG_REQUIRED },
	{ "limit-iface-in", 'i', ARG_NONE },
	{ "limit-iface-out", 'o', ARG_NONE },
	{},
};
static const struct arg_option set_options[] = {
	{ "match-set", 's', ARG_TWO },
	{ "return-nomatch", 'r', ARG_NONE },
	{ "update-counters", 'u', ARG_NONE },
	{ "update-subcounters", 'v', ARG_NONE },
	{ "packets-eq", 'p', ARG_REQUIRED },
	{ "packets-lt", 'p', ARG_REQUIRED },
	{ "packets-gt", 'p', ARG_REQUIRED },
	{ "bytes-eq", 'b', ARG_REQUIRED },
	{ "bytes-lt", 'b', ARG_REQUIRED },
	{ "bytes-gt", 'b', ARG_REQUIRED },
	{},
};

const struct match_row row_iprange = {
	.name = "iprange",
	.version = 46,
	.options = iprange_options,
	.read = read_iprange,
	.save = save_iprange,
	.list = list_iprange,
	.inverts = "sd",
	.check = check_iprange,
};
const struct match_row row_mac = {
	.name = "mac",
	.version = 46,
	.required = "mac-source",
	.options = mac_options,
	.read = read_mac,
	.save = save_mac,
	.list = list_mac,
	.inverts = "m",
};
const struct match_row row_addrtype = {
	.name = "addrtype",
	.version = 46,
	.options = addrtype_options,
	.read = read_addrtype,
	.save = save_addrtype,
	.list = list_addrtype,
	.inverts = "sd",
	.check = check_addrtype,
};
const struct match_row row_set = {
	.name = "set",
	.version = 46,
	.options = set_options,
	.read = read_set,
	.save = save_set,
	.list = list_set,
	.inverts = "sub",
	.check = check_set,
};
