/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_BUILDER_H
#define COMPILE_BUILDER_H
/*
 * builder - what the parts of the index share: the growing image.  Sections grow apart; builder_finish() puts them in order.
 *
 *   head | slots | roots | sets | body (roots' arrays, tables of sets) | misc | xaddr | act
 *
 * Offsets into the body are kept from its first line, 0 being no offset (the first line stays empty); builder_finish() moves them.
 */
#include <compile/index.h>

#define LINE_BYTES 64

struct dedup { /* indexes of rows by their content; 0 = free */
	uint32_t *slots;
	size_t n_slots, used;
};
struct section {
	uint8_t *bytes;
	size_t n, cap; /* rows */
	size_t row;    /* bytes */
};
struct act_run { /* lines of an action; n = 0: free */
	uint64_t hash;
	uint32_t first, n;
};
struct builder {
	size_t max_lines;
	int failed; /* of calls that can not say so */
	struct section roots, sets, body, misc, xaddr, act;
	struct dedup misc_rows, xaddr_rows;
	struct act_run *acts; /* by hash */
	size_t n_acts, n_act_slots;
	uint32_t slots[GW_HOOK_MAX * 2];
};

/* n zeroed rows at the end; 0, -ENOMEM, or INDEX_E_FULL if the image would not fit. */
int section_grow(struct builder *b, struct section *s, size_t n, uint32_t *ret_first);
static inline void *section_at(const struct section *s, size_t i)
{
	return s->bytes + i * s->row;
}
static inline size_t lines_of(size_t bytes)
{
	return (bytes + LINE_BYTES - 1) / LINE_BYTES;
}
/* Lines of the body that hold n elements of `size` bytes; *ret_line is their offset, *ret_p where they are until the body grows again. */
int body_take(struct builder *b, size_t n, size_t size, uint32_t *ret_line, void *ret_p);

uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed);
/* As find_hash in bpf/core/find.h. */
static inline uint64_t hash_key(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ULL;
	key ^= key >> 32;
	key *= 0xd6e8feb86659fd93ULL;
	return key ^ key >> 29;
}

int builder_misc(struct builder *b, const struct gw_misc *m, uint32_t *ret);
int builder_xaddr(struct builder *b, const struct gw_xaddr *x, uint32_t *ret);
/* The entry that a rule becomes, but for key and next.  exact[]: the addresses' ranges are to be compared. */
void rule_xaddr(const struct index_rule *r, int version, const bool *exact, struct gw_xaddr *ret);
void rule_entry(const struct index_rule *r, struct gw_ent *ret);
/* Without an index all ranges but "any" are compared. */
void rule_exact(const struct index_rule *r, int version, bool *exact);
void rule_misc(const struct index_rule *r, uint32_t xa, struct gw_misc *ret);
int builder_entry(struct builder *b, const struct index_rule *r, int version, const bool *exact,
		  struct gw_ent *ret);

/* More rules than this get an index (see tests/bench for where the two cross). */
#define LIST_MAX 8
int index_build(struct builder *b, struct gw_root *root, int version,
		const struct index_rule *rules, size_t n);

/* The chunk table of n ascending starts, [0] in front of the table: which chunks, and for each the last start below it. */
struct chunks {
	uint64_t base;
	uint32_t sh, nx, o_dx;
};
int chunks_build(struct builder *b, const uint64_t *starts, size_t n, unsigned int sh_max,
		 struct chunks *ret);
#endif
