/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Matches on what the transport header says: tcp, udp, icmp, icmp6, multiport.
 */
#include <iptables/ext.h>
#include <iptables/names.h>

#include <strings.h>

/* Whose names services have: tcp's, unless the protocol has names of its own. */
static const char *service_proto(const struct xt_rule *x)
{
	switch (x->proto) {
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_DCCP:
		return "dccp";
	case IPPROTO_UDPLITE:
		return "udplite";
	default:
		return "tcp";
	}
}

bool proto_has_ports(const struct xt_rule *x)
{
	return !x->proto_invert &&
	       (x->proto == IPPROTO_TCP || x->proto == IPPROTO_UDP || x->proto == IPPROTO_UDPLITE ||
		x->proto == IPPROTO_SCTP || x->proto == IPPROTO_DCCP);
}

int read_port_span(const char *value, const char *proto, struct xt_range *ret, struct diag *d)
{
	char word[64];
	const char *colon = strchr(value, ':'), *hi = colon ? colon + 1 : value;

	snprintf(word, sizeof(word), "%.*s", colon ? (int)MIN(colon - value, 63) : 63, value);
	ret->lo = 0;
	ret->hi = UINT16_MAX;
	if ((*word || !colon) && !name_to_port(word, proto, &ret->lo))
		return xt_usage(d, "invalid port/service `%s' specified", word);
	if ((*hi || !colon) && !name_to_port(hi, proto, &ret->hi))
		return xt_usage(d, "invalid port/service `%.64s' specified", hi);
	if (ret->lo > ret->hi)
		return xt_usage(d, "invalid portrange (min > max)");
	return 0;
}

static const char *const flag_names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };

static int read_flag_list(const char *s, size_t len, uint8_t *ret, struct diag *d)
{
	*ret = 0;
	for (;;) {
		size_t n = 0, i;

		while (n < len && s[n] != ',')
			n++;
		if (n == 3 && !strncasecmp(s, "ALL", 3)) {
			*ret |= 0x3f;
		} else if (n != 4 || strncasecmp(s, "NONE", 4)) {
			for (i = 0; i < ARRAY_SIZE(flag_names); i++)
				if (n == 3 && !strncasecmp(s, flag_names[i], 3))
					break;
			if (i == ARRAY_SIZE(flag_names))
				return xt_usage(d, "Unknown TCP flag `%.*s'", (int)MIN(n, 32U), s);
			*ret |= (uint8_t)(1U << i);
		}
		if (n == len)
			return 0;
		s += n + 1;
		len -= n + 1;
	}
}

/* "MASK VALUE": the parser joins the two words. */
static int read_flags(struct xt_match *m, const char *value, bool invert, struct diag *d)
{
	const char *space = strchr(value, ' ');
	int r;

	if (m->flags.given)
		return xt_usage(d, "Only one of `--syn' or `--tcp-flags'  allowed");
	if (!space)
		return xt_usage(d, "--tcp-flags requires two args.");
	r = read_flag_list(value, (size_t)(space - value), &m->flags.mask, d);
	if (!r)
		r = read_flag_list(space + 1, strlen(space + 1), &m->flags.value, d);
	if (!r && m->flags.value & ~m->flags.mask)
		return xt_refuse(d, "`--tcp-flags %.40s' wants flags that it does not look at",
				 value);
	if (!r && !m->flags.mask && invert)
		return xt_refuse(d, "`! --tcp-flags %.40s' never matches", value);
	m->flags.given = true;
	m->flags.invert = invert;
	m->given = true;
	return r;
}

static int read_ports(struct xt_match *m, char key, const char *value, bool invert,
		      const struct xt_rule *x, struct diag *d)
{
	struct xt_range *range = key == 's' ? &m->sport : &m->dport;

	if (key == 'o')
		return xt_refuse(d, "option `--tcp-option' is not supported");
	if (key == 'y')
		return read_flags(m, "FIN,SYN,RST,ACK SYN", invert, d);
	if (key == 'f')
		return read_flags(m, value, invert, d);
	if (range->given)
		return xt_usage(d, "only one `--%s-port' allowed",
				key == 's' ? "source" : "destination");
	range->given = true;
	range->invert = invert;
	m->given = true;
	if (read_port_span(value, service_proto(x), range, d))
		return IPTABLES_E_USAGE;
	if (invert && !range->lo && range->hi == UINT16_MAX)
		return xt_refuse(d, "`! --%cport 0:65535' never matches", key);
	return 0;
}

static bool range_is_any(const struct xt_range *r)
{
	return !r->given || (!r->invert && !r->lo && r->hi == UINT16_MAX);
}

static void save_port(const char *option, const struct xt_range *r, struct strbuf *b)
{
	if (range_is_any(r))
		return;
	strbuf_printf(b, "%s --%s %u", r->invert ? " !" : "", option, r->lo);
	if (r->lo != r->hi)
		strbuf_printf(b, ":%u", r->hi);
}

