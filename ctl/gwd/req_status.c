/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <gwd/ids.h>
#include <gwd/events.h>
#include <gwd/ifs.h>
#include <gwd/request.h>
#include <gwd/state.h>
#include <systemd/sd-event.h>
#include <time.h>

static const char *const stat_names[GW_STAT_MAX] = {
	[GW_STAT_FOUND] = "found",	 [GW_STAT_INVALID] = "invalid",
	[GW_STAT_INSERT] = "insert",	 [GW_STAT_INSERT_FAILED] = "insert_failed",
	[GW_STAT_DROP] = "drop",	 [GW_STAT_EARLY_DROP] = "early_drop",
	[GW_STAT_ERROR] = "error",	 [GW_STAT_CLASH_RESOLVE] = "clash_resolve",
	[GW_STAT_DELETE] = "delete",	 [GW_STAT_PROMOTE] = "promote",
	[GW_STAT_EST_FULL] = "est_full", [GW_STAT_EVENT_LOST] = "event_lost",
	[GW_STAT_SLOW] = "slow",	 [GW_STAT_EMB_EVICTED] = "emb_evicted",
	[GW_STAT_LOG_LOST] = "log_lost", [GW_STAT_OP_REFUSED] = "op_refused",
	[GW_STAT_REVOKED] = "revoked",
};

static const struct {
	const char *token, *text;
} reasons[GW_REASON_MAX] = {
#define GW_REASON(id, token, text) { token, text },
#include <gw/reason.def>
#undef GW_REASON
};

int req_ping(struct gwd *g, json_t *req, struct reply *r)
{
	reply_json(r, json_pack("{s:s, s:I, s:b}", "version", GW_VERSION, "gen", (json_int_t)g->gen,
				"ready", g->ready));
	return REQUEST_OK;
}

static json_t *text_or_null(int family, const void *addr, bool given)
{
	char text[INET6_ADDRSTRLEN];

	if (!given)
		return json_null();
	return json_string(inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, text, sizeof(text)));
}

static json_t *interfaces_json(const struct gwd *g)
{
	const struct ifs_row *rows;
	size_t n = ifs_rows(g->ifs, &rows);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct gw_if *row = &rows[i].row;

		if (!(row->flags & GW_IF_MANAGED))
			continue;
		json_array_append_new(
			list,
			json_pack("{s:s, s:i, s:b, s:b, s:b, s:i, s:o, s:o}", "name", rows[i].name,
				  "ifindex", rows[i].ifindex, "managed", 1, "attached",
				  rows[i].attached, "overtaken", rows[i].overtaken, "mtu", row->mtu,
				  "masquerade4", text_or_null(4, &row->masq4, row->masq4),
				  "masquerade6", text_or_null(6, row->masq6, row->masq6[0])));
	}
	return list;
}

static json_t *features_json(const struct kern_features *f)
{
	return json_pack("{s:b, s:b, s:b, s:b, s:i, s:i}", "tcx", f->tcx, "fib_mark", f->fib_mark,
			 "fib_src", f->fib_src, "csum_ipv6", f->csum_ipv6, "hz", f->hz, "cpus",
			 f->cpus);
}

static json_t *settings_json(const struct settings *s)
{
	json_t *obj = json_object();
	char value[sizeof(s->interfaces)];

	for (size_t i = 0; i < setting_rows_n; i++) {
		if (setting_is_default(s, &setting_rows[i]))
			continue;
		setting_get(s, &setting_rows[i], value, sizeof(value));
		json_object_set_new(obj, setting_rows[i].name, json_string(value));
	}
	return obj;
}

static size_t count_rules(const struct ruleset *rs)
{
	size_t n = 0;

	for (size_t t = 0; t < rs->n_tables; t++)
		for (size_t c = 0; c < rs->tables[t]->n_chains; c++)
			n += rs->tables[t]->chains[c]->n_rules;
	return n;
}

static uint64_t count_drops(struct gwd *g)
{
	struct gw_reason_row rows[GW_REASON_MAX] = { 0 };
	uint64_t n = 0;

	if (kern_reasons(g->kern, rows) < 0)
		return 0;
	for (size_t i = 1; i < GW_REASON_MAX; i++)
		n += rows[i].pkts;
	return n;
}

/* Per CPU, as kern_stats() gives them; NULL = could not be read. */
static uint64_t *stats_read(struct gwd *g)
{
	uint64_t *all = calloc((size_t)kern_features(g->kern)->cpus * GW_STAT_MAX, sizeof(*all));

	if (all && kern_stats(g->kern, all) >= 0)
		return all;
	free(all);
	return NULL;
}

static uint64_t stat_sum(struct gwd *g, enum gw_stat stat)
{
	_cleanup_(freep) uint64_t *all = stats_read(g);
	uint64_t sum = 0;

	for (unsigned int cpu = 0; all && cpu < kern_features(g->kern)->cpus; cpu++)
		sum += all[cpu * GW_STAT_MAX + stat];
	return sum;
}

