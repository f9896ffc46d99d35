/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include "util.h"
#include "world.h"
#include "redirect.skel.h"
#include "traffic.skel.h"

#define TCX_INGRESS 46 /* BPF_TCX_INGRESS; libbpf 1.1 does not know it */

static const char ns_script[] = "ip netns add $N\n"
				"ip netns exec $N sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
				"net.ipv6.conf.default.disable_ipv6=1\n";

/* Few processes: a run makes some sixty of these. */
static const char lane_script[] =
	"ip -n $R -batch - <<EOF\n"
	"link add rc address 02:00:00:00:00:01 type veth peer name c$L address 02:00:00:00:00:02 "
	"netns $C\n"
	"link add rs address 02:00:00:00:00:03 type veth peer name s$L address 02:00:00:00:00:04 "
	"netns $S\n"
	"addr add 10.76.0.1/24 dev rc\n"
	"addr add 10.88.0.1/24 dev rs\n"
	"link set lo up\n"
	"link set rc up\n"
	"link set rs up\n"
	"neigh add 10.76.0.2 lladdr 02:00:00:00:00:02 nud permanent dev rc\n"
	"neigh add 10.88.0.2 lladdr 02:00:00:00:00:04 nud permanent dev rs\n"
	"route add 10.77.0.0/16 via 10.76.0.2 dev rc\n"
	"EOF\n"
	"ip -n $C link set c$L up\n"
	"ip -n $S link set s$L up\n"
	"ip netns exec $R sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0"
	" net.ipv4.conf.rc.rp_filter=0 net.ipv4.conf.rs.rp_filter=0\n"
	"ip netns exec $R sysctl -qw net.netfilter.nf_conntrack_udp_timeout=900"
	" net.netfilter.nf_conntrack_udp_timeout_stream=900 || :\n"
	"ip netns exec $R ethtool -K rc gro on\n"
	"ip netns exec $R ethtool -K rs gro on\n";

void world_isolate(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bench", "/run", "tmpfs", 0, "mode=0755"))
		die("no mount namespace of our own (%s): run as root", strerror(errno));
	mkdir("/run/netns", 0755);
	mkdir("/run/bpf", 0700);
	if (mount("bench", "/run/bpf", "bpf", 0, "mode=0700"))
		die("cannot mount a bpf file system: %s", strerror(errno));
}

static int ns_open(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	return fd;
}

static int ns_home(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("cannot open our own namespace: %s", strerror(errno));
	return fd;
}

static void ns_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
}

static void ns_make(const char *name)
{
	char n[40];
	char *env[] = { n, NULL };

	snprintf(n, sizeof(n), "N=%s", name);
	if (sh_run(ns_script, env))
		die("cannot make namespace %s", name);
}

/* Attach the counter (or the floor's XDP_DROP) to @dev of the current namespace; its ifindex. */
static __u32 xdp_attach(const char *dev, const struct bpf_program *prog)
{
	__u32 ifindex = if_nametoindex(dev);

	if (!ifindex || bpf_xdp_attach(ifindex, bpf_program__fd(prog), XDP_FLAGS_DRV_MODE, NULL))
		die("cannot attach XDP to %s: %s", dev, strerror(errno));
	return ifindex;
}

static void lane_make(struct world *w, const struct world_env *env, int lane)
{
	char r[40], c[40], s[40], l[8], dev[IF_NAMESIZE];
	char *vars[] = { r, c, s, l, NULL };
	int home = ns_home();

	snprintf(w->router[lane], sizeof(w->router[lane]), "%s-r%d", w->name, lane);
	ns_make(w->router[lane]);
	snprintf(r, sizeof(r), "R=%s", w->router[lane]);
	snprintf(c, sizeof(c), "C=%s-c", w->name);
	snprintf(s, sizeof(s), "S=%s-s", w->name);
	snprintf(l, sizeof(l), "L=%d", lane);
	if (sh_run(lane_script, vars))
		die("cannot build %s", w->router[lane]);
	ns_enter(w->client_ns);
	snprintf(dev, sizeof(dev), "c%d", lane);
	w->client_if[lane] = xdp_attach(dev, env->traffic->progs.bench_count);
	ns_enter(w->server_ns);
	snprintf(dev, sizeof(dev), "s%d", lane);
	w->server_if[lane] = xdp_attach(dev, env->traffic->progs.bench_count);
	ns_enter(home);
	close(home);
}

