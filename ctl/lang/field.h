/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_FIELD_H
#define LANG_FIELD_H
/* field - what parsers of matches and maps need beyond parse_selector(). */
#include <lang/parse.h>
#include <lang/suggest.h>

/* As parse_selector(); *ret_offset: of numgen, what is added to each number; *ret_at covers the words of the first field. */
int parse_selector_at(struct parser *p, struct selector *ret, uint32_t *ret_offset,
		      struct token *ret_at, bool *ret_done);
/* The first words of all fields. */
void suggest_fields(struct suggest *s);

#endif
