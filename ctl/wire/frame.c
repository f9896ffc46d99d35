/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames on a blocking socket: gwctl's side, and the tests'. */
#include <sys/socket.h>
#include <sys/uio.h>
#include <wire/wire.h>

static int send_all(int fd, struct iovec *iov, size_t n)
{
	while (n) {
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n };
		/* MSG_NOSIGNAL: the other side may be gone, and that is an answer, not a signal */
		ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == ECONNRESET ? -EPIPE : -errno;
		while (n && (size_t)sent >= iov->iov_len) {
			sent -= iov->iov_len;
			iov++, n--;
		}
		if (n) {
			iov->iov_base = (char *)iov->iov_base + sent;
			iov->iov_len -= sent;
		}
	}
	return 0;
}

int wire_send_two(int fd, enum wire_type type, const void *data, size_t len, const void *more,
		  size_t more_len)
{
	struct wire_head head = { .magic = WIRE_MAGIC, .type = type, .len = len + more_len };
	struct iovec iov[3] = { { .iov_base = &head, .iov_len = sizeof(head) } };
	size_t n = 1;

	if (len > WIRE_REQUEST_MAX || more_len > WIRE_REQUEST_MAX - len)
		return -EMSGSIZE;
	if (len)
		iov[n++] = (struct iovec){ (void *)data, len };
	if (more_len)
		iov[n++] = (struct iovec){ (void *)more, more_len };
	return send_all(fd, iov, n);
}

int wire_send(int fd, enum wire_type type, const void *data, size_t len)
{
	return wire_send_two(fd, type, data, len, NULL, 0);
}

/* 1 = all n bytes, 0 = the stream ended before the first, -EPROTO = it ended in between */
static int recv_all(int fd, void *data, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = recv(fd, (char *)data + got, n - got, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return got ? -EPROTO : 0;
		got += r;
	}
	return 1;
}

int wire_recv(int fd, size_t max, enum wire_type *ret_type, char **ret_data, size_t *ret_len)
{
	_cleanup_(freep) char *data = NULL;
	struct wire_head head;
	int r;

	r = recv_all(fd, &head, sizeof(head));
	if (r <= 0)
		return r;
	r = wire_head_check(&head, max);
	if (r < 0)
		return r;
	data = malloc((size_t)head.len + 1);
	if (!data)
		return -ENOMEM;
	if (head.len) {
		r = recv_all(fd, data, head.len);
		if (r <= 0)
			return r < 0 ? r : -EPROTO;
	}
	data[head.len] = '\0';

	*ret_type = head.type;
	*ret_data = TAKE_PTR(data);
	*ret_len = head.len;
	return 1;
}
