/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/command.h>
#include <iptables/convert.h>

int run_say(struct diag *d, int r, const char *fmt, ...)
{
	char text[64];
	size_t n;
	va_list ap;

	if (r <= 0)
		return r;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = strlen(text);
	memmove(d->text + n, d->text, sizeof(d->text) - n);
	memcpy(d->text, text, n);
	d->text[sizeof(d->text) - 1] = '\0';
	return r;
}

static int no_match(struct diag *d, const char *text)
{
	diag_set(d, "%s", text);
	return IPTABLES_E_NOMATCH;
}

int refuse_no_chain(struct diag *d)
{
	return no_match(d, "No chain/target/match by that name.");
}

int run_table(struct run *run, struct table **ret)
{
	enum family f = view_family(run->c->version);

	if (!ruleset_standard_chain(run->rs, f, run->table->name, run->table->chains[0]))
		return -errno;
	*ret = ruleset_table(run->rs, f, run->table->name);
	return *ret ? 0 : -ENOENT;
}

static int run_chain(struct run *run, struct table **ret_table, struct chain **ret)
{
	int r = run_table(run, ret_table);

	if (r < 0)
		return r;
	*ret = table_chain(*ret_table, run->c->chain);
	if (!*ret || ((*ret)->base && !view_is_builtin(run->table, run->c->chain)))
		return refuse_no_chain(run->d);
	return 0;
}

/* What iptables says about a rule in the wrong chain, in its words. */
static int check_place(struct run *run, const struct chain *c)
{
	const struct xt_rule *x = &run->c->rule;
	const struct target_row *row = target_row(x->target.kind);

	if (row->tables && strcmp(row->tables, run->table->name))
		return xt_refuse(run->d, "target `%s' works in table %s only", row->name,
				 row->tables);
	if (c->base && c->hook_nf < 2 && x->target.kind == XT_TCPMSS && x->target.op == 'c')
		return xt_refuse(run->d, "TCPMSS: path-MTU clamping only supported in FORWARD, "
					 "OUTPUT and POSTROUTING hooks");
	if (c->base && (*x->iif || x->iif_invert) && c->hook_nf >= 3)
		return xt_usage(run->d, "can't use -i with %s", c->name);
	if (c->base && (*x->oif || x->oif_invert) && c->hook_nf <= 1)
		return xt_usage(run->d, "can't use -o with %s", c->name);
	if (!strcmp(run->table->name, "nat") && x->target.kind == XT_DROP)
		return xt_refuse(
			run->d, "the `nat' table is not intended for filtering, the use of DROP is "
				"therefore inhibited");
	return 0;
}

static size_t chain_index(const struct table *t, const char *name)
{
	size_t i = 0;

	while (i < t->n_chains && strcmp(t->chains[i]->name, name))
		i++;
	return i;
}

/* Does chain `from`, or one that its rules lead to, lead to chain `to`?  Chains in seen are known not to. */
static bool leads_to(const struct table *t, size_t from, size_t to, bool *seen)
{
	const struct chain *c = t->chains[from];

	if (from == to)
		return true;
	seen[from] = true;
	for (size_t i = 0; i < c->n_rules; i++) {
		const struct action *a = &c->rules[i]->action;
		size_t next;

		if (a->verdict != VERDICT_JUMP && a->verdict != VERDICT_GOTO)
			continue;
		next = chain_index(t, a->chain);
		if (next < t->n_chains && !seen[next] && leads_to(t, next, to, seen))
			return true;
	}
	return false;
}

