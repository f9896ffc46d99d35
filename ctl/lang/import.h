/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_IMPORT_H
#define LANG_IMPORT_H
/*
 * import - a foreign ruleset, as `nft list ruleset` prints it: what is understood is kept, the rest is reported.
 */
#include <lang/lang.h>

#define IMPORT_SKIPS_MAX 10000

/*
 * Apply text to *rs; what is refused is left out, a rule or a whole block (set, chain, table) at a time.  *report gets
 * "FILE:LINE: REASON: TEXT" for each.  Returns 0, LANG_E_DIAG (more than IMPORT_SKIPS_MAX refusals, or one that has no place), -errno.
 */
int lang_import(struct ruleset *rs, const char *file, const char *text, size_t len,
		struct strbuf *report, unsigned int *ret_skipped, struct diag *d);
#endif
