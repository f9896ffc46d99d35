/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHOW_MATCH_H
#define SHOW_MATCH_H
/* match - the native words for "which connections": `tcp dport 443 src 10.0.0.0/24 assured`. */
#include <base/diag.h>
#include <wire/wire.h>

enum { MATCH_E_USAGE = 1 };
/* All words or nothing: MATCH_E_USAGE with *d filled for a word that is not understood. */
int match_parse(int argc, char **argv, struct flow_filter *ret, struct diag *d);
extern const char match_help[];
#endif
