/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rule as entries of a root.
 *
 * Its matches, statements and verdict are taken in order.  As long as nothing had an effect, matches narrow boxes; the rest are ops that all
 * boxes share.  A map is one part for each element, with an action of its own: entries of the same prio where the index tells
 * the keys apart, of following prios where an op does.  Where neither will do - something happened already that may happen only once - the
 * rest of the rule is a root of its own, whose entries leave it where the rule is over.
 */
#include <compile/impl.h>

struct cursor {
	size_t match, stmt;
};
enum item_kind { ITEM_MATCH, ITEM_STMT, ITEM_ACTION };

/* What an element of a map adds. */
struct part {
	size_t first, n; /* boxes */
	const struct map_data *data;
	struct cells *own; /* ops, or NULL */
};
struct flat {
	struct cursor at;
	bool counted;	    /* an op does it, or did in front of this root */
	unsigned int patch; /* the cell that a map's data goes into, ~0 = none */
	struct part *parts; /* NULL: no map, the boxes are those of the seg */
	size_t n_parts, cap_parts;
	struct boxes boxes;  /* of the parts */
	unsigned int own_at; /* cells in front of those */
	bool distinct;	     /* each part has a prio of its own */
	bool unsteady;	     /* a packet that came to one part must not come to the next */
	struct seg s;	     /* last: it ends in the room for ops */
};

static void flat_deinit(struct flat *f)
{
	for (size_t i = 0; i < f->n_parts; i++)
		free(f->parts[i].own);
	free(f->parts);
	boxes_deinit(&f->boxes);
	boxes_deinit(&f->s.boxes);
}

static enum item_kind item_next(const struct rule *r, struct cursor *c)
{
	if (c->match < r->n_matches && r->matches[c->match].after <= c->stmt) {
		c->match++;
		return ITEM_MATCH;
	}
	if (c->stmt < r->n_stmts) {
		c->stmt++;
		return ITEM_STMT;
	}
	return ITEM_ACTION;
}

/* --------------------------------------------------------------------------------------------------- translations */

static bool action_is_nat(const struct action *a)
{
	return a->verdict >= VERDICT_MASQUERADE && a->verdict <= VERDICT_REDIRECT;
}

/*
 * What a map gives: addresses of which version (0: none), behind them or alone ports?  The elements of a map without a name do not say
 * whether they have ports: there, 0 is none.
 */
static int map_gives(const struct ctx *x, const struct action *a, const struct map_data *data,
		     int *ret_family, bool *ret_port)
{
	const struct set *set = NULL;
	int r;

	*ret_family = a->nat_family;
	*ret_port = !*ret_family || (data && data->val[1].num_hi);
	if (!a->map->name)
		return 0;
	r = set_find(x, a->map->name, &set);
	if (r)
		return r;
	*ret_family = 0;
	*ret_port = false;
	for (unsigned int i = 0; i < set->n_data; i++) {
		if (set->data[i] == FIELD_ADDR4 || set->data[i] == FIELD_ADDR6)
			*ret_family = set->data[i] == FIELD_ADDR4 ? 4 : 6;
		else
			*ret_port = true;
	}
	return 0;
}

/* Is the verdict for packets of this version? */
static int action_sees(const struct ctx *x, const struct action *a, bool *ret)
{
	int family = a->has_addr ? a->nat_family : 0;
	bool port;
	int r = 0;

	if (action_is_nat(a) && a->map)
		r = map_gives(x, a, NULL, &family, &port);
	*ret = !family || family == x->version;
	return r;
}

static void nat_addr(struct gw_nat *n, int version, const uint8_t *lo, const uint8_t *hi)
{
	n->flags |= GW_NATF_ADDR;
	memcpy(n->addr_lo, lo, version == 6 ? 16 : 4);
	memcpy(n->addr_hi, hi, version == 6 ? 16 : 4);
}

static void nat_port(struct gw_nat *n, uint64_t lo, uint64_t hi)
{
	n->flags |= GW_NATF_PORT;
	n->port_lo = (uint16_t)lo;
	n->port_hi = (uint16_t)hi;
}

