/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/ext.h>
#include <iptables/names.h>

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

static void list_reject(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_printf(b, " reject-with %s", reject_to_name(version, t->reject));
}

static int need_ports(const struct xt_rule *x, struct diag *d)
{
	if (!x->proto_invert && (x->proto == IPPROTO_TCP || x->proto == IPPROTO_UDP))
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
		return xt_refuse(d, "shifted port ranges (`%.32s') are not supported yet", value);
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

static void list_to(const struct xt_target *t, int version, struct strbuf *b)
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

static void list_to_ports(const struct xt_target *t, int version, struct strbuf *b)
{
	if (t->has_port) {
		strbuf_puts(b, t->kind == XT_REDIRECT ? " redir ports " : " masq ports: ");
		port_print(t, b);
	}
	flags_print(t, "", b);
}

static int read_ct(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		   struct diag *d)
{
	t->given = true;
	return 0;
}

static void save_ct(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_puts(b, " --notrack");
}

static void list_ct(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_puts(b, t->kind == XT_CT ? " CT notrack" : " NOTRACK");
}

static void print_nothing(const struct xt_target *t, int version, struct strbuf *b) {}

static const struct arg_option no_options[] = { {} };
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
static const struct arg_option ct_options[] = { { "notrack", 'n', ARG_NONE }, {} };

static const struct target_row rows[XT_TARGET_MAX] = {
	[XT_NO_TARGET] = { "", NULL, NULL, no_options, NULL, print_nothing, print_nothing },
	[XT_ACCEPT] = { "ACCEPT", NULL, NULL, no_options, NULL, print_nothing, print_nothing },
	[XT_DROP] = { "DROP", NULL, NULL, no_options, NULL, print_nothing, print_nothing },
	[XT_REJECT] = { "REJECT", NULL, NULL, reject_options, read_reject, save_reject,
			list_reject },
	[XT_MASQUERADE] = { "MASQUERADE", NULL, NULL, masquerade_options, read_nat, save_to_ports,
			    list_to_ports },
	[XT_SNAT] = { "SNAT", NULL, "to-source", snat_options, read_nat, save_to, list_to },
	[XT_DNAT] = { "DNAT", NULL, "to-destination", dnat_options, read_nat, save_to, list_to },
	[XT_REDIRECT] = { "REDIRECT", NULL, NULL, redirect_options, read_nat, save_to_ports,
			  list_to_ports },
	[XT_CT] = { "CT", NULL, "notrack", ct_options, read_ct, save_ct, list_ct },
	[XT_NOTRACK] = { "NOTRACK", "CT", NULL, no_options, NULL, print_nothing, list_ct },
};

const struct target_row *target_row(enum xt_target_kind kind)
{
	return &rows[kind];
}

enum xt_target_kind target_find(const char *name)
{
	for (int i = XT_ACCEPT; i < XT_TARGET_MAX; i++)
		if (!strcmp(rows[i].name, name))
			return (enum xt_target_kind)i;
	return XT_TARGET_MAX;
}
