/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_RULEGEN_H
#define TESTS_RULEGEN_H
/*
 * rulegen - rule sets like those of firewalls, and packets that meet them, from a seed.  The shapes follow what is published about
 * filter sets (how often prefixes of which length, single ports, ranges and wildcards occur); no foreign data is in them.
 */
#include <compile/index.h>
#include <core/key.h>

enum rulegen_kind {
	RULEGEN_ACL,	 /* access lists: specific destinations and ports */
	RULEGEN_FW,	 /* firewalls: many wildcards, port ranges on both sides */
	RULEGEN_IPC,	 /* both mixed, host to host */
	RULEGEN_NEST,	 /* up to 32 prefixes around each other */
	RULEGEN_CROSS,	 /* crossing port ranges, any address */
	RULEGEN_FORWARD, /* one address, a port each */
	RULEGEN_IFACE,	 /* one interface each */
	RULEGEN_MARK,	 /* one mark each */
	RULEGEN_LENGTHS, /* all prefix lengths */
	RULEGEN_K8S,	 /* a destination and a port each, few sources */
	RULEGEN_PAIRS,	 /* all pairs of prefix lengths */
	RULEGEN_RANGES,	 /* overlapping address ranges that are no prefixes, negated ones */
	RULEGEN_BLOCK,	 /* a list of sources */
	RULEGEN_INNER,	 /* as NEST, the most specific rules first */
	RULEGEN_CELLS,	 /* crossing ranges of both ports, any address */
	RULEGEN_SAME, /* nothing tells the rules apart but what is no key: flags, states, parts of marks */
	RULEGEN_KINDS
};
extern const char *const rulegen_names[RULEGEN_KINDS];

struct rulegen {
	uint64_t state;
};
uint64_t rulegen_next(struct rulegen *g);
/* 0 .. n - 1 */
uint32_t rulegen_below(struct rulegen *g, uint32_t n);

/* n rules in order; prios ascend by 256, ids by 1; now and then two are alternatives of one rule.  The caller frees. */
struct index_rule *rulegen_rules(enum rulegen_kind kind, int version, size_t n, uint64_t seed);
/* A packet that one of the rules may match, or nearly. */
void rulegen_key(struct rulegen *g, const struct index_rule *rules, size_t n, int version,
		 struct find_key *ret);
#endif
