/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_PRINT_H
#define LANG_PRINT_H
/* print - model -> canonical text.  Parts of a rule leave one blank behind themselves. */
#include <lang/lang.h>
#include <lang/lex.h>

void print_quoted(const char *s, struct strbuf *b);
/* One value of a type (one part of a concatenation), no blank behind it. */
void print_value(enum field_type type, const struct elem *e, unsigned int flags, struct strbuf *b);
void print_selector(const struct selector *s, struct strbuf *b); /* "ip saddr . tcp dport" */
void print_limit_rate(const struct limit *l,
		      struct strbuf *b);	    /* "rate over 5/second burst 10 packets" */
void print_bytes(uint64_t bytes, struct strbuf *b); /* "10 mbytes" */
void print_duration(uint64_t ms, struct strbuf *b); /* "1d2h3m4s" */
void print_name(const char *s, struct strbuf *b);   /* quoted where it must be */
void print_handle(uint64_t handle, unsigned int flags, struct strbuf *b); /* ` # handle N` */
void print_set(const struct set *s, unsigned int flags, struct strbuf *b);
void print_object(const struct object *o, unsigned int flags, struct strbuf *b);
struct elem_style {
	const enum field_type *types, *data; /* n_data 0: verdicts */
	unsigned int n_data, flags;
	bool counts; /* each has a counter */
};
void print_element(const struct elems *e, size_t i, const struct elem_style *style,
		   struct strbuf *b);
/* KEY . KEY, no blank behind it. */
void print_key(const enum field_type *types, unsigned int n, const struct elem *key,
	       unsigned int flags, struct strbuf *b);
/* `{ a, b }` on one line, as in a rule; data NULL: a set, n_data 0: verdicts. */
void print_elems(const struct elems *e, const enum field_type *types, const enum field_type *data,
		 unsigned int n_data, unsigned int flags, struct strbuf *b);
void print_verdict(const struct map_data *data, struct strbuf *b);
void print_match(const struct match *m, unsigned int flags, struct strbuf *b);
void print_rule(const struct rule *r, int family, unsigned int flags, struct strbuf *b);
#endif
