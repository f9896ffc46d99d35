#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Goal R8: mutated packets by the ten thousand.  COUNT=5000000 SEED=$RANDOM for a long run.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

mutations() {
	bare_net
	start_gw lan,wan
	home_rules
	local family
	for family in 4 6; do
		CASES_TIMEOUT=${CASES_TIMEOUT:-100} crafted mutate.py $family COUNT="${COUNT:-5000}" SEED="${SEED:-1}"
	done
	on_gw || return 0
	expect "-" "the data plane found itself whole" 0 "$(drop_count internal)"
	expect_ok "-" "gwd answers" gw status
}

need ethtool
scenarios mutations
