/* SPDX-License-Identifier: GPL-2.0-only */
#include <compile/builder.h>

static size_t builder_lines(const struct builder *b)
{
	return 1 + lines_of(sizeof(b->slots)) + b->roots.n * GW_ROOT_LINES + b->sets.n + b->body.n +
	       lines_of(b->misc.n * sizeof(struct gw_misc)) + b->xaddr.n + b->act.n;
}

int section_grow(struct builder *b, struct section *s, size_t n, uint32_t *ret_first)
{
	size_t cap = MAX(s->cap, 64U), want = s->n + n;
	uint8_t *bytes;

	if (want > b->max_lines * (LINE_BYTES / sizeof(struct gw_misc)))
		return INDEX_E_FULL;
	if (want > s->cap) {
		while (cap < want)
			cap += cap / 2;
		bytes = realloc(s->bytes, cap * s->row);
		if (!bytes)
			return raise(-ENOMEM, "cannot build the index");
		s->bytes = bytes;
		s->cap = cap;
	}
	memset(section_at(s, s->n), 0, n * s->row);
	*ret_first = (uint32_t)s->n;
	s->n = want;
	if (builder_lines(b) <= b->max_lines)
		return 0;
	s->n -= n;
	return INDEX_E_FULL;
}

int body_take(struct builder *b, size_t n, size_t size, uint32_t *ret_line, void *ret_p)
{
	int r = section_grow(b, &b->body, lines_of(n * size), ret_line);

	if (!r)
		*(void **)ret_p = section_at(&b->body, *ret_line);
	return r;
}

uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
	const uint8_t *p = bytes;
	uint64_t h = seed ^ n;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		h = hash_key(h ^ word);
	}
	return h;
}

static int dedup_grow(struct dedup *d, const struct section *s, size_t row)
{
	size_t n = MAX(d->n_slots * 2, 64U);
	uint32_t *slots;

	if (d->used * 2 < d->n_slots)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return raise(-ENOMEM, "cannot build the index");
	for (size_t i = 0; i < d->n_slots; i++) {
		size_t at;

		if (!d->slots[i])
			continue;
		at = hash_bytes(section_at(s, d->slots[i]), row, 0) & (n - 1);
		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = d->slots[i];
	}
	free(d->slots);
	d->slots = slots;
	d->n_slots = n;
	return 0;
}

/* The row with this content, which is made if there is none.  Row 0 is never found. */
static int dedup_row(struct builder *b, struct dedup *d, struct section *s, const void *row,
		     uint32_t *ret)
{
	int r = dedup_grow(d, s, s->row);
	size_t at;

	if (r)
		return r;
	at = hash_bytes(row, s->row, 0) & (d->n_slots - 1);
	for (; d->slots[at]; at = (at + 1) & (d->n_slots - 1)) {
		if (memcmp(section_at(s, d->slots[at]), row, s->row))
			continue;
		*ret = d->slots[at];
		return 0;
	}
	r = section_grow(b, s, 1, ret);
	if (r)
		return r;
	memcpy(section_at(s, *ret), row, s->row);
	d->slots[at] = *ret;
	d->used++;
	return 0;
}

int builder_misc(struct builder *b, const struct gw_misc *m, uint32_t *ret)
{
	return dedup_row(b, &b->misc_rows, &b->misc, m, ret);
}

int builder_xaddr(struct builder *b, const struct gw_xaddr *x, uint32_t *ret)
{
	int r = dedup_row(b, &b->xaddr_rows, &b->xaddr, x, ret);

	return !r && *ret > GW_MISC_XADDR(~0U) ? INDEX_E_FULL : r;
}

