/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/events.h>
#include <gwd/flowlist.h>
#include <gwd/snapshot.h>
#include <systemd/sd-event.h>
#include <time.h>

#define TICK_LISTENED_US 20000
#define TICK_IDLE_US	 200000
#define QUEUE_MAX	 (16U << 20)   /* bytes of events that may wait for one reader */
#define SYNC_QUEUE_MAX	 (1U << 20)    /* rows of a snapshot come only as fast as they are read */
#define SYNC_WAIT_NS	 1000000000ULL /* between two snapshots for one reader */
#define BATCH		 256

/*
 * A reader that asked for it gets a snapshot first, and another one whenever events were lost: GW_EVENT_SYNC, the rows, GW_EVENT_SYNCED.
 * Events that arrive meanwhile wait behind it.  They may repeat what the rows already say, and that does no harm: for each
 * connection the last of them is the latest news.
 */
struct subscription {
	struct subscription *next;
	struct gwd *g;
	struct client *client;
	struct flow_filter filter;
	uint64_t lost; /* not told yet */
	uint64_t lost_seq;
	bool resync, stale; /* asked for snapshots; needs one */
	struct snapshot *snap;
	uint64_t synced_ns;
	struct gw_event *wait; /* events behind the snapshot */
	size_t wait_n, wait_cap;
	size_t n;
	struct gw_event batch[BATCH];
};

struct events {
	struct gwd *g;
	struct subscription *head;
	uint64_t lost;
	uint64_t seq; /* of the latest event */
};

uint64_t events_lost(const struct events *e)
{
	return e->lost;
}

static struct gw_event stream_event(uint8_t type, uint64_t n, uint64_t seq)
{
	return (struct gw_event){
		.type = type, .time_ns = now_ns(CLOCK_REALTIME), .pkts = { n }, .seq = seq
	};
}

static bool has_room(const struct subscription *s)
{
	return client_queued(s->client) < QUEUE_MAX;
}

static int send_events(struct subscription *s, const struct gw_event *list, size_t n)
{
	return n ? client_queue(s->client, WIRE_FLOWS, list, n * sizeof(*list)) : 0;
}

static void lose(struct subscription *s, uint64_t n, uint64_t last_seq)
{
	s->lost += n;
	s->lost_seq = last_seq;
	s->stale = s->resync;
}

/* A count, or a batch: whatever does not fit becomes part of the count. */
static void tell_lost(struct subscription *s)
{
	struct gw_event ev = stream_event(GW_EVENT_LOST, s->lost, s->lost_seq);

	if (s->lost && !s->snap && has_room(s) && !send_events(s, &ev, 1))
		s->lost = 0;
}

/* Behind a snapshot that is on its way. */
static void keep_waiting(struct subscription *s)
{
	void *p = s->wait;

	if ((s->wait_n + s->n) * sizeof(*s->wait) > QUEUE_MAX || s->lost ||
	    array_reserve(&p, &s->wait_cap, s->wait_n + s->n, sizeof(*s->wait)) < 0) {
		lose(s, s->wait_n + s->n, s->batch[s->n - 1].seq);
		s->wait_n = 0;
		return;
	}
	s->wait = p;
	memcpy(s->wait + s->wait_n, s->batch, s->n * sizeof(*s->wait));
	s->wait_n += s->n;
}

static void flush(struct subscription *s)
{
	tell_lost(s);
	if (!s->n)
		return;
	if (s->snap)
		keep_waiting(s);
	else if (s->lost || !has_room(s) || send_events(s, s->batch, s->n))
		lose(s, s->n, s->batch[s->n - 1].seq);
	s->n = 0;
}

/* All rows are there, or there will be no more of them: what waited follows. */
static void sync_end(struct subscription *s, bool complete, uint64_t rows)
{
	struct gw_event ev = stream_event(GW_EVENT_SYNCED, rows, s->g->events->seq);

	s->snap = snapshot_free(s->snap);
	s->synced_ns = now_ns(CLOCK_MONOTONIC);
	if (!complete || send_events(s, &ev, 1))
		s->stale = true;
	for (size_t at = 0, n; at < s->wait_n; at += n) {
		n = MIN(s->wait_n - at, (size_t)BATCH);
		if (!s->lost && !send_events(s, s->wait + at, n))
			continue;
		lose(s, s->wait_n - at, s->wait[s->wait_n - 1].seq);
		break;
	}
	s->wait_n = 0;
}

