/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_VIEW_H
#define IPTABLES_VIEW_H
/*
 * view - the tables and chains of the model as iptables shows them: the built-in chains of a table, whether or not
 * anybody used it yet, then user chains by name.
 */
#include <iptables/spec.h>

struct view_table {
	const char *name;
	const char *chains[6]; /* built-in, in order, up to NULL */
};
#define VIEW_TABLES 5
extern const struct view_table
	view_tables[VIEW_TABLES]; /* in the order iptables-save prints them */

const struct view_table *view_table_find(const char *name); /* or NULL */
bool view_is_builtin(const struct view_table *vt, const char *chain);
enum family view_family(int version);

struct view_chain {
	const char *name;
	bool builtin;
	const struct chain *chain; /* NULL: the table is not used yet */
};
struct view {
	struct view_chain *chains;
	size_t n;
	bool foreign; /* the table has base chains iptables can not show */
};
int view_init(struct view *v, const struct ruleset *rs, int version, const struct view_table *vt);
void view_deinit(struct view *v);
const struct view_chain *view_find(const struct view *v, const char *name); /* or NULL */

/* What -S prints behind "-A CHAIN", with a leading space; false: iptables has no words for the rule. */
bool view_rule_text(const struct rule *r, int version, bool counters, struct strbuf *b);
bool view_rule(const struct rule *r, int version, struct xt_rule *ret);
/* The comment line that stands for such a rule. */
void view_foreign_rule(const struct view_chain *c, const struct rule *r, struct strbuf *b);
void view_foreign_chains(const struct view_table *vt, struct strbuf *b);
#endif
