/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_FIND_H
#define GW_FIND_H
/*
 * find - which entry of a root matches first?  The reader of what ctl/compile/index.c writes (gw/image.h).
 *
 * Both addresses give a label and a class; the classes tell which pairs of (source depth, destination depth) can exist for this packet; one
 * hash probe for each of them finds the entries with exactly these two labels.  Large groups are split again by ports and exact fields.
 *
 * The includer defines region_line(line): a const void * to 64 bytes, NULL outside.  Nothing else is known of the region, so this is plain C
 * for both compilers: the object reads a map, a unit test reads memory.  It also needs bpf_loop() and __noinline.
 *
 * For the verifier (6.1 is the strictest): what branches is a global function, verified once; state is in struct find, whose
 * scalars are unknown to it, so paths merge; a missing line leaves at once.
 */
#include <core/key.h>

int find_first(struct find *f, const struct find_key *k, __u32 v6);
int find_list(struct find *f, const struct find_key *k);
int find_split(struct find *f, const struct find_key *k, const struct gw_ent *e);
int find_xaddr(const struct find *f, const struct find_key *k, __u32 xa, __u32 flags, __u32 v6);
int find_pairs(struct find *f, __u32 line);
int find_least(struct find *f, __u32 line, __u32 rows, __u32 columns);
int find_pop(struct find *f);
int find_values4(struct find *f, const struct find_key *k, __u32 line);
int find_values6(struct find *f, const struct find_key *k, __u32 line);
int find_sub(struct find *f, __u64 at, __u32 line, __u32 dim);

/* The first two lines of a struct gw_root as they are read. */
struct find_line0 {
	struct gw_dim s;
	__u64 base; /* the destination's */
	__u16 sh, flags;
	__u32 nx, o_dx, o_rr;
};
struct find_line1 {
	__u32 o_cl, o_par, o_sub, o_least; /* the destination's */
	__u32 nbkt, o_bkt, o_rul, o_grp, o_spc, o_dpc, o_spn, o_dpn, o_sppar, o_dppar;
	__u64 delta; /* ndelta, o_delta: one load, see gw_root */
};
_Static_assert(sizeof(struct find_line0) == 64 && sizeof(struct find_line1) == 64 &&
		       __builtin_offsetof(struct gw_root, nbkt) ==
			       64 + __builtin_offsetof(struct find_line1, nbkt) &&
		       __builtin_offsetof(struct gw_root, ndelta) ==
			       64 + __builtin_offsetof(struct find_line1, delta),
	       "struct gw_root changed");

/* The compiler forgets what it knows about x: it may neither drop the mask in front nor turn arithmetic into branches. */
#define find_opaque(x) asm volatile("" : "+r"(x))

static __always_inline __u32 find_low(__u32 i, __u32 mask)
{
	i &= mask;
	find_opaque(i);
	return i;
}

/* Elements of an array that starts at a line. */
static __always_inline const __u32 *find_u32(__u32 line, __u32 i)
{
	const __u32 *p = region_line(line + (i >> 4));

	return p ? p + find_low(i, 15) : NULL;
}

static __always_inline const __u64 *find_u64(__u32 line, __u32 i)
{
	const __u64 *p = region_line(line + (i >> 3));

	return p ? p + find_low(i, 7) : NULL;
}

static __always_inline const struct gw_pair64 *find_pair64(__u32 line, __u32 i)
{
	const struct gw_pair64 *p = region_line(line + (i >> 2));

	return p ? p + find_low(i, 3) : NULL;
}

static __always_inline const struct gw_class *find_class(__u32 line, __u32 i)
{
	const struct gw_class *p = region_line(line + (i >> 2));

	return p ? p + find_low(i, 3) : NULL;
}

/* ------------------------------------------------------------------------------------------------- one entry */

static __always_inline bool find_in(const __u64 *a, const __u64 *lo, const __u64 *hi, __u32 v6)
{
	if (!v6)
		return a[1] >= lo[1] && a[1] <= hi[1];
	if (a[0] < lo[0] || (a[0] == lo[0] && a[1] < lo[1]))
		return false;
	return a[0] < hi[0] || (a[0] == hi[0] && a[1] <= hi[1]);
}

