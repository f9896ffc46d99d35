/* SPDX-License-Identifier: GPL-2.0-only */
/* Random rulesets, random packets: the image must do what the model says, effect by effect, count by count. */
#include "compile_walk.h"

#include <image_eval.h>

enum { SEEDS = 40, RULESETS_PER_SEED = 110, PACKETS = 40 };

static const struct compile_if ifs[] = {
	{ 1, "lo" }, { 2, "eth0" }, { 3, "eth1" }, { 7, "br-lan" }, { 9, "eth10" }
};

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

static const uint8_t protos[] = { IPPROTO_TCP,	  IPPROTO_UDP, IPPROTO_ICMP,
				  IPPROTO_ICMPV6, IPPROTO_GRE, IPPROTO_SCTP };

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
	case FIELD_TCP_FLAG:
		e->num_lo = e->num_hi = 1U << roll(d, 5);
		break;
	case FIELD_ICMP_CODE:
	case FIELD_ICMP6_CODE:
		num_elem(d, e, 3, 255);
		break;
	case FIELD_DSCP:
		num_elem(d, e, 8, 63);
		break;
	case FIELD_NUM:
		num_elem(d, e, 64, 1500);
		break;
	case FIELD_ETHER_ADDR:
		memcpy(e->addr_lo, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)roll(d, 4) }, 6);
		memcpy(e->addr_hi, e->addr_lo, 6);
		if (one_in(d, 3))
			e->addr_hi[5] += 2;
		break;
	case FIELD_NFPROTO:
		e->num_lo = e->num_hi = roll(d, 2) ? 2 : 10;
		break;
	case FIELD_ETHERTYPE:
		e->num_lo = e->num_hi = roll(d, 2) ? 0x800 : 0x86dd;
		break;
	default:
		ck_abort_msg("a field that is not rolled");
	}
}

static const enum field fields[] = {
	FIELD_ID_IIFNAME,   FIELD_ID_OIFNAME,	  FIELD_ID_IIF,		FIELD_ID_IP_SADDR,
	FIELD_ID_IP_DADDR,  FIELD_ID_IP6_SADDR,	  FIELD_ID_IP6_DADDR,	FIELD_ID_L4PROTO,
	FIELD_ID_TCP_SPORT, FIELD_ID_TCP_DPORT,	  FIELD_ID_TCP_DPORT,	FIELD_ID_UDP_SPORT,
	FIELD_ID_UDP_DPORT, FIELD_ID_ICMP_TYPE,	  FIELD_ID_ICMP6_TYPE,	FIELD_ID_CT_STATE,
	FIELD_ID_CT_MARK,   FIELD_ID_META_MARK,	  FIELD_ID_TCP_FLAGS,	FIELD_ID_TH_DPORT,
	FIELD_ID_TH_SPORT,  FIELD_ID_LENGTH,	  FIELD_ID_IP_TTL,	FIELD_ID_IP6_HOPLIMIT,
	FIELD_ID_IP_DSCP,   FIELD_ID_IP6_DSCP,	  FIELD_ID_ETHER_SADDR, FIELD_ID_NFPROTO,
	FIELD_ID_PROTOCOL,  FIELD_ID_IP_PROTOCOL, FIELD_ID_ICMP_CODE,	FIELD_ID_ICMP6_CODE,
};

/* Where rules are made: their table and chain, numbers to give. */
struct maker {
	struct dice *d;
	struct ruleset *rs;
	struct table *t;
	struct chain *c;
	uint32_t cid, state;
	size_t user; /* chains u<user>.. may be jumped to */
};

static uint32_t cid_new(struct maker *k)
{
	must(k->cid < CIDS_MAX);
	return k->cid++;
}

static void elems_roll(struct dice *d, struct match *m)
{
	unsigned int n = MAX(m->n_fields, 1);

	m->elems = calloc(m->n * n, sizeof(*m->elems));
	must(m->elems);
	for (size_t i = 0; i < m->n * n; i++)
		elem_of(d, n > 1 ? m->more[i % n] : m->field, &m->elems[i]);
}

