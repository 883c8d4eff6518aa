#!/usr/bin/env bash
# Runs the lessons of notebooks/ as they are: each within a time limit, and held against what is committed.
#   Scripts/run-notebooks.sh TRIT [FILE…]
# Pages lie in docs/build/notebooks afterwards. LIMIT is the most seconds that a lesson may take (60).
set -euo pipefail
cd "$(dirname "$0")/.."
trit=$1
shift
lessons=("$@")
[ ${#lessons[@]} -gt 0 ] || lessons=(notebooks/[0-9]*.md)
mkdir -p docs/build/notebooks
"$trit" notebook run "${lessons[@]}" --check --limit "${LIMIT:-60}" --keep-going -o docs/build/notebooks/
