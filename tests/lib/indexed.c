/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <compile/index.h>
#include "indexed.h"

static struct index_rule rule_of(const struct indexed_rule *from, uint32_t rank)
{
	struct index_rule r = { .s_lo = from->s_lo,
				.s_hi = from->s_hi,
				.d_lo = from->d_lo,
				.d_hi = from->d_hi,
				.not_s = from->not_s,
				.sp_hi = 0xffff,
				.dp_lo = from->dp_lo,
				.dp_hi = from->dp_hi,
				.states = 0xff,
				.prio = rank << GW_PRIO_SHIFT,
				.id = from->id,
				.flags = (uint32_t)from->verdict << 8 };

	if (from->proto) {
		r.meta = GW_META_PROTO(from->proto);
		r.mmask = GW_META_PROTO(0xff);
	}
	return r;
}

void *indexed_build(unsigned int hook, bool v6, const struct indexed_rule *rules, size_t n,
		    size_t max_lines, size_t *ret_lines)
{
	struct gw_root root = { .next = GW_NO_ROOT, .policy = GW_V_ACCEPT, .flags = GW_ROOT_BASE };
	_cleanup_(freep) struct index_rule *to = calloc(n, sizeof(*to));
	_cleanup_(builder_freep) struct builder *b = NULL;
	_cleanup_(image_freep) struct image *image = NULL;
	struct gw_head head = { 0 };
	uint32_t number;

	for (size_t i = 0; to && i < n; i++)
		to[i] = rule_of(&rules[i], (uint32_t)i + 1);
	if (!to || builder_new(max_lines, &b))
		return NULL;
	number = builder_reserve_root(b);
	if (builder_root(b, number, v6 ? 6 : 4, &root, to, n))
		return NULL;
	builder_slot(b, hook, v6 ? 6 : 4, number);
	if (builder_finish(b, &head, &image))
		return NULL;
	*ret_lines = image->nlines;
	return TAKE_PTR(image->lines);
}
