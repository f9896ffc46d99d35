#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Every match and target of the iptables dialect with packets it is about: the same commands and the same packets on both engines, and what
# comes out of the gateway and what the counters say must be equal to the byte.
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/tools/net.sh
. "$(dirname "$0")/tools/net.sh"

# ---- one case -------------------------------------------------------------------------------------------
# try WHAT RULES PACKETS: rules as iptables options, one a line (ip6tables: a line that begins with 6); packets for tools/xt_send.py.
# Verdicts, listing and dump of all tables that have a rule must be the same on both engines.
try() {
	local what=$1 line tables="" six=0
	clean
	while read -r line; do
		[ -n "$line" ] || continue
		run_rule "$what" "$line"
		[[ $line != 6* ]] || six=1
		[[ $line =~ ^6?\ *-t\ ([a-z]+) ]] && tables+=" ${BASH_REMATCH[1]}" || tables+=" filter"
	done <<<"$2"
	send "$what" "$3"
	for line in $(tr ' ' '\n' <<<"$tables" | sort -u); do
		if [ $six = 0 ]; then
			same - "$what" "$(ipt -t "$line" -L -n -v -x | compared)"
			same - "$what" "$(iptsave -c -t "$line" | compared)"
		else # neighbours and routers talk on their own: only chains of the user are still
			same - "$what" "$(ip6t -t "$line" -L TEST -n -v -x)"
		fi
	done
}
# REJECT answers without OUTPUT, where netfilter counts its errors: NO_OUTPUT=1 leaves that chain out.
NO_OUTPUT=
compared() { sed "${NO_OUTPUT:+/^Chain OUTPUT/,/^\$/d; /^:OUTPUT/d}"; }
run_rule() { # WHAT LINE
	local rc=0 said
	local -a words
	eval "words=(${2#6})"
	if [[ $2 == 6* ]]; then said=$(ip6t "${words[@]}" 2>&1) || rc=$?; else said=$(ipt "${words[@]}" 2>&1) || rc=$?; fi
	[ $rc = 0 ] || fail - "$1: $2" "$said"
}
send() { # WHAT PACKETS
	if env PYTHONDONTWRITEBYTECODE=1 NS_LAN="$NETNS_PREFIX-l" NS_WAN="$NETNS_PREFIX-w" timeout 60 python3 "$TOOLS/xt_send.py" \
		<<<"$2" >"$T/sent" 2>"$T/sent.err"; then
		pass - "$1"
	else
		fail - "$1: packets" "$(tail -n 3 "$T/sent.err")"
	fi
	same - "$1" "$(cat "$T/sent")"
}
# Empty tables, policies that accept, counters at zero, no connections.
EMPTY='*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT'
clean() {
	nf_or_gw iptables-restore -c <<<"$EMPTY"
	nf_or_gw ip6tables-restore -c <<<"$EMPTY"
	ct -F >/dev/null
	ct -F -f ipv6 >/dev/null
}
chosen() { [ -z "${CASE:-}" ] || [[ $CASE == *"$1"* ]]; }

iptables_live() {
	local group
	bare_net
	start_gw lan,wan
	for group in chains ports addresses rates memory marks shared_marks tcp_and_icmp link_and_route header writes logs rejects nat untracked six; do
		! chosen "$group" || "$group"
	done
}

# ---- cases ----------------------------------------------------------------------------------------------
chains() {
	try "jump, goto, return and the counters on the way" '
		-N WEB
		-N DEEP
		-N AWAY
		-A FORWARD -p udp -j WEB
		-A FORWARD -p udp --dport 53 -j ACCEPT
		-A FORWARD -p udp -j DROP
		-A WEB -p udp --dport 53 -j RETURN
		-A WEB -p udp --dport 54 -j DEEP
		-A WEB -p udp --dport 55 -g AWAY
		-A WEB -p udp --dport 56 -j ACCEPT
		-A WEB
		-A DEEP -s 10.0.0.5 -j ACCEPT
		-A DEEP
		-A AWAY -s 10.0.0.6 -j ACCEPT
		-A AWAY' '
		lan [udp(s, far, 1000 + p, p) for s in (a, b) for p in (53, 54, 55, 56, 57)]
		wan udp(far, a, 54, 1054)
		lan udp(a, far, 1054, 54, b"again")'
	try "a policy drops and counts what no rule took" '
		-P FORWARD DROP
		-A FORWARD -p icmp -m comment --comment "ping only" -j ACCEPT
		-A FORWARD -p tcp ! -s 10.0.0.6 -i lan -o wan' '
		lan udp(a, far, 1, 2)
		lan echo(a, far, 7)
		lan tcp(a, far, 1, 2, SYN)
		lan tcp(b, far, 1, 2, SYN)'
}

