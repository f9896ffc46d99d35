#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The rulesets of examples/, each with the traffic it is for, on both engines.
. "$(dirname "$0")/lib.sh"

# apply FILE: as the engine reads it
apply() {
	if on_gw; then gw ruleset apply "$1" >/dev/null; else ns gw nft -f "$1"; fi
}
# example NAME: its ruleset; conntrack of the oracle stays asked for
example() {
	on_gw || ns gw nft delete table inet oracle
	apply "$GW_SOURCE/examples/$1/ruleset.nft"
}
fetch() { # HOST URL: what a web server says, quickly
	ns "$1" curl -s -m 1.5 "$2"
}
# seen HOST URL SERVER: fetch, and what address the server saw
seen() {
	fetch "$1" "$2" >/dev/null
	sed -n '$s/.* \([0-9.]*\) .*/\1/p' "$T/$3.out"
}
ping_once() { ns "$1" ping -c 1 -W 1 -n "$2" >/dev/null; }

home_gateway() {
	host pc gw web
	wire pc:c0:192.168.1.10/24,2001:db8:1::10/64 gw:lan0:192.168.1.1/24,2001:db8:1::1/64
	wire web:s0:203.0.113.9/24,2001:db8:f::9/64 gw:wan0:203.0.113.1/24,2001:db8:f::1/64
	ns pc ip route add default via 192.168.1.1
	ns pc ip -6 route add default via 2001:db8:1::1
	ns web ip -6 route add 2001:db8:1::/64 via 2001:db8:f::1
	ns web ip route add 192.168.1.0/24 via 203.0.113.1
	gateway gw
	start_gw lan0,wan0
	example home-gateway
	serve web http http 80 internet
	serve pc http2 http 80 inside
	expect_ok - "the LAN reaches the internet" fetch pc http://203.0.113.9/
	expect_ok - "also by IPv6" fetch pc "http://[2001:db8:f::9]/"
	expect_rc - "the internet does not reach the LAN" 28 fetch web http://192.168.1.10/
	expect_rc - "nor by IPv6" 28 fetch web "http://[2001:db8:1::10]/"
	expect_ok - "the gateway answers a ping from outside" ping_once web 203.0.113.1
	expect_rc - "a closed port is refused to the LAN" 7 fetch pc http://192.168.1.1:8080/
	expect_rc - "and silent to the internet" 28 fetch web http://203.0.113.1:8080/
}

zones() {
	local i
	host pc guest mail outside gw
	wire pc:c0:192.168.10.10/24 gw:lan0:192.168.10.1/24
	wire guest:g0:192.168.30.10/24 gw:guest0:192.168.30.1/24
	wire mail:m0:192.168.20.80/24,192.168.20.25/24 gw:dmz0:192.168.20.1/24
	wire outside:o0:203.0.113.9/24 gw:wan0:203.0.113.1/24
	ns pc ip route add default via 192.168.10.1
	ns guest ip route add default via 192.168.30.1
	ns mail ip route add default via 192.168.20.1
	gateway gw
	start_gw lan0,guest0,dmz0,wan0
	example dmz-zones
	serve mail web http 8443 published
	serve mail smtp ssh 25
	serve outside net http 80 internet
	serve pc own http 80 private
	expect_ok - "the internet reaches a published port" fetch outside http://203.0.113.1:443/
	expect_rc - "and no other" 28 fetch outside http://203.0.113.1:81/
	expect_ok - "the LAN reaches the DMZ" fetch pc http://192.168.20.80:8443/
	expect_ok - "guests reach the web" fetch guest http://203.0.113.9/
	expect_rc - "guests do not reach the LAN" 7 fetch guest http://192.168.10.10/
	expect_rc - "the DMZ does not reach the LAN" 7 fetch mail http://192.168.10.10/
	apply - <<<'add element inet filter published { 2525 : 192.168.20.25 . 25 }; delete element inet filter published { 443 }' # as an operator does
	expect_ok - "a port more is an element more" ns outside timeout 3 python3 "$PEER" tcp 203.0.113.1 2525
	expect_rc - "one less is closed for new connections" 28 fetch outside http://203.0.113.1:443/
	serve gw sshd ssh 22
	for i in 1 2 3; do ns pc timeout 3 python3 "$PEER" tcp 192.168.10.1 22 >/dev/null </dev/null || :; done
	expect_rc - "who is impatient with ssh" 1 ns pc timeout 5 python3 "$PEER" tcp 192.168.10.1 22 --timeout 1
}