static int check_loop(struct run *run, const struct table *t, const struct chain *from,
		      const struct chain *to)
{
	_cleanup_(freep) bool *seen = NULL;

	/* nothing jumps to a base chain */
	if (from->base)
		return 0;
	seen = calloc(t->n_chains, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	if (leads_to(t, chain_index(t, to->name), chain_index(t, from->name), seen))
		return no_match(run->d, "Too many levels of symbolic links.");
	return 0;
}

static int check_jump(struct run *run, const struct table *t, const struct chain *c)
{
	const struct xt_target *target = &run->c->rule.target;
	const struct chain *to;

	if (target->kind != XT_CHAIN)
		return 0;
	to = table_chain(t, target->chain);
	if (!to)
		return xt_usage(run->d, "Chain '%s' does not exist", target->chain);
	if (to->base)
		return xt_refuse(run->d, "Chain '%s' is built in: nothing can jump to it",
				 target->chain);
	return check_loop(run, t, c, to);
}

static int make_rule(struct run *run, struct table *t, const struct chain *c, struct rule **ret)
{
	_cleanup_(rule_freep) struct rule *rule = NULL;
	struct xt_place place = { .rs = run->rs, .table = t, .chain = c };
	int r = check_place(run, c);

	if (!r)
		r = check_jump(run, t, c);
	if (!r)
		r = xt_to_rule(&run->c->rule, &place, &rule, run->d);
	if (r)
		return r;
	if (!rule_validate(t, c, rule, run->d)) {
		/* its advice speaks nftables */
		run->d->hint[0] = '\0';
		return IPTABLES_E_DIAG;
	}
	*ret = TAKE_PTR(rule);
	return 0;
}

/* The rule of the n-th combination of addresses. */
static int next_rule(struct run *run, struct table *t, const struct chain *c, size_t n,
		     struct rule **ret, bool *ret_more)
{
	int r = command_addresses(run->c, n, ret_more, run->d);

	return r ? r : make_rule(run, t, c, ret);
}

/* -v names what was done. */
static void say_rule(struct run *run)
{
	if (run->c->format.verbose)
		xt_list_line(&run->c->rule, run->out);
}

static void say_chain(struct run *run, const char *what, const char *chain)
{
	if (run->c->format.verbose)
		strbuf_printf(run->out, "%s chain `%s'\n", what, chain);
}

static int insert_rules(struct run *run, struct table *t, struct chain *c, size_t index,
			size_t step)
{
	bool more = true;

	for (size_t n = 0; more; n++) {
		_cleanup_(rule_freep) struct rule *rule = NULL;
		int r = next_rule(run, t, c, n, &rule, &more);

		if (!r)
			r = chain_insert_rule(run->rs, c, index + n * step, rule);
		if (r)
			return r;
		rule = NULL;
		say_rule(run);
	}
	return 0;
}

static int run_append(struct run *run)
{
	struct table *t = NULL;
	struct chain *c;
	int r = run_chain(run, &t, &c);

	return r ? r : insert_rules(run, t, c, c->n_rules, 1);
}

static int run_insert(struct run *run)
{
	size_t index = run->c->number ? run->c->number - 1 : 0;
	struct table *t = NULL;
	struct chain *c;
	int r = run_chain(run, &t, &c);

	if (r)
		return r;
	if (index > c->n_rules)
		return no_match(run->d, "Index of insertion too big.");
	/* several addresses: each is inserted in front of the one before */
	return insert_rules(run, t, c, index, 0);
}

static int run_replace(struct run *run)
{
	_cleanup_(rule_freep) struct rule *rule = NULL;
	struct table *t = NULL;
	struct chain *c;
	bool more;
	int r = run_chain(run, &t, &c);

	if (r)
		return r;
	r = next_rule(run, t, c, 0, &rule, &more);
	if (r)
		return r;
	if (more)
		return xt_usage(run->d, "replacement rule does not specify a unique address");
	if (run->c->number > c->n_rules)
		return no_match(run->d, "Index of replacement too big.");
	r = chain_insert_rule(run->rs, c, run->c->number, rule);
	if (r)
		return r;
	rule = NULL;
	chain_delete_rule(c, run->c->number - 1);
	say_rule(run);
	return 0;
}

/* The first rule that prints the same. */
static int find_same(struct run *run, const struct chain *c, const struct rule *like, size_t *ret)
{
	struct strbuf want = {}, have = {};
	bool found = false;
	int r = 0;

	view_rule_text(like, run->c->version, false, &want);
	for (size_t i = 0; !found && i < c->n_rules; i++) {
		strbuf_deinit(&have);
		found = view_rule_text(c->rules[i], run->c->version, false, &have) &&
			!strcmp(have.len ? have.s : "", want.len ? want.s : "");
		if (found)
			*ret = i;
	}
	if (want.failed || have.failed)
		r = -ENOMEM;
	else if (!found)
		r = no_match(run->d, "Bad rule (does a matching rule exist in that chain?).");
	strbuf_deinit(&want);
	strbuf_deinit(&have);
	return r;
}

static int find_rules(struct run *run, struct table *t, struct chain *c, bool delete)
{
	bool more = true;

	for (size_t n = 0; more; n++) {
		_cleanup_(rule_freep) struct rule *like = NULL;
		size_t index = 0;
		int r = command_addresses(run->c, n, &more, run->d);

		if (!r)
			r = xt_to_rule(&run->c->rule, NULL, &like, run->d);
		if (!r)
			r = find_same(run, c, like, &index);
		if (r)
			return r;
		say_rule(run);
		if (delete)
			chain_delete_rule(c, index);
	}
	return 0;
}

static int run_delete(struct run *run)
{
	struct table *t = NULL;
	struct chain *c;
	int r = run_chain(run, &t, &c);

	if (r)
		return r;
	if (!run->c->number)
		return find_rules(run, t, c, true);
	if (run->c->number > c->n_rules)
		return no_match(run->d, "Index of deletion too big.");
	chain_delete_rule(c, run->c->number - 1);
	return 0;
}

static struct table *used_table(const struct run *run)
{
	return ruleset_table(run->rs, view_family(run->c->version), run->table->name);
}

static int run_check(struct run *run)
{
	struct table *t = used_table(run);
	struct chain *c = t ? table_chain(t, run->c->chain) : NULL;

	if (!c)
		return no_match(run->d, "Bad rule (does a matching rule exist in that chain?).");
	return find_rules(run, t, c, false);
}

void rule_zero(struct rule *r)
{
	r->pkts = r->bytes = 0;
	r->counter_given = true;
}

static void chain_zero_policy(struct chain *c)
{
	c->pkts = c->bytes = 0;
	c->counter_given = true;
}

void chain_zero(struct chain *c)
{
	chain_zero_policy(c);
	for (size_t i = 0; i < c->n_rules; i++)
		rule_zero(c->rules[i]);
}

/* All chains of the table that iptables shows, or the one that was named. */
static int each_chain(struct run *run, const char *what, void (*fn)(struct chain *))
{
	struct table *t = used_table(run);
	bool found = !run->c->chain || view_is_builtin(run->table, run->c->chain);

	for (size_t i = 0; t && i < t->n_chains; i++) {
		struct chain *c = t->chains[i];

		if (c->base && !view_is_builtin(run->table, c->name))
			continue;
		if (run->c->chain && strcmp(run->c->chain, c->name))
			continue;
		found = true;
		say_chain(run, what, c->name);
		fn(c);
	}
	return found ? 0 : refuse_no_chain(run->d);
}

static int run_flush(struct run *run)
{
	return each_chain(run, "Flushing", chain_flush);
}

static int run_zero(struct run *run)
{
	struct table *t = used_table(run);
	struct chain *c = t && run->c->number ? table_chain(t, run->c->chain) : NULL;

	if (!run->c->number)
		return each_chain(run, "Zeroing", chain_zero);
	if (!c || run->c->number > c->n_rules)
		return no_match(run->d, "Index of counter too big.");
	rule_zero(c->rules[run->c->number - 1]);
	return 0;
}

static int run_new_chain(struct run *run)
{
	struct table *t = NULL;
	struct chain *c;
	int r = run_table(run, &t);

	if (r < 0)
		return r;
	r = table_add_chain(run->rs, t, run->c->chain, &c);
	return r == -EEXIST ? no_match(run->d, "Chain already exists.") : r;
}

static int run_delete_chain(struct run *run)
{
	struct table *t = used_table(run);
	bool found = !run->c->chain;

	for (size_t i = t ? t->n_chains : 0; i-- > 0;) {
		struct chain *c = t->chains[i];

		if (c->base || (run->c->chain && strcmp(run->c->chain, c->name)))
			continue;
		if (table_uses_chain(t, c->name))
			return no_match(run->d, "Too many links.");
		if (c->n_rules)
			return no_match(run->d, "Directory not empty.");
		found = true;
		say_chain(run, "Deleting", c->name);
		table_delete_chain(t, c);
	}
	return found ? 0 : refuse_no_chain(run->d);
}

/* A rule that jumps to the chain says its name in iptables' words, too. */
static int rename_target(struct rule *r, const char *from, const char *to, int version)
{
	struct strbuf text = {};
	struct xt_rule x;
	char *spec;

	if ((r->action.verdict != VERDICT_JUMP && r->action.verdict != VERDICT_GOTO) ||
	    strcmp(r->action.chain, from))
		return 0;
	if (r->xtspec && view_rule(r, version, &x)) {
		snprintf(x.target.chain, sizeof(x.target.chain), "%s", to);
		xt_save(&x, false, &text);
		spec = text.failed ? NULL : strdup(text.s + 1);
		strbuf_deinit(&text);
		if (!spec)
			return -ENOMEM;
		free(r->xtspec);
		r->xtspec = spec;
	}
	snprintf(r->action.chain, sizeof(r->action.chain), "%s", to);
	return 0;
}

static int run_rename_chain(struct run *run)
{
	struct table *t = used_table(run);
	struct chain *c = t ? table_chain(t, run->c->chain) : NULL;
	int r = 0;

	if (!c || c->base)
		return refuse_no_chain(run->d);
	if (table_chain(t, run->c->arg) || view_is_builtin(run->table, run->c->arg))
		return no_match(run->d, "File exists.");
	for (size_t i = 0; i < t->n_chains; i++)
		for (size_t k = 0; !r && k < t->chains[i]->n_rules; k++)
			r = rename_target(t->chains[i]->rules[k], c->name, run->c->arg,
					  run->c->version);
	if (!r)
		snprintf(c->name, sizeof(c->name), "%s", run->c->arg);
	return r;
}

static int run_policy(struct run *run)
{
	bool drop = !strcmp(run->c->arg, "DROP");
	struct table *t = NULL;
	struct chain *c;
	int r;

	if (!view_is_builtin(run->table, run->c->chain))
		return no_match(run->d, "Bad built-in chain name.");
	if (!drop && strcmp(run->c->arg, "ACCEPT"))
		return no_match(run->d, "Bad policy name.");
	r = run_chain(run, &t, &c);
	if (r)
		return r;
	c->policy_drop = drop;
	chain_zero_policy(c);
	return 0;
}

static int run_version(struct run *run)
{
	strbuf_printf(run->out, "ip%stables v1.8.9 (gatewarden %s)\n",
		      run->c->version == 6 ? "6" : "", GW_VERSION);
	return 0;
}

static int run_help(struct run *run)
{
	strbuf_puts(
		run->out,
		"ip[6]tables [-t raw|mangle|nat|filter|security] COMMAND\n"
		"  -A|-C|-D CHAIN RULE     append, check, delete\n"
		"  -I CHAIN [NUM] RULE     insert          -R CHAIN NUM RULE  replace\n"
		"  -D CHAIN NUM            delete          -P CHAIN ACCEPT|DROP\n"
		"  -L|-S [CHAIN [NUM]]     list (-n -v -x --line-numbers), print\n"
		"  -F|-Z [CHAIN]           flush, zero     -N|-X|-E CHAIN ... user chains\n"
		"RULE: [!] -s -d ADDRESS[/MASK][,...]  [!] -p PROTOCOL  [!] -i -o INTERFACE[+]  "
		"[!] -f\n"
		"  -m addrtype comment connlimit connmark conntrack dscp hashlimit hl icmp icmp6\n"
		"     iprange length limit mac mark multiport pkttype recent set state statistic\n"
		"     tcp ttl udp\n"
		"  -j ACCEPT CONNMARK CT DNAT DROP DSCP HL LOG MARK MASQUERADE NETMAP NFLOG "
		"NOTRACK\n"
		"     REDIRECT REJECT RETURN SNAT TCPMSS TTL CHAIN  -g CHAIN\n"
		"Their options are those of iptables-extensions(8).\n");
	return 0;
}

static const struct {
	char key;
	bool changes;
	int (*run)(struct run *run);
} rows[] = {
	{ 'A', true, run_append },	 { 'I', true, run_insert },
	{ 'R', true, run_replace },	 { 'D', true, run_delete },
	{ 'C', false, run_check },	 { 'L', false, run_list },
	{ 'S', false, run_list_rules },	 { 'F', true, run_flush },
	{ 'Z', true, run_zero },	 { 'N', true, run_new_chain },
	{ 'X', true, run_delete_chain }, { 'E', true, run_rename_chain },
	{ 'P', true, run_policy },	 { 'V', false, run_version },
	{ 'h', false, run_help },
};

int command_run(struct run *run)
{
	int r = 0;

	run->table = view_table_find(run->c->table);
	if (!run->table)
		return xt_usage(run->d, "table `%.64s' does not exist", run->c->table);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].key != run->c->key)
			continue;
		r = rows[i].run(run);
		run->changed |= rows[i].changes;
	}
	if (!r && run->c->zero) {
		r = run_zero(run);
		run->changed = true;
	}
	return r;
}

int iptables_run(struct ruleset *rs, int version, int argc, char **argv, struct strbuf *out,
		 bool *ret_changed, struct diag *d)
{
	struct command c = { .version = version };
	struct run run = { .rs = rs, .c = &c, .out = out, .d = d };
	int r = command_parse(&c, argc, argv, d);

	if (!r)
		r = command_run(&run);
	if (!r && run.changed)
		own_sweep(rs, version);
	if (r)
		return run_say(d, r, "ip%stables: ", version == 6 ? "6" : "");
	if (out->failed)
		return -ENOMEM;
	*ret_changed = run.changed;
	return 0;
}
