/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIB_RULES_H
#define TESTS_LIB_RULES_H
/*
 * rules - rulesets as rows, written as an image (gw/image.h) into the loaded object; the compiler of the product is not involved.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gw/abi.h>

/* An op or one of its further cells. */
union cell {
	struct gw_op op;
	struct gw_op_pair pair;
};

struct rule {
	uint8_t hook, family; /* family 0: both */
	uint8_t base;	      /* which base chain of the hook, in order */
	uint8_t chain;	      /* a user chain instead of a base chain; any hook may jump there */
	uint8_t verdict;      /* GW_V_*; JUMP, GOTO: arg is the chain */
	uint8_t proto, ctstate;
	uint8_t policy; /* this row is the chain's policy; without one it is accept, not counted */
	uint8_t tcp_bits, tcp_mask; /* set ones of those looked at */
	uint8_t vary,
		vary_syn; /* what the compiler says of the ops, beyond what marks and TCP flags need */
	uint8_t act_flags; /* GW_ACT_* */
	bool not_src, not_dst;
	const char *src,
		*dst; /* one address; a row with an IPv6 address is for IPv6 only, and so on */
	uint16_t sport, dport; /* 0 = any; ICMP: dport = type << 8 | code */
	uint32_t iif, oif, mark, ctmark, cid, arg;
	/* GW_V_NAT */
	uint32_t nat, nat_flags; /* kind; GW_NATF_ADDR and GW_NATF_PORT come by themselves */
	const char *to, *to_hi;
	uint16_t port_lo, port_hi;
	const union cell *ops; /* OPS(...) */
	uint8_t n_ops;	       /* cells */
};
#define OPS(...)                                    \
	.ops = (const union cell[]){ __VA_ARGS__ }, \
	.n_ops = sizeof((const union cell[]){ __VA_ARGS__ }) / sizeof(union cell)
#define OP(...)                       \
	{                             \
		.op = { __VA_ARGS__ } \
	}
#define PAIR(x, y)                  \
	{                           \
		.pair = {(x), (y) } \
	}

/* Sets of the following rulesets, until the end of the test; `table`: lines of a static one. */
struct set_row {
	struct gw_set head;
	const void *table;
	size_t lines;
};
void rules_sets(const struct set_row *rows, size_t n);

#define RULES_HALF_LINES 4096
void rules_reset(void);
/* As gwd does before it writes: when this returns, no packet reads the half that is not in force; what was there is no ruleset any more. */
void rules_poison(void);

/* Put an image in force that somebody else made; stage.conf has its hooks. */
void rules_put(const void *lines, size_t n);

/* Put these rules in force, in a new generation. */
void rules_set(const struct rule *rows, size_t n);
#define RULES(...)                                                  \
	do {                                                        \
		const struct rule rows_[] = { __VA_ARGS__ };        \
		rules_set(rows_, sizeof(rows_) / sizeof(rows_[0])); \
	} while (0)

/* nat postrouting: masquerade what leaves by this interface */
#define MASQUERADE(port, ...)                                                                     \
	{                                                                                         \
		.hook = GW_HOOK_NAT_POSTROUTING, .verdict = GW_V_NAT, .oif = stage.ifindex[port], \
		.nat = GW_NAT_MASQUERADE, __VA_ARGS__                                             \
	}
#endif
