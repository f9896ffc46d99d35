/* SPDX-License-Identifier: GPL-2.0-only */
/* single - commands about one rule of one chain, carried out on that chain alone. */
#include <iptables/command.h>
#include <iptables/iptables.h>

void iptables_single_deinit(struct iptables_single *s)
{
	strbuf_deinit(&s->text);
	rule_free(s->rule);
	ruleset_free(s->rs);
	*s = (struct iptables_single){ 0 };
}

/* Lists of addresses are several rules; a chain to go to may not be there, or lead back. */
static bool is_single(const struct command *c)
{
	if (!c->key || !strchr("AICD", c->key) || !c->chain || c->zero || c->other_family)
		return false;
	if ((c->sources && strchr(c->sources, ',')) ||
	    (c->destinations && strchr(c->destinations, ',')))
		return false;
	return c->rule.target.kind != XT_CHAIN && (c->key != 'I' || c->number <= 1);
}

static bool take_chain(struct run *run, struct iptables_single *s)
{
	s->rs = ruleset_new();
	run->rs = s->rs;
	if (!s->rs || run_table(run, &s->table) < 0)
		return false;
	s->builtin = view_is_builtin(run->table, run->c->chain);
	if (!s->builtin && table_add_chain(s->rs, s->table, run->c->chain, NULL) < 0)
		return false;
	s->chain = table_chain(s->table, run->c->chain);
	return s->chain;
}

/* The rule, out of the chain again.  Sets that it would bring with it are for who knows the others. */
static bool take_rule(struct run *run, struct iptables_single *s)
{
	if (command_run(run) || s->chain->n_rules != 1 || s->table->n_sets || s->table->n_objects)
		return false;
	s->rule = s->chain->rules[0];
	s->rule->handle = 0;
	s->chain->n_rules = 0;
	return true;
}

static bool take_text(struct run *run, struct iptables_single *s)
{
	_cleanup_(rule_freep) struct rule *like = NULL;
	bool more;

	s->number = run->c->number;
	if (s->number)
		return true;
	if (command_addresses(run->c, 0, &more, run->d) ||
	    xt_to_rule(&run->c->rule, NULL, &like, run->d))
		return false;
	if (!view_rule_text(like, run->c->version, false, &s->text))
		return false;
	if (run->c->format.verbose)
		xt_list_line(&run->c->rule, run->out);
	return !s->text.failed;
}

bool iptables_single(struct iptables_single *ret, int version, int argc, char **argv,
		     struct strbuf *out)
{
	_cleanup_(iptables_single_deinit) struct iptables_single s = { 0 };
	struct command c = { .version = version };
	struct diag d = { 0 };
	struct run run = { .c = &c, .out = out, .d = &d };

	if (command_parse(&c, argc, argv, &d) || !is_single(&c))
		return false;
	run.table = view_table_find(c.table);
	if (!run.table || !take_chain(&run, &s))
		return false;
	s.key = c.key;
	if (c.key == 'A' || c.key == 'I' ? !take_rule(&run, &s) : !take_text(&run, &s))
		return false;
	*ret = s;
	s = (struct iptables_single){ 0 };
	return true;
}