static int acts_grow(struct builder *b)
{
	size_t n = MAX(b->n_act_slots * 2, 64U);
	struct act_run *slots;

	if (b->n_acts * 2 < b->n_act_slots)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return raise(-ENOMEM, "cannot build the index");
	for (size_t i = 0; i < b->n_act_slots; i++) {
		size_t at = b->acts[i].hash & (n - 1);

		if (!b->acts[i].n)
			continue;
		while (slots[at].n)
			at = (at + 1) & (n - 1);
		slots[at] = b->acts[i];
	}
	free(b->acts);
	b->acts = slots;
	b->n_act_slots = n;
	return 0;
}

int builder_act(struct builder *b, const void *lines, size_t n, uint32_t *ret_act)
{
	uint64_t hash = hash_bytes(lines, n * LINE_BYTES, n);
	struct act_run *run;
	uint32_t first;
	size_t at;
	int r = acts_grow(b);

	if (r)
		return r;
	at = hash & (b->n_act_slots - 1);
	for (; b->acts[at].n; at = (at + 1) & (b->n_act_slots - 1)) {
		run = &b->acts[at];
		if (run->hash == hash && run->n == n &&
		    !memcmp(section_at(&b->act, run->first), lines, n * LINE_BYTES)) {
			*ret_act = run->first;
			return 0;
		}
	}
	r = section_grow(b, &b->act, n, &first);
	if (r)
		return r;
	if (b->act.n > GW_ENT_ACT_MAX)
		return INDEX_E_FULL;
	memcpy(section_at(&b->act, first), lines, n * LINE_BYTES);
	b->acts[at] = (struct act_run){ hash, first, (uint32_t)n };
	b->n_acts++;
	*ret_act = first;
	return 0;
}

/* Row 0 never holds, row 1 always does; action 0 is none; offset 0 of the body is none. */
static int first_rows(struct builder *b)
{
	const struct gw_misc any = { .spw = 0xffff, .xa = 0xffU << 24 };
	struct gw_misc *never;
	uint32_t row;
	int r;

	r = section_grow(b, &b->misc, 1, &row);
	if (r)
		return r;
	never = section_at(&b->misc, row);
	never->meta = ~0ULL;
	r = builder_misc(b, &any, &row);
	if (!r)
		r = section_grow(b, &b->xaddr, 1, &row);
	if (!r)
		r = section_grow(b, &b->act, 1, &row);
	if (!r)
		r = section_grow(b, &b->body, 1, &row);
	return r;
}