static void flags_print(uint8_t flags, struct strbuf *b)
{
	const char *sep = "";

	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (!(flags & 1U << i))
			continue;
		strbuf_printf(b, "%s%s", sep, flag_names[i]);
		sep = ",";
	}
	if (!flags)
		strbuf_puts(b, "NONE");
}

static void save_ports(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	save_port("sport", &m->sport, b);
	save_port("dport", &m->dport, b);
	if (!m->flags.given)
		return;
	strbuf_printf(b, "%s --tcp-flags ", m->flags.invert ? " !" : "");
	flags_print(m->flags.mask, b);
	strbuf_puts(b, " ");
	flags_print(m->flags.value, b);
}

static void list_number(uint16_t port, const char *proto, bool numeric, struct strbuf *b)
{
	const char *name = numeric ? NULL : port_to_name(port, proto);

	if (name)
		strbuf_puts(b, name);
	else
		strbuf_printf(b, "%u", port);
}

static void list_port(const char *name, const struct xt_range *r, const char *proto, bool numeric,
		      struct strbuf *b)
{
	if (range_is_any(r))
		return;
	strbuf_printf(b, " %s%s:%s", name, r->lo == r->hi ? "" : "s", r->invert ? "!" : "");
	list_number(r->lo, proto, numeric, b);
	if (r->lo == r->hi)
		return;
	strbuf_puts(b, ":");
	list_number(r->hi, proto, numeric, b);
}

static void list_flags(const struct xt_match *m, bool numeric, struct strbuf *b)
{
	if (!m->flags.given)
		return;
	strbuf_printf(b, " flags:%s", m->flags.invert ? "!" : "");
	if (numeric) {
		strbuf_printf(b, "0x%02X/0x%02X", m->flags.mask, m->flags.value);
		return;
	}
	flags_print(m->flags.mask, b);
	strbuf_puts(b, "/");
	flags_print(m->flags.value, b);
}

static void list_ports(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		       struct strbuf *b)
{
	const char *proto = m->kind == XT_TCP ? "tcp" : "udp";

	strbuf_printf(b, " %s", proto);
	list_port("spt", &m->sport, proto, numeric, b);
	list_port("dpt", &m->dport, proto, numeric, b);
	list_flags(m, numeric, b);
}

static bool has_own(const struct xt_match *m)
{
	return !range_is_any(&m->sport) || !range_is_any(&m->dport) || m->flags.given;
}

/* What both ask for stays with both: each of them has to hold. */
static bool take_over(struct xt_match *to, const struct xt_match *from)
{
	if ((!range_is_any(&to->sport) && !range_is_any(&from->sport)) ||
	    (!range_is_any(&to->dport) && !range_is_any(&from->dport)) ||
	    (to->flags.given && from->flags.given))
		return false;
	if (!range_is_any(&from->sport))
		to->sport = from->sport;
	if (!range_is_any(&from->dport))
		to->dport = from->dport;
	if (from->flags.given)
		to->flags = from->flags;
	to->seen |= from->seen;
	return true;
}

void merge_ports(struct xt_rule *x)
{
	struct xt_match *first = NULL;

	for (size_t i = 0; i < x->n_matches; i++) {
		struct xt_match *m = &x->matches[i];

		if ((m->kind != XT_TCP && m->kind != XT_UDP) || !has_own(m))
			continue;
		if (!first || first->kind != m->kind) {
			first = m;
		} else if (take_over(first, m)) {
			memmove(m, m + 1, (x->n_matches - i - 1) * sizeof(*m));
			x->n_matches--;
			i--;
		}
	}
}

static int read_icmp(struct xt_match *m, char key, const char *value, bool invert,
		     const struct xt_rule *x, struct diag *d)
{
	uint8_t type;
	int code, r = name_to_icmp(x->version, value, &type, &code, d);

	if (r)
		return r;
	if (m->given)
		return xt_usage(d, "`--icmp%s-type' can only be used once",
				x->version == 6 ? "v6" : "");
	if (x->version == 4 && type == XT_ICMP_ANY && code != XT_ICMP_CODE_ANY)
		return xt_refuse(d, "`--icmp-type 255/%d': type 255 stands for any, without a code",
				 code);
	if (invert && x->version == 4 && type == XT_ICMP_ANY)
		return xt_refuse(d, "`! --icmp-type any' never matches");
	m->given = true;
	m->invert = invert;
	m->value = type;
	m->code = code;
	return 0;
}

static void save_icmp(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	bool v6 = m->kind == XT_ICMP6;

	strbuf_printf(b, "%s --icmp%s-type ", m->invert ? " !" : "", v6 ? "v6" : "");
	if (!v6 && m->value == XT_ICMP_ANY)
		strbuf_puts(b, "any");
	else
		strbuf_printf(b, "%u", m->value);
	if (m->code != XT_ICMP_CODE_ANY)
		strbuf_printf(b, "/%d", m->code);
}

