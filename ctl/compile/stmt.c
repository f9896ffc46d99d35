/* SPDX-License-Identifier: GPL-2.0-only */
/* Statements as ops.  A map that gives a mark its value is not known here: see flat.c. */
#include <compile/impl.h>
#include <netinet/in.h>

static int need_id(const struct seg *s, uint32_t id, const char *what)
{
	if (id && id < GW_STATES_MAX)
		return 0;
	return refuse(s->x, "there are more than %u limits, quotas and counts: no room for this %s",
		      GW_STATES_MAX - 1, what);
}

static uint64_t saturate(unsigned __int128 v)
{
	return v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
}

/* A token bucket: what one unit costs and how much time can be saved up, in ns << 8. */
static struct gw_op_pair limit_pair(const struct limit *l)
{
	unsigned __int128 ns = (unsigned __int128)l->unit_s * 1000000000ULL << 8;
	uint64_t rate = MAX(l->rate, 1U), burst = l->burst;
	struct gw_op_pair p;

	if (!burst && !l->bytes)
		burst = 5;
	p.a = MAX(saturate(ns / rate), 1U);
	/* bytes: what the rate gives in one unit of time fits, too */
	p.b = saturate(l->bytes ? ns * (rate + burst) / rate : (unsigned __int128)p.a * burst);
	return p;
}

static int op_limit(struct seg *s, const struct limit *l, uint32_t id)
{
	struct gw_op_pair more = limit_pair(l);
	struct gw_op op = { .code = GW_OP_LIMIT,
			    .flags = (l->over ? GW_OPF_NOT : 0) | (l->bytes ? GW_OPF_BYTES : 0),
			    .len = 1,
			    .lo = id };
	int r = need_id(s, id, "limit");

	return r ? r : cells_add(s->x, &s->cells, &op, &more);
}

static int op_quota(struct seg *s, uint64_t bytes, bool over, uint32_t id)
{
	struct gw_op_pair more = { .a = bytes };
	struct gw_op op = {
		.code = GW_OP_QUOTA, .flags = over ? GW_OPF_NOT : 0, .len = 1, .lo = id
	};
	int r = need_id(s, id, "quota");

	return r ? r : cells_add(s->x, &s->cells, &op, &more);
}

static int op_object(struct seg *s, const struct stmt *st)
{
	const struct object *o = table_object(s->x->table, st->object.kind, st->object.name);
	struct gw_op op = { .code = GW_OP_COUNT };

	if (!o)
		return refuse(s->x, "there is no %s `%s`", object_kind_name((int)st->object.kind),
			      st->object.name);
	if (o->kind == OBJECT_LIMIT)
		return op_limit(s, &o->limit, o->id);
	if (o->kind == OBJECT_QUOTA)
		return op_quota(s, o->quota, o->quota_over, o->id);
	op.lo = o->id;
	return cells_add(s->x, &s->cells, &op, NULL);
}

/* Nothing in the data plane counts a connection out when it ends. */
static int refuse_ctcount(const struct seg *s)
{
	return refuse(s->x, "`ct count` is not supported");
}

/* mark = (mark & ~op.mask) ^ lo; of the other mark: (other & op.mask) ^ lo */
static int op_mark(struct seg *s, const struct stmt *st)
{
	struct gw_op op = { .code = st->kind == STMT_MARK ? GW_OP_MARK : GW_OP_CTMARK,
			    .flags = st->mark.from_other ? GW_OPF_FROM : 0,
			    .mask = st->mark.from_other ? st->mark.mask : ~st->mark.mask,
			    .lo = st->mark.value };

	if (st->mark.map) {
		/* an element's value, as it is */
		op.flags = 0;
		op.mask = UINT32_MAX;
	}
	return cells_add(s->x, &s->cells, &op, NULL);
}

static int op_value(struct seg *s, const struct stmt *st)
{
	struct gw_op op = { .lo = st->value.value };

	if (st->kind == STMT_ZONE)
		op.code = GW_OP_ZONE;
	else if (st->value.family && st->value.family != s->x->version)
		return FLAT_NEVER;
	else
		op.code = st->kind == STMT_DSCP ? GW_OP_DSCP : GW_OP_TTL;
	if (st->kind == STMT_TTL)
		op.hi = (uint32_t)st->value.op;
	return cells_add(s->x, &s->cells, &op, NULL);
}

