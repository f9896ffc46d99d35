/* SPDX-License-Identifier: GPL-2.0-only */
/* Small rulesets: what their image holds, and what is refused in which words. */
#include "compile_walk.h"

#include <arpa/inet.h>
#include <image_eval.h>

static const struct compile_if ifs[] = { { 1, "lo" }, { 2, "eth0" }, { 3, "eth1" } };

static struct rule *add_rule(struct ruleset *rs, struct chain *c, enum verdict v, uint32_t cid)
{
	struct rule *r = rule_new();

	must(r);
	r->action.verdict = v;
	r->cid = cid;
	must(!chain_insert_rule(rs, c, c->n_rules, r));
	return r;
}

static struct rule *add_jump(struct ruleset *rs, struct chain *c, enum verdict v, const char *to)
{
	struct rule *r = add_rule(rs, c, v, 9);

	snprintf(r->action.chain, sizeof(r->action.chain), "%s", to);
	return r;
}

static struct match *add_match(struct rule *r, enum field field, size_t n)
{
	struct match m = { .field = field, .mask = UINT32_MAX, .n = n, .is_set = n > 1 };

	m.elems = calloc(n, sizeof(*m.elems));
	must(m.elems && !rule_add_match(r, &m));
	return &r->matches[r->n_matches - 1];
}

static struct match *add_num(struct rule *r, enum field field, uint64_t lo, uint64_t hi)
{
	struct match *m = add_match(r, field, 1);

	m->elems[0].num_lo = lo;
	m->elems[0].num_hi = hi;
	return m;
}

static struct stmt *add_stmt(struct rule *r, enum stmt_kind kind)
{
	struct stmt s = { .kind = kind };

	must(!rule_add_stmt(r, &s));
	return &r->stmts[r->n_stmts - 1];
}

static struct chain *base_chain(struct ruleset *rs, enum family f, const char *table)
{
	struct chain *c =
		ruleset_standard_chain(rs, f, table, f == FAMILY_INET ? "forward" : "FORWARD");

	must(c);
	c->cid = 1;
	return c;
}

static struct chain *user_chain(struct ruleset *rs, const char *name)
{
	struct chain *c;

	must(!table_add_chain(rs, rs->tables[0], name, &c));
	return c;
}

static struct image *compile(const struct ruleset *rs)
{
	struct image *img = NULL;
	struct diag d = { 0 };

	if (compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 7, 100000, &img, &d))
		ck_abort_msg("%s", d.text);
	ck_assert_uint_eq(((const struct gw_head *)img->lines)->gen, 7);
	ck_assert_uint_eq(((const struct gw_head *)img->lines)->nlines, img->nlines);
	return img;
}

static void refused(const struct ruleset *rs, const char *text)
{
	struct image *img = NULL;
	struct diag d = { 0 };

	ck_assert_int_eq(compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 7, 100000, &img, &d),
			 COMPILE_E_DIAG);
	ck_assert_ptr_null(img);
	ck_assert_str_eq(d.text, text);
}

static const struct gw_head *head_of(const struct image *img)
{
	return (const struct gw_head *)img->lines;
}

/* The only act of the image that has ops. */
static const struct gw_act *act_of(const struct image *img)
{
	const struct gw_head *h = head_of(img);

	for (uint32_t i = 1; i < h->n_act; i++) {
		const struct gw_act *a = (const void *)(img->lines + (h->o_act + i) * GW_LINE_SIZE);

		if (a->n_cells)
			return a;
	}
	ck_abort_msg("no act");
}

static struct notes passed;

static const struct notes *pass(const struct image *img, int hook, const struct packet *p)
{
	static struct memory m;
	struct eval e = { .p = *p, .m = &m, .n = &passed };

	memset(&passed, 0, sizeof(passed));
	eval_slot(img->lines, img->nlines, hook, &e);
	return &passed;
}

static const struct packet tcp4 = { .version = 4,
				    .saddr = { 10, 0, 0, 1 },
				    .daddr = { 10, 0, 0, 2 },
				    .proto = IPPROTO_TCP,
				    .sport = 1000,
				    .dport = 80,
				    .iif = 2,
				    .oif = 3,
				    .ctstate = GW_CT_NEW };

START_TEST(an_empty_ruleset_accepts_everything)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(image_freep) struct image *img = compile(rs);

	ck_assert_uint_eq(head_of(img)->hooks4, 0);
	ck_assert_uint_eq(head_of(img)->hooks6, 0);
	for (int h = 0; h < GW_HOOK_MAX; h++)
		ck_assert_uint_eq(pass(img, h, &tcp4)->n, 0);
}
END_TEST

