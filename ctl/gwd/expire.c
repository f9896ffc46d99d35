/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/conf.h>
#include <gwd/events.h>
#include <gwd/expire.h>
#include <gwd/ports.h>
#include <gwd/sets.h>
#include <gwd/single.h>
#include <gwd/txn.h>
#include <systemd/sd-event.h>
#include <time.h>

#define TICK_NS	    1000000000ULL
#define TICK_MAX_NS (5 * TICK_NS)
/* A pass may take one part in DUTY of the time: huge tables are looked at less often. */
#define DUTY	     20
#define HIGH_PERCENT 90
#define LOW_PERCENT  85

static int pressure_set(struct gwd *g, uint32_t pressure, uint64_t left)
{
	kern_conf(g->kern)->pressure = pressure;
	log_at(pressure ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
	       "Set pressure on assured connections pressure=%u assured=%llu max=%u", pressure,
	       (unsigned long long)left, kern_features(g->kern)->flows_max);
	return conf_apply(g);
}

/* One step a tick: up as long as the table is too full, down when there is room again. */
static int govern(struct gwd *g, uint64_t *left)
{
	uint32_t pressure = kern_conf(g->kern)->pressure;
	uint64_t max = kern_features(g->kern)->flows_max;
	int r = 0;

	if (*left * 100 > max * HIGH_PERCENT && pressure < conf_pressure_max(&g->cfg)) {
		r = pressure_set(g, pressure + 1, *left);
		if (!r)
			r = kern_expire(g->kern, left);
	} else if (*left * 100 < max * LOW_PERCENT && pressure) {
		r = pressure_set(g, pressure - 1, *left);
	}
	return r;
}

/* Elements of sets, and what waited for a quiet moment. */
static void rules_tick(struct gwd *g)
{
	struct diag d = { 0 };
	bool stale = false;

	kern_image_settle(g->kern); /* said by kern; the next swap tries again */
	if (g->model_lost)
		return;
	sets_tick(g, &stale);
	if (stale && txn_recompile(g, &d) > 0)
		log_err("Could not compile the ruleset without expired elements error=%s", d.text);
	single_fold(g);
}

static int expire_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct gwd *g = arg;
	uint64_t left = 0, start = now_ns(CLOCK_MONOTONIC), took, wait, vanished;
	int r = kern_expire(g->kern, &left);

	vanished = kern_vanished(g->kern);
	if (vanished)
		events_vanished(g, vanished);
	if (!r)
		r = govern(g, &left);
	if (!r)
		g->flows_assured = left;
	rules_tick(g);
	ports_tick(g);
	conf_wall_clock(g);
	/* an error here was said; traffic goes on and the next pass tries again */
	took = now_ns(CLOCK_MONOTONIC) - start;
	wait = MIN(MAX(took * DUTY, TICK_NS), TICK_MAX_NS);
	sd_event_source_set_time(source, (start + wait) / 1000);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int expire_start(struct gwd *g)
{
	uint64_t left;
	int r = sd_event_add_time(g->loop, &g->timer_expire, CLOCK_MONOTONIC,
				  (now_ns(CLOCK_MONOTONIC) + TICK_NS) / 1000, 1000, expire_tick, g);

	/* from here on it is news */
	if (kern_expire(g->kern, &left) == 0)
		g->flows_assured = left;
	ports_tick(g);
	return r < 0 ? raise(r, "expiry timer") : 0;
}
