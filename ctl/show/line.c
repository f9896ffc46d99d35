/* SPDX-License-Identifier: GPL-2.0-only */
/* conntrack(8)'s lines.  What it prints was measured with 1.4.7 on Linux 6.18 and is compared to the byte. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <show/names.h>
#include <show/show.h>

struct style {
	unsigned int flags;
	bool proc;    /* /proc/net/nf_conntrack: long addresses, zone always */
	bool listing; /* not an event: mark and use always */
};

static void put_address(const struct gw_event *ev, const __be32 addr[4], bool proc,
			struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (ev->family != 6) {
		inet_ntop(AF_INET, addr, text, sizeof(text));
		strbuf_puts(b, text);
		return;
	}
	if (!proc) {
		inet_ntop(AF_INET6, addr, text, sizeof(text));
		strbuf_puts(b, text);
		return;
	}
	for (int i = 0; i < 4; i++)
		strbuf_printf(b, "%s%04x:%04x", i ? ":" : "", ntohl(addr[i]) >> 16,
			      ntohl(addr[i]) & 0xffff);
}

/* The part of a tuple behind the addresses: ports, ICMP query or GRE keys. */
static void put_ports(const struct gw_event *ev, int dir, struct strbuf *b)
{
	const struct gw_tuple6 *t = &ev->tuple[dir];

	if (show_proto_has_ports(ev->proto))
		strbuf_printf(b, "sport=%u dport=%u ", ntohs(t->sport), ntohs(t->dport));
	else if (ev->proto == IPPROTO_ICMP || ev->proto == IPPROTO_ICMPV6)
		strbuf_printf(b, "type=%u code=0 id=%u ", show_icmp_type(ev, dir),
			      ntohs(dir ? t->dport : t->sport));
	else if (ev->proto == IPPROTO_GRE) /* tracked by addresses, as plain GRE has no call ids */
		strbuf_puts(b, "srckey=0x0 dstkey=0x0 ");
}

static void put_tuple(const struct gw_event *ev, int dir, const struct style *st, struct strbuf *b)
{
	strbuf_puts(b, "src=");
	put_address(ev, ev->tuple[dir].saddr, st->proc, b);
	strbuf_puts(b, " dst=");
	put_address(ev, ev->tuple[dir].daddr, st->proc, b);
	strbuf_puts(b, " ");
	put_ports(ev, dir, b);
	/* events of living connections carry no counters */
	if ((st->flags & SHOW_ACCT) && (st->listing || ev->type == GW_EVENT_DESTROY))
		strbuf_printf(b, "packets=%llu bytes=%llu ", (unsigned long long)ev->pkts[dir],
			      (unsigned long long)ev->bytes[dir]);
}

static void put_protocol(const struct gw_event *ev, const struct style *st, struct strbuf *b)
{
	const char *state = show_state_name(ev->proto, ev->state);

	if (st->flags & SHOW_EXTENDED)
		strbuf_puts(b, ev->family == 6 ? "ipv6     10 " : "ipv4     2 ");
	strbuf_printf(b, "%-8s %u ", show_proto_name(ev->proto), ev->proto);
	/* a connection that ran out of time has none left to print */
	if (ev->type != GW_EVENT_DESTROY || ev->timeout)
		strbuf_printf(b, "%u ", ev->timeout);
	if (state)
		strbuf_printf(b, "%s ", state);
	else if (ev->proto == IPPROTO_TCP)
		strbuf_puts(b, "NONE ");
}

static void put_tail(const struct gw_event *ev, const struct style *st, struct strbuf *b)
{
	bool by_hand = ev->cause == GW_CAUSE_USER && ev->type != GW_EVENT_DESTROY;

	if (ev->flags & GW_FLOW_ASSURED)
		strbuf_puts(b, "[ASSURED] ");
	if (ev->mark || st->listing || by_hand)
		strbuf_printf(b, "mark=%u ", ev->mark);
	if (ev->zone || st->proc)
		strbuf_printf(b, "zone=%u ", ev->zone);
	if (st->listing) /* how many hold a reference: one for the table, /proc adds the reader */
		strbuf_printf(b, "use=%d ", st->proc || st->flags & SHOW_HELD ? 2 : 1);
	if (st->flags & SHOW_ID)
		strbuf_printf(b, "id=%u ", ev->id);
	if (!(st->flags & SHOW_RULE))
		return;
	if (ev->rule)
		strbuf_printf(b, "rule=%u ", ev->rule);
	if (ev->nat_rule)
		strbuf_printf(b, "nat-rule=%u ", ev->nat_rule);
	if (ev->nat_rule2)
		strbuf_printf(b, "nat-rule=%u ", ev->nat_rule2);
}

static void put_flow(const struct gw_event *ev, const struct style *st, struct strbuf *b)
{
	put_protocol(ev, st, b);
	put_tuple(ev, 0, st, b);
	if (!(ev->flags & GW_FLOW_SEEN_REPLY))
		strbuf_puts(b, "[UNREPLIED] ");
	put_tuple(ev, 1, st, b);
	put_tail(ev, st, b);
}

/* Every part above leaves one space behind it; the last one becomes the end of the line. */
static void end_line(struct strbuf *b)
{
	if (b->len && b->s[b->len - 1] == ' ')
		b->s[b->len - 1] = '\n';
}

void show_flow(const struct gw_event *ev, unsigned int flags, struct strbuf *b)
{
	struct style st = { .flags = flags, .listing = true };

	put_flow(ev, &st, b);
	end_line(b);
}

void show_flow_proc(const struct gw_event *ev, struct strbuf *b)
{
	struct style st = { .flags = SHOW_EXTENDED, .proc = true, .listing = true };

	put_flow(ev, &st, b);
	end_line(b);
}

static const char *event_tag(const struct gw_event *ev)
{
	switch (ev->type) {
	case GW_EVENT_NEW:
		return "[NEW]";
	case GW_EVENT_DESTROY:
		return "[DESTROY]";
	case GW_EVENT_NONE:
		return "[THERE]";
	default:
		return "[UPDATE]";
	}
}

/* What is not about one connection. */
static bool put_mark_of_stream(const struct gw_event *ev, struct strbuf *b)
{
	switch (ev->type) {
	case GW_EVENT_LOST:
		strbuf_printf(b, "[LOST %llu]", (unsigned long long)ev->pkts[0]);
		return true;
	case GW_EVENT_SYNC:
		strbuf_puts(b, "[SYNC]");
		return true;
	case GW_EVENT_SYNCED:
		strbuf_printf(b, "[SYNCED %llu]", (unsigned long long)ev->pkts[0]);
		return true;
	}
	return false;
}

void show_event(const struct gw_event *ev, unsigned int flags, unsigned int portid,
		struct strbuf *b)
{
	struct style st = { .flags = flags };

	if (flags & SHOW_TIMESTAMP)
		strbuf_printf(b, "[%llu.%06llu]\t", (unsigned long long)(ev->time_ns / 1000000000),
			      (unsigned long long)(ev->time_ns % 1000000000 / 1000));
	if (put_mark_of_stream(ev, b)) {
		strbuf_puts(b, " ");
	} else {
		strbuf_printf(b, "%9s ", event_tag(ev));
		put_flow(ev, &st, b);
		if (ev->cause == GW_CAUSE_USER)
			strbuf_printf(b, "[USERSPACE] portid=%u ", portid);
	}
	if (flags & SHOW_SEQ && ev->type != GW_EVENT_NONE)
		strbuf_printf(b, "seq=%llu ", (unsigned long long)ev->seq);
	end_line(b);
}
