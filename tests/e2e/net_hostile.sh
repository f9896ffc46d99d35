#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Malformed headers, extension header chains, spoofed sources, blind resets: nothing crosses, leaks or crashes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

hostile() {
	bare_net
	start_gw lan,wan
	home_rules
	crafted hostile_cases.py 4
	crafted hostile_cases.py 6
	on_gw && [ -z "${CASE:-}" ] || return 0
	local reason
	for reason in bad-ip bad-l4 bad-exthdr policy ct-rst; do
		expect_match "-" "the drops have the reason $reason" "^[1-9]" "$(drop_count $reason)"
	done
	expect_no_match "-" "the data plane found itself whole" "^[1-9]" "$(drop_count internal)"
	expect_ok "-" "gwd answers" gw status
}

need ethtool
scenarios hostile
