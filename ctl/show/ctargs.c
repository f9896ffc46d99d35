/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <strings.h>
#include <show/ctargs.h>
#include <show/names.h>
#include <show/show.h>

/* Bits of the commands an option may stand with; -G never gets as far as complaining about one. */
#define ON(command) (1U << CT_##command)
#define ON_CREATE   (ON(CREATE) | ON(ADD))
#define ON_FILTER   (ON(LIST) | ON(GET) | ON(DELETE) | ON(EVENT) | ON(UPDATE))

enum {
	OPT_LONG = 256,
	OPT_MASK_SRC,
	OPT_MASK_DST,
	OPT_SPORT,
	OPT_DPORT,
	OPT_REPLY_SPORT,
	OPT_REPLY_DPORT,
	OPT_STATE,
	OPT_ICMP_TYPE,
	OPT_ICMP_CODE,
	OPT_ICMP_ID,
	OPT_ORIG_ZONE,
	OPT_REPLY_ZONE,
	OPT_LABEL_ADD,
	OPT_LABEL_DEL,
	OPT_RESYNC,
	OPT_LAST
};

/* One row per option; the first row of a code names it in messages. */
static const struct opt_row {
	const char *name;
	int code;
	int arg; /* of struct option.has_arg */
	enum ct_command command;
	unsigned int on;
} opt_rows[] = {
	{ "dump", 'L', no_argument, CT_LIST, 0 },
	{ "get", 'G', no_argument, CT_GET, 0 },
	{ "delete", 'D', no_argument, CT_DELETE, 0 },
	{ "event", 'E', no_argument, CT_EVENT, 0 },
	{ "flush", 'F', no_argument, CT_FLUSH, 0 },
	{ "count", 'C', no_argument, CT_COUNT, 0 },
	{ "stats", 'S', no_argument, CT_STATS, 0 },
	{ "help", 'h', no_argument, CT_HELP, 0 },
	{ "version", 'V', no_argument, CT_VERSION, 0 },
	{ "create", 'I', no_argument, CT_CREATE, 0 },
	{ "add", 'A', no_argument, CT_ADD, 0 },
	{ "update", 'U', no_argument, CT_UPDATE, 0 },
	{ "src", 's', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "orig-src", 's', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "dst", 'd', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "orig-dst", 'd', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "reply-src", 'r', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "reply-dst", 'q', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "protonum", 'p', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "timeout", 't', required_argument, CT_NONE, ON_CREATE | ON(UPDATE) },
	{ "status", 'u', required_argument, CT_NONE, (ON_FILTER & ~ON(EVENT)) | ON_CREATE },
	{ "event-mask", 'e', required_argument, CT_NONE, ON(EVENT) },
	{ "mask-src", OPT_MASK_SRC, required_argument, CT_NONE, ON_FILTER },
	{ "mask-dst", OPT_MASK_DST, required_argument, CT_NONE, ON_FILTER },
	{ "mark", 'm', required_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "id", 'i', required_argument, CT_NONE, ON_FILTER },
	{ "family", 'f', required_argument, CT_NONE, ON_FILTER | ON(FLUSH) | ON_CREATE },
	{ "src-nat", 'n', optional_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "dst-nat", 'g', optional_argument, CT_NONE, ON_FILTER | ON_CREATE },
	{ "output", 'o', required_argument, CT_NONE, ON_FILTER | ON(COUNT) | ON(STATS) },
	{ "buffer-size", 'b', required_argument, CT_NONE, ON(EVENT) },
	{ "any-nat", 'j', optional_argument, CT_NONE, ON(LIST) | ON(GET) | ON(EVENT) },
	{ "zone", 'w', required_argument, CT_NONE, ON(LIST) | ON(DELETE) | ON(EVENT) | ON_CREATE },
	{ "orig-zone", OPT_ORIG_ZONE, required_argument, CT_NONE,
	  ON(LIST) | ON(DELETE) | ON(EVENT) },
	{ "reply-zone", OPT_REPLY_ZONE, required_argument, CT_NONE,
	  ON(LIST) | ON(DELETE) | ON(EVENT) },
	/* ours: a snapshot in front of the events, and behind each loss */
	{ "resync", OPT_RESYNC, no_argument, CT_NONE, ON(EVENT) },
	/* conntrack has these, we have not: refused by name instead of as a typing error */
	{ "load-file", 'R', required_argument, CT_NONE, 0 },
	{ "zero", 'z', no_argument, CT_NONE, 0 },
	{ "secmark", 'c', required_argument, CT_NONE, 0 },
	{ "label", 'l', required_argument, CT_NONE, 0 },
	{ "label-add", OPT_LABEL_ADD, required_argument, CT_NONE, 0 },
	{ "label-del", OPT_LABEL_DEL, optional_argument, CT_NONE, 0 },
};

