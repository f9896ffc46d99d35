/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of matches, what their options share, and the matches on the IP header and the packet.
 */
#include <iptables/ext.h>
#include <iptables/names.h>

#include <linux/if_packet.h>
#include <strings.h>

int read_option_number(const char *who, const char *option, const char *value, uint64_t lo,
		       uint64_t hi, uint32_t *ret, struct diag *d)
{
	uint64_t n;

	if (!str_to_u64(value, lo, hi, &n))
		return xt_usage(d, "%s: bad value for option `--%s', or out of range (%llu-%llu)",
				who, option, (unsigned long long)lo, (unsigned long long)hi);
	*ret = (uint32_t)n;
	return 0;
}

int read_option_mark(const char *value, uint32_t *ret, uint32_t *ret_mask, struct diag *d)
{
	const char *slash = strchr(value, '/');
	uint64_t v, mask = UINT32_MAX;
	char word[16];

	snprintf(word, sizeof(word), "%.*s", slash ? (int)MIN(slash - value, 15) : 15, value);
	if (!str_to_u64(word, 0, UINT32_MAX, &v) || (!slash && strlen(value) > 15) ||
	    (slash && !str_to_u64(slash + 1, 0, UINT32_MAX, &mask)))
		return xt_usage(d, "bad mark `%.64s'", value);
	*ret = (uint32_t)v;
	*ret_mask = (uint32_t)mask;
	return 0;
}

void save_text(const char *s, struct strbuf *b)
{
	static const char plain[] =
		"_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = strspn(s, plain);

	if (n && !s[n]) {
		strbuf_puts(b, s);
		return;
	}
	strbuf_puts(b, "\"");
	for (const char *c = s; *c; c++)
		strbuf_printf(b, "%s%c", strchr("\"\\'", *c) ? "\\" : "", *c);
	strbuf_puts(b, "\"");
}

static int read_comment(struct xt_match *m, char key, const char *value, bool invert,
			const struct xt_rule *x, struct diag *d)
{
	if (invert)
		return xt_usage(d, "cannot have ! before `--comment'");
	if (m->given)
		return xt_usage(d, "`--comment' can only be used once");
	if (strlen(value) >= XT_COMMENT_MAX)
		return xt_usage(d, "`--comment' must be shorter than %d characters",
				XT_COMMENT_MAX);
	for (const char *c = value; *c; c++)
		if ((*c > 0 && *c < ' ') || *c == 127)
			return xt_usage(d, "`--comment' can not hold control characters");
	m->given = true;
	snprintf(m->comment, sizeof(m->comment), "%s", value);
	return 0;
}

static void save_comment(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_puts(b, " --comment ");
	save_text(m->comment, b);
}

static void list_comment(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			 struct strbuf *b)
{
	strbuf_printf(b, " /* %s */", m->comment);
}

static int read_length(struct xt_match *m, char key, const char *value, bool invert,
		       const struct xt_rule *x, struct diag *d)
{
	const char *colon = strchr(value, ':');
	uint64_t lo = 0, hi = UINT16_MAX;
	char word[16];

	snprintf(word, sizeof(word), "%.*s", colon ? (int)MIN(colon - value, 15) : 15, value);
	if (((*word || !colon) && !str_to_u64(word, 0, UINT16_MAX, &lo)) ||
	    (colon && colon[1] && !str_to_u64(colon + 1, 0, UINT16_MAX, &hi)))
		return xt_usage(d, "length: bad value for option `--length', or out of range "
				   "(0-65535)");
	if (!colon)
		hi = lo;
	if (lo > hi)
		return xt_usage(d, "length: `--length %.32s' ends before it begins", value);
	if (invert && !lo && hi == UINT16_MAX)
		return xt_refuse(d, "`! --length 0:65535' never matches");
	m->length = (struct xt_range){ true, invert, (uint16_t)lo, (uint16_t)hi };
	m->given = true;
	m->invert = invert;
	return 0;
}

static void length_print(const struct xt_match *m, struct strbuf *b)
{
	strbuf_printf(b, "%u", m->length.lo);
	if (m->length.lo != m->length.hi)
		strbuf_printf(b, ":%u", m->length.hi);
}

static void save_length(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --length ", m->invert ? " !" : "");
	length_print(m, b);
}

