/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any ruleset becomes an image, the same one each time, or is refused with a text.  Nothing in the image leads out of it: all entries with
 * their actions are looked at, and the data plane's own readers (bpf/core/find.h, set.h) search it for some packets.  Then the last rule of each
 * chain is taken away and appended again, as gwd does, and removed.
 */
#include "fuzz.h"

#include <compile/compile.h>
#include <lang/lang.h>
#include <netinet/in.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline, unused))
#endif

static const uint8_t *region;
static size_t region_lines;

/* The reader must not even ask for what is not there. */
static inline const void *region_line(uint32_t line)
{
	require(line < region_lines, "the reader leaves the image", "");
	return region + (size_t)line * GW_LINE_SIZE;
}

#define bpf_loop(n, step, ctx, flags)                   \
	do {                                            \
		for (uint32_t i_ = 0; i_ < (n); i_++) { \
			if (step(i_, ctx))              \
				break;                  \
		}                                       \
	} while (0)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include <core/find.h>
#include <core/set.h>
#pragma GCC diagnostic pop

#define MAX_LINES  (1U << 16)
#define ROOM_LINES 1024 /* behind the image, for what is appended */
#define STEPS_MAX  20000

static const struct compile_if ifs[] = { { 1, "lo" }, { 2, "eth0" }, { 3, "lan0" }, { 4, "wan0" } };

/* ------------------------------------------------------------------------------------------------------- numbers */

struct numbers {
	uint32_t counter, state, log;
};

static void number_stmt(struct stmt *s, struct numbers *n)
{
	if (s->kind == STMT_LOG)
		s->id = n->log++;
	else if (s->kind == STMT_LIMIT || s->kind == STMT_QUOTA || s->kind == STMT_CTCOUNT)
		s->id = n->state++;
}

/* What gwd gives to everything that counts or remembers. */
static void number_table(struct table *t, struct numbers *n)
{
	for (size_t i = 0; i < t->n_objects; i++)
		t->objects[i]->id =
			t->objects[i]->kind == OBJECT_COUNTER ? n->counter++ : n->state++;
	for (size_t i = 0; i < t->n_chains; i++) {
		struct chain *c = t->chains[i];

		c->cid = n->counter++;
		for (size_t k = 0; k < c->n_rules; k++) {
			c->rules[k]->cid = n->counter++;
			for (size_t s = 0; s < c->rules[k]->n_stmts; s++)
				number_stmt(&c->rules[k]->stmts[s], n);
		}
	}
}

/* ------------------------------------------------------------------------------------------------------ the image */

static void require_lines(uint32_t line, uint64_t bytes)
{
	require(line + (bytes + GW_LINE_SIZE - 1) / GW_LINE_SIZE <= region_lines,
		"an array leaves the image", "");
}

static void check_op(const struct gw_head *h, const struct gw_op *op)
{
	require(op->code && op->code <= GW_OP_ZONE && op->field < GW_F_MAX, "no such op", "");
	if (op->code == GW_OP_SET || (op->code >= GW_OP_SETADD && op->code <= GW_OP_SETDEL))
		require(op->lo < h->n_sets, "no such set", "");
	if (op->code == GW_OP_LIMIT || op->code == GW_OP_QUOTA || op->code == GW_OP_CTCOUNT)
		require(op->lo && op->lo < GW_STATES_MAX, "no such state", "");
	if (op->code == GW_OP_COUNT)
		require(op->lo && op->lo < GW_COUNTERS_MAX, "no such counter", "");
	if (op->code == GW_OP_NUMGEN)
		require(op->mask, "a modulus of 0", "");
}

static const struct gw_act *check_act(const struct gw_head *h, uint32_t flags)
{
	uint32_t line = h->o_act + GW_ENT_ACT(flags);
	const struct gw_act *act = region_line(line);
	const struct gw_op *more = (const struct gw_op *)(act + 1);
	unsigned int i = 0;

	require(act->n_cells <= GW_ACT_CELLS_MAX, "too many cells", "");
	if (act->n_cells > 3)
		require_lines(line + 1, (act->n_cells - 3U) * sizeof(struct gw_op));
	for (unsigned int len; i < act->n_cells; i += 1U + len) {
		const struct gw_op *op = i < 3 ? &act->cell[i] : &more[i - 3];

		check_op(h, op);
		len = op->len;
	}
	require(i == act->n_cells, "an op is longer than its action", "");
	if (act->nat)
		region_line(line + act->nat);
	return act;
}

