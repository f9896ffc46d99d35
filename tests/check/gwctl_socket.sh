#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# gwctl against a fake gwd: what it asks, what it prints, and that no answer crashes it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
gwctl=${GW_BUILD:?}/ctl/gwctl
command -v python3 >/dev/null || exit 77
dir=$(mktemp -d)
fake=
failed=0
stop() {
	if [[ -n $fake ]]; then
		kill "$fake" 2>/dev/null || true
		wait "$fake" 2>/dev/null || true
		fake=
	fi
	rm -f "$dir/sock"
}
trap 'stop; rm -rf "$dir"' EXIT
export GWCTL_SOCKET=$dir/sock

start() {
	python3 "$here/fake_gwd.py" "$dir/sock" "$dir/requests" "$dir/answer" 2>"$dir/fake.err" &
	fake=$!
	for _ in $(seq 100); do
		[[ -S $dir/sock ]] && return
		sleep 0.05
	done
	echo "the fake gwd does not start"
	exit 1
}

answer() { # NAME: from now on the fake answers this
	echo "$1" >"$dir/answer"
}

run() { # CODE COMMAND...: output in $dir/out and $dir/err
	local want=$1 got=0
	shift
	timeout 20 "$gwctl" "$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	if [[ $got != "$want" ]]; then
		echo "FAIL gwctl $*: exit code $got, not $want"
		cat "$dir/out" "$dir/err"
		failed=1
	fi
}

same() { # WHAT WANT GOT
	if [[ $2 != "$3" ]]; then
		printf 'FAIL %s:\n  want %s\n  got  %s\n' "$1" "$2" "$3"
		failed=1
	fi
}

text_is() { # WANT COMMAND...: the ruleset text that is sent
	local want=$1
	shift
	: >"$dir/requests"
	run 0 "$@"
	same "gwctl $*" "$want" "$(python3 -c '
import json, sys
print(json.loads(sys.stdin.readline()).get("text"))' <"$dir/requests")"
}

start
answer ok
text_is 'add rule inet filter forward iifname "lan0" oifname "wan0" tcp dport { 80, 443 } accept' \
	rule add filter forward iifname lan0 oifname wan0 tcp dport '{' 80, 443 '}' accept
text_is 'add rule ip filter FORWARD iifname != "br-lan*" drop' \
	rule add ip filter FORWARD iifname != 'br-lan*' drop
text_is 'add rule inet filter input iifname { "lan0", "eth0.100" } tcp dport 22 accept' \
	rule add inet filter input iifname '{' lan0, eth0.100 '}' tcp dport 22 accept
text_is 'add rule inet filter input iifname {"a","b"} drop' rule add filter input iifname '{a,b}' drop
text_is 'add rule inet filter input iifname "lan0" accept comment "two words"' \
	rule add filter input 'iifname "lan0" accept' comment 'two words'
text_is 'add rule inet filter input accept comment "a \"b\" \\c"' \
	rule add filter input accept comment 'a "b" \c'
text_is 'insert rule inet filter input accept' rule insert filter input accept
text_is 'delete rule inet filter input handle 7' rule delete filter input 7
text_is 'delete rule inet filter input handle 7' rule delete filter input handle 7
text_is 'replace rule ip6 filter INPUT handle 7 drop' rule replace ip6 filter INPUT 7 drop
text_is 'add chain inet filter mine' chain add filter mine
text_is 'add chain inet filter forward { policy drop; }' chain policy filter forward drop
text_is 'flush chain inet filter forward' chain flush filter forward
text_is 'delete table ip nat' table delete ip nat
text_is 'flush ruleset' ruleset flush
printf 'flush ruleset\n' >"$dir/file"
text_is 'flush ruleset' ruleset apply "$dir/file"

run 2 rule add filter forward
run 2 rule add ip filter forward
run 2 rule delete filter forward x
run 2 rule delete filter forward 7 8
run 2 chain policy filter forward maybe
run 2 frobnicate
run 2 rule frobnicate
run 2 --frob
run 2 set onlykey
run 2 wait --timeout x
run 2 ruleset apply --frob "$dir/file"
run 1 ruleset apply "$dir/missing"
run 2 flow delete
run 2 flow list frob
run 2 conntrack -L --frob
run 2 conntrack -I
run 0 --help
run 0 rule --help
run 0 rule add --help
run 0 conntrack --help
run 0 version
run 0 help --rows

