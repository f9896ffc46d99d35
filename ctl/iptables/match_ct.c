/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Matches on the connection: state, conntrack, connmark, connlimit.
 */
#include <iptables/ext.h>
#include <iptables/names.h>
#include <iptables/parse.h>

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <strings.h>

static int read_state(struct xt_match *m, char key, const char *value, bool invert,
		      const struct xt_rule *x, struct diag *d)
{
	if (m->given)
		return xt_usage(d, "`--state' can only be used once");
	m->given = true;
	m->invert = invert;
	return names_to_states(value, false, &m->value, d);
}

static void save_state(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --state", m->invert ? " !" : "");
	states_print(m->value, b);
}

static void list_state(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		       struct strbuf *b)
{
	strbuf_printf(b, "%s state", m->invert ? " !" : "");
	states_print(m->value, b);
}

static const struct {
	const char *option;
	char key;
} items[XT_CT_ITEMS] = {
	[XT_CT_STATE] = { "ctstate", 'a' },
	[XT_CT_PROTO] = { "ctproto", 'b' },
	[XT_CT_ORIGSRC] = { "ctorigsrc", 'c' },
	[XT_CT_ORIGDST] = { "ctorigdst", 'd' },
	[XT_CT_REPLSRC] = { "ctreplsrc", 'e' },
	[XT_CT_REPLDST] = { "ctrepldst", 'f' },
	[XT_CT_ORIGSRCPORT] = { "ctorigsrcport", 'g' },
	[XT_CT_ORIGDSTPORT] = { "ctorigdstport", 'h' },
	[XT_CT_REPLSRCPORT] = { "ctreplsrcport", 'i' },
	[XT_CT_REPLDSTPORT] = { "ctrepldstport", 'j' },
	[XT_CT_STATUS] = { "ctstatus", 'k' },
	[XT_CT_EXPIRE] = { "ctexpire", 'l' },
	[XT_CT_DIR] = { "ctdir", 'm' },
};

static const struct {
	const char *name;
	uint32_t bit;
} statuses[] = {
	{ "NONE", 0 },
	{ "EXPECTED", IPS_EXPECTED },
	{ "SEEN_REPLY", IPS_SEEN_REPLY },
	{ "ASSURED", IPS_ASSURED },
	{ "CONFIRMED", IPS_CONFIRMED },
};

static int read_status(const char *s, uint32_t *ret, struct diag *d)
{
	for (;;) {
		size_t n = strcspn(s, ","), i;

		for (i = 0; i < ARRAY_SIZE(statuses); i++)
			if (n && n == strlen(statuses[i].name) &&
			    !strncasecmp(s, statuses[i].name, n))
				break;
		if (i == ARRAY_SIZE(statuses))
			return xt_usage(d, "Bad ctstatus `%.*s'", (int)MIN(n, 64U), s);
		*ret |= statuses[i].bit;
		if (!s[n])
			return 0;
		s += n + 1;
	}
}

static int read_expire(const char *s, struct xt_conntrack *ct, struct diag *d)
{
	const char *colon = strchr(s, ':');
	char word[16];
	uint64_t lo = 0, hi = UINT32_MAX;

	snprintf(word, sizeof(word), "%.*s", colon ? (int)MIN(colon - s, 15) : 15, s);
	if (((*word || !colon) && !str_to_u64(word, 0, UINT32_MAX, &lo)) ||
	    (!colon && strlen(s) > 15) ||
	    (colon && colon[1] && !str_to_u64(colon + 1, 0, UINT32_MAX, &hi)))
		return xt_usage(d, "conntrack: bad value for option `--ctexpire', or out of range "
				   "(0-4294967295)");
	if (!colon)
		hi = lo;
	if (lo > hi)
		return xt_usage(d, "conntrack: `--ctexpire %.32s' ends before it begins", s);
	ct->expire_lo = (uint32_t)lo;
	ct->expire_hi = (uint32_t)hi;
	return 0;
}

static int read_dir(const char *s, bool invert, bool *ret_reply, struct diag *d)
{
	if (invert)
		return xt_usage(d, "conntrack: option `--ctdir' cannot be inverted");
	*ret_reply = !strcasecmp(s, "REPLY");
	if (!*ret_reply && strcasecmp(s, "ORIGINAL"))
		return xt_usage(d, "Bad value for --ctdir, use ORIGINAL or REPLY");
	return 0;
}

