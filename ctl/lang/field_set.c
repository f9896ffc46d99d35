/* SPDX-License-Identifier: GPL-2.0-only */
/* field_set - statements that change a packet or its connection: SELECTOR set VALUE; and lookups in maps. */
#include <lang/parse.h>

#include <lang/build.h>
#include <lang/print.h>
#include <model/keys.h>

static int map_take_name(struct parser *p, struct map_use *m)
{
	char name[NAME_SIZE];
	struct token at;
	int r = parse_advance(p);

	at = p->tok;
	if (!r)
		r = parse_name(p, "the name of a map", name);
	if (r)
		return r;
	m->name = strdup(name);
	return m->name ? ref_add(p, REF_SET, name, &at) : -ENOMEM;
}

/* A range of addresses that is a prefix is one. */
static void tidy_data(struct map_use *m, const enum field_type *data, unsigned int n_data)
{
	for (size_t i = 0; m->elems && i < m->elems->n; i++) {
		for (unsigned int k = 0; k < n_data; k++)
			elem_tidy(data[k], &m->elems->data[i].val[k]);
	}
}

int parse_map_use(struct parser *p, const struct selector *sel, const enum field_type *data,
		  unsigned int n_data, struct map_use **ret)
{
	_cleanup_(map_use_freep) struct map_use *m = calloc(1, sizeof(*m));
	enum field_type keys[CONCAT_MAX];
	int r;

	if (!m)
		return -ENOMEM;
	m->key = *sel;
	for (unsigned int i = 0; i < sel->n; i++)
		keys[i] = field_rows[sel->fields[i]].type;
	if (token_is_punct(&p->tok, "@"))
		r = map_take_name(p, m);
	else if (token_is_punct(&p->tok, "{"))
		r = parse_map_body(p, keys, sel->n, data, n_data, &m->elems);
	else
		r = fail_expected(p, "`{` or `@` and the name of a map");
	if (r)
		return r;
	tidy_data(m, data, n_data);
	*ret = TAKE_PTR(m);
	return 0;
}

int parse_vmap(struct parser *p, struct rule *r, const struct selector *sel)
{
	int e = parse_advance(p);

	if (!e)
		e = parse_map_use(p, sel, NULL, 0, &r->action.map);
	r->action.verdict = VERDICT_VMAP;
	return e;
}

enum mark_op { MARK_AND, MARK_XOR, MARK_OR, MARK_NONE };

static enum mark_op mark_op_of(const struct token *t)
{
	if (token_is_punct(t, "&") || token_is(t, "and"))
		return MARK_AND;
	if (token_is_punct(t, "^") || token_is(t, "xor"))
		return MARK_XOR;
	if (token_is_punct(t, "|") || token_is(t, "or"))
		return MARK_OR;
	return MARK_NONE;
}

static void mark_apply(struct stmt *s, enum mark_op op, uint32_t v)
{
	if (op == MARK_AND) {
		s->mark.mask &= v;
		s->mark.keep &= v;
		s->mark.value &= v;
	} else if (op == MARK_XOR) {
		s->mark.value ^= v;
	} else {
		s->mark.mask &= ~v;
		s->mark.keep &= ~v;
		s->mark.value |= v;
	}
}

/* Which mark stands there, and what of it is taken: `meta mark & 0xff`, also in parentheses. */
static int parse_mark_masked(struct parser *p, enum field *ret, uint32_t *ret_mask)
{
	bool open = token_is_punct(&p->tok, "("), done = false;
	struct selector sel = { .n = 0 };
	struct token at = p->tok;
	uint64_t v = UINT32_MAX;
	int r = open ? parse_advance(p) : 0;

	if (!r)
		r = parse_selector(p, &sel, &done);
	if (!r && (!done || sel.n != 1 ||
		   (sel.fields[0] != FIELD_ID_META_MARK && sel.fields[0] != FIELD_ID_CT_MARK)))
		return fail_at(p, &at, "`meta mark` or `ct mark` expected");
	if (!r && mark_op_of(&p->tok) == MARK_AND) {
		r = parse_advance(p);
		if (!r)
			r = parse_u64(p, "a number", 0, UINT32_MAX, &v);
	}
	*ret = sel.fields[0];
	*ret_mask = (uint32_t)v;
	return r || !open ? r : expect_punct(p, ")");
}

