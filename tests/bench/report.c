/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "report.h"
#include "util.h"

#define BASELINE "iptables"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double doubles_quantile(const double *values, int n, double q)
{
	double sorted[ROUNDS_MAX];

	if (!n)
		return NAN;
	memcpy(sorted, values, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), by_value);
	return sorted[(int)(q * (n - 1) + 0.5)];
}

/* The @q quantile (0..1) of the samples, floor included. */
static double series_quantile(const struct series *s, double q)
{
	return doubles_quantile(s->cpu, s->rounds, q);
}

static const struct series *series_find(const struct table *t, const char *engine, int lanes,
					bool listen)
{
	int i;

	for (i = 0; i < t->count; i++) {
		const struct series *s = &t->series[i];

		if (!strcmp(s->c.engine, engine) && (!lanes || s->c.lanes == lanes) &&
		    s->c.listen == listen && !s->missing)
			return s;
	}
	return NULL;
}

static double table_floor(const struct table *t, int lanes)
{
	const struct series *s = series_find(t, "floor", lanes, false);

	return s ? series_quantile(s, 0.5) : 0;
}

double series_cost(const struct table *t, const struct series *s, double q)
{
	return s ? series_quantile(s, q) - table_floor(t, s->c.lanes) : NAN;
}

static double engine_cost(const struct table *t, const char *engine, bool listen)
{
	return t ? series_cost(t, series_find(t, engine, 0, listen), 0.5) : NAN;
}

double percent(unsigned long long part, unsigned long long whole)
{
	return whole ? 100.0 * part / whole : 0;
}

static void series_name(const struct series *s, char *ret, size_t size)
{
	char lanes[24] = "";

	if (s->c.lanes > 1)
		snprintf(lanes, sizeof(lanes), ", %d routers", s->c.lanes);
	snprintf(ret, size, "%s%s%s", s->c.engine, s->c.listen ? " + event reader" : "", lanes);
}

static void row_print(const struct table *t, const struct series *s, FILE *out)
{
	unsigned long long arrived = s->got.translated + s->got.plain;
	char name[64];

	series_name(s, name, sizeof(name));
	if (s->missing) {
		fprintf(out, "| %s | not available | | | | | |\n", name);
		return;
	}
	if (!strcmp(s->c.engine, "floor")) {
		fprintf(out, "| %s (subtracted) | %.0f | %.0f-%.0f | | | | |\n", name,
			series_quantile(s, 0.5), series_quantile(s, 0.25),
			series_quantile(s, 0.75));
		return;
	}
	fprintf(out, "| %s | %.0f | %.0f-%.0f | %.2f | %.2f %% | %.2f %% | %llu |\n", name,
		series_cost(t, s, 0.5), series_cost(t, s, 0.25), series_cost(t, s, 0.75),
		engine_cost(t, BASELINE, false) / series_cost(t, s, 0.5), percent(arrived, s->sent),
		percent(s->got.translated, s->sent), s->got.damaged);
}

static void table_print(const struct table *t, FILE *out)
{
	int i;

	fprintf(out, "\n### %s: %s\n\n", t->id, t->title);
	fprintf(out,
		"| engine | router %s | quartiles | x iptables | arrived | translated | bad "
		"checksums |\n"
		"|---|---|---|---|---|---|---|\n",
		t->unit);
	for (i = 0; i < t->count; i++)
		row_print(t, &t->series[i], out);
}

static void survival_print(const struct table *t, FILE *out)
{
	int i;

	fputs("\n| engine | established flows alive after the flood | left untranslated "
	      "|\n|---|---|---|\n",
	      out);
	for (i = 0; i < t->count; i++)
		if (t->series[i].probed)
			fprintf(out, "| %s | %llu of %llu (%.2f %%) | %llu |\n",
				t->series[i].c.engine, t->series[i].alive, t->series[i].probed,
				percent(t->series[i].alive, t->series[i].probed),
				t->series[i].got.plain);
}

static void events_print(const struct table *t, FILE *out)
{
	int i;

	fputs("\n| event reader | NEW events read | of connections |\n|---|---|---|\n", out);
	for (i = 0; i < t->count; i++)
		if (t->series[i].created)
			fprintf(out, "| %s | %llu (%.1f %%) | %llu |\n", t->series[i].c.engine,
				t->series[i].announced,
				percent(t->series[i].announced, t->series[i].created),
				t->series[i].created);
}

const struct table *table_find(const struct bench *b, const char *id, const char *word)
{
	int i;

	for (i = 0; i < b->count; i++)
		if (!strcmp(b->tables[i].id, id) && (!word || strstr(b->tables[i].title, word)))
			return &b->tables[i];
	return NULL;
}

/* How many times the cost of ours @other costs. */
static double times(const struct table *t, const char *other)
{
	return engine_cost(t, other, false) / engine_cost(t, "gatewarden", false);
}