START_TEST(an_inet_chain_without_rules_takes_part_only_to_drop)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	_cleanup_(image_freep) struct image *img = compile(rs), *drops = NULL;

	ck_assert_uint_eq(head_of(img)->hooks4, 0);
	c->policy_drop = true;
	drops = compile(rs);
	ck_assert_uint_eq(head_of(drops)->hooks4, 1U << GW_HOOK_FILTER_FORWARD);
	ck_assert_uint_eq(head_of(drops)->hooks6, 1U << GW_HOOK_FILTER_FORWARD);
	ck_assert_uint_eq(pass(drops, GW_HOOK_FILTER_FORWARD, &tcp4)->count[1], 1);
	ck_assert_uint_eq(passed.note[0].a, GW_V_DROP);
}
END_TEST

START_TEST(an_ip_chain_without_rules_counts_its_policy)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_IP, "filter");
	_cleanup_(image_freep) struct image *img = compile(rs);

	ck_assert_uint_eq(c->cid, 1);
	ck_assert_uint_eq(head_of(img)->hooks6, 0);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &tcp4)->count[1], 1);
}
END_TEST

START_TEST(a_chain_behind_dnat_has_a_slot)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	_cleanup_(image_freep) struct image *img = NULL;

	c->hook_nf = 0;
	c->prio = 0;
	add_rule(rs, c, VERDICT_DROP, 2);
	img = compile(rs);
	ck_assert_uint_eq(head_of(img)->hooks4, 1U << GW_HOOK_FILTER_PREROUTING);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_PREROUTING, &tcp4)->count[2], 1);
}
END_TEST

START_TEST(chains_of_a_slot_follow_their_priority)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter"), *first;
	_cleanup_(image_freep) struct image *img = NULL;

	add_rule(rs, c, VERDICT_DROP, 2);
	first = user_chain(rs, "first");
	first->base = true;
	first->hook_nf = 2;
	first->prio = 5;
	c->prio = 7;
	add_rule(rs, first, VERDICT_ACCEPT, 3);
	img = compile(rs);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &tcp4)->count[3], 1);
	ck_assert_uint_eq(passed.count[2], 1);
	/* of equals the one that came last is first, as netfilter has it */
	first->prio = 7;
	image_free(img);
	img = compile(rs);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &tcp4)->count[3], 1);
	ck_assert_uint_eq(passed.count[2], 1);
	first->prio = 9;
	image_free(img);
	img = compile(rs);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &tcp4)->count[3], 0);
	ck_assert_uint_eq(passed.count[2], 1);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- refusals */

START_TEST(loops_are_refused)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *a, *b;

	base_chain(rs, FAMILY_INET, "filter");
	a = user_chain(rs, "a");
	b = user_chain(rs, "b");
	add_jump(rs, a, VERDICT_JUMP, "b");
	add_jump(rs, b, VERDICT_GOTO, "a");
	refused(rs,
		"inet filter: chain `b` leads to chain `a`, which leads back to it: packets would "
		"go round for ever");
	chain_flush(b);
	add_jump(rs, b, VERDICT_JUMP, "b");
	refused(rs,
		"inet filter: chain `b` leads to chain `b`, which leads back to it: packets would "
		"go round for ever");
}
END_TEST

/* forward -> c1 -> ... -> cN */
static struct ruleset *staircase(int n, enum verdict v)
{
	struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	char name[16];

	for (int i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		add_jump(rs, c, v, name);
		c = user_chain(rs, name);
	}
	add_rule(rs, c, VERDICT_DROP, 5);
	return rs;
}

START_TEST(sixteen_jumps_are_as_many_as_there_may_be)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = staircase(GW_JUMP_DEPTH, VERDICT_JUMP);
	_cleanup_(ruleset_freep) struct ruleset *more = staircase(GW_JUMP_DEPTH + 1, VERDICT_JUMP);
	_cleanup_(ruleset_freep) struct ruleset *gotos = staircase(100, VERDICT_GOTO);
	_cleanup_(image_freep) struct image *img = compile(rs), *flat = compile(gotos);

	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &tcp4)->count[5], 1);
	ck_assert_uint_eq(pass(flat, GW_HOOK_FILTER_FORWARD, &tcp4)->count[5], 1);
	refused(more, "inet filter: the way to chain `c17` is more than 16 jumps long");
}
END_TEST

