/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections changed and entered by hand. */
#include <arpa/inet.h>
#include <gwd/flowlist.h>
#include <gwd/request.h>
#include <netinet/in.h>

#define STATUS_BITS (GW_FLOW_SEEN_REPLY | GW_FLOW_ASSURED)

static bool pick(const struct gw_event *ev, void *arg)
{
	return flow_filter_match(arg, ev);
}

static int refuse_errno(struct reply *r, int error)
{
	reply_error(r, "the connection tables could not be changed: %s", strerror(-error));
	return REQUEST_FAILED;
}

/* mark, timeout, status and state, and which of them were given. */
static bool fields_change(json_t *req, struct kern_change *c, struct reply *r)
{
	bool mark, mask, timeout, status, state;

	c->mark_mask = UINT32_MAX;
	if (!field_u32(req, "mark", &mark, &c->mark, r) ||
	    !field_u32(req, "mark_mask", &mask, &c->mark_mask, r) ||
	    !field_u32(req, "timeout", &timeout, &c->timeout, r) ||
	    !field_u32(req, "status", &status, &c->status, r) ||
	    !field_u32(req, "state", &state, &c->state, r))
		return false;
	if (c->status & ~STATUS_BITS || c->state >= GW_TCP_STATES) {
		reply_error(r, "no connection can be given this status or state");
		return false;
	}
	c->what = (mark ? GW_UPDATE_MARK : 0) | (timeout ? GW_UPDATE_TIMEOUT : 0) |
		  (status ? GW_UPDATE_STATUS : 0) | (state ? GW_UPDATE_STATE : 0);
	return true;
}

int req_flows_update(struct gwd *g, json_t *req, struct reply *r)
{
	_cleanup_(flowlist_deinit) struct flowlist list = { 0 };
	struct kern_change change = { 0 };
	struct flow_filter filter;
	size_t n = 0;
	int rc;

	if (!field_filter(req, &filter, r) || !fields_change(req, &change, r))
		return REQUEST_USAGE;
	rc = flowlist_collect(&list, g, pick, &filter);
	if (!rc)
		rc = kern_flows_update(g->kern, list.list, list.n, &change, &n);
	if (rc < 0)
		return refuse_errno(r, rc);
	for (size_t i = 0; i < n; i++)
		reply_flow(r, &list.list[i]);
	return REQUEST_OK;
}

/* {"src", "dst", "sport", "dport"}: one direction, ports as in struct gw_tuple6. */
static bool field_tuple(json_t *req, const char *name, const struct gw_event *ev,
			struct gw_tuple6 *ret, struct reply *r)
{
	json_t *v = json_object_get(req, name);
	int af = ev->family == 6 ? AF_INET6 : AF_INET, sport = 0, dport = 0;
	const char *src, *dst;

	if (json_unpack(v, "{s:s, s:s, s:i, s:i !}", "src", &src, "dst", &dst, "sport", &sport,
			"dport", &dport) ||
	    inet_pton(af, src, ret->saddr) != 1 || inet_pton(af, dst, ret->daddr) != 1 ||
	    sport != (uint16_t)sport || dport != (uint16_t)dport) {
		reply_error(r, "field `%s` must be addresses and ports of one direction", name);
		return false;
	}
	ret->sport = htons(sport);
	ret->dport = htons(dport);
	ret->proto = ev->proto;
	ret->zone = ev->zone;
	return true;
}

/* Where the answer does not go back as it came, something is translated. */
static uint32_t nat_flags(const struct gw_event *ev)
{
	const struct gw_tuple6 *o = &ev->tuple[0], *a = &ev->tuple[1];
	uint32_t flags = 0;

	if (memcmp(o->saddr, a->daddr, sizeof(o->saddr)) || o->sport != a->dport)
		flags |= GW_FLOW_SNAT;
	if (memcmp(o->daddr, a->saddr, sizeof(o->daddr)) || o->dport != a->sport)
		flags |= GW_FLOW_DNAT;
	return flags;
}

static bool fields_flow(json_t *req, struct gw_event *ev, struct reply *r)
{
	uint32_t family = 0, proto = 0, zone = 0;
	struct kern_change c = { 0 };
	bool given;

	if (!field_u32(req, "family", &given, &family, r) ||
	    !field_u32(req, "proto", &given, &proto, r) ||
	    !field_u32(req, "zone", &given, &zone, r) || !fields_change(req, &c, r))
		return false;
	if ((family != 4 && family != 6) || !proto || proto > UINT8_MAX || zone > UINT16_MAX ||
	    !(c.what & GW_UPDATE_TIMEOUT)) {
		reply_error(r, "a connection has a family, a protocol and a timeout");
		return false;
	}
	*ev = (struct gw_event){ .family = family,
				 .proto = proto,
				 .zone = zone,
				 .mark = c.mark,
				 .timeout = c.timeout,
				 .state = c.state };
	if (!field_tuple(req, "original", ev, &ev->tuple[0], r) ||
	    !field_tuple(req, "reply", ev, &ev->tuple[1], r))
		return false;
	ev->flags = c.status | nat_flags(ev);
	return true;
}

int req_flows_insert(struct gwd *g, json_t *req, struct reply *r)
{
	struct gw_event ev;
	int rc;

	if (!fields_flow(req, &ev, r))
		return REQUEST_USAGE;
	rc = kern_flow_insert(g->kern, &ev);
	if (rc < 0)
		return refuse_errno(r, rc);
	if (rc == GW_CHANGE_FULL) {
		reply_error(r, "the connection tables are full");
		return REQUEST_FAILED;
	}
	reply_json(r, json_pack("{s:b, s:I}", "exists", rc == GW_CHANGE_EXISTS, "id",
				(json_int_t)ev.id));
	return REQUEST_OK;
}
