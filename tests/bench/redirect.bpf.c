/* SPDX-License-Identifier: GPL-2.0-only */
/* The least a router at the TC hook can do: nothing but hand the frame to the other device. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 out_ifindex = 0;

SEC("tc")
int bench_redirect(struct __sk_buff *skb)
{
	return bpf_redirect(out_ifindex, 0);
}

char LICENSE[] SEC("license") = "GPL";
