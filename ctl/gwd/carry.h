/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_CARRY_H
#define GWD_CARRY_H
/*
 * carry - a ruleset that replaces another keeps what both have: handles, counters and spelling of equal rules.
 *
 * So a reload of an unchanged file changes nothing that anybody can see.
 */
#include <lang/lang.h>

/* Give tables, chains and rules of `next` the handles and counter ids of their equals in `old`. */
int carry_over(const struct ruleset *old, struct ruleset *next);
/* Sets and maps of the same name and type keep their handle: under it the kernel has their elements. */
void carry_sets(const struct ruleset *old, struct ruleset *next);
/* Objects of the same name that mean the same go on with the number they have; all others have none. `handles`: they keep that, too. */
void carry_objects(const struct ruleset *old, struct ruleset *next, bool handles);
/* What differs between the two, by handle. */
int carry_diff(const struct ruleset *old, const struct ruleset *next, struct lang_changes *ret);
/* 1 = *ret_handle occurs twice or is 0 (a text that carries its own handles may lie); 0 = all are fine. */
int carry_duplicate(const struct ruleset *rs, uint64_t *ret_handle);
#endif
