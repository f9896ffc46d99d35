/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <gwd/flowlist.h>
#include <gwd/masq.h>

struct behind {
	int family;
	uint8_t addr[16];
};

static bool flow_is_behind(const struct gw_event *ev, void *arg)
{
	const struct behind *b = arg;

	return ev->family == b->family && (ev->flags & GW_FLOW_SNAT) &&
	       !memcmp(ev->tuple[1].daddr, b->addr, b->family == 4 ? 4 : 16);
}

void masq_retire(struct gwd *g, int family, const void *addr)
{
	_cleanup_(flowlist_deinit) struct flowlist list = { 0 };
	struct behind b = { .family = family };
	char text[INET6_ADDRSTRLEN];
	size_t ended = 0;

	memcpy(b.addr, addr, family == 4 ? 4 : 16);
	kern_mappings_end(g->kern, family, addr);
	if (flowlist_collect(&list, g, flow_is_behind, &b) < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		ended += kern_flow_kill(g->kern, &list.list[i], GW_CAUSE_KILL) == 1;
	inet_ntop(family == 4 ? AF_INET : AF_INET6, b.addr, text, sizeof(text));
	log_info("Ended connections behind an address that is gone address=%s connections=%zu",
		 text, ended);
}
