/* SPDX-License-Identifier: GPL-2.0-only */
#include <model/model.h>

#include <netinet/in.h>

/* What the matches of a rule leave possible. */
struct facts {
	bool v4, v6;
	uint64_t protos[4]; /* a bit for each protocol */
};

static bool hook_is(const struct chain *c, unsigned int hooks)
{
	return hooks & (1U << c->hook_nf);
}
#define HOOK_PRE  (1U << 0)
#define HOOK_IN	  (1U << 1)
#define HOOK_FWD  (1U << 2)
#define HOOK_OUT  (1U << 3)
#define HOOK_POST (1U << 4)

static bool chain_is_raw(const struct chain *c)
{
	int slot = chain_hook(c);

	return slot == GW_HOOK_RAW_PREROUTING || slot == GW_HOOK_RAW_OUTPUT;
}

static bool match_fits_hook(const struct chain *c, const struct match *m, struct diag *d)
{
	const struct field_row *row = &field_rows[m->field];

	if (!c->base)
		return true;
	/* Forwarded packets still know their input interface in postrouting. */
	if (!strcmp(row->hooks, "IN") && hook_is(c, HOOK_OUT)) {
		diag_set(d, "`%s` never matches in an output chain", row->keyword);
		diag_hint(d, "packets of this host have no input interface; use `oifname`");
		return false;
	}
	if (!strcmp(row->hooks, "OUT") && hook_is(c, HOOK_PRE | HOOK_IN)) {
		diag_set(d, "`%s` never matches in a%s %s chain", row->keyword,
			 hook_is(c, HOOK_IN) ? "n" : "", hook_name(c->hook_nf));
		diag_hint(d,
			  "the output interface is known from the forward hook on; use `iifname`");
		return false;
	}
	if (!strcmp(row->hooks, "CT") && chain_is_raw(c)) {
		diag_set(d, "`%s` is not known yet in a raw chain", row->keyword);
		diag_hint(d, "connections are tracked at priority -200, after this chain");
		return false;
	}
	return true;
}

static bool facts_take_family(struct facts *f, const struct table *t, const struct match *m,
			      struct diag *d)
{
	const struct field_row *row = &field_rows[m->field];
	bool was4 = f->v4;

	f->v4 = f->v4 && row->families != 6;
	f->v6 = f->v6 && row->families != 4;
	if (f->v4 || f->v6)
		return true;
	if (t->family != FAMILY_INET)
		diag_set(d, "`%s` can not match in a table of family %s", row->keyword,
			 family_name(t->family));
	else
		diag_set(d, "`%s` contradicts an earlier match: the rule is for IPv%d already",
			 row->keyword, was4 ? 4 : 6);
	return false;
}

static void protos_add(uint64_t protos[4], uint32_t lo, uint32_t hi)
{
	for (uint32_t p = lo; p <= hi && p < 256; p++)
		protos[p / 64] |= 1ULL << (p % 64);
}

/* The protocols a match leaves. */
static void match_protos(const struct match *m, uint64_t ret[4])
{
	const struct field_row *row = &field_rows[m->field];

	memset(ret, 0, 4 * sizeof(*ret));
	if (row->implies) {
		protos_add(ret, row->implies, row->implies);
		return;
	}
	/* what a named set holds, or a pair of fields leaves, is not known here */
	if (m->set || m->n_fields > 1 || m->op != MATCH_EQ) {
		protos_add(ret, 0, 255);
		return;
	}
	for (size_t i = 0; i < m->n; i++)
		protos_add(ret, m->elems[i].num_lo, m->elems[i].num_hi);
	for (int i = 0; m->negate && i < 4; i++)
		ret[i] = ~ret[i];
}

static bool facts_take_proto(struct facts *f, const struct match *m, struct diag *d)
{
	const struct field_row *row = &field_rows[m->field];
	uint64_t here[4], left = 0;

	if (!row->implies && row->type != FIELD_PROTO)
		return true;
	match_protos(m, here);
	for (int i = 0; i < 4; i++) {
		f->protos[i] &= here[i];
		left |= f->protos[i];
	}
	if (!left)
		diag_set(d, "`%s` contradicts an earlier match on the transport protocol",
			 row->keyword);
	return left;
}

