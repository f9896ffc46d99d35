/* SPDX-License-Identifier: GPL-2.0-only */
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "fixture.h"

char pin_dir[256];

static void sh_format(char *out, size_t size, const char *fmt, va_list ap)
{
	ck_assert_int_lt(vsnprintf(out, size, fmt, ap), (int)size);
}

void sh(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	sh_format(command, sizeof(command), fmt, ap);
	va_end(ap);
	ck_assert_msg(system(command) == 0, "failed: %s", command);
}

int sh_lines(const char *fmt, ...)
{
	char command[512], line[512];
	int lines = 0;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	sh_format(command, sizeof(command), fmt, ap);
	va_end(ap);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		lines++;
	ck_assert_int_eq(pclose(f), 0);
	return lines;
}

void fixture_setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	/* a tmpfs of our own: whatever a failing test leaves goes with the mount namespace */
	ck_assert_int_eq(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"), 0);
	ck_assert_int_eq(mount("sysfs", "/sys", "sysfs", 0, NULL), 0);
	snprintf(pin_dir, sizeof(pin_dir), "/tmp/pins");
	sh("ip link set lo up && ip link add a0 type veth peer name b0 && "
	   "ip link set a0 up && ip link set b0 up");
}

void fixture_teardown(void)
{
	ck_assert_int_eq(kern_off(pin_dir), 0);
	ck_assert_int_ne(access(pin_dir, F_OK), 0);
}

struct kern_config fixture_config(bool clsact)
{
	return (struct kern_config){ .pin_dir = pin_dir,
				     .flows_max = 16384,
				     .embryonic_max = 4096,
				     .ring_bytes = 65536,
				     .force_clsact = clsact };
}

struct kern *fixture_open(bool clsact, bool expect_adopted)
{
	struct kern_config cfg = fixture_config(clsact);
	struct kern *k = NULL;
	bool adopted = !expect_adopted;

	ck_assert_int_eq(kern_open(&cfg, &k, &adopted), 0);
	ck_assert_ptr_nonnull(k);
	ck_assert_int_eq(adopted, expect_adopted);
	return k;
}

unsigned int ifindex_of(const char *name)
{
	unsigned int ifindex = if_nametoindex(name);

	ck_assert_uint_ne(ifindex, 0);
	return ifindex;
}

uint32_t prog_on(const char *ifname, enum kern_dir d, bool clsact)
{
	char dir[PATH_MAX];
	uint32_t id = 0;
	int fd;

	pins_path(dir, pin_dir, "v%u", GW_ABI_VERSION);
	if (clsact)
		return clsact_prog_id(dir, ifindex_of(ifname), d);
	fd = tcx_open(dir, ifindex_of(ifname), d, &id);
	closep(&fd);
	return fd < 0 ? 0 : id;
}

int tcx_count(const char *ifname, enum kern_dir dir)
{
	__u32 ids[64], n = ARRAY_SIZE(ids);

	/* BPF_TCX_INGRESS, BPF_TCX_EGRESS */
	return bpf_prog_query(ifindex_of(ifname), 46 + dir, 0, NULL, ids, &n) < 0 ? 0 : (int)n;
}

int foreign_filter(const char *ifname, enum kern_dir dir, unsigned int prio)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_(closep) int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "other", "GPL", insns,
						 ARRAY_SIZE(insns), NULL);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex_of(ifname),
		    .attach_point = dir == KERN_IN ? BPF_TC_INGRESS : BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = prio, .prog_fd = fd);

	return bpf_tc_attach(&hook, &opts);
}

int fixture_main(Suite *(*make)(void))
{
	SRunner *runner;
	int failed;

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		return 77;
	}
	runner = srunner_create(make());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
