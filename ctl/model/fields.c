/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/model.h>

#include <netinet/in.h>

const struct field_row field_rows[FIELD_ID_MAX] = {
#define GW_FIELD(id, keyword, type, bits, families, implies, hooks, varies, help)        \
	[FIELD_ID_##id] = {                                                              \
		keyword, FIELD_##type, bits, families, implies, #hooks, #varies[0], help \
	},
#include <gw/field.def>
#undef GW_FIELD
};

const struct type_row type_rows[FIELD_TYPE_MAX] = {
	[FIELD_IFNAME] = { "ifname", BASE_NAME, 4 },
	[FIELD_ADDR4] = { "ipv4_addr", BASE_ADDR, 4 },
	[FIELD_ADDR6] = { "ipv6_addr", BASE_ADDR, 16 },
	[FIELD_PROTO] = { "inet_proto", BASE_NUM, 1 },
	[FIELD_PORT] = { "inet_service", BASE_NUM, 2 },
	[FIELD_ICMP_TYPE] = { "icmp_type", BASE_NUM, 1 },
	[FIELD_ICMP6_TYPE] = { "icmpv6_type", BASE_NUM, 1 },
	[FIELD_CT_STATE] = { "ct_state", BASE_BITS, 4 },
	[FIELD_MARK] = { "mark", BASE_NUM, 4 },
	[FIELD_NUM] = { "integer", BASE_NUM, 4 },
	[FIELD_ETHER_ADDR] = { "ether_addr", BASE_ADDR, 6 },
	[FIELD_ETHERTYPE] = { "ether_type", BASE_NUM, 2 },
	[FIELD_DSCP] = { "dscp", BASE_NUM, 1 },
	[FIELD_ECN] = { "ecn", BASE_NUM, 1 },
	[FIELD_TCP_FLAG] = { "tcp_flag", BASE_BITS, 1 },
	[FIELD_ICMP_CODE] = { "icmp_code", BASE_NUM, 1 },
	[FIELD_ICMP6_CODE] = { "icmpv6_code", BASE_NUM, 1 },
	[FIELD_CT_STATUS] = { "ct_status", BASE_BITS, 4 },
	[FIELD_CT_DIR] = { "ct_dir", BASE_NUM, 1 },
	[FIELD_NFPROTO] = { "nf_proto", BASE_NUM, 1 },
	[FIELD_PKTTYPE] = { "pkt_type", BASE_NUM, 1 },
	[FIELD_IFTYPE] = { "iface_type", BASE_NUM, 2 },
	[FIELD_FIB_TYPE] = { "fib_addrtype", BASE_NUM, 4 },
	[FIELD_FIB_OIF] = { "iface_index", BASE_NAME, 4 },
	[FIELD_BOOL] = { "boolean", BASE_NUM, 1 },
	[FIELD_HOUR] = { "hour", BASE_NUM, 4 },
	[FIELD_DAY] = { "day", BASE_NUM, 1 },
	[FIELD_TIME] = { "time", BASE_NUM, 4 },
	[FIELD_DATE] = { "date", BASE_NUM, 8 },
};

static const char *const family_names[] = {
	[FAMILY_INET] = "inet",
	[FAMILY_IP] = "ip",
	[FAMILY_IP6] = "ip6",
};

const char *family_name(enum family f)
{
	return family_names[f];
}

bool family_sees(enum family f, int version)
{
	if (f == FAMILY_INET)
		return version == 4 || version == 6;
	return version == (f == FAMILY_IP ? 4 : 6);
}

static const char *const hook_names[] = { "prerouting", "input", "forward", "output",
					  "postrouting" };

const char *hook_name(int hook_nf)
{
	return hook_nf >= 0 && hook_nf < (int)ARRAY_SIZE(hook_names) ? hook_names[hook_nf] : NULL;
}

static const char *const chain_types[] = {
	[CHAIN_FILTER] = "filter",
	[CHAIN_NAT] = "nat",
	[CHAIN_ROUTE] = "route",
};

const char *chain_type_name(int type)
{
	return type >= 0 && type < (int)ARRAY_SIZE(chain_types) ? chain_types[type] : NULL;
}