static void check_entry(const struct gw_head *h, const struct gw_root *r, const struct gw_ent *e)
{
	uint32_t verdict = GW_ENT_VERDICT(e->flags);
	const struct gw_act *act;

	if (e->key == GW_KEY_EMPTY && !e->flags && !e->id)
		return;
	if (e->flags & (GW_ENT_PORTS | GW_ENT_FIELD)) {
		require(!(e->flags & GW_ENT_PORTS) || e->next < r->n_grp, "no such group", "");
		region_line(h->o_misc + e->misc / 2);
		return;
	}
	region_line(h->o_misc + e->misc / 2);
	require(e->id < GW_COUNTERS_MAX && verdict <= GW_V_RETURN, "no such counter or verdict",
		"");
	act = GW_ENT_ACT(e->flags) ? check_act(h, e->flags) : NULL;
	if (verdict == GW_V_JUMP || verdict == GW_V_GOTO)
		require(act && act->arg < h->n_roots, "no such root", "");
	if (verdict == GW_V_NAT)
		require(act && act->nat, "NAT to nowhere", "");
	if (verdict == GW_V_REJECT)
		require(!act || act->arg < GW_REJECT_MAX, "no such reject", "");
}

static void check_entries(const struct gw_head *h, const struct gw_root *r, uint32_t line,
			  uint64_t n)
{
	require_lines(line, n * sizeof(struct gw_ent));
	for (uint64_t i = 0; i < n; i++)
		check_entry(h, r,
			    (const struct gw_ent *)(region + (size_t)line * GW_LINE_SIZE) + i);
}

static void check_image(void)
{
	const struct gw_head *h = region_line(0);

	require(h->nlines == region_lines, "nlines is not how many there are", "");
	require_lines(h->o_slot, GW_HOOK_MAX * 2 * sizeof(uint32_t));
	require_lines(h->o_root, (uint64_t)h->n_roots * sizeof(struct gw_root));
	require_lines(h->o_misc, (uint64_t)h->n_misc * sizeof(struct gw_misc));
	require_lines(h->o_xaddr, (uint64_t)h->n_xaddr * sizeof(struct gw_xaddr));
	require_lines(h->o_act, (uint64_t)h->n_act * GW_LINE_SIZE);
	require_lines(h->o_set, (uint64_t)h->n_sets * sizeof(struct gw_set));
	for (uint32_t i = 0; i < h->n_roots; i++) {
		const struct gw_root *r = (const struct gw_root *)region_line(h->o_root) + i;

		require(r->next == GW_NO_ROOT || r->next < h->n_roots, "no such root", "");
		for (int dim = 0; dim < 2; dim++)
			require_lines(r->d[dim].o_least,
				      r->d[dim].o_least ? r->n_label[dim] * sizeof(uint32_t) : 0);
		check_entries(h, r, r->o_bkt, r->nbkt * 2ULL);
		check_entries(h, r, r->o_rul, r->n_rul);
		check_entries(h, r, r->o_delta, r->ndelta);
	}
}

/* ---------------------------------------------------------------------------------------------------- the readers */

/* Packets at the edges of what rules name; which ones is a matter of n alone. */
static void packet_of(uint32_t n, uint32_t v6, struct find_key *k)
{
	static const uint32_t addr4[] = { 0, 0x0a000001, 0xc0a80101, 0x0a0000ff, 0xcb007101, ~0U };
	static const uint64_t addr6[] = { 0, 1, 0x20010db800000000, 0xfe80000000000000, ~0ULL };
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
					  IPPROTO_GRE };
	static const uint16_t ports[] = { 22, 80, 443, 0, 65535, 0x0800, 53 };

	*k = (struct find_key){
		.meta = GW_META_IIF(n % 5) | GW_META_OIF(n / 2 % 5) |
			GW_META_PROTO(protos[n % ARRAY_SIZE(protos)]) | GW_META_TCPF(n & 0x12),
		.sport = ports[n / 3 % ARRAY_SIZE(ports)],
		.dport = ports[n % ARRAY_SIZE(ports)],
		.mark = n & 1,
		.state = (uint8_t)(1U << n % 5),
		.syn = n & 2,
	};
	k->s[1] = v6 ? addr6[n / 5 % ARRAY_SIZE(addr6)] : addr4[n % ARRAY_SIZE(addr4)];
	k->d[1] = v6 ? addr6[n % 2] : addr4[n / 3 % ARRAY_SIZE(addr4)];
	if (v6) {
		k->s[0] = addr6[n % ARRAY_SIZE(addr6)];
		k->d[0] = addr6[n / 2 % ARRAY_SIZE(addr6)];
	}
}

