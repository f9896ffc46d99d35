#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# golden/rfc.txt, the table of requirements: every row has a status, every met one names a test that exists, and gw-rfc(7) is
# made from it (`tests/check/rfc.sh --update`).  The tests themselves run in their tiers: a row is as true as CI is green.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
python3 - "${1:-}" <<'PY'
import os
import re
import sys

TABLE, PAGE = "tests/golden/rfc.txt", "ctl/man/gw-rfc.7"
STATUS = ("met", "option", "partly", "not", "n/a")
WORDS = {"met": "met", "option": "by option", "partly": "partly met", "not": "not met", "n/a": "not applicable"}
PLACES = {"unit": "tests/unit/%s.c", "stage": "tests/stage/test_%s.c", "kern": "tests/kern/test_%s.c", "e2e": "tests/e2e/%s.sh",
          "check": "tests/check/%s.sh", "differential": "tests/differential/%s.py"}
bad, sections, count = [], [], {}


def check_tests(where, status, tests):
    names = [t.strip() for t in tests.split(",") if t.strip()]
    if status in ("met", "option", "partly") and not names:
        bad.append("%s: no test" % where)
    for name in names:
        m = re.fullmatch(r"(\w+)/(\w+)(?::(\w+))?", name)
        path = PLACES[m[1]] % m[2] if m and m[1] in PLACES else ""
        if not path or not os.path.exists(path):
            bad.append("%s: there is no test %s" % (where, name))
        elif m[3] and m[3] not in open(path).read():
            bad.append("%s: %s has no %s" % (where, path, m[3]))


for number, line in enumerate(open(TABLE), 1):
    line = line.rstrip("\n")
    where = "%s:%d" % (TABLE, number)
    if not line or line.startswith("#"):
        continue
    if line.startswith("RFC "):
        sections.append((line, []))
        continue
    cells = [c.strip() for c in line.split("|")]
    if len(cells) != 4 or cells[2].split(":")[0] not in STATUS or not sections:
        bad.append("%s: expected `requirement | what it asks | status[: remark] | tests`" % where)
        continue
    status, _, remark = cells[2].partition(":")
    check_tests(where, status, cells[3])
    count[status] = count.get(status, 0) + 1
    sections[-1][1].append((cells[0], cells[1], status, remark.strip(), cells[3]))


def text(s):
    s = s.replace("\\", "\\e")
    return "\\&" + s if s[:1] in ".'" else s


out = ['.\\" SPDX-License-Identifier: GPL-2.0-only', '.\\" Made of tests/golden/rfc.txt by tests/check/rfc.sh --update.', ".Dd November 21, 2026",
       ".Dt GW-RFC 7", ".Os", ".Sh NAME", ".Nm gw-rfc", ".Nd what Gatewarden does of the RFCs on address translation and tracking",
       ".Sh DESCRIPTION", "Each requirement, whether it is met, and the tests that show it.", "By option: a rule or a setting asks for it."]
for title, rows in sections:
    out += [".Sh " + text(title).upper(), ".Bl -tag -width Ds"]
    for req, what, status, remark, tests in rows:
        out += [".It %s, %s" % (text(req), WORDS[status]), text(what) + "."]
        if remark:
            out.append(text(remark[0].upper() + remark[1:]) + ".")
        if tests:
            out.append("Shown by " + text(tests) + ".")
    out.append(".El")
out += [".Sh SEE ALSO", ".Xr gw-ruleset 5 ,", ".Xr gwctl 8 ,", ".Xr gwd 8"]
page = "\n".join(out) + "\n"
if sys.argv[1] == "--update":
    open(PAGE, "w").write(page)
elif not os.path.exists(PAGE) or open(PAGE).read() != page:
    bad.append("%s is not what %s says: tests/check/rfc.sh --update" % (PAGE, TABLE))
for line in bad:
    print(line)
print(", ".join("%d %s" % (n, WORDS[s]) for s, n in sorted(count.items())))
sys.exit(1 if bad else 0)
PY
