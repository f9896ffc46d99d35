#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# conntrack -I, -A, -U, -G, -o save and the filters, by hand on both engines: what is printed, refused and told as events.
. "$(dirname "$0")/lib.sh"

change() {
	host client gw server
	wire client:c0:10.0.0.5/24 gw:lan0:10.0.0.1/24
	wire server:s0:203.0.113.9/24 gw:eth0:203.0.113.1/24
	ns client ip route add default via 10.0.0.1
	gateway gw
	start_gw lan0,eth0
	events all -o extended
	creating
	updating
	living
	deleting
	wait_for 5 has_line 'DESTROY.*dport=4999' "$T/all.out"
	stop all INT
	same "S78,S87" "the events of it all" "$(lines <"$T/all.out" | sort)"
}

# Seconds left may be one less; who did it has another number.
lines() {
	sed -E 's/ progname=.*//; s/portid=[0-9]+/portid=N/; s/ id=[0-9]+$/ id=N/; s/<id>[0-9]+/<id>N/
		s/ ([6-9][0-9]) (src|ESTAB|SYN|TIME|CLOSE)/ 100 \2/; s/-t [6-9][0-9] /-t 100 /; s/<timeout>[6-9][0-9]</<timeout>100</
		s/ (3[0-9]|2[5-9]) (src|ESTAB|TIME)/ 40 \2/; s/(17|-t) 85899[0-9]+ /\1 MAX /'
}
# Everything but the second line of a refusal, which names the program to ask for help.
answer() { # WORDS...: stdout, stderr and exit code
	local rc=0 out
	out=$(nf_or_gw conntrack "$@" 2>&1) || rc=$?
	grep -v '^Try ' <<<"$out" | lines | sort
	echo "exit code $rc"
}
answers() { # one command line each
	local words
	while read -r words; do
		# shellcheck disable=SC2086
		same S98 "conntrack $words" "$(answer $words)"
	done
}

creating() {
	answers <<'WORDS'
-I -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 2 --state ESTABLISHED -t 100
-I -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 2 --state ESTABLISHED -t 100
-A -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 2 --state ESTABLISHED -t 100
-I -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 3 --state ESTABLISHED -t 100 -u ASSURED,SEEN_REPLY -m 5
-A -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 4 --state LISTEN -t 100
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 3 -t 100
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 4 -t 100 -u SEEN_REPLY
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 5 -t 100 -u ASSURED
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 6 -t 100 -u UNSET
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 8 -t 100 --src-nat 1.2.3.4
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 9 -t 100 --src-nat 1.2.3.4:1000-2000
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 10 -t 100 --dst-nat 1.2.3.4:99
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 11 -t 100 --src-nat 1.2.3.4 --dst-nat 5.6.7.8:53
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 12 -t 100 --any-nat 1.2.3.4
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 13 -t 100 -r 7.7.7.7 -q 8.8.8.8
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 15 -t 100 -w 5
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 17
-I -p udp -s 10.9.0.1 --sport 1 --dport 18 -t 4
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --dport 18 -t 4
-I -p udp -r 10.9.0.1 -t 4
-I -s 10.9.0.1 -d 10.9.0.2 -t 4
-I -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 30 -t 100
-I -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 31 --state FOO -t 100
-I -p icmp -s 10.9.0.1 -d 10.9.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 5 -t 100
-I -p icmp -s 10.9.0.1 -d 10.9.0.2 --icmp-type 13 --icmp-code 0 --icmp-id 6 -t 100
-I -p icmp -s 10.9.0.1 -d 10.9.0.2 --icmp-type 8 -t 100
-I -p icmp -s 10.9.0.1 -d 10.9.0.2 --icmp-type 3 --icmp-code 0 -t 100
-I -p udp -s fd00::1 -d fd00::2 --sport 1 --dport 5 -t 100
-I -p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 9 -t 100
-I -p 99 -s 10.9.0.1 -d 10.9.0.2 -t 100
-I -p gre -s 10.9.0.1 -d 10.9.0.2 -t 100
-I -p udp -s 10.9.0.0/24 -d 10.9.0.2 --sport 1 --dport 19 -t 4
-I -p udp -s 10.9.0.1 -d fd00::1 --sport 1 --dport 43 -t 100
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 21 -t 4294967295
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 26 -t 5 -o extended
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 27 -t 50 -i 5
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 40 -t 100 --src-nat 1.2.3.4 -q 9.9.9.9
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 43 -t 100 -u FOO
-I -p udp -r 10.9.0.1 -q 10.9.0.2 --reply-port-src 1 --reply-port-dst 88 -t 100
-I
-I dying
-U expect -m 4
-L -o extended
-L -o save
-L -o id,save
-L -f ipv6
-L -p udp --dport 3 -o xml
-L -p tcp --dport 3 -o xml
-L -n 1.2.3.4
-L -n 1.2.3.4:1
-L -n 1.2.3.4:x
-L -g 1.2.3.4:99
-L -j 1.2.3.4
-L -w 5
-L --orig-zone 5
-L --reply-zone 5
-L -m 5
-L -m 0x1/0x3
-L -p tcp --state LISTEN
-L -s 10.9.0.1 --mask-src 255.255.0.0 -p icmp
-L -r 10.0.0.0/24
-L -u UNSET
-L -u OFFLOAD
-L -u SEEN_REPLY
-L -t 5
-G -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 4
-G -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 3 -o id,extended
-G -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 4 -w 3
WORDS
}

