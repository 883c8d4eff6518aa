#!/usr/bin/env bash
# Installs a built trit, or takes it away again:
#
#   Scripts/install.sh install TRIT PREFIX     make install PREFIX=…
#   Scripts/install.sh uninstall PREFIX        make uninstall PREFIX=…
#
# Below PREFIX: bin/trit, share/trit (built-in models, plot templates, experiments, the commit), include/trit_kernel.h and
# lib/trit/modules (for plug-ins), completions for bash, zsh and fish, pages for man, the licence. share/trit/manifest
# lists every file and every folder that was made, so that uninstalling leaves nothing and removes nothing else. The
# program finds share/trit from where it lies itself: it needs neither the checkout nor a variable, and may be called
# by a link. DESTDIR in the environment stands before PREFIX, for packages that are built in a folder of their own.
set -euo pipefail

fail() {
  printf 'install: error: %s\n' "$1" >&2
  shift
  if [ $# -gt 0 ]; then printf '  %s\n' "$@" >&2; fi
  exit 1
}

# root PREFIX: the folder that is meant, absolute. Make hands on ~ as it was written.
root() {
  local prefix=$1
  case $prefix in
    '') fail "PREFIX is empty" "say where to install: make install PREFIX=\$HOME/.local" ;;
    '~' | '~/'*) prefix=$HOME${prefix#'~'} ;;
    /*) ;;
    *) prefix=$PWD/$prefix ;;
  esac
  while [ "$prefix" != / ] && [ "${prefix%/}" != "$prefix" ]; do prefix=${prefix%/}; done
  printf '%s\n' "${DESTDIR:-}$prefix"
}

manifest=share/trit/manifest

# entries KIND FILE: the paths of a manifest; f are files, d folders.
entries() { if [ -f "$2" ]; then sed -n "s/^$1 //p" "$2"; fi; }

# A line that would lead out of the folder is no line of ours.
check_manifest() {
  if grep -qE '^[fd] (.*/)?\.\.(/|$)|^[fd] /|^[^fd]' "$1"; then
    fail "the list of installed files is damaged: $1" "remove its files by hand"
  fi
}

# Folders of a list, the deepest first, as far as they are empty; the dot is the root itself.
remove_folders() {
  LC_ALL=C sort -r | while IFS= read -r folder; do
    if [ "$folder" = . ]; then folder=$1; else folder=$1/$folder; fi
    rmdir "$folder" 2>/dev/null || true
  done
}

uninstall() {
  local root list
  root=$(root "$1")
  list=$root/$manifest
  [ -f "$list" ] || fail "there is no trit of 'make install' in $root" \
    "expected: $list" "name the folder that it was installed to: make uninstall PREFIX=…"
  check_manifest "$list"
  [ -w "$root/share/trit" ] || fail "cannot write to $root/share/trit" \
    "with its owner's rights: sudo $0 uninstall $1"
  local folders
  folders=$(entries d "$list")
  entries f "$list" | while IFS= read -r file; do rm -f "$root/$file" "$root/$file.trit-new"; done
  rm -f "$list"
  printf '%s\n' "$folders" | remove_folders "$root"
  echo "removed trit from $root"
}

# The first folder above $1 that is there.
existing() {
  local folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  printf '%s\n' "$folder"
}