/* Options that a protocol brings: known only behind its -p. */
static const struct {
	const char *name;
	int code;
	uint8_t proto; /* 0: all that have ports */
} proto_rows[] = {
	{ "sport", OPT_SPORT, 0 },
	{ "orig-port-src", OPT_SPORT, 0 },
	{ "dport", OPT_DPORT, 0 },
	{ "orig-port-dst", OPT_DPORT, 0 },
	{ "reply-port-src", OPT_REPLY_SPORT, 0 },
	{ "reply-port-dst", OPT_REPLY_DPORT, 0 },
	{ "state", OPT_STATE, IPPROTO_TCP },
	{ "icmp-type", OPT_ICMP_TYPE, IPPROTO_ICMP },
	{ "icmp-code", OPT_ICMP_CODE, IPPROTO_ICMP },
	{ "icmp-id", OPT_ICMP_ID, IPPROTO_ICMP },
	{ "icmpv6-type", OPT_ICMP_TYPE, IPPROTO_ICMPV6 },
	{ "icmpv6-code", OPT_ICMP_CODE, IPPROTO_ICMPV6 },
	{ "icmpv6-id", OPT_ICMP_ID, IPPROTO_ICMPV6 },
};

#define OPTIONS_MAX (ARRAY_SIZE(opt_rows) + ARRAY_SIZE(proto_rows) + 1)
struct parse {
	struct ctargs *args;
	struct diag *d;
	char **argv;
	int argc;
	struct option options[OPTIONS_MAX];
	size_t n_options;
	bool given[OPT_LAST]; /* by code */
	bool nat_end[2];      /* -g, -n with an address */
	bool status_unset;
	uint32_t status_other; /* what can not be set by hand */
};

const char ctargs_help[] =
	"Usage: gwctl conntrack COMMAND [OPTIONS]    (the command line of conntrack(8))\n"
	"\n"
	"Commands:\n"
	"  -L, --dump            list connections\n"
	"  -G, --get             show one connection\n"
	"  -D, --delete          delete connections\n"
	"  -E, --event           show events until interrupted\n"
	"  -I, --create          enter a connection\n"
	"  -A, --add             likewise, if it is not there\n"
	"  -U, --update          change mark, timeout, status or state\n"
	"  -F, --flush           delete all connections\n"
	"  -C, --count           how many connections there are\n"
	"  -S, --stats           statistics, one line per CPU\n"
	"\n"
	"Filters:\n"
	"  -s, --src, --orig-src ADDRESS[/LENGTH]    source, original direction\n"
	"  -d, --dst, --orig-dst ADDRESS[/LENGTH]    destination, original direction\n"
	"  -r, --reply-src ADDRESS[/LENGTH]          source, reply direction\n"
	"  -q, --reply-dst ADDRESS[/LENGTH]          destination, reply direction\n"
	"      --mask-src MASK, --mask-dst MASK      masks for -s and -d\n"
	"  -p, --protonum PROTOCOL                   tcp, udp, icmp, icmpv6, sctp, gre, ... or a "
	"number\n"
	"  -f, --family ipv4|ipv6\n"
	"  -u, --status ASSURED|SEEN_REPLY|UNREPLIED[,...]\n"
	"  -m, --mark MARK[/MASK]\n"
	"  -w, --zone ZONE, --orig-zone ZONE, --reply-zone ZONE\n"
	"  -i, --id ID\n"
	"  -n, --src-nat [ADDRESS[:PORT]], -g, --dst-nat, -j, --any-nat\n"
	"  -e, --event-mask ALL|NEW|UPDATES|DESTROY[,...]\n"
	"      --resync          all connections in front of the events, and behind a loss\n"
	"To be set by -I and -U, and there no filters:\n"
	"  -t, --timeout SECONDS, -m, --mark MARK[/MASK], -u, --status SEEN_REPLY|ASSURED[,...],\n"
	"      --state STATE\n"
	"behind -p tcp, udp, udplite, sctp, dccp:\n"
	"      --sport, --orig-port-src PORT, --dport, --orig-port-dst PORT\n"
	"      --reply-port-src PORT, --reply-port-dst PORT\n"
	"behind -p tcp:    --state STATE\n"
	"behind -p icmp:   --icmp-type N, --icmp-code N, --icmp-id N\n"
	"behind -p icmpv6: --icmpv6-type N, --icmpv6-code N, --icmpv6-id N\n"
	"\n"
	"Output:\n"
	"  -o, --output extended,id,timestamp,acct,rule,seq,json | proc | save | xml\n";

