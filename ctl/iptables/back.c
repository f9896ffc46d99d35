/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rule that nft syntax made, in iptables' words, as far as it has them.
 */
#include <iptables/convert.h>

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
	/* one match says its ports in this order */
	if (to && (to->flags.given || (source && to->dport.given)))
		to = NULL;
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
	if (kind == XT_CONNTRACK) {
		to->ct.given = 1U << XT_CT_STATE;
		to->ct.invert = (uint32_t)m->negate << XT_CT_STATE;
		to->ct.states = (uint32_t)m->elems[0].num_lo;
		return true;
	}
	if (implies)
		to->code = XT_ICMP_CODE_ANY;
	to->value = (uint32_t)m->elems[0].num_lo;
	to->mask = m->mask;
	to->invert = m->negate;
	return true;
}

/* A code behind its type: one match of iptables. */
static bool take_code(const struct match *m, struct xt_rule *x)
{
	struct xt_match *last = x->n_matches ? &x->matches[x->n_matches - 1] : NULL;
	enum xt_match_kind kind = m->field == FIELD_ID_ICMP6_CODE ? XT_ICMP6 : XT_ICMP;

	if (!last || last->kind != kind || last->invert || last->code != XT_ICMP_CODE_ANY ||
	    m->negate || m->elems[0].num_lo != m->elems[0].num_hi)
		return false;
	last->code = (int)m->elems[0].num_lo;
	return true;
}

static bool take_length(const struct match *m, struct xt_rule *x)
{
	const struct elem *e = &m->elems[0];
	struct xt_match *to = e->num_hi <= UINT16_MAX ? next_match(x, XT_LENGTH) : NULL;

	if (!to || (m->negate && !e->num_lo && e->num_hi == UINT16_MAX))
		return false;
	to->invert = m->negate;
	to->length = (struct xt_range){ true, m->negate, (uint16_t)e->num_lo, (uint16_t)e->num_hi };
	return true;
}

static bool take_hops(const struct match *m, struct xt_rule *x)
{
	uint64_t n = m->elems[0].num_lo;
	struct xt_match *to;

	if (n != m->elems[0].num_hi || n > 255 || m->op == MATCH_LE || m->op == MATCH_GE ||
	    (m->op == MATCH_LT && !n) || (m->op == MATCH_GT && n == 255))
		return false;
	to = next_match(x, m->field == FIELD_ID_IP6_HOPLIMIT ? XT_HL : XT_TTL);
	if (!to)
		return false;
	to->invert = m->negate;
	to->hops.op = m->op == MATCH_GT ? 'g' : m->op == MATCH_LT ? 'l' : 'e';
	to->hops.value = (uint8_t)n;
	return true;
}

static bool take_mac(const struct match *m, struct xt_rule *x)
{
	struct xt_match *to = next_match(x, XT_MAC);

	if (!to || memcmp(m->elems[0].addr_lo, m->elems[0].addr_hi, 6))
		return false;
	to->invert = m->negate;
	memcpy(to->mac, m->elems[0].addr_lo, 6);
	return true;
}

/* With a mask, or as "none of these" and "any of these". */
static bool take_flags(const struct match *m, struct xt_rule *x)
{
	uint64_t bits = m->elems[0].num_lo;
	uint32_t mask = m->exact ? m->mask : (uint32_t)bits;
	struct xt_match *to;

	if (mask & ~0x3fU || !mask || (m->exact && (!bits || bits & ~mask)) ||
	    (!m->exact && m->mask != UINT32_MAX) || !take_proto(x, IPPROTO_TCP, false))
		return false;
	to = next_match(x, XT_TCP);
	if (!to)
		return false;
	to->flags.given = true;
	to->flags.invert = m->negate == m->exact;
	to->flags.mask = (uint8_t)mask;
	to->flags.value = m->exact ? (uint8_t)bits : 0;
	return true;
}

/* Fields with operators and masks of their own. */
static bool take_special(const struct match *m, struct xt_rule *x, bool *ret)
{
	switch (m->field) {
	case FIELD_ID_IP_TTL:
	case FIELD_ID_IP6_HOPLIMIT:
		*ret = !m->exact && m->mask == UINT32_MAX && take_hops(m, x);
		return true;
	case FIELD_ID_TCP_FLAGS:
		*ret = m->op == MATCH_EQ && take_flags(m, x);
		return true;
	default:
		return false;
	}
}