install() {
  local trit=$1 root list
  root=$(root "$2")
  list=$root/$manifest
  [ -x "$trit" ] || fail "there is no program at $trit" "build it first: make build"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT

  # What goes where: source, path below the root, mode.
  : > "$work/plan"
  plan() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >> "$work/plan"; }
  plan "$trit" bin/trit 755
  local folder file name
  while IFS= read -r file; do
    plan "$file" "share/trit/models/${file#Sources/TritModel/Resources/}" 644
  done < <(find Sources/TritModel/Resources -type f ! -name '.*' | LC_ALL=C sort)
  for file in plots/*.gp; do plan "$file" "share/trit/$file" 644; done
  while IFS= read -r file; do
    plan "$file" "share/trit/$file" 644
  done < <(find experiments -type f ! -name '.*' | LC_ALL=C sort)
  "$trit" completions bash > "$work/bash"
  plan "$work/bash" share/bash-completion/completions/trit 644
  "$trit" completions zsh > "$work/zsh"
  plan "$work/zsh" share/zsh/site-functions/_trit 644
  "$trit" completions fish > "$work/fish"
  plan "$work/fish" share/fish/vendor_completions.d/trit.fish 644
  "$trit" help --man > "$work/trit.1"
  plan "$work/trit.1" share/man/man1/trit.1 644
  for name in $("$trit" help --man | sed -n 's/^\\fBtrit\\-\(.*\)\\fR(1)$/\1/p' | sort -u); do
    "$trit" help --man "$name" > "$work/trit-$name.1"
    plan "$work/trit-$name.1" "share/man/man1/trit-$name.1" 644
  done
  plan LICENSE share/doc/trit/LICENSE 644
  # What plug-ins are compiled with: the header of C kernels, and the modules that the program was built of.
  plan Sources/CTritPlugin/include/trit_kernel.h include/trit_kernel.h 644
  local module
  for folder in Sources/Trit*/; do
    module=$(basename "$folder").swiftmodule
    file=$(dirname "$trit")/Modules/$module
    [ ! -f "$file" ] || plan "$file" "lib/trit/modules/$module" 644
  done
  "$trit" --version | sed -n 's/^commit: //p' > "$work/commit"
  plan "$work/commit" share/trit/commit 644

  # Nothing is written before all of it can be.
  if [ -f "$list" ]; then check_manifest "$list"; fi
  entries f "$list" > "$work/old-files"
  entries d "$list" > "$work/old-folders"
  local above target
  while IFS=$'\t' read -r file target _; do
    if [ -e "$root/$target" ] || [ -L "$root/$target" ]; then
      grep -qxF -- "$target" "$work/old-files" || fail "a file of somebody else is in the way: $root/$target" \
        "it did not come from 'make install'; move it away, or install elsewhere: make install PREFIX=…"
    fi
    above=$(existing "$(dirname "$root/$target")")
    [ -w "$above" ] || fail "cannot write to $above" \
      "install where you may write:  make install PREFIX=\$HOME/.local" \
      "or with more rights:          sudo $0 install $trit $2"
  done < "$work/plan"
  local needed free
  needed=$(cut -f1 "$work/plan" | tr '\n' '\0' | xargs -0 cat | wc -c)
  free=$(df -Pk "$(existing "$root")" | awk 'NR == 2 { print $4 }')
  [ "$free" -gt $((needed / 1024 + 1024)) ] || fail "the disk is full: $root" \
    "needed: $((needed / 1048576 + 1)) MB, free: $((free / 1024)) MB" "make room, or install elsewhere: make install PREFIX=…"

  # The list is there before the first file, so that whatever happens can be undone.
  cp "$work/old-folders" "$work/folders"
  [ -d "$root" ] || echo . >> "$work/folders"
  cut -f2 "$work/plan" > "$work/files"
  echo "$manifest" >> "$work/files"
  while IFS= read -r target; do
    folder=$(dirname "$target")
    while [ "$folder" != . ] && [ ! -d "$root/$folder" ]; do
      echo "$folder" >> "$work/folders"
      folder=$(dirname "$folder")
    done
  done < "$work/files"
  write_manifest() {
    { sed 's/^/d /' "$work/folders"; sed 's/^/f /' "$@"; } | LC_ALL=C sort -u | grep -vxF "f $manifest" > "$work/manifest"
    cp "$work/manifest" "$list.new" && mv -f "$list.new" "$list"
  }
  mkdir -p "$root/share/trit"
  write_manifest "$work/files" "$work/old-files"
  trap 'rm -rf "$work"; echo "install: error: stopped half way; to undo: $0 uninstall $2" >&2' EXIT
  local mode
  while IFS=$'\t' read -r file target mode; do
    mkdir -p "$(dirname "$root/$target")"
    # By way of a new file, since a program that runs cannot be written to.
    cp "$file" "$root/$target.trit-new"
    chmod "$mode" "$root/$target.trit-new"
    mv -f "$root/$target.trit-new" "$root/$target"
  done < "$work/plan"
  # What an older version had and this one has not.
  LC_ALL=C sort -u "$work/files" > "$work/files.sorted"
  LC_ALL=C sort -u "$work/old-files" | comm -23 - "$work/files.sorted" | while IFS= read -r file; do
    rm -f "$root/$file"
  done
  write_manifest "$work/files"
  trap 'rm -rf "$work"' EXIT

  echo "installed trit in $root ($((needed / 1048576 + 1)) MB); to remove it: make uninstall PREFIX=$(printf %q "$2")"
  if [ -z "${DESTDIR:-}" ]; then
    case ":$PATH:" in
      *":$root/bin:"*) ;;
      *) echo "it is not on your PATH yet: export PATH=\"$root/bin:\$PATH\"" ;;
    esac
    # bash and fish look below share of the usual prefixes by themselves.
    case ${SHELL:-} in
      *zsh) echo "completions: in ~/.zshrc, before compinit: fpath=($(printf %q "$root/share/zsh/site-functions") \$fpath)" ;;
    esac
    echo "a first run: trit run $(printf %q "$root/share/trit/experiments/quickstart.yaml")"
  fi
}

case ${1:-} in
  install | uninstall) ;;
  *) fail "what to do?" "$0 install TRIT PREFIX" "$0 uninstall PREFIX" ;;
esac
action=$1
shift
self=$0
# PREFIX counts from the caller's folder, sources from the checkout.
if [ "$action" = install ]; then
  [ $# -eq 2 ] || fail "expected a program and a folder" "$self install TRIT PREFIX"
  trit=$1
  case $trit in /*) ;; *) trit=$PWD/$trit ;; esac
  where=$(DESTDIR='' root "$2")
  cd "$(dirname "$self")/.."
  install "$trit" "$where"
else
  [ $# -eq 1 ] || fail "expected a folder" "$self uninstall PREFIX"
  uninstall "$1"
fi
