/* SPDX-License-Identifier: GPL-2.0-only */
#include <json/impl.h>
#include <lang/names.h>
#include <lang/print_part.h>

#include <linux/netfilter/nf_log.h>

/* A list of one is what it holds. */
static json_t *one_or_list(json_t *list)
{
	json_t *one;

	if (json_array_size(list) != 1)
		return list;
	one = json_incref(json_array_get(list, 0));
	json_decref(list);
	return one;
}

/* A named set or map. */
static json_t *out_ref(const char *name)
{
	char ref[sizeof(((struct set *)NULL)->name) + 1];

	snprintf(ref, sizeof(ref), "@%s", name);
	return out_text(ref);
}

static json_t *out_set_of(const struct match *m)
{
	enum field_type types[CONCAT_MAX];
	unsigned int n = MAX(m->n_fields, 1U);
	json_t *list = json_array();

	for (unsigned int i = 0; i < n; i++)
		types[i] = field_rows[n > 1 ? m->more[i] : m->field].type;
	for (size_t i = 0; i < m->n; i++)
		json_array_append_new(list, out_key(types, n, m->elems + i * n));
	if (m->is_set && json_array_size(list) == 1 && json_is_array(json_array_get(list, 0)))
		list = one_or_list(list); /* the words of one set of bits */
	if (m->is_set || m->n > 1)
		return json_pack("{s:o}", "set", list);
	return one_or_list(list);
}

json_t *out_match_left(const struct match *m)
{
	enum field_type type = field_rows[m->field].type;
	struct elem mask = { .num_lo = m->mask, .num_hi = m->mask, .plen = -1 };
	struct selector s = { .n = (uint8_t)MAX(m->n_fields, 1U), .mod = m->mod };
	json_t *left;

	for (unsigned int i = 0; i < s.n; i++)
		s.fields[i] = s.n > 1 ? m->more[i] : m->field;
	s.dir[0] = m->dir;
	left = out_selector(&s);
	if (m->mask == UINT32_MAX)
		return left;
	return json_pack("{s:[o, o]}", "&", left,
			 type_rows[type].base == BASE_BITS ? out_value(type, &mask)
							   : json_integer((json_int_t)m->mask));
}

/* Of a set of bits `in` means any of them, `!` none of them. */
static const char *out_op(const struct match *m)
{
	static const char *const ops[] = { "==", "<", ">", "<=", ">=" };
	bool any = type_rows[field_rows[m->field].type].base == BASE_BITS && !m->exact &&
		   !m->is_set && !m->set && m->n_fields < 2;
	bool one_state = m->field == FIELD_ID_CT_STATE && any &&
			 !(m->elems[0].num_lo & (m->elems[0].num_lo - 1));

	if (m->negate)
		return any && !one_state ? "!" : "!=";
	return any ? "in" : ops[m->op];
}

static json_t *out_match(const struct match *m)
{
	json_t *right = m->set ? out_ref(m->set) : out_set_of(m);

	return json_pack("{s:{s:s, s:o, s:o}}", "match", "op", out_op(m), "left", out_match_left(m),
			 "right", right);
}

json_t *out_limit(const struct limit *l)
{
	json_t *j = json_object();

	json_object_set_new(
		j, "rate", json_integer((json_int_t)(l->rate >> (10 * (l->bytes ? l->scale : 0)))));
	if (l->bytes)
		json_object_set_new(j, "rate_unit", json_string(byte_unit_names[l->scale % 3]));
	if (!l->bytes || l->burst)
		json_object_set_new(j, "burst",
				    json_integer((json_int_t)(l->burst ? l->burst : 5)));
	if (l->bytes && l->burst)
		json_object_set_new(j, "burst_unit", json_string("bytes"));
	json_object_set_new(j, "per", json_string(value_to_name(time_unit_names, l->unit_s)));
	if (l->over)
		json_object_set_new(j, "inv", json_true());
	return j;
}

