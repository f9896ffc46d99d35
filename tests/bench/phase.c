/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "stage.h"
#include "util.h"

#define RULES	    100
#define FLOOD_FLOWS 1024
#define FLOOD_TABLE 65536
#define FLOOD_SHOT  25000
#define FLOOD_SHOTS 8

struct table *table_add(struct bench *b, const char *id, const char *unit)
{
	struct table *t = &b->tables[b->count++];

	if (b->count > TABLES_MAX)
		die("too many tables");
	t->id = id;
	t->unit = unit;
	return t;
}

void stage_add(struct stage *s, struct contender c, struct world_need need)
{
	struct table *t = s->table;
	struct series *series;
	const struct engine *engine = engine_find(c.engine);

	if (s->b->only && strcmp(c.engine, s->b->only) && !(engine->flags & ENGINE_FLOOR))
		return;
	if (t->count == SERIES_MAX)
		die("too many series");
	series = &t->series[t->count];
	need.lanes = c.lanes;
	need.listen = c.listen;
	need.rules = c.rules;
	need.rules_mb = c.rules ? 64 : 0;
	series->c = c;
	series->missing =
		!world_up(&s->worlds[t->count], &s->b->env, engine, s->b->worlds++, &need);
	if (series->missing)
		say("  %s: not available", c.engine);
	t->count++;
}

void stage_down(struct stage *s)
{
	int i;

	for (i = 0; i < s->table->count; i++)
		world_down(&s->worlds[i]);
}

