/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/events.h>
#include <gwd/flowlist.h>
#include <gwd/request.h>

struct listing {
	struct gwd *g;
	struct flow_filter filter;
	struct reply *r;
	uint64_t assured, embryonic;
};

static int list_one(const struct gw_event *row, void *arg)
{
	struct listing *l = arg;
	struct gw_event ev = *row;

	flow_dress(l->g, &ev);
	if (flow_filter_match(&l->filter, &ev))
		reply_flow(l->r, &ev);
	return l->r->failed;
}

static int answer_errno(struct reply *r, int error)
{
	reply_error(r, "the connection tables could not be read: %s", strerror(-error));
	return REQUEST_FAILED;
}

int req_flows(struct gwd *g, json_t *req, struct reply *r)
{
	struct listing l = { .g = g, .r = r };
	int rc;

	if (!field_filter(req, &l.filter, r))
		return REQUEST_USAGE;
	rc = kern_flows(g->kern, list_one, &l);
	return rc < 0 ? answer_errno(r, rc) : REQUEST_OK;
}

static bool pick_filter(const struct gw_event *ev, void *arg)
{
	return flow_filter_match(arg, ev);
}

int req_flows_delete(struct gwd *g, json_t *req, struct reply *r)
{
	_cleanup_(flowlist_deinit) struct flowlist list = { 0 };
	struct flow_filter filter;
	int rc;

	if (!field_filter(req, &filter, r))
		return REQUEST_USAGE;
	rc = flowlist_collect(&list, g, pick_filter, &filter);
	if (rc < 0)
		return answer_errno(r, rc);
	for (size_t i = 0; i < list.n; i++)
		/* a reader that hangs up does not save the rest of the connections */
		if (kern_flow_kill(g->kern, &list.list[i], GW_CAUSE_USER) == 1)
			reply_flow(r, &list.list[i]);
	return REQUEST_OK;
}

int req_flows_flush(struct gwd *g, json_t *req, struct reply *r)
{
	uint64_t est = 0, emb = 0;
	int rc = kern_flow_count(g->kern, &est, &emb);

	if (rc >= 0)
		rc = kern_flow_flush(g->kern);
	if (rc < 0)
		return answer_errno(r, rc);
	log_info("Flushed connections assured=%llu embryonic=%llu", (unsigned long long)est,
		 (unsigned long long)emb);
	reply_json(r, json_pack("{s:I}", "count", (json_int_t)(est + emb)));
	return REQUEST_OK;
}

static int count_one(const struct gw_event *row, void *arg)
{
	struct listing *l = arg;
	struct gw_event ev = *row;

	flow_dress(l->g, &ev);
	if (flow_filter_match(&l->filter, &ev))
		*(ev.flags & GW_FLOW_ASSURED ? &l->assured : &l->embryonic) += 1;
	return 0;
}

/* All of them are counted in the kernel, some of them here. */
static int count(struct gwd *g, json_t *req, struct listing *l)
{
	if (!json_object_size(json_object_get(req, "filter")))
		return kern_flow_count(g->kern, &l->assured, &l->embryonic);
	return kern_flows(g->kern, count_one, l);
}

int req_flows_count(struct gwd *g, json_t *req, struct reply *r)
{
	struct listing l = { .g = g };
	int rc;

	if (!field_filter(req, &l.filter, r))
		return REQUEST_USAGE;
	rc = count(g, req, &l);
	if (rc < 0)
		return answer_errno(r, rc);
	reply_json(r, json_pack("{s:I, s:I}", "assured", (json_int_t)l.assured, "embryonic",
				(json_int_t)l.embryonic));
	return REQUEST_OK;
}

int req_events(struct gwd *g, json_t *req, struct reply *r)
{
	struct subscription *s = NULL;
	struct flow_filter filter;
	bool resync = false;

	if (!field_filter(req, &filter, r) || !field_bool(req, "resync", &resync, r))
		return REQUEST_USAGE;
	if (events_subscribe(g, r->client, &filter, resync, &s) < 0) {
		reply_error(r, "no memory for another listener");
		return REQUEST_FAILED;
	}
	client_subscribe(r->client, s);
	return REQUEST_STREAM;
}
