#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seeds 002 and 003: how connection tracking follows connections that NAT changes, as conntrack -E shows it.
. "$(dirname "$0")/lib.sh"
need openssl tcpdump

C=192.168.2.55 G=193.157.56.3 S=217.254.1.76

events_of_a_gateway() { # S73, S103: the client's default gateway is the NAT gateway
	host client gw server
	wire client:c0:$C/24 gw:lan0:192.168.2.1/24
	wire server:s0:193.157.56.9/24 gw:eth0:$G/24
	ns server ip addr add $S/32 dev lo
	ns client ip route add default via 192.168.2.1
	ns gw ip route add default via 193.157.56.9
	gateway gw
	start_gw lan0,eth0
	certificate
	serve server https http 443 "secure" --tls "$T/tls.pem"
	serve server slow ssh 8443 --linger 0.25
	serve server quick ssh 8444
	serve server echo udp-echo 53 --bind $S
	ipt -t nat -A POSTROUTING -o eth0 -j SNAT --to-source $G
	ipt -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT # S94
	ipt -A FORWARD -i lan0 -j ACCEPT
	ipt -P FORWARD DROP

	whole_life_of_a_connection
	filters
	counters_of_first_packets
	deleted_by_hand
	expired
	udp_and_icmp
}

# The life line of the seed, but for the port: the server closes a moment after the client did, so that each
# state gets its own packet.
whole_life_of_a_connection() {
	local t="src=$C dst=$S sport=50798 dport=8443" r="src=$S dst=$G sport=8443 dport=50798" i=0 want
	events life --proto tcp --orig-port-dst 8443
	printf 'hello\n' | peer client tcp $S 8443 --sport 50798 >/dev/null
	wait_for 3 has_line TIME_WAIT "$T/life.out"
	stop life INT
	for want in \
		"S73,S74,S80|    [NEW] tcp      6 120 SYN_SENT $t [UNREPLIED] $r" \
		"S75,S81| [UPDATE] tcp      6 60 SYN_RECV $t $r" \
		"S82| [UPDATE] tcp      6 432000 ESTABLISHED $t $r [ASSURED]" \
		"S83| [UPDATE] tcp      6 120 FIN_WAIT $t $r [ASSURED]" \
		"S84| [UPDATE] tcp      6 60 CLOSE_WAIT $t $r [ASSURED]" \
		"S85| [UPDATE] tcp      6 30 LAST_ACK $t $r [ASSURED]" \
		"S86| [UPDATE] tcp      6 120 TIME_WAIT $t $r [ASSURED]"; do
		i=$((i + 1))
		expect "${want%%|*},S88" "event $i" "${want#*|}" "$(sed -n ${i}p "$T/life.out")"
	done
	same "S78,S80,S81,S82,S83,S84,S85,S86,S88" "the life of a connection" "$(cat "$T/life.out")"
	expect_match S98 "the entries are a database one can ask" "TIME_WAIT $t $r \[ASSURED\]" "$(ct -L -p tcp --orig-port-dst 8443)"
}

filters() { # S79
	events ev443 --proto tcp --orig-port-dst 443
	events new -e NEW -s $C -p tcp -o timestamp
	printf 'x\n' | peer client tcp $S 8444 --sport 50800 >/dev/null
	expect_ok S79 "an https request" ns client curl -sk -m 3 --local-port 50799 https://$S
	wait_for 3 has_line ASSURED "$T/ev443.out"
	wait_for 3 has_line 'dport=443 ' "$T/new.out"
	stop ev443 INT; stop new INT
	expect_no_match S79 "only HTTPS is shown" "dport=8444" "$(cat "$T/ev443.out")"
	same S79 "the first events of the HTTPS connection" "$(head -n 3 "$T/ev443.out")"
	expect_match S88 "-o timestamp puts seconds and microseconds in front" '^\[[0-9]{10}\.[0-9]{1,6}\]' "$(cat "$T/new.out")"
	same S78 "-e NEW -o timestamp" "$(sed -E 's/^\[[0-9.]+ *\]/[TIME]/' "$T/new.out" | sort)"
}

counters_of_first_packets() { # S89, S96, S97: "running a few times iptables-save -c"
	local before after
	before=$(rule_packets SNAT "$(iptsave -c -t nat)")
	for _ in 1 2 3; do printf 'a\nb\nc\n' | peer client tcp $S 8444 >/dev/null; done
	after=$(rule_packets SNAT "$(iptsave -c -t nat)")
	expect "S89,S93,S96,S97" "three connections of many packets: three more through the nat rule" 3 $((after - before))
	expect_match "S94,S96" "everything else went through ESTABLISHED" '^[1-9][0-9]+$' "$(rule_packets '-ctstate ESTABLISHED' "$(iptsave -c -t filter)")"
	same "S89,S96" "nat counters" "$(iptsave -c -t nat)"
	same S94 "filter rules" "$(ipt -S)"
}

deleted_by_hand() { # S87 as measured: conntrack -D prints what it deleted, the event carries the port id
	local deleted
	events gone -e DESTROY -p tcp --orig-port-dst 8443
	deleted=$(ct -D -p tcp --orig-port-dst 8443 | norm_timeouts)
	same S87 "conntrack -D prints the entry" "$deleted"
	expect_match S87 "deleted entry" "^tcp .*sport=50798 dport=8443" "$deleted"
	wait_for 2 has_line DESTROY "$T/gone.out"
	stop gone INT
	same S87 "[DESTROY] by a user" "$(norm_timeouts <"$T/gone.out")"
	expect S98 "it is gone" "" "$(ct -L -p tcp --orig-port-dst 8443)"
}

expired() { # S87: a timer ends it
	local line
	set_timeout udp 1
	events end -e DESTROY -p udp
	expect_ok S103 "udp through the gateway" peer client udp $S 53 --sport 5300
	wait_for 8 ended end
	stop end INT
	set_timeout udp 30
	line=$(cat "$T/end.out")
	expect_match S87 "[DESTROY] of an expired connection" \
		"^\[DESTROY\] udp      17 .*src=$C dst=$S sport=5300 dport=53 src=$S dst=$G sport=53 dport=5300" "$line"
	same S87 "[DESTROY] by the timer" "$line"
}
ended() { ct -L -p udp >/dev/null; grep -q DESTROY "$T/$1.out"; } # looking makes netfilter notice the timeout
set_timeout() {
	if on_gw; then gw set "timeout.$1" "$2" >/dev/null; else ns gw sysctl -qw "net.netfilter.nf_conntrack_${1}_timeout=$2"; fi
}

udp_and_icmp() { # S103
	events other -e NEW,UPDATE
	expect_ok S103 "udp" peer client udp $S 53 --sport 5301 --count 3
	expect_ok S103 "icmp" ns client ping -c 1 -W 2 -e 4711 $S
	wait_for 2 line_count_is icmp "$T/other.out" 2
	stop other INT
	same "S78,S103" "udp and icmp events" "$(cat "$T/other.out")"
}

engines events_of_a_gateway
