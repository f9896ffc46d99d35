/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIB_IMAGE_EVAL_H
#define TESTS_LIB_IMAGE_EVAL_H
/*
 * eval - a slot of an image in user space, as <gw/image.h> states it: the classifier is the data plane's own (core/find.h, core/set.h), what is
 * around it is written here a second time.  The includer has struct packet, struct notes and struct memory (unit/compile_walk.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <gw/abi.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline, unused))
#endif

static const uint8_t *eval_lines;
static size_t eval_nlines;

static inline const void *region_line(uint32_t line)
{
	return line < eval_nlines ? eval_lines + (size_t)line * GW_LINE_SIZE : NULL;
}

static long bpf_loop(uint32_t n, void *step, void *ctx, uint64_t flags)
{
	long (*one)(uint32_t, void *) = (long (*)(uint32_t, void *))step;

	for (uint32_t i = 0; i < n; i++) {
		if (one(i, ctx))
			return i + 1;
	}
	return n;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include <core/set.h>
#pragma GCC diagnostic pop

struct eval {
	struct packet p;
	struct memory *m;
	struct notes *n;
	uint64_t ran;		/* GW_OP_* that this test has seen */
	uint32_t drawn, number; /* of this rule: state and what it gave */
};

static inline const void *eval_head(void)
{
	return region_line(0);
}

static inline const struct gw_root *eval_root(uint32_t root)
{
	const struct gw_head *h = eval_head();

	must(root < h->n_roots);
	return region_line(h->o_root + root * GW_ROOT_LINES);
}

static inline void eval_key(const struct packet *p, struct find_key *k)
{
	num s = bytes_num(p->saddr, p->version == 4 ? 4 : 16);
	num d = bytes_num(p->daddr, p->version == 4 ? 4 : 16);

	*k = (struct find_key){
		.s = { (uint64_t)(s >> 64), (uint64_t)s },
		.d = { (uint64_t)(d >> 64), (uint64_t)d },
		.meta = GW_META_IIF(p->iif) | GW_META_OIF(p->oif) | GW_META_PROTO(p->proto) |
			GW_META_TCPF(p->proto == IPPROTO_TCP ? p->flags : 0),
		.dport = p->dport,
		.sport = p->sport,
		.mark = p->mark,
		.state = (uint8_t)(1U << p->ctstate),
	};
}

static inline bool eval_range(struct eval *e, const struct gw_op *op)
{
	const struct gw_op_pair *more = (const struct gw_op_pair *)(op + 1);
	num v, lo = op->lo, hi = op->hi;

	if (!packet_field(&e->p, (enum field)op->field, &v))
		return false;
	if (op->code == GW_OP_RANGE) {
		v = (uint32_t)v & op->mask;
	} else if (op->code == GW_OP_RANGE64) {
		lo = more[0].a;
		hi = more[0].b;
	} else {
		lo = (num)more[0].a << 64 | more[0].b;
		hi = (num)more[1].a << 64 | more[1].b;
	}
	return (v >= lo && v <= hi) != !!(op->flags & GW_OPF_NOT);
}

/* Bytes of a field in keys, by what the ABI says of their types. */
static inline size_t eval_bytes(enum field f)
{
	switch (f) {
	case FIELD_ID_L4PROTO:
	case FIELD_ID_IP_DSCP:
	case FIELD_ID_IP6_DSCP:
	case FIELD_ID_ICMP_TYPE:
	case FIELD_ID_ICMP6_TYPE:
	case FIELD_ID_ICMP_CODE:
	case FIELD_ID_ICMP6_CODE:
	case FIELD_ID_TCP_FLAGS:
		return 1;
	case FIELD_ID_TCP_SPORT:
	case FIELD_ID_TCP_DPORT:
	case FIELD_ID_UDP_SPORT:
	case FIELD_ID_UDP_DPORT:
	case FIELD_ID_TH_SPORT:
	case FIELD_ID_TH_DPORT:
		return 2;
	case FIELD_ID_ETHER_SADDR:
		return 6;
	case FIELD_ID_IP6_SADDR:
	case FIELD_ID_IP6_DADDR:
		return 16;
	default:
		return 4;
	}
}

static inline const struct gw_set *eval_set(uint32_t set)
{
	const struct gw_head *h = eval_head();

	must(set < h->n_sets);
	return region_line(h->o_set + set);
}

