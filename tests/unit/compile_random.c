/* SPDX-License-Identifier: GPL-2.0-only */
/* Random rulesets, random packets: the image must do what the model says, step by step, count by count. */
#include "compile_walk.h"

enum { SEEDS = 40, RULESETS_PER_SEED = 75, PACKETS = 60 };

static const struct compile_if ifs[] = {
	{ 1, "lo" }, { 2, "eth0" }, { 3, "eth1" }, { 7, "br-lan" }, { 9, "eth10" }
};
static const struct world world = { ifs, ARRAY_SIZE(ifs) };

struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *d, uint32_t n)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (uint32_t)(d->state >> 11) % n;
}

static bool one_in(struct dice *d, uint32_t n)
{
	return roll(d, n) == 0;
}

/* Few values, and those at the edges: so that packets meet rules. */
static void addr_of(struct dice *d, int version, uint8_t *a)
{
	static const uint8_t words[] = { 0x00, 0x7f, 0x80, 0xff, 0x01, 0xfe };

	memset(a, 0, 16);
	if (version == 4) {
		memcpy(a, (uint8_t[]){ 10, 0, (uint8_t)roll(d, 2), (uint8_t)roll(d, 8) }, 4);
		if (one_in(d, 12))
			memset(a, roll(d, 2) ? 0xff : 0, 4);
		return;
	}
	memcpy(a, (uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8 }, 4);
	a[7] = words[roll(d, 4)];
	a[8] = words[roll(d, 4)];
	a[15] = words[roll(d, 6)];
}

static void prefix_of(const uint8_t *a, int version, unsigned int plen, struct elem *e)
{
	size_t bytes = version == 4 ? 4 : 16;

	for (size_t i = 0; i < bytes; i++) {
		unsigned int bits = plen > i * 8 ? MIN(plen - (unsigned int)i * 8, 8U) : 0;
		uint8_t mask = (uint8_t)(0xff00 >> bits);

		e->addr_lo[i] = a[i] & mask;
		e->addr_hi[i] = (uint8_t)(a[i] | ~mask);
	}
	e->plen = (int)plen;
}

static void addr_elem(struct dice *d, int version, struct elem *e)
{
	static const unsigned int lens[] = { 0, 8, 24, 29, 30, 31, 32, 63, 64, 65, 127, 128, 57 };
	uint8_t a[16], b[16];

	addr_of(d, version, a);
	addr_of(d, version, b);
	if (one_in(d, 2)) {
		prefix_of(a, version, lens[roll(d, version == 4 ? 7 : 13)], e);
	} else if (one_in(d, 2)) {
		prefix_of(a, version, version == 4 ? 32 : 128, e);
	} else {
		bool less = memcmp(a, b, 16) <= 0;

		memcpy(e->addr_lo, less ? a : b, 16);
		memcpy(e->addr_hi, less ? b : a, 16);
		e->plen = -1;
	}
}

static void num_elem(struct dice *d, struct elem *e, uint32_t n, uint32_t top)
{
	uint32_t a = one_in(d, 16) ? top : roll(d, n), b = one_in(d, 16) ? top : roll(d, n);

	e->num_lo = MIN(a, b);
	e->num_hi = one_in(d, 2) ? MAX(a, b) : e->num_lo;
}

static uint32_t ct_bits(struct dice *d)
{
	static const uint8_t states[] = { GW_CT_INVALID, GW_CT_ESTABLISHED, GW_CT_RELATED,
					  GW_CT_NEW, GW_CT_UNTRACKED };
	uint32_t bits = 0;

	for (uint32_t n = 1 + roll(d, 3); n; n--)
		bits |= 1U << states[roll(d, 5)];
	return bits;
}

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
				  IPPROTO_GRE };

