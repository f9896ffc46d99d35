/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHOW_LOG_H
#define SHOW_LOG_H
/*
 * log - packets that met a log statement, as the lines that the kernel's nf_log_syslog prints, and as JSON.
 *
 * Pure.  The record holds the first GW_LOG_BYTES bytes of the packet: what lies behind them reads as truncated.
 */
#include <base/base.h>
#include <gw/abi.h>
#include <jansson.h>

/* What was written with the statement; flags are NF_LOG_*. */
struct show_log {
	const char *prefix; /* or NULL */
	unsigned int flags;
	const char *in, *out; /* names of interfaces, or NULL */
};
#define SHOW_LOG_TCPSEQ	   0x01
#define SHOW_LOG_TCPOPT	   0x02
#define SHOW_LOG_IPOPT	   0x04
#define SHOW_LOG_MACDECODE 0x20

/* One line without newline; the kernel's ends with a blank, too. */
void show_log_line(const struct gw_log *log, const struct show_log *how, struct strbuf *b);
/* {"time_ns", "prefix", "level", "in", "out", "line", "rule"}; NULL = out of memory. */
json_t *show_log_json(const struct gw_log *log, const struct show_log *how, int level,
		      uint64_t rule_handle);
#endif
