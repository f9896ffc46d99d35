/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_IMAGE_H
#define GW_IMAGE_H
/*
 * The image of a ruleset: what ctl/compile writes and the data plane's classifier (bpf/core/find.h, rules.h, op.h) reads.
 *
 * gw_region is one mmapable ARRAY of 64-byte lines in two halves of gw_conf.half_lines lines.  The ruleset of generation g lies in half
 * g & 1; gwd writes the other half, then stores gw_conf.gen, then waits a grace period before it writes that half again.  Every offset
 * below ("o_...", "line") counts lines from the first line of the half; indexes behind an offset count elements of the named type.
 *
 *   line 0        struct gw_head
 *   o_slot        __u32[]: root of the first base chain of slot hook * 2 + (family == 6), GW_NO_ROOT = none: accept
 *   o_root        struct gw_root[n_roots]: one for each chain and family
 *   o_misc        struct gw_misc[]: row 0 never matches (tombstone), row 1 always does
 *   o_xaddr       struct gw_xaddr[]
 *   o_act         lines of struct gw_act, each followed by its further op cells and its struct gw_nat
 *   o_set         struct gw_set[n_sets]
 *   behind nlines free lines: delta entries are written there (see gw_root)
 *
 * How a packet goes through a slot (core/rules.h).  find_first(root, min) gives the entry of smallest prio >= min whose conditions hold.
 * Its ops run in order; an op that is a match and fails ends the rule: ask again with min = prio + 1.  Then the verdict:
 *   GW_V_CONTINUE     count, ask again with min = prio + 1
 *   GW_V_ACCEPT, NAT  count, on to root.next (the next base chain of the slot)
 *   GW_V_DROP, REJECT count, final
 *   GW_V_JUMP         count, push (root, prio + 1), on to root act.arg from prio 0; GW_V_GOTO: without push
 *   GW_V_RETURN       count, pop; in a base chain or with an empty stack: the base chain's policy
 * The end of a user chain is a RETURN; the end of a base chain is its policy.  The stack is GW_JUMP_DEPTH deep (as nft's), which compile checks.
 */
#include <linux/types.h>

#define GW_NO_ROOT    0xffffffffU
#define GW_JUMP_DEPTH 16

struct gw_head {
	__u32 gen;    /* generation, 1..; equals gw_conf.gen once published */
	__u32 nlines; /* lines in use, including delta entries */
	__u32 flags;  /* GW_IMG_*: none yet */
	__u32 hooks4; /* bit GW_HOOK_*: the slot has a chain for IPv4 */
	__u32 hooks6;
	__u32 o_slot;
	__u32 o_root, n_roots;
	__u32 o_misc, n_misc;
	__u32 o_xaddr, n_xaddr;
	__u32 o_act, n_act; /* n_act: lines */
	__u32 o_set, n_sets;
};
GW_ABI_SIZE(gw_head, 64);

/* An address dimension of an indexed root: range table -> label and class.  See ctl/compile/index.h for the algorithm. */
struct gw_dim {
	__u64 base;  /* first address of the table; IPv6: of its upper half */
	__u16 sh;    /* chunk = (address - base) >> sh */
	__u16 flags; /* GW_DIM_* */
	__u32 nx;    /* chunks */
	__u32 o_dx;  /* __u32[nx + 1]: the last interval that starts before the chunk */
	/*
	 * Intervals in ascending order, the first starts at 0.  IPv4: __u64 = start << 40 | value (24 bits of the start are enough
	 * inside a chunk).  IPv6: struct gw_pair64 { upper half of the start, value }; a value with GW_DIM_SUB stands for several
	 * starts with this upper half: (number << 32 | index of the first) in o_sub, pairs { lower half, value }.
	 * value = class << 20 | label.
	 */
	__u32 o_rr;
	__u32 o_cl;  /* struct gw_class[] */
	__u32 o_par; /* __u32[n_label]: parent label; 0 = any address */
	__u32 o_sub; /* IPv6, see o_rr */
	/*
	 * 0, or __u32[labels]: the smallest prio of the entries with this label.  Only where many pairs can exist for a packet and most of
	 * them hold nothing in front of what it finds; then both dimensions have it.
	 */
	__u32 o_least;
};
GW_ABI_SIZE(gw_dim, 40);
#define GW_DIM_WIDE \
	(1U << 0) /* source: of the pairs, the least specific ones are looked at first */
