/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets that write something on the packet or its connection and let it go on: CT, MARK, CONNMARK, TCPMSS, DSCP, TTL, HL.
 */
#include <iptables/ext.h>
#include <iptables/names.h>

static int read_ct(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		   struct diag *d)
{
	static const char *const others[] = {
		['h' - 'a'] = "helper",	 ['e' - 'a'] = "ctevents",  ['x' - 'a'] = "expevents",
		['t' - 'a'] = "timeout", ['o' - 'a'] = "zone-orig", ['r' - 'a'] = "zone-reply"
	};

	t->given = true;
	if (key == 'n') {
		t->notrack = true;
		return 0;
	}
	if (key != 'z')
		return xt_refuse(d, "CT: option `--%s' is not supported", others[key - 'a']);
	if (!strcmp(value, "mark"))
		return xt_refuse(d, "CT: `--zone mark' is not supported");
	t->zone = true;
	return read_option_number("CT", "zone", value, 0, UINT16_MAX, &t->value, d);
}

static void ct_print(const struct xt_target *t, const char *dashes, struct strbuf *b)
{
	if (t->notrack)
		strbuf_printf(b, " %snotrack", dashes);
	if (t->zone)
		strbuf_printf(b, " %szone %u", dashes, t->value);
}

static void save_ct(const struct xt_target *t, int version, struct strbuf *b)
{
	ct_print(t, "--", b);
}

static void list_ct(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_puts(b, " CT");
	ct_print(t, "", b);
}

static int check_ct(const struct xt_target *t, const struct xt_rule *x, struct diag *d)
{
	return t->given ? 0 : xt_refuse(d, "CT: without an option it does nothing");
}

static void save_nothing(const struct xt_target *t, int version, struct strbuf *b) {}

static void list_notrack(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_puts(b, " NOTRACK");
}

/* Every way to say it is one: the bits of mask go, the bits of value turn. */
static int read_mark_value(struct xt_target *t, char key, const char *value, struct diag *d)
{
	uint32_t mask = UINT32_MAX, v = 0;
	uint64_t n;

	if (t->op)
		return xt_usage(d, "%s: only one of its operations is allowed",
				target_row(t->kind)->name);
	t->op = 'x';
	t->given = true;
	if (key == 'm' || key == 'x') {
		if (read_option_mark(value, &v, &mask, d))
			return IPTABLES_E_USAGE;
		t->value = v;
		t->mask = key == 'm' ? v | mask : mask;
		return 0;
	}
	if (!str_to_u64(value, 0, UINT32_MAX, &n))
		return xt_usage(d, "bad mark `%.64s'", value);
	v = (uint32_t)n;
	t->value = key == 'a' ? 0 : v;
	t->mask = key == 'a' ? ~v : key == 'o' ? v : 0;
	return 0;
}

static int read_mark(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		     struct diag *d)
{
	return read_mark_value(t, key, value, d);
}

static int check_mark(const struct xt_target *t, const struct xt_rule *x, struct diag *d)
{
	if (t->given)
		return 0;
	return xt_usage(d, "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is "
			   "required");
}

static void save_mark(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_printf(b, " --set-xmark 0x%x/0x%x", t->value, t->mask);
}

static void mark_print(const struct xt_target *t, struct strbuf *b)
{
	if (!t->value)
		strbuf_printf(b, " and 0x%x", ~t->mask);
	else if (t->value == t->mask)
		strbuf_printf(b, " or 0x%x", t->value);
	else if (!t->mask)
		strbuf_printf(b, " xor 0x%x", t->value);
	else if (t->mask == UINT32_MAX)
		strbuf_printf(b, " set 0x%x", t->value);
	else
		strbuf_printf(b, " xset 0x%x/0x%x", t->value, t->mask);
}

static void list_mark(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_puts(b, " MARK");
	mark_print(t, b);
}

static int read_connmark(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
			 struct diag *d)
{
	uint64_t n = 0;

	if (key == 's' || key == 'r') {
		if (t->op)
			return xt_usage(d, "CONNMARK: only one of its operations is allowed");
		t->op = key;
		t->given = true;
		return 0;
	}
	if (strchr("NCM", key)) {
		if (!str_to_u64(value, 0, UINT32_MAX, &n))
			return xt_usage(d,
					"CONNMARK: bad value for option `--%s', or out of range "
					"(0-4294967295)",
					key == 'N'   ? "nfmask"
					: key == 'C' ? "ctmask"
						     : "mask");
		if (key != 'C')
			t->nfmask = (uint32_t)n;
		if (key != 'N')
			t->ctmask = (uint32_t)n;
		return 0;
	}
	return read_mark_value(t, key, value, d);
}

struct xt_target xt_connmark_of(const struct xt_target *t)
{
	bool both = t->seen & OPTION_SEEN('M');
	struct xt_target c = *t;

