/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_BUILD_H
#define LANG_BUILD_H
/* build - matches that nobody wrote, but that what was written means. */
#include <lang/parse.h>

/* values of `meta nfproto` (linux/netfilter.h) */
#define NFPROTO_4 2
#define NFPROTO_6 10

int rule_add_number(struct rule *r, enum field field, uint64_t v); /* FIELD == V, here */
/* In an inet table: from here on the rule is for this version of IP. */
int rule_pin_version(struct parser *p, struct rule *r, int version);
int rule_begin_version(struct parser *p, struct rule *r,
		       int version); /* ... from its beginning on */

#endif
