/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The matches of -m as matches and statements of the model.
 */
#include <iptables/convert.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>

enum field conv_port_field(uint8_t proto, bool dest)
{
	static const struct {
		uint8_t proto;
		enum field field[2];
	} rows[] = {
		{ IPPROTO_TCP, { FIELD_ID_TCP_SPORT, FIELD_ID_TCP_DPORT } },
		{ IPPROTO_UDP, { FIELD_ID_UDP_SPORT, FIELD_ID_UDP_DPORT } },
		{ IPPROTO_UDPLITE, { FIELD_ID_UDPL_SPORT, FIELD_ID_UDPL_DPORT } },
		{ IPPROTO_SCTP, { FIELD_ID_SCTP_SPORT, FIELD_ID_SCTP_DPORT } },
		{ IPPROTO_DCCP, { FIELD_ID_DCCP_SPORT, FIELD_ID_DCCP_DPORT } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].proto == proto)
			return rows[i].field[dest];
	return dest ? FIELD_ID_TH_DPORT : FIELD_ID_TH_SPORT;
}

static int conv_port(struct conv *c, enum field field, const struct xt_range *p)
{
	if (!p->given || (!p->invert && !p->lo && p->hi == UINT16_MAX))
		return 0;
	return conv_num(c, field, p->invert, p->lo, p->hi);
}

/* All flags of the mask as in the value; where none may be set, that is what nft says shorter. */
static int conv_flags(struct conv *c, const struct xt_match *x)
{
	bool none = !x->flags.value;
	struct match *m;

	if (!x->flags.given || !x->flags.mask)
		return 0;
	m = conv_match(c, FIELD_ID_TCP_FLAGS, x->flags.invert != none, 1);
	if (!m)
		return -ENOMEM;
	m->exact = !none;
	m->mask = none ? UINT32_MAX : x->flags.mask;
	m->elems[0].num_lo = m->elems[0].num_hi = none ? x->flags.mask : x->flags.value;
	return 0;
}

static int conv_ports(struct conv *c, const struct xt_match *m)
{
	uint8_t proto = m->kind == XT_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	int r = conv_port(c, conv_port_field(proto, false), &m->sport);

	if (!r)
		r = conv_port(c, conv_port_field(proto, true), &m->dport);
	return r || m->kind != XT_TCP ? r : conv_flags(c, m);
}

static int conv_icmp(struct conv *c, const struct xt_match *m)
{
	bool v6 = m->kind == XT_ICMP6;
	const enum field fields[] = { v6 ? FIELD_ID_ICMP6_TYPE : FIELD_ID_ICMP_TYPE,
				      v6 ? FIELD_ID_ICMP6_CODE : FIELD_ID_ICMP_CODE };
	struct match *both;

	if (!v6 && m->value == XT_ICMP_ANY)
		return 0;
	if (m->code == XT_ICMP_CODE_ANY)
		return conv_num(c, fields[0], m->invert, m->value, m->value);
	if (!m->invert) {
		int r = conv_num(c, fields[0], false, m->value, m->value);

		return r ? r : conv_num(c, fields[1], false, (uint64_t)m->code, (uint64_t)m->code);
	}
	/* not this type, or not this code: one field of two parts */
	both = conv_concat(c, fields, 2, true, 1);
	if (!both)
		return -ENOMEM;
	both->elems[0].num_lo = both->elems[0].num_hi = m->value;
	both->elems[1].num_lo = both->elems[1].num_hi = (uint64_t)m->code;
	return 0;
}

static int range_cmp(const void *a, const void *b)
{
	const struct xt_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* Sorted, and what overlaps is one: as the native language has the elements of a set. */
static size_t ports_merge(const struct xt_match *m, struct xt_range ret[XT_PORTS_MAX])
{
	size_t n = 0;

	memcpy(ret, m->ports, m->n_ports * sizeof(*ret));
	qsort(ret, m->n_ports, sizeof(*ret), range_cmp);
	for (size_t i = 0; i < m->n_ports; i++) {
		if (n && ret[i].lo <= ret[n - 1].hi)
			ret[n - 1].hi = MAX(ret[n - 1].hi, ret[i].hi);
		else
			ret[n++] = ret[i];
	}
	return n;
}

static int conv_port_list(struct conv *c, enum field field, bool negate,
			  const struct xt_range *ports, size_t n)
{
	struct match *m = conv_match(c, field, negate, n);

	if (!m)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		m->elems[i].num_lo = ports[i].lo;
		m->elems[i].num_hi = ports[i].hi;
	}
	return 0;
}

