/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/bits.h>

#include <lang/names.h>

/* `a,b`; numbers and `a | b` are taken as well. */
static int parse_bit_list(struct parser *p, enum field_type type, uint64_t *ret)
{
	struct elem e = { 0 };
	int r = parse_elem(p, type, &e);

	*ret = e.num_lo;
	while (!r && token_is_punct(&p->tok, ",")) {
		r = parse_advance(p);
		if (!r)
			r = parse_elem(p, type, &e);
		*ret |= e.num_lo;
	}
	return r;
}

int match_take_elem(struct match *m, const struct elem *e)
{
	m->elems = malloc(sizeof(*e));
	if (!m->elems)
		return -ENOMEM;
	m->elems[0] = *e;
	m->n = 1;
	return 0;
}

static int match_take_bits(struct match *m, uint64_t bits)
{
	return match_take_elem(m, &(struct elem){ .plen = -1, .num_lo = bits, .num_hi = bits });
}

int parse_bit_mask(struct parser *p, struct match *m)
{
	uint64_t mask = 0;
	struct elem e;
	int r = parse_elem(p, field_rows[m->field].type, &e);

	mask = e.num_lo;
	if (!r)
		m->mask = (uint32_t)mask;
	return r;
}

int parse_bit_values(struct parser *p, struct match *m)
{
	enum field_type type = field_rows[m->field].type;
	uint64_t bits = 0, mask = 0, zero;
	int r;

	if (m->n_fields > 1) {
		fail_at(p, &p->tok,
			"joined fields are looked up in sets, not compared with one value");
		return fail_hint(p, "write `{ a . b }`");
	}
	/* a state has no number, but "none of them" has */
	if (type == FIELD_CT_STATE && m->exact && token_to_u64(&p->tok, 0, 0, &zero))
		r = parse_advance(p);
	else
		r = parse_bit_list(p, type, &bits);
	if (!r && m->mask == UINT32_MAX && token_is_punct(&p->tok, "/")) {
		r = parse_advance(p);
		if (!r)
			r = parse_bit_list(p, type, &mask);
		m->mask = (uint32_t)mask;
		m->exact = true;
	}
	return r ? r : match_take_bits(m, bits);
}

int parse_bits_absent(struct parser *p, struct match *m)
{
	struct token at = p->tok;
	uint64_t bits = 0;
	int r;

	if (m->mask != UINT32_MAX)
		return fail_at(p, &at, "a mask and `!` do not go together");
	r = parse_advance(p);
	if (!r)
		r = parse_bit_list(p, field_rows[m->field].type, &bits);
	m->negate = true;
	return r ? r : match_take_bits(m, bits);
}

/* A packet has one state: whatever is asked of it is a list of states. */
static int settle_states(struct parser *p, struct match *m, const struct token *at)
{
	uint64_t wanted = m->elems[0].num_lo, states = 0, all = 0;

	m->exact = false;
	if (m->mask == UINT32_MAX)
		return 0;
	if (m->is_set)
		return fail_at(p, at, "a mask and a set do not go together here");
	for (const struct name_row *row = names_of(FIELD_CT_STATE); row->name; row++) {
		all |= row->value;
		if ((row->value & m->mask) == wanted)
			states |= row->value;
	}
	if (m->negate)
		states = all & ~states;
	m->negate = false;
	m->mask = UINT32_MAX;
	if (!states || states == all)
		return fail_at(p, at, states ? "every state matches" : "no state matches");
	m->elems[0].num_lo = m->elems[0].num_hi = states;
	return 0;
}

int settle_bits(struct parser *p, struct match *m, const struct token *at)
{
	struct elem *e = m->elems;

	if (field_rows[m->field].type == FIELD_CT_STATE)
		return settle_states(p, m, at);
	if (m->is_set || m->mask == UINT32_MAX)
		return 0;
	if (e->num_lo & ~(uint64_t)m->mask)
		return fail_at(p, at, "the mask leaves no room for this value");
	/* "of these none" and "of these not none" have shorter forms */
	if (!e->num_lo && m->mask) {
		e->num_lo = e->num_hi = m->mask;
		m->mask = UINT32_MAX;
		m->exact = false;
		m->negate = !m->negate;
	}
	return 0;
}
