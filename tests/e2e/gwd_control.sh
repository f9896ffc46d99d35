#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The control socket: who may use it, what it survives, and what its users can rely on.
. "$(dirname "$0")/lib.sh"
ONLY=gw
SOCK=$GW_SOURCE/tests/e2e/tools/gwdsock.py

control() {
	host gw client
	gateway gw
	wire gw:lan0:10.0.0.1/24 client:c0:10.0.0.5/24
	start_gw lan0 --set flows.embryonic_max=262144 # room for all of slow_listener: what is evicted is told as lost, too
	attacks
	who_may
	one_per_directory
	settings
	slow_listener
	files
	nothing_left
}
ask() { python3 "$SOCK" "$T/run-gw/control.sock" "$@"; }
ask_json() { ask request "$1" "$2"; }

attacks() {
	local attack
	for attack in malformed cut huge idle stuck vanish writers; do
		expect "-" "the socket survives: $attack" ok "$(ask $attack 2>&1)"
	done
	expect "-" "gwd has no child left" "" "$(pgrep -P "${PID[gwd-gw]}" || :)"
}
who_may() {
	expect "-" "without the group: root alone" "600 root" "$(stat -c '%a %U' "$T/run-gw/control.sock")"
	chmod 711 "$T" "$T/run-gw"
	chmod 666 "$T/run-gw/control.sock" # the mode is the first gate; this tests the second
	expect_match "-" "nobody is told why not" "be root or in the group" "$(ask as)"
	chmod 600 "$T/run-gw/control.sock"
	expect_match "-" "the first gate holds" "Permission denied" "$(ask as)"
	ask_json set '{"key": "socket.group", "value": "nogroup"}' >/dev/null
	expect "-" "socket.group is live" "660 nogroup" "$(stat -c '%a %G' "$T/run-gw/control.sock")"
	expect_match "-" "a member may" '"ready":true' "$(ask as "$(getent group nogroup | cut -d: -f3)")"
	expect_match "-" "others may not" "Permission denied" "$(ask as)"
	ask_json set '{"key": "socket.group", "value": ""}' >/dev/null
}
another() { ns gw "$GWD" --runtime-dir "$1" --pin-dir "$T/bpf/other" "${@:2}"; }
one_per_directory() {
	expect_rc "-" "a second gwd on one directory gives up" 1 another "$T/run-gw"
	expect_match "-" "and says who is there" "Another gwd.*pid=${PID[gwd-gw]}" "$OUT"
	ln -s "$T/run-gw" "$T/link"
	expect_rc "-" "a directory that is a link is refused" 1 another "$T/link"
	mkdir -m 777 "$T/open"
	expect_rc "-" "a directory that others may write to is refused" 1 another "$T/open"
	mkdir "$T/foreign"
	chown 65534 "$T/foreign"
	expect_rc "-" "a directory of somebody else is refused" 1 another "$T/foreign"
	expect_rc "-" "a ruleset that does not parse stops a first start" 1 another "$T/fresh" --ruleset "$PEER"
	expect "-" "and leaves no pins" "" "$(find "$T/bpf/other" -mindepth 1 2>/dev/null || :)"
}
settings() {
	expect_match "-" "set answers the row" '"value":"77"' "$(ask_json set '{"key": "timeout.udp", "value": "77"}')"
	expect_match "-" "status shows what differs from the default" '"timeout.udp":"77"' "$(ask request status)"
	timeouts
	expect_rc "-" "a setting that is not live is refused" 1 ask_json set '{"key": "flows.max", "value": "4096"}'
	expect_match "-" "and says when it counts" "next start" "$OUT"
}
# One word for all timeouts that nobody has set.
value_of() { ask_json get "{\"key\": \"$1\"}" | sed -E 's/.*"value": ?"([^"]*)".*/\1/'; }
timeouts() {
	ask_json set '{"key": "timeouts", "value": "rfc"}' >/dev/null
	expect "-" "RFC 5382: an established connection" 7440 "$(value_of timeout.tcp_established)"
	expect "-" "RFC 5382: and while data is not acknowledged" 7440 "$(value_of timeout.tcp_unacknowledged)"
	expect "-" "RFC 5382: a transitory one" 240 "$(value_of timeout.tcp_syn_sent)"
	expect "-" "what was set at the start stays" 120 "$(value_of timeout.udp_stream)"
	expect "-" "what was set stays" 77 "$(value_of timeout.udp)"
	expect "-" "what no RFC asks for stays" 600 "$(value_of timeout.generic)"
	ask_json set '{"key": "timeouts", "value": "netfilter"}' >/dev/null
	expect "-" "back to netfilter's" 432000 "$(value_of timeout.tcp_established)"
	expect "-" "what was set still stays" 77 "$(value_of timeout.udp)"
	expect_rc "-" "another word is refused" 1 ask_json set '{"key": "timeouts", "value": "short"}'
}
slow_listener() {
	mkfifo "$T/go"
	python3 "$SOCK" "$T/run-gw/control.sock" slow <"$T/go" >"$T/slow.out" &
	PID[slow]=$!
	exec 9>"$T/go"
	wait_for 3 has_line listening "$T/slow.out"
	ns client python3 - <<-'PY'
		import socket
		for i in range(150000):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.bind(("10.0.0.5", 2000 + i % 60000))
		    s.sendto(b"x", ("10.0.0.1", 1000 + i // 60000))
		    s.close()
	PY
	sleep 0.3
	echo >&9
	wait "${PID[slow]}"
	unset "PID[slow]"
	exec 9>&-
	expect "-" "a slow listener gets every event or its number" 150000 "$(awk 'END { print $1 + $2 }' "$T/slow.out")"
	expect_match "-" "and some were lost" " [1-9]" "$(tail -n1 "$T/slow.out")"
}
files() {
	local before
	ask_json apply '{"text": "add rule inet filter forward tcp dport 22 accept", "replace": true}' >/dev/null
	before=$(ask request show)
	printf 'table inet filter {\n\tchain forward {\n\t\ttcp dprt 22 accept\n' >"$T/ruleset-gw.nft"
	expect_rc "-" "reload refuses a broken file" 1 ask request reload
	expect_match "-" "with file, line and column" "ruleset-gw.nft:3:[0-9]+: error" "$OUT"
	kill -HUP "${PID[gwd-gw]}"
	wait_for 3 has_line "Refused the ruleset file" "$T/gwd-gw.err"
	expect "-" "and nothing changed" "$before" "$(ask request show)"
	expect_ok "-" "save" ask request save
	expect_ok "-" "what was saved can be loaded" ask request reload
	expect_match "-" "and changes nothing" '"rules_added":0,"rules_deleted":0' "$OUT"
	expect_rc "-" "a change on top of an old generation is refused" 1 ask_json apply '{"text": "", "base": 1}'
	expect_match "-" "and names the generation in force" '"base":[0-9]+' "$OUT"
}
nothing_left() {
	expect_ok "-" "off" ask request off
	wait "${PID[gwd-gw]}"
	unset "PID[gwd-gw]"
	expect "-" "off leaves no pins and no state" "" "$(find "$T/bpf/gw" "$T/run-gw" -mindepth 1 2>/dev/null || :)"
	expect_no_match "-" "no sanitizer or library complaint" "runtime error|Sanitizer|libbpf" "$(cat "$T/gwd-gw.err")"
}
engines control
