#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# gwctl conntrack and conntrack(8) on the same traffic: lines of every protocol, summaries, refusals, exit codes.
. "$(dirname "$0")/lib.sh"

dialect() {
	host client gw server
	wire client:c0:10.0.0.5/24,2001:db8:1::5/64 gw:lan0:10.0.0.1/24,2001:db8:1::1/64
	wire server:s0:203.0.113.9/24,2001:db8:2::9/64 gw:eth0:203.0.113.1/24,2001:db8:2::1/64
	ns client ip route add default via 10.0.0.1
	ns client ip route add default via 2001:db8:1::1
	ns server ip route add 2001:db8:1::/64 via 2001:db8:2::1
	gateway gw
	start_gw lan0,eth0
	serve server echo udp-echo 53
	ipt -t nat -A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
	events all -o extended
	traffic
	protocols
	messages
	finding
	ends
}

# Raw packets of protocols that nothing answers, and the ICMP queries besides echo.
raw_packets() {
	ns client python3 - <<'PY'
import socket
import struct


def send(family, proto, data, to):
    socket.socket(family, socket.SOCK_RAW, proto).sendto(data, (to, 0))


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


for proto in (47, 50, 99):
    send(socket.AF_INET, proto, b"\0\0\x08\0" + b"x" * 20, "203.0.113.9")
send(socket.AF_INET6, 99, b"x" * 20, "2001:db8:2::9")
for kind in (13, 17):
    head = struct.pack("!BBHHH", kind, 0, 0, 77 + kind, 1) + bytes(12)
    send(socket.AF_INET, 1, head[:2] + struct.pack("!H", checksum(head)) + head[4:], "203.0.113.9")
PY
}

traffic() {
	raw_packets
	peer client udp 203.0.113.9 53 --sport 5300 >/dev/null
	peer client udp 2001:db8:2::9 53 --sport 5300 >/dev/null
	ns client ping -c 1 -W 2 -e 777 203.0.113.9 >/dev/null
	ns client ping -c 1 -W 2 -e 777 2001:db8:2::9 >/dev/null
}

# Seconds left are told apart only where they are fresh, in NEW and UPDATE; how long plain GRE lives differs
# (netfilter has a timer of its own for it).
lines() {
	sed -E 's/ progname=.*//; s/portid=[0-9]+/portid=N/; s/use=[0-9]+/use=N/
		s/(gre      47) [0-9]+ /\1 T /
		/\[(NEW|UPDATE)\]/! s/((icmp|icmpv6|udp|unknown) +[0-9]+) [0-9]+ /\1 T /' | sort
}
protocols() {
	same S98 "every protocol" "$(ct -L | lines)"
	same S98 "every protocol, -o extended" "$(ct -L -o extended | lines)"
	same S98 "ICMP by type" "$(ct -L -p icmp --icmp-type 13 | lines)"
	same S98 "ICMP by id" "$(ct -L -p icmp --icmp-id 777 | lines)"
	same S98 "a protocol by number" "$(ct -L -p 99 | lines)"
	expect_match S98 "GRE" '^gre      47 [0-9]+ src=10.0.0.5 dst=203.0.113.9 srckey=0x0 dstkey=0x0 \[UNREPLIED\] src=203.0.113.9 dst=203.0.113.1 srckey=0x0 dstkey=0x0 mark=0 use=[0-9]$' "$(ct -L -p gre)"
}

# Everything but the second line of a refusal, which names the program to ask for help.
answer() { # WORDS...: stdout, stderr and exit code
	local rc=0 out
	out=$(nf_or_gw conntrack "$@" 2>&1) || rc=$?
	grep -v '^Try ' <<<"$out" | lines
	echo "exit code $rc"
}
messages() {
	local words
	while read -r words; do
		# shellcheck disable=SC2086
		same S79 "conntrack $words" "$(answer $words)"
	done <<'WORDS'
-L
-L conntrack -p udp
-L -p udp -f ipv6
-L dying
-L expect
-C expect
-F expect
-L --foo
-X
-L -E
-L -p foo
-L -p tcp --state FOO
-L -p udp --state ESTABLISHED
-L --sport 5
-L --orig 5
-L --st ESTABLISHED
-L -s bad
-L -s 10.0.0.0/33
-L -s 10.0.0.5 -d 2001:db8:2::9
-L -f foo
-L -o foo
-L -u FOO
-L -u UNREPLIED
-L -e NEW
-E -u ASSURED
-C -p tcp
-F -s 1.2.3.4
-L -s
-L junk
-G
-G -p udp
-G -p udp -s 10.0.0.5 -d 203.0.113.9
-G -p udp -s 10.0.0.5 -d 203.0.113.9 --sport 5301 --dport 53
-D -s 9.9.9.9
-V
WORDS
}

finding() {
	same S98 "-G" "$(answer -G -p udp -s 10.0.0.5 -d 203.0.113.9 --sport 5300 --dport 53)"
	same S98 "--src-nat" "$(answer -L --src-nat -p udp)"
	same S98 "--any-nat" "$(answer -L --any-nat -p udp)"
}

ends() { # S86, S87
	same S98 "-D" "$(answer -D -p udp -d 203.0.113.9)"
	same S98 "-D by ICMP id" "$(answer -D -p icmp --icmp-id 777)"
	same S98 "-F" "$(answer -F)"
	same S98 "-C" "$(answer -C)"
	wait_for 3 line_count_is DESTROY "$T/all.out" 9
	stop all INT
	same "S78,S87" "the events of it all" "$(sort -s -k1,1 "$T/all.out" | lines)"
	expect_match S78 "the summary of -E" '^conntrack v1.4.7 \(conntrack-tools\): [0-9]+ flow events have been shown.$' \
		"$(cat "$T/all.err")"
}

engines dialect
