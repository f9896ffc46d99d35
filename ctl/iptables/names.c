/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/names.h>

#include <netdb.h>
#include <strings.h>

struct proto_row {
	const char *name;
	uint8_t number;
};
/* For systems without /etc/protocols, and what it does not name. */
static const struct proto_row protos[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "udplite", IPPROTO_UDPLITE },
	{ "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ "ipv6-icmp", IPPROTO_ICMPV6 },
	{ "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },
	{ "sctp", IPPROTO_SCTP },
	{ "dccp", IPPROTO_DCCP },
	{ "gre", IPPROTO_GRE },
	{ "ipv6-mh", 135 },
	{ "mh", 135 },
};

static void lower(const char *s, char *ret, size_t size)
{
	size_t i;

	for (i = 0; s[i] && i + 1 < size; i++)
		ret[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
	ret[i] = '\0';
}

bool name_to_proto(const char *s, uint8_t *ret)
{
	const struct protoent *ent;
	uint64_t n;
	char low[32];

	if (str_to_u64(s, 0, 255, &n)) {
		*ret = (uint8_t)n;
		return true;
	}
	lower(s, low, sizeof(low));
	if (!strcmp(low, "all")) {
		*ret = 0;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		if (strcmp(low, protos[i].name))
			continue;
		*ret = protos[i].number;
		return true;
	}
	ent = *low && strlen(s) < sizeof(low) ? getprotobyname(low) : NULL;
	if (!ent || ent->p_proto < 0 || ent->p_proto > 255)
		return false;
	*ret = (uint8_t)ent->p_proto;
	return true;
}

const char *proto_to_name(uint8_t proto, char buf[8])
{
	const struct protoent *ent = getprotobynumber(proto);

	if (ent)
		return ent->p_name;
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].number == proto)
			return protos[i].name;
	snprintf(buf, 8, "%u", proto);
	return buf;
}

bool name_to_port(const char *s, const char *proto, uint16_t *ret)
{
	const struct servent *ent;
	uint64_t n;

	if (str_to_u64(s, 0, UINT16_MAX, &n)) {
		*ret = (uint16_t)n;
		return true;
	}
	ent = *s && (*s < '0' || *s > '9') && strlen(s) < 64 ? getservbyname(s, proto) : NULL;
	if (!ent)
		return false;
	*ret = ntohs((uint16_t)ent->s_port);
	return true;
}

const char *port_to_name(uint16_t port, const char *proto)
{
	const struct servent *ent = getservbyport(htons(port), proto);

	return ent ? ent->s_name : NULL;
}

struct icmp_row {
	int version;
	const char *name;
	uint8_t type;
	int code;
};
static const struct icmp_row icmps[] = {
	{ 4, "any", XT_ICMP_ANY, XT_ICMP_CODE_ANY },
	{ 4, "echo-reply", 0, XT_ICMP_CODE_ANY },
	{ 4, "pong", 0, XT_ICMP_CODE_ANY },
	{ 4, "destination-unreachable", 3, XT_ICMP_CODE_ANY },
	{ 4, "network-unreachable", 3, 0 },
	{ 4, "host-unreachable", 3, 1 },
	{ 4, "protocol-unreachable", 3, 2 },
	{ 4, "port-unreachable", 3, 3 },
	{ 4, "fragmentation-needed", 3, 4 },
	{ 4, "source-route-failed", 3, 5 },
	{ 4, "network-unknown", 3, 6 },
	{ 4, "host-unknown", 3, 7 },
	{ 4, "network-prohibited", 3, 9 },
	{ 4, "host-prohibited", 3, 10 },
	{ 4, "TOS-network-unreachable", 3, 11 },
	{ 4, "TOS-host-unreachable", 3, 12 },
	{ 4, "communication-prohibited", 3, 13 },
	{ 4, "host-precedence-violation", 3, 14 },
	{ 4, "precedence-cutoff", 3, 15 },
	{ 4, "source-quench", 4, XT_ICMP_CODE_ANY },
	{ 4, "redirect", 5, XT_ICMP_CODE_ANY },
	{ 4, "network-redirect", 5, 0 },
	{ 4, "host-redirect", 5, 1 },
	{ 4, "TOS-network-redirect", 5, 2 },
	{ 4, "TOS-host-redirect", 5, 3 },
	{ 4, "echo-request", 8, XT_ICMP_CODE_ANY },
	{ 4, "ping", 8, XT_ICMP_CODE_ANY },
	{ 4, "router-advertisement", 9, XT_ICMP_CODE_ANY },
	{ 4, "router-solicitation", 10, XT_ICMP_CODE_ANY },
	{ 4, "time-exceeded", 11, XT_ICMP_CODE_ANY },
	{ 4, "ttl-exceeded", 11, XT_ICMP_CODE_ANY },
	{ 4, "ttl-zero-during-transit", 11, 0 },
	{ 4, "ttl-zero-during-reassembly", 11, 1 },
	{ 4, "parameter-problem", 12, XT_ICMP_CODE_ANY },
	{ 4, "ip-header-bad", 12, 0 },
	{ 4, "required-option-missing", 12, 1 },
	{ 4, "timestamp-request", 13, XT_ICMP_CODE_ANY },
	{ 4, "timestamp-reply", 14, XT_ICMP_CODE_ANY },
	{ 4, "address-mask-request", 17, XT_ICMP_CODE_ANY },
	{ 4, "address-mask-reply", 18, XT_ICMP_CODE_ANY },
	{ 6, "destination-unreachable", 1, XT_ICMP_CODE_ANY },
	{ 6, "no-route", 1, 0 },
	{ 6, "communication-prohibited", 1, 1 },
	{ 6, "beyond-scope", 1, 2 },
	{ 6, "address-unreachable", 1, 3 },
	{ 6, "port-unreachable", 1, 4 },
	{ 6, "failed-policy", 1, 5 },
	{ 6, "reject-route", 1, 6 },
	{ 6, "packet-too-big", 2, XT_ICMP_CODE_ANY },
	{ 6, "time-exceeded", 3, XT_ICMP_CODE_ANY },
	{ 6, "ttl-exceeded", 3, XT_ICMP_CODE_ANY },
	{ 6, "ttl-zero-during-transit", 3, 0 },
	{ 6, "ttl-zero-during-reassembly", 3, 1 },
	{ 6, "parameter-problem", 4, XT_ICMP_CODE_ANY },
	{ 6, "bad-header", 4, 0 },
	{ 6, "unknown-header-type", 4, 1 },
	{ 6, "unknown-option", 4, 2 },
	{ 6, "echo-request", 128, XT_ICMP_CODE_ANY },
	{ 6, "ping", 128, XT_ICMP_CODE_ANY },
	{ 6, "echo-reply", 129, XT_ICMP_CODE_ANY },
	{ 6, "pong", 129, XT_ICMP_CODE_ANY },
	{ 6, "router-solicitation", 133, XT_ICMP_CODE_ANY },
	{ 6, "router-advertisement", 134, XT_ICMP_CODE_ANY },
	{ 6, "neighbour-solicitation", 135, XT_ICMP_CODE_ANY },
	{ 6, "neighbor-solicitation", 135, XT_ICMP_CODE_ANY },
	{ 6, "neighbour-advertisement", 136, XT_ICMP_CODE_ANY },
	{ 6, "neighbor-advertisement", 136, XT_ICMP_CODE_ANY },
	{ 6, "redirect", 137, XT_ICMP_CODE_ANY },
};

