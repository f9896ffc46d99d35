/* SPDX-License-Identifier: GPL-2.0-only */
/* validate_match - can the matches of a rule be true together, here? */
#include <model/validate.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>

static bool field_fits_hook(const struct chain *c, enum field field, struct diag *d)
{
	const struct field_row *row = &field_rows[field];

	if (!c->base)
		return true;
	/* Forwarded packets still know their input interface in postrouting. */
	if (!strcmp(row->hooks, "IN") && chain_at(c, HOOK_OUT)) {
		diag_set(d, "`%s` never matches in an output chain", row->keyword);
		diag_hint(d, "packets of this host have no input interface; use `oifname`");
		return false;
	}
	if (!strcmp(row->hooks, "OUT") && chain_at(c, HOOK_PRE | HOOK_IN)) {
		diag_set(d, "`%s` never matches in a%s %s chain", row->keyword,
			 chain_at(c, HOOK_IN) ? "n" : "", hook_name(c->hook_nf));
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

static bool fail_family(const struct table *t, enum field field, bool was4, struct diag *d)
{
	if (t->family != FAMILY_INET)
		diag_set(d, "`%s` can not match in a table of family %s", field_rows[field].keyword,
			 family_name(t->family));
	else
		diag_set(d, "`%s` contradicts an earlier match: the rule is for IPv%d already",
			 field_rows[field].keyword, was4 ? 4 : 6);
	return false;
}

static bool facts_take_families(struct facts *f, const struct table *t, enum field field, bool v4,
				bool v6, struct diag *d)
{
	bool was4 = f->v4;

	f->v4 = f->v4 && v4;
	f->v6 = f->v6 && v6;
	return f->v4 || f->v6 || fail_family(t, field, was4, d);
}

/* Is the number among the elements of the match? */
static bool match_holds(const struct match *m, uint64_t v)
{
	bool found = false;

	for (size_t i = 0; i < m->n; i++)
		found = found || (m->elems[i].num_lo <= v && v <= m->elems[i].num_hi);
	return found != m->negate;
}

static bool facts_take_family(struct facts *f, const struct table *t, const struct match *m,
			      enum field field, struct diag *d)
{
	int families = field_rows[field].families;
	bool v4 = families != 6, v6 = families != 4;

	/* these two say the version by their value */
	if (m && m->n_fields <= 1 && !m->set && m->op == MATCH_EQ) {
		if (field == FIELD_ID_NFPROTO) {
			v4 = match_holds(m, NFPROTO_IPV4);
			v6 = match_holds(m, NFPROTO_IPV6);
		} else if (field == FIELD_ID_PROTOCOL) {
			v4 = match_holds(m, ETH_P_IP);
			v6 = match_holds(m, ETH_P_IPV6);
		}
	}
	return facts_take_families(f, t, field, v4, v6, d);
}

static void protos_add(uint64_t protos[4], uint32_t lo, uint32_t hi)
{
	for (uint32_t p = lo; p <= hi && p < 256; p++)
		protos[p / 64] |= 1ULL << (p % 64);
}

/* The protocols a match leaves. */
static void match_protos(const struct match *m, enum field field, uint64_t ret[4])
{
	const struct field_row *row = &field_rows[field];

	memset(ret, 0, 4 * sizeof(*ret));
	if (row->implies) {
		protos_add(ret, row->implies, row->implies);
		return;
	}
	for (size_t i = 0; i < m->n; i++)
		protos_add(ret, (uint32_t)m->elems[i].num_lo, (uint32_t)m->elems[i].num_hi);
	for (int i = 0; m->negate && i < 4; i++)
		ret[i] = ~ret[i];
}

/* Does the match say which transport protocols it leaves? */
static bool says_protos(const struct match *m, enum field field)
{
	if (field_rows[field].implies)
		return true;
	/* an extension header is no transport protocol */
	return m && field_rows[field].type == FIELD_PROTO && field != FIELD_ID_IP6_NEXTHDR &&
	       field != FIELD_ID_CT_PROTO && m->n_fields <= 1 && !m->set && m->op == MATCH_EQ &&
	       m->mask == UINT32_MAX;
}

static bool facts_take_proto(struct facts *f, const struct match *m, enum field field,
			     struct diag *d)
{
	uint64_t here[4], left = 0;

	if (!says_protos(m, field))
		return true;
	match_protos(m, field, here);
	for (int i = 0; i < 4; i++) {
		f->protos[i] &= here[i];
		left |= f->protos[i];
	}
	if (!left)
		diag_set(d, "`%s` contradicts an earlier match on the transport protocol",
			 field_rows[field].keyword);
	return left;
}

static bool field_validate(const struct table *t, const struct chain *c, const struct match *m,
			   enum field field, struct facts *f, struct diag *d)
{
	return field_fits_hook(c, field, d) && facts_take_family(f, t, m, field, d) &&
	       facts_take_proto(f, m, field, d);
}

bool selector_validate(const struct table *t, const struct chain *c, const struct selector *s,
		       struct facts *f, struct diag *d)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (!field_validate(t, c, NULL, s->fields[i], f, d))
			return false;
	}
	return true;
}

/* Joined protocols name those of their elements: `meta l4proto . th dport { tcp . 53, udp . 53 }`. */
static void facts_take_joined(struct facts *f, const struct match *m)
{
	for (unsigned int k = 0; k < m->n_fields && m->n_fields > 1 && !m->negate && !m->set; k++) {
		uint64_t here[4] = { 0 };

		if (m->more[k] != FIELD_ID_L4PROTO && m->more[k] != FIELD_ID_IP_PROTOCOL)
			continue;
		for (size_t i = 0; i < m->n; i++)
			protos_add(here, (uint32_t)m->elems[i * m->n_fields + k].num_lo,
				   (uint32_t)m->elems[i * m->n_fields + k].num_hi);
		for (int i = 0; i < 4; i++)
			f->protos[i] &= here[i];
	}
}

static bool match_validate(const struct table *t, const struct chain *c, const struct match *m,
			   struct facts *f, struct diag *d)
{
	if (!m->n && !m->set) {
		diag_set(d, "`%s` has no value", field_rows[m->field].keyword);
		return false;
	}
	if (m->op != MATCH_EQ && (m->n != 1 || m->n_fields > 1)) {
		diag_set(d, "`%s` can be larger or smaller than one number only",
			 field_rows[m->field].keyword);
		return false;
	}
	for (unsigned int i = 0; i < MAX(m->n_fields, 1U); i++) {
		if (!field_validate(t, c, m, m->n_fields > 1 ? m->more[i] : m->field, f, d))
			return false;
	}
	facts_take_joined(f, m);
	return true;
}

bool matches_validate(const struct table *t, const struct chain *c, const struct rule *r,
		      struct facts *f, struct diag *d)
{
	if (!f->n) {
		*f = (struct facts){ .v4 = family_sees(t->family, 4),
				     .v6 = family_sees(t->family, 6) };
		memset(f->protos, 0xff, sizeof(f->protos));
	}
	for (; f->n < r->n_matches; f->n++) {
		if (!match_validate(t, c, &r->matches[f->n], f, d))
			return false;
	}
	return true;
}

/* Are all protocols that are left in the list? */
bool protos_within(const struct facts *f, const uint8_t *list, size_t n)
{
	uint64_t allowed[4] = { 0 }, others = 0;

	for (size_t i = 0; i < n; i++)
		protos_add(allowed, list[i], list[i]);
	for (int i = 0; i < 4; i++)
		others |= f->protos[i] & ~allowed[i];
	return !others;
}
