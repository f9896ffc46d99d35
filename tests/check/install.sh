#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What `cmake --install` puts where, and that it leaves the administrator's files alone.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
build=${GW_BUILD:-build}
[ -x "$build/ctl/gwd" ] || { echo "$build: not built"; exit 77; }
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
bad=0

DESTDIR=$dest cmake --install "$build" >"$dest.log" 2>&1 || { cat "$dest.log"; exit 1; }
rm -f "$dest.log"
while read -r file; do
	[ -n "$(find "$dest" -path "*/$file" -type f)" ] || { echo "not installed: $file" && bad=1; }
done <<'FILES'
sbin/gwd
bin/gwctl
lib/systemd/system/gatewarden.service
lib/sysusers.d/gatewarden.conf
lib/tmpfiles.d/gatewarden.conf
etc/gatewarden/gwd.conf
man/man8/gwd.8
man/man8/gwctl.8
man/man5/gw-ruleset.5
man/man7/gw-rfc.7
bash-completion/completions/gwctl
FILES
conf=$(find "$dest" -path '*/etc/gatewarden/gwd.conf')
echo '# mine' >"$conf"
DESTDIR=$dest cmake --install "$build" >/dev/null
grep -q '# mine' "$conf" || { echo "gwd.conf was overwritten" && bad=1; }
exit $bad