int builder_new(size_t max_lines, struct builder **ret)
{
	_cleanup_(builder_freep) struct builder *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return raise(-ENOMEM, "cannot build the index");
	b->max_lines = MIN(max_lines, (size_t)UINT32_MAX / 4);
	b->roots.row = sizeof(struct gw_root);
	b->sets.row = sizeof(struct gw_set);
	b->misc.row = sizeof(struct gw_misc);
	b->xaddr.row = sizeof(struct gw_xaddr);
	b->act.row = b->body.row = LINE_BYTES;
	memset(b->slots, 0xff, sizeof(b->slots));
	r = first_rows(b);
	if (r)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

struct builder *builder_free(struct builder *b)
{
	if (!b)
		return NULL;
	free(b->roots.bytes);
	free(b->sets.bytes);
	free(b->body.bytes);
	free(b->misc.bytes);
	free(b->xaddr.bytes);
	free(b->act.bytes);
	free(b->misc_rows.slots);
	free(b->xaddr_rows.slots);
	free(b->acts);
	free(b);
	return NULL;
}

uint32_t builder_reserve_root(struct builder *b)
{
	uint32_t root = GW_NO_ROOT;
	int r = section_grow(b, &b->roots, 1, &root);

	if (r && !b->failed)
		b->failed = r;
	return root;
}

void builder_slot(struct builder *b, unsigned int hook, int version, uint32_t root)
{
	b->slots[hook * 2 + (version == 6)] = root;
}

/* ------------------------------------------------------------------------------------------------------- entries */

void rule_xaddr(const struct index_rule *r, int version, const bool *exact, struct gw_xaddr *ret)
{
	const index_addr any = version == 6 ? ~(index_addr)0 : UINT32_MAX;
	index_addr s_lo = exact[0] ? r->s_lo : 0, s_hi = exact[0] ? r->s_hi : any;
	index_addr d_lo = exact[1] ? r->d_lo : 0, d_hi = exact[1] ? r->d_hi : any;

	*ret = (struct gw_xaddr){ { (uint64_t)(s_lo >> 64), (uint64_t)s_lo },
				  { (uint64_t)(s_hi >> 64), (uint64_t)s_hi },
				  { (uint64_t)(d_lo >> 64), (uint64_t)d_lo },
				  { (uint64_t)(d_hi >> 64), (uint64_t)d_hi } };
}

void rule_misc(const struct index_rule *r, uint32_t xa, struct gw_misc *ret)
{
	*ret = (struct gw_misc){ .meta = r->meta,
				 .mmask = r->mmask,
				 .splo = r->sp_lo,
				 .spw = (uint16_t)(r->sp_hi - r->sp_lo),
				 .mark = r->mark,
				 .markm = r->markm,
				 .xa = xa | (uint32_t)r->states << 24 };
}

void rule_entry(const struct index_rule *r, struct gw_ent *ret)
{
	const uint32_t kept = GW_ENT_VARY | GW_ENT_VARY_SYN | 15U << 8 | GW_ENT_ACT_MAX << 12;

	*ret = (struct gw_ent){ .key = GW_KEY_EMPTY,
				.prio = r->prio,
				.id = r->id,
				.dplo = r->dp_lo,
				.dpw = (uint16_t)(r->dp_hi - r->dp_lo),
				.flags = (r->flags & kept) | (r->not_s ? GW_ENT_NOT_SADDR : 0) |
					 (r->not_d ? GW_ENT_NOT_DADDR : 0) };
}

int builder_entry(struct builder *b, const struct index_rule *r, int version, const bool *exact,
		  struct gw_ent *ret)
{
	struct gw_xaddr x;
	struct gw_misc m;
	uint32_t xa = 0;
	int error = 0;

	if (exact[0] || exact[1]) {
		rule_xaddr(r, version, exact, &x);
		error = builder_xaddr(b, &x, &xa);
	}
	if (error)
		return error;
	rule_misc(r, xa, &m);
	rule_entry(r, ret);
	return builder_misc(b, &m, &ret->misc);
}

/* ---------------------------------------------------------------------------------------------------------- roots */

void rule_exact(const struct index_rule *r, int version, bool *exact)
{
	const index_addr any = version == 6 ? ~(index_addr)0 : UINT32_MAX;

	exact[0] = r->not_s || r->s_lo || r->s_hi != any;
	exact[1] = r->not_d || r->d_lo || r->d_hi != any;
}

static int build_list(struct builder *b, struct gw_root *root, int version,
		      const struct index_rule *rules, size_t n)
{
	struct gw_ent *list;
	int r;

	if (!n)
		return 0;
	r = body_take(b, n, sizeof(*list), &root->o_delta, &list);
	for (size_t i = 0; !r && i < n; i++) {
		bool exact[2];

		rule_exact(&rules[i], version, exact);
		r = builder_entry(b, &rules[i], version, exact, &list[i]);
	}
	root->ndelta = (uint32_t)n;
	return r;
}

int builder_root(struct builder *b, uint32_t root, int version, const struct gw_root *head,
		 const struct index_rule *rules, size_t n)
{
	struct gw_root now = { .next = head->next,
			       .policy = head->policy,
			       .cid = head->cid,
			       .flags = head->flags & GW_ROOT_BASE,
			       .handle = head->handle };
	int r;

	if (b->failed)
		return b->failed;
	now.o_self = (uint32_t)b->body.n;
	if (n <= LIST_MAX)
		r = build_list(b, &now, version, rules, n);
	else
		r = index_build(b, &now, version, rules, n);
	now.nlines = (uint32_t)b->body.n - now.o_self;
	if (!r)
		memcpy(section_at(&b->roots, root), &now, sizeof(now));
	return r;
}

/* --------------------------------------------------------------------------------------------------------- finish */

static void move_offset(uint32_t *o, uint32_t by)
{
	if (*o)
		*o += by;
}

static void move_root(struct gw_root *r, uint32_t by)
{
	for (int i = 0; i < 2; i++) {
		move_offset(&r->d[i].o_dx, by);
		move_offset(&r->d[i].o_rr, by);
		move_offset(&r->d[i].o_cl, by);
		move_offset(&r->d[i].o_par, by);
		move_offset(&r->d[i].o_sub, by);
		move_offset(&r->d[i].o_least, by);
	}
	move_offset(&r->o_bkt, by);
	move_offset(&r->o_rul, by);
	move_offset(&r->o_grp, by);
	move_offset(&r->o_spc, by);
	move_offset(&r->o_dpc, by);
	move_offset(&r->o_spn, by);
	move_offset(&r->o_dpn, by);
	move_offset(&r->o_sppar, by);
	move_offset(&r->o_dppar, by);
	move_offset(&r->o_delta, by);
	move_offset(&r->o_self, by);
}

/* Lines of the image from *at on; *at moves behind them. */
static uint32_t put_section(struct image *img, uint32_t *at, const void *bytes, size_t n)
{
	uint32_t line = *at;

	if (n)
		memcpy(img->lines + (size_t)line * LINE_BYTES, bytes, n);
	*at += (uint32_t)lines_of(n);
	return line;
}

static void put_sections(const struct builder *b, struct gw_head *h, struct image *img)
{
	uint32_t at = 1, body;

	h->o_slot = put_section(img, &at, b->slots, sizeof(b->slots));
	h->o_root = put_section(img, &at, b->roots.bytes, b->roots.n * sizeof(struct gw_root));
	h->o_set = put_section(img, &at, b->sets.bytes, b->sets.n * sizeof(struct gw_set));
	body = put_section(img, &at, b->body.bytes, b->body.n * LINE_BYTES);
	h->o_misc = put_section(img, &at, b->misc.bytes, b->misc.n * sizeof(struct gw_misc));
	h->o_xaddr = put_section(img, &at, b->xaddr.bytes, b->xaddr.n * LINE_BYTES);
	h->o_act = put_section(img, &at, b->act.bytes, b->act.n * LINE_BYTES);
	for (size_t i = 0; i < b->roots.n; i++)
		move_root((struct gw_root *)(img->lines + (size_t)h->o_root * LINE_BYTES) + i,
			  body);
	for (size_t i = 0; i < b->sets.n; i++) {
		struct gw_set *s =
			(struct gw_set *)(img->lines + (size_t)h->o_set * LINE_BYTES) + i;

		move_offset(&s->o_table, body);
		move_offset(&s->o_aux, body);
	}
	h->nlines = at;
	h->n_roots = (uint32_t)b->roots.n;
	h->n_sets = (uint32_t)b->sets.n;
	h->n_misc = (uint32_t)b->misc.n;
	h->n_xaddr = (uint32_t)b->xaddr.n;
	h->n_act = (uint32_t)b->act.n;
	memcpy(img->lines, h, sizeof(*h));
}

int builder_finish(struct builder *b, const struct gw_head *head, struct image **ret)
{
	_cleanup_(image_freep) struct image *img = NULL;
	struct gw_head h = *head;

	if (b->failed)
		return b->failed;
	img = calloc(1, sizeof(*img));
	if (!img)
		return raise(-ENOMEM, "cannot build the index");
	img->nlines = builder_lines(b);
	img->lines = calloc(img->nlines, LINE_BYTES);
	if (!img->lines)
		return raise(-ENOMEM, "cannot build the index");
	put_sections(b, &h, img);
	*ret = TAKE_PTR(img);
	return 0;
}
