/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_STATE_H
#define GWD_STATE_H
/*
 * state - what gwd keeps in its runtime directory: the lock and the model of the ruleset in force.
 *
 * The model is written as state.nft.next before an image is swapped in and renamed to state.nft afterwards; its first line names the
 * generation.  Smaller changes go into the journal (journal.h).  Whatever moment gwd dies at, one of the two files, or state.nft and the
 * journal, lead to the generation that the kernel's image has.
 */
#include <gwd/gwd.h>

enum { STATE_E_MISSING = 1, STATE_E_LOCKED };

/* Make the directory if it is missing; refuse one that others could have prepared. */
int state_dir_open(const char *dir);
/* 0 and *ret_fd, or STATE_E_LOCKED (said) when another gwd serves this directory. */
int state_lock(const char *dir, int *ret_fd);

int state_prepare(struct gwd *g, const struct ruleset *rs, uint32_t gen);
void state_discard(const struct gwd *g); /* the swap failed */
void state_commit(struct gwd *g);	 /* the swap happened */
/* The model of generation gen, or STATE_E_MISSING. */
int state_load(const struct gwd *g, uint32_t gen, struct ruleset **ret_rs);
/* A child writes the model it has as state.nft.fold; gwd takes it for state.nft. */
int state_write_compacted(const struct gwd *g);
int state_take_compacted(const struct gwd *g);
void state_remove(const struct gwd *g);
#endif
