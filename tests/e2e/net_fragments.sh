#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Fragments through the gateway in every order, and the tricks that are played with them; IPv4 and IPv6.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

fragments() {
	bare_net
	start_gw lan,wan
	home_rules
	watch_leaks w w0
	crafted frag_cases.py 4
	crafted frag_cases.py 6
	no_leaks
}

need tcpdump ethtool
scenarios fragments
