/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_PRINT_PART_H
#define LANG_PRINT_PART_H
/* print_part - what the printers of rules share. */
#include <lang/print.h>

void print_addr(const uint8_t *a, size_t bytes, struct strbuf *b); /* 4, 6 (Ethernet), 16 */
void print_bits(enum field_type type, uint64_t bits, const char *between, struct strbuf *b);
void print_field(enum field f, uint8_t dir, struct strbuf *b);
/* SELECTOR map { ... }, SELECTOR vmap @name, no blank behind it; types of the values as in print_elems(). */
void print_map_use(const struct map_use *m, const char *word, const enum field_type *data,
		   unsigned int n_data, unsigned int flags, struct strbuf *b);
/* All of a rule but the comment. */
void print_body(const struct rule *r, int family, unsigned int flags, struct strbuf *b);
void print_stmt(const struct rule *r, const struct stmt *s, unsigned int flags, struct strbuf *b);
void print_counter(const struct rule *r, unsigned int flags, struct strbuf *b);
void print_log(const struct stmt *s, struct strbuf *b);
void print_set_stmt(const struct stmt *s, struct strbuf *b);
void print_nat(const struct action *a, int family, unsigned int flags, struct strbuf *b);
/* Does what stands behind match i say the same, so that nft leaves it out?  @counted: a counter is printed in front of what the rule does. */
bool match_is_implied(const struct rule *r, size_t i, int family, bool counted);

#endif
