/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <gwd/access.h>
#include <gwd/client.h>
#include <gwd/events.h>
#include <gwd/logs.h>
#include <gwd/request.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#define CLIENTS_MAX	 256
#define CLIENTS_RESERVED 16 /* of these, only root may use */
#define READ_CHUNK	 65536
#define KEEP_QUEUE	 65536
#define REQUESTS_MAX \
	(4ULL * WIRE_REQUEST_MAX) /* bytes of unfinished requests, all clients together */

struct client {
	struct client *next;
	struct gwd *g;
	int fd;
	sd_event_source *io, *child;
	struct wire_reader reader;
	char *out;
	size_t out_at, out_len, out_cap;
	struct subscription *sub;
	bool logs;    /* listens to them */
	bool closing; /* nothing more is read; gone when everything is sent */
	bool ended;   /* the other side will send no more */
	bool dead;    /* the socket failed; only the job's end is awaited */
};

struct server {
	struct gwd *g;
	int fd;
	sd_event_source *io;
	struct client *head;
	unsigned int n;
};

size_t client_queued(const struct client *c)
{
	return c->out_len - c->out_at;
}

int client_fd(const struct client *c)
{
	return c->fd;
}

static void client_free(struct client *c)
{
	struct server *s = c->g->server;

	for (struct client **p = &s->head; *p; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			s->n--;
			break;
		}
	}
	if (c->sub)
		events_unsubscribe(c->g, c->sub);
	if (c->logs)
		logs_unsubscribe(c->g, c);
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->child);
	wire_reader_deinit(&c->reader);
	free(c->out);
	close(c->fd);
	free(c);
}

static bool client_listens(const struct client *c)
{
	return c->sub || c->logs;
}

/* What epoll should tell us about: requests while none is worked on, room while something waits. */
static void client_update(struct client *c)
{
	uint32_t events = 0;

	if (!c->io)
		return;
	if (!c->child && !c->closing && !c->ended && !client_queued(c))
		events |= EPOLLIN;
	if (client_listens(c) && !c->ended)
		events |= EPOLLIN; /* only to see it go */
	if (client_queued(c))
		events |= EPOLLOUT;
	sd_event_source_set_enabled(c->io, c->dead ? SD_EVENT_OFF : SD_EVENT_ON);
	sd_event_source_set_io_events(c->io, events);
}

/* 0 = all or what fits was sent, < 0 = the other side is gone */
static int client_send(struct client *c)
{
	while (client_queued(c)) {
		ssize_t n = send(c->fd, c->out + c->out_at, client_queued(c),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		c->out_at += n;
	}
	c->out_at = c->out_len = 0;
	if (c->out_cap > KEEP_QUEUE) {
		free(TAKE_PTR(c->out));
		c->out_cap = 0;
	}
	return 0;
}

/* Move what is not sent yet to the front when the sent part is the larger one. */
static void client_compact(struct client *c)
{
	if (c->out_at < KEEP_QUEUE || c->out_at < c->out_len / 2)
		return;
	memmove(c->out, c->out + c->out_at, client_queued(c));
	c->out_len -= c->out_at;
	c->out_at = 0;
}

int client_queue(struct client *c, enum wire_type type, const void *data, size_t len)
{
	struct wire_head head = { .magic = WIRE_MAGIC, .type = type, .len = len };
	void *out = c->out;
	int r;

	client_compact(c);
	r = array_reserve(&out, &c->out_cap, c->out_len + sizeof(head) + len, 1);
	if (r < 0)
		return r;
	c->out = out;
	memcpy(c->out + c->out_len, &head, sizeof(head));
	if (len)
		memcpy(c->out + c->out_len + sizeof(head), data, len);
	c->out_len += sizeof(head) + len;
	client_update(c);
	return 0;
}

void client_close_when_sent(struct client *c)
{
	c->closing = true;
	client_update(c);
}

void client_listen_logs(struct client *c)
{
	c->logs = true;
	client_update(c);
}

void client_subscribe(struct client *c, struct subscription *s)
{
	c->sub = s;
	client_update(c);
}

void client_job_started(struct client *c, struct sd_event_source *child)
{
	c->child = child;
	client_update(c);
}

/* The stream can not be followed any further: say why, then hang up. */
static void client_protocol_error(struct client *c, int error)
{
	request_refuse(c, error == -EMSGSIZE ? "the request is too long"
					     : "this is not a request frame of gwctl");
	client_close_when_sent(c);
}

/* Work on requests that have arrived whole, one answer at a time. */
static void client_work(struct client *c)
{
	while (!c->child && !c->closing && !client_listens(c) && !client_queued(c)) {
		enum wire_type type;
		const char *data;
		size_t len;
		int r = wire_reader_next(&c->reader, WIRE_REQUEST_MAX, &type, &data, &len);

		if (r == 1 && type != WIRE_REQUEST)
			r = -EPROTO;
		if (r < 0)
			client_protocol_error(c, r);
		if (r <= 0)
			return;
		request_run(c->g, c, data, len);
		if (client_send(c) < 0)
			c->dead = true;
		wire_reader_pop(&c->reader);
	}
}

static size_t server_requests(const struct server *s)
{
	size_t n = 0;

	for (const struct client *c = s->head; c; c = c->next)
		n += c->reader.cap;
	return n;
}

static int client_read(struct client *c)
{
	char chunk[READ_CHUNK];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		c->ended = true;
	if (client_listens(c))
		return 0; /* a listener has nothing more to say */
	if (c->reader.len > READ_CHUNK && server_requests(c->g->server) > REQUESTS_MAX)
		return -ENOMEM;
	return wire_reader_feed(&c->reader, chunk, n);
}

/* Go on after anything happened; frees the client when it is over. */
static void client_step(struct client *c)
{
	bool over;

	if (!c->dead)
		client_work(c);
	if (c->sub && !client_queued(c))
		events_drained(c->sub);
	over = c->dead || c->ended || (c->closing && !client_queued(c));
	/* who closed its sending side may still want the answer */
	if (c->ended && !c->dead && !client_listens(c) && client_queued(c))
		over = false;
	if (over && !c->child)
		client_free(c);
	else
		client_update(c);
}

static int client_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct client *c = arg;

	if (events & EPOLLOUT && client_send(c) < 0)
		c->dead = true;
	if (events & EPOLLIN && client_read(c) < 0)
		c->dead = true;
	else if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN))
		c->dead = true;
	client_step(c);
	return 0;
}