static inline bool eval_set_key(struct eval *e, const struct gw_op *op, struct gw_dynkey *k)
{
	const uint8_t fields[4] = { op->field, op->mask & 0xff, op->mask >> 8 & 0xff,
				    op->mask >> 16 & 0xff };
	size_t at = 0;

	*k = (struct gw_dynkey){ .set = eval_set(op->lo)->id };
	for (int i = 0; i < 4 && fields[i]; i++) {
		size_t bytes = eval_bytes((enum field)fields[i]);
		num v;

		if (!packet_field(&e->p, (enum field)fields[i], &v))
			return false;
		must(at + bytes <= sizeof(k->key));
		for (size_t b = bytes; b--; v >>= 8)
			k->key[at + b] = (uint8_t)v;
		at += (bytes + 3) & ~3UL;
	}
	return true;
}

static inline bool eval_in_set(struct eval *e, const struct gw_op *op)
{
	const struct gw_set *s = eval_set(op->lo);
	struct gw_dynkey k;
	bool in;
	int at;

	if (!eval_set_key(e, op, &k))
		return false;
	in = set_has(0, op->lo, &k);
	if (!in && s->flags & GW_SETF_DYN) {
		at = dyn_find(e->m, k.set, k.key, sizeof(k.key));
		in = at >= 0 && e->m->dyn[at].in;
	}
	return in != !!(op->flags & GW_OPF_NOT);
}

static inline bool eval_change_set(struct eval *e, const struct gw_op *op)
{
	static const int verbs[] = { SET_ADD, SET_UPDATE, SET_DELETE };
	struct gw_dynkey k;

	if (!eval_set_key(e, op, &k))
		return false;
	must(eval_set(op->lo)->flags & GW_SETF_DYN);
	dyn_put(e->m, k.set, k.key, sizeof(k.key), op->code != GW_OP_SETDEL);
	note(e->n, NOTE_SET, k.set, (uint64_t)verbs[op->code - GW_OP_SETADD]);
	return true;
}

static inline bool eval_mark(struct eval *e, const struct gw_op *op)
{
	uint32_t *to = op->code == GW_OP_MARK ? &e->p.mark : &e->p.ctmark;
	uint32_t other = op->code == GW_OP_MARK ? e->p.ctmark : e->p.mark;

	*to = (op->flags & GW_OPF_FROM ? (*to & op->hi) ^ (other & op->mask) : *to & ~op->mask) ^
	      op->lo;
	note(e->n, op->code == GW_OP_MARK ? NOTE_MARK : NOTE_CTMARK, *to, 0);
	return true;
}

static inline bool eval_numgen(struct eval *e, const struct gw_op *op)
{
	const struct gw_op_pair *more = (const struct gw_op_pair *)(op + 1);
	uint32_t v;

	must(op->flags & GW_OPF_FROM && more->a < GW_STATES_MAX);
	if (e->drawn != more->a)
		e->number = e->m->asked[more->a]++;
	e->drawn = (uint32_t)more->a;
	v = e->number % op->mask;
	return (v >= op->lo && v <= op->hi) != !!(op->flags & GW_OPF_NOT);
}

/* false: the rule does not apply. */
static inline bool eval_op(struct eval *e, const struct gw_op *op)
{
	must(op->code < 64);
	e->ran |= 1ULL << op->code;
	switch (op->code) {
	case GW_OP_RANGE:
	case GW_OP_RANGE64:
	case GW_OP_RANGE128:
		return eval_range(e, op);
	case GW_OP_SET:
		return eval_in_set(e, op);
	case GW_OP_LIMIT:
		return limit_asks(e->m, e->n, op->lo, op->flags & GW_OPF_NOT);
	case GW_OP_NUMGEN:
		return eval_numgen(e, op);
	case GW_OP_COUNT:
		must(op->lo && op->lo < CIDS_MAX);
		e->n->count[op->lo]++;
		return true;
	case GW_OP_LOG:
		note(e->n, NOTE_LOG, op->lo, 0);
		return true;
	case GW_OP_MARK:
	case GW_OP_CTMARK:
		return eval_mark(e, op);
	case GW_OP_DSCP:
		e->p.dscp = (uint8_t)op->lo;
		note(e->n, NOTE_DSCP, op->lo, 0);
		return true;
	case GW_OP_NOTRACK:
		note(e->n, NOTE_NOTRACK, 0, 0);
		return true;
	case GW_OP_SETADD:
	case GW_OP_SETUPD:
	case GW_OP_SETDEL:
		return eval_change_set(e, op);
	default:
		ck_abort_msg("op %u is not evaluated", op->code);
	}
}

