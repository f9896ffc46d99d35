#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Files that a ruleset includes: gwctl opens them with the rights of its caller, gwd those of its own file; both say where a mistake is.
set -uo pipefail
build=${GW_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
gwctl=$build/ctl/gwctl gwd=$build/ctl/gwd
bad=0
for program in "$gwctl" "$gwd"; do
	[ -x "$program" ] || {
		echo "SKIP: $program is not built"
		exit 77
	}
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir -p dir/parts
echo 'define blocked = { 192.0.2.1, 192.0.2.2 }' >dir/defs.nft
# shellcheck disable=SC2016 # the variable is the ruleset's
echo 'set b { type ipv4_addr; elements = $blocked; }' >dir/parts/10-set.nft
echo 'chain input { type filter hook input priority 0; ip saddr @b drop; }' >dir/parts/20-chain.nft
printf '\n  bogus\n' >dir/bad.nft

want() { # RC PATTERN COMMAND...
	local rc=$1 pattern=$2 out got
	shift 2
	out=$("$@" 2>&1)
	got=$?
	[ $got = "$rc" ] && grep -qE -- "$pattern" <<<"$out" && return
	echo "FAIL $*: exit $got, wanted $rc and /$pattern/: $out"
	bad=1
}
cat >top.nft <<'E2'
include "defs.nft"
table inet t {
	include "parts/*.nft"
	include "nothing/*.nft"
}
E2
want 0 '1 tables, 1 chains, 1 rules' "$gwctl" ruleset check -I dir top.nft
want 0 '1 tables, 1 chains, 1 rules' "$gwctl" ruleset check --includepath=nowhere -I dir top.nft
want 1 '^top.nft:1:9: error: cannot include .defs.nft.: No such file' "$gwctl" ruleset check -I nowhere top.nft
echo 'include "./dir/bad.nft"' >bad.nft
want 1 '^./dir/bad.nft:2:3: error: ' "$gwctl" ruleset check bad.nft
want 1 '^<stdin>:1:9: error: cannot include' "$gwctl" ruleset check - < <(echo 'include "/nowhere/x.nft"')
sed "s|\"defs|\"$work/dir/defs|; s|\"parts|\"$work/dir/parts|" top.nft >own.nft
want 0 '' "$gwd" --check --ruleset "$work/own.nft"
want 1 "$work/top.nft:1:9: error: cannot include" "$gwd" --check --ruleset "$work/top.nft"
want 1 'dir/bad.nft:2:3: error: ' "$gwd" --check --ruleset "$work/bad.nft"
exit $bad