__noinline int find_xaddr(const struct find *f, const struct find_key *k, __u32 xa, __u32 flags,
			  __u32 v6)
{
	const struct gw_xaddr *x;

	if (!f || !k)
		return 0;
	x = region_line(f->o_xaddr + xa);
	if (!x)
		return 0;
	return find_in(k->s, x->s_lo, x->s_hi, v6) == !(flags & GW_ENT_NOT_SADDR) &&
	       find_in(k->d, x->d_lo, x->d_hi, v6) == !(flags & GW_ENT_NOT_DADDR);
}

/* Does the entry match?  Its prio is in f->min .. f->prio - 1.  What lasts for a flow first: only then does it count as varying. */
static __always_inline bool find_match(struct find *f, const struct find_key *k,
				       const struct gw_ent *e, __u32 v6)
{
	const struct gw_misc *m = region_line(f->o_misc + (e->misc >> 1));
	__u32 flags = e->flags;
	__u64 differs;

	if (!m)
		return false;
	m += find_low(e->misc, 1);
	differs = (k->meta & m->mmask) ^ m->meta;
	if (differs >> 8 || (__u32)k->dport - e->dplo > e->dpw ||
	    (__u32)k->sport - m->splo > m->spw || !(GW_MISC_STATES(m->xa) & k->state))
		return false;
	if (GW_MISC_XADDR(m->xa) && !find_xaddr(f, k, GW_MISC_XADDR(m->xa), flags, v6))
		return false;
	if (flags & GW_ENT_VARY || (flags & GW_ENT_VARY_SYN && k->syn)) {
		if (e->prio < f->vary)
			f->vary = e->prio;
	}
	if (differs || (k->mark & m->markm) != m->mark)
		return false;
	f->prio = e->prio;
	f->id = e->id;
	f->flags = flags;
	return true;
}

/* find_list's `how` */
#define FIND_V6	    (1U << 0)
#define FIND_SORTED (1U << 1) /* ends with GW_ENT_LAST, prios ascend */

struct find_walk {
	struct find *f;
	const struct find_key *k;
	__u64 v6;
};

/* One entry of a list; 1 ends it. */
static __always_inline long find_list_one(struct find *f, const struct find_key *k, __u32 at,
					  __u32 how)
{
	const struct gw_ent *e = region_line(at >> 1);

	if (!e)
		return 1;
	e += find_low(at, 1);
	if (e->prio >= f->prio)
		return how & FIND_SORTED;
	if (e->prio >= f->min)
		find_match(f, k, e, how & FIND_V6);
	return e->flags & GW_ENT_LAST;
}

#define FIND_LIST_MAX	(1U << 20)
#define FIND_LIST_ROUND 16

/*
 * The next entries of the list f->list_*.  What is left of it is the next step's of the loop over probes: a loop of its own would be one frame
 * too many on top of everything that calls a search.
 */
__noinline int find_list(struct find *f, const struct find_key *k)
{
	if (!f || !k)
		return 0;
	for (int i = 0; i < FIND_LIST_ROUND; i++) {
		if (!f->list_n)
			return 0;
		f->list_n--;
		if (find_list_one(f, k, f->list_at, f->list_how)) {
			f->list_n = 0;
			return 0;
		}
		f->list_at++;
	}
	return 0;
}

/* A list of entries: n of them at most. */
static __always_inline void find_list_set(struct find *f, __u32 at, __u32 n, __u32 how)
{
	f->list_at = at;
	f->list_n = n;
	f->list_how = how;
}

/* ------------------------------------------------------------------------------------------- addresses -> labels */

/* Which intervals of dimension `dim` may hold the address: f->n from f->lo on. */
static __always_inline bool find_chunk(struct find *f, __u32 dim, __u64 at, __u64 base, __u32 sh,
				       __u32 nx, __u32 o_dx)
{
	__u64 chunk = (at - base) >> (sh & 63);
	const __u32 *lo, *hi;

	f->lo[dim] = 0;
	f->n[dim] = 1;
	if (at < base)
		return true;
	if (chunk > nx)
		chunk = nx;
	lo = find_u32(f->half + o_dx, chunk);
	hi = find_u32(f->half + o_dx, chunk + (chunk < nx));
	if (!lo || !hi)
		return false;
	f->lo[dim] = *lo;
	f->n[dim] = *hi - *lo + 1;
	return true;
}

#define FIND_STEPS 22 /* 2^21 intervals in one chunk */

