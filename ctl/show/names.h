/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHOW_NAMES_H
#define SHOW_NAMES_H
/* names - protocols, TCP states and ICMP queries as conntrack(8) names them. */
#include <base/base.h>
#include <gw/abi.h>

/* The ICMP type that a packet of this direction carries: the tuple holds the request's, 0 for echo (gw/tuple.h). */
unsigned int show_icmp_type(const struct gw_event *ev, int dir);

/* Is it a question that has an answer? */
bool show_icmp_is_query(uint8_t proto, int type);

/* By name, or by number; -1 = no such thing.  Names of protocols are taken in any case, states as they are printed. */
int show_proto_parse(const char *text);
int show_state_parse(const char *text);
#endif
