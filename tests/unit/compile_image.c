/* SPDX-License-Identifier: GPL-2.0-only */
/* The image of small rulesets, looked at line by line and by walking packets through it. */
#include "compile_walk.h"
#include <arpa/inet.h>

static const struct compile_if ifs[] = { { 1, "lo" }, { 2, "eth0" }, { 3, "eth1" }, { 4, "wan" } };

static struct rule *add_rule(struct ruleset *rs, struct chain *c, enum verdict v, uint32_t cid)
{
	struct rule *r = rule_new();

	must(r);
	r->action.verdict = v;
	r->cid = cid;
	must(!chain_insert_rule(rs, c, c->n_rules, r));
	return r;
}

static struct elem *add_match(struct rule *r, enum field field, bool negate, size_t n)
{
	struct match m = {
		.field = field, .negate = negate, .mask = UINT32_MAX, .n = n, .is_set = n > 1
	};

	m.elems = calloc(n, sizeof(*m.elems));
	must(m.elems && !rule_add_match(r, &m));
	return r->matches[r->n_matches - 1].elems;
}

static void add_num(struct rule *r, enum field field, bool negate, uint32_t lo, uint32_t hi)
{
	struct elem *e = add_match(r, field, negate, 1);

	e->num_lo = lo;
	e->num_hi = hi;
}

static void add_name(struct rule *r, enum field field, bool negate, const char *name)
{
	snprintf(add_match(r, field, negate, 1)->name, 16, "%s", name);
}

static void add_range(struct rule *r, enum field field, bool negate, const char *lo, const char *hi)
{
	struct elem *e = add_match(r, field, negate, 1);
	int af = field_rows[field].type == FIELD_ADDR6 ? AF_INET6 : AF_INET;

	must(inet_pton(af, lo, e->addr_lo) == 1 && inet_pton(af, hi, e->addr_hi) == 1);
	e->plen = -1;
}

static struct image *compile(const struct ruleset *rs)
{
	struct image *img = NULL;
	struct diag d = {};
	const struct gw_image *head;

	ck_assert_int_eq(compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 7, &img, &d), 0);
	head = image_line(img, 0);
	ck_assert_uint_eq(head->gen, 7);
	ck_assert_uint_eq(head->nlines, img->nlines);
	return img;
}

static struct packet tcp4(const char *src, const char *dst, uint16_t dport)
{
	struct packet p = { .version = 4,
			    .proto = IPPROTO_TCP,
			    .sport = 40000,
			    .dport = dport,
			    .iif = 2,
			    .oif = 3,
			    .ctstate = GW_CT_NEW };

	must(inet_pton(AF_INET, src, p.saddr) == 1 && inet_pton(AF_INET, dst, p.daddr) == 1);
	return p;
}

static struct packet tcp6(const char *src, const char *dst)
{
	struct packet p = { .version = 6,
			    .proto = IPPROTO_TCP,
			    .sport = 40000,
			    .dport = 80,
			    .iif = 2,
			    .oif = 3,
			    .ctstate = GW_CT_NEW };

	must(inet_pton(AF_INET6, src, p.saddr) == 1 && inet_pton(AF_INET6, dst, p.daddr) == 1);
	return p;
}

