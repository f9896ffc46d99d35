/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_TREE_H
#define COMPILE_TREE_H
/*
 * tree - spans of one dimension (prefixes, port ranges) that nest or are disjoint, as a tree of labels of at most 7 levels.
 *
 * Deeper nesting is cut into bands of classes (prefix lengths): inside a band a nested span takes the label of the one around it and is
 * folded, which the entry makes good by an exact comparison.
 */
#include <compile/index.h>

struct tree_span {
	index_addr lo, hi;
	uint8_t cls; /* 0 = everything; of two nested spans the inner one has the greater or the same class */
};
struct tree_label {
	uint32_t par;
	uint32_t lev;
};
/* From `start` on up to the next one `label` is the most specific. */
struct tree_cut {
	index_addr start;
	uint32_t label;
};
struct tree {
	struct tree_label *labels; /* [0] = everything; a parent stands before its children */
	size_t n_labels;
	struct tree_cut *cuts; /* ascending; [0].start = 0 */
	size_t n_cuts;
	uint32_t *label_of; /* of each span */
	bool *folded;	    /* the label is wider than the span */
};
#define TREE_CLASSES 130
/* top: the last address.  Spans beyond max_labels are folded. */
int tree_build(const struct tree_span *spans, size_t n, index_addr top, size_t max_labels,
	       struct tree *t);
void tree_deinit(struct tree *t);
#endif
