/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_PKT_H
#define GW_PKT_H
#include "key.h"
/*
 * pkt - one packet on its way through the stages: parsed once, then carried in per-CPU scratch memory.
 *
 * A TC program runs with softirqs off and is not re-entered on its CPU between parse and verdict, so one scratch element
 * per CPU is enough, and tail-called programs find it there.
 */
union gw_key {
	struct gw_tuple4 v4;
	struct gw_tuple6 v6;
};

union gw_entry {
	struct gw_flow f;
	struct gw_flow4 v4;
	struct gw_flow6 v6;
};

/* pkt.flags */
#define PKT_FRAG       (1U << 0) /* a fragment, first or later */
#define PKT_FRAG_LATER (1U << 1) /* not the first: no transport header here */
#define PKT_OPTIONS    (1U << 2) /* IP options or a hop-by-hop header: the stack must see it */
#define PKT_ICMP_ERROR (1U << 3)
#define PKT_NOTRACK    (1U << 4)
#define PKT_OUTPUT     (1U << 5)  /* made by the gateway */
#define PKT_EGRESS     (1U << 6)  /* seen at egress */
#define PKT_LOCAL      (1U << 7)  /* ends at the gateway */
#define PKT_REPLY      (1U << 8)  /* belongs to the reply direction of its flow */
#define PKT_NEW	       (1U << 9)  /* no flow yet */
#define PKT_CACHED     (1U << 10) /* the flow's cached verdict holds */
#define PKT_PROBE      (1U << 11) /* rules are only asked, not counted */
#define PKT_VARY \
	(1U << 12) /* the rules may say otherwise of the flow's next packet: keep no verdict */
#define PKT_STACK     (1U << 13) /* route through the kernel's stack */
#define PKT_UNROUTED  (1U << 14) /* the FIB does not forward it: the stack answers */
#define PKT_QUERY     (1U << 15) /* an ICMP query: the id is a port */
#define PKT_STATELESS (1U << 16) /* broadcast, multicast: filter only */
#define PKT_KILL      (1U << 17) /* the flow ends with this packet */
#define PKT_TTL_DONE  (1U << 18) /* a rule wrote the TTL that the packet leaves with */
#define PKT_EIM	      (1U << 19) /* a mapping gave the destination */

/* The run of a slot's rules (core/rules.h): one at a time on a CPU. */
struct rules_frame {
	__u32 root, min;
};
struct rules {
	struct find f;
	struct find_key k;
	__u32 iif, oif; /* as rules see them; 0 = none */
	__u32 hook;
	__u32 o_slot, o_root, n_roots, o_act, o_set, n_sets; /* from the head of the half */
	__u32 base;					     /* root of the base chain */
	__u32 depth;					     /* of the jump stack */
	__u32 matched;	/* f is an entry whose conditions hold */
	__u32 act;	/* its action's line, 0 = none */
	__u32 act_head; /* the first bytes of struct gw_act: cells, flags, nat */
	__u32 arg;
	__u32 cell; /* the next of its cells */
	__u32 verdict;
	__u32 numgen_state,
		numgen_value; /* drawn once for all alternatives of a rule; state 0 = not yet */
	struct rules_frame stack[GW_JUMP_DEPTH];
	struct gw_op op;
	struct gw_op_pair more; /* the op's first further cells */
	struct gw_op_pair more2;
	__u64 val[2];	     /* value of a field; most significant word first, numbers in [1] */
	__u32 set_key[20];   /* a set's key, network order; room for one field more than fits */
	struct gw_dynkey dk; /* the same for gw_dynset */
	struct gw_dynval dv;
};

/* pkt.exthdr */
#define EXT6_HBH  (1U << 0)
#define EXT6_FRAG (1U << 1)
#define EXT6_RT	  (1U << 2)
#define EXT6_DST  (1U << 3)

/* pkt.news */
#define CT_NEWS_UPDATE	(1U << 0)
#define CT_NEWS_PROMOTE (1U << 1)

/*
 * What one side of a TCP connection is known by; the copy a judgement is made on (track/tcp.h).  As in struct gw_flow, but for maxend: how
 * far this side may send, which is kept where it is learnt, in the other side's entry.
 */
struct tcp_side {
	__u32 end, maxend, ack, win, last;
	__u8 scale, flags, heard, pad;
};

/* A segment that was let pass without learning, until one is accepted: gw_ext.last_*. */
struct tcp_noted {
	__u8 valid, index, dir, scale;
	__u32 ack, end;
	__u16 win;
	__u8 flags, pad;
};

