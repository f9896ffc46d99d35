/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/reply.h>
#include <poll.h>
#include <sys/socket.h>

#define SEND_WAIT_MS \
	30000 /* a job does not wait longer than this for its reader to read anything */

/* Blocking for the job although the file description is not: gwd shares it. */
static int send_all(int fd, const void *data, size_t len)
{
	while (len) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			if (poll(&pfd, 1, SEND_WAIT_MS) == 0)
				return -ETIMEDOUT;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data = (const char *)data + n;
			len -= n;
		}
	}
	return 0;
}

void reply_frame(struct reply *r, enum wire_type type, const void *data, size_t len)
{
	struct wire_head head = { .magic = WIRE_MAGIC, .type = type, .len = len };

	if (r->failed)
		return;
	if (r->client)
		r->failed = client_queue(r->client, type, data, len) < 0;
	else
		r->failed =
			send_all(r->fd, &head, sizeof(head)) < 0 || send_all(r->fd, data, len) < 0;
}

void reply_text(struct reply *r, const char *text, size_t len)
{
	for (size_t n; len && !r->failed; text += n, len -= n) {
		n = MIN(len, WIRE_FRAME_MAX);
		/* a frame ends where a line ends, if it can: readers may print frame by frame */
		if (n < len) {
			const char *nl = memrchr(text, '\n', n);

			n = nl ? (size_t)(nl - text) + 1 : n;
		}
		reply_frame(r, WIRE_TEXT, text, n);
	}
}

void reply_json(struct reply *r, json_t *value)
{
	_cleanup_(freep) char *text =
		value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(value);
	if (!text)
		r->failed = true;
	else if (strlen(text) > WIRE_FRAME_MAX)
		reply_error(r, "the answer is too long for JSON; ask for text");
	else
		reply_frame(r, WIRE_JSON, text, strlen(text));
}

static void flush_flows(struct reply *r)
{
	if (r->n_flows)
		reply_frame(r, WIRE_FLOWS, r->flows, r->n_flows * sizeof(r->flows[0]));
	r->n_flows = 0;
}

void reply_flow(struct reply *r, const struct gw_event *ev)
{
	r->flows[r->n_flows++] = *ev;
	if (r->n_flows == ARRAY_SIZE(r->flows))
		flush_flows(r);
}

static void send_error(struct reply *r, json_t *error)
{
	_cleanup_(freep) char *text = error ? json_dumps(error, JSON_COMPACT) : NULL;

	json_decref(error);
	flush_flows(r);
	if (text)
		reply_frame(r, WIRE_ERROR, text, strlen(text));
	else
		r->failed = true;
}

/* Messages quote what users wrote, and that need not be UTF-8, which JSON must be. */
static json_t *json_text(const char *text)
{
	json_t *s = json_string(text);
	char copy[4096];

	if (s)
		return s;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(copy);
}

void reply_error(struct reply *r, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	send_error(r, json_pack("{s:o}", "error", json_text(text)));
}

void reply_diag(struct reply *r, const struct diag *d, json_t *extra)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	json_t *error;

	diag_render(d, &b);
	error = json_pack("{s:o, s:o}", "error", json_text(d->text), "diag",
			  json_text(b.s ? b.s : ""));
	if (error && extra)
		json_object_update(error, extra);
	json_decref(extra);
	send_error(r, error);
}

void reply_end(struct reply *r, int code)
{
	char text[32];

	flush_flows(r);
	snprintf(text, sizeof(text), "{\"code\":%d}", code);
	reply_frame(r, WIRE_END, text, strlen(text));
}
