/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_ACCESS_H
#define GWD_ACCESS_H
/* access - who may use the control socket: root, gwd's own user, and the members of socket.group. */
#include <base/base.h>

struct access_peer {
	bool is_root;
};
bool access_peer(int fd, const char *group, struct access_peer *ret);
/* 0660 root:GROUP; without such a group 0600 and one warning. */
int access_set(const char *path, const char *group);
#endif