static int nat_make(const struct ctx *x, const struct map_data *data, struct gw_nat *n)
{
	static const uint8_t nat_kinds[] = { [VERDICT_MASQUERADE] = GW_NAT_MASQUERADE,
					     [VERDICT_SNAT] = GW_NAT_SNAT,
					     [VERDICT_DNAT] = GW_NAT_DNAT,
					     [VERDICT_REDIRECT] = GW_NAT_REDIRECT };
	const struct action *a = &x->rule->action;
	int family = 0, r;
	bool port = false;

	if (a->nat_flags & GW_NATF_ENDPOINT && a->verdict != VERDICT_SNAT &&
	    a->verdict != VERDICT_MASQUERADE)
		return refuse(x, "`endpoint-independent` is about sources: it belongs to snat and "
				 "masquerade");
	if (a->nat_flags & GW_NATF_NEUTRAL &&
	    (!a->nat_prefix || a->map || x->version != 6 || a->nat_plen > 64))
		return refuse(x, "`checksum-neutral` needs an IPv6 prefix of 64 bits at most: "
				 "`snat ip6 prefix to 2001:db8:1::/48 checksum-neutral`");
	*n = (struct gw_nat){ .kind = nat_kinds[a->verdict], .flags = a->nat_flags };
	if (a->nat_prefix)
		n->flags |= GW_NATF_NETMAP;
	if (!data && a->has_addr)
		nat_addr(n, x->version, a->addr_lo, a->addr_hi);
	if (a->has_port)
		nat_port(n, a->port_lo, a->port_hi);
	if (!data)
		return 0;
	r = map_gives(x, a, data, &family, &port);
	if (r)
		return r;
	if (family)
		nat_addr(n, x->version, data->val[0].addr_lo, data->val[0].addr_hi);
	if (port)
		nat_port(n, data->val[family ? 1 : 0].num_lo, data->val[family ? 1 : 0].num_hi);
	return 0;
}

/* -------------------------------------------------------------------------------------------------------- verdicts */

/* Root of a chain of this table. */
static int chain_root(const struct ctx *x, const char *name, uint32_t *ret)
{
	const struct node *node = x->b ? graph_find(&x->graph, x->table, name) : NULL;
	const struct chain *c = x->b ? NULL : table_chain(x->table, name);
	uint64_t index;

	if (node)
		*ret = node->root[x->version == 6];
	else if (c && idmap_get(&x->map->chains, c->handle, &index))
		*ret = x->map->nodes[index].root[x->version == 6];
	else
		return x->b ? refuse(x, "there is no chain `%s`", name) : COMPILE_E_AGAIN;
	return *ret != GW_NO_ROOT || x->b ? 0 : COMPILE_E_AGAIN;
}

static int refuse_apart(const struct ctx *x, const char *word)
{
	return refuse(x,
		      "`%s` can not stand in a map that comes behind a statement, or whose key "
		      "is not looked up in the index",
		      word);
}

static int verdict_make(const struct ctx *x, const struct target *to, enum verdict v,
			const char *chain, struct act *a)
{
	switch (v) {
	case VERDICT_NONE:
	case VERDICT_CONTINUE:
		a->verdict = to->apart ? GW_V_RETURN : GW_V_CONTINUE;
		return 0;
	case VERDICT_ACCEPT:
		a->verdict = GW_V_ACCEPT;
		return 0;
	case VERDICT_DROP:
		a->verdict = GW_V_DROP;
		return 0;
	case VERDICT_REJECT:
		a->verdict = GW_V_REJECT;
		a->arg = x->rule->action.reject;
		return 0;
	case VERDICT_RETURN:
		a->verdict = GW_V_RETURN;
		return to->apart ? refuse_apart(x, "return") : 0;
	case VERDICT_JUMP:
		/* what comes back goes on behind the rule, not in the rest of the map */
		a->verdict = to->apart ? GW_V_GOTO : GW_V_JUMP;
		return chain_root(x, chain, &a->arg);
	case VERDICT_GOTO:
		a->verdict = GW_V_GOTO;
		return to->apart ? refuse_apart(x, "goto") : chain_root(x, chain, &a->arg);
	default:
		a->verdict = GW_V_NAT;
		return 0;
	}
}

