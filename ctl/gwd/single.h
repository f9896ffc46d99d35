/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_SINGLE_H
#define GWD_SINGLE_H
/*
 * single - one rule added or deleted, elements added to or deleted from a dynamic set: done in the model and in the image in force, without a
 * look at the other rules.  Whatever is not exactly that takes the long way (txn.h), and so does every mistake: its message is made there.
 */
#include <gwd/gwd.h>
#include <gwd/index.h>
#include <gwd/txn.h>

enum { SINGLE_E_OTHER = 100 }; /* not for here: nothing was changed */
/* 0, SINGLE_E_OTHER, or as txn_apply(). */
int single_apply(struct gwd *g, const struct txn_request *req, struct lang_changes *ret_changes,
		 struct diag *d);
/* The rule of a command that single_apply() took; *ret_at: its table and chain. NULL = it is none of those. */
struct rule *single_read_rule(struct ruleset *rs, const char *text, size_t len,
			      struct index_entry *ret_at);
size_t single_index_of(const struct chain *chain, const struct rule *r);
/* When nothing changed for a while: fold what was changed in place into the index, and the journal into the state file. */
void single_fold(struct gwd *g);
#endif