static void pair_fill(struct elem *e, uint32_t slo, uint32_t shi, uint32_t dlo, uint32_t dhi)
{
	e[0].num_lo = slo;
	e[0].num_hi = shi;
	e[1].num_lo = dlo;
	e[1].num_hi = dhi;
}

/*
 * Either port in the list: pairs of source and destination, (in the list, any) and (outside of it, in the list).  The elements
 * do not overlap.
 */
static int conv_either_port(struct conv *c, const struct xt_range *ports, size_t n)
{
	const enum field fields[] = { conv_port_field(c->x->proto, false),
				      conv_port_field(c->x->proto, true) };
	struct elem pairs[(XT_PORTS_MAX + 1) * (XT_PORTS_MAX + 1)][2] = {};
	uint32_t from = 0;
	struct match *m;
	size_t all = 0;

	for (size_t i = 0; i <= n; i++) {
		uint32_t to = i < n ? ports[i].lo : UINT16_MAX + 1U;

		for (size_t k = 0; from < to && k < n; k++)
			pair_fill(pairs[all++], from, to - 1, ports[k].lo, ports[k].hi);
		if (i == n)
			break;
		pair_fill(pairs[all++], ports[i].lo, ports[i].hi, 0, UINT16_MAX);
		from = ports[i].hi + 1U;
	}
	m = conv_concat(c, fields, 2, false, all);
	if (!m)
		return -ENOMEM;
	for (size_t i = 0; i < all * 2; i++) {
		m->elems[i] = pairs[i / 2][i % 2];
		m->elems[i].plen = -1;
	}
	return 0;
}

static int conv_multiport(struct conv *c, const struct xt_match *m)
{
	enum field source = conv_port_field(c->x->proto, false);
	enum field dest = conv_port_field(c->x->proto, true);
	struct xt_range ports[XT_PORTS_MAX];
	size_t n = ports_merge(m, ports);
	int r;

	if (m->side != 'b')
		return conv_port_list(c, m->side == 's' ? source : dest, m->invert, ports, n);
	if (!m->invert)
		return conv_either_port(c, ports, n);
	r = conv_port_list(c, source, true, ports, n);
	return r ? r : conv_port_list(c, dest, true, ports, n);
}

static int conv_bits(struct conv *c, enum field field, bool negate, uint32_t bits)
{
	return conv_num(c, field, negate, bits, bits);
}

static int conv_ctstate(struct conv *c, const struct xt_conntrack *ct)
{
	bool invert = ct->invert & 1U << XT_CT_STATE;
	uint32_t states = ct->states & ~(XT_STATE_SNAT | XT_STATE_DNAT), status = 0;
	int r = 0;

	if (ct->states & XT_STATE_SNAT)
		status |= IPS_SRC_NAT;
	if (ct->states & XT_STATE_DNAT)
		status |= IPS_DST_NAT;
	if (states)
		r = conv_bits(c, FIELD_ID_CT_STATE, invert, states);
	return r || !status ? r : conv_bits(c, FIELD_ID_CT_STATUS, invert, status);
}

/* An address of the connection; one that covers all still asks for a connection. */
static int conv_ctaddr(struct conv *c, unsigned int i, const struct xt_addr *a, bool invert)
{
	static const enum field v4[] = { FIELD_ID_CT_O_SADDR, FIELD_ID_CT_O_DADDR,
					 FIELD_ID_CT_R_SADDR, FIELD_ID_CT_R_DADDR };
	static const enum field v6[] = { FIELD_ID_CT_O_SADDR6, FIELD_ID_CT_O_DADDR6,
					 FIELD_ID_CT_R_SADDR6, FIELD_ID_CT_R_DADDR6 };
	size_t bytes = c->x->version == 6 ? 16 : 4;
	struct match *m = conv_match(c, conv_field(c, v4[i], v6[i]), invert, 1);

	if (!m)
		return -ENOMEM;
	m->elems[0].plen = a->plen == bytes * 8 ? -1 : (int)a->plen;
	for (size_t k = 0; k < bytes; k++) {
		unsigned int bits = a->plen > k * 8 ? MIN(a->plen - (unsigned int)k * 8, 8U) : 0;

		m->elems[0].addr_lo[k] = a->addr[k];
		m->elems[0].addr_hi[k] = (uint8_t)(a->addr[k] | (0xff >> bits));
	}
	return 0;
}

static int conv_ctstatus(struct conv *c, const struct xt_conntrack *ct, bool invert)
{
	/* ! NONE: any connection */
	if (!ct->status)
		return conv_bits(c, FIELD_ID_CT_STATE, true,
				 1U << GW_CT_INVALID | 1U << GW_CT_UNTRACKED);
	return conv_bits(c, FIELD_ID_CT_STATUS, invert, ct->status);
}

