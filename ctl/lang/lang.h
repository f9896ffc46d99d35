/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_LANG_H
#define LANG_LANG_H
/*
 * lang - nftables syntax <-> model.
 *
 * lang_apply() is a whole `nft -f` file or a single command ("add rule inet filter forward tcp dport 22 accept"):
 * it changes *rs in place, command by command.  On a mistake it returns LANG_E_DIAG, *d is filled, and *rs is half changed:
 * callers work on a ruleset_copy() and throw it away (all or nothing is theirs).
 *
 * Commands: table blocks; add/create/insert/replace/delete/destroy/flush/rename for table, chain, rule, set, map, element, counter,
 * quota, limit; define/redefine/undefine.  Anything not supported is refused by name with line and column.
 *
 * Where this differs from nft:
 *   - `ct state != a,b` means neither of them, and is printed `! a,b`; `snat to ADDR` in an inet table needs no `ip`: the address says it.
 *   - numbers of a generator with an offset are counted from 0; `fib ... oif 0` is `missing`.
 *   - an anonymous set that is one interval when all is joined loses its braces.
 *   - a verdict map and `continue` end the rule as other verdicts do; a rule has one counter of its own.
 *   - a rule that can never match where it stands (oifname in input, ct in raw) is a mistake.
 *   - standard chains (model.h) need not be made; a replaced rule keeps its handle and counts anew.
 *   - elements of named sets are kept in order; concatenations of ranges too, where nft keeps them as they came.  A set of those may hold
 *     ranges that have a key in common, a map may not.
 *   - in strings \" and \\ stand for " and \.
 * The internal form adds `gw ...` behind rules and lines `gw-table`, `gw-chain`, `gw-ruleset`; handles and counter ids are checked to be
 * unique, so it is harmless wherever it comes from.
 */
#include <base/include.h>
#include <model/model.h>

enum { LANG_E_DIAG = 1 };

/* How many of each thing a run changed, for the diff line gwctl prints; may be NULL. */
struct lang_changes {
	unsigned int rules_added, rules_deleted, chains_added, chains_deleted, tables_added,
		tables_deleted, policies;
	uint64_t last_handle; /* of the last rule added */
};

int lang_apply(struct ruleset *rs, const char *file, const char *text, size_t len,
	       struct lang_changes *ret_changes, struct diag *d);

/* Does the text begin with `flush ruleset`?  Then what was there before need not be looked at. */
bool lang_flushes_first(const char *text, size_t len);

/*
 * The text with the files it includes in place of `include "..."`; each part is marked with where it comes from, so that
 * lang_apply() names the file and the line of a mistake.  lang opens nothing: find does (base/include.h), and gives -errno
 * if it can not.  Without an `include` the text is as it was.  lang_apply() itself refuses `include`.
 */
typedef int (*lang_include_fn)(void *arg, const char *pattern, struct include_files *ret);
int lang_expand_includes(const char *file, const char *text, size_t len, lang_include_fn find,
			 void *arg, struct strbuf *out, struct diag *d);

#define LANG_HANDLES (1U << 0) /* "# handle N" */
#define LANG_COUNTERS \
	(1U           \
	 << 1) /* `counter packets N bytes M` for every rule, not only where `counter` was written */
#define LANG_STATELESS (1U << 2) /* `counter` without numbers */
#define LANG_INTERNAL \
	(1U           \
	 << 3) /* lossless: also handles, counter ids, xtspec; what gwd and gwctl exchange and gwd's state file */
/* Canonical text; parse(print(x)) == x, print(parse(print(x))) == print(x). */
void lang_print(const struct ruleset *rs, unsigned int flags, struct strbuf *b);
void lang_print_table(const struct table *t, unsigned int flags, struct strbuf *b);
void lang_print_chain(const struct table *t, const struct chain *c, unsigned int flags,
		      struct strbuf *b);
void lang_print_rule(const struct rule *r, unsigned int flags, struct strbuf *b); /* no newline */

#endif
