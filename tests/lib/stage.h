/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIB_STAGE_H
#define TESTS_LIB_STAGE_H
/*
 * stage - the loaded data plane in a network namespace of its own, driven by BPF_PROG_RUN, with a clock that tests move.
 *
 *   lan  10.0.0.1/24   fd00:10::1/64      clients at .5 and ::5
 *   wan  203.0.113.1/24 2001:db8:1::1/64  default route by .254 and ::fe
 *   dmz  10.1.0.1/24   fd00:11::1/64      servers at .10 and ::10
 *
 * BPF_PROG_RUN takes mark, priority, ifindex, ingress_ifindex, cb, tstamp, wire_len and gso_* from a struct __sk_buff, and refuses every
 * other field: a packet marked by ingress (tc_index) is given to egress through a small program that sets the mark and jumps there.
 * It shows what bpf_redirect_neigh was asked for only as TC_ACT_REDIRECT: the interface is read from the flow.
 */
#include <check.h>
#include <gw/abi.h>
#include "frame.h"
#include "rules.h"

enum port { LAN, WAN, DMZ, PORTS, NOWHERE };

/* What a program returned. */
enum { PASS = -1, OK = 0, SHOT = 2, REDIRECT = 7 };

#define LAN4	"10.0.0.5"
#define LAN4_B	"10.0.0.6"
#define GW_LAN4 "10.0.0.1"
#define GW_DMZ4 "10.1.0.1"
#define GW_WAN4 "203.0.113.1"
#define DMZ4	"10.1.0.10"
#define FAR4	"8.8.8.8"
#define LAN6	"fd00:10::5"
#define LAN6_B	"fd00:10::6"
#define GW_LAN6 "fd00:10::1"
#define GW_DMZ6 "fd00:11::1"
#define GW_WAN6 "2001:db8:1::1"
#define DMZ6	"fd00:11::10"
#define FAR6	"2001:db8:9::9"

#define HZ 1000 /* what the programs are told; tests count in seconds */

struct gw_bpf;
struct stage {
	struct gw_bpf *skel;
	unsigned int ifindex[PORTS];
	struct gw_conf conf; /* what the programs see; stage_conf() after a change */
	bool racy; /* two CPUs were at it: ASSURED may be set in one half only, the next packet sets it again */
	bool fast;	   /* the last packet took the fast path */
	uint32_t mark;	   /* skb->mark of the next packets */
	uint32_t gso_size; /* skb->gso_size of the next packets */
};
extern struct stage stage;

/* The same places by family, for tests that loop over both: names[_i]. */
struct names {
	const char *lan, *lan_b, *gw_lan, *gw_wan, *dmz, *gw_dmz, *far;
};
extern const struct names names[2];

/* printf into a text that lives until the eighth call from now. */
const char *line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The main() of a stage test: namespace, object and devices once, then each test in a child that starts with empty tables. */
int stage_main(const char *name, void (*add)(TCase *tc));

/* Each test begins like this by itself. */
void stage_reset(void);
/* And ends with this: every entry has its other half, and the counter of assured connections is right. */
void stage_check_tables(void);

/* Send a frame through ingress or egress; it is changed in place. */
int in(struct frame *f, enum port p);
int out(struct frame *f, enum port p, enum port from); /* NOWHERE: the gateway's own */
int out_marked(struct frame *f, enum port p,
	       enum port from); /* as ingress marks what it left to the stack */
/* skb->tc_index is @mark; and what the packets to the next hop behind @p ask for on this CPU, NULL = nothing yet. */
int out_with(uint16_t mark, struct frame *f, enum port p, enum port from);
struct gw_next *next_row(enum port p, bool v6, uint16_t *ret_mark);
int in_quick(struct frame *f,
	     enum port p); /* for threads: nothing but the run; -errno or as in() */

/* Send a frame and compare what comes out: return value, text ("" = not looked at), good checksums. */
void expect_in(struct frame f, enum port p, int r, const char *text);
#define TAKES(f, p, text) expect_in(f, p, REDIRECT, text)

void stage_conf(void);		 /* publish stage.conf */
void stage_wait(unsigned int s); /* seconds pass */
void stage_wall(uint64_t s);	 /* the time of the day is this, in seconds since 1970 */
void stage_set_if(enum port p, struct gw_if row);
struct gw_if stage_get_if(enum port p);

/* Counters. */
uint64_t reason(enum gw_reason r);
uint64_t stat(enum gw_stat s);
struct gw_counter counter(uint32_t cid);
struct gw_reason_row reason_row(enum gw_reason r);

/* The packet is dropped for this reason, which is counted once, and no other is; GW_REASON_NONE: it is not dropped. */
void expect_drop(struct frame f, enum port p, enum gw_reason r);

/* The same, and what goes back to the sender reads like this. */
void expect_told(struct frame f, enum port p, enum gw_reason r, const char *answer);

/* The entry a frame's tuple finds. */
enum table { EST4, EST6, EMB4, EMB6, TABLES, NO_TABLE };
struct entry {
	enum table table;     /* NO_TABLE = there is none */
	struct gw_tuple6 key; /* IPv4 in saddr[0], daddr[0] */
	struct gw_tuple6 peer;
	struct gw_flow f;
};
struct entry entry_of(const struct frame *f);
void entry_store(const struct entry *e); /* f only */
void entry_delete(const struct entry *e);
unsigned int entries(enum table t);
unsigned int entries_all(void);
uint64_t assured_count(bool v6);
unsigned int mappings(void); /* endpoint-independent ones */

unsigned int expire(void); /* one round of gw_expire over all tables: connections ended */
unsigned int flush(void);
bool kill_flow(const struct frame *f, uint32_t id);

/* Events since the last look. */
unsigned int events(struct gw_event *ret, unsigned int max);
/* "NEW udp 10.0.0.5.5000 > 8.8.8.8.53, 8.8.8.8.53 > 203.0.113.1.5000 UNREPLIED" */
const char *event_text(const struct gw_event *e);
/* The next event reads like this. */
void expect_event(const char *text);
void expect_no_event(void);

/* The next record of a log statement; false = none. */
bool logged(struct gw_log *ret);

/* Elements of dynamic sets. */
bool dyn_get(uint32_t set, const void *key, size_t len, struct gw_dynval *ret);
void dyn_put(uint32_t set, const void *key, size_t len, const struct gw_dynval *v);
void dyn_size(uint32_t set); /* its elements are counted from now on, as gwd asks for */
uint64_t dyn_count(uint32_t set);

/* What arrived at an interface from outside the programs (held fragments): false = nothing. */
bool caught(struct frame *f);

/* Connections in one line. */
void handshake(const char *src, uint16_t sport, const char *dst, uint16_t dport,
	       struct frame *ret_ack, struct frame *ret_back);
#endif
