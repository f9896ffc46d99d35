/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The object: includes, hooks, licence; no logic.  How a packet travels: README.md.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_core_read.h>
#include "core/compat.h"
#include "tables.h"
#include "conf.h"
#include "core/clock.h"
#include "core/pkt.h"
#include "core/reason.h"
#include "core/next.h"
#include "core/crc32c.h"
#include "core/rewrite.h"
#include "core/parse.h"
#include "core/sum.h"
#include "core/frag.h"
#include "core/event.h"
#include "core/flow.h"
#include "core/pair.h"
#include "core/noted.h"
#include "track/tcp.h"
#include "track/sctp.h"
#include "track/dccp.h"
#include "track/assoc.h"
#include "core/rules.h"
#include "core/eim.h"
#include "core/claim.h"
#include "stage/conntrack.h"
#include "stage/verdict.h"
#include "stage/recheck.h"
#include "stage/dnat.h"
#include "stage/route.h"
#include "stage/snat.h"
#include "stage/icmp_error.h"
#include "stage/finish.h"
#include "stage/reject.h"
#include "hook/jump.h"
#include "hook/ingress.h"
#include "hook/egress.h"
#include "hook/fast.h"
#include "hook/expire.h"
#include "hook/change.h"

SEC("tc") int gw_in4(struct __sk_buff *skb)
{
	return hook_in(skb, false);
}
SEC("tc") int gw_in6(struct __sk_buff *skb)
{
	return hook_in(skb, true);
}
SEC("tc") int gw_out4(struct __sk_buff *skb)
{
	return hook_out(skb, false);
}
SEC("tc") int gw_out6(struct __sk_buff *skb)
{
	return hook_out(skb, true);
}
SEC("tc") int gw_reject4(struct __sk_buff *skb)
{
	return hook_reject(skb, false);
}
SEC("tc") int gw_reject6(struct __sk_buff *skb)
{
	return hook_reject(skb, true);
}

/* Begin the slow path: reset what must survive a restart of it. */
static __always_inline int slow_begin(struct __sk_buff *skb, __u32 to, const bool v6)
{
	struct pkt *p = pkt_scratch();

	if (!p)
		return TC_ACT_SHOT;
	p->restarts = 0;
	stat_add(GW_STAT_SLOW, 1);
	return jump(skb, to, v6);
}

/* Programs that run for every packet are kept small: a large frame and prologue cost as much as a lookup. */
SEC("tc") int gw_in(struct __sk_buff *skb)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct gw_conf *conf = conf_get();
	int r = FAST_NO;

	/* VLAN frames come again on their own device; frames for others are only seen in promiscuous mode */
	if (!ifc || !conf || skb->vlan_present || skb->pkt_type == PACKET_OTHERHOST)
		return TC_ACT_UNSPEC;
	skb->tc_index = 0;
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return jump(skb, JUMP_FAST, true);
	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	if (!(ifc->flags & GW_IF_L3))
		r = fast_in(skb, conf, false);
	return r == FAST_NO ? slow_begin(skb, JUMP_IN, false) : r;
}

SEC("tc") int gw_fast6(struct __sk_buff *skb)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct gw_conf *conf = conf_get();
	int r = FAST_NO;

	if (ifc && conf && !(ifc->flags & GW_IF_L3))
		r = fast_in(skb, conf, true);
	return r == FAST_NO ? slow_begin(skb, JUMP_IN, true) : r;
}

SEC("tc") int gw_out(struct __sk_buff *skb)
{
	__u32 iif = skb->ingress_ifindex, mark = skb->tc_index;

	if (mark == MARK_DONE && (!iif || if_get(iif)))
		return TC_ACT_UNSPEC;
	if (mark & GW_NEXT_ASK && iif && if_get(iif)) {
		next_learn(skb);
		skb->tc_index = MARK_DONE;
		return TC_ACT_UNSPEC;
	}
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return jump(skb, JUMP_OUT_FAST, false);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return jump(skb, JUMP_OUT_FAST, true);
	return TC_ACT_UNSPEC;
}

static __always_inline int hook_outfast(struct __sk_buff *skb, const bool v6)
{
	struct gw_if *ifc = if_get(skb->ifindex);
	struct gw_conf *conf = conf_get();
	int r = FAST_NO;

	if (!ifc || !conf || skb->vlan_present)
		return TC_ACT_UNSPEC;
	if (!skb->ingress_ifindex && !(ifc->flags & GW_IF_L3))
		r = fast_out(skb, conf, v6);
	return r == FAST_NO ? slow_begin(skb, JUMP_OUT, v6) : r;
}

SEC("tc") int gw_outfast4(struct __sk_buff *skb)
{
	return hook_outfast(skb, false);
}

SEC("tc") int gw_outfast6(struct __sk_buff *skb)
{
	return hook_outfast(skb, true);
}

char _license[] SEC("license") = "GPL";
