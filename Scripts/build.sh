#!/usr/bin/env bash
# Runs a build, and says what to do where it fails for reasons that are not in the sources.
#   Scripts/build.sh SWIFT build -c release …
set -euo pipefail
again="make ${GOAL:-build}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$@" 2>&1 | tee "$log" >&2; then
  exit 0
fi
says() { grep -m 1 -iE "$1" "$log" | cut -c 1-160; }
{
  if line=$(says 'no space left on device|disk quota exceeded'); then
    echo "error: the disk is full: $line"
    echo "  See which: df -h . ${TMPDIR:-/tmp}"
    echo "  Make room (an earlier build is removed by 'make clean'), then: $again"
  elif line=$(says 'signal 9|\(9\)|signal: 9|^killed|out of memory|cannot allocate memory'); then
    echo "error: the compiler was killed, as a rule for want of memory: $line"
    echo "  Free some (see who has it: top -o %MEM), or compile one file after the other: $again JOBS=1"
  elif line=$(says "cblas\.h' file not found|yaml\.h' file not found|could not build (C )?module '(COpenBLAS|CYaml)'"); then
    echo "error: a library's header was not found: $line"
    echo "  pkg-config must know where it is:  pkg-config --cflags openblas yaml-0.1"
    echo "  Homebrew: export PKG_CONFIG_PATH=\"\$(brew --prefix openblas)/lib/pkgconfig\""
    echo "  Then: make clean && $again"
  elif line=$(says 'malformed|module file was created by|compiled with a (newer|different)|precompiled file .* (was|has)'); then
    echo "error: an earlier build by another toolchain is in the way: $line"
    echo "  Begin anew: make clean && $again"
  fi
} >&2
exit 1
