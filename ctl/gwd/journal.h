/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_JOURNAL_H
#define GWD_JOURNAL_H
/*
 * journal - what changed since the state file was written, one record for each generation: RUNTIME_DIR/state.journal.
 *
 * A record is written (and synced) before its change is put in force, as the state file is.  The next gwd replays those up to the
 * generation that the kernel has; what stands behind them never came into force.  The journal ends with the state file that follows, which
 * is written in the background when the journal has grown.
 */
#include <gwd/gwd.h>

enum journal_kind {
	JOURNAL_SAME,	/* the same model, compiled again */
	JOURNAL_ADD,	/* text: "INDEX CID ID,ID,. COMMAND", see single.c */
	JOURNAL_DELETE, /* text: the rule's handle */
	JOURNAL_TEXT	/* a whole request with the numbers it led to, see replay.c */
};

struct journal;
struct journal *journal_new(void);
struct journal *journal_free(struct journal *j);
DEFINE_FREEP(journal)

int journal_append(struct gwd *g, uint32_t gen, enum journal_kind kind, const char *text,
		   size_t len);
/* One text in parts, at most JOURNAL_PARTS; all but the last are of multiples of 4 bytes. */
#define JOURNAL_PARTS 4
struct iovec;
int journal_append_parts(struct gwd *g, uint32_t gen, enum journal_kind kind,
			 const struct iovec *parts, size_t n);
/* The last record's change did not happen. */
void journal_undo(struct gwd *g);
/* A new state file holds everything. */
void journal_reset(struct gwd *g);

/* Call fn for each record behind generation `from` and up to `to`; JOURNAL_E_BROKEN: it does not lead there. */
enum { JOURNAL_E_BROKEN = 1 };
struct journal_record {
	uint32_t before, gen; /* generations */
	enum journal_kind kind;
	const char *body;
	size_t len;
};
typedef int (*journal_fn)(const struct journal_record *rec, void *arg);
int journal_replay(const struct gwd *g, uint32_t from, uint32_t to, journal_fn fn, void *arg);

/* Write a new state file in the background if the journal is long, or what it does not hold has changed; called when there is time. */
void journal_compact(struct gwd *g);
/* Elements that users put into dynamic sets: the kernel has them, the state file only follows. */
void journal_note_elements(struct gwd *g);
/* gwd ends: nothing may wait any more. */
void journal_finish(struct gwd *g);
#endif
