/* SPDX-License-Identifier: GPL-2.0-only */
/* flow_filter: which connections a request is about; one row per number that JSON carries. */
#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <wire/wire.h>

enum number_size { INT32, INT64 };
struct number_row {
	const char *name;
	size_t offset;
	enum number_size size;
	int64_t min, max;
	int64_t any; /* the value that means "not given" */
};
#define NUMBER(name, field, size, min, max, any)                               \
	{                                                                      \
		name, offsetof(struct flow_filter, field), size, min, max, any \
	}

/* mark and mask travel as one pair: "mark" is only looked at with has_mark, see mark_to_json */
static const struct number_row number_rows[] = {
	NUMBER("family", family, INT32, 0, 6, 0),
	NUMBER("proto", proto, INT32, -1, 255, -1),
	NUMBER("state", state, INT32, -1, GW_TCP_STATES - 1, -1),
	NUMBER("status_set", status_set, INT32, 0, 0xffff, 0),
	NUMBER("status_clear", status_clear, INT32, 0, 0xffff, 0),
	NUMBER("nat", nat, INT32, 0, GW_FLOW_SNAT | GW_FLOW_DNAT, 0),
	NUMBER("zone", zone, INT32, -1, 0xffff, -1),
	NUMBER("id", id, INT64, -1, UINT32_MAX, -1),
	NUMBER("icmp_type", icmp_type, INT32, -1, 255, -1),
	NUMBER("icmp_code", icmp_code, INT32, -1, 255, -1),
	NUMBER("icmp_id", icmp_id, INT32, -1, 0xffff, -1),
	NUMBER("orig_sport", port[FF_ORIG_SRC], INT32, -1, 0xffff, -1),
	NUMBER("orig_dport", port[FF_ORIG_DST], INT32, -1, 0xffff, -1),
	NUMBER("reply_sport", port[FF_REPLY_SRC], INT32, -1, 0xffff, -1),
	NUMBER("reply_dport", port[FF_REPLY_DST], INT32, -1, 0xffff, -1),
	NUMBER("orig_sport_hi", port_hi[FF_ORIG_SRC], INT32, -1, 0xffff, -1),
	NUMBER("orig_dport_hi", port_hi[FF_ORIG_DST], INT32, -1, 0xffff, -1),
	NUMBER("reply_sport_hi", port_hi[FF_REPLY_SRC], INT32, -1, 0xffff, -1),
	NUMBER("reply_dport_hi", port_hi[FF_REPLY_DST], INT32, -1, 0xffff, -1),
	NUMBER("nat_port", nat_port, INT32, -1, 0xffff, -1),
	NUMBER("pat", pat, INT32, 0, GW_FLOW_SNAT | GW_FLOW_DNAT, 0),
	NUMBER("rule", rule, INT64, -1, UINT32_MAX, -1),
	NUMBER("nat_rule", nat_rule, INT64, -1, UINT32_MAX, -1),
	NUMBER("event_mask", event_mask, INT32, 0, 0xff, 0),
};
static const char *const addr_names[4] = { "orig_src", "orig_dst", "reply_src", "reply_dst" };
static const char *const if_names[2] = { "iif", "oif" };

static int64_t number_get(const struct flow_filter *f, const struct number_row *row)
{
	const char *p = (const char *)f + row->offset;
	int32_t v32;
	int64_t v64;

	if (row->size == INT64) {
		memcpy(&v64, p, sizeof(v64));
		return v64;
	}
	memcpy(&v32, p, sizeof(v32));
	return v32;
}

static void number_set(struct flow_filter *f, const struct number_row *row, int64_t v)
{
	char *p = (char *)f + row->offset;
	int32_t v32 = v;

	if (row->size == INT64)
		memcpy(p, &v, sizeof(v));
	else
		memcpy(p, &v32, sizeof(v32));
}

void flow_filter_init(struct flow_filter *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < ARRAY_SIZE(number_rows); i++)
		number_set(f, &number_rows[i], number_rows[i].any);
	f->mark_mask = UINT32_MAX;
}

/* conntrack(8) names an ICMP connection by its request; the tuple holds that type, but 0 for echo (gw/tuple.h). */
static int icmp_request_type(const struct gw_event *ev)
{
	int type = ntohs(ev->tuple[0].dport);

	if (ev->proto != IPPROTO_ICMP && ev->proto != IPPROTO_ICMPV6)
		return -1;
	if (!type)
		return ev->proto == IPPROTO_ICMP ? 8 : 128;
	return type;
}

static bool match_icmp(const struct flow_filter *f, const struct gw_event *ev)
{
	int type = icmp_request_type(ev);

	if (f->icmp_type < 0 && f->icmp_code < 0 && f->icmp_id < 0)
		return true;
	if (type < 0)
		return false;
	if (f->icmp_type >= 0 && f->icmp_type != type)
		return false;
	if (f->icmp_code > 0) /* the code of a query is 0 */
		return false;
	return f->icmp_id < 0 || f->icmp_id == ntohs(ev->tuple[0].sport);
}

