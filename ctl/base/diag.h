/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H
/*
 * diag - a mistake of the user: where, what, and what to do.
 *
 * Printed as
 *     FILE:LINE:COL: error: TEXT
 *     the source line
 *         ^~~~
 *     hint: HINT
 */
#include <base/base.h>

struct diag {
	char file[256];	   /* "" = command line */
	unsigned int line; /* 1-based, 0 = no position */
	unsigned int col;  /* 1-based */
	unsigned int len;  /* characters to underline, at least 1 */
	char text[256];
	char hint[256];	  /* "" = none */
	char source[512]; /* the line it is about, "" = none */
};
void diag_set(struct diag *d, const char *fmt, ...) _printf_(2, 3); /* text without a position */
void diag_hint(struct diag *d, const char *fmt, ...) _printf_(2, 3);
/* Render as above into b (one trailing newline). */
void diag_render(const struct diag *d, struct strbuf *b);
#endif
