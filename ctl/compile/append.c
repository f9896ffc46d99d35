/* SPDX-License-Identifier: GPL-2.0-only */
/* One rule more or less in an image in force: what it costs does not depend on how many there are. */
#include <compile/impl.h>

/* First and last prio of the rule at this index; none: the ends of the chain. */
static bool rule_prios(const struct compile_map *map, const struct chain *c, size_t index,
		       uint32_t *ret_first, uint32_t *ret_last)
{
	uint64_t at;

	if (!idmap_get(&map->rules, c->rules[index]->handle, &at))
		return false;
	*ret_first = (uint32_t)(at >> 32);
	*ret_last = (uint32_t)at;
	return true;
}

/* A prio between the neighbours. */
static bool prio_between(const struct compile_map *map, const struct chain *c, size_t index,
			 uint32_t *ret)
{
	uint32_t before = 0, after = 0, other;

	if (index && !rule_prios(map, c, index - 1, &other, &before))
		return false;
	if (index + 1 == c->n_rules) {
		*ret = ((before >> GW_PRIO_SHIFT) + 1) << GW_PRIO_SHIFT;
		return *ret > before;
	}
	if (!rule_prios(map, c, index + 1, &after, &other))
		return false;
	*ret = before + (after - before) / 2;
	return *ret > before;
}

static bool rule_leads_on(const struct rule *r)
{
	return r->action.verdict == VERDICT_JUMP || r->action.verdict == VERDICT_GOTO;
}

/*
 * May the rule lead to its chain?  Without a look at other rules only one that leads nowhere itself is known to make no loop.
 */
static bool edge_is_harmless(struct compile_map *map, const struct compile_where *w,
			     struct map_node *from)
{
	const struct rule *rule = w->chain->rules[w->index];
	const struct chain *c = table_chain(w->table, rule->action.chain);
	int above = from->above + (rule->action.verdict == VERDICT_JUMP);
	struct map_node *to;
	uint64_t at;

	if (!c || c == w->chain || c->base || !idmap_get(&map->chains, c->handle, &at))
		return false;
	to = &map->nodes[at];
	if (!to->leaf || above > GW_JUMP_DEPTH)
		return false;
	to->above = MAX(to->above, above);
	from->leaf = false;
	return true;
}

static int append_version(struct ctx *x, void *half, size_t cap, uint32_t root, uint32_t prio)
{
	uint8_t act[ACT_LINES_MAX][GW_LINE_SIZE];
	struct boxes out = { 0 };
	struct target to = { .out = &out, .first = prio, .single = true };
	int r;

	x->act = act;
	x->act_lines = 0;
	r = flat_rule(x, &to);
	if (!r && out.n)
		r = full(image_append(half, cap, root, out.b, out.n, x->act_lines ? act : NULL,
				      x->act_lines));
	boxes_deinit(&out);
	return r == FLAT_FULL ? COMPILE_E_AGAIN : r;
}

/* Maps have an action for each element. */
static bool rule_has_map(const struct rule *r)
{
	for (size_t i = 0; i < r->n_stmts; i++) {
		const struct stmt *st = &r->stmts[i];

		if ((st->kind == STMT_MARK || st->kind == STMT_CTMARK) && st->mark.map)
			return true;
	}
	return r->action.map;
}

static int append_rule(struct compile_map *map, const struct map_node *node, void *half, size_t cap,
		       struct ctx *x, uint32_t prio)
{
	int r = 0;

	for (int v6 = 0; !r && v6 < 2; v6++) {
		x->version = v6 ? 6 : 4;
		if (node->root[v6] != GW_NO_ROOT)
			r = append_version(x, half, cap, node->root[v6], prio);
	}
	if (!r)
		r = idmap_put(&map->rules, x->rule->handle, (uint64_t)prio << 32 | prio);
	/* one version may be there already */
	if (r && image_remove(half, x->rule->cid) < 0)
		return COMPILE_E_AGAIN;
	return r;
}

int compile_append(struct compile_map *map, void *half, size_t cap, const struct compile_where *w,
		   struct diag *d)
{
	struct rule *rule = w->chain->rules[w->index];
	struct ctx x = { .rs = w->rs,
			 .ifs = w->ifs,
			 .n_ifs = w->n_ifs,
			 .d = d,
			 .map = map,
			 .table = w->table,
			 .chain = w->chain,
			 .rule = rule };
	struct map_node *node;
	uint32_t prio;
	uint64_t at;
	int r;

	if (!idmap_get(&map->chains, w->chain->handle, &at) || rule_has_map(rule) ||
	    !prio_between(map, w->chain, w->index, &prio))
		return COMPILE_E_AGAIN;
	node = &map->nodes[at];
	x.above = node->above;
	if (node->above < 0 && w->chain->base)
		return COMPILE_E_AGAIN; /* the first rule of the chain */
	if (node->above < 0) {
		/* no packet comes here: it is compiled with the first rule that leads here */
		node->leaf &= !rule_leads_on(rule);
		return idmap_put(&map->rules, rule->handle, (uint64_t)prio << 32 | prio);
	}
	if (rule_leads_on(rule) && !edge_is_harmless(map, w, node))
		return COMPILE_E_AGAIN;
	r = append_rule(map, node, half, cap, &x, prio);
	free(x.spare);
	return r;
}

int compile_remove(void *half, uint32_t cid)
{
	int r = full(image_remove(half, cid));

	return r == FLAT_FULL ? COMPILE_E_AGAIN : r;
}