static int read_conntrack(struct xt_match *m, char key, const char *value, bool invert,
			  const struct xt_rule *x, struct diag *d)
{
	struct xt_conntrack *ct = &m->ct;
	unsigned int item = (unsigned int)(key - 'a');

	if (ct->given & 1U << item)
		return xt_usage(d, "`--%s' can only be used once", items[item].option);
	ct->given |= 1U << item;
	ct->invert |= (uint32_t)invert << item;
	m->given = true;
	switch (item) {
	case XT_CT_STATE:
		return names_to_states(value, true, &ct->states, d);
	case XT_CT_PROTO:
		if (!name_to_proto(value, &ct->proto))
			return xt_usage(d, "unknown protocol `%.64s' specified", value);
		if (!ct->proto && invert)
			return xt_usage(d, "conntrack: rule would never match protocol");
		return 0;
	case XT_CT_STATUS:
		return read_status(value, &ct->status, d);
	case XT_CT_EXPIRE:
		return read_expire(value, ct, d);
	case XT_CT_DIR:
		return read_dir(value, invert, &ct->reply, d);
	default:
		break;
	}
	if (item >= XT_CT_ORIGSRCPORT)
		return read_port_span(value, "tcp", &ct->port[item - XT_CT_ORIGSRCPORT], d);
	return addr_parse(value, strlen(value), x->version, &ct->addr[item - XT_CT_ORIGSRC], d)
		       ? 0
		       : IPTABLES_E_USAGE;
}

/*
 * A packet without a connection has the state INVALID or UNTRACKED, and if that passes netfilter looks at no other option.
 * The model's fields of a connection do not match such a packet: what would differ is refused.
 */
static int check_ctstate(const struct xt_conntrack *ct, struct diag *d)
{
	const uint32_t none = 1U << GW_CT_INVALID | 1U << GW_CT_UNTRACKED;
	uint32_t nat = ct->states & (XT_STATE_SNAT | XT_STATE_DNAT), states = ct->states & ~nat;
	bool invert = ct->invert & 1U << XT_CT_STATE;

	if (nat && states && !invert)
		return xt_refuse(d, "`--ctstate' with SNAT or DNAT beside other states is not "
				    "supported: use a rule for each");
	if (nat && invert && (states & none) != none)
		return xt_refuse(d, "`! --ctstate' with SNAT or DNAT is supported only together "
				    "with INVALID,UNTRACKED");
	if (ct->given != 1U << XT_CT_STATE && (invert ? ~states : states) & none)
		return xt_refuse(d, "`--ctstate' that takes INVALID or UNTRACKED beside other "
				    "options is not supported: use a second -m conntrack");
	return 0;
}

static int check_conntrack(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	const struct xt_conntrack *ct = &m->ct;

	if (!ct->given)
		return xt_usage(d, "conntrack: At least one option is required");
	if (ct->given & 1U << XT_CT_STATUS && !ct->status && !(ct->invert & 1U << XT_CT_STATUS))
		return xt_refuse(d, "`--ctstatus NONE' never matches");
	return ct->given & 1U << XT_CT_STATE ? check_ctstate(ct, d) : 0;
}

static void ct_addr_print(const struct xt_addr *a, int version, bool numeric, struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(version == 6 ? AF_INET6 : AF_INET, a->addr, text, sizeof(text));
	if (!a->plen && !numeric) {
		strbuf_puts(b, "anywhere");
		return;
	}
	strbuf_puts(b, text);
	if (a->plen != (version == 6 ? 128U : 32U))
		strbuf_printf(b, "/%u", a->plen);
}

static void ct_expire_print(const struct xt_conntrack *ct, struct strbuf *b)
{
	if (ct->expire_lo == ct->expire_hi)
		strbuf_printf(b, "%u", ct->expire_lo);
	else
		strbuf_printf(b, "%u:%u", ct->expire_lo, ct->expire_hi);
}