#define usage(d, ...)	(diag_set((d), __VA_ARGS__), CTARGS_E_USAGE)
#define refused(d, ...) (diag_set((d), __VA_ARGS__), CTARGS_E_REFUSED)

static const struct opt_row *row_of(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(opt_rows); i++)
		if (opt_rows[i].code == code)
			return &opt_rows[i];
	return NULL;
}

static void add_option(struct parse *p, const char *name, int arg, int code)
{
	for (size_t i = 0; i < p->n_options; i++)
		if (!strcmp(p->options[i].name, name))
			return; /* -p given twice */
	if (p->n_options + 1 < OPTIONS_MAX)
		p->options[p->n_options++] = (struct option){ name, arg, NULL, code };
}

static int parse_number(struct parse *p, const char *what, const char *text, uint64_t max,
			uint64_t *ret)
{
	if (!str_to_u64(text, 0, max, ret))
		return usage(p->d, "Invalid %s `%s'", what, text);
	return 0;
}

static int parse_int(struct parse *p, const char *what, const char *text, int max, int32_t *ret)
{
	uint64_t n;
	int r = parse_number(p, what, text, max, &n);

	if (!r)
		*ret = n;
	return r;
}

static void mask_set(uint8_t mask[16], unsigned int bits)
{
	memset(mask, 0, 16);
	for (unsigned int i = 0; i < bits; i++)
		mask[i / 8] |= 0x80 >> (i % 8);
}

static int parse_ip(const char *text, uint8_t addr[16])
{
	memset(addr, 0, 16);
	if (inet_pton(AF_INET, text, addr) == 1)
		return 4;
	return inet_pton(AF_INET6, text, addr) == 1 ? 6 : 0;
}

static int claim_family(struct flow_filter *f, int family, struct diag *d)
{
	if (f->family && f->family != family)
		return usage(d, "mismatched address family");
	f->family = family;
	return 0;
}

