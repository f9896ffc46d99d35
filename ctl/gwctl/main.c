/* SPDX-License-Identifier: GPL-2.0-only */
/* gwctl: global options, then noun and verb. */
#include <gwctl/gwctl.h>

#define SOCKET_DEFAULT "/run/gatewarden/control.sock"

static int parse_color(struct gwctl *g, const char *value)
{
	if (!strcmp(value, "always"))
		g->color = true;
	else if (!strcmp(value, "never"))
		g->color = false;
	else if (strcmp(value, "auto"))
		return usage_error("--color takes auto, always or never, not `%s'", value);
	return EXIT_OK;
}

/* `--name=VALUE` or `--name VALUE`; NULL when argv[*i] is not that option, "" when the value is missing */
static const char *option_value(int argc, char **argv, int *i, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(argv[*i], name, len))
		return NULL;
	if (argv[*i][len] == '=')
		return argv[*i] + len + 1;
	if (argv[*i][len])
		return NULL;
	return *i + 1 < argc ? argv[++*i] : "";
}

static int global_option(struct gwctl *g, int argc, char **argv, int *i)
{
	const char *value;

	if (!strcmp(argv[*i], "-j") || !strcmp(argv[*i], "--json")) {
		g->json = true;
		return EXIT_OK;
	}
	value = option_value(argc, argv, i, "--socket");
	if (value) {
		g->socket = value;
		return *value ? EXIT_OK : usage_error("--socket needs a path");
	}
	value = option_value(argc, argv, i, "--color");
	if (value)
		return parse_color(g, value);
	return usage_error("unknown option `%s'; see gwctl --help", argv[*i]);
}

static bool is_help(const char *word)
{
	return !strcmp(word, "-h") || !strcmp(word, "--help");
}

static int bad_verb(const char *noun, const char *verb)
{
	if (!noun_exists(noun))
		return usage_error("unknown command `%s'; see gwctl --help", noun);
	if (!verb)
		usage_error("`%s' needs a verb:", noun);
	else
		usage_error("`%s' has no verb `%s':", noun, verb);
	help_noun(stderr, noun);
	return EXIT_USAGE;
}

static int run_verb(struct gwctl *g, const struct verb *v, int argc, char **argv)
{
	if (v->class != VERB_DIALECT) {
		/* rules may hold any word, but none of these */
		if (argc && is_help(argv[argc - 1])) {
			help_verb(stdout, v);
			return EXIT_OK;
		}
		g->json |= take_flag(&argc, argv, "--json") || take_flag(&argc, argv, "-j");
	}
	if (argc < v->min || argc > v->max)
		return usage_error("usage: gwctl %s%s%s%s%s", v->noun, v->verb ? " " : "",
				   v->verb ? v->verb : "", *v->args ? " " : "", v->args);
	return v->run(g, argc, argv);
}

static int dispatch(struct gwctl *g, int argc, char **argv)
{
	const struct verb *v = argc > 1 ? verb_find(argv[0], argv[1]) : NULL;

	if (argc > 1 && is_help(argv[1]) && noun_exists(argv[0])) {
		v = verb_find(argv[0], NULL);
		if (!v || v->class != VERB_DIALECT) {
			help_noun(stdout, argv[0]);
			return EXIT_OK;
		}
	}
	if (v && v->verb)
		return run_verb(g, v, argc - 2, argv + 2);
	v = verb_find(argv[0], NULL);
	if (!v)
		return bad_verb(argv[0], argc > 1 ? argv[1] : NULL);
	return run_verb(g, v, argc - 1, argv + 1);
}

/* A full disk or a closed pipe is not success. */
static int flush_output(int code)
{
	if (fflush(stdout) || ferror(stdout))
		return code ? code : refuse("cannot write the output: %s", strerror(errno));
	return code;
}

int main(int argc, char **argv)
{
	const char *env = getenv("GWCTL_SOCKET");
	struct gwctl g = { .socket = env && *env ? env : SOCKET_DEFAULT,
			   .color = isatty(STDOUT_FILENO) };
	int i, r;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (is_help(argv[i])) {
			help_all(stdout);
			return flush_output(EXIT_OK);
		}
		if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version"))
			return flush_output(verb_version(&g, 0, argv));
		r = global_option(&g, argc, argv, &i);
		if (r)
			return r;
	}
	if (i >= argc) {
		help_all(stderr);
		return EXIT_USAGE;
	}
	r = dispatch(&g, argc - i, argv + i);
	client_close(g.client);
	return flush_output(r);
}
