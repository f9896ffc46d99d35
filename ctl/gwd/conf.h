/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_CONF_H
#define GWD_CONF_H
/* conf - the settings that the data plane reads, in its own units. */
#include <gwd/gwd.h>

/* All settings, and the governor's pressure as it stands in conf. */
int conf_apply(struct gwd *g);
/* Follow a wall clock that was set. */
void conf_wall_clock(struct gwd *g);
/* So much pressure and no more: a connection that carried something lately is never taken. */
uint32_t conf_pressure_max(const struct settings *s);
#endif
