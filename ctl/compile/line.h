/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_LINE_H
#define COMPILE_LINE_H
/*
 * line - the growing image: rule lines as <gw/rule.h> states them.
 */
#include <compile/dim.h>

struct lines {
	uint8_t *bytes;
	size_t n, cap; /* lines */
};
/* What a rule does once it matches; `next` is filled in when the place it points to is known. */
struct line_action {
	uint8_t verdict; /* GW_V_* */
	uint8_t flags;	 /* GW_RULE_POLICY */
	uint32_t cid;
	uint32_t arg;
	const struct gw_nat *nat; /* GW_V_NAT */
};

void lines_deinit(struct lines *l);
/* n zeroed lines at the end. */
int lines_reserve(struct lines *l, size_t n);
void *line_at(const struct lines *l, size_t index);
/* One rule line (with its ADDR6 and ACT lines) per combination of d; all but the last copy get GW_RULE_MORE if they go on. */
int lines_add(struct lines *l, int version, const struct dims *d, const struct line_action *a);
/* The lines first.. are one rule: those that go behind it now know where that is. */
void lines_close_rule(struct lines *l, size_t first);
/* The lines first..end are one chain: those that leave it go to line `next`. */
void lines_close_chain(struct lines *l, size_t first, size_t end, uint32_t next);
#endif
