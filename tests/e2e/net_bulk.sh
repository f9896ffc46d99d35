#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# 100 MB down and up through SNAT and DNAT arrive byte for byte, with every combination of offloads.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools/net.sh"

MB=1000000
[ -z "${GW_IN_VM:-}" ] || MB=100000 # emulated processors are slow

bulk() {
	real_net
	start_gw lan,wan
	home_rules
	watch_leaks r near
	serve_bulk s remote 5001
	serve_bulk a inside 80
	serve s echo_s udp-echo 7000
	serve a echo_a udp-echo 80
	local row
	# A wrong pseudo-header sum hides while all devices leave checksums to each other: it shows when one
	# side computes them and the other does not.
	while read -r row; do
		[ -n "$row" ] || continue
		matrix_row "${row%%:*}" "${row#*:}"
	done <<-'ROWS'
	all offloads on:
	client sums itself: a/eth0 tx off
	gateway sums on the WAN: gw/wan tx off
	gateway sums on the LAN: gw/lan tx off
	server sums itself: s/eth0 tx off
	client and server sum: a/eth0 tx off s/eth0 tx off
	no GRO: gw/lan gro off gw/wan gro off a/eth0 gro off s/eth0 gro off
	GRO at the gateway: gw/lan gro on gw/wan gro on
	no GSO and TSO: a/eth0 gso off tso off s/eth0 gso off tso off
	gateway splits: gw/lan gso off tso off gw/wan gso off tso off
	nothing on: a/eth0 tx off gso off tso off gro off gw/lan tx off gso off tso off gro off gw/wan tx off gso off tso off gro off s/eth0 tx off gso off tso off gro off
	ROWS
	whole_100
	no_leaks
}
serve_bulk() {
	spawn "$1" "$2" python3 -u "$TOOLS/bulk.py" serve "$3"
	wait_for 15 listening "$1" t "$3" || { cat "$T/$2.err"; exit 1; }
}
move() { ns "$1" timeout 20 python3 "$TOOLS/bulk.py" "${@:2}"; }

offloads() { # "HOST/IF NAME on|off NAME on|off ..."
	local words=() host='' dev=''
	read -ra words <<<"$1"
	set -- "${words[@]}"
	while (($#)); do
		if [[ $1 == */* ]]; then
			host=${1%/*} dev=${1#*/}
			shift
		fi
		ns "$host" ethtool -K "$dev" "$1" "$2" >/dev/null 2>&1 || :
		shift 2
	done
}
reset_offloads() {
	offloads "a/eth0 tx on tso on gso on gro on gw/lan tx on tso on gso on gro off gw/wan tx on tso on gso on gro off s/eth0 tx on tso on gso on gro off"
}

# Both directions, through SNAT and through DNAT, both families, four at a time.
matrix_row() {
	local name=$1 job pids=() out=()
	reset_offloads
	offloads "$2"
	bursts "$name"
	local jobs=("a get $S4 5001" "a put $S4 5001" "a get $S6 5001" "a put $S6 5001"
		"s get $GW4 8080" "s put $GW4 8080" "s get $GW6 8080" "s put $GW6 8080")
	for job in "${jobs[@]}"; do
		# shellcheck disable=SC2086
		move $job $((6 * MB)) >"$T/job-${#pids[@]}" 2>&1 &
		pids+=($!)
		((${#pids[@]} % 4)) || wait "${pids[@]: -4}" || :
	done
	for job in "${!jobs[@]}"; do
		wait "${pids[job]}" || out+=("${jobs[job]}: $(cat "$T/job-$job")")
	done
	expect "-" "$name: all bytes arrive" "" "${out[*]}"
}

# Bursts of datagrams that the kernel splits late: they cross the gateway as one packet or as many.
bursts() {
	local job out=()
	for job in "a gso $S4 7000" "a gso $S6 7000" "s gso $GW4 8080" "s gso $GW6 8080"; do
		# shellcheck disable=SC2086
		move $job >"$T/burst" 2>&1 || out+=("$job: $(cat "$T/burst")")
	done
	expect "-" "$1: every datagram of a burst arrives" "" "${out[*]}"
}

whole_100() {
	reset_offloads
	expect_ok "-" "100 MB down through SNAT" move a get "$S4" 5001 $((100 * MB))
	expect_ok "-" "100 MB up through SNAT" move a put "$S4" 5001 $((100 * MB))
	expect_ok "-" "100 MB down through DNAT" move s get "$GW4" 8080 $((100 * MB))
	expect_ok "-" "100 MB up through DNAT, IPv6" move s put "$GW6" 8080 $((100 * MB))
	expect_ok "-" "100 MB down through SNAT, IPv6" move a get "$S6" 5001 $((100 * MB))
	expect_match "S30" "the server sees the gateway only" "^peer $GW4 " "$(sort -u "$T/remote.out")"
	expect_no_match "S30" "the server never sees the host" "peer (10\.|fd00)" "$(cat "$T/remote.out")"
	expect_no_match "S43" "the inside server sees the real clients" "peer ($GWL4|$GW4) " "$(cat "$T/inside.out")"
}

need ethtool tcpdump
scenarios bulk
