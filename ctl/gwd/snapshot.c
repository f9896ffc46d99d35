/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/client.h>
#include <gwd/flowlist.h>
#include <gwd/job.h>
#include <gwd/reply.h>
#include <gwd/request.h>
#include <gwd/snapshot.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#define READ_CHUNK 65536

struct snapshot {
	struct sd_event_source *io;
	int fd;
	struct wire_reader reader;
	snapshot_rows_fn rows;
	snapshot_done_fn done;
	void *arg;
	uint64_t n;
	bool complete, failed;
};

struct walk {
	struct gwd *g;
	struct flow_filter filter;
	struct reply *r;
};

static int walk_one(const struct gw_event *row, void *arg)
{
	struct walk *w = arg;
	struct gw_event ev = *row;

	flow_dress(w->g, &ev);
	if (flow_filter_match(&w->filter, &ev))
		reply_flow(w->r, &ev);
	return w->r->failed;
}

static _Noreturn void child_main(struct gwd *g, const struct flow_filter *f, int fd)
{
	struct reply r = { .fd = fd };
	struct walk w = { .g = g, .filter = *f, .r = &r };

	w.filter.event_mask = 0; /* rows are no events */
	job_detach(g, NULL);
	reply_end(&r, kern_flows(g->kern, walk_one, &w) ? REQUEST_FAILED : REQUEST_OK);
	_exit(r.failed);
}

/* The child's end is seen by the end of its rows; here it is only reaped. */
static int reap(sd_event_source *source, const siginfo_t *si, void *arg)
{
	return 0;
}

static void take_frame(struct snapshot *s, enum wire_type type, const char *data, size_t len)
{
	if (type == WIRE_FLOWS) {
		s->n += len / sizeof(struct gw_event);
		s->rows(s->arg, data, len);
	} else if (type == WIRE_END) {
		s->complete = !strcmp("{\"code\":0}", data);
	}
}

static int take_frames(struct snapshot *s)
{
	enum wire_type type;
	const char *data;
	size_t len;
	int r;

	while ((r = wire_reader_next(&s->reader, WIRE_FRAME_MAX, &type, &data, &len)) == 1) {
		_cleanup_(freep) char *copy = strndup(data, len);

		if (type == WIRE_END && !copy)
			return -ENOMEM;
		take_frame(s, type, type == WIRE_END ? copy : data, len);
		wire_reader_pop(&s->reader);
	}
	return r;
}

static int snapshot_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct snapshot *s = arg;
	char chunk[READ_CHUNK];
	ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0 && (wire_reader_feed(&s->reader, chunk, n) < 0 || take_frames(s) < 0))
		s->failed = true;
	if (n <= 0 || s->failed)
		s->done(s->arg, s->complete && !s->failed, s->n);
	return 0;
}

static int snapshot_watch(struct gwd *g, struct snapshot *s, pid_t pid)
{
	int r = sd_event_add_child(g->loop, NULL, pid, WEXITED, reap, NULL);

	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return raise(r, "watch a snapshot");
	}
	r = sd_event_add_io(g->loop, &s->io, s->fd, EPOLLIN, snapshot_io, s);
	return r < 0 ? raise(r, "watch a snapshot") : 0;
}

static int snapshot_fork(struct gwd *g, const struct flow_filter *f, struct snapshot *s)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return raise(-errno, "snapshot");
	s->fd = fds[0];
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		child_main(g, f, fds[1]);
	}
	close(fds[1]);
	return pid < 0 ? raise(-errno, "snapshot") : snapshot_watch(g, s, pid);
}

int snapshot_start(struct gwd *g, const struct flow_filter *f, snapshot_rows_fn rows,
		   snapshot_done_fn done, void *arg, struct snapshot **ret)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return raise(-ENOMEM, "snapshot");
	s->fd = -EBADF;
	s->rows = rows;
	s->done = done;
	s->arg = arg;
	r = snapshot_fork(g, f, s);
	if (r < 0) {
		snapshot_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct snapshot *snapshot_free(struct snapshot *s)
{
	if (!s)
		return NULL;
	sd_event_source_disable_unref(s->io);
	if (s->fd >= 0)
		close(s->fd);
	wire_reader_deinit(&s->reader);
	free(s);
	return NULL;
}

void snapshot_flow(struct snapshot *s, bool wanted)
{
	sd_event_source_set_enabled(s->io, wanted ? SD_EVENT_ON : SD_EVENT_OFF);
}

void snapshot_fail(struct snapshot *s)
{
	s->failed = true;
}