/* How far a search may go on: `half` if a >= b, else 0.  Without a branch: they would double the paths, and be mispredicted. */
static __always_inline __u32 find_advance(__u64 a, __u64 b, __u32 half)
{
	__u64 less = (~a & b) | ((~a | b) & (a - b)); /* bit 63: the borrow of a - b */

	half &= (__u32)(less >> 63) - 1;
	find_opaque(half);
	return half;
}

/* Both searches in one loop: their cache misses overlap.  An interval found stays: its own start does not take part. */
static __always_inline bool find_search4(struct find *f, const struct find_key *k,
					 const struct find_line0 *r)
{
	__u32 lo0 = f->lo[0], n0 = f->n[0], lo1 = f->lo[1], n1 = f->n[1];
	__u32 o0 = f->half + r->s.o_rr, o1 = f->half + r->o_rr;
	__u64 at0 = k->s[1] & 0xffffff, at1 = k->d[1] & 0xffffff;
	const __u64 *p, *q;

	for (int i = 0; i < FIND_STEPS; i++) {
		__u32 half0 = n0 >> 1, half1 = n1 >> 1;

		if ((n0 | n1) <= 1)
			break;
		p = find_u64(o0, lo0 + half0);
		q = find_u64(o1, lo1 + half1);
		if (!p || !q)
			return false;
		lo0 += find_advance(at0, *p >> 40, half0);
		lo1 += find_advance(at1, *q >> 40, half1);
		n0 -= half0;
		n1 -= half1;
	}
	p = find_u64(o0, lo0);
	q = find_u64(o1, lo1);
	if (!p || !q)
		return false;
	f->value[0] = *p;
	f->value[1] = *q;
	return true;
}

__noinline int find_values4(struct find *f, const struct find_key *k, __u32 line)
{
	const struct find_line0 *r = region_line(line);

	if (!f || !k || !r)
		return 0;
	if (!find_chunk(f, 0, k->s[1], r->s.base, r->s.sh, r->s.nx, r->s.o_dx) ||
	    !find_chunk(f, 1, k->d[1], r->base, r->sh, r->nx, r->o_dx))
		return 0;
	return find_search4(f, k, r);
}

/* The interval of f->value[dim], an IPv6 one with several starts in its upper half: the last that starts at or below `at`. */
__noinline int find_sub(struct find *f, __u64 at, __u32 line, __u32 dim)
{
	const struct gw_pair64 *p;
	__u32 lo, n;

	if (!f)
		return 0;
	dim = find_low(dim, 1);
	lo = (__u32)f->value[dim];
	n = (__u32)(f->value[dim] >> 32) & 0x7fffffff;
	for (int i = 0; i < FIND_STEPS; i++) {
		__u32 half = n >> 1;

		if (n <= 1)
			break;
		p = find_pair64(line, lo + half);
		if (!p)
			return 0;
		lo += find_advance(at, p->at, half);
		n -= half;
	}
	p = find_pair64(line, lo);
	if (!p)
		return 0;
	f->value[dim] = p->value;
	return 1;
}

/* As find_values4, by the upper halves. */
static __always_inline bool find_upper6(struct find *f, const struct find_key *k,
					const struct find_line0 *r)
{
	__u32 lo0 = f->lo[0], n0 = f->n[0], lo1 = f->lo[1], n1 = f->n[1];
	__u32 o0 = f->half + r->s.o_rr, o1 = f->half + r->o_rr;
	__u64 at0 = k->s[0], at1 = k->d[0];
	const struct gw_pair64 *p, *q;

	for (int i = 0; i < FIND_STEPS; i++) {
		__u32 half0 = n0 >> 1, half1 = n1 >> 1;

		if ((n0 | n1) <= 1)
			break;
		p = find_pair64(o0, lo0 + half0);
		q = find_pair64(o1, lo1 + half1);
		if (!p || !q)
			return false;
		lo0 += find_advance(at0, p->at, half0);
		lo1 += find_advance(at1, q->at, half1);
		n0 -= half0;
		n1 -= half1;
	}
	p = find_pair64(o0, lo0);
	q = find_pair64(o1, lo1);
	if (!p || !q)
		return false;
	f->value[0] = p->value;
	f->value[1] = q->value;
	/* behind the upper half that is divided, its last part goes on */
	f->lo[0] = p->at != at0;
	f->lo[1] = q->at != at1;
	return true;
}

