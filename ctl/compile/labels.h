/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILE_LABELS_H
#define COMPILE_LABELS_H
/*
 * labels - the two dimensions of an indexed root, addresses or ports: rules -> labels, labels -> classes -> arrays of the image.
 */
#include <compile/builder.h>
#include <compile/tree.h>

/* Which depths of the other dimension a label meets. */
struct labels {
	struct tree tree;
	uint64_t *own; /* of each label: GW_DEPTH_BITs of the pairs it is in */
};
void labels_deinit(struct labels *l);

/* Labels of all rules' sources (dim 0) or destinations (dim 1). */
int labels_addresses(const struct index_rule *rules, size_t n, int version, int dim,
		     struct labels *ret);
/* What labels meet becomes what they and those around them meet.  Before: */
void labels_accumulate(struct labels *l);
/* The range table, classes and parents of an address dimension. */
int labels_write(struct builder *b, struct labels *l, int version, struct gw_dim *d);

/*
 * Ranges of ports: cut where they cross, so that they nest.  Where many would be cut too often, they are covered by blocks instead: few
 * of a size near theirs, aligned to it, so that blocks nest whatever the ranges are.
 */
struct portmap {
	struct labels labels;
	uint32_t *range_of; /* of each rule that was given: its distinct range */
	size_t n_ranges;
	uint32_t *first; /* of each range: its labels in list[first] .. */
	uint8_t *n_labels;
	uint16_t *list;
	bool blocks;
};
void portmap_deinit(struct portmap *p);
#define PORT_PIECES 8 /* a range that would be cut into more counts as any */
int portmap_build(const struct index_rule *rules, const uint32_t *at, size_t n, int dim,
		  struct portmap *ret);
int portmap_write(struct builder *b, struct portmap *p, uint32_t *ret_map, uint32_t *ret_classes,
		  uint32_t *ret_parents);
#endif
