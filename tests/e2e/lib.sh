# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lib.sh - network namespaces with real clients and servers, on two engines.
#
# A test defines a function that builds a topology, runs traffic and makes assertions, and ends with
# `engines FUNCTION`.  The function runs once with ENGINE=nf (iptables, nf_conntrack and conntrack(8) of
# this machine: the oracle) and once with ENGINE=gw (gwd and gwctl).  The same assertions must hold on both,
# and everything given to `same` must be equal to the byte.  ENGINES="gw" or ENGINES="nf" runs only one.
#
# Nothing outside of the namespaces is touched: names carry the process id, processes are ended by pid,
# and each run has its own temporary directory, bpffs included.
set -euo pipefail

GW_SOURCE=${GW_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
GW_BUILD=${GW_BUILD:-$GW_SOURCE/build}
GWD=${GWD:-$GW_BUILD/ctl/gwd}
GWCTL=${GWCTL:-$GW_BUILD/ctl/gwctl}
PEER=$GW_SOURCE/tests/e2e/peer.py
# the distribution's tools first: that is what scripts/packages installs
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
NETNS_PREFIX=${NETNS_PREFIX:-gwt$$}

# ---- verdicts -------------------------------------------------------------------------------------------
# Assertions go on after a failure, so that one run shows all of them; `engines` counts.
FAILED=0
pass() { printf 'ok   [%s] %s: %s\n' "$ENGINE" "$1" "$2"; }
fail() {
	FAILED=$((FAILED + 1))
	printf 'FAIL [%s] %s: %s\n' "$ENGINE" "$1" "$2"
	shift 2
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/     | /'
}
skip() { printf 'SKIP %s\n' "$*"; exit 77; }
need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done
}

# expect ROWS WHAT EXPECTED ACTUAL: equal strings
expect() {
	if [ "$3" = "$4" ]; then pass "$1" "$2"; else fail "$1" "$2" "expected: $3" "actual:   $4"; fi
}
# expect_match ROWS WHAT ERE TEXT: some line matches
expect_match() {
	if grep -Eq -- "$3" <<<"$4"; then pass "$1" "$2"; else fail "$1" "$2" "expected a line like: $3" "actual: $4"; fi
}
expect_no_match() {
	if grep -Eq -- "$3" <<<"$4"; then fail "$1" "$2" "expected no line like: $3" "actual: $4"; else pass "$1" "$2"; fi
}
# expect_rc ROWS WHAT RC COMMAND...: exit status; the output is left in $OUT
expect_rc() {
	local rows=$1 what=$2 want=$3 rc=0
	shift 3
	OUT=$("$@" 2>&1) || rc=$?
	if [ "$rc" = "$want" ]; then pass "$rows" "$what"; else fail "$rows" "$what" "command: $*" "expected exit status $want, got $rc" "$OUT"; fi
}
expect_ok() { expect_rc "$1" "$2" 0 "${@:3}"; }
# same ROWS WHAT TEXT: must be equal to the byte on both engines
same() { printf '## %s: %s\n%s\n' "$1" "$2" "$3" >>"$TRANSCRIPT"; }

# wait_for SECONDS COMMAND...: poll until the command succeeds
wait_for() {
	local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
		sleep 0.03
	done
}
has_line() { grep -Eq -- "$1" "$2"; } # ERE FILE
line_count_is() { [ "$(grep -Ec -- "$1" "$2")" -ge "$3" ]; }

