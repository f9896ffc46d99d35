#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seed 000, scenario 1 of three (S2): M connects to W on one LAN; both hosts run the engine on their own traffic.
. "$(dirname "$0")/lib.sh"

M=192.168.11.104 W=192.168.11.108

direct() {
	host m w # S3
	wire m:eth0:$M/24 w:eth0:$W/24
	GW=m start_gw eth0
	GW=w start_gw eth0
	serve w sshd ssh 22 --linger 0.25
	GW=w ipt -P INPUT DROP
	GW=w ipt -A INPUT -p tcp -s $M --dport 22 -j ACCEPT # S14
	GW=m ipt -P INPUT DROP
	GW=m ipt -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT # S19
	same S14 "W's filter rules" "$(GW=w ipt -S)"
	expect S19 "-m state is printed in netfilter's order" \
		"-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT" "$(GW=m ipt -S INPUT | tail -n 1)"
	same S19 "M's filter rules" "$(GW=m ipt -S)"

	with_state_rule
	without_state_rule
}

with_state_rule() {
	local got line
	GW=m events on_m -p tcp
	GW=w events on_w -p tcp
	capture w eth0 wire_w "tcp port 22"
	# Both ends have seen the exchange when the client's process ends; W's last ACK may still be on its way.
	got=$(printf 'whoami\n' | peer m tcp $W 22 --sport 44626) # S5
	expect S20 "the session is answered" $'SSH-2.0-gatewarden_demo\nwhoami' "$got"
	wait_for 3 has_line TIME_WAIT "$T/on_m.out"
	wait_for 3 has_line TIME_WAIT "$T/on_w.out"
	stop on_m INT; stop on_w INT; stop wire_w INT

	line=$(head -n 1 "$T/wire_w.out")
	expect_match "S6,S10,S11" "the SYN arrives unmodified, source port included" \
		"^IP $M\.44626 > $W\.22: Flags \[S\]" "$line"
	expect S15 "sshd talks to M itself" "peer $M 44626" "$(head -n 1 "$T/sshd.out")"
	expect "S7,S8,S9" "OUTPUT creates the entry on M, reply tuple flipped, unreplied" \
		"    [NEW] tcp      6 120 SYN_SENT src=$M dst=$W sport=44626 dport=22 [UNREPLIED] src=$W dst=$M sport=22 dport=44626" \
		"$(sed -n 1p "$T/on_m.out")"
	expect "S12,S13" "W tracks the same connection in its own table" \
		"    [NEW] tcp      6 120 SYN_SENT src=$M dst=$W sport=44626 dport=22 [UNREPLIED] src=$W dst=$M sport=22 dport=44626" \
		"$(sed -n 1p "$T/on_w.out")"
	expect "S16,S17" "the SYN-ACK leaves W: replied, not yet assured" \
		" [UPDATE] tcp      6 60 SYN_RECV src=$M dst=$W sport=44626 dport=22 src=$W dst=$M sport=22 dport=44626" \
		"$(sed -n 2p "$T/on_w.out")"
	expect S17 "the third packet makes it established and assured" \
		" [UPDATE] tcp      6 432000 ESTABLISHED src=$M dst=$W sport=44626 dport=22 src=$W dst=$M sport=22 dport=44626 [ASSURED]" \
		"$(sed -n 3p "$T/on_w.out")"
	expect S18 "M recognises the SYN-ACK by its reply tuple" \
		" [UPDATE] tcp      6 60 SYN_RECV src=$M dst=$W sport=44626 dport=22 src=$W dst=$M sport=22 dport=44626" \
		"$(sed -n 2p "$T/on_m.out")"
	same "S9,S17,S18" "events on M" "$(cat "$T/on_m.out")"
	same "S12,S17" "events on W" "$(cat "$T/on_w.out")"
}

without_state_rule() { # S21
	local save before
	GW=m ipt -F INPUT
	GW=m ipt -A INPUT -p tcp -s 192.168.11.50 --dport 22 -j ACCEPT
	before=$(policy_drops "$(GW=m iptsave -c -t filter)")
	capture m eth0 wire_m "host $W and (tcp or icmp)"
	expect_rc S21d "the client hangs: connection timed out" 28 ns m curl -s -m 1 "telnet://$W:22"
	stop wire_m INT
	save=$(GW=m iptsave -c -t filter)
	expect S21 "Rule 1 is for another host and matches nothing" 0 "$(rule_packets 'A INPUT' "$save")"
	expect_match S21b "the chain's policy dropped the SYN-ACK" '^[1-9]' "$(($(policy_drops "$save") - before))"
	expect_match S21c "the SYN-ACK did arrive at M" "IP $W\.22 > $M\.[0-9]+: Flags \[S\.\]" "$(cat "$T/wire_m.out")"
	expect_no_match S21c "M answers it neither with a reset nor with ICMP" "IP $M\.[0-9]+ > .*Flags \[R|ICMP" "$(cat "$T/wire_m.out")"
	if on_gw; then # netfilter has no such list
		expect_match S21b "gwctl drops names the policy" "policy" "$(GW=m gw drops)"
	fi
	GW=m ipt -F INPUT
	GW=m ipt -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
	expect "S19,S20" "with the rule back the session works" $'SSH-2.0-gatewarden_demo\nagain' "$(echo again | peer m tcp $W 22)"
}
policy_drops() { sed -nE 's/^:INPUT DROP \[([0-9]+):.*/\1/p' <<<"$1"; }

engines direct
