/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/spec.h>

/* One more match with n empty elements; NULL = out of memory. */
static struct match *add_match(struct rule *r, enum field field, bool negate, size_t n)
{
	struct match m = {
		.field = field, .negate = negate, .is_set = n > 1, .mask = UINT32_MAX, .n = n
	};

	m.elems = calloc(n, sizeof(*m.elems));
	if (!m.elems)
		return NULL;
	for (size_t i = 0; i < n; i++)
		m.elems[i].plen = -1;
	if (rule_add_match(r, &m)) {
		free(m.elems);
		return NULL;
	}
	return &r->matches[r->n_matches - 1];
}

static bool add_num(struct rule *r, enum field field, bool negate, uint32_t lo, uint32_t hi)
{
	struct match *m = add_match(r, field, negate, 1);

	if (m) {
		m->elems[0].num_lo = lo;
		m->elems[0].num_hi = hi;
	}
	return m;
}

static bool add_if(struct rule *r, enum field field, const char *name, bool invert)
{
	size_t n = strlen(name);
	struct match *m;

	if (!n)
		return true;
	m = add_match(r, field, invert, 1);
	if (!m)
		return false;
	snprintf(m->elems[0].name, sizeof(m->elems[0].name), "%s", name);
	if (name[n - 1] == '+')
		m->elems[0].name[n - 1] = '*';
	return true;
}

static bool add_addr(struct rule *r, enum field field, const struct xt_addr *a, size_t bytes)
{
	struct match *m;
	struct elem *e;

	if (!a->given || !a->plen)
		return true;
	m = add_match(r, field, a->invert, 1);
	if (!m)
		return false;
	e = &m->elems[0];
	e->plen = a->plen == bytes * 8 ? -1 : (int)a->plen;
	for (size_t i = 0; i < bytes; i++) {
		unsigned int bits = a->plen > i * 8 ? MIN(a->plen - (unsigned int)i * 8, 8U) : 0;

		e->addr_lo[i] = a->addr[i];
		e->addr_hi[i] = (uint8_t)(a->addr[i] | (0xff >> bits));
	}
	return true;
}

static bool add_port(struct rule *r, enum field field, const struct xt_range *p)
{
	if (!p->given || (!p->invert && !p->lo && p->hi == UINT16_MAX))
		return true;
	return add_num(r, field, p->invert, p->lo, p->hi);
}

static bool add_mark(struct rule *r, enum field field, const struct xt_match *x)
{
	struct match *m = add_match(r, field, x->invert, 1);

	if (!m)
		return false;
	m->mask = x->mask;
	m->elems[0].num_lo = m->elems[0].num_hi = x->value;
	return true;
}

static bool add_multiport(struct rule *r, uint8_t proto, const struct xt_match *x)
{
	bool udp = proto == IPPROTO_UDP, source = x->side == 's';
	enum field field = source ? (udp ? FIELD_ID_UDP_SPORT : FIELD_ID_TCP_SPORT)
				  : (udp ? FIELD_ID_UDP_DPORT : FIELD_ID_TCP_DPORT);
	struct match *m = add_match(r, field, x->invert, x->n_ports);

	if (!m)
		return false;
	for (size_t i = 0; i < x->n_ports; i++) {
		m->elems[i].num_lo = x->ports[i].lo;
		m->elems[i].num_hi = x->ports[i].hi;
	}
	return true;
}

/* The native language has room for 128 characters; what is longer stays in xtspec alone. */
static bool add_comment(struct rule *r, const char *comment)
{
	if (r->comment || !*comment || strlen(comment) > 128)
		return true;
	r->comment = strdup(comment);
	return r->comment;
}

