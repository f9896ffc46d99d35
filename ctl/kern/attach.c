/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which way a device is attached, and when a program generation is no longer needed.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <kern/impl.h>

const char *kern_dir_name(enum kern_dir dir)
{
	return dir == KERN_IN ? "in" : "out";
}

int kern_prog_fd(const struct kern *k, enum kern_dir dir)
{
	return bpf_program__fd(dir == KERN_IN ? k->skel->progs.gw_in : k->skel->progs.gw_out);
}

uint32_t kern_prog_id(const struct kern *k, enum kern_dir dir)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(kern_prog_fd(k, dir), &info, &len) < 0 ? 0 : info.id;
}

struct drop_device {
	unsigned int ifindex;
	bool tcx, clsact;
};

static int attach_drop_version(const char *pin_dir, const char *name, void *arg)
{
	const struct drop_device *drop = arg;
	char dir[PATH_MAX];
	int r = 0;

	pins_path(dir, pin_dir, "%s", name);
	if (drop->tcx)
		r = tcx_drop(dir, drop->ifindex);
	if (r == 0 && drop->clsact)
		r = clsact_drop(dir, drop->ifindex);
	return r;
}

int kern_attach(struct kern *k, unsigned int ifindex)
{
	/* Attach the new way before the old way goes: a moment with both, never one with none. */
	struct drop_device other = { ifindex, .tcx = !k->features.tcx, .clsact = k->features.tcx };
	int r = k->features.tcx ? tcx_attach(k, ifindex) : clsact_attach(k, ifindex);

	if (r < 0)
		return r;
	r = pins_walk_versions(k->pin_dir, attach_drop_version, &other);
	attach_collect(k);
	return r;
}

int kern_detach(struct kern *k, unsigned int ifindex)
{
	struct drop_device both = { ifindex, .tcx = true, .clsact = true };
	int r = pins_walk_versions(k->pin_dir, attach_drop_version, &both);

	attach_collect(k);
	return r;
}

static uint32_t attach_prog_id(const char *dir, unsigned int ifindex, enum kern_dir d, bool tcx)
{
	uint32_t id = 0;
	int fd;

	if (!tcx)
		return clsact_prog_id(dir, ifindex, d);
	fd = tcx_open(dir, ifindex, d, &id);
	if (fd < 0)
		return 0;
	close(fd);
	return id;
}

bool kern_is_attached(const struct kern *k, unsigned int ifindex)
{
	for (enum kern_dir d = 0; d < KERN_DIRS; d++) {
		uint32_t id = attach_prog_id(k->dir, ifindex, d, k->features.tcx);

		if (!id || id != kern_prog_id(k, d))
			return false;
	}
	return true;
}

int kern_is_first(const struct kern *k, unsigned int ifindex)
{
	if (!kern_is_attached(k, ifindex))
		return -ENOENT;
	return k->features.tcx ? tcx_is_first(k->dir, ifindex) : clsact_is_first(k->dir, ifindex);
}

/* The devices of an instance, each once. */
struct devices {
	unsigned int *ifindexes;
	size_t n, cap;
};

static int devices_add(struct devices *devs, unsigned int ifindex)
{
	for (size_t i = 0; i < devs->n; i++)
		if (devs->ifindexes[i] == ifindex)
			return 0;
	if (array_reserve((void **)&devs->ifindexes, &devs->cap, devs->n, sizeof(unsigned int)) < 0)
		return -ENOMEM;
	devs->ifindexes[devs->n++] = ifindex;
	return 0;
}

static int devices_add_pin(const char *dir, const char *name, void *arg)
{
	unsigned int ifindex;
	enum kern_dir d;

	if (pins_parse_link(name, &ifindex, &d))
		return attach_prog_id(dir, ifindex, d, true) ? devices_add(arg, ifindex) : 0;
	if (pins_parse_tc(name, &ifindex))
		return clsact_prog_id(dir, ifindex, KERN_IN) ||
				       clsact_prog_id(dir, ifindex, KERN_OUT)
			       ? devices_add(arg, ifindex)
			       : 0;
	return 0;
}

static int devices_add_version(const char *pin_dir, const char *name, void *arg)
{
	char dir[PATH_MAX];

	pins_path(dir, pin_dir, "%s", name);
	return pins_walk(dir, devices_add_pin, arg);
}