static void list_length(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			struct strbuf *b)
{
	strbuf_printf(b, " length %s", m->invert ? "!" : "");
	length_print(m, b);
}

static const char *hops_name(const struct xt_match *m)
{
	return m->kind == XT_HL ? "hl" : "ttl";
}

static const char *hops_word(const struct xt_match *m)
{
	return m->hops.op == 'e' ? "eq" : m->hops.op == 'g' ? "gt" : "lt";
}

static int read_hops(struct xt_match *m, char key, const char *value, bool invert,
		     const struct xt_rule *x, struct diag *d)
{
	char option[16];
	uint32_t n = 0;
	int r;

	if (m->given)
		return xt_usage(d, "%s: only one of `--%s-eq', `--%s-lt', `--%s-gt' is allowed",
				hops_name(m), hops_name(m), hops_name(m), hops_name(m));
	m->given = true;
	m->invert = invert;
	m->hops.op = key;
	snprintf(option, sizeof(option), "%s-%s", hops_name(m), hops_word(m));
	r = read_option_number(hops_name(m), option, value, 0, 255, &n, d);
	if (!r && ((key == 'l' && !n) || (key == 'g' && n == 255)))
		return xt_refuse(d, "`--%s %u' never matches", option, n);
	m->hops.value = (uint8_t)n;
	return r;
}

static int check_hops(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	if (m->given)
		return 0;
	return xt_usage(d, "%s match: You must specify one of `--%s-eq', `--%s-lt', `--%s-gt'",
			m->kind == XT_HL ? "HL" : "TTL", hops_name(m), hops_name(m), hops_name(m));
}

static void save_hops(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --%s-%s %u", m->invert ? " !" : "", hops_name(m), hops_word(m),
		      m->hops.value);
}

static void list_hops(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		      struct strbuf *b)
{
	const char *name = m->kind == XT_HL ? "HL" : "TTL";
	const char *op = m->hops.op == 'g'   ? ">"
			 : m->hops.op == 'l' ? "<"
			 : m->invert	     ? "!="
					     : "==";

	strbuf_printf(b, " %s match %s %s %u", name, name, op, m->hops.value);
}

static int read_dscp(struct xt_match *m, char key, const char *value, bool invert,
		     const struct xt_rule *x, struct diag *d)
{
	if (m->given)
		return xt_usage(d, "dscp: option `--dscp' cannot be used together with "
				   "`--dscp-class'");
	m->given = true;
	m->invert = invert;
	if (key == 'd')
		return read_option_number("dscp", "dscp", value, 0, 63, &m->value, d);
	return name_to_dscp(value, &m->value, d);
}

static int check_dscp(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	return m->given ? 0 : xt_usage(d, "DSCP match: Parameter --dscp is required");
}

static void save_dscp(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --dscp 0x%02x", m->invert ? " !" : "", m->value);
}

static void list_dscp(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		      struct strbuf *b)
{
	strbuf_printf(b, " DSCP match %s0x%02x", m->invert ? "!" : "", m->value);
}

/* The first row of a number is how it is printed. */
static const struct {
	const char *name;
	uint32_t type;
} pkttypes[] = {
	{ "unicast", PACKET_HOST },	   { "broadcast", PACKET_BROADCAST },
	{ "multicast", PACKET_MULTICAST }, { "bcast", PACKET_BROADCAST },
	{ "mcast", PACKET_MULTICAST },	   { "host", PACKET_HOST },
};

static int read_pkttype(struct xt_match *m, char key, const char *value, bool invert,
			const struct xt_rule *x, struct diag *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(pkttypes); i++) {
		if (strcasecmp(value, pkttypes[i].name))
			continue;
		m->given = true;
		m->invert = invert;
		m->value = pkttypes[i].type;
		return 0;
	}
	return xt_usage(d, "Bad packet type '%.32s'", value);
}

static const char *pkttype_name(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(pkttypes); i++)
		if (pkttypes[i].type == type)
			return pkttypes[i].name;
	return "";
}

static void save_pkttype(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --pkt-type %s", m->invert ? " !" : "", pkttype_name(m->value));
}

static void list_pkttype(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			 struct strbuf *b)
{
	strbuf_printf(b, " PKTTYPE %s %s", m->invert ? "!=" : "=", pkttype_name(m->value));
}

