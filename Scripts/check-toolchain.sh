#!/bin/sh
# Can the Swift toolchain build this package? Where it cannot, or where there is none, says what to type.
#   Scripts/check-toolchain.sh [SWIFT]
# GOAL in the environment is what make was asked for. Needs no network and changes nothing.
# Plain sh, since this comes first and there are systems without bash.
set -eu
swift=${1:-swift}
again="make ${GOAL:-demo}"
here=$(cd "$(dirname "$0")/.." && pwd)
needed=$(sed -n 's|^// swift-tools-version: *||p' "$here/Package.swift")
system=$(uname -s)

# How Swift comes to this kind of machine; the commands are those of swift.org/install.
how_to_install() {
  case $system in
    Darwin)
      cat <<EOT
  Install it with Swift's own installer, without root:
    curl -O https://download.swift.org/swiftly/darwin/swiftly.pkg
    installer -pkg swiftly.pkg -target CurrentUserHomeDirectory
    ~/.swiftly/bin/swiftly init
    . ~/.swiftly/env.sh
EOT
      ;;
    MINGW* | MSYS* | CYGWIN*)
      cat <<EOT
  TritLab runs on Linux and macOS. On Windows, in a Linux of its own:
    wsl --install -d Ubuntu
  and there the two commands of README.
EOT
      return
      ;;
    *)
      if command -v apk >/dev/null 2>&1; then
        cat <<EOT
  There is no Swift toolchain for Alpine, whose C library is musl. In a container of Ubuntu:
    docker run --rm -it -v "\$PWD:/lab" -w /lab swift:$needed bash -c 'apt-get update && apt-get install -y make && $again'
EOT
        return
      elif command -v pacman >/dev/null 2>&1; then
        cat <<EOT
  Arch has it as the package swift-bin of the AUR:
    git clone https://aur.archlinux.org/swift-bin.git
    cd swift-bin && makepkg -si
EOT
      else
        cat <<EOT
  Install it with Swift's own installer, without root (Debian, Ubuntu, Fedora, RHEL, Amazon Linux):
    curl -O https://download.swift.org/swiftly/linux/swiftly-\$(uname -m).tar.gz
    tar zxf swiftly-\$(uname -m).tar.gz
    ./swiftly init
    . ~/.local/share/swiftly/env.sh
EOT
      fi
      ;;
  esac
  echo "  Then: $again"
  echo "  Is it somewhere else on this machine? $again SWIFT=/PATH/TO/usr/bin/swift"
}

if ! found=$(command -v "$swift" 2>/dev/null); then
  {
    echo "error: there is no Swift toolchain: the command '$swift' was not found"
    echo "  TritLab is built by Swift $needed or newer."
    how_to_install
  } >&2
  exit 1
fi

if ! text=$("$swift" --version 2>&1); then
  {
    echo "error: the Swift toolchain does not run: $found"
    printf '%s\n' "$text" | sed -n '1,3s/^/  it says: /p'
    case $text in
      *"developer path"* | *xcode-select* | *xcrun*)
        echo "  Install Apple's command line tools: xcode-select --install"
        ;;
      *"shared librar"*)
        echo "  It lacks a library of the system: see what its packages need at https://www.swift.org/install"
        ;;
    esac
    how_to_install
  } >&2
  exit 1
fi

version=$(printf '%s\n' "$text" | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
if [ -z "$version" ]; then
  {
    echo "error: cannot tell the version of the Swift toolchain: $found"
    echo "  expected: a line with 'Swift version $needed' or newer from '$swift --version'"
    printf '%s\n' "$text" | sed -n '1,3s/^/  got: /p'
  } >&2
  exit 1
fi

# Numbers, not letters: 6.10 is newer than 6.2.
older() {
  major1=${1%%.*}
  major2=${2%%.*}
  minor1=${1#*.}
  minor2=${2#*.}
  [ "$minor1" != "$1" ] || minor1=0
  [ "$minor2" != "$2" ] || minor2=0
  [ "$major1" -lt "$major2" ] \
    || { [ "$major1" -eq "$major2" ] && [ "${minor1%%.*}" -lt "${minor2%%.*}" ]; }
}
if older "$version" "$needed"; then
  {
    echo "error: Swift $version is too old: $found"
    echo "  TritLab is built by Swift $needed or newer (swift-tools-version in Package.swift)."
    if command -v swiftly >/dev/null 2>&1; then
      echo "  A newer one beside it:"
      echo "    swiftly install latest"
      echo "    swiftly use latest"
      echo "  Then: $again"
    else
      how_to_install
    fi
  } >&2
  exit 1
fi
if ! command -v bash >/dev/null 2>&1; then
  echo "error: there is no bash, which the scripts of this package are written for; install it, then: $again" >&2
  exit 1
fi