/* What iptables looks at before its matches can not stand behind one that remembers. */
static bool is_early(const struct match *m)
{
	enum field_type type = field_rows[m->field].type;

	return type == FIELD_IFNAME || type == FIELD_PROTO || type == FIELD_ADDR4 ||
	       type == FIELD_ADDR6;
}

static bool take_match(const struct match *m, struct xt_rule *x)
{
	enum field_type type = field_rows[m->field].type;
	uint8_t implies = field_rows[m->field].implies;
	bool ok;

	if (m->set || m->n_fields > 1 || m->mod)
		return false;
	if (m->after && (is_early(m) || (implies && x->proto != implies)))
		return false;
	if (m->n == 1 && take_special(m, x, &ok))
		return ok;
	if (m->op != MATCH_EQ || m->exact)
		return false;
	if (!m->n || (m->n > 1 && type != FIELD_PORT))
		return false;
	if (m->mask != UINT32_MAX && type != FIELD_MARK)
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
	case FIELD_ID_ICMP_CODE:
	case FIELD_ID_ICMP6_CODE:
		return take_code(m, x);
	case FIELD_ID_LENGTH:
		return take_length(m, x);
	case FIELD_ID_ETHER_SADDR:
		return take_mac(m, x);
	case FIELD_ID_IP_DSCP:
	case FIELD_ID_IP6_DSCP:
		return take_value(m, x, XT_DSCP);
	case FIELD_ID_PKTTYPE:
		return m->elems[0].num_lo <= 2 && take_value(m, x, XT_PKTTYPE);
	case FIELD_ID_TCP_SPORT:
	case FIELD_ID_TCP_DPORT:
	case FIELD_ID_UDP_SPORT:
	case FIELD_ID_UDP_DPORT:
		return take_ports(m, x);
	default:
		return false;
	}
}

static bool take_limit(const struct limit *l, struct xt_rule *x)
{
	struct xt_match *to = next_match(x, XT_LIMIT);

	if (!to || l->bytes || l->over || l->burst > 10000)
		return false;
	to->rate.rate = (uint32_t)l->rate;
	to->rate.unit_s = l->unit_s;
	to->rate.burst = (uint32_t)l->burst;
	return l->rate <= UINT32_MAX && xt_limit_is_canonical(&to->rate);
}

static bool take_log(const struct stmt *s, struct xt_target *t)
{
	bool nflog = s->log.group >= 0;

	t->kind = nflog ? XT_NFLOG : XT_LOG;
	if (s->log.prefix && (strlen(s->log.prefix) > (nflog ? XT_PREFIX_MAX - 1 : 29) ||
			      !*s->log.prefix || strpbrk(s->log.prefix, "\n\r")))
		return false;
	snprintf(t->log.prefix, sizeof(t->log.prefix), "%s", s->log.prefix ? s->log.prefix : "");
	if (nflog) {
		t->log.group = (uint32_t)s->log.group;
		t->log.has_size = s->log.snaplen;
		t->log.size = s->log.snaplen;
		t->log.threshold = s->log.threshold;
		t->seen = s->log.threshold ? OPTION_SEEN('t') : 0;
		return s->log.level < 0 && !s->log.flags;
	}
	t->log.flags = s->log.flags;
	if (s->log.level >= 0) {
		t->seen = OPTION_SEEN('l');
		t->log.level = (uint8_t)s->log.level;
	}
	return !s->log.snaplen && !s->log.threshold;
}

/* The packet's mark is saved in the connection's, or restored from it. */
static bool take_other_mark(const struct stmt *s, struct xt_target *t)
{
	bool save = s->kind == STMT_CTMARK;

	t->kind = XT_TO_CONNMARK;
	t->op = save ? 's' : 'r';
	t->seen = OPTION_SEEN('N') | OPTION_SEEN('C');
	t->nfmask = save ? s->mark.mask : ~s->mark.keep;
	t->ctmask = save ? ~s->mark.keep : s->mark.mask;
	return !s->mark.value;
}

