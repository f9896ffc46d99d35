#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# gwd may be killed, stopped, started anew and replaced while traffic flows; only `gwctl off` ends its work.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

MB=1000000
[ -z "${GW_IN_VM:-}" ] || MB=100000 # emulated processors are slow
# Seconds that a download takes: longer than gwd needs to start.
LONG=3
[ -z "${GW_IN_VM:-}" ] || LONG=40

restart() {
	on_gw || { pass - "netfilter has no daemon to kill"; return 0; }
	real_net
	start_gw lan,wan
	home_rules
	watch_leaks r near
	spawn s remote python3 -u "$TOOLS/bulk.py" serve 5001
	spawn a inside python3 -u "$TOOLS/bulk.py" serve 80
	wait_for 15 listening s t 5001
	wait_for 15 listening a t 80
	killed_during_a_download
	replaced_during_a_download
	many_kills
	changes_under_traffic
	no_leaks
	switched_off
}
move() { ns "$1" timeout 25 python3 "$TOOLS/bulk.py" "${@:2}"; }
flow_line() { ct -L -p tcp --orig-port-dst 5001 -o extended,id | grep -m1 ESTABLISHED || :; }
flow_id() { sed -E 's/.* id=([0-9]+).*/\1/' <<<"$1"; }
nat_count() { rule_packets 'A POSTROUTING.*MASQUERADE' "$(iptsave -c -t nat)"; }
state_count() { rule_packets 'A FORWARD.*ESTABLISHED' "$(iptsave -c -t filter)"; }
begin_download() { # NAME SECONDS
	spawn a "$1" timeout 80 python3 "$TOOLS/bulk.py" slow "$S4" 5001 $((100 * MB)) "$2"
	wait_for 15 has_flow
}
has_flow() { [ -n "$(flow_line)" ]; }
end_download() { # NAME WHAT
	local rc=0
	wait "${PID[$1]}" || rc=$?
	unset "PID[$1]"
	expect "-" "$2" "0 " "$rc $(cat "$T/$1.err")"
}
kill_gwd() { stop gwd-gw KILL; }

killed_during_a_download() {
	local before after nat state
	begin_download one $LONG
	before=$(flow_id "$(flow_line)")
	nat=$(nat_count) state=$(state_count)
	kill_gwd
	expect_ok "-" "without gwd: new connections out" move a get "$S4" 5001 $MB
	expect_ok "-" "without gwd: new connections in" move s get "$GW4" 8080 $MB
	expect_ok "-" "without gwd: IPv6" move a get "$S6" 5001 $MB
	ns r ip route add 10.0.0.0/24 via "$GW4"
	expect_rc "-" "without gwd: the policy holds" 124 ns s timeout 0.5 python3 "$TOOLS/bulk.py" get "$A4" 5001 1
	ns r ip route del 10.0.0.0/24
	start_gw lan,wan
	after=$(flow_id "$(ct -L -p tcp --orig-port-dst 5001 -o extended,id | grep -m1 "id=$before" || :)")
	expect "-" "the next gwd adopts the connection" "$before" "$after"
	expect "-" "and the counters: NAT rules counted one more connection" $((nat + 1)) "$(nat_count)"
	expect_match "-" "filter rules went on counting packets" "^1$" "$(($(state_count) > state))"
	end_download one "a download across kill -9 and restart ends intact"
}

# An upgrade: another gwd binary with another build of the same object.
replaced_during_a_download() {
	local before
	begin_download two $LONG
	before=$(flow_id "$(flow_line)")
	cp "$GWD" "$T/gwd-new"
	stop gwd-gw TERM
	GWD=$T/gwd-new start_gw lan,wan
	expect "-" "an upgraded gwd adopts the connection" "$before" "$(flow_id "$(flow_line)")"
	expect_ok "-" "and serves new ones" move a get "$S4" 5001 $MB
	end_download two "a download across an upgrade ends intact"
}

# A datagram every 2 ms, each must be answered.
begin_steady() {
	rm -f "$T/steady.out" # or the wait would find the last one's
	spawn a steady timeout -s TERM 200 python3 "$TOOLS/bulk.py" steady "$S4" 7000
	wait_for 15 has_line begun "$T/steady.out"
}
end_steady() { # WHAT
	sleep 0.1
	stop_group steady
	expect_match "-" "$1" "^sent [0-9]{2,} lost 0$" "$(cat "$T/steady.out" "$T/steady.err")"
}
# timeout(1) passes the signal on and waits for its child
stop_group() {
	kill -TERM "${PID[$1]}"
	wait "${PID[$1]}" || :
	unset "PID[$1]"
}

many_kills() {
	local i
	serve s echo udp-echo 7000
	begin_steady
	for i in 1 2 3 4 5; do
		kill_gwd
		start_gw lan,wan
	done
	end_steady "a steady conversation lost nothing in five kills and restarts"
	expect "-" "and kept its port" 1 "$(sort -u "$T/echo.out" | grep -c .)"
}

# The conversation goes on while rules come and go: no gap, no loss.
changes_under_traffic() {
	local i lost
	begin_steady
	for i in $(seq 20); do
		ipt -I FORWARD 1 -p tcp -d "$A4" --dport "$((3000 + i))" -j ACCEPT
		ipt -D FORWARD 1
	done
	end_steady "a steady conversation lost nothing in forty rule changes"
	begin_steady
	ipt -I FORWARD 1 -p udp -d "$S4" --dport 7000 -j DROP
	sleep 0.1
	stop_group steady
	lost=$(sed -nE 's/.*lost //p' "$T/steady.out")
	expect_match "-" "a tightened policy bites the running conversation" "^[1-9]" "$lost"
	ipt -D FORWARD 1
}

switched_off() {
	expect_ok "-" "gwctl off" gw off
	expect_no_match "-" "leaves no program on the interfaces" "gw_" \
		"$(ns gw tc filter show dev wan ingress; ns gw tc filter show dev wan egress; ns gw bpftool net show 2>/dev/null)"
	expect "-" "leaves no pin" "" "$(find "$T/bpf" -mindepth 2 2>/dev/null | head -n 5)"
	expect_rc "-" "and translates nothing" 124 ns a timeout 0.5 python3 "$TOOLS/bulk.py" get "$S4" 5001 1
	ns r ip route add 10.0.0.0/24 via "$GW4"
	expect_ok "-" "the kernel forwards as if it had never been there" move a get "$S4" 5001 $MB
}

need tcpdump bpftool
scenarios restart
