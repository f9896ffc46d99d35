/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_SETS_H
#define GWD_SETS_H
/*
 * sets - elements that come and go without a new image.
 *
 * The elements of a set with `flags dynamic` or `timeout` (and not `interval`) live in the kernel's gw_dynset, where packets add, refresh and
 * delete them, too.  The model of the ruleset in force holds only those that users put there; sets_fill() shows what is really there.
 * The elements of interval sets live in the image.  Where they have timeouts the model holds the deadline (expires_ms, ms of
 * CLOCK_BOOTTIME), and gwd compiles anew when one has passed.
 */
#include <base/diag.h>
#include <gwd/gwd.h>

bool set_lives_in_map(const struct set *s);

/* The elements of dynamic sets as they were when they were read. */
struct sets_seen;
struct sets_seen *sets_seen_free(struct sets_seen *s);
DEFINE_FREEP(sets_seen)
/* Give a copy of the model in force the elements that the kernel has in its dynamic sets; *ret_seen may be NULL. */
int sets_fill(struct gwd *g, struct ruleset *rs, struct sets_seen **ret_seen);
/* Likewise for people: deadlines become the time that is left. */
int sets_show(struct gwd *g, struct ruleset *rs);

/* What a new model means for the kernel's elements. */
struct sets_change;
struct sets_change *sets_change_free(struct sets_change *c);
DEFINE_FREEP(sets_change)
/*
 * seen: the model that was changed had been filled, and elements that it had and next has not were deleted; NULL: next was made without
 * looking at them, and only what users had put there and is missing now goes.  Afterwards next is what the model in force shall be.
 */
int sets_plan(struct gwd *g, struct ruleset *next, const struct sets_seen *seen,
	      struct sets_change **ret);
/* For elements of one set alone; > 0: one to delete is not there. */
int sets_plan_elements(struct gwd *g, const struct set *s, const struct elems *elems, bool delete,
		       struct sets_change **ret);
/* In the model: users put these there or took them away. */
void sets_note_elements(struct set *s, const struct elems *elems, bool delete);
/* Are there sets whose elements the kernel has?  Elements in the image whose time runs? */
bool sets_are_dynamic(const struct ruleset *rs);
bool sets_have_deadlines(const struct ruleset *rs);
void sets_full_diag(const struct gwd *g, struct diag *d);
/* Put what is new; SETS_E_FULL: no room.  On any failure nothing was changed. */
enum { SETS_E_FULL = 1 };
int sets_begin(struct gwd *g, struct sets_change *c);
void sets_abort(struct gwd *g, struct sets_change *c);
/* Delete what is over. */
void sets_commit(struct gwd *g, struct sets_change *c);

/* Forget what has expired; called every second. *ret_stale: elements in the image expired, it must be compiled anew. */
void sets_tick(struct gwd *g, bool *ret_stale);
#endif
