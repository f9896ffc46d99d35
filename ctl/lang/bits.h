/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_BITS_H
#define LANG_BITS_H
/*
 * bits - matches on fields of bits: TCP flags, states and status of connections.
 *
 * `a,b` any of them; `! a,b` none of them; `== a` exactly that; `a / a,b` and `& (a | b) == a`: of these, exactly that.
 */
#include <lang/parse.h>

int match_take_elem(struct match *m, const struct elem *e); /* one value, or -ENOMEM */
int parse_bit_mask(struct parser *p, struct match *m);	    /* behind `&` */
int parse_bit_values(struct parser *p, struct match *m);
int parse_bits_absent(struct parser *p, struct match *m); /* at `!` */
/* Several ways to write the same become one. */
int settle_bits(struct parser *p, struct match *m, const struct token *at);

#endif
