#!/usr/bin/env bash
# Writes the documentation to docs/build, offline:
#   index.html, …   pages that the built command makes of its lab and its tables, with the figures of plots/gallery
#   api/            a static site of the library's symbols, by the toolchain's DocC
set -euo pipefail
trit=$1
out=docs/build
rm -rf "$out"
mkdir -p "$out/figures"
cp plots/gallery/*.svg "$out/figures/"

# DocC without its package plugin, which would have to be fetched: dump the symbols, convert them.
symbols() {
  local docc graphs=.build/symbol-graphs
  docc=$(command -v docc || true)
  if [ -z "$docc" ]; then
    docc=$(dirname "$(readlink -f "$(command -v swift)")")/docc
  fi
  if [ ! -x "$docc" ]; then
    echo "docc is not beside swift: the symbols of the library are left out" >&2
    return 0
  fi
  rm -rf "$graphs"
  # The dump ends with an error where one target has no symbols to give (test bundles); what counts is
  # whether the library's graphs were written.
  swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members \
    > .build/symbol-graphs.log 2>&1 || true
  mkdir -p "$graphs"
  find -L .build -path "*/symbolgraph/Trit*.symbols.json" -newer "$out/figures" \
    -exec cp {} "$graphs" \;
  if [ ! -e "$graphs/TritLab.symbols.json" ]; then
    cat .build/symbol-graphs.log >&2
    return 1
  fi
  "$docc" convert --fallback-display-name TritLab --fallback-bundle-identifier tritlab.TritLab \
    --additional-symbol-graph-dir "$graphs" --output-dir "$out/api" \
    --transform-for-static-hosting > .build/docc.log 2>&1 || {
    cat .build/docc.log >&2
    return 1
  }
}

# Without the symbols: PAGES=1 make docs, in a second.
if [ -z "${PAGES:-}" ]; then symbols; fi
"$trit" help --html "$out"
