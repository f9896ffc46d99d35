/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_COMPILE_H
#define COMPILE_COMPILE_H
/*
 * compile - model -> image (bytes as <gw/image.h> states them).  Pure.
 */
#include <gw/abi.h>
#include <model/model.h>

enum { COMPILE_E_DIAG = 1, COMPILE_E_AGAIN };

/* The interfaces that exist now: names in rules become ifindexes ("eth*" all that match). */
struct compile_if {
	unsigned int ifindex;
	char name[16];
};

/* What compile_append must know of an image: roots of chains, places of rules.  Stays with the image in force. */
struct compile_map;
struct compile_map *compile_map_free(struct compile_map *map);
DEFINE_FREEP(compile_map)

struct image {
	uint8_t *lines; /* nlines * GW_LINE_SIZE */
	size_t nlines;
	uint32_t n_states; /* see compile_state() */
	struct compile_map *map;
};
struct image *image_free(struct image *img);
DEFINE_FREEP(image)

/*
 * Every rule and policy must have its cid (< GW_COUNTERS_MAX) already, every stmt and object its id.  Base chains of inet tables without
 * rules and with policy accept take no part: they have no root.  Chains of `ip`/`ip6` tables always take part (iptables shows their
 * policy counters).
 * COMPILE_E_DIAG: *d says which rule can not be compiled, or that more than max_lines lines would be needed.
 */
int compile_ruleset(const struct ruleset *rs, const struct compile_if *ifs, size_t n_ifs,
		    uint32_t gen, size_t max_lines, struct image **ret_image, struct diag *d);

/*
 * Number i of the state ids that an image of a generation gives itself (turns of numgen inc): at the end of gw_states, in halves as the
 * images are, so that those of the next image, below image.n_states, can be set to 0 before it is in force.
 */
#define COMPILE_STATES 512
uint32_t compile_state(uint32_t gen, uint32_t i);

/*
 * Rule number `index` of chain c, the only one that is new, goes into the image in force (a half of cap lines) without a look at the others.
 * COMPILE_E_AGAIN: it needs a full compile (a new set or root, no room, no place between its neighbours); the image is as it was.
 */
struct compile_where {
	const struct ruleset *rs;
	const struct table *table;
	const struct chain *chain;
	size_t index;
	const struct compile_if *ifs;
	size_t n_ifs;
};
int compile_append(struct compile_map *map, void *half, size_t cap, const struct compile_where *w,
		   struct diag *d);
/* The rule with this counter id never matches again. */
int compile_remove(void *half, uint32_t cid);

/*
 * Is element i of the set in the image?  The others, single values of sets that are dynamic or have timeouts and are no interval sets, live
 * in gw_dynset under the lower half of the set's handle; compile_key() gives their key: its length, 0 = no key (several values, an
 * interface that does not exist).
 */
bool compile_elem_is_static(const struct set *s, size_t i);
size_t compile_key(const struct set *s, const struct elem *parts, const struct compile_if *ifs,
		   size_t n_ifs, uint8_t ret[GW_DYNKEY_LEN]);
#endif
