/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_IFS_H
#define GWD_IFS_H
/*
 * ifs - interfaces and addresses: what the kernel has now, what the data plane was told, and the difference.
 *
 * ifs_read() takes a snapshot by netlink; ifs_push() makes the data plane agree with it: rows, own addresses, programs attached to what is
 * managed, detached from the rest.  Interfaces may come, go, change names and addresses at any time.
 */
#include <compile/compile.h>
#include <gwd/gwd.h>

struct ifs;
struct ifs *ifs_new(void);
struct ifs *ifs_free(struct ifs *s);
DEFINE_FREEP(ifs)

int ifs_read(struct gwd *g);
/* strict: an interface that exists and can not be attached is an error (at start), not a warning. */
int ifs_push(struct gwd *g, bool strict);
/* Read, compile the ruleset again if its interface names mean something else now, push. */
int ifs_sync(struct gwd *g);
/* Forget what an earlier gwd put into adopted maps and is not true any more. */
void ifs_adopt(struct gwd *g);

size_t ifs_names(const struct ifs *s, const struct compile_if **ret);
void ifs_names_compiled(struct ifs *s); /* the ruleset in force knows the current names */
const char *ifs_name(const struct ifs *s, unsigned int ifindex); /* or NULL */

/* What the data plane was told, for `status`. */
struct ifs_row {
	unsigned int ifindex;
	char name[16];
	struct gw_if row;
	bool attached;
	bool overtaken; /* somebody else's program runs before ours */
};
size_t ifs_rows(const struct ifs *s, const struct ifs_row **ret);
#endif
