/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H
/*
 * model - tables, chains and rules as pure values: no I/O, no libbpf, no syntax.
 *
 * The model is nftables': a ruleset has tables (family + name), a table has chains in order of creation, a chain has
 * rules in order.  Base chains sit on a hook with a type and a priority.  Handles are unique in the ruleset and never reused.
 *
 * Standard tables (inet filter/nat/mangle/raw/security with lower-case chains) need not be created by the user:
 * ruleset_standard_chain() makes them on first use.  The iptables dialect lives in `ip`/`ip6` tables with upper-case
 * chain names, exactly as iptables-nft lays them out.
 */
#include <base/base.h>
#include <base/diag.h>
#include <gw/abi.h>

enum family { FAMILY_INET, FAMILY_IP, FAMILY_IP6 };
const char *family_name(enum family f); /* "inet", "ip", "ip6" */
/* Does a table of family f see packets of IP version 4 / 6? */
bool family_sees(enum family f, int version);
const char *hook_name(int hook_nf); /* "prerouting" ...; NULL behind the last */

/* Types of values, named as nft names them where sets are declared ("type ipv4_addr . inet_service"). */
enum field_type {
	FIELD_IFNAME,
	FIELD_ADDR4,
	FIELD_ADDR6,
	FIELD_PROTO,
	FIELD_PORT,
	FIELD_ICMP_TYPE,
	FIELD_ICMP6_TYPE,
	FIELD_CT_STATE,
	FIELD_MARK,
	FIELD_NUM,
	FIELD_ETHER_ADDR,
	FIELD_ETHERTYPE,
	FIELD_DSCP,
	FIELD_ECN,
	FIELD_TCP_FLAG,
	FIELD_ICMP_CODE,
	FIELD_ICMP6_CODE,
	FIELD_CT_STATUS,
	FIELD_CT_DIR,
	FIELD_NFPROTO,
	FIELD_PKTTYPE,
	FIELD_IFTYPE,
	FIELD_FIB_TYPE,
	FIELD_FIB_OIF,
	FIELD_BOOL,
	FIELD_HOUR,
	FIELD_DAY,
	FIELD_TIME,
	FIELD_DATE,
	FIELD_TYPE_MAX
};
enum type_base {
	BASE_NAME, /* elem.name */
	BASE_ADDR, /* elem.addr_lo/hi */
	BASE_NUM,  /* elem.num_lo/hi */
	BASE_BITS /* elem.num_lo = num_hi: one bit for each word; without an operator any of them is enough */
};
struct type_row {
	const char *name; /* "ipv4_addr" */
	enum type_base base;
	unsigned int bytes; /* in the key of a set, before padding to 4; IFNAME: 4, the ifindex */
};
extern const struct type_row type_rows[FIELD_TYPE_MAX];

enum field {
#define GW_FIELD(id, keyword, type, bits, families, implies, hooks, varies, help) FIELD_ID_##id,
#include <gw/field.def>
#undef GW_FIELD
	FIELD_ID_MAX
};
struct field_row {
	const char *keyword; /* "ip saddr" */
	enum field_type type;
	unsigned int bits;
	int families;	   /* 4, 6, 46 */
	uint8_t implies;   /* l4proto */
	const char *hooks; /* "ANY", "IN", "OUT", "CT" */
	char varies;	   /* 'F', 'S', 'P' */
	const char *help;
};
extern const struct field_row field_rows[FIELD_ID_MAX];

/*
 * One element of a match or a set: an inclusive range lo..hi (lo == hi for a single value), by the base of its type.
 *   ADDR   addr_lo/addr_hi in network byte order (IPv4: 4 bytes, ETHER_ADDR: 6); plen >= 0 if written as prefix, else -1
 *   NAME   interface name, possibly ending in '*' (wildcard); FIB_OIF: also OIF_*
 *   NUM    num_lo..num_hi; ICMP types are the type number alone; HOUR in seconds since midnight UTC; DATE in seconds since 1970 UTC
 *   BITS   num_lo = num_hi = bit mask; CT_STATE 1 << GW_CT_*, TCP_FLAG as in the header, CT_STATUS as IPS_* (linux/netfilter)
 */
struct elem {
	union {
		struct {
			uint8_t addr_lo[16], addr_hi[16];
		};
		struct {
			uint64_t num_lo, num_hi;
			uint64_t num_pad[2]; /* 0, as the others: elements are compared as bytes */
		};
		struct {
			char name[16];
			uint8_t name_pad[16];
		};
	};
	int plen;
	int pad;
};