/* A map behind a statement is a root of its own: it needs a place to come back to. */
START_TEST(a_map_at_the_end_of_sixteen_jumps_may_be_one_too_many)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = staircase(GW_JUMP_DEPTH, VERDICT_JUMP);
	struct chain *c = table_chain(rs->tables[0], "c16");
	struct rule *r = add_rule(rs, c, VERDICT_VMAP, 6);
	_cleanup_(image_freep) struct image *img = NULL;
	struct map_data data = { .verdict = VERDICT_DROP };
	struct elem e = { .num_lo = 80, .num_hi = 80 };
	char text[128];

	r->action.map = calloc(1, sizeof(*r->action.map));
	r->action.map->key = (struct selector){ .n = 1, .fields = { FIELD_ID_TCP_DPORT } };
	r->action.map->elems = elems_new(1);
	must(!elems_add(r->action.map->elems, &e, &data, NULL));
	add_stmt(r, STMT_LOG); /* this can be a rule of its own in front */
	img = compile(rs);
	add_stmt(r, STMT_NOTRACK);
	snprintf(text, sizeof(text),
		 "inet filter c16 handle %llu: 16 jumps lead here, and this map needs one more: at "
		 "most 16",
		 (unsigned long long)r->handle);
	refused(rs, text);
}
END_TEST

START_TEST(jumps_lead_to_user_chains_that_exist)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter"), *a = user_chain(rs, "a");
	char text[128];

	add_jump(rs, a, VERDICT_JUMP, "forward");
	snprintf(
		text, sizeof(text),
		"inet filter a handle %llu: `forward` is a base chain: only packets come there, no "
		"rule leads to it",
		(unsigned long long)a->rules[0]->handle);
	refused(rs, text);
	chain_flush(a);
	add_jump(rs, c, VERDICT_GOTO, "nowhere");
	snprintf(
		text, sizeof(text),
		"inet filter forward handle %llu: there is no chain `nowhere` in table inet filter",
		(unsigned long long)c->rules[0]->handle);
	refused(rs, text);
}
END_TEST

START_TEST(what_does_not_fit_names_the_setting)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	struct image *img = NULL;
	struct diag d = { 0 };

	for (uint32_t i = 0; i < 5000; i++) {
		struct rule *r = add_rule(rs, c, VERDICT_DROP, i + 2);
		struct match *m = add_match(r, FIELD_ID_IP_SADDR, 1);

		memcpy(m->elems[0].addr_lo, (uint8_t[]){ 10, (uint8_t)(i >> 8), (uint8_t)i, 1 }, 4);
		memcpy(m->elems[0].addr_hi, m->elems[0].addr_lo, 4);
	}
	ck_assert_int_eq(compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 7, 2000, &img, &d),
			 COMPILE_E_DIAG);
	ck_assert_str_eq(d.text,
			 "inet filter forward: the rules up to here need more than 2000 lines "
			 "(0 MB)");
	ck_assert_ptr_nonnull(strstr(d.hint, "`rules.memory`"));
}
END_TEST

START_TEST(a_product_of_sets_that_is_too_large_is_refused)
{
	static const enum field both[] = { FIELD_ID_TCP_SPORT, FIELD_ID_TCP_DPORT };
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	struct rule *r = add_rule(rs, c, VERDICT_DROP, 2);
	char text[256];

	/* 2000 pairs each of which leaves the mark open, times 2000 marks that leave the pair open */
	for (int i = 0; i < 2; i++) {
		struct match *m = add_match(r, i ? FIELD_ID_META_MARK : both[0], 4000);

		m->n_fields = 2;
		m->n = 2000;
		m->more[0] = i ? FIELD_ID_META_MARK : both[0];
		m->more[1] = i ? FIELD_ID_IIFNAME : both[1];
		for (uint32_t k = 0; k < 2000; k++) {
			m->elems[k * 2].num_lo = m->elems[k * 2].num_hi = k;
			if (i)
				strcpy(m->elems[k * 2 + 1].name, "*");
			else
				m->elems[k * 2 + 1].num_lo = m->elems[k * 2 + 1].num_hi = k;
		}
	}
	snprintf(
		text, sizeof(text),
		"inet filter forward handle %llu: more than 1048576 alternatives when its sets are "
		"written out: a rule with several sets takes the product of their sizes",
		(unsigned long long)r->handle);
	refused(rs, text);
}
END_TEST

static void refused_rule(const struct ruleset *rs, const struct rule *r, const char *text)
{
	char full_text[256];

	snprintf(full_text, sizeof(full_text), "inet filter forward handle %llu: %s",
		 (unsigned long long)r->handle, text);
	refused(rs, full_text);
}

