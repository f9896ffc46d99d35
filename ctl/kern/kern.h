/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KERN_KERN_H
#define KERN_KERN_H
/*
 * kern - the only room that includes <bpf/...> or <libmnl/...>: load, attach, pins, maps, ring, netlink.
 *
 * One struct kern is one instance of the data plane in one network namespace with one pin directory.  Pins live under
 * PIN_DIR/v<GW_ABI_VERSION>/: every state map under its name, links as link_<ifindex>_in / _out (tcx).  kern_open() reuses pinned maps of the same ABI version and replaces the programs, so flows, counters and the ruleset
 * in force survive.
 * Pins of other ABI versions are removed after the new programs are attached.
 *
 * CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are enough; CAP_SYS_ADMIN is needed only to mount a bpffs where there is none.
 */
#include <base/base.h>
#include <gw/abi.h>

struct kern_config {
	const char *
		pin_dir; /* /sys/fs/bpf/gatewarden; made (0700) if missing; bpffs is mounted there if it is not one */
	uint32_t flows_max;	/* connections in the assured tables, per family */
	uint32_t embryonic_max; /* connections in the embryonic tables, per family */
	bool flows_hash;	/* flows.type = hash */
	uint32_t ring_bytes;	/* power of two; 0 = default 4 MiB */
	uint32_t rules_mb;	/* of each half of the region of rules; 0 = default 16 */
	uint32_t dynset_max;	/* elements of dynamic sets, all sets together; 0 = default */
	bool force_clsact;	/* do not use tcx (tests) */
};

struct kern;
/* On success *ret_adopted says whether state maps were found and reused. */
int kern_open(const struct kern_config *cfg, struct kern **ret_kern, bool *ret_adopted);
struct kern *kern_free(struct kern *k); /* closes; detaches nothing: traffic goes on */
DEFINE_FREEP(kern)

/* What the running kernel can do; for `gwctl status`. */
struct kern_features {
	char release[64];
	bool tcx;
	bool fib_mark; /* BPF_FIB_LOOKUP_MARK */
	bool fib_src;
	bool csum_ipv6; /* BPF_F_IPV6 */
	bool kern_ctx;	/* programs may look into struct sk_buff (bpf_cast_to_kern_ctx) */
	unsigned int hz;
	unsigned int cpus;
	uint32_t flows_max, embryonic_max; /* of the tables in use: adopted ones keep their size */
	uint32_t dynset_max;		   /* likewise */
};
const struct kern_features *kern_features(const struct kern *k);

/* Attach / detach ingress and egress of one device; attaching twice replaces the programs of our own. */
int kern_attach(struct kern *k, unsigned int ifindex);
int kern_detach(struct kern *k, unsigned int ifindex);
bool kern_is_attached(const struct kern *k,
		      unsigned int ifindex); /* both directions, with this load's programs */
/* 1 = no program or filter of somebody else runs before ours, 0 = one does, -ENOENT = not attached. */
int kern_is_first(const struct kern *k, unsigned int ifindex);
/* Our links/filters that are pinned for devices; calls fn for each ifindex. */
int kern_foreach_attached(struct kern *k, void (*fn)(unsigned int ifindex, void *arg), void *arg);
/* Detach everything, remove all pins of this instance. Works without kern_open() too. */
int kern_off(const char *pin_dir);

/* Run-time configuration; the copy in *conf is ours to change, kern_conf_push() writes it. jiffies = seconds * features.hz. */
struct gw_conf *kern_conf(struct kern *k);
int kern_conf_push(struct kern *k);

/* Interfaces and addresses as the data plane knows them. */
int kern_if_set(struct kern *k, unsigned int ifindex,
		const struct gw_if *row); /* flags 0 = forget */
int kern_local_set(struct kern *k, int family, const void *addr,
		   const struct gw_local *value); /* NULL = delete */

