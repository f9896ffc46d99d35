#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every example is a file that `gwctl ruleset check` accepts, and that nft itself would read.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
gwctl=${GW_BUILD:-build}/ctl/gwctl
[ -x "$gwctl" ] || { echo "no $gwctl: not built"; exit 77; }
bad=0
for file in examples/*/*.nft; do
	"$gwctl" ruleset check "$file" || { echo "gwctl refuses $file" && bad=1; }
	if [ "$(id -u)" = 0 ] && command -v nft >/dev/null && unshare -n true 2>/dev/null; then
		unshare -n nft -c -f "$file" || { echo "nft refuses $file" && bad=1; }
	fi
done
exit $bad
