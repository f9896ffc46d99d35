#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What rules keep between packets and over restarts: elements of sets, counters, log lines, changes of one rule among many.
. "$(dirname "$0")/lib.sh"
ONLY=gw
SOCK=$GW_SOURCE/tests/e2e/tools/gwdsock.py
MANY=${MANY:-100000}
export GW_WAIT_S=60

rules() {
	host gw client
	gateway gw
	wire gw:lan0:10.0.0.1/24 client:c0:10.0.0.5/24
	start_gw lan0
	dynamic_set
	small_set
	interval_set
	sleeping_table
	logs
	among_many
	settings
	region
	exposed
}
ask() { python3 "$SOCK" "$T/run-gw/control.sock" request "$@"; }
apply() { printf '%s\n' "$@" >"$T/rules.nft" && gw ruleset apply "$T/rules.nft"; }
flush() { gw ruleset flush >/dev/null; }
reach() { ns client ping -c1 -W0.3 -q 10.0.0.1 >/dev/null; }
cut_off() { ! reach; }
generation() { ask ping | grep -oE '"gen":[0-9]+' | tr -dc 0-9; }
elements() { gw ruleset show | tr -d '\n\t' | sed -E 's/.*elements = \{ ([^}]*) \}.*|.*/\1/'; }
has_element() { elements | grep -qE -- "$1"; }
has_no_element() { ! has_element "$1"; }
# A gwd that dies now, and the next one.
kill_gwd() {
	kill -KILL "${PID[gwd-gw]}"
	wait "${PID[gwd-gw]}" 2>/dev/null || :
	start_gw lan0
}

small_set() {
	apply 'table inet t { set seen { type ipv4_addr; size 2; flags dynamic; }
		chain input { type filter hook input priority 0; add @seen { ip saddr }; } }' >/dev/null
	expect_ok "-" "a packet takes one of two places" reach
	expect_ok "-" "a user takes the other" gw element add t seen '{ 10.0.0.7 }'
	expect_match "-" "and hears that there is no third" "is full: 3 elements, its size is 2" \
		"$(gw element add t seen '{ 10.0.0.8 }' 2>&1)"
	expect_ok "-" "an element that is there needs none" gw element add t seen '{ 10.0.0.7 }'
	expect_ok "-" "one is given back" gw element delete t seen '{ 10.0.0.7 }'
	expect_ok "-" "and taken again" gw element add t seen '{ 10.0.0.8 }'
	flush
}

sleeping_table() {
	apply 'table inet t { chain input { type filter hook input priority 0; icmp type echo-request counter drop; }
		}' >/dev/null
	expect_ok "-" "a table is awake" cut_off
	expect_ok "-" "and is put to sleep" apply 'add table inet t { flags dormant; }'
	expect_ok "-" "its chains see nothing" reach
	expect_ok "-" "nor does a rule that is added" gw rule add t input drop
	expect_ok "-" "while it sleeps" reach
	kill_gwd
	expect_ok "-" "it sleeps on when gwd was killed" reach
	expect_ok "-" "until somebody wakes it" apply 'add table inet t'
	expect_ok "-" "then its rules are there" cut_off
	flush
}

