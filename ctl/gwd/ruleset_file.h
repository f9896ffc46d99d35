/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_RULESET_FILE_H
#define GWD_RULESET_FILE_H
/*
 * ruleset_file - gwd's own ruleset file, with what it includes.  Only here does gwd open files that a text names: this text is
 * the administrator's and no client's.
 */
#include <base/diag.h>

enum { RULESET_FILE_E_DIAG = 1 };

/* -ENOENT: there is no such file; RULESET_FILE_E_DIAG: it can not be read, or one that it includes, *d says why. */
int ruleset_file_read(const char *path, char **ret_text, size_t *ret_len, struct diag *d);

#endif
