/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWD_GWD_H
#define GWD_GWD_H
/*
 * gwd - the instance: one network namespace, one data plane, one ruleset in force, one control socket.
 *
 * main owns it; every module gets a pointer and touches its own part.
 */
#include <gwd/settings.h>
#include <kern/kern.h>
#include <model/model.h>

struct gwd_paths {
	const char *config;
	const char *ruleset;
	const char *runtime_dir;
	const char *pin_dir;
	bool config_given, ruleset_given; /* by option: then the file must exist */
};

struct gwd {
	struct gwd_paths path;
	struct settings cfg;	    /* as they are */
	struct settings configured; /* as file and command line had them at the start */
	int lock_fd;
	uint64_t started_ns; /* CLOCK_BOOTTIME */
	bool ready;
	bool off; /* everything was taken down: leave no state behind */

	struct kern *kern;
	struct ruleset *rs; /* the model of the image in force */
	uint32_t gen;	    /* its generation */
	bool model_lost;    /* an image is in force whose model is not known (state file gone) */
	bool state_unnamed; /* its state file could not be renamed to its final name yet */
	struct ids *ids;
	struct index *index; /* of rs */
	struct past *past;   /* the ruleset before, see txn.c */
	struct compile_map
		*map; /* of the image in force: where a rule can be added; NULL = nowhere */
	unsigned int in_place; /* changes since it was compiled */
	uint64_t changed_ns;   /* the last of them, CLOCK_MONOTONIC */
	struct journal *journal;
	uint64_t sets_next_ns; /* when elements of dynamic sets are looked through again */
	struct ifs *ifs;

	struct sd_event *loop;
	struct sd_event_source *timer_expire, *timer_events, *timer_net;
	struct nl_monitor *monitor;
	struct server *server;
	struct events *events;
	struct logs *logs;
	uint64_t net_synced_ns; /* when interfaces and addresses were last read */
	uint64_t no_port_pkts;	/* packets that found no port, at the last expiry pass */
	bool no_port_known;
	uint64_t flows_assured; /* at the last expiry pass, both IP versions */
};

uint64_t now_ns(int clock);
#endif
