/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets that are looked up.  A key is the bytes of its fields in network order, each padded with zeros behind to a multiple of 4; how many
 * bytes a field has says its type (type_rows), not how many bits are in use.
 */
#include <compile/impl.h>

#define KEYS_MAX \
	(1U << 16) /* more keys than elements: ranges inside concatenations are written out */

/* Intervals and maps are looked up in the image alone: gwd compiles anew when the time of one is over. */
bool set_is_dynamic(const struct set *s)
{
	return !s->is_map && !s->is_vmap && s->flags & (SET_DYNAMIC | SET_TIMEOUT) &&
	       !(s->flags & SET_INTERVAL);
}

int set_find(const struct ctx *x, const char *name, const struct set **ret)
{
	*ret = table_set(x->table, name);
	return *ret ? 0 : refuse(x, "there is no set `%s`", name);
}

static bool part_is_single(enum field_type type, const struct elem *e)
{
	const struct type_row *row = &type_rows[type];

	if (row->base == BASE_NAME)
		return !strchr(e->name, '*') && strcmp(e->name, OIF_EXISTS) != 0;
	if (row->base == BASE_ADDR)
		return !memcmp(e->addr_lo, e->addr_hi, row->bytes);
	return e->num_lo == e->num_hi;
}

bool compile_elem_is_static(const struct set *s, size_t i)
{
	const struct elem *parts = s->elems->keys + i * s->elems->n_fields;

	if (!set_is_dynamic(s))
		return true;
	for (unsigned int k = 0; k < s->elems->n_fields; k++) {
		if (!part_is_single(s->types[k], &parts[k]))
			return true;
	}
	return false;
}

static size_t key_room(enum field_type type)
{
	return (type_rows[type].bytes + 3U) & ~3U;
}

static void key_put(uint8_t *at, enum field_type type, index_addr v)
{
	for (unsigned int i = type_rows[type].bytes; i--; v >>= 8)
		at[i] = (uint8_t)v;
}

size_t compile_key(const struct set *s, const struct elem *parts, const struct compile_if *ifs,
		   size_t n_ifs, uint8_t ret[GW_DYNKEY_LEN])
{
	struct diag d;
	const struct ctx x = { .ifs = ifs, .n_ifs = n_ifs, .d = &d };
	size_t len = 0;

	memset(ret, 0, GW_DYNKEY_LEN);
	for (unsigned int i = 0; i < s->n_fields; i++) {
		struct spans l = { 0 };
		bool one = len + key_room(s->types[i]) <= GW_DYNKEY_LEN &&
			   !spans_elem(&x, s->types[i], &parts[i], &l) && l.n == 1 &&
			   l.s[0].lo == l.s[0].hi;

		if (one)
			key_put(ret + len, s->types[i], l.s[0].lo);
		spans_deinit(&l);
		if (!one)
			return 0;
		len += key_room(s->types[i]);
	}
	return len;
}

static struct index_range range_of(struct span s)
{
	return (struct index_range){ { (uint64_t)(s.lo >> 64), (uint64_t)s.lo },
				     { (uint64_t)(s.hi >> 64), (uint64_t)s.hi } };
}

static bool use_has(const struct set_use *u, size_t i)
{
	return !u->named || compile_elem_is_static(u->named, i);
}

/* One field of 1, 2, 4 or 16 bytes: ranges. */
static int make_ranges(struct ctx *x, const struct set_use *u, const struct gw_set *head,
		       uint32_t *ret)
{
	unsigned int bytes = type_rows[u->types[0]].bytes;
	/* what packets put in has keys of whole words */
	unsigned int len = bytes < 4 ? (head->flags & GW_SETF_DYN ? 4 : 2) : bytes;
	unsigned int shift = bytes < 4 ? 8 * (len - bytes) : 0;
	_cleanup_(freep) struct index_range *ranges = NULL;
	struct spans l = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < u->n; i++) {
		if (use_has(u, i))
			r = spans_elem(x, u->types[0], &u->elems[i], &l);
	}
	spans_merge(&l);
	ranges = calloc(l.n + 1, sizeof(*ranges));
	if (!r && !ranges)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < l.n; i++) {
		l.s[i].lo <<= shift;
		l.s[i].hi = (l.s[i].hi + 1) * ((index_addr)1 << shift) - 1;
		ranges[i] = range_of(l.s[i]);
	}
	if (!r)
		r = full(builder_set_ranges(x->b, len, ranges, l.n, head, ret));
	spans_deinit(&l);
	return r;
}

struct keys {
	uint8_t *bytes;
	size_t n, cap;
	unsigned int len;
};

