/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_ABLE_H
#define GWD_ABLE_H
/*
 * able - what this kernel can not do of a ruleset that another can.  Pure.
 */
#include <model/model.h>

bool able_rule(const struct rule *r, bool fib_mark);
/* false: *d names the rule and what the kernel lacks. */
bool able_ruleset(const struct ruleset *rs, bool fib_mark, struct diag *d);
#endif
