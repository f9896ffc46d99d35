/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H
/*
 * wire - framing between gwd and gwctl on the control socket (AF_UNIX, SOCK_STREAM).
 *
 * A frame is a struct wire_head and len bytes.  Byte order: the host's (one machine).  A client sends one WIRE_REQUEST
 * frame (JSON object) at a time and reads frames until WIRE_END; `events` streams until the client closes.
 *   WIRE_REQUEST  client -> gwd   JSON {"verb": "...", ...}; see the table in gwd/request.c.  A NUL byte and raw text may follow: the
 *                                 field "text" that the JSON does not have
 *   WIRE_TEXT     gwd -> client   UTF-8 text to print to stdout
 *   WIRE_JSON     gwd -> client   one JSON value
 *   WIRE_FLOWS    gwd -> client   array of struct gw_event (listing rows or events)
 *   WIRE_ERROR    gwd -> client   JSON {"error": "one line", "diag": "rendered with caret, optional"}
 *   WIRE_END      gwd -> client   JSON {"code": 0|1|2}
 * Limits: a request of at most WIRE_REQUEST_MAX bytes, a frame to the client of at most WIRE_FRAME_MAX.
 */
#include <base/base.h>
#include <gw/abi.h>

#define WIRE_MAGIC 0x31575747U /* "GWW1" */
enum wire_type { WIRE_REQUEST = 1, WIRE_TEXT, WIRE_JSON, WIRE_FLOWS, WIRE_ERROR, WIRE_END };
struct wire_head {
	uint32_t magic;
	uint32_t type;
	uint32_t len;
};
#define WIRE_REQUEST_MAX (64U << 20)
#define WIRE_FRAME_MAX	 (1U << 20)

/* Is this the head of a frame of ours, of at most max bytes?  0, -EPROTO (not ours), -EMSGSIZE. */
int wire_head_check(const struct wire_head *head, size_t max);

/* Blocking send of one frame; -EPIPE when the other side is gone. */
int wire_send(int fd, enum wire_type type, const void *data, size_t len);
/* Likewise of two pieces, one behind the other. */
int wire_send_two(int fd, enum wire_type type, const void *data, size_t len, const void *more,
		  size_t more_len);
/* Blocking receive; the caller frees *ret_data (NUL-terminated).  0 = end of stream, 1 = got one, < 0 errno
 * (-EPROTO: not ours or cut short, -EMSGSIZE: longer than max). */
int wire_recv(int fd, size_t max, enum wire_type *ret_type, char **ret_data, size_t *ret_len);

/* Incremental reader for gwd's non-blocking side. */
struct wire_reader {
	char *buf;
	size_t len, cap;
};
/* Feed what read() gave. */
int wire_reader_feed(struct wire_reader *r, const void *data, size_t n);
/* 1 = *ret_* is the next whole frame (points into buf until pop or feed; no NUL behind it), 0 = not yet, < 0 as wire_head_check. */
int wire_reader_next(struct wire_reader *r, size_t max, enum wire_type *ret_type,
		     const char **ret_data, size_t *ret_len);
void wire_reader_pop(struct wire_reader *r);
void wire_reader_deinit(struct wire_reader *r);

/*
 * flow_filter - which connections: conntrack(8)'s filters.  Travels in requests as the JSON object "filter".
 * Ports match only protocols that have ports; icmp_* name the request of an ICMP query.  A GW_EVENT_LOST matches always, and so do the
 * brackets of a snapshot.  Interfaces travel by name: who matches fills in ifindex.
 * JSON holds only what is given; an unknown key, a wrong type or a value out of range is refused (-EINVAL).
 */
enum { FF_ORIG_SRC, FF_ORIG_DST, FF_REPLY_SRC, FF_REPLY_DST };
enum { FF_IIF, FF_OIF };
struct flow_filter {
	int family;			   /* 0 any, 4, 6 */
	int proto;			   /* -1 any */
	int state;			   /* GW_TCP_* or -1 */
	uint32_t status_set, status_clear; /* GW_FLOW_* bits that must be (un)set */
	uint32_t nat;	/* 0 any; GW_FLOW_SNAT / GW_FLOW_DNAT: any of these bits */
	int nat_family; /* 0 any; else the address the source or the destination became ... */
	uint8_t nat_addr[16];
	int32_t nat_port; /* ... and the port, -1 any */
	uint32_t
		pat; /* GW_FLOW_SNAT, GW_FLOW_DNAT: the port of that end must have become another one */
	bool none; /* asks for what no connection is */
	bool has_mark;
	uint32_t mark, mark_mask;
	int zone;			   /* -1 any */
	int64_t id;			   /* -1 any */
	int icmp_type, icmp_code, icmp_id; /* -1 any */
	struct {
		int family; /* 0 = not given */
		uint8_t addr[16], mask[16];
	} addr[4];	     /* FF_* */
	int32_t port[4];     /* FF_*; host order, -1 any */
	int32_t port_hi[4];  /* last of the range, -1 = as port[] */
	int64_t rule;	     /* handle of what admitted it, -1 any */
	int64_t nat_rule;    /* handle of a NAT rule that translated it, -1 any */
	char ifname[2][16];  /* FF_IIF, FF_OIF; "" any */
	uint32_t ifindex[2]; /* of these names */
	uint32_t event_mask; /* 1 << GW_EVENT_*; 0 = all */
};
void flow_filter_init(struct flow_filter *f); /* everything passes */
bool flow_filter_match(const struct flow_filter *f, const struct gw_event *ev);
char *flow_filter_to_json(const struct flow_filter *f); /* caller frees; NULL = out of memory */
int flow_filter_from_json(const char *json, struct flow_filter *ret); /* 0 or -EINVAL */
#endif
