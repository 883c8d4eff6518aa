#!/usr/bin/env bash
# Builds and tests every package below Examples/, each of which depends on this checkout by path.
#   Scripts/test-examples.sh SWIFT [OPTION…]     options go to 'swift test'
#
# They are built in this checkout's own .build: what 'make test' has compiled of the libraries is the same for a
# package that depends on them, and is not compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=$1
shift
found=0
for manifest in Examples/*/Package.swift; do
  [ -e "$manifest" ] || continue
  found=1
  folder=$(dirname "$manifest")
  echo "== $folder"
  "$swift" test --package-path "$folder" --scratch-path .build -c release --disable-testable-imports "$@"
done
[ $found = 1 ] || { echo "test-examples: there is no package below Examples/" >&2 && exit 1; }
