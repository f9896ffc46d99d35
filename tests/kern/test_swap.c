/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A swap of rulesets that fails, or whose gwd is killed, at each of its steps.
 *
 * The steps are calls of BPF_MAP_UPDATE_ELEM.  A thread does the swap under a seccomp filter that asks the main
 * thread about each of them, and that one says which shall fail.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "fixture.h"

/* The updates of one swap in order */
enum step { STEP_HOOKS, STEP_GEN, STEPS };
#define ALL_LATER (1U << 31) /* in a mask of steps */

struct swap {
	struct kern *k;
	uint32_t gen, hooks4;
	pthread_barrier_t started; /* listener is set, or is < 0 */
	int listener, result;
	uint32_t fail; /* bit of each update to fail */
	bool kill;     /* die instead */
	unsigned int updates;
};

static int image_swap(struct kern *k, uint32_t gen, uint32_t hooks4)
{
	struct gw_head head = { .gen = gen, .nlines = 1, .hooks4 = hooks4 };

	return kern_image_swap(k, &head, 1);
}

static int install_listener(void)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bpf, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_MAP_UPDATE_ELEM, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(insns), .filter = insns };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		       &prog);
}

static void *swapper(void *arg)
{
	struct swap *s = arg;

	s->listener = install_listener();
	pthread_barrier_wait(&s->started);
	if (s->listener >= 0)
		s->result = image_swap(s->k, s->gen, s->hooks4);
	return NULL;
}

static bool step_fails(const struct swap *s)
{
	return s->fail >> MIN(s->updates, 30U) & 1 ||
	       (s->fail & ALL_LATER && s->updates >= (unsigned int)__builtin_ctz(s->fail));
}

static void answer(struct swap *s)
{
	struct seccomp_notif req = {};
	struct seccomp_notif_resp resp = {};

	if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return;
	if (step_fails(s) && s->kill)
		_exit(0);
	resp.id = req.id;
	if (step_fails(s))
		resp.error = -EIO;
	else
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	s->updates++;
	ioctl(s->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* The result of a swap whose updates fail as s->fail says. */
static int failing_swap(struct swap *s)
{
	struct pollfd p = { .events = POLLIN };
	pthread_t thread;

	s->updates = 0;
	pthread_barrier_init(&s->started, NULL, 2);
	ck_assert_int_eq(pthread_create(&thread, NULL, swapper, s), 0);
	pthread_barrier_wait(&s->started);
	ck_assert_int_ge(s->listener, 0);
	p.fd = s->listener;
	/* POLLHUP comes with the end of the last thread that has the filter */
	while (pthread_tryjoin_np(thread, NULL) != 0)
		if (poll(&p, 1, 10) > 0 && p.revents & POLLIN)
			answer(s);
	close(s->listener);
	pthread_barrier_destroy(&s->started);
	return s->result;
}

static struct gw_conf conf_in_force(struct kern *k)
{
	struct gw_conf conf;
	uint32_t zero = 0;

	ck_assert_int_eq(bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.gw_conf), &zero, &conf), 0);
	return conf;
}

static uint32_t gen_in_force(struct kern *k)
{
	struct gw_head head = { .gen = 99 };

	ck_assert_int_eq(kern_image_head(k, &head), 0);
	return head.gen;
}

START_TEST(swap_that_fails_at_a_step_leaves_the_old_image)
{
	struct kern *k = fixture_open(false, false);
	struct swap s = { .k = k, .gen = 2, .hooks4 = 8, .fail = 1U << _i };

	ck_assert_int_eq(image_swap(k, 1, 5), 0);
	ck_assert_int_eq(kern_image_settle(k), 0);
	ck_assert_int_eq(failing_swap(&s), -EIO);
	ck_assert_uint_eq(gen_in_force(k), 1);
	ck_assert_uint_eq(conf_in_force(k).gen, 1);
	ck_assert_uint_eq(conf_in_force(k).hooks4, 5);

	ck_assert_int_eq(image_swap(k, 2, 8), 0);
	ck_assert_uint_eq(gen_in_force(k), 2);
	kern_free(k);
}
END_TEST

START_TEST(first_swap_that_fails_at_a_step_leaves_none)
{
	struct kern *k = fixture_open(false, false);
	struct swap s = { .k = k, .gen = 1, .hooks4 = 8, .fail = 1U << _i };

	ck_assert_int_eq(failing_swap(&s), -EIO);
	ck_assert_uint_eq(gen_in_force(k), 0);
	ck_assert_uint_eq(conf_in_force(k).gen, 0);
	ck_assert_uint_eq(conf_in_force(k).hooks4, 0);
	kern_free(k);
}
END_TEST

START_TEST(hooks_that_can_not_be_taken_back_do_no_harm)
{
	struct kern *k = fixture_open(false, false);
	struct swap s = { .k = k, .gen = 2, .hooks4 = 8, .fail = 1U << STEP_GEN | ALL_LATER };

	ck_assert_int_eq(image_swap(k, 1, 5), 0);
	ck_assert_int_eq(failing_swap(&s), -EIO);
	ck_assert_uint_eq(gen_in_force(k), 1);
	ck_assert_uint_eq(conf_in_force(k).gen, 1);
	ck_assert_uint_eq(conf_in_force(k).hooks4, 5 | 8);
	kern_free(k);

	k = fixture_open(false, true);
	ck_assert_uint_eq(gen_in_force(k), 1);
	ck_assert_uint_eq(conf_in_force(k).hooks4, 5);
	kern_free(k);
}
END_TEST

static void killed_gwd(enum step step)
{
	struct swap s = { .gen = 2, .hooks4 = 8, .fail = 1U << step, .kill = true };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		s.k = fixture_open(false, true);
		/* half of an image */
		memset(kern_image_spare(s.k), 0xaa, GW_LINE_SIZE);
		failing_swap(&s);
		_exit(step == STEPS ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

START_TEST(gwd_killed_before_a_step_leaves_one_image_and_its_conf)
{
	struct kern *k = fixture_open(false, false);
	uint32_t gen = _i == STEPS ? 2 : 1;

	ck_assert_int_eq(image_swap(k, 1, 5), 0);
	kern_free(k);
	killed_gwd(_i);
	k = fixture_open(false, true);
	ck_assert_uint_eq(gen_in_force(k), gen);
	ck_assert_uint_eq(conf_in_force(k).gen, gen);
	ck_assert_uint_eq(conf_in_force(k).hooks4, gen == 2 ? 8 : 5);
	kern_free(k);
}
END_TEST

static Suite *swap_suite(void)
{
	Suite *suite = suite_create("kern_swap");
	TCase *tc = tcase_create("swap");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, swap_that_fails_at_a_step_leaves_the_old_image, 0, STEPS);
	tcase_add_loop_test(tc, first_swap_that_fails_at_a_step_leaves_none, 0, STEPS);
	tcase_add_test(tc, hooks_that_can_not_be_taken_back_do_no_harm);
	tcase_add_loop_test(tc, gwd_killed_before_a_step_leaves_one_image_and_its_conf, 0,
			    STEPS + 1);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return fixture_main(swap_suite);
}
