/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attach, crash, adopt, detach, off: by tcx links and by clsact filters.
 */
#include <fcntl.h>
#include <signal.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "fixture.h"

/* Every test runs twice: _i = 0 tcx (or what the kernel has), 1 clsact. */
static bool by_clsact(int i)
{
	return i || !tcx_supported();
}

static int jmp_pins(void)
{
	return sh_lines("ls %s/v%u | grep -c jmp_ || true", pin_dir, GW_ABI_VERSION);
}

static void attach_both(struct kern *k)
{
	ck_assert_int_eq(kern_attach(k, ifindex_of("a0")), 0);
	ck_assert_int_eq(kern_attach(k, ifindex_of("b0")), 0);
}

static void count_device(unsigned int ifindex, void *arg)
{
	unsigned int *sum = arg;

	*sum += ifindex;
}

/* A gwd that attaches, sets something and is killed. */
static void crashed_gwd(bool clsact)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct kern *k = fixture_open(clsact, false);

		attach_both(k);
		kern_counter_set(k, 7, 70, 700);
		kern_conf(k)->est_max = 4711;
		kern_conf_push(k);
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(killed_gwd_leaves_the_programs_and_the_next_one_adopts_them)
{
	bool clsact = by_clsact(_i);
	unsigned int a0 = ifindex_of("a0"), b0 = ifindex_of("b0"), sum = 0;
	uint64_t pkts, bytes;
	struct kern *k;
	uint32_t old;

	crashed_gwd(clsact);
	old = prog_on("a0", KERN_IN, clsact);
	ck_assert_uint_ne(old, 0);
	ck_assert_uint_ne(prog_on("b0", KERN_OUT, clsact), 0);

	k = fixture_open(clsact, true);
	ck_assert_uint_eq(prog_on("a0", KERN_IN, clsact), old);
	ck_assert(!kern_is_attached(k, a0));
	ck_assert_int_eq(kern_foreach_attached(k, count_device, &sum), 0);
	ck_assert_uint_eq(sum, a0 + b0);
	kern_counter_get(k, 7, &pkts, &bytes);
	ck_assert_uint_eq(pkts, 70);
	ck_assert_uint_eq(bytes, 700);
	ck_assert_uint_eq(kern_conf(k)->est_max, 4711);

	attach_both(k);
	ck_assert(kern_is_attached(k, a0) && kern_is_attached(k, b0));
	ck_assert_int_eq(kern_is_first(k, a0), 1);
	ck_assert_uint_ne(prog_on("a0", KERN_IN, clsact), old);
	ck_assert_int_le(jmp_pins(), 1);
	kern_free(k);
	ck_assert_uint_ne(prog_on("a0", KERN_IN, clsact), 0);
}
END_TEST

START_TEST(second_attach_replaces_the_first)
{
	bool clsact = by_clsact(_i);
	struct kern *k = fixture_open(clsact, false);
	uint32_t id;

	attach_both(k);
	id = prog_on("a0", KERN_OUT, clsact);
	attach_both(k);
	ck_assert_uint_eq(prog_on("a0", KERN_OUT, clsact), id);
	kern_free(k);
}
END_TEST

START_TEST(detach_leaves_the_device_as_it_was)
{
	bool clsact = by_clsact(_i);
	struct kern *k = fixture_open(clsact, false);
	unsigned int sum = 0;

	attach_both(k);
	ck_assert_int_eq(kern_detach(k, ifindex_of("a0")), 0);
	ck_assert_int_eq(kern_detach(k, ifindex_of("a0")), 0);
	ck_assert(!kern_is_attached(k, ifindex_of("a0")));
	ck_assert_int_eq(kern_is_first(k, ifindex_of("a0")), -ENOENT);
	ck_assert_int_eq(tcx_count("a0", KERN_IN) + tcx_count("a0", KERN_OUT), 0);
	ck_assert_int_eq(sh_lines("tc qdisc show dev a0 | grep clsact || true"), 0);
	ck_assert_int_eq(kern_foreach_attached(k, count_device, &sum), 0);
	ck_assert_uint_eq(sum, ifindex_of("b0"));
	kern_free(k);
}
END_TEST

