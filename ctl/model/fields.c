/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/model.h>

#include <netinet/in.h>

const struct field_row field_rows[FIELD_ID_MAX] = {
#define GW_FIELD(id, keyword, type, families, implies, hooks, help) \
	[FIELD_ID_##id] = { keyword, FIELD_##type, families, implies, #hooks, help },
#include <gw/field.def>
#undef GW_FIELD
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
