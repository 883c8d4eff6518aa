#!/usr/bin/env bash
# Compares the speed of two builds of trit: pairs of runs in turn, the ratio new / old of each pair, and the median
# ratio with its 95 % interval (order statistics of the binomial distribution, no assumption on the noise).
#   bench-gate.sh OLD NEW [MODEL] [PAIRS] [trit bench arguments…]
# Exit 0: no slower than 0.97 of OLD, or the interval holds 1; 1: slower, the whole interval lies below 0.97;
# 2: cannot tell, more pairs are needed; 64: wrong arguments.
set -euo pipefail

if [ $# -lt 2 ]; then
  echo "usage: make bench-gate OLD=PATH/trit [MODEL=…] [PAIRS=15] [BENCH='-p 128 -n 64 -t 1']" >&2
  exit 64
fi
old=$1 new=$2 model=${3:-builtin:storyteller} pairs=${4:-15}
shift $(($# < 4 ? $# : 4))
[ $# -gt 0 ] || set -- -p 128 -n 64 -t 1
for program in "$old" "$new"; do
  if [ ! -x "$program" ]; then
    echo "bench-gate: $program is not a program; OLD names a trit that was built before, as" >&2
    echo "  git worktree add ../before main~1 && (cd ../before && swift build -c release --product trit)" >&2
    echo "  make bench-gate OLD=../before/.build/release/trit" >&2
    exit 64
  fi
done
case $pairs in '' | *[!0-9]*) echo "bench-gate: PAIRS is a number, not '$pairs'" >&2; exit 64 ;; esac
if [ "$pairs" -lt 15 ]; then
  echo "bench-gate: at least 15 pairs; fewer give no 95 % interval worth the name" >&2
  exit 64
fi

results=$(mktemp)
trap 'rm -f "$results"' EXIT
measure() { # PROGRAM LABEL PAIR
  "$1" bench -m "$model" -r 1 -o jsonl "${@:4}" 2>/dev/null |
    sed -nE 's/.*"n_prompt": ?([0-9]+).*"n_gen": ?([0-9]+).*"avg_ts": ?([0-9.eE+-]+).*/\1+\2 \3/p' |
    sed "s/^/$3 $2 /" >>"$results"
}
for ((pair = 1; pair <= pairs; pair++)); do
  [ -t 2 ] && printf '\rpair %d of %d ' "$pair" "$pairs" >&2
  # Who comes first takes turns: a warming machine favours neither.
  if ((pair % 2)); then
    measure "$old" old "$pair" "$@"
    measure "$new" new "$pair" "$@"
  else
    measure "$new" new "$pair" "$@"
    measure "$old" old "$pair" "$@"
  fi
done
[ -t 2 ] && printf '\r\033[K' >&2

awk -v pairs="$pairs" '
  { key = $3; rank[key] = rank[key] ? rank[key] : ++tests; name[rank[key]] = key; value[key, $1, $2] = $4 }
  # The greatest k for which k or fewer of n fair coins come up with probability at most 0.025.
  function depth(n,   k, p, sum) {
    p = exp(-n * log(2)); sum = 0
    for (k = 0; k <= n; k++) {
      sum += p
      if (sum > 0.025) return k
      p = p * (n - k) / (k + 1)
    }
    return 0
  }
  END {
    if (!tests) { print "bench-gate: no figures came out; try the bench command by hand"; exit 2 }
    for (test = 1; test <= tests; test++) {
      key = name[test]; n = 0
      for (i = 1; i <= pairs; i++)
        if (value[key, i, "old"] > 0 && value[key, i, "new"] > 0)
          ratio[++n] = value[key, i, "new"] / value[key, i, "old"]
      for (i = 2; i <= n; i++)
        for (j = i; j > 1 && ratio[j] < ratio[j - 1]; j--) { t = ratio[j]; ratio[j] = ratio[j - 1]; ratio[j - 1] = t }
      if (n < 15) { printf "%-10s only %d pairs gave figures\n", key, n; unsure = 1; continue }
      k = depth(n); low = ratio[k > 0 ? k : 1]; high = ratio[n + 1 - (k > 0 ? k : 1)]
      median = n % 2 ? ratio[(n + 1) / 2] : (ratio[n / 2] + ratio[n / 2 + 1]) / 2
      verdict = high < 0.97 ? "SLOWER" : low >= 0.97 ? "no slower" : "cannot tell"
      if (high < 0.97) slower = 1; else if (low < 0.97) unsure = 1
      printf "%-10s new / old %.3f, 95 %% %.3f to %.3f, %d pairs: %s\n", key, median, low, high, n, verdict
    }
    if (slower) exit 1
    if (unsure) { printf "more pairs would tell: PAIRS=%d\n", 2 * pairs; exit 2 }
  }' "$results"
