/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text is a ruleset that is valid, prints and reads back to the same text in every form, or a mistake with a text. */
#include "fuzz.h"

#include <lang/lang.h>

static char *print(const struct ruleset *rs, unsigned int flags)
{
	struct strbuf b = { 0 };

	lang_print(rs, flags, &b);
	return strbuf_take(&b);
}

static void require_fixed_point(const struct ruleset *rs, unsigned int flags)
{
	_cleanup_(ruleset_freep) struct ruleset *back = ruleset_new();
	_cleanup_(freep) char *text = print(rs, flags), *again = NULL;
	struct diag d = { 0 };
	int r = lang_apply(back, "", text, strlen(text), NULL, &d);

	require(r == 0, d.text, text);
	/* handles are new ones, unless they were given */
	again = print(back, flags & ~LANG_HANDLES);
	if (flags != LANG_HANDLES)
		require_same(text, again, "not a fixed point");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int forms[] = { 0, LANG_HANDLES, LANG_COUNTERS, LANG_STATELESS,
					      LANG_INTERNAL };
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(ruleset_freep) struct ruleset *copy = NULL;
	_cleanup_(freep) char *text = NULL, *same = NULL;
	struct diag d = { 0 };
	int r = lang_apply(rs, "fuzz", (const char *)data, size, NULL, &d);

	if (r) {
		require(r == LANG_E_DIAG, "neither a ruleset nor a mistake", "");
		require_diag(&d);
		return 0;
	}
	text = print(rs, LANG_INTERNAL);
	require(ruleset_validate(rs, &d), d.text, text);
	copy = ruleset_copy(rs);
	same = print(copy, LANG_INTERNAL);
	require_same(text, same, "the copy differs");
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		require_fixed_point(rs, forms[i]);
	return 0;
}