#define GW_LABEL_MAX	(1U << 20)
#define GW_DIM_SUB	(1ULL << 63)
#define GW_DIM_LABEL(v) ((__u32)(v) & (GW_LABEL_MAX - 1))
#define GW_DIM_CLASS(v) ((__u32)((v) >> 20) & (GW_LABEL_MAX - 1))
#define GW_DIM_SH_MAX	24 /* IPv4 */
#define GW_DEPTHS	8  /* labels of one address: depths 0 (any) .. 7 */
#define GW_DEPTH_BIT(i, j) \
	(1ULL << ((7 - (i)) * 8 + (7 - (j)))) /* the most specific pair is the lowest bit */

struct gw_pair64 {
	__u64 at, value;
};
GW_ABI_SIZE(gw_pair64, 16);

struct gw_class {
	__u64 bm; /* GW_DEPTH_BIT(i, j): a rule has a source label of depth i on this chain of labels and a destination label of depth j */
	__u32 lev; /* depth of the label */
	__u32 pad;
};
GW_ABI_SIZE(gw_class, 16);

/* gw_root.flags */
#define GW_ROOT_BASE (1U << 0) /* a base chain: `policy` holds at its end */
#define GW_ROOT_INDEX \
	(1U << 1) /* d[], buckets ... are there; else the entries are all in the delta list */
#define GW_ROOT_ROOM (1U << 2) /* the delta list has room for GW_DELTA_MAX entries */
#define GW_DELTA_MAX 64

/*
 * Port -> label: __u16[256] pages, then the pages of __u16[256] each: page[p[port >> 8]][port & 255].
 */
#define GW_PORT_PAGE 256

struct gw_root {
	struct gw_dim d[2];	/* source, destination */
	__u32 nbkt, o_bkt;	/* struct gw_bucket[] */
	__u32 o_rul;		/* struct gw_ent[]: groups behind their first entry */
	__u32 o_grp;		/* __u64[]: depths in use of each port group, as in gw_class */
	__u32 o_spc, o_dpc;	/* port -> label; both or none */
	__u32 o_spn, o_dpn;	/* struct gw_class[] of port labels */
	__u32 o_sppar, o_dppar; /* __u32[] */
	/*
	 * struct gw_ent[]: entries that are not in the index, in any order; a root with few entries has all of them here.  Both words are
	 * read and written as one __u64 (8-byte aligned): an append moves the list to where there is room.
	 */
	__u32 ndelta, o_delta;
	__u32 next;   /* base chain: root of the next one of the slot, GW_NO_ROOT = none */
	__u32 policy; /* base chain: GW_V_ACCEPT or GW_V_DROP */
	__u32 cid;    /* base chain: counter of the policy */
	__u32 flags;  /* GW_ROOT_* */
	__u64 handle; /* of the chain */
	__u32 n_rul;  /* elements of o_rul, o_grp; for statistics and removal */
	__u32 n_grp;
	__u32 o_self, nlines; /* where the root's own lines are */
	__u32 n_label[2];     /* labels of both dimensions: below GW_LABEL_MAX */
	__u64 pad[2];
};
GW_ABI_SIZE(gw_root, 192);
#define GW_ROOT_LINES 3

/*
 * One alternative of a rule: sets and maps are written out, each element an entry with the rule's prio and id (elements of one rule that
 * overlap have the same action).  A delta entry has key ~0 and is compared by misc, xaddr and ports alone.
 */
struct gw_ent {
	__u64 key; /* GW_KEY_*; ~0 = empty */
	__u32 prio; /* order in the chain: rank << GW_PRIO_SHIFT, so that a later rule fits between two others */
	__u32 id;	 /* counter id; 0 = not counted */
	__u32 misc;	 /* index into o_misc; set to 0 when the rule is deleted */
	__u16 dplo, dpw; /* destination port (ICMP: type << 8 | code) in dplo .. dplo + dpw */
	__u32 next;
	__u32 flags; /* GW_ENT_*, verdict, act */
};
GW_ABI_SIZE(gw_ent, 32);
struct gw_bucket {
	struct gw_ent e[2];
};
GW_ABI_SIZE(gw_bucket, 64);
#define GW_PRIO_SHIFT 8

/*
 * Keys: source label | destination label << 32; of split groups: (kind | number of the group) | what is exact << 32.
 * The bucket is found by gw_key_hash (bpf/core/find.h, ctl/compile) scaled to nbkt: first the upper half, then the lower.
 */
