/* SPDX-License-Identifier: GPL-2.0-only */
/* P6: how long an administrator waits: a file of rules, one rule more, a set of a million prefixes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>
#include "ruletext.h"
#include "stage.h"
#include "util.h"

#define WORDS_MAX 32
#define APPENDS	  20
#define PATIENCE  10000 /* ms that all appends of an engine may take; what is slower has fewer */

extern char **environ;

/* Commands: %1 is the file without its suffix or the source address, %2 gwctl with its socket. */
struct loader {
	const char *name, *engine;
	const char *load, *append, *set;
	const char *count; /* prints how many rules FORWARD has */
};

#define RULE_NFT "ip filter FORWARD ip saddr %1 tcp dport 80 counter drop"
#define RULE_IPT "-A FORWARD -s %1 -p tcp -m tcp --dport 80 -j DROP"

static const struct loader loaders[] = {
	{ "iptables", "iptables", "iptables-legacy-restore %1.ipt", "iptables-legacy " RULE_IPT,
	  NULL, "iptables-legacy -S FORWARD | grep -c -e '^-A'" },
	{ "nft", "nft", "nft -f %1.nft", "nft add rule " RULE_NFT, "nft -f %1.nft",
	  "nft list chain ip filter FORWARD | grep -c counter" },
	{ "gatewarden", "gatewarden", "%2 ruleset apply %1.nft", "%2 rule add " RULE_NFT,
	  "%2 ruleset apply %1.nft", "%2 rule list ip filter FORWARD | grep -c counter" },
	{ "gatewarden, iptables dialect", "gatewarden", "%2 iptables-restore %1.ipt",
	  "%2 iptables " RULE_IPT, NULL, "%2 iptables -S FORWARD | grep -c -e '^-A'" },
};

/* @script with %1 and %2 filled in. */
static void command_fill(const char *script, const char *one, const struct world *w,
			 const struct world_env *env, char *ret, size_t size)
{
	size_t n = 0;

	for (; *script && n + 1 < size; script++) {
		if (script[0] == '%' && script[1] == '1')
			n += snprintf(ret + n, size - n, "%s", one);
		else if (script[0] == '%' && script[1] == '2')
			n += snprintf(ret + n, size - n, "%s --socket %s0/control.sock", env->gwctl,
				      w->dir);
		else
			ret[n++] = *script;
		script += script[0] == '%';
	}
	if (n >= size)
		die("a command is too long");
	ret[n] = '\0';
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int words_split(char *line, char **argv)
{
	char *at = NULL, *word;
	int n = 0;

	for (word = strtok_r(line, " ", &at); word && n < WORDS_MAX - 1;
	     word = strtok_r(NULL, " ", &at))
		argv[n++] = word;
	argv[n] = NULL;
	return n;
}

static void router_enter(const struct world *w)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", w->router[0]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("cannot enter %s: %s", path, strerror(errno));
	close(fd);
}

