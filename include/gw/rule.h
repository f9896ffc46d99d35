/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_RULE_H
#define GW_RULE_H
/*
 * The image of a ruleset: what ctl/compile writes and bpf/core/rules.h walks.
 *
 * An image is one ARRAY map of 64-byte lines, put into gw_rulesets[0] in one step.
 *   line 0                          struct gw_image
 *   lines 1 .. GW_IMG_SLOT_LINES    struct gw_slots: where the walk of each (hook, family) starts
 *   then                            struct gw_rule lines, each followed by its GW_RULE_ADDR6 and GW_RULE_ACT lines
 *
 * A slot is the chains that sit on one place of the matrix, by priority, one behind the other.  The walk starts at
 * the slot's line and looks at one rule after the other (a rule is 1 + ADDR6 + ACT lines long):
 *   no match                 go to the following rule
 *   GW_V_CONTINUE            count it, go to the following rule
 *   GW_V_SKIP                do not count it, go to line `next` (negated matches: "if X, this rule does not apply")
 *   GW_V_ACCEPT and NAT      count it, this chain is done: go to line `next` (the next chain of the slot), 0 = the end
 *   GW_V_DROP, GW_V_REJECT   count it, final
 * Each chain ends with a rule without matches, flagged GW_RULE_POLICY, that carries its policy.  A slot without chains has line 0: accept.
 * Sets are written out: one rule line per combination of elements, same cid.  Only the first that matches is counted, because
 * every verdict but GW_V_CONTINUE leaves the rule; for GW_V_CONTINUE all but the last copy use `next` (below).
 */
#include <linux/types.h>

#define GW_LINE_SIZE 64

struct gw_image {
	__u32 gen;    /* generation, 1.. ; equals gw_conf.gen once published */
	__u32 nlines; /* all lines of the map that are in use */
	__u32 flags;  /* GW_IMG_* */
	__u32 hooks4; /* bit GW_HOOK_*: the slot has a chain for IPv4 */
	__u32 hooks6;
	__u32 pad[11];
};
GW_ABI_SIZE(gw_image, 64);

#define GW_IMG_NO_CACHE \
	(1U << 0) /* a filter rule looks at something that differs inside a flow (meta mark) */

/* Slots: index = hook * 2 + (family == 6); 16 to a line. */
#define GW_IMG_SLOT_LINES ((GW_HOOK_MAX * 2 + 15) / 16)
#define GW_IMG_FIRST_RULE (1 + GW_IMG_SLOT_LINES)
struct gw_slots {
	__u32 line[16];
};
GW_ABI_SIZE(gw_slots, 64);

/* gw_rule.verdict */
#define GW_V_CONTINUE 0
#define GW_V_ACCEPT   1
#define GW_V_DROP     2
#define GW_V_REJECT   3 /* arg = GW_REJECT_* */
#define GW_V_SKIP     4
#define GW_V_NAT      5 /* the GW_RULE_ACT line is a struct gw_nat */
#define GW_V_NOTRACK \
	6 /* raw only: the packet is UNTRACKED; go on with the following rule (nft's notrack is not final) */

#define GW_V_JUMP   7 /* these three: gw/image.h only */
#define GW_V_GOTO   8
#define GW_V_RETURN 9

#define GW_RULE_ADDR6  (1U << 0) /* the next line is a struct gw_rule_addr6 that must match too */
#define GW_RULE_ACT    (1U << 1) /* the line behind (the ADDR6 line) is the action's data */
#define GW_RULE_POLICY (1U << 2) /* this is a chain's policy */
#define GW_RULE_MORE \
	(1U << 3) /* GW_V_CONTINUE, GW_V_NOTRACK: go to `next` instead of the following rule */

#define GW_REJECT_PORT	    0 /* ICMP/ICMPv6 port unreachable */
#define GW_REJECT_TCP_RESET 1 /* RST for TCP, else port unreachable */
#define GW_REJECT_NET	    2 /* ICMP net unreachable; ICMPv6 no route */
#define GW_REJECT_HOST	    3 /* ICMP host unreachable; ICMPv6 address unreachable */
#define GW_REJECT_ADMIN	    4 /* ICMP/ICMPv6 administratively prohibited */
#define GW_REJECT_PROTO	    5 /* ICMP protocol unreachable */
#define GW_REJECT_NET_PRO   6 /* ICMP network prohibited */
#define GW_REJECT_HOST_PRO  7 /* ICMP host prohibited */
#define GW_REJECT_POLICY    8 /* ICMPv6 policy fail */
#define GW_REJECT_ROUTE	    9 /* ICMPv6 reject route */
#define GW_REJECT_MAX	    10

#define GW_IF_NONE \
	0xffffffffU /* iif/oif of a rule whose interface does not exist now: never matches */

/* All ranges are inclusive and in host order; a range that covers everything means "any". */
struct gw_rule {
	__u32 saddr_lo, saddr_hi; /* IPv4 */
	__u32 daddr_lo, daddr_hi;
	__u16 sport_lo, sport_hi;
	__u16 dport_lo, dport_hi; /* ICMP, ICMPv6: type << 8 | code */
	__u32 iif;		  /* ifindex, 0 = any */
	__u32 oif;
	__u32 mark, mark_mask; /* meta mark: (skb->mark & mask) == mark; mask 0 = any */
	__u32 ctmark, ctmark_mask;
	__u32 cid;    /* counter id, 0 = not counted */
	__u32 next;   /* see above */
	__u8 proto;   /* IPPROTO_*, 0 = any; ports are looked at only if it is set */
	__u8 ctstate; /* bits 1 << GW_CT_*, 0 = any */
	__u8 verdict; /* GW_V_* */
	__u8 flags;   /* GW_RULE_* */
	__u32 arg;
};
GW_ABI_SIZE(gw_rule, 64);

/* IPv6 ranges, host order words, most significant first. */
struct gw_rule_addr6 {
	__u64 saddr_lo[2], saddr_hi[2];
	__u64 daddr_lo[2], daddr_hi[2];
};
GW_ABI_SIZE(gw_rule_addr6, 64);

/* gw_nat.kind */
#define GW_NAT_MASQUERADE 1
#define GW_NAT_SNAT	  2
#define GW_NAT_DNAT	  3
#define GW_NAT_REDIRECT	  4
/* gw_nat.flags */
#define GW_NATF_ADDR	     (1U << 0) /* addr_lo..addr_hi given */
#define GW_NATF_PORT	     (1U << 1) /* port_lo..port_hi given */
#define GW_NATF_RANDOM	     (1U << 2)
#define GW_NATF_FULLY_RANDOM (1U << 3)
#define GW_NATF_PERSISTENT   (1U << 4)
#define GW_NATF_NETMAP \
	(1U << 5) /* addr_lo..addr_hi is a prefix: the bits behind it are kept (NETMAP) */
#define GW_NATF_ENDPOINT (1U << 6) /* endpoint-independent mapping and filtering (RFC 4787) */
struct gw_nat {
	__u32 kind;
	__u32 flags;
	__be32 addr_lo[4]; /* network order, inclusive; IPv4 in [0] */
	__be32 addr_hi[4];
	__u16 port_lo; /* host order, inclusive */
	__u16 port_hi;
	__u32 pad[5];
};
GW_ABI_SIZE(gw_nat, 64);

/* Value of the mmapable array gw_counters; index = cpu * GW_COUNTERS_MAX + counter id. */
struct gw_counter {
	__u64 pkts;
	__u64 bytes;
};
GW_ABI_SIZE(gw_counter, 16);
#define GW_COUNTERS_MAX 131072

#endif