static bool add_ext(struct rule *r, const struct xt_rule *x, const struct xt_match *m)
{
	switch (m->kind) {
	case XT_TCP:
		return add_port(r, FIELD_ID_TCP_SPORT, &m->sport) &&
		       add_port(r, FIELD_ID_TCP_DPORT, &m->dport);
	case XT_UDP:
		return add_port(r, FIELD_ID_UDP_SPORT, &m->sport) &&
		       add_port(r, FIELD_ID_UDP_DPORT, &m->dport);
	case XT_ICMP:
		return m->value == XT_ICMP_ANY ||
		       add_num(r, FIELD_ID_ICMP_TYPE, m->invert, m->value, m->value);
	case XT_ICMP6:
		return add_num(r, FIELD_ID_ICMP6_TYPE, m->invert, m->value, m->value);
	case XT_STATE:
	case XT_CONNTRACK:
		return add_num(r, FIELD_ID_CT_STATE, m->invert, m->value, m->value);
	case XT_MARK:
		return add_mark(r, FIELD_ID_META_MARK, m);
	case XT_CONNMARK:
		return add_mark(r, FIELD_ID_CT_MARK, m);
	case XT_MULTIPORT:
		return add_multiport(r, x->proto, m);
	case XT_COMMENT:
		return add_comment(r, m->comment);
	case XT_MATCH_MAX:
		break;
	}
	return true;
}

/* A port or an ICMP type says the protocol already. */
static bool proto_is_implied(const struct rule *r)
{
	for (size_t i = 0; i < r->n_matches; i++)
		if (field_rows[r->matches[i].field].implies)
			return true;
	return false;
}

static const enum verdict verdicts[XT_TARGET_MAX] = {
	[XT_NO_TARGET] = VERDICT_NONE, [XT_ACCEPT] = VERDICT_ACCEPT,
	[XT_DROP] = VERDICT_DROP,      [XT_REJECT] = VERDICT_REJECT,
	[XT_SNAT] = VERDICT_SNAT,      [XT_MASQUERADE] = VERDICT_MASQUERADE,
	[XT_DNAT] = VERDICT_DNAT,      [XT_REDIRECT] = VERDICT_REDIRECT,
	[XT_CT] = VERDICT_NONE,	       [XT_NOTRACK] = VERDICT_NONE,
};

static void action_fill(struct action *a, const struct xt_rule *x)
{
	const struct xt_target *t = &x->target;

	*a = (struct action){ .verdict = verdicts[t->kind] };
	a->reject = t->reject;
	a->reject_explicit = t->reject != GW_REJECT_PORT;
	a->nat_flags = t->flags;
	if (t->has_addr) {
		a->has_addr = true;
		a->nat_family = x->version;
		memcpy(a->addr_lo, t->addr_lo, sizeof(a->addr_lo));
		memcpy(a->addr_hi, t->addr_hi, sizeof(a->addr_hi));
	}
	if (t->has_port) {
		a->has_port = true;
		a->port_lo = t->port_lo;
		a->port_hi = t->port_hi;
	}
}

static bool fill_stmts(struct rule *r, const struct xt_rule *x)
{
	bool notrack = x->target.kind == XT_CT || x->target.kind == XT_NOTRACK;

	return !rule_add_word(r, STMT_COUNTER) && (!notrack || !rule_add_word(r, STMT_NOTRACK));
}

static bool fill_matches(struct rule *r, const struct xt_rule *x)
{
	size_t bytes = x->version == 6 ? 16 : 4;

	if (!add_if(r, FIELD_ID_IIFNAME, x->iif, x->iif_invert) ||
	    !add_if(r, FIELD_ID_OIFNAME, x->oif, x->oif_invert) ||
	    !add_addr(r, x->version == 6 ? FIELD_ID_IP6_SADDR : FIELD_ID_IP_SADDR, &x->src,
		      bytes) ||
	    !add_addr(r, x->version == 6 ? FIELD_ID_IP6_DADDR : FIELD_ID_IP_DADDR, &x->dst, bytes))
		return false;
	for (size_t i = 0; i < x->n_matches; i++)
		if (!add_ext(r, x, &x->matches[i]))
			return false;
	if (!x->proto || proto_is_implied(r))
		return true;
	return add_num(r, FIELD_ID_L4PROTO, x->proto_invert, x->proto, x->proto);
}

