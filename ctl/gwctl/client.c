/* SPDX-License-Identifier: GPL-2.0-only */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <gwctl/client.h>
#include <wire/wire.h>

/* A listing of everything gwd can hold is far below this. */
#define TEXT_MAX (1U << 30)

struct client {
	int fd;
	struct wire_reader reader;
};

struct client *client_close(struct client *c)
{
	if (!c)
		return NULL;
	closep(&c->fd);
	wire_reader_deinit(&c->reader);
	free(c);
	return NULL;
}

static void client_closep(struct client **c)
{
	client_close(*c);
}

void reply_deinit(struct reply *r)
{
	strbuf_deinit(&r->text);
	json_decref(r->json);
	json_decref(r->error);
	*r = (struct reply){ 0 };
}

int client_open(const char *path, struct client **ret)
{
	_cleanup_(client_closep) struct client *c = calloc(1, sizeof(*c));
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	*ret = TAKE_PTR(c);
	return 0;
}

unsigned int client_peer_pid(const struct client *c)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.pid < 0)
		return 0;
	return cred.pid;
}

static int take_flows(const struct flow_sink *sink, const char *data, size_t len)
{
	struct gw_event ev;
	int r = 0;

	if (!sink || !sink->row || len % sizeof(ev))
		return -EPROTO;
	for (; len && !r; data += sizeof(ev), len -= sizeof(ev)) {
		memcpy(&ev, data, sizeof(ev)); /* the frame may sit at any address */
		r = sink->row(sink->arg, &ev);
	}
	if (!r && sink->batch)
		r = sink->batch(sink->arg);
	return MIN(r, 0);
}

static int take_json(json_t **ret, const char *data, size_t len)
{
	json_t *value = json_loadb(data, len, JSON_DECODE_ANY, NULL);

	if (!value)
		return -EPROTO;
	json_decref(*ret);
	*ret = value;
	return 0;
}

static int take_value(struct reply *reply, const struct flow_sink *sink, const char *data,
		      size_t len)
{
	json_t *value = NULL;
	int r;

	if (!sink || !sink->json)
		return take_json(&reply->json, data, len);
	r = take_json(&value, data, len);
	if (!r)
		r = sink->json(sink->arg, value);
	json_decref(value);
	return MIN(r, 0);
}

static int take_end(struct reply *reply, const char *data, size_t len)
{
	json_t *end = NULL, *code;
	int r = take_json(&end, data, len);

	if (r < 0)
		return r;
	code = json_object_get(end, "code");
	reply->code = json_integer_value(code);
	if (!json_is_integer(code) || reply->code < 0 || reply->code > 2)
		r = -EPROTO;
	json_decref(end);
	return r < 0 ? r : 1;
}

/* 1 = the answer is complete */
static int take_frame(struct reply *reply, const struct flow_sink *sink, enum wire_type type,
		      const char *data, size_t len)
{
	switch (type) {
	case WIRE_TEXT:
		if (reply->text.len + len > TEXT_MAX)
			return -EMSGSIZE;
		strbuf_add(&reply->text, data, len);
		return reply->text.failed ? -ENOMEM : 0;
	case WIRE_JSON:
		return take_value(reply, sink, data, len);
	case WIRE_ERROR:
		return take_json(&reply->error, data, len);
	case WIRE_FLOWS:
		return take_flows(sink, data, len);
	case WIRE_END:
		return take_end(reply, data, len);
	default:
		return -EPROTO;
	}
}

/* Wait until the socket has something, or the stop descriptor says to leave. */
static int wait_input(int fd, int stop_fd)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = stop_fd, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return fds[1].revents ? CLIENT_E_STOPPED : 0;
}

static int fill(struct client *c, int stop_fd)
{
	char buf[65536];
	int r = wait_input(c->fd, stop_fd);
	ssize_t n;

	if (r)
		return r;
	n = recv(c->fd, buf, sizeof(buf), 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	return wire_reader_feed(&c->reader, buf, n);
}

/* A long "text" goes raw behind the rest, which spares both sides to escape it. */
#define RAW_MIN 4096

static int send_request(struct client *c, const json_t *request)
{
	const json_t *text = json_object_get(request, "text");
	size_t len = json_string_length(text);
	_cleanup_(freep) char *head = NULL;
	json_t *rest;

	if (len < RAW_MIN) {
		head = json_dumps(request, JSON_COMPACT);
		return head ? wire_send(c->fd, WIRE_REQUEST, head, strlen(head)) : -EINVAL;
	}
	rest = json_copy((json_t *)request);
	json_object_del(rest, "text");
	head = json_dumps(rest, JSON_COMPACT);
	json_decref(rest);
	if (!head)
		return -ENOMEM;
	return wire_send_two(c->fd, WIRE_REQUEST, head, strlen(head) + 1, json_string_value(text),
			     len);
}

int client_call(struct client *c, const json_t *request, const struct flow_sink *sink,
		struct reply *ret)
{
	enum wire_type type;
	const char *data;
	size_t len;
	int r;

	r = send_request(c, request);
	/* gwd may refuse and close before it has read all: its answer is still worth reading */
	if (r < 0 && r != -EPIPE)
		return r;
	for (;;) {
		r = wire_reader_next(&c->reader, WIRE_FRAME_MAX, &type, &data, &len);
		if (r < 0)
			return r;
		if (!r) {
			r = fill(c, sink ? sink->stop_fd : -1);
			if (r)
				return r;
			continue;
		}
		r = take_frame(ret, sink, type, data, len);
		wire_reader_pop(&c->reader);
		if (r)
			return MIN(r, 0);
	}
}
