#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Goal P7/R2: floods of SYNs many times the size of the table do not cost one established connection.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

flood() {
	bare_net
	start_gw lan,wan --set flows.max=4096 --set flows.embryonic_max=8192
	home_rules
	watch_leaks w w0
	local size=${FLOOD:-200000}
	[ -z "${GW_IN_VM:-}" ] || size=20000 # emulated processors are slow
	on_gw || size=20000 # the oracle's table is the machine's own, and large: only the test itself is tried
	crafted flood_cases.py 4 FLOOD="$size"
	grep '^#' "$T/cases.err" || :
	crafted flood_cases.py 6 FLOOD=$((size / 4))
	grep '^#' "$T/cases.err" || :
	no_leaks
}

need tcpdump ethtool
scenarios flood