static int conv_ctitem(struct conv *c, const struct xt_conntrack *ct, unsigned int item)
{
	static const enum field ports[] = { FIELD_ID_CT_O_SPORT, FIELD_ID_CT_O_DPORT,
					    FIELD_ID_CT_R_SPORT, FIELD_ID_CT_R_DPORT };
	bool invert = ct->invert & 1U << item;
	const struct xt_range *port;

	switch (item) {
	case XT_CT_STATE:
		return conv_ctstate(c, ct);
	case XT_CT_PROTO:
		/* 0 is any protocol, of a connection */
		return conv_num(c, FIELD_ID_CT_PROTO, invert, ct->proto,
				ct->proto ? ct->proto : 255);
	case XT_CT_STATUS:
		return conv_ctstatus(c, ct, invert);
	case XT_CT_EXPIRE:
		return conv_num(c, FIELD_ID_CT_EXPIRE, invert, ct->expire_lo, ct->expire_hi);
	case XT_CT_DIR:
		return conv_num(c, FIELD_ID_CT_DIR, false, ct->reply, ct->reply);
	default:
		break;
	}
	if (item < XT_CT_ORIGSRCPORT)
		return conv_ctaddr(c, item - XT_CT_ORIGSRC, &ct->addr[item - XT_CT_ORIGSRC],
				   invert);
	port = &ct->port[item - XT_CT_ORIGSRCPORT];
	return conv_num(c, ports[item - XT_CT_ORIGSRCPORT], invert, port->lo, port->hi);
}

static int conv_conntrack(struct conv *c, const struct xt_match *m)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < XT_CT_ITEMS; i++)
		if (m->ct.given & 1U << i)
			r = conv_ctitem(c, &m->ct, i);
	return r;
}

static int conv_mark(struct conv *c, enum field field, const struct xt_match *x)
{
	struct match *m = conv_match(c, field, x->invert, 1);

	if (!m)
		return -ENOMEM;
	m->mask = x->mask;
	m->elems[0].num_lo = m->elems[0].num_hi = x->value;
	return 0;
}

static int conv_iprange(struct conv *c, const struct xt_match *x)
{
	size_t bytes = c->x->version == 6 ? 16 : 4;

	for (int i = 0; i < 2; i++) {
		const struct xt_span *span = &x->span[i];
		struct match *m;

		if (!span->given)
			continue;
		m = conv_match(c,
			       i ? conv_field(c, FIELD_ID_IP_DADDR, FIELD_ID_IP6_DADDR)
				 : conv_field(c, FIELD_ID_IP_SADDR, FIELD_ID_IP6_SADDR),
			       span->invert, 1);
		if (!m)
			return -ENOMEM;
		memcpy(m->elems[0].addr_lo, span->lo, bytes);
		memcpy(m->elems[0].addr_hi, span->hi, bytes);
	}
	return 0;
}

/* nft does not write the burst that both have when none is given. */
struct limit conv_rate(const struct xt_rate *rate)
{
	return (struct limit){ .rate = rate->rate,
			       .unit_s = rate->unit_s,
			       .burst = rate->burst == XT_BURST_DEFAULT ? 0 : rate->burst,
			       .over = rate->above };
}

static int conv_limit(struct conv *c, const struct xt_match *m)
{
	struct xt_rate rate = xt_limit_of(m);
	struct stmt s = { .kind = STMT_LIMIT };

	s.limit = conv_rate(&rate);
	return conv_stmt(c, &s);
}

static int conv_mac(struct conv *c, const struct xt_match *x)
{
	struct match *m = conv_match(c, FIELD_ID_ETHER_SADDR, x->invert, 1);

	if (!m)
		return -ENOMEM;
	memcpy(m->elems[0].addr_lo, x->mac, 6);
	memcpy(m->elems[0].addr_hi, x->mac, 6);
	return 0;
}

static int conv_types(struct conv *c, enum field field, bool negate, uint16_t types)
{
	struct match *m;
	size_t n = 0;

	for (uint32_t i = 0; i <= RTN_MAX; i++)
		n += !!(types & 1U << i);
	m = conv_match(c, field, negate, n);
	if (!m)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i <= RTN_MAX; i++) {
		if (!(types & 1U << i))
			continue;
		m->elems[n].num_lo = m->elems[n].num_hi = i;
		n++;
	}
	return 0;
}

