/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rule of a chain: by its number, or by the words that iptables has for it. */
#include <gwd/request.h>

struct wanted {
	const char *family, *table, *chain, *xt;
	bool has_number;
	uint32_t number;
};

static const struct chain *wanted_chain(const struct ruleset *rs, const struct wanted *w)
{
	for (size_t i = 0; i < rs->n_tables; i++) {
		const struct table *t = rs->tables[i];

		if (!strcmp(family_name(t->family), w->family) && !strcmp(t->name, w->table))
			return table_chain(t, w->chain);
	}
	return NULL;
}

/* Sets may have to go with the rule. */
static bool rule_uses_set(const struct rule *r)
{
	for (size_t i = 0; i < r->n_matches; i++)
		if (r->matches[i].set)
			return true;
	return rule_has_stmt(r, STMT_SET);
}

/* *ret_plain: no rule that was looked at says in other words than iptables' what it does. */
static const struct rule *wanted_rule(const struct chain *c, const struct wanted *w,
				      bool *ret_plain)
{
	*ret_plain = true;
	if (w->has_number)
		return w->number && w->number <= c->n_rules ? c->rules[w->number - 1] : NULL;
	for (size_t i = 0; w->xt && i < c->n_rules && *ret_plain; i++) {
		const struct rule *r = c->rules[i];

		if (r->xtspec && !strcmp(r->xtspec, w->xt))
			return r;
		*ret_plain = r->xtspec;
	}
	return NULL;
}

int req_find_rule(struct gwd *g, json_t *req, struct reply *r)
{
	struct wanted w = { 0 };
	const struct chain *c;
	const struct rule *rule;
	bool plain = true;

	if (!field_text(req, "family", &w.family, NULL, r) ||
	    !field_text(req, "table", &w.table, NULL, r) ||
	    !field_text(req, "chain", &w.chain, NULL, r) ||
	    !field_text(req, "xt", &w.xt, NULL, r) ||
	    !field_u32(req, "number", &w.has_number, &w.number, r))
		return REQUEST_USAGE;
	if (!w.family || !w.table || !w.chain) {
		reply_error(r, "`find-rule` needs the fields `family`, `table` and `chain`");
		return REQUEST_USAGE;
	}
	c = wanted_chain(g->rs, &w);
	rule = c ? wanted_rule(c, &w, &plain) : NULL;
	if (rule && rule_uses_set(rule))
		plain = false;
	reply_json(r, json_pack("{s:I, s:b, s:b, s:I, s:b}", "gen", (json_int_t)g->gen, "chain",
				!!c, "base", c && c->base, "handle",
				(json_int_t)(rule ? rule->handle : 0), "plain", plain));
	return REQUEST_OK;
}