START_TEST(what_the_data_plane_can_not_do_is_refused_by_name)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	struct rule *r = add_rule(rs, c, VERDICT_REDIRECT, 2);

	r->action.nat_flags = GW_NATF_ENDPOINT;
	refused_rule(rs, r,
		     "`endpoint-independent` is about sources: it belongs to snat and masquerade");
	chain_flush(c);
	r = add_rule(rs, c, VERDICT_MASQUERADE, 2);
	r->action.nat_flags = GW_NATF_NEUTRAL;
	refused_rule(rs, r,
		     "`checksum-neutral` needs an IPv6 prefix of 64 bits at most: "
		     "`snat ip6 prefix to 2001:db8:1::/48 checksum-neutral`");
	chain_flush(c);
	r = add_rule(rs, c, VERDICT_NONE, 2);
	add_stmt(r, STMT_COUNTER);
	add_stmt(r, STMT_COUNTER);
	refused_rule(rs, r, "a second `counter` in one rule is not supported");
	chain_flush(c);
	r = add_rule(rs, c, VERDICT_ACCEPT, 2);
	add_stmt(r, STMT_LIMIT);
	refused_rule(rs, r,
		     "there are more than 16383 limits, quotas and counts: no room for this limit");
	chain_flush(c);
	r = add_rule(rs, c, VERDICT_ACCEPT, 2);
	add_stmt(r, STMT_CTCOUNT);
	refused_rule(rs, r, "`ct count` is not supported");
	chain_flush(c);
	r = add_rule(rs, c, VERDICT_ACCEPT, 2);
	for (uint32_t i = 0; i < 65; i++)
		add_num(r, FIELD_ID_LENGTH, i, 1000 + i);
	refused_rule(
		rs, r,
		"too many matches and statements that are not looked up in the index (64 fit)");
}
END_TEST

START_TEST(sets_that_packets_change_say_so)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	struct rule *r = add_rule(rs, c, VERDICT_NONE, 2);
	_cleanup_(image_freep) struct image *img = NULL;
	struct stmt *st = add_stmt(r, STMT_SET);
	struct set *s = set_new();

	strcpy(s->name, "seen");
	s->n_fields = 1;
	s->types[0] = FIELD_ADDR4;
	must(!table_add_set(rs, rs->tables[0], s));
	st->set.set = strdup("seen");
	st->set.key = (struct selector){ .n = 1, .fields = { FIELD_ID_IP_SADDR } };
	refused_rule(rs, r,
		     "set `seen` can not be changed by packets: it needs the flag `dynamic` or "
		     "`timeout`, and not `interval`");
	s->flags = SET_DYNAMIC;
	s->timeout_ms = 1500;
	s->size = 99;
	img = compile(rs);
	eval_lines = img->lines;
	eval_nlines = img->nlines;
	ck_assert_uint_eq(eval_set(0)->flags, GW_SETF_DYN);
	ck_assert_uint_eq(eval_set(0)->id, (uint32_t)s->handle);
	ck_assert_uint_eq(eval_set(0)->timeout, 2);
	ck_assert_uint_eq(eval_set(0)->size, 99);
	ck_assert_uint_eq(act_of(img)->cell[0].code, GW_OP_SETADD);
}
END_TEST

START_TEST(single_values_of_dynamic_sets_are_not_in_the_image)
{
	struct set *s = set_new();
	struct elem e = { .addr_lo = { 10, 0, 0, 1 }, .addr_hi = { 10, 0, 0, 1 } };
	uint8_t key[GW_DYNKEY_LEN];

	s->n_fields = 1;
	s->types[0] = FIELD_ADDR4;
	s->elems = elems_new(1);
	must(!elems_add(s->elems, &e, NULL, NULL) && !elems_add(s->elems, &e, NULL, NULL));
	ck_assert(compile_elem_is_static(s, 0));
	s->flags = SET_TIMEOUT;
	ck_assert(!compile_elem_is_static(s, 0));
	s->flags = SET_DYNAMIC;
	ck_assert(!compile_elem_is_static(s, 0));
	ck_assert_uint_eq(compile_key(s, &e, NULL, 0, key), 4);
	ck_assert_mem_eq(key, e.addr_lo, 4);
	s->flags |= SET_INTERVAL;
	ck_assert(compile_elem_is_static(s, 0));
	s->flags = SET_DYNAMIC;
	s->is_map = true;
	ck_assert(compile_elem_is_static(s, 0));
	s->is_map = false;
	s->elems->keys[1].addr_hi[3] = 9; /* a range is no key */
	ck_assert(compile_elem_is_static(s, 1));
	ck_assert_uint_eq(compile_key(s, &s->elems->keys[1], NULL, 0, key), 0);
	set_free(s);
}
END_TEST

