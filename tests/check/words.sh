#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# House rule: no promises in place of code, no developer's own paths, a licence line in every source. What a fuzzer found is no source.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
bad=0
mapfile -t files < <(git ls-files ':!tests/fuzz/corpus' 2>/dev/null | grep -v '^tests/check/words\.sh$' | while read -r f; do [ -f "$f" ] && echo "$f"; done)
[ ${#files[@]} -gt 0 ] || { echo "no git checkout"; exit 77; }

say() { echo "$1"; bad=1; }
forbid() { # ERE WHY
	if grep -InE -- "$1" "${files[@]}"; then say "$2"; fi
}
forbid '\b(TODO|FIXME|XXX)\b' "an open end: do it, or open an issue"
forbid "(^|[^A-Za-z0-9_.\$}])/(home|root|work|farm|Users)/[A-Za-z0-9]" "a path of one developer's machine"
forbid 'bpf_printk|bpf_trace_printk' "the object does not log"
forbid 'ip -all' "would touch namespaces that are not ours"
for file in "${files[@]}"; do
	case $file in
	*.c | *.h | *.def | *.sh | *.py | CMakeLists.txt | */CMakeLists.txt | scripts/*)
		[ "$file" = scripts/packages ] || head -n 3 "$file" | grep -q 'SPDX-License-Identifier:' || say "$file: no SPDX line"
		;;
	esac
done
exit $bad
