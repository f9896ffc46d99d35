/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An indexed root.  Rules with the same pair of labels are a group: small ones are lists, large ones are split again by what tells their
 * rules apart, ports or one exact field; each group has one entry in the hash table, which is the first of its list or says how it is split.
 */
#include <compile/labels.h>
#include <compile/order.h>

/* A group of at most this many is a list. */
#define GROUP_MAX 16
/* Copies of a rule in the cells of a group that is split by ports. */
#define CELLS_MAX 16
/* From this size on a group is worth a look at what all of its rules ask for, and at the order of its cells. */
#define GROUP_LARGE 64
/* From this many pairs for a packet on their order matters; ... and from this many to be passed by it matters what labels have at least. */
#define PAIRS_MANY 4
#define PAIRS_CUT  8

struct maker {
	struct builder *b;
	int version;
	const struct index_rule *rules;
	size_t n;
	struct labels dim[2];
	struct portmap ports[2];
	uint32_t *port_at; /* rule -> its number in ports[].range_of */
	bool have_ports;
	struct gw_ent *entries; /* of each rule, but for key and next */
	struct gw_ent *table;	/* with keys; to be hashed */
	size_t n_table, table_cap;
	struct gw_ent *rul;
	size_t n_rul, rul_cap;
	uint64_t *grp;
	size_t n_grp, grp_cap;
	uint32_t n_fields; /* groups split by a field */
};

static void maker_deinit(struct maker *m)
{
	for (int i = 0; i < 2; i++) {
		labels_deinit(&m->dim[i]);
		portmap_deinit(&m->ports[i]);
	}
	free(m->port_at);
	free(m->entries);
	free(m->table);
	free(m->rul);
	free(m->grp);
}

static int no_memory(void)
{
	return raise(-ENOMEM, "cannot build the index");
}

static int table_add(struct maker *m, const struct gw_ent *e, uint64_t key, uint32_t next,
		     uint32_t flags)
{
	struct gw_ent *to;

	if (array_reserve((void **)&m->table, &m->table_cap, m->n_table, sizeof(*to)) < 0)
		return no_memory();
	to = &m->table[m->n_table++];
	*to = *e;
	to->key = key;
	to->next = next;
	to->flags |= flags;
	return 0;
}

/* ----------------------------------------------------------------------------------------------------------- groups */

/* A group: numbers of rules in ascending order; what has split it so far. */
struct group {
	uint64_t key;
	const uint32_t *at;
	size_t n;
	unsigned int splits, depth; /* splits: bit GW_SPLIT_*, bit 4 ports */
	uint64_t known; /* of meta: what packets that come here are already known to have */
};
#define SPLIT_PORTS 4
#define SPLIT_NONE  5

static int make_group(struct maker *m, const struct group *g);

static int make_list(struct maker *m, const struct group *g)
{
	int r = table_add(m, &m->entries[g->at[0]], g->key, (uint32_t)m->n_rul,
			  g->n == 1 ? GW_ENT_LAST : 0);

	for (size_t i = 1; !r && i < g->n; i++) {
		if (array_reserve((void **)&m->rul, &m->rul_cap, m->n_rul, sizeof(*m->rul)) < 0)
			return no_memory();
		m->rul[m->n_rul] = m->entries[g->at[i]];
		m->rul[m->n_rul++].flags |= i + 1 == g->n ? GW_ENT_LAST : 0;
	}
	return r;
}

/* The value of an exact field of a rule; false: the rule does not ask for one exact value. */
static bool field_value(const struct index_rule *r, unsigned int split, uint32_t *ret)
{
	static const struct {
		unsigned int shift;
		uint32_t mask;
	} at[] = { [GW_SPLIT_IIF] = { 40, GW_META_IF_MAX },
		   [GW_SPLIT_OIF] = { 16, GW_META_IF_MAX },
		   [GW_SPLIT_PROTO] = { 8, 0xff } };

	if (split == GW_SPLIT_MARK) {
		*ret = r->mark;
		return r->markm == ~0U;
	}
	*ret = (uint32_t)(r->meta >> at[split].shift) & at[split].mask;
	return ((r->mmask >> at[split].shift) & at[split].mask) == at[split].mask;
}