START_TEST(keys_are_padded_behind)
{
	struct set s = { .n_fields = 3, .types = { FIELD_PROTO, FIELD_PORT, FIELD_IFNAME } };
	const struct elem parts[3] = { { .num_lo = 6, .num_hi = 6 },
				       { .num_lo = 0x1234, .num_hi = 0x1234 },
				       { .name = "eth1" } };
	const struct elem all[3] = { parts[0], parts[1], { .name = "eth*" } };
	static const uint8_t want[12] = { 6, 0, 0, 0, 0x12, 0x34, 0, 0, 0, 0, 0, 3 };
	uint8_t key[GW_DYNKEY_LEN];

	ck_assert_uint_eq(compile_key(&s, parts, ifs, ARRAY_SIZE(ifs), key), 12);
	ck_assert_mem_eq(key, want, 12);
	ck_assert_uint_eq(compile_key(&s, all, ifs, ARRAY_SIZE(ifs), key), 0);
	ck_assert_uint_eq(compile_key(&s, parts, NULL, 0, key), 0);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- ops */

static const struct {
	struct limit limit;
	uint64_t cost, saved;
	uint8_t flags;
} limits[] = {
	{ { .rate = 10, .unit_s = 1 }, 100000000ULL << 8, 500000000ULL << 8, 0 },
	{ { .rate = 1, .unit_s = 60, .burst = 3, .over = true },
	  60000000000ULL << 8,
	  180000000000ULL << 8,
	  GW_OPF_NOT },
	{ { .rate = 1000, .unit_s = 1, .bytes = true },
	  1000000ULL << 8,
	  1000000000ULL << 8,
	  GW_OPF_BYTES },
	{ { .rate = 1000, .unit_s = 1, .burst = 500, .bytes = true },
	  1000000ULL << 8,
	  1500000000ULL << 8,
	  GW_OPF_BYTES },
};

START_TEST(a_limit_is_what_a_unit_costs_and_what_can_be_saved)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = add_rule(rs, base_chain(rs, FAMILY_INET, "filter"), VERDICT_ACCEPT, 2);
	struct stmt *st = add_stmt(r, STMT_LIMIT);
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_op_pair *more;

	st->limit = limits[_i].limit;
	st->id = 77;
	img = compile(rs);
	more = (const struct gw_op_pair *)&act_of(img)->cell[1];
	ck_assert_uint_eq(act_of(img)->n_cells, 2);
	ck_assert_uint_eq(act_of(img)->cell[0].lo, 77);
	ck_assert_uint_eq(act_of(img)->cell[0].flags, limits[_i].flags);
	ck_assert_uint_eq(more->a, limits[_i].cost);
	ck_assert_uint_eq(more->b, limits[_i].saved);
}
END_TEST

static const struct {
	const char *name;
	uint32_t lo, hi;
} oifs[] = {
	{ OIF_MISSING, 0, 0 },
	{ OIF_NONE, 0, 0 },
	{ OIF_EXISTS, 1, UINT32_MAX },
};

static void add_oif(struct rule *r, enum field field, const char *name)
{
	struct match *m = add_match(r, field, 1);

	snprintf(m->elems[0].name, sizeof(m->elems[0].name), "%s", name);
}

START_TEST(any_interface_exists_and_none_is_missing)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = add_rule(rs, base_chain(rs, FAMILY_INET, "filter"), VERDICT_ACCEPT, 2);
	_cleanup_(image_freep) struct image *img = NULL;

	add_oif(r, FIELD_ID_FIB_SADDR_IIF_OIF, oifs[_i].name);
	img = compile(rs);
	ck_assert_uint_eq(act_of(img)->cell[0].code, GW_OP_RANGE);
	ck_assert_uint_eq(act_of(img)->cell[0].lo, oifs[_i].lo);
	ck_assert_uint_eq(act_of(img)->cell[0].hi, oifs[_i].hi);
}
END_TEST

/* Images of odd and of even generations have theirs apart: those of the next one are set to 0 before it is in force. */
START_TEST(turns_of_numgen_have_states_of_their_own)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = add_rule(rs, base_chain(rs, FAMILY_INET, "filter"), VERDICT_ACCEPT, 2);
	_cleanup_(image_freep) struct image *img = NULL;

	add_num(r, FIELD_ID_NUMGEN_INC, 0, 0)->mod = 2;
	img = compile(rs);
	ck_assert_uint_eq(img->n_states, 1);
	ck_assert_uint_eq(((const struct gw_op_pair *)&act_of(img)->cell[1])->a,
			  compile_state(7, 0));
	for (uint32_t i = 0; i < COMPILE_STATES; i++)
		ck_assert_uint_ne(compile_state(8, i), compile_state(7, 0));
}
END_TEST

