/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <gwd/journal.h>
#include <gwd/state.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>

/* A journal of this many bytes is worth a new state file. */
#define COMPACT_BYTES	    (256U << 10)
#define COMPACT_ELEMENTS_NS (60 * 1000000000ULL) /* at most so often because of elements alone */
#define JOURNAL_MAX	    (256U << 20)
#define HEAD_MAX	    96
#define HEAD_FORMAT \
	"gw-journal %u %u %u %zu %016llx\n" /* generation before, generation, kind, length, sum */

struct journal {
	int fd;			/* < 0: no file yet */
	off_t size, before;	/* before: without the last record */
	sd_event_source *child; /* it writes a state file of all that stood here when */
	off_t child_size;	/* the journal had this size */
	bool elements;		/* of dynamic sets changed since */
	uint64_t written_ns;	/* the last time because of them */
};

struct journal *journal_new(void)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j)
		j->fd = -EBADF;
	return j;
}

struct journal *journal_free(struct journal *j)
{
	if (!j)
		return NULL;
	sd_event_source_disable_unref(j->child);
	closep(&j->fd);
	free(j);
	return NULL;
}

static void journal_path(const struct gwd *g, const char *name, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s", g->path.runtime_dir, name);
}

/* A record that was cut short must not be taken for one.  Four bytes at a time: a record may have 50 MB. */
static uint64_t sum_more(uint64_t sum, const char *text, size_t len)
{
	uint32_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, text + i, sizeof(word));
		sum = (sum ^ word) * 0x100000001b3ULL;
		sum ^= sum >> 32;
	}
	for (; i < len; i++)
		sum = (sum ^ (uint8_t)text[i]) * 0x100000001b3ULL;
	return sum;
}

static uint64_t sum_start(uint32_t gen)
{
	return 0xcbf29ce484222325ULL ^ gen;
}

static uint64_t sum_of(uint32_t gen, const char *text, size_t len)
{
	return sum_more(sum_start(gen), text, len);
}

static int journal_open(struct gwd *g)
{
	struct journal *j = g->journal;
	char path[PATH_MAX];

	if (j->fd >= 0)
		return 0;
	journal_path(g, "state.journal", path);
	j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0)
		return raise(-errno, "open %s", path);
	j->size = j->before = lseek(j->fd, 0, SEEK_END);
	return j->size < 0 ? raise(-errno, "open %s", path) : 0;
}

static void journal_cut(struct journal *j, off_t size)
{
	if (ftruncate(j->fd, size) <
	    0) /* what stands behind it names generations that never were */
		log_warning("Could not shorten the journal error=%s", strerror(errno));
	j->size = j->before = size;
}

int journal_append(struct gwd *g, uint32_t gen, enum journal_kind kind, const char *text,
		   size_t len)
{
	const struct iovec part = { (char *)text, len };

	return journal_append_parts(g, gen, kind, &part, 1);
}

int journal_append_parts(struct gwd *g, uint32_t gen, enum journal_kind kind,
			 const struct iovec *parts, size_t n)
{
	struct journal *j = g->journal;
	struct iovec out[JOURNAL_PARTS + 2];
	uint64_t sum = sum_start(gen);
	char head[HEAD_MAX];
	size_t len = 0, all;
	ssize_t written;
	int r = journal_open(g);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		out[1 + i] = parts[i];
		len += parts[i].iov_len;
		sum = sum_more(sum, parts[i].iov_base, parts[i].iov_len);
	}
	r = snprintf(head, sizeof(head), HEAD_FORMAT, g->gen, gen, (unsigned int)kind, len,
		     (unsigned long long)sum);
	out[0] = (struct iovec){ head, (size_t)r };
	out[1 + n] = (struct iovec){ "\n", 1 };
	all = (size_t)r + len + 1;
	written = writev(j->fd, out, (int)n + 2);
	if (written != (ssize_t)all || fdatasync(j->fd) < 0) {
		r = written < 0 || written == (ssize_t)all ? -errno : -ENOSPC;
		journal_cut(j, j->size);
		return raise(r, "write the journal");
	}
	j->before = j->size;
	j->size += written;
	return 0;
}

void journal_undo(struct gwd *g)
{
	journal_cut(g->journal, g->journal->before);
}

void journal_reset(struct gwd *g)
{
	struct journal *j = g->journal;
	char path[PATH_MAX];

	j->child = sd_event_source_disable_unref(j->child); /* what it writes is old */
	closep(&j->fd);
	j->fd = -EBADF;
	j->size = j->before = 0;
	journal_path(g, "state.journal", path);
	unlink(path);
}