/* The group's rules by the value of a field, those without last; *ret_exact: how many have one. */
static struct sort_item *by_field(const struct maker *m, const struct group *g, unsigned int split,
				  size_t *ret_exact)
{
	struct sort_item *items = malloc(2 * g->n * sizeof(*items));
	size_t exact = 0;

	for (size_t i = 0; items && i < g->n; i++) {
		uint32_t value;
		bool has = field_value(&m->rules[g->at[i]], split, &value);

		items[i] = (struct sort_item){ has ? value : 1ULL << 32, g->at[i] };
		exact += has;
	}
	if (items)
		sort_items(items, items + g->n, g->n);
	*ret_exact = exact;
	return items;
}

static size_t longest_run(const struct sort_item *items, size_t n)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < n; i++) {
		run = i && items[i].key == items[i - 1].key ? run + 1 : 1;
		longest = MAX(longest, run);
	}
	return longest;
}

/* How many rules a packet may still meet if the group is split by this field. */
static int field_cost(const struct maker *m, const struct group *g, unsigned int split,
		      size_t *ret_cost)
{
	size_t exact;
	_cleanup_(freep) struct sort_item *items = by_field(m, g, split, &exact);

	if (!items)
		return no_memory();
	*ret_cost = longest_run(items, exact) + g->n - exact;
	return 0;
}

/* Labels of a rule's ports; a rule in too many cells counts as any in the dimension that is cut more. */
struct cells {
	const uint16_t *label[2];
	size_t n[2];
};

static struct cells rule_cells(const struct maker *m, uint32_t rule, unsigned int dims)
{
	static const uint16_t any = 0;
	struct cells c;

	for (int dim = 0; dim < 2; dim++) {
		const struct portmap *p = &m->ports[dim];
		uint32_t range = p->range_of[m->port_at[rule]];

		c.label[dim] = dims >> dim & 1 ? &p->list[p->first[range]] : &any;
		c.n[dim] = dims >> dim & 1 ? p->n_labels[range] : 1;
	}
	while (c.n[0] * c.n[1] > CELLS_MAX) {
		int wide = c.n[1] > c.n[0];

		c.label[wide] = &any;
		c.n[wide] = 1;
	}
	return c;
}

/*
 * The group's rules by cell (source label << 16 | destination label), those with several more than once.  dims: bit 0 by source ports, 1 by
 * destination ports.
 */
#define DIMS_BOTH 3
static struct sort_item *by_ports(const struct maker *m, const struct group *g, unsigned int dims,
				  size_t *ret_n)
{
	struct sort_item *items;
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct cells c = rule_cells(m, g->at[i], dims);

		n += c.n[0] * c.n[1];
	}
	items = malloc(2 * n * sizeof(*items));
	*ret_n = n;
	n = 0;
	for (size_t i = 0; items && i < g->n; i++) {
		struct cells c = rule_cells(m, g->at[i], dims);

		for (size_t s = 0; s < c.n[0]; s++) {
			for (size_t d = 0; d < c.n[1]; d++)
				items[n++] = (struct sort_item){
					(uint64_t)c.label[0][s] << 16 | c.label[1][d], g->at[i]
				};
		}
	}
	if (items)
		sort_items(items, items + n, n);
	return items;
}

static struct order cells_order(const struct maker *m, const struct sort_item *items, size_t n)
{
	return (struct order){ .tree = { &m->ports[0].labels.tree, &m->ports[1].labels.tree },
			       .items = items,
			       .n = n,
			       .rules = m->rules,
			       .shift = { 16, 0 } };
}

/*
 * By which ports?  Ranges nest in few others and blocks in many, so that a packet meets up to 64 cells: the second dimension must be
 * worth it.  Asked of some of the rules.
 */
#define SAMPLE_MAX 2048
static int choose_dims(const struct maker *m, const struct group *g, unsigned int *ret_dims)
{
	_cleanup_(freep) uint32_t *at = NULL;
	struct group some = { .n = MIN(g->n, (size_t)SAMPLE_MAX) };
	double cost[DIMS_BOTH + 1] = {};

	*ret_dims = DIMS_BOTH;
	if (!m->ports[0].blocks && !m->ports[1].blocks)
		return 0;
	some.at = at = malloc(some.n * sizeof(*at));
	if (!at)
		return no_memory();
	for (size_t i = 0; i < some.n; i++)
		at[i] = g->at[i * g->n / some.n];
	for (unsigned int dims = 1; dims <= DIMS_BOTH; dims++) {
		size_t n;
		_cleanup_(freep) struct sort_item *items = by_ports(m, &some, dims, &n);
		struct order o = cells_order(m, items, n);

		if (!items)
			return no_memory();
		cost[dims] = order_cost(&o);
	}
	if (2 * cost[DIMS_BOTH] > MIN(cost[1], cost[2]))
		*ret_dims = cost[1] < cost[2] ? 1 : 2;
	return 0;
}