/* How the entries end. */
struct tail {
	enum { TAIL_ACTION, TAIL_NEVER, TAIL_ROOT } kind;
	uint32_t root;
};

static int tail_make(const struct flat *f, const struct target *to, struct tail tail,
		     const struct map_data *data, struct act *a, struct gw_nat *nat)
{
	const struct action *action = &f->s.x->rule->action;
	const char *chain = action->chain;
	enum verdict v = action->verdict;
	int r;

	a->no_count = f->counted || tail.kind != TAIL_ACTION;
	if (tail.kind == TAIL_NEVER)
		return verdict_make(f->s.x, to, VERDICT_NONE, NULL, a);
	if (tail.kind == TAIL_ROOT) {
		a->verdict = to->apart ? GW_V_GOTO : GW_V_JUMP;
		a->arg = tail.root;
		return 0;
	}
	if (v == VERDICT_VMAP && data) {
		v = data->verdict;
		chain = data->chain;
	}
	r = verdict_make(f->s.x, to, v, chain, a);
	if (!r && a->verdict == GW_V_NAT) {
		r = nat_make(f->s.x, action->map ? data : NULL, nat);
		a->nat = nat;
	}
	return r;
}

/* What was matched before the map, what tells its elements apart, what comes behind. */
static int part_cells(const struct flat *f, const struct part *p, struct cells *ret)
{
	const struct cells *all = &f->s.cells;
	unsigned int own = p->own ? p->own->n : 0, at = own ? f->own_at : 0;

	ret->n = all->n + own;
	if (ret->n > GW_ACT_CELLS_MAX)
		return refuse(f->s.x, "too many matches and statements (%u fit)", GW_ACT_CELLS_MAX);
	memcpy(ret->op, all->op, at * sizeof(struct gw_op));
	if (own)
		memcpy(ret->op + at, p->own->op, own * sizeof(struct gw_op));
	memcpy(ret->op + at + own, all->op + at, (all->n - at) * sizeof(struct gw_op));
	if (f->patch != ~0U)
		ret->op[own + f->patch].lo = (uint32_t)p->data->val[0].num_lo;
	return 0;
}

static int part_emit(struct flat *f, struct target *to, struct tail tail, const struct part *p,
		     const struct boxes *boxes, uint32_t prio)
{
	struct ctx *x = f->s.x;
	struct cells cells;
	struct gw_nat nat;
	struct act a = { .cells = &cells };
	uint32_t flags;
	int r = tail_make(f, to, tail, p->data, &a, &nat);

	if (r)
		return r;
	r = part_cells(f, p, &cells);
	if (!r)
		r = act_make(x, &a, &flags);
	for (size_t i = 0; !r && i < p->n; i++) {
		struct index_rule b = boxes->b[p->first + i];

		b.prio = prio;
		b.id = x->rule->cid;
		b.flags = flags | f->s.vary;
		r = boxes_add(to->out, &b);
	}
	return r;
}

static int flat_emit(struct flat *f, struct target *to, struct tail tail)
{
	const struct part all = { .n = f->s.boxes.n };
	uint32_t prio = to->first;
	int r = 0;

	/* nothing happened, nothing is left to do */
	if (tail.kind == TAIL_NEVER && !f->s.effects)
		return 0;
	if (!f->parts)
		return all.n ? part_emit(f, to, tail, &all, &f->s.boxes, prio) : 0;
	for (size_t i = 0; !r && i < f->n_parts; i++) {
		if (f->parts[i].n)
			r = part_emit(f, to, tail, &f->parts[i], &f->boxes, prio);
		prio += f->distinct;
	}
	to->last = MAX(to->last, prio - (f->distinct && f->n_parts));
	return r;
}

