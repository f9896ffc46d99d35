/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef JSON_IMPL_H
#define JSON_IMPL_H
/* impl - what the files of this room share.  Functions that return json_t * give a new reference, NULL = out of memory. */
#include <json/json.h>

/* A string of the user's; if it is not UTF-8 a `?` stands for each byte that is not ASCII: no longer than it was. */
json_t *out_text(const char *s);
json_t *out_field(enum field f, unsigned int dir);
json_t *out_selector(const struct selector *s);
json_t *out_match_left(const struct match *m);
json_t *out_value(enum field_type type, const struct elem *e);
/* Key of n parts: a value, or {"concat": [...]}. */
json_t *out_key(const enum field_type *types, unsigned int n, const struct elem *key);
json_t *out_verdict(enum verdict v, const char *chain);
/* Elements of a set or map; data NULL: a set; n_data 0: verdicts; rich: timeouts, counters and comments. */
json_t *out_elems(const struct elems *e, const enum field_type *types, const enum field_type *data,
		  unsigned int n_data, bool is_map, bool rich);
json_t *out_limit(const struct limit *l);
json_t *out_rule_expr(const struct table *t, const struct rule *r);
const char *family_of(const struct table *t);

/* Text of what stands in JSON; false: *in->why says what is wrong. */
struct in {
	struct strbuf *b;
	char why[160];
};
bool in_fail(struct in *in, const char *fmt, ...) _printf_(2, 3);
bool in_rule_expr(struct in *in, const json_t *expr);
bool in_value(struct in *in, const json_t *v);
bool in_statement(struct in *in, const char *word, const json_t *arg);
bool in_limit(struct in *in, const json_t *arg);
bool in_elements(struct in *in, const json_t *list);
void in_quoted(struct in *in, const char *s);
bool in_name(struct in *in, const json_t *obj, const char *key);

#endif