/* No interface, and any: no name has a slash.  Behind it stands what nft writes. */
#define OIF_MISSING "/missing"
#define OIF_EXISTS  "/exists"
#define OIF_NONE    "/0" /* the same as missing */

#define CONCAT_MAX 5 /* fields of a concatenation */

/* ==, != are MATCH_EQ with or without negate; so is a set.  The others have one element with num_lo. */
enum match_op { MATCH_EQ, MATCH_LT, MATCH_GT, MATCH_LE, MATCH_GE };

/* What a match, a map or a set statement looks up: one field or several. */
struct selector {
	uint8_t n;		 /* fields, >= 1 */
	uint8_t dir[CONCAT_MAX]; /* CT_BYTES, CT_PACKETS: 0 both, 1 original, 2 reply */
	enum field fields[CONCAT_MAX];
	uint32_t mod; /* NUMGEN_*: modulus */
};

struct match {
	enum field field; /* == more.fields[0] where n_fields > 1 */
	bool negate;
	bool is_set; /* written with braces */
	bool exact; /* bit fields: written with == (or a mask); without it any common bit is enough */
	enum match_op op;
	uint8_t n_fields; /* 0 and 1: the match is of `field` alone */
	uint8_t dir;	  /* CT_BYTES, CT_PACKETS: as in selector */
	enum field
		more[CONCAT_MAX]; /* n_fields > 1: all fields of the concatenation, [0] == field */
	uint16_t after;		  /* how many of the rule's statements stand before it */
	uint32_t mask;		  /* value is compared after & mask; ~0 = whole */
	uint32_t mod;		  /* NUMGEN_*: modulus */
	char *set;		  /* "@name", without the @; or NULL: the elements below */
	struct elem *elems; /* n elements of max(n_fields, 1) parts each, one behind the other */
	size_t n;
};

enum verdict {
	VERDICT_NONE,
	VERDICT_ACCEPT,
	VERDICT_DROP,
	VERDICT_REJECT,
	VERDICT_MASQUERADE,
	VERDICT_SNAT,
	VERDICT_DNAT,
	VERDICT_REDIRECT,
	VERDICT_JUMP,
	VERDICT_GOTO,
	VERDICT_RETURN,
	VERDICT_CONTINUE, /* written out; same effect as none */
	VERDICT_VMAP	  /* action.map says which */
};

/* What a map's element stands for: a verdict (vmap) or a value of the map's data types. */
struct map_data {
	enum verdict verdict;
	char *chain;	    /* JUMP, GOTO */
	struct elem val[2]; /* address, or address and port, port, mark ... */
};

/*
 * The elements of a set or map.  Shared by copies of a ruleset: who changes them takes elems_own() first.
 * keys has n * n_fields parts; data n rows (maps only); extra n rows or NULL.
 */
struct elem_extra {
	uint64_t timeout_ms, expires_ms; /* 0 = none */
	uint64_t pkts, bytes;
	char *comment;
};
struct elems {
	unsigned int refs;
	unsigned int n_fields;
	struct elem *keys;
	struct map_data *data;
	struct elem_extra *extra;
	size_t n, cap;
};

#define SET_CONSTANT   (1U << 0)
#define SET_INTERVAL   (1U << 1)
#define SET_TIMEOUT    (1U << 2)
#define SET_DYNAMIC    (1U << 3)
#define SET_AUTO_MERGE (1U << 4)
#define SET_COUNTER    (1U << 5) /* elements count */
struct set {
	uint64_t handle;
	char name[64];
	bool is_map, is_vmap;
	uint8_t n_fields, n_data;
	enum field_type types[CONCAT_MAX];
	enum field_type data[2]; /* maps */
	struct selector type_of; /* n > 0: declared with `typeof` */
	struct selector data_of; /* likewise, of what a map gives */
	unsigned int flags;	 /* SET_* */
	uint64_t timeout_ms, gc_ms;
	uint32_t size; /* 0 = not given */
	char *policy;  /* "memory", "performance" or NULL */
	char *comment;
	struct elems *elems; /* never NULL */
};

/* A lookup whose answer is used: `SELECTOR map @name`, `SELECTOR vmap { ... }`. */
struct map_use {
	struct selector key;
	char *name;	     /* named map, or NULL: elems */
	struct elems *elems; /* anonymous */
};