/* ------------------------------------------------------------------------------------------------------------ maps */

static int map_elems(const struct ctx *x, const struct map_use *use, const struct elems **ret)
{
	const struct set *set;
	int r;

	*ret = use->elems;
	if (!use->name)
		return 0;
	r = set_find(x, use->name, &set);
	if (r)
		return r;
	*ret = set->elems;
	return 0;
}

static bool field_is_numgen(enum field field)
{
	return field == FIELD_ID_NUMGEN_INC || field == FIELD_ID_NUMGEN_RANDOM;
}

static bool verdict_ends_rule(enum verdict v)
{
	return v != VERDICT_NONE && v != VERDICT_CONTINUE && v != VERDICT_JUMP;
}

/*
 * May the elements stand behind each other in the chain?  Not if a packet could come to a second one: because its verdict goes on and the key
 * is asked for anew, or was changed.
 */
static bool map_is_steady(const struct ctx *x, const struct map_use *use, const struct elems *e)
{
	const struct action *a = &x->rule->action;
	bool ends = a->map == use && verdict_ends_rule(a->verdict);

	for (size_t i = 0; ends && a->verdict == VERDICT_VMAP && i < e->n; i++)
		ends = verdict_ends_rule(e->data[i].verdict);
	for (unsigned int i = 0; !ends && i < use->key.n; i++) {
		enum field field = use->key.fields[i];

		if (field_is_numgen(field) || field_rows[field].varies == 'P' ||
		    field == FIELD_ID_CT_MARK)
			return false;
	}
	return true;
}

static int own_op(struct flat *f, struct part *p, enum field field, const struct spans *l,
		  unsigned int dir)
{
	if (!p->own) {
		p->own = calloc(1, sizeof(*p->own));
		if (!p->own)
			return -ENOMEM;
	}
	if (l->n != 1)
		return refuse(f->s.x, "an element of a map on `%s` has to be one value or range",
			      field_rows[field].keyword);
	return op_range(f->s.x, p->own, field, &l->s[0], false, dir);
}

/* One field of an element: a condition of the index, or an op. */
static int part_field(struct flat *f, const struct map_use *use, unsigned int i,
		      const struct elem *e, struct boxes *boxes, struct part *p)
{
	enum field field = use->key.fields[i];
	struct boxes by = { 0 };
	struct spans l = { 0 };
	int r = spans_elem(f->s.x, field_rows[field].type, e, &l);

	if (!r)
		r = field_boxes(f->s.x, field, &l, &by);
	if (!r)
		r = boxes_meet(f->s.x->version, boxes, &by);
	else if (r == FLAT_OP)
		r = own_op(f, p, field, &l, use->key.dir[i]);
	boxes_deinit(&by);
	spans_deinit(&l);
	return r;
}

static int part_add(struct flat *f, const struct part *p, const struct boxes *boxes)
{
	int r = array_reserve((void **)&f->parts, &f->cap_parts, f->n_parts, sizeof(*f->parts));

	if (r < 0)
		return r;
	f->parts[f->n_parts] = *p;
	f->parts[f->n_parts].first = f->boxes.n;
	f->parts[f->n_parts].n = boxes->n;
	f->n_parts++;
	for (size_t i = 0; !r && i < boxes->n; i++)
		r = boxes_add(&f->boxes, &boxes->b[i]);
	return r;
}

static int boxes_of(const struct boxes *from, struct boxes *ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < from->n; i++)
		r = boxes_add(ret, &from->b[i]);
	return r;
}

static int map_parts(struct flat *f, const struct map_use *use, const struct elems *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < e->n; i++) {
		struct part p = { .data = &e->data[i] };
		struct boxes boxes = { 0 };

		r = boxes_of(&f->s.boxes, &boxes);
		for (unsigned int k = 0; !r && k < use->key.n; k++)
			r = part_field(f, use, k, &e->keys[i * e->n_fields + k], &boxes, &p);
		if (!r)
			r = part_add(f, &p, &boxes);
		else
			free(p.own);
		boxes_deinit(&boxes);
	}
	return r;
}

