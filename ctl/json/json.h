/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef JSON_JSON_H
#define JSON_JSON_H
/*
 * json - rulesets in libnftables' JSON schema, libnftables-json(5).  Pure.
 *
 * Out: the objects of `nft -j list ruleset`, in its order.  In: an object with "nftables", an array of commands (or of bare objects, which
 * are added); it becomes text in nft's syntax, so that one parser judges both.
 */
#include <jansson.h>
#include <lang/lang.h>

enum { JSON_E_DIAG = 1 };

/* NULL: out of memory. */
json_t *json_export(const struct ruleset *rs);
/* Each command is one line of *ret_text.  JSON_E_DIAG: *d names the item and what is wrong with it. */
int json_import(const char *file, const char *text, size_t len, struct strbuf *ret_text,
		struct diag *d);

#endif