/*
 * The region of rules: two halves of kern_image_cap() lines.  Put an image in force: it is written into the half that is not in force, then
 * conf.gen/hooks/flags are stored in the order the data plane needs.  Its generation is odd if the one in force is even, and vice versa.
 */
size_t kern_image_cap(const struct kern *k);
int kern_image_swap(struct kern *k, const void *lines, size_t nlines);
void *kern_image_spare(struct kern *k); /* the half not in force */
void *kern_image_live(struct kern *k);	/* the one in force; NULL = none yet */
/* The one in force was changed in its place: its generation rises by 2. */
int kern_image_changed(struct kern *k);
/* Wait until no packet reads the half not in force any more.  Swaps do it by themselves; done early they need not wait. */
int kern_image_settle(struct kern *k);
/* Wait until every packet that is under way now is through. */
int kern_wait_for_packets(struct kern *k);
/* Header of the image in force (gen 0 = none yet). */
int kern_image_head(struct kern *k, struct gw_head *ret_head);

/* Elements of dynamic sets.  put: flags BPF_ANY, or `fresh` alone: 1 = it was there already; -E2BIG = the map is full.  delete: 1 = gone now, 0 = was not there. */
int kern_dynset_put(struct kern *k, const struct gw_dynkey *key, const struct gw_dynval *value,
		    bool fresh);
int kern_dynset_get(struct kern *k, const struct gw_dynkey *key, struct gw_dynval *ret_value);
int kern_dynset_delete(struct kern *k, const struct gw_dynkey *key);
/* A non-zero return of fn ends the walk and is returned.  fn must not change the map. */
typedef int (*kern_dynset_fn)(const struct gw_dynkey *key, const struct gw_dynval *value,
			      void *arg);
int kern_dynset_walk(struct kern *k, kern_dynset_fn fn, void *arg);

/* How many elements of a set with a size of its own are there; n < 0: forget the set. */
int kern_dyncount_get(struct kern *k, uint32_t set, int64_t *ret); /* 0: nobody has counted yet */
int kern_dyncount_set(struct kern *k, uint32_t set, int64_t n);

/* What limits, quotas, numgen and ct count remember. */
int kern_state_get(struct kern *k, uint32_t id, struct gw_state *ret);
int kern_state_set(struct kern *k, uint32_t id, const struct gw_state *state);

/* Counters: sum over CPUs; set writes CPU 0 and clears the others. */
void kern_counter_get(const struct kern *k, uint32_t cid, uint64_t *ret_pkts, uint64_t *ret_bytes);
void kern_counter_set(struct kern *k, uint32_t cid, uint64_t pkts, uint64_t bytes);

/* gw_stats: per CPU values, ret[cpu * GW_STAT_MAX + stat]; the caller gives features.cpus * GW_STAT_MAX elements. */
int kern_stats(struct kern *k, uint64_t *ret);
/* gw_reasons summed over CPUs, the newest example kept. ret[GW_REASON_MAX]. */
int kern_reasons(struct kern *k, struct gw_reason_row *ret);

/* Flows.  fn is called once per connection with a gw_event of type GW_EVENT_NONE (timeout = seconds left, both directions
 * joined); a non-zero return ends the walk and is returned. */
typedef int (*kern_flow_fn)(const struct gw_event *ev, void *arg);
int kern_flows(struct kern *k, kern_flow_fn fn, void *arg);
int kern_flow_count(struct kern *k, uint64_t *ret_est, uint64_t *ret_emb); /* connections */
int kern_flow_kill(struct kern *k, const struct gw_event *ev,
		   uint32_t cause); /* 1 ended, 0 was gone */
int kern_flow_flush(struct kern *k);

