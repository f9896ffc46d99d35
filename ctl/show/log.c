/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <show/log.h>

#define FRAG_OFFSET 0x1fff
#define PROTO_LITE  136

/* A packet as far as it was recorded. */
struct view {
	const uint8_t *bytes;
	size_t n;   /* recorded */
	size_t len; /* of the packet */
	unsigned int flags;
	uint32_t mark;
	struct strbuf *b;
};

/* n bytes at `off`, copied to *to; false: not recorded. */
static bool view_get(const struct view *v, size_t off, void *to, size_t n)
{
	if (off > v->n || n > v->n - off)
		return false;
	memcpy(to, v->bytes + off, n);
	return true;
}

static void say_incomplete(const struct view *v, size_t off)
{
	strbuf_printf(v->b, "INCOMPLETE [%zu bytes] ", v->len > off ? v->len - off : 0);
}

static void say_hex(const struct view *v, size_t off, size_t n)
{
	strbuf_puts(v->b, "OPT (");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(v->b, "%02X", v->bytes[off + i]);
	strbuf_puts(v->b, ") ");
}

static void say_tcp_flags(const uint8_t *tcp, struct strbuf *b)
{
	static const char *const names[] = {
		"CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"
	};

	if (tcp[12] & 1)
		strbuf_puts(b, "AE ");
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (tcp[13] & 0x80U >> i)
			strbuf_printf(b, "%s ", names[i]);
}

/* false: nothing more is said of this packet. */
static bool say_tcp(const struct view *v, size_t off, bool fragment)
{
	uint8_t raw[sizeof(struct tcphdr)];
	struct tcphdr th;
	size_t options;

	strbuf_puts(v->b, "PROTO=TCP ");
	if (fragment)
		return true;
	if (!view_get(v, off, raw, sizeof(raw))) {
		say_incomplete(v, off);
		return false;
	}
	memcpy(&th, raw, sizeof(th));
	strbuf_printf(v->b, "SPT=%u DPT=%u ", ntohs(th.source), ntohs(th.dest));
	if (v->flags & SHOW_LOG_TCPSEQ)
		strbuf_printf(v->b, "SEQ=%u ACK=%u ", ntohl(th.seq), ntohl(th.ack_seq));
	strbuf_printf(v->b, "WINDOW=%u RES=0x%02x ", ntohs(th.window), (raw[12] & 0x0eU) << 2);
	say_tcp_flags(raw, v->b);
	strbuf_printf(v->b, "URGP=%u ", ntohs(th.urg_ptr));
	options = th.doff * 4U > sizeof(th) ? th.doff * 4U - sizeof(th) : 0;
	if (!(v->flags & SHOW_LOG_TCPOPT) || !options)
		return true;
	if (off + sizeof(th) + options > v->n) {
		strbuf_puts(v->b, "OPT (TRUNCATED)");
		return false;
	}
	say_hex(v, off + sizeof(th), options);
	return true;
}

static bool say_udp(const struct view *v, size_t off, uint8_t proto, bool fragment)
{
	struct udphdr uh;

	strbuf_printf(v->b, "PROTO=%s ", proto == IPPROTO_UDP ? "UDP" : "UDPLITE");
	if (fragment)
		return true;
	if (!view_get(v, off, &uh, sizeof(uh))) {
		say_incomplete(v, off);
		return false;
	}
	strbuf_printf(v->b, "SPT=%u DPT=%u LEN=%u ", ntohs(uh.source), ntohs(uh.dest),
		      ntohs(uh.len));
	return true;
}

/* AH and ESP: the SPI is the word at `at` of a header of `size` bytes. */
static void say_spi(const struct view *v, size_t off, size_t at, size_t size)
{
	uint8_t head[16];
	uint32_t spi;

	if (!view_get(v, off, head, size)) {
		say_incomplete(v, off);
		return;
	}
	memcpy(&spi, head + at, sizeof(spi));
	strbuf_printf(v->b, "SPI=0x%x ", ntohl(spi));
}

static void say_ip4(const struct view *v, size_t off);

/* What each type needs at least, 0 = anything goes. */
static size_t icmp_needs(uint8_t type)
{
	switch (type) {
	case ICMP_ECHOREPLY:
	case ICMP_ECHO:
		return 4;
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return 8 + sizeof(struct iphdr);
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
		return 20;
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY:
		return 12;
	default:
		return 0;
	}
}

