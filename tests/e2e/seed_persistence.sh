#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seed 001, last part: keep our rules over a restart, and only ours, beside docker, KVM and MicroK8s.
. "$(dirname "$0")/lib.sh"
need iptables nft tc
# shellcheck disable=SC2034 # netfilter has no daemon that could restart
ONLY=gw

persistence() {
	local before saved
	host client gw server
	wire client:c0:10.187.40.18/24 gw:enp0s25:10.187.40.123/24
	wire server:veth0:10.188.50.202/24 gw:veth1:10.188.50.201/24
	ns server ip route add default via 10.188.50.201
	gateway gw
	serve server flask http 8080 'Hello from Flask!'
	foreign_rules
	before=$(foreign_state)

	start_gw enp0s25,veth1
	ipt -A FORWARD -p tcp -d 10.188.50.202 --dport 8080 -j ACCEPT
	ipt -A FORWARD -p tcp -s 10.188.50.202 --sport 8080 -j ACCEPT
	ipt -t nat -A PREROUTING -p tcp -d 10.187.40.123 --dport 8080 -j DNAT --to-destination 10.188.50.202:8080
	ipt -t nat -A POSTROUTING -p tcp -d 10.188.50.202 --dport 8080 -j SNAT --to-source 10.187.40.123
	saved=$(ipt -S; ipt -t nat -S)
	expect "S70,S71" "adding rules leaves the others' alone" "$before" "$(foreign_state)"
	expect_ok S69 "ruleset save" gw ruleset save
	expect_match S69 "the saved file holds our rules" "10\.188\.50\.202" "$(cat "$T/ruleset-gw.nft")"
	expect_no_match "S69,S71" "and nobody else's" "DOCKER|172\.17|LIBVIRT|192\.168\.122|kube|10\.152" "$(cat "$T/ruleset-gw.nft")"
	expect "S70,S71" "saving leaves the others' alone" "$before" "$(foreign_state)"
	expect_ok S68 "the port forward works" ns client curl -s -m 3 http://10.187.40.123:8080

	restart "$before" "$saved"
	cold_start "$before" "$saved"
}

# What the programs of the seed leave on a machine, next to ours.
foreign_rules() {
	ns gw sh -c '
		iptables -N DOCKER && iptables -A FORWARD -o docker0 -j DOCKER
		iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
		iptables -N LIBVIRT_FWI && iptables -A FORWARD -j LIBVIRT_FWI
		iptables -A LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		nft "table ip kube-proxy { chain services { ip daddr 10.152.183.1 tcp dport 443 counter accept; }; }"
		tc qdisc add dev enp0s25 clsact
		tc filter add dev enp0s25 ingress prio 7777 protocol ip u32 match ip dst 198.51.100.1 flowid 1:1' ||
		skip "this kernel cannot hold the foreign rules"
}
# S69, S70, S71, S72
foreign_state() {
	ns gw nft -s list ruleset 2>/dev/null
	ns gw tc filter show dev enp0s25 ingress | grep -c 'pref 7777'
	ns gw sysctl net.ipv4 | grep -vE 'random|_mem|neigh\.default\.gc|fib_sync'
}

restart() { # the next gwd adopts what runs
	stop gwd-gw TERM
	expect_ok S72 "without gwd the port forward goes on" ns client curl -s -m 3 http://10.187.40.123:8080
	expect "S70,S71" "stopping leaves the others' alone" "$1" "$(foreign_state)"
	start_gw enp0s25,veth1
	expect "S69,S72" "the rules after a restart" "$2" "$(ipt -S; ipt -t nat -S)"
	expect_ok S72 "the port forward after a restart" ns client curl -s -m 3 http://10.187.40.123:8080
}

cold_start() { # as after a boot: nothing pinned, no state, only the saved file
	expect_ok S70 "gwctl off" gw off
	wait_for 5 gone "${PID[gwd-gw]}"
	expect "S70,S71" "off leaves the others' alone" "$1" "$(foreign_state)"
	expect_rc S69 "no port forward without the gateway" 7 ns client curl -s -m 2 http://10.187.40.123:8080
	rm -rf "$T/run-gw" # what /run is after a boot
	start_gw enp0s25,veth1
	expect "S69,S72" "the rules after a cold start" "$2" "$(ipt -S; ipt -t nat -S)"
	expect_ok "S69,S72" "the port forward after a cold start" ns client curl -s -m 3 http://10.187.40.123:8080
	expect "S70,S71" "nobody else's rule has changed" "$1" "$(foreign_state)"
}
gone() { ! kill -0 "$1"; }

engines persistence