int xt_to_rule(const struct xt_rule *x, struct rule **ret, struct diag *d)
{
	_cleanup_(rule_freep) struct rule *r = rule_new();
	struct strbuf text = {};

	if (!r || !fill_matches(r, x) || !fill_stmts(r, x))
		return -ENOMEM;
	action_fill(&r->action, x);
	xt_save(x, false, &text);
	if (text.len > XT_SPEC_MAX) {
		strbuf_deinit(&text);
		return xt_refuse(d, "the rule is longer than %d characters", XT_SPEC_MAX);
	}
	/* without its leading space */
	r->xtspec = text.failed ? NULL : strdup(text.len ? text.s + 1 : "");
	strbuf_deinit(&text);
	if (!r->xtspec)
		return -ENOMEM;
	r->pkts = x->pkts;
	r->bytes = x->bytes;
	r->counter_given = x->counters;
	*ret = TAKE_PTR(r);
	return 0;
}

static bool take_if(const struct match *m, char name[16], bool *invert)
{
	size_t n = strlen(m->elems[0].name);

	if (*name || !n || (m->elems[0].name[n - 1] != '*' && strchr(m->elems[0].name, '+')))
		return false;
	snprintf(name, 16, "%s", m->elems[0].name);
	if (name[n - 1] == '*')
		name[n - 1] = '+';
	*invert = m->negate;
	return true;
}

/* A range that is one prefix, or false. */
static bool take_addr(const struct match *m, struct xt_addr *a, size_t bytes)
{
	const struct elem *e = &m->elems[0];
	unsigned int plen = 0, bits = (unsigned int)bytes * 8;

	if (a->given)
		return false;
	while (plen < bits && !((e->addr_lo[plen / 8] ^ e->addr_hi[plen / 8]) & (0x80 >> plen % 8)))
		plen++;
	for (unsigned int i = plen; i < bits; i++)
		if (e->addr_lo[i / 8] & (0x80 >> i % 8) || !(e->addr_hi[i / 8] & (0x80 >> i % 8)))
			return false;
	*a = (struct xt_addr){ .given = true, .invert = m->negate, .plen = plen };
	memcpy(a->addr, e->addr_lo, bytes);
	return plen || !m->negate;
}

static bool take_proto(struct xt_rule *x, uint32_t proto, bool invert)
{
	if (x->proto_given && (x->proto != proto || x->proto_invert != invert))
		return false;
	x->proto_given = true;
	x->proto = (uint8_t)proto;
	x->proto_invert = invert;
	return proto && proto < 256;
}

static struct xt_match *next_match(struct xt_rule *x, enum xt_match_kind kind)
{
	struct xt_match *m;

	if (x->n_matches == XT_MATCHES_MAX)
		return NULL;
	m = &x->matches[x->n_matches++];
	*m = (struct xt_match){ .kind = kind, .given = true };
	return m;
}

static bool take_port_set(const struct match *m, struct xt_rule *x, char side)
{
	struct xt_match *to = next_match(x, XT_MULTIPORT);
	size_t used = 0;

	if (!to)
		return false;
	to->side = side;
	to->invert = m->negate;
	for (size_t i = 0; i < m->n; i++) {
		const struct elem *e = &m->elems[i];

		used += e->num_lo == e->num_hi ? 1 : 2;
		if (used > XT_PORTS_MAX)
			return false;
		to->ports[to->n_ports++] =
			(struct xt_range){ .lo = (uint16_t)e->num_lo, .hi = (uint16_t)e->num_hi };
	}
	return true;
}

static bool take_ports(const struct match *m, struct xt_rule *x)
{
	enum xt_match_kind kind = field_rows[m->field].implies == IPPROTO_TCP ? XT_TCP : XT_UDP;
	bool source = m->field == FIELD_ID_TCP_SPORT || m->field == FIELD_ID_UDP_SPORT;
	struct xt_match *to = NULL;
	struct xt_range *range;

	if (!take_proto(x, field_rows[m->field].implies, false))
		return false;
	if (m->n > 1)
		return take_port_set(m, x, source ? 's' : 'd');
	if (x->n_matches && x->matches[x->n_matches - 1].kind == kind)
		to = &x->matches[x->n_matches - 1];
	range = to ? (source ? &to->sport : &to->dport) : NULL;
	if (!range || range->given) {
		to = next_match(x, kind);
		if (!to)
			return false;
		range = source ? &to->sport : &to->dport;
	}
	*range = (struct xt_range){ true, m->negate, (uint16_t)m->elems[0].num_lo,
				    (uint16_t)m->elems[0].num_hi };
	return true;
}