int ctargs_address(struct flow_filter *f, int which, const char *text, struct diag *d)
{
	char copy[INET6_ADDRSTRLEN + 8];
	uint64_t bits = 128;
	char *slash;
	int family;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return usage(d, "Invalid IP address `%s'", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	family = parse_ip(copy, f->addr[which].addr);
	if (!family)
		return usage(d, "Invalid IP address `%s'", copy);
	if (slash && !str_to_u64(slash + 1, 0, family == 4 ? 32 : 128, &bits))
		return usage(d, "Invalid netmask");
	mask_set(f->addr[which].mask, bits);
	f->addr[which].family = family;
	return claim_family(f, family, d);
}

int ctargs_mark(struct flow_filter *f, const char *text, struct diag *d)
{
	char copy[64];
	uint64_t mark, mask = UINT32_MAX;
	char *slash;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return usage(d, "Invalid mark `%s'", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (!str_to_u64(copy, 0, UINT32_MAX, &mark) ||
	    (slash && !str_to_u64(slash + 1, 0, UINT32_MAX, &mask)))
		return usage(d, "Invalid mark `%s'", text);
	f->has_mark = true;
	f->mark = mark;
	f->mark_mask = mask;
	return 0;
}

/* conntrack masks only the original direction, and what is created has one address. */
static int parse_address(struct parse *p, int which)
{
	static const char *const names[] = { "src", "dst", "reply-src", "reply-dst" };

	if (strchr(optarg, '/') && which >= FF_REPLY_SRC)
		return usage(p->d, "CIDR notation unavailable for `--%s'", names[which]);
	if (strchr(optarg, '/'))
		p->given[which == FF_ORIG_SRC ? OPT_MASK_SRC : OPT_MASK_DST] = true;
	return ctargs_address(&p->args->filter, which, optarg, p->d);
}

static int parse_mask(struct parse *p, int which, const char *name, const char *text)
{
	struct flow_filter *f = &p->args->filter;
	uint8_t mask[16];
	int family = parse_ip(text, mask);

	if (!family)
		return usage(p->d, "Invalid IP address `%s'", text);
	if (!f->addr[which].family)
		return usage(p->d, "Can't use --mask-%s without --%s", name, name);
	if (f->addr[which].family != family)
		return usage(p->d, "mismatched address family");
	memcpy(f->addr[which].mask, mask, 16);
	return 0;
}

/* The optional address behind -n, -g, -j may be attached, or be the next word. */
static const char *optional_word(struct parse *p)
{
	if (optarg)
		return optarg;
	if (optind < p->argc && p->argv[optind][0] != '-')
		return p->argv[optind++];
	return NULL;
}

/* "ADDRESS[:PORT]" as what an end became: of the source that is where replies go to, and the other way round. */
static int parse_nat_end(struct parse *p, int code, char *text)
{
	struct flow_filter *f = &p->args->filter;
	int which = code == 'n' ? FF_REPLY_DST : FF_REPLY_SRC, r = 0;
	char *colon = strchr(text, ':');
	int32_t port = -1;

	if (colon && !strchr(colon + 1, ':')) {
		*colon = '\0';
		r = parse_int(p, "port", colon + 1, 65535, &port);
	}
	if (r)
		return r;
	if (code != 'j') {
		f->port[which] = port;
		if (port >= 0)
			f->pat |= code == 'n' ? GW_FLOW_SNAT : GW_FLOW_DNAT;
		p->nat_end[which == FF_REPLY_DST] = true;
		return ctargs_address(f, which, text, p->d);
	}
	f->nat_port = port;
	f->nat_family = parse_ip(text, f->nat_addr);
	if (!f->nat_family)
		return usage(p->d, "Invalid IP address `%s'", text);
	return claim_family(f, f->nat_family, p->d);
}

static int parse_nat(struct parse *p, int code)
{
	struct flow_filter *f = &p->args->filter;
	const char *address = optional_word(p);
	char copy[INET6_ADDRSTRLEN + 8];

	if (code == 'n')
		f->status_set |= GW_FLOW_SNAT;
	else if (code == 'g')
		f->status_set |= GW_FLOW_DNAT;
	else
		f->nat = GW_FLOW_SNAT | GW_FLOW_DNAT;
	if (!address)
		return 0;
	if (snprintf(copy, sizeof(copy), "%s", address) >= (int)sizeof(copy))
		return usage(p->d, "Invalid IP address `%s'", address);
	return parse_nat_end(p, code, copy);
}

/* Words separated by commas; each row's name may be shortened and written in any case, as conntrack allows. */
struct word_row {
	const char *name;
	unsigned int set, clear;
};

static int parse_words(struct parse *p, const char *text, const struct word_row *rows, size_t n,
		       uint32_t *ret_set, uint32_t *ret_clear)
{
	while (*text) {
		size_t len = strcspn(text, ","), i = 0;

		while (i < n &&
		       (!len || strncasecmp(text, rows[i].name, len) || len > strlen(rows[i].name)))
			i++;
		if (i == n)
			return usage(p->d, "Bad parameter `%s'", text);
		*ret_set |= rows[i].set;
		*ret_clear |= rows[i].clear;
		text += len + (text[len] == ',');
	}
	return 0;
}

static int parse_status(struct parse *p)
{
	/* of these two kinds there is no connection here; UNSET is no bit at all */
	enum { NEVER = 1U << 31, UNSET = 1U << 30 };
	static const struct word_row rows[] = {
		{ "ASSURED", GW_FLOW_ASSURED, 0 },
		{ "SEEN_REPLY", GW_FLOW_SEEN_REPLY, 0 },
		{ "UNSET", UNSET, 0 },
		{ "FIXED_TIMEOUT", NEVER, 0 },
		{ "EXPECTED", GW_FLOW_EXPECTED, 0 },
		{ "OFFLOAD", NEVER, 0 },
		{ "UNREPLIED", 0, GW_FLOW_SEEN_REPLY },
	};
	struct flow_filter *f = &p->args->filter;
	uint32_t set = 0;
	int r = parse_words(p, optarg, rows, ARRAY_SIZE(rows), &set, &f->status_clear);

	f->none |= !!(set & NEVER);
	p->status_unset |= !!(set & UNSET);
	p->args->change.status |= set & (GW_FLOW_ASSURED | GW_FLOW_SEEN_REPLY);
	p->status_other |= set & ~(GW_FLOW_ASSURED | GW_FLOW_SEEN_REPLY | UNSET);
	f->status_set |= set & ~(NEVER | UNSET);
	return r;
}

static int parse_events(struct parse *p)
{
	static const struct word_row rows[] = {
		{ "ALL", 1U << GW_EVENT_NEW | 1U << GW_EVENT_UPDATE | 1U << GW_EVENT_DESTROY, 0 },
		{ "NEW", 1U << GW_EVENT_NEW, 0 },
		{ "UPDATES", 1U << GW_EVENT_UPDATE, 0 },
		{ "DESTROY", 1U << GW_EVENT_DESTROY, 0 },
	};
	uint32_t ignored = 0;

	return parse_words(p, optarg, rows, ARRAY_SIZE(rows), &p->args->filter.event_mask,
			   &ignored);
}

static int parse_output(struct parse *p)
{
	enum {
		JSON = 1U << 31,
		PROC = 1U << 30,
		SAVE = 1U << 29,
		XML = 1U << 28,
		FORMATS = JSON | PROC | SAVE | XML,
		NOTHING = 0
	};
	static const struct word_row rows[] = {
		{ "extended", SHOW_EXTENDED, 0 },
		{ "xml", XML, 0 },
		{ "save", SAVE, 0 },
		{ "timestamp", SHOW_TIMESTAMP, 0 },
		{ "id", SHOW_ID, 0 },
		/* nothing of the kind exists here: conntrack prints nothing for them either */
		{ "ktimestamp", NOTHING, 0 },
		{ "labels", NOTHING, 0 },
		{ "userspace", NOTHING, 0 },
		/* ours */
		{ "acct", SHOW_ACCT, 0 },
		{ "json", JSON, 0 },
		{ "proc", PROC, 0 },
		{ "rule", SHOW_RULE, 0 },
		{ "seq", SHOW_SEQ, 0 },
	};
	uint32_t set = 0, ignored = 0;
	int r = parse_words(p, optarg, rows, ARRAY_SIZE(rows), &set, &ignored);

	p->args->show |= set & ~FORMATS;
	p->args->json |= !!(set & JSON);
	p->args->proc |= !!(set & PROC);
	p->args->save |= !!(set & SAVE);
	p->args->xml |= !!(set & XML);
	if (!r && p->args->save &&
	    (p->args->show || p->args->json || p->args->proc || p->args->xml))
		return refused(p->d,
			       "cannot combine save output with any other output type, use -o "
			       "save only");
	return r;
}

static int parse_family(struct parse *p)
{
	if (strcmp(optarg, "ipv4") && strcmp(optarg, "ipv6"))
		return usage(p->d, "`%s' unsupported protocol", optarg);
	return claim_family(&p->args->filter, optarg[3] - '0', p->d);
}

static int parse_proto(struct parse *p)
{
	int proto = show_proto_parse(optarg);

	if (proto < 0)
		return usage(p->d, "`%s' unsupported protocol", optarg);
	p->args->filter.proto = proto;
	for (size_t i = 0; i < ARRAY_SIZE(proto_rows); i++)
		if (proto_rows[i].proto ? proto_rows[i].proto == proto
					: show_proto_has_ports(proto))
			add_option(p, proto_rows[i].name, required_argument, proto_rows[i].code);
	return 0;
}

static int parse_state(struct parse *p)
{
	p->args->filter.state = show_state_parse(optarg);
	if (p->args->filter.state < 0)
		return usage(p->d, "unknown TCP state `%s'", optarg);
	return 0;
}

static int parse_table(struct parse *p)
{
	static const char *const names[] = { "conntrack", "expect", "dying", "unconfirmed" };

	if (optind >= p->argc || p->argv[optind][0] == '-')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(p->argv[optind], names[i])) {
			p->args->table = i;
			optind++;
			return 0;
		}
	return usage(p->d, "unknown type `%s'", p->argv[optind]);
}

static int parse_command(struct parse *p, const struct opt_row *row)
{
	if (p->args->command != CT_NONE)
		return usage(p->d, "Invalid commands combination");
	p->args->command = row->command;
	return parse_table(p);
}

static int parse_proto_option(struct parse *p, int code)
{
	struct flow_filter *f = &p->args->filter;

	switch (code) {
	case OPT_SPORT:
	case OPT_DPORT:
	case OPT_REPLY_SPORT:
	case OPT_REPLY_DPORT:
		return parse_int(p, "port", optarg, 65535, &f->port[code - OPT_SPORT]);
	case OPT_STATE:
		return parse_state(p);
	case OPT_ICMP_TYPE:
		return parse_int(p, "ICMP type", optarg, 255, &f->icmp_type);
	case OPT_ICMP_CODE:
		return parse_int(p, "ICMP code", optarg, 255, &f->icmp_code);
	default:
		return parse_int(p, "ICMP id", optarg, 65535, &f->icmp_id);
	}
}

static int parse_id(struct parse *p)
{
	uint64_t id;
	int r = parse_number(p, "id", optarg, UINT32_MAX, &id);

	if (!r)
		p->args->filter.id = id;
	return r;
}

static int parse_filter_option(struct parse *p, int code)
{
	struct flow_filter *f = &p->args->filter;
	uint64_t ignored, n = 0;
	int r;

	switch (code) {
	case 's':
		return parse_address(p, FF_ORIG_SRC);
	case 'd':
		return parse_address(p, FF_ORIG_DST);
	case 'r':
		return parse_address(p, FF_REPLY_SRC);
	case 'q':
		return parse_address(p, FF_REPLY_DST);
	case OPT_MASK_SRC:
		return parse_mask(p, FF_ORIG_SRC, "src", optarg);
	case OPT_MASK_DST:
		return parse_mask(p, FF_ORIG_DST, "dst", optarg);
	case 'm':
		return ctargs_mark(f, optarg, p->d);
	case 'w':
		return parse_int(p, "zone", optarg, 65535, &f->zone);
	case OPT_ORIG_ZONE:
	case OPT_REPLY_ZONE:
		f->none = true; /* a connection has one zone for both directions */
		return parse_number(p, "zone", optarg, 65535, &ignored);
	case 't':
		r = parse_number(p, "timeout", optarg, UINT32_MAX, &n);
		p->args->change.timeout = n;
		return r;
	case OPT_RESYNC:
		p->args->resync = true;
		return 0;
	case 'i':
		return parse_id(p);
	case 'b': /* the daemon's ring decides: the number is only checked */
		return parse_number(p, "buffer size", optarg, UINT32_MAX, &ignored);
	default:
		return parse_nat(p, code);
	}
}

static int parse_option(struct parse *p, int code)
{
	const struct opt_row *row = row_of(code);

	if (!row)
		return parse_proto_option(p, code);
	if (row->command)
		return parse_command(p, row);
	if (!row->on)
		return usage(p->d, "`--%s' is not supported by gatewarden", row->name);
	p->given[code] = true;
	switch (code) {
	case 'p':
		return parse_proto(p);
	case 'f':
		return parse_family(p);
	case 'u':
		return parse_status(p);
	case 'e':
		return parse_events(p);
	case 'o':
		return parse_output(p);
	default:
		return parse_filter_option(p, code);
	}
}

static int check_legal(struct parse *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(opt_rows); i++) {
		const struct opt_row *row = &opt_rows[i];

		if (p->given[row->code] && !(row->on & (1U << p->args->command)))
			return usage(p->d, "Illegal option `--%s' with this command", row->name);
	}
	return 0;
}

