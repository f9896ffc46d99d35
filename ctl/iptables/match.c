/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/ext.h>
#include <iptables/names.h>

static const char *service_proto(const struct xt_rule *x)
{
	return x->proto == IPPROTO_UDP ? "udp" : "tcp";
}

/* "80", "http", "80:90", ":90", "80:" */
static int read_range(const char *value, const char *proto, struct xt_range *ret, struct diag *d)
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

static int read_ports(struct xt_match *m, char key, const char *value, bool invert,
		      const struct xt_rule *x, struct diag *d)
{
	struct xt_range *range = key == 's' ? &m->sport : &m->dport;

	if (key == 0)
		return xt_refuse(d, "TCP flags and options are not supported yet");
	if (range->given)
		return xt_usage(d, "only one `--%s-port' allowed",
				key == 's' ? "source" : "destination");
	range->given = true;
	range->invert = invert;
	m->given = true;
	if (read_range(value, service_proto(x), range, d))
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

static void save_ports(const struct xt_match *m, struct strbuf *b)
{
	save_port("sport", &m->sport, b);
	save_port("dport", &m->dport, b);
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

static void list_ports(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		       struct strbuf *b)
{
	const char *proto = m->kind == XT_TCP ? "tcp" : "udp";

	strbuf_printf(b, " %s", proto);
	list_port("spt", &m->sport, proto, numeric, b);
	list_port("dpt", &m->dport, proto, numeric, b);
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
	if (code != ICMP_CODE_ANY)
		return xt_refuse(d, "ICMP codes (%u/%d) are not supported yet, only whole types",
				 type, code);
	if (invert && x->version == 4 && type == XT_ICMP_ANY)
		return xt_refuse(d, "`! --icmp-type any' never matches");
	m->given = true;
	m->invert = invert;
	m->value = type;
	return 0;
}

static void save_icmp(const struct xt_match *m, struct strbuf *b)
{
	bool v6 = m->kind == XT_ICMP6;

	strbuf_printf(b, "%s --icmp%s-type ", m->invert ? " !" : "", v6 ? "v6" : "");
	if (!v6 && m->value == XT_ICMP_ANY)
		strbuf_puts(b, "any");
	else
		strbuf_printf(b, "%u", m->value);
}

static void list_icmp(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		      struct strbuf *b)
{
	const char *name = numeric ? NULL : icmp_to_name(x->version, (uint8_t)m->value);
	const char *word = m->kind == XT_ICMP6 ? "ipv6-icmp" : "icmp";

	if (name)
		strbuf_printf(b, " %s %s%s", word, m->invert ? "!" : "", name);
	else
		strbuf_printf(b, " %s%stype %u", word, m->invert ? " !" : "", m->value);
}

static int read_states(struct xt_match *m, char key, const char *value, bool invert,
		       const struct xt_rule *x, struct diag *d)
{
	if (m->given)
		return xt_usage(d, "`--%s' can only be used once",
				m->kind == XT_STATE ? "state" : "ctstate");
	m->given = true;
	m->invert = invert;
	return names_to_states(value, &m->value, d);
}

static void save_states(const struct xt_match *m, struct strbuf *b)
{
	strbuf_printf(b, "%s --%s", m->invert ? " !" : "",
		      m->kind == XT_STATE ? "state" : "ctstate");
	states_print(m->value, b);
}

static void list_states(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			struct strbuf *b)
{
	strbuf_printf(b, "%s %s", m->invert ? " !" : "", m->kind == XT_STATE ? "state" : "ctstate");
	states_print(m->value, b);
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

static void save_comment(const struct xt_match *m, struct strbuf *b)
{
	static const char plain[] =
		"_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = strspn(m->comment, plain);

	strbuf_puts(b, " --comment ");
	if (n && !m->comment[n]) {
		strbuf_puts(b, m->comment);
		return;
	}
	strbuf_puts(b, "\"");
	for (const char *c = m->comment; *c; c++)
		strbuf_printf(b, "%s%c", strchr("\"\\'", *c) ? "\\" : "", *c);
	strbuf_puts(b, "\"");
}

static void list_comment(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			 struct strbuf *b)
{
	strbuf_printf(b, " /* %s */", m->comment);
}

static int read_mark(struct xt_match *m, char key, const char *value, bool invert,
		     const struct xt_rule *x, struct diag *d)
{
	const char *slash = strchr(value, '/');
	char word[16];
	uint64_t v, mask = UINT32_MAX;

	snprintf(word, sizeof(word), "%.*s", slash ? (int)MIN(slash - value, 15) : 15, value);
	if (!str_to_u64(word, 0, UINT32_MAX, &v) || (!slash && strlen(value) > 15) ||
	    (slash && !str_to_u64(slash + 1, 0, UINT32_MAX, &mask)))
		return xt_usage(d, "bad mark `%.64s'", value);
	if (m->given)
		return xt_usage(d, "`--mark' can only be used once");
	m->given = true;
	m->invert = invert;
	m->value = (uint32_t)v;
	m->mask = (uint32_t)mask;
	return 0;
}

static void mark_print(const struct xt_match *m, struct strbuf *b)
{
	strbuf_printf(b, " 0x%x", m->value);
	if (m->mask != UINT32_MAX)
		strbuf_printf(b, "/0x%x", m->mask);
}

static void save_mark(const struct xt_match *m, struct strbuf *b)
{
	strbuf_printf(b, "%s --mark", m->invert ? " !" : "");
	mark_print(m, b);
}

static void list_mark(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		      struct strbuf *b)
{
	strbuf_printf(b, " %s match", m->kind == XT_MARK ? "mark" : "connmark");
	if (m->invert)
		strbuf_puts(b, " !");
	else if (m->kind == XT_CONNMARK)
		strbuf_puts(b, " ");
	mark_print(m, b);
}

static int read_multiport(struct xt_match *m, char key, const char *value, bool invert,
			  const struct xt_rule *x, struct diag *d)
{
	size_t used = 0;

	if (x->proto_invert || (x->proto != IPPROTO_TCP && x->proto != IPPROTO_UDP))
		return xt_refuse(d, "multiport needs `-p tcp' or `-p udp'");
	if (key == 'b')
		return xt_refuse(d, "option `--ports' (either port) is not supported yet: use "
				    "--sports or --dports");
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
		if (n > 127 || read_range(word, service_proto(x), range, d))
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

static void save_multiport(const struct xt_match *m, struct strbuf *b)
{
	strbuf_printf(b, "%s --%cports ", m->invert ? " !" : "", m->side);
	for (size_t i = 0; i < m->n_ports; i++) {
		strbuf_printf(b, "%s%u", i ? "," : "", m->ports[i].lo);
		if (m->ports[i].lo != m->ports[i].hi)
			strbuf_printf(b, ":%u", m->ports[i].hi);
	}
}

static void list_multiport(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			   struct strbuf *b)
{
	strbuf_printf(b, " multiport %cports %s", m->side, m->invert ? " !" : "");
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
static const struct arg_option icmp_options[] = { { "icmp-type", 't', ARG_REQUIRED }, {} };
static const struct arg_option icmp6_options[] = { { "icmpv6-type", 't', ARG_REQUIRED }, {} };
static const struct arg_option state_options[] = { { "state", 's', ARG_REQUIRED }, {} };
static const struct arg_option conntrack_options[] = { { "ctstate", 's', ARG_REQUIRED }, {} };
static const struct arg_option comment_options[] = { { "comment", 'c', ARG_REQUIRED }, {} };
static const struct arg_option mark_options[] = { { "mark", 'm', ARG_REQUIRED }, {} };
static const struct arg_option multiport_options[] = {
	{ "source-ports", 's', ARG_REQUIRED },
	{ "sports", 's', ARG_REQUIRED },
	{ "destination-ports", 'd', ARG_REQUIRED },
	{ "dports", 'd', ARG_REQUIRED },
	{ "ports", 'b', ARG_REQUIRED },
	{},
};

static const struct match_row rows[XT_MATCH_MAX] = {
	[XT_TCP] = { "tcp", IPPROTO_TCP, 46, NULL, port_options, read_ports, save_ports,
		     list_ports },
	[XT_UDP] = { "udp", IPPROTO_UDP, 46, NULL, port_options, read_ports, save_ports,
		     list_ports },
	[XT_ICMP] = { "icmp", IPPROTO_ICMP, 4, "icmp-type", icmp_options, read_icmp, save_icmp,
		      list_icmp },
	[XT_ICMP6] = { "icmp6", IPPROTO_ICMPV6, 6, "icmpv6-type", icmp6_options, read_icmp,
		       save_icmp, list_icmp },
	[XT_STATE] = { "state", 0, 46, "state", state_options, read_states, save_states,
		       list_states },
	[XT_CONNTRACK] = { "conntrack", 0, 46, "ctstate", conntrack_options, read_states,
			   save_states, list_states },
	[XT_COMMENT] = { "comment", 0, 46, "comment", comment_options, read_comment, save_comment,
			 list_comment },
	[XT_MARK] = { "mark", 0, 46, "mark", mark_options, read_mark, save_mark, list_mark },
	[XT_CONNMARK] = { "connmark", 0, 46, "mark", mark_options, read_mark, save_mark,
			  list_mark },
	[XT_MULTIPORT] = { "multiport", 0, 46, "dports", multiport_options, read_multiport,
			   save_multiport, list_multiport },
};

const struct match_row *match_row(enum xt_match_kind kind)
{
	return &rows[kind];
}

const struct match_row *match_find(const char *name, int version)
{
	if (!strcmp(name, "icmpv6"))
		name = "icmp6";
	for (size_t i = 0; i < XT_MATCH_MAX; i++)
		if (!strcmp(rows[i].name, name) &&
		    (rows[i].version == 46 || rows[i].version == version))
			return &rows[i];
	return NULL;
}

enum xt_match_kind match_kind(const struct match_row *row)
{
	return (enum xt_match_kind)(row - rows);
}