/* All keys that one element stands for, from field `at` on. */
static int keys_expand(struct ctx *x, const struct set_use *u, const struct spans *parts,
		       unsigned int at, unsigned int off, uint8_t *key, struct keys *ret)
{
	int r = 0;

	if (at >= CONCAT_MAX || at == u->n_fields) {
		if (ret->n >= u->n + KEYS_MAX)
			return FLAT_WIDE;
		r = array_reserve((void **)&ret->bytes, &ret->cap, ret->n, ret->len);
		if (!r)
			memcpy(ret->bytes + ret->n++ * ret->len, key, ret->len);
		return r;
	}
	for (size_t i = 0; !r && i < parts[at].n; i++) {
		for (index_addr v = parts[at].s[i].lo; !r; v++) {
			key_put(key + off, u->types[at], v);
			r = keys_expand(x, u, parts, at + 1,
					off + (unsigned int)key_room(u->types[at]), key, ret);
			if (v == parts[at].s[i].hi)
				break;
		}
	}
	return r;
}

static int keys_add(struct ctx *x, const struct set_use *u, const struct elem *elem,
		    struct keys *ret)
{
	struct spans parts[CONCAT_MAX] = { 0 };
	uint8_t key[GW_DYNKEY_LEN] = { 0 };
	int r = 0;

	for (unsigned int k = 0; !r && k < u->n_fields; k++)
		r = spans_elem(x, u->types[k], &elem[k], &parts[k]);
	if (!r)
		r = keys_expand(x, u, parts, 0, 0, key, ret);
	for (unsigned int k = 0; k < u->n_fields; k++)
		spans_deinit(&parts[k]);
	return r;
}

static int key_cmp(const void *a, const void *b, void *len)
{
	return memcmp(a, b, *(const unsigned int *)len);
}

/* Ranges and names with `*` may stand for the same key. */
static void keys_unique(struct keys *k)
{
	size_t n = 0;

	if (!k->n)
		return;
	qsort_r(k->bytes, k->n, k->len, key_cmp, &k->len);
	for (size_t i = 1; i < k->n; i++) {
		if (memcmp(k->bytes + i * k->len, k->bytes + n * k->len, k->len) != 0)
			memmove(k->bytes + ++n * k->len, k->bytes + i * k->len, k->len);
	}
	k->n = n + 1;
}

static int make_keys(struct ctx *x, const struct set_use *u, const struct gw_set *head,
		     uint32_t *ret)
{
	struct keys keys = { 0 };
	int r = 0;

	for (unsigned int k = 0; k < u->n_fields; k++)
		keys.len += (unsigned int)key_room(u->types[k]);
	if (keys.len > GW_DYNKEY_LEN)
		return refuse(x, "the fields of a set that is looked up have at most %u bytes",
			      GW_DYNKEY_LEN);
	for (size_t i = 0; !r && i < u->n; i++) {
		if (use_has(u, i))
			r = keys_add(x, u, u->elems + i * u->n_fields, &keys);
	}
	keys_unique(&keys);
	if (!r)
		r = full(builder_set_keys(x->b, keys.len, keys.bytes, keys.n, head, ret));
	free(keys.bytes);
	return r;
}

static bool is_ranges(const struct set_use *u)
{
	unsigned int bytes = type_rows[u->types[0]].bytes;

	return u->n_fields == 1 && (bytes <= 4 || bytes == 16);
}

int set_use_make(struct ctx *x, const struct set_use *use, uint32_t *ret)
{
	struct set_use u = *use;
	struct gw_set head = { 0 };
	uint64_t found;
	int r;

	if (!x->b)
		return COMPILE_E_AGAIN;
	if (idmap_get(&x->sets, (uintptr_t)u.who, &found)) {
		*ret = (uint32_t)found;
		return 0;
	}
	if (u.named) {
		memcpy(u.types, u.named->types, sizeof(u.types));
		u.n_fields = u.named->n_fields;
		u.elems = u.named->elems->keys;
		u.n = u.named->elems->n;
		head.size = u.named->size;
		head.timeout = (uint32_t)MIN((u.named->timeout_ms + 999) / 1000, UINT32_MAX);
		head.id = (uint32_t)u.named->handle;
		head.flags = set_is_dynamic(u.named) ? GW_SETF_DYN : 0;
	}
	r = is_ranges(&u) ? make_ranges(x, &u, &head, ret) : make_keys(x, &u, &head, ret);
	return r ? r : idmap_put(&x->sets, (uintptr_t)u.who, *ret);
}
