/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_CLIENT_H
#define GWD_CLIENT_H
/*
 * client - the control socket and who is connected to it.
 *
 * One request of a client is worked on at a time: the next one is read when the answer has left.  Writing never blocks gwd; answers that
 * may be long are made by a job (job.h).
 */
#include <gwd/gwd.h>
#include <wire/wire.h>

struct client;
struct subscription;
struct server;

int server_open(struct gwd *g);
struct server *server_free(struct server *s); /* what is queued is sent if it fits the sockets */
DEFINE_FREEP(server)
int server_set_group(struct gwd *g); /* socket.group changed */
/* In a job: everything but this client's socket belongs to gwd. */
void server_close_others(struct server *s, const struct client *keep);

/* Append a frame to what waits for this client; 0 or -ENOMEM. */
int client_queue(struct client *c, enum wire_type type, const void *data, size_t len);
size_t client_queued(const struct client *c);
int client_fd(const struct client *c);
void client_close_when_sent(struct client *c);
void client_subscribe(struct client *c, struct subscription *s);
void client_listen_logs(struct client *c);
/* A job answers; nothing is read from or written to the client until client_job_done(). */
void client_job_started(struct client *c, struct sd_event_source *child);
void client_job_done(struct client *c, bool ok);
#endif
