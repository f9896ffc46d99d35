/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_INCLUDE_H
#define BASE_INCLUDE_H
/*
 * include - the files that a text names: one, or all that fit a pattern with `*`, `?` or `[...]`.
 *
 * A name that begins with `/` is a path, one that begins with `./` or `../` is looked for from the working directory; any other
 * in the directories, in their order.
 */
#include <base/base.h>

struct include_file {
	char *name, *text;
	size_t len;
};
struct include_files {
	struct include_file *v; /* sorted by name */
	size_t n, cap;
};
void include_files_deinit(struct include_files *f);

struct include_dirs {
	const char *const *dirs;
	size_t n;
	size_t max; /* bytes of one file */
};
/* Nothing that fits a pattern is no error; a plain name that is nowhere is -ENOENT.  *ret is filled, also partly. */
int include_find(const struct include_dirs *d, const char *pattern, struct include_files *ret);

#endif
