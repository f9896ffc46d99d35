#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The ABI golden file: every gw_* structure of include/gw as the BPF compiler lays it out, member by member with offsets.  A difference is a
# decision: raise GW_ABI_VERSION if the layout of something pinned has changed, then `tests/check/abi.sh --update`.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
export PATH=$PATH:/usr/sbin:/sbin
golden=tests/golden/abi.txt
command -v bpftool >/dev/null || { echo "no bpftool"; exit 77; }
command -v clang >/dev/null || { echo "no clang"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The object's own BTF holds only what maps and globals use: so an object with one variable of each type.
mapfile -t structs < <(grep -rhoE '^(struct|union) gw_[a-z0-9_]+ \{' include/gw | awk '{ print $1, $2 }' | sort -u)
{
	echo '#include <gw/abi.h>'
	for type in "${structs[@]}"; do printf '%s v_%s;\n' "$type" "${type##* }"; done
} >"$work/abi.bpf.c"
clang -target bpf -g -O2 -Iinclude -idirafter "/usr/include/$(gcc -print-multiarch)" -c "$work/abi.bpf.c" -o "$work/abi.bpf.o"

dump() {
	bpftool --json btf dump file "$work/abi.bpf.o" | python3 -c '
import json, sys
types = {t["id"]: t for t in json.load(sys.stdin)["types"]}

def name(i):
    if i == 0:
        return "void"
    t = types[i]
    if t["kind"] == "PTR":
        return name(t["type_id"]) + " *"
    if t["kind"] == "ARRAY":
        return "%s[%d]" % (name(t["type_id"]), t["nr_elems"])
    if t["kind"] in ("CONST", "VOLATILE", "RESTRICT"):
        return name(t["type_id"])
    if t["kind"] in ("STRUCT", "UNION", "ENUM") and t["name"] in ("", "(anon)"):
        return t["kind"].lower() + " {...}"
    return t["name"]

def members(t, base, depth):
    for m in t["members"]:
        offset = base + m["bits_offset"] // 8
        inner = types.get(m["type_id"], {})
        label = m["name"] if m["name"] not in ("", "(anon)") else "-"
        print("%s%4d %s %s" % ("  " * depth, offset, name(m["type_id"]), label))
        if inner.get("kind") in ("STRUCT", "UNION") and inner["name"] in ("", "(anon)"):
            members(inner, offset, depth + 1)

abi = sys.argv[1].split()
for t in sorted(types.values(), key=lambda t: t.get("name", "")):
    if t["kind"] in ("STRUCT", "UNION") and t["name"] in abi:
        print("%s %s: %d bytes" % (t["kind"].lower(), t["name"], t["size"]))
        members(t, 0, 1)
' "${structs[*]#* }"
}
version=$(sed -nE 's/^#define[[:space:]]+GW_ABI_VERSION[[:space:]]+([0-9]+).*/\1/p' include/gw/abi.h)
now=$(echo "GW_ABI_VERSION $version"; dump)
if [ "${1:-}" = --update ]; then
	printf '%s\n' "$now" >$golden
	exit
fi
diff -u $golden <(printf '%s\n' "$now") || {
	echo "the layout differs from $golden; see the head of tests/check/abi.sh"
	exit 1
}
