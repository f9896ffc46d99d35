/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A match narrows the alternatives of a rule where the index knows the field; else, or behind something that had an effect already, it is
 * an op.
 */
#include <compile/impl.h>
#include <netinet/in.h>

/* More values than these are looked up in a set. */
enum { ADDRS_MAX = 32, PORTS_MAX = 16, BLOCKS_MAX = 64, NOT_ADDRS_MAX = 4 };
/* A set of more elements than these is not even asked what is left of it when they are merged: many rules may name it. */
enum { ELEMS_MAX = 256 };

static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP,
				      IPPROTO_DCCP };

/* What of an entry a field narrows. */
enum kind {
	KIND_NONE,
	KIND_SADDR,
	KIND_DADDR,
	KIND_SPORT,
	KIND_DPORT,
	KIND_PROTO,
	KIND_IIF,
	KIND_OIF,
	KIND_MARK,
	KIND_STATE,
	KIND_TCPF,
	KIND_ICMP,
	KIND_VERSION
};

static const uint8_t kinds[FIELD_ID_MAX] = {
	[FIELD_ID_IIFNAME] = KIND_IIF,	    [FIELD_ID_IIF] = KIND_IIF,
	[FIELD_ID_OIFNAME] = KIND_OIF,	    [FIELD_ID_OIF] = KIND_OIF,
	[FIELD_ID_IP_SADDR] = KIND_SADDR,   [FIELD_ID_IP6_SADDR] = KIND_SADDR,
	[FIELD_ID_IP_DADDR] = KIND_DADDR,   [FIELD_ID_IP6_DADDR] = KIND_DADDR,
	[FIELD_ID_L4PROTO] = KIND_PROTO,    [FIELD_ID_IP_PROTOCOL] = KIND_PROTO,
	[FIELD_ID_TCP_SPORT] = KIND_SPORT,  [FIELD_ID_TCP_DPORT] = KIND_DPORT,
	[FIELD_ID_UDP_SPORT] = KIND_SPORT,  [FIELD_ID_UDP_DPORT] = KIND_DPORT,
	[FIELD_ID_UDPL_SPORT] = KIND_SPORT, [FIELD_ID_UDPL_DPORT] = KIND_DPORT,
	[FIELD_ID_SCTP_SPORT] = KIND_SPORT, [FIELD_ID_SCTP_DPORT] = KIND_DPORT,
	[FIELD_ID_DCCP_SPORT] = KIND_SPORT, [FIELD_ID_DCCP_DPORT] = KIND_DPORT,
	[FIELD_ID_TH_SPORT] = KIND_SPORT,   [FIELD_ID_TH_DPORT] = KIND_DPORT,
	[FIELD_ID_ICMP_TYPE] = KIND_ICMP,   [FIELD_ID_ICMP6_TYPE] = KIND_ICMP,
	[FIELD_ID_CT_STATE] = KIND_STATE,   [FIELD_ID_META_MARK] = KIND_MARK,
	[FIELD_ID_TCP_FLAGS] = KIND_TCPF,   [FIELD_ID_NFPROTO] = KIND_VERSION,
	[FIELD_ID_PROTOCOL] = KIND_VERSION,
};

bool field_is_indexed(enum field field)
{
	return kinds[field] != KIND_NONE;
}

/* Of FIB_*_OIFNAME: packets know interfaces by number. */
static const enum field fib_oifs[] = {
	FIELD_ID_FIB_SADDR_OIF,	     FIELD_ID_FIB_SADDR_IIF_OIF,
	FIELD_ID_FIB_SADDR_MARK_OIF, FIELD_ID_FIB_SADDR_MARK_IIF_OIF,
	FIELD_ID_FIB_DADDR_OIF,	     FIELD_ID_FIB_DADDR_IIF_OIF,
	FIELD_ID_FIB_DADDR_MARK_OIF, FIELD_ID_FIB_DADDR_MARK_IIF_OIF,
};
_Static_assert(ARRAY_SIZE(fib_oifs) ==
		       FIELD_ID_FIB_DADDR_MARK_IIF_OIFNAME - FIELD_ID_FIB_SADDR_OIFNAME + 1,
	       "a row for each");

