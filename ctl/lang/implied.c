/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * implied - matches that nft does not list, because what stands behind them says the same: `meta l4proto tcp tcp dport 22`.
 * Only up to the next statement: a counter between the two counts other packets.
 */
#include <lang/print_part.h>

/* The fields of a match or of a lookup, as one list. */
static unsigned int fields_of(const struct match *m, enum field ret[CONCAT_MAX])
{
	unsigned int n = MAX(m->n_fields, 1U);

	for (unsigned int i = 0; i < n; i++)
		ret[i] = n > 1 ? m->more[i] : m->field;
	return n;
}

static bool any_says(const enum field *fields, unsigned int n, uint8_t proto, int version)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct field_row *row = &field_rows[fields[i]];

		if (proto && row->implies == proto)
			return true;
		if (version && row->families == version && strcmp(row->hooks, "CT") != 0)
			return true;
	}
	return false;
}

static bool action_says(const struct rule *r, uint8_t proto, int version)
{
	const struct action *a = &r->action;

	if (a->verdict == VERDICT_REJECT)
		return version && a->reject_family == version && a->reject != GW_REJECT_TCP_RESET;
	return a->map && any_says(a->map->key.fields, a->map->key.n, proto, version);
}

/* What follows the matches of a gap between statements. */
static bool next_says(const struct rule *r, size_t gap, bool counted, uint8_t proto, int version)
{
	const struct stmt *s;

	if (gap >= r->n_stmts)
		return !counted && action_says(r, proto, version);
	s = &r->stmts[gap];
	return version && (s->kind == STMT_DSCP || s->kind == STMT_TTL) &&
	       s->value.family == version;
}

static bool is_one_value(const struct match *m)
{
	return m->n == 1 && m->n_fields <= 1 && !m->set && !m->negate && m->op == MATCH_EQ &&
	       m->mask == UINT32_MAX && m->elems[0].num_lo == m->elems[0].num_hi;
}

bool match_is_implied(const struct rule *r, size_t i, int family, bool counted)
{
	const struct match *m = &r->matches[i];
	uint8_t proto = 0;
	int version = 0;

	if (!is_one_value(m))
		return false;
	if (m->field == FIELD_ID_L4PROTO ||
	    (m->field == FIELD_ID_IP_PROTOCOL && family == FAMILY_IP) ||
	    (m->field == FIELD_ID_IP6_NEXTHDR && family == FAMILY_IP6))
		proto = (uint8_t)m->elems[0].num_lo;
	if (m->field == FIELD_ID_NFPROTO)
		version = m->elems[0].num_lo == 2 ? 4 : 6;
	if (!proto && !version)
		return false;
	for (size_t j = i + 1; j < r->n_matches && r->matches[j].after == m->after; j++) {
		enum field fields[CONCAT_MAX];
		unsigned int n = fields_of(&r->matches[j], fields);

		if (any_says(fields, n, proto, version))
			return true;
	}
	return next_says(r, m->after, counted, proto, version);
}
