#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# House rule (S92: the rule languages are users of the engine, the engine knows none of them): folders are claims about dependencies.  Each room may include only what its row allows.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"

# room: the rooms (and foreign headers) that its files may include
declare -A may=(
	[ctl/base]="base"
	[ctl/model]="model base gw"
	[ctl/lang]="lang model base"
	[ctl/json]="json lang model base"
	[ctl/iptables]="iptables model base"
	[ctl/compile]="compile model base gw"
	[ctl/wire]="wire base gw"
	[ctl/show]="show wire base gw"
	[ctl/kern]="kern base gw bpf libmnl"
	[ctl/gwd]="gwd compile kern wire show lang model base gw"
	[ctl/gwctl]="gwctl lang json iptables show wire model base gw"
)
rooms="base model lang json iptables compile wire show kern gwd gwctl gw bpf libmnl"
bad=0

# Includes that name a folder: "<room/x.h>" or "room/x.h".
for room in "${!may[@]}"; do
	[ -d "$room" ] || continue
	while IFS=: read -r file line text; do
		target=$(sed -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]+)[>"].*/\1/' <<<"$text")
		case $target in
		../*) echo "$file:$line: $target leaves the room by a relative path" && bad=1 ;;
		linux/bpf.h) [ "$room" = ctl/kern ] || { echo "$file:$line: only ctl/kern knows <linux/bpf.h>" && bad=1; } ;;
		*/*)
			folder=${target%%/*}
			[[ " $rooms " == *" $folder "* ]] || continue
			[[ " ${may[$room]} " == *" $folder "* ]] || { echo "$file:$line: $room may not include $target" && bad=1; }
			;;
		gw.skel.h) [ "$room" = ctl/kern ] || { echo "$file:$line: only ctl/kern loads the object" && bad=1; } ;;
		esac
	done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include' "$room" --include='*.c' --include='*.h' || :)
done

# include/gw is read by both compilers: it includes itself and the kernel's types, nothing else.
if grep -rnE '^[[:space:]]*#[[:space:]]*include' include/gw | grep -vE 'include[[:space:]]*[<"](gw/|linux/types\.h|linux/bpf\.h|[a-z]+\.(def|h)[>"])'; then
	echo "include/gw may include only gw/ and the kernel's types" && bad=1
fi

# bpf: hook -> stage -> core, track, tables; a stage never includes a stage.
bpf_rule() { # FOLDER FORBIDDEN-ERE SENTENCE
	[ -d "bpf/$1" ] || return 0
	if grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](\.\./)?($2)" "bpf/$1"; then
		echo "$3" && bad=1
	fi
}
bpf_rule stage 'stage/|hook/' "a stage includes neither a stage nor a hook"
bpf_rule track 'stage/|hook/|core/pkt|tables' "track knows no packets, no maps, no stages"
bpf_rule core 'stage/|hook/|track/' "core is below the stages"
exit $bad
