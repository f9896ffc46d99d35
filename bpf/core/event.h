/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GW_EVENTS_H
#define GW_EVENTS_H
/*
 * NEW, UPDATE and DESTROY records.  Submitted without waking the reader, which polls: a wake-up costs as much as the record.
 */
static __always_inline __u32 flow_nat_rule(const struct gw_flow *orig, const bool v6)
{
	return v6 ? ((const struct gw_flow6 *)orig)->nat_rule
		  : ((const struct gw_flow4 *)orig)->nat_rule;
}

static __always_inline void event_key(struct gw_tuple6 *to, const union gw_key *k, const bool v6)
{
	if (v6) {
		*to = k->v6;
		return;
	}
	__builtin_memset(to, 0, sizeof(*to));
	to->saddr[0] = k->v4.saddr;
	to->daddr[0] = k->v4.daddr;
	to->sport = k->v4.sport;
	to->dport = k->v4.dport;
	to->proto = k->v4.proto;
	to->zone = k->v4.zone;
}

/*
 * The place of an event in the stream is that of its reservation.  What others may change or end as soon as it is in the table reserves
 * before, so that no news of it can overtake.
 */
static __always_inline struct gw_event *event_reserve(void)
{
	return bpf_ringbuf_reserve(&gw_events, sizeof(struct gw_event), 0);
}

/*
 * @orig, @reply: the two entries (reply may be NULL: its counters are unknown); @ko, @kr their keys.
 */
static __always_inline void event_fill(struct gw_event *ev, __u8 type, __u8 cause,
				       const struct gw_flow *orig, const struct gw_flow *reply,
				       const union gw_key *ko, const union gw_key *kr,
				       __u32 timeout_s, const bool v6)
{
	ev->time_ns = bpf_ktime_get_boot_ns();
	ev->type = type;
	ev->family = v6 ? 6 : 4;
	ev->proto = key_proto(ko, v6);
	ev->state = orig->state;
	ev->flags = orig->flags;
	ev->cause = cause;
	ev->pad = 0;
	ev->timeout = timeout_s;
	ev->id = orig->id;
	ev->mark = orig->mark;
	ev->rule = reply ? reply->created : 0;
	ev->created = orig->created;
	ev->zone = key_zone(ko, v6);
	ev->pkts[0] = orig->pkts;
	ev->bytes[0] = orig->bytes;
	ev->pkts[1] = reply ? reply->pkts : 0;
	ev->bytes[1] = reply ? reply->bytes : 0;
	event_key(&ev->tuple[0], ko, v6);
	event_key(&ev->tuple[1], kr, v6);
	ev->nat_rule = flow_nat_rule(orig, v6);
	ev->master = 0;
	ev->seq = 0;
	ev->nat_rule2 = reply ? flow_nat_rule(reply, v6) : 0;
	ev->iif = orig->iif;
	ev->oif = orig->oif;
	ev->pad2 = 0;
}

static __always_inline void event_send(__u8 type, __u8 cause, const struct gw_flow *orig,
				       const struct gw_flow *reply, const union gw_key *ko,
				       const union gw_key *kr, __u32 timeout_s, const bool v6)
{
	struct gw_event *ev = event_reserve();

	if (!ev) {
		stat_add(GW_STAT_EVENT_LOST, 1);
		return;
	}
	event_fill(ev, type, cause, orig, reply, ko, kr, timeout_s, v6);
	bpf_ringbuf_submit(ev, BPF_RB_NO_WAKEUP);
}
#endif
