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
void print_match(const struct match *m, unsigned int flags, struct strbuf *b);
void print_action(const struct rule *r, int family, struct strbuf *b);
void print_rule(const struct rule *r, int family, unsigned int flags, struct strbuf *b);
#endif
