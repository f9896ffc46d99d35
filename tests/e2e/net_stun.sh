#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What a STUN client finds out about the gateway (RFC 5780): coturn is the judge, netfilter the oracle of the default.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

discover() { # OPTION: the client's verdict
	ns a timeout 30 turnutils_natdiscovery "$1" $S4 >"$T/discover" 2>&1 || :
	grep -E '^(NAT with|Received a request)' "$T/discover" | sort -u
}
stun_says() {
	real_net
	ns s ip addr add 198.51.100.10/24 dev eth0
	spawn s stun turnserver -S -n -L $S4 -L 198.51.100.10 -p 3478 --alt-listening-port 3479 --no-tls --no-dtls --no-cli \
		--log-file stdout --simple-log --pidfile "$T/stun.pid" --db "$T/stun.db"
	wait_for 5 listening s u 3479
	start_gw lan,wan
	ipt -t nat -A POSTROUTING -o wan -j MASQUERADE
	expect RFC4787-REQ-1 "default: mapping, while ports are free" "NAT with Endpoint Independent Mapping!" "$(discover -m)"
	expect RFC4787-REQ-8 "default: filtering" "NAT with Address and Port Dependent Filtering!" "$(discover -f)"
	on_gw || return 0
	gw ruleset apply --replace - >/dev/null <<-RULES
	table ip nat {
		chain postrouting {
			type nat hook postrouting priority srcnat;
			oifname "wan" masquerade endpoint-independent
		}
	}
	RULES
	expect RFC4787-REQ-1 "endpoint-independent: mapping" "NAT with Endpoint Independent Mapping!" "$(discover -m)"
	expect RFC4787-REQ-8 "endpoint-independent: filtering" "NAT with Endpoint Independent Filtering!" "$(discover -f)"
	expect_match RFC4787-REQ-9 "endpoint-independent: hairpin" "successful hairpinning" "$(discover -H)"
}

need turnserver turnutils_natdiscovery
scenarios stun_says
