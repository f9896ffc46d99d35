/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_INDEX_H
#define GWD_INDEX_H
/*
 * index - the chains, rules and sets of the ruleset in force by handle, so that a change of one rule need not look at all of them.
 */
#include <model/model.h>

struct index_entry {
	uint64_t handle; /* 0 = free */
	struct table *table;
	struct chain *chain;
	struct rule *rule; /* NULL: the chain itself */
};
struct index;
/* Of all of rs; NULL = out of memory. */
struct index *index_new(const struct ruleset *rs);
struct index *index_free(struct index *ix);
DEFINE_FREEP(index)
const struct index_entry *index_find(const struct index *ix, uint64_t handle); /* or NULL */
int index_add(struct index *ix, const struct index_entry *e);
void index_remove(struct index *ix, uint64_t handle);
#endif
