/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <gwd/ids.h>
#include <gwd/journal.h>
#include <gwd/replay.h>
#include <gwd/state.h>
#include <lang/lang.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_TRIES	 20
#define LOCK_PAUSE_US	 100000
#define STATE_MAX	 (256U << 20)
#define STATE_FIRST_LINE "# gatewarden state, generation %u\n"

static void path_of(const struct gwd *g, const char *name, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s", g->path.runtime_dir, name);
}

/* A directory that somebody else owns or may write to could hold a prepared state file or socket. */
static int check_dir(const char *dir, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return raise(-errno, "stat %s", dir);
	if (st.st_uid != geteuid())
		return raise(-EPERM, "%s belongs to uid %u", dir, (unsigned int)st.st_uid);
	if (st.st_mode & 022)
		return raise(-EPERM, "%s may be written by others (mode %o)", dir,
			     st.st_mode & 07777);
	return 0;
}

int state_dir_open(const char *dir)
{
	_cleanup_(closep) int fd = -EBADF;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return raise(-errno, "create %s", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return raise(-ENOTDIR, "%s must be a directory and no symbolic link", dir);
	if (fd < 0)
		return raise(-errno, "open %s", dir);
	return check_dir(dir, fd);
}

static void say_locked(const char *dir, int fd)
{
	char pid[16] = "?";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	if (n > 0)
		pid[strcspn(pid, "\n")] = '\0';
	log_err("Another gwd serves this runtime directory dir=%s pid=%s", dir, pid);
}

/* A gwd that was just killed lets go only when the kernel has cleared it away: wait for that, but not for one that lives. */
static bool lock_wait(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		usleep(LOCK_PAUSE_US);
	}
	return false;
}

/* `off` removes the lock file: a lock on a file without a name keeps nobody out. */
static bool lock_is_at(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino &&
	       ours.st_dev == named.st_dev;
}

int state_lock(const char *dir, int *ret_fd)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return raise(-errno, "open %s", path);
	if (!lock_wait(fd)) {
		if (errno != EWOULDBLOCK)
			return raise(-errno, "lock %s", path);
		say_locked(dir, fd);
		return STATE_E_LOCKED;
	}
	if (!lock_is_at(fd, path))
		return state_lock(dir, ret_fd);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return raise(-errno, "write %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void state_commit(struct gwd *g)
{
	char from[PATH_MAX], to[PATH_MAX];

	path_of(g, "state.nft.next", from);
	path_of(g, "state.nft", to);
	g->state_unnamed = rename(from, to) < 0;
	if (g->state_unnamed) /* not fatal: the next start looks at both names */
		log_warning("Could not rename the state file path=%s error=%s", to,
			    strerror(errno));
	else
		journal_reset(g);
}

/* What the text of a ruleset does not say, as comments behind it: # gw-stmt RULE-HANDLE NUMBER ID */
static void print_rule_ids(const struct rule *r, struct strbuf *b)
{
	for (size_t i = 0; i < r->n_stmts; i++)
		if (r->stmts[i].id)
			strbuf_printf(b, "# gw-stmt %llu %zu %u\n", (unsigned long long)r->handle,
				      i, r->stmts[i].id);
}

static void print_ids(const struct ruleset *rs, struct strbuf *b)
{
	for (size_t t = 0; t < rs->n_tables; t++) {
		for (size_t c = 0; c < rs->tables[t]->n_chains; c++)
			for (size_t i = 0; i < rs->tables[t]->chains[c]->n_rules; i++)
				print_rule_ids(rs->tables[t]->chains[c]->rules[i], b);
	}
}

static int state_write(const struct gwd *g, const char *name, const struct ruleset *rs,
		       uint32_t gen)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };
	char path[PATH_MAX];
	int r;

	strbuf_printf(&b, STATE_FIRST_LINE, gen);
	lang_print(rs, LANG_INTERNAL, &b);
	print_ids(rs, &b);
	if (b.failed)
		return raise(-ENOMEM, "state");
	path_of(g, name, path);
	r = file_write_atomic(path, b.s, b.len, 0600);
	return r < 0 ? raise(r, "write %s", path) : 0;
}