	if (!both && !(t->seen & OPTION_SEEN('N')))
		c.nfmask = UINT32_MAX;
	if (!both && !(t->seen & OPTION_SEEN('C')))
		c.ctmask = UINT32_MAX;
	if (both && t->op == 'x')
		c.mask = t->nfmask;
	return c;
}

static int check_connmark(const struct xt_target *t, const struct xt_rule *x, struct diag *d)
{
	if (!t->given)
		return xt_usage(d, "CONNMARK target: No operation specified");
	if (t->op == 'x' && t->seen & (OPTION_SEEN('N') | OPTION_SEEN('C') | OPTION_SEEN('M')))
		return xt_refuse(d, "CONNMARK: masks go with --save-mark and --restore-mark only; "
				    "write --set-xmark VALUE/MASK");
	return 0;
}

static void save_connmark(const struct xt_target *t, int version, struct strbuf *b)
{
	struct xt_target c = xt_connmark_of(t);

	if (t->op == 'x')
		save_mark(&c, version, b);
	else
		strbuf_printf(b, " --%s-mark --nfmask 0x%x --ctmask 0x%x",
			      t->op == 's' ? "save" : "restore", c.nfmask, c.ctmask);
}

static void list_connmark(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	struct xt_target c = xt_connmark_of(t);
	bool save = t->op == 's';

	strbuf_puts(b, " CONNMARK");
	if (t->op == 'x') {
		mark_print(&c, b);
		return;
	}
	strbuf_printf(b, " %s", save ? "save" : "restore");
	if (c.nfmask == c.ctmask && c.nfmask != UINT32_MAX)
		strbuf_printf(b, " mask 0x%x", c.nfmask);
	else if (c.nfmask != c.ctmask && save)
		strbuf_printf(b, " nfmask 0x%x ctmask ~0x%x", c.nfmask, c.ctmask);
	else if (c.nfmask != c.ctmask)
		strbuf_printf(b, " ctmask 0x%x nfmask ~0x%x", c.ctmask, c.nfmask);
}

static int read_mss(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		    struct diag *d)
{
	if (t->op)
		return xt_usage(d, "TCPMSS: option `--set-mss' cannot be used together with "
				   "`--clamp-mss-to-pmtu'");
	t->op = key;
	t->given = true;
	if (key == 'c')
		return 0;
	if (read_option_number("TCPMSS", "set-mss", value, 0, x->version == 6 ? 65495 : 65515,
			       &t->value, d))
		return IPTABLES_E_USAGE;
	return t->value ? 0 : xt_refuse(d, "TCPMSS: `--set-mss 0' is not supported");
}

static int check_mss(const struct xt_target *t, const struct xt_rule *x, struct diag *d)
{
	if (!t->given)
		return xt_usage(d, "TCPMSS target: At least one parameter is required");
	if (x->proto != IPPROTO_TCP || x->proto_invert)
		return xt_refuse(d, "TCPMSS: needs `-p tcp'");
	return 0;
}

static void save_mss(const struct xt_target *t, int version, struct strbuf *b)
{
	if (t->op == 'c')
		strbuf_puts(b, " --clamp-mss-to-pmtu");
	else
		strbuf_printf(b, " --set-mss %u", t->value);
}

static void list_mss(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	if (t->op == 'c')
		strbuf_puts(b, " TCPMSS clamp to PMTU");
	else
		strbuf_printf(b, " TCPMSS set %u", t->value);
}

static int read_dscp(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		     struct diag *d)
{
	if (t->given)
		return xt_usage(d, "DSCP: option `--set-dscp' cannot be used together with "
				   "`--set-dscp-class'");
	t->given = true;
	if (key == 'd')
		return read_option_number("DSCP", "set-dscp", value, 0, 63, &t->value, d);
	return name_to_dscp(value, &t->value, d);
}

static void save_dscp(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_printf(b, " --set-dscp 0x%02x", t->value);
}

static void list_dscp(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_printf(b, " DSCP set 0x%02x", t->value);
}

static const char *hops_word(char op)
{
	return op == 's' ? "set" : op == 'i' ? "inc" : "dec";
}

static int read_hops(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		     struct diag *d)
{
	const char *name = target_row(t->kind)->name;
	char option[16];

	if (t->op)
		return xt_usage(d, "%s: only one of its options is allowed", name);
	t->op = key;
	t->given = true;
	snprintf(option, sizeof(option), "%s-%s", t->kind == XT_TO_HL ? "hl" : "ttl",
		 hops_word(key));
	return read_option_number(name, option, value, key != 's', 255, &t->value, d);
}

static int check_hops(const struct xt_target *t, const struct xt_rule *x, struct diag *d)
{
	return t->given ? 0
			: xt_usage(d, "%s: You must specify an action", target_row(t->kind)->name);
}

