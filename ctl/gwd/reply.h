/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_REPLY_H
#define GWD_REPLY_H
/*
 * reply - where a verb's answer goes: into the client's queue, or, in a job, straight to the socket.
 *
 * Failure (the reader is gone, no memory) is remembered; verbs may stop early when `failed` is set.
 */
#include <base/diag.h>
#include <jansson.h>
#include <wire/wire.h>

struct client;
struct reply {
	struct client *client; /* queue; or NULL and */
	int fd;		       /* blocking, for jobs and for those who never become clients */
	bool failed;
	size_t n_flows;
	struct gw_event flows[256];
};

void reply_frame(struct reply *r, enum wire_type type, const void *data, size_t len);
void reply_text(struct reply *r, const char *text, size_t len); /* cut into frames */
void reply_json(struct reply *r, json_t *value); /* steals value; NULL = out of memory */
void reply_flow(struct reply *r, const struct gw_event *ev); /* batched until reply_end */
void reply_error(struct reply *r, const char *fmt, ...) _printf_(2, 3);
/* extra (stolen, may be NULL) is an object whose keys join the error. */
void reply_diag(struct reply *r, const struct diag *d, json_t *extra);
void reply_end(struct reply *r, int code);
#endif
