/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_TXN_H
#define GWD_TXN_H
/*
 * txn - a change of the ruleset, all or nothing: copy, change, check, compile, write the state file, swap, commit.
 *
 * Until the swap nothing has happened; after it nothing can fail any more.  A change of one rule or of elements of a dynamic set takes a
 * shorter way (single.h).
 */
#include <gwd/gwd.h>
#include <gwd/ids.h>
#include <lang/lang.h>

/* TXN_E_DIAG: the user's mistake, *d says which.  TXN_E_BASE: somebody else was faster, *d says so. */
enum { TXN_E_DIAG = 1, TXN_E_BASE };

struct txn_request {
	const char *file; /* for diagnostics */
	const char *text;
	size_t len;
	bool replace;  /* start from an empty ruleset */
	bool internal; /* the text carries handles and counter ids (LANG_INTERNAL) */
	bool check;    /* everything but the doing */
	bool has_base;
	uint32_t base; /* refuse unless this generation is in force */
};

struct txn_result {
	struct lang_changes changes;
	uint32_t gen; /* in force now */
};

int txn_apply(struct gwd *g, const struct txn_request *req, struct txn_result *ret, struct diag *d);
/* Replace the ruleset by the text of the ruleset file. */
int txn_apply_file(struct gwd *g, struct txn_result *ret, struct diag *d);
/* The same model again: for interfaces that came, went or were renamed, for elements that expired, to fold what was changed in place. */
int txn_recompile(struct gwd *g, struct diag *d);
/* The model g->rs, changed in its place, as the next generation: compile and swap; the state is the caller's. */
int txn_swap_model(struct gwd *g, struct diag *d);
/* The ruleset before is let go of when the answer has left; or now. */
void txn_forget_past(struct gwd *g);
void txn_full_diag(enum ids_space what, struct diag *d);
/* Does the ruleset name an interface that `name` matches? */
bool txn_names_interface(const struct ruleset *rs, const char *name);
/* Parse, validate and compile the text for no interface at all: `gwd --check`. */
int txn_check_text(const char *file, const char *text, size_t len, struct diag *d);
#endif