static void save_hops(const struct xt_target *t, int version, struct strbuf *b)
{
	strbuf_printf(b, " --%s-%s %u", t->kind == XT_TO_HL ? "hl" : "ttl", hops_word(t->op),
		      t->value);
}

static void list_hops(const struct xt_target *t, int version, bool numeric, struct strbuf *b)
{
	strbuf_printf(b, " %s %s %u", t->kind == XT_TO_HL ? "HL" : "TTL",
		      t->op == 's'   ? "set to"
		      : t->op == 'i' ? "increment by"
				     : "decrement by",
		      t->value);
}

static const struct arg_option no_options[] = { {} };
static const struct arg_option ct_options[] = {
	{ "notrack", 'n', ARG_NONE },
	{ "zone", 'z', ARG_REQUIRED },
	{ "zone-orig", 'o', ARG_REQUIRED },
	{ "zone-reply", 'r', ARG_REQUIRED },
	{ "helper", 'h', ARG_REQUIRED },
	{ "ctevents", 'e', ARG_REQUIRED },
	{ "expevents", 'x', ARG_REQUIRED },
	{ "timeout", 't', ARG_REQUIRED },
	{},
};
static const struct arg_option mark_options[] = {
	{ "set-mark", 'm', ARG_REQUIRED }, { "set-xmark", 'x', ARG_REQUIRED },
	{ "and-mark", 'a', ARG_REQUIRED }, { "or-mark", 'o', ARG_REQUIRED },
	{ "xor-mark", 'y', ARG_REQUIRED }, {},
};
static const struct arg_option connmark_options[] = {
	{ "set-mark", 'm', ARG_REQUIRED },
	{ "set-xmark", 'x', ARG_REQUIRED },
	{ "and-mark", 'a', ARG_REQUIRED },
	{ "or-mark", 'o', ARG_REQUIRED },
	{ "xor-mark", 'y', ARG_REQUIRED },
	{ "save-mark", 's', ARG_NONE },
	{ "restore-mark", 'r', ARG_NONE },
	{ "nfmask", 'N', ARG_REQUIRED },
	{ "ctmask", 'C', ARG_REQUIRED },
	{ "mask", 'M', ARG_REQUIRED },
	{},
};
static const struct arg_option mss_options[] = { { "set-mss", 's', ARG_REQUIRED },
						 { "clamp-mss-to-pmtu", 'c', ARG_NONE },
						 {} };
static const struct arg_option dscp_options[] = { { "set-dscp", 'd', ARG_REQUIRED },
						  { "set-dscp-class", 'c', ARG_REQUIRED },
						  {} };
static const struct arg_option ttl_options[] = { { "ttl-set", 's', ARG_REQUIRED },
						 { "ttl-inc", 'i', ARG_REQUIRED },
						 { "ttl-dec", 'd', ARG_REQUIRED },
						 {} };
static const struct arg_option hl_options[] = { { "hl-set", 's', ARG_REQUIRED },
						{ "hl-inc", 'i', ARG_REQUIRED },
						{ "hl-dec", 'd', ARG_REQUIRED },
						{} };

const struct target_row row_to_ct = {
	.name = "CT",
	.options = ct_options,
	.read = read_ct,
	.save = save_ct,
	.list = list_ct,
	.tables = "raw",
	.once = true,
	.check = check_ct,
};
const struct target_row row_to_notrack = {
	.name = "NOTRACK",
	.shown = "CT",
	.options = no_options,
	.save = save_nothing,
	.list = list_notrack,
	.tables = "raw",
};
const struct target_row row_to_mark = {
	.name = "MARK",
	.options = mark_options,
	.read = read_mark,
	.save = save_mark,
	.list = list_mark,
	.once = true,
	.check = check_mark,
};
const struct target_row row_to_connmark = {
	.name = "CONNMARK",
	.options = connmark_options,
	.read = read_connmark,
	.save = save_connmark,
	.list = list_connmark,
	.once = true,
	.check = check_connmark,
};
const struct target_row row_to_tcpmss = {
	.name = "TCPMSS",
	.options = mss_options,
	.read = read_mss,
	.save = save_mss,
	.list = list_mss,
	.once = true,
	.check = check_mss,
};
const struct target_row row_to_dscp = {
	.name = "DSCP",
	.required = "set-dscp",
	.options = dscp_options,
	.read = read_dscp,
	.save = save_dscp,
	.list = list_dscp,
	.tables = "mangle",
	.once = true,
};
const struct target_row row_to_ttl = {
	.name = "TTL",
	.options = ttl_options,
	.read = read_hops,
	.save = save_hops,
	.list = list_hops,
	.version = 4,
	.tables = "mangle",
	.once = true,
	.check = check_hops,
};
const struct target_row row_to_hl = {
	.name = "HL",
	.options = hl_options,
	.read = read_hops,
	.save = save_hops,
	.list = list_hops,
	.version = 6,
	.tables = "mangle",
	.once = true,
	.check = check_hops,
};