dynamic_set() {
	local gen
	apply 'table inet t { set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; }
		set bad { type ipv4_addr; flags timeout; }
		chain input { type filter hook input priority 0; ip saddr @bad drop; add @seen { ip saddr }; } }' >/dev/null
	expect_ok "-" "nothing is in the sets yet" reach
	expect_match "-" "a packet put its source into the set" "^10\.0\.0\.5 expires [0-9]+s" "$(elements)"
	gen=$(generation)
	expect_ok "-" "an element is added" gw element add t bad '{ 10.0.0.5 timeout 2m }'
	expect "-" "without a new image" "$gen" "$(generation)"
	expect_ok "-" "it bites at once" cut_off
	kill_gwd
	expect_ok "-" "and when gwd was killed" cut_off
	expect_match "-" "its time went on" "10\.0\.0\.5 timeout 2m expires 1m" "$(elements)"
	gw element delete t bad '{ 10.0.0.5 }' >/dev/null
	gw element add t bad '{ 10.0.0.5 timeout 1s }' >/dev/null
	expect_ok "-" "a short time passes" wait_for 5 reach
	expect_ok "-" "and it is gone from the list" wait_for 3 has_no_element "timeout 1s"
	expect_ok "-" "an element without a timeout" gw element add t bad '{ 10.0.0.5 }'
	expect_ok "-" "holds" cut_off
	expect_ok "-" "until it is deleted" gw element delete t bad '{ 10.0.0.5 }'
	expect_ok "-" "and then no more" reach
	expect_rc "-" "what is not there can not be deleted" 1 gw element delete t bad '{ 10.0.0.77 }'
	expect_match "-" "and the mistake is shown" "10\.0\.0\.77" "$OUT"
	expect_ok "-" "a set is deleted with its elements" gw ruleset flush
	apply 'table inet t { set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; } }' >/dev/null
	expect "-" "and one of the same name begins empty" "" "$(elements)"
	flush
}

interval_set() {
	apply 'table inet t { set bad { type ipv4_addr; flags interval,timeout; }
		chain input { type filter hook input priority 0; ip saddr @bad drop; } }' >/dev/null
	gw element add t bad '{ 10.0.0.0/28 timeout 2m }' >/dev/null
	expect_ok "-" "a prefix with a timeout bites" cut_off
	kill_gwd
	expect_match "-" "its time runs on over a restart" "10\.0\.0\.0/28 timeout 2m expires 1m" "$(elements)"
	gw element delete t bad '{ 10.0.0.0/28 }' >/dev/null
	gw element add t bad '{ 10.0.0.0/28 timeout 1s }' >/dev/null
	expect_ok "-" "a short one passes" wait_for 5 reach
	expect_ok "-" "and it is gone from the list" wait_for 3 has_no_element .
	flush
}

two_listen() { [ "$(ns gw ss -Hx state connected src "$T/run-gw/control.sock" | wc -l)" -ge 2 ]; }
logs() {
	apply 'table inet t { chain input { type filter hook input priority 0;
		icmp type echo-request log prefix "ping " level info; udp dport 9 log prefix "nine " flags all group 3; } }' >/dev/null
	spawn gw logs python3 "$SOCK" "$T/run-gw/control.sock" stream logs
	spawn gw watch "$GWCTL" --socket "$T/run-gw/control.sock" log watch
	wait_for 5 two_listen
	reach
	expect_ok "-" "a log line comes" wait_for 3 has_line "^<6>ping IN=lan0" "$T/gwd-gw.err"
	expect_match "-" "as the kernel prints it" \
		"^<6>ping IN=lan0 OUT= MAC=([0-9a-f]{2}:){13}[0-9a-f]{2} SRC=10\.0\.0\.5 DST=10\.0\.0\.1 LEN=84 TOS=0x00 PREC=0x00 TTL=64 ID=[0-9]+ DF PROTO=ICMP TYPE=8 CODE=0 ID=[0-9]+ SEQ=1 \$" \
		"$(grep -m1 ping "$T/gwd-gw.err")"
	ns client bash -c 'echo x >/dev/udp/10.0.0.1/9'
	expect_ok "-" "a listener gets both" wait_for 3 has_line '"prefix": *"nine "' "$T/logs.out"
	expect_match "-" "with the rule's handle" '"rule": *[1-9]' "$(grep nine "$T/logs.out")"
	expect_ok "-" "the first one, too" has_line '"prefix": *"ping "' "$T/logs.out"
	expect_no_match "-" "log group N is for listeners alone" "nine" "$(cat "$T/gwd-gw.err")"
	expect_ok "-" "gwctl log watch prints them as lines" wait_for 3 has_line '^nine IN=lan0 .* PROTO=UDP ' "$T/watch.out"
	stop logs
	stop watch
	flush
}