static const struct arg_option comment_options[] = { { "comment", 'c', ARG_REQUIRED }, {} };
static const struct arg_option length_options[] = { { "length", 'l', ARG_REQUIRED }, {} };
static const struct arg_option ttl_options[] = { { "ttl", 'e', ARG_REQUIRED },
						 { "ttl-eq", 'e', ARG_REQUIRED },
						 { "ttl-gt", 'g', ARG_REQUIRED },
						 { "ttl-lt", 'l', ARG_REQUIRED },
						 {} };
static const struct arg_option hl_options[] = { { "hl-eq", 'e', ARG_REQUIRED },
						{ "hl-gt", 'g', ARG_REQUIRED },
						{ "hl-lt", 'l', ARG_REQUIRED },
						{} };
static const struct arg_option dscp_options[] = { { "dscp", 'd', ARG_REQUIRED },
						  { "dscp-class", 'c', ARG_REQUIRED },
						  {} };
static const struct arg_option pkttype_options[] = { { "pkt-type", 'p', ARG_REQUIRED }, {} };

const struct match_row row_comment = {
	.name = "comment",
	.version = 46,
	.required = "comment",
	.options = comment_options,
	.read = read_comment,
	.save = save_comment,
	.list = list_comment,
};
const struct match_row row_length = {
	.name = "length",
	.version = 46,
	.required = "length",
	.options = length_options,
	.read = read_length,
	.save = save_length,
	.list = list_length,
	.inverts = "l",
};
const struct match_row row_ttl = {
	.name = "ttl",
	.version = 4,
	.options = ttl_options,
	.read = read_hops,
	.save = save_hops,
	.list = list_hops,
	.inverts = "e",
	.check = check_hops,
};
const struct match_row row_hl = {
	.name = "hl",
	.version = 6,
	.options = hl_options,
	.read = read_hops,
	.save = save_hops,
	.list = list_hops,
	.inverts = "e",
	.check = check_hops,
};
const struct match_row row_dscp = {
	.name = "dscp",
	.version = 46,
	.options = dscp_options,
	.read = read_dscp,
	.save = save_dscp,
	.list = list_dscp,
	.inverts = "dc",
	.check = check_dscp,
};
const struct match_row row_pkttype = {
	.name = "pkttype",
	.version = 46,
	.required = "pkt-type",
	.options = pkttype_options,
	.read = read_pkttype,
	.save = save_pkttype,
	.list = list_pkttype,
	.inverts = "p",
};

static const struct match_row *const rows[XT_MATCH_MAX] = {
	[XT_TCP] = &row_tcp,
	[XT_UDP] = &row_udp,
	[XT_ICMP] = &row_icmp,
	[XT_ICMP6] = &row_icmp6,
	[XT_STATE] = &row_state,
	[XT_CONNTRACK] = &row_conntrack,
	[XT_COMMENT] = &row_comment,
	[XT_MARK] = &row_mark,
	[XT_CONNMARK] = &row_connmark,
	[XT_MULTIPORT] = &row_multiport,
	[XT_IPRANGE] = &row_iprange,
	[XT_LIMIT] = &row_limit,
	[XT_HASHLIMIT] = &row_hashlimit,
	[XT_CONNLIMIT] = &row_connlimit,
	[XT_MAC] = &row_mac,
	[XT_ADDRTYPE] = &row_addrtype,
	[XT_LENGTH] = &row_length,
	[XT_TTL] = &row_ttl,
	[XT_HL] = &row_hl,
	[XT_DSCP] = &row_dscp,
	[XT_SET] = &row_set,
	[XT_RECENT] = &row_recent,
	[XT_STATISTIC] = &row_statistic,
	[XT_PKTTYPE] = &row_pkttype,
};

const struct match_row *match_row(enum xt_match_kind kind)
{
	return rows[kind];
}

const struct match_row *match_find(const char *name, int version)
{
	if (!strcmp(name, "icmpv6"))
		name = "icmp6";
	for (size_t i = 0; i < XT_MATCH_MAX; i++)
		if (!strcmp(rows[i]->name, name) &&
		    (rows[i]->version == 46 || rows[i]->version == version))
			return rows[i];
	return NULL;
}

enum xt_match_kind match_kind(const struct match_row *row)
{
	int i = 0;

	while (i < XT_MATCH_MAX && rows[i] != row)
		i++;
	return (enum xt_match_kind)i;
}
