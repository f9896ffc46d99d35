/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_SINGLE_H
#define GWD_SINGLE_H
/*
 * single - one rule added or deleted, elements added to or deleted from a dynamic set: done in the model and in the image in force, without a
 * look at the other rules.  Whatever is not exactly that takes the long way (txn.h), and so does every mistake: its message is made there.
 */
#include <gwd/gwd.h>
#include <gwd/txn.h>

enum { SINGLE_E_OTHER = 100 }; /* not for here: nothing was changed */
/* 0, SINGLE_E_OTHER, or as txn_apply(). */
int single_apply(struct gwd *g, const struct txn_request *req, struct lang_changes *ret_changes,
		 struct diag *d);
/* Lead a model from generation `from` to generation `to` by the journal; > 0: it does not lead there. */
int single_replay(const struct gwd *g, struct ruleset *rs, uint32_t from, uint32_t to);
/* When nothing changed for a while: fold what was changed in place into the index, and the journal into the state file. */
void single_fold(struct gwd *g);
#endif
