/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_OPTIONS_H
#define GWD_OPTIONS_H
/* options - gwd's command line; what it says stands above the configuration file. */
#include <gwd/gwd.h>

enum { OPTIONS_E_DONE = 1, OPTIONS_E_USAGE, OPTIONS_E_DIAG };

struct options {
	struct gwd_paths path;
	struct settings cfg;
	bool check;
};
/* OPTIONS_E_DONE: help or version was printed.  The errors were printed too. */
int options_read(int argc, char **argv, struct options *ret);
#endif
