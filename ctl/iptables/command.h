/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_COMMAND_H
#define IPTABLES_COMMAND_H
/*
 * command - carry out a parsed command on the model.
 */
#include <iptables/parse.h>
#include <iptables/view.h>

struct run {
	struct ruleset *rs;
	struct command *c;
	const struct view_table *table;
	struct strbuf *out;
	struct diag *d;
	bool changed;
};
/* 0 or IPTABLES_E_*, < 0 = -errno. */
int command_run(struct run *run);
/* -L and -S; list.c */
int run_list(struct run *run);
int run_list_rules(struct run *run);

/* The table with its built-in chains, made if need be. */
int run_table(struct run *run, struct table **ret);
void chain_zero(struct chain *c);
void rule_zero(struct rule *r);
int refuse_no_chain(struct diag *d);
/* Put the program's name in front of what went wrong. */
int run_say(struct diag *d, int r, const char *fmt, ...) _printf_(3, 4);
#endif
