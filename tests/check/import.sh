#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# gwctl import from the real programs: what runs in a namespace and what was saved from it give the same ruleset, gwctl and nft accept it,
# and each line that was not carried over is named with its number.  Needs root, iptables and nft.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
gwctl=${GW_BUILD:?}/ctl/gwctl
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C

skip() {
	echo "SKIP $*"
	exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root for a network namespace"
for tool in ip nsenter nft iptables-save ip6tables-save; do
	command -v "$tool" >/dev/null || skip "needs $tool"
done

ns=gwimp$$
dir=$(mktemp -d)
failed=0
cleanup() {
	ip netns del "$ns" 2>/dev/null || :
	rm -rf "$dir"
}
trap cleanup EXIT
fail() {
	failed=1
	echo "FAIL $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/     | /'
}
inside() { nsenter --net="/run/netns/$ns" -- "$@"; }
fresh() {
	ip netns del "$ns" 2>/dev/null || :
	ip netns add "$ns"
}

# accepted FILE: by us and by nft
accepted() {
	"$gwctl" ruleset check "$1" >"$dir/said" 2>&1 || fail "gwctl accepts what it imported: $1" "$(cat "$dir/said")"
	fresh
	inside nft -c -f "$1" >"$dir/said" 2>&1 || fail "nft accepts what gwctl imported: $1" "$(head -20 "$dir/said")"
}
# imported PROGRAM COMMAND...: the running ruleset and its dump are the same to gwctl; leaves $dir/dump, out, report
imported() {
	local program=$1
	shift
	inside "$@" >"$dir/dump"
	inside "$gwctl" import "$program" >"$dir/running" 2>"$dir/running.report" || fail "$program: reads what runs" "$(cat "$dir/running.report")"
	"$gwctl" import "$program" "$dir/dump" >"$dir/out" 2>"$dir/report" || fail "$program: reads what was saved" "$(cat "$dir/report")"
	"$gwctl" import "$program" - <"$dir/dump" >"$dir/piped" 2>/dev/null || fail "$program: reads its standard input"
	cmp -s "$dir/running" "$dir/out" || fail "$program: what runs and what was saved are the same" "$(diff "$dir/running" "$dir/out" | head -20)"
	cmp -s "$dir/piped" "$dir/out" || fail "$program: so is what comes by a pipe"
	diff <(sed "s|^$program:||" "$dir/running.report") <(sed "s|^$dir/dump:||" "$dir/report") >"$dir/said" ||
		fail "$program: both reports name the same lines" "$(cat "$dir/said")"
}
# lost NUMBER-OF-LINES ERE...: the report names exactly the lines of the dump that match, with their numbers
lost() {
	local count=$1 expression number
	shift
	[ "$(grep -c "^$dir/dump:[0-9]*: " "$dir/report")" = "$count" ] || fail "$count lines are reported" "$(cat "$dir/report")"
	[ "$count" = 0 ] || grep -q "^gwctl: $count could not be carried over" "$dir/report" || fail "the sum is $count" "$(cat "$dir/report")"
	for expression; do
		number=$(grep -nE -m1 -- "$expression" "$dir/dump" | cut -d: -f1)
		[ -n "$number" ] || fail "the dump has a line like $expression" "$(cat "$dir/dump")"
		grep -q "^$dir/dump:$number: ." "$dir/report" || fail "line $number is named: $expression" "$(cat "$dir/report")"
	done
}
# holds ERE...: what was imported has such lines
holds() {
	local expression
	for expression; do
		grep -Eq -- "$expression" "$dir/out" || fail "imported: $expression" "$(cat "$dir/out")"
	done
}
rules() { grep -cE '^(\[[0-9:]*\] )?-A' "$1" || :; }

# ---- iptables -----------------------------------------------------------------------------------------------
fresh
inside iptables-restore <<'R'
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-A PREROUTING -m mark --mark 0x1/0xff -j CONNMARK --save-mark
-A PREROUTING -m mark --mark 0x2 -j CHECKSUM --checksum-fill
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:SSH - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "administrators' door" -j SSH
-A INPUT -p tcp -m multiport --dports 80,443,8000:8010 -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT
-A INPUT -m iprange --src-range 10.0.0.5-10.0.0.9 -j LOG --log-prefix "range: "
-A INPUT -j REJECT --reject-with icmp-admin-prohibited
-A INPUT -p tcp -m connlimit --connlimit-above 3 --connlimit-mask 24 -j DROP
-A OUTPUT -m owner --uid-owner 0 -j ACCEPT
-A SSH -m recent --update --seconds 60 --hitcount 4 --name SSH --mask 255.255.255.255 --rsource -j DROP
-A SSH -m recent --set --name SSH --mask 255.255.255.255 --rsource -j ACCEPT
COMMIT
R
imported iptables-save iptables-save
lost 4 'CHECKSUM' 'connlimit-mask 24' 'owner' 'hitcount 4'
holds 'hook input priority .*; policy drop;' 'oifname != "docker0" ip saddr 172\.17\.0\.0/16 .*masquerade' 'comment "administrators. door"' \
	'dnat to 172\.17\.0\.2:80' 'dport \{ 80, 443, 8000-8010 \}' 'ct state (established,related|related,established)' 'notrack' \
	'ct mark set meta mark' 'icmp type echo-request .*limit rate 5/second' 'reject with icmp (type )?admin-prohibited'
carried=$(grep -cP '^\t\t.*counter' "$dir/out" || :)
[ "$carried" = $(($(rules "$dir/dump") - 4)) ] || fail "every other rule was carried over" "$carried of $(rules "$dir/dump")" "$(cat "$dir/out")"
accepted "$dir/out"

fresh
inside ip6tables-restore <<'R'
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT
-A INPUT -s fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT
-A INPUT -m rt --rt-type 0 -j DROP
-A FORWARD -d 2001:db8::/32 -p tcp -m tcp --dport 443 -j ACCEPT
-A FORWARD -m frag --fragid 1 -j DROP
-A FORWARD -j REJECT --reject-with icmp6-adm-prohibited
COMMIT
R
imported ip6tables-save ip6tables-save
lost 2 'rt-type' 'fragid'
holds 'hook forward priority .*; policy drop;' 'ip6 daddr 2001:db8::/32 .*dport 443' 'icmpv6 type nd-neighbor-solicit' 'ip6 hoplimit 255'
accepted "$dir/out"

# ---- nft ----------------------------------------------------------------------------------------------------
fresh
inside nft -f - <<'R'
table inet firewall {
	set friends {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8, 192.0.2.7 }
	}
	map ports {
		type inet_service : verdict
		elements = { 22 : accept, 80 : jump web }
	}
	chain web {
		limit rate 10/second accept
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { invalid : drop, established : accept, related : accept }
		ip saddr @friends tcp dport vmap @ports
		meta skuid 0 accept
		meta cgroup 7 accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		log prefix "end: " reject
	}
}
table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "eth0" masquerade
		oifname "eth1" snat to 192.0.2.1-192.0.2.9
	}
}
table arp rules {
	chain input {
		type filter hook input priority 0; policy accept;
		arp operation request accept
	}
}
table bridge rules {
	chain forward {
		type filter hook forward priority 0; policy accept;
		ether type arp accept
	}
}
table netdev rules {
	chain ingress {
		type filter hook ingress device "lo" priority 0; policy accept;
	}
}
R
imported nft nft -s list ruleset
lost "$(grep -c "^$dir/dump:[0-9]*: " "$dir/report")" 'skuid' 'cgroup 7' '^table arp' '^table bridge' '^table netdev'
holds 'set friends' 'map ports' 'tcp dport vmap @ports' 'policy drop' 'masquerade' 'snat to 192\.0\.2\.1-192\.0\.2\.9' 'log prefix "end: "'
grep -qE 'arp|bridge|netdev|flowtable|skuid|cgroup' "$dir/out" && fail "nothing of what was reported is left" "$(cat "$dir/out")"
[ "$(grep -cP '^\t\t(ct state|ip saddr|icmpv6|log|limit|oifname)' "$dir/out")" = 7 ] || fail "every other rule was carried over" "$(cat "$dir/out")"
accepted "$dir/out"