/* The counter ids a packet moves, in order, as "3 5 ". */
static const char *ids(const struct image *img, int hook, struct packet p, char *buf)
{
	struct notes n = {};
	size_t len = 0;

	walk_image(img, hook, &p, &n);
	buf[0] = '\0';
	for (size_t i = 0; i < n.n; i++)
		len += (size_t)sprintf(buf + len, "%u ", n.step[i].cid);
	return buf;
}
#define ck_ids(img, hook, packet, want)                                            \
	do {                                                                       \
		char ids_buf[1024];                                                \
		ck_assert_str_eq(ids(img, GW_HOOK_##hook, packet, ids_buf), want); \
	} while (0)

static struct chain *forward(struct ruleset *rs, enum family f)
{
	struct chain *c =
		ruleset_standard_chain(rs, f, "filter", f == FAMILY_INET ? "forward" : "FORWARD");

	must(c);
	c->cid = 99;
	return c;
}

START_TEST(an_empty_ruleset_accepts_everything)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(image_freep) struct image *img = compile(rs);
	const struct gw_image *head = image_line(img, 0);

	ck_assert_uint_eq(img->nlines, GW_IMG_FIRST_RULE);
	ck_assert_uint_eq(head->hooks4 | head->hooks6 | head->flags, 0);
	for (int h = 0; h < GW_HOOK_MAX; h++)
		ck_assert_uint_eq(image_slot(img, h, 4) | image_slot(img, h, 6), 0);
}
END_TEST

START_TEST(an_inet_chain_without_rules_takes_part_only_to_drop)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);

	{
		_cleanup_(image_freep) struct image *img = compile(rs);

		ck_assert_uint_eq(image_slot(img, GW_HOOK_FILTER_FORWARD, 4), 0);
	}
	c->policy_drop = true;
	{
		_cleanup_(image_freep) struct image *img = compile(rs);
		const struct gw_rule *g =
			image_line(img, image_slot(img, GW_HOOK_FILTER_FORWARD, 6));
		const struct gw_image *head = image_line(img, 0);

		ck_assert_uint_eq(g->verdict, GW_V_DROP);
		ck_assert_uint_eq(g->flags, GW_RULE_POLICY);
		ck_assert_uint_eq(g->cid, 99);
		ck_assert_uint_eq(head->hooks4, 1U << GW_HOOK_FILTER_FORWARD);
		ck_assert_uint_eq(head->hooks6, 1U << GW_HOOK_FILTER_FORWARD);
	}
}
END_TEST

START_TEST(an_ip_chain_without_rules_counts_its_policy)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_IP);
	_cleanup_(image_freep) struct image *img = NULL;

	(void)c;
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 80), "99 ");
	ck_assert_uint_eq(image_slot(img, GW_HOOK_FILTER_FORWARD, 6), 0);
}
END_TEST

START_TEST(the_first_match_decides_and_the_policy_is_last)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;

	add_num(add_rule(rs, c, VERDICT_NONE, 1), FIELD_ID_TCP_DPORT, false, 0, 1023);
	add_num(add_rule(rs, c, VERDICT_ACCEPT, 2), FIELD_ID_TCP_DPORT, false, 80, 80);
	add_num(add_rule(rs, c, VERDICT_REJECT, 3), FIELD_ID_TCP_DPORT, false, 80, 90);
	c->policy_drop = true;
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 80), "1 2 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 81), "1 3 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 5000), "99 ");
}
END_TEST

START_TEST(a_counting_rule_with_a_set_counts_once)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;
	struct elem *e = add_match(add_rule(rs, c, VERDICT_NONE, 1), FIELD_ID_TCP_DPORT, false, 3);

	e[0].num_lo = 1, e[0].num_hi = 100;
	e[1].num_lo = 50, e[1].num_hi = 200;
	e[2].num_lo = 80, e[2].num_hi = 80;
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 80), "1 99 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 150), "1 99 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 250), "99 ");
}
END_TEST

START_TEST(sets_multiply)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	struct rule *r = add_rule(rs, c, VERDICT_ACCEPT, 1);
	_cleanup_(image_freep) struct image *img = NULL;
	struct elem *e = add_match(r, FIELD_ID_TCP_DPORT, false, 3);

	for (uint32_t i = 0; i < 3; i++)
		e[i].num_lo = e[i].num_hi = i;
	e = add_match(r, FIELD_ID_IIFNAME, false, 2);
	strcpy(e[0].name, "eth*");
	strcpy(e[1].name, "wan");
	img = compile(rs);
	/* 3 ports x 3 interfaces and a policy, for both families */
	ck_assert_uint_eq(img->nlines, GW_IMG_FIRST_RULE + 2 * (9 + 1));
}
END_TEST

