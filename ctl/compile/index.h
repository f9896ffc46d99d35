/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_INDEX_H
#define COMPILE_INDEX_H
/*
 * index - the bytes of an image (gw/image.h): roots with their label-pair hash, actions, sets.  Pure.
 *
 * compile.c flattens a chain into alternatives (struct index_rule) in order and asks for a root; the index does not know the model.
 */
#include <compile/compile.h>

typedef unsigned __int128 index_addr;

/*
 * One alternative of a rule: all of its conditions must hold.  Ranges are inclusive, host order; 0..~0 means any.  Address ranges need not be
 * prefixes: what is not is filed under the prefix that covers it and compared exactly (gw_xaddr).
 */
struct index_rule {
	index_addr s_lo, s_hi, d_lo, d_hi; /* IPv4: 0..0xffffffff */
	bool not_s, not_d;
	uint16_t sp_lo, sp_hi, dp_lo, dp_hi; /* ports; ICMP: dp = type << 8 | code */
	uint64_t meta, mmask;		     /* GW_META_* */
	uint32_t mark, markm;
	uint8_t states; /* accepted states, bits 1 << GW_CT_*; 0xff = any */
	uint32_t prio;	/* ascending over the array; alternatives of one rule have the same */
	uint32_t id;	/* counter id */
	uint32_t flags; /* GW_ENT_VARY*, verdict << 8, act << 12 */
};

struct builder;
/* max_lines: what a half of the region holds. */
int builder_new(size_t max_lines, struct builder **ret);
struct builder *builder_free(struct builder *b);
DEFINE_FREEP(builder)
enum {
	INDEX_E_FULL = 1
}; /* outcome of all of these: the image would not fit max_lines (or a limit of gw/image.h) */

/* Roots get their numbers first, so that jumps can name them before they are built. */
uint32_t builder_reserve_root(struct builder *b);
/*
 * Build root number `root` from rules.  *head gives next, policy, cid, flags (GW_ROOT_BASE) and handle; the rest is filled in.
 * Few entries stay a list (delta), more get an index.
 */
int builder_root(struct builder *b, uint32_t root, int version, const struct gw_root *head,
		 const struct index_rule *rules, size_t n);
void builder_slot(struct builder *b, unsigned int hook, int version, uint32_t root);
/* `lines` are n lines: a gw_act with its cells and gw_nat.  Equal ones share a place.  *ret_act > 0. */
int builder_act(struct builder *b, const void *lines, size_t n, uint32_t *ret_act);
/* Sets.  The kinds are chosen by key_len and what the elements are; *ret_set indexes o_set. */
struct index_range { /* host order for 2 and 4 bytes in [1]; 16 bytes: most significant word first */
	uint64_t lo[2], hi[2];
};
int builder_set_ranges(struct builder *b, unsigned int key_len, const struct index_range *ranges,
		       size_t n, const struct gw_set *head, uint32_t *ret_set);
/* keys: n keys of key_len bytes each (fields padded to 4, network order, as in gw_dynkey). */
int builder_set_keys(struct builder *b, unsigned int key_len, const uint8_t *keys, size_t n,
		     const struct gw_set *head, uint32_t *ret_set);
/* The finished image; gen, hooks and GW_IMG_* flags are the caller's. */
int builder_finish(struct builder *b, const struct gw_head *head, struct image **ret);

/*
 * Changes of an image in force, in its half of the mapped region (cap lines), while packets use it.
 * append: entries go to the delta list of the root, in an order of stores that a reader may see half way: ndelta last.
 * remove: the entries of counter id `id` never match again.  INDEX_E_FULL: no room, compile anew.
 */
int image_append(void *half, size_t cap, uint32_t root, const struct index_rule *rules, size_t n,
		 const void *act_lines, size_t n_act_lines);
int image_remove(void *half, uint32_t id);

/* What a root costs: for `gwctl rule stats`. */
struct index_stats {
	uint64_t handle; /* of the chain */
	uint32_t entries, delta, labels[2], groups,
		largest;     /* largest: entries of one group that are looked at one by one */
	uint32_t largest_id; /* counter id of a rule in that group */
	size_t bytes;
};
int image_stats(const void *half, uint32_t root, struct index_stats *ret);
#endif
