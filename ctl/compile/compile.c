/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/line.h>

/* A base chain in its slot. */
struct place {
	const struct table *table;
	const struct chain *chain;
	size_t seq;
	int hook;
};
struct compiler {
	struct dim_view view;
	struct lines lines;
	struct place *places;
	size_t n_places, cap_places;
	struct gw_image head;
	const struct place *at; /* for the diagnostic */
};

struct image *image_free(struct image *img)
{
	if (img)
		free(img->lines);
	free(img);
	return NULL;
}

static void compiler_deinit(struct compiler *c)
{
	lines_deinit(&c->lines);
	free(c->places);
}

static void nat_fill(struct gw_nat *n, const struct action *a)
{
	static const uint8_t kinds[] = {
		[VERDICT_MASQUERADE] = GW_NAT_MASQUERADE,
		[VERDICT_SNAT] = GW_NAT_SNAT,
		[VERDICT_DNAT] = GW_NAT_DNAT,
		[VERDICT_REDIRECT] = GW_NAT_REDIRECT,
	};

	*n = (struct gw_nat){ .kind = kinds[a->verdict], .flags = a->nat_flags };
	if (a->has_addr) {
		n->flags |= GW_NATF_ADDR;
		memcpy(n->addr_lo, a->addr_lo, a->nat_family == 6 ? 16 : 4);
		memcpy(n->addr_hi, a->addr_hi, a->nat_family == 6 ? 16 : 4);
	}
	if (a->has_port) {
		n->flags |= GW_NATF_PORT;
		n->port_lo = a->port_lo;
		n->port_hi = a->port_hi;
	}
}

static uint8_t verdict_of(enum verdict v)
{
	switch (v) {
	case VERDICT_NONE:
		return GW_V_CONTINUE;
	case VERDICT_ACCEPT:
		return GW_V_ACCEPT;
	case VERDICT_DROP:
		return GW_V_DROP;
	case VERDICT_REJECT:
		return GW_V_REJECT;
	default:
		return GW_V_NAT;
	}
}

/* Can the rule match packets of this version at all?  A negated `ip saddr` asks for IPv4, too. */
static bool rule_sees(const struct rule *r, int version)
{
	for (size_t i = 0; i < r->n_matches; i++) {
		int families = field_rows[r->matches[i].field].families;

		if (families != 46 && families != version)
			return false;
	}
	return !r->action.has_addr || r->action.nat_family == version;
}

static int narrow_one(struct dims *d, const struct match *m, const struct dim_view *view)
{
	if (!m->negate)
		return dims_narrow(d, m, view);
	if (m->field == FIELD_ID_CT_STATE)
		dims_narrow_ctstate(d, ~match_ctstate(m));
	return dims_narrow_implied(d, m->field);
}

/* The lines of a rule's negated matches: "if X, this rule does not apply". */
static int add_skips(struct compiler *c, const struct rule *r)
{
	const struct line_action skip = { .verdict = GW_V_SKIP };

	for (size_t i = 0; i < r->n_matches; i++) {
		const struct match *m = &r->matches[i];
		struct dims d;
		int ret;

		if (!m->negate || m->field == FIELD_ID_CT_STATE)
			continue;
		dims_init(&d);
		ret = dims_narrow(&d, m, &c->view);
		if (!ret)
			ret = lines_add(&c->lines, c->view.version, &d, &skip);
		dims_deinit(&d);
		if (ret)
			return ret;
	}
	return 0;
}

static int add_action(struct compiler *c, const struct rule *r, const struct dims *d)
{
	const struct action *a = &r->action;
	struct line_action line = { .verdict = verdict_of(a->verdict), .cid = r->cid };
	struct gw_nat nat;
	int ret = 0;

	if (rule_has_stmt(r, STMT_NOTRACK)) {
		/* with a verdict behind it, that verdict's line counts the packet */
		bool counts = a->verdict == VERDICT_NONE;
		const struct line_action notrack = { .verdict = GW_V_NOTRACK,
						     .cid = counts ? r->cid : 0 };
		size_t first = c->lines.n;

		ret = lines_add(&c->lines, c->view.version, d, &notrack);
		if (ret || counts)
			return ret;
		lines_close_rule(&c->lines, first);
	}
	if (a->verdict == VERDICT_REJECT)
		line.arg = a->reject;
	if (line.verdict == GW_V_NAT) {
		nat_fill(&nat, a);
		line.nat = &nat;
	}
	return lines_add(&c->lines, c->view.version, d, &line);
}

static int add_rule(struct compiler *c, const struct rule *r)
{
	size_t first = c->lines.n;
	struct dims d;
	int ret = 0;

	if (!rule_sees(r, c->view.version))
		return 0;
	dims_init(&d);
	for (size_t i = 0; !ret && i < r->n_matches; i++)
		ret = narrow_one(&d, &r->matches[i], &c->view);
	if (!ret && !dims_are_empty(&d)) {
		ret = add_skips(c, r);
		if (!ret)
			ret = add_action(c, r, &d);
		if (!ret)
			lines_close_rule(&c->lines, first);
	}
	dims_deinit(&d);
	return ret;
}

static int add_policy(struct compiler *c, const struct chain *chain)
{
	const struct line_action policy = {
		.verdict = chain->policy_drop ? GW_V_DROP : GW_V_ACCEPT,
		.flags = GW_RULE_POLICY,
		.cid = chain->cid,
	};
	struct dims any;

	dims_init(&any);
	return lines_add(&c->lines, c->view.version, &any, &policy);
}

