/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attachment by tcx links, kernel 6.6 and later.  libbpf 1.1 does not know them: the system call is made here.
 *
 * A link is pinned as link_<ifindex>_in / _out and never held open: it lives by its pin, so the end of gwd changes
 * nothing.  A new program is put into the old link in one step.
 */
#include <sys/syscall.h>
#include <kern/impl.h>

/* enum bpf_attach_type and bpf_link_type of kernel 6.6 */
#define TCX_INGRESS   46
#define TCX_EGRESS    47
#define LINK_TYPE_TCX 11
#define MPROG_BEFORE  (1U << 3) /* BPF_F_BEFORE; relative to nothing = first of all */
#define MPROG_MAX     64	/* programs on one hook */

/* union bpf_attr for BPF_LINK_CREATE as kernel 6.6 lays it out for tcx */
struct tcx_create_attr {
	__u32 prog_fd;
	__u32 target_ifindex;
	__u32 attach_type;
	__u32 flags;
	__u32 relative_fd;
	__u32 pad;
	__u64 expected_revision;
};
_Static_assert(offsetof(struct tcx_create_attr, expected_revision) == 24, "kernel layout");

/* union bpf_attr for BPF_PROG_QUERY, kernel 6.6 */
struct tcx_query_attr {
	__u32 target_ifindex;
	__u32 attach_type;
	__u32 query_flags;
	__u32 attach_flags;
	__u64 prog_ids;
	__u32 count;
	__u32 pad;
	__u64 prog_attach_flags;
	__u64 link_ids;
	__u64 link_attach_flags;
	__u64 revision;
};
_Static_assert(sizeof(struct tcx_query_attr) == 64, "kernel layout");

/* struct bpf_link_info, kernel 6.6 */
struct tcx_link_info {
	__u32 type;
	__u32 id;
	__u32 prog_id;
	__u32 pad;
	__u32 ifindex; /* 0 = the device is gone */
	__u32 attach_type;
};

static int tcx_type(enum kern_dir dir)
{
	return dir == KERN_IN ? TCX_INGRESS : TCX_EGRESS;
}

static int tcx_bpf(enum bpf_cmd cmd, void *attr, unsigned int size)
{
	int r = syscall(__NR_bpf, cmd, attr, size);

	return r < 0 ? -errno : r;
}

/* Ids of the links on one hook in order; the number of them or -errno. */
static int tcx_query(unsigned int ifindex, enum kern_dir dir, __u32 link_ids[MPROG_MAX])
{
	__u32 prog_ids[MPROG_MAX] = {};
	struct tcx_query_attr attr = {
		.target_ifindex = ifindex,
		.attach_type = tcx_type(dir),
		.prog_ids = (uintptr_t)prog_ids,
		.link_ids = (uintptr_t)link_ids,
		.count = MPROG_MAX,
	};
	int r;

	memset(link_ids, 0, MPROG_MAX * sizeof(link_ids[0]));
	r = tcx_bpf(BPF_PROG_QUERY, &attr, sizeof(attr));
	return r < 0 ? r : (int)MIN(attr.count, MPROG_MAX);
}

/* Kernels before 6.6 do not know the attach type; later ones answer for every device, lo included. */
bool tcx_supported(void)
{
	__u32 ids[MPROG_MAX];

	return tcx_query(1, KERN_IN, ids) != -EINVAL;
}

static int tcx_info(int fd, struct tcx_link_info *ret)
{
	__u32 len = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	if (bpf_obj_get_info_by_fd(fd, ret, &len) < 0)
		return -errno;
	return ret->type == LINK_TYPE_TCX ? 0 : -ENOENT;
}

/* Open a pin that must be a tcx link. */
static int tcx_get(const char *path, struct tcx_link_info *ret_info)
{
	_cleanup_(closep) int fd = bpf_obj_get(path);
	int r;

	if (fd < 0)
		return -errno;
	r = tcx_info(fd, ret_info);
	return r < 0 ? r : TAKE_FD(fd);
}

/* Same number, other device: the link may sit in another network namespace, so ask the device itself. */
static bool tcx_is_on(const struct tcx_link_info *info, unsigned int ifindex, enum kern_dir dir)
{
	__u32 ids[MPROG_MAX];
	int n;

	if (info->ifindex != ifindex || info->attach_type != (__u32)tcx_type(dir))
		return false;
	n = tcx_query(ifindex, dir, ids);
	for (int i = 0; i < n; i++)
		if (ids[i] == info->id)
			return true;
	return false;
}

static void tcx_path(char path[static PATH_MAX], const char *dir, unsigned int ifindex,
		     enum kern_dir d)
{
	pins_path(path, dir, "link_%u_%s", ifindex, kern_dir_name(d));
}

int tcx_open(const char *dir, unsigned int ifindex, enum kern_dir d, uint32_t *ret_prog_id)
{
	struct tcx_link_info info;
	char path[PATH_MAX];
	int fd;

	tcx_path(path, dir, ifindex, d);
	fd = tcx_get(path, &info);
	if (fd < 0)
		return fd;
	if (!tcx_is_on(&info, ifindex, d)) {
		close(fd);
		return -ENOENT;
	}
	*ret_prog_id = info.prog_id;
	return fd;
}