ports() {
	try "ports and ranges of tcp and udp" '
		-A FORWARD -p udp --sport 1000:1002 --dport 53 -j DROP
		-A FORWARD -p udp ! --dport 53:55 -j DROP
		-A FORWARD -p tcp --dport :100 -j DROP
		-A FORWARD -p tcp ! --sport 5000 -j DROP' '
		lan [udp(a, far, s, d) for s in (999, 1000, 1002, 1003) for d in (52, 53, 55, 56)]
		lan [tcp(a, far, s, d, SYN) for s in (5000, 5001) for d in (100, 101)]'
	try "multiport" '
		-A FORWARD -p udp -m multiport --dports 53,67:69 -j DROP
		-A FORWARD -p udp -m multiport --sports 10,20 -j DROP
		-A FORWARD -p udp -m multiport --ports 30,40:50
		-A FORWARD -p udp -m multiport ! --ports 30,40:60 -j DROP' '
		lan [udp(a, far, s, d) for s in (9, 10, 30, 50) for d in (52, 53, 66, 67, 69, 70, 30)]'
}

addresses() {
	try "iprange" '
		-A FORWARD -m iprange --src-range 10.0.0.6-10.0.0.9 -j DROP
		-A FORWARD -m iprange --dst-range 203.0.113.9-203.0.113.20
		-A FORWARD -m iprange ! --dst-range 203.0.113.9-203.0.113.20 -j DROP' '
		lan [udp(s, d, 1, 2) for s in (a, b, "10.0.0.9", "10.0.0.10") for d in (far, "203.0.113.254")]'
	try "sources and destinations with masks and negation" '
		-A FORWARD -s 10.0.0.4/30 ! -d 203.0.113.128/25 -j DROP
		-A FORWARD ! -s 10.0.0.0/29 -j DROP' '
		lan [udp(s, d, 1, 2) for s in (a, "10.0.0.8", "10.0.0.3") for d in (far, "203.0.113.254")]'
	try "addrtype" '
		-A INPUT -m addrtype --dst-type LOCAL
		-A INPUT -m addrtype --dst-type BROADCAST -j DROP
		-A INPUT -m addrtype ! --dst-type LOCAL,BROADCAST -j DROP
		-A FORWARD -m addrtype --dst-type UNICAST -j ACCEPT' '
		lan echo(a, gwl, 1)
		lan echo(a, gw, 2)
		lan udp(a, "10.0.0.255", 1, 2)
		lan udp(a, far, 1, 2)'
}

rates() {
	try "limit lets its burst through" '
		-A FORWARD -p udp --dport 53 -m limit --limit 1/hour --limit-burst 3 -j ACCEPT
		-A FORWARD -p udp --dport 53 -j DROP
		-A FORWARD -p udp --dport 54 -m limit --limit 1/hour
		-A FORWARD -p udp --dport 55 -m limit --limit 2/day --limit-burst 2 -j DROP' '
		lan [udp(a, far, 1, 53) for i in range(6)]
		lan [udp(a, far, 1, 54) for i in range(8)]
		lan [udp(a, far, 1, 55) for i in range(4)]'
	try "hashlimit counts each source for itself" '
		-A FORWARD -p udp --dport 53 -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name up -j ACCEPT
		-A FORWARD -p udp --dport 53 -j DROP
		-A FORWARD -p udp --dport 54 -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-name above -j DROP
		-A FORWARD -p udp --dport 55 -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-mode srcip,dstport --hashlimit-name both -j DROP
		-A FORWARD -p udp --dport 56 -m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-mode dstip --hashlimit-name to' '
		lan [udp(s, far, 1, d) for i in range(4) for s in (a, b) for d in (53, 54, 55, 56)]'
	if on_gw; then
		expect_rc - "connlimit is refused by name" 1 ipt -A FORWARD -p tcp --syn -m connlimit --connlimit-above 2 -j DROP
		expect_match - "in one line" "ct count" "$OUT"
		expect - "and leaves nothing behind" "" "$(ipt -S FORWARD | grep connlimit || :)"
	fi
}

