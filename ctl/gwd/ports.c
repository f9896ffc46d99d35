/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <gwd/ids.h>
#include <gwd/ports.h>

static void say_no_port(struct gwd *g, const struct gw_reason_row *row, uint64_t n)
{
	int af = row->family == 6 ? AF_INET6 : AF_INET;
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(af, row->tuple.saddr, from, sizeof(from));
	inet_ntop(af, row->tuple.daddr, to, sizeof(to));
	log_warning("Found no port for new connections packets=%llu rule=%llu proto=%u from=%s "
		    "sport=%u to=%s dport=%u",
		    (unsigned long long)n, (unsigned long long)ids_handle_of(g->rs, row->rule),
		    row->tuple.proto, from, ntohs(row->tuple.sport), to, ntohs(row->tuple.dport));
}

void ports_tick(struct gwd *g)
{
	struct gw_reason_row rows[GW_REASON_MAX] = { 0 };
	const struct gw_reason_row *row = &rows[GW_REASON_NAT_NO_PORT];

	if (kern_reasons(g->kern, rows) < 0)
		return; /* said by kern */
	/* what was counted before this gwd came is no news */
	if (g->no_port_known && row->pkts > g->no_port_pkts)
		say_no_port(g, row, row->pkts - g->no_port_pkts);
	g->no_port_pkts = row->pkts;
	g->no_port_known = true;
}