static void list_icmp(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		      struct strbuf *b)
{
	const char *name = numeric ? NULL : icmp_to_name(x->version, (uint8_t)m->value, m->code);
	const char *word = m->kind == XT_ICMP6 ? "ipv6-icmp" : "icmp";

	if (name) {
		strbuf_printf(b, " %s %s%s", word, m->invert ? "!" : "", name);
		return;
	}
	strbuf_printf(b, " %s%stype %u", word, m->invert ? " !" : "", m->value);
	if (m->code != XT_ICMP_CODE_ANY)
		strbuf_printf(b, " code %d", m->code);
}

static int read_multiport(struct xt_match *m, char key, const char *value, bool invert,
			  const struct xt_rule *x, struct diag *d)
{
	size_t used = 0;

	if (!proto_has_ports(x))
		return xt_usage(d, "multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP");
	if (m->given)
		return xt_usage(d, "multiport can only have one option");
	for (;;) {
		struct xt_range *range = &m->ports[m->n_ports];
		size_t n = strcspn(value, ",");
		char word[128];

		snprintf(word, sizeof(word), "%.*s", (int)MIN(n, 127U), value);
		used += strchr(word, ':') ? 2 : 1;
		if (used > XT_PORTS_MAX)
			return xt_usage(d, "too many ports specified");
		if (n > 127 || read_port_span(word, service_proto(x), range, d))
			return IPTABLES_E_USAGE;
		m->n_ports++;
		if (!value[n])
			break;
		value += n + 1;
	}
	m->given = true;
	m->invert = invert;
	m->side = key;
	return 0;
}

static const char *multiport_side(const struct xt_match *m)
{
	return m->side == 's' ? "s" : m->side == 'd' ? "d" : "";
}

static void save_multiport(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --%sports ", m->invert ? " !" : "", multiport_side(m));
	for (size_t i = 0; i < m->n_ports; i++) {
		strbuf_printf(b, "%s%u", i ? "," : "", m->ports[i].lo);
		if (m->ports[i].lo != m->ports[i].hi)
			strbuf_printf(b, ":%u", m->ports[i].hi);
	}
}

static void list_multiport(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			   struct strbuf *b)
{
	strbuf_printf(b, " multiport %sports %s", multiport_side(m), m->invert ? " !" : "");
	for (size_t i = 0; i < m->n_ports; i++) {
		if (i)
			strbuf_puts(b, ",");
		list_number(m->ports[i].lo, service_proto(x), numeric, b);
		if (m->ports[i].lo == m->ports[i].hi)
			continue;
		strbuf_puts(b, ":");
		list_number(m->ports[i].hi, service_proto(x), numeric, b);
	}
}

static const struct arg_option port_options[] = {
	{ "source-port", 's', ARG_REQUIRED },
	{ "sport", 's', ARG_REQUIRED },
	{ "destination-port", 'd', ARG_REQUIRED },
	{ "dport", 'd', ARG_REQUIRED },
	{},
};
static const struct arg_option tcp_options[] = {
	{ "source-port", 's', ARG_REQUIRED },
	{ "sport", 's', ARG_REQUIRED },
	{ "destination-port", 'd', ARG_REQUIRED },
	{ "dport", 'd', ARG_REQUIRED },
	{ "syn", 'y', ARG_NONE },
	{ "tcp-flags", 'f', ARG_TWO },
	{ "tcp-option", 'o', ARG_REQUIRED },
	{},
};
static const struct arg_option icmp_options[] = { { "icmp-type", 't', ARG_REQUIRED }, {} };
static const struct arg_option icmp6_options[] = { { "icmpv6-type", 't', ARG_REQUIRED }, {} };
static const struct arg_option multiport_options[] = {
	{ "source-ports", 's', ARG_REQUIRED },
	{ "sports", 's', ARG_REQUIRED },
	{ "destination-ports", 'd', ARG_REQUIRED },
	{ "dports", 'd', ARG_REQUIRED },
	{ "ports", 'b', ARG_REQUIRED },
	{},
};

const struct match_row row_tcp = {
	.name = "tcp",
	.proto = IPPROTO_TCP,
	.version = 46,
	.options = tcp_options,
	.read = read_ports,
	.save = save_ports,
	.list = list_ports,
};
const struct match_row row_udp = {
	.name = "udp",
	.proto = IPPROTO_UDP,
	.version = 46,
	.options = port_options,
	.read = read_ports,
	.save = save_ports,
	.list = list_ports,
};
const struct match_row row_icmp = {
	.name = "icmp",
	.proto = IPPROTO_ICMP,
	.version = 4,
	.required = "icmp-type",
	.options = icmp_options,
	.read = read_icmp,
	.save = save_icmp,
	.list = list_icmp,
};
const struct match_row row_icmp6 = {
	.name = "icmp6",
	.proto = IPPROTO_ICMPV6,
	.version = 6,
	.required = "icmpv6-type",
	.options = icmp6_options,
	.read = read_icmp,
	.save = save_icmp,
	.list = list_icmp,
};
const struct match_row row_multiport = {
	.name = "multiport",
	.version = 46,
	.required = "dports",
	.options = multiport_options,
	.read = read_multiport,
	.save = save_multiport,
	.list = list_multiport,
};
