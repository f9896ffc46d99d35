/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHOW_CTARGS_H
#define SHOW_CTARGS_H
/*
 * ctargs - the command line of conntrack(8) 1.4.7 as a value.  Pure, but for getopt's own state.
 *
 * Options, abbreviations, what may stand with which command, and the texts of the refusals are conntrack's.  Stricter
 * on purpose: ports, marks, zones and ids that are no numbers are refused, where conntrack reads them as 0.
 */
#include <base/diag.h>
#include <wire/wire.h>

enum ct_command {
	CT_NONE,
	CT_LIST,
	CT_GET,
	CT_DELETE,
	CT_EVENT,
	CT_FLUSH,
	CT_COUNT,
	CT_STATS,
	CT_HELP,
	CT_VERSION,
};
enum ct_table { CT_TABLE_CONNTRACK, CT_TABLE_EXPECT, CT_TABLE_DYING, CT_TABLE_UNCONFIRMED };

struct ctargs {
	enum ct_command command;
	enum ct_table table;
	unsigned int show; /* SHOW_* */
	bool json;
	bool has_nat_addr; /* -j ADDRESS: translated from or to it; not expressible in a flow_filter */
	int nat_family;	   /* 4 or 6 */
	uint8_t nat_addr[16];
	struct flow_filter filter;
};

enum { CTARGS_E_USAGE = 1 };

/* argv[0] is the program's name; argv may be reordered.  CTARGS_E_USAGE: *d has conntrack's text, *ret is undefined. */
int ctargs_parse(int argc, char **argv, struct ctargs *ret, struct diag *d);
/* -j ADDRESS: does the connection pass? */
bool ctargs_match_nat(const struct ctargs *args, const struct gw_event *ev);
extern const char ctargs_help[];

/* "ADDRESS[/LENGTH]" into f->addr[which]; 0 or CTARGS_E_USAGE with conntrack's text.  (The native form uses it too.) */
int ctargs_address(struct flow_filter *f, int which, const char *text, struct diag *d);
/* "MARK[/MASK]" */
int ctargs_mark(struct flow_filter *f, const char *text, struct diag *d);
#endif