static uint32_t flags_of(const struct image *img, const struct packet *p)
{
	const struct gw_head *h = head_of(img);
	struct find f = { 0 };
	struct find_key k;

	eval_lines = img->lines;
	eval_nlines = img->nlines;
	f.root = ((const uint32_t *)region_line(h->o_slot))[GW_HOOK_FILTER_FORWARD * 2];
	eval_key(p, &k);
	find_first(&f, &k, 0);
	ck_assert_uint_ne(f.prio, FIND_NONE);
	return f.flags;
}

static const struct {
	enum field field;
	uint64_t lo, hi;
	uint32_t mask;
	bool exact;
	uint32_t vary;
} varies[] = {
	{ FIELD_ID_TCP_DPORT, 80, 80, UINT32_MAX, false, 0 },
	{ FIELD_ID_CT_STATE, 1 << GW_CT_NEW, 1 << GW_CT_NEW, UINT32_MAX, false, 0 },
	{ FIELD_ID_META_MARK, 0, 5, UINT32_MAX, false, GW_ENT_VARY },
	{ FIELD_ID_TCP_FLAGS, 2, 2, 7, true, GW_ENT_VARY_SYN },
	{ FIELD_ID_TCP_FLAGS, 2, 2, UINT32_MAX, false, GW_ENT_VARY_SYN },
	{ FIELD_ID_TCP_FLAGS, 2, 2, 0x17, true, GW_ENT_VARY },
	{ FIELD_ID_TCP_FLAGS, 2, 2, UINT32_MAX, true, GW_ENT_VARY },
	{ FIELD_ID_IP_TTL, 0, 64, UINT32_MAX, false, GW_ENT_VARY },
};

START_TEST(entries_say_what_varies)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = add_rule(rs, base_chain(rs, FAMILY_INET, "filter"), VERDICT_ACCEPT, 2);
	struct match *m = add_num(r, varies[_i].field, varies[_i].lo, varies[_i].hi);
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet p = tcp4;

	m->mask = varies[_i].mask;
	m->exact = varies[_i].exact;
	p.flags = 2;
	img = compile(rs);
	ck_assert_uint_eq(flags_of(img, &p) & (GW_ENT_VARY | GW_ENT_VARY_SYN), varies[_i].vary);
}
END_TEST

START_TEST(a_table_that_sleeps_has_no_roots)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = add_rule(rs, base_chain(rs, FAMILY_INET, "filter"), VERDICT_DROP, 2);
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_head *h;

	must(r);
	img = compile(rs);
	h = (const void *)img->lines;
	ck_assert_uint_eq(h->n_roots, 2);
	image_free(img);
	rs->tables[0]->dormant = true;
	img = compile(rs);
	h = (const void *)img->lines;
	ck_assert_uint_eq(h->n_roots, 0);
	ck_assert_uint_eq(h->hooks4 | h->hooks6, 0);
}
END_TEST

START_TEST(wide_numbers_of_a_set_are_in_none_of_the_gaps)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = add_rule(rs, base_chain(rs, FAMILY_INET, "filter"), VERDICT_ACCEPT, 2);
	struct match *m = add_match(r, FIELD_ID_TIME, 2);
	_cleanup_(image_freep) struct image *img = NULL;
	const union {
		struct gw_op op;
		struct gw_op_pair pair;
	} * c;

	m->elems[0].num_lo = 0;
	m->elems[0].num_hi = 2;
	m->elems[1].num_lo = 5;
	m->elems[1].num_hi = 7;
	img = compile(rs);
	c = (const void *)act_of(img)->cell;
	ck_assert_uint_eq(act_of(img)->n_cells, 4);
	for (int i = 0; i < 4; i += 2) {
		ck_assert_uint_eq(c[i].op.code, GW_OP_RANGE64);
		ck_assert_uint_eq(c[i].op.flags, GW_OPF_NOT);
	}
	ck_assert_uint_eq(c[1].pair.a, 2000000001);
	ck_assert_uint_eq(c[1].pair.b, 4999999999);
	ck_assert_uint_eq(c[3].pair.a, 7000000001);
	ck_assert_uint_eq(c[3].pair.b, UINT64_MAX);
}
END_TEST

