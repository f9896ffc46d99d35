/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <show/ctargs.h>
#include <show/match.h>
#include <show/names.h>
#include <show/show.h>

const char match_help[] = "MATCH is any of:\n"
			  "  ip | ip6 | tcp | udp | icmp | icmpv6 | proto PROTOCOL\n"
			  "  src, dst, reply-src, reply-dst ADDRESS[/LENGTH]\n"
			  "  sport, dport, reply-sport, reply-dport PORT[-PORT]\n"
			  "  state TCP-STATE    mark MARK[/MASK]    zone ZONE    id ID\n"
			  "  rule HANDLE    nat-rule HANDLE    iif, oif INTERFACE\n"
			  "  nat-addr ADDRESS    icmp-type TYPE    icmp-id ID\n"
			  "  assured | replied | unreplied | snat | dnat | nat\n"
			  "  new | update | destroy    (flow watch)\n";

/* Words that stand alone. */
static const struct {
	const char *word;
	uint32_t set, clear, nat, events;
	int family;
} flag_rows[] = {
	{ .word = "assured", .set = GW_FLOW_ASSURED },
	{ .word = "replied", .set = GW_FLOW_SEEN_REPLY },
	{ .word = "unreplied", .clear = GW_FLOW_SEEN_REPLY },
	{ .word = "snat", .set = GW_FLOW_SNAT },
	{ .word = "dnat", .set = GW_FLOW_DNAT },
	{ .word = "nat", .nat = GW_FLOW_SNAT | GW_FLOW_DNAT },
	{ .word = "new", .events = 1U << GW_EVENT_NEW },
	{ .word = "update", .events = 1U << GW_EVENT_UPDATE },
	{ .word = "destroy", .events = 1U << GW_EVENT_DESTROY },
	{ .word = "ip", .family = 4 },
	{ .word = "ip6", .family = 6 },
};

static bool take_flag(struct flow_filter *f, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_rows); i++) {
		if (strcmp(word, flag_rows[i].word))
			continue;
		f->status_set |= flag_rows[i].set;
		f->status_clear |= flag_rows[i].clear;
		f->nat |= flag_rows[i].nat;
		f->event_mask |= flag_rows[i].events;
		if (flag_rows[i].family)
			f->family = flag_rows[i].family;
		return true;
	}
	return false;
}

enum kind {
	ADDRESS,
	PORT,
	PROTO,
	STATE,
	MARK,
	ZONE,
	ID,
	RULE,
	NAT_RULE,
	INTERFACE,
	NAT_ADDR,
	ICMP_TYPE,
	ICMP_ID
};
static const struct value_row {
	const char *word;
	enum kind kind;
	int which; /* FF_* */
} value_rows[] = {
	{ "src", ADDRESS, FF_ORIG_SRC },
	{ "dst", ADDRESS, FF_ORIG_DST },
	{ "reply-src", ADDRESS, FF_REPLY_SRC },
	{ "reply-dst", ADDRESS, FF_REPLY_DST },
	{ "sport", PORT, FF_ORIG_SRC },
	{ "dport", PORT, FF_ORIG_DST },
	{ "reply-sport", PORT, FF_REPLY_SRC },
	{ "reply-dport", PORT, FF_REPLY_DST },
	{ "proto", PROTO, 0 },
	{ "state", STATE, 0 },
	{ "mark", MARK, 0 },
	{ "zone", ZONE, 0 },
	{ "id", ID, 0 },
	{ "rule", RULE, 0 },
	{ "nat-rule", NAT_RULE, 0 },
	{ "iif", INTERFACE, FF_IIF },
	{ "oif", INTERFACE, FF_OIF },
	{ "nat-addr", NAT_ADDR, 0 },
	{ "icmp-type", ICMP_TYPE, 0 },
	{ "icmp-id", ICMP_ID, 0 },
};

static bool take_number(const char *text, uint64_t max, int64_t *ret)
{
	uint64_t n;

	if (!str_to_u64(text, 0, max, &n))
		return false;
	*ret = n;
	return true;
}

