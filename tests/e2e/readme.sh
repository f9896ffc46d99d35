#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every gwctl line of the README does what it says, and the examples work as rules in force.
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034
ONLY=gw

readme() {
	local line example n=0
	host gw lan wan
	wire lan:l0:192.168.1.10/24 gw:lan0:192.168.1.1/24
	wire wan:w0:203.0.113.9/24 gw:wan0:203.0.113.1/24
	gateway gw
	start_gw lan0,wan0
	while read -r line; do
		n=$((n + 1))
		expect_ok - "$line" in_shell "$line"
	done < <(sed -nE 's/^    (gwctl [^#]*[^# ]) *(#.*)?$/\1/p' "$GW_SOURCE/README.md" | tr ';' '\n' |
		sed -E "s,^ *,,; s,FILE,$GW_SOURCE/examples/home-gateway/ruleset.nft,; s,/etc/gatewarden/ruleset.nft,$GW_SOURCE/examples/home-gateway/ruleset.nft," |
		grep -vx 'gwctl off')
	expect_match - "the README has commands" '^([5-9]|[1-9][0-9])$' "$n"
	for example in "$GW_SOURCE"/examples/*/ruleset.nft; do
		expect_ok - "examples/$(basename "$(dirname "$example")") can be put in force" gw ruleset apply "$example"
	done
	expect_ok - "gwctl off" gw off
}
in_shell() { # as typed, with this gateway's gwctl
	(
		gwctl() { gw "$@"; }
		eval "$1"
	)
}

engines readme
