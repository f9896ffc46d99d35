#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# ICMP errors about translated connections, IPv4 and IPv6.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

icmp_errors() {
	bare_net
	start_gw lan,wan
	home_rules
	watch_leaks w w0
	crafted icmp_cases.py 4
	crafted icmp_cases.py 6
	no_leaks
}

need tcpdump ethtool
scenarios icmp_errors