bool tcx_is_dead(const char *dir, const char *name)
{
	struct tcx_link_info info;
	char path[PATH_MAX];
	int fd;

	pins_path(path, dir, "%s", name);
	fd = tcx_get(path, &info);
	if (fd < 0)
		return fd == -ENOENT;
	close(fd);
	return info.ifindex == 0;
}

bool tcx_is_first(const char *dir, unsigned int ifindex)
{
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		struct tcx_link_info info;
		__u32 ids[MPROG_MAX];
		char path[PATH_MAX];
		int fd, n;

		tcx_path(path, dir, ifindex, d);
		fd = tcx_get(path, &info);
		if (fd < 0)
			return false;
		close(fd);
		n = tcx_query(ifindex, d, ids);
		if (n < 1 || ids[0] != info.id)
			return false;
	}
	return true;
}

/* Look for the link under the pins of another ABI version and move it to ours. */
struct tcx_find {
	struct kern *k;
	unsigned int ifindex;
	enum kern_dir dir;
	int fd;
};

static int tcx_adopt_version(const char *pin_dir, const char *name, void *arg)
{
	struct tcx_find *find = arg;
	char dir[PATH_MAX], from[PATH_MAX], to[PATH_MAX];
	uint32_t prog_id;
	int fd;

	pins_path(dir, pin_dir, "%s", name);
	fd = tcx_open(dir, find->ifindex, find->dir, &prog_id);
	if (fd < 0)
		return 0;
	tcx_path(from, dir, find->ifindex, find->dir);
	tcx_path(to, find->k->dir, find->ifindex, find->dir);
	if (strcmp(from, to) != 0 && rename(from, to) < 0) {
		close(fd);
		return 0;
	}
	find->fd = fd;
	return 1;
}

static int tcx_adopt(struct kern *k, unsigned int ifindex, enum kern_dir dir)
{
	struct tcx_find find = { k, ifindex, dir, -ENOENT };
	uint32_t prog_id;
	int fd = tcx_open(k->dir, ifindex, dir, &prog_id);

	if (fd >= 0)
		return fd;
	pins_walk_versions(k->pin_dir, tcx_adopt_version, &find);
	return find.fd;
}

static int tcx_create(struct kern *k, unsigned int ifindex, enum kern_dir dir, const char *path)
{
	struct tcx_create_attr attr = {
		.prog_fd = kern_prog_fd(k, dir),
		.target_ifindex = ifindex,
		.attach_type = tcx_type(dir),
		.flags = MPROG_BEFORE,
	};
	_cleanup_(closep) int fd = -EBADF;

	if (unlink(path) < 0 && errno != ENOENT)
		return raise(-errno, "remove stale pin %s", path);
	fd = tcx_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return raise(fd, "attach to ifindex=%u dir=%s", ifindex, kern_dir_name(dir));
	if (bpf_obj_pin(fd, path) < 0)
		return raise(-errno, "pin link %s", path);
	return 0;
}

/* 1 = a link was made, 0 = the existing one has the new program. */
static int tcx_attach_dir(struct kern *k, unsigned int ifindex, enum kern_dir dir)
{
	_cleanup_(closep) int fd = tcx_adopt(k, ifindex, dir);
	char path[PATH_MAX];
	int r;

	if (fd >= 0 && bpf_link_update(fd, kern_prog_fd(k, dir), NULL) == 0)
		return 0;
	tcx_path(path, k->dir, ifindex, dir);
	r = tcx_create(k, ifindex, dir, path);
	return r < 0 ? r : 1;
}

int tcx_attach(struct kern *k, unsigned int ifindex)
{
	char path[PATH_MAX];
	int in, out;

	in = tcx_attach_dir(k, ifindex, KERN_IN);
	if (in < 0)
		return in;
	out = tcx_attach_dir(k, ifindex, KERN_OUT);
	if (out < 0) {
		tcx_path(path, k->dir, ifindex, KERN_IN);
		if (in > 0)
			unlink(path);
		return out;
	}
	if (!tcx_is_first(k->dir, ifindex))
		log_warning("another program runs before ours ifindex=%u", ifindex);
	return 0;
}

int tcx_drop(const char *dir, unsigned int ifindex)
{
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		_cleanup_(closep) int fd = -EBADF;
		struct tcx_link_info info;
		char path[PATH_MAX];

		tcx_path(path, dir, ifindex, d);
		fd = tcx_get(path, &info);
		if (fd == -ENOENT)
			continue;
		/* Somebody may hold the link open: end it for good.  ENOLINK: its device is gone already. */
		if (fd >= 0 && bpf_link_detach(fd) < 0 && errno != ENOLINK)
			return raise(-errno, "detach from ifindex=%u", ifindex);
		if (unlink(path) < 0 && errno != ENOENT)
			return raise(-errno, "remove pin %s", path);
	}
	return 0;
}