# ---- what was saved elsewhere -------------------------------------------------------------------------------
# saved PROGRAM: a dump from standard input that need not run here
saved() {
	cat >"$dir/dump"
	"$gwctl" import "$1" "$dir/dump" >"$dir/out" 2>"$dir/report" || fail "$1: reads what was saved" "$(cat "$dir/report")"
}
saved nft <<'R'
table inet fast {
	flowtable f {
		hook ingress priority 0
		devices = { eth0, eth1 }
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		ip protocol tcp flow add @f
		tcp dport 22 accept
	}
}
R
lost 2 'flowtable f' 'flow add'
holds 'tcp dport 22 accept'
accepted "$dir/out"
saved iptables-save <<'R'
*filter
:INPUT ACCEPT [7:777]
[1:40] -A INPUT -p tcp -m comment --comment "the \"front\" door" -j ACCEPT
-A INPUT -m geoip --source-country XX -j DROP
*broute
:BROUTING ACCEPT [0:0]
-A BROUTING -j DROP
COMMIT
R
grep -q "^$dir/dump:4: .*geoip" "$dir/report" || fail "an extension that we do not know" "$(cat "$dir/report")"
grep -q "^$dir/dump:5: " "$dir/report" || fail "a table that we do not know" "$(cat "$dir/report")"
grep -q "^$dir/dump:7: " "$dir/report" || fail "and each of its rules" "$(cat "$dir/report")"
# nft has no way to write a quotation mark in a comment
"$gwctl" ruleset check "$dir/out" >"$dir/said" 2>&1 || fail "a quotation mark in a comment" "$(cat "$dir/said" "$dir/out")"
holds 'front.*door'
if "$gwctl" import nft /nowhere >"$dir/out" 2>"$dir/report"; then fail "a file that is not there"; fi
[ -s "$dir/report" ] && [ ! -s "$dir/out" ] || fail "says so and prints nothing"
exit $failed