static bool proto_has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_DCCP;
}

static bool match_port(const struct flow_filter *f, int which, unsigned int port)
{
	int32_t lo = f->port[which], hi = f->port_hi[which] < 0 ? lo : f->port_hi[which];

	return lo < 0 || ((int32_t)port >= lo && (int32_t)port <= hi);
}

static bool match_addr(const struct flow_filter *f, const struct gw_event *ev, int which)
{
	const struct gw_tuple6 *t = &ev->tuple[which == FF_REPLY_SRC || which == FF_REPLY_DST];
	bool is_src = which == FF_ORIG_SRC || which == FF_REPLY_SRC;
	uint8_t addr[16];

	if (f->port[which] >= 0 && !proto_has_ports(ev->proto))
		return false;
	if (!match_port(f, which, ntohs(is_src ? t->sport : t->dport)))
		return false;
	if (!f->addr[which].family)
		return true;
	if (f->addr[which].family != ev->family)
		return false;
	memcpy(addr, is_src ? t->saddr : t->daddr, sizeof(addr));
	for (int i = 0; i < (ev->family == 4 ? 4 : 16); i++)
		if ((addr[i] ^ f->addr[which].addr[i]) & f->addr[which].mask[i])
			return false;
	return true;
}

/* What one end became: where replies go to, or where they come from. */
static bool match_nat_end(const struct flow_filter *f, const __be32 addr[4], __be16 was,
			  __be16 port)
{
	return !memcmp(addr, f->nat_addr, f->nat_family == 4 ? 4 : 16) &&
	       (f->nat_port < 0 || (f->nat_port == ntohs(port) && was != port));
}

static bool match_nat(const struct flow_filter *f, const struct gw_event *ev)
{
	const struct gw_tuple6 *orig = &ev->tuple[0], *reply = &ev->tuple[1];

	if (f->nat && !(ev->flags & f->nat))
		return false;
	if ((f->pat & GW_FLOW_SNAT && orig->sport == reply->dport) ||
	    (f->pat & GW_FLOW_DNAT && orig->dport == reply->sport))
		return false;
	if (!f->nat_family)
		return true;
	if (f->nat_family != ev->family)
		return false;
	return (ev->flags & GW_FLOW_SNAT &&
		match_nat_end(f, reply->daddr, orig->sport, reply->dport)) ||
	       (ev->flags & GW_FLOW_DNAT &&
		match_nat_end(f, reply->saddr, orig->dport, reply->sport));
}

/* The rules that it passed, the interfaces it came and went by. */
static bool match_way(const struct flow_filter *f, const struct gw_event *ev)
{
	if (f->rule >= 0 && f->rule != ev->rule)
		return false;
	if (f->nat_rule >= 0 && f->nat_rule != ev->nat_rule && f->nat_rule != ev->nat_rule2)
		return false;
	return (!f->ifname[FF_IIF][0] || f->ifindex[FF_IIF] == ev->iif) &&
	       (!f->ifname[FF_OIF][0] || f->ifindex[FF_OIF] == ev->oif);
}

static bool match_status(const struct flow_filter *f, const struct gw_event *ev)
{
	if (f->state >= 0 && (ev->proto != IPPROTO_TCP || f->state != ev->state))
		return false;
	if ((ev->flags & f->status_set) != f->status_set || (ev->flags & f->status_clear))
		return false;
	return !f->has_mark || (ev->mark & f->mark_mask) == f->mark;
}

bool flow_filter_match(const struct flow_filter *f, const struct gw_event *ev)
{
	/* losses concern every reader */
	if (ev->type == GW_EVENT_LOST || ev->type == GW_EVENT_SYNC || ev->type == GW_EVENT_SYNCED)
		return true;
	if (f->none || (f->event_mask && !(f->event_mask & (1U << ev->type))))
		return false;
	if ((f->family && f->family != ev->family) || (f->proto >= 0 && f->proto != ev->proto))
		return false;
	if ((f->zone >= 0 && (uint32_t)f->zone != ev->zone) || (f->id >= 0 && f->id != ev->id))
		return false;
	if (!match_status(f, ev) || !match_nat(f, ev) || !match_way(f, ev))
		return false;
	for (int i = 0; i < 4; i++)
		if (!match_addr(f, ev, i))
			return false;
	return match_icmp(f, ev);
}

static int addr_to_json(json_t *obj, const struct flow_filter *f, int which)
{
	char addr[INET6_ADDRSTRLEN], mask[INET6_ADDRSTRLEN];
	int af = f->addr[which].family == 4 ? AF_INET : AF_INET6;

	if (!f->addr[which].family)
		return 0;
	inet_ntop(af, f->addr[which].addr, addr, sizeof(addr));
	inet_ntop(af, f->addr[which].mask, mask, sizeof(mask));
	return json_object_set_new(obj, addr_names[which],
				   json_pack("{s:s, s:s}", "addr", addr, "mask", mask));
}

static int mark_to_json(json_t *obj, const struct flow_filter *f)
{
	if (!f->has_mark)
		return 0;
	return json_object_set_new(obj, "mark", json_integer(f->mark)) ||
	       json_object_set_new(obj, "mark_mask", json_integer(f->mark_mask));
}

