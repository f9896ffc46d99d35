/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_SAY_H
#define GWD_SAY_H
/* say - a diagnostic where the operator looks: the terminal of `--check`, or the log. */
#include <base/diag.h>

void say_diag(const struct diag *d);
/* One log line per line; a log line holds no tabs. */
void say_diag_log(const struct diag *d);
#endif
