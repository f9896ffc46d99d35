/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chains and the rules that lead from one to the other: no way leads back, and none is longer than the stack of the data plane.
 */
#include <compile/impl.h>

struct edge {
	uint32_t from, to;
	bool jump; /* else goto: nothing to come back to */
};
struct edges {
	struct edge *e;
	size_t n, cap;
};

void graph_deinit(struct graph *g)
{
	free(g->nodes);
	idmap_deinit(&g->by_name);
	idmap_deinit(&g->by_chain);
	*g = (struct graph){ 0 };
}

bool chain_takes_part(const struct table *t, const struct chain *c)
{
	return c->base && !t->dormant && (t->family != FAMILY_INET || c->n_rules || c->policy_drop);
}

static uint64_t name_key(const struct table *t, const char *name)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ t->handle * 0x9e3779b97f4a7c15ULL;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3ULL;
	return h;
}

struct node *graph_node(const struct graph *g, const struct chain *c)
{
	uint64_t at;

	return idmap_get(&g->by_chain, (uintptr_t)c, &at) ? &g->nodes[at] : NULL;
}

struct node *graph_find(const struct graph *g, const struct table *t, const char *name)
{
	const struct chain *c;
	uint64_t at;

	if (idmap_get(&g->by_name, name_key(t, name), &at) && g->nodes[at].table == t &&
	    !strcmp(g->nodes[at].chain->name, name))
		return &g->nodes[at];
	c = table_chain(t, name);
	return c ? graph_node(g, c) : NULL;
}

static int graph_collect(struct graph *g, const struct ruleset *rs)
{
	int r = 0;

	for (size_t i = 0; i < rs->n_tables; i++) {
		const struct table *t = rs->tables[i];

		for (size_t k = 0; !r && k < t->n_chains; k++) {
			const struct chain *c = t->chains[k];

			r = array_reserve((void **)&g->nodes, &g->cap, g->n, sizeof(*g->nodes));
			if (r < 0)
				return r;
			g->nodes[g->n] = (struct node){ .table = t,
							.chain = c,
							.root = { GW_NO_ROOT, GW_NO_ROOT },
							.above = -1,
							.leaf = true };
			r = idmap_put(&g->by_chain, (uintptr_t)c, g->n);
			if (!r)
				r = idmap_put(&g->by_name, name_key(t, c->name), g->n);
			g->n++;
		}
	}
	return r;
}

static int edge_add(struct graph *g, struct edges *l, const struct node *from, enum verdict v,
		    const char *name, const struct rule *rule, struct diag *d)
{
	const struct ctx x = { .table = from->table, .chain = from->chain, .rule = rule, .d = d };
	const struct node *to;
	int r;

	if (v != VERDICT_JUMP && v != VERDICT_GOTO)
		return 0;
	to = graph_find(g, from->table, name);
	if (!to)
		return refuse(&x, "there is no chain `%s` in table %s %s", name,
			      family_name(from->table->family), from->table->name);
	if (to->chain->base)
		return refuse(&x,
			      "`%s` is a base chain: only packets come there, no rule leads to it",
			      name);
	r = array_reserve((void **)&l->e, &l->cap, l->n, sizeof(*l->e));
	if (r < 0)
		return r;
	l->e[l->n++] = (struct edge){ (uint32_t)(from - g->nodes), (uint32_t)(to - g->nodes),
				      v == VERDICT_JUMP };
	g->nodes[from - g->nodes].leaf = false;
	return 0;
}

static int edges_of_rule(struct graph *g, struct edges *l, const struct node *n,
			 const struct rule *rule, struct diag *d)
{
	const struct action *a = &rule->action;
	const struct elems *e;
	const struct set *set;
	int r = 0;

	if (a->verdict != VERDICT_VMAP || !a->map)
		return edge_add(g, l, n, a->verdict, a->chain, rule, d);
	set = a->map->name ? table_set(n->table, a->map->name) : NULL;
	e = set ? set->elems : a->map->elems;
	for (size_t i = 0; !r && e && i < e->n; i++)
		r = edge_add(g, l, n, e->data[i].verdict, e->data[i].chain, rule, d);
	return r;
}