enum field field_plain(enum field field)
{
	switch (field) {
	case FIELD_ID_IP_PROTOCOL:
		return FIELD_ID_L4PROTO;
	case FIELD_ID_IIF:
		return FIELD_ID_IIFNAME;
	case FIELD_ID_OIF:
		return FIELD_ID_OIFNAME;
	default:
		if (field < FIELD_ID_FIB_SADDR_OIFNAME ||
		    field > FIELD_ID_FIB_DADDR_MARK_IIF_OIFNAME)
			return field;
		return fib_oifs[field - FIELD_ID_FIB_SADDR_OIFNAME];
	}
}

uint32_t field_vary(enum field field)
{
	switch (field_rows[field].varies) {
	case 'P':
		return GW_ENT_VARY;
	case 'S':
		return GW_ENT_VARY_SYN;
	default:
		return 0;
	}
}

/* Marks alone are compared with a mask of 0 (iptables' `--mark 0/0`). */
static uint32_t match_mask(const struct match *m)
{
	return m->mask || field_rows[m->field].type == FIELD_MARK ? m->mask : UINT32_MAX;
}

static bool mask_is_whole(const struct match *m)
{
	return match_mask(m) == UINT32_MAX;
}

/* ----------------------------------------------------------------------------------------------- values -> boxes */

#define MASKED_MARK  0
#define MASKED_PROTO 1
#define MASKED_TCPF  2

static void box_masked(struct index_rule *b, int what, uint32_t value, uint32_t mask)
{
	switch (what) {
	case MASKED_MARK:
		b->mark = value;
		b->markm = mask;
		break;
	case MASKED_PROTO:
		b->meta = GW_META_PROTO(value);
		b->mmask = GW_META_PROTO(mask);
		break;
	default:
		b->meta = GW_META_TCPF(value);
		b->mmask = GW_META_TCPF(mask);
	}
}

/* A range as value/mask blocks, each as large as its start allows; mask: what of the packet's value is looked at. */
static int add_blocks(int version, struct boxes *ret, int what, const struct span *span,
		      uint32_t mask, uint32_t max)
{
	uint64_t lo = (uint64_t)span->lo, hi = (uint64_t)MIN(span->hi, max);
	int r = 0;

	while (!r && lo <= hi) {
		uint64_t size = lo ? lo & -lo : (uint64_t)max + 1;
		struct index_rule b = box_any(version);
		uint32_t block;

		while (lo + size - 1 > hi)
			size >>= 1;
		block = (uint32_t) ~(size - 1) & max;
		/* bits that the mask takes away are never set */
		if (!(lo & ~(uint64_t)mask & block)) {
			box_masked(&b, what, (uint32_t)lo, block & mask);
			r = boxes_add(ret, &b);
		}
		lo += size;
	}
	return r;
}

static int add_if(int version, struct boxes *ret, enum kind kind, const struct span *span)
{
	struct index_rule b = box_any(version);
	int r = 0;

	if (!span->lo && span->hi >= UINT32_MAX)
		return boxes_add(ret, &b);
	for (uint64_t i = (uint64_t)span->lo; !r && i <= (uint64_t)span->hi; i++) {
		b.meta = kind == KIND_IIF ? GW_META_IIF(i) : GW_META_OIF(i);
		b.mmask = kind == KIND_IIF ? GW_META_IIF(GW_META_IF_MAX)
					   : GW_META_OIF(GW_META_IF_MAX);
		r = boxes_add(ret, &b);
	}
	return r;
}