#define GW_KEY_EMPTY	 (~0ULL)
#define GW_KEY_PORTS	 0x80000000U /* sport label << 16 | dport label */
#define GW_KEY_FIELD	 0xc0000000U /* the field's value */
#define GW_KEY_FIELD_ANY 0xe0000000U /* entries of the group without that condition: ~0 */
#define GW_KEY_GROUPS	 (1U << 29)
#define GW_SPLITS_MAX	 3 /* how deep groups are split: pair -> ports -> field ... */

#define GW_ENT_OVERFLOW (1U << 0) /* of a bucket, on slot 1: look into the second bucket, too */
/*
 * Groups that are split again.  misc: what all of their entries ask for of what lasts for a flow, so a packet that has not may pass
 * by; 0 = nothing.
 */
#define GW_ENT_PORTS (1U << 1) /* by ports: next = group, dplo = GW_PORTS_* */
#define GW_ENT_LAST  (1U << 2) /* last of its list */
#define GW_ENT_FIELD (1U << 3) /* by an exact field: next = group, dplo = GW_SPLIT_* */
#define GW_ENT_VARY \
	(1U         \
	 << 4) /* conditions or effects that differ between packets of a flow: no verdict may be kept */
/* ... on a GW_ENT_FIELD entry of GW_SPLIT_MARK: an entry of the group has it, and which one is not asked */
#define GW_ENT_VARY_SYN	      (1U << 5) /* only between packets with SYN, FIN or RST and those without */
#define GW_ENT_NOT_SADDR      (1U << 6) /* the range of xaddr is what the source may not be in */
#define GW_ENT_NOT_DADDR      (1U << 7)
#define GW_ENT_VERDICT(flags) ((flags) >> 8 & 15) /* GW_V_* */
#define GW_ENT_ACT(flags)     ((flags) >> 12)	  /* line behind o_act, 0 = none */
#define GW_ENT_ACT_MAX	      ((1U << 20) - 1)
#define GW_PORTS_WIDE	      1 /* the widest ranges are looked at first */
#define GW_SPLIT_MARK	      0
#define GW_SPLIT_IIF	      1
#define GW_SPLIT_OIF	      2
#define GW_SPLIT_PROTO	      3

/* gw_misc.meta and what packets are asked for (bpf/core/key.h) */
#define GW_META_IIF(i)	 ((__u64)(i) << 40) /* 24 bits: an ifindex beyond is refused by compile */
#define GW_META_OIF(i)	 ((__u64)(i) << 16)
#define GW_META_PROTO(p) ((__u64)(p) << 8)
#define GW_META_TCPF(f)	 ((__u64)(f)) /* TCP flags, 0 for other protocols */
#define GW_META_IF_MAX	 0xffffffU

/* Conditions that many rules share.  Holds if (key.meta & mmask) == meta, and so on; row 0 never holds, row 1 is "anything". */
struct gw_misc {
	__u64 meta, mmask;
	__u16 splo, spw;   /* source port in splo .. splo + spw */
	__u32 mark, markm; /* (meta mark & markm) == mark */
	__u32 xa; /* GW_MISC_XADDR: index into o_xaddr, 0 = none; accepted states (bits 1 << GW_CT_*) << 24 */
};
GW_ABI_SIZE(gw_misc, 32);
#define GW_MISC_XADDR(xa)  ((xa)&0xffffffU)
#define GW_MISC_STATES(xa) ((xa) >> 24)

/* Address ranges, inclusive, host order, most significant word first; IPv4 in [1] with [0] = 0. */
struct gw_xaddr {
	__u64 s_lo[2], s_hi[2], d_lo[2], d_hi[2];
};
GW_ABI_SIZE(gw_xaddr, 64);

/*
 * What a rule does beyond a bare verdict.  Ops are 16-byte cells: the first three stand here, the others four to a line behind; an op takes
 * 1 + len cells.  The gw_nat line stands behind the last line of cells.
 */
struct gw_op {
	__u8 code;  /* GW_OP_* */
	__u8 field; /* GW_F_*: what is compared; concatenations: the first field */
	__u8 flags; /* GW_OPF_* */
	__u8 len;   /* further cells of this op */
	__u32 mask;
	__u32 lo;
	__u32 hi;
};
GW_ABI_SIZE(gw_op, 16);
struct gw_op_pair { /* a further cell */
	__u64 a, b;
};
GW_ABI_SIZE(gw_op_pair, 16);

