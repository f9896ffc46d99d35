/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_TIMEOUT_H
#define GW_TIMEOUT_H
/*
 * Which timeout a connection has: one answer for the data plane, which ages it, and the control plane, which lists it.
 */
#include <gw/config.h>
#include <gw/flow.h>

/* GW_TIMEOUT_* of a connection: its protocol, the state and flags of its original entry. */
static inline __attribute__((always_inline)) __u32 gw_timeout_class(__u8 proto,
								    const struct gw_flow *orig)
{
	switch (proto) {
	case 6: /* TCP */
		return orig->state < GW_TCP_STATES ? orig->state : GW_TCP_NONE;
	case 17:  /* UDP */
	case 136: /* UDP-Lite */
		return orig->flags & GW_FLOW_ASSURED ? GW_TIMEOUT_UDP_STREAM : GW_TIMEOUT_UDP;
	case 132: /* SCTP */
		return GW_TIMEOUT_SCTP +
		       (orig->state < GW_SCTP_STATES ? orig->state : GW_SCTP_NONE);
	case 33: /* DCCP */
		return GW_TIMEOUT_DCCP +
		       (orig->state < GW_DCCP_STATES ? orig->state : GW_DCCP_NONE);
	case 47: /* GRE */
		return orig->flags & GW_FLOW_ASSURED ? GW_TIMEOUT_GRE_STREAM : GW_TIMEOUT_GRE;
	case 1:	 /* ICMP */
	case 58: /* ICMPv6 */
		return GW_TIMEOUT_ICMP;
	}
	return GW_TIMEOUT_GENERIC;
}

/* Is @a the side that spoke last, as far as @a and @b, its other side, remember? */
static inline __attribute__((always_inline)) int gw_tcp_spoke_last(const struct gw_flow *a,
								   const struct gw_flow *b)
{
	return GW_TCP_HEARD(a->tcp_scale) == (b->pkts & 15);
}

/* May it be that the side's last segment shortens the timeout?  0: surely not, whatever the other side did. */
static inline __attribute__((always_inline)) int gw_tcp_hints(const struct gw_conf *conf,
							      const struct gw_flow *f)
{
	return f->tcp_flags & (GW_TCPF_UNACKED | GW_TCPF_ZEROWIN) ||
	       GW_TCP_RETRANS(f->tcp_last) >= conf->tcp_max_retrans;
}

static inline __attribute__((always_inline)) int gw_tcp_repeats(const struct gw_conf *conf,
								const struct gw_flow *a,
								const struct gw_flow *b)
{
	return gw_tcp_spoke_last(a, b) && GW_TCP_RETRANS(a->tcp_last) >= conf->tcp_max_retrans;
}

static inline __attribute__((always_inline)) int gw_tcp_shut(const struct gw_flow *a,
							     const struct gw_flow *b)
{
	return gw_tcp_spoke_last(a, b) && a->tcp_flags & GW_TCPF_ZEROWIN;
}

static inline __attribute__((always_inline)) int gw_tcp_unacked(const struct gw_flow *a,
								const struct gw_flow *b)
{
	return a->tcp_flags & GW_TCPF_UNACKED &&
	       !(b->tcp_flags & GW_TCPF_ACKED && b->tcp_ack == a->tcp_end);
}

/*
 * Jiffies a connection may be silent, from both its halves (@reply may be NULL: not known).  TCP has upper limits besides the state's: while
 * the same segment comes again and again or a window is closed, while data is not acknowledged, and until a connection that was
 * picked up in the middle is answered (nf_conntrack_tcp_packet).
 */
static inline __attribute__((always_inline)) __u32 gw_timeout(const struct gw_conf *conf,
							      __u8 proto,
							      const struct gw_flow *orig,
							      const struct gw_flow *reply)
{
	__u64 class = gw_timeout_class(proto, orig);
	__u32 t, most;

#ifdef __bpf__
	asm volatile("%0 &= 63" : "+r"(class)); /* 6.1 does not follow its way through registers */
#endif
	t = most = conf->timeout[class & (GW_TIMEOUT_MAX - 1)];
	if (proto != 6)
		return t;
	if (reply && (gw_tcp_repeats(conf, orig, reply) || gw_tcp_repeats(conf, reply, orig)))
		most = conf->timeout[GW_TIMEOUT_TCP_RETRANS];
	else if (reply && (gw_tcp_unacked(orig, reply) || gw_tcp_unacked(reply, orig)))
		most = conf->timeout[GW_TIMEOUT_TCP_UNACK];
	else if (reply && (gw_tcp_shut(orig, reply) || gw_tcp_shut(reply, orig)))
		most = conf->timeout[GW_TIMEOUT_TCP_RETRANS];
	if (orig->state == GW_TCP_ESTABLISHED && !(orig->flags & GW_FLOW_ASSURED) &&
	    most > conf->timeout[GW_TIMEOUT_TCP_UNACK])
		most = conf->timeout[GW_TIMEOUT_TCP_UNACK];
	return most < t ? most : t;
}
#endif
