/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/names.h>

static const struct name_row protos[] = {
	{ "ip", 0 },	      { "icmp", 1 },
	{ "igmp", 2 },	      { "ipencap", 4 },
	{ "tcp", 6 },	      { "egp", 8 },
	{ "igp", 9 },	      { "udp", 17 },
	{ "dccp", 33 },	      { "ipv6", 41 },
	{ "ipv6-route", 43 }, { "ipv6-frag", 44 },
	{ "rsvp", 46 },	      { "gre", 47 },
	{ "esp", 50 },	      { "ah", 51 },
	{ "ipv6-icmp", 58 },  { "icmpv6", 58 },
	{ "ipv6-nonxt", 59 }, { "ipv6-opts", 60 },
	{ "eigrp", 88 },      { "ospf", 89 },
	{ "ipip", 94 },	      { "encap", 98 },
	{ "pim", 103 },	      { "ipcomp", 108 },
	{ "comp", 108 },      { "vrrp", 112 },
	{ "l2tp", 115 },      { "isis", 124 },
	{ "sctp", 132 },      { "mobility-header", 135 },
	{ "udplite", 136 },   { "mpls-in-ip", 137 },
	{ "hip", 139 },	      { "shim6", 140 },
	{ NULL, 0 },
};

static const struct name_row services[] = {
	{ "echo", 7 },
	{ "discard", 9 },
	{ "daytime", 13 },
	{ "ftp-data", 20 },
	{ "ftp", 21 },
	{ "ssh", 22 },
	{ "telnet", 23 },
	{ "smtp", 25 },
	{ "time", 37 },
	{ "whois", 43 },
	{ "tacacs", 49 },
	{ "domain", 53 },
	{ "bootps", 67 },
	{ "bootpc", 68 },
	{ "tftp", 69 },
	{ "gopher", 70 },
	{ "finger", 79 },
	{ "http", 80 },
	{ "www", 80 },
	{ "kerberos", 88 },
	{ "pop3", 110 },
	{ "sunrpc", 111 },
	{ "auth", 113 },
	{ "nntp", 119 },
	{ "ntp", 123 },
	{ "netbios-ns", 137 },
	{ "netbios-dgm", 138 },
	{ "netbios-ssn", 139 },
	{ "imap2", 143 },
	{ "imap", 143 },
	{ "snmp", 161 },
	{ "snmp-trap", 162 },
	{ "bgp", 179 },
	{ "irc", 194 },
	{ "ldap", 389 },
	{ "https", 443 },
	{ "microsoft-ds", 445 },
	{ "kpasswd", 464 },
	{ "submissions", 465 },
	{ "isakmp", 500 },
	{ "printer", 515 },
	{ "syslog", 514 },
	{ "route", 520 },
	{ "dhcpv6-client", 546 },
	{ "dhcpv6-server", 547 },
	{ "rtsp", 554 },
	{ "nntps", 563 },
	{ "submission", 587 },
	{ "ipp", 631 },
	{ "ldaps", 636 },
	{ "domain-s", 853 },
	{ "rsync", 873 },
	{ "ftps-data", 989 },
	{ "ftps", 990 },
	{ "telnets", 992 },
	{ "imaps", 993 },
	{ "pop3s", 995 },
	{ "socks", 1080 },
	{ "openvpn", 1194 },
	{ "ms-sql-s", 1433 },
	{ "datametrics", 1645 },
	{ "radius", 1812 },
	{ "radius-acct", 1813 },
	{ "nfs", 2049 },
	{ "ipsec-nat-t", 4500 },
	{ "mysql", 3306 },
	{ "ms-wbt-server", 3389 },
	{ "iscsi-target", 3260 },
	{ "sip", 5060 },
	{ "sip-tls", 5061 },
	{ "xmpp-client", 5222 },
	{ "xmpp-server", 5269 },
	{ "mdns", 5353 },
	{ "postgresql", 5432 },
	{ "amqp", 5672 },
	{ "x11", 6000 },
	{ "ircd", 6667 },
	{ "http-alt", 8080 },
	{ "webcache", 8080 },
	{ "git", 9418 },
	{ NULL, 0 },
};

static const struct name_row icmp_types[] = {
	{ "echo-reply", 0 },	       { "destination-unreachable", 3 },
	{ "source-quench", 4 },	       { "redirect", 5 },
	{ "echo-request", 8 },	       { "router-advertisement", 9 },
	{ "router-solicitation", 10 }, { "time-exceeded", 11 },
	{ "parameter-problem", 12 },   { "timestamp-request", 13 },
	{ "timestamp-reply", 14 },     { "info-request", 15 },
	{ "info-reply", 16 },	       { "address-mask-request", 17 },
	{ "address-mask-reply", 18 },  { NULL, 0 },
};

static const struct name_row icmp6_types[] = {
	{ "destination-unreachable", 1 }, { "packet-too-big", 2 },
	{ "time-exceeded", 3 },		  { "parameter-problem", 4 },
	{ "echo-request", 128 },	  { "echo-reply", 129 },
	{ "mld-listener-query", 130 },	  { "mld-listener-report", 131 },
	{ "mld-listener-done", 132 },	  { "mld-listener-reduction", 132 },
	{ "nd-router-solicit", 133 },	  { "nd-router-advert", 134 },
	{ "nd-neighbor-solicit", 135 },	  { "nd-neighbor-advert", 136 },
	{ "nd-redirect", 137 },		  { "router-renumbering", 138 },
	{ "ind-neighbor-solicit", 141 },  { "ind-neighbor-advert", 142 },
	{ "mld2-listener-report", 143 },  { NULL, 0 },
};

