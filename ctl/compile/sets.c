/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Static sets: ranges become sorted boundaries behind a chunk table, exact keys a hash of one-line buckets (gw_set in gw/image.h).
 */
#include <compile/builder.h>
#include <compile/sort.h>

/* So many single addresses are hashed: one line for a lookup. */
#define HASH_MIN 64

static int no_memory(void)
{
	return raise(-ENOMEM, "cannot build a set");
}

static int set_add(struct builder *b, const struct gw_set *s, uint32_t *ret_set)
{
	uint32_t i;
	int r = section_grow(b, &b->sets, 1, &i);

	if (r)
		return r;
	memcpy(section_at(&b->sets, i), s, sizeof(*s));
	*ret_set = i;
	return 0;
}

/* ---------------------------------------------------------------------------------------------------------- ranges */

typedef unsigned __int128 addr;

struct boundaries { /* the first address in, the first one out, and so on */
	addr *at;
	size_t n;
};

static void boundaries_deinit(struct boundaries *o)
{
	free(o->at);
}

static addr range_lo(const struct index_range *r)
{
	return (addr)r->lo[0] << 64 | r->lo[1];
}

static addr range_hi(const struct index_range *r)
{
	return (addr)r->hi[0] << 64 | r->hi[1];
}

/* Ranges by start. */
static struct sort_item *by_start(const struct index_range *ranges, size_t n)
{
	struct sort_item *items = malloc((2 * n + 1) * sizeof(*items));

	for (size_t i = 0; items && i < n; i++)
		items[i] = (struct sort_item){ ranges[i].lo[1], (uint32_t)i };
	if (!items)
		return NULL;
	sort_items(items, items + n, n);
	for (size_t i = 0; i < n; i++)
		items[i].key = ranges[items[i].at].lo[0];
	sort_items(items, items + n, n);
	return items;
}

static void boundaries_add(struct boundaries *o, addr lo, addr hi, addr top)
{
	o->at[o->n++] = lo;
	if (hi < top)
		o->at[o->n++] = hi + 1;
}

/* Overlapping and adjacent ranges are one.  One that ends at `top` has no boundary behind it. */
static int merge(const struct index_range *ranges, size_t n, addr top, struct boundaries *o)
{
	_cleanup_(freep) struct sort_item *items = by_start(ranges, n);
	addr lo = 0, hi = 0;
	bool any = false;

	o->at = malloc((2 * n + 1) * sizeof(*o->at));
	if (!items || !o->at)
		return no_memory();
	for (size_t i = 0; i < n; i++) {
		addr next_lo = range_lo(&ranges[items[i].at]);
		addr next_hi = range_hi(&ranges[items[i].at]);

		if (next_lo > next_hi || next_lo > top)
			continue;
		if (any && (next_lo <= hi || next_lo - 1 == hi)) {
			hi = MAX(hi, next_hi);
			continue;
		}
		if (any)
			boundaries_add(o, lo, hi, top);
		lo = next_lo;
		hi = next_hi;
		any = true;
	}
	if (any)
		boundaries_add(o, lo, hi, top);
	return 0;
}

static int set_bitmap(struct builder *b, const struct boundaries *o, struct gw_set *s)
{
	uint64_t *bits;
	int r = body_take(b, 1024, sizeof(*bits), &s->o_table, &bits);

	s->kind = GW_SET_BITMAP;
	for (size_t i = 0; !r && i < o->n; i += 2) {
		uint32_t end = i + 1 < o->n ? (uint32_t)o->at[i + 1] : 65536;

		for (uint32_t v = (uint32_t)o->at[i]; v < end; v++)
			bits[v / 64] |= 1ULL << (v % 64);
	}
	return r;
}

/* How many boundaries lie below each chunk. */
static int set_chunks(struct builder *b, const struct boundaries *o, unsigned int shift,
		      struct gw_set *s)
{
	uint32_t *aux;
	size_t at = 0;
	int r = body_take(b, (size_t)s->nx + 1, sizeof(*aux), &s->o_aux, &aux);

