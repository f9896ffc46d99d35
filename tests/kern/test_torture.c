/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Swaps as fast as they go while a packet reads the region on another CPU without a pause: it must never see two generations, nor another
 * one than it began with.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "fixture.h"
#include "reader.skel.h"

#define IMAGE_LINES 512 /* as many as the reader looks at */
#define SWAPS_MIN   100
#define SECONDS	    3
#define BATCH	    2000

struct readers {
	struct reader_bpf *skel;
	bool stop; /* atomic */
	int failed;
};

/* On a CPU of its own, if there are two, so that it reads while the other one writes. */
static void pin_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *read_on(void *arg)
{
	struct readers *r = arg;
	uint8_t frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = BATCH);

	pin_to(1);
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED) && !r->failed)
		r->failed = bpf_prog_test_run_opts(bpf_program__fd(r->skel->progs.reader), &opts);
	return NULL;
}

static struct reader_bpf *reader_of(struct kern *k)
{
	struct reader_bpf *skel = reader_bpf__open();

	ck_assert_ptr_nonnull(skel);
	ck_assert_int_eq(
		bpf_map__reuse_fd(skel->maps.gw_region, bpf_map__fd(k->skel->maps.gw_region)), 0);
	ck_assert_int_eq(bpf_map__reuse_fd(skel->maps.gw_conf, bpf_map__fd(k->skel->maps.gw_conf)),
			 0);
	ck_assert_int_eq(reader_bpf__load(skel), 0);
	return skel;
}

/* Every word of every line says the generation. */
static void swap(struct kern *k, uint32_t gen)
{
	static uint64_t lines[IMAGE_LINES][8];
	struct gw_head head = { .gen = gen, .nlines = IMAGE_LINES };

	/* nobody may read this half any more: what is left of it must not be mistaken for anything */
	ck_assert_int_eq(kern_image_settle(k), 0);
	memset(kern_image_spare(k), 0xaa, sizeof(lines));
	for (size_t i = 0; i < IMAGE_LINES; i++)
		for (size_t w = 0; w < 8; w++)
			lines[i][w] = gen;
	memcpy(lines[0], &head, sizeof(head));
	ck_assert_int_eq(kern_image_swap(k, lines, IMAGE_LINES), 0);
}

START_TEST(packets_never_see_two_generations)
{
	struct kern *k = fixture_open(false, false);
	struct readers r = {};
	uint32_t gen = 2;
	pthread_t thread;

	swap(k, 1);
	r.skel = reader_of(k);
	pin_to(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_on, &r), 0);
	for (time_t end = time(NULL) + SECONDS; gen < SWAPS_MIN || time(NULL) < end; gen++)
		swap(k, gen);
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ck_assert_int_eq(r.failed, 0);
	ck_assert_uint_gt(r.skel->bss->read, BATCH);
	ck_assert_msg(r.skel->bss->wrong == 0, "%llu of %llu packets saw two generations",
		      (unsigned long long)r.skel->bss->wrong,
		      (unsigned long long)(r.skel->bss->read + r.skel->bss->wrong));
	reader_bpf__destroy(r.skel);
	kern_free(k);
}
END_TEST

static Suite *torture_suite(void)
{
	Suite *suite = suite_create("kern_torture");
	TCase *tc = tcase_create("torture");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_set_timeout(tc, 100);
	tcase_add_test(tc, packets_never_see_two_generations);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return fixture_main(torture_suite);
}
