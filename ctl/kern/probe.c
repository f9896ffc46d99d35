/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel can do, found by running tiny programs on a blank frame, and its clock.
 */
#include <sys/utsname.h>
#include <time.h>
#include <bpf/btf.h>
#include <kern/impl.h>

/* Names of the kernel's that the headers of the build machine may not have yet. */
#define FIB_LOOKUP_SKIP_NEIGH (1U << 2) /* 6.3, in stable 6.1 too */
#define FIB_LOOKUP_SRC	      (1U << 4) /* 6.7 */
#define FIB_LOOKUP_MARK	      (1U << 5) /* 6.10 */
#define CSUM_F_IPV6	      (1U << 7) /* BPF_F_IPV6, 6.16 */

#define INSN(c, dst, src, o, i) \
	((struct bpf_insn){     \
		.code = (c), .dst_reg = (dst), .src_reg = (src), .off = (o), .imm = (i) })
#define MOV_REG(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV_IMM(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define ADD_IMM(dst, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define ZERO64(off)	  INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, off, 0)
#define CALL(func)	  INSN(BPF_JMP | BPF_CALL, 0, 0, 0, func)
#define EXIT()		  INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int probe_load(const struct bpf_insn *insns, size_t n)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "gw_probe", "GPL", insns, n, NULL);

	return fd < 0 ? -errno : fd;
}

int probe_run(int prog_fd, uint32_t *ret_value)
{
	uint8_t frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));

	if (bpf_prog_test_run_opts(prog_fd, &opts) < 0)
		return -errno;
	*ret_value = opts.retval;
	return 0;
}

/* A helper refuses flags it does not know with -EINVAL before it looks at anything else. */
static bool probe_flag(const struct bpf_insn *insns, size_t n)
{
	_cleanup_(closep) int fd = probe_load(insns, n);
	uint32_t value = 0;

	return fd >= 0 && probe_run(fd, &value) == 0 && (int32_t)value != -EINVAL;
}

static bool probe_fib_flag(uint32_t flag)
{
	const struct bpf_insn insns[] = {
		/* struct bpf_fib_lookup, 64 bytes of zero: family 0 ends the lookup early */
		ZERO64(-64),
		ZERO64(-56),
		ZERO64(-48),
		ZERO64(-40),
		ZERO64(-32),
		ZERO64(-24),
		ZERO64(-16),
		ZERO64(-8),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -64),
		MOV_IMM(BPF_REG_3, 64),
		MOV_IMM(BPF_REG_4, (int32_t)flag),
		CALL(BPF_FUNC_fib_lookup),
		EXIT(),
	};

	return probe_flag(insns, ARRAY_SIZE(insns));
}

static bool probe_csum_ipv6(void)
{
	const struct bpf_insn insns[] = {
		MOV_IMM(BPF_REG_2, 1), /* an odd offset is -EFAULT: the frame stays as it is */
		MOV_IMM(BPF_REG_3, 0),
		MOV_IMM(BPF_REG_4, 0),
		MOV_IMM(BPF_REG_5, BPF_F_PSEUDO_HDR | CSUM_F_IPV6),
		CALL(BPF_FUNC_l4_csum_replace),
		EXIT(),
	};

	return probe_flag(insns, ARRAY_SIZE(insns));
}

/* A kernel function that programs may call is in the kernel's BTF. */
static bool probe_kern_ctx(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found = btf && btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return found;
}

int probe_load_jiffies(void)
{
	const struct bpf_insn insns[] = { CALL(BPF_FUNC_jiffies64), EXIT() };
	int fd = probe_load(insns, ARRAY_SIZE(insns));

	return fd < 0 ? raise(fd, "load a BPF program (root and a kernel with BPF are needed)")
		      : fd;
}

int kern_jiffies(const struct kern *k, uint32_t *ret_now)
{
	uint32_t value;
	int r = probe_run(k->jiffies_fd, &value);

	if (r < 0)
		return raise(r, "read the kernel's clock");
	*ret_now = value + k->skel->data_clock->gw_clock_skew;
	return 0;
}

/* The coarse clocks advance once a tick, and their resolution says how long one is. */
static unsigned int probe_hz(void)
{
	struct timespec res;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &res) < 0 || res.tv_sec || res.tv_nsec <= 0)
		return 250;
	return (NSEC_PER_SEC + res.tv_nsec / 2) / res.tv_nsec;
}

bool probe_fib_skip_neigh(void)
{
	return probe_fib_flag(FIB_LOOKUP_SKIP_NEIGH);
}

int probe_features(struct kern_features *f, bool force_clsact)
{
	int cpus = libbpf_num_possible_cpus();
	struct utsname uts;

	if (cpus < 0)
		return raise(cpus, "count the CPUs");
	if (uname(&uts) == 0)
		snprintf(f->release, sizeof(f->release), "%.63s", uts.release);
	f->cpus = cpus;
	f->hz = probe_hz();
	f->tcx = !force_clsact && tcx_supported();
	f->fib_mark = probe_fib_flag(FIB_LOOKUP_MARK);
	f->fib_src = probe_fib_flag(FIB_LOOKUP_SRC);
	f->csum_ipv6 = probe_csum_ipv6();
	f->kern_ctx = probe_kern_ctx();
	return 0;
}
