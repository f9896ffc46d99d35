#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices: a bridge as the LAN, interfaces that are not managed beside managed ones, interfaces and addresses that
# come and go.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

D4=192.168.50.5 D6=fd00:50::5
MB=1000000
[ -z "${GW_IN_VM:-}" ] || MB=100000 # emulated processors are slow

bulk_server() { # HOST NAME PORT
	spawn "$1" "$2" python3 -u "$TOOLS/bulk.py" serve "$3"
	wait_for 15 listening "$1" t "$3"
}
move() { ns "$1" timeout 20 python3 "$TOOLS/bulk.py" "${@:2}"; }
try() { ns "$1" timeout 2 python3 "$TOOLS/bulk.py" "${@:2}"; }

# ---- a bridge ---------------------------------------------------------------------------------------------
bridge_lan() {
	host a b gw r s
	wire a:eth0:"$A4"/24,"$A6"/64 gw:pa:-
	wire b:eth0:"$B4"/24,"$B6"/64 gw:pb:-
	bridge gw br-lan "$GWL4"/24,"$GWL6"/64 pa pb
	outside
	lan_routes a b
	LAN=br-lan start_gw br-lan,wan
	LAN=br-lan home_rules
	watch_leaks r near
	bulk_server s remote 5001
	bulk_server a inside 80
	expect_ok "-" "bridge: download through SNAT" move b get "$S4" 5001 $((20 * MB))
	expect_ok "-" "bridge: download through SNAT, IPv6" move b get "$S6" 5001 $((20 * MB))
	expect_ok "-" "bridge: download through DNAT" move s get "$GW4" 8080 $((20 * MB))
	expect_ok "-" "bridge: download through DNAT, IPv6" move s get "$GW6" 8080 $((20 * MB))
	expect_ok "S109,S114" "bridge: hairpin download, in and out of the same bridge" move b get "$GW4" 8080 $((20 * MB))
	expect_ok "S109" "bridge: hairpin download, IPv6" move b get "$GW6" 8080 $((20 * MB))
	expect_ok "-" "bridge: its ports still talk to each other" move b get "$A4" 80 $((5 * MB))
	expect_ok "-" "bridge: ping through it" ns a ping -n -q -c 2 -i 0.05 -W 2 "$S4"
	no_leaks
}

# ---- beside an interface that is not managed ---------------------------------------------------------------
unmanaged() {
	host a gw d r s
	wire a:eth0:"$A4"/24,"$A6"/64 gw:lan:"$GWL4"/24,"$GWL6"/64
	wire d:eth0:"$D4"/24,"$D6"/64 gw:dmz:192.168.50.1/24,fd00:50::1/64
	outside
	lan_routes a
	ns d ip route add default via 192.168.50.1
	ns d ip route add default via fd00:50::1
	start_gw lan,wan
	ipt -t nat -A POSTROUTING -s 10.0.0.0/24 -o wan -j MASQUERADE
	ipt -t nat -A POSTROUTING -s 192.168.50.0/24 -o wan -j MASQUERADE
	ip6t -t nat -A POSTROUTING -s fd00::/8 -o wan -j MASQUERADE
	ipt -t nat -A PREROUTING -i wan -p tcp --dport 8081 -j DNAT --to-destination "$D4":80
	ip6t -t nat -A PREROUTING -i wan -p tcp --dport 8081 -j DNAT --to-destination "[$D6]:80"
	watch_leaks r near
	bulk_server s remote 5001
	bulk_server a on_a 80
	bulk_server d on_d 80
	unmanaged_ways
	unmanaged_same_port
	unmanaged_filter
	no_leaks
}
unmanaged_ways() {
	local n=$((10 * MB)) v d a s g
	for v in 4 6; do
		d=D$v a=A$v s=S$v g=GW$v
		expect_ok "-" "v$v: from a managed to an unmanaged interface" move a get "${!d}" 80 "$n"
		expect_ok "-" "v$v: from an unmanaged to a managed interface" move d get "${!a}" 80 "$n"
		expect_ok "-" "v$v: from an unmanaged interface out of the managed one, download" move d get "${!s}" 5001 "$n"
		expect_ok "-" "v$v: from an unmanaged interface out of the managed one, upload" move d put "${!s}" 5001 "$n"
		expect_ok "-" "v$v: forwarded port to a server behind the unmanaged interface" move s get "${!g}" 8081 "$n"
		expect_ok "-" "v$v: ping from the unmanaged interface out" ns d ping -n -q -c 2 -i 0.05 -W 2 "${!s}"
		expect_ok "-" "v$v: large ping from the unmanaged interface out" ns d ping -n -q -c 2 -i 0.05 -W 2 -s 4000 "${!s}"
		expect_ok "-" "v$v: the gateway itself reaches the unmanaged host" ns gw ping -n -q -c 1 -W 2 "${!d}"
		expect_match "-" "v$v: masqueraded" "^peer ${!g} " "$(cat "$T/remote.out")"
	done
	expect_no_match "-" "the server outside saw the gateway only" "^peer (10|192|fd)" "$(cat "$T/remote.out")"
	expect_match "-" "unmanaged to managed keeps the source" "^peer $D4 " "$(cat "$T/on_a.out")"
	expect_match "-" "managed to unmanaged keeps the source" "^peer $A4 " "$(cat "$T/on_d.out")"
	expect_match "-" "a forwarded port keeps the client" "^peer $S4 " "$(cat "$T/on_d.out")"
}
# Hosts on both sides use one port towards one server at the same time.
unmanaged_same_port() {
	local pids=() h rc=0
	serve s echo udp-echo 7000
	for h in a d; do
		peer "$h" udp "$S4" 7000 --sport 33333 --count 50 >"$T/same-$h" 2>&1 &
		pids+=($!)
		# when two are confirmed at one moment, netfilter drops the first datagram of one of them (insert_failed)
		if [ "$ENGINE" = nf ]; then wait_for 5 has_line . "$T/echo.out"; fi
	done
	for h in "${pids[@]}"; do wait "$h" || rc=1; done
	expect "-" "the same source port from managed and unmanaged at once" 0 "$rc"
	expect "-" "left as two ports" 2 "$(sort -u "$T/echo.out" | grep -c .)"
}
unmanaged_filter() {
	ipt -A FORWARD -s "$D4" -o wan -p tcp -j DROP
	ipt -A FORWARD -s "$A4" -d "$D4" -p tcp -j DROP
	expect_rc "-" "a rule against leaving by the managed interface bites" 124 try d get "$S4" 5001 1000
	expect_rc "-" "a rule against reaching the unmanaged interface bites" 124 try a get "$D4" 80 1000
	expect_ok "-" "and nobody else" try a get "$S4" 5001 1000
}

