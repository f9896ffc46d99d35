/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/convert.h>

struct match *conv_concat(struct conv *c, const enum field *fields, unsigned int n_fields,
			  bool negate, size_t n)
{
	struct match m = {
		.field = fields[0],
		.negate = negate,
		.is_set = n > 1 || n_fields > 1,
		.mask = UINT32_MAX,
		.n = n,
		.n_fields = n_fields > 1 ? (uint8_t)n_fields : 0,
		.after = (uint16_t)c->r->n_stmts,
	};

	for (unsigned int i = 0; n_fields > 1 && i < n_fields; i++)
		m.more[i] = fields[i];
	m.elems = calloc(n * n_fields, sizeof(*m.elems));
	if (!m.elems)
		return NULL;
	for (size_t i = 0; i < n * n_fields; i++)
		m.elems[i].plen = -1;
	if (rule_add_match(c->r, &m)) {
		free(m.elems);
		return NULL;
	}
	return &c->r->matches[c->r->n_matches - 1];
}

struct match *conv_match(struct conv *c, enum field field, bool negate, size_t n)
{
	return conv_concat(c, &field, 1, negate, n);
}

int conv_num(struct conv *c, enum field field, bool negate, uint64_t lo, uint64_t hi)
{
	struct match *m = conv_match(c, field, negate, 1);

	if (!m)
		return -ENOMEM;
	m->elems[0].num_lo = lo;
	m->elems[0].num_hi = hi;
	return 0;
}

int conv_stmt(struct conv *c, struct stmt *s)
{
	int r = rule_add_stmt(c->r, s);

	if (r)
		stmt_deinit(s);
	return r;
}

enum field conv_field(const struct conv *c, enum field v4, enum field v6)
{
	return c->x->version == 6 ? v6 : v4;
}

static int conv_if(struct conv *c, enum field field, const char *name, bool invert)
{
	size_t n = strlen(name);
	struct match *m;

	if (!n)
		return 0;
	m = conv_match(c, field, invert, 1);
	if (!m)
		return -ENOMEM;
	snprintf(m->elems[0].name, sizeof(m->elems[0].name), "%s", name);
	if (name[n - 1] == '+')
		m->elems[0].name[n - 1] = '*';
	return 0;
}

static int conv_addr(struct conv *c, enum field field, const struct xt_addr *a)
{
	size_t bytes = c->x->version == 6 ? 16 : 4;
	struct match *m;
	struct elem *e;

	if (!a->given || !a->plen)
		return 0;
	m = conv_match(c, field, a->invert, 1);
	if (!m)
		return -ENOMEM;
	e = &m->elems[0];
	e->plen = a->plen == bytes * 8 ? -1 : (int)a->plen;
	for (size_t i = 0; i < bytes; i++) {
		unsigned int bits = a->plen > i * 8 ? MIN(a->plen - (unsigned int)i * 8, 8U) : 0;

		e->addr_lo[i] = a->addr[i];
		e->addr_hi[i] = (uint8_t)(a->addr[i] | (0xff >> bits));
	}
	return 0;
}

/* -f: not the first fragment; ! -f: the first one, or whole. */
static int conv_fragment(struct conv *c)
{
	struct match *m;

	if (!c->x->frag)
		return 0;
	m = conv_match(c, FIELD_ID_IP_FRAG_OFF, !c->x->frag_invert, 1);
	if (!m)
		return -ENOMEM;
	m->mask = 0x1fff;
	return 0;
}

/* Does a port or an ICMP type say the protocol already? */
static bool proto_is_implied(const struct rule *r)
{
	for (size_t i = 0; i < r->n_matches; i++)
		if (field_rows[r->matches[i].field].implies && !r->matches[i].after)
			return true;
	return false;
}

/* The protocol is looked at before the matches: where none of them says it, it stands before the first. */
static int conv_proto(struct conv *c)
{
	const struct xt_rule *x = c->x;
	struct match proto;
	size_t at;
	struct rule *r = c->r;
	int e;

	if (!x->proto || proto_is_implied(r))
		return 0;
	e = conv_num(c, FIELD_ID_L4PROTO, x->proto_invert, x->proto, x->proto);
	if (e)
		return e;
	proto = r->matches[r->n_matches - 1];
	proto.after = 0;
	/* without a statement in between the order does not matter, and the end is where it has always been */
	for (at = r->n_matches - 1; at && r->matches[at - 1].after; at--)
		r->matches[at] = r->matches[at - 1];
	r->matches[at] = proto;
	return 0;
}

static int conv_matches(struct conv *c)
{
	const struct xt_rule *x = c->x;
	int r = conv_if(c, FIELD_ID_IIFNAME, x->iif, x->iif_invert);

	if (!r)
		r = conv_if(c, FIELD_ID_OIFNAME, x->oif, x->oif_invert);
	if (!r)
		r = conv_addr(c, conv_field(c, FIELD_ID_IP_SADDR, FIELD_ID_IP6_SADDR), &x->src);
	if (!r)
		r = conv_addr(c, conv_field(c, FIELD_ID_IP_DADDR, FIELD_ID_IP6_DADDR), &x->dst);
	if (!r)
		r = conv_fragment(c);
	for (size_t i = 0; !r && i < x->n_matches; i++)
		r = conv_ext(c, &x->matches[i]);
	return r ? r : conv_proto(c);
}

static int conv_text(struct conv *c)
{
	struct strbuf text = {};

	xt_save(c->x, false, &text);
	if (text.len > XT_SPEC_MAX) {
		strbuf_deinit(&text);
		return xt_refuse(c->d, "the rule is longer than %d characters", XT_SPEC_MAX);
	}
	/* without its leading space */
	c->r->xtspec = text.failed ? NULL : strdup(text.len ? text.s + 1 : "");
	strbuf_deinit(&text);
	return c->r->xtspec ? 0 : -ENOMEM;
}

int xt_to_rule(const struct xt_rule *x, const struct xt_place *place, struct rule **ret,
	       struct diag *d)
{
	_cleanup_(rule_freep) struct rule *rule = rule_new();
	struct conv c = { .r = rule, .x = x, .place = place, .d = d };
	int r = rule ? conv_matches(&c) : -ENOMEM;

	if (!r)
		r = rule_add_word(rule, STMT_COUNTER);
	if (!r)
		r = conv_target(&c);
	if (!r)
		r = conv_text(&c);
	if (r)
		return r;
	rule->pkts = x->pkts;
	rule->bytes = x->bytes;
	rule->counter_given = x->counters;
	*ret = TAKE_PTR(rule);
	return 0;
}