/* Fields that can be there together, and in a set that is looked up. */
static void concat_of(struct dice *d, struct match *m)
{
	static const enum field kinds[][3] = {
		{ FIELD_ID_IP_SADDR, FIELD_ID_TCP_DPORT, FIELD_ID_IIFNAME },
		{ FIELD_ID_IP6_SADDR, FIELD_ID_TH_DPORT, FIELD_ID_META_MARK },
		{ FIELD_ID_IP_DADDR, FIELD_ID_L4PROTO, FIELD_ID_CT_STATE },
		{ FIELD_ID_TCP_DPORT, FIELD_ID_IP_DSCP, FIELD_ID_IP_SADDR },
		{ FIELD_ID_UDP_DPORT, FIELD_ID_IP6_DSCP, FIELD_ID_ETHER_SADDR },
	};
	const enum field *of = kinds[roll(d, ARRAY_SIZE(kinds))];
	bool wide = one_in(d, 3);

	m->n_fields = (uint8_t)(2 + roll(d, 2));
	memcpy(m->more, of, 3 * sizeof(*of));
	m->field = of[0];
	m->is_set = true;
	m->n = 1 + roll(d, 4);
	elems_roll(d, m);
	for (size_t i = 0; i < m->n * m->n_fields; i++) {
		struct elem *e = &m->elems[i];
		enum field_type type = field_rows[m->more[i % m->n_fields]].type;

		/* ranges are written out as long as they are small */
		if (wide && type != FIELD_IFNAME && type != FIELD_CT_STATE)
			continue;
		if (type_rows[type].base == BASE_ADDR)
			memcpy(e->addr_hi, e->addr_lo, 16);
		else if (type_rows[type].base == BASE_NUM && e->num_hi > e->num_lo + 20)
			e->num_hi = e->num_lo + 20;
		else if (type == FIELD_IFNAME)
			snprintf(e->name, sizeof(e->name), "%s", roll(d, 2) ? "eth0" : "eth*");
		else if (type == FIELD_CT_STATE)
			e->num_lo = e->num_hi = 1U << GW_CT_NEW;
	}
}

static void match_kind(struct maker *k, struct match *m)
{
	struct dice *d = k->d;
	enum type_base base = type_rows[field_rows[m->field].type].base;

	if (base == BASE_NUM && field_rows[m->field].type != FIELD_NFPROTO && one_in(d, 6)) {
		m->op = (enum match_op)(MATCH_LT + roll(d, 4));
		m->n = 1;
		m->negate = false;
	}
	if (m->field == FIELD_ID_META_MARK && m->op == MATCH_EQ && one_in(d, 2))
		m->mask = roll(d, 32);
	if (m->field == FIELD_ID_TCP_FLAGS) {
		m->exact = one_in(d, 2);
		if (m->exact && !m->is_set && one_in(d, 2))
			m->mask = 0x17;
	}
}

static void named_match(struct maker *k, struct match *m)
{
	static const struct {
		const char *name;
		enum field fields[2];
		uint8_t n;
	} sets[] = { { "many4", { FIELD_ID_IP_SADDR }, 1 },
		     { "dyn4", { FIELD_ID_IP_DADDR }, 1 },
		     { "dyn2", { FIELD_ID_CT_MARK, FIELD_ID_TCP_DPORT }, 2 },
		     { "ports", { FIELD_ID_TCP_DPORT }, 1 },
		     { "dynport", { FIELD_ID_TH_DPORT }, 1 } };
	uint32_t i = roll(k->d, ARRAY_SIZE(sets));

	m->field = sets[i].fields[0];
	memcpy(m->more, sets[i].fields, sizeof(sets[i].fields));
	m->n_fields = sets[i].n;
	m->set = strdup(sets[i].name);
	m->is_set = true;
	must(m->set);
}

