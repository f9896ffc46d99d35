#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What conntrack and iptables print, byte for byte, for IPv4 and IPv6: listings, filters, save files.
. "$(dirname "$0")/lib.sh"

formats() {
	host client gw server
	wire client:c0:10.0.0.5/24,2001:db8:1::5/64 gw:lan0:10.0.0.1/24,2001:db8:1::1/64
	wire server:s0:203.0.113.9/24,2001:db8:2::9/64 gw:eth0:203.0.113.1/24,2001:db8:2::1/64
	ns client ip route add default via 10.0.0.1
	ns client ip route add default via 2001:db8:1::1
	ns server ip route add 2001:db8:1::/64 via 2001:db8:2::1
	gateway gw
	start_gw lan0,eth0
	serve server ssh ssh 22
	serve server echo udp-echo 53
	ipt -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
	traffic
	listings
	listing_filters
	deleting
	save_files
	refused
}

traffic() { # fixed ports; one held TCP connection per family, UDP, ping
	local a
	for a in 203.0.113.9 2001:db8:2::9; do
		session "to-$a" client "$a" 22 --sport 50798
		peer client udp "$a" 53 --sport 5300 >/dev/null
		ns client ping -c 1 -W 2 -e 777 "$a" >/dev/null
	done
}

sorted() { norm_timeouts | sort; }
listings() { # S77, S98
	same "S77,S98" "conntrack -L" "$(ct -L | sorted)"
	same "S77" "conntrack -L -o extended" "$(ct -L -o extended | sorted)"
	same "S77" "conntrack -L -o extended,id" "$(ct -L -o extended,id | sorted)"
	same "S77" "conntrack -L -o id" "$(ct -L -o id | sorted)"
	same "S77" "conntrack -L -f ipv6" "$(ct -L -f ipv6 | sorted)"
	same "S77" "conntrack -L -f ipv6 -o extended" "$(ct -L -f ipv6 -o extended | sorted)"
	expect_match S77 "the line of the seed's tools" \
		'^ipv4     2 tcp      6 43199[0-9] ESTABLISHED src=10.0.0.5 dst=203.0.113.9 sport=50798 dport=22 src=203.0.113.9 dst=203.0.113.1 sport=22 dport=50798 \[ASSURED\] mark=0 use=[0-9]+$' "$(ct -L -o extended)"
	expect_match S77 "and of IPv6" \
		'^ipv6     10 tcp      6 43199[0-9] ESTABLISHED src=2001:db8:1::5 dst=2001:db8:2::9 sport=50798 dport=22 src=2001:db8:2::9 dst=2001:db8:1::5 sport=22 dport=50798 \[ASSURED\] mark=0 use=[0-9]+$' "$(ct -L -f ipv6 -o extended)"
	expect_match S77 "-o id ends the line" ' id=[0-9]+$' "$(ct -L -o id)"
	same "S77" "/proc/net/nf_conntrack" "$(proc_listing | sorted)"
	if on_gw; then
		expect_ok "S77,S98" "-o json is JSON" bash -c 'python3 -m json.tool <<<"$1"' - "$(ct -L -o json)"
	fi
}

proc_listing() {
	if on_gw; then gw flow list --proc; else ns gw cat /proc/net/nf_conntrack; fi
}

listing_filters() { # S79's filters, on the listing
	local f
	for f in "-p tcp" "--proto udp" "-p icmp" "-s 10.0.0.5" "-d 203.0.113.9" "-r 203.0.113.9" "-q 203.0.113.1" \
		"-p tcp --orig-port-dst 22" "-p tcp --orig-port-src 50798" "-p udp --reply-port-src 53" "-p tcp --state ESTABLISHED" \
		"-p tcp --state TIME_WAIT" "--src-nat" "-p tcp --dst-nat" "-p tcp --sport 50798" "-p tcp --dport 23" "-f ipv6 -p tcp" \
		"-f ipv6 -s 2001:db8:1::5" "-s 10.0.0.0/24" "-u ASSURED" "-m 0"; do
		# shellcheck disable=SC2086
		same S79 "conntrack -L $f" "$(ct -L $f | sorted)"
	done
	expect_match S98 "-C counts" '^[1-9][0-9]*$' "$(ct -C)"
}

