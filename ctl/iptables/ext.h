/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_EXT_H
#define IPTABLES_EXT_H
/*
 * ext - matches and targets: one row each, with its options and how it is read and printed.
 */
#include <iptables/args.h>
#include <iptables/spec.h>

struct match_row {
	const char *name;
	uint8_t proto;			  /* needs -p of this protocol, 0 = any */
	int version;			  /* 4, 6, 46 */
	const char *required;		  /* option that must be there, or NULL */
	const struct arg_option *options; /* up to one without a name; keys are the row's own */
	/* One option.  0 or IPTABLES_E_*. */
	int (*read)(struct xt_match *m, char key, const char *value, bool invert,
		    const struct xt_rule *x, struct diag *d);
	void (*save)(const struct xt_match *m, struct strbuf *b);
	void (*list)(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		     struct strbuf *b);
};
const struct match_row *match_row(enum xt_match_kind kind);
/* The match of this name; icmp6 exists for IPv6 only.  NULL = not supported. */
const struct match_row *match_find(const char *name, int version);
enum xt_match_kind match_kind(const struct match_row *row);

struct target_row {
	const char *name;
	const char *shown; /* by -L, if different */
	const char *required;
	const struct arg_option *options;
	int (*read)(struct xt_target *t, char key, const char *value, const struct xt_rule *x,
		    struct diag *d);
	void (*save)(const struct xt_target *t, int version, struct strbuf *b);
	void (*list)(const struct xt_target *t, int version, struct strbuf *b);
};
const struct target_row *target_row(enum xt_target_kind kind);
/* XT_TARGET_MAX = not supported */
enum xt_target_kind target_find(const char *name);
#endif