/* meta nfproto, meta protocol: true or false, one knows which. */
static bool version_is_in(enum field field, const struct spans *l, int version)
{
	index_addr v = field == FIELD_ID_NFPROTO ? (version == 4 ? 2 : 10)
						 : (version == 4 ? 0x0800 : 0x86dd);

	for (size_t i = 0; i < l->n; i++) {
		if (v >= l->s[i].lo && v <= l->s[i].hi)
			return true;
	}
	return false;
}

static int span_box(int version, struct boxes *ret, enum kind kind, const struct span *s)
{
	struct index_rule b = box_any(version);

	switch (kind) {
	case KIND_SADDR:
		b.s_lo = s->lo;
		b.s_hi = s->hi;
		break;
	case KIND_DADDR:
		b.d_lo = s->lo;
		b.d_hi = s->hi;
		break;
	case KIND_SPORT:
		b.sp_lo = (uint16_t)s->lo;
		b.sp_hi = (uint16_t)s->hi;
		break;
	case KIND_DPORT:
		b.dp_lo = (uint16_t)s->lo;
		b.dp_hi = (uint16_t)s->hi;
		break;
	case KIND_ICMP:
		b.dp_lo = (uint16_t)(s->lo << 8);
		b.dp_hi = (uint16_t)(s->hi << 8 | 0xff);
		break;
	case KIND_PROTO:
		return add_blocks(version, ret, MASKED_PROTO, s, 0xff, 0xff);
	case KIND_MARK:
		return add_blocks(version, ret, MASKED_MARK, s, UINT32_MAX, UINT32_MAX);
	case KIND_TCPF:
		return add_blocks(version, ret, MASKED_TCPF, s, 0xff, 0xff);
	default:
		return add_if(version, ret, kind, s);
	}
	return boxes_add(ret, &b);
}

int field_boxes(const struct ctx *x, enum field field, const struct spans *l, struct boxes *ret)
{
	enum kind kind = kinds[field];
	struct index_rule b = box_any(x->version);
	int r = 0;

	if (kind == KIND_NONE)
		return FLAT_OP;
	if (kind == KIND_VERSION)
		return version_is_in(field, l, x->version) ? boxes_add(ret, &b) : 0;
	if (kind == KIND_STATE) {
		b.states = 0;
		for (size_t i = 0; i < l->n; i++)
			b.states |= (uint8_t)l->s[i].lo;
		return b.states ? boxes_add(ret, &b) : 0;
	}
	for (size_t i = 0; !r && i < l->n; i++)
		r = span_box(x->version, ret, kind, &l->s[i]);
	return r;
}

/* ------------------------------------------------------------------------------------------- what a field implies */

static int imply_boxes(struct seg *s, enum field field)
{
	struct boxes by = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(with_ports); i++) {
		struct index_rule b = box_any(s->x->version);
		bool one = field_rows[field].implies;

		box_masked(&b, MASKED_PROTO, one ? field_rows[field].implies : with_ports[i], 0xff);
		r = boxes_add(&by, &b);
		if (one)
			break;
	}
	if (!r)
		r = boxes_meet(s->x->version, &s->boxes, &by);
	boxes_deinit(&by);
	return r;
}

static bool boxes_have_proto(const struct boxes *l, uint8_t proto)
{
	for (size_t i = 0; i < l->n; i++) {
		if ((l->b[i].mmask & GW_META_PROTO(0xff)) != GW_META_PROTO(0xff) ||
		    (l->b[i].meta & GW_META_PROTO(0xff)) != GW_META_PROTO(proto))
			return false;
	}
	return l->n;
}

int seg_imply(struct seg *s, enum field field)
{
	const struct field_row *row = &field_rows[field];
	struct span proto = { row->implies, row->implies };

	if (row->families != 46 && row->families != s->x->version)
		return FLAT_NEVER;
	/* the field itself is missing where there are no ports */
	if (!row->implies &&
	    ((field != FIELD_ID_TH_SPORT && field != FIELD_ID_TH_DPORT) || s->effects))
		return 0;
	if (row->implies && boxes_have_proto(&s->boxes, row->implies))
		return 0;
	if (!s->effects)
		return imply_boxes(s, field);
	return op_range(s->x, &s->cells, FIELD_ID_L4PROTO, &proto, false, 0);
}