static bool has_pair(const struct flow_filter *f, int a, int b)
{
	return f->addr[a].family && f->addr[b].family;
}

static bool has_ports(const struct flow_filter *f, int a, int b)
{
	return f->port[a] >= 0 && f->port[b] >= 0;
}

static int check_icmp(struct parse *p, bool code)
{
	const struct flow_filter *f = &p->args->filter;
	const char *six = f->proto == IPPROTO_ICMPV6 ? "v6" : "";

	if (f->proto != IPPROTO_ICMP && f->proto != IPPROTO_ICMPV6)
		return 0;
	if (f->icmp_type < 0)
		return usage(p->d, "You need to supply the `--icmp%s-type' option for this command",
			     six);
	if (code && f->icmp_code < 0)
		return usage(p->d, "You need to supply the `--icmp%s-code' option for this command",
			     six);
	return 0;
}

/* One connection is named by both addresses and both ports (or the ICMP query) of one direction. */
static int check_tuple(struct parse *p, bool create)
{
	const struct flow_filter *f = &p->args->filter;
	bool orig = f->addr[FF_ORIG_SRC].family || f->addr[FF_ORIG_DST].family;
	bool reply = f->addr[FF_REPLY_SRC].family || f->addr[FF_REPLY_DST].family;

	if (f->proto < 0)
		return usage(p->d, "You need to supply the `--protonum' option for this command");
	if (create && !p->given['t'])
		return usage(p->d, "You need to supply the `--timeout' option for this command");
	if (!has_pair(f, FF_ORIG_SRC, FF_ORIG_DST) && !has_pair(f, FF_REPLY_SRC, FF_REPLY_DST))
		return reply && !orig ? usage(p->d, "you have to specify `--reply-src' and "
						    "`--reply-dst'")
				      : usage(p->d, "you have to specify `--src' and `--dst'");
	if (create && f->proto == IPPROTO_TCP && f->state < 0)
		return usage(p->d, "You need to supply the `--state' option for this command");
	if (create && f->proto == IPPROTO_GRE)
		return usage(p->d, "you have to specify `--srckey' and `--dstkey'");
	if (create && (f->proto == IPPROTO_SCTP || f->proto == IPPROTO_DCCP))
		return usage(p->d, "creating %s connections is not supported by gatewarden",
			     show_proto_name(f->proto));
	if (show_proto_has_ports(f->proto) && !has_ports(f, FF_ORIG_SRC, FF_ORIG_DST) &&
	    !has_ports(f, FF_REPLY_SRC, FF_REPLY_DST))
		return usage(p->d, "you have to specify `--sport' and `--dport'");
	return check_icmp(p, create);
}

