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
	CT_CREATE,
	CT_ADD,
	CT_UPDATE,
	CT_HELP,
	CT_VERSION,
};
enum ct_table { CT_TABLE_CONNTRACK, CT_TABLE_EXPECT, CT_TABLE_DYING, CT_TABLE_UNCONFIRMED };

/* What -I gives a connection and -U changes of it. */
struct ct_change {
	bool has_mark, has_timeout, has_state;
	uint32_t mark, mark_mask, timeout, state;
	uint32_t status; /* GW_FLOW_SEEN_REPLY, GW_FLOW_ASSURED; 0 = not given */
};

struct ctargs {
	enum ct_command command;
	enum ct_table table;
	unsigned int show; /* SHOW_* */
	bool json, proc, save, xml;
	bool resync; /* -E */
	struct flow_filter filter;
	struct ct_change change;
	struct gw_event flow; /* -I, -A: family, proto, zone, tuple */
};

enum { CTARGS_E_USAGE = 1, CTARGS_E_REFUSED };

/*
 * argv[0] is the program's name; argv may be reordered.  CTARGS_E_USAGE, and CTARGS_E_REFUSED where conntrack finds out later and does not
 * point to its help: *d has conntrack's text, *ret is undefined.
 */
int ctargs_parse(int argc, char **argv, struct ctargs *ret, struct diag *d);
extern const char ctargs_help[];

/* "ADDRESS[/LENGTH]" into f->addr[which]; 0 or CTARGS_E_USAGE with conntrack's text.  (The native form uses it too.) */
int ctargs_address(struct flow_filter *f, int which, const char *text, struct diag *d);
/* "MARK[/MASK]" */
int ctargs_mark(struct flow_filter *f, const char *text, struct diag *d);
#endif