static int goals_fill(const struct bench *b, struct goal *goals)
{
	const struct table *p1 = table_find(b, "P1", NULL), *p4 = table_find(b, "P4", NULL);
	const struct table *p7 = table_find(b, "P7", NULL);
	const struct series *flood = p7 ? series_find(p7, "gatewarden", 0, false) : NULL;
	struct goal all[] = {
		{ "P1", "x iptables", times(p1, "iptables"), 1.85, false },
		{ "P1", "x nft", times(p1, "nft"), 1.8, false },
		{ "P1", "x plain ip_forward", times(p1, "ip_forward"), 1.0, false },
		{ "P1", "share of the clsact redirect limit", times(p1, "clsact redirect"), 0.85,
		  false },
		{ "P2", "x iptables, 65536 flows",
		  times(table_find(b, "P2", " 65536 "), "iptables"), 1.8, false },
		{ "P2", "x iptables, 1048576 flows",
		  times(table_find(b, "P2", " 1048576 "), "iptables"), 2.0, false },
		{ "P4", "x iptables", times(p4, "iptables"), 1.5, false },
		{ "P4", "x nft", times(p4, "nft"), 1.6, false },
		{ "P4", "cost with the event reader / without",
		  engine_cost(p4, "gatewarden", true) / engine_cost(p4, "gatewarden", false), 1.1,
		  true },
		{ "P7", "established flows alive, percent",
		  flood ? percent(flood->alive, flood->probed) : NAN, 100, false },
		{ "P7", "frames that left untranslated", flood ? flood->got.plain : NAN, 0, true },
		{ "P7", "cost per SYN, full, / iptables'", 1 / times(p7, "iptables"), 1.0, true },
	};

	memcpy(goals, all, sizeof(all));
	return COUNT(all) + goals_fill_rules(b, goals + COUNT(all));
}

static bool goal_met(const struct goal *g)
{
	return g->most ? g->value <= g->want : g->value >= g->want;
}

bool report_goals_met(const struct bench *b)
{
	struct goal goals[GOALS_MAX];
	int i, n = goals_fill(b, goals);
	bool met = true;

	for (i = 0; i < n; i++)
		met &= isnan(goals[i].value) || goal_met(&goals[i]);
	return met;
}

static void goal_print(const struct goal *g, const char *old, FILE *out)
{
	char key[128];

	if (!isnan(g->value)) {
		fprintf(out, "| %s | %s | %.2f | %s %g | %s |\n", g->id, g->text, g->value,
			g->most ? "<=" : ">=", g->want, goal_met(g) ? "met" : "missed");
		return;
	}
	snprintf(key, sizeof(key), "\n| %s | %s | ", g->id, g->text);
	old = old ? strstr(old, key) : NULL;
	if (old)
		fprintf(out, "%.*s\n", (int)strcspn(old + 1, "\n"), old + 1);
	else
		fprintf(out, "| %s | %s | not measured | %s %g | |\n", g->id, g->text,
			g->most ? "<=" : ">=", g->want);
}

static void goals_print(const struct bench *b, const char *old, FILE *out)
{
	static const char *const ids[] = { "P1", "P2", "P4", "P5", "P6", "P7" };
	struct goal goals[GOALS_MAX];
	int i, n = goals_fill(b, goals);
	unsigned int id;

	fputs("\n## Goals\n\n| # | figure | measured | goal | |\n|---|---|---|---|---|\n", out);
	for (id = 0; id < COUNT(ids); id++)
		for (i = 0; i < n; i++)
			if (!strcmp(goals[i].id, ids[id]))
				goal_print(&goals[i], old, out);
}

/* What must hold of every series, or its cost means nothing. */
static const char *series_defect(const struct table *t, const struct series *s)
{
	const struct engine *engine = engine_find(s->c.engine);
	unsigned long long arrived = s->got.translated + s->got.plain;

	if (engine->flags & ENGINE_FLOOR)
		return arrived ? "frames got past the floor" : NULL;
	if (s->missing)
		return "the engine could not be set up";
	if (t->dropped)
		return arrived + s->got.other > s->sent / 1000 ? "frames were not dropped" : NULL;
	if (arrived < s->sent - s->sent / 1000)
		return "frames were lost";
	if (engine->flags & ENGINE_TRANSLATES && s->got.plain)
		return "frames left untranslated";
	if (s->got.damaged)
		return "wrong checksums";
	return s->alive < s->probed ? "established flows died" : NULL;
}

int report_defects(const struct bench *b)
{
	int i, j, defects = 0;

	for (i = 0; i < b->timings_count; i++) {
		const struct timing *t = &b->timings[i];

		defects += t->failed > 0;
		if (t->failed)
			say("P6: %s, %s, %u: failed %d times", t->what, t->name, t->n, t->failed);
	}
	for (i = 0; i < b->count; i++) {
		const struct table *t = &b->tables[i];

		for (j = 0; j < t->count; j++) {
			const char *defect = series_defect(t, &t->series[j]);

			if (!defect)
				continue;
			defects++;
			say("%s: %s: %s", t->id, t->series[j].c.engine, defect);
		}
	}
	return defects;
}

