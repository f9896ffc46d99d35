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

struct define {
	char name[NAME_SIZE];
	const char *s;
	size_t len;
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

/* match.c */
int parse_match(struct parser *p, struct rule *r, int *version, bool *ret_done);

/* elem.c */
int parse_elem(struct parser *p, enum field_type type, struct elem *ret);
int parse_addr_token(struct parser *p, int version, uint8_t ret[16]);

/* stmt.c */
int parse_stmt(struct parser *p, enum family f, struct rule *r, int *version, bool *ret_done);
int parse_rule_internal(struct parser *p, struct rule *r); /* `gw ...` behind a rule */

/* nat.c */
int parse_nat(struct parser *p, enum family f, struct rule *r, enum verdict v);

/* rule.c */
int parse_rule(struct parser *p, struct table *t, struct chain *c, struct rule **ret);

/* chain.c */
struct chain_spec {
	struct token type_tok, policy_tok;
	bool has_type, has_policy;
	enum chain_type type;
	int hook_nf, prio;
	bool policy_drop;
};
/* `type filter hook input priority 0` and `policy drop`; *ret_done = it was one of them. */
int parse_chain_spec(struct parser *p, struct chain_spec *spec, bool *ret_done);
/* Find or make the chain as spec says. */
int chain_resolve(struct parser *p, struct table *t, const char *name, const struct token *at,
		  const struct chain_spec *spec, struct chain **ret);
int chain_set_policy(struct parser *p, struct chain *c, const struct chain_spec *spec);
int chain_append(struct parser *p, struct chain *c, size_t index, struct rule *r); /* takes r */
struct chain *standard_chain(struct parser *p, enum family f, const char *table, const char *chain);

/* block.c */
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