static void say_icmp_error(const struct view *v, size_t off, const struct icmphdr *ih, bool outer)
{
	const uint8_t *gw = (const uint8_t *)&ih->un.gateway;

	if (ih->type == ICMP_REDIRECT)
		strbuf_printf(v->b, "GATEWAY=%u.%u.%u.%u ", gw[0], gw[1], gw[2], gw[3]);
	if (outer) { /* errors do not quote errors */
		strbuf_puts(v->b, "[");
		say_ip4(v, off + sizeof(*ih));
		strbuf_puts(v->b, "] ");
	}
	if (ih->type == ICMP_DEST_UNREACH && ih->code == ICMP_FRAG_NEEDED)
		strbuf_printf(v->b, "MTU=%u ", ntohs(ih->un.frag.mtu));
}

static void say_icmp(const struct view *v, size_t off, bool fragment, bool outer)
{
	struct icmphdr ih;

	strbuf_puts(v->b, "PROTO=ICMP ");
	if (fragment)
		return;
	if (!view_get(v, off, &ih, sizeof(ih))) {
		say_incomplete(v, off);
		return;
	}
	strbuf_printf(v->b, "TYPE=%u CODE=%u ", ih.type, ih.code);
	if (v->len < off + icmp_needs(ih.type)) {
		say_incomplete(v, off);
		return;
	}
	switch (ih.type) {
	case ICMP_ECHOREPLY:
	case ICMP_ECHO:
		strbuf_printf(v->b, "ID=%u SEQ=%u ", ntohs(ih.un.echo.id),
			      ntohs(ih.un.echo.sequence));
		break;
	case ICMP_PARAMETERPROB:
		strbuf_printf(v->b, "PARAMETER=%u ", ntohl(ih.un.gateway) >> 24);
		break;
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
		say_icmp_error(v, off, &ih, outer);
		break;
	}
}

/* false: nothing more is said of this packet. */
static bool say_proto4(const struct view *v, size_t off, uint8_t proto, bool fragment, bool outer)
{
	switch (proto) {
	case IPPROTO_TCP:
		return say_tcp(v, off, fragment);
	case IPPROTO_UDP:
	case PROTO_LITE:
		return say_udp(v, off, proto, fragment);
	case IPPROTO_ICMP:
		say_icmp(v, off, fragment, outer);
		return true;
	case IPPROTO_AH:
		if (fragment)
			return true;
		strbuf_puts(v->b, "PROTO=AH ");
		say_spi(v, off, 4, 12);
		return true;
	case IPPROTO_ESP:
		strbuf_puts(v->b, "PROTO=ESP ");
		if (!fragment)
			say_spi(v, off, 0, 8);
		return true;
	default:
		strbuf_printf(v->b, "PROTO=%u ", proto);
		return true;
	}
}

static void say_frag4(const struct view *v, uint16_t frag)
{
	if (frag & 0x8000)
		strbuf_puts(v->b, "CE ");
	if (frag & IP_DF)
		strbuf_puts(v->b, "DF ");
	if (frag & IP_MF)
		strbuf_puts(v->b, "MF ");
	if (frag & FRAG_OFFSET)
		strbuf_printf(v->b, "FRAG:%u ", frag & FRAG_OFFSET);
}

static void say_ip4(const struct view *v, size_t off)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	struct iphdr ih;
	uint16_t frag;
	size_t head;

	if (!view_get(v, off, &ih, sizeof(ih))) {
		strbuf_puts(v->b, "TRUNCATED");
		return;
	}
	inet_ntop(AF_INET, &ih.saddr, src, sizeof(src));
	inet_ntop(AF_INET, &ih.daddr, dst, sizeof(dst));
	strbuf_printf(v->b, "SRC=%s DST=%s LEN=%u TOS=0x%02X PREC=0x%02X TTL=%u ID=%u ", src, dst,
		      ntohs(ih.tot_len), ih.tos & 0x1eU, ih.tos & 0xe0U, ih.ttl, ntohs(ih.id));
	frag = ntohs(ih.frag_off);
	say_frag4(v, frag);
	head = ih.ihl * 4U;
	if (v->flags & SHOW_LOG_IPOPT && head > sizeof(ih)) {
		if (off + head > v->n) {
			strbuf_puts(v->b, "TRUNCATED");
			return;
		}
		say_hex(v, off + sizeof(ih), head - sizeof(ih));
	}
	if (say_proto4(v, off + head, ih.protocol, frag & FRAG_OFFSET, !off) && !off && v->mark)
		strbuf_printf(v->b, "MARK=0x%x ", v->mark);
}