static bool matches_validate(const struct table *t, const struct chain *c, const struct rule *r,
			     struct facts *f, struct diag *d)
{
	*f = (struct facts){ .v4 = family_sees(t->family, 4), .v6 = family_sees(t->family, 6) };
	memset(f->protos, 0xff, sizeof(f->protos));
	for (size_t i = 0; i < r->n_matches; i++) {
		const struct match *m = &r->matches[i];

		if (!m->n && !m->set) {
			diag_set(d, "`%s` has no value", field_rows[m->field].keyword);
			return false;
		}
		if (!match_fits_hook(c, m, d) || !facts_take_family(f, t, m, d) ||
		    !facts_take_proto(f, m, d))
			return false;
	}
	return true;
}

/* Are all protocols that are left in the list? */
static bool protos_within(const struct facts *f, const uint8_t *list, size_t n)
{
	uint64_t allowed[4] = { 0 }, others = 0;

	for (size_t i = 0; i < n; i++)
		protos_add(allowed, list[i], list[i]);
	for (int i = 0; i < 4; i++)
		others |= f->protos[i] & ~allowed[i];
	return !others;
}

struct nat_row {
	enum verdict verdict;
	const char *word;
	unsigned int hooks;
	const char *where;
};
static const struct nat_row nat_rows[] = {
	{ VERDICT_MASQUERADE, "masquerade", HOOK_POST, "postrouting" },
	{ VERDICT_SNAT, "snat", HOOK_POST | HOOK_IN, "postrouting or input" },
	{ VERDICT_DNAT, "dnat", HOOK_PRE | HOOK_OUT, "prerouting or output" },
	{ VERDICT_REDIRECT, "redirect", HOOK_PRE | HOOK_OUT, "prerouting or output" },
};

static const struct nat_row *nat_row_of(enum verdict v)
{
	for (size_t i = 0; i < ARRAY_SIZE(nat_rows); i++) {
		if (nat_rows[i].verdict == v)
			return &nat_rows[i];
	}
	return NULL;
}

static bool nat_fits_chain(const struct chain *c, const struct nat_row *row, struct diag *d)
{
	if (!c->base)
		return true;
	if (c->type != CHAIN_NAT) {
		diag_set(d, "`%s` belongs in a chain of type nat, this one is of type %s",
			 row->word, chain_type_name(c->type));
		return false;
	}
	if (!hook_is(c, row->hooks)) {
		diag_set(d, "`%s` works at hook %s, this chain is at %s", row->word, row->where,
			 hook_name(c->hook_nf));
		return false;
	}
	return true;
}

static bool nat_fits_family(const struct action *a, const struct nat_row *row,
			    const struct facts *f, struct diag *d)
{
	bool takes_addr = a->verdict == VERDICT_SNAT || a->verdict == VERDICT_DNAT;

	if (a->has_addr && !takes_addr) {
		diag_set(d, "`%s` takes no address", row->word);
		return false;
	}
	if (takes_addr && !a->has_addr && !a->has_port) {
		diag_set(d, "`%s` needs an address or a port", row->word);
		return false;
	}
	if (a->has_addr && !(a->nat_family == 4 ? f->v4 : f->v6)) {
		diag_set(d, "an IPv%d address can not replace the addresses of IPv%d packets",
			 a->nat_family, f->v4 ? 4 : 6);
		return false;
	}
	return true;
}

static bool nat_ranges_are_ordered(const struct action *a, struct diag *d)
{
	if (a->has_addr && memcmp(a->addr_lo, a->addr_hi, a->nat_family == 4 ? 4 : 16) > 0) {
		diag_set(d, "the address range ends before it begins");
		return false;
	}
	if (a->has_port && a->port_lo > a->port_hi) {
		diag_set(d, "the port range ends before it begins");
		return false;
	}
	return true;
}