__noinline int find_values6(struct find *f, const struct find_key *k, __u32 line)
{
	const struct find_line0 *r = region_line(line);
	const struct find_line1 *r1 = region_line(line + 1);

	if (!f || !k || !r || !r1)
		return 0;
	if (!find_chunk(f, 0, k->s[0], r->s.base, r->s.sh, r->s.nx, r->s.o_dx) ||
	    !find_chunk(f, 1, k->d[0], r->base, r->sh, r->nx, r->o_dx) || !find_upper6(f, k, r))
		return 0;
	if (f->value[0] & GW_DIM_SUB &&
	    !find_sub(f, k->s[1] | -(__u64)f->lo[0], f->half + r->s.o_sub, 0))
		return 0;
	if (f->value[1] & GW_DIM_SUB &&
	    !find_sub(f, k->d[1] | -(__u64)f->lo[1], f->half + r1->o_sub, 1))
		return 0;
	return 1;
}

/* Labels of one dimension from depth `lev` up, as far as `need` (bit 7 - depth) asks for them. */
static __always_inline bool find_up(struct find *f, __u32 *labels, __u32 label, __u32 lev,
				    __u32 need, __u32 o_par)
{
	const __u32 *par;

	labels[0] = 0;
	need &= 0x7f;
	for (int i = 0; i < GW_DEPTHS; i++) {
		labels[find_low(lev, 7)] = label;
		if (!(need >> find_low(8 - lev, 15)))
			break;
		par = find_u32(o_par, label);
		if (!par)
			return false;
		label = *par;
		lev--;
	}
	return true;
}

/* Which depths of the source's and the destination's labels occur in bm. */
static __always_inline __u32 find_rows(__u64 bm)
{
	/* a byte that is not 0 -> its bit: 7 low bits carry into the 8th, then the eight 8th bits are gathered by a multiplication */
	bm = ((bm & 0x7f7f7f7f7f7f7f7fULL) + 0x7f7f7f7f7f7f7f7fULL) | bm;
	bm = (bm >> 7) & 0x0101010101010101ULL;
	return (bm * 0x0102040810204080ULL) >> 56;
}

static __always_inline __u32 find_columns(__u64 bm)
{
	bm |= bm >> 32;
	bm |= bm >> 16;
	bm |= bm >> 8;
	return bm & 0xff;
}

/* --------------------------------------------------------------------------------------------------------- groups */

static __always_inline bool find_port(__u32 line, __u32 port, __u32 *ret)
{
	const __u16 *p = region_line(line + (port >> 13));
	__u32 page;

	if (!p)
		return false;
	page = p[find_low(port >> 8, 31)];
	p = region_line(line + (page + 1) * (GW_PORT_PAGE * 2 / 64) + ((port & 255) >> 5));
	if (!p)
		return false;
	*ret = p[find_low(port, 31)];
	return true;
}

/* Labels of both ports; once for a search. */
static __always_inline bool find_ports(struct find *f, const struct find_key *k)
{
	const struct find_line1 *r = region_line(f->o_index);
	const struct gw_class *s, *d;
	__u32 sport, dport;
	__u64 bm;

	if (!r || !find_port(f->half + r->o_spc, k->sport, &sport) ||
	    !find_port(f->half + r->o_dpc, k->dport, &dport))
		return false;
	s = find_class(f->half + r->o_spn, sport);
	d = find_class(f->half + r->o_dpn, dport);
	if (!s || !d)
		return false;
	bm = s->bm & d->bm;
	f->ports_bm = bm;
	f->has_ports = 1;
	return find_up(f, f->port[0], sport, s->lev, find_rows(bm), f->half + r->o_sppar) &&
	       find_up(f, f->port[1], dport, d->lev, find_columns(bm), f->half + r->o_dppar);
}

/* May an entry of a group that is split match?  Its misc is what all of them ask for. */
static __always_inline bool find_guard(const struct find *f, const struct find_key *k, __u32 misc)
{
	const struct gw_misc *m;

	if (!misc)
		return true;
	m = region_line(f->o_misc + (misc >> 1));
	if (!m)
		return false;
	m += find_low(misc, 1);
	return (k->meta & m->mmask) == m->meta && GW_MISC_STATES(m->xa) & k->state;
}

