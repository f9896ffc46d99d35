#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seed 001: a web server in a network namespace, published on the gateway's address by four rules.
. "$(dirname "$0")/lib.sh"
need tcpdump

CLIENT=10.187.40.18 GATEWAY=10.187.40.123 SERVER=10.188.50.202
EMPTY_FILTER=$'-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT'
EMPTY_NAT=$'-P PREROUTING ACCEPT\n-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-P POSTROUTING ACCEPT'

web_server() {
	host client gw server # S66: the server lives in a namespace behind a veth
	wire client:c0:$CLIENT/24 gw:enp0s25:$GATEWAY/24
	wire server:veth0:$SERVER/24 gw:veth1:10.188.50.201/24
	ns server ip route add default via 10.188.50.201
	gateway gw
	start_gw enp0s25,veth1
	serve server flask http 8080 'Hello from Flask!' # S65: what server.py answers

	expect S54 "iptables -S of an empty system" "$EMPTY_FILTER" "$(ipt -S)"
	same S54 "iptables -S, empty" "$(ipt -S)"
	same S61 "iptables -t nat -S, empty" "$(ipt -t nat -S)"
	expect S61 "iptables -t nat -S of an empty system" "$EMPTY_NAT" "$(ipt -t nat -S)"
	ipt -P FORWARD DROP # so that the two FORWARD rules are needed
	commented_variant
	the_four_rules
	request_and_response
	both_rules_needed
}

commented_variant() { # S57
	ipt -A FORWARD -p tcp -d 192.168.2.10 --dport 54321 -j ACCEPT
	ipt -A FORWARD -p tcp -s 192.168.2.10 --sport 54321 -j ACCEPT
	same S57 "the commented variant" "$(ipt -S FORWARD)"
	ipt -D FORWARD -p tcp -d 192.168.2.10 --dport 54321 -j ACCEPT
	ipt -D FORWARD -p tcp -s 192.168.2.10 --sport 54321 -j ACCEPT
	expect S57 "and they are deleted by the text they were added with" "-P FORWARD DROP" "$(ipt -S FORWARD)"
}

the_four_rules() { # S53a-S53d
	ipt -A FORWARD -p tcp -d $SERVER --dport 8080 -j ACCEPT # S55
	ipt -A FORWARD -p tcp -s $SERVER --sport 8080 -j ACCEPT # S56
	ipt -t nat -A PREROUTING -p tcp -d $GATEWAY --dport 8080 -j DNAT --to-destination $SERVER:8080 # S59
	ipt -t nat -A POSTROUTING -p tcp -d $SERVER --dport 8080 -j SNAT --to-source $GATEWAY # S60
	expect "S55,S56,S58" "canonical form, in the order they were added" \
		"-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-A FORWARD -d $SERVER/32 -p tcp -m tcp --dport 8080 -j ACCEPT
-A FORWARD -s $SERVER/32 -p tcp -m tcp --sport 8080 -j ACCEPT" "$(ipt -S)"
	expect "S59,S60,S61" "the nat table" "$EMPTY_NAT
-A PREROUTING -d $GATEWAY/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination $SERVER:8080
-A POSTROUTING -d $SERVER/32 -p tcp -m tcp --dport 8080 -j SNAT --to-source $GATEWAY" "$(ipt -t nat -S)"
	same "S53,S58" "iptables -S" "$(ipt -S)"
	same "S53,S61" "iptables -t nat -S" "$(ipt -t nat -S)"
}

request_and_response() {
	local seen save
	capture gw enp0s25 tap "src $CLIENT and dst $GATEWAY and dst port 8080" # S67
	capture client c0 wire tcp
	expect_ok S68 "curl the gateway" ns client curl -s -m 3 --local-port 45000 http://$GATEWAY:8080
	expect "S65,S68" "the page" "Hello from Flask!" "$OUT"
	stop tap INT; stop wire INT
	seen=$(cat "$T/tap.out")
	expect_match S67 "tcpdump on the gateway sees the packets before DNAT" "^IP $CLIENT\.45000 > $GATEWAY\.8080: Flags \[S\]" "$(head -n 1 <<<"$seen")"
	expect_match S67 "all of them, not only the first" "Flags \[P\.\].* HTTP: GET|Flags \[P\.\]" "$seen"
	expect S62 "the server talks to the gateway" "peer $GATEWAY 45000" "$(cat "$T/flask.out")"
	expect_match "S62,S63" "both rewrites are one entry, which keeps the original source" \
		"src=$CLIENT dst=$GATEWAY sport=45000 dport=8080 src=$SERVER dst=$GATEWAY sport=8080 dport=45000 \[ASSURED\]" "$(ct -L -p tcp)"
	expect_match S64 "yes: the response's source is changed to the gateway as well" "^IP $GATEWAY\.8080 > $CLIENT\.45000: Flags \[S\.\]" "$(cat "$T/wire.out")"
	expect_no_match S64 "the client never sees the server's address" "10\.188\.50\.202" "$(cat "$T/wire.out")"
	wait_for 2 closed || :
	same S62 "conntrack -L" "$(ct -L -p tcp | norm_timeouts)"
	save=$(iptsave -c)
	expect "S59,S60" "one packet through DNAT, one through SNAT" "1 1" "$(rule_packets DNAT "$save") $(rule_packets SNAT "$save")"
	same S60 "nat counters" "$(iptsave -c -t nat)"
}

closed() { ct -L -p tcp | grep -q TIME_WAIT; }

both_rules_needed() { # S53b: the second FORWARD rule carries the answers
	ipt -D FORWARD -p tcp -s $SERVER --sport 8080 -j ACCEPT
	expect_rc "S53,S56" "without the rule for the answers nothing comes back" 28 ns client curl -s -m 0.7 http://$GATEWAY:8080
	ipt -A FORWARD -p tcp -s $SERVER --sport 8080 -j ACCEPT
	expect_ok "S53,S56" "with it again, it does" ns client curl -s -m 3 http://$GATEWAY:8080
}

engines web_server
