# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lib.sh - what demo, test and install share: packages, building, output.
set -euo pipefail
# the distribution's tools first: that is what scripts/packages installs
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C.UTF-8
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# root reads a clone that belongs to a user
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' blue=$'\e[34m' plain=$'\e[0m'
else
	bold='' green='' red='' blue='' plain=''
fi
heading() { printf '\n%s%s%s\n' "$bold$blue" "$*" "$plain"; }
die() { printf '%s%s%s\n' "$red" "$*" "$plain" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "run it as root: sudo $0 $*"; }

# missing_packages SET...: the packages of scripts/packages that are not installed
missing_packages() {
	local set package sets=" $* "
	while IFS=$'\t' read -r set package _; do
		[[ $sets == *" $set "* ]] || continue
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done < <(grep -v '^#' "$source_dir/scripts/packages")
}
apt() { DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null; }
# install_packages SET...: say what is missing and install it; returns 1 if that cannot be done
install_packages() {
	local missing
	command -v dpkg-query >/dev/null || { echo "not a Debian machine: please install what scripts/packages lists"; return 0; }
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	echo "Installing Debian packages: ${missing[*]}"
	[ "$(id -u)" = 0 ] || { echo "that needs root: sudo apt-get install ${missing[*]}"; return 1; }
	quietly apt install -y --no-install-recommends "${missing[@]}" ||
		{ quietly apt update && quietly apt install -y --no-install-recommends "${missing[@]}"; }
}

# quietly COMMAND...: its output only if it fails
quietly() {
	local log rc=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 || rc=$?
	[ $rc -eq 0 ] || { printf '%s\n' "failed: $*"; tail -n 60 "$log"; } >&2
	rm -f "$log"
	return $rc
}

# A clone that belongs to a user stays his, also under sudo.
as_owner() {
	local uid gid
	read -r uid gid < <(stat -c '%u %g' "$source_dir")
	if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ]; then
		setpriv --reuid="$uid" --regid="$gid" --init-groups -- "$@"
	else
		"$@"
	fi
}
# build DIR [CMAKE-OPTION...]: all of it, or what TARGETS names
build() {
	local dir=$1
	shift
	# shellcheck disable=SC2086 # TARGETS is a list
	as_owner cmake -S "$source_dir" -B "$dir" "$@" && as_owner cmake --build "$dir" -j "$(nproc)" ${TARGETS:+--target $TARGETS}
}
# build_programs DIR: gwd and gwctl; leaves the options of a configured DIR as they are
build_programs() {
	local options=()
	[ -f "$1/CMakeCache.txt" ] || options=(-DGW_TESTS=OFF)
	TARGETS="gwd gwctl" build "$1" "${options[@]}"
}
