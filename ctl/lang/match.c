/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * match - SELECTOR [& MASK] [OPERATOR] OPERAND: what a rule asks of a packet.
 */
#include <lang/parse.h>

#include <lang/bits.h>
#include <lang/build.h>
#include <lang/field.h>
#include <lang/names.h>
#include <lang/value.h>

static unsigned int match_parts(const struct match *m)
{
	return MAX(m->n_fields, 1U);
}

static enum field_type part_type(const struct match *m, unsigned int i)
{
	return field_rows[m->n_fields > 1 ? m->more[i] : m->field].type;
}

static enum type_base match_base(const struct match *m)
{
	return type_rows[field_rows[m->field].type].base;
}

/* Numbers without a type of their own are as large as the field. */
static int check_width(struct parser *p, const struct match *m, unsigned int part,
		       const struct elem *e, const struct token *at)
{
	const struct field_row *row = &field_rows[m->n_fields > 1 ? m->more[part] : m->field];
	uint64_t max = row->bits >= 64 ? UINT64_MAX : (1ULL << row->bits) - 1;

	if (row->type != FIELD_NUM || e->num_hi <= max)
		return 0;
	return fail_at(p, at, "`%s` is at most %llu", row->keyword, (unsigned long long)max);
}

/* What the set holds fits the fields. */
static int check_elems(struct parser *p, const struct match *m, const struct elems *e,
		       const struct token *at)
{
	unsigned int parts = match_parts(m);
	int r = 0;

	if (e->extra)
		return fail_at(p, at,
			       "only elements of named sets count, time out or have comments");
	for (size_t i = 0; !r && i < e->n * parts; i++)
		r = check_width(p, m, (unsigned int)(i % parts), &e->keys[i], at);
	for (size_t i = 0; !r && i < e->n * parts; i++) {
		if (part_type(m, (unsigned int)(i % parts)) == FIELD_HOUR &&
		    e->keys[i].num_lo > e->keys[i].num_hi)
			return fail_at(p, at, "in a set a range does not go over midnight (UTC)");
	}
	if (match_base(m) == BASE_NAME && e->n > IFNAMES_MAX)
		return fail_at(p, at, "a set has at most %d interfaces", IFNAMES_MAX);
	return r;
}

/* `{ ... }`; the match takes the elements. */
static int parse_braces(struct parser *p, struct match *m)
{
	_cleanup_(elems_freep) struct elems *e = NULL;
	enum field_type types[CONCAT_MAX];
	struct token at = p->tok;
	int r;

	for (unsigned int i = 0; i < match_parts(m); i++)
		types[i] = part_type(m, i);
	r = parse_set_body(p, types, match_parts(m), &e);
	if (!r)
		r = check_elems(p, m, e, &at);
	if (r)
		return r;
	m->is_set = true;
	m->exact = match_base(m) == BASE_BITS && m->n_fields <= 1 &&
		   field_rows[m->field].type != FIELD_CT_STATE;
	m->elems = TAKE_PTR(e->keys);
	m->n = e->n;
	e->n = 0;
	return 0;
}

/* `@name` */
static int parse_set_name(struct parser *p, struct match *m)
{
	char name[NAME_SIZE];
	struct token at;
	int r = parse_advance(p);

	at = p->tok;
	if (!r)
		r = parse_name(p, "the name of a set", name);
	if (r)
		return r;
	if (token_is_punct(&p->tok, ","))
		return fail_at(p, &at, "raw payload expressions are not supported yet");
	m->set = strdup(name);
	return m->set ? ref_add(p, REF_SET, name, &at) : -ENOMEM;
}

/* A range over midnight is everything but the rest of the day, as nft has it. */
static void turn_midnight(struct match *m, struct elem *e)
{
	uint64_t lo = e->num_lo;

	if (field_rows[m->field].type != FIELD_HOUR || e->num_lo <= e->num_hi)
		return;
	e->num_lo = e->num_hi;
	e->num_hi = lo;
	m->negate = !m->negate;
}

static int parse_value(struct parser *p, struct match *m)
{
	struct token at = p->tok;
	struct elem e;
	int r;

	if (m->n_fields > 1) {
		fail_at(p, &at, "joined fields are looked up in sets, not compared with one value");
		return fail_hint(p, "write `{ a . b }`");
	}
	r = parse_elem(p, field_rows[m->field].type, &e);
	if (!r)
		r = check_width(p, m, 0, &e, &at);
	if (!r && m->op != MATCH_EQ && e.num_lo != e.num_hi)
		return fail_at(p, &at, "a range can not be compared with `<` or `>`");
	if (r)
		return r;
	turn_midnight(m, &e);
	return match_take_elem(m, &e);
}