# ---- namespaces -----------------------------------------------------------------------------------------
# nsenter and not `ip netns exec`: the mount namespace stays, so pinned objects outlive their creator.
ns() { local h=$1; shift; nsenter --net="/run/netns/$NETNS_PREFIX-$h" -- "$@"; }
host() {
	local h
	for h in "$@"; do
		ip netns add "$NETNS_PREFIX-$h"
		HOSTS+=("$h")
		ns "$h" sh -c 'cd /proc/sys/net && ip link set lo up && for i in all default; do
			echo 0 >ipv6/conf/$i/accept_dad; echo 0 >ipv6/conf/$i/accept_ra; echo 0 >ipv4/conf/$i/rp_filter; done'
	done
}
# ifup HOST IF ADDR[,ADDR...]: addresses without duplicate address detection
ifup() {
	local h=$1 dev=$2 a
	for a in ${3//,/ }; do
		case $a in
		-) ;;
		*:*) ns "$h" ip addr add "$a" dev "$dev" nodad ;;
		*) ns "$h" ip addr add "$a" dev "$dev" ;;
		esac
	done
	ns "$h" ip link set "$dev" up
}
# wire HOST:IF:ADDR[,ADDR] HOST:IF:ADDR[,ADDR]: a veth pair; ADDR - = none
wire() {
	local h1 i1 a1 h2 i2 a2
	IFS=: read -r h1 i1 a1 <<<"$1"
	IFS=: read -r h2 i2 a2 <<<"$2"
	ip link add "$i1" netns "$NETNS_PREFIX-$h1" type veth peer name "$i2" netns "$NETNS_PREFIX-$h2"
	ifup "$h1" "$i1" "$a1"
	ifup "$h2" "$i2" "$a2"
}
# bridge HOST BRIDGE ADDR PORT...: ports that exist in HOST join a bridge
bridge() {
	local h=$1 br=$2 addr=$3 p
	shift 3
	ns "$h" ip link add "$br" type bridge forward_delay 0 mcast_snooping 0
	for p in "$@"; do ns "$h" ip link set "$p" master "$br" up; done
	ifup "$h" "$br" "$addr"
}
gateway() { # HOST: forwards both families
	ns "$1" sh -c 'cd /proc/sys/net && echo 1 >ipv4/ip_forward && echo 1 >ipv6/conf/all/forwarding'
}

# ---- processes ------------------------------------------------------------------------------------------
# spawn HOST NAME COMMAND...: in the background; output in $T/NAME.out and $T/NAME.err, pid in PID[NAME]
spawn() {
	local h=$1 name=$2
	shift 2
	nsenter --net="/run/netns/$NETNS_PREFIX-$h" -- "$@" >"$T/$name.out" 2>"$T/$name.err" </dev/null &
	PID[$name]=$!
}
# settled FILE: nothing is added to it any more
settled() {
	local before
	before=$(stat -c %s "$1")
	sleep 0.15
	[ "$(stat -c %s "$1")" = "$before" ]
}
# stop NAME [SIGNAL]: end it and wait.  INT is for those that listen: they may be behind on a busy machine.
stop() {
	local pid=${PID[$1]:-}
	[ -n "$pid" ] || return 0
	[ "${2:-}" != INT ] || wait_for 3 settled "$T/$1.out" || :
	kill -s "${2:-TERM}" "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	unset "PID[$1]"
}
listening() { [ -n "$(ns "$1" ss -Hln"$2" "sport = :$3")" ]; } # HOST t|u PORT
# serve HOST NAME KIND PORT [ARG...]: a server of peer.py, ready when this returns
serve() {
	local h=$1 name=$2 kind=$3 port=$4 l=t
	shift 4
	spawn "$h" "$name" python3 -u "$PEER" "$kind" "$port" "$@"
	[ "$kind" != udp-echo ] || l=u
	wait_for 5 listening "$h" $l "$port" || { cat "$T/$name.err"; echo "server $name did not start"; exit 1; }
}
peer() { local h=$1; shift; ns "$h" timeout 10 python3 "$PEER" "$@"; }
# A held connection to a line service: `session NAME HOST ADDR PORT [ARG...]`, `say NAME LINE`, `hang_up NAME`.
session() {
	local name=$1 h=$2 fd
	shift 2
	mkfifo "$T/$name.in"
	nsenter --net="/run/netns/$NETNS_PREFIX-$h" -- timeout 60 python3 "$PEER" tcp "$@" --timeout 60 \
		<"$T/$name.in" >"$T/$name.out" 2>"$T/$name.err" &
	PID[$name]=$!
	exec {fd}>"$T/$name.in"
	SESSION[$name]=$fd
	wait_for 3 has_line SSH "$T/$name.out" || { cat "$T/$name.err"; echo "no banner from $*"; return 1; }
}
say() { # and wait for the echo
	printf '%s\n' "$2" >&"${SESSION[$1]}"
	wait_for 2 has_line "^$2\$" "$T/$1.out"
}
hang_up() {
	local fd=${SESSION[$1]}
	exec {fd}>&-
	wait "${PID[$1]}" 2>/dev/null || :
	unset "PID[$1]"
}
# capture HOST IF NAME FILTER...: tcpdump as text in $T/NAME.out
capture() {
	local h=$1 dev=$2 name=$3
	shift 3
	spawn "$h" "$name" tcpdump -i "$dev" -nn -t -l --immediate-mode "$@"
	wait_for 5 has_line "listening on" "$T/$name.err"
}
certificate() { # a self-signed one in $T/tls.pem
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -days 2 \
		-keyout "$T/tls.key" -out "$T/tls.crt" 2>/dev/null
	cat "$T/tls.key" "$T/tls.crt" >"$T/tls.pem"
}

