/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is, from the verb table. */
#include <gwctl/gwctl.h>
#include <show/match.h>

const struct verb *verb_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < verbs_n; i++) {
		if (strcmp(verbs[i].noun, noun))
			continue;
		if (verb ? verbs[i].verb && !strcmp(verbs[i].verb, verb) : !verbs[i].verb)
			return &verbs[i];
	}
	return NULL;
}

bool noun_exists(const char *noun)
{
	for (size_t i = 0; i < verbs_n; i++)
		if (!strcmp(verbs[i].noun, noun))
			return true;
	return false;
}

static void print_command(FILE *out, const struct verb *v)
{
	fprintf(out, "  %s%s%s%s%s\n", v->noun, v->verb ? " " : "", v->verb ? v->verb : "",
		*v->args ? " " : "", v->args);
	fprintf(out, "        %s\n", v->help);
}

void help_verb(FILE *out, const struct verb *v)
{
	print_command(out, v);
	if (!strcmp(v->noun, "flow") && strstr(v->args, "MATCH"))
		fprintf(out, "%s", match_help);
}

void help_noun(FILE *out, const char *noun)
{
	for (size_t i = 0; i < verbs_n; i++)
		if (!strcmp(verbs[i].noun, noun))
			print_command(out, &verbs[i]);
	if (!strcmp(noun, "flow"))
		fprintf(out, "%s", match_help);
}

void help_all(FILE *out)
{
	fputs("Usage: gwctl [OPTIONS] COMMAND ...\n\n", out);
	for (size_t i = 0; i < verbs_n; i++)
		print_command(out, &verbs[i]);
	fputs("\n"
	      "Options:\n"
	      "  --socket PATH              gwd's socket (or in the environment: GWCTL_SOCKET)\n"
	      "  -j, --json                 print JSON\n"
	      "  --color auto|always|never  colours; auto: on a terminal\n"
	      "  -h, --help                 this text, or that of one command\n"
	      "  -V, --version\n"
	      "\n"
	      "FAMILY is inet, ip or ip6, and inet when left out.  Exit code: 0 done, 1 refused "
	      "or\n"
	      "failed, 2 the command line is wrong.\n",
	      out);
}

/* For checks and completions: noun, verb, arguments, separated by tabs. */
static void print_rows(void)
{
	for (size_t i = 0; i < verbs_n; i++)
		printf("%s\t%s\t%s\n", verbs[i].noun, verbs[i].verb ? verbs[i].verb : "",
		       verbs[i].args);
}

int verb_help(struct gwctl *g, int argc, char **argv)
{
	if (argc && !strcmp(argv[0], "--rows"))
		print_rows();
	else if (!argc)
		help_all(stdout);
	else if (noun_exists(argv[0]))
		help_noun(stdout, argv[0]);
	else
		return usage_error("unknown command `%s'; see gwctl --help", argv[0]);
	return EXIT_OK;
}

int verb_version(struct gwctl *g, int argc, char **argv)
{
	if (g->json)
		puts("{\"version\": \"" GW_VERSION "\"}");
	else
		puts("gwctl " GW_VERSION);
	return EXIT_OK;
}
