/* SPDX-License-Identifier: GPL-2.0-only */
/* A command line back into one line of the ruleset language.  The shell took the quotes away. */
#include <gwctl/gwctl.h>
#include <model/model.h>

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

/* Quote each name inside a word like `{lan0,lan*}`; braces, commas and operators stay bare. */
static void put_names(const char *word, struct strbuf *b)
{
	while (*word) {
		size_t n = strcspn(word, "{},!=\"");

		if (n) {
			strbuf_puts(b, "\"");
			strbuf_add(b, word, n);
			strbuf_puts(b, "\"");
			word += n;
			continue;
		}
		strbuf_add(b, word++, 1);
	}
}

struct joiner {
	bool names;   /* what follows are interface names, until one was seen outside braces */
	bool set;     /* inside the braces of such a list */
	bool comment; /* what follows is one string */
};

static void put_comment(const char *word, struct strbuf *b)
{
	strbuf_puts(b, "\"");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			strbuf_puts(b, "\\");
		strbuf_add(b, word, 1);
	}
	strbuf_puts(b, "\"");
}

static bool is_separator(const char *word)
{
	return word[strspn(word, "{},!=")] == '\0';
}

static void put_word(struct joiner *j, const char *word, struct strbuf *b)
{
	static const char *const name_words[] = { "iifname", "oifname", "iif", "oif", NULL };

	if (j->comment && word[0] != '"') {
		j->comment = false;
		put_comment(word, b);
		return;
	}
	j->comment = !strcmp(word, "comment");
	if (!j->names || strpbrk(word, "\" \t")) {
		/* already quoted, or several words in one: as they are */
		j->names = is_one_of(word, name_words);
		strbuf_puts(b, word);
		return;
	}
	put_names(word, b);
	if (strchr(word, '{'))
		j->set = true;
	if (strchr(word, '}'))
		j->set = j->names = false;
	else if (!j->set && !is_separator(word))
		j->names = false;
}

void words_join(int argc, char **argv, struct strbuf *b)
{
	struct joiner j = { 0 };

	for (int i = 0; i < argc; i++) {
		if (b->len)
			strbuf_puts(b, " ");
		put_word(&j, argv[i], b);
	}
}

const char *words_family(int argc, char **argv, int *ret_used)
{
	for (int f = FAMILY_INET; f <= FAMILY_IP6; f++)
		if (argc && !strcmp(argv[0], family_name(f))) {
			*ret_used = 1;
			return family_name(f);
		}
	*ret_used = 0;
	return family_name(FAMILY_INET);
}
