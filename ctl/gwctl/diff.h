/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWCTL_DIFF_H
#define GWCTL_DIFF_H
/* diff - which lines of a ruleset go and come, below the table and chain they belong to.  Pure. */
#include <base/base.h>

/* Appends "-line", "+line" and, for orientation, the unchanged lines that open blocks (" table ... {").  Nothing: equal. */
int diff_lines(const char *a, const char *b, struct strbuf *out); /* 0 or -ENOMEM */
#endif