static void match_of(struct maker *k, struct rule *r, uint32_t n_stmts)
{
	struct dice *d = k->d;
	struct match m = { .field = fields[roll(d, ARRAY_SIZE(fields))],
			   .negate = one_in(d, 3),
			   .mask = UINT32_MAX };

	m.after = (uint16_t)roll(d, n_stmts + 1);
	if (r->n_matches)
		m.after = MAX(m.after, r->matches[r->n_matches - 1].after);
	if (one_in(d, 40)) {
		m.field = FIELD_ID_NUMGEN_INC;
		m.mod = 2 + roll(d, 3);
		m.n = 1 + roll(d, 2);
		m.is_set = m.n > 1;
		m.elems = calloc(m.n, sizeof(*m.elems));
		must(m.elems);
		for (size_t i = 0; i < m.n; i++)
			m.elems[i].num_lo = m.elems[i].num_hi = i * 2 + roll(d, 2);
	} else if (one_in(d, 8)) {
		named_match(k, &m);
	} else if (one_in(d, 8)) {
		concat_of(d, &m);
	} else {
		m.n = one_in(d, 2) ? 1 : 1 + roll(d, one_in(d, 6) ? 40 : 4);
		if (m.field == FIELD_ID_CT_STATE)
			m.n = 1;
		m.is_set = m.n > 1;
		match_kind(k, &m);
		elems_roll(d, &m);
	}
	must(rule_add_match(r, &m) == 0);
}

/* ------------------------------------------------------------------------------------------------------------ maps */

static const char *user_chain(struct maker *k, char name[16])
{
	if (k->user > 3)
		return NULL;
	snprintf(name, 16, "u%zu", k->user + roll(k->d, 4 - (uint32_t)k->user));
	return table_chain(k->t, name) ? name : NULL;
}

static void verdict_data(struct maker *k, struct map_data *data)
{
	char name[16];

	data->verdict = (enum verdict)(VERDICT_ACCEPT + roll(k->d, 2));
	if (one_in(k->d, 8))
		data->verdict = VERDICT_CONTINUE;
	if (one_in(k->d, 16))
		data->verdict = VERDICT_RETURN;
	if (one_in(k->d, 3) && user_chain(k, name)) {
		data->verdict = one_in(k->d, 6) ? VERDICT_GOTO : VERDICT_JUMP;
		data->chain = strdup(name);
	}
}

enum data_kind { DATA_VERDICT, DATA_MARK, DATA_ADDR4, DATA_ADDR4_PORT, DATA_PORT };

/* No two elements hold the same key. */
static struct map_use *map_of(struct maker *k, enum data_kind kind)
{
	static const enum field keys[][2] = {
		{ FIELD_ID_TCP_DPORT },
		{ FIELD_ID_IP_DSCP },
		{ FIELD_ID_META_MARK },
		{ FIELD_ID_CT_MARK },
		{ FIELD_ID_TH_DPORT, FIELD_ID_IP_DSCP },
		{ FIELD_ID_UDP_DPORT, FIELD_ID_META_MARK },
		{ FIELD_ID_NUMGEN_INC },
		{ FIELD_ID_L4PROTO, FIELD_ID_TH_DPORT },
	};
	uint32_t at = roll(k->d, ARRAY_SIZE(keys));
	struct map_use *use = calloc(1, sizeof(*use));
	uint32_t value = roll(k->d, 2);

	must(use);
	use->key.n = keys[at][1] ? 2 : 1;
	memcpy(use->key.fields, keys[at], sizeof(keys[at]));
	use->key.mod = 4;
	use->elems = elems_new(use->key.n);
	for (uint32_t n = 1 + roll(k->d, 4);
	     n && (use->key.fields[0] != FIELD_ID_NUMGEN_INC || value < 4); n--) {
		struct elem e[2] = { 0 };
		struct map_data data = { 0 };

		e[0].num_lo = value;
		e[0].num_hi = value + roll(k->d, 2);
		value = (uint32_t)e[0].num_hi + 1 + roll(k->d, 2);
		if (keys[at][0] == FIELD_ID_L4PROTO)
			e[0].num_lo = e[0].num_hi = n % 2 ? IPPROTO_TCP : IPPROTO_UDP;
		e[1].num_lo = n * 3;
		e[1].num_hi = n * 3 + roll(k->d, 3);
		if (kind == DATA_VERDICT)
			verdict_data(k, &data);
		else if (kind == DATA_MARK || kind == DATA_PORT)
			data.val[0].num_lo = data.val[0].num_hi = 1 + roll(k->d, 20);
		else
			addr_elem(k->d, 4, &data.val[0]);
		if (kind == DATA_ADDR4_PORT)
			data.val[1].num_lo = data.val[1].num_hi = 1 + roll(k->d, 99);
		must(elems_add(use->elems, e, &data, NULL) == 0);
	}
	return use;
}

