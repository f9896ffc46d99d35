/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_PARSE_H
#define IPTABLES_PARSE_H
/*
 * parse - a command line -> what to do (struct command) and with which rule (struct xt_rule).
 */
#include <iptables/spec.h>

struct command {
	int version;
	bool in_restore; /* a line of iptables-restore: -t is not allowed, lines of the other family are skipped */
	char key;	   /* 'A', 'I', ... 0 = none */
	const char *table; /* "filter" unless given */
	const char *chain; /* or NULL: all */
	const char *arg;   /* -P: the policy, -E: the new name */
	uint32_t number;   /* rule number, 0 = none */
	bool zero;	   /* -Z beside -L or -S */
	bool other_family; /* -4/-6 named the other one */
	struct xt_list_format format;
	bool has_spec;			    /* an option that describes a rule was there */
	char spec_option[64];		    /* the first of them, for messages */
	const char *sources, *destinations; /* comma lists, or NULL */
	struct xt_rule rule;		    /* addresses are filled in by command_addresses() */
};

/* 0 or IPTABLES_E_*; the strings stay argv's. */
int command_parse(struct command *c, int argc, char **argv, struct diag *d);
/* The n-th combination of the address lists into c->rule; *ret_more = there is another one. */
int command_addresses(struct command *c, size_t n, bool *ret_more, struct diag *d);
/* A rule's text as xt_save() printed it. */
int xt_parse_spec(const char *text, int version, struct xt_rule *ret, struct diag *d);

bool addr_parse(const char *s, size_t len, int version, struct xt_addr *ret, struct diag *d);
#endif
