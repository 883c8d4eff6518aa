#!/usr/bin/env bash
# Runs what the documents show, from the text itself: every fenced block of the Markdown files, and every command in
# the comments of the experiment files.
#   Scripts/check-blocks.sh TRIT [FILE…]
#
# A block without a language, or of sh or bash, is run by bash; yaml is an experiment and is run; swift is compiled
# with the library and run. Any other block is an error, unless a mark stands before it, in Markdown as
# <!-- check: … -->, in YAML as a line # check: …
#   skip because REASON    not run; the reason is told
#   with OLD => NEW        run with NEW in place of OLD, which must be there
# Blocks run in a folder of their own with the names that the documents use: M, MODEL and PATH/TO/MODEL are models
# (PATH/TO/DENSE/MODEL a dense one), model.gguf a file, text.txt a text, experiments/ and plots/ copies, HOME an
# empty folder; 'trit' is the built program and 'make' that of this checkout. What is slow is made small by the
# table below. Options and commands of `trit …` and `make …` within lines are looked up, not run.
set -euo pipefail
# In new versions of bash '&' in a replacement means what was found; here it means itself.
shopt -u patsub_replacement 2>/dev/null || true
here=$(cd "$(dirname "$0")/.." && pwd)
trit=$1
shift
case $trit in /*) ;; *) trit=$here/$trit ;; esac

# Small settings: what experiment files and yaml blocks say, and what is run instead. sed -E; each must be found.
small='
s/tokens: [0-9]{2}\b/tokens: 8/
s/limit: [0-9]+/limit: 8/
s/repetitions: [0-9]+/repetitions: 2/
s/test:[0-9]+/test:3/
s/context: 128\}/context: 128, chunks: 2}/
s/chunks: [0-9]+/chunks: 2/
s/milliseconds: [0-9]+/milliseconds: 2/
s/tokens: \[1, 2, [0-9, ]*\]/tokens: [1, 64]/
s/ tokens: [0-9]{7} / tokens: 60000 /
s/valid-tokens: [0-9]+/valid-tokens: 8000/
s/bytes: [0-9]{7}/bytes: 600000/
s/steps: [0-9]+/steps: 4/
s/warmup: [0-9]+/warmup: 1/
s/sequences: [0-9]+/sequences: 4/
s/every: [0-9]+/every: 2/
'

cd "$here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -gt 0 ]; then
  files=("$@")
else
  # Every Markdown file outside the build, the runs and the history of changes; every experiment file.
  find . \( -path ./.build -o -path ./docs/build -o -path ./runs -o -path ./models -o -path ./.git \) -prune \
    -o -name '*.md' ! -name CHANGELOG.md ! -path '*/notebooks/[0-9]*' -print > "$work/list"
  find ./experiments -name '*.yaml' >> "$work/list"
  LC_ALL=C sort -u "$work/list" | sed 's|^\./||' > "$work/files"
  files=()
  while IFS= read -r file; do files+=("$file"); done < "$work/files"
  for file in README.md CONTRIBUTING.md experiments/quickstart.yaml; do
    grep -qxF "$file" "$work/files" || { echo "check-blocks: $file was not found" >&2 && exit 1; }
  done
fi
mkdir -p "$work/bin" "$work/home" "$work/PATH/TO/TERNARY" "$work/PATH/TO/DENSE" "$work/blocks"
models=$here/Sources/TritModel/Resources
for name in M MODEL PATH/TO/MODEL PATH/TO/TERNARY/MODEL; do ln -s "$models/storyteller" "$work/$name"; done
ln -s "$models/storyteller-fp" "$work/PATH/TO/DENSE/MODEL"
cp -R experiments plots "$work/"
cp experiments/data/little-stories.txt "$work/text.txt"
ln -s "$trit" "$work/bin/trit"
# Make works in the checkout, with the user's own home and no memory of the make that may have called this.
cat > "$work/bin/make" <<EOT
#!/bin/sh
HOME='$HOME' PATH='$PATH' exec make -C '$here' "\$@"
EOT
chmod +x "$work/bin/make"
unset MAKEFLAGS MFLAGS MAKELEVEL GOAL DESTDIR PREFIX MODEL OLD
while IFS= read -r name; do unset "$name"; done < <(env | sed -n 's/^\(TRITLAB_[A-Z_]*\)=.*/\1/p')