static json_t *out_log_flags(unsigned int flags)
{
	json_t *list = json_array();

	if (flags == NF_LOG_MASK) {
		json_decref(list);
		return json_string("all");
	}
	for (size_t i = 0; i + 1 < ARRAY_SIZE(log_flag_rows); i++) {
		const struct log_flag_row *row = &log_flag_rows[i];

		if (flags & row->flag)
			json_array_append_new(list,
					      json_sprintf("%s%s%s", row->layer ? row->layer : "",
							   row->layer ? " " : "", row->word));
	}
	return one_or_list(list);
}

static json_t *out_log(const struct stmt *s)
{
	json_t *j = json_object();

	if (s->log.prefix)
		json_object_set_new(j, "prefix", out_text(s->log.prefix));
	if (s->log.group >= 0)
		json_object_set_new(j, "group", json_integer(s->log.group));
	if (s->log.snaplen)
		json_object_set_new(j, "snaplen", json_integer(s->log.snaplen));
	if (s->log.threshold)
		json_object_set_new(j, "queue-threshold", json_integer(s->log.threshold));
	if (s->log.level >= 0 && s->log.level < 8 && s->log.level != 4)
		json_object_set_new(
			j, "level",
			json_string(value_to_name(log_level_names, (uint32_t)s->log.level)));
	if (s->log.flags)
		json_object_set_new(j, "flags", out_log_flags(s->log.flags));
	if (!json_object_size(j)) {
		json_decref(j);
		j = json_null();
	}
	return json_pack("{s:o}", "log", j);
}

static json_t *out_map(const struct table *t, const struct map_use *m, enum field_type data,
		       unsigned int n_data)
{
	enum field_type types[CONCAT_MAX];
	const enum field_type both[2] = { data, FIELD_PORT };

	/* an anonymous map says by its values whether there are ports behind the addresses */
	for (size_t i = 0; n_data == 1 && m->elems && i < m->elems->n; i++)
		n_data = m->elems->data[i].val[1].num_hi ? 2 : 1;
	for (unsigned int i = 0; i < m->key.n; i++)
		types[i] = field_rows[m->key.fields[i]].type;
	return json_pack(
		"{s:o, s:o}", "key", out_selector(&m->key), "data",
		m->name ? out_ref(m->name)
			: json_pack("{s:o}", "set",
				    out_elems(m->elems, types, both, n_data, true, false)));
}

static json_t *out_masked(enum field f, uint32_t mask)
{
	json_t *value = out_field(f, 0);

	return mask == UINT32_MAX ? value : json_pack("{s:[o, I]}", "&", value, (json_int_t)mask);
}

static json_t *out_two_marks(const struct stmt *s, enum field own, enum field other)
{
	bool apart = !(s->mark.keep & s->mark.mask) && !s->mark.value;
	json_t *value = json_pack("{s:[o, o]}", apart ? "|" : "^", out_masked(own, s->mark.keep),
				  out_masked(other, s->mark.mask));

	return s->mark.value ? json_pack("{s:[o, I]}", "^", value, (json_int_t)s->mark.value)
			     : value;
}

/* A mark: a value, a map, the other mark, or one of them with bits taken and put. */
static json_t *out_mark(const struct table *t, const struct stmt *s)
{
	bool ct = s->kind == STMT_CTMARK;
	bool from_ct = ct != s->mark.from_other;
	enum field key = ct ? FIELD_ID_CT_MARK : FIELD_ID_META_MARK;
	enum field source = from_ct ? FIELD_ID_CT_MARK : FIELD_ID_META_MARK;
	json_t *value;

	if (s->mark.map) {
		value = json_pack("{s:o}", "map", out_map(t, s->mark.map, FIELD_MARK, 1));
	} else if (!s->mark.mask) {
		value = json_integer((json_int_t)s->mark.value);
	} else if (s->mark.keep) {
		value = out_two_marks(s, key, source);
	} else {
		value = out_field(source, 0);
		if (s->mark.mask == ~s->mark.value && s->mark.value)
			value = json_pack("{s:[o, I]}", "|", value, (json_int_t)s->mark.value);
		else if (s->mark.mask != UINT32_MAX)
			value = json_pack("{s:[o, I]}", "&", value, (json_int_t)s->mark.mask);
		if (s->mark.value && s->mark.mask != ~s->mark.value)
			value = json_pack("{s:[o, I]}", "^", value, (json_int_t)s->mark.value);
	}
	return json_pack("{s:{s:o, s:o}}", "mangle", "key", out_field(key, 0), "value", value);
}

