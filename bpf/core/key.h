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

/* Probes to come: a pair of labels for each bit. */
struct find_frame {
	__u64 bm;    /* GW_DEPTH_BIT; of a GW_KEY_FIELD: bit 0 the value, bit 1 any */
	__u32 group; /* 0 = pairs of addresses; else GW_KEY_* | number */
	__u32 value; /* of the exact field; else FIND_WIDE, FIND_LEAST */
};
#define FIND_WIDE 1 /* the least specific pair first */
#define FIND_LEAST \
	2 /* find.least is filled in: pairs without an entry in front of what is found are passed by */

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
	/* The search's own.  In memory and not in registers: the verifier merges states that differ only here. */
	__u32 o_misc, o_xaddr; /* lines, as all offsets here: of the region */
	__u32 o_bkt, nbkt, o_rul;
	__u32 o_index;	 /* the root's line with the offsets of its index */
	__u32 has_ports; /* port[] is filled in */
	__u32 top;	 /* frames in use */
	__u32 list_at; /* index of the next entry of a list, counted from the region's first line */
	__u32 list_n;  /* entries left at most */
	__u32 list_how;
	__u32 pad2;
	__u32 lo[2], n[2]; /* intervals of both addresses that are searched */
	__u64 value[2];	   /* of those found */
	__u64 key;	   /* of the probe */
	__u64 ports_bm;	   /* depths that both ports' labels have rules for */
	__u32 label[2][8]; /* by depth */
	__u32 port[2][8];
	__u32 least[2][8]; /* of label[] */
	struct find_frame frame[4];
};
#endif