/* The record at *text; false: there is no whole one. */
static bool record_read(const char **text, const char *end, struct journal_record *ret)
{
	const char *line = memchr(*text, '\n', MIN((size_t)(end - *text), (size_t)HEAD_MAX));
	unsigned int before, gen, kind;
	unsigned long long sum;
	size_t len;

	if (!line || sscanf(*text, HEAD_FORMAT, &before, &gen, &kind, &len, &sum) != 5 ||
	    len >= (size_t)(end - line - 1) || line[1 + len] != '\n' ||
	    sum != sum_of(gen, line + 1, len))
		return false;
	*ret = (struct journal_record){ before, gen, kind, line + 1, len };
	*text = line + 1 + len + 1;
	return true;
}

int journal_replay(const struct gwd *g, uint32_t from, uint32_t to, journal_fn fn, void *arg)
{
	_cleanup_(freep) char *all = NULL;
	const char *text, *end;
	struct journal_record rec;
	char path[PATH_MAX];
	size_t len = 0;
	int r;

	if (from == to)
		return 0;
	journal_path(g, "state.journal", path);
	r = file_read(path, JOURNAL_MAX, &all, &len);
	if (r < 0)
		return r == -ENOENT ? JOURNAL_E_BROKEN : raise(r, "read %s", path);
	text = all;
	end = all + len;
	while (from != to) {
		if (!record_read(&text, end, &rec) || (int32_t)(rec.gen - to) > 0)
			return JOURNAL_E_BROKEN;
		if ((int32_t)(rec.gen - from) <= 0) /* the state file has it */
			continue;
		r = rec.before == from ? fn(&rec, arg) : JOURNAL_E_BROKEN;
		if (r)
			return r;
		from = rec.gen;
	}
	return 0;
}

/* Records that were added while the child wrote go on in a new journal. */
static int journal_keep_tail(struct gwd *g)
{
	struct journal *j = g->journal;
	_cleanup_(freep) char *tail = NULL;
	size_t len = (size_t)(j->size - j->child_size);
	char path[PATH_MAX];
	int r;

	if (!len) {
		journal_reset(g);
		return 0;
	}
	tail = malloc(len);
	if (!tail || pread(j->fd, tail, len, j->child_size) != (ssize_t)len)
		return -EIO;
	journal_path(g, "state.journal", path);
	r = file_write_atomic(path, tail, len, 0600);
	if (r < 0)
		return r;
	closep(&j->fd);
	j->fd = -EBADF;
	return 0;
}

static int compact_ended(sd_event_source *source _unused_, const siginfo_t *si, void *arg)
{
	struct gwd *g = arg;
	struct journal *j = g->journal;

	j->child = sd_event_source_disable_unref(j->child);
	if (si->si_code != CLD_EXITED || si->si_status || state_take_compacted(g) < 0) {
		log_warning("Could not write the state file anew, the journal goes on");
		return 0;
	}
	/* records twice do no harm: their generations are over */
	if (journal_keep_tail(g) < 0)
		log_warning("Could not shorten the journal");
	return 0;
}

static _Noreturn void compact_main(struct gwd *g)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	closep(&g->lock_fd);
	_exit(state_write_compacted(g) < 0);
}

void journal_note_elements(struct gwd *g)
{
	g->journal->elements = true;
}

static bool journal_is_due(const struct journal *j)
{
	return j->size >= COMPACT_BYTES ||
	       (j->elements && now_ns(CLOCK_MONOTONIC) - j->written_ns >= COMPACT_ELEMENTS_NS);
}

void journal_finish(struct gwd *g)
{
	if (!g->journal || !g->journal->elements || g->model_lost || g->off || !g->gen)
		return;
	if (state_write_compacted(g) == 0 && state_take_compacted(g) == 0)
		journal_reset(g);
}

void journal_compact(struct gwd *g)
{
	struct journal *j = g->journal;
	pid_t pid;
	int r;

	if (j->child || g->model_lost || !journal_is_due(j))
		return;
	pid = fork();
	if (pid == 0)
		compact_main(g);
	if (pid < 0)
		return; /* later */
	j->child_size = j->size;
	j->elements = false;
	j->written_ns = now_ns(CLOCK_MONOTONIC);
	r = sd_event_add_child(g->loop, &j->child, pid, WEXITED, compact_ended, g);
	if (r >= 0)
		r = sd_event_source_set_child_process_own(j->child, true);
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		raise(r, "watch a child");
	}
}