static int icmp_by_name(int version, const char *s, const struct icmp_row **ret, struct diag *d)
{
	const struct icmp_row *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(icmps); i++) {
		if (icmps[i].version != version || strncasecmp(icmps[i].name, s, strlen(s)))
			continue;
		if (!strcasecmp(icmps[i].name, s)) {
			*ret = &icmps[i];
			return 0;
		}
		if (found)
			return xt_usage(d, "ICMP%s type `%s' may be %s or %s",
					version == 6 ? "v6" : "", s, found->name, icmps[i].name);
		found = &icmps[i];
	}
	if (!found || !*s)
		return xt_usage(d, "unknown ICMP%s type `%s'", version == 6 ? "v6" : "", s);
	*ret = found;
	return 0;
}

int name_to_icmp(int version, const char *s, uint8_t *ret_type, int *ret_code, struct diag *d)
{
	const struct icmp_row *row = NULL;
	const char *slash = strchr(s, '/');
	char type[8] = "";
	uint64_t t, c;
	int r;

	if (*s < '0' || *s > '9') {
		r = icmp_by_name(version, s, &row, d);
		if (!r) {
			*ret_type = row->type;
			*ret_code = row->code;
		}
		return r;
	}
	snprintf(type, sizeof(type), "%.*s", slash ? (int)MIN(slash - s, 7) : 7, s);
	if (!str_to_u64(type, 0, 255, &t) || (slash && !str_to_u64(slash + 1, 0, 255, &c)))
		return xt_usage(d, "unknown ICMP%s type `%s'", version == 6 ? "v6" : "", s);
	*ret_type = (uint8_t)t;
	*ret_code = slash ? (int)c : XT_ICMP_CODE_ANY;
	return 0;
}

const char *icmp_to_name(int version, uint8_t type, int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(icmps); i++)
		if (icmps[i].version == version && icmps[i].type == type && icmps[i].code == code)
			return icmps[i].name;
	return NULL;
}

