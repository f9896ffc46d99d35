#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's nft and Gatewarden, side by side: 300 random rulesets with 7 batches of packets each; GW_LONG: a million decisions.
# The seed is fixed and printed; GW_SEED gives another.  Half of the rulesets in each of two runs: they share nothing but the machine.
set -eu
cd "$(dirname "$0")"
rulesets=150 batches=1000 decisions=8000
[ -z "${GW_LONG:-}" ] || rulesets=8400 batches=50000 decisions=500000
seed=${GW_SEED:-1}
out=$(mktemp -d)
runs=()
# shellcheck disable=SC2317 # called by the trap
stop() {
	trap '' INT TERM
	[ ${#runs[@]} -eq 0 ] || kill "${runs[@]}" 2>/dev/null || :
	wait || :
	rm -rf "$out"
}
trap stop EXIT
trap 'exit 143' INT TERM

for half in 0 1; do
	nice python3 run.py --build "${GW_BUILD:?where gwd was built}" --seed $((seed + half * rulesets)) --rulesets "$rulesets" --batches 7 --packets 10 \
		--keep-going --least-batches "$batches" --least-decisions "$decisions" --most-refused 10 >"$out/$half" 2>&1 &
	runs+=($!)
done
rc=0
for half in 0 1; do
	one=0
	wait "${runs[half]}" || one=$?
	cat "$out/$half"
	# a failure counts before a skip
	[ "$one" -eq 0 ] || [ "$rc" -eq 1 ] || rc=$one
done
runs=()
exit "$rc"
