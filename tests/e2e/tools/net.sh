# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# net.sh - what the network tests share on top of lib.sh: topologies, rules, a watch for leaks, hand-made packets.

TOOLS=$GW_SOURCE/tests/e2e/tools

# Addresses of both topologies.
A4=10.0.0.5 B4=10.0.0.6 GWL4=10.0.0.1 GW4=203.0.113.1 R4=203.0.113.254 S4=198.51.100.9
A6=fd00:10::5 B6=fd00:10::6 GWL6=fd00:10::1 GW6=2001:db8:1::1 R6=2001:db8:1::fe S6=2001:db8:9::9
export A4 B4 GWL4 GW4 R4 S4 A6 B6 GWL6 GW6 R6 S6

# a, b - switch - lan GW wan - r - s: real hosts; r is a plain router, s a server in the internet.
real_net() {
	host a b sw gw r s
	wire a:eth0:$A4/24,$A6/64 sw:pa:-
	wire b:eth0:$B4/24,$B6/64 sw:pb:-
	wire gw:lan:$GWL4/24,$GWL6/64 sw:pg:-
	bridge sw br0 - pa pb pg
	wire gw:wan:$GW4/24,$GW6/64 r:near:$R4/24,$R6/64
	wire r:far:198.51.100.1/24,2001:db8:9::1/64 s:eth0:$S4/24,$S6/64
	gateway gw
	gateway r
	local h
	for h in a b; do
		ns $h ip route add default via $GWL4
		ns $h ip route add default via $GWL6
	done
	ns gw ip route add default via $R4
	ns gw ip route add default via $R6
	ns s ip route add default via 198.51.100.1
	ns s ip route add default via 2001:db8:9::1
}

# l - lan GW wan - w: two bare wires; nothing answers but the test itself.
bare_net() {
	host l gw w
	ip link add lan address 02:00:00:00:00:01 netns "$NETNS_PREFIX-gw" type veth \
		peer name l0 address 02:00:00:00:00:11 netns "$NETNS_PREFIX-l"
	ip link add wan address 02:00:00:00:00:02 netns "$NETNS_PREFIX-gw" type veth \
		peer name w0 address 02:00:00:00:00:12 netns "$NETNS_PREFIX-w"
	ns l sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ns w sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ifup l l0 -
	ifup w w0 -
	ifup gw lan $GWL4/24,$GWL6/64
	ifup gw wan $GW4/24,$GW6/64
	gateway gw
	# The gateway's own packets must carry their sums when a test reads them.
	ns gw ethtool -K lan tx off >/dev/null 2>&1
	ns gw ethtool -K wan tx off >/dev/null 2>&1
	ns gw sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 || :
	local n
	for n in $A4 $B4 $A6 $B6; do ns gw ip neigh add "$n" lladdr 02:00:00:00:00:11 dev lan nud permanent; done
	for n in $R4 $R6 203.0.113.9 2001:db8:1::9; do ns gw ip neigh add "$n" lladdr 02:00:00:00:00:12 dev wan nud permanent; done
	ns gw ip route add default via $R4
	ns gw ip route add default via $R6
}

# The rules of a home gateway, both families: out with masquerade, 8080 forwarded to A's 80, hairpin included.
# $LAN and $WAN are the interfaces.
LAN=lan WAN=wan
home_rules() {
	local t a l g
	for t in ipt ip6t; do
		if [ $t = ipt ]; then a=$A4 l=10.0.0.0/24 g=$GW4; else a=$A6 l=fd00:10::/64 g=$GW6; fi
		$t -P FORWARD DROP
		$t -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
		$t -A FORWARD -i $LAN -o $WAN -j ACCEPT
		home_forward $t tcp "$a" "$l" "$g"
		home_forward $t udp "$a" "$l" "$g"
		$t -t nat -A POSTROUTING -s "$l" -o $WAN -j MASQUERADE
	done
}
home_forward() { # TOOL PROTO SERVER LAN GATEWAY
	local to=$3:80 gwl=$GWL4
	[ "$1" = ipt ] || to="[$3]:80" gwl=$GWL6
	"$1" -A FORWARD -p "$2" -d "$3" --dport 80 -j ACCEPT
	"$1" -t nat -A PREROUTING -p "$2" -d "$5" --dport 8080 -j DNAT --to-destination "$to"
	"$1" -t nat -A POSTROUTING -p "$2" -s "$4" -d "$3" -o $LAN --dport 80 -j SNAT --to-source "$gwl"
}

# Anything private that shows on the wire behind the gateway, quotes of ICMP errors included.
LEAKS='src net 10.0.0.0/8 or src net 192.168.0.0/16 or ip6 src net fd00::/8
or (icmp and (icmp[0] = 3 or icmp[0] = 11 or icmp[0] = 12) and (icmp[20] = 10 or icmp[24] = 10))
or (ip6[6] = 58 and ip6[40] < 128 and (ip6[56] = 0xfd or ip6[72] = 0xfd))'
watch_leaks() { # HOST IF
	capture "$1" "$2" leaks -Q in "$LEAKS"
}
no_leaks() {
	sleep 0.1 # the capture's own latency
	stop leaks INT
	expect "-" "nothing private was seen outside" "" "$(head -n 5 "$T/leaks.out")"
}

# crafted FILE FAMILY [NAME=VALUE...]: run the cases of tools/FILE on the bare net
crafted() {
	local file=$1 family=$2 result rows what detail
	shift 2
	env PYTHONDONTWRITEBYTECODE=1 ENGINE="$ENGINE" FAMILY="$family" NS_LAN="$NETNS_PREFIX-l" NS_WAN="$NETNS_PREFIX-w" NS_GW="$NETNS_PREFIX-gw" "$@" \
		timeout "${CASES_TIMEOUT:-100}" python3 "$TOOLS/$file" >"$T/cases" 2>"$T/cases.err" || fail - "$file ends well" "$(tail -n 3 "$T/cases.err")"
	while IFS=$'\t' read -r result rows what detail; do
		case $result in
		ok) pass "$rows" "v$family: $what" ;;
		FAIL) fail "$rows" "v$family: $what" "$detail" ;;
		esac
	done <"$T/cases"
	[ -s "$T/cases" ] || fail - "$file ran a case" "$(tail -n 3 "$T/cases.err")"
}
# The count of a drop reason: drop_count REASON
drop_count() {
	gw drops -j | python3 -c '
import json, sys
d = json.load(sys.stdin)
rows = d if isinstance(d, list) else d.get("drops", [])
print(sum(r["pkts"] for r in rows if r["reason"] == sys.argv[1]))' "$1"
}

# scenarios FUNCTION...: each on both engines; a failure of one does not hide the next
scenarios() {
	local f bad=0
	for f in "$@"; do
		[ -z "${SCENARIO:-}" ] || [ "$SCENARIO" = "$f" ] || continue
		set +e # and not `||`: a condition would switch errexit off inside
		(engines "$f")
		case $? in 0) ;; 77) exit 77 ;; 130) exit 130 ;; *) bad=1 ;; esac
		set -e
	done
	exit $bad
}