static void tuple_turn(struct gw_tuple6 *to, const struct gw_tuple6 *from)
{
	*to = *from;
	memcpy(to->saddr, from->daddr, sizeof(to->saddr));
	memcpy(to->daddr, from->saddr, sizeof(to->daddr));
	to->sport = from->dport;
	to->dport = from->sport;
}

/* One direction as far as it was given. */
static void tuple_take(struct gw_tuple6 *t, const struct flow_filter *f, int src, int dst)
{
	if (f->addr[src].family)
		memcpy(t->saddr, f->addr[src].addr, sizeof(t->saddr));
	if (f->addr[dst].family)
		memcpy(t->daddr, f->addr[dst].addr, sizeof(t->daddr));
	if (f->port[src] >= 0)
		t->sport = htons(f->port[src]);
	if (f->port[dst] >= 0)
		t->dport = htons(f->port[dst]);
}

/* ICMP: the id is the source port, the query's type the destination's, 0 for echo (gw/tuple.h).  false = no query. */
static bool tuple_icmp(struct gw_tuple6 *t, const struct flow_filter *f)
{
	bool six = f->proto == IPPROTO_ICMPV6;

	if (f->proto != IPPROTO_ICMP && !six)
		return true;
	if (!show_icmp_is_query(f->proto, f->icmp_type) || f->icmp_code > 0)
		return false;
	t->sport = htons(f->icmp_id < 0 ? 0 : f->icmp_id);
	t->dport = f->icmp_type == (six ? 128 : 8) ? 0 : htons(f->icmp_type);
	return true;
}