/* SCTP chunks that may change the state; what else there is, is said by pkt.chunks only. */
#define CHUNKS_MAX  8
#define CHUNK_OTHER (1U << 12) /* neither DATA nor one that changes the state */
#define CHUNK_BAD   (1U << 15) /* in an order that RFC 9260 6.10 forbids, damaged, or too many */
struct sctp_chunk {
	__u8 type, flags;
	__u16 len; /* host order */
	__u32 tag; /* INIT, INIT ACK: the tag that it announces, as on the wire */
};

struct pkt {
	union gw_key t;	  /* the tuple on the wire */
	union gw_key out; /* the tuple it shall leave with */
	union gw_key alt; /* the tuple a stage is trying (port search) */
	__u32 flags;	  /* PKT_* */
	__u32 len;	  /* IP length of the packet */
	__u32 l3, l4;	  /* offsets in the frame */
	__u32 iif, oif;
	__u32 now;
	__u32 gen; /* the generation of rules that judges the packet, from its first rule to its last */
	__u32 half; /* where they are: first line in gw_region */
	__u8 proto, ttl, tos, ctstate;
	__u8 icmp_type, icmp_code, tcp_bits, tcp_doff;
	__u32 seq, ack, end; /* TCP, host order; end = seq + payload + SYN + FIN */
	__u16 win;
	__u16 chunks; /* SCTP: 1 << type of each chunk, CHUNK_* */
	__be32 frag_id;
	__u32 frag_at;		 /* ops that rules have come to, see core/frag.h */
	struct gw_frag_key frag; /* of a fragment: its packet's row in gw_frag */
	__u32 ctmark;
	__u32 nh[4]; /* next hop, network order */
	__u32 mtu;
	__u32 rcid[2];	/* counters the rules moved */
	__u32 last_cid; /* the rule that gave the last verdict */
	__u32 last_arg;
	__u32 last_policy;
	__u32 nat_cid, nat_cid2; /* NAT rules that applied; the second: source behind destination */
	__u32 admitted; /* the filter rule or policy that let it pass; 0 = none was asked */
	__u32 restarts;
	__u32 refusal; /* GW_REASON_* that the sender is told of */
	__u32 eim_oif; /* PKT_EIM: the interface its mapping was made for */
	__u32 news;    /* CT_NEWS_* to tell when the packet has passed */
	struct rules r;
	struct gw_nat nat;
	struct gw_eim_key eim_key;
	struct gw_eim eim;
	union gw_entry a, b; /* entries under construction: original, reply */
	union gw_key quote;  /* tuple quoted by an ICMP error */
	union gw_key
		related; /* ICMP error: key of the flow it is about, in the error's direction */
	union gw_key tmp;
	union {
		__u8 opts[64]; /* TCP options */
		struct sctp_chunk chunk[CHUNKS_MAX];
	};
	__u8 syn_scale, syn_flags; /* what a SYN announced: window scale, GW_TCPF_* */
	__u8 syn_mss,
		exthdr; /* where its MSS is in the TCP header, 0 = it has none; EXT6_* that are there */
	__u8 tcp_state, tcp_assured;
	__u8 n_chunks;	/* of them in p->chunk */
	__u8 dccp_type; /* DCCP: packet type */
	__u8 tcp_heard,
		tcp_sent; /* packets of the other side, and of this one, so far, modulo 16 */
	__u32 tcp_status; /* GW_FLOW_* of the original entry */
	__u32 sack; /* the highest sequence number that the segment acknowledges: ack, or more by SACK */
	__u32 tcp_id; /* of the connection, the key of its row in gw_ext */
	struct tcp_side own, peer;
	struct tcp_side own_was, peer_was; /* before the judgement */
	struct tcp_noted noted;
	struct gw_ext ext; /* a row under construction */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pkt);
} gw_scratch SEC(".maps");

static __always_inline struct pkt *pkt_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&gw_scratch, &zero);
}

/* Fragments are one packet to counters: its length is the first one's and what the later ones add. */
static __always_inline __u32 pkt_count(const struct pkt *p)
{
	return !(p->flags & PKT_FRAG_LATER);
}

static __always_inline __u32 pkt_bytes(const struct pkt *p)
{
	if (p->flags & PKT_FRAG_LATER)
		return p->len - (p->l4 - p->l3);
	return p->flags & PKT_FRAG && p->exthdr & EXT6_FRAG ? p->len - 8 : p->len;
}