blocklist() {
	local i
	host pc gw web
	wire pc:c0:192.168.1.10/24 gw:lan0:192.168.1.1/24
	wire web:s0:203.0.113.9/24,198.51.100.10/32,198.18.7.7/32 gw:wan0:203.0.113.1/24
	ns pc ip route add default via 192.168.1.1
	ns gw ip route add default via 203.0.113.9
	gateway gw
	start_gw lan0,wan0
	example blocklist
	serve web http http 80 internet
	for ((i = 0; i < 10000; i++)); do echo "198.18.$((i / 256)).$((i % 256))"; done >"$T/list"
	echo "2001:db8:bad:1::/64 # malware" >>"$T/list"
	expect_ok - "before the list" fetch pc http://198.18.7.7/
	if on_gw; then
		expect_ok - "10,000 entries in one transaction" env GWCTL="$GWCTL" GWCTL_SOCKET="$T/run-gw/control.sock" "$GW_SOURCE/examples/blocklist/update" "$T/list"
	else
		printf '#!/bin/sh\nshift 2\nexec nsenter --net=/run/netns/%s-gw nft -f "$@"\n' "$NETNS_PREFIX" >"$T/nft"
		chmod +x "$T/nft"
		expect_ok - "10,000 entries in one transaction" env GWCTL="$T/nft" "$GW_SOURCE/examples/blocklist/update" "$T/list"
	fi
	expect_rc - "who is on the list is not reached" 7 fetch pc http://198.18.7.7/
	expect_ok - "others are" fetch pc http://203.0.113.9/
	expect_rc - "and does not reach us" 1 ns web ping -c 1 -W 1 -I 198.18.7.7 203.0.113.1
	expect_ok - "a friend does" ns web ping -c 1 -W 1 -I 198.51.100.10 203.0.113.1
	expect_ok - "who is not on the list does" ping_once web 203.0.113.1
}

pool() {
	local a b
	host alice firm gw web
	wire alice:c0:100.64.0.7/24 gw:cust1:-
	wire firm:c0:100.64.0.10/24 gw:cust2:-
	bridge gw cust0 100.64.0.1/24 cust1 cust2
	wire web:s0:198.51.100.9/24 gw:wan0:198.51.100.1/24
	for a in alice firm; do ns $a ip route add default via 100.64.0.1; done
	ns web ip route add 203.0.113.0/24 via 198.51.100.1
	ns gw ip route add blackhole 203.0.113.64/27 # what is nobody's must not go round between provider and gateway
	gateway gw
	# shellcheck disable=SC2016 # for the inner shell
	ns gw sh -c 'f=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $f ] || echo 0 >$f'
	start_gw cust0,wan0
	example address-pool
	serve web http http 80 internet
	serve firm http2 http 80 firm
	a=$(seen alice http://198.51.100.9/ http) b=$(seen alice http://198.51.100.9/ http)
	expect_match - "a customer has an address of the pool" '^203\.0\.113\.(6[4-9]|[78][0-9]|9[0-5])$' "$a"
	expect - "the same one for the next connection" "$a" "$b"
	expect - "a business customer has its own" 203.0.113.10 "$(seen firm http://198.51.100.9/ http)"
	expect_ok - "and is reached by it" fetch web http://203.0.113.10/
	expect_rc - "a customer of the pool is not" 28 fetch web "http://$a/"
	expect_rc - "mail leaves by the provider only" 7 fetch alice http://198.51.100.9:25/
}

multi_wan() {
	local i
	host pc gw a b
	wire pc:c0:10.10.0.10/16,10.10.20.10/32 gw:lan0:10.10.0.1/16
	wire a:a0:198.51.100.1/30,192.0.2.1/32 gw:wan0:198.51.100.2/30
	wire b:b0:203.0.113.1/30,192.0.2.1/32 gw:wan1:203.0.113.2/30
	ns pc ip route add default via 10.10.0.1
	ns gw sh -c 'ip route add default via 198.51.100.1; ip route add default via 198.51.100.1 table 101; ip route add default via 203.0.113.1 table 102
		ip rule add fwmark 0x100/0xff00 lookup 101; ip rule add fwmark 0x200/0xff00 lookup 102'
	gateway gw
	start_gw lan0,wan0,wan1
	example multi-wan
	serve a http http 80 provider-a
	serve b http2 http 80 provider-b
	for i in 1 2 3 4; do fetch pc http://192.0.2.1/ || :; done >"$T/got"
	expect - "connections are spread over both providers" 2 "$(grep -c provider-a "$T/got")"
	expect - "evenly" 2 "$(grep -c provider-b "$T/got")"
	for i in 1 2 3; do ns pc curl -s -m 1.5 --interface 10.10.20.10 http://192.0.2.1/ || :; done >"$T/got"
	expect - "phones have their own provider" 3 "$(grep -c provider-a "$T/got")"
	expect_ok - "a ping that comes by B is answered by B" ns b ping -c 1 -W 1 203.0.113.2
	capture a a0 syn "tcp[tcpflags] & tcp-syn != 0 and dst port 80"
	ns gw ip link set wan0 mtu 1400
	sleep 0.2
	for i in 1 2; do fetch pc http://192.0.2.1/ >/dev/null || :; done
	stop syn INT
	expect_match - "segments fit the provider's link" 'mss 1360' "$(cat "$T/syn.out")"
}

for example in ${EXAMPLES:-home_gateway zones blocklist pool multi_wan}; do engines "$example"; done