static int clsact_attach(int ifindex, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .priority = 1, .handle = 1);

	return bpf_tc_hook_create(&hook) ?: bpf_tc_attach(&hook, &opts);
}

/* In the router's namespace: frames from rc leave by rs. */
static bool redirect_attach(struct world *w, int lane)
{
	struct redirect_bpf *skel = redirect_bpf__open();
	int rc = if_nametoindex("rc"), fd;

	if (!skel)
		die("cannot open the redirect program");
	w->redirect[lane] = skel;
	skel->rodata->out_ifindex = if_nametoindex("rs");
	if (redirect_bpf__load(skel))
		return false;
	fd = bpf_program__fd(skel->progs.bench_redirect);
	if (w->engine->flags & ENGINE_CLSACT)
		return clsact_attach(rc, fd) == 0;
	w->tcx_fd[lane] = bpf_link_create(fd, rc, TCX_INGRESS, NULL);
	return w->tcx_fd[lane] >= 0;
}

static int script_run(struct world *w, const struct world_env *env, int lane, const char *script)
{
	char r[48], d[64], g[512], n[24];
	char *vars[] = { r, d, g, n, NULL };

	if (!script)
		return 0;
	snprintf(n, sizeof(n), "N=%u", w->need.rules);
	snprintf(r, sizeof(r), "R=%s", w->router[lane]);
	snprintf(d, sizeof(d), "D=%s%d", w->dir, lane);
	snprintf(g, sizeof(g), "GWCTL=%s", env->gwctl);
	return sh_run(script, vars);
}

static void gwd_start(struct world *w, const struct world_env *env, int lane)
{
	char r[48], d[64], g[512], f[32], e[64] = "E=", m[48] = "M=";
	char *vars[] = { r, d, g, f, e, m, NULL };

	snprintf(r, sizeof(r), "R=%s", w->router[lane]);
	snprintf(d, sizeof(d), "D=%s%d", w->dir, lane);
	snprintf(g, sizeof(g), "GWD=%s", env->gwd);
	snprintf(f, sizeof(f), "F=%lu", w->need.flows);
	if (w->need.embryonic)
		snprintf(e, sizeof(e), "E=--set flows.embryonic_max=%lu", w->need.embryonic);
	if (w->need.rules_mb)
		snprintf(m, sizeof(m), "M=--set rules.memory=%u", w->need.rules_mb);
	w->gwd[lane] =
		sh_start("mkdir -p $D\n: >$D/ruleset.nft\n"
			 "exec ip netns exec $R $GWD --runtime-dir $D --pin-dir /run/bpf/$R"
			 " --ruleset $D/ruleset.nft --interface rc,rs --set flows.max=$F $E $M"
			 " --set timeout.udp=900 --set timeout.udp_stream=900 2>$D/log",
			 vars, env->cpu, -1);
}

static bool engine_install(struct world *w, const struct world_env *env, int lane)
{
	int home = ns_home(), router = ns_open(w->router[lane]);
	bool ok = true;

	ns_enter(router);
	if (w->engine->flags & ENGINE_FLOOR)
		xdp_attach("rc", env->traffic->progs.bench_drop);
	if (w->engine->flags & (ENGINE_TCX | ENGINE_CLSACT))
		ok = redirect_attach(w, lane);
	ns_enter(home);
	close(home);
	close(router);
	if (w->engine->flags & ENGINE_GWD)
		gwd_start(w, env, lane);
	ok = ok && !script_run(w, env, lane, w->engine->setup);
	ok = ok && (!w->need.policy || !script_run(w, env, lane, w->engine->policy));
	/* what no rule matches goes anywhere */
	if (w->need.rules)
		ok = ok && !script_run(w, env, lane, "ip -n $R route add default via 10.88.0.2") &&
		     !script_run(w, env, lane, w->engine->rules);
	if (!ok && w->engine->flags & ENGINE_GWD)
		script_run(w, env, lane, "tail -n 5 $D/log >&2");
	return ok;
}