failures=0
complain() {
  failures=$((failures + 1))
  printf 'check-blocks: %s\n' "$@" >&2
}

smaller() { sed -E "$small" "$1" > "$1.small" && mv "$1.small" "$1"; }
while IFS= read -r rule; do
  [ -n "$rule" ] || continue
  find experiments -name '*.yaml' -print0 | xargs -0 cat | sed -nE "${rule}p" | grep -q . \
    || complain "the table of small settings has a line that finds nothing: $rule"
done <<< "$small"
while IFS= read -r file; do smaller "$file"; done < <(find "$work/experiments" -name '*.yaml')

# Cuts a file into blocks: blocks/N/{text,kind,place,marks}. Prints how many it found.
cut_markdown() {
  awk -v out="$work/blocks" -v file="$1" -v number="$2" '
    function start(kind) {
      number++; folder = out "/" number; system("mkdir -p " folder)
      print kind > (folder "/kind"); close(folder "/kind")
      print file ":" NR > (folder "/place"); close(folder "/place")
      printf "%s", marks > (folder "/marks"); close(folder "/marks")
      printf "" > (folder "/text"); marks = ""
    }
    inside && /^```[ \t]*$/ { inside = 0; close(folder "/text"); next }
    inside { print > (folder "/text"); next }
    /^```/ { inside = 1; kind = $0; sub(/^```[ \t]*/, "", kind); start(kind); next }
    /^<!-- check: .* -->$/ { mark = $0; sub(/^<!-- check: /, "", mark); sub(/ -->$/, "", mark); marks = marks mark "\n"; next }
    /[^ \t]/ { marks = "" }
    END { print number }' "$1"
}
cut_comments() {
  awk -v out="$work/blocks" -v file="$1" -v number="$2" '
    /^#    *[^ ]/ {
      if (!inside) {
        inside = 1; number++; folder = out "/" number; system("mkdir -p " folder)
        print "" > (folder "/kind"); close(folder "/kind")
        print file ":" NR > (folder "/place"); close(folder "/place")
        printf "%s", marks > (folder "/marks"); close(folder "/marks")
      }
      line = $0; sub(/^# */, "", line); print line > (folder "/text"); next
    }
    { if (inside) { inside = 0; close(folder "/text"); marks = "" } }
    /^# check: / { mark = $0; sub(/^# check: /, "", mark); marks = marks mark "\n"; next }
    /^#?[ \t]*$/ { next }
    { marks = "" }
    END { print number }' "$1"
}

bounded() { if command -v timeout >/dev/null 2>&1; then timeout 900 "$@"; else "$@"; fi; }
surroundings() {
  (cd "$work" && PATH="$work/bin:$PATH" HOME="$work/home" XDG_CACHE_HOME="$work/home/.cache" NO_COLOR=1 bounded "$@" < /dev/null)
}

run_swift() {
  local release=${trit%/*} list=$work/objects
  grep -v '/trit\.build/' "$release/trit.product/Objects.LinkFileList" > "$list"
  cp "$1" "$work/main.swift"
  # The modules and objects of the build are taken as they are: a package of its own would compile them all again.
  # shellcheck disable=SC2046 # lists of words
  (cd "$work" && "${SWIFTC:-swiftc}" -swift-version 6 -O main.swift -o example -I "$release/Modules" \
    -Xcc -fmodule-map-file="$release/CTritKernels.build/module.modulemap" \
    -Xcc -fmodule-map-file="$here/Sources/CTritPlugin/include/module.modulemap" \
    -Xcc -fmodule-map-file="$here/Sources/CYaml/module.modulemap" \
    $(pkg-config --cflags-only-I yaml-0.1 | sed 's/-I/-Xcc -I/g') \
    "@$list" $(pkg-config --libs yaml-0.1)) && surroundings ./example
}

run_yaml() {
  cp "$1" "$work/experiments/block.yaml"
  smaller "$work/experiments/block.yaml"
  local words=(run experiments/block.yaml)
  grep -qE '^model:' "$1" || words+=(--set model=M)
  surroundings trit "${words[@]}"
}

# run N: one block, its output in blocks/N/log.
run() {
  local folder=$work/blocks/$1 kind status=0
  kind=$(cat "$folder/kind")
  case $kind in
    '' | sh | bash) surroundings bash -euo pipefail "$folder/text" ;;
    yaml) run_yaml "$folder/text" ;;
    swift) run_swift "$folder/text" ;;
    *)
      echo "a block of '$kind' cannot be run: mark it with 'check: skip because …'"
      return 1
      ;;
  esac > "$folder/log" 2>&1 || status=$?
  # A figure that was asked for and not drawn is no error of the run; here it is one.
  if grep -E "^note: plot '" "$folder/log"; then return 1; fi
  return $status
}

"$trit" export -m "$models/storyteller" -o "$work/model.gguf" > "$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}

count=0
ran=0
skipped=0
for file in "${files[@]}"; do
  before=$count
  case $file in
    *.md)
      count=$(cut_markdown "$file" "$count")
      fences=$(grep -c '^```' "$file" || true)
      [ "$fences" -eq $((2 * (count - before))) ] || complain "$file: $fences fences, but $((count - before)) blocks"
      ;;
    *.yaml)
      count=$(cut_comments "$file" "$count")
      [ "$count" -gt "$before" ] || complain "$file: no command in its comments says how it is run"
      ;;
    *) complain "$file: expected a Markdown or YAML file" ;;
  esac
  for ((number = before + 1; number <= count; number++)); do
    folder=$work/blocks/$number
    place=$(cat "$folder/place")
    reason=''
    while IFS= read -r mark; do
      case $mark in
        'skip because '?*) reason=${mark#skip because } ;;
        'with '?*' => '*)
          old=${mark#with }
          new=${old#* => }
          old=${old%% => *}
          text=$(cat "$folder/text")
          case $text in
            *"$old"*) printf '%s\n' "${text//"$old"/$new}" > "$folder/text" ;;
            *) complain "$place: the mark replaces what is not there: $old" ;;
          esac
          ;;
        *) complain "$place: unknown mark: $mark (expected: skip because …, with OLD => NEW)" ;;
      esac
    done < "$folder/marks"
    if [ -n "$reason" ]; then
      skipped=$((skipped + 1))
      echo "$place: not run: $reason"
      continue
    fi
    ran=$((ran + 1))
    began=$SECONDS
    if run "$number" > "$folder/said" 2>&1; then
      echo "$place: ran in $((SECONDS - began)) s"
    else
      complain "$place: the block failed:"
      { sed 's/^/    /' "$folder/text"; echo "  and said:"; cat "$folder/said"; tail -n 25 "$folder/log" 2>/dev/null; } >&2
    fi
  done
  # Commands within lines: the subcommand, each option and each target must exist.
  case $file in *.md) ;; *) continue ;; esac
  while IFS= read -r span; do
    read -ra words <<< "$span"
    if [ "${words[0]}" = make ]; then
      [[ ${words[1]-} =~ ^[a-z-]+$ ]] || continue
      grep -qE "^${words[1]}:" Makefile || complain "$file: there is no such target: $span"
      continue
    fi
    [[ ${words[1]-} =~ ^[a-z]+$ ]] || continue
    if ! help=$("$trit" "${words[1]}" --help 2>&1); then
      complain "$file: there is no such command: $span"
      continue
    fi
    for word in "${words[@]:2}"; do
      [[ $word =~ ^--?[a-z] ]] || continue
      word=${word%%=*}
      grep -qE -- "(^|[ ,])${word/--no-/--(\\[no-\\]|no-)?}([ ,]|\$)|--\[no-\]${word#--}" <<< "$help" \
        || complain "$file: 'trit ${words[1]}' has no option $word: $span"
    done
  done < <(grep -oE '`(trit|make) [^`]*`' "$file" | tr -d '`' | LC_ALL=C sort -u || true)
done

echo "blocks: $count in ${#files[@]} files, $ran run, $skipped marked as not to run, $failures complaints"
[ "$failures" -eq 0 ]
