#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Events without gaps: a mirror built from numbered events and snapshots equals the table, through floods that lose events and evict connections.
. "$(dirname "$0")/lib.sh"
need python3

mirror() {
	host client gw server
	wire client:c0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	wire server:s0:203.0.113.9/24 gw:eth0:203.0.113.1/24
	ns client ip route add default via 10.0.0.1
	ns server ip route add 10.0.0.0/24 via 203.0.113.1
	gateway gw
	# a small table, which the flood overflows
	start_gw lan0,eth0 --set flows.embryonic_max=4096 --set timeout.udp=600
	# complete lines, so that a stopped reader leaves none half written
	GWCTL_SOCKET=$T/run-$GW/control.sock spawn gw watch "$GWCTL" --json flow watch --resync
	GWCTL_SOCKET=$T/run-$GW/control.sock spawn gw plain "$GWCTL" conntrack -E -o seq -p udp
	wait_for 5 gw_listens
	wait_for 10 has_line '"event":"synced"' "$T/watch.out"
	flood 3000 2000
	wait_for 10 mirror_is_equal
	expect S98 "a mirror of all events" equal "$(mirror_state)"
	expect S98 "numbers without gaps" "" "$(gaps)"
	# the reader stands still while more happens than its queue holds, and the table is too small for it
	kill -STOP "${PID[watch]}"
	flood 30000 70000
	flood 30000 70000
	kill -CONT "${PID[watch]}"
	wait_for 15 has_line '"event":"lost"' "$T/watch.out" || :
	expect_match S98 "losses are told" '"event":"lost".*"lost":[1-9]' "$(cat "$T/watch.out")"
	wait_for 30 mirror_is_equal || :
	expect S98 "behind the losses the mirror is right again" equal "$(mirror_state)"
	expect S98 "numbers without gaps, lost ones included" "" "$(gaps)"
	expect_match S98 "a plain reader is told, too" '^\[LOST [0-9]+\] seq=' "$(cat "$T/plain.out")"
	gw conntrack -F 2>/dev/null
	wait_for 10 mirror_is_equal
	expect S98 "and empty when the table is" 0 "$(gw flow list | wc -l)"
}

# UDP packets with COUNT source ports from FIRST on, which nobody answers.
flood() {
	ns client python3 - "$1" "$2" <<'PY'
import socket
import sys

count, first = int(sys.argv[1]), int(sys.argv[2])
left = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
for i in range(count):
    port = first + i
    head = (1024 + port % 60000).to_bytes(2, "big") + (1000 + port // 60000).to_bytes(2, "big")
    left.sendto(head + b"\0\x0c\0\0abcd", ("203.0.113.9", 0))
PY
}

mirror_state() {
	gw --json flow list >"$T/table.json"
	python3 - "$T/watch.out" "$T/table.json" <<'PY'
import json
import sys


def key(row):
    return row["id"], json.dumps({k: row["original"].get(k) for k in ("src", "dst", "sport", "dport")})


def said(row):
    return row.get("state"), sorted(f for f in row["flags"] if f in ("seen_reply", "assured")), row["mark"]


mirror, snapshot, stale = {}, False, True
for line in open(sys.argv[1]):
    if not line.endswith("\n"):
        break
    row = json.loads(line)
    event = row.get("event")
    if event == "sync":
        mirror, snapshot, stale = {}, True, False
    elif event == "synced":
        if row["connections"] != len(mirror):
            print("rows", row["connections"], "counted", len(mirror))
        snapshot = False
    elif event == "lost":
        stale = True
    elif event in (None, "new") or (event == "update" and key(row) in mirror):
        mirror[key(row)] = said(row)
    elif event == "destroy":
        mirror.pop(key(row), None)
table = {key(row): said(row) for row in json.load(open(sys.argv[2]))}
if stale or snapshot:
    print("stale")
elif mirror == table:
    print("equal")
else:
    print("mirror", len(mirror), "table", len(table), "not in table", len(mirror.keys() - table.keys()),
          "not in mirror", len(table.keys() - mirror.keys()))
PY
}
mirror_is_equal() { [ "$(mirror_state)" = equal ]; }

# Every number is an event's, or that of a lost one.
gaps() {
	python3 - "$T/watch.out" <<'PY'
import json
import sys

last = None
for line in open(sys.argv[1]):
    if not line.endswith("\n"):
        break
    row = json.loads(line)
    event = row.get("event")
    if event in (None, "sync", "synced"):
        continue
    step = row["lost"] if event == "lost" else 1
    if last is not None and row["seq"] != last + step:
        print("after", last, "comes", row["seq"], event, step)
    last = row["seq"]
PY
}

ENGINES=gw engines mirror
