/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/conf.h>

/* The rest of the table is slack for promotions that race: an assured table must never evict by itself. */
#define EST_PERCENT 95

int conf_apply(struct gwd *g)
{
	struct gw_conf *conf = kern_conf(g->kern);
	unsigned int hz = kern_features(g->kern)->hz;

	for (size_t i = 0; i < GW_TIMEOUT_MAX; i++)
		conf->timeout[i] = MIN((uint64_t)g->cfg.timeout[i] * hz, (uint64_t)INT32_MAX);
	conf->flags &= ~(GW_CONF_TCP_LOOSE | GW_CONF_TCP_BE_LIBERAL);
	conf->flags |= g->cfg.tcp_loose ? GW_CONF_TCP_LOOSE : 0;
	conf->flags |= g->cfg.tcp_be_liberal ? GW_CONF_TCP_BE_LIBERAL : 0;
	conf->est_max = (uint64_t)kern_features(g->kern)->flows_max * EST_PERCENT / 100;
	return kern_conf_push(g->kern);
}
