/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LANG_PARSE_H
#define LANG_PARSE_H
/*
 * parse - what the files of the recursive descent share.
 *
 * p->tok is always the next unread token.  Functions return 0, LANG_E_DIAG with *p->d filled, or -errno.
 */
#include <lang/lang.h>
#include <lang/lex.h>

#define NAME_SIZE   64 /* of tables and chains, with the NUL */
#define COMMENT_MAX 128
#define XTSPEC_MAX  4096
#define MATCHES_MAX 32
#define IFNAMES_MAX 1024
#define NEST_MAX    16
#define HANDLE_MAX  (1ULL << 62)
#define TIME_MAX_MS (1ULL << 53) /* of timeouts: 285,000 years */

/* What is to be done with an element. */
enum element_verb { ELEMENT_ADD, ELEMENT_CREATE, ELEMENT_DELETE, ELEMENT_DESTROY };

/* Where a part of the text stands: what a token says about it, but smaller. */
struct place {
	const char *line_start, *at, *file;
	unsigned int line, at_len, file_len;
	uint16_t depth;
	uint8_t verb; /* enum element_verb */
};

/* Elements as they were written, with their places. */
struct batch {
	struct elems *elems;
	struct place *places;
	size_t cap;
};

/* What elements of a set look like. */
struct shape {
	const enum field_type *keys, *data;
	unsigned int n_keys, n_data; /* n_data 0: verdicts, if it is a map */
	bool is_map, data_optional;  /* the key alone is enough to delete an element */
};

/* A name that was used before the thing was there; looked at again when all is read. */
enum ref_kind { REF_CHAIN, REF_SET, REF_COUNTER, REF_QUOTA, REF_LIMIT };
struct ref {
	enum ref_kind kind;
	enum family family;
	char table[NAME_SIZE], name[NAME_SIZE];
	struct place place;
};

/*
 * Elements that are to be added to a set or deleted from it, and will be when something else is to be done: a file of a
 * million `add element` and `delete element` costs one merge and not a million.
 */
struct pending {
	struct set *set; /* NULL = nothing is pending */
	struct batch batch;
};

struct define {
	char name[NAME_SIZE];
	const char *s;
	size_t len;
};

/* The keywords of matches by their first words, in order: rows of numbers + 1, 0 ends one. */
#define FIELD_INDEX_ROWS 64
#define FIELD_INDEX_MAX	 256
struct field_index {
	uint16_t first[FIELD_INDEX_ROWS], next[FIELD_INDEX_MAX];
};

struct parser {
	struct lexer lx;
	struct token tok;
	struct ruleset *rs;
	struct lang_changes ch;
	struct diag *d;
	const char *file;
	const char *text_end;
	struct define *defines;
	size_t n_defines, cap_defines;
	struct table *table; /* the one that is being worked in */
	struct pending pending;
	struct ref *refs;
	size_t n_refs, cap_refs;
	struct field_index fields;
	bool saw_internal; /* handles and counter ids were given: check that they are unique */
};

/* core.c */
int parse_advance(struct parser *p); /* replaces $names by what they stand for */
void parse_raw(struct parser *p);    /* leaves them */
int fail_at(struct parser *p, const struct token *t, const char *fmt, ...) _printf_(3, 4);
int fail_hint(struct parser *p, const char *fmt, ...)
	_printf_(2, 3);				       /* after fail_at; returns LANG_E_DIAG */
int fail_expected(struct parser *p, const char *what); /* "WHAT expected, not `tok`" */
int fail_unsupported(struct parser *p, const struct token *t, const char *first);
/* Give the position of t to a diag that model has filled. */
int fail_model(struct parser *p, const struct token *t);
int expect_punct(struct parser *p, const char *punct);
bool at_separator(const struct parser *p); /* newline, `;`, `}` or the end */
int skip_newlines(struct parser *p);
int skip_separators(struct parser *p);
int take_word(struct parser *p, const char *word, bool *ret_taken); /* an optional word */
int parse_u64(struct parser *p, const char *what, uint64_t min, uint64_t max, uint64_t *ret);
int token_to_u64(const struct token *t, uint64_t min, uint64_t max,
		 uint64_t *ret); /* false: no such number */