static int add_chain(struct compiler *c, const struct chain *chain)
{
	for (size_t i = 0; i < chain->n_rules; i++) {
		int r = add_rule(c, chain->rules[i]);

		if (r)
			return r;
	}
	return add_policy(c, chain);
}

static bool place_takes_part(const struct place *p, int hook, int version)
{
	if (p->hook != hook || !family_sees(p->table->family, version))
		return false;
	return p->table->family != FAMILY_INET || p->chain->n_rules || p->chain->policy_drop;
}

/* All chains of one slot; places are sorted by priority. */
static int add_slot(struct compiler *c, int hook, int version)
{
	size_t slot = (size_t)hook * 2 + (version == 6), before = 0, before_end = 0;
	struct gw_slots *slots;

	c->view.version = version;
	for (size_t i = 0; i < c->n_places; i++) {
		size_t first = c->lines.n;
		int r;

		if (!place_takes_part(&c->places[i], hook, version))
			continue;
		c->at = &c->places[i];
		r = add_chain(c, c->at->chain);
		if (r)
			return r;
		if (before)
			lines_close_chain(&c->lines, before, before_end, (uint32_t)first);
		before = first;
		before_end = c->lines.n;
		slots = line_at(&c->lines, 1 + slot / 16);
		if (!slots->line[slot % 16])
			slots->line[slot % 16] = (uint32_t)first;
		*(version == 6 ? &c->head.hooks6 : &c->head.hooks4) |= 1U << hook;
	}
	return 0;
}

/* A packet's own mark may differ inside a connection: then a verdict can not be kept for it. */
static bool chain_hinders_cache(const struct place *p)
{
	if (p->chain->type == CHAIN_NAT || p->hook == GW_HOOK_RAW_PREROUTING ||
	    p->hook == GW_HOOK_RAW_OUTPUT || p->hook == GW_HOOK_MANGLE_PREROUTING ||
	    p->hook == GW_HOOK_MANGLE_POSTROUTING)
		return false;
	for (size_t i = 0; i < p->chain->n_rules; i++)
		for (size_t k = 0; k < p->chain->rules[i]->n_matches; k++)
			if (p->chain->rules[i]->matches[k].field == FIELD_ID_META_MARK)
				return true;
	return false;
}

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->chain->prio != y->chain->prio)
		return x->chain->prio < y->chain->prio ? -1 : 1;
	if (x->chain->handle != y->chain->handle)
		return x->chain->handle < y->chain->handle ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

static int place_add(struct compiler *c, const struct table *t, const struct chain *chain,
		     struct diag *d)
{
	struct place p = { t, chain, c->n_places, chain_hook(chain) };
	int r;

	if (p.hook < 0) {
		diag_set(d, "chain %s of table %s %s sits where no packet is looked at",
			 chain->name, family_name(t->family), t->name);
		diag_hint(d, "use the hook and priority of a standard chain of filter, nat, mangle "
			     "or raw");
		return COMPILE_E_DIAG;
	}
	r = array_reserve((void **)&c->places, &c->cap_places, c->n_places, sizeof(*c->places));
	if (r < 0)
		return r;
	c->places[c->n_places++] = p;
	if (chain_hinders_cache(&p))
		c->head.flags |= GW_IMG_NO_CACHE;
	return 0;
}

static int compiler_collect(struct compiler *c, const struct ruleset *rs, struct diag *d)
{
	for (size_t i = 0; i < rs->n_tables; i++) {
		const struct table *t = rs->tables[i];

		for (size_t k = 0; k < t->n_chains; k++) {
			int r = t->chains[k]->base ? place_add(c, t, t->chains[k], d) : 0;

			if (r)
				return r;
		}
	}
	if (c->n_places)
		qsort(c->places, c->n_places, sizeof(*c->places), place_cmp);
	return 0;
}

static int compiler_run(struct compiler *c, struct diag *d)
{
	int r = lines_reserve(&c->lines, GW_IMG_FIRST_RULE);

	for (int hook = 0; !r && hook < GW_HOOK_MAX; hook++) {
		r = add_slot(c, hook, 4);
		if (!r)
			r = add_slot(c, hook, 6);
	}
	if (r != IMAGE_TOO_LARGE)
		return r;
	diag_set(d,
		 "the rules up to chain %s of table %s %s need more than %u lines when their sets "
		 "are written out",
		 c->at->chain->name, family_name(c->at->table->family), c->at->table->name,
		 GW_IMAGE_LINES_MAX);
	diag_hint(d, "a rule with several sets takes the product of their sizes: split it");
	return COMPILE_E_DIAG;
}

int compile_ruleset(const struct ruleset *rs, const struct compile_if *ifs, size_t n_ifs,
		    uint32_t gen, struct image **ret_image, struct diag *d)
{
	_cleanup_(compiler_deinit) struct compiler c = { .view = { .ifs = ifs, .n_ifs = n_ifs } };
	struct image *img;
	int r = compiler_collect(&c, rs, d);

	if (!r)
		r = compiler_run(&c, d);
	if (r)
		return r;
	c.head.gen = gen;
	c.head.nlines = (uint32_t)c.lines.n;
	memcpy(line_at(&c.lines, 0), &c.head, sizeof(c.head));
	img = calloc(1, sizeof(*img));
	if (!img)
		return -ENOMEM;
	*img = (struct image){ .lines = TAKE_PTR(c.lines.bytes), .nlines = c.lines.n };
	*ret_image = img;
	return 0;
}
