#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What tests/golden/lang promises of nft, asked of nft itself, in a network namespace: each row of nft.txt and each file of real/ is
# accepted as it is written and as we print it, and listed as we print it.  The examples that nft ships load here unchanged,
# and nft lists what we print of them alike.  Needs root and nft 1.0.6, the version whose listings we follow.
set -uo pipefail
source_dir=${GW_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
driver=${GW_BUILD:-$source_dir/build}/tests/unit_lang_golden
golden=$source_dir/tests/golden/lang
examples=/usr/share/doc/nftables/examples
ns=gwnft$$
work=
bad=0
export TZ=UTC

skip() {
	echo "SKIP: $*"
	exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root for a network namespace"
command -v nft ip >/dev/null || skip "nft or ip is missing"
[[ $(nft --version) == "nftables v1.0.6 "* ]] || skip "$(nft --version) is not v1.0.6"
[ -x "$driver" ] || skip "$driver is not built"

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	ip netns del "$ns" 2>/dev/null
	[ -n "$work" ] && rm -rf "$work"
}
trap cleanup EXIT
work=$(mktemp -d)

say() {
	echo "$1"
	bad=1
}
fresh() {
	ip netns del "$ns" 2>/dev/null
	ip netns add "$ns" || skip "can not make a network namespace"
	# interfaces that the examples name by number
	ip -n "$ns" link add bond0 type veth peer name bond1 || skip "can not make interfaces"
}
oracle() { nsenter --net="/run/netns/$ns" nft "$@"; }

# The rows: all of one chain at once, which nft lists in order.  "want" checks what we print, "text" what was written.
rows() { # want|text
	awk -v which="$1" '
		/^#/ || !/ => / { next }
		{
			where = $0; sub(/: .*/, "", where)
			text = substr($0, length(where) + 3); want = text
			sub(/ => .*/, "", text); sub(/.* => /, "", want)
			if (want == "same") want = text
			print "add rule " where " " (which == "want" ? want : text)
		}' "$golden/nft.txt"
}
wanted() { # FAMILY TABLE CHAIN
	rows want | sed -n "s/^add rule $1 $2 $3 //p"
}
ask_rows() { # want|text
	local family table chain
	fresh
	rows "$1" >"$work/rows.nft"
	oracle -f "$golden/nft_base.nft" || say "nft refuses nft_base.nft"
	oracle -f "$work/rows.nft" || say "nft refuses rows of nft.txt ($1)"
	while read -r family table chain; do
		oracle list chain "$family" "$table" "$chain" | sed -n '/^\t\ttype /d; s/^\t\t//p' >"$work/listed"
		wanted "$family" "$table" "$chain" >"$work/wanted"
		diff "$work/wanted" "$work/listed" || say "$family $table $chain ($1): nft (>) lists other words than we (<)"
	done < <(awk '/^add rule/ { print $3, $4, $5 }' "$work/rows.nft" | sort -u)
}
[ "$(rows want | wc -l)" -gt 400 ] || say "nft.txt has lost its rows"
ask_rows want
ask_rows text

# Whole files.
same_listing() { # NAME OURS FILE
	local file
	for file in "$2" "$3"; do
		fresh
		if ! oracle -f "$file"; then
			say "nft refuses $file"
			continue
		fi
		oracle list ruleset | diff "$2" - || say "$1: nft (>) lists $file in other words than we (<)"
	done
}
# The clamp to the route's MTU needs a module that a small kernel lacks: nft lists it, but not everywhere.
without_rt() { grep -v 'size set rt mtu' "$1" >"$2"; }
for file in "$golden"/real/*.nft; do
	name=$(basename "$file" .nft)
	without_rt "$file" "$work/file.nft"
	without_rt "${file%.nft}.out" "$work/out.nft"
	same_listing "$name" "$work/out.nft" "$work/file.nft"
done
[ -d "$examples" ] || skip "nft's examples are not installed ($examples)"
for name in inet-filter inet-nat ipv4-filter ipv4-mangle ipv4-nat ipv4-raw ipv6-filter ipv6-mangle ipv6-nat ipv6-raw overview workstation; do
	if ! "$driver" --print "$examples/$name.nft" >"$work/ours.nft"; then
		say "$name.nft does not load"
		continue
	fi
	same_listing "$name" "$work/ours.nft" "$examples/$name.nft"
done
exit $bad
