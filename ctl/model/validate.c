/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/validate.h>

#include <netinet/in.h>

bool chain_at(const struct chain *c, unsigned int hooks)
{
	return c->base && hooks & (1U << c->hook_nf);
}

bool chain_is_raw(const struct chain *c)
{
	int slot = chain_hook(c);

	return slot == GW_HOOK_RAW_PREROUTING || slot == GW_HOOK_RAW_OUTPUT;
}

static bool is_route_or_filter(const struct chain *c)
{
	return !c->base || c->type != CHAIN_NAT;
}

/* Before the connection is known, or behind it? */
static bool stmt_fits_time(const struct chain *c, const struct stmt *s, struct diag *d)
{
	bool early = s->kind == STMT_NOTRACK || s->kind == STMT_ZONE;
	bool late = s->kind == STMT_CTMARK || s->kind == STMT_CTCOUNT ||
		    (s->kind == STMT_MARK && s->mark.from_other);

	if (!c->base)
		return true;
	if (early && !chain_is_raw(c)) {
		diag_set(d, "`%s` comes too late in this chain",
			 s->kind == STMT_ZONE ? "ct zone set" : "notrack");
		diag_hint(d,
			  "it works at hook prerouting or output with priority raw (below -200)");
		return false;
	}
	if (late && chain_is_raw(c)) {
		diag_set(d, "connections are not known yet in a raw chain");
		diag_hint(d, "they are tracked at priority -200, after this chain");
		return false;
	}
	return true;
}

/* `%s` of a packet that NAT rules see: only the first of a connection. */
static bool stmt_fits_type(const struct chain *c, const struct stmt *s, struct diag *d)
{
	const char *word = s->kind == STMT_DSCP	 ? "dscp set"
			   : s->kind == STMT_TTL ? "ttl set"
			   : s->kind == STMT_MSS ? "tcp option maxseg size set"
						 : NULL;

	if (!word || is_route_or_filter(c))
		return true;
	diag_set(d, "`%s` would change only the first packet of a connection here", word);
	diag_hint(d, "nat chains see one packet of each; use a chain of type filter or route");
	return false;
}

static bool stmt_fits_family(const struct stmt *s, const struct facts *f, struct diag *d)
{
	static const uint8_t tcp[] = { IPPROTO_TCP };
	bool by_version = s->kind == STMT_DSCP || s->kind == STMT_TTL;

	if (by_version && !(s->value.family == 4 ? f->v4 : f->v6)) {
		diag_set(d, "this is for IPv%d, the rule is for IPv%d", s->value.family,
			 f->v4 ? 4 : 6);
		return false;
	}
	if (s->kind == STMT_MSS && !(f->protos[0] >> tcp[0] & 1)) {
		diag_set(d, "`tcp option maxseg` is for TCP, the rule is not");
		return false;
	}
	return true;
}

static const struct selector *stmt_selector(const struct stmt *s)
{
	if (s->kind == STMT_SET)
		return &s->set.key;
	if ((s->kind == STMT_MARK || s->kind == STMT_CTMARK) && s->mark.map)
		return &s->mark.map->key;
	return NULL;
}

static bool stmts_validate(const struct table *t, const struct chain *c, const struct rule *r,
			   struct facts *f, struct diag *d)
{
	for (size_t i = 0; i < r->n_stmts; i++) {
		const struct stmt *s = &r->stmts[i];
		const struct selector *sel = stmt_selector(s);

		if (!stmt_fits_time(c, s, d) || !stmt_fits_type(c, s, d) ||
		    !stmt_fits_family(s, f, d))
			return false;
		if (sel && !selector_validate(t, c, sel, f, d))
			return false;
	}
	return true;
}

bool place_validate(const struct chain *base, const struct rule *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_stmts; i++) {
		if (!stmt_fits_time(base, &r->stmts[i], d) ||
		    !stmt_fits_type(base, &r->stmts[i], d))
			return false;
	}
	return action_fits(base, &r->action, d);
}

bool rule_validate_grown(const struct table *t, const struct chain *c, const struct rule *r,
			 struct facts *f, struct diag *d)
{
	struct facts now;

	if (!matches_validate(t, c, r, f, d))
		return false;
	now = *f;
	if (!stmts_validate(t, c, r, &now, d))
		return false;
	if (r->action.map && !selector_validate(t, c, &r->action.map->key, &now, d))
		return false;
	return action_validate(c, &r->action, &now, d) && uses_validate(t, r, d);
}

bool rule_validate(const struct table *t, const struct chain *c, const struct rule *r,
		   struct diag *d)
{
	struct facts f = { .n = 0 };

	return rule_validate_grown(t, c, r, &f, d);
}

bool chain_validate(const struct table *t, const struct chain *c, struct diag *d)
{
	if (!c->base || chain_hook(c) >= 0)
		return true;
	diag_set(d, "chain %s %s %s: there is no place for type %s at hook %s with priority %d",
		 family_name(t->family), t->name, c->name, chain_type_name(c->type),
		 hook_name(c->hook_nf), c->prio);
	diag_hint(d, "%s",
		  c->type == CHAIN_NAT ? "nat chains sit at prerouting, input, output or "
					 "postrouting, above priority -200"
		  : c->type == CHAIN_ROUTE
			  ? "route chains sit at hook output"
			  : "filter chains at postrouting sit before srcnat: use a "
			    "priority below 100");
	return false;
}

/* A rule that came from nowhere in particular needs a name in the message. */
static void diag_name_rule(struct diag *d, const struct table *t, const struct chain *c,
			   const struct rule *r)
{
	const struct diag was = *d;

	diag_set(d, "%s %s %s handle %llu: %s", family_name(t->family), t->name, c->name,
		 (unsigned long long)r->handle, was.text);
	diag_hint(d, "%s", was.hint);
}

static bool table_validate(const struct table *t, struct diag *d)
{
	for (size_t i = 0; i < t->n_sets; i++) {
		if (!set_validate(t, t->sets[i], d))
			return false;
	}
	for (size_t i = 0; i < t->n_objects; i++) {
		if (!object_validate(t, t->objects[i], d))
			return false;
	}
	for (size_t i = 0; i < t->n_chains; i++) {
		const struct chain *c = t->chains[i];

		if (!chain_validate(t, c, d))
			return false;
		for (size_t j = 0; j < c->n_rules; j++) {
			if (rule_validate(t, c, c->rules[j], d) && refs_validate(t, c->rules[j], d))
				continue;
			diag_name_rule(d, t, c, c->rules[j]);
			return false;
		}
	}
	return jumps_validate(t, d);
}

bool ruleset_validate(const struct ruleset *rs, struct diag *d)
{
	for (size_t i = 0; i < rs->n_tables; i++) {
		if (!table_validate(rs->tables[i], d))
			return false;
	}
	return true;
}
