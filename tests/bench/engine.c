/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways to route that are compared, one row each. */
#include <string.h>
#include <stddef.h>
#include "world.h"

#define CT_FLUSH  "ip netns exec $R conntrack -F 2>/dev/null"
#define CT_LISTEN "exec ip netns exec $R conntrack -E -b 67108864 2>/dev/null"

#define IPT(variant)                                                                               \
	.flags = ENGINE_TRANSLATES | ENGINE_TRACKS | ENGINE_NETFILTER | ENGINE_LINEAR,             \
	.setup = "ip netns exec $R " variant " -t nat -A POSTROUTING -o rs -j MASQUERADE",         \
	.policy = "ip netns exec $R " variant "-restore -n < /run/policy.ipt",                     \
	.rules = "ip netns exec $R " variant "-restore -n < /run/rules-$N.ipt", .flush = CT_FLUSH, \
	.listen = CT_LISTEN

const struct engine engines[] = {
	{ .name = "floor", .flags = ENGINE_FLOOR },
	{ .name = "ip_forward" },
	{ .name = "ip_forward + conntrack",
	  .flags = ENGINE_TRACKS | ENGINE_NETFILTER,
	  .setup = "ip netns exec $R nft 'add table ip b; add chain ip b f { type filter hook "
		   "forward priority 0; }; add rule ip b f ct state invalid drop'",
	  .flush = CT_FLUSH },
	{ .name = "iptables", IPT("iptables-legacy") },
	{ .name = "iptables-nft", IPT("iptables-nft") },
	{ .name = "nft",
	  .flags = ENGINE_TRANSLATES | ENGINE_TRACKS | ENGINE_NETFILTER | ENGINE_LINEAR,
	  .setup = "ip netns exec $R nft 'add table ip b; add chain ip b p { type nat hook "
		   "postrouting priority 100; };"
		   " add rule ip b p oifname rs masquerade'",
	  .policy = "ip netns exec $R nft -f /run/policy.nft",
	  .rules = "ip netns exec $R nft -f /run/rules-$N.nft",
	  .flush = CT_FLUSH,
	  .listen = CT_LISTEN },
	{ .name = "nft verdict map",
	  .flags = ENGINE_TRANSLATES | ENGINE_TRACKS | ENGINE_NETFILTER,
	  .rules = "ip netns exec $R nft -f /run/map-$N.nft" },
	{ .name = "nft concat map",
	  .flags = ENGINE_TRANSLATES | ENGINE_TRACKS | ENGINE_NETFILTER,
	  .rules = "ip netns exec $R nft -f /run/concat-$N.nft" },
	{ .name = "tcx redirect", .flags = ENGINE_TCX },
	{ .name = "clsact redirect", .flags = ENGINE_CLSACT },
	{ .name = "gatewarden",
	  .flags = ENGINE_TRANSLATES | ENGINE_TRACKS | ENGINE_GWD,
	  .setup = "$GWCTL --socket $D/control.sock wait --timeout 10\n"
		   "$GWCTL --socket $D/control.sock iptables -t nat -A POSTROUTING -o rs -j "
		   "MASQUERADE",
	  .policy = "$GWCTL --socket $D/control.sock iptables-restore -n < /run/policy.ipt",
	  .rules = "$GWCTL --socket $D/control.sock ruleset apply /run/rules-$N.nft",
	  .flush = "$GWCTL --socket $D/control.sock conntrack -F 2>/dev/null",
	  .listen = "exec $GWCTL --socket $D/control.sock conntrack -E" },
	{ .name = NULL },
};

const struct engine *engine_find(const char *name)
{
	const struct engine *e;

	for (e = engines; e->name; e++)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}
