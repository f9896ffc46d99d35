/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHOW_SHOW_H
#define SHOW_SHOW_H
/*
 * show - connections and events as text: the lines of conntrack(8) 1.4.7, of /proc/net/nf_conntrack, and JSON.
 *
 * Pure: a struct gw_event goes in, text comes out.  Every function that appends a line ends it with a newline.
 * Rows come from a socket, so nothing here trusts them: an impossible family, state or protocol prints as a
 * number or as "unknown".
 */
#include <base/base.h>
#include <gw/abi.h>
#include <jansson.h>

#define SHOW_EXTENDED  (1U << 0) /* "ipv4     2 " in front */
#define SHOW_ID	       (1U << 1)
#define SHOW_TIMESTAMP (1U << 2) /* events: "[sec.usec]\t" in front */
#define SHOW_ACCT      (1U << 3) /* packets= bytes=, as with nf_conntrack_acct */
#define SHOW_RULE      (1U << 4) /* rule= nat-rule=: handles of what let it in */
#define SHOW_SEQ       (1U << 5) /* events: seq= */
#define SHOW_HELD      (1U << 6) /* who asked for it by name holds it, too: use=2 */

/* A row of `conntrack -L`. */
void show_flow(const struct gw_event *ev, unsigned int flags, struct strbuf *b);
/* A line of `conntrack -E`; portid stands for the process that deleted it when somebody did. */
void show_event(const struct gw_event *ev, unsigned int flags, unsigned int portid,
		struct strbuf *b);
/* A row of /proc/net/nf_conntrack. */
void show_flow_proc(const struct gw_event *ev, struct strbuf *b);
/* A line of `conntrack -L -o save`: the command that would enter it. */
void show_save(const struct gw_event *ev, struct strbuf *b);
/* An element of `-o xml`; of an event it has its type.  The document around it is SHOW_XML_HEAD and SHOW_XML_TAIL. */
#define SHOW_XML_HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n"
#define SHOW_XML_TAIL "</conntrack>\n"
void show_xml(const struct gw_event *ev, unsigned int flags, struct strbuf *b);
/* One object; events also carry "event", "time_ns" and, when they end a connection, "cause".  NULL = out of memory. */
json_t *show_json(const struct gw_event *ev);

const char *show_proto_name(uint8_t proto); /* as conntrack names it, "unknown" for the rest */
const char *show_state_name(uint8_t proto,
			    uint8_t state); /* NULL = no such state, or a protocol without */
bool show_proto_has_ports(uint8_t proto);

#endif
