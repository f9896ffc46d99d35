/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_FLOWLIST_H
#define GWD_FLOWLIST_H
/* flowlist - connections that were picked from the tables; a table is not changed while it is walked. */
#include <gwd/gwd.h>

/* Counter ids become handles: before anybody outside of gwd sees it, and before a filter is asked. */
void flow_dress(const struct gwd *g, struct gw_event *ev);

struct flowlist {
	struct gw_event *list;
	size_t n, cap;
};
typedef bool (*flow_pick_fn)(const struct gw_event *ev, void *arg);
int flowlist_collect(struct flowlist *l, struct gwd *g, flow_pick_fn pick, void *arg);
void flowlist_deinit(struct flowlist *l);
#endif
