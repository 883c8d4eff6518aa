#!/usr/bin/env bash
# Builds the peers of the race from source, for this very CPU, into a virtual environment outside the tree:
#   Scripts/race/install.sh [ik] [mainline]        both when none is named
# RACE_HOME says where (default: $XDG_CACHE_HOME/tritlab/race), JOBS how many compilers run at once (default: all cores).
# A build that was stopped goes on where it was. A peer that cannot be built is told and does not stop the other;
# the race then calls it absent. Exit 0: all are there; 1: one is missing; 64: wrong arguments.
set -euo pipefail

home=${RACE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/tritlab/race}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
python=${PYTHON:-python3}

# Versions are pinned: figures of two days compare only when the peers are the same. Newer ones: IK=… MAINLINE=…
ik_version=${IK:-0.1.5}
mainline_version=${MAINLINE:-0.3.36}

fail() { echo "race: $*" >&2; }

case "$home" in
/*) ;;
*)
  fail "RACE_HOME is '$home'; it has to be an absolute path"
  exit 64
  ;;
esac
[ $# -gt 0 ] || set -- ik mainline
for peer in "$@"; do
  case $peer in
  ik | mainline) ;;
  *)
    fail "no peer is called '$peer'; install.sh builds ik and mainline (bitnet.cpp has no package: see README.md)"
    exit 64
    ;;
  esac
done

for tool in "$python" c++ tar; do
  if ! command -v "$tool" >/dev/null; then
    fail "$tool is missing; on Debian or Ubuntu: apt-get install g++ python3-venv"
    exit 1
  fi
done

mkdir -p "$home/source" "$home/build" "$home/log"
if [ ! -x "$home/venv/bin/python" ]; then
  if ! "$python" -m venv "$home/venv"; then
    fail "no virtual environment came out; on Debian or Ubuntu: apt-get install python3-venv"
    exit 1
  fi
fi
pip=("$home/venv/bin/python" -m pip --disable-pip-version-check)
"${pip[@]}" install -q cmake ninja 'scikit-build-core>=0.9.2' numpy

installed() { # PACKAGE
  "$home/venv/bin/python" -c "import importlib.metadata, sys; print(importlib.metadata.version('$1'))" 2>/dev/null || true
}

# What an archive needs before it builds.
# ik's of 0.1.5 lacks one script that its build runs (its .gitignore has build*): four constants from the
# commit, which an archive cannot know. They name the archive instead.
repair() { # SOURCE
  local common=$1/vendor/ik_llama.cpp/common
  if [ -f "$common/build-info.cpp.in" ] && [ ! -f "$common/cmake/build-info-gen-cpp.cmake" ]; then
    mkdir -p "$common/cmake" && cat >"$common/cmake/build-info-gen-cpp.cmake" <<'SCRIPT'
set(BUILD_NUMBER 0)
set(BUILD_COMMIT "sdist")
set(BUILD_COMPILER "${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}")
set(BUILD_TARGET "native")
configure_file("${CMAKE_CURRENT_LIST_DIR}/../build-info.cpp.in" "${CMAKE_CURRENT_LIST_DIR}/../build-info.cpp" @ONLY)
SCRIPT
  fi
  # The library of llama.cpp's command line tools is half of its build, and the package does not use it.
  if grep -q 'set(LLAMA_BUILD_COMMON ON CACHE' "$1/CMakeLists.txt"; then
    sed -i.orig 's/set(LLAMA_BUILD_COMMON ON CACHE/set(LLAMA_BUILD_COMMON OFF CACHE/' "$1/CMakeLists.txt"
  fi
}

# PACKAGE VERSION [CMake argument…]
build() {
  local package=$1 version=$2 log=$home/log/$1.log archive=${1//-/_}-$2
  shift 2
  if [ "$(installed "$package")" = "$version" ]; then
    echo "race: $package $version is built"
    return 0
  fi
  echo "race: building $package $version with $jobs compilers; the log is $log"
  # No `set -e` in what `if` asks for: every step says by itself that it failed.
  {
    if [ ! -f "$home/source/$archive.tar.gz" ]; then
      "${pip[@]}" download -q --no-deps --no-build-isolation --no-binary "$package" -d "$home/source" \
        "$package==$version" || return 1
    fi
    if [ ! -d "$home/source/$archive" ]; then
      rm -rf "$home/source/part" && mkdir "$home/source/part" &&
        tar -xzf "$home/source/$archive.tar.gz" -C "$home/source/part" &&
        mv "$home/source/part/$archive" "$home/source/$archive" || return 1
    fi
    repair "$home/source/$archive" || return 1
    # The build folder is kept beside the source, so that a build that was stopped goes on.
    PATH="$home/venv/bin:$PATH" CMAKE_BUILD_PARALLEL_LEVEL=$jobs CMAKE_ARGS="-DGGML_NATIVE=ON $*" \
      nice "${pip[@]}" install -v --no-build-isolation -C "build-dir=$home/build/$package-$version" \
      "$home/source/$archive" || return 1
  } >"$log" 2>&1
}

missing=0
for peer in "$@"; do
  case $peer in
  ik) package=ik-llama-cpp-python arguments=("$ik_version" -DGGML_IQK_FA_ALL_QUANTS=OFF) ;;
  mainline) package=llama-cpp-python arguments=("$mainline_version" -DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF) ;;
  esac
  if ! build "$package" "${arguments[@]}"; then
    missing=1
    fail "$peer was not built; the end of $home/log/$package.log:"
    grep -iE 'error|fatal|failed' "$home/log/$package.log" | tail -n 5 | sed 's/^/  /' >&2
  fi
done
exit $missing