static void say_addr6(struct strbuf *b, const char *name, const struct in6_addr *a)
{
	strbuf_puts(b, name);
	for (unsigned int i = 0; i < 16; i += 2)
		strbuf_printf(b, "%s%02x%02x", i ? ":" : "", a->s6_addr[i], a->s6_addr[i + 1]);
	strbuf_puts(b, " ");
}

static void say_ip6(const struct view *v, size_t off);

static bool say_icmp6(const struct view *v, size_t off, bool fragment, bool outer)
{
	struct icmp6_hdr ih;

	strbuf_puts(v->b, "PROTO=ICMPv6 ");
	if (fragment)
		return true;
	if (!view_get(v, off, &ih, sizeof(ih))) {
		say_incomplete(v, off);
		return false;
	}
	strbuf_printf(v->b, "TYPE=%u CODE=%u ", ih.icmp6_type, ih.icmp6_code);
	switch (ih.icmp6_type) {
	case ICMP6_ECHO_REQUEST:
	case ICMP6_ECHO_REPLY:
		strbuf_printf(v->b, "ID=%u SEQ=%u ", ntohs(ih.icmp6_id), ntohs(ih.icmp6_seq));
		return true;
	case ICMP6_PARAM_PROB:
		strbuf_printf(v->b, "POINTER=%08x ", ntohl(ih.icmp6_pptr));
		break;
	case ICMP6_DST_UNREACH:
	case ICMP6_PACKET_TOO_BIG:
	case ICMP6_TIME_EXCEEDED:
		break;
	default:
		return true;
	}
	if (outer) {
		strbuf_puts(v->b, "[");
		say_ip6(v, off + sizeof(ih));
		strbuf_puts(v->b, "] ");
	}
	if (ih.icmp6_type == ICMP6_PACKET_TOO_BIG)
		strbuf_printf(v->b, "MTU=%u ", ntohl(ih.icmp6_mtu));
	return true;
}

static bool say_proto6(const struct view *v, size_t off, uint8_t proto, bool fragment, bool outer)
{
	switch (proto) {
	case IPPROTO_TCP:
		return say_tcp(v, off, fragment);
	case IPPROTO_UDP:
	case PROTO_LITE:
		return say_udp(v, off, proto, fragment);
	case IPPROTO_ICMPV6:
		return say_icmp6(v, off, fragment, outer);
	default:
		strbuf_printf(v->b, "PROTO=%u ", proto);
		return true;
	}
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_ESP || proto == IPPROTO_AH || proto == IPPROTO_DSTOPTS;
}

/* false: cut short. */
static bool say_fragment6(const struct view *v, size_t off, bool *fragment)
{
	struct ip6_frag fh;
	uint16_t at;

	strbuf_puts(v->b, "FRAG:");
	if (!view_get(v, off, &fh, sizeof(fh))) {
		strbuf_puts(v->b, "TRUNCATED ");
		return false;
	}
	at = ntohs(fh.ip6f_offlg);
	strbuf_printf(v->b, "%u %sID:%08x ", at & 0xfff8U, at & 1 ? "INCOMPLETE " : "",
		      ntohl(fh.ip6f_ident));
	*fragment |= at & 0xfff8;
	return true;
}

/* AH, ESP where IP options are asked for; false: nothing more is said of this packet. */
static bool say_ipsec6(const struct view *v, size_t off, uint8_t proto, bool fragment)
{
	bool ah = proto == IPPROTO_AH;
	uint8_t head[16];
	uint32_t spi;

	strbuf_puts(v->b, ah ? "AH " : "ESP ");
	if (fragment) {
		strbuf_puts(v->b, ")");
		return false;
	}
	if (!view_get(v, off, head, ah ? 12 : 8)) {
		say_incomplete(v, off);
		strbuf_puts(v->b, ")");
		return false;
	}
	memcpy(&spi, head + (ah ? 4 : 0), sizeof(spi));
	strbuf_printf(v->b, "SPI=0x%x %s", ntohl(spi), ah ? "" : ")");
	return ah;
}