static json_t *out_header(enum field f, json_t *value)
{
	return json_pack("{s:{s:o, s:o}}", "mangle", "key", out_field(f, 0), "value", value);
}

static json_t *out_set_stmt(const struct stmt *s)
{
	static const char *const verbs[] = { "add", "update", "delete" };
	json_t *elem = out_selector(&s->set.key), *stmts = json_array(), *body;

	if (s->set.timeout_ms)
		elem = json_pack("{s:{s:o, s:I}}", "elem", "val", elem, "timeout",
				 (json_int_t)(s->set.timeout_ms / 1000));
	body = json_pack("{s:s, s:o, s:o}", "op", verbs[s->set.verb], "elem", elem, "set",
			 out_ref(s->set.set));
	if (s->set.has_limit)
		json_array_append_new(stmts, json_pack("{s:o}", "limit", out_limit(&s->set.limit)));
	if (s->set.has_ctcount)
		json_array_append_new(stmts, json_pack("{s:{s:i, s:b}}", "ct count", "val",
						       s->set.ctcount, "inv", s->set.ctcount_over));
	if (s->set.counter)
		json_array_append_new(stmts, json_pack("{s:n}", "counter"));
	if (json_array_size(stmts))
		json_object_set(body, "stmt", stmts);
	json_decref(stmts);
	return json_pack("{s:o}", "set", body);
}

static json_t *out_quota(uint64_t bytes, bool over)
{
	uint8_t unit = byte_unit_of(bytes);
	json_t *j = json_pack("{s:I, s:s}", "val", (json_int_t)(bytes >> 10 * unit), "val_unit",
			      byte_unit_names[unit]);

	if (over)
		json_object_set_new(j, "inv", json_true());
	return json_pack("{s:o}", "quota", j);
}

static json_t *out_ctcount(const struct stmt *s)
{
	json_t *j = json_pack("{s:i}", "val", s->ctcount.count);

	if (s->ctcount.over)
		json_object_set_new(j, "inv", json_true());
	return json_pack("{s:o}", "ct count", j);
}

static json_t *out_value_stmt(const struct stmt *s)
{
	struct elem e = { .num_lo = s->value.value, .num_hi = s->value.value, .plen = -1 };
	bool six = s->value.family == 6;

	if (s->kind == STMT_ZONE)
		return out_header(FIELD_ID_CT_ZONE, json_integer(s->value.value));
	if (s->kind == STMT_TTL)
		return out_header(six ? FIELD_ID_IP6_HOPLIMIT : FIELD_ID_IP_TTL,
				  json_integer(s->value.value));
	return out_header(six ? FIELD_ID_IP6_DSCP : FIELD_ID_IP_DSCP, out_value(FIELD_DSCP, &e));
}

static json_t *out_stmt(const struct table *t, const struct rule *r, const struct stmt *s)
{
	switch (s->kind) {
	case STMT_COUNTER:
		return json_pack("{s:{s:I, s:I}}", "counter", "packets", (json_int_t)r->pkts,
				 "bytes", (json_int_t)r->bytes);
	case STMT_OBJECT:
		return json_pack("{s:o}", object_kind_name(s->object.kind),
				 out_text(s->object.name));
	case STMT_NOTRACK:
		return json_pack("{s:n}", "notrack");
	case STMT_LOG:
		return out_log(s);
	case STMT_LIMIT:
		return json_pack("{s:o}", "limit", out_limit(&s->limit));
	case STMT_QUOTA:
		return out_quota(s->quota.bytes, s->quota.over);
	case STMT_CTCOUNT:
		return out_ctcount(s);
	case STMT_MARK:
	case STMT_CTMARK:
		return out_mark(t, s);
	case STMT_MSS:
		return json_pack("{s:{s:{s:{s:s, s:s}}, s:o}}", "mangle", "key", "tcp option",
				 "name", "maxseg", "field", "size", "value",
				 s->mss.value ? json_integer(s->mss.value)
					      : json_pack("{s:{s:s}}", "rt", "key", "mtu"));
	case STMT_SET:
		return out_set_stmt(s);
	case STMT_DSCP:
	case STMT_TTL:
	case STMT_ZONE:
		break;
	}
	return out_value_stmt(s);
}

