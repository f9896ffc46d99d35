/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_LOGS_H
#define GW_LOGS_H
/*
 * A record for gwd of a packet that met a log statement.
 */

/* The bytes are those on the wire; rules see the destination that they will have. */
static __always_inline void log_destination(struct gw_log *log, const struct pkt *p, const bool v6)
{
	bool ports = p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ||
		     p->proto == IPPROTO_UDPLITE || p->proto == IPPROTO_SCTP ||
		     p->proto == IPPROTO_DCCP;
	__u64 at = p->l4 - p->l3 + 2;

	if (v6) {
		__be32 *daddr = (__be32 *)(log->bytes + 24);

		daddr[0] = bpf_htonl(p->r.k.d[0] >> 32);
		daddr[1] = bpf_htonl((__u32)p->r.k.d[0]);
		daddr[2] = bpf_htonl(p->r.k.d[1] >> 32);
		daddr[3] = bpf_htonl((__u32)p->r.k.d[1]);
	} else {
		*(__be32 *)(log->bytes + 16) = bpf_htonl((__u32)p->r.k.d[1]);
	}
	if (!ports || p->flags & PKT_FRAG_LATER || at + 2 > log->caplen)
		return;
	asm volatile("%0 &= 126" : "+r"(at)); /* < GW_LOG_BYTES, and even */
	*(__be16 *)(log->bytes + at) = bpf_htons(p->r.k.dport);
}

static __always_inline void log_fill(struct __sk_buff *skb, struct gw_log *log, struct pkt *p,
				     const bool v6)
{
	__u32 len = skb->len - p->l3;
	__u64 last = (len > GW_LOG_BYTES ? GW_LOG_BYTES : len) - 1;

	log->time_ns = gw_boot_ns();
	log->log_id = p->r.op.lo;
	log->rule = p->r.f.id;
	log->iif = p->r.iif;
	log->oif = p->r.oif;
	log->len = p->len;
	log->mark = p->r.k.mark;
	log->family = v6 ? 6 : 4;
	log->hook = p->r.hook;
	log->ethertype = v6 ? ETH_P_IPV6 : ETH_P_IP;
	*(__u32 *)log->pad = 0;
	__builtin_memset(log->mac, 0, sizeof(log->mac));
	log->has_mac =
		p->l3 && !(p->flags & PKT_EGRESS) && !bpf_skb_load_bytes(skb, 0, log->mac, 14);
	__builtin_memset(log->bytes, 0, sizeof(log->bytes));
	asm volatile("%0 &= 127" : "+r"(last)); /* GW_LOG_BYTES - 1 */
	log->caplen = bpf_skb_load_bytes(skb, p->l3, log->bytes, last + 1) ? 0 : last + 1;
	if (ttl_is_due(p))
		log->bytes[v6 ? 7 : 8]--;
	log_destination(log, p, v6);
}

__noinline int log_packet(struct __sk_buff *skb, __u32 v6)
{
	struct pkt *p = pkt_scratch();
	struct gw_log *log;

	if (!p)
		return OP_REFUSED;
	log = bpf_ringbuf_reserve(&gw_logs, sizeof(*log), 0);
	if (!log) {
		stat_add(GW_STAT_LOG_LOST, 1);
		return OP_OK;
	}
	log_fill(skb, log, p, v6);
	bpf_ringbuf_submit(log, BPF_RB_NO_WAKEUP);
	return OP_OK;
}
#endif