# ---- the engine under test ------------------------------------------------------------------------------
# The functions below act on host $GW: `ipt -S` or, for another host, `GW=other ipt -S`.
GW=gw
# What the kernel's own conntrack uses where Gatewarden's default is longer: only then are lines comparable.
NF_TIMEOUTS=(--set timeout.udp=30 --set timeout.udp_stream=120 --set timeout.icmp=30)

# start_gw INTERFACES [GWD-OPTION...]: the engine manages INTERFACES (comma separated) of host $GW
start_gw() {
	local ifs=$1
	shift
	if [ "$ENGINE" = nf ]; then
		# conntrack runs in a namespace only while a rule there asks for it
		ns "$GW" nft 'table inet oracle { chain c { type filter hook prerouting priority 300; ct state invalid continue; }; chain o { type filter hook output priority 300; ct state invalid continue; }; }'
		# and iptables-nft counts by policy only where a policy was set once
		local chain
		for chain in PREROUTING INPUT OUTPUT POSTROUTING; do ns "$GW" iptables -t nat -P $chain ACCEPT; done
		for chain in INPUT FORWARD OUTPUT; do ns "$GW" iptables -P $chain ACCEPT; done
		return
	fi
	mkdir -p "$T/run-$GW"
	: >>"$T/gwd-$GW.conf"
	: >>"$T/ruleset-$GW.nft"
	spawn "$GW" "gwd-$GW" "$GWD" --runtime-dir "$T/run-$GW" --pin-dir "$T/bpf/$GW" --config "$T/gwd-$GW.conf" \
		--ruleset "$T/ruleset-$GW.nft" --interface "$ifs" "${NF_TIMEOUTS[@]}" "$@"
	gw wait --timeout "${GW_WAIT_S:-10}" || { cat "$T/gwd-$GW.err"; echo "gwd did not become ready"; exit 1; }
}
gw() { GWCTL_SOCKET=$T/run-$GW/control.sock ns "$GW" "$GWCTL" "$@"; }
nf_or_gw() { local tool=$1; shift; if [ "$ENGINE" = nf ]; then ns "$GW" "$tool" "$@"; else gw "$tool" "$@"; fi; }
ipt() { nf_or_gw iptables "$@"; }
ip6t() { nf_or_gw ip6tables "$@"; }
iptsave() { nf_or_gw iptables-save "$@" | grep -v '^#'; } # comments carry version and date
ct() { nf_or_gw conntrack "$@" 2>/dev/null || :; }	  # conntrack(8) says "N flow entries" on stderr, exits 1 when there are none
on_gw() { [ "$ENGINE" = gw ]; }

# events NAME [CONNTRACK-OPTION...]: the event stream of $GW into $T/NAME.out; listening when this returns
events() {
	local name=$1
	shift
	if [ "$ENGINE" = nf ]; then
		spawn "$GW" "$name" conntrack -E "$@"
		wait_for 5 nf_listens
	else
		GWCTL_SOCKET=$T/run-$GW/control.sock spawn "$GW" "$name" "$GWCTL" conntrack -E "$@"
		wait_for 5 gw_listens
		gw status >/dev/null
	fi
}
nf_listens() { ns "$GW" awk '$2 == 12 && $4 != "00000000" { f = 1 } END { exit !f }' /proc/net/netlink; }
gw_listens() { ns "$GW" ss -Hx state connected src "$T/run-$GW/control.sock" | grep -q .; }

