#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A VLAN device as the WAN and another as the LAN, on one trunk.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

MB=1000000
[ -z "${GW_IN_VM:-}" ] || MB=100000 # emulated processors are slow

vlans() {
	host a gw s sw
	wire gw:trunk:- sw:t0:-
	wire a:eth0:$A4/24,$A6/64 sw:pa:-
	wire s:eth0:203.0.113.9/24,2001:db8:1::9/64 sw:ps:-
	ns sw ip link add br0 type bridge vlan_filtering 1 vlan_default_pvid 0 forward_delay 0 mcast_snooping 0
	local p
	for p in t0 pa ps; do ns sw ip link set $p master br0 up; done
	ns sw ip link set br0 up
	ns sw bridge vlan add dev t0 vid 10
	ns sw bridge vlan add dev t0 vid 20
	ns sw bridge vlan add dev pa vid 10 pvid untagged
	ns sw bridge vlan add dev ps vid 20 pvid untagged
	ns gw ip link add link trunk name lan type vlan id 10
	ns gw ip link add link trunk name wan type vlan id 20
	ifup gw lan $GWL4/24,$GWL6/64
	ifup gw wan $GW4/24,$GW6/64
	gateway gw
	ns a ip route add default via $GWL4
	ns a ip route add default via $GWL6
	start_gw lan,wan
	home_rules
	watch_leaks s eth0
	spawn s remote python3 -u "$TOOLS/bulk.py" serve 5001
	spawn a inside python3 -u "$TOOLS/bulk.py" serve 80
	wait_for 15 listening s t 5001
	wait_for 15 listening a t 80
	expect_ok "-" "VLAN: download through SNAT" move a get 203.0.113.9 5001 $((20 * MB))
	expect_ok "-" "VLAN: upload through SNAT" move a put 203.0.113.9 5001 $((20 * MB))
	expect_ok "-" "VLAN: download through SNAT, IPv6" move a get 2001:db8:1::9 5001 $((20 * MB))
	expect_ok "-" "VLAN: download through DNAT" move s get $GW4 8080 $((20 * MB))
	expect_ok "-" "VLAN: download through DNAT, IPv6" move s get $GW6 8080 $((20 * MB))
	expect_ok "-" "VLAN: ping" ns a ping -n -q -c 2 -i 0.05 -W 2 203.0.113.9
	expect_ok "-" "VLAN: large ping" ns a ping -n -q -c 2 -i 0.05 -W 2 -s 8000 203.0.113.9
	no_leaks
}
move() { ns "$1" timeout 50 python3 "$TOOLS/bulk.py" "${@:2}"; }

kernel_has_vlans() {
	local name=$NETNS_PREFIX-probe rc=0
	ip netns add "$name"
	ip -n "$name" link add v0 type veth peer name v1
	ip -n "$name" link add link v0 name v5 type vlan id 5 2>/dev/null || rc=1
	ip netns del "$name"
	return $rc
}

need tcpdump ping bridge
[ "$(id -u)" = 0 ] || skip "needs root"
kernel_has_vlans || skip "this kernel has no 802.1q; scripts/vm-test runs the test on others"
scenarios vlans
