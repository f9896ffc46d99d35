/* SPDX-License-Identifier: GPL-2.0-only */
#include <getopt.h>
#include <gwd/options.h>
#include <gwd/say.h>

#define CONFIG_MAX (1U << 20)

enum {
	OPT_CONFIG = 256,
	OPT_RULESET,
	OPT_RUNTIME,
	OPT_PIN,
	OPT_INTERFACE,
	OPT_SET,
	OPT_CHECK,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "ruleset", required_argument, NULL, OPT_RULESET },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME },
	{ "pin-dir", required_argument, NULL, OPT_PIN },
	{ "interface", required_argument, NULL, OPT_INTERFACE },
	{ "set", required_argument, NULL, OPT_SET },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static const char usage[] =
	"gwd - the daemon of Gatewarden, a firewall and NAT gateway in eBPF\n"
	"\n"
	"usage: gwd [OPTION...]\n"
	"  --config FILE          settings, `key = value` (/etc/gatewarden/gwd.conf)\n"
	"  --ruleset FILE         the rules (/etc/gatewarden/ruleset.nft)\n"
	"  --runtime-dir DIR      control socket, lock, state (/run/gatewarden)\n"
	"  --pin-dir DIR          pinned maps and programs, a bpffs (/sys/fs/bpf/gatewarden)\n"
	"  --interface NAME,...   manage these interfaces; may be given again; names or patterns\n"
	"  --set KEY=VALUE        one setting; may be given again\n"
	"  --check                read settings and rules, say what is wrong, change nothing\n"
	"  -v, --verbose          log.level=debug\n"
	"  --version, --help\n"
	"\n"
	"gwd stays in the foreground.  TERM and INT end it and leave traffic flowing; HUP reads "
	"the rules\n"
	"again.  `gwctl off` takes everything down.\n"
	"\n"
	"settings:\n";

static void print_help(void)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };

	settings_help(&b);
	printf("%s%s", usage, b.s ? b.s : "");
}

static int say(const struct diag *d)
{
	say_diag(d);
	return OPTIONS_E_DIAG;
}

/* NAME[,NAME...] joins what earlier options named. */
static int add_interface(struct settings *cfg, const char *names, bool *given, struct diag *d)
{
	char all[2 * sizeof(cfg->interfaces)];

	snprintf(all, sizeof(all), "%s%s%.1000s", *given ? cfg->interfaces : "", *given ? "," : "",
		 names);
	*given = true;
	return settings_set(cfg, "interfaces", all, d);
}

static int set_one(struct settings *cfg, const char *text, struct diag *d)
{
	_cleanup_(freep) char *key = strdup(text);
	char *equals = key ? strchr(key, '=') : NULL;

	if (!equals) {
		diag_set(d, "--set takes KEY=VALUE, not `%s`", text);
		return SETTINGS_E_DIAG;
	}
	*equals = '\0';
	return settings_set(cfg, key, equals + 1, d);
}

/* First pass: where the files are and what else is asked. */
static int read_paths(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			o->path.config = optarg;
			o->path.config_given = true;
			break;
		case OPT_RULESET:
			o->path.ruleset = optarg;
			o->path.ruleset_given = true;
			break;
		case OPT_RUNTIME:
			o->path.runtime_dir = optarg;
			break;
		case OPT_PIN:
			o->path.pin_dir = optarg;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_VERSION:
			printf("gwd %s\n", GW_VERSION);
			return OPTIONS_E_DONE;
		case 'h':
		case OPT_HELP:
			print_help();
			return OPTIONS_E_DONE;
		case '?':
			return OPTIONS_E_USAGE; /* getopt said it */
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "gwd: `%s` is no option (see gwd --help)\n", argv[optind]);
	return OPTIONS_E_USAGE;
}

/* Second pass, over the configuration file: the settings of the command line, in their order. */
static int read_settings(int argc, char **argv, struct options *o)
{
	bool interface_given = false;
	struct diag d = { 0 };
	int c, r = 0;

	optind = 0; /* glibc: start anew */
	while (!r && (c = getopt_long(argc, argv, "vh", long_options, NULL)) != -1) {
		if (c == OPT_INTERFACE)
			r = add_interface(&o->cfg, optarg, &interface_given, &d);
		else if (c == OPT_SET)
			r = set_one(&o->cfg, optarg, &d);
		else if (c == 'v')
			r = settings_set(&o->cfg, "log.level", "debug", &d);
	}
	return r ? say(&d) : 0;
}

static int read_config(struct options *o)
{
	_cleanup_(freep) char *text = NULL;
	struct diag d = { 0 };
	size_t len;
	int r = file_read(o->path.config, CONFIG_MAX, &text, &len);

	if (r == -ENOENT && !o->path.config_given)
		return 0;
	if (r < 0)
		diag_set(&d, "cannot read %s: %s", o->path.config, strerror(-r));
	else if (strlen(text) != len)
		diag_set(&d, "%s holds a NUL byte", o->path.config);
	else if (!settings_parse(&o->cfg, o->path.config, text, &d))
		return 0;
	return say(&d);
}

int options_read(int argc, char **argv, struct options *ret)
{
	struct options o = { .path = { .config = "/etc/gatewarden/gwd.conf",
				       .ruleset = "/etc/gatewarden/ruleset.nft",
				       .runtime_dir = "/run/gatewarden",
				       .pin_dir = "/sys/fs/bpf/gatewarden" } };
	int r = read_paths(argc, argv, &o);

	if (r)
		return r;
	settings_init(&o.cfg);
	r = read_config(&o);
	if (!r)
		r = read_settings(argc, argv, &o);
	if (!r)
		*ret = o;
	return r;
}