/* Named objects. */
enum object_kind { OBJECT_COUNTER, OBJECT_QUOTA, OBJECT_LIMIT };
struct limit {
	uint64_t rate;	 /* per unit */
	uint32_t unit_s; /* 1, 60, 3600, 86400, 604800 */
	uint64_t burst;	 /* packets or bytes; 0 = not given: 5 packets / 0 bytes as nft */
	bool bytes, over;
	uint8_t scale; /* how the rate was written: 0 bytes, 1 kbytes, 2 mbytes */
};
struct object {
	uint64_t handle;
	enum object_kind kind;
	char name[64];
	uint32_t id; /* COUNTER: counter id; QUOTA, LIMIT: state id; 0 = not assigned yet */
	uint64_t pkts, bytes; /* COUNTER: snapshot or start value; QUOTA: bytes = used */
	bool given;
	uint64_t quota;
	bool quota_over;
	struct limit limit;
	char *comment;
};

/*
 * Statements that are not the verdict, in the order they stand.  Those that are matches at heart (limit, quota, ct count, set statements
 * with a limit) end the rule when they do not pass.
 */
enum stmt_kind {
	STMT_COUNTER, /* where the rule's own counter stands; text printed as `counter packets N bytes M` */
	STMT_OBJECT, /* counter name "x", limit name "x", quota name "x": object_kind and name */
	STMT_NOTRACK,
	STMT_LOG,
	STMT_LIMIT,
	STMT_QUOTA,
	STMT_CTCOUNT, /* ct count [over] N */
	STMT_MARK,    /* meta mark set ... */
	STMT_CTMARK,  /* ct mark set ... */
	STMT_DSCP,    /* ip dscp set, ip6 dscp set */
	STMT_TTL,     /* ip ttl set, ip6 hoplimit set */
	STMT_MSS,     /* tcp option maxseg size set N | rt mtu */
	STMT_ZONE,    /* ct zone set N */
	STMT_SET      /* add @s { key ... }, update, delete */
};
enum set_verb { SET_ADD, SET_UPDATE, SET_DELETE };
struct stmt {
	enum stmt_kind kind;
	uint32_t id; /* LIMIT, QUOTA, CTCOUNT: state id; LOG: log id; 0 = not assigned yet */
	union {
		struct {
			enum object_kind kind;
			char *name;
		} object;
		struct {
			char *prefix;		     /* or NULL */
			int level;		     /* syslog 0..7, -1 = not given (warning) */
			int group;		     /* nflog group, -1 = none */
			uint32_t snaplen, threshold; /* 0 = not given */
			unsigned int flags;	     /* NF_LOG_* */
		} log;
		struct limit limit;
		struct {
			uint64_t bytes, used;
			bool over;
		} quota;
		struct {
			uint32_t count;
			bool over;
		} ctcount;
		/* mark = (own & keep) ^ (source & mask) ^ value; source: the mark itself, or the other mark */
		struct {
			bool from_other;      /* meta mark set ct mark; ct mark set meta mark */
			uint32_t mask, value; /* mask 0: set to value */
			uint32_t keep; /* from_other: bits of the own mark that stay; else 0 */
			struct map_use *map; /* meta mark set ip saddr map { ... }, or NULL */
		} mark;
		struct {
			int family; /* DSCP, TTL: 4, 6 */
			uint32_t value;
			int op; /* TTL: 0 set, 1 add, 2 subtract (the iptables dialect's --ttl-inc, --ttl-dec) */
		} value; /* DSCP, TTL, ZONE */
		struct {
			uint16_t value;	  /* 0 = rt mtu */
			bool never_raise; /* TCPMSS --set-mss */
		} mss;
		struct {
			enum set_verb verb;
			char *set;
			struct selector key;
			uint64_t timeout_ms; /* 0 = not given */
			bool counter, has_limit, has_ctcount;
			struct limit limit;
			uint32_t ctcount;
			bool ctcount_over;
		} set;
	};
};

