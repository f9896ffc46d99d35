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
	XT_IPRANGE,
	XT_LIMIT,
	XT_HASHLIMIT,
	XT_CONNLIMIT,
	XT_MAC,
	XT_ADDRTYPE,
	XT_LENGTH,
	XT_TTL,
	XT_HL,
	XT_DSCP,
	XT_SET,
	XT_RECENT,
	XT_STATISTIC,
	XT_PKTTYPE,
	XT_MATCH_MAX
};
enum xt_target_kind {
	XT_NO_TARGET,
	XT_ACCEPT,
	XT_DROP,
	XT_RETURN,
	XT_REJECT,
	XT_MASQUERADE,
	XT_SNAT,
	XT_DNAT,
	XT_REDIRECT,
	XT_NETMAP,
	XT_CT,
	XT_NOTRACK,
	XT_LOG,
	XT_NFLOG,
	XT_TO_MARK,
	XT_TO_CONNMARK,
	XT_TCPMSS,
	XT_TO_DSCP,
	XT_TO_TTL,
	XT_TO_HL,
	XT_CHAIN, /* a user chain: the last, as its row has no name */
	XT_TARGET_MAX
};

struct xt_addr {
	bool given, invert;
	uint8_t addr[16]; /* network order, host bits clear */
	unsigned int plen;
};
struct xt_range {
	bool given, invert;
	uint16_t lo, hi;
};
struct xt_span {
	bool given, invert;
	uint8_t lo[16], hi[16]; /* addresses, network order */
};

/* The options of conntrack, in the order they are printed. */
enum xt_ct_item {
	XT_CT_STATE,
	XT_CT_PROTO,
	XT_CT_ORIGSRC,
	XT_CT_ORIGDST,
	XT_CT_REPLSRC,
	XT_CT_REPLDST,
	XT_CT_ORIGSRCPORT,
	XT_CT_ORIGDSTPORT,
	XT_CT_REPLSRCPORT,
	XT_CT_REPLDSTPORT,
	XT_CT_STATUS,
	XT_CT_EXPIRE,
	XT_CT_DIR,
	XT_CT_ITEMS
};
#define XT_STATE_SNAT \
	(1U << 30) /* among states: the connection's source, destination is translated */
#define XT_STATE_DNAT (1U << 31)
struct xt_conntrack {
	uint32_t given, invert; /* 1 << XT_CT_* */
	uint32_t states, status;
	uint8_t proto;
	bool reply;
	struct xt_addr addr[4];
	struct xt_range port[4];
	uint32_t expire_lo, expire_hi;
};

/* limit, hashlimit */
#define XT_NAME_MAX 64 /* of hashlimit, recent, set; with its NUL */
struct xt_rate {
	uint32_t rate, unit_s, burst;
	uint32_t typed_s; /* the unit that was typed */
	bool above;
	uint8_t modes; /* XT_MODE_* */
	char name[XT_NAME_MAX];
	uint32_t size, max, gc_ms, expire_ms; /* of hashlimit's table; 0 = default */
};
#define XT_MODE_SRCIP	(1U << 0)
#define XT_MODE_SRCPORT (1U << 1)
#define XT_MODE_DSTIP	(1U << 2)
#define XT_MODE_DSTPORT (1U << 3)

#define XT_BURST_DEFAULT 5
struct xt_match;
/* With what was left out. */
struct xt_rate xt_limit_of(const struct xt_match *m);
/* Does iptables say the rate of a limit as it is? */
bool xt_limit_is_canonical(const struct xt_rate *rate);
const char *xt_recent_name(const struct xt_match *m);

struct xt_recent {
	char what; /* 's' set, 'c' rcheck, 'u' update, 'r' remove */
	bool dest, reap;
	uint32_t seconds, hits;
	char name[XT_NAME_MAX];
};

