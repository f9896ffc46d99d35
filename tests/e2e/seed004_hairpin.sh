#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Seed 004, NAT reflection: clients of the LAN use the public address of a server in the same LAN.
. "$(dirname "$0")/lib.sh"
need tcpdump

PUBLIC=82.120.11.22 C=192.168.1.10 C2=192.168.1.11 S=192.168.1.200 R=192.168.1.1

hairpin() { # S114: an OpenWrt-style bridge is the gateway's LAN interface
	host client second server gw
	wire client:c0:$C/24 gw:lan1:-
	wire second:c0:$C2/24 gw:lan2:-
	wire server:s0:$S/24 gw:lan3:-
	bridge gw br-lan $R/24 lan1 lan2 lan3
	host outside
	wire gw:wan0:$PUBLIC/24 outside:o0:82.120.11.99/24
	for h in client second server; do ns $h ip route add default via $R; done
	gateway gw
	# With br_netfilter's default, netfilter un-DNATs bridged frames and hides the seed's failure.
	ns gw sh -c 'f=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $f ] || echo 0 >$f'
	start_gw br-lan,wan0
	serve server web http 80 "behind the reflection"
	serve server sshd ssh 8022

	ipt -t nat -A PREROUTING -i br-lan -s 192.168.1.0/24 -d $PUBLIC/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination $S # S106
	expect "S106,S114" "the DNAT rule without a port, on the bridge" \
		"-A PREROUTING -s 192.168.1.0/24 -d $PUBLIC/32 -i br-lan -p tcp -m tcp --dport 80 -j DNAT --to-destination $S" "$(ipt -t nat -S PREROUTING | tail -n 1)"
	failing_half
	ipt -t nat -A POSTROUTING -o br-lan -s 192.168.1.0/24 -d $S/32 -p tcp -m tcp --dport 80 -j SNAT --to-source $R # S108
	expect "S108,S114" "the SNAT rule" \
		"-A POSTROUTING -s 192.168.1.0/24 -d $S/32 -o br-lan -p tcp -m tcp --dport 80 -j SNAT --to-source $R" "$(ipt -t nat -S POSTROUTING | tail -n 1)"
	same "S106,S108" "nat rules" "$(ipt -t nat -S)"
	ct -D -p tcp >/dev/null
	working_half
	same_source_port
}

failing_half() { # S107a-S107f
	events ev -p tcp
	capture client c0 wire "tcp or icmp"
	expect_rc "S104,S107" "with DNAT alone the connection fails" 28 ns client curl -s -m 0.8 --local-port 50228 http://$PUBLIC
	stop wire INT; stop ev INT
	expect_match S107a "the client addresses the public IP" "^IP $C\.50228 > $PUBLIC\.80: Flags \[S\]" "$(cat "$T/wire.out")"
	expect S107c "only the destination is changed" \
		"    [NEW] tcp      6 120 SYN_SENT src=$C dst=$PUBLIC sport=50228 dport=80 [UNREPLIED] src=$S dst=$C sport=80 dport=50228" "$(sed -n 1p "$T/ev.out")"
	expect_match "S107d,S107e" "the server answers straight to the client, from its own address" "^IP $S\.80 > $C\.50228: Flags \[S\.\]" "$(cat "$T/wire.out")"
	expect_match S107f "the client rejects it" "^IP $C\.50228 > $S\.80: Flags \[R\]" "$(cat "$T/wire.out")"
	expect_match S107 "the entry has seen no reply" "SYN_SENT src=$C dst=$PUBLIC sport=50228 dport=80 \[UNREPLIED\]" "$(ct -L -p tcp)"
	same S107 "the entry of the failed connection" "$(ct -L -p tcp | norm_timeouts)"
}

working_half() { # S109a-S109i
	local save
	events ev -p tcp
	capture client c0 wire_client tcp
	capture server s0 wire_server tcp
	expect_ok "S109,S113" "with both rules the connection works" ns client curl -s -m 3 --local-port 54392 http://$PUBLIC
	expect S113 "the page" "behind the reflection" "$OUT"
	stop wire_client INT; stop wire_server INT; stop ev INT
	expect_match S109a "the client still uses the public IP" "^IP $C\.54392 > $PUBLIC\.80: Flags \[S\]" "$(cat "$T/wire_client.out")"
	expect_match "S109,S110" "source and destination changed, source port kept" "^IP $R\.54392 > $S\.80: Flags \[S\]" "$(cat "$T/wire_server.out")"
	expect S111 "the server sees the NAT box and answers to it" "peer $R 54392" "$(cat "$T/web.out")"
	expect_match S111 "its answer goes to the NAT box" "^IP $S\.80 > $R\.54392: Flags \[S\.\]" "$(cat "$T/wire_server.out")"
	expect_match "S112,S113" "all four fields are translated back" "^IP $PUBLIC\.80 > $C\.54392: Flags \[S\.\]" "$(cat "$T/wire_client.out")"
	expect_no_match S112 "no packet of the server's own address reaches the client" "^IP $S\." "$(cat "$T/wire_client.out")"
	expect S109 "one entry for both translations, in and out of the same interface" \
		"    [NEW] tcp      6 120 SYN_SENT src=$C dst=$PUBLIC sport=54392 dport=80 [UNREPLIED] src=$S dst=$R sport=80 dport=54392" "$(sed -n 1p "$T/ev.out")"
	same S109 "the first events" "$(head -n 3 "$T/ev.out")"
	save=$(iptsave -c -t nat)
	expect S105 "one packet through the SNAT rule" 1 "$(rule_packets SNAT "$save")"
	# The client repeats its SYN within the second of the failing half: still one connection.
	expect S105 "one packet per connection through the DNAT rule" 2 "$(rule_packets DNAT "$save")"
	same S105 "nat counters" "$save"
}

same_source_port() { # S110: the source port is only changed to disambiguate
	local peers
	ipt -t nat -A PREROUTING -i br-lan -s 192.168.1.0/24 -d $PUBLIC/32 -p tcp -m tcp --dport 8022 -j DNAT --to-destination $S
	ipt -t nat -A POSTROUTING -o br-lan -s 192.168.1.0/24 -d $S/32 -p tcp -m tcp --dport 8022 -j SNAT --to-source $R
	session first client $PUBLIC 8022 --sport 50798
	expect S110 "a second host with the same source port" $'SSH-2.0-gatewarden_demo\ntwo' "$(echo two | peer second tcp $PUBLIC 8022 --sport 50798)"
	expect_ok S110 "the first host is not disturbed" say first one
	peers=$(cat "$T/sshd.out")
	expect S110 "the first keeps its port" "peer $R 50798" "$(sed -n 1p <<<"$peers")"
	expect_match S110 "the second comes from the same address" "^peer $R [0-9]+$" "$(sed -n 2p <<<"$peers")"
	expect_no_match S110 "with another port" "50798" "$(sed -n 2p <<<"$peers")"
	hang_up first
}

engines hairpin
