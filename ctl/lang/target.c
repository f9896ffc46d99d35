/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/parse.h>

/* Which table or chain a command is about. */

int parse_family(struct parser *p, enum family *ret)
{
	static const enum family families[] = { FAMILY_INET, FAMILY_IP, FAMILY_IP6 };

	*ret = FAMILY_IP;
	if (token_is(&p->tok, "arp") || token_is(&p->tok, "bridge") || token_is(&p->tok, "netdev"))
		return fail_unsupported(p, &p->tok, "family");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (!token_is(&p->tok, family_name(families[i])))
			continue;
		*ret = families[i];
		return parse_advance(p);
	}
	return 0;
}

int parse_target(struct parser *p, struct target *t, bool with_chain)
{
	int r = parse_family(p, &t->family);

	t->table_tok = p->tok;
	if (!r)
		r = parse_name(p, "the name of a table", t->table);
	t->chain_tok = p->tok;
	if (!r && with_chain)
		r = parse_name(p, "the name of a chain", t->chain);
	return r;
}

int find_table(struct parser *p, const struct target *t, struct table **ret)
{
	*ret = ruleset_table(p->rs, t->family, t->table);
	if (*ret)
		return 0;
	if (table_is_standard(t->table))
		return add_table(p, t->family, t->table, ret);
	fail_at(p, &t->table_tok, "there is no table `%s %s`", family_name(t->family), t->table);
	if (t->family == FAMILY_IP && ruleset_table(p->rs, FAMILY_INET, t->table))
		return fail_hint(p, "did you mean `inet %s`?", t->table);
	return fail_hint(p, "make it with `add table %s %s`", family_name(t->family), t->table);
}

/* The lower-case chains are inet's, the upper-case ones are ip's and ip6's: easily mixed up. */
static const char *other_spelling(struct parser *p, const struct target *t)
{
	_cleanup_(ruleset_freep) struct ruleset *scratch = ruleset_new();
	struct table *inet = ruleset_table(p->rs, FAMILY_INET, t->table);

	if (t->family == FAMILY_INET)
		return NULL;
	if (inet && table_chain(inet, t->chain))
		return "inet";
	if (scratch && ruleset_standard_chain(scratch, FAMILY_INET, t->table, t->chain))
		return "inet";
	return NULL;
}

static int fail_no_chain(struct parser *p, const struct target *t)
{
	const char *family = other_spelling(p, t);

	fail_at(p, &t->chain_tok, "there is no chain `%s` in table `%s %s`", t->chain,
		family_name(t->family), t->table);
	if (family)
		return fail_hint(p, "did you mean `%s %s %s`?", family, t->table, t->chain);
	return fail_hint(p, "make it with `add chain %s %s %s`", family_name(t->family), t->table,
			 t->chain);
}

int find_chain(struct parser *p, const struct target *t, struct table **ret_table,
	       struct chain **ret_chain)
{
	struct table *table = ruleset_table(p->rs, t->family, t->table);
	struct chain *c = table ? table_chain(table, t->chain) : NULL;

	if (!c)
		c = standard_chain(p, t->family, t->table, t->chain);
	if (!c && !table && !table_is_standard(t->table))
		return find_table(p, t, &table);
	if (!c)
		return fail_no_chain(p, t);
	*ret_table = ruleset_table(p->rs, t->family, t->table);
	*ret_chain = c;
	return 0;
}
