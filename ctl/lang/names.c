/* SPDX-License-Identifier: GPL-2.0-only */
#include <lang/names.h>

#include <linux/netfilter/nf_log.h>

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

static const struct name_row ethertypes[] = {
	{ "ip", 0x0800 },   { "arp", 0x0806 },	  { "ip6", 0x86dd }, { "8021q", 0x8100 },
	{ "vlan", 0x8100 }, { "8021ad", 0x88a8 }, { NULL, 0 },
};

static const struct name_row dscps[] = {
	{ "cs0", 0 },	  { "be", 0 },	    { "lephb", 1 },   { "cs1", 8 },	{ "af11", 0x0a },
	{ "af12", 0x0c }, { "af13", 0x0e }, { "cs2", 0x10 },  { "af21", 0x12 }, { "af22", 0x14 },
	{ "af23", 0x16 }, { "cs3", 0x18 },  { "af31", 0x1a }, { "af32", 0x1c }, { "af33", 0x1e },
	{ "cs4", 0x20 },  { "af41", 0x22 }, { "af42", 0x24 }, { "af43", 0x26 }, { "cs5", 0x28 },
	{ "va", 0x2c },	  { "ef", 0x2e },   { "cs6", 0x30 },  { "cs7", 0x38 },	{ NULL, 0 },
};

static const struct name_row ecns[] = {
	{ "not-ect", 0 }, { "ect1", 1 }, { "ect0", 2 }, { "ce", 3 }, { NULL, 0 },
};

/* Values are bit masks. */
static const struct name_row tcp_flags[] = {
	{ "fin", 1 },  { "syn", 2 },  { "rst", 4 },   { "psh", 8 }, { "ack", 16 },
	{ "urg", 32 }, { "ecn", 64 }, { "cwr", 128 }, { NULL, 0 },
};

static const struct name_row icmp_codes[] = {
	{ "net-unreachable", 0 },  { "host-unreachable", 1 },  { "prot-unreachable", 2 },
	{ "port-unreachable", 3 }, { "frag-needed", 4 },       { "net-prohibited", 9 },
	{ "host-prohibited", 10 }, { "admin-prohibited", 13 }, { NULL, 0 },
};

static const struct name_row icmp6_codes[] = {
	{ "no-route", 0 },
	{ "admin-prohibited", 1 },
	{ "addr-unreachable", 3 },
	{ "port-unreachable", 4 },
	{ "policy-fail", 5 },
	{ "reject-route", 6 },
	{ NULL, 0 },
};

/* IPS_* of linux/netfilter/nf_conntrack_common.h */
static const struct name_row ct_statuses[] = {
	{ "expected", 1 }, { "seen-reply", 2 }, { "assured", 4 }, { "confirmed", 8 },
	{ "snat", 16 },	   { "dnat", 32 },	{ "dying", 512 }, { NULL, 0 },
};

static const struct name_row ct_dirs[] = {
	{ "original", 0 },
	{ "reply", 1 },
	{ NULL, 0 },
};

static const struct name_row nfprotos[] = {
	{ "ipv4", 2 },
	{ "ipv6", 10 },
	{ NULL, 0 },
};

static const struct name_row pkttypes[] = {
	{ "host", 0 },	    { "unicast", 0 }, { "broadcast", 1 },
	{ "multicast", 2 }, { "other", 3 },   { NULL, 0 },
};

static const struct name_row iftypes[] = {
	{ "ether", 1 },	     { "ppp", 512 }, { "ipip", 768 },  { "ipip6", 769 },
	{ "loopback", 772 }, { "sit", 776 }, { "ipgre", 778 }, { NULL, 0 },
};

static const struct name_row fib_types[] = {
	{ "unspec", 0 },   { "unicast", 1 },   { "local", 2 },	   { "broadcast", 3 },
	{ "anycast", 4 },  { "multicast", 5 }, { "blackhole", 6 }, { "unreachable", 7 },
	{ "prohibit", 8 }, { NULL, 0 },
};

static const struct name_row found[] = {
	{ "missing", 0 },
	{ "exists", 1 },
	{ NULL, 0 },
};

static const struct name_row days[] = {
	{ "Sunday", 0 },   { "Monday", 1 }, { "Tuesday", 2 },  { "Wednesday", 3 },
	{ "Thursday", 4 }, { "Friday", 5 }, { "Saturday", 6 }, { NULL, 0 },
};