# Countdowns differ by the second in which they are read: a little below a default counts as the default.
norm_timeouts() {
	sed -E 's/portid=[0-9]+/portid=N/; s/ id=[0-9]+$/ id=N/; s/ use=[0-9]+/ use=1/' | # use: a reference count
		awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+$/ && $(i-1) ~ /^[0-9]+$/ && i <= 7) {
			n = split("10 30 60 120 300 600 432000", d, " ")
			for (j = 1; j <= n; j++) if ($i <= d[j] && $i > d[j] - (d[j] < 90 ? 10 : d[j] / 10)) { sub(" " $i " ", " " d[j] " "); break } } print }'
}
# rule_packets CHAIN-AND-ERE TEXT: the packet counter of the first `iptables-save -c` line that matches
rule_packets() { grep -E -m1 -- "$1" <<<"$2" | sed -E 's/^\[([0-9]+):.*/\1/'; }

# ---- running --------------------------------------------------------------------------------------------
cleanup() {
	local p h
	trap - ERR
	set +e
	for p in "${PID[@]}"; do kill "$p" 2>/dev/null; done
	for p in "${PID[@]}"; do wait "$p" 2>/dev/null; done
	for h in "${HOSTS[@]}"; do ip netns del "$NETNS_PREFIX-$h"; done
	umount -l "$T/bpf" 2>/dev/null
	rm -rf "$T"
}
# begin ENGINE [DIR]: an empty world with its own directory $T
begin() {
	ENGINE=$1
	T=${2:-$(mktemp -d "${TMPDIR:-/tmp}/gwt.XXXXXX")}
	HOSTS=()
	declare -gA PID=() SESSION=()
	trap cleanup EXIT
	trap 'exit 130' INT TERM
	mkdir -p "$T/bpf"
	if on_gw; then mount -t bpf bpf "$T/bpf"; fi
}
daemons_were_sound() { # what a sanitizer says, it says at the end
	local name report
	for name in "${!PID[@]}"; do
		case $name in gwd-*) stop "$name" ;; esac
	done
	report=$(grep -hE 'Sanitizer|runtime error:' "$T"/gwd-*.err 2>/dev/null || :)
	[ -z "$report" ] || fail - "gwd's memory" "$report"
}
run_one() { # ENGINE FUNCTION: in a subshell
	set -e
	begin "$1"
	trap 'printf "FAIL [%s] stopped at %s:%s: %s\n" "$ENGINE" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND"' ERR
	set -E
	TRANSCRIPT=$TRANSCRIPTS/$ENGINE
	: >"$TRANSCRIPT"
	"$2"
	daemons_were_sound
	: >"$TRANSCRIPT.whole"
	exit $((FAILED > 0))
}
compare() { # what the two engines printed, if both came to the end; with the heading of each difference
	[ -e "$TRANSCRIPTS/nf.whole" ] && [ -e "$TRANSCRIPTS/gw.whole" ] || return 0
	diff -U 2 --show-function-line='^##' "$TRANSCRIPTS/nf" "$TRANSCRIPTS/gw" >"$TRANSCRIPTS/diff" && return 0
	echo "FAIL netfilter (-) and Gatewarden (+) print different bytes:"
	tail -n +3 "$TRANSCRIPTS/diff" | head -n 200
	return 1
}
engines() {
	local e rc bad=0
	[ "$(id -u)" = 0 ] || skip "needs root"
	need ip nsenter ss python3 curl
	: "${ENGINES:=nf gw}"
	if [ -n "${ONLY:-}" ]; then # the test is about one engine alone
		case " $ENGINES " in *" $ONLY "*) ENGINES=$ONLY ;; *) skip "is about $ONLY, and ENGINES=$ENGINES" ;; esac
	fi
	case " $ENGINES " in *" nf "*) need iptables conntrack nft ;; esac
	TRANSCRIPTS=$(mktemp -d "${TMPDIR:-/tmp}/gwt.XXXXXX")
	for e in $ENGINES; do
		set +e # and not `if`: a condition would switch errexit off inside
		(run_one "$e" "$1")
		rc=$?
		set -e
		[ $rc -ne 130 ] || { rm -rf "$TRANSCRIPTS"; exit 130; }
		[ $rc -eq 0 ] || bad=1
	done
	compare || bad=1
	[ -z "${SHOW_TRANSCRIPT:-}" ] || cat "$TRANSCRIPTS/${ENGINES##* }"
	rm -rf "$TRANSCRIPTS"
	[ $bad -eq 0 ] || exit 1
}