/* As core/rules.h goes through a chain, but every rule that matches lets it go on. */
static void search_root(uint32_t root, uint32_t v6, const struct find_key *k)
{
	struct find f = { .root = root };
	uint32_t steps = 0;

	do {
		find_first(&f, k, v6);
		require(f.prio == FIND_NONE || f.prio >= f.min, "a search goes back", "");
		require(++steps < STEPS_MAX, "a search without an end", "");
		f.min = f.prio + 1;
	} while (f.prio != FIND_NONE && f.min);
}

static void search_image(void)
{
	const struct gw_head *h = region_line(0);
	const uint32_t *slots = region_line(h->o_slot);
	struct gw_dynkey key = { 0 };
	struct find_key k;

	for (uint32_t slot = 0; slot < GW_HOOK_MAX * 2; slot++) {
		require(slots[slot] == GW_NO_ROOT || slots[slot] < h->n_roots, "no such root", "");
		for (uint32_t n = 0; n < 8 && slots[slot] != GW_NO_ROOT; n++) {
			packet_of(n * 7 + slot, slot & 1, &k);
			search_root(slots[slot], slot & 1, &k);
		}
	}
	for (uint32_t set = 0; set < h->n_sets; set++) {
		for (uint32_t n = 0; n < 8; n++) {
			memset(key.key, n & 4 ? 0xff : 0, sizeof(key.key));
			key.key[n & 3] = (uint8_t)(n * 37);
			set_has(0, set, &key);
		}
	}
}

static void check_lines(const void *lines, size_t n)
{
	region = lines;
	region_lines = n;
	check_image();
	search_image();
}

/* -------------------------------------------------------------------------------------------------------- changes */

/* The image with room behind it, as a half of the map. */
static uint8_t *half_of(const struct image *img)
{
	uint8_t *half = calloc(img->nlines + ROOM_LINES, GW_LINE_SIZE);

	require(half, "out of memory", "");
	memcpy(half, img->lines, img->nlines * GW_LINE_SIZE);
	return half;
}

/* The chain's last rule goes, and comes back. */
static void append_last(struct ruleset *rs, const struct table *t, struct chain *c)
{
	_cleanup_(image_freep) struct image *img = NULL;
	_cleanup_(freep) uint8_t *half = NULL;
	struct compile_where w = { rs, t, c, c->n_rules - 1, ifs, ARRAY_SIZE(ifs) };
	struct diag d = { 0 };
	int r;

	c->n_rules--;
	r = compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 1, MAX_LINES, &img, &d);
	c->n_rules++;
	if (r)
		return;
	half = half_of(img);
	r = compile_append(img->map, half, img->nlines + ROOM_LINES, &w, &d);
	require(r >= 0, "neither appended nor refused", "");
	require(r != COMPILE_E_DIAG || d.text[0], "refused without a word", "");
	require(((struct gw_head *)half)->nlines <= img->nlines + ROOM_LINES, "no room", "");
	check_lines(half, ((struct gw_head *)half)->nlines);
	require(compile_remove(half, c->rules[w.index]->cid) >= 0, "can not be removed", "");
	check_lines(half, ((struct gw_head *)half)->nlines);
}

static void change_rules(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n_tables; i++) {
		for (size_t k = 0; k < rs->tables[i]->n_chains; k++) {
			if (rs->tables[i]->chains[k]->n_rules)
				append_last(rs, rs->tables[i], rs->tables[i]->chains[k]);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(image_freep) struct image *img = NULL, *again = NULL;
	struct numbers n = { 1, 1, 1 };
	struct diag d = { 0 };
	int r;

	if (lang_apply(rs, "fuzz", (const char *)data, size, NULL, &d))
		return 0;
	for (size_t i = 0; i < rs->n_tables; i++)
		number_table(rs->tables[i], &n);
	r = compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 1, MAX_LINES, &img, &d);
	require(r == 0 || r == COMPILE_E_DIAG, "neither an image nor a mistake", strerror(-r));
	if (r) {
		require_diag(&d);
		return 0;
	}
	require(img->nlines <= MAX_LINES, "longer than it may be", "");
	check_lines(img->lines, img->nlines);
	require(compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 1, MAX_LINES, &again, &d) == 0, d.text,
		"");
	require(again->nlines == img->nlines &&
			!memcmp(again->lines, img->lines, img->nlines * GW_LINE_SIZE),
		"the same rules, another image", "");
	change_rules(rs);
	return 0;
}