/* Without a child: popen() has one more open until the child runs. */
static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(no_descriptor_is_left_open)
{
	int before = open_fds();

	for (int i = 0; i < 3; i++) {
		struct kern *k = fixture_open(by_clsact(_i), i > 0);
		unsigned int sum = 0;

		attach_both(k);
		ck_assert_int_eq(kern_foreach_attached(k, count_device, &sum), 0);
		ck_assert_int_eq(kern_detach(k, ifindex_of("a0")), 0);
		kern_free(k);
		ck_assert_int_eq(open_fds(), before);
	}
}
END_TEST

START_TEST(off_leaves_nothing)
{
	bool clsact = by_clsact(_i);
	struct kern *k = fixture_open(clsact, false);

	attach_both(k);
	ck_assert_int_eq(kern_off(pin_dir), 0);
	ck_assert_int_eq(tcx_count("a0", KERN_IN) + tcx_count("a0", KERN_OUT), 0);
	ck_assert_int_eq(sh_lines("tc qdisc show | grep clsact || true"), 0);
	ck_assert_int_eq(sh_lines("grep %s /proc/mounts || true", pin_dir), 0);
	ck_assert_int_ne(access(pin_dir, F_OK), 0);
	ck_assert_int_eq(kern_off(pin_dir), 0); /* and once more */
	kern_free(k);
}
END_TEST

START_TEST(switch_between_tcx_and_clsact_leaves_one)
{
	struct kern *k;

	if (!tcx_supported())
		return;
	k = fixture_open(_i, false);
	attach_both(k);
	kern_free(k);
	k = fixture_open(!_i, true);
	attach_both(k);
	ck_assert_uint_ne(prog_on("a0", KERN_IN, !_i), 0);
	ck_assert_uint_eq(prog_on("a0", KERN_IN, _i), 0);
	ck_assert_int_eq(sh_lines("tc qdisc show dev a0 | grep clsact || true"), _i ? 0 : 1);
	kern_free(k);
}
END_TEST

START_TEST(recreated_device_with_the_old_number_is_attached_anew)
{
	bool clsact = by_clsact(_i);
	struct kern *k = fixture_open(clsact, false);
	unsigned int a0 = ifindex_of("a0"), sum = 0;

	attach_both(k);
	sh("ip link del a0");
	ck_assert_int_eq(kern_foreach_attached(k, count_device, &sum), 0);
	ck_assert_uint_eq(sum, 0);
	sh("ip link add a0 index %u type veth peer name b0", a0);
	ck_assert(!kern_is_attached(k, a0));
	ck_assert_int_eq(kern_attach(k, a0), 0);
	ck_assert(kern_is_attached(k, a0));
	kern_free(k);
}
END_TEST

START_TEST(same_number_in_another_namespace_is_another_device)
{
	bool clsact = by_clsact(_i);
	struct kern *k = fixture_open(clsact, false);
	unsigned int a0 = ifindex_of("a0");

	attach_both(k);
	kern_free(k);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	sh("ip link add a0 index %u type veth peer name b0", a0);
	k = fixture_open(clsact, true);
	ck_assert(!kern_is_attached(k, a0));
	ck_assert_int_eq(kern_attach(k, a0), 0);
	ck_assert(kern_is_attached(k, a0));
	kern_free(k);
}
END_TEST

START_TEST(missing_device_is_an_error_and_leaves_no_pin)
{
	struct kern *k = fixture_open(by_clsact(_i), false);

	ck_assert_int_lt(kern_attach(k, 4242), 0);
	ck_assert_int_eq(
		sh_lines("ls %s/v%u | grep -E 'link_|tc_' || true", pin_dir, GW_ABI_VERSION), 0);
	ck_assert_int_eq(kern_detach(k, 4242), 0);
	kern_free(k);
}
END_TEST

START_TEST(foreign_clsact_qdisc_and_filter_stay)
{
	struct kern *k = fixture_open(true, false);

	sh("tc qdisc add dev a0 clsact");
	attach_both(k);
	ck_assert_int_eq(foreign_filter("b0", KERN_IN, 5), 0);
	ck_assert_int_eq(kern_is_first(k, ifindex_of("b0")), 1);
	ck_assert_int_eq(kern_detach(k, ifindex_of("a0")), 0);
	ck_assert_int_eq(kern_detach(k, ifindex_of("b0")), 0);
	ck_assert_int_eq(sh_lines("tc qdisc show dev a0 | grep clsact"), 1);
	ck_assert_int_eq(sh_lines("tc filter show dev a0 ingress"), 0);
	ck_assert_int_eq(sh_lines("tc filter show dev b0 ingress | grep other"), 1);
	kern_free(k);
}
END_TEST

