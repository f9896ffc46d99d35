/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pin directory.
 *
 * PIN_DIR/                 a directory of a bpffs, or the mount point of one that we mounted
 * PIN_DIR/mounted_by_gwd   symlink: the bpffs is ours to unmount (names with dots are reserved by bpffs)
 * PIN_DIR/v1/              pins of one ABI version: gw_* maps, jmp_<id>, link_<ifindex>_in / _out, tc_<ifindex>
 */
#include <dirent.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <kern/impl.h>

#define BPFFS	    "/sys/fs/bpf"
#define MOUNT_MARK  "mounted_by_gwd"
#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

void pins_path(char path[static PATH_MAX], const char *dir, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(path, PATH_MAX, "%s/", dir);

	if (n < 0 || n >= PATH_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(path + n, PATH_MAX - n, fmt, ap);
	va_end(ap);
}

bool pins_is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (uint32_t)fs.f_type == BPF_FS_MAGIC;
}

int pins_check_name(const char *pin_dir)
{
	if (pin_dir[0] != '/' || strlen(pin_dir) > 255)
		return raise(-EINVAL,
			     "pin directory '%s' is not an absolute path of at most 255 bytes",
			     pin_dir);
	return 0;
}

/* Pins live as long as the mount: one that only this process tree sees takes the data plane with it. */
static void pins_warn_private(const char *path)
{
	struct stat own, init;

	if (stat("/proc/self/ns/mnt", &own) < 0 || stat("/proc/1/ns/mnt", &init) < 0)
		return;
	if (own.st_ino != init.st_ino)
		log_warning("bpffs was mounted in a private mount namespace, so traffic will not "
			    "survive gwd: "
			    "mount it outside first path=%s",
			    path);
}

static int pins_mount(const char *path)
{
	if (mount("bpf", path, "bpf", MOUNT_FLAGS, "mode=0700") < 0)
		return errno == EPERM ? raise(-EPERM,
					      "mount bpffs at %s (without CAP_SYS_ADMIN it must be "
					      "mounted before: mount -t bpf bpf %s)",
					      path, path)
				      : raise(-errno, "mount bpffs at %s", path);
	log_info("mounted bpffs path=%s", path);
	pins_warn_private(path);
	return 0;
}

/* mkdir -p, 0700. */
static int pins_mkdir(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST && errno != EROFS)
			return raise(-errno, "create directory %s", part);
		*p = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return raise(-errno, "create directory %s", path);
	return 0;
}

/* Whoever can write here can replace our maps and programs. */
static int pins_check_safe(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return raise(-errno, "look at pin directory %s", path);
	if (!S_ISDIR(st.st_mode))
		return raise(-ENOTDIR, "pin directory %s is a symlink or no directory", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return raise(-EPERM,
			     "pin directory %s can be written by others (owner %u, mode %04o)",
			     path, st.st_uid, st.st_mode & 07777);
	return 0;
}

static int pins_is_name(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int pins_mount_here(const char *pin_dir)
{
	struct dirent **names = NULL;
	char mark[PATH_MAX];
	int n = scandir(pin_dir, &names, pins_is_name, NULL), r;

	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	if (n > 0)
		return raise(-ENOTEMPTY, "pin directory %s is no bpffs and holds files", pin_dir);
	r = pins_mount(pin_dir);
	if (r < 0)
		return r;
	pins_path(mark, pin_dir, MOUNT_MARK);
	if (symlink("gwd", mark) < 0)
		log_warning("can not mark %s as mounted by gwd: %s", pin_dir, strerror(errno));
	return 0;
}

int pins_prepare(const char *pin_dir)
{
	char path[PATH_MAX];
	int r = pins_check_name(pin_dir);

	if (r < 0)
		return r;
	if (strncmp(pin_dir, BPFFS "/", strlen(BPFFS "/")) == 0 && !pins_is_bpffs(BPFFS)) {
		r = pins_mount(BPFFS);
		if (r < 0)
			return r;
	}
	r = pins_mkdir(pin_dir);
	if (r == 0)
		r = pins_check_safe(pin_dir);
	if (r == 0 && !pins_is_bpffs(pin_dir))
		r = pins_mount_here(pin_dir);
	if (r < 0)
		return r;
	pins_path(path, pin_dir, "v%u", GW_ABI_VERSION);
	r = pins_mkdir(path);
	return r < 0 ? r : pins_check_safe(path);
}

int pins_walk(const char *dir, pins_fn fn, void *arg)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, pins_is_name, alphasort), r = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : raise(-errno, "read directory %s", dir);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = fn(dir, names[i]->d_name, arg);
		free(names[i]);
	}
	free(names);
	return r;
}

struct walk_versions {
	pins_fn fn;
	void *arg;
};

static int pins_walk_version(const char *dir, const char *name, void *arg)
{
	struct walk_versions *w = arg;
	unsigned int version;
	char end;

	return sscanf(name, "v%u%c", &version, &end) == 1 ? w->fn(dir, name, w->arg) : 0;
}

int pins_walk_versions(const char *pin_dir, pins_fn fn, void *arg)
{
	struct walk_versions w = { fn, arg };

	return pins_walk(pin_dir, pins_walk_version, &w);
}

bool pins_parse_link(const char *name, unsigned int *ret_ifindex, enum kern_dir *ret_dir)
{
	char dir[4], end;

	if (sscanf(name, "link_%u_%3[a-z]%c", ret_ifindex, dir, &end) != 2)
		return false;
	*ret_dir = strcmp(dir, "in") == 0 ? KERN_IN : KERN_OUT;
	return strcmp(dir, kern_dir_name(*ret_dir)) == 0;
}

bool pins_parse_tc(const char *name, unsigned int *ret_ifindex)
{
	char end;

	return sscanf(name, "tc_%u%c", ret_ifindex, &end) == 1;
}

static int pins_unlink(const char *dir, const char *name, void *arg _unused_)
{
	char path[PATH_MAX];

	pins_path(path, dir, "%s", name);
	if (unlink(path) < 0 && errno != ENOENT)
		return raise(-errno, "remove pin %s", path);
	return 0;
}

static int pins_remove_version(const char *pin_dir, const char *name, void *arg _unused_)
{
	char path[PATH_MAX];
	int r;

	pins_path(path, pin_dir, "%s", name);
	r = pins_walk(path, pins_unlink, NULL);
	if (r < 0)
		return r;
	return rmdir(path) < 0 ? raise(-errno, "remove directory %s", path) : 0;
}

int pins_remove_all(const char *pin_dir)
{
	char mark[PATH_MAX];
	int r = pins_walk_versions(pin_dir, pins_remove_version, NULL);

	if (r < 0)
		return r;
	pins_path(mark, pin_dir, MOUNT_MARK);
	if (unlink(mark) == 0 && umount2(pin_dir, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
		if (errno != EPERM)
			return raise(-errno, "unmount %s", pin_dir);
		log_warning("left an empty bpffs mounted, CAP_SYS_ADMIN is missing path=%s",
			    pin_dir);
	}
	/* Somebody else's mount point, or files of somebody else: not ours to remove. */
	if (rmdir(pin_dir) < 0 && errno != ENOENT && errno != EBUSY && errno != ENOTEMPTY)
		return raise(-errno, "remove directory %s", pin_dir);
	return 0;
}