/* ------------------------------------------------------------------------------------------------------ statements */

static void mark_of(struct maker *k, struct stmt *s)
{
	s->kind = roll(k->d, 2) ? STMT_MARK : STMT_CTMARK;
	s->mark.mask = one_in(k->d, 2) ? 0 : roll(k->d, 32);
	s->mark.value = roll(k->d, 20);
	s->mark.from_other = one_in(k->d, 3);
	if (one_in(k->d, 3))
		s->mark.map = map_of(k, DATA_MARK);
}

static void set_of(struct maker *k, struct stmt *s)
{
	static const struct {
		const char *set;
		enum field fields[2];
		uint8_t n;
	} keys[] = { { "dyn4", { FIELD_ID_IP_DADDR }, 1 },
		     { "dyn2", { FIELD_ID_CT_MARK, FIELD_ID_TCP_DPORT }, 2 },
		     { "dynport", { FIELD_ID_TH_DPORT }, 1 } };
	uint32_t i = roll(k->d, ARRAY_SIZE(keys));

	s->kind = STMT_SET;
	s->set.verb = (enum set_verb)roll(k->d, 3);
	s->set.set = strdup(keys[i].set);
	s->set.key.n = keys[i].n;
	memcpy(s->set.key.fields, keys[i].fields, sizeof(keys[i].fields));
}

static void stmt_of(struct maker *k, struct rule *r)
{
	struct stmt s = { 0 };

	switch (roll(k->d, 8)) {
	case 0:
	case 1:
		if (rule_has_stmt(r, STMT_COUNTER))
			return;
		s.kind = STMT_COUNTER;
		break;
	case 2:
		s.kind = STMT_LOG;
		s.id = 1 + roll(k->d, 9);
		break;
	case 3:
		s.kind = STMT_LIMIT;
		s.id = k->state++;
		s.limit = (struct limit){ .rate = 1, .unit_s = 1, .over = one_in(k->d, 3) };
		break;
	case 4:
		s.kind = STMT_OBJECT;
		s.object.kind = roll(k->d, 2) ? OBJECT_COUNTER : OBJECT_LIMIT;
		s.object.name = strdup("o");
		break;
	case 5:
		s.kind = STMT_DSCP;
		s.value.family = roll(k->d, 2) ? 4 : 6;
		s.value.value = roll(k->d, 8);
		break;
	case 6:
		set_of(k, &s);
		break;
	default:
		mark_of(k, &s);
	}
	must(rule_add_stmt(r, &s) == 0);
}

static void nat_of(struct maker *k, struct action *a)
{
	struct dice *d = k->d;
	struct elem e = { 0 };

	a->verdict = (enum verdict)(VERDICT_MASQUERADE + roll(d, 4));
	a->nat_flags = roll(d, 2) ? GW_NATF_RANDOM : 0;
	a->has_port = one_in(d, 2);
	a->port_lo = (uint16_t)roll(d, 100);
	a->port_hi = (uint16_t)(a->port_lo + roll(d, 100));
	if (a->verdict == VERDICT_SNAT || a->verdict == VERDICT_DNAT) {
		a->has_addr = true;
		a->nat_family = roll(d, 2) ? 4 : 6;
		addr_elem(d, a->nat_family, &e);
		memcpy(a->addr_lo, e.addr_lo, 16);
		memcpy(a->addr_hi, e.addr_hi, 16);
	}
	if (a->verdict == VERDICT_DNAT && one_in(d, 2)) {
		a->has_addr = false;
		a->nat_family = 4;
		a->map = map_of(k, a->has_port || roll(d, 2) ? DATA_ADDR4 : DATA_ADDR4_PORT);
	} else if (a->verdict == VERDICT_REDIRECT && one_in(d, 2)) {
		a->has_port = false;
		a->map = map_of(k, DATA_PORT);
	}
}

