/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/impl.h>

int cells_add(const struct ctx *x, struct cells *c, const struct gw_op *op,
	      const struct gw_op_pair *more)
{
	if (c->n + 1U + op->len > GW_ACT_CELLS_MAX)
		return refuse(x,
			      "too many matches and statements that are not looked up in the index "
			      "(%u fit)",
			      GW_ACT_CELLS_MAX);
	c->op[c->n++] = *op;
	for (unsigned int i = 0; i < op->len; i++)
		memcpy(&c->op[c->n++], &more[i], sizeof(more[i]));
	return 0;
}

/* The first three cells are in the head's line, the others four to a line. */
static size_t act_write(const struct act *a, uint8_t lines[ACT_LINES_MAX][GW_LINE_SIZE])
{
	struct gw_act head = { .arg = a->arg, .flags = a->no_count ? GW_ACT_NO_COUNT : 0 };
	unsigned int n = a->cells->n, more = n > 3 ? (n - 3 + 3) / 4 : 0;

	head.n_cells = (uint8_t)n;
	memcpy(head.cell, a->cells->op, MIN(n, 3U) * sizeof(struct gw_op));
	if (n > 3)
		memcpy(lines[1], a->cells->op + 3, (n - 3) * sizeof(struct gw_op));
	if (a->nat) {
		head.nat = (uint16_t)(1 + more);
		memcpy(lines[1 + more], a->nat, sizeof(*a->nat));
	}
	memcpy(lines[0], &head, sizeof(head));
	return 1 + more + (a->nat ? 1 : 0);
}

static int act_add(struct ctx *x, const struct act *a, uint32_t *ret)
{
	uint8_t lines[ACT_LINES_MAX][GW_LINE_SIZE] = { 0 };
	size_t n = act_write(a, lines);

	*ret = 0;
	if (x->b)
		return full(builder_act(x->b, lines, n, ret));
	/* image_append finds a place for it */
	memcpy(x->act, lines, n * GW_LINE_SIZE);
	x->act_lines = n;
	return 0;
}

int act_make(struct ctx *x, const struct act *a, uint32_t *ret_flags)
{
	uint32_t at;
	int r;

	*ret_flags = (uint32_t)a->verdict << 8;
	if (!a->cells->n && !a->no_count && !a->nat &&
	    (a->verdict <= GW_V_DROP || a->verdict == GW_V_RETURN))
		return 0;
	r = act_add(x, a, &at);
	if (r)
		return r;
	*ret_flags |= at << 12;
	return at > GW_ENT_ACT_MAX ? FLAT_FULL : 0;
}
