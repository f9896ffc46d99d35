/* SPDX-License-Identifier: GPL-2.0-only */
/* Two CPUs at the same connections at the same time. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include "stage.h"

#define FLOWS 1200

struct worker {
	pthread_t thread;
	int cpu;
	void (*work)(struct worker *w);
	const struct names *n;
	int failed, ret; /* packets that were not sent, and what the last one returned */
};

static atomic_int waiting;

/* Both begin together, each on its CPU. */
static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	atomic_fetch_sub(&waiting, 1);
	while (atomic_load(&waiting) > 0)
		;
	w->work(w);
	return NULL;
}

static bool two_cpus(void)
{
	cpu_set_t set;

	return !sched_getaffinity(0, sizeof(set), &set) && CPU_ISSET(0, &set) && CPU_ISSET(1, &set);
}

static void both(const struct names *n, void (*first)(struct worker *),
		 void (*second)(struct worker *))
{
	struct worker w[2] = { { .cpu = 0, .work = first, .n = n },
			       { .cpu = 1, .work = second, .n = n } };

	if (!two_cpus())
		w[1].cpu = w[0].cpu; /* still two threads, only not at the same instant */
	stage.racy = true;
	atomic_store(&waiting, 2);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
	for (int i = 0; i < GW_REASON_MAX; i++)
		ck_assert_msg(!reason(i), "reason %d counted %d times, %d inserts refused", i,
			      (int)reason(i), (int)stat(GW_STAT_INSERT_FAILED));
	for (int i = 0; i < 2; i++)
		ck_assert_msg(!w[i].failed, "%d packets of CPU %d not sent, the last returned %d",
			      w[i].failed, i, w[i].ret);
}

static void send(struct worker *w, struct frame f, enum port p)
{
	int r = in_quick(&f, p);

	if (r == REDIRECT)
		return;
	w->failed++;
	w->ret = r;
}

static void send_new(struct worker *w, const char *src)
{
	for (int i = 0; i < FLOWS; i++)
		send(w, udp(src, 2000 + i, w->n->far, 53), LAN);
}

static void create(struct worker *w)
{
	send_new(w, w->n->lan);
}

START_TEST(the_same_connections_are_made_once)
{
	const struct names *n = &names[_i & 1];

	RULES(MASQUERADE(WAN));
	both(n, create, create);
	stage_check_tables();
	ck_assert_uint_eq(entries_all(), 2 * FLOWS);
	ck_assert_uint_eq(stat(GW_STAT_INSERT), FLOWS);
}
END_TEST

/* Same source port, same destination, different hosts: who is second must move. */
static void contend(struct worker *w)
{
	for (int i = 0; i < FLOWS / 2; i++)
		send(w, udp(w->cpu ? w->n->lan : w->n->lan_b, 2000 + i, w->n->far, 53), LAN);
}

START_TEST(two_hosts_never_get_the_same_port)
{
	const struct names *n = &names[_i & 1];

	RULES(MASQUERADE(WAN));
	both(n, contend, contend);
	stage_check_tables();
	ck_assert_uint_eq(entries_all(), two_cpus() ? 2 * FLOWS : FLOWS);
}
END_TEST

#define TCP_FLOWS 600
static void send_acks(struct worker *w)
{
	for (int i = 0; i < TCP_FLOWS; i++)
		send(w, tcp(w->n->lan, 2000 + i, w->n->far, 80, A, 1001, 5001), LAN);
}

static void send_answers(struct worker *w)
{
	for (int i = 0; i < TCP_FLOWS; i++)
		send(w, tcp(w->n->far, 80, w->n->gw_wan, 2000 + i, A, 5001, 1001), WAN);
}

static void send_nothing(struct worker *w) {}

static void half_open(const struct names *n)
{
	for (int i = 0; i < TCP_FLOWS; i++) {
		struct frame syn = tcp(n->lan, 2000 + i, n->far, 80, S, 1000, 0);
		struct frame back = tcp(n->far, 80, n->gw_wan, 2000 + i, S | A, 5000, 1001);

		ck_assert_int_eq(in_quick(&syn, LAN), REDIRECT);
		ck_assert_int_eq(in_quick(&back, WAN), REDIRECT);
	}
}