static __always_inline __u64 find_reverse(__u64 bm)
{
	bm = (bm & 0x5555555555555555ULL) << 1 | (bm >> 1 & 0x5555555555555555ULL);
	bm = (bm & 0x3333333333333333ULL) << 2 | (bm >> 2 & 0x3333333333333333ULL);
	bm = (bm & 0x0f0f0f0f0f0f0f0fULL) << 4 | (bm >> 4 & 0x0f0f0f0f0f0f0f0fULL);
	return __builtin_bswap64(bm);
}

/* One more frame; what is pushed last is looked at first. */
static __always_inline void find_push(struct find *f, __u64 bm, __u32 group, __u32 value)
{
	__u32 top = f->top;
	struct find_frame *fr;

	if (!bm || top > GW_SPLITS_MAX)
		return;
	f->top = top + 1;
	fr = &f->frame[find_low(top, 3)];
	fr->bm = bm;
	fr->group = group;
	fr->value = value;
}

/* Pairs of labels; the least specific ones first means the bits the other way round. */
static __always_inline void find_push_pairs(struct find *f, __u64 bm, __u32 group, __u32 how)
{
	find_push(f, how & FIND_WIDE ? find_reverse(bm) : bm, group, how);
}

/* A group that is split again: its probes come next. */
__noinline int find_split(struct find *f, const struct find_key *k, const struct gw_ent *e)
{
	const struct find_line1 *r;
	const __u64 *bm;
	__u32 value, prio;

	if (!f || !k || !e || !find_guard(f, k, e->misc))
		return 0;
	if (e->flags & GW_ENT_PORTS) {
		if (!f->has_ports && !find_ports(f, k))
			return 0;
		r = region_line(f->o_index);
		bm = r ? find_u64(f->half + r->o_grp, e->next) : NULL;
		if (bm)
			find_push_pairs(f, *bm & f->ports_bm, GW_KEY_PORTS | e->next,
					e->dplo & GW_PORTS_WIDE ? FIND_WIDE : 0);
		return 0;
	}
	if (e->flags & GW_ENT_VARY || (e->flags & GW_ENT_VARY_SYN && k->syn)) {
		prio = e->prio < f->min ? f->min : e->prio;
		if (prio < f->vary)
			f->vary = prio;
	}
	value = k->mark;
	if (e->dplo == GW_SPLIT_IIF)
		value = k->meta >> 40;
	if (e->dplo == GW_SPLIT_OIF)
		value = (k->meta >> 16) & GW_META_IF_MAX;
	if (e->dplo == GW_SPLIT_PROTO)
		value = (k->meta >> 8) & 0xff;
	find_push(f, 3, GW_KEY_FIELD | e->next, value);
	return 0;
}

static __always_inline __u64 find_hash(__u64 key)
{
	key *= 0x9e3779b97f4a7c15ULL;
	key ^= key >> 32;
	key *= 0xd6e8feb86659fd93ULL;
	return key ^ key >> 29;
}

