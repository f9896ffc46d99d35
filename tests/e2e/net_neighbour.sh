#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Link addresses change while packets flow: of the server, of the client, of the gateway.  The conversation goes on within a second, as with netfilter.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

N4=203.0.113.9 N6=2001:db8:1::9 # a server on the gateway's own wire

neighbours() {
	host a gw s
	wire a:eth0:$A4/24,$A6/64 gw:lan:$GWL4/24,$GWL6/64
	wire gw:wan:$GW4/24,$GW6/64 s:eth0:$N4/24,$N6/64
	gateway gw
	ns a ip route add default via $GWL4
	ns a ip route add default via $GWL6
	local h
	for h in a s gw; do # a host that changes its address says so
		ns $h sysctl -qw net.ipv4.conf.all.arp_notify=1 net.ipv6.conf.all.ndisc_notify=1
	done
	start_gw lan,wan
	ipt -t nat -A POSTROUTING -o wan -j MASQUERADE
	ip6t -t nat -A POSTROUTING -o wan -j MASQUERADE
	serve s echo udp-echo 7000
	moves 4 $N4
	moves 6 $N6
	on_gw || return 0
	conversation 4 $N4
	stop gwd-gw KILL
	moved 4 s eth0 02:00:00:00:44:04 "without gwd, the server's link address changed"
}

moves() { # VERSION SERVER
	conversation "$1" "$2"
	moved "$1" s eth0 02:00:00:00:11:0"$1" "the server's link address changed"
	conversation "$1" "$2"
	moved "$1" a eth0 02:00:00:00:22:0"$1" "the client's link address changed"
	conversation "$1" "$2"
	moved "$1" gw wan 02:00:00:00:33:0"$1" "the gateway's link address changed" leaves_from
}

# A datagram every 2 ms and its answers, for so long that the connection is assured.
conversation() { # VERSION SERVER
	ct -F -f "ipv$1" >/dev/null # or the last one's would count as assured
	spawn a steady timeout -s TERM 60 python3 "$TOOLS/bulk.py" steady "$2" 7000
	wait_for 10 has_line begun "$T/steady.out"
	wait_for 10 assured "$1" || fail - "v$1: the conversation is assured" "$(ct -L -f "ipv$1" -p udp)"
	wait_for 5 delivered "$1" $(($(datagrams "$1") + 50))
}
assured() { ct -L -f "ipv$1" -p udp --orig-port-dst 7000 | grep -q ASSURED; }
datagrams() { # that the server has taken
	if [ "$1" = 4 ]; then
		ns s awk '$1 == "Udp:" && $2 ~ /^[0-9]/ { print $2 }' /proc/net/snmp
	else
		ns s awk '$1 == "Udp6InDatagrams" { print $2 }' /proc/net/snmp6
	fi
}
delivered() { [ "$(datagrams "$1")" -ge "$2" ]; }

moved() { # VERSION HOST IF NEW WHAT [CHECK]
	local old silent
	old=$(ns "$2" ip -br link show dev "$3" | awk '{ print $3 }')
	ns "$2" ip link set "$3" address "$4"
	wait_for 5 delivered "$1" $(($(datagrams "$1") + 200)) || fail - "v$1: $5: datagrams arrive again" "$(datagrams "$1")"
	[ -z "${6:-}" ] || "$6" "$1" "$old" "$4"
	kill -TERM "${PID[steady]}"
	wait "${PID[steady]}" || :
	unset "PID[steady]"
	silent=$(sed -nE 's/^silent ([0-9]+) ms$/\1/p' "$T/steady.out")
	expect "-" "v$1: $5: no silence longer than a second (${silent:-no} ms)" yes \
		"$([ "${silent:-9999}" -le 1000 ] && echo yes)"
	echo "     | $(tr '\n' ' ' <"$T/steady.out")"
}
# What the gateway sends carries its new link address.
leaves_from() { # VERSION OLD NEW
	capture s eth0 headers -e -c 50 -Q in "udp dst port 7000"
	wait_for 5 line_count_is "$3 >" "$T/headers.out" 40 || fail - "v$1: packets come from the new link address" "$(head -n 3 "$T/headers.out")"
	expect_no_match "-" "v$1: none comes from the old link address" "$2 >" "$(cat "$T/headers.out")"
	stop headers
}

need tcpdump sysctl
scenarios neighbours