/*
 * The tuples of a connection to be entered.  The reply is the answer to the original, but for what was said of it: all of it, or
 * what -n and -g translate to.
 */
static int take_flow(struct parse *p)
{
	const struct flow_filter *f = &p->args->filter;
	struct gw_event *ev = &p->args->flow;
	bool orig = has_pair(f, FF_ORIG_SRC, FF_ORIG_DST);
	bool reply = has_pair(f, FF_REPLY_SRC, FF_REPLY_DST);
	bool any_reply = p->given['r'] || p->given['q'];

	ev->family = f->family;
	ev->proto = f->proto;
	ev->zone = f->zone < 0 ? 0 : f->zone;
	if (any_reply && orig &&
	    (!reply || p->nat_end[0] || p->nat_end[1] ||
	     (show_proto_has_ports(f->proto) && !has_ports(f, FF_REPLY_SRC, FF_REPLY_DST))))
		return refused(p->d, "Operation failed: invalid parameters");
	if (!orig) {
		tuple_take(&ev->tuple[1], f, FF_REPLY_SRC, FF_REPLY_DST);
		tuple_turn(&ev->tuple[0], &ev->tuple[1]);
	}
	tuple_take(&ev->tuple[0], f, FF_ORIG_SRC, FF_ORIG_DST);
	if (!tuple_icmp(&ev->tuple[0], f))
		return refused(p->d, "Operation failed: invalid parameters");
	tuple_turn(&ev->tuple[1], &ev->tuple[0]);
	tuple_take(&ev->tuple[1], f, FF_REPLY_SRC, FF_REPLY_DST);
	return 0;
}

