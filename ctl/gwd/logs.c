/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/ids.h>
#include <gwd/ifs.h>
#include <gwd/logs.h>
#include <jansson.h>
#include <show/log.h>
#include <systemd/sd-event.h>
#include <time.h>

#define TICK_US	      50000
#define QUEUE_MAX     (4U << 20) /* bytes that may wait for one reader */
#define LEVEL_DEFAULT 4		 /* warning */

struct statement {
	char *prefix;
	uint64_t rule; /* handle */
	unsigned int flags;
	int level, group;
};

struct listener {
	struct listener *next;
	struct client *client;
	uint64_t lost; /* not told yet */
};

struct logs {
	struct statement *statements; /* by log id */
	struct listener *head;
	sd_event_source *timer;
	uint64_t lost; /* by the ring */
};

int logs_open(struct gwd *g)
{
	_cleanup_(logs_freep) struct logs *l = calloc(1, sizeof(*l));

	if (l)
		l->statements = calloc(IDS_LOGS_MAX, sizeof(*l->statements));
	if (!l || !l->statements)
		return raise(-ENOMEM, "logs");
	g->logs = TAKE_PTR(l);
	return 0;
}

struct logs *logs_free(struct logs *l)
{
	if (!l)
		return NULL;
	sd_event_source_disable_unref(l->timer);
	for (size_t i = 0; l->statements && i < IDS_LOGS_MAX; i++)
		free(l->statements[i].prefix);
	free(l->statements);
	free(l);
	return NULL;
}

struct learn {
	struct logs *logs;
	uint64_t rule;
};

static void learn_one(const struct stateful *s, void *arg)
{
	struct learn *l = arg;
	struct statement *st;
	char *prefix;

	if (s->space != IDS_LOG || *s->id >= IDS_LOGS_MAX)
		return;
	st = &l->logs->statements[*s->id];
	prefix = s->stmt->log.prefix ? strdup(s->stmt->log.prefix) : NULL;
	free(st->prefix);
	*st = (struct statement){ .prefix = prefix,
				  .rule = l->rule,
				  .flags = s->stmt->log.flags,
				  .level = s->stmt->log.level < 0 ? LEVEL_DEFAULT
								  : s->stmt->log.level,
				  .group = s->stmt->log.group };
}

void logs_learn_rule(struct gwd *g, struct rule *r)
{
	ids_walk_rule(r, learn_one, &(struct learn){ g->logs, r->handle });
}

void logs_learn(struct gwd *g)
{
	for (size_t t = 0; t < g->rs->n_tables; t++)
		for (size_t c = 0; c < g->rs->tables[t]->n_chains; c++)
			for (size_t i = 0; i < g->rs->tables[t]->chains[c]->n_rules; i++)
				logs_learn_rule(g, g->rs->tables[t]->chains[c]->rules[i]);
}

static void tell(struct listener *l, json_t *value)
{
	_cleanup_(freep) char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	if (!text || client_queued(l->client) + strlen(text) > QUEUE_MAX ||
	    client_queue(l->client, WIRE_JSON, text, strlen(text)))
		l->lost++;
}

static void tell_lost(struct listener *l)
{
	json_t *value;
	uint64_t n = l->lost;

	if (!n || client_queued(l->client) > QUEUE_MAX / 2)
		return;
	value = json_pack("{s:I}", "lost", (json_int_t)n);
	l->lost = 0;
	tell(l, value);
	l->lost = l->lost ? n : 0;
	json_decref(value);
}

static void log_one(const struct gw_log *rec, void *arg)
{
	struct gwd *g = arg;
	const struct statement *st = &g->logs->statements[MIN(rec->log_id, IDS_LOGS_MAX - 1)];
	const struct show_log how = { .prefix = st->prefix,
				      .flags = st->flags,
				      .in = rec->iif ? ifs_name(g->ifs, rec->iif) : NULL,
				      .out = rec->oif ? ifs_name(g->ifs, rec->oif) : NULL };
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };

	show_log_line(rec, &how, &b);
	/* `log group N` is for programs, as with nft */
	if (b.s && st->group < 0)
		log_packet(st->level, b.s);
	for (struct listener *l = g->logs->head; l; l = l->next) {
		json_t *value = show_log_json(rec, &how, st->level, st->rule);

		tell_lost(l);
		tell(l, value);
		json_decref(value);
	}
}

static void note_lost(struct logs *l, uint64_t lost)
{
	uint64_t more = lost - l->lost;

	l->lost = lost;
	if (!more)
		return;
	log_warning("Lost records of log statements count=%llu", (unsigned long long)more);
	for (struct listener *li = l->head; li; li = li->next)
		li->lost += more;
}

static int logs_tick(sd_event_source *source, uint64_t usec _unused_, void *arg)
{
	struct gwd *g = arg;
	uint64_t lost = g->logs->lost;

	/* an error was said by kern; the next tick tries again */
	if (kern_logs(g->kern, log_one, g, &lost) == 0)
		note_lost(g->logs, lost);
	for (struct listener *l = g->logs->head; l; l = l->next)
		tell_lost(l);
	sd_event_source_set_time(source, now_ns(CLOCK_MONOTONIC) / 1000 + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void ignore(const struct gw_log *rec _unused_, void *arg _unused_) {}

int logs_start(struct gwd *g)
{
	struct logs *l = g->logs;
	int r = kern_logs(g->kern, ignore, NULL, &l->lost);

	if (r < 0)
		return r;
	r = sd_event_add_time(g->loop, &l->timer, CLOCK_MONOTONIC,
			      now_ns(CLOCK_MONOTONIC) / 1000 + TICK_US, 1000, logs_tick, g);
	return r < 0 ? raise(r, "timer of logs") : 0;
}

int logs_subscribe(struct gwd *g, struct client *c)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return raise(-ENOMEM, "logs");
	l->client = c;
	l->next = g->logs->head;
	g->logs->head = l;
	return 0;
}

void logs_unsubscribe(struct gwd *g, struct client *c)
{
	for (struct listener **p = &g->logs->head; *p; p = &(*p)->next) {
		struct listener *l = *p;

		if (l->client != c)
			continue;
		*p = l->next;
		free(l);
		return;
	}
}
