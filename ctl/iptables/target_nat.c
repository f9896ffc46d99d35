/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets that end the packet with an answer or change its addresses.
 */
#include <iptables/ext.h>
#include <iptables/names.h>
#include <iptables/parse.h>

#include <arpa/inet.h>

static int read_reject(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		       struct diag *d)
{
	if (t->given)
		return xt_usage(d, "`--reject-with' can only be used once");
	t->given = true;
	return name_to_reject(x->version, value, &t->reject, d);
}

static void save_reject(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_printf(b, " --reject-with %s", reject_to_name(version, t->reject));
}

static void list_reject(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_printf(b, " reject-with %s", reject_to_name(version, t->reject));
}

static int need_ports(const struct xt_rule *x, struct diag *d)
{
	if (proto_has_ports(x))
		return 0;
	return xt_refuse(d, "a port in the target needs `-p tcp' or `-p udp' before it");
}

/* "80", "80-90", "http" */
static int read_port_range(struct xt_target *t, const char *value, const struct xt_rule *x,
			   struct diag *d)
{
	const char *proto = x->proto == IPPROTO_UDP ? "udp" : "tcp", *dash = value;
	char lo[32] = "";

	/* a dash may be part of a service's name: it parts numbers only */
	if (*value >= '0' && *value <= '9')
		dash = strchr(value, '-');
	else
		dash = NULL;
	if (strchr(value, '/'))
		return xt_refuse(d, "shifted port ranges (`%.32s') are not supported", value);
	snprintf(lo, sizeof(lo), "%.*s", dash ? (int)MIN(dash - value, 31) : 31, value);
	if (!name_to_port(lo, proto, &t->port_lo) || (!dash && strlen(value) > 31))
		return xt_usage(d, "port `%s' not valid", lo);
	t->port_hi = t->port_lo;
	if (dash && !name_to_port(dash + 1, proto, &t->port_hi))
		return xt_usage(d, "port `%.32s' not valid", dash + 1);
	if (t->port_hi < t->port_lo)
		return xt_usage(d, "port range `%.32s' ends before it begins", value);
	t->has_port = true;
	return need_ports(x, d);
}

static int read_addr(const char *word, int version, uint8_t *ret, struct diag *d)
{
	if (inet_pton(version == 6 ? AF_INET6 : AF_INET, word, ret) == 1)
		return 0;
	return xt_usage(d, "bad IP address `%s'", word);
}

/* "A" or "A-B" */
static int read_addr_range(struct xt_target *t, const char *s, size_t n, int version,
			   struct diag *d)
{
	size_t len = version == 6 ? 16 : 4;
	char word[128], *dash;
	int r;

	if (n >= sizeof(word))
		return xt_usage(d, "bad IP address `%.40s...'", s);
	snprintf(word, sizeof(word), "%.*s", (int)n, s);
	dash = strchr(word, '-');
	if (dash)
		*dash = '\0';
	r = read_addr(word, version, t->addr_lo, d);
	if (!r)
		r = read_addr(dash ? dash + 1 : word, version, t->addr_hi, d);
	if (r)
		return r;
	if (memcmp(t->addr_lo, t->addr_hi, len) > 0)
		return xt_usage(d, "address range `%.*s' ends before it begins", (int)n, s);
	t->has_addr = true;
	return 0;
}

static int read_to6(struct xt_target *t, const char *value, const struct xt_rule *x, struct diag *d)
{
	const char *end = strchr(value, ']');
	int r;

	if (*value != '[')
		return read_addr_range(t, value, strlen(value), 6, d);
	if (!end || (end[1] && end[1] != ':'))
		return xt_usage(d, "bad address and port `%.64s': write [ADDRESS]:PORT", value);
	r = read_addr_range(t, value + 1, (size_t)(end - value - 1), 6, d);
	return r || !end[1] ? r : read_port_range(t, end + 2, x, d);
}

/* Address range, port range or both. */
static int read_to(struct xt_target *t, const char *value, const struct xt_rule *x, struct diag *d)
{
	const char *colon = strchr(value, ':');
	int r = 0;

	if (t->given)
		return xt_usage(d, "%s: option `--to-%s' can only be used once",
				target_row(t->kind)->name,
				t->kind == XT_SNAT ? "source" : "destination");
	t->given = true;
	if (colon == value && value[1] != ':')
		return read_port_range(t, value + 1, x, d);
	if (x->version == 6)
		return read_to6(t, value, x, d);
	r = read_addr_range(t, value, colon ? (size_t)(colon - value) : strlen(value), 4, d);
	return r || !colon ? r : read_port_range(t, colon + 1, x, d);
}

static int read_nat(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		    struct diag *d)
{
	switch (key) {
	case 'r':
		t->flags |= GW_NATF_RANDOM;
		return 0;
	case 'f':
		t->flags |= GW_NATF_FULLY_RANDOM;
		return 0;
	case 'p':
		t->flags |= GW_NATF_PERSISTENT;
		return 0;
	case 'a':
		return read_to(t, value, x, d);
	default:
		if (t->given)
			return xt_usage(d, "%s: option `--to-ports' can only be used once",
					target_row(t->kind)->name);
		t->given = true;
		return read_port_range(t, value, x, d);
	}
}

static void addr_print(const struct xt_target *t, int version, struct strbuf *b)
{
	int af = version == 6 ? AF_INET6 : AF_INET;
	bool brackets = version == 6 && t->has_port;
	char text[INET6_ADDRSTRLEN] = "";

	if (brackets)
		strbuf_puts(b, "[");
	strbuf_puts(b, inet_ntop(af, t->addr_lo, text, sizeof(text)));
	if (memcmp(t->addr_lo, t->addr_hi, version == 6 ? 16 : 4))
		strbuf_printf(b, "-%s", inet_ntop(af, t->addr_hi, text, sizeof(text)));
	if (brackets)
		strbuf_puts(b, "]");
}

