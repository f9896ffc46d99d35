/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_SUM_H
#define GW_SUM_H
/*
 * sum - is the transport checksum of a packet right?  Read 64 bytes a step into scratch, so only where it matters.
 */
struct sum_walk {
	struct __sk_buff *skb;
	__u32 at, end;
	__u32 sum;
};

static long sum_step(__u32 i, struct sum_walk *s)
{
	struct pkt *p = pkt_scratch();
	__u32 left = s->end - s->at;
	__u64 last = left - 1;

	if (!p || s->at >= s->end)
		return 1;
	if (left < 64) {
		__builtin_memset(p->opts, 0, sizeof(p->opts));
		asm volatile("%0 &= 63" : "+r"(last));
		if (bpf_skb_load_bytes(s->skb, s->at, p->opts, last + 1))
			return 1;
	} else if (bpf_skb_load_bytes(s->skb, s->at, p->opts, 64)) {
		return 1;
	}
	s->sum = bpf_csum_diff(NULL, 0, (__be32 *)p->opts, 64, s->sum);
	s->at += 64;
	return 0;
}

/* Sum of what is behind the IP header. */
static __always_inline __u32 sum_payload(struct __sk_buff *skb, struct pkt *p)
{
	struct sum_walk s = { .skb = skb, .at = p->l4, .end = p->l3 + p->len };

	bpf_loop(1024, sum_step, &s, 0);
	return s.sum;
}

static __always_inline __u64 sum_pseudo(struct pkt *p, __u8 proto, const bool v6)
{
	__u64 sum = (__u64)bpf_htonl(p->l3 + p->len - p->l4) + bpf_htonl(proto);

	if (!v6)
		return sum + p->t.v4.saddr + p->t.v4.daddr;
	for (int i = 0; i < 4; i++)
		sum += (__u64)p->t.v6.saddr[i] + p->t.v6.daddr[i];
	return sum;
}

/*
 * A damaged TCP segment?  As netfilter asks (nf_checksum): not where the kernel has not filled the sum in yet, of its own packets and those of
 * the machine's other namespaces.  Before 6.2 that can not be read; then the field holds the pseudo header's sum.
 */
static __always_inline bool tcp_sum_bad(struct __sk_buff *skb, struct pkt *p, const bool v6)
{
	__u64 pseudo;
	__be16 field;

	if (p->flags & (PKT_FRAG | PKT_EGRESS) || skb->gso_size || sum_is_trusted(skb))
		return false;
	pseudo = sum_pseudo(p, IPPROTO_TCP, v6);
	if (csum_fold16(pseudo + sum_payload(skb, p)) == 0xffff)
		return false;
	return cfg_kern_ctx || bpf_skb_load_bytes(skb, p->l4 + 16, &field, 2) ||
	       field != csum_fold16(pseudo);
}

__noinline int tcp_sum_bad4(struct __sk_buff *skb)
{
	struct pkt *p = pkt_scratch();

	return p ? tcp_sum_bad(skb, p, false) : 0;
}

__noinline int tcp_sum_bad6(struct __sk_buff *skb)
{
	struct pkt *p = pkt_scratch();

	return p ? tcp_sum_bad(skb, p, true) : 0;
}
#endif