int parse_name(struct parser *p, const char *what, char ret[NAME_SIZE]);
int parse_string(struct parser *p, const char *what, size_t max, char **ret); /* the caller frees */

/* define.c */
int parse_define(struct parser *p,
		 bool *ret_done); /* define, redefine, undefine; include is refused */
int expand_var(struct parser *p);

/* refs.c */
int ref_add(struct parser *p, enum ref_kind kind, const char *name, const struct token *at);
int refs_check(struct parser *p); /* the first one that leads nowhere is a mistake */
struct place token_place(const struct token *t);
struct token place_token(const struct place *place);

/* elements.c */
/* `accept`, `drop`, `continue`, `return`, `jump CHAIN`, `goto CHAIN` */
int parse_verdict(struct parser *p, struct map_data *ret);
/* `{ ... }` with everything in it, as it was written. */
int parse_elements(struct parser *p, const struct shape *shape, struct batch *b);
void batch_deinit(struct batch *b);
int batch_move(struct batch *to,
	       struct batch *from); /* behind what is there; *from is left empty */
/* `{ ... }` of a rule: in order, without doubles; overlapping intervals are joined in sets and a mistake in maps. */
int parse_set_body(struct parser *p, const enum field_type *types, unsigned int n,
		   struct elems **ret);
/* n_data 0: verdicts */
int parse_map_body(struct parser *p, const enum field_type *keys, unsigned int n_keys,
		   const enum field_type *data, unsigned int n_data, struct elems **ret);

/* settle.c */
/* What anonymous and named sets have in common when elements come to them. */
struct settle {
	const struct shape *shape;
	bool interval;	 /* ranges are welcome */
	bool merge;	 /* what overlaps or touches becomes one */
	bool timeout;	 /* elements may have a timeout */
	uint32_t size;	 /* 0 = any */
	const char *set; /* name for messages, NULL = anonymous */
};
/* The elements of the batch come to those that are there (in order, or NULL) or go, as their verbs say; *b is left empty. */
int settle(struct parser *p, const struct settle *s, struct batch *b, struct elems **elems);
/* Likewise where intervals have grown together: all of the batch is deleted, also parts of what is there. */
int settle_cut(struct parser *p, const struct settle *s, struct batch *b, struct elems **elems);

/* pending.c */
/* Where elements for the set are to go, to be marked with the verb. */
int pending_batch(struct parser *p, struct set *set, enum element_verb verb, struct batch **ret);
int pending_flush(struct parser *p);

/* field.c: the keyword of a match, or several joined by dots; *ret_done = false: the word is something else. */
int parse_selector(struct parser *p, struct selector *ret, bool *ret_done);
void field_index_init(struct field_index *x);

/* limit.c */
int parse_limit_rate(
	struct parser *p,
	struct limit *ret); /* behind `limit`: `rate [over] 5/second [burst N packets]` */
int parse_quota_value(struct parser *p, uint64_t *ret_bytes, bool *ret_over,
		      uint64_t *ret_used); /* behind `quota`: `[over] 10 mbytes [used 5 bytes]` */

/* time.c: `1d2h3m4s`, `90s` or a number of seconds. */
int parse_duration(struct parser *p, uint64_t *ret_ms);

/* match.c */
int parse_match(struct parser *p, struct rule *r, bool *ret_done);

/* elem.c */
int parse_elem(struct parser *p, enum field_type type, struct elem *ret);
int parse_addr_token(struct parser *p, int version, uint8_t ret[16]);

/* stmt.c, and the statements that have a file of their own */
int parse_stmt(struct parser *p, struct rule *r, bool *ret_done);
int parse_counter(struct parser *p, struct rule *r);
int parse_log(struct parser *p, struct rule *r);
int parse_reject(struct parser *p, struct rule *r);
int parse_nat(struct parser *p, struct rule *r, enum verdict v);
/* `add @s { ... }`, behind the verb; `set add ... @s`, behind `set`. */
int parse_set_stmt(struct parser *p, struct rule *r, enum set_verb verb);
int parse_old_set_stmt(struct parser *p, struct rule *r);
/* SELECTOR set VALUE; SELECTOR vmap ...; both at the word. */
int parse_field_set(struct parser *p, struct rule *r, const struct selector *sel,
		    const struct token *at);