static bool take_value(const struct match *m, struct xt_rule *x, enum xt_match_kind kind)
{
	uint8_t implies = field_rows[m->field].implies;
	struct xt_match *to;

	if (m->elems[0].num_lo != m->elems[0].num_hi && kind != XT_CONNTRACK)
		return false;
	if (implies && !take_proto(x, implies, false))
		return false;
	/* 255 is how iptables says any type */
	if (kind == XT_ICMP && m->elems[0].num_lo == XT_ICMP_ANY)
		return false;
	to = next_match(x, kind);
	if (!to)
		return false;
	to->value = m->elems[0].num_lo;
	to->mask = m->mask;
	to->invert = m->negate;
	return true;
}

static bool take_match(const struct match *m, struct xt_rule *x)
{
	enum field_type type = field_rows[m->field].type;

	if (!m->n || (m->n > 1 && type != FIELD_PORT))
		return false;
	switch (m->field) {
	case FIELD_ID_IIFNAME:
		return take_if(m, x->iif, &x->iif_invert);
	case FIELD_ID_OIFNAME:
		return take_if(m, x->oif, &x->oif_invert);
	case FIELD_ID_IP_SADDR:
	case FIELD_ID_IP6_SADDR:
		return take_addr(m, &x->src, x->version == 6 ? 16 : 4);
	case FIELD_ID_IP_DADDR:
	case FIELD_ID_IP6_DADDR:
		return take_addr(m, &x->dst, x->version == 6 ? 16 : 4);
	case FIELD_ID_L4PROTO:
		return m->elems[0].num_lo == m->elems[0].num_hi &&
		       take_proto(x, m->elems[0].num_lo, m->negate);
	case FIELD_ID_ICMP_TYPE:
		return take_value(m, x, XT_ICMP);
	case FIELD_ID_ICMP6_TYPE:
		return take_value(m, x, XT_ICMP6);
	case FIELD_ID_CT_STATE:
		return take_value(m, x, XT_CONNTRACK);
	case FIELD_ID_CT_MARK:
		return take_value(m, x, XT_CONNMARK);
	case FIELD_ID_META_MARK:
		return take_value(m, x, XT_MARK);
	default:
		return type == FIELD_PORT && take_ports(m, x);
	}
}

static bool take_action(const struct rule *r, struct xt_rule *x)
{
	const struct action *a = &r->action;
	struct xt_target *t = &x->target;

	if (rule_has_stmt(r, STMT_NOTRACK)) {
		t->kind = XT_CT;
		return a->verdict == VERDICT_NONE;
	}
	for (int i = XT_NO_TARGET; i < XT_CT; i++)
		if (verdicts[i] == a->verdict)
			t->kind = (enum xt_target_kind)i;
	t->reject = a->reject;
	t->flags = a->nat_flags;
	t->has_addr = a->has_addr;
	t->has_port = a->has_port;
	memcpy(t->addr_lo, a->addr_lo, sizeof(t->addr_lo));
	memcpy(t->addr_hi, a->addr_hi, sizeof(t->addr_hi));
	t->port_lo = a->port_lo;
	t->port_hi = a->port_hi;
	return true;
}

static bool take_comment(const char *comment, struct xt_rule *x)
{
	struct xt_match *m = comment ? next_match(x, XT_COMMENT) : NULL;

	if (!comment)
		return true;
	if (!m || strlen(comment) >= sizeof(m->comment) || strpbrk(comment, "\n\r"))
		return false;
	snprintf(m->comment, sizeof(m->comment), "%s", comment);
	return true;
}

bool xt_from_rule(const struct rule *r, int version, struct xt_rule *ret)
{
	struct xt_rule *x = ret;

	*x = (struct xt_rule){ .version = version, .pkts = r->pkts, .bytes = r->bytes };
	for (size_t i = 0; i < r->n_matches; i++)
		if (!take_match(&r->matches[i], x))
			return false;
	return take_comment(r->comment, x) && take_action(r, x);
}
