/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_BPF_CONF_H
#define GW_BPF_CONF_H
/*
 * Load-time knobs.  kern sets them before load; untaken code is deleted by the verifier.
 */
const volatile __u32 cfg_hz = 250;     /* jiffies a second, 100..1000 */
const volatile __u32 cfg_fib_mark = 0; /* 1: BPF_FIB_LOOKUP_MARK works (6.10+) */
const volatile __u32 cfg_fib_skip_neigh =
	0;				/* 1: BPF_FIB_LOOKUP_SKIP_NEIGH works (6.3+, stable 6.1) */
const volatile __u32 cfg_csum_ipv6 = 0; /* 1: BPF_F_IPV6 works (6.16+) */
const volatile __u32 cfg_kern_ctx = 0;	/* 1: bpf_cast_to_kern_ctx is there (6.2+) */
/* Added to the kernel's jiffies wherever time is read; only tests move it. */
__u32 gw_clock_skew SEC(".data.clock") = 0;
#endif