static const struct name_row *const tables[FIELD_TYPE_MAX] = {
	[FIELD_PROTO] = protos,
	[FIELD_PORT] = services,
	[FIELD_ICMP_TYPE] = icmp_types,
	[FIELD_ICMP6_TYPE] = icmp6_types,
	[FIELD_CT_STATE] = ct_states,
	[FIELD_ETHERTYPE] = ethertypes,
	[FIELD_DSCP] = dscps,
	[FIELD_ECN] = ecns,
	[FIELD_TCP_FLAG] = tcp_flags,
	[FIELD_ICMP_CODE] = icmp_codes,
	[FIELD_ICMP6_CODE] = icmp6_codes,
	[FIELD_CT_STATUS] = ct_statuses,
	[FIELD_CT_DIR] = ct_dirs,
	[FIELD_NFPROTO] = nfprotos,
	[FIELD_PKTTYPE] = pkttypes,
	[FIELD_IFTYPE] = iftypes,
	[FIELD_FIB_TYPE] = fib_types,
	[FIELD_BOOL] = found,
	[FIELD_DAY] = days,
};

const struct name_row *names_of(enum field_type type)
{
	return tables[type];
}

static bool word_is(const char *word, const char *s, size_t len)
{
	/* most rows are told apart by this: names of services are asked for the port of each rule */
	if (!len || word[0] != s[0])
		return false;
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

const struct reject_row reject_rows[17] = {
	{ "icmp", "port-unreachable", GW_REJECT_PORT },
	{ "icmp", "net-unreachable", GW_REJECT_NET },
	{ "icmp", "host-unreachable", GW_REJECT_HOST },
	{ "icmp", "prot-unreachable", GW_REJECT_PROTO },
	{ "icmp", "net-prohibited", GW_REJECT_NET_PRO },
	{ "icmp", "host-prohibited", GW_REJECT_HOST_PRO },
	{ "icmp", "admin-prohibited", GW_REJECT_ADMIN },
	{ "icmpv6", "port-unreachable", GW_REJECT_PORT },
	{ "icmpv6", "no-route", GW_REJECT_NET },
	{ "icmpv6", "addr-unreachable", GW_REJECT_HOST },
	{ "icmpv6", "admin-prohibited", GW_REJECT_ADMIN },
	{ "icmpv6", "policy-fail", GW_REJECT_POLICY },
	{ "icmpv6", "reject-route", GW_REJECT_ROUTE },
	{ "icmpx", "port-unreachable", GW_REJECT_PORT },
	{ "icmpx", "no-route", GW_REJECT_NET },
	{ "icmpx", "host-unreachable", GW_REJECT_HOST },
	{ "icmpx", "admin-prohibited", GW_REJECT_ADMIN },
};

const struct name_row nat_flag_names[] = {
	{ "random", GW_NATF_RANDOM },
	{ "fully-random", GW_NATF_FULLY_RANDOM },
	{ "persistent", GW_NATF_PERSISTENT },
	{ "endpoint-independent", GW_NATF_ENDPOINT },
	{ "checksum-neutral", GW_NATF_NEUTRAL },
	{},
};

const struct name_row time_unit_names[] = {
	{ "second", 1 },  { "minute", 60 },   { "hour", 3600 },
	{ "day", 86400 }, { "week", 604800 }, {},
};

const struct name_row log_level_names[] = {
	{ "emerg", 0 },	 { "alert", 1 }, { "crit", 2 },	 { "err", 3 }, { "warn", 4 },
	{ "notice", 5 }, { "info", 6 },	 { "debug", 7 }, {},
};

const struct log_flag_row log_flag_rows[6] = {
	{ "tcp", "sequence", NF_LOG_TCPSEQ }, { "tcp", "options", NF_LOG_TCPOPT },
	{ "ip", "options", NF_LOG_IPOPT },    { NULL, "skuid", NF_LOG_UID },
	{ NULL, "ether", NF_LOG_MACDECODE },  { NULL, "all", NF_LOG_MASK },
};

const char *const byte_unit_names[3] = { "bytes", "kbytes", "mbytes" };

uint8_t byte_unit_of(uint64_t bytes)
{
	uint8_t unit = 0;

	while (bytes && unit < 2 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	return unit;
}

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
