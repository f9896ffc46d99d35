/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/job.h>
#include <gwd/request.h>
#include <net/if.h>

#define FIELDS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static const struct verb verbs[] = {
	{ "ping", VERB_READ, req_ping, FIELDS() },
	{ "status", VERB_READ, req_status, FIELDS() },
	{ "apply", VERB_WRITE, req_apply,
	  FIELDS("text", "file", "replace", "internal", "base", "check") },
	{ "show", VERB_JOB, req_show,
	  FIELDS("internal", "handles", "counters", "stateless", "family", "table", "chain",
		 "json") },
	{ "find-rule", VERB_READ, req_find_rule,
	  FIELDS("family", "table", "chain", "number", "xt") },
	{ "flows", VERB_JOB, req_flows, FIELDS("filter") },
	{ "flows-delete", VERB_JOB, req_flows_delete, FIELDS("filter") },
	{ "flows-update", VERB_JOB, req_flows_update,
	  FIELDS("filter", "mark", "mark_mask", "timeout", "status", "state") },
	{ "flows-insert", VERB_JOB, req_flows_insert,
	  FIELDS("family", "proto", "zone", "original", "reply", "mark", "timeout", "status",
		 "state") },
	{ "flows-flush", VERB_JOB, req_flows_flush, FIELDS() },
	{ "flows-count", VERB_JOB, req_flows_count, FIELDS("filter") },
	{ "events", VERB_READ, req_events, FIELDS("filter", "resync") },
	{ "logs", VERB_READ, req_logs, FIELDS() },
	{ "rule-stats", VERB_READ, req_rule_stats, FIELDS() },
	{ "stats", VERB_READ, req_stats, FIELDS() },
	{ "drops", VERB_READ, req_drops, FIELDS() },
	{ "zero", VERB_WRITE, req_zero, FIELDS("family", "table", "chain", "handle") },
	{ "get", VERB_READ, req_get, FIELDS("key") },
	{ "set", VERB_WRITE, req_set, FIELDS("key", "value") },
	{ "save", VERB_READ, req_save, FIELDS() },
	{ "reload", VERB_WRITE, req_reload, FIELDS() },
	{ "off", VERB_WRITE, req_off, FIELDS() },
};

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static bool wrong_type(struct reply *r, const char *name, const char *type)
{
	reply_error(r, "field `%s` must be %s", name, type);
	return false;
}

bool field_bool(json_t *req, const char *name, bool *ret, struct reply *r)
{
	json_t *v = json_object_get(req, name);

	if (v && !json_is_boolean(v))
		return wrong_type(r, name, "true or false");
	if (v)
		*ret = json_is_true(v);
	return true;
}

bool field_text(json_t *req, const char *name, const char **ret, size_t *ret_len, struct reply *r)
{
	json_t *v = json_object_get(req, name);

	if (v && !json_is_string(v))
		return wrong_type(r, name, "a string");
	if (!v)
		return true;
	*ret = json_string_value(v);
	if (ret_len)
		*ret_len = json_string_length(v);
	return true;
}

bool field_u64(json_t *req, const char *name, bool *ret_given, uint64_t *ret, struct reply *r)
{
	json_t *v = json_object_get(req, name);

	if (v && (!json_is_integer(v) || json_integer_value(v) < 0))
		return wrong_type(r, name, "a number");
	*ret_given = v;
	if (v)
		*ret = json_integer_value(v);
	return true;
}

bool field_u32(json_t *req, const char *name, bool *ret_given, uint32_t *ret, struct reply *r)
{
	uint64_t v = 0;

	if (!field_u64(req, name, ret_given, &v, r))
		return false;
	if (v > UINT32_MAX)
		return wrong_type(r, name, "a number below 2^32");
	if (*ret_given)
		*ret = v;
	return true;
}