/* The position of the lowest bit that is set, 64 = none: how many are clear below it.  clang 14 crashes on __builtin_ctzll here. */
static __always_inline __u32 find_lowest(__u64 bm)
{
	bm = (bm - 1) & ~bm;
	bm -= bm >> 1 & 0x5555555555555555ULL;
	bm = (bm & 0x3333333333333333ULL) + (bm >> 2 & 0x3333333333333333ULL);
	bm = (bm + (bm >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return bm * 0x0101010101010101ULL >> 56;
}

/* The slot of a bucket with this key; 2 = neither. */
static __always_inline __u32 find_slot(const struct gw_bucket *b, __u64 key)
{
	__u32 slot = 2;

	if (b->e[0].key == key)
		slot = 0;
	if (b->e[1].key == key)
		slot = 1;
	return slot;
}

/* The next pair of a frame's *bm, from which it is removed; 64 = none.  flip: see find_pop. */
static __always_inline __u32 find_next(const struct find *f, __u32 how, __u32 flip, __u64 *bm)
{
	__u64 left = *bm;
	__u32 bit = 64;

	/* each round but the last takes out one of 8 rows or of 8 columns */
	for (int i = 0; i < 2 * GW_DEPTHS; i++) {
		bit = find_lowest(left);
		if (!left || !(how & FIND_LEAST))
			break;
		if (f->least[0][find_low((bit >> 3) ^ flip, 7)] >= f->prio)
			left &= ~(0xffULL << (bit & 56));
		else if (f->least[1][find_low(bit ^ flip, 7)] >= f->prio)
			left &= ~(0x0101010101010101ULL << (bit & 7));
		else
			break;
	}
	*bm = left & (left - 1);
	return bit;
}

/*
 * The key of the next probe of the last frame, to f->key; 0 = none.  Pairs of addresses that are looked at from the most specific one on
 * and without a bound do not come here: find_probe does these.
 */
__noinline int find_pop(struct find *f)
{
	__u32 i, j, bit, flip, group, value;
	struct find_frame *fr;
	__u64 bm;

	if (!f)
		return 0;
	fr = &f->frame[find_low(f->top - 1, 3)];
	bm = fr->bm;
	group = fr->group;
	value = fr->value;
	if (group >= GW_KEY_FIELD) {
		bit = !(bm & 1);
		bm = bm & 1 ? bm & 2 : 0;
		f->key = bit ? group | GW_KEY_FIELD_ANY | ~0ULL << 32 : group | (__u64)value << 32;
	} else {
		/* the lowest bit is depths 7, 7, or in a frame that is turned round 0, 0 */
		flip = ((value & FIND_WIDE) - 1) & 7;
		bit = find_next(f, value, flip, &bm);
		i = find_low((bit >> 3) ^ flip, 7);
		j = find_low(bit ^ flip, 7);
		f->key = group ? group | (__u64)(f->port[0][i] << 16 | f->port[1][j]) << 32
			       : f->label[0][i] | (__u64)f->label[1][j] << 32;
	}
	fr->bm = bm;
	if (!bm)
		f->top--;
	return bit < 64;
}

/* One probe; 1 = none is left. */
static __always_inline long find_probe(struct find *f, const struct find_key *k, __u32 v6)
{
	__u32 top = f->top, bit, slot, flags;
	const struct gw_bucket *b;
	const struct gw_ent *e;
	struct find_frame *fr;
	__u64 bm, key, hash;

	if (f->list_n) {
		find_list(f, k);
		return 0;
	}
	if (!top)
		return 1;
	fr = &f->frame[find_low(top - 1, 3)];
	if (fr->group | fr->value) {
		if (!find_pop(f))
			return 0;
	} else {
		bm = fr->bm;
		bit = find_lowest(bm);
		f->key = f->label[0][find_low(7 - (bit >> 3), 7)] |
			 (__u64)f->label[1][find_low(7 - bit, 7)] << 32;
		bm &= bm - 1;
		fr->bm = bm;
		if (!bm)
			f->top = top - 1;
	}
	key = f->key;
	hash = find_hash(key);
	b = region_line(f->o_bkt + ((hash >> 32) * f->nbkt >> 32));
	if (!b)
		return 1;
	slot = find_slot(b, key);
	if (slot > 1 && b->e[1].flags & GW_ENT_OVERFLOW) {
		b = region_line(f->o_bkt + ((hash & 0xffffffff) * f->nbkt >> 32));
		if (!b)
			return 1;
		slot = find_slot(b, key);
	}
	if (slot > 1)
		return 0;
	e = &b->e[find_low(slot, 1)];
	if (e->prio >= f->prio)
		return 0;
	flags = e->flags;
	if (flags & (GW_ENT_PORTS | GW_ENT_FIELD)) {
		find_split(f, k, e);
		return 0;
	}
	if (e->prio >= f->min && find_match(f, k, e, v6))
		return 0;
	if (!(flags & GW_ENT_LAST)) {
		find_list_set(f, f->o_rul + e->next, FIND_LIST_MAX, FIND_SORTED | !!v6);
		find_list(f, k);
	}
	return 0;
}

static long find_probe_step(__u32 i, struct find_walk *w)
{
	return find_probe(w->f, w->k, w->v6);
}

/* ----------------------------------------------------------------------------------------------------- the search */

/* The smallest prios of the labels of these depths (bits 7 - depth). */
__noinline int find_least(struct find *f, __u32 line, __u32 rows, __u32 columns)
{
	const struct find_line0 *r = region_line(line);
	const struct find_line1 *r1 = region_line(line + 1);
	const __u32 *least;

	if (!f || !r || !r1)
		return 0;
	for (int i = 0; i < GW_DEPTHS; i++) {
		least = rows >> (7 - i) & 1 ? find_u32(f->half + r->s.o_least, f->label[0][i])
					    : NULL;
		if (least)
			f->least[0][i] = *least;
		least = columns >> (7 - i) & 1 ? find_u32(f->half + r1->o_least, f->label[1][i])
					       : NULL;
		if (least)
			f->least[1][i] = *least;
	}
	return 0;
}

/* The pairs of labels that may have entries: the first frame.  Apart from find_first(), whose frame is scarce (README, stack). */
__noinline int find_pairs(struct find *f, __u32 line)
{
	const struct find_line0 *r = region_line(line);
	const struct find_line1 *r1 = region_line(line + 1);
	const struct gw_class *s, *d;
	__u32 how;
	__u64 bm;

	if (!f || !r || !r1)
		return 0;
	s = find_class(f->half + r->s.o_cl, GW_DIM_CLASS(f->value[0]));
	d = find_class(f->half + r1->o_cl, GW_DIM_CLASS(f->value[1]));
	if (!s || !d)
		return false;
	bm = s->bm & d->bm;
	if (!bm)
		return false;
	how = (r->s.flags & GW_DIM_WIDE ? FIND_WIDE : 0) | (r->s.o_least ? FIND_LEAST : 0);
	find_push_pairs(f, bm, 0, how);
	if (!find_up(f, f->label[0], GW_DIM_LABEL(f->value[0]), s->lev, find_rows(bm),
		     f->half + r->s.o_par) ||
	    !find_up(f, f->label[1], GW_DIM_LABEL(f->value[1]), d->lev, find_columns(bm),
		     f->half + r1->o_par))
		return false;
	if (how & FIND_LEAST)
		find_least(f, line, find_rows(bm), find_columns(bm));
	return true;
}

#define FIND_STEPS_MAX (1U << 17) /* a longest list in rounds, and probes */
#define FIND_PROBES    8	  /* inline; the rest in bpf_loop, whose rounds cost a call each */

static __always_inline void find_indexed(struct find *f, const struct find_key *k, __u32 line,
					 __u32 v6, struct find_walk *w)
{
	if (v6) {
		if (!find_values6(f, k, line))
			return;
	} else {
		if (!find_values4(f, k, line))
			return;
	}
	if (!find_pairs(f, line))
		return;
	for (int i = 0; i < FIND_PROBES; i++) {
		if (find_probe(f, k, v6))
			return;
	}
	bpf_loop(FIND_STEPS_MAX, find_probe_step, w, 0);
}

/* The entry of root f->root with the smallest prio >= f->min whose conditions hold: f->prio, id, flags, vary. */
__noinline int find_first(struct find *f, const struct find_key *k, __u32 v6)
{
	struct find_walk w = { .f = f, .k = k, .v6 = v6 };
	const struct find_line1 *r1;
	const struct gw_head *h;
	__u64 delta;
	__u32 line;

	if (!f || !k)
		return 0;
	f->prio = FIND_NONE;
	f->vary = FIND_NONE;
	f->list_n = 0;
	h = region_line(f->half);
	if (!h || f->root >= h->n_roots)
		return 0;
	f->o_misc = f->half + h->o_misc;
	f->o_xaddr = f->half + h->o_xaddr;
	line = f->half + h->o_root + f->root * GW_ROOT_LINES;
	r1 = region_line(line + 1);
	if (!r1)
		return 0;
	delta = r1->delta;
	if (r1->nbkt) {
		f->nbkt = r1->nbkt;
		f->o_bkt = f->half + r1->o_bkt;
		f->o_rul = (f->half + r1->o_rul) * 2;
		f->o_index = line + 1;
		f->has_ports = 0;
		f->top = 0;
		find_indexed(f, k, line, v6, &w);
	}
	f->top = 0;
	find_list_set(f, (f->half + (__u32)(delta >> 32)) * 2, (__u32)delta, !!v6);
	if (f->list_n)
		find_list(f, k);
	if (f->list_n)
		bpf_loop(FIND_STEPS_MAX, find_probe_step, &w, 0);
	if (f->vary > f->prio)
		f->vary = FIND_NONE;
	return 0;
}
#endif
