#!/usr/bin/env bash
# Installs the libraries and tools that TritLab needs beside the Swift toolchain, and nothing that is there already.
# With the word 'arm', also what `make test-arm` needs: the C library of AArch64 Linux and qemu's user mode.
# Debian and Ubuntu: apt-get, through sudo when not root. Elsewhere, and where apt-get cannot: says what is missing,
# why it was not installed, and what to type. GOAL in the environment is what make was asked for.
# Where everything is there, nothing is run: no network, no rights, no lock.
set -euo pipefail
again="make ${GOAL:-demo}"
system=$(uname -s)

# What is missing, by the thing itself and not by a package's name, so that hand-built libraries count.
has_library() { command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$1" 2>/dev/null; }
find_missing() {
  missing=()
  command -v pkg-config >/dev/null 2>&1 || missing+=(pkg-config)
  has_library openblas || missing+=(openblas)
  has_library yaml-0.1 || missing+=(libyaml)
  command -v gnuplot >/dev/null 2>&1 || missing+=(gnuplot)
  if [ "${1:-}" = arm ]; then
    [ -e /usr/aarch64-linux-gnu/lib/libc.a ] || missing+=(gcc-aarch64)
    command -v qemu-aarch64 >/dev/null 2>&1 || missing+=(qemu)
  fi
}
find_missing "${1:-}"
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

# names MANAGER: what a package manager calls what is missing.
names() {
  local thing list=()
  for thing in "${missing[@]}"; do
    case $1:$thing in
      apt:openblas) list+=(libopenblas-dev) ;;
      apt:libyaml) list+=(libyaml-dev) ;;
      apt:gnuplot) list+=(gnuplot-nox) ;;
      apt:gcc-aarch64) list+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross) ;;
      apt:qemu) list+=(qemu-user) ;;
      dnf:pkg-config) list+=(pkgconf-pkg-config) ;;
      dnf:openblas) list+=(openblas-devel) ;;
      dnf:libyaml) list+=(libyaml-devel) ;;
      pacman:pkg-config | apk:pkg-config) list+=(pkgconf) ;;
      apk:openblas) list+=(openblas-dev) ;;
      apk:libyaml) list+=(yaml-dev) ;;
      *:gcc-aarch64 | *:qemu) ;; # Debian's names only: `make test-arm` is for Debian and Ubuntu.
      *) list+=("$thing") ;;
    esac
  done
  echo "${list[*]-}"
}

# give_up REASON LINE…: what is missing, why it stays so, what to type. Without gnuplot alone the lab works.
give_up() {
  local reason=$1
  shift
  find_missing "${arm:-}"
  if [ "${missing[*]-}" = gnuplot ]; then
    {
      echo "note: going on without gnuplot: figures are written as data and scripts, not as images"
      echo "  $reason"
      printf '  %s\n' "$@"
    } >&2
    exit 0
  fi
  {
    echo "error: missing: ${missing[*]-}"
    echo "  $reason"
    printf '  %s\n' "$@"
  } >&2
  exit 1
}
arm=${1:-}

if [ "$system" = Darwin ]; then
  lines=()
  if ! command -v brew >/dev/null 2>&1; then
    lines+=('Homebrew has them; install it (https://brew.sh):'
      '  /bin/bash -c "$(curl -fsSL https://raw.githubusercontent.com/Homebrew/install/HEAD/install.sh)"')
  fi
  lines+=("Type:" "  brew install $(names brew)"
    # Homebrew keeps OpenBLAS apart, since macOS has a BLAS of its own.
    '  export PKG_CONFIG_PATH="$(brew --prefix openblas)/lib/pkgconfig:$PKG_CONFIG_PATH"' "  $again")
  give_up "On macOS nothing is installed for you." "${lines[@]}"
fi
if [ "$system" != Linux ]; then
  give_up "Nothing is known of packages on $system." \
    "Install them so that 'pkg-config --exists openblas yaml-0.1' succeeds, then: $again"
fi