# ---- interfaces and addresses that come and go ----------------------------------------------------------------
coming_and_going() {
	host a gw r s
	wire a:eth0:"$A4"/24,"$A6"/64 gw:lan:"$GWL4"/24,"$GWL6"/64
	outside
	lan_routes a
	start_gw lan,wan
	home_rules
	bulk_server s remote 5001
	expect_ok "-" "before" move a get "$S4" 5001 "$MB"

	ns gw ip link del wan
	outside_wire
	wait_for 15 try a get "$S4" 5001 1000 || :
	expect_ok "-" "an interface that was made anew is managed again" move a get "$S4" 5001 "$MB"
	expect_no_match "-" "and masqueraded" "^peer 10" "$(cat "$T/remote.out")"

	ns gw ip addr flush dev wan scope global
	ns gw ip addr add 203.0.113.77/24 dev wan
	ns gw ip route replace default via "$R4"
	expect_ok "-" "with another address of the WAN" move a get "$S4" 5001 "$MB"
	expect_match "-" "masquerade follows the address" "^peer 203.0.113.77 " "$(tail -n 1 "$T/remote.out")"

	ns gw ip link set wan down
	ns gw ip link set wan name ppp7
	ns gw ip link set ppp7 up
	ns gw ip link set ppp7 down
	ns gw ip link set ppp7 name wan
	ns gw ip link set wan up
	ns gw ip route replace default via "$R4"
	expect_ok "-" "after renaming there and back" move a get "$S4" 5001 "$MB"
}

# ---- the part of the topology that is the same ----------------------------------------------------------------
outside_wire() {
	wire gw:wan:"$GW4"/24,"$GW6"/64 r:near:"$R4"/24,"$R6"/64
	ns gw ip route replace default via "$R4"
	ns gw ip route replace default via "$R6"
}
outside() {
	outside_wire
	wire r:far:198.51.100.1/24,2001:db8:9::1/64 s:eth0:"$S4"/24,"$S6"/64
	gateway gw
	gateway r
	ns s ip route add default via 198.51.100.1
	ns s ip route add default via 2001:db8:9::1
}
lan_routes() {
	local h
	for h in "$@"; do
		ns "$h" ip route add default via "$GWL4"
		ns "$h" ip route add default via "$GWL6"
	done
}

need tcpdump ping
scenarios bridge_lan unmanaged coming_and_going
