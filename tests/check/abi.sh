#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The ABI golden file: every gw_* structure of the object, member by member with offsets.  A difference is a
# decision: raise GW_ABI_VERSION if the layout of something pinned has changed, then `tests/check/abi.sh --update`.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
export PATH=$PATH:/usr/sbin:/sbin
object=${GW_BUILD:-build}/bpf/gw.bpf.o
golden=tests/golden/abi.txt
command -v bpftool >/dev/null || { echo "no bpftool"; exit 77; }
[ -f "$object" ] || { echo "no $object: not built"; exit 77; }

dump() {
	bpftool --json btf dump file "$object" | python3 -c '
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
' "$(grep -rhoE '^(struct|union) gw_[a-z0-9_]+ \{' include/gw | awk '{ print $2 }' | sort -u | tr '\n' ' ')"
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
