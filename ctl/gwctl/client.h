/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWCTL_CLIENT_H
#define GWCTL_CLIENT_H
/*
 * client - one connection to gwd's control socket.  Silent: negative results are errno for the caller to explain.
 *
 * Nothing that comes from the socket is trusted: a frame that is not ours, too long, or in the wrong shape is -EPROTO.
 */
#include <base/base.h>
#include <gw/abi.h>
#include <jansson.h>

struct client;

/* What a stream brings; the functions may return < 0 to end the request with that error. */
struct flow_sink {
	int (*row)(void *arg, const struct gw_event *ev);
	int (*batch)(void *arg); /* a frame's rows are done; may be NULL */
	int (*json)(void *arg,
		    const json_t *value); /* each WIRE_JSON, instead of reply.json; may be NULL */
	void *arg;
	int stop_fd; /* readable = leave the stream; -1 = none */
};

struct reply {
	struct strbuf text; /* all WIRE_TEXT frames */
	json_t *json;	    /* the last WIRE_JSON */
	json_t *error;	    /* object of WIRE_ERROR, or NULL */
	int code;	    /* of WIRE_END */
};
void reply_deinit(struct reply *r); /* idempotent */

enum { CLIENT_E_STOPPED = 1 };

int client_open(const char *path, struct client **ret);
struct client *client_close(struct client *c); /* NULL-safe, returns NULL */
/* The process that serves the socket; 0 if the kernel does not tell. */
unsigned int client_peer_pid(const struct client *c);
/* 0 = *ret is complete; CLIENT_E_STOPPED: the connection can not be used again. */
int client_call(struct client *c, const json_t *request, const struct flow_sink *sink,
		struct reply *ret);
#endif
