#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Endpoint-independent mapping and filtering (RFC 4787), each side seen from the other; a range of ports that is used up (RFC 5508 REQ-8).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

S4B=198.51.100.10 S6B=2001:db8:9::10
world() {
	real_net
	ns s ip addr add $S4B/24 dev eth0
	ns s ip addr add $S6B/64 dev eth0 nodad
	start_gw lan,wan
}
nat_rule() { # STATEMENT
	gw ruleset apply --replace - >/dev/null <<-RULES
	table inet nat {
		chain postrouting {
			type nat hook postrouting priority srcnat;
			oifname "wan" $1
		}
	}
	RULES
}
# endpoint HOST NAME [--6] PORT [ADDR PORT]...: in the background, ready when this returns
endpoint() {
	spawn "$1" "$2" python3 -u "$TOOLS/endpoint.py" "${@:3}"
	wait_for 5 has_line '^ready' "$T/$2.out"
}
# ask HOST [--6] PORT [ADDR PORT]...: the answers
ask() { ns "$1" timeout 10 python3 -u "$TOOLS/endpoint.py" --once "${@:2}"; }
ports() { sed -nE 's/.* you [^ ]+ ([0-9]+)$/\1/p' | sort -u; }

cones() { # --4 or --6
	local s=$S4 s2=$S4B g=$GW4 port
	[ "$1" = --4 ] || s=$S6 s2=$S6B g=$GW6
	# b has port 5000 first, so a's has to move: to one port for all
	expect REQ-1 "$1: a port that is free stays" 5000 "$(ask b "$1" 5000 "$s" 4000 "$s2" 4001 | ports)"
	port=$(ask a "$1" 5000 "$s" 4000 "$s2" 4001 "$s" 4001 "$s2" 4000 | ports)
	expect_match REQ-1 "$1: one port for all destinations, and another one" '^[0-9]{4,5}$' "$port"
	expect REQ-1 "$1: there is just one" 1 "$(wc -w <<<"$port")"
	expect REQ-4 "$1: its parity" 0 $((port % 2))
	expect_no_match REQ-3 "$1: not the other host's" '^5000$' "$port"
	endpoint a "in$1" "$1" 5000 "$s" 4000
	expect_match "REQ-8" "$1: whom it never spoke to reaches it" "^from $g $port you ($s|$s2) 9999$" "$(ask s "$1" 9999 "$g" "$port")"
	expect "REQ-9" "$1: hairpin by outside addresses" "from $g $port you $g 6000" "$(ask b "$1" 6000 "$g" "$port")"
	stop "in$1"
}

full_cone() {
	local family
	world
	nat_rule "masquerade endpoint-independent"
	for family in --4 --6; do
		endpoint s "x$family" $family 4000
		endpoint s "y$family" $family 4001
		cones $family
	done
	gw conntrack -F >/dev/null 2>&1
	expect - "a flush forgets the mappings" 5000 "$(ask a 5000 $S4 4000 | ports)"
}

# The range has two ports: the third sender is told, the administrator, too.
used_up() {
	local family port s told
	world
	nat_rule "meta l4proto udp masquerade to :7000-7001 endpoint-independent"
	for family in --4 --6; do
		s=$S4
		[ $family = --4 ] || s=$S6
		endpoint s "x$family" $family 4000
		for port in 5000 5001; do
			expect_match REQ-8 "$family: a port of the range" '^700[01]$' "$(ask a $family $port "$s" 4000 | ports)"
		done
		told=$(ask b $family 5002 "$s" 4000)
		expect_match RFC5508-REQ-8 "$family: the sender hears of it" '^error (No route to host|Permission denied|Host is unreachable)' "$told"
	done
	expect - "counted" 2 "$(drop_count nat-no-port)"
	wait_for 8 has_line 'Found no port for new connections packets=[0-9]+ rule=[1-9]' "$T/gwd-gw.err" ||
		fail - "gwd says which rule" "$(tail -n 3 "$T/gwd-gw.err")"
	for port in 1 2 3 4 5 6 7 8 9 10; do ask b 5002 $S4 4000 >/dev/null; done
	expect_match - "once a second at most" '^[1-6]$' "$(grep -c 'Found no port' "$T/gwd-gw.err")"
}

ONLY=gw scenarios full_cone used_up