struct gw_act {
	__u8 n_cells; /* of ops, 0.. GW_ACT_CELLS_MAX */
	__u8 flags;   /* GW_ACT_* */
	__u16 nat;    /* lines behind this one to the gw_nat; 0 = none */
	__u32 arg;    /* JUMP, GOTO: root; REJECT: GW_REJECT_* */
	__u64 pad;
	struct gw_op cell[3];
};
GW_ABI_SIZE(gw_act, 64);
#define GW_ACT_CELLS_MAX 64
#define GW_ACT_NO_COUNT	 (1U << 0) /* an op GW_OP_COUNT does: do not count at the verdict */

#define GW_OPF_NOT   (1U << 0) /* the match's result is negated; LIMIT, QUOTA, CTCOUNT: `over` */
#define GW_OPF_BYTES (1U << 1) /* LIMIT: rate of bytes */
#define GW_OPF_FROM \
	(1U         \
	 << 2) /* MARK: the value comes from ct mark; CTMARK: from the packet's mark; TTL: see below */
#define GW_OPF_LIMIT \
	(1U          \
	 << 3) /* SETADD, SETUPD: the element has a token bucket; two more cells as for LIMIT; it may fail the rule */
#define GW_OPF_COUNT (1U << 4) /* SETADD, SETUPD: the element counts packets and bytes */
#define GW_OPF_CTCOUNT \
	(1U            \
	 << 5) /* SETADD, SETUPD: the element counts connections; hi = how many pass, NOT as for CTCOUNT */
#define GW_OPF_REPLY \
	(1U << 6) /* field ct ...: of the reply direction; ct bytes/packets: see GW_OPF_BOTH */
#define GW_OPF_BOTH (1U << 7) /* ct bytes, packets: the sum of both directions */

/* Matches: fail = the rule does not apply. */
#define GW_OP_RANGE    1 /* (value & mask) in lo..hi */
#define GW_OP_RANGE64  2 /* one cell: value in a..b */
#define GW_OP_RANGE128 3 /* IPv6 address; two cells: lo, hi (most significant word first) */
#define GW_OP_SET \
	4 /* lo = index into o_set; key: field, then (mask & 0xff), (mask >> 8 & 0xff), (mask >> 16 & 0xff), 0 = none */
#define GW_OP_LIMIT \
	5 /* lo = index into gw_states; one cell: a = ns that one unit costs << 8, b = ns << 8 that may be saved up (rate and burst) */
#define GW_OP_QUOTA   6 /* lo = index into gw_states; one cell: a = bytes */
#define GW_OP_CTCOUNT 7 /* lo = index into gw_states, hi = connections that pass */
#define GW_OP_NUMGEN \
	8 /* value = (random or counter) % mask in lo..hi; FROM = counter, one cell: a = index into gw_states.  Ops of one entry that name the same index share one draw (without FROM, too). */
/* Statements: always go on. */
#define GW_OP_COUNT 16 /* lo = counter id */
#define GW_OP_LOG   17 /* lo = log id (gwd knows prefix, level, group) */
#define GW_OP_MARK \
	18 /* mark = (mark & ~mask) ^ lo; FROM: mark = (mark & hi) ^ (ctmark & mask) ^ lo */
#define GW_OP_CTMARK \
	19 /* likewise for the connection's mark; FROM: the packet's mark is the source */
#define GW_OP_DSCP 20 /* lo = 0..63 */
#define GW_OP_TTL  21 /* lo = value; hi 0 set, 1 add, 2 subtract */
#define GW_OP_MSS \
	22 /* lower the MSS of a SYN to lo; 0 = to what the route's MTU leaves; FROM: set it even if that raises it (xt TCPMSS --set-mss never raises; nft sets) */
#define GW_OP_NOTRACK 23
#define GW_OP_SETADD \
	24 /* lo = index into o_set, hi = timeout in s (0 = the set's); add if not there */
#define GW_OP_SETUPD 25 /* ... and refresh the timeout */
#define GW_OP_SETDEL 26
#define GW_OP_ZONE   27 /* raw: lo = conntrack zone */

/*
 * A set that is looked up: static ones as a table in the image, dynamic ones in the hash gw_dynset.
 * Keys of several fields are the fields' bytes one behind the other, each padded to 4 bytes, in network order as nft lays them out.
 */
