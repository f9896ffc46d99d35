/* SPDX-License-Identifier: GPL-2.0-only */
#include <gwd/ruleset_file.h>

#include <lang/lang.h>

#define RULESET_FILE_MAX (64U << 20)

static int find_included(void *arg, const char *pattern, struct include_files *ret)
{
	static const char *const dirs[] = { "/etc" };
	const struct include_dirs where = { dirs, ARRAY_SIZE(dirs), RULESET_FILE_MAX };

	return include_find(&where, pattern, ret);
}

int ruleset_file_read(const char *path, char **ret_text, size_t *ret_len, struct diag *d)
{
	_cleanup_(strbuf_deinit) struct strbuf whole = { 0 };
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r = file_read(path, RULESET_FILE_MAX, &text, &len);

	if (r == -ENOENT)
		return r;
	if (r < 0) {
		diag_set(d, "cannot read %s: %s", path, strerror(-r));
		return RULESET_FILE_E_DIAG;
	}
	r = lang_expand_includes(path, text, len, find_included, NULL, &whole, d);
	if (r)
		return r < 0 ? raise(r, "%s", path) : RULESET_FILE_E_DIAG;
	*ret_len = whole.len;
	*ret_text = strbuf_take(&whole);
	return *ret_text ? 0 : raise(-ENOMEM, "%s", path);
}
