/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_SPEC_H
#define IPTABLES_SPEC_H
/*
 * spec - one rule as the iptables dialect sees it: addresses, interfaces, protocol, matches in the order they were named,
 * target.  Read by parse.c, printed by print.c, turned into the model and back by convert.c.
 */
#include <iptables/iptables.h>
#include <netinet/in.h>

enum xt_match_kind {
	XT_TCP,
	XT_UDP,
	XT_ICMP,
	XT_ICMP6,
	XT_STATE,
	XT_CONNTRACK,
	XT_COMMENT,
	XT_MARK,
	XT_CONNMARK,
	XT_MULTIPORT,
	XT_MATCH_MAX
};
enum xt_target_kind {
	XT_NO_TARGET,
	XT_ACCEPT,
	XT_DROP,
	XT_REJECT,
	XT_MASQUERADE,
	XT_SNAT,
	XT_DNAT,
	XT_REDIRECT,
	XT_CT,
	XT_NOTRACK,
	XT_TARGET_MAX
};

struct xt_range {
	bool given, invert;
	uint16_t lo, hi;
};
#define XT_PORTS_MAX   15   /* multiport: a range counts twice */
#define XT_COMMENT_MAX 256  /* with its NUL */
#define XT_SPEC_MAX    4096 /* what the native language takes for a rule's iptables text */
#define XT_ICMP_ANY    255
struct xt_match {
	enum xt_match_kind kind;
	bool given;		      /* its main option was there */
	bool invert;		      /* of everything but ports */
	struct xt_range sport, dport; /* tcp, udp */
	uint32_t value, mask;	      /* icmp type, states (1 << GW_CT_*), mark */
	char side;		      /* multiport: 's' or 'd' */
	size_t n_ports;
	struct xt_range ports[XT_PORTS_MAX];
	char comment[XT_COMMENT_MAX];
};

struct xt_addr {
	bool given, invert;
	uint8_t addr[16]; /* network order, host bits clear */
	unsigned int plen;
};

struct xt_target {
	enum xt_target_kind kind;
	bool given; /* --to-*, --reject-with, --notrack was there */
	bool has_addr, has_port;
	uint8_t addr_lo[16], addr_hi[16];
	uint16_t port_lo, port_hi;
	uint32_t flags;	 /* GW_NATF_RANDOM, _FULLY_RANDOM, _PERSISTENT */
	uint32_t reject; /* GW_REJECT_* */
};

#define XT_MATCHES_MAX 16
struct xt_rule {
	int version; /* 4 or 6 */
	struct xt_addr src, dst;
	char iif[16], oif[16]; /* with iptables' '+'; "" = any */
	bool iif_invert, oif_invert;
	uint8_t proto; /* 0 = any */
	bool proto_given, proto_invert;
	struct xt_match matches[XT_MATCHES_MAX];
	size_t n_matches;
	struct xt_target target;
	bool counters;
	uint64_t pkts, bytes;
};

/* The user's mistake: fill *d and return the outcome. */
int xt_refuse(struct diag *d, const char *fmt, ...) _printf_(2, 3); /* IPTABLES_E_DIAG */
int xt_usage(struct diag *d, const char *fmt, ...) _printf_(2, 3);  /* IPTABLES_E_USAGE */

/* What comes behind "-A CHAIN ", as -S prints it; counters adds "-c P B" in front of -j.  Begins with a space if not empty. */
void xt_save(const struct xt_rule *x, bool counters, struct strbuf *b);

/* How -L prints. */
struct xt_list_format {
	bool numeric, verbose, exact, line_numbers;
};
void xt_list(const struct xt_rule *x, const struct xt_list_format *f, size_t number,
	     struct strbuf *b);
void xt_list_header(const struct xt_list_format *f, struct strbuf *b);
/* How -v shows a rule that was added or found: one line, always numeric. */
void xt_list_line(const struct xt_rule *x, struct strbuf *b);
/* A counter with its trailing space; as table column right-aligned. */
void xt_print_count(uint64_t n, const struct xt_list_format *f, bool column, struct strbuf *b);

/* convert.c */
int xt_to_rule(const struct xt_rule *x, struct rule **ret, struct diag *d);
/* false: iptables has no words for it */
bool xt_from_rule(const struct rule *r, int version, struct xt_rule *ret);
#endif