static bool nat_validate(const struct chain *c, const struct action *a, const struct facts *f,
			 struct diag *d)
{
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE,
					      IPPROTO_SCTP, IPPROTO_DCCP };
	const struct nat_row *row = nat_row_of(a->verdict);

	if (!row)
		return true;
	if (!nat_fits_chain(c, row, d) || !nat_fits_family(a, row, f, d) ||
	    !nat_ranges_are_ordered(a, d))
		return false;
	if (a->has_port && !protos_within(f, with_ports, sizeof(with_ports))) {
		diag_set(d, "a port needs a match on a transport protocol before it");
		diag_hint(d, "say `tcp dport ...`, `udp dport ...` or `meta l4proto { tcp, udp }` "
			     "first");
		return false;
	}
	return true;
}

static bool reject_validate(const struct chain *c, const struct action *a, const struct facts *f,
			    struct diag *d)
{
	static const uint8_t tcp[] = { IPPROTO_TCP };

	if (a->verdict != VERDICT_REJECT)
		return true;
	if (c->base && (c->type != CHAIN_FILTER || !hook_is(c, HOOK_IN | HOOK_FWD | HOOK_OUT) ||
			chain_is_raw(c))) {
		diag_set(d, "`reject` works in filter chains at hook input, forward or output");
		diag_hint(d, "use `drop` here");
		return false;
	}
	if (a->reject == GW_REJECT_TCP_RESET && !protos_within(f, tcp, 1)) {
		diag_set(d, "`reject with tcp reset` works for TCP only");
		diag_hint(d, "match `meta l4proto tcp` or a TCP port first");
		return false;
	}
	return true;
}

static bool notrack_validate(const struct chain *c, const struct rule *r, struct diag *d)
{
	if (!rule_has_stmt(r, STMT_NOTRACK) || !c->base || chain_is_raw(c))
		return true;
	diag_set(d, "`notrack` comes too late in this chain");
	diag_hint(d, "it works at hook prerouting or output with priority raw (below -200)");
	return false;
}

bool rule_validate(const struct table *t, const struct chain *c, const struct rule *r,
		   struct diag *d)
{
	struct facts f;

	return matches_validate(t, c, r, &f, d) && nat_validate(c, &r->action, &f, d) &&
	       reject_validate(c, &r->action, &f, d) && notrack_validate(c, r, d);
}

bool chain_validate(const struct table *t, const struct chain *c, struct diag *d)
{
	if (!c->base || chain_hook(c) >= 0)
		return true;
	diag_set(d, "chain %s %s %s: there is no place for type %s at hook %s with priority %d",
		 family_name(t->family), t->name, c->name, chain_type_name(c->type),
		 hook_name(c->hook_nf), c->prio);
	diag_hint(d, "%s",
		  c->type == CHAIN_NAT ? "nat chains sit at prerouting, input, output or "
					 "postrouting, above priority -200"
		  : c->type == CHAIN_ROUTE
			  ? "route chains sit at hook output"
			  : "filter chains at postrouting sit before srcnat: use a "
			    "priority below 100");
	return false;
}

/* A rule that came from nowhere in particular needs a name in the message. */
static void diag_name_rule(struct diag *d, const struct table *t, const struct chain *c,
			   const struct rule *r)
{
	const struct diag was = *d;

	diag_set(d, "%s %s %s handle %llu: %s", family_name(t->family), t->name, c->name,
		 (unsigned long long)r->handle, was.text);
	diag_hint(d, "%s", was.hint);
}

static bool table_validate(const struct table *t, struct diag *d)
{
	for (size_t i = 0; i < t->n_chains; i++) {
		const struct chain *c = t->chains[i];

		if (!chain_validate(t, c, d))
			return false;
		for (size_t j = 0; j < c->n_rules; j++) {
			if (rule_validate(t, c, c->rules[j], d))
				continue;
			diag_name_rule(d, t, c, c->rules[j]);
			return false;
		}
	}
	return true;
}

bool ruleset_validate(const struct ruleset *rs, struct diag *d)
{
	for (size_t i = 0; i < rs->n_tables; i++) {
		if (!table_validate(rs->tables[i], d))
			return false;
	}
	return true;
}
