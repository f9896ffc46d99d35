/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_CONVERT_H
#define IPTABLES_CONVERT_H
/*
 * convert - what the files that turn a rule of the dialect into one of the model share.
 *
 * Matches keep their order: what stands behind a limit or a set statement is looked at only when that has passed (match.after).
 * The counter stands behind all of them, so that a rule is counted when everything has held, and the target's statements
 * behind the counter.
 */
#include <iptables/ext.h>

struct conv {
	struct rule *r;
	const struct xt_rule *x;
	const struct xt_place *place; /* or NULL */
	struct diag *d;
};

/* One more match with n elements of n_fields parts; NULL = out of memory. */
struct match *conv_match(struct conv *c, enum field field, bool negate, size_t n);
struct match *conv_concat(struct conv *c, const enum field *fields, unsigned int n_fields,
			  bool negate, size_t n);
/* 0 or -ENOMEM */
int conv_num(struct conv *c, enum field field, bool negate, uint64_t lo, uint64_t hi);
int conv_stmt(struct conv *c, struct stmt *s);
/* 4 or 6 of two */
enum field conv_field(const struct conv *c, enum field v4, enum field v6);
/* The port field of the rule's protocol. */
enum field conv_port_field(uint8_t proto, bool dest);

struct limit conv_rate(const struct xt_rate *rate);

int conv_ext(struct conv *c, const struct xt_match *m); /* convert_match.c */
int conv_target(struct conv *c);			/* convert_target.c */
int conv_hashlimit(struct conv *c,
		   const struct xt_match *m); /* own.c: matches with sets of their own */
int conv_connlimit(struct conv *c, const struct xt_match *m);
int conv_recent(struct conv *c, const struct xt_match *m);
int conv_set(struct conv *c, const struct xt_match *m);

/* Delete the sets that the dialect made and no rule uses any more. */
void own_sweep(struct ruleset *rs, int version);
/* Is the set one that the dialect made? */
bool own_is(const struct set *s);
#endif
