#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# House rule: shell scripts are shellcheck clean. What a fuzzer found is no script.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
command -v shellcheck >/dev/null || { echo "no shellcheck"; exit 77; }

mapfile -t scripts < <({ git ls-files ':!tests/fuzz/corpus' 2>/dev/null || find . -type f | sed 's,^\./,,'; } | while read -r file; do
	[ -f "$file" ] && head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*(bash|/sh)|^# shellcheck shell' && echo "$file"
done)
# SC1091, SC2034, SC2154: variables that come from or go to a sourced library
shellcheck -x -S warning -e SC1091,SC2034,SC2154 "${scripts[@]}"
