/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_LOOP_H
#define GWD_LOOP_H
/* loop - what wakes gwd: signals, the watchdog, and changes of the network. */
#include <gwd/gwd.h>

/* The event loop with signals; before anything is put into it. */
int loop_open(struct gwd *g);
/* Follow the network: interfaces, addresses, routes. Before the first ifs_read(), so that nothing is missed. */
int loop_watch_network(struct gwd *g);
/* Tell the service manager, then serve until a signal or `off`. */
int loop_run(struct gwd *g);
void loop_close(struct gwd *g);
#endif
