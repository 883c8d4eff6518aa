#!/usr/bin/env bash
# Proves the NEON leaves without an ARM machine. Every C leaf is compiled for AArch64 by the toolchain's own
# clang, warnings being errors, and linked to Tests/LeafServer; qemu-user runs that as a CPU without dot
# products and as one with everything; and the law checkers, in Swift as ever, judge the kernels that
# multiply there (TRITLAB_LEAF_RUNNER, see LeafRunner). Needs a built trit and test bundle.
# TRITLAB_LEAF_RUNNER set beforehand, as "ssh board ./leaves", replaces the emulator.
set -euo pipefail
trit=$1
swift=$2
folder=.build/arm
leaves=$folder/leaves

mkdir -p "$folder"
echo "== compiling the leaves for AArch64" >&2
"${CLANG:-clang}" --target=aarch64-linux-gnu -std=c11 -O2 -Wall -Wextra -Werror -static -fuse-ld=lld \
  -ISources/CTritKernels/include Sources/CTritKernels/*.c Tests/LeafServer/server.c -o "$leaves"

# kernels RUNNER NAME…: the laws of linear kernels on the CPU that RUNNER gives.
kernels() {
  local runner=$1
  shift
  echo "== $runner: $*" >&2
  TRITLAB_LEAF_RUNNER=$runner "$trit" kernel check --tokens 1,9 "$@"
}

# The laws of heads and attention, and every float leaf against plain C. They are the same code on every
# AArch64, so one CPU will do.
suites='FloatLeafTests|VectorMathTests|KVCacheTests|OutputHeadTests/laws|AttentionTests/obeysTheLaws'
others() {
  echo "== $1: heads, attention, float leaves" >&2
  TRITLAB_LEAF_RUNNER=$1 "$swift" test -c release --disable-testable-imports --skip-build \
    --filter "$suites" | grep -E '✔.* (passed|with) |✘'
}

plain=(i2_s/neon tq2_0/neon trits_f32/neon int8/neon tl1/neon tl2/neon)
if [ -n "${TRITLAB_LEAF_RUNNER:-}" ]; then
  kernels "$TRITLAB_LEAF_RUNNER" "${plain[@]}"
  others "$TRITLAB_LEAF_RUNNER"
  exit
fi
a53="qemu-aarch64 -cpu cortex-a53 $leaves"
kernels "$a53" "${plain[@]}"
# What this CPU lacks must be refused, not run.
if TRITLAB_LEAF_RUNNER=$a53 "$trit" kernel check i2_s/neon-dotprod 2>/dev/null; then
  echo "error: cortex-a53 has no dot products, but its kernel ran" >&2
  exit 1
fi
kernels "qemu-aarch64 -cpu max $leaves" i2_s/neon-dotprod int8/neon-dotprod
others "$a53"
