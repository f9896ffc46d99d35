/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KERN_IMPL_H
#define KERN_IMPL_H
/*
 * What the files of this room share; nobody else includes it.
 *
 *   open.c     load the object, adopt and make map pins       pins.c    the pin directory: mount, names, walk
 *   attach.c   which way a device is attached, generations    tcx.c     links (6.6+)       clsact.c  filters
 *   probe.c    what this kernel can do, its clock             maps.c    conf, ifs, local, counters, stats, reasons
 *   image.c    the region and swaps of rulesets               flows.c   walk, kill, flush, expire
 *   change.c   one connection changed or entered by hand
 *   events.c   the rings                                      netlink.c, monitor.c   rtnetlink, xfrm
 *   sets.c     elements of dynamic sets, limits, quotas       change.c  connections changed or entered by hand
 */
#include <limits.h>
#include <linux/netlink.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <kern/kern.h>
#include <gw.skel.h>

#define NSEC_PER_SEC 1000000000LL

struct kern {
	char pin_dir[256];
	char dir[PATH_MAX]; /* pin_dir/v<GW_ABI_VERSION> */
	struct gw_bpf *skel;
	struct kern_features features;
	struct gw_conf conf; /* what the data plane has, plus the caller's changes */
	struct gw_counter *counters;
	size_t counters_size;
	int jiffies_fd; /* program that returns the kernel's clock */

	uint8_t *region;     /* gw_region, both halves */
	uint32_t half_lines; /* of one of them */
	uint32_t image_gen;  /* what lies in the half that conf names; 0 = nothing yet */
	bool grace_due;	     /* packets may still read the other half */

	struct ring_buffer *ring;
	kern_flow_fn event_fn; /* set during kern_events() */
	void *event_arg;
	int event_result;
	unsigned int event_budget;
	int64_t event_offset_ns;	 /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint64_t events_lost;		 /* GW_STAT_EVENT_LOST as last reported */
	int64_t vanished, vanished_told; /* see kern_vanished() */
	bool vanished_known;
	struct ring_buffer *log_ring;
	kern_log_fn log_fn; /* set during kern_logs() */
	void *log_arg;
	unsigned int log_budget;
};

/* Directions of a device; the index of names and programs. */
enum kern_dir { KERN_IN, KERN_OUT, KERN_DIRS };
const char *kern_dir_name(enum kern_dir dir); /* "in", "out" */
int kern_prog_fd(const struct kern *k, enum kern_dir dir);
uint32_t kern_prog_id(const struct kern *k, enum kern_dir dir); /* 0 = unknown */

/* pins.c.  A path that does not fit is truncated, which the length limit of pin_dir makes impossible. */
int pins_check_name(const char *pin_dir);
int pins_prepare(const char *pin_dir);	  /* make, mount, refuse what others can write */
int pins_remove_all(const char *pin_dir); /* map pins, directories, our mount */
bool pins_is_bpffs(const char *path);
void pins_path(char path[static PATH_MAX], const char *dir, const char *fmt, ...) _printf_(3, 4);
/* Names in a directory, sorted, taken before the first call: fn may remove them. Missing directory = empty. */
typedef int (*pins_fn)(const char *dir, const char *name, void *arg);
int pins_walk(const char *dir, pins_fn fn, void *arg);
/* fn for each version directory of an instance; `name` is "v<N>". */
int pins_walk_versions(const char *pin_dir, pins_fn fn, void *arg);
/* "link_<ifindex>_in", "tc_<ifindex>"; false for other names */
bool pins_parse_link(const char *name, unsigned int *ret_ifindex, enum kern_dir *ret_dir);
bool pins_parse_tc(const char *name, unsigned int *ret_ifindex);

/* tcx.c */
bool tcx_supported(void);
int tcx_attach(struct kern *k, unsigned int ifindex);
int tcx_drop(const char *dir, unsigned int ifindex); /* one version directory */
/* The pinned link of a device: fd, -ENOENT = none or of a device that is gone, or in another network namespace. */
int tcx_open(const char *dir, unsigned int ifindex, enum kern_dir dir_index, uint32_t *ret_prog_id);
bool tcx_is_dead(const char *dir, const char *name); /* its device is gone */
bool tcx_is_first(const char *dir, unsigned int ifindex);

/* clsact.c */
int clsact_attach(struct kern *k, unsigned int ifindex);
int clsact_drop(const char *dir, unsigned int ifindex);
/* Program id of the filter of the instance that `dir` belongs to, 0 = none. */
uint32_t clsact_prog_id(const char *dir, unsigned int ifindex, enum kern_dir d);
bool clsact_is_first(const char *dir, unsigned int ifindex);

/* attach.c: forget program generations and versions that no device runs any more. */
void attach_collect(struct kern *k);

/* open.c: the pin of a PROG_ARRAY, one per load under the map's id; false = the map is none. */
bool jmp_path(const struct kern *k, const struct bpf_map *map, char path[static PATH_MAX]);

/* probe.c */
int probe_features(struct kern_features *f, bool force_clsact);
bool probe_fib_skip_neigh(void);
int probe_load_jiffies(void); /* fd */
int probe_run(int prog_fd, uint32_t *ret_value);
int kern_jiffies(const struct kern *k, uint32_t *ret_now); /* as the data plane's clock says */

/* events.c, maps.c */
int events_open(struct kern *k);
int maps_open(struct kern *k); /* mmap the counters, read conf */
int maps_stat_sum(struct kern *k, enum gw_stat stat, uint64_t *ret_sum);
int maps_update_conf(struct kern *k, const struct gw_conf *conf);

/* image.c: map the region, find what is in force, finish what a killed gwd began. */
int image_open(struct kern *k);
void image_close(struct kern *k);

/* Every program that runs now has ended when this returns. */
int wait_for_programs(void);

/* flows.c: run a SYSCALL program; the kernel copies the context back. */
int run_program(const struct bpf_program *prog, void *ctx, size_t size);
/* Pure: seconds until an entry expires; -1 = it has expired. */
int64_t flow_seconds_left(const struct gw_conf *conf, unsigned int hz, uint8_t proto,
			  const struct gw_flow *orig, const struct gw_flow *reply, uint32_t own,
			  uint32_t idle);

/* netlink.c, pure: false = the message is not one of ours or malformed. */
bool nl_parse_link(const struct nlmsghdr *nlh, struct nl_link *ret_link);
bool nl_parse_addr(const struct nlmsghdr *nlh, struct nl_addr *ret_addr);
bool nl_parse_rule_fwmark(const struct nlmsghdr *nlh); /* the rule looks at fwmark */
/* monitor.c, pure */
unsigned int nl_changed_bits(int bus, uint16_t nlmsg_type);

#endif