int state_prepare(struct gwd *g, const struct ruleset *rs, uint32_t gen)
{
	/* the file under the first name may be the only one that has the rules in force */
	if (g->state_unnamed)
		state_commit(g);
	if (g->state_unnamed)
		return -EIO;
	return state_write(g, "state.nft.next", rs, gen);
}

int state_write_compacted(const struct gwd *g)
{
	return state_write(g, "state.nft.fold", g->rs, g->gen);
}

int state_take_compacted(const struct gwd *g)
{
	char from[PATH_MAX], to[PATH_MAX];

	path_of(g, "state.nft.fold", from);
	path_of(g, "state.nft", to);
	return rename(from, to) < 0 ? -errno : 0;
}

void state_discard(const struct gwd *g)
{
	char path[PATH_MAX];

	path_of(g, "state.nft.next", path);
	unlink(path);
}

static void take_stmt(const struct index *ix, const char *line)
{
	const struct index_entry *e;
	unsigned long long handle;
	unsigned int at, id;

	if (sscanf(line, "# gw-stmt %llu %u %u", &handle, &at, &id) != 3)
		return;
	e = index_find(ix, handle);
	if (e && e->rule && at < e->rule->n_stmts)
		e->rule->stmts[at].id = id;
}

static int take_ids(const struct ruleset *rs, const char *text)
{
	_cleanup_(index_freep) struct index *ix = index_new(rs);

	if (!ix)
		return raise(-ENOMEM, "state");
	while ((text = strstr(text, "\n# gw-stmt ")))
		take_stmt(ix, ++text);
	return 0;
}

/* The model in one file; *ret_gen is its generation. */
static int load_file(const char *path, uint32_t *ret_gen, struct ruleset **ret_rs)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = NULL;
	_cleanup_(freep) char *text = NULL;
	struct diag d = { 0 };
	size_t len;
	int r;

	r = file_read(path, STATE_MAX, &text, &len);
	if (r < 0)
		return r == -ENOENT ? STATE_E_MISSING : raise(r, "read %s", path);
	if (sscanf(text, STATE_FIRST_LINE, ret_gen) != 1)
		return STATE_E_MISSING;
	rs = ruleset_new();
	if (!rs)
		return raise(-ENOMEM, "state");
	r = lang_apply(rs, path, text, len, NULL, &d);
	if (r < 0)
		return r;
	if (r) {
		log_err("Could not read the state file path=%s line=%u error=%s", path, d.line,
			d.text);
		return STATE_E_MISSING;
	}
	r = take_ids(rs, text);
	if (r < 0)
		return r;
	*ret_rs = TAKE_PTR(rs);
	return 0;
}

static int load_one(const struct gwd *g, const char *name, uint32_t gen, struct ruleset **ret_rs)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = NULL;
	uint32_t file_gen = 0;
	char path[PATH_MAX];
	int r;

	path_of(g, name, path);
	r = load_file(path, &file_gen, &rs);
	if (!r && (int32_t)(file_gen - gen) > 0)
		r = STATE_E_MISSING;
	if (!r)
		r = replay(g, &rs, file_gen, gen);
	if (r)
		return r < 0 ? r : STATE_E_MISSING;
	/* the counters are in the kernel and newer than any text */
	ids_forget_given(rs);
	*ret_rs = TAKE_PTR(rs);
	return 0;
}

int state_load(const struct gwd *g, uint32_t gen, struct ruleset **ret_rs)
{
	int r = load_one(g, "state.nft", gen, ret_rs);

	return r == STATE_E_MISSING ? load_one(g, "state.nft.next", gen, ret_rs) : r;
}

void state_remove(const struct gwd *g)
{
	static const char *const names[] = { "state.nft",      "state.nft.next",
					     "state.nft.fold", "state.journal",
					     "settings",       "addresses",
					     "control.sock",   "lock" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		path_of(g, names[i], path);
		unlink(path);
	}
}
