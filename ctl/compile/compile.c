/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/impl.h>

/* A base chain in its slot. */
struct place {
	const struct node *node;
	int hook;
	size_t seq;
};
struct compiler {
	struct ctx x;
	struct place *places;
	size_t n_places, cap_places;
	struct gw_head head;
	struct compile_map *map;
	size_t max_lines;
};

struct image *image_free(struct image *img)
{
	if (img) {
		free(img->lines);
		compile_map_free(img->map);
	}
	free(img);
	return NULL;
}

struct compile_map *compile_map_free(struct compile_map *map)
{
	if (map) {
		idmap_deinit(&map->rules);
		idmap_deinit(&map->chains);
		free(map->nodes);
	}
	free(map);
	return NULL;
}

static void compiler_deinit(struct compiler *c)
{
	builder_free(c->x.b);
	free(c->x.spare);
	graph_deinit(&c->x.graph);
	idmap_deinit(&c->x.sets);
	idmap_deinit(&c->x.states);
	free(c->places);
	compile_map_free(c->map);
}

int refuse(const struct ctx *x, const char *fmt, ...)
{
	char text[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (x->rule)
		diag_set(x->d, "%s %s %s handle %llu: %s", family_name(x->table->family),
			 x->table->name, x->chain->name, (unsigned long long)x->rule->handle, text);
	else
		diag_set(x->d, "%s", text);
	return COMPILE_E_DIAG;
}

static int refuse_full(const struct compiler *c)
{
	diag_set(c->x.d, "%s %s %s: the rules up to here need more than %zu lines (%zu MB)",
		 family_name(c->x.table->family), c->x.table->name, c->x.chain->name, c->max_lines,
		 c->max_lines * GW_LINE_SIZE >> 20);
	diag_hint(c->x.d, "the setting `rules.memory` says how much room there is for rules");
	return COMPILE_E_DIAG;
}

uint32_t compile_state(uint32_t gen, uint32_t i)
{
	return GW_STATES_MAX - 1 - (gen & 1) * COMPILE_STATES - i;
}

int state_of(struct ctx *x, const void *who, size_t index, uint32_t *ret)
{
	uint64_t key = (uint64_t)(uintptr_t)who << 16 ^ index, found;

	if (!x->b)
		return COMPILE_E_AGAIN;
	if (idmap_get(&x->states, key, &found)) {
		*ret = (uint32_t)found;
		return 0;
	}
	if (x->n_states >= COMPILE_STATES)
		return refuse(x, "more than %u turns of `numgen inc`", COMPILE_STATES);
	*ret = compile_state(x->gen, x->n_states++);
	return idmap_put(&x->states, key, *ret);
}

/* ---------------------------------------------------------------------------------------------------------- chains */

/* The roots of a chain, IPv4's and IPv6's side by side: a rule has the same prio in both. */
struct pair {
	struct boxes out[2];
	uint32_t next; /* prio */
};

static int chain_rule_flat(struct compiler *c, const struct node *n, struct pair *p)
{
	uint32_t last = p->next;
	int r = 0;

	for (int v6 = 0; !r && v6 < 2; v6++) {
		struct target to = { .out = &p->out[v6], .first = p->next };

		if (n->root[v6] == GW_NO_ROOT)
			continue;
		c->x.version = v6 ? 6 : 4;
		r = flat_rule(&c->x, &to);
		last = MAX(last, to.last);
	}
	if (!r)
		r = idmap_put(&c->map->rules, c->x.rule->handle, (uint64_t)p->next << 32 | last);
	p->next = ((last >> GW_PRIO_SHIFT) + 1) << GW_PRIO_SHIFT;
	return r;
}

static int chain_build(struct compiler *c, const struct node *n, const uint32_t next[2])
{
	struct pair p = { .next = 1U << GW_PRIO_SHIFT };
	const struct chain *chain = n->chain;
	int r = idmap_reserve(&c->map->rules, chain->n_rules);

	c->x.table = n->table;
	c->x.chain = chain;
	c->x.above = n->above;
	for (size_t i = 0; !r && i < chain->n_rules; i++) {
		c->x.rule = chain->rules[i];
		r = chain_rule_flat(c, n, &p);
	}
	c->x.rule = NULL;
	for (int v6 = 0; !r && v6 < 2; v6++) {
		struct gw_root head = { .next = next[v6],
					.policy = chain->policy_drop ? GW_V_DROP : GW_V_ACCEPT,
					.cid = chain->base ? chain->cid : 0,
					.flags = chain->base ? GW_ROOT_BASE : 0,
					.handle = chain->handle };

		if (n->root[v6] != GW_NO_ROOT)
			r = full(builder_root(c->x.b, n->root[v6], v6 ? 6 : 4, &head, p.out[v6].b,
					      p.out[v6].n));
	}
	boxes_deinit(&p.out[0]);
	boxes_deinit(&p.out[1]);
	return r;
}

static int build_user_chains(struct compiler *c)
{
	const uint32_t none[2] = { GW_NO_ROOT, GW_NO_ROOT };
	int r = 0;

	for (size_t i = 0; !r && i < c->x.graph.n; i++) {
		const struct node *n = &c->x.graph.nodes[i];

		if (!n->chain->base && n->above >= 0)
			r = chain_build(c, n, none);
	}
	return r;
}

/* The next chain of the same slot, for each version. */
static void place_next(const struct compiler *c, size_t at, uint32_t ret[2])
{
	ret[0] = ret[1] = GW_NO_ROOT;
	for (size_t i = at + 1; i < c->n_places && c->places[i].hook == c->places[at].hook; i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			if (ret[v6] == GW_NO_ROOT)
				ret[v6] = c->places[i].node->root[v6];
		}
	}
}