/* --------------------------------------------------------------------------------------------------------- as ops */

static struct gw_op_pair pair_of(index_addr v)
{
	return (struct gw_op_pair){ (uint64_t)(v >> 64), (uint64_t)v };
}

int op_range(const struct ctx *x, struct cells *c, enum field field, const struct span *span,
	     bool negate, unsigned int dir)
{
	struct gw_op op = { .code = GW_OP_RANGE,
			    .field = (uint8_t)field_plain(field),
			    .flags = negate ? GW_OPF_NOT : 0,
			    .mask = UINT32_MAX,
			    .lo = (uint32_t)span->lo,
			    .hi = (uint32_t)span->hi };
	struct gw_op_pair more[2] = { { (uint64_t)span->lo, (uint64_t)span->hi } };

	if (field_rows[field].bits <= 32)
		return cells_add(x, c, &op, NULL);
	op.lo = op.hi = op.mask = 0;
	op.code = field_rows[field].bits > 64 ? GW_OP_RANGE128 : GW_OP_RANGE64;
	op.len = op.code == GW_OP_RANGE128 ? 2 : 1;
	if (field == FIELD_ID_CT_BYTES || field == FIELD_ID_CT_PACKETS)
		op.flags |= dir == 0 ? GW_OPF_BOTH : dir == 2 ? GW_OPF_REPLY : 0;
	if (op.code == GW_OP_RANGE128) {
		more[0] = pair_of(span->lo);
		more[1] = pair_of(span->hi);
	}
	return cells_add(x, c, &op, more);
}

int selector_op(const struct ctx *x, const enum field *fields, unsigned int n, struct gw_op *op)
{
	if (n > 4)
		return refuse(x, "a set that is looked up has at most 4 fields, this one has %u",
			      n);
	op->field = (uint8_t)field_plain(fields[0]);
	for (unsigned int i = 1; i < n; i++)
		op->mask |= (uint32_t)field_plain(fields[i]) << (8 * (i - 1));
	return 0;
}

static int op_set(struct seg *s, const struct match *m)
{
	const enum field *fields = m->n_fields > 1 ? m->more : &m->field;
	struct set_use u = {
		.who = m, .n_fields = MAX(m->n_fields, 1), .elems = m->elems, .n = m->n
	};
	struct gw_op op = { .code = GW_OP_SET, .flags = m->negate ? GW_OPF_NOT : 0 };
	int r;

	if (m->n_fields <= 1 && !mask_is_whole(m))
		return refuse(s->x, "`%s` with a mask can not be looked up in a set",
			      field_rows[m->field].keyword);
	for (unsigned int i = 0; i < u.n_fields; i++) {
		u.types[i] = field_rows[fields[i]].type;
		if (field_rows[fields[i]].bits > 32 && type_rows[u.types[i]].base == BASE_NUM)
			return refuse(s->x, "`%s` can not be looked up in a set",
				      field_rows[fields[i]].keyword);
	}
	if (m->set) {
		r = set_find(s->x, m->set, &u.named);
		if (r)
			return r;
		u.who = u.named;
	}
	r = selector_op(s->x, fields, u.n_fields, &op);
	if (!r)
		r = set_use_make(s->x, &u, &op.lo);
	if (u.named && set_is_dynamic(u.named))
		s->vary |= GW_ENT_VARY;
	return r ? r : cells_add(s->x, &s->cells, &op, NULL);
}

