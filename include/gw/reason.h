/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_REASON_H
#define GW_REASON_H
/* Drop reasons (reason.def): the enum value is the index in gw_reasons. */
#include <gw/tuple.h>

enum gw_reason {
#define GW_REASON(id, token, text) GW_REASON_##id,
#include <gw/reason.def>
#undef GW_REASON
	GW_REASON_MAX
};

/* Value of the per-CPU array gw_reasons: how often, and the last packet as an example. */
struct gw_reason_row {
	__u64 pkts;
	__u64 bytes;
	__u64 time_ns; /* CLOCK_BOOTTIME of the example */
	__u32 iif;     /* interface the example came in by, 0 = made by the gateway */
	__u32 oif;     /* interface it would have left by, 0 = not decided */
	__u32 rule;    /* counter id of the rule that dropped it, 0 = none */
	__u8 family;   /* 4, 6, or 0 = no example yet */
	__u8 pad[3];
	struct gw_tuple6 tuple;
};
GW_ABI_SIZE(gw_reason_row, 80);
#endif
