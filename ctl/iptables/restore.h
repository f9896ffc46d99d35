/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_RESTORE_H
#define IPTABLES_RESTORE_H
/*
 * restore - the lines of a dump, one by one: *TABLE, :CHAIN POLICY [COUNTERS], commands, COMMIT.
 */
#include <iptables/view.h>

struct restorer {
	struct ruleset *rs;
	int version;
	bool keep;			/* -n: tables are not emptied first */
	bool counters;			/* -c */
	bool test;			/* -t: nothing changes */
	const char *only;		/* -T */
	const struct view_table *table; /* between *table and COMMIT */
	bool skipping;			/* the table is not the one of -T */
	struct diag *d;
};
/* 0 or IPTABLES_E_*, < 0 = -errno */
int restore_line(struct restorer *s, const char *line, size_t len);
#endif
