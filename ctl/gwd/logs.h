/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_LOGS_H
#define GWD_LOGS_H
/*
 * logs - records of log statements: a line on stderr for each (the journal's, with the statement's level), and JSON for those who listen.
 */
#include <gwd/gwd.h>

struct client;
int logs_open(struct gwd *g);
struct logs *logs_free(struct logs *l);
DEFINE_FREEP(logs)
int logs_start(struct gwd *g); /* the timer */

/* What the statements of the ruleset in force say.  Those of earlier ones stay known: their records may be on the way. */
void logs_learn(struct gwd *g);
void logs_learn_rule(struct gwd *g, struct rule *r);

int logs_subscribe(struct gwd *g, struct client *c);
void logs_unsubscribe(struct gwd *g, struct client *c);
#endif
