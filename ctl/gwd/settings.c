/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <fnmatch.h>
#include <gwd/settings.h>

#define VALUE_MAX  1024
#define SEPARATORS ", \t"

static const char *const flows_types[] = { "lru", "hash", NULL };
static const char *const timeouts_names[] = { "netfilter", "rfc", NULL };
static const char *const log_levels[] = { "err", "warning", "notice", "info", "debug", NULL };

static bool check_interfaces(const char *value, struct diag *d)
{
	while (*(value += strspn(value, SEPARATORS))) {
		size_t n = strcspn(value, SEPARATORS);

		if (n > 15 || memchr(value, '/', n)) {
			diag_set(d, "`%.*s` is no interface name or pattern", (int)n, value);
			diag_hint(
				d,
				"names have at most 15 characters and no `/`; * ? and [ab] match");
			return false;
		}
		value += n;
	}
	return true;
}

static bool check_power_of_two(const char *value, struct diag *d)
{
	uint64_t v = 0;

	if (str_to_u64(value, 0, UINT32_MAX, &v) && v && !(v & (v - 1)))
		return true;
	diag_set(d, "%s is not a power of two", value);
	return false;
}

static bool check_no_metrics(const char *value, struct diag *d)
{
	if (!*value)
		return true;
	diag_set(d, "this version has no metrics listener");
	diag_hint(d,
		  "leave metrics.listen empty; `gwctl stats` and `gwctl drops` show the numbers");
	return false;
}

#define FIELD(f)    offsetof(struct settings, f)
#define SIZE(f)	    sizeof(((struct settings *)0)->f)
#define SECONDS_MAX 2000000 /* in jiffies this still fits 31 bits at 1000 Hz */
#define TIMEOUT(key, class, def, what)                                                      \
	{                                                                                   \
		"timeout." key, SETTING_NUMBER, FIELD(timeout[class]), 1, SECONDS_MAX, def, \
			"seconds", true, NULL, NULL,                                        \
			"a connection is forgotten when idle this long: " what              \
	}

