/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_CLASSIFY_HEADERS_H
#define BENCH_CLASSIFY_HEADERS_H
/*
 * What a run of the measured programs gets: one packet as rules, flow tables and sets see it.
 */
#include <core/key.h>

#define HEADERS 131072

struct flow_key {
	__u32 saddr, daddr;
	__u16 sport, dport;
	__u32 proto;
};
struct flow_value { /* a line, as a flow's first one */
	__u64 word[8];
};
struct lpm_key {
	__u32 len;
	__u8 addr[4];
};
struct header {
	struct find_key k;
	struct flow_key flow;
	struct lpm_key lpm;
	struct gw_dynkey set_key;
	__u32 pad;
};
#endif