/* The exact numbers need a walk over all tables; `flows-count` does that. */
static json_t *flows_json(struct gwd *g)
{
	uint64_t est = 0, emb = 0;

	if (kern_flow_count(g->kern, &est, &emb) < 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I}", "assured", (json_int_t)est, "embryonic",
			 (json_int_t)emb, "max", (json_int_t)kern_features(g->kern)->flows_max,
			 "pressure", (json_int_t)kern_conf(g->kern)->pressure);
}

int req_status(struct gwd *g, json_t *req, struct reply *r)
{
	const struct kern_features *f = kern_features(g->kern);
	uint64_t uptime = (now_ns(CLOCK_BOOTTIME) - g->started_ns) / 1000000000;

	reply_json(
		r,
		json_pack("{s:s, s:i, s:I, s:b, s:s, s:o, s:o, s:I, s:b, s:I, s:o, s:I, s:I, s:o}",
			  "version", GW_VERSION, "pid", (int)getpid(), "uptime_s",
			  (json_int_t)uptime, "ready", g->ready, "kernel", f->release, "features",
			  features_json(f), "interfaces", interfaces_json(g), "generation",
			  (json_int_t)g->gen, "rules_known", !g->model_lost, "rules",
			  (json_int_t)count_rules(g->rs), "flows", flows_json(g), "drops",
			  (json_int_t)count_drops(g), "events_lost",
			  (json_int_t)stat_sum(g, GW_STAT_EVENT_LOST), "settings",
			  settings_json(&g->cfg)));
	return REQUEST_OK;
}

int req_stats(struct gwd *g, json_t *req, struct reply *r)
{
	_cleanup_(freep) uint64_t *all = stats_read(g);
	json_t *list = json_array();

	if (!all) {
		json_decref(list);
		reply_error(r, "the statistics could not be read");
		return REQUEST_FAILED;
	}
	for (unsigned int cpu = 0; cpu < kern_features(g->kern)->cpus; cpu++) {
		json_t *obj = json_pack("{s:i}", "cpu", (int)cpu);

		for (unsigned int i = 0; i < GW_STAT_MAX; i++)
			if (stat_names[i])
				json_object_set_new(
					obj, stat_names[i],
					json_integer((json_int_t)all[cpu * GW_STAT_MAX + i]));
		json_array_append_new(list, obj);
	}
	reply_json(r, list);
	return REQUEST_OK;
}

static json_t *name_or_null(const struct gwd *g, uint32_t ifindex)
{
	const char *name = ifindex ? ifs_name(g->ifs, ifindex) : NULL;

	return name ? json_string(name) : json_null();
}

static json_t *example_json(const struct gwd *g, const struct gw_reason_row *row)
{
	const struct gw_tuple6 *t = &row->tuple;
	uint64_t offset = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);

	if (!row->family)
		return json_null();
	return json_pack("{s:I, s:o, s:o, s:I, s:i, s:i, s:o, s:o, s:i, s:i}", "time_ns",
			 (json_int_t)(row->time_ns + offset), "iif", name_or_null(g, row->iif),
			 "oif", name_or_null(g, row->oif), "handle",
			 (json_int_t)ids_handle_of(g->rs, row->rule), "family", row->family,
			 "proto", t->proto, "saddr", text_or_null(row->family, t->saddr, true),
			 "daddr", text_or_null(row->family, t->daddr, true), "sport",
			 ntohs(t->sport), "dport", ntohs(t->dport));
}

static const struct gw_reason_row *reason_max(const struct gw_reason_row *rows, const bool *done)
{
	const struct gw_reason_row *max = NULL;

	for (size_t i = 1; i < GW_REASON_MAX; i++)
		if (!done[i] && (!max || rows[i].pkts > max->pkts))
			max = &rows[i];
	return max;
}

int req_drops(struct gwd *g, json_t *req, struct reply *r)
{
	struct gw_reason_row rows[GW_REASON_MAX] = { 0 };
	bool done[GW_REASON_MAX] = { 0 };
	const struct gw_reason_row *row;
	json_t *list;
	int rc = kern_reasons(g->kern, rows);

	if (rc < 0) {
		reply_error(r, "the drop reasons could not be read: %s", strerror(-rc));
		return REQUEST_FAILED;
	}
	list = json_array();
	while ((row = reason_max(rows, done))) {
		size_t i = row - rows;

		done[i] = true;
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:o}", "reason",
						      reasons[i].token, "text", reasons[i].text,
						      "pkts", (json_int_t)row->pkts, "bytes",
						      (json_int_t)row->bytes, "example",
						      example_json(g, row)));
	}
	reply_json(r, list);
	return REQUEST_OK;
}

int req_off(struct gwd *g, json_t *req, struct reply *r)
{
	int rc = kern_off(g->path.pin_dir);

	if (rc < 0) {
		reply_error(r, "could not take everything down: %s", strerror(-rc));
		return REQUEST_FAILED;
	}
	log_notice("Detached from all interfaces and removed all state, exiting");
	g->off = true;
	reply_json(r, json_object());
	sd_event_exit(g->loop, 0);
	return REQUEST_OK;
}