START_TEST(a_connection_is_promoted_once)
{
	const struct names *n = &names[_i & 1];

	RULES(MASQUERADE(WAN));
	half_open(n);
	both(n, send_acks, _i & 2 ? send_answers : send_acks);
	both(n, send_acks, send_answers);
	stage_check_tables();
	ck_assert_uint_eq(entries_all(), 2 * TCP_FLOWS);
	ck_assert_uint_eq(assured_count(_i & 1), TCP_FLOWS);
	ck_assert_uint_eq(stat(GW_STAT_PROMOTE), TCP_FLOWS);
}
END_TEST

static void end_all(struct worker *w)
{
	for (int i = 0; i < 20; i++)
		flush();
}

/* Whatever the order: what is left is whole, and goes away. */
START_TEST(connections_made_during_a_flush_are_whole)
{
	const struct names *n = &names[_i & 1];

	RULES(MASQUERADE(WAN));
	half_open(n);
	both(n, create, end_all);
	both(n, send_acks, end_all);
	flush();
	stage_wait(3600);
	expire();
	expire();
	ck_assert_uint_eq(entries_all(), 0);
	ck_assert_uint_eq(assured_count(false) + assured_count(true), 0);
}
END_TEST

static void kill_all(struct worker *w)
{
	for (int i = 0; i < TCP_FLOWS; i++) {
		struct frame f = tcp(w->n->lan, 2000 + i, w->n->far, 80, A, 1001, 5001);

		kill_flow(&f, 0);
	}
}

START_TEST(a_connection_ended_twice_is_counted_out_once)
{
	const struct names *n = &names[_i & 1];

	RULES(MASQUERADE(WAN));
	for (int round = 0; round < 3; round++) {
		half_open(n);
		both(n, send_acks, send_nothing);
		ck_assert_uint_eq(assured_count(_i & 1), TCP_FLOWS);
		both(n, kill_all, _i & 2 ? kill_all : end_all);
		ck_assert_uint_eq(entries_all(), 0);
		ck_assert_uint_eq(assured_count(_i & 1), 0);
	}
}
END_TEST

static atomic_bool swapping;

/* Rulesets that accept the same packets from different places of the region; whatever else is read drops them. */
static void swap(struct worker *w)
{
	struct rule rows[40] = {};

	for (int i = 0; i < 40; i++)
		rows[i] = (struct rule){ .hook = GW_HOOK_FILTER_FORWARD,
					 .verdict = GW_V_DROP,
					 .proto = 17,
					 .dport = 1000 + i };
	rows[38] =
		(struct rule){ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_ACCEPT, .vary = 1 };
	rows[39] =
		(struct rule){ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_DROP, .policy = 1 };
	for (int i = 0; i < 300; i++) {
		rules_poison();
		if (i & 1)
			rules_set(rows, 40);
		else
			RULES({ .hook = GW_HOOK_FILTER_FORWARD,
				.verdict = GW_V_JUMP,
				.arg = 1,
				.vary = 1 },
			      { .chain = 1, .verdict = GW_V_ACCEPT, .vary = 1 },
			      { .hook = GW_HOOK_FILTER_FORWARD,
				.verdict = GW_V_DROP,
				.policy = 1 });
	}
	atomic_store(&swapping, false);
}

static void hammer(struct worker *w)
{
	for (int i = 0; atomic_load(&swapping) && !w->failed; i++)
		send(w, udp(w->n->lan, 5000 + (i & 63), w->n->far, 53), LAN);
}

START_TEST(packets_meet_one_ruleset_or_the_other_during_swaps)
{
	atomic_store(&swapping, true);
	RULES({ .hook = GW_HOOK_FILTER_FORWARD, .verdict = GW_V_ACCEPT, .vary = 1 });
	both(&names[_i], hammer, swap);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, packets_meet_one_ruleset_or_the_other_during_swaps, 0, 2);
	tcase_add_loop_test(tc, a_connection_ended_twice_is_counted_out_once, 0, 4);
	tcase_add_loop_test(tc, the_same_connections_are_made_once, 0, 4);
	tcase_add_loop_test(tc, two_hosts_never_get_the_same_port, 0, 4);
	tcase_add_loop_test(tc, a_connection_is_promoted_once, 0, 4);
	tcase_add_loop_test(tc, connections_made_during_a_flush_are_whole, 0, 4);
}

int main(void)
{
	return stage_main("race", add);
}
