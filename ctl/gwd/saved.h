/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_SAVED_H
#define GWD_SAVED_H
/*
 * saved - what `set` changed outlives gwd, in RUNTIME_DIR/settings; gwd.conf belongs to the operator and is not written.
 *
 * Each row also has what was configured when it was set.  Where the configuration says something else by the next start, it is the newer
 * word and wins.
 */
#include <gwd/gwd.h>

void saved_restore(struct gwd *g);
/* All live settings that are not as configured; -errno: said. */
int saved_write(const struct gwd *g);
#endif