static void elem_of(struct dice *d, enum field field, struct elem *e)
{
	static const char *const names[] = { "eth0", "eth1",  "eth*", "br-lan",
					     "nope", "nope*", "*",    "eth1*" };

	switch (field_rows[field].type) {
	case FIELD_IFNAME:
		snprintf(e->name, sizeof(e->name), "%s", names[roll(d, ARRAY_SIZE(names))]);
		break;
	case FIELD_ADDR4:
		addr_elem(d, 4, e);
		break;
	case FIELD_ADDR6:
		addr_elem(d, 6, e);
		break;
	case FIELD_PROTO:
		e->num_lo = e->num_hi = protos[roll(d, ARRAY_SIZE(protos))];
		if (one_in(d, 20))
			e->num_lo = 0, e->num_hi = roll(d, 2) ? 255 : 20;
		break;
	case FIELD_PORT:
		num_elem(d, e, 12, 65535);
		break;
	case FIELD_MARK:
		num_elem(d, e, 20, UINT32_MAX);
		break;
	case FIELD_CT_STATE:
		e->num_lo = e->num_hi = ct_bits(d);
		break;
	case FIELD_ICMP_TYPE:
	case FIELD_ICMP6_TYPE:
		num_elem(d, e, 12, 255);
		break;
	default:
		ck_abort_msg("a field that is not rolled");
	}
}

static void match_of(struct dice *d, struct rule *r)
{
	enum field field = (enum field)(FIELD_ID_NONE + 1 + roll(d, FIELD_ID_META_MARK));
	struct match m = { .field = field, .negate = one_in(d, 3), .mask = UINT32_MAX };

	/* mostly fields that can hold together */
	if ((field == FIELD_ID_ICMP_TYPE || field == FIELD_ID_ICMP6_TYPE ||
	     field == FIELD_ID_UDP_SPORT) &&
	    roll(d, 3))
		m.field = FIELD_ID_TCP_DPORT;
	m.n = m.field == FIELD_ID_CT_STATE || one_in(d, 2) ? 1 : 1 + roll(d, 4);
	m.is_set = m.n > 1;
	if (field_rows[m.field].type == FIELD_MARK && one_in(d, 2))
		m.mask = roll(d, 32);
	m.elems = calloc(m.n, sizeof(*m.elems));
	must(m.elems);
	for (size_t i = 0; i < m.n; i++)
		elem_of(d, m.field, &m.elems[i]);
	must((rule_add_match(r, &m)) == 0);
}

static void nat_of(struct dice *d, struct action *a)
{
	struct elem e = {};

	a->verdict = (enum verdict)(VERDICT_MASQUERADE + roll(d, 4));
	a->nat_flags = roll(d, 2) ? GW_NATF_RANDOM : 0;
	if (a->verdict == VERDICT_SNAT || a->verdict == VERDICT_DNAT) {
		a->has_addr = true;
		a->nat_family = roll(d, 2) ? 4 : 6;
		addr_elem(d, a->nat_family, &e);
		memcpy(a->addr_lo, e.addr_lo, 16);
		memcpy(a->addr_hi, e.addr_hi, 16);
	}
	if (one_in(d, 2)) {
		a->has_port = true;
		a->port_lo = (uint16_t)roll(d, 100);
		a->port_hi = (uint16_t)(a->port_lo + roll(d, 100));
	}
}

static void action_of(struct dice *d, enum chain_type type, struct rule *r)
{
	struct action *a = &r->action;

	if (type == CHAIN_NAT && roll(d, 3)) {
		nat_of(d, a);
		return;
	}
	a->verdict = (enum verdict)roll(d, type == CHAIN_NAT ? 3 : 4);
	if (type == CHAIN_FILTER && one_in(d, 8))
		ck_assert_int_eq(rule_add_word(r, STMT_NOTRACK), 0);
	if (a->verdict == VERDICT_REJECT)
		a->reject = roll(d, 5);
}

static void rule_of(struct dice *d, struct ruleset *rs, struct chain *c, uint32_t *cid)
{
	struct rule *r = rule_new();

	must(r);
	r->cid = (*cid)++;
	for (uint32_t n = roll(d, 4); n; n--)
		match_of(d, r);
	action_of(d, c->type, r);
	must((chain_insert_rule(rs, c, c->n_rules, r)) == 0);
}