	for (uint32_t i = 0; !r && i <= s->nx; i++) {
		while (at < o->n &&
		       (i == s->nx || ((uint64_t)(o->at[at] >> shift) - s->base) >> s->sh < i))
			at++;
		aux[i] = (uint32_t)at;
	}
	return r;
}

/* About one chunk for each boundary; 16-bit boundaries in them as soon as that pays. */
static int set_addr4(struct builder *b, const struct boundaries *o, struct gw_set *s)
{
	uint32_t want = 1;
	uint32_t *wide;
	uint16_t *low;
	int r;

	s->kind = GW_SET_ADDR4;
	s->n = (uint32_t)o->n;
	for (s->sh = 32; s->sh > 12 && want < o->n; s->sh--)
		want *= 2;
	s->sh = MIN(s->sh, 31U);
	if (s->sh <= 18 && s->sh > 16)
		s->sh = 16;
	s->nx = (uint32_t)((uint64_t)o->at[o->n - 1] >> s->sh) + 1;
	r = set_chunks(b, o, 0, s);
	if (r)
		return r;
	if (s->sh > 16) {
		r = body_take(b, o->n, sizeof(*wide), &s->o_table, &wide);
		for (size_t i = 0; !r && i < o->n; i++)
			wide[i] = (uint32_t)o->at[i];
		return r;
	}
	r = body_take(b, o->n, sizeof(*low), &s->o_table, &low);
	for (size_t i = 0; !r && i < o->n; i++)
		low[i] = (uint16_t)o->at[i];
	return r;
}

static int set_addr6(struct builder *b, const struct boundaries *o, struct gw_set *s)
{
	uint64_t first = (uint64_t)(o->at[0] >> 64), last = (uint64_t)(o->at[o->n - 1] >> 64);
	uint64_t want = 8;
	struct gw_pair64 *to;
	int r;

	s->kind = GW_SET_ADDR6;
	s->n = (uint32_t)o->n;
	while (want < o->n && want < 1U << 20)
		want *= 2;
	while (s->sh < 63 && (last - first) >> s->sh >= want)
		s->sh++;
	s->base = first;
	s->nx = (uint32_t)((last - first) >> s->sh) + 1;
	r = set_chunks(b, o, 64, s);
	if (!r)
		r = body_take(b, o->n, sizeof(*to), &s->o_table, &to);
	for (size_t i = 0; !r && i < o->n; i++)
		to[i] = (struct gw_pair64){ (uint64_t)(o->at[i] >> 64), (uint64_t)o->at[i] };
	return r;
}

/* ------------------------------------------------------------------------------------------------------ exact keys */

/* As set_hash in bpf/core/set.h: word by word. */
static uint32_t key_hash(const uint8_t *key, size_t words, uint32_t seed)
{
	uint64_t h = seed;

	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		memcpy(&word, key + i * 4, 4);
		h = hash_key(h ^ word);
	}
	return (uint32_t)(h >> 32);
}

/* Put one key into its bucket or one of the following ones. */
static bool bucket_add(uint32_t (*buckets)[16], uint32_t first, const uint8_t *key, size_t bytes)
{
	for (uint32_t i = 0; i < GW_SET_PROBES; i++) {
		uint32_t *bucket = buckets[first + i], used = bucket[15] & 15;

		for (uint32_t slot = 0; slot < used; slot++) {
			if (!memcmp((uint8_t *)bucket + slot * bytes, key, bytes))
				return true;
		}
		if (used < GW_SET_SLOTS(bytes)) {
			memcpy((uint8_t *)bucket + used * bytes, key, bytes);
			bucket[15]++;
			return true;
		}
		bucket[15] |= GW_SET_MORE;
	}
	return false;
}

static bool fill_buckets(uint32_t (*buckets)[16], const uint8_t *keys, size_t n,
			 const struct gw_set *s)
{
	memset(buckets, 0, ((size_t)s->n + GW_SET_PROBES - 1) * LINE_BYTES);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *key = keys + i * s->key_len;
		uint32_t hash = key_hash(key, s->key_len / 4, s->seed);

		if (!bucket_add(buckets, (uint32_t)((uint64_t)hash * s->n >> 32), key, s->key_len))
			return false;
	}
	return true;
}