/* The values are GW_REJECT_*; as_default: written without `with`. */
struct action {
	enum verdict verdict;
	char chain[64];	       /* JUMP, GOTO */
	struct map_use *map;   /* VMAP; or SNAT, DNAT, REDIRECT whose target a map gives; or NULL */
	uint32_t reject;       /* GW_REJECT_* */
	bool reject_explicit;  /* `with ...` written */
	uint8_t reject_family; /* written as: 0 tcp reset or default, 4 icmp, 6 icmpv6, 46 icmpx */
	/* NAT; addresses of family nat_family, network order; has_addr false = port only (or masquerade/redirect) */
	int nat_family; /* 4, 6, 0 = no address */
	bool has_addr, has_port;
	bool nat_prefix; /* `dnat ip prefix to ...`: NETMAP */
	int nat_plen;	 /* of a target written as prefix, -1 = not */
	uint8_t addr_lo[16], addr_hi[16];
	uint16_t port_lo, port_hi;
	uint32_t nat_flags; /* GW_NATF_RANDOM, _FULLY_RANDOM, _PERSISTENT, _ENDPOINT */
};

struct rule {
	uint64_t handle;
	uint32_t cid; /* counter id in the data plane; 0 = not assigned yet (gwd does) */
	struct match
		*matches; /* in order; match.after says where between the statements each stands */
	size_t n_matches;
	struct stmt *stmts;
	size_t n_stmts;
	struct action action; /* always last */
	char *comment;	      /* or NULL */
	char *xtspec; /* the rule as iptables -S prints it behind "-A CHAIN ", or NULL: made by nft syntax */
	/* snapshot of the counter: set by gwd before it shows a ruleset, or by the user as a start value */
	uint64_t pkts, bytes;
	bool counter_given; /* pkts/bytes were given by the user (iptables -c, restore, `counter packets N bytes M`) */
	bool packed; /* matches, their elements and stmts lie behind the rule, in one piece of memory */
};

enum chain_type { CHAIN_FILTER, CHAIN_NAT, CHAIN_ROUTE };
const char *chain_type_name(int type); /* "filter" ...; NULL behind the last */
struct chain {
	uint64_t handle;
	char name[64];
	bool base;
	enum chain_type type;
	int hook_nf; /* 0 prerouting 1 input 2 forward 3 output 4 postrouting (enum nf_inet_hooks) */
	int prio;
	bool policy_drop;
	uint32_t cid; /* counter of the policy; 0 = not assigned yet */
	uint64_t pkts, bytes;
	bool counter_given;
	char *comment; /* or NULL */
	struct rule **rules;
	size_t n_rules, cap_rules;
};

struct table {
	uint64_t handle;
	enum family family;
	char name[64];
	bool dormant; /* its chains see no packets */
	char *comment;
	struct chain **chains;
	size_t n_chains, cap_chains;
	struct set **sets; /* sets, maps, verdict maps: one name space */
	size_t n_sets, cap_sets;
	struct object **objects; /* a name space for each kind */
	size_t n_objects, cap_objects;
};

struct ruleset {
	uint64_t next_handle;
	struct table **tables;
	size_t n_tables, cap_tables;
};

struct ruleset *ruleset_new(void);		  /* NULL = out of memory */
struct ruleset *ruleset_free(struct ruleset *rs); /* NULL-safe, returns NULL */
DEFINE_FREEP(ruleset)
struct ruleset *ruleset_copy(const struct ruleset *rs); /* deep; NULL = out of memory */

struct table *ruleset_table(const struct ruleset *rs, enum family f,
			    const char *name);					    /* or NULL */
struct chain *table_chain(const struct table *t, const char *name);		    /* or NULL */
struct rule *chain_rule(const struct chain *c, uint64_t handle, size_t *ret_index); /* or NULL */
int ruleset_add_table(struct ruleset *rs, enum family f, const char *name,
		      struct table **ret); /* existing one is returned */
int table_add_chain(struct ruleset *rs, struct table *t, const char *name,
		    struct chain **ret); /* -EEXIST */
void ruleset_delete_table(struct ruleset *rs, struct table *t);
void table_delete_chain(struct table *t, struct chain *c);
/* Whatever jumps to it follows; name is free and short enough.  -ENOMEM */
int table_rename_chain(struct table *t, struct chain *c, const char *name);
void chain_flush(struct chain *c);
void chain_delete_rule(struct chain *c, size_t index);

