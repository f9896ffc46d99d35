/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_IMPL_H
#define COMPILE_IMPL_H
/*
 * impl - what the files of this room share.
 *
 *   span.c   values of a field as ranges of numbers
 *   box.c    alternatives of a rule: boxes, their intersections
 *   match.c  a match narrows boxes, or becomes an op
 *   set.c    sets that are looked up
 *   stmt.c   statements as ops
 *   act.c    ops, verdict and translation as lines of the image
 *   flat.c   a rule as entries of a root
 *   graph.c  chains that lead to each other
 */
#include <compile/index.h>

/* Outcomes inside this room, beside COMPILE_E_*. */
enum {
	FLAT_FULL = 16, /* the image is full */
	FLAT_MANY,	/* more alternatives than a rule may have */
	FLAT_OP,	/* no condition of the index: an op must do it */
	FLAT_NEVER,	/* no packet of this version gets past here */
	FLAT_APART,	/* a map that needs a root of its own */
	FLAT_WIDE,	/* a set whose ranges are too many keys */
	FLAT_SKIP	/* a negated one: "if it is in there, the rule is over" */
};
/* Outcomes of the index overlap with those. */
static inline int full(int r)
{
	return r == INDEX_E_FULL ? FLAT_FULL : r;
}
#define BOXES_MAX (1U << 20)

/* u64 -> u64, open addressing. */
struct idmap {
	struct idmap_row {
		uint64_t key, value;
		bool used;
	} * rows;
	size_t n, cap;
};
void idmap_deinit(struct idmap *m);
int idmap_reserve(struct idmap *m, size_t n);		      /* room for n more */
int idmap_put(struct idmap *m, uint64_t key, uint64_t value); /* replaces */
bool idmap_get(const struct idmap *m, uint64_t key, uint64_t *ret);

struct span {
	index_addr lo, hi; /* inclusive */
};
struct spans {
	struct span *s;
	size_t n, cap;
};
struct ctx;
void spans_deinit(struct spans *l);
int spans_add(struct spans *l, index_addr lo, index_addr hi);
void spans_merge(struct spans *l); /* sorted, nothing overlaps or touches */
int spans_complement(struct spans *l, index_addr max);
index_addr field_max(enum field field);
/* The values of one element of this type; names of interfaces: all that match now. */
int spans_elem(const struct ctx *x, enum field_type type, const struct elem *e, struct spans *ret);
/* All values of a match of one field, merged; its comparison is resolved, its negation not. */
int spans_match(const struct ctx *x, const struct match *m, struct spans *ret);

struct boxes {
	struct index_rule *b;
	size_t n, cap;
};
void boxes_deinit(struct boxes *l);
struct index_rule box_any(int version);
int boxes_add(struct boxes *l, const struct index_rule *b);
/* What is in both, one box for each pair that meets. */
int boxes_meet(int version, struct boxes *l, const struct boxes *by);

/* A chain and what leads to it. */
struct node {
	const struct table *table;
	const struct chain *chain;
	uint32_t root[2]; /* IPv4, IPv6 */
	int above; /* most returns that are pending when it is entered; -1: no packet comes here */
	bool leaf; /* no rule leads to another chain */
};
struct graph {
	struct node *nodes;
	size_t n, cap;
	struct idmap by_name, by_chain;
};
void graph_deinit(struct graph *g);
/* Find loops, depths; COMPILE_E_DIAG. */
int graph_build(struct graph *g, const struct ruleset *rs, struct diag *d);
struct node *graph_node(const struct graph *g, const struct chain *c);
struct node *graph_find(const struct graph *g, const struct table *t, const char *name);
bool chain_takes_part(const struct table *t, const struct chain *c);

struct compile_map {
	struct idmap rules;  /* handle -> first prio << 32 | last prio */
	struct idmap chains; /* handle -> index of nodes */
	struct map_node {
		uint32_t root[2];
		int above;
		bool leaf;
	} * nodes;
	size_t n, cap;
};

struct flat;
/* What a rule is compiled with. */
struct ctx {
	const struct ruleset *rs;
	const struct compile_if *ifs;
	size_t n_ifs;
	struct diag *d;
	/* a whole image: */
	struct builder *b;
	struct graph graph;
	struct idmap sets; /* pointer of the set or match -> number */
	struct idmap
		states; /* what a turn of numgen inc belongs to -> state id: one for both versions */
	uint32_t gen, n_states; /* see compile_state() */
	/* one rule for an image in force: */
	struct compile_map *map;
	uint8_t (*act)[GW_LINE_SIZE]; /* ACT_LINES_MAX of them */
	size_t act_lines;
	struct flat *spare; /* of the rule before: one is needed for each */
	/* where we are: */
	const struct table *table;
	const struct chain *chain;
	const struct rule *rule;
	int version;
	int above;
};
int refuse(const struct ctx *x, const char *fmt, ...) _printf_(2, 3); /* COMPILE_E_DIAG */

/* Ops of an action as they grow. */
struct cells {
	unsigned int n;
	struct gw_op op[GW_ACT_CELLS_MAX];
};
struct seg;
int cells_add(const struct ctx *x, struct cells *c, const struct gw_op *op,
	      const struct gw_op_pair *more);
#define ACT_LINES_MAX 18
struct act {
	uint8_t verdict; /* GW_V_* */
	uint32_t arg;
	bool no_count;
	const struct gw_nat *nat;
	const struct cells *cells;
};
/* Verdict and act for gw_ent.flags. */
int act_make(struct ctx *x, const struct act *a, uint32_t *ret_flags);

/* A part of a rule that is compiled in one go. */
struct seg {
	struct ctx *x;
	struct boxes boxes;
	uint32_t vary;	/* GW_ENT_VARY* */
	bool effects;	/* something happened: what comes now is an op */
	bool lasting;	/* ... and the packet or what is remembered is not what it was */
	uint64_t notes; /* cells that only count or log */
	struct cells cells;
};
int seg_match(struct seg *s, const struct match *m);
int seg_stmt(struct seg *s, const struct stmt *st);
/* What the set of a match on several fields holds, negated or not. */
int concat_boxes(const struct ctx *x, const struct match *m, struct boxes *ret);
/* What a field asks of the packet before its value is looked at: version and transport protocol. */
int seg_imply(struct seg *s, enum field field);
uint32_t field_vary(enum field field);
enum field field_plain(enum field field); /* other names of the same thing */
bool field_is_indexed(enum field field);
/* Boxes of the values; FLAT_OP. */
int field_boxes(const struct ctx *x, enum field field, const struct spans *l, struct boxes *ret);
/* An op that looks at one value. */
int op_range(const struct ctx *x, struct cells *c, enum field field, const struct span *span,
	     bool negate, unsigned int dir);
int state_of(struct ctx *x, const void *who, size_t index, uint32_t *ret);

struct set_use {
	const void *who; /* uses with the same are the same set */
	const struct set *named;
	enum field_type types[CONCAT_MAX];
	unsigned int n_fields;
	const struct elem *elems;
	size_t n;
};
int set_use_make(struct ctx *x, const struct set_use *u, uint32_t *ret);
int set_find(const struct ctx *x, const char *name, const struct set **ret);
bool set_is_dynamic(const struct set *s);
int selector_op(const struct ctx *x, const enum field *fields, unsigned int n, struct gw_op *op);

/* Where the entries of a rule go. */
struct target {
	struct boxes *out;
	uint32_t first, last; /* prios; last is set */
	bool apart;	      /* a root of its own: the rule goes on where it ends */
	bool single;	      /* there is no room for more than one prio */
};
int flat_rule(struct ctx *x, struct target *to);
#endif