static __always_inline struct gw_conf *conf_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&gw_conf, &zero);
}

static __always_inline void stat_add(__u32 stat, __u64 n)
{
	__u64 *v = bpf_map_lookup_elem(&gw_stats, &stat);

	if (v)
		*v += n;
}

static __always_inline struct gw_if *if_get(__u32 ifindex)
{
	struct gw_if *row;

	if (ifindex < GW_IFS_ARRAY) {
		row = bpf_map_lookup_elem(&gw_ifs, &ifindex);
		CALL_APART(1);
	} else {
		row = bpf_map_lookup_elem(&gw_ifs_far, &ifindex);
		CALL_APART(2);
	}
	return row && row->flags & GW_IF_MANAGED ? row : NULL;
}

static __always_inline struct gw_local *local_find(const union gw_key *k, bool dst, const bool v6)
{
	return v6 ? bpf_map_lookup_elem(&gw_local6, dst ? k->v6.daddr : k->v6.saddr)
		  : bpf_map_lookup_elem(&gw_local4, dst ? &k->v4.daddr : &k->v4.saddr);
}

static __always_inline __u8 local_kind(const union gw_key *k, bool dst, const bool v6)
{
	struct gw_local *l = local_find(k, dst, v6);

	return l ? l->kind : 0;
}

static __always_inline void key_copy(union gw_key *to, const union gw_key *from, const bool v6)
{
	if (v6)
		to->v6 = from->v6;
	else
		to->v4 = from->v4;
}

static __always_inline void key_swap(union gw_key *to, const union gw_key *from, const bool v6)
{
	if (v6) {
		for (int i = 0; i < 4; i++) {
			to->v6.saddr[i] = from->v6.daddr[i];
			to->v6.daddr[i] = from->v6.saddr[i];
		}
		to->v6.sport = from->v6.dport;
		to->v6.dport = from->v6.sport;
		to->v6.proto = from->v6.proto;
		to->v6.pad = 0;
		to->v6.zone = from->v6.zone;
	} else {
		to->v4.saddr = from->v4.daddr;
		to->v4.daddr = from->v4.saddr;
		to->v4.sport = from->v4.dport;
		to->v4.dport = from->v4.sport;
		to->v4.proto = from->v4.proto;
		to->v4.pad = 0;
		to->v4.zone = from->v4.zone;
	}
}

static __always_inline bool key_equal(const union gw_key *a, const union gw_key *b, const bool v6)
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

	if (v6)
		return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
			 (x[4] ^ y[4]));
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

static __always_inline bool key_source_differs(const union gw_key *a, const union gw_key *b,
					       const bool v6)
{
	const __be32 *x = a->v6.saddr, *y = b->v6.saddr;

	if (!v6)
		return a->v4.saddr != b->v4.saddr;
	return (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
}

static __always_inline bool key_dest_differs(const union gw_key *a, const union gw_key *b,
					     const bool v6)
{
	const __be32 *x = a->v6.daddr, *y = b->v6.daddr;

	if (!v6)
		return a->v4.daddr != b->v4.daddr;
	return (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
}

/* sport/dport sit at one place in both families' tuples behind the addresses */
#define key_sport(k, v6) (*((v6) ? &(k)->v6.sport : &(k)->v4.sport))
#define key_dport(k, v6) (*((v6) ? &(k)->v6.dport : &(k)->v4.dport))
#define key_proto(k, v6) ((v6) ? (k)->v6.proto : (k)->v4.proto)
#define key_zone(k, v6)	 (*((v6) ? &(k)->v6.zone : &(k)->v4.zone))

/*
 * Hash of an entry's own key.  Elements of prealloc and LRU maps are reused while another CPU may still hold a pointer: a
 * reader copies what it needs and then compares kx; a mismatch is a miss.
 */
static __always_inline __u32 key_hash(const union gw_key *k, const bool v6)
{
	const __u64 *w = (const void *)k;
	__u64 h;

	h = (w[0] ^ 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
	h = (h ^ (h >> 29) ^ w[1]) * 0xc4ceb9fe1a85ec53ULL;
	if (v6) {
		h = (h ^ (h >> 31) ^ w[2]) * 0xff51afd7ed558ccdULL;
		h = (h ^ (h >> 29) ^ w[3]) * 0xc4ceb9fe1a85ec53ULL;
		h = (h ^ (h >> 31) ^ w[4]) * 0xff51afd7ed558ccdULL;
	}
	return (__u32)(h >> 32) | 1;
}
#endif
