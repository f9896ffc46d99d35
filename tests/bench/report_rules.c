/* SPDX-License-Identifier: GPL-2.0-only */
/* The report of P5 and P6. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"
#include "util.h"

static const struct series *rules_find(const struct table *t, const char *engine,
				       unsigned int rules)
{
	int i;

	for (i = 0; t && i < t->count; i++)
		if (!strcmp(t->series[i].c.engine, engine) && t->series[i].c.rules == rules &&
		    !t->series[i].missing)
			return &t->series[i];
	return NULL;
}

static double rules_cost(const struct table *t, const char *engine, unsigned int rules)
{
	return t ? series_cost(t, rules_find(t, engine, rules), 0.5) : NAN;
}

/* A ratio, or "-" where one half of it was not measured. */
static void ratio_print(double ratio, FILE *out)
{
	if (isnan(ratio))
		fputs(" - |", out);
	else
		fprintf(out, ratio < 10 ? " %.2f |" : " %.0f |", ratio);
}

static void rules_row_print(const struct table *t, const struct series *s, FILE *out)
{
	double cost = series_cost(t, s, 0.5);
	unsigned long long arrived = s->got.translated + s->got.plain;

	if (t->dropped) /* they were on their way to anywhere, not to the server */
		arrived += s->got.other;
	if (s->missing) {
		fprintf(out, "| %s | %u | not available | | | | | |\n", s->c.engine, s->c.rules);
		return;
	}
	fprintf(out, "| %s | %u | %.0f | %.0f-%.0f |", s->c.engine, s->c.rules, cost,
		series_cost(t, s, 0.25), series_cost(t, s, 0.75));
	ratio_print(cost / rules_cost(t, s->c.engine, 10), out);
	ratio_print(rules_cost(t, "iptables", s->c.rules) / cost, out);
	ratio_print(rules_cost(t, "nft", s->c.rules) / cost, out);
	fprintf(out, " %.2f %% |\n", percent(arrived, s->sent));
}

void table_print_rules(const struct table *t, FILE *out)
{
	int i;

	fprintf(out, "\n### %s: %s\n\n", t->id, t->title);
	fprintf(out,
		"| engine | rules | router %s | quartiles | / its cost at 10 | x iptables | x nft "
		"| "
		"arrived |\n|---|---|---|---|---|---|---|---|\n",
		t->unit);
	for (i = 0; i < t->count; i++)
		if (strcmp(t->series[i].c.engine, "floor"))
			rules_row_print(t, &t->series[i], out);
}

/* ------------------------------------------------------------------------------------------------------------ P6 */

static double timing_median(const struct bench *b, const char *what, const char *name,
			    unsigned int n)
{
	int i;

	for (i = 0; i < b->timings_count; i++) {
		const struct timing *t = &b->timings[i];

		if (!strcmp(t->what, what) && !strcmp(t->name, name) && t->n == n)
			return doubles_quantile(t->ms, t->rounds, 0.5);
	}
	return NAN;
}

static void timing_print(const struct bench *b, const struct timing *t, FILE *out)
{
	double ms = doubles_quantile(t->ms, t->rounds, 0.5);

	if (!t->rounds) {
		fprintf(out, "| %s | %s | %u | failed | | 0 of %d | | |\n", t->what, t->name, t->n,
			t->failed);
		return;
	}
	fprintf(out, "| %s | %s | %u | %.*f | %.*f-%.*f | %d of %d |", t->what, t->name, t->n,
		ms < 100 ? 2 : 0, ms, ms < 100 ? 2 : 0, doubles_quantile(t->ms, t->rounds, 0.25),
		ms < 100 ? 2 : 0, doubles_quantile(t->ms, t->rounds, 0.75), t->rounds,
		t->rounds + t->failed);
	ratio_print(timing_median(b, t->what, "iptables", t->n) / ms, out);
	ratio_print(timing_median(b, t->what, "nft", t->n) / ms, out);
	fputc('\n', out);
}

static bool is_bytes(const struct timing *t)
{
	return strstr(t->what, "bytes") != NULL;
}

void timings_print(const struct bench *b, FILE *out)
{
	int i;

	if (!b->timings_count)
		return;
	fputs("\n### P6: rules from a file, one rule more, a set of prefixes\n\n"
	      "Wall clock of the command, its start included. *load* replaces all rules "
	      "atomically.\n\n"
	      "| work | engine | rules, elements | ms | quartiles | runs | x iptables | x nft "
	      "|\n|---|---|---|---|---|---|---|---|\n",
	      out);
	for (i = 0; i < b->timings_count; i++)
		if (!is_bytes(&b->timings[i]))
			timing_print(b, &b->timings[i], out);
	fputs("\n| memory of the image | n | bytes each |\n|---|---|---|\n", out);
	for (i = 0; i < b->timings_count; i++) {
		const struct timing *t = &b->timings[i];

		if (is_bytes(t))
			fprintf(out, "| %s | %u | %.1f |\n",
				strstr(t->what, "set") ? "set of prefixes" : "rules", t->n,
				doubles_quantile(t->ms, t->rounds, 0.5));
	}
}