static void action_of(struct maker *k, struct rule *r)
{
	struct action *a = &r->action;
	struct dice *d = k->d;
	char name[16];

	if (k->c->type == CHAIN_NAT && roll(d, 3)) {
		nat_of(k, a);
		return;
	}
	if (one_in(d, 4)) {
		a->verdict = VERDICT_VMAP;
		a->map = map_of(k, DATA_VERDICT);
		return;
	}
	if (one_in(d, 3) && user_chain(k, name)) {
		a->verdict = one_in(d, 4) ? VERDICT_GOTO : VERDICT_JUMP;
		memcpy(a->chain, name, sizeof(name));
		return;
	}
	a->verdict = (enum verdict)roll(d, k->c->type == CHAIN_NAT ? 3 : 4);
	if (one_in(d, 10))
		a->verdict = VERDICT_RETURN;
	if (a->verdict == VERDICT_REJECT)
		a->reject = roll(d, 5);
}

static struct rule *rule_of(struct maker *k)
{
	struct rule *r = rule_new();
	uint32_t n_stmts;

	must(r);
	r->cid = cid_new(k);
	for (n_stmts = one_in(k->d, 2) ? 0 : roll(k->d, 4); n_stmts; n_stmts--)
		stmt_of(k, r);
	for (uint32_t n = roll(k->d, 4); n; n--)
		match_of(k, r, (uint32_t)r->n_stmts);
	action_of(k, r);
	return r;
}

static void chain_fill(struct maker *k, const char *name, uint32_t n)
{
	must(k->c || table_add_chain(k->rs, k->t, name, &k->c) == 0);
	for (; n; n--)
		must(chain_insert_rule(k->rs, k->c, k->c->n_rules, rule_of(k)) == 0);
}

static void base_chain_of(struct maker *k, uint32_t n)
{
	char name[16];

	snprintf(name, sizeof(name), "base%u", n);
	must(table_add_chain(k->rs, k->t, name, &k->c) == 0);
	k->c->base = true;
	k->c->type = one_in(k->d, 3) ? CHAIN_NAT : CHAIN_FILTER;
	k->c->hook_nf = k->c->type == CHAIN_NAT ? 4 : 2;
	k->c->prio = (k->c->type == CHAIN_NAT ? 100 : 0) + (int)roll(k->d, 3);
	k->c->policy_drop = one_in(k->d, 3);
	k->c->cid = cid_new(k);
	k->user = 0;
	chain_fill(k, name, roll(k->d, 7));
}

static void set_add(struct maker *k, const char *name, const enum field_type *types, uint8_t n,
		    unsigned int flags, uint32_t n_elems)
{
	struct set *s = set_new();

	must(s);
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->n_fields = n;
	memcpy(s->types, types, n * sizeof(*types));
	s->flags = flags;
	must(table_add_set(k->rs, k->t, s) == 0);
	for (; n_elems; n_elems--) {
		struct elem e[2] = { 0 };

		if (types[0] == FIELD_ADDR4)
			addr_elem(k->d, 4, &e[0]);
		else
			num_elem(k->d, &e[0], 12, 65535);
		e[1].num_lo = e[1].num_hi = roll(k->d, 12);
		if (flags & SET_DYNAMIC && types[0] == FIELD_ADDR4)
			memcpy(e[0].addr_hi, e[0].addr_lo, 4);
		else if (flags & SET_DYNAMIC)
			e[0].num_hi = e[0].num_lo;
		must(elems_add(s->elems, e, NULL, NULL) == 0);
	}
}

static void object_add(struct maker *k, enum object_kind kind)
{
	struct object *o = calloc(1, sizeof(*o));

	must(o);
	o->kind = kind;
	o->name[0] = 'o';
	o->id = kind == OBJECT_COUNTER ? cid_new(k) : k->state++;
	o->limit = (struct limit){ .rate = 1, .unit_s = 1 };
	must(table_add_object(k->rs, k->t, o) == 0);
}