/* Load 0.75; another hash and more room until no key is too far from its bucket. */
static int set_hash(struct builder *b, const uint8_t *keys, size_t n, struct gw_set *s)
{
	uint64_t buckets = (uint64_t)n * 4 / (3 * GW_SET_SLOTS(s->key_len)) + 1;
	uint32_t(*to)[16];
	size_t before = b->body.n;

	s->kind = GW_SET_HASH;
	for (s->seed = 1; s->seed < 16; s->seed++, buckets += buckets / 4 + 1) {
		int r;

		if (buckets > b->max_lines)
			return INDEX_E_FULL;
		s->n = (uint32_t)buckets;
		r = body_take(b, buckets + GW_SET_PROBES - 1, LINE_BYTES, &s->o_table, &to);
		if (r)
			return r;
		if (fill_buckets(to, keys, n, s))
			return 0;
		b->body.n = before;
	}
	return INDEX_E_FULL;
}

int builder_set_keys(struct builder *b, unsigned int key_len, const uint8_t *keys, size_t n,
		     const struct gw_set *head, uint32_t *ret_set)
{
	struct gw_set s = *head;
	int r = 0;

	if (key_len < 4 || key_len > GW_DYNKEY_LEN || key_len % 4)
		return raise(-EINVAL, "a set's key of %u bytes", key_len);
	s.key_len = (uint8_t)key_len;
	s.kind = GW_SET_NONE;
	if (n)
		r = set_hash(b, keys, n, &s);
	return r ? r : set_add(b, &s, ret_set);
}

/* ----------------------------------------------------------------------------------------------------------- ranges */

static bool all_single(const struct index_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ranges[i].lo[0] != ranges[i].hi[0] || ranges[i].lo[1] != ranges[i].hi[1])
			return false;
	}
	return true;
}

static void put_be64(uint8_t *to, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (56 - i * 8));
}

static int hash_singles(struct builder *b, unsigned int key_len, const struct index_range *ranges,
			size_t n, struct gw_set *s)
{
	_cleanup_(freep) uint8_t *keys = malloc(n * key_len);

	if (!keys)
		return no_memory();
	for (size_t i = 0; i < n; i++) {
		uint8_t bytes[16];

		put_be64(bytes, ranges[i].lo[0]);
		put_be64(bytes + 8, ranges[i].lo[1]);
		memcpy(keys + i * key_len, bytes + 16 - key_len, key_len);
	}
	return set_hash(b, keys, n, s);
}

static int set_ranges(struct builder *b, unsigned int key_len, const struct index_range *ranges,
		      size_t n, struct gw_set *s)
{
	_cleanup_(boundaries_deinit) struct boundaries o = {};
	addr top = key_len == 16 ? ~(addr)0 : key_len == 4 ? UINT32_MAX : UINT16_MAX;
	int r;

	if (key_len != 2 && n >= HASH_MIN && all_single(ranges, n))
		return hash_singles(b, key_len, ranges, n, s);
	r = merge(ranges, n, top, &o);
	if (r || !o.n)
		return r;
	if (key_len == 2)
		return set_bitmap(b, &o, s);
	return key_len == 4 ? set_addr4(b, &o, s) : set_addr6(b, &o, s);
}

int builder_set_ranges(struct builder *b, unsigned int key_len, const struct index_range *ranges,
		       size_t n, const struct gw_set *head, uint32_t *ret_set)
{
	struct gw_set s = *head;
	int r;

	if (key_len != 2 && key_len != 4 && key_len != 16)
		return raise(-EINVAL, "ranges of %u bytes", key_len);
	if (n > UINT32_MAX / 4)
		return INDEX_E_FULL;
	s.key_len = (uint8_t)key_len;
	s.kind = GW_SET_NONE;
	s.sh = 0;
	r = set_ranges(b, key_len, ranges, n, &s);
	return r ? r : set_add(b, &s, ret_set);
}