/* Values are bit masks. */
static const struct name_row ct_states[] = {
	{ "invalid", 1U << GW_CT_INVALID },	{ "established", 1U << GW_CT_ESTABLISHED },
	{ "related", 1U << GW_CT_RELATED },	{ "new", 1U << GW_CT_NEW },
	{ "untracked", 1U << GW_CT_UNTRACKED }, { NULL, 0 },
};

const struct name_row *names_of(enum field_type type)
{
	switch (type) {
	case FIELD_PROTO:
		return protos;
	case FIELD_PORT:
		return services;
	case FIELD_ICMP_TYPE:
		return icmp_types;
	case FIELD_ICMP6_TYPE:
		return icmp6_types;
	case FIELD_CT_STATE:
		return ct_states;
	default:
		return NULL;
	}
}

static bool word_is(const char *word, const char *s, size_t len)
{
	return strlen(word) == len && !memcmp(word, s, len);
}

bool name_to_value(const struct name_row *rows, const char *s, size_t len, uint32_t *ret)
{
	for (; rows && rows->name; rows++) {
		if (!word_is(rows->name, s, len))
			continue;
		*ret = rows->value;
		return true;
	}
	return false;
}

const char *value_to_name(const struct name_row *rows, uint32_t value)
{
	for (; rows && rows->name; rows++) {
		if (rows->value == value)
			return rows->name;
	}
	return NULL;
}

const struct reject_row reject_rows[12] = {
	{ "icmp", "port-unreachable", GW_REJECT_PORT },
	{ "icmp", "net-unreachable", GW_REJECT_NET },
	{ "icmp", "host-unreachable", GW_REJECT_HOST },
	{ "icmp", "admin-prohibited", GW_REJECT_ADMIN },
	{ "icmpv6", "port-unreachable", GW_REJECT_PORT },
	{ "icmpv6", "no-route", GW_REJECT_NET },
	{ "icmpv6", "addr-unreachable", GW_REJECT_HOST },
	{ "icmpv6", "admin-prohibited", GW_REJECT_ADMIN },
	{ "icmpx", "port-unreachable", GW_REJECT_PORT },
	{ "icmpx", "no-route", GW_REJECT_NET },
	{ "icmpx", "host-unreachable", GW_REJECT_HOST },
	{ "icmpx", "admin-prohibited", GW_REJECT_ADMIN },
};

static const struct prio_row {
	const char *name;
	int prio;
	int only_hook; /* -1 = any */
} prio_rows[] = {
	{ "raw", -300, -1 }, { "mangle", -150, -1 }, { "dstnat", -100, 0 },
	{ "filter", 0, -1 }, { "security", 50, -1 }, { "srcnat", 100, 4 },
};

bool prio_to_value(const char *s, size_t len, int hook_nf, int *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(prio_rows); i++) {
		if (!word_is(prio_rows[i].name, s, len) ||
		    (prio_rows[i].only_hook >= 0 && prio_rows[i].only_hook != hook_nf))
			continue;
		*ret = prio_rows[i].prio;
		return true;
	}
	return false;
}

void prio_print(int prio, int hook_nf, struct strbuf *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(prio_rows); i++) {
		int off = prio - prio_rows[i].prio;

		if (off < -10 || off > 10 ||
		    (prio_rows[i].only_hook >= 0 && prio_rows[i].only_hook != hook_nf))
			continue;
		strbuf_puts(b, prio_rows[i].name);
		if (off)
			strbuf_printf(b, " %c %d", off < 0 ? '-' : '+', abs(off));
		return;
	}
	strbuf_printf(b, "%d", prio);
}

static const struct {
	const char *first;
	const char *words; /* separated and enclosed by spaces */
} known_elsewhere[] = {
	{ "",
	  " limit log quota queue jump goto return continue fib socket tproxy synproxy flow dup "
	  "fwd "
	  "vmap map set element ether vlan arp rt numgen jhash symhash exthdr hbh frag mh dst srh "
	  "udplite sctp dccp esp ah comp th igmp geneve gre gretap vxlan osf ipsec cgroup update "
	  "delete add "
	  "last xt tunnel skuid skgid cpu iifgroup oifgroup iiftype oiftype rtclassid nftrace "
	  "length "
	  "protocol l4proto nfproto pkttype random day hour time tcpopt option flags devgroup " },
	{ "ip", " version hdrlength dscp ecn length id frag-off ttl checksum option " },
	{ "ip6", " version dscp ecn flowlabel length hoplimit " },
	{ "tcp", " sequence ackseq doff reserved flags window checksum urgptr option " },
	{ "udp", " length checksum " },
	{ "icmp", " code checksum id sequence mtu gateway " },
	{ "icmpv6",
	  " code checksum parameter-problem packet-too-big id sequence max-delay taddr daddr " },
	{ "ct",
	  " direction status expiration helper label count id zone l3proto protocol saddr daddr "
	  "proto-src proto-dst original reply bytes packets avgpkt timeout event expectation "
	  "secmark ip ip6 " },
	{ "meta",
	  " length priority random skuid skgid rtclassid pkttype cpu iifgroup oifgroup iiftype "
	  "oiftype cgroup nftrace ipsec time day hour secpath secmark sdif sdifname ibrname "
	  "obrname "
	  "iifkind oifkind broute " },
};

static bool list_has(const char *words, const char *s, size_t len)
{
	const char *p = words;

	while ((p = strchr(p, ' '))) {
		p++;
		if (!strncmp(p, s, len) && p[len] == ' ')
			return true;
	}
	return false;
}

bool word_is_known_elsewhere(const char *first, const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_elsewhere); i++) {
		if (!strcmp(known_elsewhere[i].first, first))
			return list_has(known_elsewhere[i].words, s, len);
	}
	return false;
}
