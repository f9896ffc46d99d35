/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/conf.h>
#include <time.h>

/* The rest of the table is slack for promotions that race: an assured table must never evict by itself. */
#define EST_PERCENT 95

/* Seconds of silence that the governor leaves to everybody, however full the table is. */
#define FLOOR_TCP_S   300
#define FLOOR_OTHER_S 30

uint32_t conf_pressure_max(const struct settings *s)
{
	uint32_t pressure = 0;

	while (s->timeout[GW_TCP_ESTABLISHED] >> (pressure + 1) >= FLOOR_TCP_S)
		pressure++;
	return pressure;
}

/* Where data may still flow. */
static bool class_has_floor(size_t class)
{
	return class == GW_TIMEOUT_UDP_STREAM || class == GW_TIMEOUT_GENERIC ||
	       class == GW_TCP_FIN_WAIT || class == GW_TCP_CLOSE_WAIT;
}

/*
 * The data plane shifts every assured timeout by the pressure.  What makes five days into minutes would make minutes into nothing:
 * short timeouts are raised by as much as keeps their floor.
 */
static uint32_t timeout_jiffies(const struct gwd *g, size_t class, uint32_t pressure)
{
	uint64_t seconds = g->cfg.timeout[class];

	if (class_has_floor(class))
		seconds = MAX(seconds, (uint64_t)MIN(seconds, FLOOR_OTHER_S) << pressure);
	/* limits of established connections, which have theirs */
	if (class == GW_TIMEOUT_TCP_RETRANS || class == GW_TIMEOUT_TCP_UNACK)
		seconds = MAX(seconds, (uint64_t)MIN(seconds, FLOOR_TCP_S) << pressure);
	return MIN(seconds * kern_features(g->kern)->hz, (uint64_t)INT32_MAX);
}

/* Rules that ask for the time of day need no more than this. */
#define WALL_SLACK_NS 10000000

static uint64_t wall_offset(void)
{
	return now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);
}

void conf_wall_clock(struct gwd *g)
{
	struct gw_conf *conf = kern_conf(g->kern);
	int64_t off = (int64_t)(wall_offset() - conf->wall_ns);

	if (off > -WALL_SLACK_NS && off < WALL_SLACK_NS)
		return;
	conf->wall_ns = wall_offset();
	kern_conf_push(g->kern); /* said by kern; the next tick tries again */
}

int conf_apply(struct gwd *g)
{
	struct gw_conf *conf = kern_conf(g->kern);

	conf->pressure = MIN(conf->pressure, conf_pressure_max(&g->cfg));
	for (size_t i = 0; i < GW_TIMEOUT_MAX; i++)
		conf->timeout[i] = timeout_jiffies(g, i, conf->pressure);
	conf->flags &=
		~(GW_CONF_TCP_LOOSE | GW_CONF_TCP_BE_LIBERAL | GW_CONF_PROTECT_LOCAL |
		  GW_CONF_TCP_IGNORE_RST | GW_CONF_TCP_STRICT | GW_CONF_CHECKSUM | GW_CONF_RECHECK);
	conf->flags |= g->cfg.tcp_loose ? GW_CONF_TCP_LOOSE : 0;
	conf->flags |= g->cfg.tcp_be_liberal ? GW_CONF_TCP_BE_LIBERAL : 0;
	conf->flags |= g->cfg.tcp_ignore_invalid_rst ? GW_CONF_TCP_IGNORE_RST : 0;
	conf->flags |= g->cfg.tcp_strict ? GW_CONF_TCP_STRICT : 0;
	conf->flags |= g->cfg.checksum ? GW_CONF_CHECKSUM : 0;
	conf->tcp_max_retrans = g->cfg.tcp_max_retrans;
	conf->flags |= g->cfg.recheck ? GW_CONF_RECHECK : 0;
	conf->flags |= g->cfg.protect_local ? GW_CONF_PROTECT_LOCAL : 0;
	conf->wall_ns = wall_offset();
	conf->est_max = (uint64_t)kern_features(g->kern)->flows_max * EST_PERCENT / 100;
	return kern_conf_push(g->kern);
}
