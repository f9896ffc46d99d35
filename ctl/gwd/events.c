/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/events.h>
#include <systemd/sd-event.h>
#include <time.h>

#define TICK_LISTENED_US 20000
#define TICK_IDLE_US	 200000
#define QUEUE_MAX	 (16U << 20) /* bytes of events that may wait for one reader */
#define BATCH		 256

struct subscription {
	struct subscription *next;
	struct client *client;
	struct flow_filter filter;
	uint64_t lost; /* not told yet */
	size_t n;
	struct gw_event batch[BATCH];
};

struct events {
	struct subscription *head;
	uint64_t lost;
};

uint64_t events_lost(const struct events *e)
{
	return e->lost;
}

static struct gw_event lost_event(uint64_t n)
{
	return (struct gw_event){ .type = GW_EVENT_LOST,
				  .time_ns = now_ns(CLOCK_REALTIME),
				  .pkts = { n } };
}

static bool has_room(const struct subscription *s)
{
	return client_queued(s->client) < QUEUE_MAX;
}

/* A count, or a batch: whatever does not fit becomes part of the count. */
static void tell_lost(struct subscription *s)
{
	struct gw_event ev = lost_event(s->lost);

	if (s->lost && has_room(s) && !client_queue(s->client, WIRE_FLOWS, &ev, sizeof(ev)))
		s->lost = 0;
}

static void flush(struct subscription *s)
{
	tell_lost(s);
	if (!s->n)
		return;
	if (s->lost || !has_room(s) ||
	    client_queue(s->client, WIRE_FLOWS, s->batch, s->n * sizeof(s->batch[0])))
		s->lost += s->n;
	s->n = 0;
}

void events_drained(struct subscription *s)
{
	tell_lost(s);
}

static int fan_out(const struct gw_event *ev, void *arg)
{
	struct events *e = arg;

	if (ev->type == GW_EVENT_LOST)
		e->lost += ev->pkts[0];
	for (struct subscription *s = e->head; s; s = s->next) {
		if (!flow_filter_match(&s->filter, ev))
			continue;
		s->batch[s->n++] = *ev;
		if (s->n == BATCH)
			flush(s);
	}
	return 0;
}

static int events_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct gwd *g = arg;
	uint64_t next;

	kern_events(g->kern, fan_out, g->events); /* said by kern; the next tick tries again */
	for (struct subscription *s = g->events->head; s; s = s->next)
		flush(s);
	next = now_ns(CLOCK_MONOTONIC) / 1000 + (g->events->head ? TICK_LISTENED_US : TICK_IDLE_US);
	sd_event_source_set_time(source, next);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int events_start(struct gwd *g)
{
	int r;

	g->events = calloc(1, sizeof(*g->events));
	if (!g->events)
		return raise(-ENOMEM, "events");
	r = sd_event_add_time(g->loop, &g->timer_events, CLOCK_MONOTONIC,
			      now_ns(CLOCK_MONOTONIC) / 1000 + TICK_IDLE_US, 1000, events_tick, g);
	return r < 0 ? raise(r, "event timer") : 0;
}

struct events *events_free(struct events *e)
{
	free(e);
	return NULL;
}

static int discard(const struct gw_event *ev, void *arg)
{
	struct events *e = arg;

	if (ev->type == GW_EVENT_LOST)
		e->lost += ev->pkts[0];
	return 0;
}

int events_subscribe(struct gwd *g, struct client *c, const struct flow_filter *f,
		     struct subscription **ret)
{
	struct subscription *s = calloc(1, sizeof(*s));

	if (!s)
		return raise(-ENOMEM, "subscription");
	/* what happened before somebody listened is not for him */
	kern_events(g->kern, g->events->head ? fan_out : discard, g->events);
	s->client = c;
	s->filter = *f;
	s->next = g->events->head;
	g->events->head = s;
	sd_event_source_set_time(g->timer_events,
				 now_ns(CLOCK_MONOTONIC) / 1000 + TICK_LISTENED_US);
	*ret = s;
	return 0;
}

void events_unsubscribe(struct gwd *g, struct subscription *s)
{
	for (struct subscription **p = &g->events->head; *p; p = &(*p)->next) {
		if (*p != s)
			continue;
		*p = s->next;
		free(s);
		return;
	}
}
