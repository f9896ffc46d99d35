#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# S72: the service starts at boot, before the network is up, says when it is ready, and is confined.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
unit=ctl/unit/gatewarden.service
[ -f $unit ] || { echo "no $unit"; exit 77; }
bad=0
while read -r line; do
	grep -Eq "^$line" $unit || { echo "$unit: no line like $line" && bad=1; }
done <<'LINES'
Type=notify
Before=.*network-pre\.target
Wants=.*network-pre\.target
ExecReload=
WatchdogSec=
CapabilityBoundingSet=
NoNewPrivileges=(yes|true)
ProtectSystem=(strict|full)
WantedBy=(multi-user|sysinit|network-pre|network)\.target
LINES
exit $bad