START_TEST(a_negated_set_skips_the_rule)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	struct rule *r = add_rule(rs, c, VERDICT_DROP, 1);
	_cleanup_(image_freep) struct image *img = NULL;
	struct elem *e = add_match(r, FIELD_ID_TCP_DPORT, true, 2);

	e[0].num_lo = e[0].num_hi = 22;
	e[1].num_lo = 80, e[1].num_hi = 90;
	add_range(r, FIELD_ID_IP_SADDR, true, "10.0.0.0", "10.0.0.255");
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, tcp4("10.1.0.1", "10.0.0.2", 23), "1 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.1.0.1", "10.0.0.2", 22), "99 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.1.0.1", "10.0.0.2", 90), "99 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 23), "99 ");
	/* "not this IPv4 address" says nothing about IPv6 */
	ck_ids(img, FILTER_FORWARD, tcp6("2001:db8::1", "2001:db8::2"), "99 ");
}
END_TEST

START_TEST(a_negated_port_still_asks_for_its_protocol)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet udp = tcp4("10.0.0.1", "10.0.0.2", 23);

	add_num(add_rule(rs, c, VERDICT_DROP, 1), FIELD_ID_TCP_DPORT, true, 22, 22);
	img = compile(rs);
	udp.proto = IPPROTO_UDP;
	ck_ids(img, FILTER_FORWARD, udp, "99 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 23), "1 ");
}
END_TEST

START_TEST(interfaces_that_do_not_exist_match_nothing)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_rule *g;

	add_name(add_rule(rs, c, VERDICT_DROP, 1), FIELD_ID_IIFNAME, false, "ppp0");
	add_name(add_rule(rs, c, VERDICT_NONE, 2), FIELD_ID_OIFNAME, true, "ppp*");
	img = compile(rs);
	g = image_line(img, image_slot(img, GW_HOOK_FILTER_FORWARD, 4));
	ck_assert_uint_eq(g->iif, GW_IF_NONE);
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 23), "2 99 ");
}
END_TEST

START_TEST(wildcards_take_every_interface_they_name)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet p = tcp4("10.0.0.1", "10.0.0.2", 23);

	add_name(add_rule(rs, c, VERDICT_NONE, 1), FIELD_ID_IIFNAME, false, "eth*");
	add_name(add_rule(rs, c, VERDICT_NONE, 2), FIELD_ID_IIFNAME, true, "eth*");
	add_name(add_rule(rs, c, VERDICT_NONE, 3), FIELD_ID_IIFNAME, false, "*");
	add_name(add_rule(rs, c, VERDICT_NONE, 4), FIELD_ID_IIFNAME, true, "*");
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, p, "1 3 99 ");
	p.iif = 3;
	ck_ids(img, FILTER_FORWARD, p, "1 3 99 ");
	p.iif = 4;
	ck_ids(img, FILTER_FORWARD, p, "2 3 99 ");
}
END_TEST

START_TEST(chains_of_a_slot_follow_their_priority)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(image_freep) struct image *img = NULL;
	static const int prio[] = { 5, -5, 0, 0 };
	struct table *t;

	must(!ruleset_add_table(rs, FAMILY_INET, "t", &t));
	for (uint32_t i = 0; i < 4; i++) {
		struct chain *c;
		char name[8];

		snprintf(name, sizeof(name), "c%u", i);
		must(!table_add_chain(rs, t, name, &c));
		c->base = true;
		c->hook_nf = 2;
		c->prio = prio[i];
		c->cid = 10 + i;
		add_num(add_rule(rs, c, VERDICT_ACCEPT, 20 + i), FIELD_ID_TCP_DPORT, false, 80, 80);
	}
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 80), "21 22 23 20 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 81), "11 12 13 10 ");
}
END_TEST

