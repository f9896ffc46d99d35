/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "gun.h"
#include "util.h"
#include "world.h"
#include "traffic.skel.h"

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

static pid_t ksoftirqd_find(int cpu)
{
	char path[300], comm[32], want[32];
	struct dirent *d;
	pid_t pid = 0;
	FILE *f;
	DIR *dir = opendir("/proc");

	snprintf(want, sizeof(want), "ksoftirqd/%d\n", cpu);
	while (dir && !pid && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		f = d->d_name[0] > '0' && d->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f) && !strcmp(comm, want))
			pid = atoi(d->d_name);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return pid;
}

static double ksoftirqd_ns(pid_t pid)
{
	unsigned long long ns = 0;
	char path[40];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = pid ? fopen(path, "r") : NULL;
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}

static double thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

void gun_pin(const struct gun *gun)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(gun->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot pin to CPU %d: %s", gun->cpu, strerror(errno));
}

void gun_open(struct gun *gun)
{
	gun->cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	gun_pin(gun);
	gun->ksoftirqd = ksoftirqd_find(gun->cpu);
	gun->home_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	gun->traffic = traffic_bpf__open_and_load();
	if (!gun->traffic)
		die("the kernel refused the traffic programs");
}

void gun_close(struct gun *gun)
{
	traffic_bpf__destroy(gun->traffic);
	close(gun->home_ns);
}

struct frame_head *gun_list(struct gun *gun)
{
	return gun->traffic->bss->list;
}

static void plan_write(struct frame_plan *plan, const struct world *w, const struct load *load)
{
	int lanes = w->need.lanes;

	memset(plan, 0, sizeof(*plan));
	memcpy(plan->ifindex, load->reply ? w->server_if : w->client_if, sizeof(plan->ifindex));
	plan->lane_shift = __builtin_ctz(lanes);
	plan->mask = load->flows / lanes - 1; /* no flows: all ones */
	plan->base = load->base;
	plan->scatter = load->scatter;
	plan->proto = load->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	plan->tcp_flags = load->tcp_flags;
	plan->listed = load->listed;
	plan->reply = load->reply;
	plan->to_wan = !!(w->engine->flags & ENGINE_TRANSLATES);
}

/* Real-time for the length of the run: a waiting task would send the softirqs to ksoftirqd. */
static void hurry(bool on)
{
	struct sched_param param = { .sched_priority = on };

	sched_setscheduler(0, (on ? SCHED_FIFO : SCHED_OTHER) | SCHED_RESET_ON_FORK, &param);
}

void gun_fire(struct gun *gun, const struct world *w, const struct load *load,
	      struct shot *ret_shot)
{
	unsigned char frame[FRAME_LEN] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = load->frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = FRAME_BATCH);
	double start, deferred;
	int r;

	plan_write(&gun->traffic->bss->plan, w, load);
	memset(&gun->traffic->bss->count, 0, sizeof(gun->traffic->bss->count));
	if (setns(load->reply ? w->server_ns : w->client_ns, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	hurry(true);
	deferred = ksoftirqd_ns(gun->ksoftirqd);
	start = thread_ns();
	r = bpf_prog_test_run_opts(bpf_program__fd(gun->traffic->progs.bench_send), &opts);
	ret_shot->ns = thread_ns() - start;
	hurry(false);
	usleep(1000); /* what ksoftirqd got is done now */
	deferred = ksoftirqd_ns(gun->ksoftirqd) - deferred;
	if (setns(gun->home_ns, CLONE_NEWNET) || r)
		die("cannot send frames: %s", strerror(errno));
	ret_shot->ns = (ret_shot->ns + deferred) / load->frames;
	ret_shot->deferred = deferred / load->frames;
	ret_shot->got = gun->traffic->bss->count;
}