/* What is to be changed of a connection, or how one begins. */
struct kern_change {
	uint32_t what;		  /* GW_UPDATE_* */
	uint32_t mark, mark_mask; /* (old & ~mask) ^ mark */
	uint32_t timeout;	  /* seconds until it ends, if no packet comes */
	uint32_t status;	  /* GW_FLOW_SEEN_REPLY, GW_FLOW_ASSURED to be set */
	uint32_t state;		  /* GW_TCP_* */
};
/* Change them where they are: list[0..n) as kern_flows() gave them.  Afterwards the list holds those that were changed, as they are now.  *ret_n of them. */
int kern_flows_update(struct kern *k, struct gw_event *list, size_t n, const struct kern_change *c,
		      size_t *ret_n);
/* Enter the connection of ev->tuple, family, flags, state, mark and timeout (seconds).  GW_CHANGE_DONE (ev->id is set), _EXISTS or _FULL. */
int kern_flow_insert(struct kern *k, struct gw_event *ev);
/* End the endpoint-independent mappings on an address that is gone; how many. */
int kern_mappings_end(struct kern *k, int family, const void *addr);
/* Run the expiry program over all tables; *ret_left = assured connections left. */
int kern_expire(struct kern *k, uint64_t *ret_left);
/*
 * Connections that are gone without an event, evicted by newer ones from a full table: how many more since the last call.  Counted in the
 * last kern_expire(); never more than there were.
 */
uint64_t kern_vanished(struct kern *k);

/* Events: consume what is in the ring (call on a timer tick of <= 100 ms as well as on the fd: records are submitted
 * without wake-up).  time_ns is already CLOCK_REALTIME.  Lost events since the last call are reported by a GW_EVENT_LOST. */
int kern_events_fd(struct kern *k);
int kern_events(struct kern *k, kern_flow_fn fn, void *arg);

/* Records of log statements, likewise on a timer; time_ns is already CLOCK_REALTIME.  *ret_lost: lost since the data plane was made. */
typedef void (*kern_log_fn)(const struct gw_log *log, void *arg);
int kern_logs(struct kern *k, kern_log_fn fn, void *arg, uint64_t *ret_lost);

/*
 * rtnetlink (netlink.c), through libmnl.  A snapshot of links and addresses, and a socket that says "something changed".
 */
struct nl_addr {
	unsigned int ifindex;
	int family; /* 4 or 6 */
	uint8_t addr[16];
	uint8_t bcast[16]; /* IPv4 only; has_bcast */
	bool has_bcast, secondary, deprecated, tentative;
	uint8_t plen, scope;
};
struct nl_link {
	unsigned int ifindex, master, mtu;
	char name[16];
	uint16_t type;	/* ARPHRD_* */
	uint32_t flags; /* IFF_* */
	bool is_vrf_slave, is_bridge_port;
	int rp_filter; /* effective (max of all and this), forwarding: from /proc/sys/net */
	bool forward4, forward6;
};
struct nl_state {
	struct nl_link *links;
	size_t n_links;
	struct nl_addr *addrs;
	size_t n_addrs;
	bool rule_fwmark; /* some `ip rule` looks at fwmark */
	bool xfrm;	  /* IPsec policies exist */
};
int nl_state_read(struct nl_state **ret);
struct nl_state *nl_state_free(struct nl_state *s);
DEFINE_FREEP(nl_state)

/* Which of these changed since the last nl_monitor_read(); bits */
#define NL_CHANGED_LINK	 (1U << 0)
#define NL_CHANGED_ADDR	 (1U << 1)
#define NL_CHANGED_ROUTE (1U << 2) /* routes, rules, netconf */
#define NL_CHANGED_XFRM	 (1U << 3)
#define NL_CHANGED_TC \
	(1U << 4) /* a filter was added or removed: gwd checks that it is still first */
#define NL_CHANGED_ALL (1U << 5) /* overrun: read everything again */
struct nl_monitor;
int nl_monitor_open(struct nl_monitor **ret);
struct nl_monitor *nl_monitor_free(struct nl_monitor *m);
DEFINE_FREEP(nl_monitor)
int nl_monitor_fd(const struct nl_monitor *m);
int nl_monitor_read(struct nl_monitor *m, unsigned int *ret_changed); /* drains; non-blocking */

#endif