memory() {
	try "recent: set, rcheck, update with seconds, remove" '
		-A FORWARD -p udp --dport 7 -m recent --name seen --set -j DROP
		-A FORWARD -p udp --dport 8 -m recent --name seen --rcheck --seconds 600 -j ACCEPT
		-A FORWARD -p udp --dport 8 -j DROP
		-A FORWARD -p udp --dport 9 -m recent --name seen --update --seconds 600 -j ACCEPT
		-A FORWARD -p udp --dport 9 -m recent --name other ! --rcheck -j DROP' '
		lan [udp(s, far, 1, d) for s in (a, b) for d in (8, 9)]
		lan udp(a, far, 1, 7)
		lan [udp(s, far, 1, d) for s in (a, b) for d in (8, 9, 8)]'
	try "recent: what is removed is not found" '
		-A FORWARD -p udp --dport 7 -m recent --name gone --set
		-A FORWARD -p udp --dport 8 -m recent --name gone --rcheck -j DROP
		-A FORWARD -p udp --dport 9 -m recent --name gone --remove
		-A FORWARD -p udp --dport 10 -m recent --name gone --rdest --set' '
		lan [udp(a, far, 1, d) for d in (8, 7, 8, 9, 8, 9, 10, 8)]'
	try "statistic nth" '
		-A FORWARD -p udp --dport 53 -m statistic --mode nth --every 3 --packet 0 -j DROP
		-A FORWARD -p udp --dport 53 -m statistic --mode nth --every 2 --packet 1
		-A FORWARD -p udp --dport 54 -m statistic --mode nth ! --every 4 --packet 2 -j DROP
		-A FORWARD -p udp --dport 55 -m statistic --mode random --probability 1 -j DROP' '
		lan [udp(a, far, 1, 53) for i in range(7)]
		lan [udp(a, far, 1, 54) for i in range(9)]
		lan udp(a, far, 1, 55)'
	try "nth begins anew for a new rule, and asks only for packets that hold what stands before it" '
		-A FORWARD -m statistic --mode nth --every 2 --packet 0 -p udp --dport 53 -j DROP
		-A FORWARD -p udp -m multiport --dports 54,55 -m statistic --mode nth --every 2 --packet 1 -j DROP' '
		lan [udp(a, far, 1, d) for i in range(4) for d in (53, 54, 55)]'
}

marks() {
	try "MARK in all its ways, and mark" '
		-t mangle -A PREROUTING -p udp --dport 1 -j MARK --set-mark 0x12
		-t mangle -A PREROUTING -p udp --dport 2 -j MARK --set-xmark 0xf0/0xff
		-t mangle -A PREROUTING -p udp -m mark --mark 0x10/0x10 -j MARK --or-mark 0x100
		-t mangle -A PREROUTING -p udp -m mark --mark 0x100/0x100 -j MARK --and-mark 0xff00
		-t mangle -A PREROUTING -p udp -j MARK --xor-mark 0x1
		-A FORWARD -m mark --mark 0x101 -j DROP
		-A FORWARD -m mark ! --mark 1
		-A FORWARD -m mark --mark 1' '
		lan [udp(a, far, 9, d) for d in (1, 2, 3)]'
	try "CONNMARK: set, saved and restored" '
		-t mangle -A PREROUTING -p udp --dport 1 -j CONNMARK --set-mark 7
		-t mangle -A PREROUTING -p udp --dport 2 -j MARK --set-mark 0x1234
		-t mangle -A PREROUTING -p udp --dport 2 -j CONNMARK --save-mark
		-t mangle -A PREROUTING -p udp --dport 3 -j MARK --set-mark 0xabcd
		-t mangle -A PREROUTING -p udp --dport 3 -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xffffffff
		-t mangle -A PREROUTING -i wan -j CONNMARK --restore-mark
		-t mangle -A PREROUTING -i wan -m connmark --mark 0x34/0xff
		-t mangle -A PREROUTING -i wan -m connmark ! --mark 7
		-A FORWARD -i wan -m mark --mark 7
		-A FORWARD -i wan -m mark --mark 0x1234 -j DROP
		-A FORWARD -i wan -m mark --mark 0xcd' '
		lan [udp(a, far, 9, d) for d in (1, 2, 3, 4)]
		wan [udp(far, a, d, 9) for d in (1, 2, 3, 4)]
		lan [udp(a, far, 9, d) for d in (1, 2, 3, 4)]'
}

