/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_EVENTS_H
#define GWD_EVENTS_H
/*
 * events - from the kernel's ring to everybody who listens.
 *
 * A reader that is too slow is never cut off: what does not fit its queue is counted, and the count reaches it as a GW_EVENT_LOST as soon as
 * there is room.  Who asked for it gets a snapshot first, and after each loss.
 */
#include <gwd/gwd.h>
#include <wire/wire.h>

struct client;
struct subscription;

int events_start(struct gwd *g);
struct events *events_free(struct events *e);
DEFINE_FREEP(events)
uint64_t events_lost(const struct events *e); /* by the ring, since start */

int events_subscribe(struct gwd *g, struct client *c, const struct flow_filter *f, bool resync,
		     struct subscription **ret);
void events_unsubscribe(struct gwd *g, struct subscription *s);
/* n connections ended and no event said so: for those who listen, that is a loss. */
void events_vanished(struct gwd *g, uint64_t n);
/* The client's queue has room again. */
void events_drained(struct subscription *s);
#endif
