/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPTABLES_ARGS_H
#define IPTABLES_ARGS_H
/*
 * args - words of a command line as getopt_long reads them: clusters of short options, --long, --lo (unique beginnings),
 * --long=value; and text split into words as iptables-restore does.
 */
#include <base/base.h>
#include <base/diag.h>

struct args {
	int argc;
	char **argv;
	int at;
	const char *cluster; /* the rest of "-nvL" */
};
enum { ARG_NONE, ARG_REQUIRED, ARG_OPTIONAL, ARG_TWO };
struct arg_option {
	const char *name;
	char key; /* short form, or an id below ' ' */
	int arg;  /* ARG_* */
};

enum arg_kind { ARG_END, ARG_BANG, ARG_WORD, ARG_SHORT, ARG_LONG };
struct arg_token {
	enum arg_kind kind;
	char text[64];	  /* as typed, for messages: "--dport", "-s" */
	const char *word; /* ARG_WORD; ARG_LONG: the name, name_len characters */
	size_t name_len;
	char key;	   /* ARG_SHORT */
	const char *value; /* attached: "--name=value", "-svalue" */
};

void args_next(struct args *a, struct arg_token *t);
/* The value of an option: attached or the next word; NULL if there is none. */
const char *args_value(struct args *a, const struct arg_token *t);
/* The same if it may be left out: the next word counts only if it can not be an option. */
const char *args_optional(struct args *a, const struct arg_token *t);
/* Does the long name in t name this option?  0 no, 1 a beginning of it, 2 all of it. */
int arg_fits(const struct arg_token *t, const char *name);

#define WORDS_MAX 255
struct words {
	char *text; /* owns the characters */
	char *v[WORDS_MAX + 1];
	int n;
};
/* Double quotes group, backslash escapes inside of them.  -ENOMEM, 1 = malformed (*d says how). */
int words_split(const char *text, size_t len, struct words *ret, struct diag *d);
void words_deinit(struct words *w);
#endif