struct turns {
	uint64_t lo, hi;
	const struct map_data *data;
};

static int turns_cmp(const void *a, const void *b)
{
	const struct turns *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* The next of the elements: so many of the numbers that are left. */
static int numgen_part(struct flat *f, const struct map_use *use, const struct turns *t,
		       uint64_t below, uint64_t left)
{
	struct gw_op op = { .code = GW_OP_NUMGEN,
			    .mask = (uint32_t)left,
			    .lo = (uint32_t)below,
			    .hi = (uint32_t)(below + t->hi - t->lo) };
	struct part p = { .data = t->data, .own = calloc(1, sizeof(*p.own)) };
	struct gw_op_pair state = { 0 };
	uint32_t id = 0;
	int r = p.own ? 0 : -ENOMEM;

	if (!r && use->key.fields[0] == FIELD_ID_NUMGEN_INC) {
		op.flags = GW_OPF_FROM;
		op.len = 1;
		r = state_of(f->s.x, use, f->n_parts + 1, &id);
		state.a = id;
	}
	if (!r)
		r = cells_add(f->s.x, p.own, &op, &state);
	if (!r)
		r = part_add(f, &p, &f->s.boxes);
	if (r)
		free(p.own);
	return r;
}

/*
 * One element after the other draws from what those before it left: of 4 numbers, the first element takes 1 of 4, the next 1 of 3 ...
 * With a counter for each the turns are those that one counter would give.
 */
static int numgen_parts(struct flat *f, const struct map_use *use, const struct elems *e)
{
	_cleanup_(freep) struct turns *turns = calloc(e->n + 1, sizeof(*turns));
	uint64_t left = use->key.mod, taken = 0;
	int r = turns ? 0 : -ENOMEM;

	if (r)
		return r;
	for (size_t i = 0; i < e->n; i++)
		turns[i] = (struct turns){ e->keys[i].num_lo, e->keys[i].num_hi, &e->data[i] };
	qsort(turns, e->n, sizeof(*turns), turns_cmp);
	for (size_t i = 0; !r && i < e->n && turns[i].lo < use->key.mod; i++) {
		turns[i].hi = MIN(turns[i].hi, use->key.mod - 1U);
		/* numbers below that no element has are still there */
		r = numgen_part(f, use, &turns[i], turns[i].lo - taken, left);
		taken += turns[i].hi - turns[i].lo + 1;
		left = use->key.mod - taken;
	}
	return r;
}

/* The map's elements become the parts of this piece of the rule; FLAT_APART. */
static int map_here(struct flat *f, const struct map_use *use, const struct target *to)
{
	const struct elems *e;
	int r = map_elems(f->s.x, use, &e);

	if (r)
		return r;
	if (f->s.effects)
		return FLAT_APART;
	for (unsigned int i = 0; i < use->key.n; i++)
		f->distinct |= !field_is_indexed(use->key.fields[i]);
	f->unsteady = f->distinct && !map_is_steady(f->s.x, use, e);
	if (f->distinct && !to->apart && (to->single || f->unsteady)) {
		f->distinct = f->unsteady = false;
		return FLAT_APART;
	}
	for (unsigned int i = 0; !r && i < use->key.n; i++) {
		r = seg_imply(&f->s, use->key.fields[i]);
		f->s.vary |= field_vary(use->key.fields[i]);
	}
	f->own_at = f->s.cells.n;
	f->parts = calloc(1, sizeof(*f->parts));
	f->cap_parts = 1;
	if (!r && !f->parts)
		r = -ENOMEM;
	if (r)
		return r;
	return field_is_numgen(use->key.fields[0]) ? numgen_parts(f, use, e) : map_parts(f, use, e);
}

/* ------------------------------------------------------------------------------------------------------- one piece */

static const struct map_use *item_map(const struct rule *r, enum item_kind kind,
				      const struct cursor *behind)
{
	const struct stmt *st;

	if (kind == ITEM_ACTION)
		return r->action.map;
	st = kind == ITEM_STMT ? &r->stmts[behind->stmt - 1] : NULL;
	return st && (st->kind == STMT_MARK || st->kind == STMT_CTMARK) ? st->mark.map : NULL;
}

static bool stmt_can_fail(const struct stmt *st)
{
	switch (st->kind) {
	case STMT_OBJECT:
		return st->object.kind != OBJECT_COUNTER;
	case STMT_LIMIT:
	case STMT_QUOTA:
	case STMT_CTCOUNT:
	case STMT_DSCP:
	case STMT_TTL:
	case STMT_MSS:
	case STMT_SET:
		return true;
	case STMT_MARK: /* a packet without connection has no ct mark to read */
		return st->mark.map || st->mark.from_other;
	case STMT_CTMARK:
		return st->mark.map || st->mark.keep || (st->mark.mask && !st->mark.from_other);
	default:
		return false;
	}
}

/* May a packet that came as far as this not come to the verdict? */
static int rest_can_fail(const struct ctx *x, struct cursor at, bool *ret)
{
	bool sees = true;
	int r = action_sees(x, &x->rule->action, &sees);

	*ret = !sees || x->rule->action.map;
	for (;;) {
		enum item_kind kind = item_next(x->rule, &at);

		if (kind == ITEM_ACTION)
			return r;
		*ret |= kind == ITEM_MATCH || stmt_can_fail(&x->rule->stmts[at.stmt - 1]);
	}
}

static int take_counter(struct flat *f, const struct stmt *st)
{
	bool can_fail;
	int r = rest_can_fail(f->s.x, f->at, &can_fail);

	for (size_t i = 0; !r && &f->s.x->rule->stmts[i] != st; i++) {
		if (f->s.x->rule->stmts[i].kind == STMT_COUNTER)
			return refuse(f->s.x, "a second `counter` in one rule is not supported");
	}
	if (r || !can_fail)
		return r;
	f->counted = true;
	return seg_stmt(&f->s, st);
}

static int take_stmt(struct flat *f, const struct stmt *st)
{
	if (st->kind == STMT_COUNTER)
		return take_counter(f, st);
	if ((st->kind == STMT_MARK || st->kind == STMT_CTMARK) && st->mark.map)
		f->patch = f->s.cells.n;
	return seg_stmt(&f->s, st);
}

/* What is in the set leaves this root: the rule is over for it. */
static int flat_skip(struct flat *f, const struct match *m, struct target *to)
{
	struct boxes by = { 0 };
	int r;

	if (!to->apart || f->s.effects || f->parts)
		return FLAT_APART;
	r = concat_boxes(f->s.x, m, &by);
	for (size_t i = 0; !r && i < by.n; i++) {
		by.b[i].prio = to->first;
		by.b[i].flags = GW_V_RETURN << 8 | f->s.vary;
		r = boxes_add(to->out, &by.b[i]);
	}
	boxes_deinit(&by);
	to->first++;
	return r;
}

/* Items up to the first that needs a root of its own (FLAT_APART: f->at is in front of it) or stops every packet. */
static int take_items(struct flat *f, struct target *to)
{
	const struct rule *rule = f->s.x->rule;

	for (;;) {
		struct cursor before = f->at;
		enum item_kind kind = item_next(rule, &f->at);
		const struct map_use *use = item_map(rule, kind, &f->at);
		bool sees = true, can_fail = false;
		int r = f->unsteady ? rest_can_fail(f->s.x, before, &can_fail) : 0;

		if (can_fail)
			r = FLAT_APART;
		else if (kind == ITEM_MATCH)
			r = seg_match(&f->s, &rule->matches[f->at.match - 1]);
		else if (kind == ITEM_ACTION)
			r = action_sees(f->s.x, &rule->action, &sees);
		if (r == FLAT_SKIP)
			r = flat_skip(f, &rule->matches[f->at.match - 1], to);
		if (!r && !sees)
			r = FLAT_NEVER;
		if (!r && use)
			r = map_here(f, use, to);
		if (!r && kind == ITEM_STMT)
			r = take_stmt(f, &rule->stmts[f->at.stmt - 1]);
		if (r == FLAT_APART)
			f->at = before;
		if (r || kind == ITEM_ACTION)
			return r;
	}
}

/*
 * A rule that has only counted and logged so far may be two: one that does this and goes on, and one that asks the same again for the map.
 */
static int flat_split(struct flat *f, struct target *to)
{
	struct cells *c = &f->s.cells;
	bool counted = f->counted;
	unsigned int n = 0;
	int r;

	f->counted = true;
	r = flat_emit(f, to, (struct tail){ .kind = TAIL_NEVER });
	f->counted = counted;
	for (unsigned int i = 0; i < c->n; i++) {
		if (!(f->s.notes >> i & 1))
			c->op[n++] = c->op[i];
	}
	c->n = n;
	f->s.notes = 0;
	f->s.effects = false;
	to->last = ++to->first;
	return r;
}

static bool flat_may_split(const struct flat *f, const struct target *to)
{
	return f->s.notes && !f->s.lasting && !f->parts && !to->apart && !to->single;
}

static int flat_piece(struct ctx *x, struct cursor at, bool counted, struct target *to);

/* The rest of the rule in a root of its own. */
static int flat_apart(struct flat *f, struct target *to)
{
	struct ctx *x = f->s.x;
	struct boxes out = { 0 };
	struct target apart = { .out = &out, .first = 1U << GW_PRIO_SHIFT, .apart = true };
	const struct gw_root head = { .next = GW_NO_ROOT, .handle = x->chain->handle };
	struct tail tail = { .kind = TAIL_ROOT };
	int r;

	if (!x->b)
		return COMPILE_E_AGAIN;
	if (f->parts ? !f->boxes.n : !f->s.boxes.n)
		return 0;
	if (x->above >= GW_JUMP_DEPTH)
		return refuse(x, "%d jumps lead here, and this map needs one more: at most %d",
			      x->above, GW_JUMP_DEPTH);
	tail.root = builder_reserve_root(x->b);
	r = flat_emit(f, to, tail);
	if (!r)
		r = flat_piece(x, f->at, f->counted, &apart);
	if (!r)
		r = full(builder_root(x->b, tail.root, x->version, &head, out.b, out.n));
	boxes_deinit(&out);
	return r;
}

static int flat_piece(struct ctx *x, struct cursor at, bool counted, struct target *to)
{
	_cleanup_(freep) struct flat *f = x->spare ? TAKE_PTR(x->spare) : malloc(sizeof(*f));
	struct index_rule any = box_any(x->version);
	int r;

	if (!f)
		return -ENOMEM;
	/* all but the room for ops */
	memset(f, 0, offsetof(struct flat, s.cells.op));
	f->s.x = x;
	f->at = at;
	f->counted = counted;
	f->patch = ~0U;
	to->last = to->first;
	r = boxes_add(&f->s.boxes, &any);
	if (!r)
		r = take_items(f, to);
	while (r == FLAT_APART && flat_may_split(f, to)) {
		r = flat_split(f, to);
		if (!r)
			r = take_items(f, to);
	}
	if (!r)
		r = flat_emit(f, to, (struct tail){ .kind = TAIL_ACTION });
	else if (r == FLAT_NEVER)
		r = flat_emit(f, to, (struct tail){ .kind = TAIL_NEVER });
	else if (r == FLAT_APART)
		r = flat_apart(f, to);
	flat_deinit(f);
	if (!x->spare)
		x->spare = TAKE_PTR(f);
	return r;
}

int flat_rule(struct ctx *x, struct target *to)
{
	int r = flat_piece(x, (struct cursor){ 0 }, false, to);

	if (r == FLAT_MANY)
		return refuse(x,
			      "more than %u alternatives when its sets are written out: a rule "
			      "with several sets takes the product of their sizes",
			      BOXES_MAX);
	return r;
}
