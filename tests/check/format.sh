#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# House rule: C sources are formatted by .clang-format.
set -euo pipefail
cd "${GW_SOURCE:-$(dirname "$0")/../..}"
command -v clang-format >/dev/null || { echo "no clang-format"; exit 77; }
scripts/format --check