/* `ct mark & 0xff00 | meta mark & 0xff`: bits of both marks. */
static int parse_mark_second(struct parser *p, struct stmt *s, enum mark_op op, enum field to)
{
	struct token at = p->tok;
	bool own_first = !s->mark.from_other;
	uint32_t first = s->mark.mask, second = 0;
	enum field field = to;
	int r = parse_mark_masked(p, &field, &second);

	if (r)
		return r;
	if ((field == to) == own_first)
		return fail_at(p, &at, "the other mark expected: this one stands there already");
	if (s->mark.value || (op == MARK_OR && first & second)) {
		fail_at(p, &at, "two marks can be put together only where their bits are apart");
		return fail_hint(p, "write `ct mark & 0xffffff00 | meta mark & 0xff`");
	}
	s->mark.keep = own_first ? first : second;
	s->mark.mask = own_first ? second : first;
	s->mark.from_other = true;
	return 0;
}

static bool is_mark(const struct token *t)
{
	return token_is(t, "mark") || token_is(t, "meta") || token_is(t, "ct") ||
	       token_is_punct(t, "(");
}

/* `& X ^ Y | Z`: what binds more loosely comes later, or stands outside of the parentheses. */
static int parse_mark_ops(struct parser *p, struct stmt *s, enum field to)
{
	enum mark_op op = mark_op_of(&p->tok), least = MARK_AND;
	uint64_t v = 0;
	int r = 0;

	for (; !r && op != MARK_NONE; op = mark_op_of(&p->tok)) {
		if (op < least) {
			fail_at(p, &p->tok, "`%.*s` binds more tightly than what stands before it",
				(int)p->tok.len, p->tok.s);
			return fail_hint(p, "write `(meta mark | 0x1) & 0x3`");
		}
		least = op;
		r = parse_advance(p);
		if (!r && op != MARK_AND && !s->mark.keep && is_mark(&p->tok)) {
			r = parse_mark_second(p, s, op, to);
			continue;
		}
		if (!r)
			r = parse_u64(p, "a number", 0, UINT32_MAX, &v);
		if (!r)
			mark_apply(s, op, (uint32_t)v);
	}
	return r;
}

/* Where the mark comes from: `meta mark`, `ct mark`, SELECTOR map ... */
static int parse_mark_source(struct parser *p, struct stmt *s, enum field to)
{
	static const enum field_type data[] = { FIELD_MARK };
	struct token at = p->tok;
	struct selector sel;
	bool done = false;
	int r = parse_selector(p, &sel, &done);

	if (r)
		return r;
	if (!done) {
		fail_expected(p, "a mark");
		return fail_hint(
			p, "a number, `meta mark`, `ct mark`, or a map: `ip saddr map { ... }`");
	}
	if (token_is(&p->tok, "map")) {
		r = parse_advance(p);
		return r ? r : parse_map_use(p, &sel, data, 1, &s->mark.map);
	}
	if (sel.n > 1 ||
	    (sel.fields[0] != FIELD_ID_META_MARK && sel.fields[0] != FIELD_ID_CT_MARK)) {
		fail_at(p, &at, "`%s` as the value of a mark is not supported yet",
			field_rows[sel.fields[0]].keyword);
		return fail_hint(
			p, "a number, `meta mark`, `ct mark`, or a map: `ip saddr map { ... }`");
	}
	s->mark.from_other = sel.fields[0] != to;
	s->mark.mask = UINT32_MAX;
	return 0;
}

static int parse_mark_expr(struct parser *p, struct stmt *s, enum field to)
{
	bool open = token_is_punct(&p->tok, "(");
	uint64_t v;
	int r = open ? parse_advance(p) : 0;

	if (!r && token_to_u64(&p->tok, 0, UINT32_MAX, &v)) {
		s->mark.value = (uint32_t)v;
		r = parse_advance(p);
		return r || !open ? r : expect_punct(p, ")");
	}
	if (!r)
		r = parse_mark_source(p, s, to);
	if (r || s->mark.map)
		return r || !open ? r : expect_punct(p, ")");
	r = parse_mark_ops(p, s, to);
	if (!r && open)
		r = expect_punct(p, ")");
	if (!r && open)
		r = parse_mark_ops(p, s, to);
	return r;
}

