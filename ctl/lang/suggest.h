/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_SUGGEST_H
#define LANG_SUGGEST_H
/*
 * suggest - "did you mean": the one of many words that is nearest to what was written.
 */
#include <lang/parse.h>

struct suggest {
	char word[NAME_SIZE];
	char best[NAME_SIZE];
	unsigned int distance; /* of best */
};

void suggest_init(struct suggest *s, const char *word, size_t len);
void suggest_try(struct suggest *s, const char *candidate);
void suggest_words(struct suggest *s, const char *const *words, size_t n);
/* Give the diag a hint if something is near enough; returns LANG_E_DIAG. */
int suggest_hint(struct parser *p, const struct suggest *s);

#endif
