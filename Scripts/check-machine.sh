#!/usr/bin/env bash
# Is there room to build, and quiet to measure? A full disk is an error that is told before minutes are spent; a
# busy machine or little memory is only told.
#   Scripts/check-machine.sh TRIT
set -euo pipefail
trit=$1
again="make ${GOAL:-demo}"

# What a build writes, in MB: 260 without the tests (Swift 6.3), and as much again while it links.
room=600
free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
if [ ! -x "$trit" ] && [ "$free" -lt "$room" ]; then
  {
    echo "error: the disk is full: $free MB are free here, a build takes about $room"
    echo "  folder: $PWD"
    echo "  See what is large: du -sh .build runs models 2>/dev/null; df -h ."
    echo "  An earlier build is removed by: make clean"
    echo "  Then: $again"
  } >&2
  exit 1
fi

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
load=$(uptime 2>/dev/null | sed -nE 's/.*load averages?: *([0-9]+)[.,]([0-9]+).*/\1.\2/p')
if [ -n "$load" ] && awk -v load="$load" -v cores="$cores" 'BEGIN { exit !(load > 0.75 * cores) }'; then
  {
    echo "note: this machine is busy: a load of $load on $cores cores"
    echo "  Building takes longer than the usual five to ten minutes, and speeds that are measured come out too"
    echo "  low; the lab sees that and marks them (!). See who works: top"
    echo "  To measure again once it is quiet: $trit run experiments/quickstart.yaml --force"
  } >&2
fi

memory=$(free -m 2>/dev/null | awk '/^Mem:/ { print $7 }' || true)
if [ ! -x "$trit" ] && [ -n "$memory" ] && [ "$memory" -lt 2000 ]; then
  {
    echo "note: $memory MB of memory are free; the compiler may need more"
    echo "  If it is killed, build one file after the other: $again JOBS=1"
  } >&2
fi