static int build_base_chains(struct compiler *c)
{
	uint32_t *hooks[2] = { &c->head.hooks4, &c->head.hooks6 };
	int r = 0;

	for (size_t i = 0; !r && i < c->n_places; i++) {
		const struct place *p = &c->places[i];
		uint32_t next[2];

		place_next(c, i, next);
		r = chain_build(c, p->node, next);
		for (int v6 = 0; !r && v6 < 2; v6++) {
			if (p->node->root[v6] == GW_NO_ROOT || *hooks[v6] & (1U << p->hook))
				continue;
			*hooks[v6] |= 1U << p->hook;
			builder_slot(c->x.b, (unsigned int)p->hook, v6 ? 6 : 4, p->node->root[v6]);
		}
	}
	return r;
}

/* --------------------------------------------------------------------------------------------------------- ruleset */

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	const struct chain *c = x->node->chain, *d = y->node->chain;

	if (x->hook != y->hook)
		return x->hook < y->hook ? -1 : 1;
	if (c->prio != d->prio)
		return c->prio < d->prio ? -1 : 1;
	/* of equals, netfilter runs the one first that came last */
	if (c->handle != d->handle)
		return c->handle > d->handle ? -1 : 1;
	return x->seq > y->seq ? -1 : 1;
}

static int place_add(struct compiler *c, const struct node *n)
{
	struct place p = { n, chain_hook(n->chain), c->n_places };
	int r;

	if (p.hook < 0) {
		diag_set(c->x.d,
			 "%s %s: there is no place for chain `%s` (type %s, hook %s, priority %d)",
			 family_name(n->table->family), n->table->name, n->chain->name,
			 chain_type_name((int)n->chain->type), hook_name(n->chain->hook_nf),
			 n->chain->prio);
		return COMPILE_E_DIAG;
	}
	r = array_reserve((void **)&c->places, &c->cap_places, c->n_places, sizeof(*c->places));
	if (r < 0)
		return r;
	c->places[c->n_places++] = p;
	return 0;
}

/* Chains that packets come to get their roots. */
static int compiler_reserve(struct compiler *c)
{
	int r = 0;

	for (size_t i = 0; !r && i < c->x.graph.n; i++) {
		struct node *n = &c->x.graph.nodes[i];

		for (int v6 = 0; n->above >= 0 && v6 < 2; v6++) {
			if (family_sees(n->table->family, v6 ? 6 : 4))
				n->root[v6] = builder_reserve_root(c->x.b);
		}
		if (n->chain->base && n->above >= 0)
			r = place_add(c, n);
	}
	if (c->n_places)
		qsort(c->places, c->n_places, sizeof(*c->places), place_cmp);
	return r;
}

static int map_chains(struct compiler *c)
{
	const struct graph *g = &c->x.graph;
	int r = 0;

	c->map->nodes = calloc(g->n + 1, sizeof(*c->map->nodes));
	if (!c->map->nodes)
		return -ENOMEM;
	for (size_t i = 0; !r && i < g->n; i++) {
		c->map->nodes[i] =
			(struct map_node){ .root = { g->nodes[i].root[0], g->nodes[i].root[1] },
					   .above = g->nodes[i].above,
					   .leaf = g->nodes[i].leaf };
		r = idmap_put(&c->map->chains, g->nodes[i].chain->handle, i);
	}
	c->map->n = g->n;
	return r;
}

static int compiler_run(struct compiler *c, const struct ruleset *rs, struct image **ret)
{
	int r = graph_build(&c->x.graph, rs, c->x.d);

	if (!r)
		r = full(builder_new(c->max_lines, &c->x.b));
	if (!r)
		r = compiler_reserve(c);
	if (!r)
		r = build_user_chains(c);
	if (!r)
		r = build_base_chains(c);
	if (!r)
		r = map_chains(c);
	if (r)
		return r;
	return full(builder_finish(c->x.b, &c->head, ret));
}

int compile_ruleset(const struct ruleset *rs, const struct compile_if *ifs, size_t n_ifs,
		    uint32_t gen, size_t max_lines, struct image **ret_image, struct diag *d)
{
	_cleanup_(compiler_deinit) struct compiler c = {
		.x = { .rs = rs, .ifs = ifs, .n_ifs = n_ifs, .d = d, .gen = gen },
		.head = { .gen = gen },
		.map = calloc(1, sizeof(*c.map)),
		.max_lines = max_lines,
	};
	struct image *img = NULL;
	int r = c.map ? compiler_run(&c, rs, &img) : -ENOMEM;

	if (r == FLAT_FULL && c.x.chain)
		return refuse_full(&c);
	if (r)
		return r;
	img->n_states = c.x.n_states;
	img->map = TAKE_PTR(c.map);
	*ret_image = img;
	return 0;
}