static inline bool eval_ops(struct eval *e, const struct gw_act *act)
{
	struct gw_op cells[GW_ACT_CELLS_MAX + 4];

	must(act->n_cells <= GW_ACT_CELLS_MAX);
	e->drawn = 0;
	memcpy(cells, act->cell, sizeof(act->cell));
	memcpy(cells + 3, act + 1, act->n_cells > 3 ? (act->n_cells - 3U) * 16 : 0);
	for (unsigned int i = 0; i < act->n_cells; i += 1U + cells[i].len) {
		if (!eval_op(e, &cells[i]))
			return false;
	}
	return true;
}

struct eval_stack {
	uint32_t root, min, base;
	struct {
		uint32_t root, min;
	} frame[GW_JUMP_DEPTH];
	int n;
};

/* The end of a chain. */
static inline bool eval_return(struct eval *e, struct eval_stack *s)
{
	const struct gw_root *base = eval_root(s->base);

	if (s->n) {
		s->n--;
		s->root = s->frame[s->n].root;
		s->min = s->frame[s->n].min;
		return true;
	}
	e->n->count[base->cid]++;
	if (base->policy == GW_V_DROP)
		note(e->n, NOTE_END, GW_V_DROP, 0);
	s->root = base->policy == GW_V_DROP ? GW_NO_ROOT : base->next;
	s->base = s->root;
	s->min = 0;
	return s->root != GW_NO_ROOT;
}

/* false: the slot is over. */
static inline bool eval_verdict(struct eval *e, struct eval_stack *s, const struct find *f,
				const struct gw_act *act)
{
	uint32_t v = GW_ENT_VERDICT(f->flags);

	if (f->id && !(act && act->flags & GW_ACT_NO_COUNT))
		e->n->count[f->id]++;
	s->min = f->prio + 1;
	switch (v) {
	case GW_V_CONTINUE:
		return true;
	case GW_V_NAT:
		note(e->n, NOTE_NAT, 0, 0)->nat = *(const struct gw_nat *)(act + act->nat);
		/* fallthrough */
	case GW_V_ACCEPT:
		s->root = s->base = eval_root(s->base)->next;
		s->min = 0;
		s->n = 0;
		return s->root != GW_NO_ROOT;
	case GW_V_DROP:
	case GW_V_REJECT:
		note(e->n, NOTE_END, v, v == GW_V_REJECT ? act->arg : 0);
		return false;
	case GW_V_JUMP:
		must(s->n < GW_JUMP_DEPTH);
		s->frame[s->n].root = s->root;
		s->frame[s->n++].min = s->min;
		/* fallthrough */
	case GW_V_GOTO:
		s->root = act->arg;
		s->min = 0;
		return true;
	case GW_V_RETURN:
		return eval_return(e, s);
	default:
		ck_abort_msg("verdict %u", v);
	}
}

static inline void eval_slot(const void *lines, size_t nlines, int hook, struct eval *e)
{
	const struct gw_head *h = lines;
	uint32_t slot = (uint32_t)hook * 2 + (e->p.version == 6), root;
	struct eval_stack s = { 0 };

	eval_lines = lines;
	eval_nlines = nlines;
	root = ((const uint32_t *)region_line(h->o_slot))[slot];
	must(!!((e->p.version == 6 ? h->hooks6 : h->hooks4) & (1U << hook)) ==
	     (root != GW_NO_ROOT));
	if (root == GW_NO_ROOT)
		return;
	s.root = s.base = root;
	for (int steps = 0;; steps++) {
		struct find f = { .root = s.root, .min = s.min };
		const struct gw_act *act = NULL;
		struct find_key k;

		must(steps < 100000);
		eval_key(&e->p, &k);
		find_first(&f, &k, e->p.version == 6);
		if (f.prio == FIND_NONE) {
			if (!eval_return(e, &s))
				return;
			continue;
		}
		if (GW_ENT_ACT(f.flags))
			act = region_line(h->o_act + GW_ENT_ACT(f.flags));
		if (act && !eval_ops(e, act))
			s.min = f.prio + 1;
		else if (!eval_verdict(e, &s, &f, act))
			return;
	}
}
#endif