START_TEST(ip_ip6_and_inet_chains_share_a_slot)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	_cleanup_(image_freep) struct image *img = NULL;

	add_rule(rs, forward(rs, FAMILY_INET), VERDICT_NONE, 1);
	add_rule(rs, forward(rs, FAMILY_IP), VERDICT_NONE, 2);
	add_rule(rs, forward(rs, FAMILY_IP6), VERDICT_NONE, 3);
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 80), "1 99 2 99 ");
	ck_ids(img, FILTER_FORWARD, tcp6("2001:db8::1", "2001:db8::2"), "1 99 3 99 ");
}
END_TEST

START_TEST(ipv6_ranges_reach_across_the_words)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;

	add_range(add_rule(rs, c, VERDICT_ACCEPT, 1), FIELD_ID_IP6_SADDR, false,
		  "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::1");
	add_range(add_rule(rs, c, VERDICT_ACCEPT, 2), FIELD_ID_IP6_DADDR, false,
		  "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, tcp6("2001:db8::ffff:ffff:ffff:ffff", "::1"), "1 ");
	ck_ids(img, FILTER_FORWARD, tcp6("2001:db8:0:1::", "::1"), "1 ");
	ck_ids(img, FILTER_FORWARD, tcp6("2001:db8:0:1::1", "::1"), "1 ");
	ck_ids(img, FILTER_FORWARD, tcp6("2001:db8:0:1::2", "::1"), "99 ");
	ck_ids(img, FILTER_FORWARD, tcp6("2001:db8::ffff:ffff:ffff:fffe", "::1"), "99 ");
	ck_ids(img, FILTER_FORWARD, tcp6("::1", "2001:db8::"), "2 ");
	ck_ids(img, FILTER_FORWARD, tcp6("::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), "2 ");
	ck_ids(img, FILTER_FORWARD, tcp6("::1", "2001:db9::"), "99 ");
	ck_ids(img, FILTER_FORWARD, tcp4("10.0.0.1", "10.0.0.2", 80), "99 ");
}
END_TEST

START_TEST(icmp_types_take_all_their_codes)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet p = tcp4("10.0.0.1", "10.0.0.2", 8 << 8 | 3);

	add_num(add_rule(rs, c, VERDICT_ACCEPT, 1), FIELD_ID_ICMP_TYPE, false, 8, 8);
	img = compile(rs);
	ck_ids(img, FILTER_FORWARD, p, "99 ");
	p.proto = IPPROTO_ICMP;
	ck_ids(img, FILTER_FORWARD, p, "1 ");
	p.dport = 9 << 8;
	ck_ids(img, FILTER_FORWARD, p, "99 ");
}
END_TEST

START_TEST(a_negated_state_is_the_other_states)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;
	const struct gw_rule *g;

	add_num(add_rule(rs, c, VERDICT_DROP, 1), FIELD_ID_CT_STATE, true,
		1U << GW_CT_ESTABLISHED | 1U << GW_CT_RELATED, 0);
	img = compile(rs);
	g = image_line(img, image_slot(img, GW_HOOK_FILTER_FORWARD, 4));
	ck_assert_uint_eq(g->verdict, GW_V_DROP);
	ck_assert_uint_eq(g->ctstate,
			  1U << GW_CT_INVALID | 1U << GW_CT_NEW | 1U << GW_CT_UNTRACKED);
}
END_TEST

