/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_REPLAY_H
#define GWD_REPLAY_H
/*
 * replay - from the journal's records back to the model: the same steps as when they were made, with the numbers they led to.
 */
#include <gwd/journal.h>
#include <gwd/txn.h>

/* Write the record of a request that leads to `next` as the next generation. */
int replay_record_text(struct gwd *g, const struct txn_request *req, const struct ruleset *next);
/* Lead a model from generation `from` to generation `to`; > 0: the journal does not lead there. *rs may become another one. */
int replay(const struct gwd *g, struct ruleset **rs, uint32_t from, uint32_t to);
#endif