static void ct_status_print(uint32_t status, struct strbuf *b)
{
	const char *sep = "";

	if (!status)
		strbuf_puts(b, "NONE");
	for (size_t i = 1; i < ARRAY_SIZE(statuses); i++) {
		if (!(status & statuses[i].bit))
			continue;
		strbuf_printf(b, "%s%s", sep, statuses[i].name);
		sep = ",";
	}
}

static void ct_item_print(const struct xt_conntrack *ct, unsigned int item, int version,
			  bool numeric, struct strbuf *b)
{
	const struct xt_range *port;

	switch (item) {
	case XT_CT_PROTO:
		strbuf_printf(b, "%u", ct->proto);
		return;
	case XT_CT_STATUS:
		ct_status_print(ct->status, b);
		return;
	case XT_CT_EXPIRE:
		ct_expire_print(ct, b);
		return;
	case XT_CT_DIR:
		strbuf_puts(b, ct->reply ? "REPLY" : "ORIGINAL");
		return;
	default:
		break;
	}
	if (item < XT_CT_ORIGSRCPORT) {
		ct_addr_print(&ct->addr[item - XT_CT_ORIGSRC], version, numeric, b);
		return;
	}
	port = &ct->port[item - XT_CT_ORIGSRCPORT];
	strbuf_printf(b, "%u", port->lo);
	if (port->lo != port->hi)
		strbuf_printf(b, ":%u", port->hi);
}

static void conntrack_print(const struct xt_match *m, int version, bool numeric, const char *dashes,
			    struct strbuf *b)
{
	for (unsigned int i = 0; i < XT_CT_ITEMS; i++) {
		if (!(m->ct.given & 1U << i))
			continue;
		strbuf_printf(b, "%s %s%s", m->ct.invert & 1U << i ? " !" : "", dashes,
			      items[i].option);
		if (i == XT_CT_STATE) {
			states_print(m->ct.states, b);
			continue;
		}
		strbuf_puts(b, " ");
		ct_item_print(&m->ct, i, version, numeric, b);
	}
}

static void save_conntrack(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	conntrack_print(m, x->version, true, "--", b);
}

static void list_conntrack(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			   struct strbuf *b)
{
	conntrack_print(m, x->version, numeric, "", b);
}

static int read_connmark(struct xt_match *m, char key, const char *value, bool invert,
			 const struct xt_rule *x, struct diag *d)
{
	if (read_option_mark(value, &m->value, &m->mask, d))
		return IPTABLES_E_USAGE;
	if (m->given)
		return xt_usage(d, "`--mark' can only be used once");
	m->given = true;
	m->invert = invert;
	return 0;
}

static void connmark_print(const struct xt_match *m, struct strbuf *b)
{
	strbuf_printf(b, " 0x%x", m->value);
	if (m->mask != UINT32_MAX)
		strbuf_printf(b, "/0x%x", m->mask);
}

static void save_connmark(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, "%s --mark", m->invert ? " !" : "");
	connmark_print(m, b);
}

static void list_connmark(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			  struct strbuf *b)
{
	strbuf_printf(b, " %s match", m->kind == XT_MARK ? "mark" : "connmark");
	if (m->invert)
		strbuf_puts(b, " !");
	else if (m->kind == XT_CONNMARK)
		strbuf_puts(b, " ");
	connmark_print(m, b);
}

static int read_connlimit(struct xt_match *m, char key, const char *value, bool invert,
			  const struct xt_rule *x, struct diag *d)
{
	uint32_t n = 0;
	int r;

	switch (key) {
	case 'u':
	case 'a':
		if (m->given)
			return xt_usage(d, "connlimit: option `--connlimit-above' cannot be used "
					   "together with `--connlimit-upto'");
		m->given = true;
		m->conn.above = (key == 'a') != invert;
		return read_option_number("connlimit",
					  key == 'a' ? "connlimit-above" : "connlimit-upto", value,
					  0, UINT32_MAX, &m->value, d);
	case 'm':
		r = read_option_number("connlimit", "connlimit-mask", value, 0,
				       x->version == 6 ? 128 : 32, &n, d);
		m->conn.plen = (uint8_t)n;
		return r;
	default:
		m->conn.dest = key == 'd';
		return 0;
	}
}

