/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_CONF_H
#define GWD_CONF_H
/* conf - the settings that the data plane reads, in its own units. */
#include <gwd/gwd.h>

int conf_apply(struct gwd *g);
#endif