# Kubernetes, Tailscale and mwan3 share marks with others: each has its own bits.
shared_marks() {
	try "CONNMARK with masks keeps the bits of others" '
		-t mangle -A PREROUTING -i lan -j MARK --set-mark 0x12345678
		-t mangle -A PREROUTING -p udp --dport 1 -j CONNMARK --set-mark 0xffff0000
		-t mangle -A PREROUTING -p udp --dport 1 -j CONNMARK --save-mark --mask 0xff
		-t mangle -A PREROUTING -p udp --dport 2 -j CONNMARK --set-mark 0xabcdef
		-t mangle -A PREROUTING -p udp --dport 2 -j CONNMARK --save-mark --nfmask 0xff00 --ctmask 0xff
		-t mangle -A PREROUTING -p udp --dport 3 -j CONNMARK --set-mark 0xabcdef
		-t mangle -A PREROUTING -p udp --dport 3 -j CONNMARK --save-mark --nfmask 0 --ctmask 0xff00
		-t mangle -A PREROUTING -i wan -j MARK --set-mark 0x11111111
		-t mangle -A PREROUTING -i wan -p udp --sport 1 -j CONNMARK --restore-mark --mask 0xff00ff
		-t mangle -A PREROUTING -i wan -p udp --sport 2 -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf0ff
		-t mangle -A PREROUTING -i wan -p udp --sport 3 -j CONNMARK --restore-mark --nfmask 0xf0f0 --ctmask 0
		-A FORWARD -m connmark --mark 0xffff0078
		-A FORWARD -m connmark --mark 0xabbb00
		-A FORWARD -m connmark --mark 0xab00ef
		-A FORWARD -m mark --mark 0x11ff1178
		-A FORWARD -m mark --mark 0x1111a100
		-A FORWARD -m mark --mark 0x11110101 -j DROP' '
		lan [udp(a, far, 9, d) for d in (1, 2, 3, 4)]
		wan [udp(far, a, d, 9) for d in (1, 2, 3, 4)]
		lan [udp(a, far, 9, d) for d in (1, 2, 3, 4)]'
	same - "the marks of the connections" "$(ct -L -p udp | grep -oE 'dport=.* src=203.*|mark=[0-9]+' | grep -o 'sport=.*' | norm_timeouts | sort)"
}

tcp_and_icmp() {
	try "flags of TCP" '
		-A FORWARD -p tcp --syn
		-A FORWARD -p tcp ! --syn
		-A FORWARD -p tcp --tcp-flags SYN,ACK,FIN,RST SYN --dport 81 -j DROP
		-A FORWARD -p tcp --tcp-flags ALL NONE -j DROP
		-A FORWARD -p tcp --tcp-flags ALL ALL -j DROP
		-A FORWARD -p tcp ! --tcp-flags FIN,RST NONE
		-A FORWARD -p tcp --tcp-flags SYN,FIN SYN,FIN -j DROP' '
		lan [tcp(a, far, 1000 + f, 80, f) for f in (0, SYN, SYN | ACK, FIN, FIN | ACK, SYN | FIN, RST, 63, PSH | ACK)]
		lan tcp(a, far, 5000, 81, SYN)
		lan tcp(a, far, 5001, 80, SYN, seq=1)
		wan tcp(far, a, 80, 5001, SYN | ACK, seq=9, ack=2)
		lan tcp(a, far, 5001, 80, ACK, seq=2, ack=10)
		lan tcp(a, far, 5001, 80, ACK | PSH, seq=2, ack=10, data=b"hello")
		lan tcp(a, far, 5001, 80, ACK | FIN, seq=7, ack=10)'
	try "types of ICMP" '
		-A FORWARD -p icmp --icmp-type echo-request
		-A FORWARD -p icmp --icmp-type echo-reply -j ACCEPT
		-A FORWARD -p icmp --icmp-type 3/4 -j DROP
		-A FORWARD -p icmp --icmp-type destination-unreachable
		-A FORWARD -p icmp ! --icmp-type 8
		-A FORWARD -p icmp --icmp-type any' '
		lan echo(a, far, 7)
		wan echo(far, a, 7, reply=True)
		lan udp(a, far, 5, 6)
		wan icmp(far, a, 3, 3, 0, udp(a, far, 5, 6, ttl=63))
		wan icmp(far, a, 3, 4, 1200, udp(a, far, 5, 6, ttl=63))
		lan icmp(a, far, 13, 0, 77, bytes(12))'
	try "states of connections" '
		-A FORWARD -m state --state NEW
		-A FORWARD -m conntrack --ctstate ESTABLISHED
		-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY
		-A FORWARD -m conntrack --ctstate INVALID -j DROP
		-A FORWARD -m conntrack --ctproto udp --ctorigsrc 10.0.0.5 --ctorigdstport 6' '
		lan udp(a, far, 5, 6)
		wan udp(far, a, 6, 5)
		lan udp(a, far, 5, 6)
		wan icmp(far, a, 3, 3, 0, udp(a, far, 5, 6, ttl=63))
		wan icmp(far, a, 3, 3, 0, udp(a, far, 500, 600, ttl=63))
		lan tcp(a, far, 1, 2, RST)'
}