/* -I and -U set what elsewhere is a filter. */
static int take_change(struct parse *p)
{
	struct flow_filter *f = &p->args->filter;
	struct ct_change *c = &p->args->change;

	if (p->status_other & GW_FLOW_EXPECTED)
		return usage(p->d, "Bad parameter `EXPECTED'");
	if (p->status_other)
		return usage(p->d, "`FIXED_TIMEOUT' is not supported by gatewarden");
	c->has_mark = f->has_mark;
	c->mark = f->mark;
	c->mark_mask = f->mark_mask;
	c->has_timeout = p->given['t'];
	c->has_state = f->state >= 0;
	c->state = f->state < 0 ? 0 : f->state;
	f->has_mark = false;
	f->state = -1;
	f->status_clear = 0;
	f->status_set &= GW_FLOW_SNAT | GW_FLOW_DNAT;
	return 0;
}

static int check_command(struct parse *p)
{
	enum ct_command command = p->args->command;
	bool create = command == CT_CREATE || command == CT_ADD;
	int r = 0;

	if (p->args->table != CT_TABLE_CONNTRACK)
		return 0;
	if (command == CT_GET || create)
		r = check_tuple(p, create);
	if (!r && create)
		r = take_flow(p);
	if (!r && (create || command == CT_UPDATE))
		r = take_change(p);
	else if (!r && p->status_unset)
		r = refused(p->d, "Operation failed: invalid parameters");
	return r;
}

static int parse_all(struct parse *p)
{
	/* the letters of opt_rows; ':' first: a missing argument is told apart from an unknown option */
	static const char letters[] = ":LGDEFCShVs:d:r:q:p:u:e:m:i:f:n::g::o:b:j::w:IAUR:t:zc:l:";
	int code, r = 0;

	optind = 0;
	while (!r && (code = getopt_long(p->argc, p->argv, letters, p->options, NULL)) != -1) {
		if (code == '?')
			return usage(p->d, "unknown option `%s'", p->argv[optind - 1]);
		if (code == ':')
			return usage(p->d, "option `%s' requires an argument", p->argv[optind - 1]);
		r = parse_option(p, code);
	}
	if (!r && optind < p->argc)
		r = usage(p->d, "unknown argument `%s'", p->argv[optind]);
	return r;
}

int ctargs_parse(int argc, char **argv, struct ctargs *ret, struct diag *d)
{
	struct parse p = { .args = ret, .d = d, .argc = argc, .argv = argv };
	int r;

	*ret = (struct ctargs){ 0 };
	flow_filter_init(&ret->filter);
	for (size_t i = 0; i < ARRAY_SIZE(opt_rows); i++)
		add_option(&p, opt_rows[i].name, opt_rows[i].arg, opt_rows[i].code);
	r = parse_all(&p);
	if (!r)
		r = check_legal(&p);
	return r ? r : check_command(&p);
}
