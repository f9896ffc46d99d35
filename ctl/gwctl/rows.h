/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWCTL_ROWS_H
#define GWCTL_ROWS_H
/* rows - prints connections and events as they arrive; shared by `conntrack' and `flow'. */
#include <gwctl/gwctl.h>
#include <show/ctargs.h>
#include <show/show.h>

struct rows {
	unsigned int show; /* SHOW_* */
	bool events, proc, json, color, save, xml;
	bool resync; /* events: with snapshots */
	bool quiet;  /* only count */
	unsigned int portid;
	unsigned long count;
	struct strbuf b;
};
void rows_deinit(struct rows *rows);
/* Request and print until the end, for events until SIGINT or SIGTERM.  Sets rows->count. */
int rows_run(struct gwctl *g, struct rows *rows, const char *verb,
	     const struct flow_filter *filter);
/* Likewise; the request (stolen) gets the filter. */
int rows_request(struct gwctl *g, struct rows *rows, json_t *request,
		 const struct flow_filter *filter);
#endif
