#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seed 000, scenario 2 of three (S2): an internal host reaches the internet behind the gateway's address.
. "$(dirname "$0")/lib.sh"
need openssl tcpdump

topology() { # S4: 10.0.0.5 - gateway 10.0.0.1 / 203.0.113.1 - 8.8.8.8; the server has no route to 10.0.0.0/24
	host client gw server
	wire client:c0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	wire server:s0:203.0.113.9/24 gw:eth0:203.0.113.1/24
	ns server ip addr add 8.8.8.8/32 dev lo
	ns client ip route add default via 10.0.0.1
	ns gw ip route add default via 203.0.113.9
	gateway gw
	start_gw lan0,eth0
}

snat() {
	topology
	certificate
	serve server https http 443 "the internet" --tls "$T/tls.pem"
	serve server sshd ssh 22
	serve server echo udp-echo 53 --bind 8.8.8.8
	ipt -P FORWARD DROP
	ipt -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
	ipt -A FORWARD -i lan0 -o eth0 -s 10.0.0.0/24 -j ACCEPT
	ipt -t nat -A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to 10.0.0.5:80
	ipt -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE # S23
	ipt -t nat -A POSTROUTING -o lan0 -j ACCEPT		       # S35: would count a reply that came here
	same S23 "nat rules" "$(ipt -t nat -S)"

	https_from_inside
	nat_runs_once
	rule_deleted_connection_lives
	other_protocols
	unanswered
}

https_from_inside() {
	local reply=203.0.113.1
	events ev -p tcp
	capture client c0 wire_lan "tcp port 443"
	capture server s0 wire_wan "tcp port 443"
	expect_ok "S22,S36" "curl https://8.8.8.8" ns client curl -sk -m 3 --local-port 51234 https://8.8.8.8
	expect "S22,S36" "the page came through" "the internet" "$OUT"
	stop wire_lan INT; stop wire_wan INT; stop ev INT
	expect_match S24 "no DNAT rule matches: the destination stays" '^IP 203\.0\.113\.1\.51234 > 8\.8\.8\.8\.443: Flags \[S\]' "$(cat "$T/wire_wan.out")"
	expect_match "S27,S28" "the source is the gateway's address, its port kept" '^IP 203\.0\.113\.1\.51234 >' "$(head -n 1 "$T/wire_wan.out")"
	expect_no_match "S28,S30" "no packet with a private address leaves" '10\.0\.0\.' "$(cat "$T/wire_wan.out")"
	expect S30 "the server sees only the gateway" "peer 203.0.113.1 51234" "$(tail -n 1 "$T/https.out")"
	expect "S25,S29" "the entry: original untouched, only the reply tuple rewritten, unreplied" \
		"    [NEW] tcp      6 120 SYN_SENT src=10.0.0.5 dst=8.8.8.8 sport=51234 dport=443 [UNREPLIED] src=8.8.8.8 dst=$reply sport=443 dport=51234" \
		"$(sed -n 1p "$T/ev.out")"
	expect "S31,S90" "the reply is found by the reply tuple" \
		" [UPDATE] tcp      6 60 SYN_RECV src=10.0.0.5 dst=8.8.8.8 sport=51234 dport=443 src=8.8.8.8 dst=$reply sport=443 dport=51234" \
		"$(sed -n 2p "$T/ev.out")"
	same "S29,S31" "the first events" "$(head -n 3 "$T/ev.out")"
	expect_match "S32,S33,S36" "the SYN-ACK reaches the client with its own address and port" \
		'^IP 8\.8\.8\.8\.443 > 10\.0\.0\.5\.51234: Flags \[S\.\]' "$(cat "$T/wire_lan.out")"
	expect_match "S48,S49" "one table: the translated connection is listed like any other" \
		"^tcp .* src=10.0.0.5 dst=8.8.8.8 sport=51234 dport=443 src=8.8.8.8 dst=203.0.113.1 sport=443 dport=51234 \[ASSURED\]" "$(ct -L -p tcp)"
}

nat_runs_once() { # S37
	local save
	save=$(iptsave -c)
	expect "S32,S37,S91" "dozens of packets, one through the MASQUERADE rule" 1 "$(rule_packets MASQUERADE "$save")"
	expect "S35,S76,S93" "replies never come to POSTROUTING's nat rules" 0 "$(rule_packets 'A POSTROUTING -o lan0' "$save")"
	expect S24 "nor did anything match the DNAT rule" 0 "$(rule_packets DNAT "$save")"
	expect S26 "one packet through the rule for new connections in FORWARD" 1 "$(rule_packets 'A FORWARD .*-i lan0' "$save")"
	expect_match S34 "all others by ESTABLISHED,RELATED" '^[1-9][0-9]+$' "$(rule_packets 'RELATED,ESTABLISHED' "$save")"
	same "S37" "nat counters" "$(iptsave -c -t nat)"
}

rule_deleted_connection_lives() { # S95: the entry alone de-translates
	session held client 8.8.8.8 22 --sport 40001
	ipt -t nat -D POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
	expect_ok S95 "a connection outlives its NAT rule" say held "still there"
	expect S95 "and keeps its translation" "peer 203.0.113.1 40001" "$(cat "$T/sshd.out")"
	hang_up held
	ipt -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
}

other_protocols() { # S103: whatever the transport
	expect_ok S103 "udp is translated" peer client udp 8.8.8.8 53 --sport 5353 --count 3
	expect S103 "the udp server sees the gateway" "peer 203.0.113.1 5353" "$(tail -n 1 "$T/echo.out")"
	expect_ok S103 "ping is translated" ns client ping -c 2 -i 0.2 -W 2 -e 777 8.8.8.8
	same S103 "udp and icmp entries" "$(ct -L -p udp | norm_timeouts; ct -L -p icmp | norm_timeouts)"
}

unanswered() { # S25, S29 in the table: nobody answers on this address
	ns client bash -c 'echo x >/dev/udp/203.0.113.77/9'
	wait_for 2 listed "dst=203.0.113.77"
	same "S29" "an unanswered entry" "$(ct -L -p udp --orig-port-dst 9 | sed -E 's/sport=[0-9]+|dport=[1-9][0-9]{3,}/PORT/g' | norm_timeouts)"
	expect_match S29 "[UNREPLIED] stands between the tuples" \
		'src=10.0.0.5 dst=203.0.113.77 sport=[0-9]+ dport=9 \[UNREPLIED\] src=203.0.113.77 dst=203.0.113.1 sport=9 ' "$(ct -L -p udp)"
}
listed() { ct -L | grep -q -- "$1"; }

engines snat