static unsigned int connlimit_plen(const struct xt_match *m, int version)
{
	return m->seen & OPTION_SEEN('m') ? m->conn.plen : version == 6 ? 128 : 32;
}

static int check_connlimit(const struct xt_match *m, const struct xt_rule *x, struct diag *d)
{
	unsigned int plen = connlimit_plen(m, x->version);

	if (!m->given)
		return xt_usage(d, "You must specify \"--connlimit-above\" or "
				   "\"--connlimit-upto\".");
	if (m->seen & OPTION_SEEN('s') && m->seen & OPTION_SEEN('d'))
		return xt_usage(d, "connlimit: option `--connlimit-saddr' cannot be used together "
				   "with `--connlimit-daddr'");
	if (plen && plen != (x->version == 6 ? 128 : 32))
		return xt_refuse(d,
				 "`--connlimit-mask %u' is not supported, only 0 and %d: whole "
				 "networks are not counted",
				 plen, x->version == 6 ? 128 : 32);
	return 0;
}

static void save_connlimit(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b)
{
	strbuf_printf(b, " --connlimit-%s %u --connlimit-mask %u --connlimit-%saddr",
		      m->conn.above ? "above" : "upto", m->value, connlimit_plen(m, x->version),
		      m->conn.dest ? "d" : "s");
}

static void list_connlimit(const struct xt_match *m, const struct xt_rule *x, bool numeric,
			   struct strbuf *b)
{
	strbuf_printf(b, " #conn %s/%u %s %u", m->conn.dest ? "dst" : "src",
		      connlimit_plen(m, x->version), m->conn.above ? ">" : "<=", m->value);
}

static const struct arg_option state_options[] = { { "state", 's', ARG_REQUIRED }, {} };
static const struct arg_option conntrack_options[] = {
	{ "ctstate", 'a', ARG_REQUIRED },	{ "ctproto", 'b', ARG_REQUIRED },
	{ "ctorigsrc", 'c', ARG_REQUIRED },	{ "ctorigdst", 'd', ARG_REQUIRED },
	{ "ctreplsrc", 'e', ARG_REQUIRED },	{ "ctrepldst", 'f', ARG_REQUIRED },
	{ "ctorigsrcport", 'g', ARG_REQUIRED }, { "ctorigdstport", 'h', ARG_REQUIRED },
	{ "ctreplsrcport", 'i', ARG_REQUIRED }, { "ctrepldstport", 'j', ARG_REQUIRED },
	{ "ctstatus", 'k', ARG_REQUIRED },	{ "ctexpire", 'l', ARG_REQUIRED },
	{ "ctdir", 'm', ARG_REQUIRED },		{},
};
static const struct arg_option mark_options[] = { { "mark", 'm', ARG_REQUIRED }, {} };
static const struct arg_option connlimit_options[] = {
	{ "connlimit-upto", 'u', ARG_REQUIRED }, { "connlimit-above", 'a', ARG_REQUIRED },
	{ "connlimit-mask", 'm', ARG_REQUIRED }, { "connlimit-saddr", 's', ARG_NONE },
	{ "connlimit-daddr", 'd', ARG_NONE },	 {},
};

const struct match_row row_state = {
	.name = "state",
	.version = 46,
	.required = "state",
	.options = state_options,
	.read = read_state,
	.save = save_state,
	.list = list_state,
};
const struct match_row row_conntrack = {
	.name = "conntrack",
	.version = 46,
	.options = conntrack_options,
	.read = read_conntrack,
	.save = save_conntrack,
	.list = list_conntrack,
	.check = check_conntrack,
};
const struct match_row row_mark = {
	.name = "mark",
	.version = 46,
	.required = "mark",
	.options = mark_options,
	.read = read_connmark,
	.save = save_connmark,
	.list = list_connmark,
};
const struct match_row row_connmark = {
	.name = "connmark",
	.version = 46,
	.required = "mark",
	.options = mark_options,
	.read = read_connmark,
	.save = save_connmark,
	.list = list_connmark,
};
const struct match_row row_connlimit = {
	.name = "connlimit",
	.version = 46,
	.options = connlimit_options,
	.read = read_connlimit,
	.save = save_connlimit,
	.list = list_connlimit,
	.inverts = "ua",
	.check = check_connlimit,
};