static void port_print(const struct xt_target *t, struct strbuf *b)
{
	strbuf_printf(b, "%u", t->port_lo);
	if (t->port_lo != t->port_hi)
		strbuf_printf(b, "-%u", t->port_hi);
}

static void to_print(const struct xt_target *t, int version, struct strbuf *b)
{
	if (t->has_addr)
		addr_print(t, version, b);
	if (!t->has_port)
		return;
	strbuf_puts(b, ":");
	port_print(t, b);
}

static void flags_print(const struct xt_target *t, const char *dashes, struct strbuf *b)
{
	if (t->flags & GW_NATF_RANDOM)
		strbuf_printf(b, " %srandom", dashes);
	if (t->flags & GW_NATF_FULLY_RANDOM)
		strbuf_printf(b, " %srandom-fully", dashes);
	if (t->flags & GW_NATF_PERSISTENT)
		strbuf_printf(b, " %spersistent", dashes);
}

static void save_to(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_printf(b, " --to-%s ", t->kind == XT_SNAT ? "source" : "destination");
	to_print(t, version, b);
	flags_print(t, "--", b);
}

static void list_to(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_puts(b, " to:");
	to_print(t, version, b);
	flags_print(t, "", b);
}

static void save_to_ports(const struct xt_target *t, int version, struct strbuf *b)
{
	if (t->has_port) {
		strbuf_puts(b, " --to-ports ");
		port_print(t, b);
	}
	flags_print(t, "--", b);
}

static void list_to_ports(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	if (t->has_port) {
		strbuf_puts(b, t->kind == XT_REDIRECT ? " redir ports " : " masq ports: ");
		port_print(t, b);
	}
	flags_print(t, "", b);
}

/* "ADDRESS[/MASK]" */
static int read_netmap(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		       struct diag *d)
{
	size_t bytes = x->version == 6 ? 16 : 4;
	struct xt_addr a = {};

	if (!addr_parse(value, strlen(value), x->version, &a, d))
		return IPTABLES_E_USAGE;
	t->given = t->has_addr = true;
	t->plen = a.plen;
	for (size_t i = 0; i < bytes; i++) {
		unsigned int bits = a.plen > i * 8 ? MIN(a.plen - (unsigned int)i * 8, 8U) : 0;

		t->addr_lo[i] = a.addr[i];
		t->addr_hi[i] = (uint8_t)(a.addr[i] | (0xff >> bits));
	}
	return 0;
}

static void netmap_print(const struct xt_target *t, int version, struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(version == 6 ? AF_INET6 : AF_INET, t->addr_lo, text, sizeof(text));
	strbuf_printf(b, "%s/%u", text, t->plen);
}

static void save_netmap(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_puts(b, " --to ");
	netmap_print(t, version, b);
}

static void list_netmap(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_puts(b, " to:");
	netmap_print(t, version, b);
}

static const struct arg_option reject_options[] = { { "reject-with", 'w', ARG_REQUIRED }, {} };
static const struct arg_option masquerade_options[] = { { "to-ports", 't', ARG_REQUIRED },
							{ "random", 'r', ARG_NONE },
							{ "random-fully", 'f', ARG_NONE },
							{} };
static const struct arg_option snat_options[] = { { "to-source", 'a', ARG_REQUIRED },
						  { "random", 'r', ARG_NONE },
						  { "random-fully", 'f', ARG_NONE },
						  { "persistent", 'p', ARG_NONE },
						  {} };
static const struct arg_option dnat_options[] = { { "to-destination", 'a', ARG_REQUIRED },
						  { "random", 'r', ARG_NONE },
						  { "persistent", 'p', ARG_NONE },
						  {} };
static const struct arg_option redirect_options[] = { { "to-ports", 't', ARG_REQUIRED },
						      { "random", 'r', ARG_NONE },
						      {} };
static const struct arg_option netmap_options[] = { { "to", 't', ARG_REQUIRED }, {} };

const struct target_row row_to_reject = {
	.name = "REJECT",
	.tables = "filter",
	.options = reject_options,
	.read = read_reject,
	.save = save_reject,
	.list = list_reject,
};
const struct target_row row_to_masquerade = {
	.name = "MASQUERADE",
	.tables = "nat",
	.options = masquerade_options,
	.read = read_nat,
	.save = save_to_ports,
	.list = list_to_ports,
};
const struct target_row row_to_snat = {
	.name = "SNAT",
	.tables = "nat",
	.required = "to-source",
	.options = snat_options,
	.read = read_nat,
	.save = save_to,
	.list = list_to,
};
const struct target_row row_to_dnat = {
	.name = "DNAT",
	.tables = "nat",
	.required = "to-destination",
	.options = dnat_options,
	.read = read_nat,
	.save = save_to,
	.list = list_to,
};
const struct target_row row_to_redirect = {
	.name = "REDIRECT",
	.tables = "nat",
	.options = redirect_options,
	.read = read_nat,
	.save = save_to_ports,
	.list = list_to_ports,
};
const struct target_row row_to_netmap = {
	.name = "NETMAP",
	.required = "to",
	.options = netmap_options,
	.read = read_netmap,
	.save = save_netmap,
	.list = list_netmap,
	.tables = "nat",
	.once = true,
};
