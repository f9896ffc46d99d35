/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "bench.h"
#include "util.h"

struct options {
	const char *phases; /* comma separated */
	const char *only;
	const char *output, *json;
	const char *bin;
	bool smoke, strict;
	int rounds; /* 0 = each phase's own */
};

static const char usage[] =
	"usage: bench [--smoke] [--phase p1,p2,p4,p7] [--only ENGINE] [--rounds N]\n"
	"             [--bin-dir DIR] [--output FILE] [--json FILE] [--strict]\n";

static void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "smoke", no_argument, NULL, 's' },
		{ "phase", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'e' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "bin-dir", required_argument, NULL, 'b' },
		{ "output", required_argument, NULL, 'o' },
		{ "json", required_argument, NULL, 'j' },
		{ "strict", no_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			o->smoke = true;
		else if (c == 'p')
			o->phases = optarg;
		else if (c == 'e' && engine_find(optarg))
			o->only = optarg;
		else if (c == 'r')
			o->rounds = atoi(optarg);
		else if (c == 'b')
			o->bin = optarg;
		else if (c == 'o')
			o->output = optarg;
		else if (c == 'j')
			o->json = optarg;
		else if (c == 'S')
			o->strict = true;
		else
			die("bad option\n%s", usage);
	}
	if (optind < argc)
		die("bad argument %s\n%s", argv[optind], usage);
}

static bool wanted(const struct options *o, const char *phase)
{
	return !o->phases || strstr(o->phases, phase);
}

static void phases_run(struct bench *b, const struct options *o)
{
	int n = o->rounds;

	if (wanted(o, "p1"))
		phase_established(b, FLOWS_FEW, o->smoke ? 1 : 3,
				  n
					  ?: o->smoke ? 2
						      : 9,
				  o->smoke ? 8192 : 65536);
	if (wanted(o, "p2") && !o->smoke) {
		phase_established(b, FLOWS_MANY, 2, n ?: 5, 131072);
		phase_established(b, FLOWS_HUGE, 1, n ?: 5, 262144);
		phase_established(b, FLOWS_MOST, 1, n ?: 3, 262144);
	}
	if (wanted(o, "p4"))
		phase_new(b, n ?: o->smoke ? 1 : 9, o->smoke ? 5000 : 50000);
	if (wanted(o, "p7"))
		phase_flood(b, n ?: o->smoke ? 1 : 5);
}

static void report_to(const struct bench *b, const char *path,
		      void (*report)(const struct bench *b, FILE *out))
{
	FILE *out = path ? fopen(path, "w") : stdout;

	if (!out)
		die("cannot write %s: %s", path, strerror(errno));
	report(b, out);
	if (path)
		fclose(out);
}

int main(int argc, char **argv)
{
	struct options o = { .bin = "." };
	struct bench *b = calloc(1, sizeof(*b));
	char gwd[400], gwctl[400];
	bool good;

	options_parse(&o, argc, argv);
	if (!b)
		die("out of memory");
	world_isolate();
	gun_open(&b->gun);
	snprintf(gwd, sizeof(gwd), "%s/gwd", o.bin);
	snprintf(gwctl, sizeof(gwctl), "%s/gwctl", o.bin);
	b->env = (struct world_env){
		.traffic = b->gun.traffic, .gwd = gwd, .gwctl = gwctl, .cpu = b->gun.cpu
	};
	b->smoke = o.smoke;
	b->only = o.only;
	b->seed = time(NULL);
	b->fresh = 1U << 22; /* behind all established flows */
	phases_run(b, &o);
	report_to(b, o.output, report_markdown);
	if (o.json)
		report_to(b, o.json, report_json);
	gun_close(&b->gun);
	good = !report_defects(b) && (!o.strict || report_goals_met(b));
	free(b);
	return !good;
}