START_TEST(nat_travels_behind_its_rule)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_INET, "nat", "prerouting");
	struct rule *r;
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet p = tcp4("1.2.3.4", "203.0.113.1", 8080);
	struct notes n = {};

	must(c);
	r = add_rule(rs, c, VERDICT_DNAT, 5);
	add_num(r, FIELD_ID_TCP_DPORT, false, 8080, 8080);
	r->action.nat_family = 4;
	r->action.has_addr = r->action.has_port = true;
	memcpy(r->action.addr_lo, (uint8_t[]){ 10, 0, 0, 5 }, 4);
	memcpy(r->action.addr_hi, (uint8_t[]){ 10, 0, 0, 5 }, 4);
	r->action.port_lo = r->action.port_hi = 80;
	img = compile(rs);
	walk_image(img, GW_HOOK_NAT_PREROUTING, &p, &n);
	ck_assert_uint_eq(n.n, 1);
	ck_assert_uint_eq(n.step[0].verdict, GW_V_NAT);
	ck_assert_uint_eq(n.step[0].nat.kind, GW_NAT_DNAT);
	ck_assert_uint_eq(n.step[0].nat.flags, GW_NATF_ADDR | GW_NATF_PORT);
	ck_assert_uint_eq(n.step[0].nat.addr_lo[0], htonl(0x0a000005));
	ck_assert_uint_eq(n.step[0].nat.port_lo, 80);
	/* an IPv4 target is no business of IPv6: only the policy is there */
	n.n = 0;
	p = tcp6("2001:db8::1", "2001:db8::2");
	p.dport = 8080;
	walk_image(img, GW_HOOK_NAT_PREROUTING, &p, &n);
	ck_assert_uint_eq(n.n, 1);
	ck_assert_uint_eq(n.step[0].verdict, GW_V_ACCEPT);
}
END_TEST

START_TEST(contradictions_are_left_out)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	struct rule *r = add_rule(rs, c, VERDICT_DROP, 1);
	_cleanup_(image_freep) struct image *img = NULL;

	add_num(r, FIELD_ID_TCP_DPORT, false, 80, 80);
	add_num(r, FIELD_ID_L4PROTO, false, IPPROTO_UDP, IPPROTO_UDP);
	add_num(r, FIELD_ID_META_MARK, true, 1, 1);
	img = compile(rs);
	ck_assert_uint_eq(img->nlines, GW_IMG_FIRST_RULE + 2);
}
END_TEST

START_TEST(marks_take_ranges_and_masks)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet p = tcp4("10.0.0.1", "10.0.0.2", 80);
	struct rule *r;

	add_num(add_rule(rs, c, VERDICT_NONE, 1), FIELD_ID_META_MARK, false, 3, 17);
	r = add_rule(rs, c, VERDICT_NONE, 2);
	add_num(r, FIELD_ID_META_MARK, false, 0x10, 0x10);
	r->matches[0].mask = 0xf0;
	r = add_rule(rs, c, VERDICT_NONE, 3);
	add_num(r, FIELD_ID_META_MARK, false, 1, 1);
	r->matches[0].mask = 0;
	add_num(add_rule(rs, c, VERDICT_NONE, 4), FIELD_ID_META_MARK, false, 0, UINT32_MAX);
	img = compile(rs);
	for (p.mark = 0; p.mark < 64; p.mark++) {
		char want[32] = "";

		if (p.mark >= 3 && p.mark <= 17)
			strcat(want, "1 ");
		if ((p.mark & 0xf0) == 0x10)
			strcat(want, "2 ");
		strcat(want, "4 99 ");
		ck_ids(img, FILTER_FORWARD, p, want);
	}
}
END_TEST

