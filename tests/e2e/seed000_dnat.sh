#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seed 000, scenario 3 of three (S2): a client on the internet reaches an internal web server through a forwarded port.
. "$(dirname "$0")/lib.sh"
need tcpdump

dnat() {
	host client gw server
	wire client:c0:203.0.113.9/24 gw:eth0:203.0.113.1/24
	wire server:s0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	ns client ip addr add 1.2.3.4/32 dev lo
	ns server ip route add default via 10.0.0.1
	ns gw ip route add default via 203.0.113.9
	gateway gw
	start_gw eth0,lan0
	serve server web http 80 "the internal web server"
	# S38: both rules of the scenario, with the abbreviated option
	ipt -t nat -A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to 10.0.0.5:80
	ipt -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
	same S38 "nat rules" "$(ipt -t nat -S)"
	expect S38 "--to is --to-destination" \
		"-A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80" "$(ipt -t nat -S PREROUTING | tail -n 1)"
	# S42: the filter sees the packet after DNAT, so only these let it through
	ipt -P FORWARD DROP
	ipt -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
	ipt -A FORWARD -i eth0 -o lan0 -p tcp -d 10.0.0.5 --dport 80 -j ACCEPT
	ipt -A FORWARD -p tcp --dport 8080 -j ACCEPT

	forwarded_port
	kept_private
}

forwarded_port() {
	local save new=" tcp      6 120 SYN_SENT src=1.2.3.4 dst=203.0.113.1 sport=60000 dport=8080 [UNREPLIED] src=10.0.0.5 dst=1.2.3.4 sport=80 dport=60000"
	events ev -p tcp
	capture client c0 wire_wan tcp
	capture server s0 wire_lan tcp
	expect_ok "S39,S46" "curl http://203.0.113.1:8080" ns client curl -s -m 3 --interface 1.2.3.4 --local-port 60000 http://203.0.113.1:8080
	expect S46 "the page came" "the internal web server" "$OUT"
	stop wire_wan INT; stop wire_lan INT; stop ev INT
	expect_match S39 "the SYN went to the public address and port" '^IP 1\.2\.3\.4\.60000 > 203\.0\.113\.1\.8080: Flags \[S\]' "$(head -n 1 "$T/wire_wan.out")"
	expect_match S40 "address and port are changed before routing" '^IP 1\.2\.3\.4\.60000 > 10\.0\.0\.5\.80: Flags \[S\]' "$(head -n 1 "$T/wire_lan.out")"
	expect S41 "the entry: original 1.2.3.4 -> 203.0.113.1:8080, reply 10.0.0.5:80 -> 1.2.3.4" "    [NEW]$new" "$(sed -n 1p "$T/ev.out")"
	expect_match S44 "the reply, on the internal interface, is found" \
		'^ \[UPDATE\] tcp      6 60 SYN_RECV src=1.2.3.4 dst=203.0.113.1 sport=60000 dport=8080 src=10.0.0.5 dst=1.2.3.4 sport=80 dport=60000$' "$(sed -n 2p "$T/ev.out")"
	same "S41,S44" "the first events" "$(head -n 3 "$T/ev.out")"
	expect S43 "the server sees the real client" "peer 1.2.3.4 60000" "$(cat "$T/web.out")"
	expect_match "S45,S46" "the SYN-ACK leaves as 203.0.113.1:8080" '^IP 203\.0\.113\.1\.8080 > 1\.2\.3\.4\.60000: Flags \[S\.\]' "$(cat "$T/wire_wan.out")"
	expect_no_match S46 "the client never sees 10.0.0.5" '10\.0\.0\.5' "$(cat "$T/wire_wan.out")"
	save=$(iptsave -c)
	expect S42 "FORWARD saw 10.0.0.5:80" 1 "$(rule_packets 'A FORWARD -d 10.0.0.5/32' "$save")"
	expect S42 "and never port 8080" 0 "$(rule_packets 'A FORWARD .*8080' "$save")"
	expect S43 "the MASQUERADE rule is not hit: another output interface" 0 "$(rule_packets MASQUERADE "$save")"
	expect "S32,S37" "one packet through the DNAT rule" 1 "$(rule_packets DNAT "$save")"
	same S43 "nat counters" "$(iptsave -c -t nat)"
}

kept_private() { # only the forwarded port is reachable from outside
	expect_rc S42 "another port is not forwarded: the gateway itself refuses it" 7 ns client curl -s -m 2 --interface 1.2.3.4 http://203.0.113.1:81
}

engines dnat
