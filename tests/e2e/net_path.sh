#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# ping, traceroute and path MTU discovery through the gateway with the real tools; too big packets by hand.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

paths() {
	real_net
	start_gw lan,wan
	home_rules
	watch_leaks r near
	spawn s remote python3 -u "$TOOLS/bulk.py" serve 5001
	wait_for 15 listening s t 5001
	pings
	traces
	path_mtu
	no_leaks
}

pings() {
	expect_ok "-" "ping" ns a ping -n -q -c 3 -i 0.05 -W 2 "$S4"
	expect_ok "-" "ping, IPv6" ns a ping -n -q -c 3 -i 0.05 -W 2 "$S6"
	expect_ok "-" "ping with 8000 bytes" ns a ping -n -q -c 2 -i 0.05 -W 2 -s 8000 "$S4"
	expect_ok "-" "ping with 8000 bytes, IPv6" ns a ping -n -q -c 2 -i 0.05 -W 2 -s 8000 "$S6"
	expect_ok "-" "ping of the gateway itself" ns a ping -n -q -c 2 -i 0.05 -W 2 "$GW4"
	expect_ok "-" "the gateway's own ping" ns gw ping -n -q -c 2 -i 0.05 -W 2 "$S4"
	expect_ok "-" "the gateway's own ping, IPv6" ns gw ping -n -q -c 2 -i 0.05 -W 2 "$S6"
	expect_rc "-" "a broadcast ping is not answered with an error" 1 ns a ping -n -q -b -c 1 -W 0.2 10.0.0.255
	same_id "$S4"
	same_id "$S6"
	expect_match "-" "the TTL falls by one at each of the two routers" "ttl=62 " "$(ns a ping -n -c 1 -W 2 "$S4")"
}
same_id() { # ADDRESS: two hosts ping at once with the same id
	local one two rc=0
	ns a ping -n -q -e 4242 -c 5 -i 0.05 -W 2 "$1" >"$T/ping-a" & one=$!
	ns b ping -n -q -e 4242 -c 5 -i 0.05 -W 2 "$1" >"$T/ping-b" & two=$!
	wait "$one" || rc=1
	wait "$two" || rc=1
	expect "-" "two hosts ping $1 with the same id" 0 "$rc"
}

hops() { ns a traceroute -n -q 1 -w 2 -m 5 "$@" | awk 'NR > 1 { print $2 }' | xargs; }
traces() {
	local how
	for how in -U -I -T; do
		expect "-" "traceroute $how shows the gateway, the next hop and the target" "$GWL4 $R4 $S4" "$(hops "$how" "$S4")"
		expect "-" "traceroute $how, IPv6" "$GWL6 $R6 $S6" "$(hops "$how" "$S6")"
	done
	expect "-" "traceroute with classic ports" "$GWL4 $R4 $S4" "$(hops "$S4")"
	expect_match "-" "from outside towards a forwarded port only public addresses show" "^198.51.100.1 $GW4" \
		"$(ns s traceroute -n -q 1 -w 0.3 -m 3 -U -p 8080 "$GW4" | awk 'NR > 1 { print $2 }' | xargs)"
}

# Behind r the link carries 1400 bytes only.
path_mtu() {
	ns r ip link set far mtu 1400
	expect_rc "-" "a ping that is too big and may not be fragmented fails" 1 ns a ping -n -c 2 -i 0.1 -W 1 -M "do" -s 1450 "$S4"
	expect_match "-" "because r said so" "mtu *= *1400" "$OUT"
	expect_match "-" "the host learns the path MTU" "mtu 1400" "$(ns a ip route get "$S4")"
	ns a ping -n -c 2 -i 0.1 -W 1 -M "do" -s 1450 "$S6" >/dev/null 2>&1 || :
	expect_match "-" "the host learns the path MTU, IPv6" "mtu 1400" "$(ns a ip -6 route get "$S6")"
	ns a ip route flush cache
	ns a ip -6 route flush cache
	expect_ok "-" "an upload finds its way through the narrow link" ns b timeout 10 python3 "$TOOLS/bulk.py" put "$S4" 5001 3000000
	expect_match "-" "by path MTU discovery" "mtu 1400" "$(ns b ip route get "$S4")"
	expect_ok "-" "an upload finds its way, IPv6" ns b timeout 10 python3 "$TOOLS/bulk.py" put "$S6" 5001 3000000
	ns r ip link set far mtu 1500
}

too_big() {
	local side
	bare_net
	start_gw lan,wan
	home_rules
	for side in lan wan; do
		ns gw ip link set "$side" mtu 1400
		crafted mtu_cases.py 4 SIDE="$side"
		crafted mtu_cases.py 6 SIDE="$side"
		ns gw ip link set "$side" mtu 1500
	done
}

need tcpdump ping traceroute
scenarios paths too_big