int kern_foreach_attached(struct kern *k, void (*fn)(unsigned int ifindex, void *arg), void *arg)
{
	struct devices devs = {};
	int r = pins_walk_versions(k->pin_dir, devices_add_version, &devs);

	for (size_t i = 0; r == 0 && i < devs.n; i++)
		fn(devs.ifindexes[i], arg);
	free(devs.ifindexes);
	return r < 0 ? raise(r, "list attached devices") : 0;
}

/*
 * Collecting.  A PROG_ARRAY is emptied when user space's last reference goes, so the pin of an older generation
 * stays until no device runs that generation's programs.
 */
struct collect {
	struct kern *k;
	uint32_t prog_ids[KERN_DIRS];
	bool old_in_use;
	bool waited;
};

static int collect_look(const char *dir, const char *name, void *arg)
{
	struct collect *c = arg;
	char path[PATH_MAX];
	unsigned int ifindex;
	uint32_t id;
	enum kern_dir d;

	if (pins_parse_link(name, &ifindex, &d)) {
		pins_path(path, dir, "%s", name);
		if (tcx_is_dead(dir, name)) {
			unlink(path);
			return 0;
		}
		/* a link on a device of another network namespace reads as 0: still in use */
		if (attach_prog_id(dir, ifindex, d, true) != c->prog_ids[d])
			c->old_in_use = true;
	} else if (pins_parse_tc(name, &ifindex)) {
		for (d = 0; d < KERN_DIRS; d++) {
			id = clsact_prog_id(dir, ifindex, d);
			if (id && id != c->prog_ids[d])
				c->old_in_use = true;
		}
	}
	return 0;
}

static int collect_look_version(const char *pin_dir, const char *name, void *arg)
{
	char dir[PATH_MAX];

	pins_path(dir, pin_dir, "%s", name);
	return pins_walk(dir, collect_look, arg);
}

static bool collect_is_current(struct kern *k, const char *path)
{
	struct bpf_map *map;
	char own[PATH_MAX];

	bpf_object__for_each_map(map, k->skel->obj) if (jmp_path(k, map, own) &&
							strcmp(own, path) == 0) return true;
	return false;
}

/* A packet that another CPU began with the old program may be short of its tail call: let it end (one RCU grace
 * period). */
static void collect_wait(struct collect *c)
{
	const struct timespec grace = { .tv_nsec = 50000000 };

	if (c->waited)
		return;
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0) /* not with nohz_full */
		nanosleep(&grace, NULL);
	c->waited = true;
}

static int collect_remove(const char *dir, const char *name, void *arg)
{
	struct collect *c = arg;
	char path[PATH_MAX];

	pins_path(path, dir, "%s", name);
	if (strcmp(dir, c->k->dir) == 0 &&
	    (strncmp(name, "jmp_", 4) != 0 || collect_is_current(c->k, path)))
		return 0;
	collect_wait(c);
	unlink(path);
	return 0;
}

static int collect_remove_version(const char *pin_dir, const char *name, void *arg)
{
	struct collect *c = arg;
	char dir[PATH_MAX];

	pins_path(dir, pin_dir, "%s", name);
	pins_walk(dir, collect_remove, c);
	if (strcmp(dir, c->k->dir) != 0 && rmdir(dir) == 0)
		log_info("removed pins of another version path=%s", dir);
	return 0;
}

void attach_collect(struct kern *k)
{
	struct collect c = { .k = k };

	for (enum kern_dir d = 0; d < KERN_DIRS; d++)
		c.prog_ids[d] = kern_prog_id(k, d);
	pins_walk_versions(k->pin_dir, collect_look_version, &c);
	if (!c.old_in_use)
		pins_walk_versions(k->pin_dir, collect_remove_version, &c);
}

static int drop_pin(const char *dir, const char *name, void *arg _unused_)
{
	unsigned int ifindex;
	enum kern_dir d;

	if (pins_parse_link(name, &ifindex, &d))
		return tcx_drop(dir, ifindex);
	if (pins_parse_tc(name, &ifindex))
		return clsact_drop(dir, ifindex);
	return 0;
}

static int drop_version(const char *pin_dir, const char *name, void *arg _unused_)
{
	char dir[PATH_MAX];

	pins_path(dir, pin_dir, "%s", name);
	return pins_walk(dir, drop_pin, NULL);
}

int kern_off(const char *pin_dir)
{
	int r = pins_check_name(pin_dir);

	if (r == 0 && pins_is_bpffs(pin_dir))
		r = pins_walk_versions(pin_dir, drop_version, NULL);
	/* A directory on another file system holds no pins of ours. */
	if (r == 0 && pins_is_bpffs(pin_dir))
		r = pins_remove_all(pin_dir);
	return r;
}
