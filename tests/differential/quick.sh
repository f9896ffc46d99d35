#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's nft and Gatewarden, side by side: 500 random rulesets with 4 batches of packets each; GW_LONG: a million decisions.
# The seed is fixed and printed; GW_SEED gives another.
set -eu
cd "$(dirname "$0")"
rulesets=500 decisions=20000
[ -z "${GW_LONG:-}" ] || rulesets=24000 decisions=1000000
exec nice python3 run.py --build "${GW_BUILD:?where gwd was built}" --seed "${GW_SEED:-1}" --rulesets "$rulesets" --batches 4 --packets 15 \
	--keep-going --least-decisions "$decisions" --most-refused 10
