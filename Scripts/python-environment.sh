#!/usr/bin/env bash
# Makes a virtual environment of Python with the packages of a file, of the versions that stand there, and prints its
# folder. One that has them already is used as it is.
#   Scripts/python-environment.sh FOLDER REQUIREMENTS
set -euo pipefail
folder=$1
requirements=$2
again="make ${GOAL:-test-jupyter}"

fail() {
  {
    echo "error: $1"
    shift
    for line in "$@"; do echo "  $line"; done
    echo "  Then: $again"
  } >&2
  exit 1
}

if cmp -s "$requirements" "$folder/installed.txt"; then
  echo "$folder"
  exit 0
fi
command -v python3 >/dev/null 2>&1 ||
  fail "there is no python3; Jupyter is written in Python" \
    "Install it: sudo apt-get install -y python3 python3-venv (Debian, Ubuntu); brew install python (macOS)"
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
python3 -m venv "$folder" >&2 ||
  fail "python3 cannot make a virtual environment" \
    "Install what is missing: sudo apt-get install -y python3-venv (Debian, Ubuntu)"
echo "Installing $(grep -c '^[a-z]' "$requirements") packages from PyPI into $folder" >&2
"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2 ||
  fail "the packages cannot be installed" "See above why; without a network they cannot be downloaded"
cp "$requirements" "$folder/installed.txt"
echo "$folder"