const struct setting_row setting_rows[] = {
	{ "interfaces", SETTING_TEXT, FIELD(interfaces), 0, SIZE(interfaces), "", "names", true,
	  NULL, check_interfaces,
	  "the interfaces to manage: names or patterns (`lan0, ppp*`); they may come and go" },
	{ "flows.max", SETTING_NUMBER, FIELD(flows_max), 1024, 1U << 24, "131072", "connections",
	  false, NULL, NULL, "room for assured connections, per IP version" },
	{ "flows.embryonic_max", SETTING_NUMBER, FIELD(flows_embryonic_max), 1024, 1U << 24,
	  "32768", "connections", false, NULL, NULL,
	  "room for connections that are not assured yet, per IP version" },
	{ "flows.type", SETTING_CHOICE, FIELD(flows_type), 0, 0, "lru", "", false, flows_types,
	  NULL,
	  "kind of table for assured connections: `lru` never refuses an insert, `hash` never "
	  "evicts" },
	{ "timeouts", SETTING_CHOICE, FIELD(timeouts), 0, 0, "netfilter", "", true, timeouts_names,
	  NULL,
	  "defaults of the timeouts below: `netfilter`, or what RFC 4787, 5382 and 7857 ask for" },
	TIMEOUT("tcp_syn_sent", GW_TCP_SYN_SENT, "120", "TCP, SYN seen"),
	TIMEOUT("tcp_syn_recv", GW_TCP_SYN_RECV, "60", "TCP, SYN-ACK seen"),
	TIMEOUT("tcp_established", GW_TCP_ESTABLISHED, "432000", "TCP, established"),
	TIMEOUT("tcp_fin_wait", GW_TCP_FIN_WAIT, "120", "TCP, first FIN seen"),
	TIMEOUT("tcp_close_wait", GW_TCP_CLOSE_WAIT, "60", "TCP, first FIN acknowledged"),
	TIMEOUT("tcp_last_ack", GW_TCP_LAST_ACK, "30", "TCP, both FINs seen"),
	TIMEOUT("tcp_time_wait", GW_TCP_TIME_WAIT, "120", "TCP, both FINs acknowledged"),
	TIMEOUT("tcp_close", GW_TCP_CLOSE, "10", "TCP, reset"),
	TIMEOUT("tcp_max_retrans", GW_TIMEOUT_TCP_RETRANS, "300",
		"TCP, conntrack.tcp_max_retrans retransmissions or a closed window"),
	TIMEOUT("tcp_unacknowledged", GW_TIMEOUT_TCP_UNACK, "300",
		"TCP, data without an acknowledgement"),
	TIMEOUT("udp", GW_TIMEOUT_UDP, "120", "UDP, not assured"),
	TIMEOUT("udp_stream", GW_TIMEOUT_UDP_STREAM, "180", "UDP, assured"),
	TIMEOUT("icmp", GW_TIMEOUT_ICMP, "60", "ICMP and ICMPv6 queries"),
	TIMEOUT("gre", GW_TIMEOUT_GRE, "30", "GRE, not assured"),
	TIMEOUT("gre_stream", GW_TIMEOUT_GRE_STREAM, "180", "GRE, assured"),
	TIMEOUT("sctp_closed", GW_TIMEOUT_SCTP + GW_SCTP_CLOSED, "10", "SCTP, INIT seen, or over"),
	TIMEOUT("sctp_cookie_wait", GW_TIMEOUT_SCTP + GW_SCTP_COOKIE_WAIT, "3",
		"SCTP, INIT ACK seen"),
	TIMEOUT("sctp_cookie_echoed", GW_TIMEOUT_SCTP + GW_SCTP_COOKIE_ECHOED, "3",
		"SCTP, COOKIE ECHO seen"),
	TIMEOUT("sctp_established", GW_TIMEOUT_SCTP + GW_SCTP_ESTABLISHED, "210",
		"SCTP, established"),
	TIMEOUT("sctp_shutdown_sent", GW_TIMEOUT_SCTP + GW_SCTP_SHUTDOWN_SENT, "3",
		"SCTP, SHUTDOWN of the client seen"),
	TIMEOUT("sctp_shutdown_recd", GW_TIMEOUT_SCTP + GW_SCTP_SHUTDOWN_RECD, "3",
		"SCTP, SHUTDOWN of the server seen"),
	TIMEOUT("sctp_shutdown_ack_sent", GW_TIMEOUT_SCTP + GW_SCTP_SHUTDOWN_ACK_SENT, "3",
		"SCTP, SHUTDOWN ACK seen"),
	TIMEOUT("sctp_heartbeat_sent", GW_TIMEOUT_SCTP + GW_SCTP_HEARTBEAT_SENT, "30",
		"SCTP, HEARTBEAT of another path seen"),
	TIMEOUT("dccp_request", GW_TIMEOUT_DCCP + GW_DCCP_REQUEST, "240", "DCCP, Request seen"),
	TIMEOUT("dccp_respond", GW_TIMEOUT_DCCP + GW_DCCP_RESPOND, "480", "DCCP, Response seen"),
	TIMEOUT("dccp_partopen", GW_TIMEOUT_DCCP + GW_DCCP_PARTOPEN, "480",
		"DCCP, Response acknowledged"),
	TIMEOUT("dccp_open", GW_TIMEOUT_DCCP + GW_DCCP_OPEN, "43200", "DCCP, open"),
	TIMEOUT("dccp_closereq", GW_TIMEOUT_DCCP + GW_DCCP_CLOSEREQ, "64", "DCCP, CloseReq seen"),
	TIMEOUT("dccp_closing", GW_TIMEOUT_DCCP + GW_DCCP_CLOSING, "64", "DCCP, Close seen"),
	TIMEOUT("dccp_timewait", GW_TIMEOUT_DCCP + GW_DCCP_TIMEWAIT, "240", "DCCP, Reset seen"),
	TIMEOUT("generic", GW_TIMEOUT_GENERIC, "600", "every other protocol"),
	{ "conntrack.tcp_loose", SETTING_FLAG, FIELD(tcp_loose), 0, 1, "1", "", true, NULL, NULL,
	  "pick up TCP connections in the middle" },
	{ "conntrack.tcp_be_liberal", SETTING_FLAG, FIELD(tcp_be_liberal), 0, 1, "0", "", true,
	  NULL, NULL, "of what is out of window only resets are INVALID" },
	{ "conntrack.tcp_ignore_invalid_rst", SETTING_FLAG, FIELD(tcp_ignore_invalid_rst), 0, 1,
	  "0", "", true, NULL, NULL, "a reset before the window passes and changes nothing" },
	{ "conntrack.tcp_max_retrans", SETTING_NUMBER, FIELD(tcp_max_retrans), 1, 15, "3",
	  "segments", true, NULL, NULL,
	  "the same segment so often, unanswered: timeout.tcp_max_retrans holds" },
	{ "conntrack.tcp_strict", SETTING_FLAG, FIELD(tcp_strict), 0, 1, "0", "", true, NULL, NULL,
	  "drop every INVALID TCP segment, believe a picked-up connection when it is answered" },
	{ "conntrack.checksum", SETTING_FLAG, FIELD(checksum), 0, 1, "1", "", true, NULL, NULL,
	  "verify TCP checksums of what opens, closes or moves a connection" },
	{ "conntrack.recheck", SETTING_BOOL, FIELD(recheck), 0, 1, "yes", "", true, NULL, NULL,
	  "after a change of rules, connections end that these would not let begin" },
	{ "nat.protect_local", SETTING_BOOL, FIELD(protect_local), 0, 1, "yes", "", true, NULL,
	  NULL, "translated connections never take a port on which the gateway itself listens" },
	{ "socket.group", SETTING_TEXT, FIELD(socket_group), 0, SIZE(socket_group), "gatewarden",
	  "group", true, NULL, NULL, "members may use the control socket; empty: root alone" },
	{ "metrics.listen", SETTING_TEXT, FIELD(metrics_listen), 0, SIZE(metrics_listen), "",
	  "address:port", false, NULL, check_no_metrics,
	  "reserved; must be empty in this version" },
	{ "events.ring_bytes", SETTING_NUMBER, FIELD(ring_bytes), 65536, 1U << 28, "4194304",
	  "bytes", false, NULL, check_power_of_two,
	  "room for events on their way out of the kernel; a power of two" },
	{ "rules.memory", SETTING_NUMBER, FIELD(rules_mb), 1, 1024, "16", "MB", false, NULL, NULL,
	  "room for the compiled ruleset; the kernel holds it twice" },
	{ "sets.dynamic_max", SETTING_NUMBER, FIELD(dynset_max), 1024, 1U << 24, "65536",
	  "elements", false, NULL, NULL,
	  "room for elements of sets with `flags dynamic` or `timeout`, all sets together" },
	{ "log.level", SETTING_CHOICE, FIELD(log_level), 0, 0, "info", "", true, log_levels, NULL,
	  "the least important message that is logged" },
};
const size_t setting_rows_n = ARRAY_SIZE(setting_rows);

