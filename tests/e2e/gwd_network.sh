#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# gwd follows the network: interfaces come, go and change their names, addresses change, and the rules that name them follow.
. "$(dirname "$0")/lib.sh"
ONLY=gw
SOCK=$GW_SOURCE/tests/e2e/tools/gwdsock.py

network() {
	host gw client server
	gateway gw
	wire gw:lan0:10.0.0.1/24 client:c0:10.0.0.5/24
	wire gw:wan0:203.0.113.1/24 server:s0:203.0.113.9/24
	ns client ip route add default via 10.0.0.1
	printf '%s\n' 'table inet filter { chain forward { type filter hook forward priority 0; policy drop;' \
		'ct state established,related accept' 'iifname "lan0" oifname "wan0" accept' 'iifname "ppp*" accept } }' \
		'table ip nat { chain postrouting { type nat hook postrouting priority srcnat; ip saddr 10.0.0.6 snat to 203.0.113.1' \
		'oifname "wan0" masquerade } }' \
		>"$T/ruleset-gw.nft"
	start_gw 'lan0,wan0,ppp*'
	expect_ok "-" "traffic passes" reach
	plug
	rename
	masters
	addresses
	named_address
	while_away
}
ask() { python3 "$SOCK" "$T/run-gw/control.sock" request "$@"; }
reach() { ns client ping -c1 -W1 -q 203.0.113.9; }
# field of an interface in `status`, or "none"
about() {
	ask status | python3 -c 'import json, sys
i = [i for i in json.load(sys.stdin)["interfaces"] if i["name"] == sys.argv[1]]
print(i[0][sys.argv[2]] if i else "none")' "$1" "$2"
}
is() { [ "$(about "$1" "$2")" = "$3" ]; }
becomes() { # WHAT INTERFACE FIELD VALUE
	wait_for 3 is "$2" "$3" "$4" || :
	expect "-" "$1" "$4" "$(about "$2" "$3")"
}
generation() { ask ping | grep -oE '"gen":[0-9]+'; }
plug() {
	local gen
	gen=$(generation)
	ns gw ip link add ppp7 type veth peer name far
	becomes "an interface that comes is managed" ppp7 attached True
	expect_no_match "-" "and the rules that name it are compiled again" "^$gen\$" "$(generation)"
	ns gw ip addr add 198.51.100.7/32 dev ppp7
	becomes "its address is what masquerade takes" ppp7 masquerade4 198.51.100.7
	ns gw ip link set ppp7 mtu 1400
	becomes "its mtu is followed" ppp7 mtu 1400
	ns gw ip addr add 2001:db8::7/64 dev ppp7 nodad
	ns gw ip link set ppp7 up
	becomes "its IPv6 address too" ppp7 masquerade6 2001:db8::7
	ns gw ip link del ppp7
	becomes "an interface that goes is forgotten" ppp7 attached none
	ns gw ip link add ppp7 type veth peer name far
	becomes "made anew it is managed again" ppp7 attached True
	ns gw ip link del ppp7
	becomes "and forgotten again" ppp7 attached none
	gen=$(generation)
	ns gw ip link add other type veth peer name far
	sleep 0.3
	expect "-" "what is not named is left alone" none "$(about other attached)"
	expect "-" "and compiles nothing" "$gen" "$(generation)"
	ns gw ip link del other
}
rename() {
	local i
	ns gw ip link set lan0 name away
	becomes "renamed away it is not managed" lan0 attached none
	ns gw ip link set away name lan0
	becomes "renamed back it is" lan0 attached True
	for i in 1 2 3 4 5 6 7 8; do
		ns gw ip link set wan0 name "w$i"
		ns gw ip link set "w$i" name wan0
	done
	becomes "a storm of renames ends managed" wan0 attached True
	ns gw ip addr replace 203.0.113.1/24 dev wan0
	expect_ok "-" "and traffic passes" reach
}
masters() {
	ns gw ip link add ppp1 type veth peer name far
	becomes "a free interface is managed" ppp1 attached True
	ns gw ip link add br0 type bridge
	ns gw ip link set ppp1 master br0
	becomes "as a port of a bridge it is not" ppp1 attached none
	ask set '{"key": "interfaces", "value": "lan0 wan0 br*"}' >/dev/null
	expect "-" "interfaces is live: the bridge is managed at once" True "$(about br0 attached)"
	ask set '{"key": "interfaces", "value": "lan0,wan0"}' >/dev/null
	expect "-" "and let go at once" none "$(about br0 attached)"
	ns gw ip link del br0
	ns gw ip link del ppp1
}
flow_count() { ask flows '{"filter": {"proto": 1, "nat": 8}}' | awk '{ n += $1 } END { print n + 0 }'; }
no_flow() { [ "$(flow_count)" = 0 ]; }
addresses() {
	reach >/dev/null
	expect "-" "a masqueraded connection" 1 "$(flow_count | sed 's/^[2-9]$/1/')"
	ns gw ip addr add 203.0.113.2/32 dev wan0
	ns gw ip addr del 203.0.113.1/24 dev wan0
	becomes "masquerade follows the address" wan0 masquerade4 203.0.113.2
	wait_for 2 no_flow || :
	expect "-" "connections behind an address that is gone are ended" 0 "$(flow_count)"
	ns gw ip addr add 203.0.113.1/24 dev wan0
	ns gw ip addr del 203.0.113.2/32 dev wan0
	becomes "and back" wan0 masquerade4 203.0.113.1
	expect_ok "-" "traffic passes" reach
}
# An address that a rule names is not the interface's: netfilter, too, leaves alone what `snat to` made.
flows_are() { [ "$(flow_count)" = "$1" ]; }
named_address() {
	ns client ip addr add 10.0.0.6/24 dev c0
	ask flows-flush >/dev/null
	reach >/dev/null
	ns client ping -I 10.0.0.6 -c1 -W1 -q 203.0.113.9 >/dev/null
	expect "-" "one connection by snat, one by masquerade" 2 "$(flow_count)"
	ns gw ip addr add 203.0.113.2/32 dev wan0
	ns gw ip addr del 203.0.113.1/24 dev wan0
	becomes "masquerade follows the address" wan0 masquerade4 203.0.113.2
	wait_for 2 flows_are 1 || :
	expect "-" "what snat made goes on" 1 "$(flow_count)"
	ns gw ip addr add 203.0.113.1/24 dev wan0
	ns gw ip addr del 203.0.113.2/32 dev wan0
	becomes "and back" wan0 masquerade4 203.0.113.1
}
# What changes while no gwd is there is found by the next one.
while_away() {
	stop gwd-gw KILL
	expect_ok "-" "without gwd traffic passes" reach
	ns gw ip link add ppp3 type veth peer name far
	ns gw ip addr add 10.0.0.2/24 dev lan0
	: >"$T/gwd-gw.err"
	ns gw ip addr del 10.0.0.2/24 dev lan0
	start_gw 'wan0,ppp*'
	expect_match "-" "the rules in force are adopted" "Adopted ruleset" "$(cat "$T/gwd-gw.err")"
	becomes "what came is managed" ppp3 attached True
	expect "-" "what is not wanted any more is let go" none "$(about lan0 attached)"
	rm "$T"/run-gw/state.nft*
	stop gwd-gw KILL
	echo broken >"$T/ruleset-gw.nft"
	start_gw 'lan0,wan0'
	expect_match "-" "with the state lost and a broken file, the rules in force stay" "rules in force stay" "$(cat "$T/gwd-gw.err")"
	expect_rc "-" "they can not be changed one by one" 1 ask apply '{"text": "add rule inet filter forward accept"}'
	expect_rc "-" "nor saved" 1 ask save
	expect_ok "-" "and traffic passes" reach
	expect_ok "-" "a whole ruleset replaces them" ask apply '{"text": "", "replace": true}'
	expect_ok "-" "off" ask off
}
engines network
