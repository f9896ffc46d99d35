/* SPDX-License-Identifier: GPL-2.0-only */
#include <base/include.h>

#include <glob.h>

void include_files_deinit(struct include_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].text);
	}
	free(f->v);
	*f = (struct include_files){ 0 };
}

static int take_file(const struct include_dirs *d, const char *path, struct include_files *ret)
{
	void *grown = ret->v;
	struct include_file *file;
	int r = array_reserve(&grown, &ret->cap, ret->n, sizeof(*file));

	if (r < 0)
		return r;
	ret->v = grown;
	file = &ret->v[ret->n];
	*file = (struct include_file){ 0 };
	r = file_read(path, d->max, &file->text, &file->len);
	if (r < 0)
		return r;
	file->name = strdup(path);
	if (!file->name) {
		free(file->text);
		return -ENOMEM;
	}
	ret->n++;
	return 0;
}

/* Everything that fits, but directories; *ret_any = something did. */
static int take_pattern(const struct include_dirs *d, const char *pattern,
			struct include_files *ret, bool *ret_any)
{
	glob_t found;
	int r = glob(pattern, GLOB_MARK, NULL, &found);

	*ret_any = false;
	if (r == GLOB_NOMATCH)
		return 0;
	if (r)
		return r == GLOB_NOSPACE ? -ENOMEM : -EIO;
	for (size_t i = 0; r >= 0 && i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];

		if (!*path || path[strlen(path) - 1] == '/')
			continue;
		*ret_any = true;
		r = take_file(d, path, ret);
	}
	globfree(&found);
	return r;
}

static bool is_from_here(const char *pattern)
{
	return pattern[0] == '/' || !strncmp(pattern, "./", 2) || !strncmp(pattern, "../", 3);
}

int include_find(const struct include_dirs *d, const char *pattern, struct include_files *ret)
{
	bool any = false, is_pattern = strpbrk(pattern, "*?[");
	char *path;
	int r = 0;

	if (is_from_here(pattern))
		r = take_pattern(d, pattern, ret, &any);
	for (size_t i = 0; !r && !any && !is_from_here(pattern) && i < d->n; i++) {
		if (asprintf(&path, "%s/%s", d->dirs[i], pattern) < 0)
			return -ENOMEM;
		r = take_pattern(d, path, ret, &any);
		free(path);
	}
	return r || any || is_pattern ? r : -ENOENT;
}