static json_t *out_flags(uint32_t flags, bool prefix)
{
	json_t *list = json_array();

	if (prefix)
		json_array_append_new(list, json_string("netmap"));
	for (const struct name_row *row = nat_flag_names; row->name; row++) {
		if (flags & row->value)
			json_array_append_new(list, json_string(row->name));
	}
	return one_or_list(list);
}

static json_t *out_nat(const struct table *t, const struct action *a)
{
	static const char *const words[] = { [VERDICT_MASQUERADE] = "masquerade",
					     [VERDICT_SNAT] = "snat",
					     [VERDICT_DNAT] = "dnat",
					     [VERDICT_REDIRECT] = "redirect" };
	bool six = a->nat_family == 6;
	struct elem addr = { .plen = a->nat_plen },
		    port = { .num_lo = a->port_lo, .num_hi = a->port_hi, .plen = -1 };
	enum field_type type = six ? FIELD_ADDR6 : FIELD_ADDR4;
	json_t *j = json_object();

	if (a->nat_family && t->family == FAMILY_INET)
		json_object_set_new(j, "family", json_string(six ? "ip6" : "ip"));
	if (a->map) {
		json_object_set_new(j, "addr",
				    json_pack("{s:o}", "map", out_map(t, a->map, type, 1)));
	} else if (a->has_addr) {
		memcpy(addr.addr_lo, a->addr_lo, 16);
		memcpy(addr.addr_hi, a->addr_hi, 16);
		json_object_set_new(j, "addr", out_value(type, &addr));
	}
	if (a->has_port)
		json_object_set_new(j, "port", out_value(FIELD_PORT, &port));
	if (a->nat_flags || a->nat_prefix)
		json_object_set_new(
			j, "flags",
			out_flags(a->nat_flags, a->nat_prefix || a->nat_flags & GW_NATF_NETMAP));
	if (a->nat_prefix)
		json_object_set_new(j, "type_flags", json_string("prefix"));
	if (!json_object_size(j)) {
		json_decref(j);
		j = json_null();
	}
	return json_pack("{s:o}", words[a->verdict], j);
}

static json_t *out_reject(const struct action *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(reject_rows) && a->reject != GW_REJECT_TCP_RESET; i++) {
		const char *family = a->reject_family == 4   ? "icmp"
				     : a->reject_family == 6 ? "icmpv6"
							     : "icmpx";

		if (reject_rows[i].code == a->reject && !strcmp(reject_rows[i].family, family))
			return json_pack("{s:{s:s, s:s}}", "reject", "type", family, "expr",
					 reject_rows[i].type);
	}
	if (a->reject == GW_REJECT_TCP_RESET)
		return json_pack("{s:{s:s}}", "reject", "type", "tcp reset");
	return json_pack("{s:n}", "reject");
}

static json_t *out_action(const struct table *t, const struct rule *r)
{
	const struct action *a = &r->action;

	switch (a->verdict) {
	case VERDICT_REJECT:
		return out_reject(a);
	case VERDICT_MASQUERADE:
	case VERDICT_SNAT:
	case VERDICT_DNAT:
	case VERDICT_REDIRECT:
		return out_nat(t, a);
	case VERDICT_VMAP:
		return json_pack("{s:o}", "vmap", out_map(t, a->map, FIELD_NUM, 0));
	default:
		return out_verdict(a->verdict, a->chain);
	}
}

json_t *out_rule_expr(const struct table *t, const struct rule *r)
{
	json_t *expr = json_array();
	size_t m = 0;

	for (size_t s = 0; s <= r->n_stmts; s++) {
		for (; m < r->n_matches && r->matches[m].after <= s; m++) {
			if (!match_is_implied(r, m, (int)t->family, false))
				json_array_append_new(expr, out_match(&r->matches[m]));
		}
		if (s < r->n_stmts)
			json_array_append_new(expr, out_stmt(t, r, &r->stmts[s]));
	}
	if (r->action.verdict != VERDICT_NONE)
		json_array_append_new(expr, out_action(t, r));
	return expr;
}