static bool take_mark(const struct stmt *s, struct xt_target *t)
{
	if (s->mark.map)
		return false;
	if (s->mark.from_other)
		return take_other_mark(s, t);
	t->kind = s->kind == STMT_MARK ? XT_TO_MARK : XT_TO_CONNMARK;
	t->op = 'x';
	t->value = s->mark.value;
	t->mask = ~s->mark.mask;
	return true;
}

static bool take_hops_set(const struct stmt *s, struct xt_target *t, int version)
{
	t->kind = version == 6 ? XT_TO_HL : XT_TO_TTL;
	t->op = s->value.op == 0 ? 's' : s->value.op == 1 ? 'i' : 'd';
	t->value = s->value.value;
	return s->value.family == version && (t->op == 's' || t->value);
}

/* A statement that is a target for itself. */
static bool take_effect(const struct stmt *s, struct xt_rule *x)
{
	struct xt_target *t = &x->target;

	if (t->kind != XT_NO_TARGET)
		return false;
	*t = (struct xt_target){ .given = true };
	switch (s->kind) {
	case STMT_NOTRACK:
		t->kind = XT_CT;
		t->notrack = true;
		return true;
	case STMT_ZONE:
		t->kind = XT_CT;
		t->zone = true;
		t->value = s->value.value;
		return true;
	case STMT_LOG:
		return take_log(s, t);
	case STMT_MARK:
	case STMT_CTMARK:
		return take_mark(s, t);
	case STMT_DSCP:
		t->kind = XT_TO_DSCP;
		t->value = s->value.value;
		return s->value.family == x->version;
	case STMT_TTL:
		return take_hops_set(s, t, x->version);
	default:
		return false;
	}
}

/* Every rule of iptables has a counter; a limit is a match, the others are targets. */
static bool take_stmt(const struct stmt *s, struct xt_rule *x)
{
	if (s->kind == STMT_COUNTER)
		return true;
	if (s->kind == STMT_LIMIT)
		return x->target.kind == XT_NO_TARGET && take_limit(&s->limit, x);
	return take_effect(s, x);
}

/* Matches and statements as they stand. */
static bool take_parts(const struct rule *r, struct xt_rule *x)
{
	size_t m = 0;

	for (size_t i = 0; i <= r->n_stmts; i++) {
		for (; m < r->n_matches && r->matches[m].after <= i; m++)
			if (x->target.kind != XT_NO_TARGET || !take_match(&r->matches[m], x))
				return false;
		if (i < r->n_stmts && !take_stmt(&r->stmts[i], x))
			return false;
	}
	return m == r->n_matches;
}

static const struct {
	enum verdict verdict;
	enum xt_target_kind kind;
} targets[] = {
	{ VERDICT_ACCEPT, XT_ACCEPT }, { VERDICT_DROP, XT_DROP },
	{ VERDICT_RETURN, XT_RETURN }, { VERDICT_REJECT, XT_REJECT },
	{ VERDICT_SNAT, XT_SNAT },     { VERDICT_MASQUERADE, XT_MASQUERADE },
	{ VERDICT_DNAT, XT_DNAT },     { VERDICT_REDIRECT, XT_REDIRECT },
	{ VERDICT_JUMP, XT_CHAIN },    { VERDICT_GOTO, XT_CHAIN },
};

static bool take_target(const struct action *a, struct xt_target *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (targets[i].verdict != a->verdict)
			continue;
		*t = (struct xt_target){ .kind = targets[i].kind };
		return true;
	}
	return false;
}

static bool take_action(const struct rule *r, struct xt_rule *x)
{
	const struct action *a = &r->action;
	struct xt_target *t = &x->target;

	if (a->verdict == VERDICT_NONE || a->verdict == VERDICT_CONTINUE)
		return true;
	if (t->kind != XT_NO_TARGET || a->map || a->nat_prefix || a->nat_flags & GW_NATF_ENDPOINT)
		return false;
	if (!take_target(a, t) || strlen(a->chain) >= sizeof(t->chain))
		return false;
	t->go_to = a->verdict == VERDICT_GOTO;
	snprintf(t->chain, sizeof(t->chain), "%.31s", a->chain);
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
	return take_parts(r, x) && take_comment(r->comment, x) && take_action(r, x);
}