bool field_filter(json_t *req, struct flow_filter *ret, struct reply *r)
{
	json_t *v = json_object_get(req, "filter");
	_cleanup_(freep) char *text = NULL;

	flow_filter_init(ret);
	if (!v)
		return true;
	text = json_is_object(v) ? json_dumps(v, JSON_COMPACT) : NULL;
	if (!text || flow_filter_from_json(text, ret)) {
		reply_error(r, "the filter is not understood");
		return false;
	}
	for (int i = 0; i < 2; i++) {
		if (!ret->ifname[i][0])
			continue;
		ret->ifindex[i] = if_nametoindex(ret->ifname[i]);
		if (!ret->ifindex[i]) {
			reply_error(r, "there is no interface `%s`", ret->ifname[i]);
			return false;
		}
	}
	return true;
}

/* A field that is ignored is a request that does something else than it says. */
static bool fields_known(const struct verb *verb, json_t *req, struct reply *r)
{
	const char *key;
	json_t *value;

	json_object_foreach(req, key, value)
	{
		size_t i = 0;

		while (verb->fields[i] && strcmp(verb->fields[i], key))
			i++;
		if (!verb->fields[i] && strcmp(key, "verb")) {
			reply_error(r, "`%s` takes no field `%s`", verb->name, key);
			return false;
		}
	}
	return true;
}

static const struct verb *request_verb(json_t *req, struct reply *r)
{
	const char *name = json_string_value(json_object_get(req, "verb"));
	const struct verb *verb = name ? verb_find(name) : NULL;

	if (!name)
		reply_error(r, "a request is a JSON object with a verb");
	else if (!verb)
		reply_error(r, "there is no verb `%s`", name);
	else if (!fields_known(verb, req, r))
		verb = NULL;
	return verb;
}

/* UTF-8 as JSON wants it, and no NUL. */
static json_t *raw_text(const char *text, size_t len)
{
	if (memchr(text, '\0', len))
		return NULL;
	return str_is_ascii(text, len) ? json_stringn_nocheck(text, len) : json_stringn(text, len);
}

/* JSON, and perhaps a NUL and the field "text" behind it, as it is. */
static json_t *request_read(const char *data, size_t len, json_error_t *error)
{
	const char *nul = memchr(data, '\0', len);
	json_t *req =
		json_loadb(data, nul ? (size_t)(nul - data) : len, JSON_REJECT_DUPLICATES, error);
	json_t *text;

	if (!req || !nul)
		return req;
	text = raw_text(nul + 1, (size_t)(data + len - nul - 1));
	if (text && json_is_object(req) && !json_object_get(req, "text") &&
	    !json_object_set_new(req, "text", text))
		return req;
	if (text && (!json_is_object(req) || json_object_get(req, "text")))
		json_decref(text);
	snprintf(error->text, sizeof(error->text), "the text behind it is not UTF-8 or not wanted");
	json_decref(req);
	return NULL;
}

void request_run(struct gwd *g, struct client *c, const char *json, size_t len)
{
	struct reply r = { .client = c };
	json_error_t error;
	json_t *req = request_read(json, len, &error);
	const struct verb *verb = NULL;
	int code = REQUEST_USAGE;

	if (!req)
		reply_error(&r, "the request is not JSON: %s", error.text);
	else
		verb = request_verb(req, &r);
	if (verb && verb->class == VERB_JOB)
		code = job_start(g, c, verb, req, &r);
	else if (verb)
		code = verb->run(g, req, &r);
	json_decref(req);
	if (code != REQUEST_STREAM)
		reply_end(&r, code);
	if (r.failed) /* no memory for the answer: better no answer than half of one */
		client_close_when_sent(c);
}

void request_refuse(struct client *c, const char *text)
{
	struct reply r = { .client = c };

	reply_error(&r, "%s", text);
	reply_end(&r, REQUEST_USAGE);
}

void request_refuse_fd(int fd, const char *text)
{
	struct reply r = { .fd = fd };

	reply_error(&r, "%s", text);
	reply_end(&r, REQUEST_FAILED);
}
