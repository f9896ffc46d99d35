/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_BPF_TABLES_H
#define GW_BPF_TABLES_H
/*
 * The map page: every map of the data plane, who writes it, who reads it, what happens when it is full.
 * kern sets the sizes marked (*) before load.  "pinned" maps survive a gwd restart and a program upgrade.
 */
#include <gw/abi.h>

/*
 * gw_est4/6 - assured connections, one entry per direction.
 * writers: stage/promote (insert), the data path (touch), gw_expire, gw_kill (delete)
 * readers: all;   pinned: yes
 * full:    never: promotion stops at gw_conf.est_max, the connection stays embryonic (counted est-full)
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* or HASH: flows.type */
	__type(key, struct gw_tuple4);
	__type(value, struct gw_flow4);
	__uint(max_entries, 2 * 131072); /* (*) 2 * flows.max */
} gw_est4 SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct gw_tuple6);
	__type(value, struct gw_flow6);
	__uint(max_entries, 2 * 131072); /* (*) */
} gw_est6 SEC(".maps");

/*
 * gw_emb4/6 - embryonic connections: not assured yet, or never to be (a DNS query).
 * writers: stage/create (the NOEXIST insert of the reply tuple is the lock), the data path, gw_expire, gw_kill
 * readers: all;   pinned: yes
 * full:    LRU evicts the coldest tuple; the other half is found orphaned at its next use and counted emb-evicted
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct gw_tuple4);
	__type(value, struct gw_flow4);
	__uint(max_entries, 2 * 32768); /* (*) 2 * flows.embryonic_max */
} gw_emb4 SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct gw_tuple6);
	__type(value, struct gw_flow6);
	__uint(max_entries, 2 * 32768); /* (*) */
} gw_emb6 SEC(".maps");

/*
 * gw_ext - what few connections have: own timeouts, ALGs, a TCP segment that waits for its answer.
 * writers: the stages, gwd (conntrack -U), flow_end (delete);  readers: the slow path, gw_expire;  pinned: yes
 * full:    LRU; a connection whose row is gone is aged by its state, and its ALG is off
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u32);
	__type(value, struct gw_ext);
	__uint(max_entries, 16384);
} gw_ext SEC(".maps");

/*
 * gw_eim - endpoint-independent mappings.
 * writers: core/eim (the insert of the outside endpoint is the lock), gw_expire (holds and deletes), gwd (an address is gone)
 * readers: core/eim, gwctl;   pinned: yes
 * full:    a new inside endpoint is refused with ct-insert
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct gw_eim_key);
	__type(value, struct gw_eim);
	__uint(max_entries, 2 * 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} gw_eim SEC(".maps");

/*
 * gw_frag - ports of first fragments.  writers, readers: core/frag;  pinned: no
 * full:    LRU; an evicted packet's later fragments are dropped as frag-early
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct gw_frag_key);
	__type(value, struct gw_frag);
	__uint(max_entries, 16384);
} gw_frag SEC(".maps");

/*
 * gw_slow - packets left to the stack with DNAT done and SNAT to do: tuple as the stack sees it -> key of the flow.
 * writers: ingress;  readers: egress, ICMP errors made by the stack;  pinned: no
 * full:    LRU; a packet whose row is gone is treated as a new FORWARD packet
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct gw_tuple6);
	__type(value, struct gw_slow);
	__uint(max_entries, 8192);
} gw_slow SEC(".maps");

/* gw_ifs, gw_ifs_far - interfaces by ifindex.  writer: gwd;  readers: all stages;  pinned: yes;  full: gwd says so */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_if);
	__uint(max_entries, GW_IFS_ARRAY);
} gw_ifs SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct gw_if);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} gw_ifs_far SEC(".maps");

/* gw_local4/6 - the gateway's addresses.  writer: gwd;  readers: stage/route;  pinned: yes;  full: gwd says so */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __be32);
	__type(value, struct gw_local);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} gw_local4 SEC(".maps");
