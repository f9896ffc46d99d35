/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As systemd runs gwd: with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, and a bpffs that is mounted already.  Each gwd of
 * a test is a process of its own; the test itself, with all capabilities, only looks.
 */
#include <linux/capability.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "fixture.h"

#define BPFFS_DIR "/tmp/mounted"

static void setup(void)
{
	fixture_setup();
	sh("mkdir " BPFFS_DIR " && mount -t bpf -o mode=0700 bpf " BPFFS_DIR);
	snprintf(pin_dir, sizeof(pin_dir), BPFFS_DIR "/gatewarden");
}

/* For good: the bounding set too, so that not even a program started by root has more. */
static void drop_capabilities(void)
{
	const uint64_t kept = 1ULL << CAP_BPF | 1ULL << CAP_NET_ADMIN | 1ULL << CAP_PERFMON;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(kept >> cap & 1))
			ck_assert_int_eq(prctl(PR_CAPBSET_DROP, cap), 0);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(kept >> (32 * i));
	ck_assert_int_eq(syscall(SYS_capset, &head, data), 0);
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
}

/* Run a gwd that ends by SIGKILL; a failed check in it fails the test. */
static void run_gwd(void (*body)(bool clsact), bool clsact)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		umask(077);
		drop_capabilities();
		body(clsact);
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x", status);
}

static int swap(struct kern *k, uint32_t gen, uint32_t hooks4)
{
	struct gw_head head = { .gen = gen, .nlines = 1, .hooks4 = hooks4 };

	return kern_image_swap(k, &head, 1);
}

static uint32_t gen_in_force(struct kern *k)
{
	struct gw_head head = { .gen = 99 };

	ck_assert_int_eq(kern_image_head(k, &head), 0);
	return head.gen;
}

static void attach_both(struct kern *k)
{
	ck_assert_int_eq(kern_attach(k, ifindex_of("a0")), 0);
	ck_assert_int_eq(kern_attach(k, ifindex_of("b0")), 0);
}

static bool by_clsact(int i)
{
	return i || !tcx_supported();
}

static void first_gwd(bool clsact)
{
	struct kern *k = fixture_open(clsact, false);

	ck_assert_uint_eq(gen_in_force(k), 0);
	attach_both(k);
	ck_assert_int_eq(swap(k, 1, 5), 0);
	ck_assert_int_eq(swap(k, 2, 8), 0);
}

static void count_device(unsigned int ifindex, void *arg)
{
	unsigned int *sum = arg;

	*sum += ifindex;
}

static void read_everything(struct kern *k)
{
	struct gw_reason_row reasons[GW_REASON_MAX];
	_cleanup_(freep) uint64_t *stats =
		calloc(kern_features(k)->cpus * GW_STAT_MAX, sizeof(*stats));
	_cleanup_(nl_state_freep) struct nl_state *state = NULL;
	_cleanup_(nl_monitor_freep) struct nl_monitor *monitor = NULL;
	uint64_t left, est, emb;

	ck_assert_int_eq(kern_stats(k, stats), 0);
	ck_assert_int_eq(kern_reasons(k, reasons), 0);
	ck_assert_int_eq(kern_expire(k, &left), 0);
	ck_assert_int_eq(kern_flow_count(k, &est, &emb), 0);
	ck_assert_int_ge(kern_flow_flush(k), 0);
	ck_assert_int_eq(nl_state_read(&state), 0);
	ck_assert_int_eq(nl_monitor_open(&monitor), 0);
}

static void second_gwd(bool clsact)
{
	unsigned int a0 = ifindex_of("a0"), b0 = ifindex_of("b0"), sum = 0;
	struct kern *k = fixture_open(clsact, true);

	ck_assert_uint_eq(gen_in_force(k), 2);
	ck_assert_uint_ne(prog_on("a0", KERN_IN, clsact), 0);
	ck_assert(!kern_is_attached(k, a0));
	ck_assert_int_eq(kern_foreach_attached(k, count_device, &sum), 0);
	ck_assert_uint_eq(sum, a0 + b0);
	attach_both(k);
	ck_assert(kern_is_attached(k, a0) && kern_is_attached(k, b0));
	ck_assert_int_eq(kern_is_first(k, a0), 1);
	ck_assert_int_eq(swap(k, 3, 1), 0);
	ck_assert_uint_eq(gen_in_force(k), 3);
	read_everything(k);
	ck_assert_int_eq(kern_detach(k, b0), 0);
}

static void last_gwd(bool clsact)
{
	ck_assert_int_eq(kern_off(pin_dir), 0);
}