answer text
run 0 ruleset show
same 'frames of text are joined' $'one\ntwo' "$(cat "$dir/out")"
answer refused
run 1 ruleset save
same 'refusals are one line' 'gwctl: no' "$(cat "$dir/err")"
answer diag
run 1 rule add filter forward frob
same 'a diag is printed as it is' $'1:5: error: no\nadd x\n    ^' "$(cat "$dir/err")"

answer flows
web='src=192.168.1.10 dst=82.120.11.99 sport=50798 dport=443'
back='src=82.120.11.99 dst=82.120.11.22 sport=443 dport=50798'
run 0 conntrack -L
same 'conntrack -L' "tcp      6 431998 ESTABLISHED $web $back [ASSURED] mark=0 use=1
unknown  99 431998 src=192.168.1.10 dst=82.120.11.99 [UNREPLIED] src=82.120.11.99 dst=82.120.11.22 mark=0 use=1" \
	"$(cat "$dir/out")"
same 'conntrack -L summary' \
	'conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.' "$(cat "$dir/err")"
run 0 conntrack -D -p tcp
same 'conntrack -D summary' \
	'conntrack v1.4.7 (conntrack-tools): 2 flow entries have been deleted.' "$(cat "$dir/err")"
run 0 conntrack -L -o json
same 'JSON is an array' 2 "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)))' <"$dir/out")"
answer no-flows
run 0 conntrack -L
run 1 conntrack -D -s 9.9.9.9
same 'nothing deleted' \
	'conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.' "$(cat "$dir/err")"
run 1 conntrack -G -p tcp -s 10.0.0.5 -d 1.1.1.1 --sport 1 --dport 2
same 'nothing found' \
	"conntrack v1.4.7 (conntrack-tools): Operation failed: such conntrack doesn't exist" \
	"$(cat "$dir/err")"
run 0 -j flow list
same 'an empty listing is an empty array' '[]' "$(cat "$dir/out")"
answer events
run 0 conntrack -E
same 'conntrack -E' "    [NEW] tcp      6 120 SYN_SENT $web [UNREPLIED] $back
[LOST 3]
[DESTROY] tcp      6 TIME_WAIT $web $back [ASSURED]" "$(cat "$dir/out")"
same 'conntrack -E summary' \
	'conntrack v1.4.7 (conntrack-tools): 2 flow events have been shown.' "$(cat "$dir/err")"
answer stats
run 0 conntrack -S
same 'conntrack -S' "cpu=0   	found=1 invalid=0 insert=0 insert_failed=0 drop=0 early_drop=0 error=0 search_restart=0 clash_resolve=2 chaintoolong=0 " \
	"$(head -1 "$dir/out")"
answer count
run 0 conntrack -C
same 'conntrack -C' 42 "$(cat "$dir/out")"
run 0 conntrack -F
same 'conntrack -F' 'conntrack v1.4.7 (conntrack-tools): connection tracking table has been emptied.' \
	"$(cat "$dir/err")"
answer ping
run 0 wait --timeout 1
answer not-ready
run 1 wait --timeout 0
stop
run 1 wait --timeout 0
run 1 status
start

# whatever comes back: an exit code of ours, never a signal or a hang
mapfile -t hostile < <(python3 "$here/fake_gwd.py" --list)
for name in "${hostile[@]}"; do
	answer "$name"
	for words in status drops get 'get x' 'rule list' 'ruleset show' 'ruleset save' 'flow list' \
		'flow watch' 'flow count' 'flow flush' stats 'conntrack -S' 'conntrack -C' 'conntrack -E' \
		'reload' 'wait --timeout 0' 'rule add filter input drop' 'iptables -A INPUT -j DROP' 'iptables-save -c' \
		'ruleset diff /dev/null'; do
		for json in '' --json; do
			[[ -z $json || $name == shape-* || $name == *-json ]] || continue
			code=0
			# shellcheck disable=SC2086 # words are words
			timeout 20 "$gwctl" $json $words >"$dir/out" 2>"$dir/err" </dev/null || code=$?
			if ((code > 2)); then
				echo "FAIL gwctl $json $words, answer $name: exit code $code"
				head -5 "$dir/err"
				failed=1
			fi
		done
	done
done
exit "$failed"