/* Bits of one value: any of them, or exactly these. */
static int op_bits(struct seg *s, const struct match *m, const struct spans *l)
{
	struct gw_op op = { .code = GW_OP_RANGE,
			    .field = (uint8_t)m->field,
			    .flags = m->negate ? GW_OPF_NOT : 0,
			    .mask = match_mask(m) };
	uint32_t bits = 0;

	for (size_t i = 0; i < l->n; i++)
		bits |= (uint32_t)l->s[i].lo;
	if (m->exact) {
		op.lo = op.hi = bits;
	} else {
		op.mask &= bits;
		op.lo = 1;
		op.hi = UINT32_MAX;
	}
	return cells_add(s->x, &s->cells, &op, NULL);
}

/* A number is drawn once for all ops of a rule that name the same state. */
static int op_number(struct seg *s, const struct match *m, const struct span *span, bool negate,
		     bool alone)
{
	struct gw_op op = { .code = GW_OP_NUMGEN,
			    .flags = negate ? GW_OPF_NOT : 0,
			    .mask = m->mod,
			    .lo = (uint32_t)span->lo,
			    .hi = (uint32_t)span->hi };
	struct gw_op_pair state = { 0 };
	uint32_t id = 0;
	int r = 0;

	op.flags |= m->field == FIELD_ID_NUMGEN_INC ? GW_OPF_FROM : 0;
	if (m->field == FIELD_ID_NUMGEN_INC || !alone) {
		op.len = 1;
		r = state_of(s->x, m, 0, &id);
		state.a = id;
	}
	return r ? r : cells_add(s->x, &s->cells, &op, &state);
}

/* In one of several ranges: in none of those between them. */
static int op_numgen(struct seg *s, const struct match *m, struct spans *l)
{
	bool negate = m->negate;
	int r = 0;

	if (l->n > 1 && !negate) {
		r = spans_complement(l, UINT32_MAX);
		negate = true;
	}
	for (size_t i = 0; !r && i < l->n; i++)
		r = op_number(s, m, &l->s[i], negate, l->n == 1);
	s->effects = s->lasting = true; /* asked once */
	return r;
}

static bool match_is_bits(const struct match *m)
{
	return type_rows[field_rows[m->field].type].base == BASE_BITS && !m->is_set && !m->set &&
	       m->op == MATCH_EQ;
}

/* Nothing is in the list. */
static int op_none(struct seg *s, const struct match *m)
{
	return m->negate ? 0 : FLAT_NEVER;
}

/* Wide numbers are no keys of sets: one that is in none of the ranges between those of the match is in it. */
static bool match_is_wide(const struct match *m)
{
	return field_rows[m->field].bits > 32 &&
	       type_rows[field_rows[m->field].type].base == BASE_NUM;
}

static int op_values(struct seg *s, const struct match *m, struct spans *l)
{
	bool negate = m->negate;
	int r = 0;

	if (kinds[m->field] == KIND_VERSION)
		return version_is_in(m->field, l, s->x->version) == m->negate ? FLAT_NEVER : 0;
	if (!l->n)
		return op_none(s, m);
	if (l->n > 1 && !match_is_wide(m) && (!negate || l->n > NOT_ADDRS_MAX))
		return op_set(s, m);
	if (l->n > 1 && !negate) {
		r = spans_complement(l, field_max(m->field));
		negate = true;
	}
	for (size_t i = 0; !r && i < l->n; i++) {
		r = op_range(s->x, &s->cells, m->field, &l->s[i], negate, m->dir);
		if (!r && field_rows[m->field].bits <= 32)
			s->cells.op[s->cells.n - 1].mask = match_mask(m);
	}
	return r;
}

/* One field of many values. */
static bool match_is_large(const struct ctx *x, const struct match *m)
{
	const struct set *set = m->set ? table_set(x->table, m->set) : NULL;

	return m->n_fields <= 1 && mask_is_whole(m) && (set ? set->elems->n : m->n) > ELEMS_MAX;
}

/* Where the set is no list of keys, the index may still know its ranges: in a root where nothing has happened yet. */
static int concat_op(struct seg *s, const struct match *m)
{
	int r = op_set(s, m);
	bool indexed = true;

	if (r != FLAT_WIDE)
		return r;
	for (unsigned int i = 0; i < m->n_fields; i++)
		indexed &= field_is_indexed(m->more[i]);
	if (indexed)
		return m->negate ? FLAT_SKIP : FLAT_APART;
	return refuse(s->x, "the ranges of this set stand for too many keys to look up");
}