link_and_route() {
	try "mac, pkttype" '
		-A FORWARD -m mac --mac-source 02:00:00:00:00:11
		-A FORWARD -m mac ! --mac-source 02:00:00:00:00:11
		-A FORWARD -m pkttype --pkt-type unicast
		-A INPUT -m pkttype --pkt-type broadcast -j DROP' '
		lan udp(a, far, 5, 6)
		wan udp(far, a, 6, 5)'
	try "interfaces with a wildcard" '
		-A FORWARD -i la+ -o w+
		-A FORWARD ! -i lan -o lan
		-A INPUT ! -i lan
		-A INPUT -i +' '
		lan udp(a, far, 5, 6)
		wan udp(far, a, 6, 5)
		lan echo(a, gwl, 1)
		wan echo(far, gw, 1)'
}

header() {
	try "length" '
		-A FORWARD -m length --length 28
		-A FORWARD -m length --length 100:200 -j DROP
		-A FORWARD -m length ! --length 28:1000' '
		lan [udp(a, far, 5, 6, bytes(n)) for n in (0, 71, 72, 172, 173, 972, 973)]'
	try "ttl" '
		-A FORWARD -m ttl --ttl-eq 63
		-A FORWARD -m ttl --ttl-lt 10 -j DROP
		-A FORWARD -m ttl --ttl-gt 64
		-t mangle -A PREROUTING -m ttl --ttl-eq 64' '
		lan [udp(a, far, 5, 6, ttl=t) for t in (2, 10, 11, 64, 65, 66, 255)]'
	try "dscp" '
		-A FORWARD -m dscp --dscp 46 -j DROP
		-A FORWARD -m dscp --dscp-class AF11
		-A FORWARD -m dscp ! --dscp 0' '
		lan [udp(a, far, 5, 6, tos=t) for t in (0, 3, 0xb8, 0xb9, 0x28, 0xfc)]'
}

writes() {
	try "TTL" '
		-t mangle -A PREROUTING -p udp --dport 1 -j TTL --ttl-set 33
		-t mangle -A PREROUTING -p udp --dport 2 -j TTL --ttl-inc 5
		-t mangle -A FORWARD -p udp --dport 3 -j TTL --ttl-dec 5
		-t mangle -A POSTROUTING -p udp --dport 4 -j TTL --ttl-set 64' '
		lan [udp(a, far, 9, d) for d in (1, 2, 3, 4, 5)]
		lan udp(a, far, 9, 2, ttl=253)'
	try "DSCP" '
		-t mangle -A PREROUTING -p udp --dport 1 -j DSCP --set-dscp 46
		-t mangle -A FORWARD -p udp --dport 2 -j DSCP --set-dscp-class CS1
		-t mangle -A POSTROUTING -p udp --dport 3 -j DSCP --set-dscp 0' '
		lan [udp(a, far, 9, d, tos=t) for d in (1, 2, 3, 4) for t in (0, 0x2b)]'
	ns gw ip link set wan mtu 1400
	try "TCPMSS lowers what a SYN offers" '
		-t mangle -A FORWARD -p tcp --dport 80 --syn -j TCPMSS --clamp-mss-to-pmtu
		-t mangle -A FORWARD -p tcp --dport 81 --syn -j TCPMSS --set-mss 1000
		-t mangle -A FORWARD -p tcp --dport 82 -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu' '
		lan [tcp(a, far, 1000 + m, d, SYN, options=mss(m)) for d in (80, 81, 82, 83) for m in (1460, 1360, 900)]
		wan tcp(far, a, 80, 2460, SYN | ACK, seq=4, ack=1, options=mss(1460))'
	ns gw ip link set wan mtu 1500
}