if ! command -v apt-get >/dev/null 2>&1; then
  sudo=''
  [ "$(id -u)" -eq 0 ] || sudo='sudo '
  for manager in dnf pacman apk; do
    command -v "$manager" >/dev/null 2>&1 || continue
    case $manager in
      dnf) command="dnf install $(names dnf)" ;;
      pacman) command="pacman -S --needed $(names pacman)" ;;
      apk) command="apk add $(names apk)" ;;
    esac
    give_up "They are installed for you by apt-get only, which this system does not have." \
      "Type:" "  $sudo$command" "  $again"
  done
  give_up "They are installed for you by apt-get only, which this system does not have." \
    "Install them by its package manager, so that 'pkg-config --exists openblas yaml-0.1' succeeds, then: $again"
fi

packages=$(names apt)
elevate=()
typed="sudo apt-get install $packages"
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    give_up "You are not root, and there is no sudo." \
      "As root (su -), or ask whoever is:" "  apt-get install $packages" "Then, as yourself: $again"
  fi
  elevate=(sudo)
else
  typed="apt-get install $packages"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# apt WORD…: apt-get with those words, shown and kept. It speaks English, so that what it says can be understood.
apt() {
  ${elevate[@]+"${elevate[@]}"} env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
    apt-get -o DPkg::Lock::Timeout=60 "$@" 2>&1 | tee -a "$log" >&2
}
# says PATTERN: the first line of apt's that matches.
says() { grep -m 1 -iE "$1" "$log" | cut -c 1-160; }

# Turns what apt-get or sudo said into what to do about it; comes back where it is none of these.
explain() {
  local line
  if line=$(says 'could not get lock|unable to (lock|acquire)|is held by process|is another process using it'); then
    give_up "Another program is installing packages and did not end within a minute: $line" \
      "Wait for it (who: ps -C apt-get,apt,dpkg,unattended-upgr), then: $again"
  fi
  if line=$(says 'no space left|enough free space|disk quota'); then
    give_up "The disk is full: $line" \
      "See which: df -h / /var/cache/apt" "Make room, for example: ${typed%%apt-get*}apt-get clean" "Then: $again"
  fi
  if line=$(says '(terminal|password) is required|no tty present|not in the sudoers|may not run sudo|not allowed to (run|execute)|incorrect password|no password was provided|no new privileges|^sudo: .*(setuid|owned by)'); then
    give_up "sudo refused: $line" \
      "Ask whoever may, to type:" "  apt-get install $packages" "Then, as yourself: $again"
  fi
  if line=$(says 'read-only file system'); then
    give_up "The system cannot be changed: $line" \
      "In a container or on another machine: $typed" "Then: $again"
  fi
}
offline() {
  local line
  if line=$(says 'temporary failure resolving|could not resolve|network is unreachable|could not connect|connection (failed|refused|timed out)|no route to host|unable to connect|cannot initiate the connection'); then
    give_up "There is no network, or the packages' mirror cannot be reached: $line" \
      "Once it can:" "  ${typed%%apt-get*}apt-get update" "  $typed" "  $again"
  fi
}

echo "Installing: $packages" >&2
# shellcheck disable=SC2086 # a list of words
install() { apt install --yes --quiet --no-install-recommends $packages; }
if ! install; then
  explain
  # Package lists may be absent or old on a fresh machine: fetch them only if the first try failed.
  apt update --quiet || explain
  if ! install; then
    explain
    offline
    if line=$(says 'unable to locate package|no installation candidate|has no installation'); then
      give_up "The package lists do not have them: $line" \
        "On Ubuntu they are in 'universe':" "  sudo add-apt-repository universe" "  sudo apt-get update" "  $again"
    fi
    give_up "apt-get failed; its last words: $(tail -n 1 "$log" | cut -c 1-160)" \
      "Put right what it names, by hand:" "  $typed" "Then: $again"
  fi
fi
find_missing "$arm"
if [ ${#missing[@]} -gt 0 ]; then
  give_up "apt-get installed $packages, and still they are not found." \
    "Is another pkg-config first on the PATH ($(command -v pkg-config || echo none))? It must find openblas and yaml-0.1:" \
    "  pkg-config --exists --print-errors openblas yaml-0.1" "Then: $again"
fi
