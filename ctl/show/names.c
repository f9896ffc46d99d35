/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <show/names.h>
#include <show/show.h>

static const struct {
	uint8_t proto;
	const char *name;  /* as printed; NULL = conntrack prints "unknown" */
	const char *alias; /* also accepted */
	bool ports;
} protos[] = {
	{ IPPROTO_TCP, "tcp", NULL, true },
	{ IPPROTO_UDP, "udp", NULL, true },
	{ IPPROTO_UDPLITE, "udplite", NULL, true },
	{ IPPROTO_ICMP, "icmp", NULL, false },
	{ IPPROTO_ICMPV6, "icmpv6", "ipv6-icmp", false },
	{ IPPROTO_SCTP, "sctp", NULL, true },
	{ IPPROTO_DCCP, "dccp", NULL, true },
	{ IPPROTO_GRE, "gre", NULL, false },
	{ IPPROTO_ESP, NULL, "esp", false },
	{ IPPROTO_AH, NULL, "ah", false },
	{ IPPROTO_IPIP, NULL, "ipip", false },
	{ IPPROTO_IGMP, NULL, "igmp", false },
	{ IPPROTO_IPV6, NULL, "ipv6", false },
	{ 89, NULL, "ospf", false },
	{ 112, NULL, "vrrp", false },
};

static const char *const states[GW_TCP_STATES] = {
	[GW_TCP_NONE] = "NONE",		[GW_TCP_SYN_SENT] = "SYN_SENT",
	[GW_TCP_SYN_RECV] = "SYN_RECV", [GW_TCP_ESTABLISHED] = "ESTABLISHED",
	[GW_TCP_FIN_WAIT] = "FIN_WAIT", [GW_TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[GW_TCP_LAST_ACK] = "LAST_ACK", [GW_TCP_TIME_WAIT] = "TIME_WAIT",
	[GW_TCP_CLOSE] = "CLOSE",	[GW_TCP_SYN_SENT2] = "SYN_SENT2",
};

static const char *const sctp_states[GW_SCTP_STATES] = {
	[GW_SCTP_NONE] = "NONE",
	[GW_SCTP_CLOSED] = "CLOSED",
	[GW_SCTP_COOKIE_WAIT] = "COOKIE_WAIT",
	[GW_SCTP_COOKIE_ECHOED] = "COOKIE_ECHOED",
	[GW_SCTP_ESTABLISHED] = "ESTABLISHED",
	[GW_SCTP_SHUTDOWN_SENT] = "SHUTDOWN_SENT",
	[GW_SCTP_SHUTDOWN_RECD] = "SHUTDOWN_RECD",
	[GW_SCTP_SHUTDOWN_ACK_SENT] = "SHUTDOWN_ACK_SENT",
	[GW_SCTP_HEARTBEAT_SENT] = "HEARTBEAT_SENT",
};

static const char *const dccp_states[GW_DCCP_STATES] = {
	[GW_DCCP_NONE] = "NONE",       [GW_DCCP_REQUEST] = "REQUEST",
	[GW_DCCP_RESPOND] = "RESPOND", [GW_DCCP_PARTOPEN] = "PARTOPEN",
	[GW_DCCP_OPEN] = "OPEN",       [GW_DCCP_CLOSEREQ] = "CLOSEREQ",
	[GW_DCCP_CLOSING] = "CLOSING", [GW_DCCP_TIMEWAIT] = "TIMEWAIT",
};

/* The queries that have an answer. */
static const struct {
	uint8_t proto;
	uint16_t request, reply;
} queries[] = {
	{ IPPROTO_ICMP, 8, 0 },	  { IPPROTO_ICMP, 13, 14 },	{ IPPROTO_ICMP, 15, 16 },
	{ IPPROTO_ICMP, 17, 18 }, { IPPROTO_ICMPV6, 128, 129 }, { IPPROTO_ICMPV6, 139, 140 },
};

const char *show_proto_name(uint8_t proto)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].proto == proto && protos[i].name)
			return protos[i].name;
	return "unknown";
}

bool show_proto_has_ports(uint8_t proto)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].proto == proto)
			return protos[i].ports;
	return false;
}

const char *show_state_name(uint8_t proto, uint8_t state)
{
	switch (proto) {
	case IPPROTO_TCP:
		return state < GW_TCP_STATES ? states[state] : NULL;
	case IPPROTO_SCTP:
		return state < GW_SCTP_STATES ? sctp_states[state] : NULL;
	case IPPROTO_DCCP:
		return state < GW_DCCP_STATES ? dccp_states[state] : NULL;
	}
	return NULL;
}

unsigned int show_icmp_type(const struct gw_event *ev, int dir)
{
	unsigned int type = ntohs(dir ? ev->tuple[1].sport : ev->tuple[0].dport);

	if (!type)
		type = ev->proto == IPPROTO_ICMP ? 8 : 128;
	if (!dir)
		return type;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		if (queries[i].proto == ev->proto && queries[i].request == type)
			return queries[i].reply;
	return type;
}

bool show_icmp_is_query(uint8_t proto, int type)
{
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		if (queries[i].proto == proto && queries[i].request == type)
			return true;
	return false;
}

int show_proto_parse(const char *text)
{
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if ((protos[i].name && !strcasecmp(text, protos[i].name)) ||
		    (protos[i].alias && !strcasecmp(text, protos[i].alias)))
			return protos[i].proto;
	return str_to_u64(text, 0, 255, &n) ? (int)n : -1;
}

int show_state_parse(const char *text)
{
	for (int i = 0; i < GW_TCP_STATES; i++)
		if (!strcmp(text, states[i]))
			return i;
	return strcmp(text, "LISTEN") ? -1 : GW_TCP_SYN_SENT2; /* the older name */
}
