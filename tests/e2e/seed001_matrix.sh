#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seed 001's matrix of tables and chains: which of them a packet meets, and in which order (S47, S51, S52).
. "$(dirname "$0")/lib.sh"

# Every cell of the matrix: table and chain.
MATRIX=(
	"raw PREROUTING" "raw OUTPUT"
	"mangle PREROUTING" "mangle INPUT" "mangle FORWARD" "mangle OUTPUT" "mangle POSTROUTING"
	"nat PREROUTING" "nat OUTPUT"
	"filter INPUT" "filter FORWARD" "filter OUTPUT"
	"security INPUT" "security FORWARD" "security OUTPUT"
	"nat INPUT" "nat POSTROUTING"
)

matrix() {
	host client gw server
	wire client:c0:10.1.0.2/24 gw:lan0:10.1.0.1/24
	wire server:s0:10.2.0.2/24 gw:wan0:10.2.0.1/24
	ns client ip route add default via 10.1.0.1
	ns server ip route add default via 10.2.0.1
	gateway gw
	start_gw lan0,wan0
	serve server far udp-echo 7000
	serve gw near udp-echo 7000
	every_cell
	# The seed has security before nat in INPUT, iptables-nft after it: that order is not compared.
	path "local in" S52a 10.1.0.1 raw:PREROUTING mangle:PREROUTING nat:PREROUTING mangle:INPUT filter:INPUT nat:INPUT
	path "forward" S52b 10.2.0.2 raw:PREROUTING mangle:PREROUTING nat:PREROUTING mangle:FORWARD filter:FORWARD security:FORWARD mangle:POSTROUTING nat:POSTROUTING
	path "local out" S52c out raw:OUTPUT mangle:OUTPUT nat:OUTPUT filter:OUTPUT security:OUTPUT mangle:POSTROUTING nat:POSTROUTING
	raw_comes_before_conntrack
}

count() { # TABLE CHAIN -> how many packets its rule saw
	rule_packets "A $2 " "$(iptsave -c -t "$1")"
}
visited() { # the cells whose rule saw a packet, as "table:CHAIN "
	local seen
	seen=$(saved | awk '/^\*/ { t = substr($0, 2) } /-p udp -j ACCEPT$/ && !/^\[0:/ { print t ":" $3 }')
	for cell in "${MATRIX[@]}"; do grep -x "${cell/ /:}" <<<"$seen" || :; done | tr '\n' ' '
}
zero() { local t; for t in raw mangle nat filter security; do ipt -t $t -Z; done; }
saved() { local t; for t in raw mangle nat filter security; do iptsave -c -t $t; done; }

every_cell() { # S51.1-S51.22: one request and one answer per kind of traffic
	local cell
	for cell in "${MATRIX[@]}"; do
		# shellcheck disable=SC2086
		set -- $cell
		ipt -t "$1" -A "$2" -p udp -j ACCEPT
	done
	zero
	peer client udp 10.1.0.1 7000 --sport 7101 >/dev/null
	expect "S51.2,S51.4,S51.6,S51.7,S51.11,S51.14,S51.15,S51.18,S51.21,S52a" "to the gateway: request and answer" \
		"raw:PREROUTING raw:OUTPUT mangle:PREROUTING mangle:INPUT mangle:OUTPUT mangle:POSTROUTING nat:PREROUTING filter:INPUT filter:OUTPUT security:INPUT security:OUTPUT nat:INPUT " "$(visited)"
	same "S51,S52a" "counters, local in" "$(saved)"
	zero
	peer client udp 10.2.0.2 7000 --sport 7102 >/dev/null
	expect "S51.8,S51.10,S51.16,S51.19,S51.22,S52b,S99,S100,S101" "through the gateway: request and answer" \
		"raw:PREROUTING mangle:PREROUTING mangle:FORWARD mangle:POSTROUTING nat:PREROUTING filter:FORWARD security:FORWARD nat:POSTROUTING " "$(visited)"
	expect "S51.12,S51.22" "the nat table sees the first packet, mangle both" "1 2" "$(count nat POSTROUTING) $(count mangle FORWARD)"
	same "S51,S52b" "counters, forward" "$(saved)"
	zero
	peer gw udp 10.2.0.2 7000 --sport 7103 >/dev/null
	expect "S51.1,S51.3,S51.5,S51.9,S51.12,S51.13,S51.17,S51.20,S52c" "from the gateway: request and answer" \
		"raw:PREROUTING raw:OUTPUT mangle:PREROUTING mangle:INPUT mangle:OUTPUT mangle:POSTROUTING nat:OUTPUT filter:INPUT filter:OUTPUT security:INPUT security:OUTPUT nat:POSTROUTING " "$(visited)"
	same "S51,S52c" "counters, local out" "$(saved)"
}

# path NAME ROW DESTINATION TABLE:CHAIN...: a DROP in one stage hides the packet from exactly the later ones.
path() {
	local name=$1 row=$2 to=$3 stage seen later
	shift 3
	for stage in "$@"; do
		[ "${stage%%:*}" != nat ] || continue # nat tables refuse DROP
		ipt -t "${stage%%:*}" -I "${stage#*:}" -p udp --dport 7009 -j DROP
		zero
		if [ "$to" = out ]; then
			ns gw bash -c 'echo x >/dev/udp/10.2.0.2/7009' 2>/dev/null || : # a drop on the way out may be told to the sender
		else
			ns client bash -c "echo x >/dev/udp/$to/7009"
		fi
		wait_for 2 dropped "${stage%%:*}" "${stage#*:}" || :
		ipt -t "${stage%%:*}" -D "${stage#*:}" -p udp --dport 7009 -j DROP
		seen=$(visited)
		later=$(sed "s/.*$stage *//" <<<"$* ")
		expect "$row" "$name: what a drop in $stage hides" "" "$(for s in $later; do grep -o "$s " <<<"$seen" || :; done)"
		same "$row" "$name: stages seen before the drop in $stage" "$seen"
	done
}
dropped() { iptsave -c -t "$1" | grep -E -- "A $2 .*7009" | grep -qv '^\[0:'; }

raw_comes_before_conntrack() { # S51.2-S51.5: raw can exempt a packet from tracking
	if on_gw; then
		gw rule add raw prerouting udp dport 7010 notrack
	else
		ipt -t raw -I PREROUTING -p udp --dport 7010 -j CT --notrack
	fi
	ns client bash -c 'echo x >/dev/udp/10.2.0.2/7010; echo x >/dev/udp/10.2.0.2/7011'
	wait_for 2 tracked 7011
	expect "S51.2,S51.4" "what raw exempts is not tracked" "" "$(ct -L -p udp --orig-port-dst 7010)"
}
tracked() { ct -L -p udp --orig-port-dst "$1" | grep -q .; }

engines matrix