static int words_to_json(json_t *obj, const struct flow_filter *f)
{
	char addr[INET6_ADDRSTRLEN];
	int bad = 0;

	if (f->nat_family) {
		inet_ntop(f->nat_family == 4 ? AF_INET : AF_INET6, f->nat_addr, addr, sizeof(addr));
		bad |= json_object_set_new(obj, "nat_addr", json_string(addr));
	}
	for (int i = 0; i < 2; i++)
		if (f->ifname[i][0])
			bad |= json_object_set_new(obj, if_names[i], json_string(f->ifname[i]));
	if (f->none)
		bad |= json_object_set_new(obj, "none", json_true());
	return bad;
}

char *flow_filter_to_json(const struct flow_filter *f)
{
	json_t *obj = json_object();
	int bad = !obj;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(number_rows) && !bad; i++)
		if (number_get(f, &number_rows[i]) != number_rows[i].any)
			bad |= json_object_set_new(obj, number_rows[i].name,
						   json_integer(number_get(f, &number_rows[i])));
	for (int i = 0; i < 4 && !bad; i++)
		bad |= addr_to_json(obj, f, i);
	bad = bad || mark_to_json(obj, f) || words_to_json(obj, f);
	text = bad ? NULL : json_dumps(obj, JSON_COMPACT);
	json_decref(obj);
	return text;
}

static int addr_from_json(struct flow_filter *f, int which, json_t *value)
{
	const char *addr = json_string_value(json_object_get(value, "addr"));
	const char *mask = json_string_value(json_object_get(value, "mask"));
	int af;

	if (!addr || json_object_size(value) != (mask ? 2 : 1))
		return -EINVAL;
	af = strchr(addr, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(af, addr, f->addr[which].addr) != 1)
		return -EINVAL;
	memset(f->addr[which].mask, 0xff, sizeof(f->addr[which].mask));
	if (mask && inet_pton(af, mask, f->addr[which].mask) != 1)
		return -EINVAL;
	f->addr[which].family = af == AF_INET ? 4 : 6;
	return 0;
}

static int u32_from_json(json_t *value, uint32_t *ret)
{
	json_int_t v = json_integer_value(value);

	if (!json_is_integer(value) || v < 0 || v > UINT32_MAX)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int number_from_json(struct flow_filter *f, const struct number_row *row, json_t *value)
{
	json_int_t v = json_integer_value(value);

	if (!json_is_integer(value) || v < row->min || v > row->max)
		return -EINVAL;
	number_set(f, row, v);
	return 0;
}

static int nat_addr_from_json(struct flow_filter *f, json_t *value)
{
	const char *text = json_string_value(value);
	int af;

	if (!text)
		return -EINVAL;
	af = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(af, text, f->nat_addr) != 1)
		return -EINVAL;
	f->nat_family = af == AF_INET ? 4 : 6;
	return 0;
}

static int ifname_from_json(char ret[16], json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || !*text || strlen(text) >= 16)
		return -EINVAL;
	strcpy(ret, text);
	return 0;
}

static int word_from_json(struct flow_filter *f, const char *key, json_t *value)
{
	for (int i = 0; i < 2; i++)
		if (!strcmp(key, if_names[i]))
			return ifname_from_json(f->ifname[i], value);
	if (!strcmp(key, "nat_addr"))
		return nat_addr_from_json(f, value);
	if (strcmp(key, "none") || !json_is_true(value))
		return -EINVAL; /* a filter that is ignored would delete too much */
	f->none = true;
	return 0;
}

static int key_from_json(struct flow_filter *f, const char *key, json_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(number_rows); i++)
		if (!strcmp(key, number_rows[i].name))
			return number_from_json(f, &number_rows[i], value);
	for (int i = 0; i < 4; i++)
		if (!strcmp(key, addr_names[i]))
			return addr_from_json(f, i, value);
	if (!strcmp(key, "mark")) {
		f->has_mark = true;
		return u32_from_json(value, &f->mark);
	}
	if (!strcmp(key, "mark_mask"))
		return u32_from_json(value, &f->mark_mask);
	return word_from_json(f, key, value);
}

int flow_filter_from_json(const char *json, struct flow_filter *ret)
{
	struct flow_filter f;
	json_t *obj = json_loads(json, JSON_REJECT_DUPLICATES, NULL), *value;
	int r = json_is_object(obj) ? 0 : -EINVAL;
	const char *key;

	flow_filter_init(&f);
	if (!r)
		json_object_foreach(obj, key, value)
		{
			r = key_from_json(&f, key, value);
			if (r < 0)
				break;
		}
	if (!r && f.family && f.family != 4 && f.family != 6)
		r = -EINVAL;
	for (int i = 0; i < 4; i++)
		if (!r && f.port_hi[i] >= 0 && f.port_hi[i] < f.port[i])
			r = -EINVAL;
	json_decref(obj);
	if (!r)
		*ret = f;
	return r;
}