/* One value; several with commas are for bits. */
static int parse_values(struct parser *p, struct match *m)
{
	int r = match_base(m) == BASE_BITS ? parse_bit_values(p, m) : parse_value(p, m);

	if (r)
		return r;
	if (token_is_punct(&p->tok, ",")) {
		fail_at(p, &p->tok, "several values need braces");
		return fail_hint(p, "write `{ a, b }`");
	}
	if (token_is_punct(&p->tok, ":")) {
		fail_expected(p, "a match or a statement");
		return fail_hint(p, "a range is written with `-`");
	}
	if (token_is_punct(&p->tok, "."))
		return fail_at(p, &p->tok, "an element has 1 part here");
	return 0;
}

static const struct op_row {
	const char *sign, *word;
	enum match_op op;
	bool negate;
} op_rows[] = {
	{ "==", "eq", MATCH_EQ, false }, { "!=", "ne", MATCH_EQ, true },
	{ "<", "lt", MATCH_LT, false },	 { ">", "gt", MATCH_GT, false },
	{ "<=", "le", MATCH_LE, false }, { ">=", "ge", MATCH_GE, false },
};

/* What nft computes with, but the model does not. */
static int refuse_operator(struct parser *p)
{
	static const char *const words[] = { "or", "xor", "lshift", "rshift", "set", "map" };
	static const char *const signs[] = { "<<", ">>", "|", "^" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (token_is(&p->tok, words[i]))
			return fail_unsupported(p, &p->tok, "");
	}
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (token_is_punct(&p->tok, signs[i]))
			return fail_unsupported(p, &p->tok, "");
	}
	return 0;
}

static int parse_operator(struct parser *p, struct match *m, const struct op_row **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(op_rows); i++) {
		if (!token_is_punct(&p->tok, op_rows[i].sign) &&
		    !token_is(&p->tok, op_rows[i].word))
			continue;
		*ret = &op_rows[i];
		m->op = op_rows[i].op;
		m->negate = op_rows[i].negate;
		if (m->op != MATCH_EQ && (match_base(m) != BASE_NUM || m->n_fields > 1))
			return fail_at(p, &p->tok, "`%s` has no order to compare by",
				       m->n_fields > 1 ? "." : field_rows[m->field].keyword);
		return parse_advance(p);
	}
	return refuse_operator(p);
}

/* `ip saddr & 255.255.255.0 == 10.0.0.0` is a prefix written at length. */
static int parse_addr_mask(struct parser *p, const struct match *m, int *ret_plen)
{
	enum field_type type = field_rows[m->field].type;
	uint8_t lo[16] = { 0 }, mask[16];
	size_t bytes = addr_bytes(type);
	struct token at;
	int r = parse_advance(p);

	at = p->tok;
	if (r)
		return r;
	if (type == FIELD_ETHER_ADDR)
		return fail_at(p, &at, "masks of Ethernet addresses are not supported yet");
	r = parse_addr_token(p, type == FIELD_ADDR4 ? 4 : 6, mask);
	if (r)
		return r;
	for (size_t i = 0; i < bytes; i++)
		mask[i] = (uint8_t)~mask[i];
	*ret_plen = addr_range_plen(lo, mask, bytes);
	if (*ret_plen < 0) {
		fail_at(p, &at, "masks with holes are not supported yet");
		return fail_hint(p, "write a prefix or a range");
	}
	return 0;
}

/* The one address behind such a mask. */
static int apply_plen(struct parser *p, struct match *m, int plen, const struct token *at)
{
	enum field_type type = field_rows[m->field].type;
	struct elem *e = m->elems;

	if (plen < 0)
		return 0;
	if (m->set || m->n != 1 || memcmp(e->addr_lo, e->addr_hi, sizeof(e->addr_lo)) != 0)
		return fail_at(p, at, "one address expected behind a mask");
	addr_prefix_range(e->addr_lo, e->addr_hi, addr_bytes(type), (unsigned int)plen);
	e->plen = plen;
	return 0;
}

/* `& MASK`; *ret_plen: of an address, -1 = there is none */
static int parse_mask(struct parser *p, struct match *m, int *ret_plen)
{
	bool is_mask = token_is(&p->tok, "and") || token_is_punct(&p->tok, "&");
	unsigned int bits = field_rows[m->field].bits;
	uint64_t mask;
	int r;

	m->mask = UINT32_MAX;
	*ret_plen = -1;
	if (!is_mask)
		return 0;
	if (match_base(m) == BASE_ADDR && m->n_fields <= 1)
		return parse_addr_mask(p, m, ret_plen);
	if (match_base(m) == BASE_ADDR || match_base(m) == BASE_NAME || m->n_fields > 1 ||
	    bits > 32)
		return fail_unsupported(p, &p->tok, "");
	r = parse_advance(p);
	if (r)
		return r;
	if (match_base(m) == BASE_BITS)
		return parse_bit_mask(p, m);
	r = parse_u64(p, "a mask", 0, bits == 32 ? UINT32_MAX : (1ULL << bits) - 1, &mask);
	if (!r)
		m->mask = (uint32_t)mask;
	return r;
}