static void sync_rows(void *arg, const void *rows, size_t bytes)
{
	struct subscription *s = arg;

	if (client_queue(s->client, WIRE_FLOWS, rows, bytes))
		snapshot_fail(s->snap);
	if (client_queued(s->client) >= SYNC_QUEUE_MAX)
		snapshot_flow(s->snap, false);
}

static void sync_done(void *arg, bool complete, uint64_t rows)
{
	sync_end(arg, complete, rows);
}

static void sync_begin(struct subscription *s)
{
	struct gw_event ev = stream_event(GW_EVENT_SYNC, 0, s->g->events->seq);

	if (snapshot_start(s->g, &s->filter, sync_rows, sync_done, s, &s->snap) < 0) {
		s->synced_ns = now_ns(CLOCK_MONOTONIC); /* said; later again */
		return;
	}
	s->stale = false;
	if (send_events(s, &ev, 1))
		snapshot_fail(s->snap);
}

/* What a reader that follows everything needs next. */
static void sync_step(struct subscription *s)
{
	if (s->snap)
		snapshot_flow(s->snap, client_queued(s->client) < SYNC_QUEUE_MAX);
	else if (s->stale && !s->lost && !s->n && has_room(s) &&
		 now_ns(CLOCK_MONOTONIC) - s->synced_ns >= SYNC_WAIT_NS)
		sync_begin(s);
}

void events_drained(struct subscription *s)
{
	tell_lost(s);
	sync_step(s);
}

static void fan_one(struct subscription *s, const struct gw_event *ev)
{
	if (!flow_filter_match(&s->filter, ev))
		return;
	if (ev->type == GW_EVENT_LOST)
		s->stale = s->resync;
	s->batch[s->n++] = *ev;
	if (s->n == BATCH)
		flush(s);
}

/* Every event has its number, also if nobody listens, and if it was lost. */
static int fan_out(const struct gw_event *from, void *arg)
{
	struct events *e = arg;
	struct gw_event ev = *from;

	if (ev.type == GW_EVENT_LOST) {
		e->lost += ev.pkts[0];
		e->seq += ev.pkts[0];
	} else {
		e->seq++;
	}
	ev.seq = e->seq;
	if (!e->head)
		return 0;
	if (ev.type != GW_EVENT_LOST)
		flow_dress(e->g, &ev);
	for (struct subscription *s = e->head; s; s = s->next)
		fan_one(s, &ev);
	return 0;
}

void events_vanished(struct gwd *g, uint64_t n)
{
	struct gw_event ev = stream_event(GW_EVENT_LOST, n, 0);

	fan_out(&ev, g->events);
}

static int events_tick(sd_event_source *source, uint64_t usec, void *arg)
{
	struct gwd *g = arg;
	uint64_t next;

	kern_events(g->kern, fan_out, g->events); /* said by kern; the next tick tries again */
	for (struct subscription *s = g->events->head; s; s = s->next) {
		flush(s);
		sync_step(s);
	}
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
	g->events->g = g;
	r = sd_event_add_time(g->loop, &g->timer_events, CLOCK_MONOTONIC,
			      now_ns(CLOCK_MONOTONIC) / 1000 + TICK_IDLE_US, 1000, events_tick, g);
	return r < 0 ? raise(r, "event timer") : 0;
}

struct events *events_free(struct events *e)
{
	free(e);
	return NULL;
}

int events_subscribe(struct gwd *g, struct client *c, const struct flow_filter *f, bool resync,
		     struct subscription **ret)
{
	struct subscription *s = calloc(1, sizeof(*s));

	if (!s)
		return raise(-ENOMEM, "subscription");
	/* what happened before somebody listened is not for him */
	kern_events(g->kern, fan_out, g->events);
	s->g = g;
	s->resync = s->stale = resync;
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
		snapshot_free(s->snap);
		free(s->wait);
		free(s);
		return;
	}
}