int parse_ttl_step(struct parser *p, struct rule *r, enum field f);
int parse_vmap(struct parser *p, struct rule *r, const struct selector *sel);
/* `map @name` or `map { ... }`, at what stands behind `map`; n_data 0: verdicts. */
int parse_map_use(struct parser *p, const struct selector *sel, const enum field_type *data,
		  unsigned int n_data, struct map_use **ret);
bool words_follow(struct parser *p, const char *first, const char *second);
int parse_rule_internal(struct parser *p, struct rule *r);	  /* `gw ...` behind a rule */
int version_of_rule(const struct table *t, const struct rule *r); /* 4, 6; 0 = both */

/* rule.c */
int parse_rule(struct parser *p, struct table *t, struct chain *c, struct rule **ret);

/* chain.c */
struct chain_spec {
	struct token type_tok, policy_tok;
	bool has_type, has_policy;
	enum chain_type type;
	int hook_nf, prio;
	bool policy_drop;
	char *comment; /* the caller frees */
};
/* `type filter hook input priority 0` and `policy drop`; *ret_done = it was one of them. */
int parse_chain_spec(struct parser *p, struct chain_spec *spec, bool *ret_done);
/* Find or make the chain as spec says. */
int chain_resolve(struct parser *p, struct table *t, const char *name, const struct token *at,
		  const struct chain_spec *spec, struct chain **ret);
int chain_set_policy(struct parser *p, struct chain *c, const struct chain_spec *spec);
int chain_append(struct parser *p, struct chain *c, size_t index, struct rule *r); /* takes r */
struct chain *standard_chain(struct parser *p, enum family f, const char *table, const char *chain);

/* set.c */
int parse_set_block(struct parser *p, struct table *t, bool is_map, const char *name,
		    const struct token *at);

/* object.c */
/* `{ ... }` or the definition itself; an object that exists already is refused if it is exclusive. */
int parse_object_block(struct parser *p, struct table *t, enum object_kind kind, const char *name,
		       const struct token *at);

/* block.c */
/* Blank lines, and the `}` of a block if it is there. */
int block_end(struct parser *p, bool *ret_end);
int expect_separator(struct parser *p); /* what a part of a block ends with */
int parse_table_block(struct parser *p, struct table *t);
int parse_chain_block(struct parser *p, struct table *t, const char *name, const struct token *at);
int add_table(struct parser *p, enum family f, const char *name, struct table **ret);

/* target.c */
struct target {
	enum family family;
	char table[NAME_SIZE], chain[NAME_SIZE];
	struct token table_tok, chain_tok;
};
int parse_family(struct parser *p, enum family *ret); /* ip if none is given */
int parse_target(struct parser *p, struct target *t, bool with_chain);
/* Standard tables and chains are made on the way. */
int find_table(struct parser *p, const struct target *t, struct table **ret);
int find_chain(struct parser *p, const struct target *t, struct table **ret_table,
	       struct chain **ret_chain);

/* command_set.c */
int add_set_command(struct parser *p, bool is_map, bool create);
int add_object_command(struct parser *p, enum object_kind kind, bool create);
int element_command(struct parser *p, enum element_verb verb);
int delete_set_command(struct parser *p, bool is_map, bool must_exist);
int delete_object_command(struct parser *p, enum object_kind kind, bool must_exist);
int flush_set_command(struct parser *p);

/* command.c */
int parse_command(struct parser *p);

/* remove.c */
int remove_rules(struct parser *p, struct chain *c);
int remove_chain(struct parser *p, struct table *t, struct chain *c);
int remove_table(struct parser *p, struct table *t);
int parse_delete_table(struct parser *p, bool must_exist);
int parse_delete_chain(struct parser *p, bool must_exist);
int parse_delete_rule(struct parser *p, bool must_exist);
int parse_flush(struct parser *p);
int parse_handle(struct parser *p, uint64_t *ret); /* `handle N` */

#endif
