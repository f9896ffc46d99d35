/* SPDX-License-Identifier: GPL-2.0-only */
/* One connection as a JSON object. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <show/names.h>
#include <show/show.h>

static const char *const event_names[] = {
	[GW_EVENT_NEW] = "new",	  [GW_EVENT_UPDATE] = "update", [GW_EVENT_DESTROY] = "destroy",
	[GW_EVENT_LOST] = "lost", [GW_EVENT_SYNC] = "sync",	[GW_EVENT_SYNCED] = "synced",
};
static const char *const cause_names[] = {
	[GW_CAUSE_TIMEOUT] = "timeout",
	[GW_CAUSE_USER] = "user",
	[GW_CAUSE_KILL] = "killed",
	[GW_CAUSE_EARLY] = "early-drop",
};

static json_t *tuple_json(const struct gw_event *ev, int dir)
{
	const struct gw_tuple6 *t = &ev->tuple[dir];
	int af = ev->family == 6 ? AF_INET6 : AF_INET;
	char src[INET6_ADDRSTRLEN] = "", dst[INET6_ADDRSTRLEN] = "";
	json_t *obj;

	inet_ntop(af, t->saddr, src, sizeof(src));
	inet_ntop(af, t->daddr, dst, sizeof(dst));
	obj = json_pack("{s:s, s:s}", "src", src, "dst", dst);
	if (show_proto_has_ports(ev->proto)) {
		json_object_set_new(obj, "sport", json_integer(ntohs(t->sport)));
		json_object_set_new(obj, "dport", json_integer(ntohs(t->dport)));
	} else if (ev->proto == IPPROTO_ICMP || ev->proto == IPPROTO_ICMPV6) {
		json_object_set_new(obj, "type", json_integer(show_icmp_type(ev, dir)));
		json_object_set_new(obj, "code", json_integer(0));
		json_object_set_new(obj, "id", json_integer(ntohs(dir ? t->dport : t->sport)));
	}
	json_object_set_new(obj, "packets", json_integer(ev->pkts[dir]));
	json_object_set_new(obj, "bytes", json_integer(ev->bytes[dir]));
	return obj;
}

static json_t *flags_json(const struct gw_event *ev)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} rows[] = {
		{ GW_FLOW_SEEN_REPLY, "seen_reply" },
		{ GW_FLOW_ASSURED, "assured" },
		{ GW_FLOW_SNAT, "snat" },
		{ GW_FLOW_DNAT, "dnat" },
		{ GW_FLOW_LOCAL_OUT, "local_out" },
		{ GW_FLOW_LOCAL_IN, "local_in" },
		{ GW_FLOW_SLOW, "slow" },
	};
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (ev->flags & rows[i].bit)
			json_array_append_new(list, json_string(rows[i].name));
	return list;
}

static void add_event(json_t *obj, const struct gw_event *ev)
{
	if (ev->type == GW_EVENT_NONE || ev->type >= ARRAY_SIZE(event_names))
		return;
	json_object_set_new(obj, "event", json_string(event_names[ev->type]));
	json_object_set_new(obj, "time_ns", json_integer(ev->time_ns));
	json_object_set_new(obj, "seq", json_integer(ev->seq));
	if (ev->type >= GW_EVENT_LOST)
		return;
	if ((ev->type == GW_EVENT_DESTROY || ev->cause == GW_CAUSE_USER) &&
	    ev->cause < ARRAY_SIZE(cause_names))
		json_object_set_new(obj, "cause", json_string(cause_names[ev->cause]));
}

static json_t *nat_rules_json(const struct gw_event *ev)
{
	json_t *list = json_array();

	if (ev->nat_rule)
		json_array_append_new(list, json_integer(ev->nat_rule));
	if (ev->nat_rule2)
		json_array_append_new(list, json_integer(ev->nat_rule2));
	return list;
}

json_t *show_json(const struct gw_event *ev)
{
	json_t *obj = json_object();

	add_event(obj, ev);
	if (ev->type == GW_EVENT_LOST || ev->type == GW_EVENT_SYNCED)
		json_object_set_new(obj, ev->type == GW_EVENT_LOST ? "lost" : "connections",
				    json_integer(ev->pkts[0]));
	if (ev->type >= GW_EVENT_LOST)
		return obj;
	json_object_set_new(obj, "id", json_integer(ev->id));
	json_object_set_new(obj, "family", json_string(ev->family == 6 ? "ipv6" : "ipv4"));
	json_object_set_new(obj, "proto", json_string(show_proto_name(ev->proto)));
	json_object_set_new(obj, "protonum", json_integer(ev->proto));
	json_object_set_new(obj, "timeout", json_integer(ev->timeout));
	if (show_state_name(ev->proto, ev->state))
		json_object_set_new(obj, "state",
				    json_string(show_state_name(ev->proto, ev->state)));
	json_object_set_new(obj, "original", tuple_json(ev, 0));
	json_object_set_new(obj, "reply", tuple_json(ev, 1));
	json_object_set_new(obj, "flags", flags_json(ev));
	json_object_set_new(obj, "mark", json_integer(ev->mark));
	json_object_set_new(obj, "zone", json_integer(ev->zone));
	json_object_set_new(obj, "rule", json_integer(ev->rule));
	json_object_set_new(obj, "nat_rules", nat_rules_json(ev));
	json_object_set_new(obj, "iif", json_integer(ev->iif));
	json_object_set_new(obj, "oif", json_integer(ev->oif));
	return obj;
}
