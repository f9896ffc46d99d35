#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The native verbs of gwctl against a running gwd: rules, rulesets, connections, drops, settings.
. "$(dirname "$0")/lib.sh"

native() {
	host client gw server
	wire client:c0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	wire server:s0:203.0.113.9/24 gw:eth0:203.0.113.1/24
	ns client ip route add default via 10.0.0.1
	gateway gw
	start_gw lan0,eth0
	serve server ssh ssh 22
	rules
	flows
	dropped
	rulesets
	settings
	writers
	in_place
	gone
}

rules() {
	gw rule add nat postrouting oifname eth0 ip saddr 10.0.0.0/24 masquerade
	gw rule add filter forward ct state established,related accept
	gw rule add filter forward iifname lan0 oifname eth0 tcp dport '{' 22, 80 '}' accept comment 'it "works"'
	gw rule insert filter forward iifname 'nothing*' drop
	gw chain policy filter forward drop
	expect_rc "-" "a mistake in a rule" 1 gw rule add filter forward tcp dport nosuch accept
	expect "-" "is shown with a caret" "1:40: error: a port expected, not \`nosuch\`
add rule inet filter forward tcp dport nosuch accept
                                       ^~~~~~" "$OUT"
	expect_rc "-" "no such rule" 1 gw rule delete filter forward 9999
	expect_match "-" "handles and counters are listed" \
		'^		iifname "nothing\*" counter packets 0 bytes 0 drop # handle [0-9]+$' "$(gw rule list filter forward)"
	gw rule delete filter forward "$(gw rule list filter forward | sed -n 's/.*nothing.*handle //p')"
	expect "-" "what is shown can be typed" 'table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "lan0" oifname "eth0" tcp dport { 22, 80 } accept comment "it \"works\""
	}
}' "$(gw chain list filter forward)"
	expect_ok "-" "rules as JSON" python3 -m json.tool <<<"$(gw rule list --json)"
}

flows() {
	session one client 203.0.113.9 22 --sport 50798
	expect_match "-" "flow list has counters and the id" \
		'^tcp      6 [0-9]+ ESTABLISHED src=10.0.0.5 dst=203.0.113.9 sport=50798 dport=22 packets=[0-9]+ bytes=[0-9]+ src=203.0.113.9 dst=203.0.113.1 sport=22 dport=50798 packets=[0-9]+ bytes=[0-9]+ \[ASSURED\] mark=0 use=1 id=[0-9]+ rule=[0-9]+ nat-rule=[0-9]+$' \
		"$(gw flow list tcp dport 22 assured snat)"
	expect_match S77 "flow list --proc" \
		'^ipv4     2 tcp      6 [0-9]+ ESTABLISHED src=10.0.0.5 dst=203.0.113.9 sport=50798 dport=22 src=203.0.113.9 dst=203.0.113.1 sport=22 dport=50798 \[ASSURED\] mark=0 zone=0 use=2$' \
		"$(gw flow list --proc)"
	expect "-" "flow list as JSON" "10.0.0.5 203.0.113.1" "$(gw -j flow list | python3 -c '
import json, sys
flow, = json.load(sys.stdin)
print(flow["original"]["src"], flow["reply"]["dst"])')"
	expect "-" "flow count" "1 (1 assured, 0 not yet)" "$(gw flow count)"
	expect_rc "-" "nothing to delete" 1 gw flow delete tcp dport 23
	expect_match "-" "flow delete shows what it ended" 'sport=50798' "$(gw flow delete src 10.0.0.0/24)"
	expect "-" "no flow is left" "" "$(gw flow list)"
	stop one # its goodbye would be a FIN of no connection, and wait a minute for an answer
}

dropped() {
	ns client timeout 1 bash -c 'echo x >/dev/udp/203.0.113.9/99' || :
	expect_match "-" "drops has the reason" '^ +[0-9]+ +[0-9]+  policy +No rule matched' "$(gw drops)"
	expect_match "-" "and an example" 'last: .* udp 10\.0\.0\.5:[0-9]+ > 203\.0\.113\.9:99 in lan0' "$(gw drops)"
	expect_ok "-" "zero" gw zero
	expect_no_match "-" "counters are zero" 'packets [1-9]' "$(gw rule list)"
}