many_rules() {
	python3 - "$1" <<-'EOF'
		import random, sys
		random.seed(1)
		print("table inet filter { chain input { type filter hook input priority 0; policy accept;")
		for i in range(int(sys.argv[1])):
		    a = ".".join(str(random.randint(1, 223)) for _ in range(3))
		    print(f"ip saddr {a}.0/24 tcp dport {random.randint(1, 65535)} drop")
		print("} }")
	EOF
}
# A ruleset of many rules, and changes of one.
among_many() {
	local handle gen
	many_rules "$MANY" >"$T/many.nft"
	expect_ok "-" "$MANY rules are loaded" gw ruleset apply "$T/many.nft"
	expect_ok "-" "and let others pass" reach
	gen=$(generation)
	expect_ok "-" "one more" gw rule add filter input icmp type echo-request counter drop
	expect "-" "goes into the image in force" $((gen + 2)) "$(generation)"
	expect_ok "-" "and bites" cut_off
	handle=$(ask apply '{"text": "add rule inet filter input tcp dport 1 counter"}' | grep -oE '"handle":[0-9]+' | tr -dc 0-9)
	expect_ok "-" "a mistake changes nothing" test "$(generation)" = $((gen + 4))
	expect_rc "-" "and is refused" 1 gw rule add filter input tcp dport 99999999 drop
	expect "-" "in the same generation" $((gen + 4)) "$(generation)"
	kill_gwd
	expect_ok "-" "after a kill it bites" cut_off
	expect_match "-" "it is listed and its counter goes on" "echo-request counter packets [1-9]" "$(gw rule list filter input | tail -n 4)"
	expect_match "-" "so is the other" "tcp dport 1 counter packets 0 bytes 0" "$(gw rule list filter input | tail -n 4)"
	expect_ok "-" "it is deleted" gw rule delete filter input "$((handle - 1))"
	expect_ok "-" "and bites no more" reach
	kill_gwd
	expect_no_match "-" "it stays deleted" "echo-request" "$(gw rule list filter input | tail -n 4)"
	expect_ok "-" "and all others are there" test "$(gw rule list filter input | grep -c 'tcp dport')" = $((MANY + 1))
	flush
}

settings() {
	gw set timeout.udp 77 >/dev/null
	gw set log.level debug >/dev/null
	kill_gwd
	expect_match "-" "a setting changed at run time outlives gwd" "77" "$(gw get timeout.udp)"
	stop gwd-gw
	start_gw lan0 --set timeout.udp=88
	expect_match "-" "but not a newer word of the configuration" "88" "$(gw get timeout.udp)"
	expect_match "-" "which only concerns what it names" "debug" "$(gw get log.level)"
}

region() {
	apply 'table inet t { chain input { type filter hook input priority 0; icmp type echo-request counter drop } }' >/dev/null
	expect_ok "-" "a rule holds" cut_off
	stop gwd-gw
	start_gw lan0 --set rules.memory=1
	expect_ok "-" "with a smaller region, too" cut_off
	many_rules 30000 >"$T/too-many.nft"
	expect_rc "-" "what does not fit is refused" 1 gw ruleset apply "$T/too-many.nft"
	expect_ok "-" "and leaves what was there" cut_off
	stop gwd-gw
	start_gw lan0 --set rules.memory=32
	expect_ok "-" "with a larger one, too" cut_off
	expect_match "-" "the counter went on" "packets [3-9]" "$(gw ruleset show)"
	flush
}

exposed() {
	apply 'table inet t { chain input { type filter hook input priority 0; icmp type echo-request counter accept } }' >/dev/null
	expect_match "-" "the cost of the image is told" '"chain": *"input"' "$(ask rule-stats)"
	expect_match "-" "and printed" "^inet t input: 1 entries" "$(gw rule stats)"
}

engines rules
