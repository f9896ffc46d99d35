#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Connections know the filter rule and the NAT rules that let them in, also when others judge their packets, or when these are gone and no packet has come since.
. "$(dirname "$0")/lib.sh"
need jq

handle_of() { gw --json rule list "$1" "$2" 2>/dev/null | jq -r --arg t "$3" '[.. | objects | select(.text? and (.text | contains($t)))][0].handle'; }

rules() {
	host client gw server
	wire client:c0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	wire server:s0:203.0.113.9/24 gw:eth0:203.0.113.1/24
	ns client ip route add default via 10.0.0.1
	gateway gw
	start_gw lan0,eth0
	gw ruleset apply --replace - <<'RULES'
table inet filter {
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established counter accept
		tcp dport 2222 accept comment "ssh"
		udp dport 53 accept comment "dns"
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority -100;
		iifname "lan0" tcp dport 8022 dnat to 203.0.113.9:2222 comment "forward"
	}
	chain postrouting {
		type nat hook postrouting priority 100;
		oifname "eth0" masquerade comment "masq"
	}
}
RULES
	serve server ssh ssh 2222
	serve server echo udp-echo 53
	GWCTL_SOCKET=$T/run-$GW/control.sock spawn gw watch "$GWCTL" --json flow watch
	wait_for 5 gw_listens
	session one client 203.0.113.9 2222
	session two client 10.0.0.1 8022
	say one hello
	say two hello
	peer client udp 203.0.113.9 53 --sport 5300 >/dev/null
	local ssh dns masq forward
	ssh=$(handle_of inet filter '"ssh"') dns=$(handle_of inet filter '"dns"')
	masq=$(handle_of ip nat '"masq"') forward=$(handle_of ip nat '"forward"')
	expect S98 "the filter rule of both sessions" 2 "$(gw flow list rule "$ssh" | wc -l)"
	expect S98 "and of the query" 1 "$(gw flow list rule "$dns" | wc -l)"
	expect S98 "the established rule let nobody in" 0 "$(gw flow list rule $((ssh - 1)) | wc -l)"
	expect_match S98 "their lines name the rules" " rule=$ssh nat-rule=$forward nat-rule=$masq\$" "$(gw flow list sport 1-65535 nat-rule "$forward")"
	expect S98 "masquerade translated all" 3 "$(gw flow list nat-rule "$masq" | wc -l)"
	expect S98 "count takes filters" "2 (2 assured, 0 not yet)" "$(gw flow count rule "$ssh")"
	expect S98 "so do interfaces" 3 "$(gw flow list iif lan0 oif eth0 | wc -l)"
	expect_match S98 "an unknown interface is refused" "no interface .nope" "$(gw flow list iif nope 2>&1 || :)"
	expect_match S98 "JSON" "\"nat_rules\":\\[$forward,$masq\\]" "$(gw --json flow list nat-rule "$forward")"
	expect_match S98 "events say the rule" "\"event\":\"new\".*\"rule\":$ssh,\"nat_rules\":\\[$forward,$masq\\]" "$(cat "$T/watch.out")"
	gw rule delete inet filter forward "$ssh"
	expect S98 "the rule is gone, its connections are known" 2 "$(gw flow list rule "$ssh" | wc -l)"
	expect_ok S98 "delete by a rule's handle" gw flow delete rule "$ssh"
	expect S98 "they are gone, the query is not" 1 "$(gw flow list | wc -l)"
	wait_for 3 line_count_is '"event":"destroy"' "$T/watch.out" 2
	expect_match S98 "their end says the rule" "\"event\":\"destroy\".*\"rule\":$ssh" "$(cat "$T/watch.out")"
}

ENGINES=gw engines rules