#define XT_PORTS_MAX	 15   /* multiport: a range counts twice */
#define XT_COMMENT_MAX	 256  /* with its NUL */
#define XT_SPEC_MAX	 4096 /* what the native language takes for a rule's iptables text */
#define XT_ICMP_ANY	 255
#define XT_ICMP_CODE_ANY -1
#define XT_SET_DIMS	 5
struct xt_match {
	enum xt_match_kind kind;
	bool given;	      /* its main option was there */
	bool invert;	      /* of everything but ports */
	uint64_t seen;	      /* options that were there, by key */
	uint32_t value, mask; /* icmp type, states (1 << GW_CT_*), mark, dscp, pkttype, connlimit */
	union {
		struct { /* tcp, udp */
			struct xt_range sport, dport;
			struct {
				bool given, invert;
				uint8_t mask, value;
			} flags;
		};
		int code;	   /* icmp */
		struct {	   /* multiport */
			char side; /* 's', 'd', 'b' */
			size_t n_ports;
			struct xt_range ports[XT_PORTS_MAX];
		};
		struct xt_conntrack ct;
		struct xt_span span[2]; /* iprange: source, destination */
		struct xt_rate rate;
		struct xt_recent recent;
		struct { /* connlimit */
			bool above, dest;
			uint8_t plen;
		} conn;
		uint8_t mac[6];
		struct {		   /* addrtype */
			uint16_t types[2]; /* 1 << RTN_*; source, destination; 0 = not given */
			bool invert[2];
			char limit; /* 'i' input interface, 'o' output, 0 */
		} fib;
		struct xt_range length;
		struct {	 /* ttl, hl */
			char op; /* 'e', 'g', 'l' */
			uint8_t value;
		} hops;
		struct { /* set */
			char name[XT_NAME_MAX];
			uint8_t n;
			bool dest[XT_SET_DIMS];
		} set;
		struct {		      /* statistic */
			char mode;	      /* 'r', 'n' */
			uint32_t probability; /* of 2^31 */
			uint32_t every, packet;
		} stat;
		char comment[XT_COMMENT_MAX];
	};
};

#define XT_PREFIX_MAX 65 /* NFLOG's; LOG's ends after 29 characters */
struct xt_target {
	enum xt_target_kind kind;
	bool given; /* --to-*, --reject-with, --notrack was there */
	uint64_t seen;
	bool go_to;	/* -g */
	char chain[32]; /* XT_CHAIN */
	bool has_addr, has_port;
	uint8_t addr_lo[16], addr_hi[16];
	uint16_t port_lo, port_hi;
	unsigned int plen;  /* NETMAP */
	uint32_t flags;	    /* GW_NATF_RANDOM, _FULLY_RANDOM, _PERSISTENT */
	uint32_t reject;    /* GW_REJECT_* */
	bool notrack, zone; /* CT; the zone is in value */
	/* MARK, CONNMARK: 'x' value and mask, 's' save, 'r' restore; TCPMSS, DSCP, TTL, HL: the option's key */
	char op;
	uint32_t value, mask, nfmask, ctmask;
	struct {
		char prefix[XT_PREFIX_MAX];
		uint8_t level;
		unsigned int flags; /* NF_LOG_* */
		bool has_size;
		uint32_t group, size, threshold;
	} log;
};

#define XT_MATCHES_MAX 16
struct xt_rule {
	int version; /* 4 or 6 */
	struct xt_addr src, dst;
	char iif[16], oif[16]; /* with iptables' '+'; "" = any */
	bool iif_invert, oif_invert;
	uint8_t proto; /* 0 = any */
	bool proto_given, proto_invert;
	bool frag, frag_invert; /* -f */
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

/* Where a rule will stand: sets that it needs are looked up and made there. */
struct xt_place {
	struct ruleset *rs;
	struct table *table;
	const struct chain *chain;
};
/* convert.c; without a place the rule is only good to be compared: nothing is made. */
int xt_to_rule(const struct xt_rule *x, const struct xt_place *place, struct rule **ret,
	       struct diag *d);
/* back.c; false: iptables has no words for it */
bool xt_from_rule(const struct rule *r, int version, struct xt_rule *ret);
#endif
