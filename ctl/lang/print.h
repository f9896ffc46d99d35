/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_PRINT_H
#define LANG_PRINT_H
/* print - model -> canonical text.  Parts of a rule leave one blank behind themselves. */
#include <lang/lang.h>
#include <lang/lex.h>

void print_quoted(const char *s, struct strbuf *b);
void print_match(const struct match *m, unsigned int flags, struct strbuf *b);
void print_action(const struct rule *r, int family, struct strbuf *b);
void print_rule(const struct rule *r, int family, unsigned int flags, struct strbuf *b);
#endif
