/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_PORTS_H
#define GWD_PORTS_H
/*
 * ports - say that translations find no free port; at most once a second (RFC 6888 REQ-4, REQ-5 want the administrator to know).
 */
#include <gwd/gwd.h>

/* At each tick of the expiry, which is a second at least. */
void ports_tick(struct gwd *g);
#endif
