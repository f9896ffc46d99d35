/* SPDX-License-Identifier: GPL-2.0-only */
#include "rulegen.h"

const char *const rulegen_names[RULEGEN_KINDS] = {
	[RULEGEN_ACL] = "acl",	   [RULEGEN_FW] = "fw",	      [RULEGEN_IPC] = "ipc",
	[RULEGEN_NEST] = "nest",   [RULEGEN_CROSS] = "cross", [RULEGEN_FORWARD] = "forward",
	[RULEGEN_IFACE] = "iface", [RULEGEN_MARK] = "mark",   [RULEGEN_LENGTHS] = "lengths",
	[RULEGEN_K8S] = "k8s",	   [RULEGEN_PAIRS] = "pairs", [RULEGEN_RANGES] = "ranges",
	[RULEGEN_BLOCK] = "block", [RULEGEN_INNER] = "inner", [RULEGEN_CELLS] = "cells",
	[RULEGEN_SAME] = "same",
};

uint64_t rulegen_next(struct rulegen *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

uint32_t rulegen_below(struct rulegen *g, uint32_t n)
{
	return (uint32_t)((rulegen_next(g) >> 32) * n >> 32);
}

static bool percent(struct rulegen *g, uint32_t p)
{
	return rulegen_below(g, 100) < p;
}

/* One set in the making. */
struct making {
	struct rulegen g;
	int version;
	size_t n;
	uint32_t networks; /* how many /16 there are to choose from */
	uint32_t salt;
};

static uint32_t scatter(uint32_t x)
{
	x = (x ^ x >> 16) * 0x7feb352dU;
	x = (x ^ x >> 15) * 0x846ca68bU;
	return x ^ x >> 16;
}

/* An address of one of the networks: few subnets in use in each, few hosts in each. */
static uint32_t place(struct making *m)
{
	uint32_t network = rulegen_below(&m->g, m->networks), host;
	uint32_t at = scatter(network + m->salt) & 0xffff0000;

	at |= (scatter(network * 31 + rulegen_below(&m->g, 24)) & 0xff) << 8;
	host = rulegen_below(&m->g, 4) ? rulegen_below(&m->g, 60) : rulegen_below(&m->g, 256);
	return at | host;
}

/* The prefix of that length around a 32-bit place; IPv6: 32 bits longer, the longest ones reach into the lower half. */
static void prefix(const struct making *m, uint32_t at, unsigned int len, index_addr *lo,
		   index_addr *hi)
{
	index_addr a = at, host;

	if (m->version == 4) {
		host = UINT32_MAX >> (len / 2) >> (len - len / 2); /* 32 in one shift is too many */
	} else {
		unsigned int bits = len ? len + 32 : 0;

		if (len == 32)
			bits = 128 - (at & 3) * 8;
		a = (index_addr)(0x20010db8ULL << 32 | at) << 64 | (scatter(at) & 0xff0000ff);
		host = bits ? (bits < 128 ? ~(index_addr)0 >> bits : 0) : ~(index_addr)0;
	}
	*lo = a & ~host;
	*hi = a | host;
}

static void set_source(const struct making *m, struct index_rule *r, uint32_t at, unsigned int len)
{
	prefix(m, at, len, &r->s_lo, &r->s_hi);
}

static void set_destination(const struct making *m, struct index_rule *r, uint32_t at,
			    unsigned int len)
{
	prefix(m, at, len, &r->d_lo, &r->d_hi);
}

static void want_meta(struct index_rule *r, uint64_t value, uint64_t mask)
{
	r->meta |= value;
	r->mmask |= mask;
}

static void want_proto(struct index_rule *r, uint8_t proto)
{
	want_meta(r, GW_META_PROTO(proto), GW_META_PROTO(0xff));
}

static void want_iif(struct index_rule *r, uint32_t i)
{
	want_meta(r, GW_META_IIF(i), GW_META_IIF(GW_META_IF_MAX));
}

static const uint16_t services[] = { 80,   443,	 53,   22,   25,   110,	 143,  993,  995,  21,
				     23,   123,	 161,  389,  445,  514,	 587,  636,  873,  1433,
				     1521, 1723, 3128, 3306, 3389, 5060, 5432, 6379, 8080, 8443 };

static void destination_port(struct making *m, struct index_rule *r)
{
	uint32_t dice = rulegen_below(&m->g, 100);

	if (dice < 55) {
		r->dp_lo = r->dp_hi = services[rulegen_below(&m->g, ARRAY_SIZE(services))];
	} else if (dice < 70) {
		r->dp_lo = r->dp_hi = (uint16_t)(1024 + scatter(rulegen_below(&m->g, 400)) % 60000);
	} else if (dice < 80) {
		r->dp_lo = 1024;
	} else if (dice < 90) {
		r->dp_lo = (uint16_t)(1000 * (1 + rulegen_below(&m->g, 60)));
		r->dp_hi = (uint16_t)(r->dp_lo + 10 * (1 + rulegen_below(&m->g, 50)));
	}
}

static void source_port(struct making *m, struct index_rule *r)
{
	if (percent(&m->g, 50))
		r->sp_lo = 1024;
	else
		r->sp_lo = r->sp_hi = services[rulegen_below(&m->g, ARRAY_SIZE(services))];
}

/* Conditions and effects that real rules have here and there. */
static void extras(struct making *m, struct index_rule *r)
{
	uint32_t dice = rulegen_below(&m->g, 100);

	if (dice < 8)
		want_iif(r, 2 + rulegen_below(&m->g, 6));
	else if (dice < 12)
		want_meta(r, GW_META_OIF(2 + rulegen_below(&m->g, 6)), GW_META_OIF(GW_META_IF_MAX));
	else if (dice < 22)
		r->states = (uint8_t)(1U << GW_CT_NEW | (dice & 1U) << GW_CT_ESTABLISHED);
	else if (dice < 25) {
		r->mark = 1 + rulegen_below(&m->g, 4);
		r->markm = 0xff;
		r->flags |= GW_ENT_VARY;
	} else if (dice < 28) {
		want_proto(r, 6);
		want_meta(r, GW_META_TCPF(2), GW_META_TCPF(0x17));
		r->flags |= GW_ENT_VARY_SYN;
	} else if (dice < 30) {
		r->flags |= GW_ENT_VARY;
	}
}

/*
 * Lengths of both prefixes of a rule and how often they come together, in percent.  Rules for anybody to anybody are seldom, and so are
 * short prefixes: what grows with a rule set is hosts and subnets.
 */
struct lengths {
	uint8_t percent, s, d;
};

static void set_lengths(struct making *m, struct index_rule *r, const struct lengths *table)
{
	uint32_t dice = rulegen_below(&m->g, 100);

	for (; dice >= table->percent; table++)
		dice -= table->percent;
	set_source(m, r, place(m), table->s);
	set_destination(m, r, place(m), table->d);
}

static void make_acl(struct making *m, struct index_rule *r)
{
	static const struct lengths table[] = {
		{ 22, 0, 32 }, { 8, 0, 24 },  { 4, 0, 28 },  { 18, 24, 32 }, { 16, 32, 32 },
		{ 8, 32, 24 }, { 7, 27, 32 }, { 6, 24, 24 }, { 4, 16, 32 },  { 3, 30, 30 },
		{ 2, 22, 25 }, { 1, 16, 24 }, { 1, 32, 23 },
	};

	set_lengths(m, r, table);
	if (percent(&m->g, 85)) {
		want_proto(r, percent(&m->g, 75) ? 6 : 17);
		destination_port(m, r);
	}
}

static void make_fw(struct making *m, struct index_rule *r)
{
	static const struct lengths table[] = {
		{ 30, 0, 32 },	{ 20, 32, 0 }, { 9, 24, 0 },  { 9, 0, 24 },
		{ 10, 24, 32 }, { 9, 32, 32 }, { 4, 28, 32 }, { 4, 0, 28 },
		{ 2, 24, 24 },	{ 2, 16, 32 }, { 1, 32, 16 },
	};

	set_lengths(m, r, table);
	if (percent(&m->g, 80)) {
		want_proto(r, percent(&m->g, 65) ? 6 : 17);
		destination_port(m, r);
		if (percent(&m->g, 40))
			source_port(m, r);
	}
}

static void make_ipc(struct making *m, struct index_rule *r)
{
	static const struct lengths table[] = {
		{ 36, 32, 32 }, { 18, 24, 32 }, { 14, 32, 24 }, { 9, 24, 24 },
		{ 7, 0, 32 },	{ 4, 32, 0 },	{ 3, 29, 32 },	{ 3, 32, 29 },
		{ 2, 26, 26 },	{ 2, 16, 32 },	{ 1, 16, 24 },	{ 1, 20, 20 },
	};

	set_lengths(m, r, table);
	if (percent(&m->g, 60)) {
		want_proto(r, percent(&m->g, 60) ? 6 : 17);
		destination_port(m, r);
		if (percent(&m->g, 20))
			source_port(m, r);
	}
}

static void make_cross(struct making *m, struct index_rule *r)
{
	uint32_t lo = rulegen_below(&m->g, 65536),
		 width = rulegen_below(&m->g, 1U << rulegen_below(&m->g, 16));

	want_proto(r, 6);
	r->dp_lo = (uint16_t)lo;
	r->dp_hi = (uint16_t)MIN(lo + width, 65535U);
	lo = rulegen_below(&m->g, 65536);
	if (percent(&m->g, 30)) {
		r->sp_lo = (uint16_t)lo;
		r->sp_hi = (uint16_t)MIN(lo + width, 65535U);
	}
}

static void make_inner(struct making *m, uint32_t i, struct index_rule *r)
{
	uint32_t both = 64 - (uint32_t)(65 * (uint64_t)i / m->n), least = both > 32 ? both - 32 : 0,
		 len = least + rulegen_below(&m->g, MIN(both, 32U) - least + 1);

	set_source(m, r, scatter(rulegen_below(&m->g, 100)), len);
	set_destination(m, r, scatter(rulegen_below(&m->g, 8)), both - len);
}

static void random_ports(struct making *m, uint16_t *lo, uint16_t *hi)
{
	uint32_t from = rulegen_below(&m->g, 65536),
		 width = rulegen_below(&m->g, 1U << rulegen_below(&m->g, 16));

	*lo = (uint16_t)from;
	*hi = (uint16_t)MIN(from + width, 65535U);
}

static void make_cells(struct making *m, struct index_rule *r)
{
	want_proto(r, 17);
	random_ports(m, &r->sp_lo, &r->sp_hi);
	random_ports(m, &r->dp_lo, &r->dp_hi);
}

static void make_range(struct making *m, struct index_rule *r)
{
	uint32_t width = rulegen_below(&m->g, 1U << (1 + rulegen_below(&m->g, 12)));

	set_source(m, r, place(m), 32);
	r->s_hi = r->s_lo + width;
	if (m->version == 4 && r->s_hi > UINT32_MAX)
		r->s_hi = UINT32_MAX;
	if (percent(&m->g, 40)) {
		set_destination(m, r, place(m), percent(&m->g, 50) ? 32 : 24);
		r->d_hi += r->d_hi < UINT32_MAX - 700 ? 600 : 0;
	}
	r->not_s = percent(&m->g, 5);
	r->not_d = percent(&m->g, 5);
	if (percent(&m->g, 50))
		destination_port(m, r);
}

static void make_same(struct making *m, struct index_rule *r)
{
	want_proto(r, 6);
	r->dp_lo = r->dp_hi = 80;
	switch (rulegen_below(&m->g, 3)) {
	case 0:
		want_meta(r, GW_META_TCPF(rulegen_below(&m->g, 64)), GW_META_TCPF(0x3f));
		r->flags |= GW_ENT_VARY_SYN;
		break;
	case 1:
		r->states = (uint8_t)(1U << rulegen_below(&m->g, 4));
		break;
	default:
		r->markm = 0xfff;
		r->mark = rulegen_below(&m->g, 0x1000);
		r->flags |= GW_ENT_VARY;
	}
}

static void make_rule(struct making *m, enum rulegen_kind kind, uint32_t i, struct index_rule *r)
{
	const struct making one = { .version = m->version };

	switch (kind) {
	case RULEGEN_ACL:
		make_acl(m, r);
		break;
	case RULEGEN_FW:
		make_fw(m, r);
		break;
	case RULEGEN_IPC:
		make_ipc(m, r);
		break;
	case RULEGEN_NEST:
		set_source(m, r, scatter(i >> 10), rulegen_below(&m->g, 33));
		set_destination(m, r, scatter(rulegen_below(&m->g, 8)), rulegen_below(&m->g, 33));
		break;
	case RULEGEN_INNER:
		make_inner(m, i, r);
		break;
	case RULEGEN_CROSS:
		make_cross(m, r);
		break;
	case RULEGEN_CELLS:
		make_cells(m, r);
		break;
	case RULEGEN_FORWARD:
		set_destination(&one, r, 0xcb007101, 32);
		want_proto(r, 6 + 11 * (i & 1));
		r->dp_lo = r->dp_hi = (uint16_t)(i * 7);
		return;
	case RULEGEN_IFACE:
		want_iif(r, 2 + i);
		want_proto(r, 6);
		break;
	case RULEGEN_MARK:
		r->mark = i;
		r->markm = ~0U;
		r->flags |= i % 3 ? GW_ENT_VARY : GW_ENT_VARY_SYN;
		return;
	case RULEGEN_LENGTHS:
		set_source(m, r, (uint32_t)rulegen_next(&m->g), 1 + rulegen_below(&m->g, 32));
		set_destination(m, r, (uint32_t)rulegen_next(&m->g), 8 + rulegen_below(&m->g, 25));
		break;
	case RULEGEN_K8S:
		set_destination(m, r, place(m), 32);
		if (percent(&m->g, 10))
			set_source(m, r, scatter(i & 3), 16);
		want_proto(r, 6);
		r->dp_lo = r->dp_hi = services[rulegen_below(&m->g, ARRAY_SIZE(services))];
		return;
	case RULEGEN_PAIRS:
		set_source(m, r, scatter(rulegen_below(&m->g, 64)), i % 33);
		set_destination(m, r, scatter(rulegen_below(&m->g, 64)), i / 33 % 33);
		break;
	case RULEGEN_RANGES:
		make_range(m, r);
		break;
	case RULEGEN_BLOCK:
		set_source(m, r, (uint32_t)rulegen_next(&m->g), percent(&m->g, 70) ? 32 : 24);
		return;
	default:
		make_same(m, r);
		return;
	}
	extras(m, r);
}

struct index_rule *rulegen_rules(enum rulegen_kind kind, int version, size_t n, uint64_t seed)
{
	const index_addr any = version == 6 ? ~(index_addr)0 : UINT32_MAX;
	struct index_rule *rules = calloc(n + 1, sizeof(*rules));
	struct making m = { .g = { seed * 1000003 + kind }, .version = version, .n = n };

	if (!rules)
		return NULL;
	while ((size_t)m.networks * m.networks * 4 < n)
		m.networks++;
	m.networks += 2;
	m.salt = (uint32_t)rulegen_next(&m.g);
	for (size_t i = 0; i < n; i++) {
		struct index_rule *r = &rules[i];
		bool alternative = i && percent(&m.g, 4);

		*r = (struct index_rule){
			.s_hi = any, .d_hi = any, .sp_hi = 0xffff, .dp_hi = 0xffff, .states = 0xff
		};
		make_rule(&m, kind, (uint32_t)i, r);
		r->prio = alternative ? r[-1].prio : (uint32_t)(i + 1) << GW_PRIO_SHIFT;
		r->id = alternative ? r[-1].id : (uint32_t)i + 1;
		r->flags |= (1 + r->id % 3) << 8 | r->id % 1000 << 12;
		/* whether it varies is of the rule, not of the alternative */
		for (struct index_rule *p = r; p > rules && p[-1].prio == p->prio; p--)
			p[-1].flags = p->flags |= p[-1].flags;
	}
	return rules;
}

/* ---------------------------------------------------------------------------------------------------------- packets */

static index_addr random_addr(struct rulegen *g)
{
	return (index_addr)rulegen_next(g) << 64 | rulegen_next(g);
}

/* An address in lo..hi or at its borders; `not`: rather outside. */
static index_addr address_near(struct rulegen *g, index_addr lo, index_addr hi, index_addr any)
{
	switch (rulegen_below(g, 16)) {
	case 0:
		return lo;
	case 1:
		return hi;
	case 2:
		return (lo - 1) & any;
	case 3:
		return (hi + 1) & any;
	case 4:
		return random_addr(g) & any;
	case 5: /* IPv6: the same lower half under the next upper one */
		return (lo + ((index_addr)1 << 64)) & any;
	default:
		return hi - lo == any ? random_addr(g) & any : lo + random_addr(g) % (hi - lo + 1);
	}
}

static uint16_t port_near(struct rulegen *g, uint16_t lo, uint16_t hi)
{
	switch (rulegen_below(g, 16)) {
	case 0:
		return lo;
	case 1:
		return hi;
	case 2:
		return (uint16_t)(lo - 1);
	case 3:
		return (uint16_t)(hi + 1);
	default:
		return (uint16_t)(lo + rulegen_below(g, (uint32_t)hi - lo + 1));
	}
}

void rulegen_key(struct rulegen *g, const struct index_rule *rules, size_t n, int version,
		 struct find_key *ret)
{
	static const struct index_rule none = { .s_hi = UINT32_MAX,
						.d_hi = UINT32_MAX,
						.sp_hi = 0xffff,
						.dp_hi = 0xffff,
						.states = 0xff };
	const struct index_rule *r = n ? &rules[rulegen_below(g, (uint32_t)n)] : &none;
	const struct index_rule *other = n ? &rules[rulegen_below(g, (uint32_t)n)] : &none;
	index_addr any = version == 6 ? ~(index_addr)0 : UINT32_MAX, s, d;
	uint64_t noise = percent(g, 15) ? rulegen_next(g) & rulegen_next(g) : 0;

	if (percent(g, 80))
		other = r;
	s = address_near(g, r->s_lo, r->s_hi, any);
	d = address_near(g, other->d_lo, other->d_hi, any);
	*ret = (struct find_key){
		.s = { (uint64_t)(s >> 64), (uint64_t)s },
		.d = { (uint64_t)(d >> 64), (uint64_t)d },
		.meta = (r->meta | (GW_META_PROTO(6) & ~r->mmask) | (GW_META_IIF(3) & ~r->mmask) |
			 (GW_META_OIF(4) & ~r->mmask)) ^
			noise,
		.sport = port_near(g, other->sp_lo, other->sp_hi),
		.dport = port_near(g, r->dp_lo, r->dp_hi),
		.mark = r->mark ^ (percent(g, 10) ? rulegen_below(g, 8) : 0),
		.state = (uint8_t)(1U << (percent(g, 50) ? GW_CT_NEW : rulegen_below(g, 4))),
		.syn = percent(g, 30),
	};
}