static int ports_cost(const struct maker *m, const struct group *g, unsigned int dims,
		      size_t *ret_cost)
{
	size_t n, any = 0;
	_cleanup_(freep) struct sort_item *items = by_ports(m, g, dims, &n);

	if (!items)
		return no_memory();
	while (any < n && !items[any].key)
		any++;
	*ret_cost = any + longest_run(items + any, n - any);
	return 0;
}

/* The split that leaves a packet with the fewest rules, SPLIT_NONE if none halves the group. */
static int choose_split(const struct maker *m, const struct group *g, unsigned int *ret,
			unsigned int *ret_dims)
{
	size_t best = g->n / 2 + 1, cost = 0;
	int r = 0;

	*ret = SPLIT_NONE;
	if (!(g->splits & 1U << SPLIT_PORTS) && m->have_ports) {
		r = choose_dims(m, g, ret_dims);
		if (!r)
			r = ports_cost(m, g, *ret_dims, &cost);
		if (!r && cost < best) {
			best = cost;
			*ret = SPLIT_PORTS;
		}
	}
	/* a list is not worth another probe */
	for (unsigned int s = 0; !r && s < SPLIT_PORTS && best > GROUP_MAX / 2; s++) {
		if (g->splits & 1U << s)
			continue;
		r = field_cost(m, g, s, &cost);
		if (!r && cost < best) {
			best = cost;
			*ret = s;
		}
	}
	return r;
}

/* The runs of equal keys in items, each a group of its own. */
static int make_runs(struct maker *m, const struct group *g, const struct sort_item *items,
		     size_t n, unsigned int split, uint32_t name)
{
	_cleanup_(freep) uint32_t *at = malloc(n * sizeof(*at));
	int r = 0;

	if (!at)
		return no_memory();
	for (size_t i = 0; i < n; i++)
		at[i] = items[i].at;
	for (size_t i = 0, end; !r && i < n; i = end) {
		struct group part = { .at = at + i,
				      .splits = g->splits | 1U << split,
				      .depth = g->depth + 1,
				      .known = g->known };

		for (end = i + 1; end < n && items[end].key == items[i].key; end++)
			;
		part.n = end - i;
		part.key = items[i].key << 32 | name;
		if (split != SPLIT_PORTS && items[i].key >> 32)
			part.key = 0xffffffffULL << 32 | GW_KEY_FIELD_ANY | name;
		r = make_group(m, &part);
	}
	return r;
}

/* What all rules of the group ask for of what lasts for a flow, as a row of conditions; 0 = nothing that is not known already. */
static int make_guard(struct maker *m, struct group *g, uint32_t *ret)
{
	struct gw_misc c = { .spw = 0xffff };
	const struct index_rule *first = &m->rules[g->at[0]];
	uint8_t states = 0;

	*ret = 0;
	if (g->n < GROUP_LARGE)
		return 0;
	c.mmask = first->mmask & ~0xffULL;
	for (size_t i = 0; i < g->n; i++) {
		const struct index_rule *r = &m->rules[g->at[i]];

		c.mmask &= r->mmask & ~(r->meta ^ first->meta);
		states |= r->states;
	}
	if (!(c.mmask & ~g->known) && states == 0xff)
		return 0;
	g->known |= c.mmask;
	c.meta = first->meta & c.mmask;
	c.xa = (uint32_t)states << 24;
	return builder_misc(m->b, &c, ret);
}

static int split_by_ports(struct maker *m, struct group *g, unsigned int dims)
{
	struct gw_ent e = { .prio = m->entries[g->at[0]].prio };
	uint32_t gid = (uint32_t)m->n_grp;
	size_t n;
	_cleanup_(freep) struct sort_item *items = by_ports(m, g, dims, &n);
	struct order o = cells_order(m, items, n);
	int r;

	if (!items || array_reserve((void **)&m->grp, &m->grp_cap, gid, sizeof(*m->grp)) < 0)
		return no_memory();
	if (gid >= GW_KEY_GROUPS)
		return INDEX_E_FULL;
	m->grp[m->n_grp++] = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t s = (uint32_t)(items[i].key >> 16), d = items[i].key & 0xffff;
		uint64_t bit = GW_DEPTH_BIT(m->ports[0].labels.tree.labels[s].lev,
					    m->ports[1].labels.tree.labels[d].lev);

		m->grp[gid] |= bit;
		m->ports[0].labels.own[s] |= bit;
		m->ports[1].labels.own[d] |= bit;
	}
	e.dplo = g->n >= GROUP_LARGE && order_is_wide(&o) ? GW_PORTS_WIDE : 0;
	r = make_guard(m, g, &e.misc);
	if (!r)
		r = table_add(m, &e, g->key, gid, GW_ENT_PORTS);
	return r ? r : make_runs(m, g, items, n, SPLIT_PORTS, GW_KEY_PORTS | gid);
}

