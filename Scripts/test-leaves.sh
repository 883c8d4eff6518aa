#!/usr/bin/env bash
# Calls every C leaf that this CPU has at every shape of a sweep, with each buffer against a page that must not be
# touched (Tests/LeafGuard): as the leaves are compiled for the command, whose compiler makes vectors of plain loops,
# and under clang's undefined-behaviour sanitizer. What was compiled before is kept.
#
#   Scripts/test-leaves.sh [plain] [trap] [tell]
#
# `trap` ends at once and names the case; its messages would make unrolled leaves ten times as large, and clang as
# slow. `tell` has them.
set -euo pipefail
cd "$(dirname "$0")/.."
# The Swift toolchain's clang has the sanitizer's library beside it.
export clang=${CLANG:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
[ -x "$clang" ] || clang=clang
[ $# -gt 0 ] || set -- plain trap

compile() {
  local object="$folder/$(basename "$1" .c).o"
  # A header may be in any of them.
  if [ -f "$object" ] && [ -z "$(find Sources/CTritKernels Tests/LeafGuard -newer "$object" \
    \( -name '*.h' -o -path "$1" \) -print -quit)" ]; then
    return
  fi
  # shellcheck disable=SC2086
  "$clang" $flags -c "$1" -o "$object.part" && mv "$object.part" "$object"
}
export -f compile

for mode in "$@"; do
  case $mode in
  plain) checks="-O2" ;;
  trap) checks="-O1 -fsanitize=undefined,float-cast-overflow -fsanitize-trap=all" ;;
  tell) checks="-O1 -fsanitize=undefined,float-cast-overflow -fno-sanitize-recover=all" ;;
  *) echo "error: unknown way '$mode'; plain, trap or tell" >&2; exit 64 ;;
  esac
  export folder=.build/leaves/$mode
  # Loops that the sanitizer keeps from becoming vectors are no fault.
  export flags="-std=c11 -g1 -Wall -Wextra -Werror -Wno-pass-failed $checks -ISources/CTritKernels/include"
  mkdir -p "$folder"
  printf '%s\n' Sources/CTritKernels/*.c Tests/LeafGuard/guard.c |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} bash -c 'compile "$1"' _ {}
  # shellcheck disable=SC2086
  "$clang" $flags "$folder"/*.o -lm -o "$folder/guard"
  echo "== $mode"
  UBSAN_OPTIONS=print_stacktrace=1 "$folder/guard"
done
