#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# House rule: functions are short: median <= 16 lines, nine of ten <= 50, none > 80; a stage file <= 300.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
python3 - <<'PY'
import glob, statistics, sys
bad = 0
lengths = []
for path in sorted(glob.glob("ctl/**/*.[ch]", recursive=True) + glob.glob("bpf/**/*.[ch]", recursive=True)):
    lines = open(path, encoding="utf-8").read().splitlines()
    start = None
    for number, line in enumerate(lines):
        # kernel style: a function's braces stand alone in the first column
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            length = number - start - 1
            lengths.append(length)
            if length > 80:
                print("%s:%d: a function of %d lines" % (path, start, length))
                bad = 1
            start = None
    if path.startswith("bpf/stage/") and len(lines) > 300:
        print("%s: %d lines" % (path, len(lines)))
        bad = 1
if lengths:
    short = sum(n <= 50 for n in lengths) / len(lengths)
    print("%d functions, median %d lines, %.0f %% of at most 50" % (len(lengths), statistics.median(lengths), 100 * short))
    bad |= statistics.median(lengths) > 16 or short < 0.9
sys.exit(bad)
PY