static int split_by_field(struct maker *m, struct group *g, unsigned int split)
{
	struct gw_ent e = { .prio = m->entries[g->at[0]].prio, .dplo = (uint16_t)split };
	uint32_t xid = m->n_fields++;
	size_t exact;
	_cleanup_(freep) struct sort_item *items = by_field(m, g, split, &exact);
	int r;

	if (!items)
		return no_memory();
	if (xid >= GW_KEY_GROUPS)
		return INDEX_E_FULL;
	for (size_t i = 0; split == GW_SPLIT_MARK && i < g->n; i++)
		e.flags |= m->entries[g->at[i]].flags & (GW_ENT_VARY | GW_ENT_VARY_SYN);
	r = make_guard(m, g, &e.misc);
	if (!r)
		r = table_add(m, &e, g->key, xid, GW_ENT_FIELD);
	return r ? r : make_runs(m, g, items, g->n, split, GW_KEY_FIELD | xid);
}

static int make_group(struct maker *m, const struct group *g)
{
	unsigned int split = SPLIT_NONE, dims = DIMS_BOTH;
	struct group now = *g;
	int r = 0;

	if (g->n > GROUP_MAX && g->depth < GW_SPLITS_MAX)
		r = choose_split(m, g, &split, &dims);
	if (r)
		return r;
	if (split == SPLIT_NONE)
		return make_list(m, g);
	return split == SPLIT_PORTS ? split_by_ports(m, &now, dims)
				    : split_by_field(m, &now, split);
}

/* ------------------------------------------------------------------------------------------------------------ pairs */

/* Rules by their pair of labels, in order inside a pair. */
static struct sort_item *by_pair(struct maker *m)
{
	const uint32_t *s = m->dim[0].tree.label_of, *d = m->dim[1].tree.label_of;
	struct sort_item *items = malloc(2 * m->n * sizeof(*items));

	for (size_t i = 0; items && i < m->n; i++)
		items[i] = (struct sort_item){ (uint64_t)d[i] << 32 | s[i], (uint32_t)i };
	if (items)
		sort_items(items, items + m->n, m->n);
	return items;
}

static size_t run_end(const struct sort_item *items, size_t i, size_t n)
{
	size_t end = i + 1;

	while (end < n && items[end].key == items[i].key)
		end++;
	return end;
}

/* Labels of the ports of all rules in groups that may be split. */
static int make_ports(struct maker *m, const struct sort_item *items)
{
	_cleanup_(freep) uint32_t *at = malloc(m->n * sizeof(*at));
	uint32_t n = 0;
	int r = 0;

	m->port_at = malloc(m->n * sizeof(*m->port_at));
	if (!at || !m->port_at)
		return no_memory();
	for (size_t i = 0, end; i < m->n; i = end) {
		end = run_end(items, i, m->n);
		for (size_t j = i; end - i > GROUP_MAX && j < end; j++) {
			m->port_at[items[j].at] = n;
			at[n++] = items[j].at;
		}
	}
	for (int dim = 0; !r && n && dim < 2; dim++)
		r = portmap_build(m->rules, at, n, dim, &m->ports[dim]);
	m->have_ports = n;
	return r;
}

static int make_pairs(struct maker *m, const struct sort_item *items)
{
	_cleanup_(freep) uint32_t *at = malloc(m->n * sizeof(*at));
	int r = 0;

	if (!at)
		return no_memory();
	for (size_t i = 0; i < m->n; i++)
		at[i] = items[i].at;
	for (size_t i = 0, end; !r && i < m->n; i = end) {
		struct group g = { .key = items[i].key, .at = at + i };
		uint32_t s = (uint32_t)g.key, d = (uint32_t)(g.key >> 32);
		uint64_t bit =
			GW_DEPTH_BIT(m->dim[0].tree.labels[s].lev, m->dim[1].tree.labels[d].lev);

		end = run_end(items, i, m->n);
		g.n = end - i;
		m->dim[0].own[s] |= bit;
		m->dim[1].own[d] |= bit;
		r = make_group(m, &g);
	}
	return r;
}

