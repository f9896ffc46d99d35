/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_LOCALS_H
#define GWD_LOCALS_H
/*
 * locals - the gateway's own addresses and broadcast addresses, as a sorted list.
 */
#include <gwd/gwd.h>

struct local {
	uint8_t family; /* 4 or 6 */
	uint8_t addr[16];
	struct gw_local is;
};
struct locals {
	struct local *list;
	size_t n, cap;
};

int locals_collect(struct locals *l, const struct nl_state *nl);
void locals_deinit(struct locals *l);
bool locals_equal(const struct locals *a, const struct locals *b);
bool locals_has(const struct locals *l, int family, const void *addr); /* as GW_LOCAL_HOST */

/* Write what `want` has and `have` has not; then, separately, delete the rest. */
int locals_push_new(struct kern *k, const struct locals *have, const struct locals *want);
void locals_push_gone(struct kern *k, const struct locals *have, const struct locals *want);

/* RUNTIME_DIR/addresses: everything that may be in the maps, so that the next gwd can delete what is not true any more. */
int locals_save(const char *dir, const struct locals *a, const struct locals *b);
int locals_load(const char *dir, struct locals *ret);
#endif
