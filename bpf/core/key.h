/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_KEY_H
#define GW_KEY_H
/*
 * key - what the classifier is asked and what it answers.  Plain data: the unit tests of the index run the same code (core/find.h).
 */
#include <gw/abi.h>

/* What a packet looks like to rules; filled by the stage that asks.  Host order. */
struct find_key {
	__u64 s[2], d[2];   /* most significant word first; IPv4 in [1], [0] = 0 */
	__u64 meta;	    /* GW_META_* */
	__u16 sport, dport; /* ICMP: dport = type << 8 | code; no ports: 0 */
	__u32 mark;
	__u8 state; /* 1 << GW_CT_* */
	__u8 syn;   /* the packet has SYN, FIN or RST: GW_ENT_VARY_SYN entries count as varying */
	__u16 pad;
};

#define FIND_NONE 0xffffffffU
struct find {
	__u32 half; /* in: first line of the half in force */
	__u32 root; /* in */
	__u32 min;  /* in: smallest prio that counts */
	__u32 prio; /* out: of the match, FIND_NONE = nothing matches */
	__u32 id;
	__u32 flags; /* of the entry: verdict, act */
	__u32 vary; /* out: smallest prio <= prio of an entry that may match other packets of this flow and not this one, or that matches and varies; FIND_NONE = none */
	__u32 pad;
	__u64 work[40]; /* the search's own: labels, pending probes */
};
#endif
