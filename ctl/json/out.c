/* SPDX-License-Identifier: GPL-2.0-only */
#include <json/impl.h>

const char *family_of(const struct table *t)
{
	return family_name(t->family);
}

static void put(json_t *list, const char *kind, json_t *body)
{
	json_array_append_new(list, json_pack("{s:o}", kind, body));
}

json_t *out_text(const char *s)
{
	json_t *text = json_string(s);
	struct strbuf b = { 0 };

	if (text)
		return text;
	for (; *s; s++)
		strbuf_add(&b, (unsigned char)*s < 0x80 ? s : "?", 1);
	text = b.failed ? NULL : json_stringn(b.s, b.len);
	strbuf_deinit(&b);
	return text;
}

static void put_string(json_t *j, const char *key, const char *s)
{
	if (s)
		json_object_set_new(j, key, out_text(s));
}

static json_t *out_types(const enum field_type *types, unsigned int n)
{
	json_t *list;

	if (n == 1)
		return json_string(type_rows[types[0]].name);
	list = json_array();
	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(list, json_string(type_rows[types[i]].name));
	return list;
}

/* nft writes the data type of a map as one string. */
static json_t *out_data_types(const struct set *s)
{
	if (s->is_vmap)
		return json_string("verdict");
	if (s->n_data == 1)
		return json_string(type_rows[s->data[0]].name);
	return json_sprintf("%s . %s", type_rows[s->data[0]].name, type_rows[s->data[1]].name);
}

static json_t *out_set_flags(unsigned int flags)
{
	static const struct {
		unsigned int bit;
		const char *word;
	} rows[] = { { SET_CONSTANT, "constant" },
		     { SET_INTERVAL, "interval" },
		     { SET_TIMEOUT, "timeout" },
		     { SET_DYNAMIC, "dynamic" } };
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (flags & rows[i].bit)
			json_array_append_new(list, json_string(rows[i].word));
	}
	return list;
}

static json_t *out_set(const struct table *t, const struct set *s)
{
	bool counts = s->flags & SET_COUNTER;
	json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:I}", "family", family_of(t), "name",
			      out_text(s->name), "table", out_text(t->name), "type",
			      out_types(s->types, s->n_fields), "handle", (json_int_t)s->handle);

	put_string(j, "comment", s->comment);
	if (s->is_map)
		json_object_set_new(j, "map", out_data_types(s));
	if (s->size)
		json_object_set_new(j, "size", json_integer(s->size));
	put_string(j, "policy", s->policy);
	if (s->flags & (SET_CONSTANT | SET_INTERVAL | SET_TIMEOUT | SET_DYNAMIC))
		json_object_set_new(j, "flags", out_set_flags(s->flags));
	if (s->timeout_ms)
		json_object_set_new(j, "timeout", json_integer((json_int_t)(s->timeout_ms / 1000)));
	if (s->gc_ms)
		json_object_set_new(j, "gc-interval", json_integer((json_int_t)(s->gc_ms / 1000)));
	if (s->flags & SET_AUTO_MERGE)
		json_object_set_new(j, "auto-merge", json_true());
	if (s->elems->n)
		json_object_set_new(j, "elem",
				    out_elems(s->elems, s->types, s->data,
					      s->is_vmap ? 0 : s->n_data, s->is_map, counts));
	if (counts)
		json_object_set_new(j, "stmt", json_pack("[{s:n}]", "counter"));
	return j;
}

static json_t *out_object(const struct table *t, const struct object *o)
{
	json_t *j =
		json_pack("{s:s, s:o, s:o, s:I}", "family", family_of(t), "name", out_text(o->name),
			  "table", out_text(t->name), "handle", (json_int_t)o->handle);
	json_t *more = NULL;

	put_string(j, "comment", o->comment);
	switch (o->kind) {
	case OBJECT_COUNTER:
		more = json_pack("{s:I, s:I}", "packets", (json_int_t)o->pkts, "bytes",
				 (json_int_t)o->bytes);
		break;
	case OBJECT_QUOTA:
		more = json_pack("{s:I, s:I}", "bytes", (json_int_t)o->quota, "used",
				 (json_int_t)o->bytes);
		if (o->quota_over)
			json_object_set_new(more, "inv", json_true());
		break;
	case OBJECT_LIMIT:
		more = out_limit(&o->limit);
		break;
	}
	json_object_update(j, more);
	json_decref(more);
	return j;
}

static json_t *out_chain(const struct table *t, const struct chain *c)
{
	json_t *j = json_pack("{s:s, s:o, s:o, s:I}", "family", family_of(t), "table",
			      out_text(t->name), "name", out_text(c->name), "handle",
			      (json_int_t)c->handle);

	if (c->base) {
		put_string(j, "type", chain_type_name((int)c->type));
		put_string(j, "hook", hook_name(c->hook_nf));
		json_object_set_new(j, "prio", json_integer(c->prio));
		put_string(j, "policy", c->policy_drop ? "drop" : "accept");
	}
	put_string(j, "comment", c->comment);
	return j;
}

static json_t *out_rule(const struct table *t, const struct chain *c, const struct rule *r)
{
	json_t *j = json_pack("{s:s, s:o, s:o, s:I}", "family", family_of(t), "table",
			      out_text(t->name), "chain", out_text(c->name), "handle",
			      (json_int_t)r->handle);

	put_string(j, "comment", r->comment);
	json_object_set_new(j, "expr", out_rule_expr(t, r));
	return j;
}

/* nft's order: the table, its objects, sets, chains, then the rules of all chains. */
static void out_table(json_t *list, const struct table *t)
{
	json_t *j = json_pack("{s:s, s:o, s:I}", "family", family_of(t), "name", out_text(t->name),
			      "handle", (json_int_t)t->handle);

	put_string(j, "flags", t->dormant ? "dormant" : NULL);
	put_string(j, "comment", t->comment);
	put(list, "table", j);
	for (size_t i = 0; i < t->n_objects; i++)
		put(list, object_kind_name(t->objects[i]->kind), out_object(t, t->objects[i]));
	for (size_t i = 0; i < t->n_sets; i++)
		put(list, t->sets[i]->is_map ? "map" : "set", out_set(t, t->sets[i]));
	for (size_t i = 0; i < t->n_chains; i++)
		put(list, "chain", out_chain(t, t->chains[i]));
	for (size_t i = 0; i < t->n_chains; i++)
		for (size_t k = 0; k < t->chains[i]->n_rules; k++)
			put(list, "rule", out_rule(t, t->chains[i], t->chains[i]->rules[k]));
}

json_t *json_export(const struct ruleset *rs)
{
	json_t *list = json_array();

	put(list, "metainfo",
	    json_pack("{s:s, s:s, s:i}", "version", GW_VERSION, "release_name", "Gatewarden",
		      "json_schema_version", 1));
	for (size_t i = 0; i < rs->n_tables; i++)
		out_table(list, rs->tables[i]);
	return json_pack("{s:o}", "nftables", list);
}
