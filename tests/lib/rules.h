/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIB_RULES_H
#define TESTS_LIB_RULES_H
/*
 * rules - rulesets as rows, written as an image (gw/rule.h) into the loaded object; the compiler of the product is not involved.
 */
#include <stddef.h>
#include <stdint.h>
#include <gw/rule.h>
#include <gw/hook.h>

struct rule {
	uint8_t hook, family; /* family 0: both */
	uint8_t verdict;      /* GW_V_* */
	uint8_t proto, ctstate;
	uint8_t policy; /* this row is the chain's policy; without one it is accept, not counted */
	const char *src,
		*dst; /* one address; a row with an IPv6 address is for IPv6 only, and so on */
	uint16_t sport, dport; /* 0 = any; ICMP: dport = type << 8 | code */
	uint32_t iif, oif, mark, ctmark, cid, arg;
	/* GW_V_NAT */
	uint32_t nat, nat_flags; /* kind; GW_NATF_ADDR and GW_NATF_PORT come by themselves */
	const char *to;
	uint16_t port_lo, port_hi;
};

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
