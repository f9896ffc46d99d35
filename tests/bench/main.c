/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
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
	const char *self; /* the folder of this program */
	bool smoke, strict;
	int rounds; /* 0 = each phase's own */
};

static const char usage[] =
	"usage: bench [--smoke] [--phase p1,p2,p4,p5,p6,p7] [--only ENGINE] [--rounds N]\n"
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

/* Phases that take minutes run when they are asked for. */
static bool asked(const struct options *o, const char *phase)
{
	return o->phases && strstr(o->phases, phase);
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
	if (o->smoke ? wanted(o, "p5") : asked(o, "p5"))
		phase_rules(b, n ?: o->smoke ? 1 : 7);
	if (o->smoke ? wanted(o, "p6") : asked(o, "p6"))
		phase_load(b, n ?: o->smoke ? 1 : 5);
}

static FILE *file_write(const char *path)
{
	FILE *out = path ? fopen(path, "w") : stdout;

	if (!out)
		die("cannot write %s: %s", path, strerror(errno));
	return out;
}

static void reports_write(const struct bench *b, const struct options *o)
{
	char *old = o->output ? text_read(o->output) : NULL;
	FILE *out = file_write(o->output);

	report_markdown(b, old, out);
	if (o->output)
		fclose(out);
	free(old);
	if (!o->json)
		return;
	out = file_write(o->json);
	report_json(b, out);
	fclose(out);
}

/* The classifier's own benchmark is a program beside this one; it measures in processes of its own. */
static void classify_run(struct bench *b, const struct options *o)
{
	static const char path[] = "/run/classify.txt";
	char program[400], rounds[16];
	char *vars[] = { program, rounds, NULL };

	if (o->smoke || !asked(o, "p5") || o->only)
		return;
	say("P5: the classifier alone");
	snprintf(program, sizeof(program), "C=%s/classify/classify", o->self);
	snprintf(rounds, sizeof(rounds), "R=%d", o->rounds > 5 || !o->rounds ? 3 : o->rounds);
	if (sh_run("$C --raw --rounds $R >/run/classify.txt", vars))
		die("the classifier's benchmark failed");
	b->classify = text_read(path);
}

int main(int argc, char **argv)
{
	struct options o = { .bin = "." };
	struct bench *b = calloc(1, sizeof(*b));
	char gwd[400], gwctl[400];
	bool good;

	options_parse(&o, argc, argv);
	o.self = dirname(argv[0]);
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
	classify_run(b, &o);
	reports_write(b, &o);
	gun_close(&b->gun);
	good = !report_defects(b) && (!o.strict || report_goals_met(b));
	free(b);
	return !good;
}
