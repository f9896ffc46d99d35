/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/command.h>

/* How many rules jump to the chain. */
static size_t count_references(const struct table *t, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_chains; i++)
		for (size_t k = 0; k < t->chains[i]->n_rules; k++) {
			const struct action *a = &t->chains[i]->rules[k]->action;

			n += (a->verdict == VERDICT_JUMP || a->verdict == VERDICT_GOTO) &&
			     !strcmp(a->chain, name);
		}
	return n;
}

static void list_chain_head(const struct run *run, const struct view_chain *vc)
{
	const struct xt_list_format *f = &run->c->format;
	const struct chain *c = vc->chain;
	struct strbuf *b = run->out;

	if (!vc->builtin) {
		const struct table *t =
			ruleset_table(run->rs, view_family(run->c->version), run->table->name);

		strbuf_printf(b, "Chain %s (%zu references)\n", vc->name,
			      count_references(t, vc->name));
		return;
	}
	strbuf_printf(b, "Chain %s (policy %s", vc->name, c && c->policy_drop ? "DROP" : "ACCEPT");
	if (f->verbose) {
		strbuf_puts(b, " ");
		xt_print_count(c ? c->pkts : 0, f, false, b);
		strbuf_puts(b, "packets, ");
		xt_print_count(c ? c->bytes : 0, f, false, b);
		strbuf_puts(b, "bytes");
	}
	strbuf_puts(b, ")\n");
}

/* Rule number `only`, or all of them. */
static void list_rules(const struct run *run, const struct view_chain *vc, uint32_t only)
{
	struct xt_rule x;

	for (size_t i = 0; vc->chain && i < vc->chain->n_rules; i++) {
		const struct rule *r = vc->chain->rules[i];

		if (only && only != i + 1)
			continue;
		if (view_rule(r, run->c->version, &x))
			xt_list(&x, &run->c->format, i + 1, run->out);
		else
			view_foreign_rule(vc, r, run->out);
	}
}

static void list_chain(const struct run *run, const struct view_chain *vc)
{
	if (!run->c->number) {
		list_chain_head(run, vc);
		xt_list_header(&run->c->format, run->out);
	}
	list_rules(run, vc, run->c->number);
}

int run_list(struct run *run)
{
	_cleanup_(view_deinit) struct view v = {};
	const struct view_chain *vc;
	int r = view_init(&v, run->rs, run->c->version, run->table);

	if (r < 0)
		return r;
	if (run->c->chain) {
		vc = view_find(&v, run->c->chain);
		if (!vc)
			return refuse_no_chain(run->d);
		list_chain(run, vc);
		return 0;
	}
	for (size_t i = 0; i < v.n; i++) {
		if (i)
			strbuf_puts(run->out, "\n");
		list_chain(run, &v.chains[i]);
	}
	if (v.foreign)
		view_foreign_chains(run->table, run->out);
	return 0;
}

static void print_chain(const struct run *run, const struct view_chain *vc)
{
	const struct chain *c = vc->chain;

	if (!vc->builtin) {
		strbuf_printf(run->out, "-N %s\n", vc->name);
		return;
	}
	strbuf_printf(run->out, "-P %s %s", vc->name, c && c->policy_drop ? "DROP" : "ACCEPT");
	if (run->c->format.verbose)
		strbuf_printf(run->out, " -c %llu %llu", (unsigned long long)(c ? c->pkts : 0),
			      (unsigned long long)(c ? c->bytes : 0));
	strbuf_puts(run->out, "\n");
}

static void print_rules(const struct run *run, const struct view_chain *vc, uint32_t only)
{
	for (size_t i = 0; vc->chain && i < vc->chain->n_rules; i++) {
		const struct rule *r = vc->chain->rules[i];
		struct strbuf text = {};

		if (only && only != i + 1)
			continue;
		if (view_rule_text(r, run->c->version, run->c->format.verbose, &text))
			strbuf_printf(run->out, "-A %s%s\n", vc->name, text.len ? text.s : "");
		else
			view_foreign_rule(vc, r, run->out);
		run->out->failed |= text.failed;
		strbuf_deinit(&text);
	}
}

int run_list_rules(struct run *run)
{
	_cleanup_(view_deinit) struct view v = {};
	const struct view_chain *vc = NULL;
	int r = view_init(&v, run->rs, run->c->version, run->table);

	if (r < 0)
		return r;
	if (run->c->chain) {
		vc = view_find(&v, run->c->chain);
		if (!vc)
			return refuse_no_chain(run->d);
	}
	for (size_t i = 0; i < v.n; i++)
		if (!run->c->number && (!vc || vc == &v.chains[i]))
			print_chain(run, &v.chains[i]);
	for (size_t i = 0; i < v.n; i++)
		if (!vc || vc == &v.chains[i])
			print_rules(run, &v.chains[i], run->c->number);
	if (!vc && v.foreign)
		view_foreign_chains(run->table, run->out);
	return 0;
}