START_TEST(foreign_filter_at_our_place_is_never_replaced)
{
	struct kern *k = fixture_open(true, false);

	sh("tc qdisc add dev a0 clsact");
	ck_assert_int_eq(foreign_filter("a0", KERN_OUT, 1), 0);
	ck_assert_int_eq(kern_attach(k, ifindex_of("a0")), -EEXIST);
	ck_assert_int_eq(sh_lines("tc filter show dev a0 egress | grep other"), 1);
	ck_assert_int_eq(sh_lines("tc filter show dev a0 ingress"), 0);
	kern_free(k);
}
END_TEST

START_TEST(unsafe_pin_directories_are_refused)
{
	struct kern_config cfg = fixture_config(false);
	struct kern *k = NULL;
	char target[PATH_MAX];
	bool adopted;

	snprintf(target, sizeof(target), "%s.target", pin_dir);
	ck_assert_int_eq(mkdir(target, 0700), 0);
	ck_assert_int_eq(symlink(target, pin_dir), 0);
	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), -ENOTDIR);
	ck_assert_int_eq(unlink(pin_dir), 0);

	ck_assert_int_eq(mkdir(pin_dir, 0700), 0);
	ck_assert_int_eq(chmod(pin_dir, 0777), 0);
	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), -EPERM);
	ck_assert_int_eq(chmod(pin_dir, 0700), 0);
	ck_assert_int_eq(chown(pin_dir, 65534, 65534), 0);
	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), -EPERM);
	ck_assert_int_eq(rmdir(pin_dir), 0);

	cfg.pin_dir = "relative/dir";
	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), -EINVAL);
	ck_assert_ptr_null(k);
}
END_TEST

START_TEST(directory_inside_a_bpffs_is_used_without_mounting)
{
	const char *mnt = "/tmp/mounted";
	struct kern *k;

	sh("mkdir %s && mount -t bpf bpf %s", mnt, mnt);
	snprintf(pin_dir, sizeof(pin_dir), "%s/deep/er", mnt);
	k = fixture_open(false, false);
	attach_both(k);
	kern_free(k);
	k = fixture_open(false, true);
	kern_free(k);
	ck_assert_int_eq(kern_off(pin_dir), 0);
	ck_assert(pins_is_bpffs(mnt));
}
END_TEST

/* In a process of its own, because libbpf remembers what it could not probe. */
static bool open_with_fds(rlim_t fds)
{
	struct kern_config cfg = fixture_config(false);
	struct rlimit few = { fds, fds };
	struct kern *k = NULL;
	pid_t pid = fork();
	bool adopted;
	int status;

	if (pid == 0) {
		setrlimit(RLIMIT_NOFILE, &few);
		_exit(kern_open(&cfg, &k, &adopted) < 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status) == 0;
}

/* Run out of file descriptors at every point of the way, until it goes well. */
static void open_with_few_fds(void)
{
	int pins = sh_lines("ls %s/v%u 2>/dev/null || true", pin_dir, GW_ABI_VERSION);
	rlim_t fds = 6;

	for (; fds < 150 && !open_with_fds(fds); fds += 3)
		ck_assert_int_eq(sh_lines("ls %s/v%u 2>/dev/null || true", pin_dir, GW_ABI_VERSION),
				 pins);
	ck_assert_uint_gt(fds, 15);
	ck_assert_uint_lt(fds, 150);
}

START_TEST(failed_open_leaves_the_pins_as_they_were)
{
	struct kern *k;

	log_set_level(0); /* the errors are expected */
	open_with_few_fds();
	k = fixture_open(false, true);
	attach_both(k);
	kern_free(k);
	open_with_few_fds();
}
END_TEST

START_TEST(other_sizes_keep_the_tables_in_use)
{
	struct kern_config cfg = fixture_config(false);
	struct kern *k = fixture_open(false, false);
	bool adopted = false;

	ck_assert_uint_eq(kern_features(k)->flows_max, 16384);
	k = kern_free(k);
	cfg.flows_max *= 2;
	cfg.flows_hash = true;
	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), 0);
	ck_assert(adopted);
	ck_assert_uint_eq(kern_features(k)->flows_max, 16384);
	ck_assert_uint_eq(kern_features(k)->embryonic_max, 4096);
	kern_free(k);
}
END_TEST