static int check_operand(struct parser *p, const struct match *m, const struct token *at)
{
	if (m->op != MATCH_EQ && (m->is_set || m->set))
		return fail_at(p, at, "a set can not be compared with `<` or `>`");
	if (m->mask != UINT32_MAX && m->set)
		return fail_at(p, at, "a mask and a named set do not go together");
	return 0;
}

/* Numbers that a generator with an offset counts from. */
static int apply_offset(struct parser *p, struct match *m, uint32_t offset, const struct token *at)
{
	for (size_t i = 0; offset && i < m->n; i++) {
		if (m->elems[i].num_lo < offset)
			return fail_at(p, at, "the numbers begin at %u", offset);
		m->elems[i].num_lo -= offset;
		m->elems[i].num_hi -= offset;
	}
	return 0;
}

/* Not missing is there, and the other way round. */
static void turn_found(struct match *m)
{
	enum field_type type = field_rows[m->field].type;
	struct elem *e = m->elems;

	if (!m->negate || m->n != 1 || (type != FIELD_BOOL && type != FIELD_FIB_OIF))
		return;
	if (type == FIELD_BOOL)
		e->num_lo = e->num_hi = !e->num_lo;
	else if (!strcmp(e->name, OIF_MISSING))
		*e = (struct elem){ .name = OIF_EXISTS, .plen = -1 };
	else if (!strcmp(e->name, OIF_EXISTS))
		*e = (struct elem){ .name = OIF_MISSING, .plen = -1 };
	else
		return;
	m->negate = false;
}

static int parse_operand(struct parser *p, struct match *m, uint32_t offset)
{
	const struct op_row *op;
	struct token at;
	int plen, r = parse_mask(p, m, &plen);
	bool bits = match_base(m) == BASE_BITS && m->n_fields <= 1;

	if (!r && bits && token_is_punct(&p->tok, "!"))
		return parse_bits_absent(p, m);
	if (!r)
		r = parse_operator(p, m, &op);
	if (r)
		return r;
	at = p->tok;
	m->exact = bits && (op || m->mask != UINT32_MAX);
	if (token_is_punct(&p->tok, "{"))
		r = parse_braces(p, m);
	else if (token_is_punct(&p->tok, "@"))
		r = parse_set_name(p, m);
	else
		r = parse_values(p, m);
	if (!r)
		r = check_operand(p, m, &at);
	if (!r)
		r = apply_offset(p, m, offset, &at);
	if (!r)
		r = apply_plen(p, m, plen, &at);
	if (!r && bits && !m->set)
		r = settle_bits(p, m, &at);
	if (r)
		return r;
	match_normalise(m);
	turn_found(m);
	return 0;
}

static void match_deinit(struct match *m)
{
	free(m->elems);
	free(m->set);
}

static int parse_plain_match(struct parser *p, struct rule *r, const struct selector *sel,
			     uint32_t offset)
{
	_cleanup_(match_deinit) struct match m = {
		.field = sel->fields[0], .n_fields = sel->n, .dir = sel->dir[0], .mod = sel->mod
	};
	int e;

	m.after = (uint16_t)r->n_stmts;
	for (unsigned int i = 0; i < sel->n && sel->n > 1; i++)
		m.more[i] = sel->fields[i];
	e = parse_operand(p, &m, offset);
	if (e)
		return e;
	e = rule_add_match(r, &m);
	return e;
}

static bool is_exthdr(enum field f)
{
	return f >= FIELD_ID_EXT_HBH && f <= FIELD_ID_EXT_MH;
}

int parse_match(struct parser *p, struct rule *r, bool *ret_done)
{
	struct selector sel;
	struct token at;
	uint32_t offset;
	int e = parse_selector_at(p, &sel, &offset, &at, ret_done);

	if (e || !*ret_done)
		return e;
	if (token_is(&p->tok, "set") && sel.n == 1)
		return parse_field_set(p, r, &sel, &at);
	if ((sel.fields[0] == FIELD_ID_IP_TTL || sel.fields[0] == FIELD_ID_IP6_HOPLIMIT) &&
	    (token_is(&p->tok, "gw-add") || token_is(&p->tok, "gw-sub")))
		return parse_ttl_step(p, r, sel.fields[0]);
	if (token_is(&p->tok, "vmap")) {
		if (offset)
			return fail_at(p, &at, "`offset` of a map's key is not supported yet");
		return parse_vmap(p, r, &sel);
	}
	if (r->n_matches >= MATCHES_MAX)
		return fail_at(p, &at, "a rule has at most %d matches", MATCHES_MAX);
	if (is_exthdr(sel.fields[0]))
		e = rule_begin_version(p, r, 6);
	return e ? e : parse_plain_match(p, r, &sel, offset);
}
