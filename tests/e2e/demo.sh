#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The demo of the README: every step behaves, and nothing is left behind, also when it is interrupted.
# S1, as far as it is there: the scenarios step by step, with real clients.
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034
ONLY=gw

demo() {
	export GW_BUILD
	expect_ok S1 "every step of the demo behaves" "$GW_SOURCE/scripts/demo"
	[ "$FAILED" -eq 0 ] || return 0
	expect S1 "scenarios shown" 5 "$(grep -cE '^[1-5]\. ' <<<"$OUT")"
	expect_no_match S1 "no colours into a pipe" $'\e' "$OUT"
	expect S1 "nothing is left behind" "" "$(left_over)"
	timeout -s INT 3 "$GW_SOURCE/scripts/demo" >/dev/null 2>&1 || :
	wait_for 10 nothing_left || :
	expect S1 "nor after Ctrl-C" "" "$(left_over)"
}
# namespaces, mounts and processes of a demo that is not running any more
left_over() {
	local name pid
	for name in $(ip netns list | grep -oE '^gwdemo[0-9]+-[a-z]+' || :); do
		pid=${name#gwdemo}
		[ -d "/proc/${pid%%-*}" ] || echo "$name"
	done
	for pid in $(pgrep -f "runtime-dir $TMPDIR/gwt" || :); do ps -o args= "$pid"; done
	grep -o "$TMPDIR/gwt[^ ]*" /proc/mounts | grep -v "^$T" || :
	find "$TMPDIR" -maxdepth 1 -name 'gwt.*' ! -path "$T" ! -path "$TRANSCRIPTS"
}
nothing_left() { [ -z "$(left_over)" ]; }

own=$(mktemp -d)
export TMPDIR=$own # so that what the demo leaves there is the demo's
trap 'rm -rf "$own"' EXIT
engines demo