/* ------------------------------------------------------------------------------------------------------------ order */

/* The smallest prio of each label. */
static void find_least(const struct maker *m, int dim, uint32_t *least)
{
	const struct tree *t = &m->dim[dim].tree;

	memset(least, 0xff, t->n_labels * sizeof(*least));
	for (size_t i = 0; i < m->n; i++)
		least[t->label_of[i]] = MIN(least[t->label_of[i]], m->rules[i].prio);
}

static int write_least(struct maker *m, uint32_t *const least[2], struct gw_root *root)
{
	uint32_t *to;
	int r = 0;

	for (int dim = 0; !r && dim < 2; dim++) {
		size_t n = m->dim[dim].tree.n_labels;

		r = body_take(m->b, n, sizeof(*to), &root->d[dim].o_least, &to);
		if (!r)
			memcpy(to, least[dim], n * sizeof(*to));
	}
	return r;
}

/* In which order pairs are looked at, and what tells that some need not be. */
static int write_order(struct maker *m, const struct sort_item *items, struct gw_root *root)
{
	uint64_t *const own[] = { m->dim[0].own, m->dim[1].own };
	const struct order o = { .tree = { &m->dim[0].tree, &m->dim[1].tree },
				 .items = items,
				 .n = m->n,
				 .rules = m->rules,
				 .shift = { 0, 32 } };
	_cleanup_(freep) uint32_t *s = NULL;
	_cleanup_(freep) uint32_t *d = NULL;
	uint32_t *least[2];
	struct order_pairs p = order_pairs(&o, own, NULL);

	if (p.all < PAIRS_MANY)
		return 0;
	if (order_is_wide(&o))
		root->d[0].flags |= GW_DIM_WIDE;
	least[0] = s = malloc(m->dim[0].tree.n_labels * sizeof(*s));
	least[1] = d = malloc(m->dim[1].tree.n_labels * sizeof(*d));
	if (!s || !d)
		return no_memory();
	find_least(m, 0, s);
	find_least(m, 1, d);
	p = order_pairs(&o, own, least);
	return p.all - p.needed < PAIRS_CUT ? 0 : write_least(m, least, root);
}

static int make_entries(struct maker *m)
{
	int r = 0;

	m->entries = malloc(m->n * sizeof(*m->entries));
	if (!m->entries)
		return no_memory();
	for (size_t i = 0; !r && i < m->n; i++) {
		const bool exact[2] = { m->dim[0].tree.folded[i], m->dim[1].tree.folded[i] };

		r = builder_entry(m->b, &m->rules[i], m->version, exact, &m->entries[i]);
	}
	return r;
}

/* ----------------------------------------------------------------------------------------------------- the hash table */

struct cuckoo {
	const struct gw_ent *e;
	uint32_t *slot; /* two of each bucket: number of the entry + 1 */
	uint32_t nbkt;
};

static uint32_t bucket_of(uint64_t key, uint32_t nbkt, int which)
{
	uint64_t hash = hash_key(key);

	return (uint32_t)((which ? hash & 0xffffffff : hash >> 32) * nbkt >> 32);
}

static bool bucket_put(struct cuckoo *c, uint32_t bucket, uint32_t entry)
{
	for (int i = 0; i < 2; i++) {
		if (c->slot[bucket * 2 + i])
			continue;
		c->slot[bucket * 2 + i] = entry;
		return true;
	}
	return false;
}

#define KICKS_MAX 500
/* Put an entry (number + 1) into one of its buckets; others move to their other one if need be. */
static bool cuckoo_put(struct cuckoo *c, uint32_t entry)
{
	for (unsigned int kick = 0; kick < KICKS_MAX; kick++) {
		uint64_t key = c->e[entry - 1].key;
		uint32_t first = bucket_of(key, c->nbkt, 0), second = bucket_of(key, c->nbkt, 1);
		uint32_t *victim, out;

		if (bucket_put(c, first, entry) || bucket_put(c, second, entry))
			return true;
		/* which one goes: anything that does not repeat soon */
		victim = &c->slot[(kick & 2 ? second : first) * 2 + (hash_key(kick + key) & 1)];
		out = *victim;
		*victim = entry;
		entry = out;
	}
	return false;
}