static int conv_addrtype(struct conv *c, const struct xt_match *m)
{
	static const enum field any[] = { FIELD_ID_FIB_SADDR_TYPE, FIELD_ID_FIB_DADDR_TYPE };
	static const enum field in[] = { FIELD_ID_FIB_SADDR_IIF_TYPE, FIELD_ID_FIB_DADDR_IIF_TYPE };
	static const enum field out[] = { FIELD_ID_FIB_SADDR_OIF_TYPE,
					  FIELD_ID_FIB_DADDR_OIF_TYPE };
	const enum field *fields = m->fib.limit == 'i' ? in : m->fib.limit == 'o' ? out : any;
	int r = 0;

	for (int i = 0; !r && i < 2; i++) {
		if (m->fib.types[i])
			r = conv_types(c, fields[i], m->fib.invert[i], m->fib.types[i]);
	}
	return r;
}

static int conv_hops(struct conv *c, const struct xt_match *x)
{
	struct match *m = conv_match(c, x->kind == XT_HL ? FIELD_ID_IP6_HOPLIMIT : FIELD_ID_IP_TTL,
				     x->invert, 1);

	if (!m)
		return -ENOMEM;
	m->op = x->hops.op == 'g' ? MATCH_GT : x->hops.op == 'l' ? MATCH_LT : MATCH_EQ;
	m->elems[0].num_lo = m->elems[0].num_hi = x->hops.value;
	return 0;
}

/*
 * nth: netfilter's counter begins at P, goes up before it is looked at, and the rule matches where it wraps to 0; ours begins at 0
 * and is looked at first.
 */
static int conv_statistic(struct conv *c, const struct xt_match *x)
{
	bool random = x->stat.mode == 'r';
	struct match *m;
	uint32_t n;

	if (random && x->stat.probability == (x->invert ? 0 : 0x80000000U))
		return 0;
	m = conv_match(c, random ? FIELD_ID_NUMGEN_RANDOM : FIELD_ID_NUMGEN_INC,
		       !random && x->invert, 1);
	if (!m)
		return -ENOMEM;
	m->mod = random ? 0x80000000U : x->stat.every;
	n = random ? x->stat.probability : x->stat.packet;
	if (random)
		m->op = x->invert ? MATCH_GE : MATCH_LT;
	m->elems[0].num_lo = m->elems[0].num_hi = n;
	return 0;
}

/* The native language has room for 128 characters; what is longer stays in xtspec alone. */
static int conv_comment(struct conv *c, const char *comment)
{
	if (c->r->comment || !*comment || strlen(comment) > 128)
		return 0;
	c->r->comment = strdup(comment);
	return c->r->comment ? 0 : -ENOMEM;
}

int conv_ext(struct conv *c, const struct xt_match *m)
{
	switch (m->kind) {
	case XT_TCP:
	case XT_UDP:
		return conv_ports(c, m);
	case XT_ICMP:
	case XT_ICMP6:
		return conv_icmp(c, m);
	case XT_STATE:
		return conv_bits(c, FIELD_ID_CT_STATE, m->invert, m->value);
	case XT_CONNTRACK:
		return conv_conntrack(c, m);
	case XT_COMMENT:
		return conv_comment(c, m->comment);
	case XT_MARK:
		return conv_mark(c, FIELD_ID_META_MARK, m);
	case XT_CONNMARK:
		return conv_mark(c, FIELD_ID_CT_MARK, m);
	case XT_MULTIPORT:
		return conv_multiport(c, m);
	case XT_IPRANGE:
		return conv_iprange(c, m);
	case XT_LIMIT:
		return conv_limit(c, m);
	case XT_HASHLIMIT:
		return conv_hashlimit(c, m);
	case XT_CONNLIMIT:
		return conv_connlimit(c, m);
	case XT_MAC:
		return conv_mac(c, m);
	case XT_ADDRTYPE:
		return conv_addrtype(c, m);
	case XT_LENGTH:
		return conv_num(c, FIELD_ID_LENGTH, m->invert, m->length.lo, m->length.hi);
	case XT_TTL:
	case XT_HL:
		return conv_hops(c, m);
	case XT_DSCP:
		return conv_num(c, conv_field(c, FIELD_ID_IP_DSCP, FIELD_ID_IP6_DSCP), m->invert,
				m->value, m->value);
	case XT_SET:
		return conv_set(c, m);
	case XT_RECENT:
		return conv_recent(c, m);
	case XT_STATISTIC:
		return conv_statistic(c, m);
	case XT_PKTTYPE:
		return conv_num(c, FIELD_ID_PKTTYPE, m->invert, m->value, m->value);
	case XT_MATCH_MAX:
		break;
	}
	return 0;
}
