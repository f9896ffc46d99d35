/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GWCTL_GWCTL_H
#define GWCTL_GWCTL_H
/*
 * gwctl - the command line.  It never touches the kernel: verbs talk to gwd's socket, or work on text alone.
 *
 * A verb is one row of verbs.c and one function; the row drives dispatch, usage, `--help`, completion and the check
 * that the manual page knows it.  A verb returns gwctl's exit code.
 */
#include <base/diag.h>
#include <gwctl/client.h>

enum { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct gwctl {
	const char *socket;
	bool json;
	bool color;	       /* stdout is a terminal, or --color always */
	struct client *client; /* connected on first use */
};

enum verb_class {
	VERB_LOCAL, /* works without gwd */
	VERB_READ,
	VERB_WRITE,
	VERB_DIALECT, /* all words behind the noun belong to another program's command line */
};
#define ANY 65535
struct verb {
	const char *noun;
	const char *verb; /* NULL: the noun alone */
	const char *args;
	const char *help;
	int min, max; /* words behind the verb */
	enum verb_class class;
	int (*run)(struct gwctl *g, int argc, char **argv); /* argv without noun and verb */
};
extern const struct verb verbs[];
extern const size_t verbs_n;

/* One line on stderr that says what to do; returns EXIT_USAGE / EXIT_REFUSED. */
int usage_error(const char *fmt, ...) _printf_(1, 2);
int refuse(const char *fmt, ...) _printf_(1, 2);
/* A diag on stderr, with its caret. */
int refuse_diag(const struct diag *d);

/*
 * One request to gwd.  `request` is taken.  EXIT_OK: *ret holds the answer (the caller deinits it, also after an error).
 * Anything else: said on stderr already, return it.
 */
int gwctl_call(struct gwctl *g, json_t *request, struct reply *ret);
int gwctl_stream(struct gwctl *g, json_t *request, const struct flow_sink *sink, struct reply *ret);
int gwctl_connect(struct gwctl *g);
/* Say what gwd refused. */
int gwctl_report(const struct reply *reply);
/* Request, then print its text or JSON as it is. */
int gwctl_print(struct gwctl *g, json_t *request);
int print_json(const json_t *value);

/* Take `name` out of the words (anywhere); has it been there? */
bool take_flag(int *argc, char **argv, const char *name);
/* Take `name VALUE` or `name=VALUE` out; *ret stays as it is when absent.  EXIT_USAGE: no value. */
int take_value(int *argc, char **argv, const char *name, const char **ret);
/* The first word left that looks like an option is a mistake. */
int reject_options(int argc, char **argv);

/* FILE or "-" for stdin; the caller frees *ret_text. */
#define INPUT_MAX (48U << 20) /* JSON escapes it once more, and a request holds 64 MB */
int read_input(const char *path, char **ret_text, size_t *ret_len);

/* Words of the shell back into one line of the ruleset language: names and comments get their quotes again. */
void words_join(int argc, char **argv, struct strbuf *b);
/* [FAMILY]: "inet" when argv[0] is none; *ret_used = 0 or 1 */
const char *words_family(int argc, char **argv, int *ret_used);

/* Send one command of the ruleset language. */
int apply_line(struct gwctl *g, const char *line);
/* "COMMAND FAMILY " and then the words. */
int apply_words(struct gwctl *g, const char *command, int argc, char **argv);
/* The line about what a transaction changed, or its JSON. */
int print_changes(struct gwctl *g, const json_t *json, bool check);
/* One rule of the dialect without the others: an exit code, or what is left to do.  SINGLE_NONE: *ret_empty has the chain without the rule. */
enum { SINGLE_OTHER = -2, SINGLE_NONE = -3 };
struct ruleset;
int iptables_run_single(struct gwctl *g, int version, int argc, char **argv, struct strbuf *out,
			struct ruleset **ret_empty);
json_t *apply_request(const char *file, const char *text, size_t len);

const struct verb *verb_find(const char *noun, const char *verb);
bool noun_exists(const char *noun);
void help_all(FILE *out);
void help_noun(FILE *out, const char *noun);
void help_verb(FILE *out, const struct verb *v);

int verb_status(struct gwctl *g, int argc, char **argv);
int verb_rule_add(struct gwctl *g, int argc, char **argv);
int verb_rule_insert(struct gwctl *g, int argc, char **argv);
int verb_rule_replace(struct gwctl *g, int argc, char **argv);
int verb_rule_delete(struct gwctl *g, int argc, char **argv);
int verb_rule_list(struct gwctl *g, int argc, char **argv);
int verb_chain_add(struct gwctl *g, int argc, char **argv);
int verb_chain_delete(struct gwctl *g, int argc, char **argv);
int verb_chain_policy(struct gwctl *g, int argc, char **argv);
int verb_chain_flush(struct gwctl *g, int argc, char **argv);
int verb_table_add(struct gwctl *g, int argc, char **argv);
int verb_table_delete(struct gwctl *g, int argc, char **argv);
int verb_table_flush(struct gwctl *g, int argc, char **argv);
int verb_set_add(struct gwctl *g, int argc, char **argv);
int verb_set_delete(struct gwctl *g, int argc, char **argv);
int verb_set_flush(struct gwctl *g, int argc, char **argv);
int verb_map_add(struct gwctl *g, int argc, char **argv);
int verb_map_delete(struct gwctl *g, int argc, char **argv);
int verb_map_flush(struct gwctl *g, int argc, char **argv);
int verb_element_add(struct gwctl *g, int argc, char **argv);
int verb_element_delete(struct gwctl *g, int argc, char **argv);
int verb_list(struct gwctl *g, int argc, char **argv);
int verb_ruleset_apply(struct gwctl *g, int argc, char **argv);
int verb_ruleset_check(struct gwctl *g, int argc, char **argv);
int verb_ruleset_show(struct gwctl *g, int argc, char **argv);
int verb_ruleset_save(struct gwctl *g, int argc, char **argv);
int verb_ruleset_flush(struct gwctl *g, int argc, char **argv);
int verb_ruleset_diff(struct gwctl *g, int argc, char **argv);
int verb_import(struct gwctl *g, int argc, char **argv);
int verb_conntrack(struct gwctl *g, int argc, char **argv);
int verb_flow_list(struct gwctl *g, int argc, char **argv);
int verb_flow_watch(struct gwctl *g, int argc, char **argv);
int verb_flow_delete(struct gwctl *g, int argc, char **argv);
int verb_flow_flush(struct gwctl *g, int argc, char **argv);
int verb_flow_count(struct gwctl *g, int argc, char **argv);
int verb_iptables(struct gwctl *g, int argc, char **argv);
int verb_ip6tables(struct gwctl *g, int argc, char **argv);
int verb_iptables_save(struct gwctl *g, int argc, char **argv);
int verb_ip6tables_save(struct gwctl *g, int argc, char **argv);
int verb_iptables_restore(struct gwctl *g, int argc, char **argv);
int verb_ip6tables_restore(struct gwctl *g, int argc, char **argv);
int verb_stats(struct gwctl *g, int argc, char **argv);
int verb_log_watch(struct gwctl *g, int argc, char **argv);
int verb_rule_stats(struct gwctl *g, int argc, char **argv);
int verb_drops(struct gwctl *g, int argc, char **argv);
int verb_drops_watch(struct gwctl *g, int argc, char **argv);
int verb_get(struct gwctl *g, int argc, char **argv);
int verb_set(struct gwctl *g, int argc, char **argv);
int verb_zero(struct gwctl *g, int argc, char **argv);
int verb_reload(struct gwctl *g, int argc, char **argv);
int verb_off(struct gwctl *g, int argc, char **argv);
int verb_wait(struct gwctl *g, int argc, char **argv);
int verb_help(struct gwctl *g, int argc, char **argv);
int verb_completion(struct gwctl *g, int argc, char **argv);
int verb_version(struct gwctl *g, int argc, char **argv);

#endif