void shuffle(struct bench *b, int *order, int n)
{
	int i, j, t;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i > 0; i--) {
		j = rand_r(&b->seed) % (i + 1);
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

void series_take(struct series *s, const struct load *load, const struct shot *shot)
{
	if (s->rounds < ROUNDS_MAX)
		s->cpu[s->rounds++] = shot->ns;
	if (shot->deferred > s->deferred)
		s->deferred = shot->deferred;
	s->sent += load->frames;
	s->got.translated += shot->got.translated;
	s->got.plain += shot->got.plain;
	s->got.back += shot->got.back;
	s->got.other += shot->got.other;
	s->got.checked += shot->got.checked;
	s->got.damaged += shot->got.damaged;
}

/* One frame of each flow through every world that keeps state; counts those that came back. */
static void stage_pass(struct stage *s, struct load load)
{
	struct shot shot;
	int i;

	load.frames = load.flows;
	for (i = 0; i < s->table->count; i++) {
		struct series *series = &s->table->series[i];

		if (series->missing || !(s->worlds[i].engine->flags & ENGINE_TRACKS))
			continue;
		gun_fire(&s->b->gun, &s->worlds[i], &load, &shot);
		series->probed = load.reply ? load.flows : 0;
		series->alive = shot.got.back;
		if (load.reply && shot.got.back != load.flows)
			say("  %s: only %llu of %u replies arrived", series->c.engine,
			    (unsigned long long)shot.got.back, load.flows);
	}
}

/* netfilter calls a UDP flow assured when it is answered and older than 2 s; so do we. */
void stage_establish_udp(struct stage *s, __u32 flows)
{
	struct load there = { .flows = flows }, back = { .flows = flows, .reply = true };

	stage_pass(s, there);
	stage_pass(s, back);
	usleep(2300000);
	stage_pass(s, there);
	stage_pass(s, back);
}

/* The smallest power of two of routers whose connection tables hold @flows together. */
static int netfilter_lanes(__u32 flows)
{
	FILE *f = fopen("/proc/sys/net/netfilter/nf_conntrack_max", "r");
	unsigned long max = 65536;
	int lanes = 1;

	if (f) {
		if (fscanf(f, "%lu", &max) != 1)
			max = 65536;
		fclose(f);
	}
	while (lanes < FRAME_LANES && flows / lanes > max)
		lanes *= 2;
	return lanes;
}

static void established_contenders(struct stage *s, __u32 flows)
{
	static const char *const all[] = {
		"floor", "ip_forward",	 "ip_forward + conntrack", "iptables",	"iptables-nft",
		"nft",	 "tcx redirect", "clsact redirect",	   "gatewarden"
	};
	static const char *const few[] = { "floor", "iptables", "tcx redirect", "gatewarden" };
	const char *const *names = flows == FLOWS_FEW ? all : few;
	int i, n = flows == FLOWS_FEW ? COUNT(all) : COUNT(few), lanes = netfilter_lanes(flows);
	__u32 table = flows == FLOWS_FEW ? FLOWS_MANY : flows + flows / 4;
	struct world_need need = { .flows = table, .embryonic = table };

	for (i = 0; i < n; i++) {
		bool nf = engine_find(names[i])->flags & ENGINE_NETFILTER;

		stage_add(s, (struct contender){ names[i], nf ? lanes : 1, false, 0 }, need);
	}
	if (lanes > 1)
		stage_add(s, (struct contender){ "floor", lanes, false, 0 }, need);
}

/* What several routers cost by themselves: for judging the table that needs them. */
static void control_contenders(struct stage *s, __u32 flows)
{
	struct world_need need = { .flows = flows };
	int lanes = netfilter_lanes(FLOWS_MOST);

	if (lanes == 1)
		return;
	stage_add(s, (struct contender){ "iptables", lanes, false, 0 }, need);
	stage_add(s, (struct contender){ "floor", lanes, false, 0 }, need);
}

/*
 * One pass before the sample, as if the load had been there all the time: what an engine keeps for a second only
 * is there or not as it would be under that load.
 */
static void established_sample(struct stage *s, int i, struct load load, bool keep)
{
	struct load before = load;
	struct shot shot;

	before.frames = load.flows;
	gun_fire(&s->b->gun, &s->worlds[i], &before, &shot);
	gun_fire(&s->b->gun, &s->worlds[i], &load, &shot);
	if (keep)
		series_take(&s->table->series[i], &load, &shot);
}

void established_rounds(struct stage *s, struct load load, int rounds)
{
	int order[SERIES_MAX], round, i;

	for (round = -1; round < rounds; round++) {
		shuffle(s->b, order, s->table->count);
		for (i = 0; i < s->table->count; i++) {
			if (!s->table->series[order[i]].missing)
				established_sample(s, order[i], load, round >= 0);
		}
	}
}

/*
 * Where the worlds' memory happens to lie shifts an engine by some percent, so the worlds are made anew
 * @generations times; each gives @rounds samples.
 */
void phase_established(struct bench *b, __u32 flows, int generations, int rounds, __u32 frames)
{
	struct stage s = { .b = b,
			   .table = table_add(b, flows == FLOWS_FEW ? "P1" : "P2", "ns/packet") };
	struct load load = { .frames = frames, .flows = flows, .scatter = true };

	snprintf(s.table->title, sizeof(s.table->title), "established masqueraded UDP, %u flows",
		 flows);
	say("%s: %s", s.table->id, s.table->title);
	while (generations--) {
		s.table->count = 0;
		established_contenders(&s, flows);
		if (flows == FLOWS_FEW && !b->smoke)
			control_contenders(&s, flows);
		stage_establish_udp(&s, flows);
		established_rounds(&s, load, rounds);
		stage_down(&s);
	}
}

/* The same 100 rules for every engine: two that have to look at the state and 97 that do not match; then accept. */
static void policy_write(void)
{
	FILE *ipt = fopen("/run/policy.ipt", "w"), *nft = fopen("/run/policy.nft", "w");
	int i;

	if (!ipt || !nft)
		die("cannot write the rules");
	fputs("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED "
	      "-j ACCEPT\n"
	      "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n",
	      ipt);
	fputs("table ip f {\n chain forward {\n  type filter hook forward priority 0; policy "
	      "drop;\n"
	      "  ct state established,related counter accept\n  ct state invalid counter drop\n",
	      nft);
	for (i = 2; i < RULES - 1; i++) {
		const char *proto = i % 2 ? "tcp" : "udp";

		fprintf(ipt, "-A FORWARD -s 172.16.%d.0/24 -p %s -m %s --dport %d -j DROP\n", i,
			proto, proto, 4000 + i);
		fprintf(nft, "  ip saddr 172.16.%d.0/24 %s dport %d counter drop\n", i, proto,
			4000 + i);
	}
	fputs("-A FORWARD -i rc -j ACCEPT\nCOMMIT\n", ipt);
	fputs("  iifname \"rc\" counter accept\n }\n}\n", nft);
	fclose(ipt);
	fclose(nft);
}

static void new_contenders(struct stage *s)
{
	static const struct contender all[] = {
		{ "floor", 1, false, 0 },	 { "iptables", 1, false, 0 },
		{ "iptables", 1, true, 0 },	 { "iptables-nft", 1, false, 0 },
		{ "nft", 1, false, 0 },		 { "nft", 1, true, 0 },
		{ "tcx redirect", 1, false, 0 }, { "gatewarden", 1, false, 0 },
		{ "gatewarden", 1, true, 0 },
	};
	struct world_need need = { .flows = 131072, .embryonic = 131072, .policy = true };
	unsigned int i;

	policy_write();
	for (i = 0; i < COUNT(all); i++)
		stage_add(s, all[i], need);
}

static void new_sample(struct stage *s, int i, __u32 frames, bool keep)
{
	struct load load = { .frames = frames, .base = s->b->fresh };
	struct series *series = &s->table->series[i];
	struct world *w = &s->worlds[i];
	unsigned long lines;
	struct shot shot;

	s->b->fresh += frames;
	if (w->engine->flush)
		world_flush(w, &s->b->env);
	world_settle(w);
	lines = w->lines ? *w->lines : 0;
	gun_fire(&s->b->gun, w, &load, &shot);
	world_settle(w);
	if (!keep)
		return;
	series_take(series, &load, &shot);
	if (w->lines) {
		series->created += frames;
		series->announced += *w->lines - lines;
	}
}

void phase_new(struct bench *b, int rounds, __u32 frames)
{
	struct stage s = { .b = b, .table = table_add(b, "P4", "ns/connection") };
	int order[SERIES_MAX], round, i;

	snprintf(s.table->title, sizeof(s.table->title),
		 "new masqueraded connections, %d filter rules", RULES);
	say("%s: %s", s.table->id, s.table->title);
	new_contenders(&s);
	for (round = -1; round < rounds; round++) {
		shuffle(b, order, s.table->count);
		for (i = 0; i < s.table->count; i++)
			if (!s.table->series[order[i]].missing)
				new_sample(&s, order[i], frames, round >= 0);
	}
	stage_down(&s);
}

/* SYNs in one sample. */
static __u32 flood_shot(const struct bench *b)
{
	return b->smoke ? FLOOD_SHOT / 8 : FLOOD_SHOT;
}

/* Complete handshakes, then nothing more: the flood finds idle connections. */
static void flood_establish(struct stage *s, int i, __u32 base)
{
	struct load load = {
		.frames = FLOOD_FLOWS, .flows = FLOOD_FLOWS, .base = base, .tcp = true
	};
	struct shot shot;

	load.tcp_flags = FRAME_SYN;
	gun_fire(&s->b->gun, &s->worlds[i], &load, &shot);
	load.reply = true;
	load.tcp_flags = FRAME_SYN | FRAME_ACK;
	gun_fire(&s->b->gun, &s->worlds[i], &load, &shot);
	load.reply = false;
	load.tcp_flags = FRAME_ACK;
	gun_fire(&s->b->gun, &s->worlds[i], &load, &shot);
}

/* A flow that lives translates a segment of the server back to its client. */
static void flood_probe(struct stage *s, int i, __u32 base)
{
	struct load load = {
		.frames = FLOOD_FLOWS, .flows = FLOOD_FLOWS, .base = base, .tcp = true
	};
	struct series *series = &s->table->series[i];
	struct shot shot;

	load.reply = true;
	load.tcp_flags = FRAME_ACK;
	gun_fire(&s->b->gun, &s->worlds[i], &load, &shot);
	series->probed += FLOOD_FLOWS;
	series->alive += shot.got.back;
}

/* @early gets the first shots, into an empty table; @s the last ones, into a full one. */
static void flood_sample(struct stage *s, struct table *early, int i, bool keep)
{
	struct load load = { .frames = flood_shot(s->b), .tcp = true, .tcp_flags = FRAME_SYN };
	__u32 base = s->b->fresh, n;
	struct shot shot;

	s->b->fresh += FLOOD_FLOWS + load.frames * FLOOD_SHOTS;
	if (s->worlds[i].engine->flush)
		world_flush(&s->worlds[i], &s->b->env);
	if (keep)
		flood_establish(s, i, base);
	for (n = 0; n < FLOOD_SHOTS; n++) {
		load.base = base + FLOOD_FLOWS + n * load.frames;
		gun_fire(&s->b->gun, &s->worlds[i], &load, &shot);
		if (keep && n < 2)
			series_take(&early->series[i], &load, &shot);
		if (keep && n >= FLOOD_SHOTS / 2)
			series_take(&s->table->series[i], &load, &shot);
	}
	if (keep && s->worlds[i].engine->flags & ENGINE_TRACKS)
		flood_probe(s, i, base);
}

void phase_flood(struct bench *b, int rounds)
{
	static const char *const names[] = { "floor", "iptables", "nft", "gatewarden" };
	struct stage s = { .b = b, .table = table_add(b, "P7", "ns/SYN") };
	struct table *early = table_add(b, "P7-empty", "ns/SYN");
	struct world_need need = { .flows = b->smoke ? FLOOD_TABLE / 8 : FLOOD_TABLE,
				   .embryonic = b->smoke ? FLOOD_TABLE / 16 : 0 };
	int order[SERIES_MAX], round, i;

	snprintf(s.table->title, sizeof(s.table->title), "SYN flood of %d, table full (last half)",
		 flood_shot(b) * FLOOD_SHOTS);
	snprintf(early->title, sizeof(early->title), "SYN flood, table not yet full (first %d)",
		 2 * flood_shot(b));
	say("%s: %s", s.table->id, s.table->title);
	for (i = 0; i < (int)COUNT(names); i++)
		stage_add(&s, (struct contender){ names[i], 1, false, 0 }, need);
	memcpy(early->series, s.table->series, sizeof(early->series));
	early->count = s.table->count;
	for (round = -1; round < rounds; round++) {
		shuffle(b, order, s.table->count);
		for (i = 0; i < s.table->count; i++)
			if (!s.table->series[order[i]].missing)
				flood_sample(&s, early, order[i], round >= 0);
	}
	stage_down(&s);
}