static void table_of(struct maker *k, uint32_t n)
{
	char name[16];

	snprintf(name, sizeof(name), "t%u", n);
	must(ruleset_add_table(k->rs, (enum family)roll(k->d, 3), name, &k->t) == 0);
	set_add(k, "many4", (enum field_type[]){ FIELD_ADDR4 }, 1, SET_INTERVAL, roll(k->d, 60));
	set_add(k, "ports", (enum field_type[]){ FIELD_PORT }, 1, SET_INTERVAL, roll(k->d, 30));
	set_add(k, "dyn4", (enum field_type[]){ FIELD_ADDR4 }, 1, SET_DYNAMIC, roll(k->d, 3));
	set_add(k, "dynport", (enum field_type[]){ FIELD_PORT }, 1, SET_DYNAMIC, roll(k->d, 3));
	set_add(k, "dyn2", (enum field_type[]){ FIELD_MARK, FIELD_PORT }, 2, SET_DYNAMIC,
		roll(k->d, 3));
	object_add(k, OBJECT_COUNTER);
	object_add(k, OBJECT_LIMIT);
	/* the last first: chains lead to those behind them only */
	for (size_t i = 4; i--;) {
		k->user = i + 1;
		k->c = NULL;
		snprintf(name, sizeof(name), "u%zu", i);
		must(table_add_chain(k->rs, k->t, name, &k->c) == 0);
		chain_fill(k, name, roll(k->d, 4));
	}
	for (uint32_t i = 1 + roll(k->d, 2); i; i--)
		base_chain_of(k, i);
}

static struct maker maker_of(struct dice *d)
{
	struct maker k = { .d = d, .rs = ruleset_new(), .cid = 1, .state = 1 };

	must(k.rs);
	for (uint32_t n = 1 + roll(d, 2); n; n--)
		table_of(&k, n);
	return k;
}

static void packet_of(struct dice *d, struct packet *p)
{
	static const uint8_t states[] = { GW_CT_INVALID, GW_CT_ESTABLISHED, GW_CT_RELATED,
					  GW_CT_NEW, GW_CT_UNTRACKED };

	*p = (struct packet){ .version = roll(d, 2) ? 4 : 6 };
	addr_of(d, p->version, p->saddr);
	addr_of(d, p->version, p->daddr);
	p->proto = roll(d, 3) ? IPPROTO_TCP : protos[roll(d, ARRAY_SIZE(protos))];
	if (has_ports(p->proto)) {
		p->sport = one_in(d, 10) ? 65535 : (uint16_t)roll(d, 12);
		p->dport = one_in(d, 10) ? 65535 : (uint16_t)roll(d, 12);
	}
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		p->dport = (uint16_t)(roll(d, 12) << 8 | roll(d, 3));
	p->iif = ifs[roll(d, ARRAY_SIZE(ifs))].ifindex;
	p->oif = one_in(d, 5) ? 0 : ifs[roll(d, ARRAY_SIZE(ifs))].ifindex;
	p->mark = one_in(d, 10) ? UINT32_MAX : roll(d, 32);
	p->ctmark = one_in(d, 10) ? UINT32_MAX : roll(d, 32);
	p->ctstate = states[roll(d, 5)];
	p->flags = p->proto == IPPROTO_TCP ? (uint8_t)roll(d, 32) : 0;
	p->ttl = (uint8_t)roll(d, 64);
	p->dscp = (uint8_t)roll(d, 8);
	p->length = roll(d, 70);
	memcpy(p->mac, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)roll(d, 4) }, 6);
}

/* ------------------------------------------------------------------------------------------------------- the tests */

static struct memory of_model, of_image;
static struct notes want, got;
static uint64_t ops_seen, notes_seen, packets_seen;

static num elem_num(const struct set *s, size_t i, unsigned int k)
{
	const struct elem *e = &s->elems->keys[i * s->n_fields + k];

	return type_rows[s->types[k]].base == BASE_ADDR ? bytes_num(e->addr_lo, 4) : e->num_lo;
}

/* Elements of dynamic sets are not in the image: who puts it in force puts them where packets do. */
static void preload(const struct set *s)
{
	for (size_t i = 0; s->flags & SET_DYNAMIC && i < s->elems->n; i++) {
		uint64_t values[2] = { (uint64_t)elem_num(s, i, 0) };
		uint8_t key[GW_DYNKEY_LEN];

		if (s->n_fields > 1)
			values[1] = (uint64_t)elem_num(s, i, 1);
		must(!compile_elem_is_static(s, i));
		must(compile_key(s, &s->elems->keys[i * s->n_fields], ifs, ARRAY_SIZE(ifs), key));
		dyn_put(&of_model, s->handle, values, sizeof(values), true);
		dyn_put(&of_image, (uint32_t)s->handle, key, sizeof(key), true);
	}
}

