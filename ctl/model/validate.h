/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MODEL_VALIDATE_H
#define MODEL_VALIDATE_H
/* validate - what the files that judge a rule share. */
#include <model/model.h>

#define HOOK_PRE  (1U << 0)
#define HOOK_IN	  (1U << 1)
#define HOOK_FWD  (1U << 2)
#define HOOK_OUT  (1U << 3)
#define HOOK_POST (1U << 4)

bool chain_at(const struct chain *c, unsigned int hooks); /* a base chain at one of these hooks? */
bool chain_is_raw(const struct chain *c);

/* validate_match.c: from match number f->n on; 0: f is filled in anew */
bool matches_validate(const struct table *t, const struct chain *c, const struct rule *r,
		      struct facts *f, struct diag *d);
/* Are all protocols that are left in the list? */
bool protos_within(const struct facts *f, const uint8_t *list, size_t n);
/* Selectors of maps and set statements: can they stand here, and what do they leave? */
bool selector_validate(const struct table *t, const struct chain *c, const struct selector *s,
		       struct facts *f, struct diag *d);

/* validate_action.c */
bool action_validate(const struct chain *c, const struct action *a, const struct facts *f,
		     struct diag *d);

/* Does the verdict, does a statement work in a chain that this base chain's packets come to? */
bool action_fits(const struct chain *base, const struct action *a, struct diag *d);
bool place_validate(const struct chain *base, const struct rule *r, struct diag *d);

/* validate_use.c: what rules say of sets, maps and chains. */
bool uses_validate(const struct table *t, const struct rule *r,
		   struct diag *d); /* those that are there */
bool refs_validate(const struct table *t, const struct rule *r, struct diag *d); /* all are there */
/* validate_jump.c: jumps end, and not too deep. */
bool jumps_validate(const struct table *t, struct diag *d);

#endif
