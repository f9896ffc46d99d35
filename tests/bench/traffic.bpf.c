/* SPDX-License-Identifier: GPL-2.0-only */
/* The two ends of the benchmark: make frames, count frames.  Both run on one CPU only. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "frame.h"

#define FRAME_MIN  (ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr))
#define CLIENT_ISN 1000
#define SERVER_ISN 5000

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	union {
		struct udphdr udp;
		struct tcphdr tcp;
		__be16 words[15];
	} __attribute__((packed, aligned(2)));
} __attribute__((packed, aligned(2)));
_Static_assert(sizeof(struct frame) == FRAME_LEN, "64-byte frames");

struct frame_plan plan;
struct frame_count count;
struct frame_head list[FRAME_LIST];

static __always_inline __u32 sum32(__u32 sum, __u32 word)
{
	return sum + (word & 0xffff) + (word >> 16);
}

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* A bijection on 0..mask, so that each round visits every flow once. */
static __always_inline __u32 scatter(__u32 i, __u32 mask)
{
	i = (i * 0x9e3779b1U) & mask;
	i ^= i >> 7;
	return (i * 0x85ebca6bU) & mask;
}

static __always_inline __u32 plan_flow(__u32 n, __u32 lane)
{
	__u32 i = ((n / FRAME_BATCH) >> plan.lane_shift) * FRAME_BATCH + n % FRAME_BATCH;

	if (plan.mask == 0xffffffff)
		return plan.base + i;
	i &= plan.mask;
	if (plan.scatter)
		i = scatter(i, plan.mask);
	return plan.base + lane * (plan.mask + 1) + i;
}

static __always_inline __u32 flow_client(__u32 flow)
{
	return FRAME_CLIENTS + (flow & 63);
}

/* The next packet of the list, or of a flow. */
static __always_inline void head_choose(struct frame_head *h, __u32 n, __u32 lane)
{
	__u32 flow = plan_flow(n, lane), client = flow_client(flow);
	__u16 port = 1024 + (flow & 0x7fff), service = 2000 + (flow >> 15);

	if (plan.listed) {
		*h = list[(plan.base + n) & (FRAME_LIST - 1)];
		return;
	}
	h->proto = plan.proto;
	h->saddr = plan.reply ? FRAME_SERVER : client;
	h->daddr = !plan.reply ? FRAME_SERVER : plan.to_wan ? FRAME_WAN : client;
	h->sport = plan.reply ? service : port;
	h->dport = plan.reply ? port : service;
}

static __always_inline __u32 ip_fill(struct frame *f, const struct frame_head *h, __u32 n)
{
	__u32 sum;

	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.tos = 0;
	f->ip.tot_len = bpf_htons(h->proto == IPPROTO_UDP ? FRAME_LEN - ETH_HLEN : 40);
	f->ip.id = bpf_htons(n);
	f->ip.frag_off = 0;
	f->ip.ttl = 64;
	f->ip.protocol = h->proto;
	f->ip.saddr = bpf_htonl(h->saddr);
	f->ip.daddr = bpf_htonl(h->daddr);
	sum = sum32(sum32(0, f->ip.saddr), f->ip.daddr);
	f->ip.check = fold(sum + bpf_htons(0x4500) + f->ip.tot_len + f->ip.id +
			   bpf_htons(64 << 8 | h->proto));
	return sum;
}

static __always_inline void udp_fill(struct frame *f, __u32 sum)
{
	__be16 len = bpf_htons(FRAME_LEN - ETH_HLEN - sizeof(f->ip));

	f->udp.len = len;
	f->udp.check = 0;
	f->udp.check = fold(sum + bpf_htons(IPPROTO_UDP) + len + len + f->udp.source + f->udp.dest);
}

