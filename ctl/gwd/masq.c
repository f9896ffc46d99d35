/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <gwd/flowlist.h>
#include <gwd/index.h>
#include <gwd/masq.h>

struct behind {
	const struct gwd *g;
	int family;
	uint8_t addr[16];
	uint32_t handle; /* the last rule asked about: the others' are mostly the same */
	bool stays;
};

/* An address that a rule names is nobody's loss: what `snat to` made goes on, as in netfilter.  A rule that is gone may have been any. */
static bool rule_names_address(struct behind *b, uint32_t handle)
{
	const struct index_entry *e;

	if (handle == b->handle)
		return b->stays;
	e = handle ? index_find(b->g->index, handle) : NULL;
	b->handle = handle;
	b->stays = e && e->rule && e->rule->action.verdict == VERDICT_SNAT;
	return b->stays;
}

static bool flow_is_behind(const struct gw_event *ev, void *arg)
{
	struct behind *b = arg;

	return ev->family == b->family && (ev->flags & GW_FLOW_SNAT) &&
	       !memcmp(ev->tuple[1].daddr, b->addr, b->family == 4 ? 4 : 16) &&
	       !rule_names_address(b, ev->nat_rule) && !rule_names_address(b, ev->nat_rule2);
}

void masq_retire(struct gwd *g, int family, const void *addr)
{
	_cleanup_(flowlist_deinit) struct flowlist list = { 0 };
	struct behind b = { .g = g, .family = family };
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