static int match_op(struct seg *s, const struct match *m)
{
	const struct set *set = NULL;
	struct spans l = { 0 };
	int r = 0;

	if (m->n_fields > 1)
		return concat_op(s, m);
	if (m->set)
		r = set_find(s->x, m->set, &set);
	if (r)
		return r;
	if ((set && set_is_dynamic(set)) || match_is_large(s->x, m))
		return op_set(s, m);
	/* words of bits are not merged: 1 and 2 are not a range of 1 to 2 */
	for (size_t i = 0; !r && match_is_bits(m) && i < m->n; i++)
		r = spans_elem(s->x, field_rows[m->field].type, &m->elems[i], &l);
	if (!r && match_is_bits(m)) {
		r = l.n ? op_bits(s, m, &l) : op_none(s, m);
		spans_deinit(&l);
		return r;
	}
	if (!r)
		r = spans_match(s->x, m, &l);
	if (r)
		;
	else if (l.n && (m->field == FIELD_ID_NUMGEN_INC || m->field == FIELD_ID_NUMGEN_RANDOM))
		r = op_numgen(s, m, &l);
	else
		r = op_values(s, m, &l);
	spans_deinit(&l);
	return r;
}

/* ------------------------------------------------------------------------------------------------------- as boxes */

static int state_boxes(const struct ctx *x, const struct match *m, struct boxes *ret)
{
	struct index_rule b = box_any(x->version);
	uint32_t bits = 0;

	for (size_t i = 0; i < m->n; i++)
		bits |= (uint32_t)m->elems[i].num_lo;
	b.states = (uint8_t)(m->negate ? ~bits : bits);
	return b.states ? boxes_add(ret, &b) : 0;
}

static int tcpf_boxes(const struct ctx *x, const struct match *m, struct boxes *ret)
{
	uint32_t mask = mask_is_whole(m) ? 0xff : m->mask & 0xff, bits = 0;
	struct index_rule b = box_any(x->version);
	int r = 0;

	for (size_t i = 0; !r && m->is_set && !m->negate && i < m->n; i++) {
		box_masked(&b, MASKED_TCPF, (uint32_t)m->elems[i].num_lo & 0xff, mask);
		r = m->elems[i].num_lo & ~(uint64_t)mask ? 0 : boxes_add(ret, &b);
	}
	if (m->is_set)
		return m->negate ? FLAT_OP : r;
	for (size_t i = 0; i < m->n; i++)
		bits |= (uint32_t)m->elems[i].num_lo;
	if (!m->exact && bits && !(bits & (bits - 1)) && bits & mask) {
		/* one bit: it is set, or it is not */
		box_masked(&b, MASKED_TCPF, m->negate ? 0 : bits, bits);
		return boxes_add(ret, &b);
	}
	if (!m->exact || m->negate)
		return FLAT_OP;
	box_masked(&b, MASKED_TCPF, bits, mask);
	return bits & ~mask ? 0 : boxes_add(ret, &b);
}

/* Which boxes a negated range of addresses is: one that says "not", or those beside it. */
static int addr_not_boxes(const struct ctx *x, enum kind kind, struct spans *l, struct boxes *ret)
{
	int r;

	if (l->n == 1 && (l->s[0].lo || l->s[0].hi < (x->version == 4 ? (index_addr)UINT32_MAX
								      : ~(index_addr)0))) {
		r = span_box(x->version, ret, kind, &l->s[0]);
		if (!r)
			*(kind == KIND_SADDR ? &ret->b[0].not_s : &ret->b[0].not_d) = true;
		return r;
	}
	if (l->n > NOT_ADDRS_MAX)
		return FLAT_OP;
	r = spans_complement(l, x->version == 4 ? UINT32_MAX : ~(index_addr)0);
	for (size_t i = 0; !r && i < l->n; i++)
		r = span_box(x->version, ret, kind, &l->s[i]);
	return r;
}

