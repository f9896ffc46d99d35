#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# House rule: tests/README.md accounts for every row S1..S114, and a test that it names really names the row.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
python3 - <<'PY'
import os, re, sys
bad = 0
seen = set()
for line in open("tests/README.md", encoding="utf-8"):
    m = re.match(r"\| (S\d+[^|]*?) \|[^|]*\| ([^|]*) \|$", line.rstrip())
    if not m:
        continue
    rows = set()
    for part in m.group(1).split(","):
        ends = [int(n) for n in re.findall(r"S(\d+)", part)]
        rows |= set(range(ends[0], ends[-1] + 1))
    seen |= rows
    if not re.search(r"`|open: \w|^-$", m.group(2)):
        print("%s: neither a test nor an open topic" % m.group(1))
        bad = 1
    if m.group(2).startswith("open:"):
        continue
    for test in re.findall(r"`([^`]+)`", m.group(2)):
        path = "tests/" + test
        if not os.path.exists(path):
            print("%s: no such test: %s" % (m.group(1), path))
            bad = 1
            continue
        named = {int(n) for n in re.findall(r"\bS(\d+)", open(path, encoding="utf-8").read())}
        for a, b in re.findall(r"\bS(\d+)[a-z.\d]*-S(\d+)", open(path, encoding="utf-8").read()):
            named |= set(range(int(a), int(b) + 1))
        for row in sorted(rows - named):
            print("S%d: tests/README.md points to %s, which does not name it" % (row, path))
            bad = 1
for row in sorted(set(range(1, 115)) - seen):
    print("S%d: not accounted for in tests/README.md" % row)
    bad = 1
sys.exit(bad)
PY
