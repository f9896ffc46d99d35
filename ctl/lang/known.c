/* SPDX-License-Identifier: GPL-2.0-only */
/* known - words of nft that have no meaning here, so that they are refused by name. */
#include <lang/names.h>

static const struct {
	const char *first;
	const char *words; /* separated and enclosed by spaces */
} known_elsewhere[] = {
	{ "",
	  " queue socket tproxy synproxy flow dup fwd rt jhash symhash frag hbh mh dst srh arp esp "
	  "ah "
	  "comp igmp geneve gre gretap vxlan osf ipsec cgroup cgroupv2 last xt tunnel skuid skgid "
	  "cpu "
	  "iifgroup oifgroup rtclassid nftrace priority random tcpopt secmark sdif sdifname "
	  "ibrname obrname ibriport obriport objref " },
	{ "ip", " version hdrlength checksum option " },
	{ "ip6", " version flowlabel " },
	{ "tcp", " sequence ackseq doff reserved checksum urgptr " },
	{ "tcp option", " sack0 sack1 sack2 sack3 " },
	{ "tcp option maxseg", " length " },
	{ "tcp option window", " length " },
	{ "tcp option sack-perm", " length " },
	{ "tcp option sack", " length left right " },
	{ "tcp option timestamp", " length " },
	{ "tcp option mptcp", " length subtype " },
	{ "udp", " length checksum csumcov " },
	{ "udplite", " csumcov checksum " },
	{ "sctp", " vtag checksum chunk " },
	{ "dccp", " type option " },
	{ "icmp", " checksum id sequence mtu gateway " },
	{ "icmpv6",
	  " checksum parameter-problem packet-too-big id sequence max-delay taddr daddr mtu " },
	{ "vlan", " cfi dei pcp type " },
	{ "ct",
	  " helper label id l3proto avgpkt timeout event expectation secmark saddr daddr proto-src "
	  "proto-dst " },
	{ "ct original", " l3proto avgpkt zone id " },
	{ "ct reply", " l3proto avgpkt zone id " },
	{ "fib saddr . mark", " type " },
	{ "fib daddr . mark", " type " },
	{ "fib saddr . mark . iif", " type " },
	{ "fib daddr . mark . iif", " type " },
	{ "fib saddr . mark . oif", " type " },
	{ "fib daddr . mark . oif", " type " },
	{ "exthdr", " srh esp ah " },
	{ "meta",
	  " priority random skuid skgid rtclassid cpu iifgroup oifgroup cgroup nftrace ipsec "
	  "secpath secmark sdif sdifname ibrname obrname ibrvproto ibrpvid iifkind oifkind "
	  "broute " },
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
