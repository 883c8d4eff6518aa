#!/usr/bin/env bash
# Installs what TritLab needs beside the Swift toolchain, and nothing that is already there.
# With the word 'arm', also what `make test-arm` needs: the C library of AArch64 Linux and qemu's user mode.
# Debian and Ubuntu: apt-get, through sudo when not root. Elsewhere: says what to install, and fails.
set -euo pipefail

if ! command -v swift >/dev/null 2>&1; then
  echo "TritLab needs the Swift toolchain, 6.2 or newer: https://www.swift.org/install" >&2
  exit 1
fi

# What is missing, by the thing itself and not by the package name, so that hand-built libraries count.
missing=()
command -v pkg-config >/dev/null 2>&1 || missing+=(pkg-config)
has_library() { command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$1" 2>/dev/null; }
has_library openblas || missing+=(libopenblas-dev)
has_library yaml-0.1 || missing+=(libyaml-dev)
command -v gnuplot >/dev/null 2>&1 || missing+=(gnuplot-nox)
if [ "${1:-}" = arm ]; then
  [ -e /usr/aarch64-linux-gnu/lib/libc.a ] || missing+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
  command -v qemu-aarch64 >/dev/null 2>&1 || missing+=(qemu-user)
fi

if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  cat >&2 <<EOF
TritLab needs, and did not find: ${missing[*]} (these are Debian's names).
  macOS:  brew install pkg-config openblas libyaml gnuplot
  Fedora: dnf install pkgconf-pkg-config openblas-devel libyaml-devel gnuplot
  Arch:   pacman -S pkgconf openblas libyaml gnuplot
pkg-config must find 'openblas' and 'yaml-0.1'. Then run make again.
EOF
  exit 1
fi

elevate=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "Not root and no sudo. As root, run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  elevate=(sudo)
fi

echo "Installing: ${missing[*]}" >&2
install() {
  "${elevate[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --no-install-recommends "${missing[@]}" >&2
}
# Package lists may be absent or old on a fresh machine: fetch them only if the first try fails.
install || { "${elevate[@]}" apt-get update --quiet >&2 && install; }