/* The value of the first line of /proc/cpuinfo that starts with @key. */
static void cpuinfo(const char *key, char *ret, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[4096];

	snprintf(ret, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) || !strchr(line, ':'))
			continue;
		snprintf(ret, size, "%s", strchr(line, ':') + 2);
		ret[strcspn(ret, "\n")] = '\0';
		break;
	}
	if (f)
		fclose(f);
}

static void machine_print(FILE *out)
{
	char cpu[128], flags[4096], date[32];
	time_t now = time(NULL);
	struct utsname u;
	double load = 0;

	uname(&u);
	cpuinfo("model name", cpu, sizeof(cpu));
	cpuinfo("flags", flags, sizeof(flags));
	strftime(date, sizeof(date), "%Y-%m-%d", gmtime(&now));
	if (getloadavg(&load, 1) != 1)
		load = 0;
	fprintf(out, "%s, %ld CPUs%s, Linux %.*s %s, load average %.1f, %s.\n", cpu,
		sysconf(_SC_NPROCESSORS_ONLN),
		strstr(flags, " hypervisor") ? " (virtual machine)" : "",
		(int)strcspn(u.release, "-"), u.release, u.machine, load, date);
}

static void phase_print(const struct bench *b, const char *phase, FILE *out)
{
	int i;

	for (i = 0; i < b->count; i++) {
		const struct table *t = &b->tables[i];

		if (strncmp(t->id, phase, strlen(phase)))
			continue;
		if (!strcmp(phase, "P5"))
			table_print_rules(t, out);
		else
			table_print(t, out);
		if (!strcmp(t->id, "P7"))
			survival_print(t, out);
		if (!strcmp(t->id, "P4"))
			events_print(t, out);
	}
	if (!strcmp(phase, "P5"))
		classify_print(b, out);
	if (!strcmp(phase, "P6"))
		timings_print(b, out);
}

static bool phase_was_run(const struct bench *b, const char *phase)
{
	int i;

	for (i = 0; i < b->count; i++)
		if (!strncmp(b->tables[i].id, phase, strlen(phase)))
			return true;
	return !strcmp(phase, "P6") && b->timings_count;
}

/* The sections of a phase in an earlier report, as they are. */
static void phase_keep(const char *old, const char *phase, FILE *out)
{
	char key[16];

	snprintf(key, sizeof(key), "\n### %s", phase);
	while ((old = strstr(old, key))) {
		const char *end = strstr(old + 1, "\n### ");
		int n = end ? (int)(end - old) : (int)strlen(old);

		fprintf(out, "%.*s", n, old);
		old += n;
	}
}

void report_markdown(const struct bench *b, const char *old, FILE *out)
{
	static const char *const phases[] = { "P1", "P2", "P4", "P5", "P6", "P7" };
	unsigned int i;

	fputs("# Benchmark results\n\nWritten by `tests/bench/run`; README.md says how it is "
	      "measured.\n\n",
	      out);
	machine_print(out);
	fputs("Measured then:", out);
	for (i = 0; i < COUNT(phases); i++)
		if (phase_was_run(b, phases[i]))
			fprintf(out, " %s", phases[i]);
	fputs(". What else stands here is from earlier runs.\n", out);
	goals_print(b, old, out);
	fputs("\n## Tables\n\nMedians of interleaved rounds, the floor subtracted; 64-byte frames, "
	      "one CPU.\n",
	      out);
	for (i = 0; i < COUNT(phases); i++) {
		if (phase_was_run(b, phases[i]))
			phase_print(b, phases[i], out);
		else if (old)
			phase_keep(old, phases[i], out);
	}
}

static void series_json(const struct series *s, FILE *out)
{
	int i;

	fprintf(out,
		"{\"engine\": \"%s\", \"rules\": %u, \"lanes\": %d, \"listener\": %s, \"sent\": "
		"%llu, "
		"\"translated\": %llu, "
		"\"plain\": %llu, \"damaged\": %llu, \"probed\": %llu, \"alive\": %llu, "
		"\"created\": %llu, "
		"\"announced\": %llu, \"deferred_ns_max\": %.1f, \"cpu_ns\": [",
		s->c.engine, s->c.rules, s->c.lanes, s->c.listen ? "true" : "false", s->sent,
		(unsigned long long)s->got.translated, (unsigned long long)s->got.plain,
		(unsigned long long)s->got.damaged, s->probed, s->alive, s->created, s->announced,
		s->deferred);
	for (i = 0; i < s->rounds; i++)
		fprintf(out, "%s%.1f", i ? ", " : "", s->cpu[i]);
	fputs("]}", out);
}

void report_json(const struct bench *b, FILE *out)
{
	int i, j;

	fputs("[\n", out);
	for (i = 0; i < b->count; i++) {
		const struct table *t = &b->tables[i];

		fprintf(out, "%s{\"id\": \"%s\", \"title\": \"%s\", \"series\": [\n",
			i ? ",\n" : "", t->id, t->title);
		for (j = 0; j < t->count; j++) {
			fputs(j ? ",\n  " : "  ", out);
			series_json(&t->series[j], out);
		}
		fputs("\n]}", out);
	}
	timings_json(b, out);
	fputs("\n]\n", out);
}
