/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/able.h>

static bool is_fib_mark(enum field f)
{
	return !strncmp(field_rows[f].keyword, "fib ", 4) &&
	       strstr(field_rows[f].keyword, " mark ");
}

static enum field selector_mark(const struct selector *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (is_fib_mark(s->fields[i]))
			return s->fields[i];
	}
	return FIELD_ID_NONE;
}

static enum field match_mark(const struct match *m)
{
	for (unsigned int i = 0; i < m->n_fields && m->n_fields > 1; i++) {
		if (is_fib_mark(m->more[i]))
			return m->more[i];
	}
	return m->n_fields <= 1 && is_fib_mark(m->field) ? m->field : FIELD_ID_NONE;
}

static enum field stmt_mark(const struct stmt *s)
{
	if (s->kind == STMT_SET)
		return selector_mark(&s->set.key);
	if ((s->kind == STMT_MARK || s->kind == STMT_CTMARK) && s->mark.map)
		return selector_mark(&s->mark.map->key);
	return FIELD_ID_NONE;
}

/* What of the rule asks the FIB for a mark. */
static enum field rule_mark(const struct rule *r)
{
	enum field f = r->action.map ? selector_mark(&r->action.map->key) : FIELD_ID_NONE;

	for (size_t i = 0; !f && i < r->n_matches; i++)
		f = match_mark(&r->matches[i]);
	for (size_t i = 0; !f && i < r->n_stmts; i++)
		f = stmt_mark(&r->stmts[i]);
	return f;
}

bool able_rule(const struct rule *r, bool fib_mark)
{
	return fib_mark || !rule_mark(r);
}

static bool chain_able(const struct table *t, const struct chain *c, struct diag *d)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		enum field f = rule_mark(c->rules[i]);

		if (!f)
			continue;
		diag_set(d, "`%s` needs Linux 6.10 (chain %s %s %s, rule %zu)",
			 field_rows[f].keyword, family_name(t->family), t->name, c->name, i + 1);
		return false;
	}
	return true;
}

bool able_ruleset(const struct ruleset *rs, bool fib_mark, struct diag *d)
{
	for (size_t t = 0; !fib_mark && t < rs->n_tables; t++) {
		const struct table *table = rs->tables[t];

		for (size_t c = 0; c < table->n_chains; c++) {
			if (!chain_able(table, table->chains[c], d))
				return false;
		}
	}
	return true;
}
