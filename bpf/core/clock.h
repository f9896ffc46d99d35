/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_CLOCK_H
#define GW_CLOCK_H
/* The one clock: jiffies, low 32 bits.  Differences are right across the wrap for 2^31 jiffies (24 days at 1000 Hz). */
static __always_inline __u32 gw_now(void)
{
	return (__u32)bpf_jiffies64() + gw_clock_skew;
}

/* CLOCK_BOOTTIME, in nanoseconds. */
static __always_inline __u64 gw_boot_ns(void)
{
	return bpf_ktime_get_boot_ns() + (__u64)gw_clock_skew * (1000000000U / cfg_hz);
}
#endif