deleting() { # S98
	same S98 "conntrack -D -p udp" "$(ct -D -p udp | sorted)"
	expect S98 "no udp connection is left" "" "$(ct -L -p udp)"
	same S98 "conntrack -D -f ipv6 -p tcp" "$(ct -D -f ipv6 -p tcp | sorted)"
	ct -F
	expect S98 "-F forgets them all" 0 "$(ct -C)"
}

# The options of the seeds in every order and form they are written there, then listed in each way.
save_files() { # S54, S58, S61, S96
	ipt -P FORWARD DROP
	ipt -A INPUT -p tcp -s 192.168.11.104 --dport 22 -j ACCEPT
	ipt -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
	ipt -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
	ipt -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	ipt -A FORWARD -j ACCEPT -i lan0 -o eth0
	ipt -A FORWARD -p tcp -d 10.188.50.202 --dport 8080 -j ACCEPT
	ipt -A FORWARD -p udp --sport 53 -s 10.0.0.0/255.255.255.0 -j DROP
	ipt -A FORWARD ! -s 10.0.0.0/24 -i lan0 -j DROP
	ipt -A FORWARD -p tcp --dport 1000:2000 ! -i eth0 -j ACCEPT
	ipt -A FORWARD -p icmp -j ACCEPT
	ipt -I FORWARD 1 -s 10.9.0.0/16 -j DROP
	ipt -t nat -A PREROUTING -i br-lan -s 192.168.1.0/24 -d 82.120.11.22/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.200
	ipt -t nat -A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to 10.0.0.5:80
	ipt -t nat -A POSTROUTING -p tcp -d 10.188.50.202 --dport 8080 -j SNAT --to-source 10.187.40.123
	ip6t -A INPUT -p tcp -s 2001:db8::1 --dport 22 -j ACCEPT
	same "S54,S58" "iptables -S" "$(ipt -S)"
	same S58 "iptables -S FORWARD" "$(ipt -S FORWARD)"
	same S58 "iptables -S FORWARD 3" "$(ipt -S FORWARD 3)"
	same S61 "iptables -t nat -S" "$(ipt -t nat -S)"
	same S58 "ip6tables -S" "$(ip6t -S)"
	same S96 "iptables-save -t filter" "$(iptsave -t filter | sed -E 's/\[[0-9]+:[0-9]+\]/[N:N]/')"
	same S96 "iptables-save -c -t nat" "$(iptsave -c -t nat)"
	same S58 "iptables -L -n" "$(ipt -L -n)"
	same S58 "iptables -t nat -L -n --line-numbers" "$(ipt -t nat -L -n --line-numbers)"
	ipt -D FORWARD 1
	ipt -F INPUT
	expect_ok S58 "-C finds a rule" ipt -C FORWARD -p icmp -j ACCEPT
	expect_rc S58 "and says when there is none" 1 ipt -C FORWARD -p icmp -j DROP
	same S58 "after -D and -F" "$(ipt -S)"
}

refused() { # a mistake is an error and changes nothing
	local before
	before=$(ipt -S)
	refuses "an unknown option" ipt -A FORWARD --no-such-option -j ACCEPT
	refuses "an unknown protocol" ipt -A FORWARD -p nosuchproto -j ACCEPT
	refuses "an unknown target" ipt -A FORWARD -j NOSUCHTARGET
	expect_rc S58 "deleting what is not there" 1 ipt -D FORWARD -s 1.1.1.1 -j DROP
	expect S58 "nothing has changed" "$before" "$(ipt -S)"
}
refuses() { # WHAT COMMAND...: with a message
	local what=$1
	shift
	if OUT=$("$@" 2>&1); then fail S58 "$what is refused" "accepted: $*"; else expect_match S58 "$what is refused" '[a-z]' "$OUT"; fi
}

engines formats
