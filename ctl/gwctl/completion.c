/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion scripts, written from the verb table. */
#include <gwctl/gwctl.h>

#define GLOBALS "--socket --json --color --help --version"

static bool is_first_row(size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (!strcmp(verbs[i].noun, verbs[row].noun))
			return false;
	return true;
}

static void put_nouns(void)
{
	for (size_t i = 0; i < verbs_n; i++)
		if (is_first_row(i))
			printf("%s%s", i ? " " : "", verbs[i].noun);
}

/* Words of an argument text that can be typed as they stand: options, and the sides of `a|b`. */
static void put_literals(const char *args)
{
	while (*args) {
		size_t n = strspn(args, "[]{}|. ");
		bool choice = n && args[n - 1] == '|';

		args += n;
		n = strcspn(args, "[]{}|. ");
		choice = choice || args[n] == '|';
		if (n > 1 && ((args[0] == '-' && args[1] == '-') ||
			      (choice && args[0] >= 'a' && args[0] <= 'z')))
			printf(" %.*s", (int)n, args);
		args += n;
	}
}

static void put_verbs(const char *noun)
{
	for (size_t i = 0; i < verbs_n; i++)
		if (!strcmp(verbs[i].noun, noun) && verbs[i].verb)
			printf(" %s", verbs[i].verb);
}

static void put_match_words(const struct verb *v)
{
	if (strstr(v->args, "MATCH"))
		printf(" ip ip6 tcp udp icmp icmpv6 proto src dst reply-src reply-dst sport dport"
		       " reply-sport reply-dport state mark zone id assured replied unreplied snat"
		       " dnat nat rule nat-rule iif oif nat-addr icmp-type icmp-id");
}

static void put_dialect(const char *noun)
{
	if (!strcmp(noun, "conntrack"))
		printf(" --dump --get --delete --event --flush --count --stats --create --add"
		       " --update --timeout --orig-zone --reply-zone --resync --src --dst "
		       "--reply-src"
		       " --reply-dst --protonum --family --status --mark --zone --id --src-nat"
		       " --dst-nat --any-nat --event-mask --output --sport --dport --orig-port-src"
		       " --orig-port-dst --reply-port-src --reply-port-dst --state --icmp-type"
		       " --icmp-code --icmp-id");
}

/* noun -> verbs, for nouns alone the words of their arguments */
static void put_second_cases(void)
{
	for (size_t i = 0; i < verbs_n; i++) {
		const struct verb *alone = verb_find(verbs[i].noun, NULL);

		if (!is_first_row(i))
			continue;
		printf("\t%s) choices=\"", verbs[i].noun);
		put_verbs(verbs[i].noun);
		if (alone)
			put_literals(alone->args);
		put_dialect(verbs[i].noun);
		printf(" --help\" ;;\n");
	}
}

static void put_third_cases(void)
{
	for (size_t i = 0; i < verbs_n; i++) {
		if (!verbs[i].verb)
			continue;
		printf("\t\"%s %s\") choices=\"", verbs[i].noun, verbs[i].verb);
		put_literals(verbs[i].args);
		put_match_words(&verbs[i]);
		printf(" --help\"%s ;;\n", strstr(verbs[i].args, "FILE") ? "; files=1" : "");
	}
}

/* Both shells walk the words before the cursor the same way. */
static void put_body(const char *words, const char *count)
{
	printf("\tlocal noun= verb= choices= files= i\n"
	       "\tfor ((i = %s; i < %s; i++)); do\n"
	       "\t\tcase ${%s[i]} in\n"
	       "\t\t--socket | --color) ((i++)) ;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) if [[ -z $noun ]]; then noun=${%s[i]}; elif [[ -z $verb ]]; then "
	       "verb=${%s[i]}; fi ;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\tif [[ -z $noun ]]; then\n\t\tchoices=\"",
	       *words == 'C' ? "1" : "2", count, words, words, words);
	put_nouns();
	printf(" " GLOBALS "\"\n\telse\n\tcase $noun in\n");
	put_second_cases();
	printf("\tesac\n\tif [[ -n $verb ]]; then\n\tcase \"$noun $verb\" in\n");
	put_third_cases();
	printf("\tiptables-restore* | ip6tables-restore*) files=1 ;;\n\tesac\n\tfi\n\tfi\n");
}

static void put_bash(void)
{
	puts("# gwctl: completion for bash, written by `gwctl completion bash`\n"
	     "_gwctl()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}");
	put_body("COMP_WORDS", "COMP_CWORD");
	puts("\tcase $prev in\n"
	     "\t--socket) files=1 choices= ;;\n"
	     "\t--color) choices=\"auto always never\" ;;\n"
	     "\tesac\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$cur\")\n"
	     "\tif [[ -n $files ]]; then\n"
	     "\t\tlocal -a found\n"
	     "\t\tmapfile -t found < <(compgen -f -- \"$cur\")\n"
	     "\t\tCOMPREPLY+=(\"${found[@]}\")\n"
	     "\tfi\n"
	     "}\n"
	     "complete -o filenames -F _gwctl gwctl");
}

static void put_zsh(void)
{
	puts("#compdef gwctl\n"
	     "# gwctl: completion for zsh, written by `gwctl completion zsh`\n"
	     "_gwctl()\n{\n\tlocal prev=${words[CURRENT-1]}\n\tlocal -a typed=(\"${words[@]}\")");
	/* $words is zsh's own array of what was typed */
	put_body("typed", "CURRENT");
	puts("\tcase $prev in\n"
	     "\t--socket) files=1 choices= ;;\n"
	     "\t--color) choices=\"auto always never\" ;;\n"
	     "\tesac\n"
	     "\tcompadd -- ${=choices}\n"
	     "\t[[ -n $files ]] && _files\n"
	     "}\n"
	     "_gwctl \"$@\"");
}

int verb_completion(struct gwctl *g, int argc, char **argv)
{
	if (!strcmp(argv[0], "bash"))
		put_bash();
	else if (!strcmp(argv[0], "zsh"))
		put_zsh();
	else
		return usage_error("completion for bash or zsh, not `%s'", argv[0]);
	return EXIT_OK;
}
