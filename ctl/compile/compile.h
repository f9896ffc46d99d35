/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_COMPILE_H
#define COMPILE_COMPILE_H
/*
 * compile - model -> image (bytes as <gw/rule.h> states them).  Pure.
 */
#include <gw/abi.h>
#include <model/model.h>

enum { COMPILE_E_DIAG = 1 };

/* The interfaces that exist now: names in rules become ifindexes ("eth*" all that match). */
struct compile_if {
	unsigned int ifindex;
	char name[16];
};

struct image {
	uint8_t *lines; /* nlines * GW_LINE_SIZE */
	size_t nlines;
};
struct image *image_free(struct image *img);
DEFINE_FREEP(image)

/*
 * Every rule and policy must have its cid (<< GW_COUNTERS_MAX) already.  Policies of inet chains without rules and with policy accept
 * take no part: such a chain is left out.  Chains of `ip`/`ip6` tables always take part (iptables shows their policy counters).
 * COMPILE_E_DIAG: *d says which rule can not be compiled (too large: more than GW_IMAGE_LINES_MAX lines).
 */
#define GW_IMAGE_LINES_MAX (1U << 20)
int compile_ruleset(const struct ruleset *rs, const struct compile_if *ifs, size_t n_ifs,
		    uint32_t gen, struct image **ret_image, struct diag *d);
#endif
