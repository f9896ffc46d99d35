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
int set_bucket(__u32 line, const struct gw_dynkey *k, __u32 words);

#define SET_BE32(p) ((__u32)(p)[0] << 24 | (__u32)(p)[1] << 16 | (__u32)(p)[2] << 8 | (p)[3])

/* Boundaries before the chunk, and in it. */
static __always_inline bool set_chunk(__u32 half, const struct gw_set *s, __u64 chunk,
				      __u32 *ret_lo, __u32 *ret_n)
{
	const __u32 *lo, *hi;

	if (chunk > s->nx)
		chunk = s->nx;
	lo = find_u32(half + s->o_aux, chunk);
	hi = find_u32(half + s->o_aux, chunk + (chunk < s->nx));
	if (!lo || !hi)
		return false;
	*ret_lo = *lo;
	*ret_n = *hi - *lo;
	return true;
}

/* The number of boundaries at or below the address is odd. */
__noinline int set_has4(__u32 half, __u32 line, __u32 at)
{
	const struct gw_set *s = region_line(line);
	__u32 lo, n, o;

	if (!s || !set_chunk(half, s, at >> (s->sh & 31), &lo, &n))
		return 0;
	o = half + s->o_table;
	if (s->sh > 16) {
		for (int i = 0; i < FIND_STEPS; i++) {
			__u32 step = (n + 1) >> 1;
			const __u32 *p;

			if (!n)
				break;
			p = find_u32(o, lo + step - 1);
			if (!p)
				return 0;
			lo += find_advance(at, *p, step);
			n -= step;
		}
		return lo & 1;
	}
	at &= 0xffff;
	for (int i = 0; i < FIND_STEPS; i++) {
		__u32 step = (n + 1) >> 1;
		const __u16 *p;

		if (!n)
			break;
		p = region_line(o + ((lo + step - 1) >> 5));
		if (!p)
			return 0;
		lo += find_advance(at, p[find_low(lo + step - 1, 31)], step);
		n -= step;
	}
	return lo & 1;
}

__noinline int set_has6(__u32 half, __u32 line, const struct gw_dynkey *k)
{
	const struct gw_set *s = region_line(line);
	__u32 lo, n, o, after;
	__u64 at, at_lo;

	if (!s || !k)
		return 0;
	at = (__u64)SET_BE32(k->key) << 32 | SET_BE32(k->key + 4);
	at_lo = (__u64)SET_BE32(k->key + 8) << 32 | SET_BE32(k->key + 12);
	if (at < s->base || !set_chunk(half, s, (at - s->base) >> (s->sh & 63), &lo, &n))
		return 0;
	o = half + s->o_table;
	for (int i = 0; i < FIND_STEPS; i++) {
		__u32 step = (n + 1) >> 1;
		const struct gw_pair64 *p;

		if (!n)
			break;
		p = find_pair64(o, lo + step - 1);
		if (!p)
			return 0;
		/* (at, at_lo) >= (p->at, p->value): a greater upper half, or an equal one and the lower half decides */
		after = find_advance(at, p->at, step);
		after &= find_advance(at_lo, p->value, step) | -(__u32)(p->at != at);
		lo += after;
		n -= step;
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

/* Bits: 0 = the bucket has the key, 1 = look into the next one. */
__noinline int set_bucket(__u32 line, const struct gw_dynkey *k, __u32 words)
{
	const __u32 *bucket = region_line(line);
	const __u32 *w;
	__u32 used, i = 0, differs = 0;

	if (!bucket || !k)
		return 0;
	w = (const __u32 *)k->key;
	used = (bucket[15] & 15) * words;
	/* one loop over all words of the bucket: nested ones would multiply for the verifier */
	for (__u32 at = 0; at < 15; at++) {
		if (at >= used || i >= GW_DYNKEY_LEN / 4)
			break;
		differs |= bucket[at] ^ w[i];
		i++;
		if (i < words)
			continue;
		if (!differs)
			return 1;
		i = 0;
		differs = 0;
	}
	return bucket[15] & GW_SET_MORE ? 2 : 0;
}

__noinline int set_has_key(__u32 half, __u32 line, const struct gw_dynkey *k)
{
	const struct gw_set *s = region_line(line);
	__u32 words, at;
	int found;

	if (!s || !k)
		return 0;
	words = s->key_len >> 2;
	at = (__u64)set_hash((const __u32 *)k->key, words, s->seed) * s->n >> 32;
	at += half + s->o_table;
	words = s->key_len >> 2;
	for (int probe = 0; probe < GW_SET_PROBES; probe++) {
		found = set_bucket(at, k, words);
		if (!(found & 2))
			return found;
		at++;
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
