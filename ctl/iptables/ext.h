/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_EXT_H
#define IPTABLES_EXT_H
/*
 * ext - matches and targets: one row each, with its options and how it is read and printed.
 */
#include <iptables/args.h>
#include <iptables/spec.h>

/* Bit of an option's key in `seen`. */
#define OPTION_SEEN(key) (1ULL << ((key) - 'A'))

struct match_row {
	const char *name;
	uint8_t proto;			  /* needs -p of this protocol, 0 = any */
	int version;			  /* 4, 6, 46 */
	const char *required;		  /* option that must be there, or NULL */
	const struct arg_option *options; /* up to one without a name; keys are the row's own */
	/* One option.  0 or IPTABLES_E_*. */
	int (*read)(struct xt_match *m, char key, const char *value, bool invert,
		    const struct xt_rule *x, struct diag *d);
	void (*save)(const struct xt_match *m, const struct xt_rule *x, struct strbuf *b);
	void (*list)(const struct xt_match *m, const struct xt_rule *x, bool numeric,
		     struct strbuf *b);
	const char *
		inverts; /* keys of options that take a !; NULL: read() looks itself, also for repeated options */
	int (*check)(const struct xt_match *m, const struct xt_rule *x,
		     struct diag *d); /* all options are read */
};
extern const struct match_row row_tcp, row_udp, row_icmp, row_icmp6,
	row_multiport; /* match_port.c */
extern const struct match_row row_state, row_conntrack, row_connmark,
	row_connlimit; /* match_ct.c */
extern const struct match_row row_limit, row_hashlimit, row_recent,
	row_statistic;							   /* match_rate.c */
extern const struct match_row row_iprange, row_mac, row_addrtype, row_set; /* match_addr.c */
extern const struct match_row row_comment, row_mark, row_length, row_ttl, row_hl, row_dscp,
	row_pkttype; /* match.c */
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
	void (*list)(const struct xt_target *t, int version, bool numeric, struct strbuf *b);
	int version;	    /* 4, 6, 0 = both */
	const char *tables; /* the only table it works in, or NULL */
	bool once;	    /* its options may not be repeated */
	int (*check)(const struct xt_target *t, const struct xt_rule *x, struct diag *d);
};
extern const struct target_row row_to_reject, row_to_masquerade, row_to_snat, row_to_dnat,
	row_to_redirect, row_to_netmap;			 /* target_nat.c */
extern const struct target_row row_to_log, row_to_nflog; /* target_log.c */
extern const struct target_row row_to_ct, row_to_notrack, row_to_mark, row_to_connmark,
	row_to_tcpmss, row_to_dscp, row_to_ttl, row_to_hl; /* target_set.c */
const struct target_row *target_row(enum xt_target_kind kind);
/* XT_TARGET_MAX = not supported */
enum xt_target_kind target_find(const char *name);
/* As it is written, as -L shows it. */
const char *target_name(const struct xt_target *t);
const char *target_shown(const struct xt_target *t);
/* With the masks that were left out. */
struct xt_target xt_connmark_of(const struct xt_target *t);
/* What iptables has and we have not. */
bool target_is_known(const char *name);

/* A whole number for an option of a match or target. */
int read_option_number(const char *who, const char *option, const char *value, uint64_t lo,
		       uint64_t hi, uint32_t *ret, struct diag *d);
/* "VALUE[/MASK]" */
int read_option_mark(const char *value, uint32_t *ret, uint32_t *ret_mask, struct diag *d);
/* In quotes if it holds more than letters, digits, _ and -. */
void save_text(const char *s, struct strbuf *b);
/* "80", "http", "80:90", ":90", "80:" */
int read_port_span(const char *value, const char *proto, struct xt_range *ret, struct diag *d);
/* Several tcp or udp matches of a rule that ask for different things become one, as in iptables-nft. */
void merge_ports(struct xt_rule *x);
/* Of the fields PROTO sport, PROTO dport; false: it has no ports. */
bool proto_has_ports(const struct xt_rule *x);
#endif
