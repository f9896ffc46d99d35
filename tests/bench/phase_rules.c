/* SPDX-License-Identifier: GPL-2.0-only */
/* P5: what many rules cost a packet that none of them matches, and one of an established flow. */
#include <stdlib.h>
#include <string.h>
#include "ruletext.h"
#include "stage.h"
#include "util.h"

#define LINEAR_WORK 4000000U /* rules times frames in one sample of a linear engine */
#define SHOT	    32768U

static const unsigned int sizes[] = { 10, 100, 1000, 10000, 100000 };

static int sizes_count(const struct bench *b)
{
	return b->smoke ? 2 : COUNT(sizes);
}

static void rules_write(const struct bench *b, struct frame_head *lists[])
{
	int i;

	for (i = 0; i < sizes_count(b); i++) {
		struct index_rule *rules = ruletext_make(sizes[i]);

		ruletext_write("/run", rules, sizes[i]);
		lists[i] = calloc(FRAME_LIST, sizeof(*lists[i]));
		if (!lists[i])
			die("out of memory");
		ruletext_misses(rules, sizes[i], lists[i], FRAME_LIST);
		free(rules);
	}
}

static void rules_contenders(struct stage *s)
{
	static const char *const names[] = { "iptables", "nft", "nft concat map", "nft verdict map",
					     "gatewarden" };
	struct world_need need = { .flows = FLOWS_MANY, .embryonic = FLOWS_MANY };
	int i, n;

	stage_add(s, (struct contender){ "floor", 1, false, 0 }, need);
	for (i = 0; i < (int)COUNT(names); i++) {
		for (n = 0; n < sizes_count(s->b); n++) {
			if (!strcmp(names[i], "nft concat map") && sizes[n] > RULES_CONCAT_MAX)
				continue;
			stage_add(s, (struct contender){ names[i], 1, false, sizes[n] }, need);
		}
	}
}

/* A linear engine gets so few frames that a sample of it stays short. */
static __u32 dropped_frames(const struct world *w)
{
	__u32 frames = LINEAR_WORK / (w->need.rules + 100);

	if (!(w->engine->flags & ENGINE_LINEAR) || frames > SHOT)
		return SHOT;
	return frames < FRAME_BATCH ? FRAME_BATCH : frames;
}

static void dropped_sample(struct stage *s, int i, struct frame_head *const lists[], bool keep)
{
	struct world *w = &s->worlds[i];
	struct load load = { .frames = dropped_frames(w), .listed = true };
	struct shot shot;
	int n = 0;

	while (w->need.rules && sizes[n] != w->need.rules)
		n++;
	load.base = s->b->fresh % FRAME_LIST;
	s->b->fresh += load.frames;
	memcpy(gun_list(&s->b->gun), lists[n], FRAME_LIST * sizeof(*lists[n]));
	gun_fire(&s->b->gun, w, &load, &shot);
	gun_fire(&s->b->gun, w, &load, &shot);
	if (keep)
		series_take(&s->table->series[i], &load, &shot);
}

static void phase_dropped(struct bench *b, struct frame_head *const lists[], int rounds)
{
	struct stage s = { .b = b, .table = table_add(b, "P5", "ns/packet") };
	int order[SERIES_MAX], round, i;

	s.table->dropped = true;
	snprintf(s.table->title, sizeof(s.table->title),
		 "packets of new flows that no rule matches, dropped by the policy");
	say("P5: %s", s.table->title);
	rules_contenders(&s);
	for (round = -1; round < rounds; round++) {
		shuffle(b, order, s.table->count);
		for (i = 0; i < s.table->count; i++)
			if (!s.table->series[order[i]].missing)
				dropped_sample(&s, order[i], lists, round >= 0);
	}
	stage_down(&s);
}

/* The worlds are made anew, as in P1: what a world costs by chance is as much as what is looked for. */
static void phase_established_rules(struct bench *b, int generations, int rounds)
{
	struct stage s = { .b = b, .table = table_add(b, "P5-established", "ns/packet") };
	struct world_need need = { .flows = FLOWS_MANY, .embryonic = FLOWS_MANY };
	struct load load = { .frames = b->smoke ? 8192 : 65536,
			     .flows = FLOWS_FEW,
			     .scatter = true };
	unsigned int most = sizes[sizes_count(b) - 1];

	snprintf(s.table->title, sizeof(s.table->title),
		 "established masqueraded UDP, %u flows, few and many rules", FLOWS_FEW);
	say("P5: %s", s.table->title);
	while (generations--) {
		s.table->count = 0;
		stage_add(&s, (struct contender){ "floor", 1, false, 0 }, need);
		stage_add(&s, (struct contender){ "iptables", 1, false, sizes[0] }, need);
		stage_add(&s, (struct contender){ "iptables", 1, false, most }, need);
		stage_add(&s, (struct contender){ "gatewarden", 1, false, sizes[0] }, need);
		stage_add(&s, (struct contender){ "gatewarden", 1, false, most }, need);
		stage_establish_udp(&s, FLOWS_FEW);
		established_rounds(&s, load, rounds);
		stage_down(&s);
	}
}

void phase_rules(struct bench *b, int rounds)
{
	struct frame_head *lists[COUNT(sizes)] = { NULL };
	int i;

	rules_write(b, lists);
	phase_dropped(b, lists, rounds);
	phase_established_rules(b, b->smoke ? 1 : 4, rounds);
	for (i = 0; i < (int)COUNT(sizes); i++)
		free(lists[i]);
}
