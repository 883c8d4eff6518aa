#!/usr/bin/env bash
# Runs the command in poor and hostile surroundings: few descriptors, little memory, files that may not grow, full
# disks, closed streams, no home, no working folder. Whatever happens it must end by itself, in time, without a signal;
# where it does not end well, it must say so in a line that begins with 'trit: '; and nothing half written may stay.
#
#   Scripts/test-surroundings.sh [PATH/trit [PATTERN]]    PATTERN: only what has such a name
set -uo pipefail
cd "$(dirname "$0")/.."
trit=$(readlink -f "${1:-.build/release/trit}")
[ -x "$trit" ] || { echo "error: there is no $trit; build it first: make build" >&2; exit 66; }
pattern=${2:-.}
work=$(mktemp -d)
mounted=
cleanup() {
  [ -n "$mounted" ] && umount "$mounted" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
export TRITLAB_MODEL= HOME="$work/home" XDG_CACHE_HOME="$work/cache" SWIFT_BACKTRACE=enable=no
mkdir -p "$HOME" "$work/out"
ulimit -c 0
cases=0
faults=0
unstarted=0

fault() {
  faults=$((faults + 1))
  printf 'FAULT %s: %s\n' "$1" "$2"
  sed 's/^/      /' "$work/err" 2>/dev/null | head -5
}

# attempt NAME WANTED SHELL…: runs a line of bash in which $trit is the command. WANTED is what its exit may be:
# any (0, or another with a message), bad (not 0, with a message), good (0), silent (no message can be seen).
attempt() {
  local name=$1 wanted=$2 line=$3 status
  [[ $name =~ $pattern ]] || return 0
  cases=$((cases + 1))
  : >"$work/err"
  # The error stream is a pipe: a limit on files must not swallow the message.
  (cd "$work" && trit=$trit work=$work timeout -k 5 60 bash -c "$line" </dev/null 2>&1 >"$work/stdout") 2>&1 |
    cat >"$work/err"
  status=${PIPESTATUS[0]}
  if [ $status -eq 127 ] && grep -q 'error while loading shared libraries' "$work/err"; then
    # The system's loader came to nothing before the program began.
    unstarted=$((unstarted + 1))
  elif [ $status -eq 124 ] || [ $status -eq 137 ]; then
    fault "$name" "does not end"
  elif [ $status -ge 128 ] && [ $status -ne 130 ] && [ $status -ne 141 ]; then
    fault "$name" "died of signal $((status - 128))"
  elif [ "$wanted" = good ] && [ $status -ne 0 ]; then
    fault "$name" "ended with $status, should have gone well"
  elif [ "$wanted" = bad ] && [ $status -eq 0 ]; then
    fault "$name" "ended with 0, should have failed"
  elif [ $status -ne 0 ] && [ "$wanted" != silent ] && ! grep -q '^trit: ' "$work/err"; then
    fault "$name" "ended with $status and no message"
  elif grep -qE 'Fatal error|\*\*\* Program crashed|Backtrace' "$work/err"; then
    fault "$name" "a trap"
  fi
  local left
  left=$(find "$work" -name '*.partial-*' -print -quit)
  if [ -n "$left" ]; then
    fault "$name" "left ${left#"$work"/}"
    find "$work" -name '*.partial-*' -delete
  fi
  rm -rf "$work/out"
  mkdir -p "$work/out"
}

# What is run everywhere: something of each kind.
cat >"$work/x.yaml" <<'EOF'
name: small
model: builtin:tiny
reference: none
threads: 1
base: {kernel: reference}
measure: {generate: {prompts: [Once], tokens: 2}}
EOF
cat >"$work/t.yaml" <<'EOF'
name: small
output: out/model
data: {train: text.txt, tokens: 4000, valid-tokens: 300}
tokenizer: {vocabulary: 300, bytes: 4000}
model: {block: bitnet, hidden: 32, feed-forward: 32, layers: 1, heads: 2, context: 16}
optimisation: {steps: 4, batch: 1, length: 16, rate: 0.002, warmup: 1}
checkpoint: {every: 2}
seed: 1
EOF
for _ in $(seq 800); do echo -n "once upon a time the cat sat on the mat and "; done >"$work/text.txt"
declare -A commands=(
  [list]='"$trit" list'
  [inspect]='"$trit" inspect builtin:tiny'
  [tokenize]='"$trit" tokenize -m builtin:tiny -p "Once upon"'
  [generate]='"$trit" generate -m builtin:tiny -p Once -n 4 -t 1'
  [threads]='"$trit" generate -m builtin:tiny -p Once -n 4 -t 8'
  [perplexity]='"$trit" perplexity -m builtin:tiny -f text.txt -c 64 --chunks 2 -t 1'
  [export]='"$trit" export -m builtin:tiny -o out/x.gguf'
  [dummy]='"$trit" dummy --preset large --layers 1 -o out/d.gguf'
  [run]='"$trit" run x.yaml -o out'
  [train]='"$trit" train t.yaml -o out/model -t 1'
)
order="list inspect tokenize generate threads perplexity export dummy run train"

for name in $order; do attempt "$name" good "${commands[$name]}"; done
# -n: descriptors; -v: address space, KiB; -f: size of a file, KiB; -s: stack, KiB.
for limit in 'n 3' 'n 4' 'n 5' 'n 6' 'n 8' 'n 12' 'n 20' \
  'v 100000' 'v 150000' 'v 200000' 'v 260000' 'v 400000' 'v 700000' 'v 1500000' \
  'f 0' 'f 1' 'f 16' 'f 256' 's 256' 's 1024'; do
  for name in $order; do attempt "ulimit -$limit; $name" any "ulimit -$limit; ${commands[$name]}"; done
done
for name in $order; do
  command=${commands[$name]}
  attempt "$name, closed input" good "$command <&-"
  attempt "$name, closed output" silent "$command >&-"
  attempt "$name, closed error stream" good "$command 2>&-"
  attempt "$name, all closed" silent "$command <&- >&- 2>&-"
  attempt "$name, full error stream" good "$command 2>/dev/full"
  attempt "$name, no home" good "unset HOME XDG_CACHE_HOME; $command"
  attempt "$name, home is no folder" good "HOME=/dev/null XDG_CACHE_HOME=/dev/null $command"
  attempt "$name, no temporary folder" good "TMPDIR=/does/not/exist $command"
  attempt "$name, bare environment" good "env -i \"$trit\" ${command#*\" }"
  attempt "$name, odd terminal" good "TERM= COLUMNS=0 LANG=xx LC_ALL=C $command"
done
for name in list inspect tokenize generate perplexity; do
  attempt "$name, full output" bad "${commands[$name]} >/dev/full"
  attempt "$name, reader that leaves" silent "set -o pipefail; ${commands[$name]} | true"
done
attempt "working folder that is gone" any 'mkdir gone; cd gone; rmdir ../gone; "$trit" list'
attempt "working folder that is gone, a model" any 'mkdir gone; cd gone; rmdir ../gone; "$trit" generate -m builtin:tiny -p a -n 1'
attempt "cache of keys and values beyond the limit" bad \
  'ulimit -v 2000000; "$trit" generate -m builtin:storyteller -c 16777216 -p Once -n 2 -t 1'
for path in /dev/null /dev/zero /dev/full / /proc/self/mem "$work/pipe" "$work/gone" ""; do
  [ "$path" = "$work/pipe" ] && mkfifo "$path"
  for command in "inspect" "generate -p a -m" "tokenize -p a -m" "run" "train" "perplexity -m builtin:tiny -f"; do
    attempt "$command '$path'" bad "\"$trit\" $command '$path'"
  done
done
for target in /dev/null/x /proc/x "$work/gone/x" "$work" ""; do
  attempt "export to '$target'" bad "\"$trit\" export -m builtin:tiny -o '$target'"
done

# A disk with room for a part of what is written, where this user may mount one.
mkdir -p "$work/disk"
if mount -t tmpfs -o size=256k tmpfs "$work/disk" 2>/dev/null; then
  mounted=$work/disk
  for name in export dummy run train; do
    attempt "$name, full disk" any "${commands[$name]//out/disk}"
    find "$work/disk" -mindepth 1 -delete
    head -c 1M /dev/zero >"$work/disk/full" 2>/dev/null
    attempt "$name, disk without a byte" bad "${commands[$name]//out/disk}"
    find "$work/disk" -mindepth 1 -delete
  done
else
  echo "note: full disks were not tried: this user may not mount a small one"
fi

echo "$cases surroundings, $unstarted of them too poor for the system's loader, $faults faults"
[ "$faults" -eq 0 ]