logs() {
	local at=0
	! on_gw || at=$(wc -l <"$T/gwd-gw.err")
	try "LOG goes on" '
		-A FORWARD -p udp --dport 53 -j LOG --log-prefix "seen: " --log-level info
		-A FORWARD -p tcp -j LOG --log-prefix "tcp: " --log-tcp-sequence --log-tcp-options --log-ip-options
		-A FORWARD -p icmp -j LOG
		-A FORWARD -p udp --dport 53 -j DROP' '
		lan udp(a, far, 1000, 53, b"12345", tos=4)
		lan udp(a, far, 1000, 54)
		lan tcp(a, far, 1, 2, SYN, seq=77, options=mss(1460))
		lan echo(a, far, 7, seq=3)'
	on_gw || return 0
	# what the kernel's nf_log_ipv4 writes about these packets
	tail -n "+$((at + 1))" "$T/gwd-gw.err" >"$T/logged"
	expect_ok - "a line in the log" wait_for 3 has_line "tcp: IN=lan" "$T/gwd-gw.err"
	wait_for 3 has_line "PROTO=ICMP" "$T/gwd-gw.err" || :
	tail -n "+$((at + 1))" "$T/gwd-gw.err" >"$T/logged"
	expect_match - "of a datagram" 'seen: IN=lan OUT=wan MAC=02:00:00:00:00:01:02:00:00:00:00:11:08:00 SRC=10\.0\.0\.5 DST=203\.0\.113\.9 LEN=33 TOS=0x04 PREC=0x00 TTL=63 ID=1 PROTO=UDP SPT=1000 DPT=53 LEN=13 *$' "$(grep "IN=" "$T/logged" || :)"
	expect_match - "of a SYN with its numbers and options" 'tcp: IN=lan OUT=wan MAC=[0-9a-f:]* SRC=10\.0\.0\.5 DST=203\.0\.113\.9 LEN=44 TOS=0x00 PREC=0x00 TTL=63 ID=1 PROTO=TCP SPT=1 DPT=2 SEQ=77 ACK=0 WINDOW=65535 RES=0x00 SYN URGP=0 OPT \(020405B4\) *$' "$(grep "IN=" "$T/logged" || :)"
	expect_match - "of an echo request" 'IN=lan OUT=wan MAC=[0-9a-f:]* SRC=10\.0\.0\.5 DST=203\.0\.113\.9 LEN=32 TOS=0x00 PREC=0x00 TTL=63 ID=1 PROTO=ICMP TYPE=8 CODE=0 ID=7 SEQ=3 *$' "$(grep "IN=" "$T/logged" || :)"
}

rejects() {
	local kind n=1 rules="" rules6=""
	for kind in icmp-net-unreachable icmp-host-unreachable icmp-proto-unreachable icmp-port-unreachable icmp-net-prohibited \
		icmp-host-prohibited icmp-admin-prohibited; do
		rules+="-A FORWARD -p udp --dport $n -j REJECT --reject-with $kind"$'\n'
		rules+="-A INPUT -p udp --dport $n -j REJECT --reject-with $kind"$'\n'
		n=$((n + 1))
	done
	NO_OUTPUT=1
	try "REJECT with each kind of error" "$rules
		-A FORWARD -p udp --dport 8 -j REJECT
		-A FORWARD -p tcp --dport 1 -j REJECT --reject-with tcp-reset
		-A FORWARD -p tcp --dport 2 -j REJECT
		-A INPUT -p tcp --dport 1 -j REJECT --reject-with tcp-reset" '
		lan [udp(a, far, 9, d, b"quoted") for d in range(1, 9)]
		lan [udp(a, gwl, 9, d) for d in range(1, 8)]
		lan tcp(a, far, 9, 1, SYN, seq=100)
		lan tcp(a, far, 9, 1, ACK, seq=100, ack=55)
		lan tcp(a, far, 9, 1, RST, seq=100)
		lan tcp(a, far, 9, 2, SYN, seq=100)
		lan tcp(a, gwl, 9, 1, SYN, seq=100)
		wan udp(far, a, 9, 1)'
	NO_OUTPUT=
	n=1
	for kind in icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable icmp6-policy-fail icmp6-reject-route; do
		rules6+="6 -A TEST -p udp --dport $n -j REJECT --reject-with $kind"$'\n'
		n=$((n + 1))
	done
	try "REJECT of IPv6 with each kind of error" "6 -N TEST
		6 -A FORWARD -j TEST
		$rules6
		6 -A TEST -p tcp --dport 1 -j REJECT --reject-with tcp-reset
		6 -A TEST -p tcp --dport 2 -j REJECT" '
		lan [udp(a6, far6, 9, d, b"quoted") for d in range(1, 7)]
		lan tcp(a6, far6, 9, 1, SYN, seq=100)
		lan tcp(a6, far6, 9, 2, SYN, seq=100)'
}