struct reject_row {
	int version;
	const char *name, *alias;
	uint32_t value;
};
/* The first row of a value is how it is printed. */
static const struct reject_row rejects[] = {
	{ 4, "icmp-net-unreachable", "net-unreach", GW_REJECT_NET },
	{ 4, "icmp-host-unreachable", "host-unreach", GW_REJECT_HOST },
	{ 4, "icmp-proto-unreachable", "proto-unreach", GW_REJECT_PROTO },
	{ 4, "icmp-port-unreachable", "port-unreach", GW_REJECT_PORT },
	{ 4, "icmp-net-prohibited", "net-prohib", GW_REJECT_NET_PRO },
	{ 4, "icmp-host-prohibited", "host-prohib", GW_REJECT_HOST_PRO },
	{ 4, "tcp-reset", "tcp-rst", GW_REJECT_TCP_RESET },
	{ 4, "icmp-admin-prohibited", "admin-prohib", GW_REJECT_ADMIN },
	{ 6, "icmp6-no-route", "no-route", GW_REJECT_NET },
	{ 6, "icmp6-adm-prohibited", "adm-prohibited", GW_REJECT_ADMIN },
	{ 6, "icmp6-addr-unreachable", "addr-unreach", GW_REJECT_HOST },
	{ 6, "icmp6-port-unreachable", "port-unreach", GW_REJECT_PORT },
	{ 6, "tcp-reset", "tcp-reset", GW_REJECT_TCP_RESET },
	{ 6, "icmp6-policy-fail", "policy-fail", GW_REJECT_POLICY },
	{ 6, "icmp6-reject-route", "reject-route", GW_REJECT_ROUTE },
};

int name_to_reject(int version, const char *s, uint32_t *ret, struct diag *d)
{
	size_t n = strlen(s);

	for (size_t i = 0; n && i < ARRAY_SIZE(rejects); i++) {
		const struct reject_row *row = &rejects[i];

		if (row->version != version ||
		    (strncasecmp(row->name, s, n) && strncasecmp(row->alias, s, n)))
			continue;
		*ret = row->value;
		return 0;
	}
	return xt_usage(d, "unknown reject type `%s'", s);
}

const char *reject_to_name(int version, uint32_t reject)
{
	for (size_t i = 0; i < ARRAY_SIZE(rejects); i++)
		if (rejects[i].version == version && rejects[i].value == reject)
			return rejects[i].name;
	return "";
}

static const struct {
	const char *name;
	uint32_t bit;
	bool nat; /* conntrack has it, state has not */
} states[] = {
	{ "INVALID", 1U << GW_CT_INVALID, false },
	{ "NEW", 1U << GW_CT_NEW, false },
	{ "RELATED", 1U << GW_CT_RELATED, false },
	{ "ESTABLISHED", 1U << GW_CT_ESTABLISHED, false },
	{ "UNTRACKED", 1U << GW_CT_UNTRACKED, false },
	{ "SNAT", XT_STATE_SNAT, true },
	{ "DNAT", XT_STATE_DNAT, true },
};

int names_to_states(const char *s, bool nat, uint32_t *ret, struct diag *d)
{
	*ret = 0;
	for (;;) {
		size_t n = strcspn(s, ","), i;

		for (i = 0; i < ARRAY_SIZE(states); i++)
			if (n == strlen(states[i].name) && !strncasecmp(s, states[i].name, n) &&
			    (nat || !states[i].nat))
				break;
		if (i == ARRAY_SIZE(states))
			return xt_usage(d, "unknown state `%.*s'", (int)MIN(n, 64U), s);
		*ret |= states[i].bit;
		if (!s[n])
			return 0;
		s += n + 1;
	}
}

void states_print(uint32_t mask, struct strbuf *b)
{
	const char *sep = " ";

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!(mask & states[i].bit))
			continue;
		strbuf_printf(b, "%s%s", sep, states[i].name);
		sep = ",";
	}
}

int name_to_dscp(const char *s, uint32_t *ret, struct diag *d)
{
	unsigned int major = s[0] && s[1] && s[2] ? (unsigned int)(s[2] - '0') : 9;
	unsigned int minor = major < 9 && s[3] ? (unsigned int)(s[3] - '0') : 9;

	if (!strcasecmp(s, "EF")) {
		*ret = 46;
		return 0;
	}
	if (!strcasecmp(s, "BE")) {
		*ret = 0;
		return 0;
	}
	if (!strncasecmp(s, "CS", 2) && major <= 7 && !s[3]) {
		*ret = major * 8;
		return 0;
	}
	if (!strncasecmp(s, "AF", 2) && major >= 1 && major <= 4 && minor >= 1 && minor <= 3 &&
	    !s[4]) {
		*ret = major * 8 + minor * 2;
		return 0;
	}
	return xt_usage(d, "Invalid DSCP value `%.32s'", s);
}

/* syslog's; the first row of a number is how it is listed. */
static const struct {
	const char *name;
	uint8_t level;
} levels[] = {
	{ "emerg", 0 }, { "panic", 0 },	  { "alert", 1 },  { "crit", 2 }, { "err", 3 },
	{ "error", 3 }, { "warning", 4 }, { "notice", 5 }, { "info", 6 }, { "debug", 7 },
};

int name_to_level(const char *s, uint8_t *ret, struct diag *d)
{
	uint64_t n;

	if (str_to_u64(s, 0, 7, &n)) {
		*ret = (uint8_t)n;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcasecmp(s, levels[i].name))
			continue;
		*ret = levels[i].level;
		return 0;
	}
	return xt_usage(d, "log level \"%.32s\" unknown", s);
}

const char *level_to_name(uint8_t level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level == level)
			return level == 4 ? "warn" : levels[i].name;
	return "";
}