const struct setting_row *setting_find(const char *name)
{
	for (size_t i = 0; i < setting_rows_n; i++)
		if (!strcmp(setting_rows[i].name, name))
			return &setting_rows[i];
	return NULL;
}

static uint32_t *number_field(struct settings *s, const struct setting_row *row)
{
	return (uint32_t *)((char *)s + row->offset);
}

static bool parse_bool(const char *value, uint32_t *ret)
{
	static const char *const yes[] = { "yes", "1", "true", "on" }, *const no[] = { "no", "0",
										       "false",
										       "off" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
			*ret = !strcmp(value, yes[i]);
			return true;
		}
	}
	return false;
}

static bool parse_choice(const struct setting_row *row, const char *value, uint32_t *ret)
{
	for (uint32_t i = 0; row->choices[i]; i++) {
		if (!strcmp(value, row->choices[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* What would have been right, as one phrase. */
static void say_expected(const struct setting_row *row, const char *value, struct diag *d)
{
	char list[128] = "";

	diag_set(d, "`%s` is not a value of %s", value, row->name);
	switch (row->type) {
	case SETTING_NUMBER:
		diag_hint(d, "a number of %s from %llu to %llu", row->unit,
			  (unsigned long long)row->min, (unsigned long long)row->max);
		break;
	case SETTING_CHOICE:
		for (size_t i = 0, n = 0; row->choices[i] && n < sizeof(list); i++)
			n += snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      row->choices[i]);
		diag_hint(d, "one of: %s", list);
		break;
	case SETTING_TEXT:
		diag_hint(d, "at most %llu characters", (unsigned long long)row->max - 1);
		break;
	default:
		diag_hint(d, "yes or no");
	}
}

static bool set_number(const struct setting_row *row, const char *value, uint32_t *ret)
{
	uint64_t v;

	if (!str_to_u64(value, row->min, row->max, &v))
		return false;
	*ret = v;
	return true;
}

/* Where `timeouts = rfc` differs (RFC 5382 REQ-5, RFC 7857 2.1 and 2.2, RFC 4787 REQ-5). */
static const struct {
	unsigned int class;
	const char *seconds;
} rfc_timeouts[] = {
	{ GW_TCP_SYN_SENT, "240" },	  { GW_TCP_SYN_RECV, "240" },
	{ GW_TCP_ESTABLISHED, "7440" },	  { GW_TCP_FIN_WAIT, "240" },
	{ GW_TCP_CLOSE_WAIT, "240" },	  { GW_TCP_LAST_ACK, "240" },
	{ GW_TIMEOUT_TCP_UNACK, "7440" }, { GW_TIMEOUT_TCP_RETRANS, "7440" },
	{ GW_TCP_TIME_WAIT, "240" },	  { GW_TCP_CLOSE, "240" },
	{ GW_TIMEOUT_UDP, "300" },	  { GW_TIMEOUT_UDP_STREAM, "300" },
};

/* The timeout that a row sets, or -1. */
static int timeout_class(const struct setting_row *row)
{
	if (row->offset < FIELD(timeout[0]) || row->offset > FIELD(timeout[GW_TIMEOUT_MAX - 1]))
		return -1;
	return (int)((row->offset - FIELD(timeout[0])) / sizeof(uint32_t));
}

const char *setting_default(const struct settings *s, const struct setting_row *row)
{
	int class = timeout_class(row);

	for (size_t i = 0; s->timeouts == TIMEOUTS_RFC && i < ARRAY_SIZE(rfc_timeouts); i++)
		if ((int)rfc_timeouts[i].class == class)
			return rfc_timeouts[i].seconds;
	return row->def;
}

static bool set_value(struct settings *s, const struct setting_row *row, const char *value)
{
	switch (row->type) {
	case SETTING_NUMBER:
		return set_number(row, value, number_field(s, row));
	case SETTING_FLAG:
	case SETTING_BOOL:
		return parse_bool(value, number_field(s, row));
	case SETTING_CHOICE:
		return parse_choice(row, value, number_field(s, row));
	case SETTING_TEXT:
		if (strlen(value) >= row->max)
			return false;
		strcpy((char *)s + row->offset, value);
		return true;
	}
	return false;
}

bool setting_follows(const struct settings *s, const struct setting_row *row)
{
	int class = timeout_class(row);

	return class >= 0 && !(s->timeout_set & 1ULL << class);
}

/* All that nobody set. */
static void set_timeouts(struct settings *s)
{
	for (size_t i = 0; i < setting_rows_n; i++) {
		if (setting_follows(s, &setting_rows[i]))
			set_value(s, &setting_rows[i], setting_default(s, &setting_rows[i]));
	}
}

int settings_set(struct settings *s, const char *name, const char *value, struct diag *d)
{
	const struct setting_row *row = setting_find(name);

	if (!row) {
		diag_set(d, "there is no setting `%s`", name);
		diag_hint(d, "`gwd --help` and `gwctl get` list them");
		return SETTINGS_E_DIAG;
	}
	if (row->check && !row->check(value, d))
		return SETTINGS_E_DIAG;
	if (!set_value(s, row, value)) {
		say_expected(row, value, d);
		return SETTINGS_E_DIAG;
	}
	if (timeout_class(row) >= 0)
		s->timeout_set |= 1ULL << timeout_class(row);
	set_timeouts(s);
	/* netfilter has no setting of its own for a simultaneous open either */
	s->timeout[GW_TCP_SYN_SENT2] = s->timeout[GW_TCP_NONE] = s->timeout[GW_TCP_SYN_SENT];
	return 0;
}

void settings_init(struct settings *s)
{
	struct diag d;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < setting_rows_n; i++)
		settings_set(s, setting_rows[i].name, setting_rows[i].def, &d);
	s->timeout_set = 0;
}

void setting_get(const struct settings *s, const struct setting_row *row, char *ret_value,
		 size_t size)
{
	uint32_t v = 0;

	if (row->type == SETTING_TEXT) {
		snprintf(ret_value, size, "%s", (const char *)s + row->offset);
		return;
	}
	v = *number_field((struct settings *)s, row);
	if (row->type == SETTING_BOOL)
		snprintf(ret_value, size, "%s", v ? "yes" : "no");
	else if (row->type == SETTING_CHOICE)
		snprintf(ret_value, size, "%s", row->choices[v]);
	else
		snprintf(ret_value, size, "%u", v);
}

bool setting_is_default(const struct settings *s, const struct setting_row *row)
{
	char value[VALUE_MAX];

	setting_get(s, row, value, sizeof(value));
	return !strcmp(value, setting_default(s, row));
}

/* Cut blanks off both ends, in place. */
static char *trim(char *text)
{
	size_t n;

	text += strspn(text, " \t\r");
	n = strlen(text);
	while (n && strchr(" \t\r", text[n - 1]))
		text[--n] = '\0';
	return text;
}

/* A # starts a comment where a word could start. */
static void cut_comment(char *line)
{
	for (char *p = line; *p; p++) {
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
	}
}

static int parse_line(struct settings *s, char *line, const char **ret_where, struct diag *d)
{
	char *key, *value, *equals;

	cut_comment(line);
	key = trim(line);
	*ret_where = key;
	if (!*key)
		return 0;
	equals = strchr(key, '=');
	if (!equals) {
		diag_set(d, "expected `key = value`");
		return SETTINGS_E_DIAG;
	}
	*equals = '\0';
	value = trim(equals + 1);
	key = trim(key);
	if (setting_find(key))
		*ret_where = value;
	return settings_set(s, key, value, d);
}

int settings_parse(struct settings *s, const char *file, const char *text, struct diag *d)
{
	struct settings copy = *s;
	char line[2 * VALUE_MAX];
	const char *where;

	for (unsigned int number = 1; *text; number++) {
		size_t n = strcspn(text, "\n"), kept = MIN(n, sizeof(line) - 1);

		memcpy(line, text, kept);
		line[kept] = '\0';
		where = line;
		if (parse_line(&copy, line, &where, d)) {
			snprintf(d->file, sizeof(d->file), "%s", file);
			snprintf(d->source, sizeof(d->source), "%.*s", (int)MIN(n, 500), text);
			d->line = number;
			d->col = where - line + 1;
			d->len = MAX(strlen(where), 1);
			return SETTINGS_E_DIAG;
		}
		text += n + (text[n] == '\n');
	}
	*s = copy;
	return 0;
}

bool settings_manages(const struct settings *s, const char *ifname)
{
	const char *at = s->interfaces;

	while (*(at += strspn(at, SEPARATORS))) {
		size_t n = strcspn(at, SEPARATORS);
		char pattern[16];

		snprintf(pattern, sizeof(pattern), "%.*s", (int)n, at);
		if (!fnmatch(pattern, ifname, 0))
			return true;
		at += n;
	}
	return false;
}

void settings_help(struct strbuf *b)
{
	for (size_t i = 0; i < setting_rows_n; i++) {
		const struct setting_row *row = &setting_rows[i];

		strbuf_printf(b, "  %-26s %s\n  %-26s default %s%s%s%s\n", row->name, row->help, "",
			      *row->def ? row->def : "(empty)", *row->unit ? " " : "", row->unit,
			      row->live ? "; live" : "; at the next start");
	}
}