START_TEST(map_of_another_layout_means_a_fresh_start)
{
	struct kern *k = fixture_open(false, false);
	char path[PATH_MAX];
	int fd;

	kern_counter_set(k, 1, 1, 1);
	kern_free(k);
	pins_path(path, pin_dir, "v%u/gw_conf", GW_ABI_VERSION);
	ck_assert_int_eq(unlink(path), 0);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gw_conf", 4, 8, 1, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bpf_obj_pin(fd, path), 0);
	close(fd);
	k = fixture_open(false, false);
	kern_free(k);
	k = fixture_open(false, true);
	kern_free(k);
}
END_TEST

START_TEST(pins_of_another_version_go_when_no_device_needs_them)
{
	struct kern *k = fixture_open(false, false);
	char from[PATH_MAX], to[PATH_MAX];
	uint32_t old;

	attach_both(k);
	old = prog_on("a0", KERN_IN, by_clsact(0));
	kern_free(k);
	pins_path(from, pin_dir, "v%u", GW_ABI_VERSION);
	pins_path(to, pin_dir, "v%u", GW_ABI_VERSION + 1000);
	ck_assert_int_eq(rename(from, to), 0);

	k = fixture_open(false, false);
	ck_assert_int_eq(kern_attach(k, ifindex_of("a0")), 0);
	ck_assert_int_eq(access(to, F_OK), 0); /* b0 still runs the old one */
	ck_assert_int_eq(kern_attach(k, ifindex_of("b0")), 0);
	ck_assert_int_ne(access(to, F_OK), 0);
	ck_assert_uint_ne(prog_on("a0", KERN_IN, by_clsact(0)), old);
	ck_assert_int_le(tcx_count("a0", KERN_IN), 1);
	kern_free(k);
}
END_TEST

static Suite *life_suite(void)
{
	Suite *suite = suite_create("kern_life");
	TCase *twice = tcase_create("tcx and clsact"), *once = tcase_create("once");

	tcase_add_checked_fixture(twice, fixture_setup, fixture_teardown);
	tcase_set_timeout(twice, 30);
	tcase_add_loop_test(twice, killed_gwd_leaves_the_programs_and_the_next_one_adopts_them, 0,
			    2);
	tcase_add_loop_test(twice, second_attach_replaces_the_first, 0, 2);
	tcase_add_loop_test(twice, detach_leaves_the_device_as_it_was, 0, 2);
	tcase_add_loop_test(twice, no_descriptor_is_left_open, 0, 2);
	tcase_add_loop_test(twice, off_leaves_nothing, 0, 2);
	tcase_add_loop_test(twice, switch_between_tcx_and_clsact_leaves_one, 0, 2);
	tcase_add_loop_test(twice, recreated_device_with_the_old_number_is_attached_anew, 0, 2);
	tcase_add_loop_test(twice, same_number_in_another_namespace_is_another_device, 0, 2);
	tcase_add_loop_test(twice, missing_device_is_an_error_and_leaves_no_pin, 0, 2);
	suite_add_tcase(suite, twice);

	tcase_add_checked_fixture(once, fixture_setup, fixture_teardown);
	tcase_set_timeout(once, 60);
	tcase_add_test(once, foreign_clsact_qdisc_and_filter_stay);
	tcase_add_test(once, foreign_filter_at_our_place_is_never_replaced);
	tcase_add_test(once, unsafe_pin_directories_are_refused);
	tcase_add_test(once, directory_inside_a_bpffs_is_used_without_mounting);
	tcase_add_test(once, failed_open_leaves_the_pins_as_they_were);
	tcase_add_test(once, other_sizes_keep_the_tables_in_use);
	tcase_add_test(once, map_of_another_layout_means_a_fresh_start);
	tcase_add_test(once, pins_of_another_version_go_when_no_device_needs_them);
	suite_add_tcase(suite, once);
	return suite;
}

int main(void)
{
	return fixture_main(life_suite);
}