rulesets() {
	local before
	before=$(gw ruleset show)
	printf 'table inet filter {\n\tchain forward {\n\t\ttcp dport 99 accept\n\t}\n}\n' >"$T/more"
	printf 'table inet filter {\n\tchain forward {\n\t\tip saddr 1.2.3.4 dorp\n\t}\n}\n' >"$T/bad"
	expect_ok "-" "check without gwd" "$GWCTL" --socket /nonexistent ruleset check "$T/more"
	expect_rc "-" "check finds the mistake" 1 gw ruleset check "$T/bad"
	expect_match "-" "and says where" "bad:3:20: error:" "$OUT"
	expect_rc "-" "apply finds it, too" 1 gw ruleset apply "$T/bad"
	expect_match "-" "diff shows the new line" '^\+		tcp dport 99 accept$' "$(gw ruleset diff "$T/more")"
	expect_match "-" "apply --check" 'rules \+1 -0' "$(gw ruleset apply --check "$T/more")"
	expect "-" "and nothing is changed by all that" "$before" "$(gw ruleset show)"
	expect_match "-" "apply" 'rules \+1 -0' "$(gw ruleset apply "$T/more")"
	expect "-" "applied: no difference left" "" "$(gw ruleset show | gw ruleset diff --replace -)"
	expect_match "-" "save names the file" "ruleset-gw.nft" "$(gw ruleset save)"
	expect_match "-" "reload" 'rules \+0 -0' "$(gw reload)"
	expect_match "-" "apply --replace" 'rules \+0 -3' "$(gw ruleset apply --replace "$T/more")"
}

settings() {
	expect_ok "-" "set" gw set timeout.udp 77
	expect "-" "get" 77 "$(gw get timeout.udp)"
	expect_rc "-" "a bad value" 1 gw set timeout.udp x
	expect_rc "-" "a bad key" 1 gw set nosuch 1
	expect_match "-" "status" 'timeout.udp = 77' "$(gw status)"
	expect_match "-" "stats" '^insert +[1-9]' "$(gw stats)"
}

# Four loops of iptables -A at once: the dialect is read, changed and written back, and nobody's rule is lost.
writers() {
	local w p=()
	for w in 1 2 3 4; do
		(for i in 1 2 3 4 5; do gw iptables -A INPUT -s "10.9.$w.$i" -j DROP; done) &
		p+=($!)
	done
	for w in "${p[@]}"; do wait "$w"; done
	expect "-" "no writer loses a rule" 20 "$(gw iptables -S INPUT | grep -c '10\.9\.')"
}

# A change in place raises the generation by two, a new image by one: these four take the short way.
in_place() {
	local before after
	before=$(generation)
	gw iptables -A FORWARD -s 10.8.0.1 -m comment --comment 'a "b"; c' -j DROP
	gw iptables -I FORWARD -s 10.8.0.2 -j DROP
	gw iptables -D FORWARD -s 10.8.0.1 -m comment --comment 'a "b"; c' -j DROP
	expect_ok "-" "-C finds the rule" gw iptables -C FORWARD -s 10.8.0.2 -j DROP
	expect_rc "-" "and not the one that is gone" 1 gw iptables -C FORWARD -s 10.8.0.1 -m comment --comment 'a "b"; c' -j DROP
	gw iptables -D FORWARD 1
	after=$(generation)
	expect "-" "one rule does not move the others" yes "$([ $((after - before)) -ge 8 ] && echo yes || echo "$before..$after")"
	expect "-" "nothing is left" 0 "$(gw iptables -S FORWARD | grep -c '10\.8\.' || :)"
}
generation() { gw --json status | sed -n 's/.*"generation": *\([0-9]*\).*/\1/p'; }

gone() {
	expect_ok "-" "off" gw off
	expect_rc "-" "without gwd" 1 gw status
	expect_match "-" "gwctl says what to do" 'cannot reach gwd at .*; start it with .systemctl start gatewarden' "$OUT"
}

# shellcheck disable=SC2034 # for lib.sh
ONLY=gw
engines native