static void memories_clear(const struct ruleset *rs)
{
	memset(&of_model, 0, sizeof(of_model));
	memset(&of_image, 0, sizeof(of_image));
	for (size_t i = 0; i < rs->n_tables; i++)
		for (size_t k = 0; k < rs->tables[i]->n_sets; k++)
			preload(rs->tables[i]->sets[k]);
}

static void notes_compare(void)
{
	must(got.n == want.n);
	for (size_t i = 0; i < want.n; i++) {
		must(got.note[i].kind == want.note[i].kind);
		must(got.note[i].a == want.note[i].a && got.note[i].b == want.note[i].b);
		must(!memcmp(&got.note[i].nat, &want.note[i].nat, sizeof(want.note[i].nat)));
		notes_seen |= 1ULL << want.note[i].kind;
	}
	must(!memcmp(got.count, want.count, sizeof(want.count)));
}

static void compare(const struct ruleset *rs, const void *lines, size_t n, int hook,
		    const struct packet *p)
{
	struct world w = { ifs, ARRAY_SIZE(ifs), NULL, *p, &of_model, &want };
	struct eval e = { .p = *p, .m = &of_image, .n = &got };

	want.n = got.n = 0;
	memset(want.count, 0, sizeof(want.count));
	memset(got.count, 0, sizeof(got.count));
	walk_model(rs, hook, &w);
	eval_slot(lines, n, hook, &e);
	notes_compare();
	must(w.p.mark == e.p.mark && w.p.ctmark == e.p.ctmark);
	ops_seen |= e.ran;
	packets_seen++;
}

static void compare_packets(struct dice *d, const struct ruleset *rs, const void *lines, size_t n,
			    int packets)
{
	struct packet p;

	for (int k = 0; k < packets; k++) {
		packet_of(d, &p);
		compare(rs, lines, n, GW_HOOK_FILTER_FORWARD, &p);
		compare(rs, lines, n, GW_HOOK_NAT_POSTROUTING, &p);
	}
}

/* What can not be done is refused by name; then there is no image to compare. */
static bool compiles(const struct ruleset *rs, struct image **ret)
{
	struct diag diag = { 0 };
	int r = compile_ruleset(rs, ifs, ARRAY_SIZE(ifs), 1, 1U << 20, ret, &diag);

	if (r == COMPILE_E_DIAG && (strstr(diag.text, "can not stand in a map that comes behind") ||
				    strstr(diag.text, "stand for too many keys") ||
				    strstr(diag.text, "with a mask can not be looked up in a set")))
		return false;
	if (r)
		ck_abort_msg("%d: %s", r, diag.text);
	return true;
}

START_TEST(the_image_does_what_the_model_says)
{
	struct dice d = { .state = 0x9e3779b97f4a7c15ULL * (uint64_t)(_i + 1) };
	int refused = 0;

	for (int n = 0; n < RULESETS_PER_SEED; n++) {
		_cleanup_(ruleset_freep) struct ruleset *rs = maker_of(&d).rs;
		_cleanup_(image_freep) struct image *img = NULL;

		memories_clear(rs);
		if (compiles(rs, &img))
			compare_packets(&d, rs, img->lines, img->nlines, PACKETS);
		else
			refused++;
	}
	ck_assert_int_lt(refused, RULESETS_PER_SEED / 2);
	/* the dice reach every kind of op and effect */
	ck_assert_uint_eq(ops_seen & 0x3ULL << 1, 0x3ULL << 1);
	for (int kind = NOTE_LOG; kind <= NOTE_END; kind++)
		ck_assert(kind == NOTE_NOTRACK || notes_seen & 1ULL << kind);
	ck_assert(ops_seen & 1ULL << GW_OP_SET && ops_seen & 1ULL << GW_OP_NUMGEN &&
		  ops_seen & 1ULL << GW_OP_LIMIT && ops_seen & 1ULL << GW_OP_COUNT &&
		  ops_seen & 1ULL << GW_OP_SETDEL);
}
END_TEST

