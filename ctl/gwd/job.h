/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_JOB_H
#define GWD_JOB_H
/*
 * job - a forked child that answers one request.
 *
 * It has gwd's state as it was at the fork, and the maps; it writes to the client at the client's pace.  So a listing of a million
 * connections needs no buffer and a slow reader holds nobody up.
 */
#include <gwd/request.h>

/* REQUEST_STREAM when the job runs; otherwise the error was sent and this is the code. */
int job_start(struct gwd *g, struct client *c, const struct verb *verb, json_t *req,
	      struct reply *r);
/* In any child: let go of what must not outlive or disturb gwd, all clients but c (may be NULL) included. */
void job_detach(struct gwd *g, struct client *c);
#endif
