/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "tables.h"
#include "conf.h"

SEC("tc") int gw_in(struct __sk_buff *skb) { return TC_ACT_UNSPEC; }
SEC("tc") int gw_out(struct __sk_buff *skb) { return TC_ACT_UNSPEC; }
SEC("syscall") int gw_expire(struct gw_expire_ctx *ctx) { return cfg_hz + cfg_fib_mark + cfg_fib_skip_neigh + cfg_csum_ipv6 + gw_clock_skew > 100000; }
SEC("syscall") int gw_kill(struct gw_kill_ctx *ctx) { return 0; }
#define U(m) bpf_map_lookup_elem(&m, &k)
SEC("tc") int gw_touch(struct __sk_buff *skb) { __u64 k[6] = {}; return U(gw_est4)&&U(gw_est6)&&U(gw_emb4)&&U(gw_emb6)&&U(gw_frag)&&U(gw_slow)&&U(gw_ifs)&&U(gw_ifs_far)&&U(gw_local4)&&U(gw_local6)&&U(gw_rulesets)&&U(gw_counters)&&U(gw_conf)&&U(gw_stats)&&U(gw_reasons)&&bpf_ringbuf_query(&gw_events,0); }
char _license[] SEC("license") = "GPL";