static int edges_collect(struct graph *g, struct edges *l, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct chain *c = g->nodes[i].chain;

		for (size_t k = 0; !r && k < c->n_rules; k++)
			r = edges_of_rule(g, l, &g->nodes[i], c->rules[k], d);
	}
	return r;
}

struct visit {
	struct graph *g;
	const struct edges *l;
	size_t *first;	 /* of each node's edges; one more at the end */
	uint8_t *state;	 /* 0 not seen, 1 on the way here, 2 done */
	uint32_t *way;	 /* nodes on the way */
	size_t *next;	 /* edge of each node to look at next */
	uint32_t *order; /* done first comes last */
	size_t n_order;
};

static void visit_deinit(struct visit *v)
{
	free(v->first);
	free(v->state);
	free(v->way);
	free(v->next);
	free(v->order);
}

static int visit_init(struct visit *v, struct graph *g, const struct edges *l)
{
	size_t at = 0;

	*v = (struct visit){ .g = g, .l = l };
	v->first = calloc(g->n + 1, sizeof(*v->first));
	v->state = calloc(g->n + 1, 1);
	v->way = calloc(g->n + 1, sizeof(*v->way));
	v->next = calloc(g->n + 1, sizeof(*v->next));
	v->order = calloc(g->n + 1, sizeof(*v->order));
	if (!v->first || !v->state || !v->way || !v->next || !v->order)
		return -ENOMEM;
	for (size_t i = 0; i <= g->n; i++) {
		while (at < l->n && l->e[at].from < i)
			at++;
		v->first[i] = v->next[i] = at;
	}
	return 0;
}

static int refuse_loop(const struct node *from, const struct node *to, struct diag *d)
{
	diag_set(d,
		 "%s %s: chain `%s` leads to chain `%s`, which leads back to it: packets would go "
		 "round for ever",
		 family_name(from->table->family), from->table->name, from->chain->name,
		 to->chain->name);
	return COMPILE_E_DIAG;
}

/* Depth first, without recursion: the way may be long. */
static int visit_from(struct visit *v, uint32_t start, struct diag *d)
{
	size_t n = 0;

	v->way[n++] = start;
	v->state[start] = 1;
	while (n) {
		uint32_t at = v->way[n - 1], to;

		if (v->next[at] == v->first[at + 1]) {
			v->state[at] = 2;
			v->order[v->n_order++] = at;
			n--;
			continue;
		}
		to = v->l->e[v->next[at]++].to;
		if (v->state[to] == 1)
			return refuse_loop(&v->g->nodes[at], &v->g->nodes[to], d);
		if (!v->state[to]) {
			v->state[to] = 1;
			v->way[n++] = to;
		}
	}
	return 0;
}

static int refuse_depth(const struct node *n, struct diag *d)
{
	diag_set(d, "%s %s: the way to chain `%s` is more than %d jumps long",
		 family_name(n->table->family), n->table->name, n->chain->name, GW_JUMP_DEPTH);
	diag_hint(d, "`goto` needs no place to come back to");
	return COMPILE_E_DIAG;
}

static int visit_depths(struct visit *v, struct diag *d)
{
	struct node *nodes = v->g->nodes;

	for (size_t i = 0; i < v->g->n; i++)
		nodes[i].above = chain_takes_part(nodes[i].table, nodes[i].chain) ? 0 : -1;
	for (size_t i = v->n_order; i--;) {
		uint32_t at = v->order[i];

		if (nodes[at].above > GW_JUMP_DEPTH)
			return refuse_depth(&nodes[at], d);
		for (size_t e = v->first[at]; nodes[at].above >= 0 && e < v->first[at + 1]; e++) {
			struct node *to = &nodes[v->l->e[e].to];

			to->above = MAX(to->above, nodes[at].above + v->l->e[e].jump);
		}
	}
	return 0;
}

int graph_build(struct graph *g, const struct ruleset *rs, struct diag *d)
{
	_cleanup_(visit_deinit) struct visit v = { 0 };
	struct edges l = { 0 };
	int r = graph_collect(g, rs);

	if (!r)
		r = edges_collect(g, &l, d);
	if (!r)
		r = visit_init(&v, g, &l);
	for (uint32_t i = 0; !r && i < g->n; i++) {
		if (!v.state[i])
			r = visit_from(&v, i, d);
	}
	if (!r)
		r = visit_depths(&v, d);
	free(l.e);
	return r;
}