/* Wall clock of a command in the router's namespace, from its start to its end; negative: it failed. */
static double command_run(struct bench *b, const struct world *w, const char *script,
			  const char *one)
{
	char line[400], *argv[WORDS_MAX];
	double start;
	int status;
	pid_t pid;

	command_fill(script, one, w, &b->env, line, sizeof(line));
	words_split(line, argv);
	router_enter(w);
	start = now_ms();
	if (posix_spawnp(&pid, argv[0], &b->quiet, NULL, argv, environ) ||
	    waitpid(pid, &status, 0) != pid)
		die("cannot start %s", argv[0]);
	start = now_ms() - start;
	if (setns(b->gun.home_ns, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	if (status)
		say("P6: `%s %s` failed", script, one);
	return status ? -1 : start;
}

static struct timing *timing_add(struct bench *b, const char *what, const char *name,
				 unsigned int n)
{
	struct timing *t;
	int i;

	for (i = 0; i < b->timings_count; i++) {
		t = &b->timings[i];
		if (!strcmp(t->what, what) && !strcmp(t->name, name) && t->n == n)
			return t;
	}
	if (b->timings_count == TIMINGS_MAX)
		die("too many timings");
	t = &b->timings[b->timings_count++];
	*t = (struct timing){ .what = what, .name = name, .n = n };
	return t;
}

static void timing_take(struct timing *t, double ms)
{
	t->failed += ms < 0;
	if (ms >= 0 && t->rounds < ROUNDS_MAX)
		t->ms[t->rounds++] = ms;
}

static double timing_sum(const struct timing *t)
{
	double sum = 0;
	int i;

	for (i = 0; i < t->rounds; i++)
		sum += t->ms[i];
	return sum;
}

/* The number a shell command prints in the router's namespace. */
static double command_read(struct bench *b, const struct world *w, const char *script)
{
	char line[400];
	double value = -1;
	FILE *in;

	command_fill(script, "", w, &b->env, line, sizeof(line));
	router_enter(w);
	in = popen(line, "r");
	if (in && fscanf(in, "%lf", &value) != 1)
		value = -1;
	if (in)
		pclose(in);
	if (setns(b->gun.home_ns, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	return value;
}

static void region_take(struct bench *b, const struct world *w, const char *what, unsigned int n)
{
	double lines = command_read(b, w,
				    "%2 --json rule stats | tr ',{' '\\n\\n' | "
				    "sed -n 's/.*\"lines\": *//p'");

	if (lines < 0)
		die("`gwctl --json rule stats` gave no lines");
	timing_take(timing_add(b, what, "gatewarden", n), lines * 64 / n);
}

static void loads_run(struct bench *b, struct world *worlds, unsigned int n, int rounds)
{
	int order[COUNT(loaders)], round, i;
	char file[64];

	snprintf(file, sizeof(file), "/run/rules-%u", n);
	for (round = 0; round < rounds; round++) {
		shuffle(b, order, COUNT(loaders));
		for (i = 0; i < (int)COUNT(loaders); i++) {
			const struct loader *l = &loaders[order[i]];
			double ms = command_run(b, &worlds[order[i]], l->load, file);

			timing_take(timing_add(b, "load", l->name, n), ms);
		}
	}
}

static void appends_run(struct bench *b, struct world *worlds, unsigned int n)
{
	int order[COUNT(loaders)], round, i;
	char address[32];

	for (round = 0; round < APPENDS; round++) {
		shuffle(b, order, COUNT(loaders));
		snprintf(address, sizeof(address), "198.18.0.%d", round + 1);
		for (i = 0; i < (int)COUNT(loaders); i++) {
			const struct loader *l = &loaders[order[i]];
			struct timing *t = timing_add(b, "append", l->name, n);

			if (timing_sum(t) < PATIENCE)
				timing_take(t,
					    command_run(b, &worlds[order[i]], l->append, address));
		}
	}
}

/* All engines have all rules, or their times mean nothing: two more than n, and those that were appended. */
static void rules_verify(struct bench *b, struct world *worlds, unsigned int n)
{
	int i;

	for (i = 0; i < (int)COUNT(loaders); i++) {
		double have = command_read(b, &worlds[i], loaders[i].count);
		unsigned int want = n + 2 + timing_add(b, "append", loaders[i].name, n)->rounds;

		if (have != want)
			die("P6: %s has %.0f rules instead of %u", loaders[i].name, have, want);
	}
}

static void sets_run(struct bench *b, struct world *worlds, unsigned int n, int rounds)
{
	char file[64];
	int round, i;

	ruletext_write_set("/run", n);
	snprintf(file, sizeof(file), "/run/set-%u", n);
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < (int)COUNT(loaders); i++) {
			if (!loaders[i].set)
				continue;
			timing_take(timing_add(b, "set", loaders[i].name, n),
				    command_run(b, &worlds[i], loaders[i].set, file));
			if (!strcmp(loaders[i].name, "gatewarden"))
				region_take(b, &worlds[i], "set bytes", n);
		}
	}
}

static void worlds_make(struct bench *b, struct world *worlds)
{
	struct world_need need = { .lanes = 1, .flows = FLOWS_FEW, .rules_mb = 256 };
	int i;

	for (i = 0; i < (int)COUNT(loaders); i++)
		if (!world_up(&worlds[i], &b->env, engine_find(loaders[i].engine), b->worlds++,
			      &need))
			die("P6: %s could not be set up", loaders[i].name);
}

void phase_load(struct bench *b, int rounds)
{
	static const unsigned int sizes[] = { 10, 10000, 100000 };
	struct world worlds[COUNT(loaders)];
	int i, count = b->smoke ? 1 : COUNT(sizes);

	say("P6: loading rules");
	/* nothing is sent here: commands and gwd run where they like, as an administrator's do */
	b->env.cpu = -1;
	leave_cpu(-1);
	posix_spawn_file_actions_init(&b->quiet);
	posix_spawn_file_actions_addopen(&b->quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	worlds_make(b, worlds);
	for (i = 0; i < count; i++) {
		struct index_rule *rules = ruletext_make(sizes[i]);

		ruletext_write("/run", rules, sizes[i]);
		free(rules);
		loads_run(b, worlds, sizes[i], rounds);
		region_take(b, &worlds[2], "bytes", sizes[i]);
		appends_run(b, worlds, sizes[i]);
		rules_verify(b, worlds, sizes[i]);
	}
	sets_run(b, worlds, b->smoke ? 1000 : 1000000, b->smoke ? 1 : 3);
	for (i = 0; i < (int)COUNT(loaders); i++)
		world_down(&worlds[i]);
	posix_spawn_file_actions_destroy(&b->quiet);
	b->env.cpu = b->gun.cpu;
	gun_pin(&b->gun);
}