static int take_state(struct flow_filter *f, const char *text)
{
	for (int i = 0; i < GW_TCP_STATES; i++)
		if (!strcasecmp(text, show_state_name(IPPROTO_TCP, i)))
			f->state = i;
	return f->state;
}

/* "PORT" or "PORT-PORT"; -1 = neither */
static int64_t take_ports(struct flow_filter *f, int which, const char *text)
{
	const char *dash = strchr(text, '-');
	char lo[8] = "";
	int64_t from = -1, to = -1;

	if (!dash) {
		take_number(text, 65535, &from);
		f->port[which] = from;
		return from;
	}
	if (dash - text >= (int)sizeof(lo))
		return -1;
	memcpy(lo, text, dash - text);
	if (!take_number(lo, 65535, &from) || !take_number(dash + 1, 65535, &to) || to < from)
		return -1;
	f->port[which] = from;
	f->port_hi[which] = to;
	return from;
}

static int64_t take_interface(struct flow_filter *f, int which, const char *text)
{
	if (!*text || strlen(text) >= sizeof(f->ifname[which]))
		return -1;
	strcpy(f->ifname[which], text);
	return 0;
}

static int64_t take_nat_addr(struct flow_filter *f, const char *text)
{
	f->nat_family = strchr(text, ':') ? 6 : 4;
	return inet_pton(f->nat_family == 4 ? AF_INET : AF_INET6, text, f->nat_addr) - 1;
}

static int take_value(struct flow_filter *f, const struct value_row *row, const char *text,
		      struct diag *d)
{
	int64_t n = -1;

	switch (row->kind) {
	case ADDRESS:
		return ctargs_address(f, row->which, text, d);
	case MARK:
		return ctargs_mark(f, text, d);
	case PORT:
		n = take_ports(f, row->which, text);
		break;
	case PROTO:
		n = f->proto = show_proto_parse(text);
		break;
	case STATE:
		n = take_state(f, text);
		break;
	case ZONE:
		take_number(text, 65535, &n);
		f->zone = n;
		break;
	case ID:
		take_number(text, UINT32_MAX, &n);
		f->id = n;
		break;
	case RULE:
		take_number(text, UINT32_MAX, &n);
		f->rule = n;
		break;
	case NAT_RULE:
		take_number(text, UINT32_MAX, &n);
		f->nat_rule = n;
		break;
	case INTERFACE:
		n = take_interface(f, row->which, text);
		break;
	case NAT_ADDR:
		n = take_nat_addr(f, text);
		break;
	case ICMP_TYPE:
		take_number(text, 255, &n);
		f->icmp_type = n;
		break;
	case ICMP_ID:
		take_number(text, 65535, &n);
		f->icmp_id = n;
		break;
	}
	if (n >= 0)
		return 0;
	diag_set(d, "`%s' is no valid %s", text, row->word);
	return MATCH_E_USAGE;
}

static const struct value_row *value_row_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_rows); i++)
		if (!strcmp(word, value_rows[i].word))
			return &value_rows[i];
	return NULL;
}

static int take_word(struct flow_filter *f, const char *word, const char *value, struct diag *d,
		     int *ret_used)
{
	const struct value_row *row = value_row_of(word);

	*ret_used = 1;
	if (row && !value) {
		diag_set(d, "`%s' needs a value", word);
		return MATCH_E_USAGE;
	}
	if (row) {
		*ret_used = 2;
		return take_value(f, row, value, d);
	}
	if (take_flag(f, word))
		return 0;
	/* "tcp" is short for "proto tcp" */
	f->proto = show_proto_parse(word);
	if (f->proto >= 0 && !(word[0] >= '0' && word[0] <= '9'))
		return 0;
	diag_set(d, "unknown match `%s'", word);
	return MATCH_E_USAGE;
}

int match_parse(int argc, char **argv, struct flow_filter *ret, struct diag *d)
{
	struct flow_filter f;
	int used, r;

	flow_filter_init(&f);
	for (int i = 0; i < argc; i += used) {
		r = take_word(&f, argv[i], i + 1 < argc ? argv[i + 1] : NULL, d, &used);
		if (r)
			return r;
	}
	*ret = f;
	return 0;
}
