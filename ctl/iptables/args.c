/* SPDX-License-Identifier: GPL-2.0-only */
#include <iptables/args.h>

static void token_short(struct args *a, struct arg_token *t)
{
	t->kind = ARG_SHORT;
	t->key = *a->cluster++;
	snprintf(t->text, sizeof(t->text), "-%c", t->key);
	t->value = *a->cluster ? a->cluster : NULL;
}

static void token_long(const char *arg, struct arg_token *t)
{
	t->kind = ARG_LONG;
	t->word = arg + 2;
	t->name_len = strcspn(t->word, "=");
	if (t->word[t->name_len])
		t->value = t->word + t->name_len + 1;
	snprintf(t->text, sizeof(t->text), "--%.*s", (int)MIN(t->name_len, 60U), t->word);
}

void args_next(struct args *a, struct arg_token *t)
{
	const char *arg;

	*t = (struct arg_token){ .kind = ARG_END };
	if (a->cluster && *a->cluster) {
		token_short(a, t);
		return;
	}
	a->cluster = NULL;
	if (a->at >= a->argc)
		return;
	arg = a->argv[a->at++];
	if (!strcmp(arg, "!")) {
		t->kind = ARG_BANG;
	} else if (arg[0] == '-' && arg[1] == '-' && arg[2]) {
		token_long(arg, t);
	} else if (arg[0] == '-' && arg[1] && arg[1] != '-') {
		a->cluster = arg + 1;
		token_short(a, t);
	} else {
		t->kind = ARG_WORD;
		t->word = arg;
	}
}

const char *args_value(struct args *a, const struct arg_token *t)
{
	a->cluster = NULL;
	if (t->value)
		return t->value;
	return a->at < a->argc ? a->argv[a->at++] : NULL;
}

const char *args_optional(struct args *a, const struct arg_token *t)
{
	const char *next;

	if (t->value) {
		a->cluster = NULL;
		return t->value;
	}
	next = a->at < a->argc ? a->argv[a->at] : NULL;
	if (!next || next[0] == '-' || next[0] == '!')
		return NULL;
	a->at++;
	return next;
}

int arg_fits(const struct arg_token *t, const char *name)
{
	if (!t->name_len || strncmp(name, t->word, t->name_len))
		return 0;
	return name[t->name_len] ? 1 : 2;
}

struct splitter {
	const char *s, *end;
	char *out;
};

/* One word; false: a quote is not closed. */
static bool split_word(struct splitter *p)
{
	bool quoted = false;

	for (; p->s < p->end; p->s++) {
		char c = *p->s;

		if (!quoted && strchr(" \t\n\r", c))
			break;
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && c == '\\' && p->s + 1 < p->end)
			c = *++p->s;
		*p->out++ = c;
	}
	*p->out++ = '\0';
	return !quoted;
}

int words_split(const char *text, size_t len, struct words *ret, struct diag *d)
{
	struct words w = { .text = malloc(len + 2) };
	struct splitter p = { text, text + len, w.text };
	const char *wrong = memchr(text, '\0', len) ? "a NUL character in the line" : NULL;

	if (!w.text)
		return -ENOMEM;
	while (!wrong) {
		while (p.s < p.end && strchr(" \t\n\r", *p.s))
			p.s++;
		if (p.s == p.end)
			break;
		if (w.n == WORDS_MAX) {
			wrong = "too many words in one line";
			break;
		}
		w.v[w.n++] = p.out;
		if (!split_word(&p))
			wrong = "a quote is not closed";
	}
	if (wrong) {
		diag_set(d, "%s", wrong);
		words_deinit(&w);
		return 1;
	}
	*ret = w;
	return 0;
}

void words_deinit(struct words *w)
{
	free(w->text);
	*w = (struct words){};
}