static int op_mss(struct seg *s, const struct stmt *st)
{
	struct gw_op op = { .code = GW_OP_MSS,
			    .flags = st->mss.value && !st->mss.never_raise ? GW_OPF_FROM : 0,
			    .lo = st->mss.value };
	int r = seg_imply(s, FIELD_ID_TCP_FLAGS); /* any field of TCP */

	return r ? r : cells_add(s->x, &s->cells, &op, NULL);
}

static int op_change_set(struct seg *s, const struct stmt *st)
{
	static const uint8_t codes[] = {
		[SET_ADD] = GW_OP_SETADD, [SET_UPDATE] = GW_OP_SETUPD, [SET_DELETE] = GW_OP_SETDEL
	};
	struct gw_op op = { .code = codes[st->set.verb] };
	struct gw_op_pair more = { 0 };
	struct set_use u = { 0 };
	int r = set_find(s->x, st->set.set, &u.named);

	if (r)
		return r;
	if (!set_is_dynamic(u.named))
		return refuse(s->x,
			      "set `%s` can not be changed by packets: it needs the flag "
			      "`dynamic` or `timeout`, and not `interval`",
			      st->set.set);
	if (st->set.has_ctcount)
		return refuse_ctcount(s);
	u.who = u.named;
	for (unsigned int i = 0; !r && i < st->set.key.n; i++)
		r = seg_imply(s, st->set.key.fields[i]);
	if (!r)
		r = selector_op(s->x, st->set.key.fields, st->set.key.n, &op);
	if (!r)
		r = set_use_make(s->x, &u, &op.lo);
	if (r)
		return r;
	op.hi = (uint32_t)MIN((st->set.timeout_ms + 999) / 1000, UINT32_MAX);
	op.flags |= st->set.counter ? GW_OPF_COUNT : 0;
	if (st->set.has_limit) {
		more = limit_pair(&st->set.limit);
		op.len = 1;
		op.flags |= GW_OPF_LIMIT | (st->set.limit.bytes ? GW_OPF_BYTES : 0) |
			    (st->set.limit.over ? GW_OPF_NOT : 0);
	}
	return cells_add(s->x, &s->cells, &op, &more);
}

static int op_word(struct seg *s, uint8_t code, uint32_t lo)
{
	struct gw_op op = { .code = code, .lo = lo };

	return cells_add(s->x, &s->cells, &op, NULL);
}

static int stmt_op(struct seg *s, const struct stmt *st)
{
	switch (st->kind) {
	case STMT_COUNTER:
		return op_word(s, GW_OP_COUNT, s->x->rule->cid);
	case STMT_OBJECT:
		return op_object(s, st);
	case STMT_NOTRACK:
		return op_word(s, GW_OP_NOTRACK, 0);
	case STMT_LOG:
		return op_word(s, GW_OP_LOG, st->id);
	case STMT_LIMIT:
		return op_limit(s, &st->limit, st->id);
	case STMT_QUOTA:
		return op_quota(s, st->quota.bytes, st->quota.over, st->id);
	case STMT_CTCOUNT:
		return refuse_ctcount(s);
	case STMT_MARK:
	case STMT_CTMARK:
		return op_mark(s, st);
	case STMT_DSCP:
	case STMT_TTL:
	case STMT_ZONE:
		return op_value(s, st);
	case STMT_MSS:
		return op_mss(s, st);
	default:
		return op_change_set(s, st);
	}
}

/* Does what the statement does, or whether it passes, differ between packets of a flow?  Counters go with the verdict that is kept. */
static uint32_t stmt_vary(const struct stmt *st)
{
	switch (st->kind) {
	case STMT_COUNTER:
	case STMT_NOTRACK:
	case STMT_ZONE:
		return 0;
	case STMT_OBJECT:
		return st->object.kind == OBJECT_COUNTER ? 0 : GW_ENT_VARY;
	case STMT_MSS: /* only SYNs have one */
		return GW_ENT_VARY_SYN;
	default:
		return GW_ENT_VARY;
	}
}

/* Statements that nothing behind them can tell. */
static bool stmt_is_note(const struct stmt *st)
{
	return st->kind == STMT_COUNTER || st->kind == STMT_LOG ||
	       (st->kind == STMT_OBJECT && st->object.kind == OBJECT_COUNTER);
}

int seg_stmt(struct seg *s, const struct stmt *st)
{
	unsigned int before = s->cells.n;
	int r = stmt_op(s, st);

	if (r)
		return r;
	if (stmt_is_note(st))
		s->notes |= 1ULL << before;
	else
		s->lasting = true;
	s->effects = true;
	s->vary |= stmt_vary(st);
	return 0;
}
