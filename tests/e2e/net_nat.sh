#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What translation changes in a packet and what it does not, one hand-made packet at a time, IPv4 and IPv6.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

translation() {
	bare_net
	start_gw lan,wan
	home_rules
	watch_leaks w w0
	crafted nat_cases.py 4
	crafted nat_cases.py 6
	! on_gw || no_leaks # netfilter sends damaged datagrams on as they are
}

need tcpdump ethtool
scenarios translation
