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

enum field_type {
	FIELD_IFNAME,
	FIELD_ADDR4,
	FIELD_ADDR6,
	FIELD_PROTO,
	FIELD_PORT,
	FIELD_ICMP_TYPE,
	FIELD_ICMP6_TYPE,
	FIELD_CT_STATE,
	FIELD_MARK
};
enum field {
#define GW_FIELD(id, keyword, type, families, implies, hooks, help) FIELD_ID_##id,
#include <gw/field.def>
#undef GW_FIELD
	FIELD_ID_MAX
};
struct field_row {
	const char *keyword; /* "ip saddr" */
	enum field_type type;
	int families;	   /* 4, 6, 46 */
	uint8_t implies;   /* l4proto */
	const char *hooks; /* "ANY", "IN", "OUT", "CT" */
	const char *help;
};
extern const struct field_row field_rows[FIELD_ID_MAX];

/*
 * One element of a match: an inclusive range lo..hi (lo == hi for a single value).
 *   ADDR4, ADDR6   addr_lo/addr_hi in network byte order (ADDR4: 4 bytes); plen >= 0 if written as prefix, else -1
 *   IFNAME         name, possibly ending in '*' (wildcard); num unused
 *   PROTO PORT ICMP_TYPE ICMP6_TYPE MARK   num_lo..num_hi; ICMP types are the type number alone
 *   CT_STATE       num_lo = bit mask of 1 << GW_CT_* ; one element holds the whole list
 */
struct elem {
	uint8_t addr_lo[16], addr_hi[16];
	int plen;
	uint32_t num_lo, num_hi;
	char name[16];
};

struct match {
	enum field field;
	bool negate;
	bool is_set;   /* written with braces */
	uint32_t mask; /* MARK: value is compared after & mask; ~0 = whole */
	struct elem *elems;
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
	VERDICT_REDIRECT
};

/* The values are GW_REJECT_*; as_default: written without `with`. */
struct action {
	enum verdict verdict;
	bool notrack; /* raw: a statement, not final; may stand with verdict NONE */
	bool counter; /* `counter` written (nft prints packets/bytes only then; we always count) */
	uint32_t reject;      /* GW_REJECT_* */
	bool reject_explicit; /* `with ...` written */
	/* NAT; addresses of family nat_family, network order; has_addr false = port only (or masquerade/redirect) */
	int nat_family; /* 4, 6, 0 = no address */
	bool has_addr, has_port;
	uint8_t addr_lo[16], addr_hi[16];
	uint16_t port_lo, port_hi;
	uint32_t nat_flags; /* GW_NATF_RANDOM, _FULLY_RANDOM, _PERSISTENT */
};

struct rule {
	uint64_t handle;
	uint32_t cid; /* counter id in the data plane; 0 = not assigned yet (gwd does) */
	struct match *matches;
	size_t n_matches;
	struct action action;
	char *comment; /* or NULL */
	char *xtspec; /* the rule as iptables -S prints it behind "-A CHAIN ", or NULL: made by nft syntax */
	/* snapshot of the counter: set by gwd before it shows a ruleset, or by the user as a start value */
	uint64_t pkts, bytes;
	bool counter_given; /* pkts/bytes were given by the user (iptables -c, restore, `counter packets N bytes M`) */
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
	struct rule **rules;
	size_t n_rules, cap_rules;
};

struct table {
	uint64_t handle;
	enum family family;
	char name[64];
	struct chain **chains;
	size_t n_chains, cap_chains;
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
void chain_flush(struct chain *c);
void chain_delete_rule(struct chain *c, size_t index);

struct rule *rule_new(void);
struct rule *rule_free(struct rule *r);
DEFINE_FREEP(rule)
struct rule *rule_copy(const struct rule *r);
/* Append a match; the rule owns its elems afterwards (m->elems is taken on success only). */
int rule_add_match(struct rule *r, struct match *m);
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
/* Has a base chain a place in the matrix? */
bool chain_validate(const struct table *t, const struct chain *c, struct diag *d);

#endif
