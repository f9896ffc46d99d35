/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_EXPIRE_H
#define GWD_EXPIRE_H
/*
 * expire - end what is due, and the governor: when the assured table fills, timeouts shrink until it does not.
 */
#include <gwd/gwd.h>

int expire_start(struct gwd *g);
#endif
