#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# nat.protect_local: a translated connection never takes a port on which the gateway itself listens.
. "$(dirname "$0")/lib.sh"
ONLY=gw

reply_port() { # PROTOCOL SPORT: the port that the connection from SPORT leaves with
	ct -L -p "$1" --orig-port-src "$2" | grep -Eo 'dport=[0-9]+' | tail -n 1
}

protected() {
	host client gw server
	wire client:c0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	wire server:s0:203.0.113.9/24 gw:wan0:203.0.113.1/24
	ns client ip route add default via 10.0.0.1
	gateway gw
	start_gw lan0,wan0
	ipt -t nat -A POSTROUTING -o wan0 -j MASQUERADE
	serve server echo udp-echo 53
	serve server lines ssh 22
	serve gw own-udp udp-echo 5300
	serve gw own-tcp ssh 2200

	peer client udp 203.0.113.9 53 --sport 5301 >/dev/null
	expect - "a port nobody listens on is kept" "dport=5301" "$(reply_port udp 5301)"
	peer client udp 203.0.113.9 53 --sport 5300 >/dev/null
	expect_no_match - "the UDP port of the gateway's own server is not taken" '=5300$' "$(reply_port udp 5300)"
	session one client 203.0.113.9 22 --sport 2200
	expect_no_match - "nor its TCP port" '=2200$' "$(reply_port tcp 2200)"
	expect_ok - "and the connection works" say one hello
	hang_up one

	gw set nat.protect_local no >/dev/null
	gw conntrack -F >/dev/null 2>&1
	peer client udp 203.0.113.9 53 --sport 5300 >/dev/null
	expect - "switched off, the port is kept" "dport=5300" "$(reply_port udp 5300)"
}
engines protected