nat() {
	try "NETMAP" '
		-t nat -A PREROUTING -i lan -d 198.51.100.0/28 -j NETMAP --to 203.0.113.0/28
		-t nat -A POSTROUTING -o wan -s 10.0.0.0/24 -j NETMAP --to 192.0.2.0/24' '
		lan udp(a, "198.51.100.9", 9, 10)
		wan udp(far, "192.0.2.5", 10, 9)
		lan udp(a, "198.51.100.9", 9, 10)
		lan echo(b, "198.51.100.9", 3)'
	serve gw echo udp-echo 5353
	try "REDIRECT" '
		-t nat -A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353
		-t nat -A PREROUTING -p udp --dport 5353 -d 10.0.0.1
		-t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 81
		-t nat -A PREROUTING -p udp --dport 5000 -j REDIRECT' '
		lan udp(a, "198.51.100.9", 9, 5000)
		lan tcp(a, "198.51.100.9", 9, 80, SYN)'
	send_slow
	stop echo
	try "SNAT, MASQUERADE and DNAT with ports" '
		-t nat -A PREROUTING -p udp --dport 53 -j DNAT --to-destination 203.0.113.9:5300
		-t nat -A PREROUTING -p udp --dport 54 -j DNAT --to-destination 203.0.113.9
		-t nat -A POSTROUTING -p udp --dport 5300 -j SNAT --to-source 203.0.113.77:7000
		-t nat -A POSTROUTING -p udp --dport 54 -j MASQUERADE
		-t nat -A POSTROUTING -p icmp -j SNAT --to-source 203.0.113.78' '
		lan [udp(a, "198.51.100.9", 9, d) for d in (53, 54, 55, 53)]
		wan udp(far, "203.0.113.77", 5300, 7000)
		wan udp(far, gw, 54, 9)
		lan echo(a, far, 3)
		wan echo(far, "203.0.113.78", 3, reply=True)'
}
# A process on the gateway answers a redirected datagram when it gets to it.
send_slow() {
	expect_match - "a redirected datagram is answered from the address it was sent to" "answered" "$(ns gw true && answered)"
	same - "REDIRECT to a process" "$(ipt -t nat -L -n -v -x)"
}
answered() {
	NS_LAN="$NETNS_PREFIX-l" NS_WAN="$NETNS_PREFIX-w" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TOOLS timeout 10 python3 - <<-'P'
		import os
		from wire import *
		lan = Wire(os.environ["NS_LAN"], "l0", "02:00:00:00:00:01")
		lan.send(udp("10.0.0.5", "198.51.100.9", 77, 53, b"hello"))
		seen = lan.see(wait=5)
		print("answered" if (seen.src, seen.sport, seen.dst, seen.dport, seen.data) == ("198.51.100.9", 53, "10.0.0.5", 77, b"hello") else seen)
	P
}

untracked() {
	try "CT --notrack" '
		-t raw -A PREROUTING -p udp --dport 53 -j CT --notrack
		-t raw -A PREROUTING -p udp --dport 54 -j NOTRACK
		-A FORWARD -m conntrack --ctstate UNTRACKED
		-A FORWARD -m state --state UNTRACKED -p udp --dport 54 -j DROP
		-A FORWARD -m conntrack --ctstate NEW
		-A FORWARD -m conntrack --ctstate INVALID' '
		lan [udp(a, far, 9, d) for d in (53, 54, 55)]
		wan udp(far, a, 53, 9)'
	same - "only what is tracked is a connection" "$(ct -L -p udp | norm_timeouts | sort)"
}