static __always_inline void tcp_fill(struct frame *f, __u32 sum)
{
	__u32 flags = plan.listed ? FRAME_SYN : plan.tcp_flags;
	__u32 isn = plan.reply ? SERVER_ISN : CLIENT_ISN,
	      peer = plan.reply ? CLIENT_ISN : SERVER_ISN;

	f->tcp.seq = bpf_htonl(isn + !(flags & FRAME_SYN));
	f->tcp.ack_seq = flags & FRAME_ACK ? bpf_htonl(peer + 1) : 0;
	f->words[6] = bpf_htons(5 << 12 | flags);
	f->tcp.window = bpf_htons(64000);
	f->tcp.check = 0;
	f->tcp.urg_ptr = 0;
	sum = sum32(sum32(sum, f->tcp.seq), f->tcp.ack_seq) + f->words[6] + f->tcp.window;
	f->tcp.check =
		fold(sum + bpf_htons(IPPROTO_TCP) + bpf_htons(20) + f->tcp.source + f->tcp.dest);
}

/* All headers are written anew: the page comes back from the last run as the router left it. */
SEC("xdp")
int bench_send(struct xdp_md *ctx)
{
	struct frame *f = (void *)(long)ctx->data;
	__u32 n = plan.next++, lane, sum;
	struct frame_head h;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	lane = (n / FRAME_BATCH) & ((1U << plan.lane_shift) - 1) & (FRAME_LANES - 1);
	head_choose(&h, n, lane);
	__builtin_memcpy(f->eth.h_dest, "\x02\0\0\0\0", ETH_ALEN);
	f->eth.h_dest[5] = plan.reply ? 3 : 1;
	__builtin_memcpy(f->eth.h_source, "\x02\0\0\0\0", ETH_ALEN);
	f->eth.h_source[5] = plan.reply ? 4 : 2;
	f->eth.h_proto = bpf_htons(ETH_P_IP);
	sum = ip_fill(f, &h, n);
	f->udp.source = bpf_htons(h.sport);
	f->udp.dest = bpf_htons(h.dport);
	if (h.proto == IPPROTO_UDP)
		udp_fill(f, sum);
	else
		tcp_fill(f, sum);
	return bpf_redirect(plan.ifindex[lane], 0);
}

static __always_inline bool reply_fits(struct frame *f)
{
	__u32 flow = (bpf_ntohs(f->udp.source) - 2000) << 15 | (bpf_ntohs(f->udp.dest) - 1024);

	return bpf_ntohl(f->ip.daddr) == flow_client(flow);
}

/* The bytes behind a TCP header are padding that the router may have cut off. */
static __always_inline bool frame_is_sound(struct frame *f, void *end)
{
	__u32 len = bpf_ntohs(f->ip.tot_len) - sizeof(f->ip), sum = 0, i;
	__u16 *head = (void *)&f->ip;

	for (i = 0; i < sizeof(f->ip) / 2; i++)
		sum += head[i];
	if (fold(sum))
		return false;
	sum = sum32(sum32(0, f->ip.saddr), f->ip.daddr) + bpf_htons(f->ip.protocol) +
	      bpf_htons(len);
	for (i = 0; i < sizeof(struct tcphdr) / 2; i++)
		sum += f->words[i];
	if (f->ip.protocol == IPPROTO_TCP)
		return len == sizeof(struct tcphdr) && !fold(sum);
	if ((void *)(f + 1) > end)
		return false;
	for (; i < sizeof(f->words) / 2; i++)
		sum += f->words[i];
	return !fold(sum);
}

SEC("xdp")
int bench_count(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct frame *f = (void *)(long)ctx->data;
	__u64 seen;

	if ((void *)f + FRAME_MIN > end || f->eth.h_proto != bpf_htons(ETH_P_IP)) {
		count.other++;
		return XDP_DROP;
	}
	if (f->ip.daddr == bpf_htonl(FRAME_SERVER))
		seen = f->ip.saddr == bpf_htonl(FRAME_WAN) ? count.translated++ : count.plain++;
	else if (f->ip.saddr == bpf_htonl(FRAME_SERVER) && reply_fits(f))
		seen = count.back++;
	else
		seen = count.other++;
	if (seen % 64 == 0) {
		count.checked++;
		count.damaged += !frame_is_sound(f, end);
	}
	return XDP_DROP;
}

/* The floor: what sending and receiving cost without any router. */
SEC("xdp")
int bench_drop(struct xdp_md *ctx)
{
	count.other++;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
