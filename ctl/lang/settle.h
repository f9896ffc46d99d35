/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_SETTLE_H
#define LANG_SETTLE_H
/* settle - what putting elements into a set and cutting them out of intervals share. */
#include <lang/parse.h>
#include <model/keys.h>

struct merger {
	struct parser *p;
	const struct settle *s;
	struct key_type type;
	struct elems *out;
	const struct place *last;    /* where the last of out was written, NULL: it was there */
	const struct place **places; /* likewise of all, where they are needed */
	size_t cap_places;
};

/* Looks at each element of the batch: is it one that the set can have? */
int merger_init(struct merger *m, struct parser *p, const struct settle *s, const struct batch *b);
/* The order of the elements, as indices; the caller frees. */
size_t *sorted_indices(const struct key_type *type, const struct elems *e);
/* Element i of from behind those of out; strings of what is shared are copied. */
int append(struct elems *out, struct elems *from, size_t i);
int fail_here(const struct merger *m, const struct place *place, const char *text);

#endif