/* An image with room behind it, as it lies in a half of the region. */
struct half {
	uint8_t *lines;
	size_t cap;
	struct compile_map *map;
};

static void half_deinit(struct half *h)
{
	free(h->lines);
	compile_map_free(h->map);
}

static bool half_fill(struct half *h, const struct ruleset *rs)
{
	struct image *img = NULL;

	if (!compiles(rs, &img))
		return false;
	half_deinit(h);
	h->cap = img->nlines + 2000;
	h->lines = calloc(h->cap, GW_LINE_SIZE);
	must(h->lines);
	memcpy(h->lines, img->lines, img->nlines * GW_LINE_SIZE);
	h->map = TAKE_PTR(img->map);
	image_free(img);
	return true;
}

/* A rule more in any chain, anywhere. */
static size_t insert_one(struct maker *k)
{
	size_t at;

	k->t = k->rs->tables[roll(k->d, (uint32_t)k->rs->n_tables)];
	k->c = k->t->chains[roll(k->d, (uint32_t)k->t->n_chains)];
	k->user = k->c->base ? 0 : (size_t)(k->c->name[1] - '0') + 1;
	at = roll(k->d, 2) ? k->c->n_rules : roll(k->d, (uint32_t)k->c->n_rules + 1);
	must(chain_insert_rule(k->rs, k->c, at, rule_of(k)) == 0);
	return at;
}

static int appended, anew, removed;

/* false: the ruleset can not be compiled any more. */
static bool append_one(struct maker *k, struct half *h)
{
	struct compile_where w = { .ifs = ifs, .n_ifs = ARRAY_SIZE(ifs) };
	struct diag diag = { 0 };
	int r;

	w.index = insert_one(k);
	w.rs = k->rs;
	w.table = k->t;
	w.chain = k->c;
	r = compile_append(h->map, h->lines, h->cap, &w, &diag);
	if (r == 0)
		appended++;
	if (r == COMPILE_E_AGAIN)
		anew++;
	must(r >= 0);
	return r == 0 || (r == COMPILE_E_AGAIN && half_fill(h, k->rs));
}

static void remove_one(struct maker *k, struct half *h)
{
	size_t at;

	k->t = k->rs->tables[roll(k->d, (uint32_t)k->rs->n_tables)];
	k->c = k->t->chains[roll(k->d, (uint32_t)k->t->n_chains)];
	/* the chain is still there for the image, with a policy that counts */
	if (k->c->n_rules < 2)
		return;
	at = roll(k->d, (uint32_t)k->c->n_rules);
	must(compile_remove(h->lines, k->c->rules[at]->cid) == 0);
	chain_delete_rule(k->c, at);
	removed++;
}

START_TEST(a_rule_that_is_appended_is_as_good_as_one_that_was_compiled)
{
	struct dice d = { .state = 0x2545f4914f6cdd1dULL * (uint64_t)(_i + 1) };

	appended = anew = removed = 0;
	for (int n = 0; n < RULESETS_PER_SEED / 4; n++) {
		struct maker k = maker_of(&d);
		_cleanup_(ruleset_freep) struct ruleset *rs = k.rs;
		_cleanup_(half_deinit) struct half h = { 0 };
		bool good = half_fill(&h, rs);

		for (int i = 0; good && i < 12; i++) {
			if (one_in(&d, 4))
				remove_one(&k, &h);
			else
				good = append_one(&k, &h);
			memories_clear(rs);
			if (good)
				compare_packets(&d, rs, h.lines, h.cap, 8);
		}
	}
	ck_assert_int_gt(appended, 10);
	ck_assert_int_gt(anew, 5);
	ck_assert_int_gt(removed, 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("compile/random");
	TCase *t = tcase_create("random");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, the_image_does_what_the_model_says, 0, SEEDS);
	tcase_add_loop_test(t, a_rule_that_is_appended_is_as_good_as_one_that_was_compiled, 0,
			    SEEDS);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