static int value_boxes(const struct ctx *x, const struct match *m, struct spans *l,
		       struct boxes *ret)
{
	enum kind kind = kinds[m->field];
	uint32_t mask = match_mask(m);
	int r = 0;

	switch (kind) {
	case KIND_SADDR:
	case KIND_DADDR:
		if (m->negate)
			return addr_not_boxes(x, kind, l, ret);
		return l->n > ADDRS_MAX ? FLAT_OP : field_boxes(x, m->field, l, ret);
	case KIND_SPORT:
	case KIND_DPORT:
	case KIND_ICMP:
	case KIND_PROTO:
		if (m->negate)
			r = spans_complement(l, field_max(m->field));
		if (r)
			return r;
		return l->n > PORTS_MAX ? FLAT_OP : field_boxes(x, m->field, l, ret);
	case KIND_MARK:
		if (m->negate || l->n > ADDRS_MAX)
			return FLAT_OP;
		for (size_t i = 0; !r && i < l->n; i++)
			r = add_blocks(x->version, ret, MASKED_MARK, &l->s[i], mask, UINT32_MAX);
		return r ? r : ret->n > BLOCKS_MAX ? FLAT_OP : 0;
	case KIND_IIF:
	case KIND_OIF:
		if (m->negate || l->n > BLOCKS_MAX)
			return FLAT_OP;
		return field_boxes(x, m->field, l, ret);
	default:
		return FLAT_OP;
	}
}

static int one_field_boxes(const struct ctx *x, const struct match *m, struct boxes *ret)
{
	enum kind kind = kinds[m->field];
	struct spans l = { 0 };
	int r;

	if (kind == KIND_NONE || kind == KIND_VERSION || match_is_large(x, m) ||
	    (!mask_is_whole(m) && kind != KIND_MARK && kind != KIND_TCPF))
		return FLAT_OP;
	if ((kind == KIND_STATE || kind == KIND_TCPF) && (m->set || m->op != MATCH_EQ))
		return FLAT_OP;
	if (kind == KIND_STATE)
		return state_boxes(x, m, ret);
	if (kind == KIND_TCPF)
		return tcpf_boxes(x, m, ret);
	r = spans_match(x, m, &l);
	if (!r)
		r = value_boxes(x, m, &l, ret);
	spans_deinit(&l);
	return r;
}

/* One element of a concatenation, all of whose fields the index knows. */
static int concat_elem_boxes(const struct ctx *x, const enum field *fields, unsigned int n,
			     const struct elem *parts, struct boxes *ret)
{
	struct boxes all = { 0 };
	struct index_rule any = box_any(x->version);
	int r = boxes_add(&all, &any);

	for (unsigned int i = 0; !r && i < n; i++) {
		struct boxes one = { 0 };
		struct spans l = { 0 };

		r = spans_elem(x, field_rows[fields[i]].type, &parts[i], &l);
		if (!r)
			r = field_boxes(x, fields[i], &l, &one);
		if (!r)
			r = boxes_meet(x->version, &all, &one);
		spans_deinit(&l);
		boxes_deinit(&one);
	}
	for (size_t i = 0; !r && i < all.n; i++)
		r = boxes_add(ret, &all.b[i]);
	boxes_deinit(&all);
	return r;
}

int concat_boxes(const struct ctx *x, const struct match *m, struct boxes *ret)
{
	const struct elem *elems = m->elems;
	const struct set *set = NULL;
	size_t n = m->n;
	int r = 0;

	for (unsigned int i = 0; i < m->n_fields; i++) {
		if (!field_is_indexed(m->more[i]))
			return FLAT_OP;
	}
	if (m->set)
		r = set_find(x, m->set, &set);
	if (r)
		return r;
	if (set && set_is_dynamic(set))
		return FLAT_OP;
	if (set) {
		elems = set->elems->keys;
		n = set->elems->n;
	}
	for (size_t i = 0; !r && i < n; i++)
		r = concat_elem_boxes(x, m->more, m->n_fields, elems + i * m->n_fields, ret);
	return r;
}

