/* SPDX-License-Identifier: GPL-2.0-only */
#include <grp.h>
#include <gwd/access.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define GROUPS_MAX 65536

static bool group_find(const char *name, gid_t *ret)
{
	char buf[65536];
	struct group grp, *found = NULL;

	if (!*name || getgrnam_r(name, &grp, buf, sizeof(buf), &found) || !found)
		return false;
	*ret = found->gr_gid;
	return true;
}

/* The groups the peer had when it connected, not those of the name database now. */
static bool peer_in_group(int fd, gid_t gid)
{
	_cleanup_(freep) gid_t *groups = malloc(GROUPS_MAX * sizeof(*groups));
	socklen_t len = GROUPS_MAX * sizeof(*groups);

	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

bool access_peer(int fd, const char *group, struct access_peer *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	gid_t gid;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	ret->is_root = cred.uid == 0 || cred.uid == geteuid();
	if (ret->is_root)
		return true;
	return group_find(group, &gid) && (cred.gid == gid || peer_in_group(fd, gid));
}

int access_set(const char *path, const char *group)
{
	gid_t gid = (gid_t)-1;
	bool found = group_find(group, &gid);

	if (*group && !found)
		log_warning("Found no such group, only root may use the control socket group=%s",
			    group);
	/* take it from everybody before it changes hands */
	if (chmod(path, 0600) < 0)
		return raise(-errno, "mode of %s", path);
	/* without CAP_CHOWN only groups we are in ourselves can be given */
	if (found && chown(path, (uid_t)-1, gid) < 0) {
		log_warning("Could not give the control socket to a group, only root may use it "
			    "group=%s "
			    "error=%s",
			    group, strerror(errno));
		found = false;
	}
	if (found && chmod(path, 0660) < 0)
		return raise(-errno, "mode of %s", path);
	return 0;
}
