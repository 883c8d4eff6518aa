#!/usr/bin/env bash
# Compares the speed of two builds of trit: pairs of runs in turn, the ratio new / old of each pair, and the median
# ratio with its 95 % interval (order statistics of the binomial distribution, no assumption on the noise).
#   bench-gate.sh OLD NEW [MODEL] [PAIRS] [trit bench arguments…]
# Every test of the arguments is judged by itself: `-p 512 -n 64 -t 1,2` are four. The gate is 0.97.
# Exit 0: no slower, no interval reaches below the gate; 1: slower, a whole interval lies below it; 2: cannot tell,
# an interval holds it and more pairs are needed; 3: a run failed; 64: wrong arguments.
set -euo pipefail

if [ $# -lt 2 ] || [ -z "$1" ]; then
  echo "usage: make bench-gate OLD=PATH/trit [MODEL=…] [PAIRS=15] [BENCH='-p 128 -n 64 -t 1']" >&2
  echo "bench-gate: OLD names a trit that was built before, as" >&2
  echo "  git worktree add ../before main~1 && (cd ../before && swift build -c release --product trit)" >&2
  echo "  make bench-gate OLD=../before/.build/release/trit" >&2
  exit 64
fi
old=$1 new=$2 model=${3:-builtin:storyteller} pairs=${4:-15}
shift $(($# < 4 ? $# : 4))
[ $# -gt 0 ] || set -- -p 128 -n 64 -t 1
for program in "$old" "$new"; do
  if [ ! -f "$program" ] || [ ! -x "$program" ]; then
    echo "bench-gate: $program is not a program; OLD names a trit that was built before, as" >&2
    echo "  git worktree add ../before main~1 && (cd ../before && swift build -c release --product trit)" >&2
    echo "  make bench-gate OLD=../before/.build/release/trit" >&2
    exit 64
  fi
done
case $pairs in '' | *[!0-9]*) echo "bench-gate: PAIRS is a number, not '$pairs'" >&2; exit 64 ;; esac
if [ "${#pairs}" -gt 6 ] || [ "$((10#$pairs))" -lt 15 ]; then
  echo "bench-gate: PAIRS is 15…999999, not $pairs; fewer give no 95 % interval worth the name" >&2
  exit 64
fi
pairs=$((10#$pairs))
if [ "$old" -ef "$new" ]; then
  echo "bench-gate: OLD and the new build are the same file; the ratio shows the noise alone" >&2
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
results=$folder/results
measure() { # PROGRAM LABEL PAIR, then the arguments of trit bench
  local program=$1 label=$2 pair=$3
  shift 3
  if ! "$program" bench -m "$model" -r 1 -o jsonl "$@" >"$folder/rows" 2>"$folder/errors"; then
    [ -t 2 ] && printf '\r\033[K' >&2
    echo "bench-gate: the $label build failed: $program bench -m $model -r 1 -o jsonl $*" >&2
    sed 's/^/  /' "$folder/errors" | tail -n 5 >&2
    exit 3
  fi
  sed "s/^/$pair $label /" "$folder/rows" >>"$results"
}
: >"$results"
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
  # The value of a key in a line of JSON: digits, or the text between quotes; nothing for null and absence.
  function field(key,   at, rest) {
    at = index($0, "\"" key "\":")
    if (!at) return ""
    rest = substr($0, at + length(key) + 3)
    sub(/^ */, "", rest)
    if (match(rest, /^"[^"]*"/)) return substr(rest, 2, RLENGTH - 2)
    if (match(rest, /^[0-9.eE+-]+/)) return substr(rest, 1, RLENGTH)
    return ""
  }
  /^[0-9]+ (old|new) *\{/ {
    run = $1 " " $2
    if (run != last) { last = run; split("", seen) }
    key = ""
    if (field("n_prompt") > 0) key = "pp" (field("n_prompt") + 0)
    if (field("n_gen") > 0) key = key (key == "" ? "" : "+") "tg" (field("n_gen") + 0)
    if (field("n_depth") > 0) key = key " @ d" (field("n_depth") + 0)
    if (field("n_threads") != "") key = key ", " (field("n_threads") + 0) " threads"
    # Kernels and heads in one run come in the order of the arguments, in both builds: their place tells them apart.
    if (++seen[key] > 1) key = key " #" seen[key]
    if (!(key in place)) { place[key] = ++tests; name[tests] = key }
    value[key, $1, $2] = field("avg_ts")
    if (field("disturbed") != "") disturbed++
    rows++
  }
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
    if (!tests) { print "bench-gate: no figures came out; try the bench command by hand"; exit 3 }
    for (test = 1; test <= tests; test++) {
      key = name[test]; n = 0
      for (i = 1; i <= pairs; i++)
        if (value[key, i, "old"] > 0 && value[key, i, "new"] > 0)
          ratio[++n] = value[key, i, "new"] / value[key, i, "old"]
      for (i = 2; i <= n; i++)
        for (j = i; j > 1 && ratio[j] < ratio[j - 1]; j--) { t = ratio[j]; ratio[j] = ratio[j - 1]; ratio[j - 1] = t }
      if (n < 15) { printf "%-22s only %d pairs gave figures\n", key, n; unsure = 1; continue }
      k = depth(n); low = ratio[k]; high = ratio[n + 1 - k]
      median = n % 2 ? ratio[(n + 1) / 2] : (ratio[n / 2] + ratio[n / 2 + 1]) / 2
      verdict = high < 0.97 ? "SLOWER" : low >= 0.97 ? "no slower" : "cannot tell"
      if (high < 0.97) slower = 1; else if (low < 0.97) unsure = 1
      printf "%-22s new / old %.3f, 95 %% %.3f to %.3f, %d pairs: %s\n", key, median, low, high, n, verdict
    }
    if (disturbed) printf "%d of %d runs shared their cores with other programs: a quiet machine needs fewer pairs\n", disturbed, rows
    if (slower) exit 1
    if (unsure) { printf "more pairs would tell: PAIRS=%d\n", 2 * pairs; exit 2 }
  }' "$results"
