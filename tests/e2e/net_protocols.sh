#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# SCTP and GRE: states, timeouts and what is INVALID, packet by packet as netfilter has it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

walks() {
	local v t
	bare_net
	start_gw lan,wan
	for t in ipt ip6t; do
		$t -P FORWARD DROP
		$t -A FORWARD -m state --state INVALID -j DROP
		$t -A FORWARD -j ACCEPT
	done
	for v in 4 6; do
		env PYTHONDONTWRITEBYTECODE=1 ENGINE="$ENGINE" FAMILY=$v GWCTL="$GWCTL" GWCTL_SOCKET="$T/run-gw/control.sock" \
			NS_LAN="$NETNS_PREFIX-l" NS_WAN="$NETNS_PREFIX-w" NS_GW="$NETNS_PREFIX-gw" \
			timeout 100 python3 "$TOOLS/protocol_walk.py" >"$T/walk" 2>"$T/walk.err" || fail - "the walk ends well" "$(tail -n 3 "$T/walk.err")"
		expect_match - "v$v: an association was established" ": pass, sctp .* ESTABLISHED .*ASSURED" "$(cat "$T/walk")"
		expect_match - "v$v: something was INVALID" ": drop, " "$(cat "$T/walk")"
		same - "v$v: the walk" "$(cat "$T/walk")"
	done
}

need conntrack
scenarios walks
