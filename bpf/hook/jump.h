/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_JUMP_H
#define GW_JUMP_H
/* The tail calls.  Index = JUMP_* * 2 + (IPv6); filled by libbpf at load, one map per load (kern pins it). */
enum { JUMP_FAST, JUMP_OUT_FAST, JUMP_IN, JUMP_OUT, JUMP_REJECT, JUMP_MAX };

int gw_fast6(struct __sk_buff *skb);
int gw_outfast4(struct __sk_buff *skb);
int gw_outfast6(struct __sk_buff *skb);
int gw_in4(struct __sk_buff *skb);
int gw_in6(struct __sk_buff *skb);
int gw_out4(struct __sk_buff *skb);
int gw_out6(struct __sk_buff *skb);
int gw_reject4(struct __sk_buff *skb);
int gw_reject6(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, JUMP_MAX * 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} gw_jmp SEC(".maps") = {
	.values = {
		[JUMP_FAST * 2 + 1] = (void *)&gw_fast6, /* IPv4 is in gw_in itself */
		[JUMP_OUT_FAST * 2] = (void *)&gw_outfast4,
		[JUMP_OUT_FAST * 2 + 1] = (void *)&gw_outfast6,
		[JUMP_IN * 2] = (void *)&gw_in4,	     [JUMP_IN * 2 + 1] = (void *)&gw_in6,
		[JUMP_OUT * 2] = (void *)&gw_out4,	     [JUMP_OUT * 2 + 1] = (void *)&gw_out6,
		[JUMP_REJECT * 2] = (void *)&gw_reject4,     [JUMP_REJECT * 2 + 1] = (void *)&gw_reject6,
	},
};

/* A tail call returns only if it failed. */
static __always_inline int jump(struct __sk_buff *skb, __u32 to, const bool v6)
{
	struct pkt *p = pkt_scratch();

	bpf_tail_call_static(skb, &gw_jmp, to * 2 + v6);
	return p ? gw_drop(p, GW_REASON_INTERNAL, v6) : TC_ACT_SHOT;
}
#endif