static int match_boxes(const struct ctx *x, const struct match *m, struct boxes *ret)
{
	const struct set *set = NULL;
	int r = m->set ? set_find(x, m->set, &set) : 0;

	if (r)
		return r;
	if (set && set_is_dynamic(set))
		return FLAT_OP;
	if (m->n_fields > 1)
		return m->negate ? FLAT_OP : concat_boxes(x, m, ret);
	return one_field_boxes(x, m, ret);
}

/* The code of the one ICMP type that is left narrows the range of (type, code). */
static int code_boxes(struct seg *s, const struct match *m)
{
	struct boxes out = { 0 };
	struct spans l = { 0 };
	int r;

	if (s->effects || m->negate || m->set || !mask_is_whole(m) || m->n_fields > 1 ||
	    !s->boxes.n)
		return FLAT_OP;
	for (size_t i = 0; i < s->boxes.n; i++) {
		if (s->boxes.b[i].dp_lo & 0xff ||
		    s->boxes.b[i].dp_hi != (s->boxes.b[i].dp_lo | 0xff))
			return FLAT_OP;
	}
	r = spans_match(s->x, m, &l);
	for (size_t i = 0; !r && i < s->boxes.n; i++) {
		for (size_t k = 0; !r && k < l.n; k++) {
			struct index_rule b = s->boxes.b[i];

			b.dp_hi = (uint16_t)(b.dp_lo | (uint16_t)l.s[k].hi);
			b.dp_lo = (uint16_t)(b.dp_lo | (uint16_t)l.s[k].lo);
			r = boxes_add(&out, &b);
		}
	}
	spans_deinit(&l);
	boxes_deinit(&s->boxes);
	s->boxes = out;
	return r;
}

/* ----------------------------------------------------------------------------------------------------------- match */

static uint32_t match_vary(const struct match *m)
{
	uint32_t vary = 0;
	bool syn = m->field == FIELD_ID_TCP_FLAGS && m->n_fields <= 1 && !mask_is_whole(m) &&
		   !(m->mask & ~(uint32_t)7);

	if (m->field == FIELD_ID_TCP_FLAGS && m->n_fields <= 1 && !m->exact && !m->is_set &&
	    !m->set) {
		syn = true;
		for (size_t i = 0; i < m->n; i++)
			syn &= !(m->elems[i].num_lo & ~7ULL);
	}
	if (syn) /* FIN 1, SYN 2, RST 4 */
		return GW_ENT_VARY_SYN;
	for (unsigned int i = 0; i < MAX(m->n_fields, 1); i++)
		vary |= field_vary(m->n_fields > 1 ? m->more[i] : m->field);
	return vary;
}

int seg_match(struct seg *s, const struct match *m)
{
	struct boxes by = { 0 };
	int r = 0;

	for (unsigned int i = 0; !r && i < MAX(m->n_fields, 1); i++)
		r = seg_imply(s, m->n_fields > 1 ? m->more[i] : m->field);
	if (r)
		return r;
	s->vary |= match_vary(m);
	if (m->field == FIELD_ID_ICMP_CODE || m->field == FIELD_ID_ICMP6_CODE)
		r = code_boxes(s, m);
	else
		r = s->effects ? FLAT_OP : match_boxes(s->x, m, &by);
	if (r == FLAT_OP)
		r = match_op(s, m);
	else if (!r && m->field != FIELD_ID_ICMP_CODE && m->field != FIELD_ID_ICMP6_CODE)
		r = boxes_meet(s->x->version, &s->boxes, &by);
	boxes_deinit(&by);
	return r;
}