# conntrack 1.4.7 updates only what it has an address for.
updating() {
	answers <<'WORDS'
-U -p tcp -s 10.9.0.1 --dport 2 -m 7
-U -p tcp -s 10.9.0.1 --dport 2 -m 7
-U -p tcp -s 10.9.0.1 --dport 2 -m 0xf0/0x0f
-U -p udp -s 10.9.0.1 --dport 3 -m 8 -o extended
-U -p udp -s 10.9.0.1 --dport 4 -t 40
-U -p udp -s 10.9.0.1 --dport 999 -m 8
-U -p udp -s 10.9.0.1 -j -m 9
-U -p udp -s 10.9.0.1 -w 5 -m 9
-U -p udp -s 10.9.0.1 --dport 3 --orig-zone 3 -m 4
-U -p udp -s 10.9.0.1 --dport 3 -e NEW -m 4
-U -p udp -s 10.9.0.1 --dport 3 -u SEEN_REPLY
-U -p udp -s 10.9.0.1 --dport 3 -u ASSURED
-U -p tcp -s 10.9.0.1 --dport 3 --state TIME_WAIT -t 40
-U -p udp -s fd00::/64 -m 3
-U
-L -p tcp
-L -p udp --dport 3
-L -p udp --dport 4
WORDS
}

# A packet gives a connection its own time again.
living() {
	ns server ip route add 10.0.0.0/24 via 203.0.113.1
	serve server echo udp-echo 53
	peer client udp 203.0.113.9 53 --sport 5300 >/dev/null
	same S98 "a longer time" "$(answer -U -p udp -s 10.0.0.5 --dport 53 -t 40)"
	same S98 "it is there" "$(answer -L -p udp -s 10.0.0.5 --dport 53)"
	same S98 "its mark" "$(answer -U -p udp -s 10.0.0.5 --dport 53 -m 77)"
	peer client udp 203.0.113.9 53 --sport 5300 >/dev/null
	expect_match S98 "until the next packet" '^udp +17 (30|29|28|120|11[5-9]) src=10.0.0.5 .* mark=77 ' "$(ct -L -p udp -s 10.0.0.5 --dport 53)"
}

deleting() {
	answers <<'WORDS'
-D -m 0xf7/0xff
-D -w 5
-D -j
-D -p udp --dport 5 --orig-zone 5
-D -p udp -s 10.9.0.1 --mask-src 255.255.0.0 -d 10.9.0.2
-D -p icmp
-D -f ipv6
-D -u ASSURED
-I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 1 --dport 4999 -t 100
-D -p udp --dport 4999
WORDS
}

engines change