struct gw_addr6 {
	__be32 a[4];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct gw_addr6);
	__type(value, struct gw_local);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} gw_local6 SEC(".maps");

/*
 * gw_region - the rules: two halves of gw_conf.half_lines lines (gw/image.h); half gw_conf.gen & 1 is in force.
 * writer: gwd (mmap; the other half, then gw_conf.gen, then a grace period);  readers: core/rules, core/find, core/op;  pinned: yes
 * full:    gwd refuses the ruleset
 */
struct gw_line {
	__u64 w[8];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_line);
	__uint(max_entries, 2 * 16384); /* (*) 2 * gw_conf.half_lines */
	__uint(map_flags, BPF_F_MMAPABLE);
} gw_region SEC(".maps");

/*
 * gw_dynset - elements of sets that packets, timeouts or users put in and take out.
 * writers: core/dynset, gwd (which also takes out what is expired);  readers: core/dynset, gwd;  pinned: yes
 * full:    the rule that wanted to add does not apply, as in nft
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct gw_dynkey);
	__type(value, struct gw_dynval);
	__uint(max_entries, 65536); /* (*) */
} gw_dynset SEC(".maps");

/*
 * gw_dyncount - how many elements of a set are in gw_dynset, by gw_set.id, for sets with a size of their own.
 * writers: gwd makes the row and corrects it when it looks through the elements; core/dynset adds and subtracts what packets do
 * readers: core/dynset;  pinned: no: gwd makes it anew
 * full:    a set without a row is as large as gw_dynset
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 4096);
} gw_dyncount SEC(".maps");

/* gw_states - what limits, quotas and numgen remember.  writer: core/op;  reader: gwd, which gives the indexes;  pinned: yes */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_state);
	__uint(max_entries, GW_STATES_MAX);
} gw_states SEC(".maps");

/* gw_logs - a record for each packet that met a log statement.  writer: core/log;  reader: gwd;  pinned: yes;  full: counted log-lost */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 << 10);
} gw_logs SEC(".maps");

/* gw_counters - [cpu * GW_COUNTERS_MAX + id].  writer: core/rules;  readers: gwd (mmap);  pinned: yes */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_counter);
	__uint(max_entries, GW_COUNTERS_MAX); /* (*) times possible CPUs */
	__uint(map_flags, BPF_F_MMAPABLE);
} gw_counters SEC(".maps");

/*
 * gw_next - link addresses of next hops: [cpu * GW_NEXT_MAX + slot], where the slot follows from the next hop.
 * writers, readers: core/next, each CPU its own rows;  pinned: no
 * full:    a slot belongs to one next hop at a time; the others ask the kernel for each packet
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_next);
	__uint(max_entries, GW_NEXT_MAX);  /* (*) times possible CPUs */
	__uint(map_flags, BPF_F_MMAPABLE); /* for the alignment: a row is a line of the cache */
} gw_next SEC(".maps");

/* gw_conf - one element.  writer: gwd;  readers: all;  pinned: yes */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_conf);
	__uint(max_entries, 1);
} gw_conf SEC(".maps");

/*
 * gw_count - assured connections: [0] IPv4, [1] IPv6; [2] mappings of gw_eim.  writers: promote, core/eim, gw_expire, gw_kill;  pinned: yes
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 4);
} gw_count SEC(".maps");

/* gw_stats, gw_reasons - per-CPU counters.  writers: all;  reader: gwd;  pinned: yes */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, GW_STAT_MAX);
} gw_stats SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct gw_reason_row);
	__uint(max_entries, 64); /* >= GW_REASON_MAX, room for later rows without a new pin */
} gw_reasons SEC(".maps");

/* gw_events - NEW/UPDATE/DESTROY.  writers: all;  reader: gwd;  pinned: yes;  full: counted event-lost */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20); /* (*) */
} gw_events SEC(".maps");
#endif
