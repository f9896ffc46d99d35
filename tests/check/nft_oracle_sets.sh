#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What tests/golden/lang/sets.txt promises of nft, asked of nft itself, in a network namespace.  Rows marked `nft`: nft takes what we
# print and lists it in the same words; rows without a mark: nft takes it; rows marked `error`: nft refuses what we refuse.  Needs root and
# nft 1.0.6, the version whose listings we follow.
set -uo pipefail
source_dir=${GW_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
rows=$source_dir/tests/golden/lang/sets.txt
ns=gwnfts$$
work=
bad=0 asked=0
export TZ=UTC

skip() {
	echo "SKIP: $*"
	exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root for a network namespace"
command -v nft ip >/dev/null || skip "nft or ip is missing"
[[ $(nft --version) == "nftables v1.0.6 "* ]] || skip "$(nft --version) is not v1.0.6"

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	ip netns del "$ns" 2>/dev/null
	[ -n "$work" ] && rm -rf "$work"
}
trap cleanup EXIT
work=$(mktemp -d)
ip netns add "$ns" || skip "can not make a network namespace"

oracle() { nsenter --net="/run/netns/$ns" nft "$@"; }
say() {
	echo "$1"
	bad=1
}

# One row into three files: number.text, number.form, number.want.
awk -v dir="$work" '
	/^=== / { n++; part = "text"; title = substr($0, 5)
		name = sprintf("%s/%03d", dir, n)
		print title > (name ".title"); printf "" > (name ".text"); printf "" > (name ".want"); next }
	!n { next }
	/^---/ && part == "text" { form = substr($0, 5); print form > (name ".form"); part = "want"; next }
	{ print > (name "." part) }' "$rows"

ask_valid() { # NAME FORM
	oracle flush ruleset
	if ! oracle -f "$1.want" 2>"$work/why"; then
		say "$(cat "$1.title"): nft refuses what we print: $(head -1 "$work/why")"
	elif [ "$2" = nft ]; then
		oracle list ruleset | diff "$1.want" - || say "$(cat "$1.title"): nft (>) lists other words than we (<)"
	fi
}
ask_refused() { # NAME
	oracle flush ruleset
	oracle -f "$1.text" 2>/dev/null && say "$(cat "$1.title"): nft takes what we refuse"
}

for title in "$work"/*.title; do
	name=${title%.title}
	form=$(cat "$name.form")
	case $form in
	"" | nft) ask_valid "$name" "$form" ;;
	error) ask_refused "$name" ;;
	*) continue ;;
	esac
	asked=$((asked + 1))
done
[ "$asked" -ge 60 ] || say "sets.txt has lost its rows: $asked are left for nft"
exit $bad