static bool cuckoo_fill(struct cuckoo *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!cuckoo_put(c, (uint32_t)i + 1))
			return false;
	}
	return true;
}

static void write_buckets(const struct cuckoo *c, struct gw_bucket *to)
{
	for (uint32_t i = 0; i < c->nbkt * 2; i++) {
		struct gw_ent *e = &to[i / 2].e[i % 2];

		if (c->slot[i])
			*e = c->e[c->slot[i] - 1];
		else
			e->key = GW_KEY_EMPTY;
	}
	for (uint32_t i = 0; i < c->nbkt * 2; i++) {
		uint32_t first;

		if (!c->slot[i])
			continue;
		first = bucket_of(c->e[c->slot[i] - 1].key, c->nbkt, 0);
		if (first != i / 2)
			to[first].e[1].flags |= GW_ENT_OVERFLOW;
	}
}

/* Load 0.67; more room until everything finds a place. */
static int write_table(const struct maker *m, struct gw_root *root)
{
	uint64_t nbkt = (uint64_t)m->n_table * 100 / 134 + 1;

	for (int attempt = 0; attempt < 32; attempt++, nbkt += nbkt / 8 + 1) {
		_cleanup_(freep) uint32_t *slot = NULL;
		struct cuckoo c = { .e = m->table, .nbkt = (uint32_t)nbkt };
		struct gw_bucket *to;
		int r;

		if (nbkt > m->b->max_lines)
			return INDEX_E_FULL;
		c.slot = slot = calloc(nbkt * 2, sizeof(*slot));
		if (!slot)
			return no_memory();
		if (!cuckoo_fill(&c, m->n_table))
			continue;
		r = body_take(m->b, nbkt, sizeof(*to), &root->o_bkt, &to);
		if (!r)
			write_buckets(&c, to);
		root->nbkt = (uint32_t)nbkt;
		return r;
	}
	return INDEX_E_FULL;
}

static int write_arrays(const struct maker *m, struct gw_root *root)
{
	uint64_t *grp;
	void *rul;
	int r = body_take(m->b, m->n_rul + 1, sizeof(struct gw_ent), &root->o_rul, &rul);

	if (r)
		return r;
	if (m->n_rul)
		memcpy(rul, m->rul, m->n_rul * sizeof(*m->rul));
	root->n_rul = (uint32_t)m->n_rul;
	root->n_grp = (uint32_t)m->n_grp;
	if (!m->n_grp)
		return 0;
	r = body_take(m->b, m->n_grp, sizeof(*grp), &root->o_grp, &grp);
	if (!r)
		memcpy(grp, m->grp, m->n_grp * sizeof(*grp));
	return r;
}

static int write_ports(struct maker *m, struct gw_root *root)
{
	int r;

	if (!m->n_grp)
		return 0;
	r = portmap_write(m->b, &m->ports[0], &root->o_spc, &root->o_spn, &root->o_sppar);
	if (!r)
		r = portmap_write(m->b, &m->ports[1], &root->o_dpc, &root->o_dpn, &root->o_dppar);
	return r;
}

int index_build(struct builder *b, struct gw_root *root, int version,
		const struct index_rule *rules, size_t n)
{
	_cleanup_(maker_deinit) struct maker m = {
		.b = b, .version = version, .rules = rules, .n = n
	};
	_cleanup_(freep) struct sort_item *items = NULL;
	int r = 0;

	if (n > UINT32_MAX / 4)
		return INDEX_E_FULL;
	for (int dim = 0; !r && dim < 2; dim++)
		r = labels_addresses(rules, n, version, dim, &m.dim[dim]);
	if (!r)
		r = make_entries(&m);
	if (r)
		return r;
	items = by_pair(&m);
	if (!items)
		return no_memory();
	r = make_ports(&m, items);
	if (!r)
		r = make_pairs(&m, items);
	if (!r)
		r = write_table(&m, root);
	if (!r)
		r = write_arrays(&m, root);
	for (int dim = 0; !r && dim < 2; dim++) {
		labels_accumulate(&m.dim[dim]);
		root->n_label[dim] = (uint32_t)m.dim[dim].tree.n_labels;
		r = labels_write(b, &m.dim[dim], version, &root->d[dim]);
	}
	if (!r)
		r = write_order(&m, items, root);
	if (!r)
		r = write_ports(&m, root);
	root->flags |= GW_ROOT_INDEX;
	return r;
}