void timings_json(const struct bench *b, FILE *out)
{
	int i, j;

	for (i = 0; i < b->timings_count; i++) {
		const struct timing *t = &b->timings[i];

		fprintf(out,
			"%s{\"id\": \"P6\", \"what\": \"%s\", \"engine\": \"%s\", \"n\": %u, "
			"\"%s\": [",
			i || b->count ? ",\n" : "", t->what, t->name, t->n,
			is_bytes(t) ? "bytes" : "ms");
		for (j = 0; j < t->rounds; j++)
			fprintf(out, "%s%.3f", j ? ", " : "", t->ms[j]);
		fputs("]}", out);
	}
}

/* ------------------------------------------------------------------------------------------------ the classifier alone */

/* classify's answer: "NAME VALUE" lines, an empty line, its tables. */
static double figure(const struct bench *b, const char *name)
{
	const char *at = b->classify;
	size_t n = strlen(name);

	for (; at && *at && *at != '\n'; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
		if (!strncmp(at, name, n) && at[n] == ' ')
			return atof(at + n + 1);
	return NAN;
}

void classify_print(const struct bench *b, FILE *out)
{
	const char *tables = b->classify ? strstr(b->classify, "\n\n") : NULL;
	size_t n = tables ? strlen(tables += 2) : 0;

	while (n && tables[n - 1] == '\n')
		n--;
	if (n)
		fprintf(out, "\n### P5-classify: the classifier alone\n\n%.*s\n", (int)n, tables);
}

/* What rule sets of three kinds cost, in the middle. */
static double classify_median(const struct bench *b, unsigned int rules)
{
	static const char *const kinds[] = { "acl", "fw", "ipc" };
	double ns[COUNT(kinds)];
	char name[48];
	unsigned int i;

	for (i = 0; i < COUNT(kinds); i++) {
		snprintf(name, sizeof(name), "ns 4 %s %u", kinds[i], rules);
		ns[i] = figure(b, name);
		if (isnan(ns[i]))
			return NAN;
	}
	return doubles_quantile(ns, COUNT(kinds), 0.5);
}

/* The median of each kind's own ratio. */
static double classify_growth(const struct bench *b, unsigned int rules)
{
	static const char *const kinds[] = { "acl", "fw", "ipc" };
	double ratio[COUNT(kinds)];
	char name[48];
	unsigned int i;

	for (i = 0; i < COUNT(kinds); i++) {
		snprintf(name, sizeof(name), "ns 4 %s %u", kinds[i], rules);
		ratio[i] = figure(b, name);
		snprintf(name, sizeof(name), "ns 4 %s 10", kinds[i]);
		ratio[i] /= figure(b, name);
		if (isnan(ratio[i]))
			return NAN;
	}
	return doubles_quantile(ratio, COUNT(kinds), 0.5);
}

/* What `rules` rules cost iptables beyond ten of them, / what our classifier costs. */
static double times_linear(const struct bench *b, unsigned int rules)
{
	const struct table *p5 = table_find(b, "P5", NULL);

	return (rules_cost(p5, "iptables", rules) - rules_cost(p5, "iptables", 10)) /
	       classify_median(b, rules);
}

static double timing_times(const struct bench *b, const char *other)
{
	return timing_median(b, "load", other, 100000) /
	       timing_median(b, "load", "gatewarden", 100000);
}

static double loaded(const struct bench *b, const char *what, unsigned int n)
{
	return timing_median(b, what, "gatewarden", n);
}

static double established_change(const struct bench *b)
{
	const struct table *t = table_find(b, "P5-established", NULL);
	double few = rules_cost(t, "gatewarden", 10), many = rules_cost(t, "gatewarden", 100000);

	return 100 * (many / few - 1);
}

int goals_fill_rules(const struct bench *b, struct goal *goals)
{
	double lru = figure(b, "lru");
	struct goal all[] = {
		{ "P5", "classification, 10000 rules / 10", classify_growth(b, 10000), 5, true },
		{ "P5", "classification, 100000 rules / 10", classify_growth(b, 100000), 9, true },
		{ "P5", "classification / one LRU lookup, 10000 rules",
		  classify_median(b, 10000) / lru, 2.5, true },
		{ "P5", "classification / one LRU lookup, 100000 rules",
		  classify_median(b, 100000) / lru, 5, true },
		{ "P5", "x linear iptables, rules alone, 10000", times_linear(b, 10000), 100,
		  false },
		{ "P5", "x linear iptables, rules alone, 100000", times_linear(b, 100000), 500,
		  false },
		{ "P5", "established packet, 100000 rules against 10, percent more",
		  established_change(b), 3, true },
		{ "P6", "load 10000 rules, ms", loaded(b, "load", 10000), 50, true },
		{ "P6", "load 100000 rules, ms", loaded(b, "load", 100000), 300, true },
		{ "P6", "x iptables-restore, 100000 rules", timing_times(b, "iptables"), 10,
		  false },
		{ "P6", "x nft -f, 100000 rules", timing_times(b, "nft"), 20, false },
		{ "P6", "append at 10 rules, ms", loaded(b, "append", 10), 1, true },
		{ "P6", "append at 10000 rules, ms", loaded(b, "append", 10000), 1, true },
		{ "P6", "append at 100000 rules, ms", loaded(b, "append", 100000), 1, true },
		{ "P6", "set of 1M prefixes: lookup, ns", figure(b, "set ns 4 1000000"), 150,
		  true },
		{ "P6", "set of 1M prefixes: build, ms", figure(b, "set ms 4 1000000"), 200, true },
	};

	memcpy(goals, all, sizeof(all));
	return COUNT(all);
}