void client_job_done(struct client *c, bool ok)
{
	c->child = sd_event_source_disable_unref(c->child);
	if (!ok)
		c->dead = true; /* half an answer can not be mended */
	client_step(c);
}

static int client_new(struct server *s, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->g = s->g;
	c->fd = fd;
	c->next = s->head;
	s->head = c;
	s->n++;
	r = sd_event_add_io(s->g->loop, &c->io, fd, EPOLLIN, client_io, c);
	if (r < 0)
		client_free(c);
	return r;
}

static void refuse_fd(int fd, const char *text)
{
	request_refuse_fd(fd, text);
	close(fd);
}

static int server_accept(sd_event_source *source, int listen_fd, uint32_t events, void *arg)
{
	struct server *s = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct access_peer peer;

	if (fd < 0)
		return 0;
	if (!access_peer(fd, s->g->cfg.socket_group, &peer))
		refuse_fd(fd,
			  "you may not use this socket: be root or in the group of socket.group");
	else if (s->n >= CLIENTS_MAX - (peer.is_root ? 0 : CLIENTS_RESERVED))
		refuse_fd(fd, "too many clients are connected; try again later");
	else
		client_new(s, fd);
	return 0;
}

static int socket_path(const struct gwd *g, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((size_t)snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/control.sock",
			     g->path.runtime_dir) >= sizeof(ret->sun_path))
		return raise(-ENAMETOOLONG, "%s/control.sock", g->path.runtime_dir);
	return 0;
}

int server_set_group(struct gwd *g)
{
	struct sockaddr_un addr;
	int r = socket_path(g, &addr);

	return r < 0 ? r : access_set(addr.sun_path, g->cfg.socket_group);
}

/* Bound with mode 0600: nobody gets in between bind and the final mode. */
static int listen_at(const struct sockaddr_un *addr, int *ret_fd)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int r;

	if (fd < 0)
		return raise(-errno, "socket");
	unlink(addr->sun_path); /* we hold the lock: a socket that is there has no owner */
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
	umask(mask);
	if (r < 0)
		return raise(-errno, "bind %s", addr->sun_path);
	if (listen(fd, SOMAXCONN) < 0)
		return raise(-errno, "listen %s", addr->sun_path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int server_open(struct gwd *g)
{
	_cleanup_(server_freep) struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_un addr;
	int r;

	if (!s)
		return raise(-ENOMEM, "server");
	s->g = g;
	s->fd = -EBADF;
	r = socket_path(g, &addr);
	if (!r)
		r = listen_at(&addr, &s->fd);
	if (!r)
		r = server_set_group(g);
	if (r < 0)
		return r;
	r = sd_event_add_io(g->loop, &s->io, s->fd, EPOLLIN, server_accept, s);
	if (r < 0)
		return raise(r, "control socket");
	g->server = TAKE_PTR(s);
	return 0;
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	while (s->head) {
		struct client *c = s->head;
		struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };

		/* the last answer (`off`) should arrive, but a stuck reader must not hold us */
		for (int i = 0; i < 10 && client_queued(c) && poll(&pfd, 1, 50) > 0; i++)
			if (client_send(c) < 0)
				break;
		client_free(c);
	}
	sd_event_source_disable_unref(s->io);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

void server_close_others(struct server *s, const struct client *keep)
{
	close(s->fd);
	for (struct client *c = s->head; c; c = c->next)
		if (c != keep)
			close(c->fd);
}
