/* SPDX-License-Identifier: GPL-2.0-only */
#include <base/base.h>

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>

static int read_all(int fd, size_t max, struct strbuf *b)
{
	char chunk[65536];
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		if ((size_t)n > max - b->len)
			return -EFBIG;
		strbuf_add(b, chunk, (size_t)n);
		if (b->failed)
			return -ENOMEM;
	}
}

int file_read(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len;
	char *text;
	int r;

	if (fd < 0)
		return -errno;
	r = read_all(fd, max, &b);
	if (r < 0)
		return r;
	len = b.len;
	text = strbuf_take(&b);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	if (ret_len)
		*ret_len = len;
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int fill_and_sync(int fd, const char *text, size_t len, unsigned int mode)
{
	int r = write_all(fd, text, len);

	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* The rename is on disk only when the directory is; file systems without directory fsync are fine too. */
static void sync_directory_of(const char *path)
{
	char copy[PATH_MAX];
	_cleanup_(closep) int fd = -EBADF;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

int file_write_atomic(const char *path, const char *text, size_t len, unsigned int mode)
{
	_cleanup_(closep) int fd = -EBADF;
	char tmp[PATH_MAX];
	int r;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >= sizeof(tmp))
		return -ENAMETOOLONG;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fill_and_sync(fd, text, len, mode);
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(tmp);
		return r;
	}
	sync_directory_of(path);
	return 0;
}