static void chain_of(struct dice *d, struct ruleset *rs, struct table *t, uint32_t *cid)
{
	struct chain *c;
	char name[16];

	snprintf(name, sizeof(name), "c%u", *cid);
	must((table_add_chain(rs, t, name, &c)) == 0);
	c->base = true;
	c->type = one_in(d, 3) ? CHAIN_NAT : CHAIN_FILTER;
	c->hook_nf = c->type == CHAIN_NAT ? 4 : 2;
	c->prio = (c->type == CHAIN_NAT ? 100 : 0) + (int)roll(d, 3) - 1;
	c->policy_drop = one_in(d, 3);
	c->cid = (*cid)++;
	for (uint32_t n = roll(d, 6); n; n--)
		rule_of(d, rs, c, cid);
}

static struct ruleset *ruleset_of(struct dice *d)
{
	struct ruleset *rs = ruleset_new();
	uint32_t cid = 1;

	must(rs);
	for (uint32_t n = 1 + roll(d, 3); n; n--) {
		struct table *t;
		char name[8];

		snprintf(name, sizeof(name), "t%u", n);
		must((ruleset_add_table(rs, (enum family)roll(d, 3), name, &t)) == 0);
		for (uint32_t k = 1 + roll(d, 2); k; k--)
			chain_of(d, rs, t, &cid);
	}
	return rs;
}

static void packet_of(struct dice *d, struct packet *p)
{
	static const uint8_t states[] = { GW_CT_INVALID, GW_CT_ESTABLISHED, GW_CT_RELATED,
					  GW_CT_NEW, GW_CT_UNTRACKED };

	*p = (struct packet){ .version = roll(d, 2) ? 4 : 6 };
	addr_of(d, p->version, p->saddr);
	addr_of(d, p->version, p->daddr);
	p->proto = protos[roll(d, ARRAY_SIZE(protos))];
	p->sport = one_in(d, 10) ? 65535 : (uint16_t)roll(d, 12);
	p->dport = one_in(d, 10) ? 65535 : (uint16_t)roll(d, 12);
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		p->dport = (uint16_t)(roll(d, 12) << 8 | roll(d, 3) * 127);
	p->iif = ifs[roll(d, ARRAY_SIZE(ifs))].ifindex;
	p->oif = one_in(d, 5) ? 0 : ifs[roll(d, ARRAY_SIZE(ifs))].ifindex;
	p->mark = one_in(d, 10) ? UINT32_MAX : roll(d, 32);
	p->ctmark = one_in(d, 10) ? UINT32_MAX : roll(d, 32);
	p->ctstate = states[roll(d, 5)];
}

static void compare(const struct ruleset *rs, const struct image *img, int hook,
		    const struct packet *p)
{
	struct notes want = {}, got = {};

	walk_model(rs, hook, p, &world, &want);
	walk_image(img, hook, p, &got);
	must(got.n == want.n);
	for (size_t i = 0; i < want.n; i++) {
		must(got.step[i].cid == want.step[i].cid);
		must(got.step[i].verdict == want.step[i].verdict);
		must(got.step[i].arg == want.step[i].arg);
		must(!memcmp(&got.step[i].nat, &want.step[i].nat, sizeof(want.step[i].nat)));
	}
}

START_TEST(the_image_does_what_the_model_says)
{
	struct dice d = { .state = 0x9e3779b97f4a7c15ULL * (uint64_t)(_i + 1) };

	for (int n = 0; n < RULESETS_PER_SEED; n++) {
		_cleanup_(ruleset_freep) struct ruleset *rs = ruleset_of(&d);
		_cleanup_(image_freep) struct image *img = NULL;
		struct diag diag = {};
		struct packet p;

		must((compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 1, &img, &diag)) == 0);
		for (int k = 0; k < PACKETS; k++) {
			packet_of(&d, &p);
			compare(rs, img, GW_HOOK_FILTER_FORWARD, &p);
			compare(rs, img, GW_HOOK_NAT_POSTROUTING, &p);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compile/random");
	TCase *t = tcase_create("random");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, the_image_does_what_the_model_says, 0, SEEDS);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