START_TEST(three_capabilities_are_enough_from_start_to_off)
{
	bool clsact = by_clsact(_i);

	run_gwd(first_gwd, clsact);
	run_gwd(second_gwd, clsact);
	ck_assert_uint_ne(prog_on("a0", KERN_IN, clsact), 0);
	ck_assert_uint_eq(prog_on("b0", KERN_IN, clsact), 0);
	run_gwd(last_gwd, clsact);
	ck_assert_int_ne(access(pin_dir, F_OK), 0);
	ck_assert_int_eq(tcx_count("a0", KERN_IN) + tcx_count("a0", KERN_OUT), 0);
	ck_assert_int_eq(sh_lines("tc qdisc show | grep clsact || true"), 0);
}
END_TEST

START_TEST(pins_are_for_their_owner_only)
{
	run_gwd(first_gwd, by_clsact(_i));
	ck_assert_int_eq(sh_lines("find %s -perm /077 ! -type l", pin_dir), 0);
}
END_TEST

static void gwd_with_little_memlock(bool clsact)
{
	struct rlimit little = { 65536, 65536 };

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &little), 0);
	kern_free(fixture_open(clsact, false));
}

START_TEST(limit_on_locked_memory_does_not_matter)
{
	run_gwd(gwd_with_little_memlock, by_clsact(0));
}
END_TEST

static void gwd_without_bpffs(bool clsact)
{
	struct kern_config cfg = fixture_config(clsact);
	struct kern *k = NULL;
	bool adopted;

	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), -EPERM);
}

START_TEST(missing_bpffs_is_an_error)
{
	sh("umount " BPFFS_DIR);
	run_gwd(gwd_without_bpffs, by_clsact(0));
	ck_assert_int_eq(rmdir(pin_dir), 0);
}
END_TEST

static void gwd_that_is_not_alone(bool clsact)
{
	struct kern *k = fixture_open(true, false);

	ck_assert_int_eq(kern_attach(k, ifindex_of("a0")), -EEXIST);
	ck_assert_int_eq(kern_attach(k, ifindex_of("b0")), 0);
	ck_assert_int_eq(kern_detach(k, ifindex_of("a0")), 0);
}

START_TEST(filter_of_another_instance_is_foreign)
{
	char other[sizeof(pin_dir)];
	uint32_t id;

	snprintf(other, sizeof(other), "%s", pin_dir);
	strcat(pin_dir, "2");
	{
		struct kern *k = fixture_open(true, false);

		ck_assert_int_eq(kern_attach(k, ifindex_of("a0")), 0);
		id = prog_on("a0", KERN_IN, true);
		kern_free(k);
	}
	snprintf(pin_dir, sizeof(pin_dir), "%s", other);
	run_gwd(gwd_that_is_not_alone, true);
	ck_assert_uint_eq(prog_on("a0", KERN_IN, true), 0);
	strcat(pin_dir, "2");
	ck_assert_uint_eq(prog_on("a0", KERN_IN, true), id);
	ck_assert_int_eq(kern_off(pin_dir), 0);
	snprintf(pin_dir, sizeof(pin_dir), "%s", other);
}
END_TEST

static void gwd_that_attaches(bool clsact)
{
	struct kern *k = fixture_open(true, false);

	attach_both(k);
	ck_assert(kern_is_attached(k, ifindex_of("a0")));
}

START_TEST(filters_whose_pins_are_lost_are_taken_over)
{
	uint32_t id;

	run_gwd(gwd_that_attaches, true);
	id = prog_on("a0", KERN_IN, true);
	sh("umount " BPFFS_DIR " && mount -t bpf -o mode=0700 bpf " BPFFS_DIR);
	run_gwd(gwd_that_attaches, true);
	ck_assert_uint_ne(prog_on("a0", KERN_IN, true), id);
}
END_TEST

static Suite *caps_suite(void)
{
	Suite *suite = suite_create("kern_caps");
	TCase *tc = tcase_create("caps");

	tcase_add_checked_fixture(tc, setup, fixture_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, three_capabilities_are_enough_from_start_to_off, 0, 2);
	tcase_add_loop_test(tc, pins_are_for_their_owner_only, 0, 2);
	tcase_add_test(tc, limit_on_locked_memory_does_not_matter);
	tcase_add_test(tc, missing_bpffs_is_an_error);
	tcase_add_test(tc, filter_of_another_instance_is_foreign);
	tcase_add_test(tc, filters_whose_pins_are_lost_are_taken_over);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return fixture_main(caps_suite);
}