struct set *table_set(const struct table *t, const char *name); /* or NULL */
/* *s is taken on success (name, types and elems are set by the caller); -EEXIST. */
int table_add_set(struct ruleset *rs, struct table *t, struct set *s);
void table_delete_set(struct table *t, struct set *s);
struct set *set_new(void); /* with empty elems */
struct set *set_free(struct set *s);
DEFINE_FREEP(set)
struct object *table_object(const struct table *t, enum object_kind kind, const char *name);
int table_add_object(struct ruleset *rs, struct table *t, struct object *o);
void table_delete_object(struct table *t, struct object *o);
struct object *object_free(struct object *o);
DEFINE_FREEP(object)
const char *object_kind_name(int kind); /* "counter" ...; NULL behind the last */
/* Who uses the chain, set or object: the first rule (or map element's chain) found; then it can not be deleted. */
bool table_uses_chain(const struct table *t, const char *name);
bool table_uses_set(const struct table *t, const char *name);
bool table_uses_object(const struct table *t, enum object_kind kind, const char *name);

struct elems *elems_new(unsigned int n_fields);
struct elems *elems_ref(struct elems *e);
struct elems *elems_free(struct elems *e); /* NULL-safe, returns NULL */
DEFINE_FREEP(elems)
/* Make *e the caller's alone (copied if it is shared). */
int elems_own(struct elems **e);
/* Append; data NULL for sets, else its strings are taken on success; extra may be NULL, likewise.  e must be the caller's alone. */
int elems_add(struct elems *e, const struct elem *key, struct map_data *data,
	      struct elem_extra *extra);
void elems_remove(struct elems *e, size_t index);
struct map_use *map_use_free(struct map_use *m);
DEFINE_FREEP(map_use)

struct rule *rule_new(void);
struct rule *rule_free(struct rule *r);
DEFINE_FREEP(rule)
struct rule *rule_copy(const struct rule *r); /* packed */
/* Into one piece of memory; *r may be another one then.  -ENOMEM: it is as it was. */
int rule_pack(struct rule **r);
/* Append a match; the rule owns its elems afterwards (m->elems is taken on success only). */
int rule_add_match(struct rule *r, struct match *m);
/* Append a statement; the rule owns its strings afterwards (taken on success only, *s is zeroed). */
int rule_add_stmt(struct rule *r, struct stmt *s);
void stmt_deinit(struct stmt *s);
bool rule_has_stmt(const struct rule *r, enum stmt_kind kind);
int rule_add_word(struct rule *r,
		  enum stmt_kind kind); /* a statement of one word: COUNTER, NOTRACK */
/* Insert at index (n_rules = append); the chain owns r afterwards and gives it a handle if it has none. */
int chain_insert_rule(struct ruleset *rs, struct chain *c, size_t index, struct rule *r);

/*
 * The chain `name` of a standard table: `filter` input/forward/output, `nat` prerouting/input/output/postrouting,
 * `mangle` all five, `raw` prerouting/output, `security` input/forward/output.  Makes table and base chain (type, hook, priority
 * from hook.def, policy accept) if they do not exist.  For FAMILY_IP/IP6 the names are upper case ("FORWARD") and all
 * chains of the table are made at once, in iptables' order.  NULL with errno ENOENT: not a standard chain.
 */
struct chain *ruleset_standard_chain(struct ruleset *rs, enum family f, const char *table,
				     const char *chain);

/* Is there a row for this table in the matrix? */
bool table_is_standard(const char *name);

/* The slot of the matrix a base chain sits in (by type, hook and priority), or -1: no such place. */
int chain_hook(const struct chain *c);

/*
 * Is every rule usable where it is (NAT verdicts only in nat chains of the right hook, notrack only in raw, iif/oif where they
 * exist, family of addresses, masquerade without address ...)?  false: *d says which rule and why (no position).
 */
bool ruleset_validate(const struct ruleset *rs, struct diag *d);
bool rule_validate(const struct table *t, const struct chain *c, const struct rule *r,
		   struct diag *d);
/* What the first n matches of a rule leave possible. */
struct facts {
	size_t n;
	bool v4, v6;
	uint64_t protos[4]; /* a bit for each protocol */
};
/* The same of a rule that grows: matches that were found good before (f->n, at first 0) are not looked at again. */
bool rule_validate_grown(const struct table *t, const struct chain *c, const struct rule *r,
			 struct facts *f, struct diag *d);
bool set_validate(const struct table *t, const struct set *s, struct diag *d);
bool object_validate(const struct table *t, const struct object *o, struct diag *d);
/* Has a base chain a place in the matrix? */
bool chain_validate(const struct table *t, const struct chain *c, struct diag *d);

#endif
