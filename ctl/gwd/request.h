/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_REQUEST_H
#define GWD_REQUEST_H
/*
 * request - the verbs of the control socket (the table in ctl/README.md), one row each.
 *
 * A verb answers into the reply and returns the exit code of WIRE_END, or REQUEST_STREAM: the answer goes on.
 */
#include <gwd/gwd.h>
#include <gwd/reply.h>

enum { REQUEST_OK = 0, REQUEST_FAILED = 1, REQUEST_USAGE = 2, REQUEST_STREAM = 100 };

enum verb_class {
	VERB_READ,  /* short, done at once */
	VERB_WRITE, /* changes gwd's state, done at once */
	VERB_JOB, /* long: done by a job that sees gwd's state as it is now and can not change it */
};
typedef int (*verb_fn)(struct gwd *g, json_t *req, struct reply *r);
struct verb {
	const char *name;
	enum verb_class class;
	verb_fn run;
	const char *const *fields; /* NULL-terminated: what the request may hold besides "verb" */
};

void request_run(struct gwd *g, struct client *c, const char *json, size_t len);
void request_refuse(struct client *c, const char *text);
void request_refuse_fd(int fd, const char *text);

/* Typed fields; false = there but of another type (the error was sent). Absent leaves *ret alone. */
bool field_bool(json_t *req, const char *name, bool *ret, struct reply *r);
bool field_text(json_t *req, const char *name, const char **ret, size_t *ret_len, struct reply *r);
bool field_u32(json_t *req, const char *name, bool *ret_given, uint32_t *ret, struct reply *r);
bool field_u64(json_t *req, const char *name, bool *ret_given, uint64_t *ret, struct reply *r);
bool field_filter(json_t *req, struct flow_filter *ret, struct reply *r);

/* req_rules.c */
int req_apply(struct gwd *g, json_t *req, struct reply *r);
int req_show(struct gwd *g, json_t *req, struct reply *r);
int req_find_rule(struct gwd *g, json_t *req, struct reply *r); /* req_find.c */
int req_zero(struct gwd *g, json_t *req, struct reply *r);
int req_save(struct gwd *g, json_t *req, struct reply *r);
int req_reload(struct gwd *g, json_t *req, struct reply *r);
/* req_image.c */
int req_rule_stats(struct gwd *g, json_t *req, struct reply *r);
int req_logs(struct gwd *g, json_t *req, struct reply *r);
/* req_flows.c */
int req_flows(struct gwd *g, json_t *req, struct reply *r);
int req_flows_delete(struct gwd *g, json_t *req, struct reply *r);
int req_flows_flush(struct gwd *g, json_t *req, struct reply *r);
int req_flows_count(struct gwd *g, json_t *req, struct reply *r);
int req_flows_update(struct gwd *g, json_t *req, struct reply *r);
int req_flows_insert(struct gwd *g, json_t *req, struct reply *r);
int req_events(struct gwd *g, json_t *req, struct reply *r);
/* req_status.c */
int req_ping(struct gwd *g, json_t *req, struct reply *r);
int req_status(struct gwd *g, json_t *req, struct reply *r);
int req_stats(struct gwd *g, json_t *req, struct reply *r);
int req_drops(struct gwd *g, json_t *req, struct reply *r);
int req_off(struct gwd *g, json_t *req, struct reply *r);
/* req_settings.c */
int req_get(struct gwd *g, json_t *req, struct reply *r);
int req_set(struct gwd *g, json_t *req, struct reply *r);
#endif
