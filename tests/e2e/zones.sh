#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Two networks with the same addresses behind two interfaces, kept apart by conntrack zones: `ct zone set` before conntrack.
. "$(dirname "$0")/lib.sh"

zones() {
	host one two gw server
	wire one:c0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	wire two:c0:10.0.0.5/24 gw:lan1:10.0.0.1/24
	wire server:s0:203.0.113.9/24 gw:eth0:203.0.113.1/24,203.0.113.11/24,203.0.113.12/24
	ns one ip route add default via 10.0.0.1
	ns two ip route add default via 10.0.0.1
	gateway gw
	# a zone's mark is its way back
	local zone
	for zone in 1 2; do
		ns gw ip rule add fwmark $zone table 10$zone
		ns gw ip route add 10.0.0.0/24 dev lan$((zone - 1)) table 10$zone
		ns gw ip route add 203.0.113.0/24 dev eth0 table 10$zone
	done
	start_gw lan0,lan1,eth0
	ruleset
	serve server echo udp-echo 53
	serve server ssh ssh 2222
	overlap
	filters
}

ruleset() {
	cat >"$T/zones.nft" <<'RULES'
table ip raw {
	chain pre {
		type filter hook prerouting priority -300
		iifname "lan0" ct zone set 1
		iifname "lan1" ct zone set 2
		iifname "eth0" ip daddr 203.0.113.11 ct zone set 1
		iifname "eth0" ip daddr 203.0.113.12 ct zone set 2
	}
}
table ip mangle {
	chain pre {
		type filter hook prerouting priority -150
		ct zone 1 meta mark set 1
		ct zone 2 meta mark set 2
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "eth0" ct zone 1 snat to 203.0.113.11
		oifname "eth0" ct zone 2 snat to 203.0.113.12
	}
}
RULES
	if on_gw; then
		gw ruleset apply "$T/zones.nft" >/dev/null
	else
		ns gw nft -f "$T/zones.nft"
	fi
}

# Everything the same but the interface: addresses, ports, protocol.
overlap() {
	capture server s0 seen udp port 53
	expect_match S103 "a query of the first network" answers "$(peer one udp 203.0.113.9 53 --sport 5300 --count 2)"
	expect_match S103 "the same of the second" answers "$(peer two udp 203.0.113.9 53 --sport 5300 --count 2)"
	session first one 203.0.113.9 2222 --sport 40000
	session second two 203.0.113.9 2222 --sport 40000
	say first hello
	say second hello
	wait_for 3 line_count_is '> 203.0.113.9.53' "$T/seen.out" 4
	same S103 "what the server saw" "$(grep -o '^IP 203.0.113.1[12].5300 > 203.0.113.9.53' "$T/seen.out" | sort)"
}

lines() { norm_timeouts | sed -E 's/(udp +17) [0-9]+/\1 T/' | sort; }
all_acknowledged() { [ "$(ct -L -p tcp | grep -c ' 43[0-9][0-9][0-9][0-9] ESTABLISHED')" = 2 ]; }
filters() {
	wait_for 3 all_acknowledged # until then the timeout is that of unacknowledged data
	same S98 "both are listed with their zones" "$(ct -L | lines)"
	same S98 "-w 1" "$(ct -L -w 1 | lines)"
	same S98 "-w 2 -p tcp" "$(ct -L -w 2 -p tcp | lines)"
	same S98 "-w 0" "$(ct -L -w 0 | lines)"
	same S98 "-D -w 1" "$(ct -D -w 1 | lines)"
	same S98 "the other is untouched" "$(ct -L | lines)"
	say second again
	expect S98 "its session lives" again "$(grep '^again$' "$T/second.out")"
}

engines zones
