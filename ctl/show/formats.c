/* SPDX-License-Identifier: GPL-2.0-only */
/* conntrack(8)'s other formats: commands (-o save) and XML (-o xml). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <show/names.h>
#include <show/show.h>

static void put_address(const struct gw_event *ev, const __be32 addr[4], struct strbuf *b)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ev->family == 6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	strbuf_puts(b, text);
}

static void save_address(const struct gw_event *ev, const char *option, const __be32 addr[4],
			 struct strbuf *b)
{
	strbuf_printf(b, "%s ", option);
	put_address(ev, addr, b);
	strbuf_puts(b, " ");
}

static void save_status(const struct gw_event *ev, struct strbuf *b)
{
	bool reply = ev->flags & GW_FLOW_SEEN_REPLY, assured = ev->flags & GW_FLOW_ASSURED;

	strbuf_printf(b, "-u %s%s%s ", reply ? "SEEN_REPLY" : "", reply && assured ? "," : "",
		      assured ? "ASSURED"
		      : reply ? ""
			      : "UNSET");
}

static void save_ports(const struct gw_event *ev, struct strbuf *b)
{
	const struct gw_tuple6 *o = &ev->tuple[0], *r = &ev->tuple[1];
	const char *six = ev->proto == IPPROTO_ICMPV6 ? "v6" : "";

	if (show_proto_has_ports(ev->proto))
		strbuf_printf(b, "--sport %u --dport %u --reply-port-src %u --reply-port-dst %u ",
			      ntohs(o->sport), ntohs(o->dport), ntohs(r->sport), ntohs(r->dport));
	else if (ev->proto == IPPROTO_ICMP || ev->proto == IPPROTO_ICMPV6)
		strbuf_printf(b, "--icmp%s-type %u --icmp%s-code 0 --icmp%s-id %u ", six,
			      show_icmp_type(ev, 0), six, six, ntohs(o->sport));
	if (show_state_name(ev->proto, ev->state))
		strbuf_printf(b, "--state %s ", show_state_name(ev->proto, ev->state));
}

void show_save(const struct gw_event *ev, struct strbuf *b)
{
	const struct gw_tuple6 *o = &ev->tuple[0], *r = &ev->tuple[1];

	strbuf_printf(b, "-A -t %u ", ev->timeout);
	save_status(ev, b);
	if (ev->zone)
		strbuf_printf(b, "-w %u ", ev->zone);
	save_address(ev, "-s", o->saddr, b);
	save_address(ev, "-d", o->daddr, b);
	save_address(ev, ev->flags & GW_FLOW_DNAT ? "-g" : "-r", r->saddr, b);
	save_address(ev, ev->flags & GW_FLOW_SNAT ? "-n" : "-q", r->daddr, b);
	if (strcmp(show_proto_name(ev->proto), "unknown"))
		strbuf_printf(b, "-p %s ", show_proto_name(ev->proto));
	else
		strbuf_printf(b, "-p %u ", ev->proto);
	save_ports(ev, b);
	b->s[b->len - 1] = '\n';
}

static void xml_number(const char *name, unsigned long long n, struct strbuf *b)
{
	strbuf_printf(b, "<%s>%llu</%s>", name, n, name);
}

static void xml_layer4(const struct gw_event *ev, int dir, struct strbuf *b)
{
	const struct gw_tuple6 *t = &ev->tuple[dir];

	strbuf_printf(b, "<layer4 protonum=\"%u\" protoname=\"%s\">", ev->proto,
		      show_proto_name(ev->proto));
	if (show_proto_has_ports(ev->proto)) {
		xml_number("sport", ntohs(t->sport), b);
		xml_number("dport", ntohs(t->dport), b);
	}
	strbuf_puts(b, "</layer4>");
}

static void xml_direction(const struct gw_event *ev, int dir, unsigned int flags, struct strbuf *b)
{
	strbuf_printf(b, "<meta direction=\"%s\"><layer3 protonum=\"%d\" protoname=\"%s\"><src>",
		      dir ? "reply" : "original", ev->family == 6 ? 10 : 2,
		      ev->family == 6 ? "ipv6" : "ipv4");
	put_address(ev, ev->tuple[dir].saddr, b);
	strbuf_puts(b, "</src><dst>");
	put_address(ev, ev->tuple[dir].daddr, b);
	strbuf_puts(b, "</dst></layer3>");
	xml_layer4(ev, dir, b);
	if (flags & SHOW_ACCT) {
		strbuf_puts(b, "<counters>");
		xml_number("packets", ev->pkts[dir], b);
		xml_number("bytes", ev->bytes[dir], b);
		strbuf_puts(b, "</counters>");
	}
	strbuf_puts(b, "</meta>");
}

static const char *xml_type(const struct gw_event *ev)
{
	switch (ev->type) {
	case GW_EVENT_NEW:
		return " type=\"new\"";
	case GW_EVENT_UPDATE:
		return " type=\"update\"";
	case GW_EVENT_DESTROY:
		return " type=\"destroy\"";
	default:
		return "";
	}
}

static void xml_independent(const struct gw_event *ev, struct strbuf *b)
{
	const char *state = show_state_name(ev->proto, ev->state);

	strbuf_puts(b, "<meta direction=\"independent\">");
	if (state)
		strbuf_printf(b, "<state>%s</state>", state);
	if (ev->type != GW_EVENT_DESTROY || ev->timeout)
		xml_number("timeout", ev->timeout, b);
	if (ev->mark || ev->type == GW_EVENT_NONE)
		xml_number("mark", ev->mark, b);
	if (ev->zone)
		xml_number("zone", ev->zone, b);
	if (ev->type == GW_EVENT_NONE)
		xml_number("use", 1, b);
	xml_number("id", ev->id, b);
	if (!(ev->flags & GW_FLOW_SEEN_REPLY))
		strbuf_puts(b, "<unreplied/>");
	if (ev->flags & GW_FLOW_ASSURED)
		strbuf_puts(b, "<assured/>");
	strbuf_puts(b, "</meta>");
}

void show_xml(const struct gw_event *ev, unsigned int flags, struct strbuf *b)
{
	if (ev->type == GW_EVENT_LOST) {
		strbuf_printf(b, "<lost>%llu</lost>\n", (unsigned long long)ev->pkts[0]);
		return;
	}
	if (ev->type == GW_EVENT_SYNC || ev->type == GW_EVENT_SYNCED) {
		strbuf_printf(b, "<%s/>\n", ev->type == GW_EVENT_SYNC ? "sync" : "synced");
		return;
	}
	strbuf_printf(b, "<flow%s>", xml_type(ev));
	xml_direction(ev, 0, flags, b);
	xml_direction(ev, 1, flags, b);
	xml_independent(ev, b);
	strbuf_puts(b, "</flow>\n");
}
