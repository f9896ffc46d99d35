#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The scripts of tests/golden/iptables once more through the real iptables, each in a network namespace of its own:
# what it prints must be what is in the golden files, and what our dialect prints.  The rules of the extensions are said
# in the same words by its legacy variant, too.  With --capture the files are written anew.  Needs root and iptables 1.8.9
# (nf_tables), the version whose output we promise.
set -ufo pipefail
source_dir=${GW_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
driver=${GW_BUILD:-$source_dir/build}/tests/unit_iptables_golden
golden=$source_dir/tests/golden/iptables
ns=gwipt$$
work=

skip() {
	echo "SKIP: $*"
	exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root for a network namespace"
command -v iptables-save ip6tables-save ip >/dev/null || skip "iptables or ip is missing"
[[ $(iptables --version) == "iptables v1.8.9 (nf_tables)" ]] || skip "$(iptables --version) is not v1.8.9 (nf_tables)"

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	ip netns del "$ns" 2>/dev/null
	[ -n "$work" ] && rm -rf "$work"
}
trap cleanup EXIT
work=$(mktemp -d)

fresh() {
	ip netns del "$ns" 2>/dev/null
	ip netns add "$ns" || skip "can not make a network namespace"
	ip netns exec "$ns" iptables -S >/dev/null 2>&1 || skip "iptables does not run here"
}

# One command line with its input; the dates of iptables-save are not ours to repeat.
variant=
execute() {
	local command=$1 input=$2 rc=0
	local -a words
	eval "words=($command)"
	words[0]=${words[0]/tables/tables$variant}
	printf %s "$input" | ip netns exec "$ns" "${words[@]}" >"$work/out" 2>"$work/err" || rc=$?
	sed -E 's/^(# (Generated|Completed).* on ).*/\1DATE/' "$work/out"
	[ "$rc" = 0 ] || echo "= refused"
}

capture() {
	local -a lines
	local i=0 line input
	mapfile -t lines <"$1"
	fresh
	while ((i < ${#lines[@]})); do
		line=${lines[i]}
		i=$((i + 1))
		case $line in
		'## '*) echo "$line" ;;
		'$ reset')
			echo "$line"
			fresh
			;;
		'$ '*)
			echo "$line"
			input=
			while ((i < ${#lines[@]})) && [[ ${lines[i]} == '> '* ]]; do
				echo "${lines[i]}"
				input+="${lines[i]#> }"$'\n'
				i=$((i + 1))
			done
			execute "${line#\$ }" "$input"
			;;
		esac
	done
}

# The rules alone, in any order: all that the older variant must say in the same words.
rules_of() {
	grep -E '^(\[[0-9:]+\] )?-A' "$1" | sort
}

# The scripts of rules once more with the older variant, whose kernel side is another one.
compare_legacy() {
	local file=$1
	variant=-legacy
	capture "$file" >"$work/legacy"
	variant=
	diff -u <(rules_of "$file") <(rules_of "$work/legacy") >"$work/diff" && return
	echo "FAIL: $(basename "$file") is not what $(iptables-legacy --version) says"
	head -40 "$work/diff"
	bad=1
}

bad=0
count=0
set +f
for file in "$golden"/*.txt; do
	set -f
	name=$(basename "$file")
	# what we say ourselves is no business of iptables
	if grep -q '^## errors' "$file"; then
		continue
	fi
	capture "$file" >"$work/captured"
	count=$((count + $(grep -c '^\$ ' "$file")))
	if [ "${1:-}" = --capture ]; then
		cp "$work/captured" "$file"
		continue
	fi
	diff -u "$file" "$work/captured" >"$work/diff" || {
		echo "FAIL: $name is not what iptables prints"
		head -40 "$work/diff"
		bad=1
	}
	if [[ $name == ext_* || $name == dumps.txt ]] && command -v iptables-legacy-save ip6tables-legacy-save >/dev/null; then
		compare_legacy "$file"
	fi
	[ -x "$driver" ] || continue
	"$driver" "$file" >"$work/ours"
	diff -u "$work/captured" "$work/ours" >"$work/diff" || {
		echo "FAIL: $name: our output is not iptables' own"
		head -40 "$work/diff"
		bad=1
	}
done
echo "$count command lines compared with $(iptables --version)"
exit $bad