START_TEST(the_name_of_a_route_s_interface_is_its_index)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct rule *r = add_rule(rs, base_chain(rs, FAMILY_INET, "filter"), VERDICT_ACCEPT, 2);
	_cleanup_(image_freep) struct image *img = NULL;

	add_oif(r, FIELD_ID_FIB_DADDR_MARK_IIF_OIFNAME, ifs[1].name);
	img = compile(rs);
	ck_assert_uint_eq(act_of(img)->cell[0].field, GW_F_FIB_DADDR_MARK_IIF_OIF);
	ck_assert_uint_eq(act_of(img)->cell[0].lo, ifs[1].ifindex);
	ck_assert_uint_eq(act_of(img)->cell[0].hi, ifs[1].ifindex);
}
END_TEST

START_TEST(nat_travels_with_its_rule)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, "nat", "prerouting");
	struct rule *r = add_rule(rs, c, VERDICT_DNAT, 2);
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_nat *nat;

	add_num(r, FIELD_ID_LENGTH, 0, 1000);
	r->action.has_addr = r->action.nat_prefix = true;
	r->action.nat_family = 4;
	memcpy(r->action.addr_lo, (uint8_t[]){ 192, 168, 0, 0 }, 4);
	memcpy(r->action.addr_hi, (uint8_t[]){ 192, 168, 0, 255 }, 4);
	r->action.nat_flags = GW_NATF_PERSISTENT;
	img = compile(rs);
	nat = &pass(img, GW_HOOK_NAT_PREROUTING, &tcp4)->note[0].nat;
	ck_assert_uint_eq(nat->kind, GW_NAT_DNAT);
	ck_assert_uint_eq(nat->flags, GW_NATF_ADDR | GW_NATF_NETMAP | GW_NATF_PERSISTENT);
	ck_assert_uint_eq(nat->addr_lo[0], htonl(0xc0a80000));
	ck_assert_uint_eq(nat->addr_hi[0], htonl(0xc0a800ff));
	ck_assert_uint_eq(passed.count[2], 1);
}
END_TEST

START_TEST(a_large_set_is_looked_up_and_shared)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter");
	struct set *s = set_new();
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet p = tcp4;

	strcpy(s->name, "bad");
	s->n_fields = 1;
	s->types[0] = FIELD_ADDR4;
	must(!table_add_set(rs, rs->tables[0], s));
	for (uint32_t i = 0; i < 1000; i++) {
		struct elem e = { .addr_lo = { 10, 9, (uint8_t)(i >> 7), (uint8_t)(i << 1) } };

		memcpy(e.addr_hi, e.addr_lo, 4);
		must(!elems_add(s->elems, &e, NULL, NULL));
	}
	for (uint32_t i = 0; i < 2; i++) {
		struct rule *r = add_rule(rs, c, VERDICT_DROP, 2 + i);
		struct match m = { .field = i ? FIELD_ID_IP_DADDR : FIELD_ID_IP_SADDR,
				   .mask = UINT32_MAX,
				   .is_set = true,
				   .set = strdup("bad") };

		must(!rule_add_match(r, &m));
	}
	img = compile(rs);
	ck_assert_uint_eq(head_of(img)->n_sets, 1);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &p)->count[2], 0);
	memcpy(p.daddr, (uint8_t[]){ 10, 9, 1, 4 }, 4);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &p)->count[3], 1);
	memcpy(p.saddr, (uint8_t[]){ 10, 9, 7, 206 }, 4);
	ck_assert_uint_eq(pass(img, GW_HOOK_FILTER_FORWARD, &p)->count[2], 1);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- append */

static int append(const struct image *img, const struct ruleset *rs, const struct chain *c,
		  size_t index)
{
	struct compile_where w = { .rs = rs,
				   .table = rs->tables[0],
				   .chain = c,
				   .index = index,
				   .ifs = ifs,
				   .n_ifs = ARRAY_SIZE(ifs) };
	uint8_t *half = calloc(img->nlines + 100, GW_LINE_SIZE);
	struct diag d = { 0 };
	int r;

	memcpy(half, img->lines, img->nlines * GW_LINE_SIZE);
	r = compile_append(img->map, half, img->nlines + 100, &w, &d);
	free(half);
	return r;
}

