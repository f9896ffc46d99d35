/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_STMT_H
#define LANG_STMT_H
#include <lang/suggest.h>

/* The first words of all statements. */
void suggest_stmts(struct suggest *s);

#endif