/* Count the lines of @fd that announce a new connection, in a process away from @cpu. */
static pid_t lines_count(int fd, volatile unsigned long *lines, int cpu)
{
	char *line = NULL;
	size_t size = 0;
	pid_t pid = fork();
	FILE *in;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	leave_cpu(cpu);
	in = fdopen(fd, "r");
	while (in && getline(&line, &size, in) > 0)
		*lines += strstr(line, "[NEW]") != NULL;
	_exit(0);
}

static void listen_start(struct world *w, const struct world_env *env)
{
	char r[48], d[64], g[512];
	char *vars[] = { r, d, g, NULL };
	int fds[2];

	w->lines = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->lines == MAP_FAILED || pipe2(fds, O_CLOEXEC))
		die("cannot count events: %s", strerror(errno));
	snprintf(r, sizeof(r), "R=%s", w->router[0]);
	snprintf(d, sizeof(d), "D=%s0", w->dir);
	snprintf(g, sizeof(g), "GWCTL=%s", env->gwctl);
	w->listener = sh_start(w->engine->listen, vars, env->cpu, fds[1]);
	close(fds[1]);
	w->counter = lines_count(fds[0], w->lines, env->cpu);
	close(fds[0]);
	usleep(200000);
}

bool world_up(struct world *w, const struct world_env *env, const struct engine *engine, int number,
	      const struct world_need *need)
{
	char name[32];
	bool ok = true;
	int lane;

	memset(w, 0, sizeof(*w));
	w->engine = engine;
	w->need = *need;
	snprintf(w->name, sizeof(w->name), "w%d", number);
	snprintf(w->dir, sizeof(w->dir), "/run/w%d-", number);
	snprintf(name, sizeof(name), "%s-c", w->name);
	ns_make(name);
	w->client_ns = ns_open(name);
	snprintf(name, sizeof(name), "%s-s", w->name);
	ns_make(name);
	w->server_ns = ns_open(name);
	for (lane = 0; lane < need->lanes && ok; lane++) {
		lane_make(w, env, lane);
		ok = engine_install(w, env, lane);
	}
	if (ok && need->listen)
		listen_start(w, env);
	return ok;
}

void world_flush(struct world *w, const struct world_env *env)
{
	int lane;

	for (lane = 0; lane < w->need.lanes; lane++)
		if (script_run(w, env, lane, w->engine->flush))
			die("%s: cannot flush the flow table", w->engine->name);
}

static unsigned long cpu_ticks(pid_t pid)
{
	unsigned long user = 0, sys = 0;
	char path[32];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) !=
	    2)
		user = sys = 0;
	fclose(f);
	return user + sys;
}

void world_settle(struct world *w)
{
	unsigned long lines, ticks, last_lines = ~0UL, last_ticks = ~0UL;
	int i;

	if (w->listener <= 0)
		return;
	for (i = 0; i < 100; i++) {
		lines = *w->lines;
		ticks = cpu_ticks(w->listener);
		if (i > 2 && lines == last_lines && ticks == last_ticks)
			return;
		last_lines = lines;
		last_ticks = ticks;
		usleep(30000);
	}
}

void world_down(struct world *w)
{
	char n[40];
	char *vars[] = { n, NULL };
	int lane;

	sh_stop(w->listener);
	sh_stop(w->counter);
	for (lane = 0; lane < FRAME_LANES && w->router[lane][0]; lane++) {
		sh_stop(w->gwd[lane]);
		if (w->redirect[lane])
			redirect_bpf__destroy(w->redirect[lane]);
		if (w->tcx_fd[lane] > 0)
			close(w->tcx_fd[lane]);
	}
	if (w->lines)
		munmap((void *)w->lines, 4096);
	close(w->client_ns);
	close(w->server_ns);
	snprintf(n, sizeof(n), "N=%s", w->name);
	sh_run("rm -rf /run/bpf/$N-*\nfor n in /run/netns/$N-*; do ip netns del ${n##*/}; done",
	       vars);
	memset(w, 0, sizeof(*w));
}