static int parse_mark_set(struct parser *p, struct rule *r, enum field to)
{
	_cleanup_(stmt_deinit) struct stmt s = { .kind = to == FIELD_ID_META_MARK ? STMT_MARK
										  : STMT_CTMARK };
	int e = parse_mark_expr(p, &s, to);

	if (!s.mark.mask) {
		s.mark.from_other = false;
		s.mark.mask = s.mark.keep;
		s.mark.keep = 0;
	}
	return e ? e : rule_add_stmt(r, &s);
}

/* A constant for a field of the IP header or the connection. */
static int parse_value_set(struct parser *p, struct rule *r, enum stmt_kind kind, enum field field,
			   uint64_t max)
{
	struct stmt s = { .kind = kind };
	struct token at = p->tok;
	struct elem v;
	int e = parse_elem(p, field_rows[field].type, &v);

	if (!e && (v.num_lo != v.num_hi || v.num_hi > max))
		return fail_at(p, &at, "one number up to %llu expected", (unsigned long long)max);
	if (e)
		return e;
	s.value.family = field_rows[field].families == 46 ? 0 : field_rows[field].families;
	s.value.value = (uint32_t)v.num_lo;
	e = rule_pin_version(p, r, s.value.family);
	return e ? e : rule_add_stmt(r, &s);
}

/* `tcp option maxseg size set N`, or `set rt mtu` */
static int parse_maxseg_set(struct parser *p, struct rule *r)
{
	struct stmt s = { .kind = STMT_MSS };
	uint64_t n = 0;
	bool rt;
	int e = take_word(p, "rt", &rt);

	if (!e && rt) {
		if (!token_is(&p->tok, "mtu"))
			return fail_expected(p, "`mtu`");
		e = parse_advance(p);
	} else if (!e) {
		e = parse_u64(p, "a segment size", 1, UINT16_MAX, &n);
	}
	s.mss.value = (uint16_t)n;
	if (!e && n)
		e = take_word(p, "gw-at-most", &s.mss.never_raise);
	return e ? e : rule_add_stmt(r, &s);
}

int parse_field_set(struct parser *p, struct rule *r, const struct selector *sel,
		    const struct token *at)
{
	enum field f = sel->fields[0];
	int e = parse_advance(p);

	if (e)
		return e;
	switch (f) {
	case FIELD_ID_META_MARK:
	case FIELD_ID_CT_MARK:
		return parse_mark_set(p, r, f);
	case FIELD_ID_IP_DSCP:
	case FIELD_ID_IP6_DSCP:
		return parse_value_set(p, r, STMT_DSCP, f, 63);
	case FIELD_ID_IP_TTL:
	case FIELD_ID_IP6_HOPLIMIT:
		return parse_value_set(p, r, STMT_TTL, f, 255);
	case FIELD_ID_CT_ZONE:
		return parse_value_set(p, r, STMT_ZONE, f, UINT16_MAX);
	case FIELD_ID_TCPOPT_MAXSEG_SIZE:
		return parse_maxseg_set(p, r);
	default:
		return fail_at(p, at, "`%s set` is not supported yet", field_rows[f].keyword);
	}
}

/* `ip ttl gw-add N`: what the iptables dialect does to a TTL. */
int parse_ttl_step(struct parser *p, struct rule *r, enum field f)
{
	struct stmt s = { .kind = STMT_TTL };
	uint64_t n = 0;
	int e;

	s.value.op = token_is(&p->tok, "gw-add") ? 1 : 2;
	s.value.family = field_rows[f].families;
	e = parse_advance(p);
	if (!e)
		e = parse_u64(p, "a number", 1, 255, &n);
	s.value.value = (uint32_t)n;
	return e ? e : rule_add_stmt(r, &s);
}
