/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rings of events and of logs.  Records are submitted without wake-ups, and a full ring never wakes anyone, so the caller
 * comes by on a timer.
 */
#include <time.h>
#include <kern/impl.h>

/* Records of one call, so that a flood does not keep the caller from its other work. */
#define EVENT_BUDGET 65536
#define LOG_BUDGET   4096
#define EVENT_STOP   (-ECANCELED)

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts = {};

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int events_emit(struct kern *k, const struct gw_event *ev)
{
	k->event_result = k->event_fn(ev, k->event_arg);
	return k->event_result ? EVENT_STOP : 0;
}

static int events_sample(void *ctx, void *data, size_t size)
{
	struct kern *k = ctx;
	struct gw_event ev;
	int r;

	if (size < sizeof(ev))
		return 0;
	memcpy(&ev, data, sizeof(ev));
	ev.time_ns += k->event_offset_ns;
	r = events_emit(k, &ev);
	return r == 0 && --k->event_budget == 0 ? EVENT_STOP : r;
}

static int logs_sample(void *ctx, void *data, size_t size)
{
	struct kern *k = ctx;
	struct gw_log log;

	if (size < sizeof(log))
		return 0;
	memcpy(&log, data, sizeof(log));
	log.time_ns += k->event_offset_ns;
	k->log_fn(&log, k->log_arg);
	return --k->log_budget == 0 ? EVENT_STOP : 0;
}

int kern_logs(struct kern *k, kern_log_fn fn, void *arg, uint64_t *ret_lost)
{
	int r;

	k->log_fn = fn;
	k->log_arg = arg;
	k->log_budget = LOG_BUDGET;
	k->event_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	r = ring_buffer__consume(k->log_ring);
	if (r < 0 && r != EVENT_STOP)
		return raise(r, "read the ring of logs");
	return maps_stat_sum(k, GW_STAT_LOG_LOST, ret_lost);
}

int events_open(struct kern *k)
{
	k->log_ring = ring_buffer__new(bpf_map__fd(k->skel->maps.gw_logs), logs_sample, k, NULL);
	if (!k->log_ring)
		return raise(-errno, "open the ring of logs");
	k->ring = ring_buffer__new(bpf_map__fd(k->skel->maps.gw_events), events_sample, k, NULL);
	if (!k->ring)
		return raise(-errno, "open the event ring");
	return maps_stat_sum(k, GW_STAT_EVENT_LOST, &k->events_lost);
}

int kern_events_fd(struct kern *k)
{
	return ring_buffer__epoll_fd(k->ring);
}

static int events_report_lost(struct kern *k)
{
	struct gw_event ev = { .type = GW_EVENT_LOST };
	uint64_t lost;
	int r = maps_stat_sum(k, GW_STAT_EVENT_LOST, &lost);

	if (r < 0 || lost == k->events_lost)
		return r;
	ev.time_ns = clock_ns(CLOCK_REALTIME);
	ev.pkts[0] = lost - k->events_lost;
	k->events_lost = lost;
	events_emit(k, &ev);
	return k->event_result;
}

int kern_events(struct kern *k, kern_flow_fn fn, void *arg)
{
	int r;

	k->event_fn = fn;
	k->event_arg = arg;
	k->event_result = 0;
	k->event_budget = EVENT_BUDGET;
	k->event_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	r = ring_buffer__consume(k->ring);
	if (r < 0 && r != EVENT_STOP)
		return raise(r, "read the event ring");
	return k->event_result ? k->event_result : events_report_lost(k);
}