START_TEST(appending_knows_what_it_can_not_do)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = base_chain(rs, FAMILY_INET, "filter"), *a, *b, *x;
	_cleanup_(image_freep) struct image *img = NULL;
	struct rule *r;

	a = user_chain(rs, "a");
	b = user_chain(rs, "b");
	x = user_chain(rs, "x");
	add_jump(rs, c, VERDICT_JUMP, "x");
	add_rule(rs, x, VERDICT_DROP, 3);
	add_jump(rs, c, VERDICT_JUMP, "a");
	add_jump(rs, a, VERDICT_JUMP, "b");
	add_rule(rs, b, VERDICT_DROP, 4);
	img = compile(rs);
	/* a chain that leads nowhere is a harmless target */
	add_jump(rs, c, VERDICT_JUMP, "b");
	ck_assert_int_eq(append(img, rs, c, 2), 0);
	/* this would be a loop */
	add_jump(rs, b, VERDICT_JUMP, "a");
	ck_assert_int_eq(append(img, rs, b, 1), COMPILE_E_AGAIN);
	chain_delete_rule(b, 1);
	add_jump(rs, b, VERDICT_JUMP, "b");
	ck_assert_int_eq(append(img, rs, b, 1), COMPILE_E_AGAIN);
	chain_delete_rule(b, 1);
	/* from now on b leads to x: the way back is no more harmless, nor is one to b */
	add_jump(rs, b, VERDICT_GOTO, "x");
	ck_assert_int_eq(append(img, rs, b, 1), 0);
	add_jump(rs, x, VERDICT_JUMP, "b");
	ck_assert_int_eq(append(img, rs, x, 1), COMPILE_E_AGAIN);
	chain_delete_rule(x, 1);
	chain_delete_rule(b, 1);
	/* a set that is looked up */
	r = add_rule(rs, b, VERDICT_DROP, 5);
	add_match(r, FIELD_ID_LENGTH, 2);
	r->matches[0].elems[1].num_lo = r->matches[0].elems[1].num_hi = 9;
	ck_assert_int_eq(append(img, rs, b, 1), COMPILE_E_AGAIN);
	chain_delete_rule(b, 1);
	/* what is refused is refused */
	r = add_rule(rs, b, VERDICT_REDIRECT, 5);
	r->action.nat_flags = GW_NATF_ENDPOINT;
	ck_assert_int_eq(append(img, rs, b, 1), COMPILE_E_DIAG);
	chain_delete_rule(b, 1);
	/* eight rules fit between two neighbours when each goes in front of the last */
	for (int i = 0; i < 8; i++) {
		r = rule_new();
		r->cid = 6;
		must(!chain_insert_rule(rs, b, 0, r));
		ck_assert_int_eq(append(img, rs, b, 0), 0);
	}
	r = rule_new();
	must(!chain_insert_rule(rs, b, 0, r));
	ck_assert_int_eq(append(img, rs, b, 0), COMPILE_E_AGAIN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compile/image");
	TCase *t = tcase_create("image");
	SRunner *r;
	int failed;

	tcase_add_test(t, an_empty_ruleset_accepts_everything);
	tcase_add_test(t, an_inet_chain_without_rules_takes_part_only_to_drop);
	tcase_add_test(t, an_ip_chain_without_rules_counts_its_policy);
	tcase_add_test(t, a_chain_behind_dnat_has_a_slot);
	tcase_add_test(t, chains_of_a_slot_follow_their_priority);
	tcase_add_test(t, loops_are_refused);
	tcase_add_test(t, sixteen_jumps_are_as_many_as_there_may_be);
	tcase_add_test(t, a_map_at_the_end_of_sixteen_jumps_may_be_one_too_many);
	tcase_add_test(t, jumps_lead_to_user_chains_that_exist);
	tcase_add_test(t, what_does_not_fit_names_the_setting);
	tcase_add_test(t, a_product_of_sets_that_is_too_large_is_refused);
	tcase_add_test(t, what_the_data_plane_can_not_do_is_refused_by_name);
	tcase_add_test(t, sets_that_packets_change_say_so);
	tcase_add_test(t, single_values_of_dynamic_sets_are_not_in_the_image);
	tcase_add_test(t, keys_are_padded_behind);
	tcase_add_loop_test(t, any_interface_exists_and_none_is_missing, 0, ARRAY_SIZE(oifs));
	tcase_add_test(t, turns_of_numgen_have_states_of_their_own);
	tcase_add_loop_test(t, a_limit_is_what_a_unit_costs_and_what_can_be_saved, 0,
			    (int)ARRAY_SIZE(limits));
	tcase_add_loop_test(t, entries_say_what_varies, 0, (int)ARRAY_SIZE(varies));
	tcase_add_test(t, a_table_that_sleeps_has_no_roots);
	tcase_add_test(t, wide_numbers_of_a_set_are_in_none_of_the_gaps);
	tcase_add_test(t, the_name_of_a_route_s_interface_is_its_index);
	tcase_add_test(t, nat_travels_with_its_rule);
	tcase_add_test(t, a_large_set_is_looked_up_and_shared);
	tcase_add_test(t, appending_knows_what_it_can_not_do);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