START_TEST(a_mark_in_a_filter_rule_forbids_the_cache)
{
	static const struct {
		const char *table, *chain;
		enum field field;
		bool no_cache;
	} rows[] = {
		{ "filter", "forward", FIELD_ID_META_MARK, true },
		{ "filter", "input", FIELD_ID_META_MARK, true },
		{ "security", "output", FIELD_ID_META_MARK, true },
		{ "mangle", "forward", FIELD_ID_META_MARK, true },
		{ "filter", "forward", FIELD_ID_CT_MARK, false },
		{ "mangle", "prerouting", FIELD_ID_META_MARK, false },
		{ "nat", "input", FIELD_ID_META_MARK, false },
		{ "raw", "output", FIELD_ID_META_MARK, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
		struct chain *c =
			ruleset_standard_chain(rs, FAMILY_INET, rows[i].table, rows[i].chain);
		_cleanup_(image_freep) struct image *img = NULL;
		const struct gw_image *head;

		must(c);
		add_num(add_rule(rs, c, VERDICT_NONE, 1), rows[i].field, false, 1, 1);
		img = compile(rs);
		head = image_line(img, 0);
		ck_assert_uint_eq(head->flags, rows[i].no_cache ? GW_IMG_NO_CACHE : 0);
	}
}
END_TEST

START_TEST(notrack_goes_on_and_counts_once)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_standard_chain(rs, FAMILY_IP, "raw", "PREROUTING");
	_cleanup_(image_freep) struct image *img = NULL;
	struct packet p = tcp4("10.0.0.1", "10.0.0.2", 80);
	struct notes n = {};
	struct rule *r;
	struct elem *e;

	must(c);
	c->cid = 99;
	r = add_rule(rs, c, VERDICT_NONE, 1);
	ck_assert_int_eq(rule_add_word(r, STMT_NOTRACK), 0);
	e = add_match(r, FIELD_ID_TCP_DPORT, false, 2);
	e[0].num_hi = e[1].num_hi = 100;
	ck_assert_int_eq(rule_add_word(add_rule(rs, c, VERDICT_ACCEPT, 2), STMT_NOTRACK), 0);
	img = compile(rs);
	walk_image(img, GW_HOOK_RAW_PREROUTING, &p, &n);
	ck_assert_uint_eq(n.n, 3);
	ck_assert_uint_eq(n.step[0].verdict, GW_V_NOTRACK);
	ck_assert_uint_eq(n.step[0].cid, 1);
	ck_assert_uint_eq(n.step[1].verdict, GW_V_NOTRACK);
	ck_assert_uint_eq(n.step[1].cid, 0);
	ck_assert_uint_eq(n.step[2].verdict, GW_V_ACCEPT);
	ck_assert_uint_eq(n.step[2].cid, 2);
}
END_TEST

START_TEST(a_product_of_sets_that_is_too_large_is_refused)
{
	_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_new();
	struct chain *c = forward(rs, FAMILY_INET);
	struct rule *r = add_rule(rs, c, VERDICT_DROP, 1);
	static const enum field fields[] = { FIELD_ID_TCP_SPORT, FIELD_ID_TCP_DPORT };
	struct image *img = NULL;
	struct diag d = {};

	for (size_t k = 0; k < 2; k++) {
		struct elem *e = add_match(r, fields[k], false, 2000);

		for (uint32_t i = 0; i < 2000; i++)
			e[i].num_lo = e[i].num_hi = i;
	}
	ck_assert_int_eq(compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 1, &img, &d), COMPILE_E_DIAG);
	ck_assert_ptr_null(img);
	ck_assert_ptr_nonnull(strstr(d.text, "chain forward of table inet filter"));
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
	tcase_add_test(t, the_first_match_decides_and_the_policy_is_last);
	tcase_add_test(t, a_counting_rule_with_a_set_counts_once);
	tcase_add_test(t, sets_multiply);
	tcase_add_test(t, a_negated_set_skips_the_rule);
	tcase_add_test(t, a_negated_port_still_asks_for_its_protocol);
	tcase_add_test(t, interfaces_that_do_not_exist_match_nothing);
	tcase_add_test(t, wildcards_take_every_interface_they_name);
	tcase_add_test(t, chains_of_a_slot_follow_their_priority);
	tcase_add_test(t, ip_ip6_and_inet_chains_share_a_slot);
	tcase_add_test(t, ipv6_ranges_reach_across_the_words);
	tcase_add_test(t, icmp_types_take_all_their_codes);
	tcase_add_test(t, a_negated_state_is_the_other_states);
	tcase_add_test(t, nat_travels_behind_its_rule);
	tcase_add_test(t, contradictions_are_left_out);
	tcase_add_test(t, marks_take_ranges_and_masks);
	tcase_add_test(t, a_mark_in_a_filter_rule_forbids_the_cache);
	tcase_add_test(t, notrack_goes_on_and_counts_once);
	tcase_add_test(t, a_product_of_sets_that_is_too_large_is_refused);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