struct gw_set {
	__u8 kind;    /* GW_SET_* */
	__u8 key_len; /* bytes: 2 (in the first two of the key), 4..GW_DYNKEY_LEN */
	__u16 flags;  /* GW_SETF_* */
	__u32 id; /* dynamic: the set in gw_dynset, stable over generations (handle of the set) */
	__u32 o_table; /* first line */
	__u32 n;       /* ADDR4, ADDR6: boundaries; HASH: buckets */
	__u32 sh, nx;  /* ADDR4, ADDR6: chunk = (address, upper half - base) >> sh; chunks */
	__u32 o_aux;   /* ADDR4, ADDR6: __u32[nx + 1]: boundaries before the chunk */
	__u32 timeout; /* dynamic: default, seconds; 0 = none */
	__u32 size;    /* dynamic: elements that fit; 0 = as many as the map takes */
	__u32 seed;    /* HASH */
	__u64 base;    /* ADDR6: first upper half of the table */
	__u32 pad[4];
};
GW_ABI_SIZE(gw_set, 64);
#define GW_SET_NONE 0 /* nothing is in it */
/*
 * Boundaries in ascending order: the first address in, the first one out, and so on; an odd number of them at or below an address: it is in.
 * ADDR4: __u16 (its lower bits) if sh <= 16, else __u32; ADDR6: { __u64 hi, lo; }.
 */
#define GW_SET_ADDR4  1
#define GW_SET_ADDR6  2
#define GW_SET_BITMAP 3 /* 65536 bits of a 2-byte key: ports and other 16-bit values; __u64[1024] */
/*
 * Exact keys: buckets of one line, GW_SET_SLOTS(key_len) keys and in the last word the number of those used | GW_SET_MORE: keys of this bucket
 * are in one of the GW_SET_PROBES - 1 following ones.  n + GW_SET_PROBES - 1 lines: the last bucket has followers, too.
 */
#define GW_SET_HASH	    4
#define GW_SET_SLOTS(bytes) (60 / (bytes))
#define GW_SET_MORE	    0x80000000U
#define GW_SET_PROBES	    8
#define GW_SETF_DYN	    (1U << 0) /* elements may be in gw_dynset, too */

/* gw_dynset: elements that packets or timeouts put in and take out. */
#define GW_DYNKEY_LEN 36
struct gw_dynkey {
	__u32 set;
	__u8 key[GW_DYNKEY_LEN];
};
GW_ABI_SIZE(gw_dynkey, 40);
struct gw_dynval {
	__u64 expires_ns; /* CLOCK_BOOTTIME; 0 = never */
	__u64 timeout_ns; /* what a refresh gives */
	__u64 tat;	  /* token bucket: theoretical arrival time, as gw_state.tat */
	__u64 pkts, bytes;
	__u32 count; /* connections */
	__u32 pad;
};
GW_ABI_SIZE(gw_dynval, 48);

/* Value of gw_states: what a limit, a quota, a counter of numgen remembers.  Indexes are given by gwd and stable over generations. */
struct gw_state {
	__u64 tat;  /* limit: when the bucket is full again, ns << 8 of CLOCK_BOOTTIME */
	__u64 used; /* quota: bytes; numgen: packets; ct count: connections */
};
GW_ABI_SIZE(gw_state, 16);
#define GW_STATES_MAX 16384

/* Ring record of gw_logs: one for each packet that met a log statement. */
#define GW_LOG_BYTES 128
struct gw_log {
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__u32 log_id;
	__u32 rule; /* counter id */
	__u32 iif, oif;
	__u32 len; /* IP length */
	__u32 mark;
	__u8 family, hook, caplen,
		has_mac; /* hook: GW_HOOK_*; caplen: bytes of `bytes` that are valid */
	__u16 ethertype;
	__u8 mac[14]; /* the Ethernet header if has_mac */
	__u8 bytes
		[GW_LOG_BYTES]; /* from the IP header on, as the rule saw it (translated destination) */
	__u8 pad[4];
};
GW_ABI_SIZE(gw_log, 184);

enum gw_field {
#define GW_FIELD(id, keyword, type, bits, families, implies, hooks, varies, help) GW_F_##id,
#include <gw/field.def>
#undef GW_FIELD
	GW_F_MAX
};
#endif
