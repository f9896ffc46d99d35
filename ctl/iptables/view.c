/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/view.h>
#include <iptables/parse.h>

const struct view_table view_tables[VIEW_TABLES] = {
	{ "mangle", { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" } },
	{ "security", { "INPUT", "FORWARD", "OUTPUT" } },
	{ "raw", { "PREROUTING", "OUTPUT" } },
	{ "filter", { "INPUT", "FORWARD", "OUTPUT" } },
	{ "nat", { "PREROUTING", "INPUT", "OUTPUT", "POSTROUTING" } },
};

const struct view_table *view_table_find(const char *name)
{
	for (size_t i = 0; i < VIEW_TABLES; i++)
		if (!strcmp(view_tables[i].name, name))
			return &view_tables[i];
	return NULL;
}

bool view_is_builtin(const struct view_table *vt, const char *chain)
{
	for (size_t i = 0; vt->chains[i]; i++)
		if (!strcmp(vt->chains[i], chain))
			return true;
	return false;
}

enum family view_family(int version)
{
	return version == 6 ? FAMILY_IP6 : FAMILY_IP;
}

static int chain_cmp(const void *a, const void *b)
{
	const struct view_chain *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int view_init(struct view *v, const struct ruleset *rs, int version, const struct view_table *vt)
{
	const struct table *t = ruleset_table(rs, view_family(version), vt->name);
	size_t builtin = 0, user = t ? t->n_chains : 0;

	*v = (struct view){};
	while (vt->chains[builtin])
		builtin++;
	v->chains = calloc(builtin + user, sizeof(*v->chains));
	if (!v->chains)
		return -ENOMEM;
	for (v->n = 0; v->n < builtin; v->n++)
		v->chains[v->n] =
			(struct view_chain){ vt->chains[v->n], true,
					     t ? table_chain(t, vt->chains[v->n]) : NULL };
	for (size_t i = 0; i < user; i++) {
		const struct chain *c = t->chains[i];

		if (view_is_builtin(vt, c->name))
			continue;
		v->foreign |= c->base;
		if (!c->base)
			v->chains[v->n++] = (struct view_chain){ c->name, false, c };
	}
	qsort(v->chains + builtin, v->n - builtin, sizeof(*v->chains), chain_cmp);
	return 0;
}

void view_deinit(struct view *v)
{
	free(v->chains);
	*v = (struct view){};
}

const struct view_chain *view_find(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->chains[i].name, name))
			return &v->chains[i];
	return NULL;
}

bool view_rule(const struct rule *r, int version, struct xt_rule *ret)
{
	struct diag ignored = {};

	if (!r->xtspec || xt_parse_spec(r->xtspec, version, ret, &ignored))
		return xt_from_rule(r, version, ret);
	ret->pkts = r->pkts;
	ret->bytes = r->bytes;
	return true;
}

bool view_rule_text(const struct rule *r, int version, bool counters, struct strbuf *b)
{
	struct xt_rule x;

	if (r->xtspec && !counters) {
		if (*r->xtspec)
			strbuf_printf(b, " %s", r->xtspec);
		return true;
	}
	if (!view_rule(r, version, &x))
		return false;
	xt_save(&x, counters, b);
	return true;
}

void view_foreign_rule(const struct view_chain *c, const struct rule *r, struct strbuf *b)
{
	strbuf_printf(
		b, "# %s: the rule with handle %llu has no iptables form, see `gwctl rule list'\n",
		c->name, (unsigned long long)r->handle);
}

void view_foreign_chains(const struct view_table *vt, struct strbuf *b)
{
	strbuf_printf(b,
		      "# Table `%s' contains incompatible base-chains, use `gwctl chain list' to "
		      "list them.\n",
		      vt->name);
}