six() {
	try "IPv6: addresses, ports, ranges, hop limit, flags, types" '
		6 -N TEST
		6 -A FORWARD -j TEST
		6 -A TEST -s fd00:10::6/128 -j DROP
		6 -A TEST -p udp -m multiport --dports 53,60:62 -j DROP
		6 -A TEST -p udp -m iprange --dst-range 2001:db8:1::9-2001:db8:1::20
		6 -A TEST -m hl --hl-lt 10 -j DROP
		6 -A TEST -m hl --hl-eq 63
		6 -A TEST -p tcp --syn
		6 -A TEST -p icmpv6 --icmpv6-type echo-request
		6 -A TEST -p icmpv6 ! --icmpv6-type 128
		6 -A TEST -m length --length 48
		6 -A TEST -m dscp --dscp 10
		6 -A TEST -p udp --dport 70 -m limit --limit 1/hour --limit-burst 2 -j DROP
		6 -A TEST -p udp --dport 71 -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name six -j DROP
		6 -A TEST -p udp --dport 72 -m recent --name six --set
		6 -A TEST -p udp --dport 73 -m recent --name six --rcheck -j DROP
		6 -A TEST -m conntrack --ctstate NEW
		6 -A TEST -m mac --mac-source 02:00:00:00:00:11
		6 -A TEST -m mark --mark 9' '
		lan [udp(s, far6, 9, d) for s in (a6, b6) for d in (52, 53, 62, 63)]
		lan [udp(a6, far6, 9, 1, hops=h) for h in (10, 11, 64, 65)]
		lan udp(a6, far6, 9, 1, tclass=0x28)
		lan tcp(a6, far6, 9, 10, SYN)
		lan echo(a6, far6, 7)
		wan echo(far6, a6, 7, reply=True)
		wan icmp(far6, a6, 1, 4, 0, udp(a6, far6, 9, 1, hops=63))
		lan [udp(a6, far6, 9, d) for i in range(4) for d in (70, 71)]
		lan [udp(a6, far6, 9, d) for d in (73, 72, 73)]'
	ns gw ip link set wan mtu 1400
	try "IPv6: what is written" '
		6 -t mangle -N TEST
		6 -t mangle -A FORWARD -j TEST
		6 -t mangle -A TEST -p udp --dport 1 -j HL --hl-set 33
		6 -t mangle -A TEST -p udp --dport 2 -j HL --hl-inc 2
		6 -t mangle -A TEST -p udp --dport 3 -j DSCP --set-dscp 46
		6 -t mangle -A TEST -p udp --dport 4 -j MARK --set-mark 9
		6 -t mangle -A TEST -m mark --mark 9 -j CONNMARK --save-mark
		6 -t mangle -A TEST -i wan -j CONNMARK --restore-mark
		6 -t mangle -A TEST -i wan -m mark --mark 9
		6 -t mangle -A TEST -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu' '
		lan [udp(a6, far6, 9, d, tclass=1) for d in (1, 2, 3, 4)]
		wan udp(far6, a6, 4, 9)
		lan tcp(a6, far6, 9, 10, SYN, options=mss(1440))'
	ns gw ip link set wan mtu 1500
	try "IPv6: NAT" '
		6 -t nat -N TEST
		6 -t nat -A PREROUTING -i lan -j TEST
		6 -t nat -A TEST -p udp --dport 53 -j DNAT --to-destination [2001:db8:1::9]:5300
		6 -t nat -A PREROUTING -d 2001:db8:9::/112 -j NETMAP --to 2001:db8:1::/112
		6 -t nat -A POSTROUTING -o wan -p udp -j SNAT --to-source 2001:db8:1::77' '
		lan udp(a6, "2001:db8:9::9", 9, 53)
		wan udp(far6, "2001:db8:1::77", 5300, 9)
		lan udp(a6, "2001:db8:9::9", 9, 54)'
	try "IPv6: where addresses are, turns, untracked" '
		6 -t raw -N TEST
		6 -t raw -A PREROUTING -j TEST
		6 -t raw -A TEST -p udp --dport 60 -j CT --notrack
		6 -N TEST
		6 -A FORWARD -j TEST
		6 -A INPUT -p udp -j TEST
		6 -A TEST -m addrtype --dst-type LOCAL -j DROP
		6 -A TEST -m addrtype --dst-type UNICAST
		6 -A TEST -m conntrack --ctstate UNTRACKED
		6 -A TEST -p udp --dport 61 -m statistic --mode nth --every 3 --packet 1 -j DROP
		6 -A TEST -p udp --dport 62 -m pkttype --pkt-type unicast -j LOG --log-prefix "six: "' '
		lan udp(a6, gwl6, 9, 1)
		lan [udp(a6, far6, 9, d) for d in (60, 61, 61, 61, 61, 62)]'
	! on_gw || expect_ok - "an IPv6 packet in the log" wait_for 3 has_line \
		'six: IN=lan OUT=wan MAC=02:00:00:00:00:01:02:00:00:00:00:11:86:dd SRC=fd00:0010:0000:0000:0000:0000:0000:0005 DST=2001:0db8:0001:0000:0000:0000:0000:0009 LEN=48 TC=0 HOPLIMIT=63 FLOWLBL=0 PROTO=UDP SPT=9 DPT=62 LEN=8 *$' \
		"$T/gwd-gw.err"
}

engines iptables_live
