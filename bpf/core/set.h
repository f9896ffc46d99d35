/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_SET_H
#define GW_SET_H
/*
 * set - is a key in a static set of the image?  As core/find.h plain C over region_line().  Elements that packets put in are in gw_dynset.
 */
#include <core/find.h>

int set_has(__u32 half, __u32 set, const struct gw_dynkey *k);
int set_has4(__u32 half, __u32 line, __u32 at);
int set_has6(__u32 half, __u32 line, const struct gw_dynkey *k);
int set_has_key(__u32 half, __u32 line, const struct gw_dynkey *k);

#define SET_BE32(p) ((__u32)(p)[0] << 24 | (__u32)(p)[1] << 16 | (__u32)(p)[2] << 8 | (p)[3])

/* Boundaries before the chunk and before the next one. */
static __always_inline bool set_chunk(__u32 half, const struct gw_set *s, __u64 chunk,
				      __u32 *ret_lo, __u32 *ret_hi)
{
	const __u32 *lo, *hi;

	if (chunk > s->nx)
		chunk = s->nx;
	lo = find_u32(half + s->o_aux, chunk);
	hi = find_u32(half + s->o_aux, chunk + (chunk < s->nx));
	if (!lo || !hi)
		return false;
	*ret_lo = *lo;
	*ret_hi = *hi;
	return true;
}

/* The number of boundaries at or below the address is odd. */
__noinline int set_has4(__u32 half, __u32 line, __u32 at)
{
	const struct gw_set *s = region_line(line);
	__u32 lo, hi, o, mid;

	if (!s || !set_chunk(half, s, (__u64)at >> (s->sh & 63), &lo, &hi))
		return 0;
	o = half + s->o_table;
	if (s->sh > 16) {
		for (int i = 0; i < FIND_STEPS && lo < hi; i++) {
			const __u32 *p;

			mid = lo + ((hi - lo) >> 1);
			p = find_u32(o, mid);
			if (!p)
				return 0;
			if (*p <= at)
				lo = mid + 1;
			else
				hi = mid;
		}
		return lo & 1;
	}
	at &= 0xffff;
	for (int i = 0; i < FIND_STEPS && lo < hi; i++) {
		const __u16 *p;

		mid = lo + ((hi - lo) >> 1);
		p = region_line(o + (mid >> 5));
		if (!p)
			return 0;
		if (p[find_low(mid, 31)] <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo & 1;
}

__noinline int set_has6(__u32 half, __u32 line, const struct gw_dynkey *k)
{
	const struct gw_set *s = region_line(line);
	__u64 at, at_lo;
	__u32 lo, hi, mid, o;

	if (!s || !k)
		return 0;
	at = (__u64)SET_BE32(k->key) << 32 | SET_BE32(k->key + 4);
	at_lo = (__u64)SET_BE32(k->key + 8) << 32 | SET_BE32(k->key + 12);
	if (at < s->base || !set_chunk(half, s, (at - s->base) >> (s->sh & 63), &lo, &hi))
		return 0;
	o = half + s->o_table;
	for (int i = 0; i < FIND_STEPS && lo < hi; i++) {
		const struct gw_pair64 *p;

		mid = lo + ((hi - lo) >> 1);
		p = find_pair64(o, mid);
		if (!p)
			return 0;
		if (p->at < at || (p->at == at && p->value <= at_lo))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo & 1;
}

static __always_inline __u32 set_hash(const __u32 *w, __u32 words, __u32 seed)
{
	__u64 h = seed;

	for (__u32 i = 0; i < GW_DYNKEY_LEN / 4; i++) {
		if (i >= words)
			break;
		h = find_hash(h ^ w[i]);
	}
	return h >> 32;
}

/* Slot `slot` of a bucket holds the key. */
static __always_inline bool set_equal(const __u32 *bucket, const __u32 *w, __u32 slot, __u32 words)
{
	__u32 differs = 0;

	for (__u32 i = 0; i < GW_DYNKEY_LEN / 4; i++) {
		if (i >= words)
			break;
		differs |= bucket[find_low(slot * words + i, 15)] ^ w[i];
	}
	return !differs;
}

__noinline int set_has_key(__u32 half, __u32 line, const struct gw_dynkey *k)
{
	const struct gw_set *s = region_line(line);
	__u32 words, at;

	if (!s || !k)
		return 0;
	words = s->key_len >> 2;
	at = (__u64)set_hash((const __u32 *)k->key, words, s->seed) * s->n >> 32;
	at += half + s->o_table;
	for (int probe = 0; probe < GW_SET_PROBES; probe++) {
		const __u32 *bucket = region_line(at + probe);

		if (!bucket)
			return 0;
		for (__u32 slot = 0; slot < GW_SET_SLOTS(4); slot++) {
			if (slot >= (bucket[15] & 15))
				break;
			if (set_equal(bucket, (const __u32 *)k->key, slot, words))
				return 1;
		}
		if (!(bucket[15] & GW_SET_MORE))
			return 0;
	}
	return 0;
}

/* k->key: the fields' bytes, each padded to 4, in network order; k->set does not matter. */
__noinline int set_has(__u32 half, __u32 set, const struct gw_dynkey *k)
{
	const struct gw_head *h = region_line(half);
	const struct gw_set *s;
	const __u64 *bits;
	__u32 line;

	if (!h || !k || set >= h->n_sets)
		return 0;
	line = half + h->o_set + set;
	s = region_line(line);
	if (!s)
		return 0;
	switch (s->kind) {
	case GW_SET_ADDR4:
		return set_has4(half, line, SET_BE32(k->key));
	case GW_SET_ADDR6:
		return set_has6(half, line, k);
	case GW_SET_HASH:
		return set_has_key(half, line, k);
	case GW_SET_BITMAP:
		line = (__u32)k->key[0] << 8 | k->key[1];
		bits = find_u64(half + s->o_table, line >> 6);
		return bits && *bits >> (line & 63) & 1;
	default:
		return 0;
	}
}
#endif