/* One extension header; 0: nothing more is said of this packet, else its length. */
static size_t say_extension(const struct view *v, size_t off, uint8_t proto, const uint8_t *head,
			    bool *fragment)
{
	bool options = v->flags & SHOW_LOG_IPOPT;
	size_t len = ((size_t)head[1] + 1) * 8;

	if (options)
		strbuf_puts(v->b, "OPT ( ");
	if (proto == IPPROTO_FRAGMENT) {
		if (!say_fragment6(v, off, fragment))
			return 0;
		len = 8;
	} else if (proto == IPPROTO_AH || proto == IPPROTO_ESP) {
		if (options && !say_ipsec6(v, off, proto, *fragment))
			return 0;
		if (proto == IPPROTO_ESP)
			return 0;
		len = ((size_t)head[1] + 2) * 4;
	} else if (*fragment) {
		if (options)
			strbuf_puts(v->b, ")");
		return 0;
	}
	if (options)
		strbuf_puts(v->b, ") ");
	return len;
}

static void say_ip6(const struct view *v, size_t off)
{
	bool fragment = false;
	struct ip6_hdr ih;
	uint8_t proto, head[8];
	uint32_t flow;
	size_t at = off + sizeof(ih), n;

	if (!view_get(v, off, &ih, sizeof(ih))) {
		strbuf_puts(v->b, "TRUNCATED");
		return;
	}
	say_addr6(v->b, "SRC=", &ih.ip6_src);
	say_addr6(v->b, "DST=", &ih.ip6_dst);
	flow = ntohl(ih.ip6_flow);
	strbuf_printf(v->b, "LEN=%zu TC=%u HOPLIMIT=%u FLOWLBL=%u ",
		      ntohs(ih.ip6_plen) + sizeof(ih), flow >> 20 & 0xff, ih.ip6_hlim,
		      flow & 0xfffff);
	for (proto = ih.ip6_nxt; is_extension(proto); proto = head[0], at += n) {
		if (!view_get(v, at, head, sizeof(head))) {
			strbuf_puts(v->b, "TRUNCATED");
			return;
		}
		n = say_extension(v, at, proto, head, &fragment);
		if (!n)
			return;
	}
	if (say_proto6(v, at, proto, fragment, !off) && !off && v->mark)
		strbuf_printf(v->b, "MARK=0x%x ", v->mark);
}

static void say_mac(const struct gw_log *log, unsigned int flags, struct strbuf *b)
{
	const uint8_t *m = log->mac;

	if (flags & SHOW_LOG_MACDECODE && log->has_mac) {
		for (unsigned int i = 0; i < 2; i++) {
			const uint8_t *a = i ? m : m + 6;

			strbuf_printf(b, "MAC%s=%02x:%02x:%02x:%02x:%02x:%02x ", i ? "DST" : "SRC",
				      a[0], a[1], a[2], a[3], a[4], a[5]);
		}
		strbuf_printf(b, "MACPROTO=%02x%02x ", m[12], m[13]);
		return;
	}
	strbuf_puts(b, "MAC=");
	for (unsigned int i = 0; log->has_mac && i < sizeof(log->mac); i++)
		strbuf_printf(b, "%s%02x", i ? ":" : "", m[i]);
	strbuf_puts(b, " ");
}

void show_log_line(const struct gw_log *log, const struct show_log *how, struct strbuf *b)
{
	const struct view v = { .bytes = log->bytes,
				.n = MIN(log->caplen, sizeof(log->bytes)),
				.len = log->len,
				.flags = how->flags,
				.mark = log->mark,
				.b = b };

	strbuf_printf(b, "%sIN=%s OUT=%s ", how->prefix ? how->prefix : "", how->in ? how->in : "",
		      how->out ? how->out : "");
	if (how->in)
		say_mac(log, how->flags, b);
	if (log->family == 4)
		say_ip4(&v, 0);
	else
		say_ip6(&v, 0);
}

json_t *show_log_json(const struct gw_log *log, const struct show_log *how, int level,
		      uint64_t rule_handle)
{
	_cleanup_(strbuf_deinit) struct strbuf b = { 0 };

	show_log_line(log, how, &b);
	if (b.failed)
		return NULL;
	return json_pack("{s:I, s:i, s:s, s:s, s:s, s:I, s:s}", "time_ns", (json_int_t)log->time_ns,
			 "level", level, "prefix", how->prefix ? how->prefix : "", "in",
			 how->in ? how->in : "", "out", how->out ? how->out : "", "rule",
			 (json_int_t)rule_handle, "line", b.s);
}
