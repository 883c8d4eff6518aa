#!/usr/bin/env bash
# Runs a sweep of eight variants as a job array under a real Slurm (slurmctld and slurmd on this machine, with a
# configuration of its own in a temporary folder), then by GNU parallel, then with the windows of its text shared out,
# and holds what 'trit collect' makes of each against one serial run: every figure but those of time and memory has to
# have the same digits. Needs Debian's slurm-wlm, munge and parallel; says so where they are missing.
# Usage: Scripts/test-slurm.sh TRIT
set -euo pipefail

trit=$(readlink -f "${1:?usage: Scripts/test-slurm.sh TRIT}")
missing=()
for tool in slurmctld slurmd sbatch squeue scontrol munged mungekey parallel python3; do
  command -v "$tool" > /dev/null || [ -x "/usr/sbin/$tool" ] || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "test-slurm: not found: ${missing[*]}" >&2
  echo "  next: apt-get install slurm-wlm munge parallel" >&2
  exit 66
fi
PATH=$PATH:/usr/sbin

work=$(mktemp -d)
processes=()
finish() {
  local code=$?
  for process in ${processes[@]+"${processes[@]}"}; do kill "$process" 2> /dev/null || true; done
  if [ "$code" -ne 0 ]; then
    for log in "$work"/*.log "$work"/study*/*.log; do
      [ -f "$log" ] && { echo "== $log"; tail -n 20 "$log"; } >&2
    done
  fi
  wait 2> /dev/null || true
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# --- Slurm, with all its files in the temporary folder.
user=$(id -un)
host=$(hostname -s)
cores=$(nproc)
mkdir -p "$work/state" "$work/spool"
chmod 711 "$work"
mkdir -m 755 "$work/munge"
mungekey --create --keyfile "$work/munge/key"
munged --foreground --force --key-file "$work/munge/key" --socket "$work/munge/socket" \
  --pid-file "$work/munge/pid" --seed-file "$work/munge/seed" --log-file "$work/munge.log" > /dev/null 2>&1 &
processes+=($!)
port=$((20000 + RANDOM % 20000))
cat > "$work/slurm.conf" << END
ClusterName=tritlab
SlurmctldHost=$host
SlurmUser=$user
SlurmdUser=$user
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
NodeName=$host CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$work/slurm.conf
slurmctld -D -c > /dev/null 2>&1 &
processes+=($!)
slurmd -D > /dev/null 2>&1 &
processes+=($!)
for _ in $(seq 60); do
  state=$(sinfo --noheader --format %T 2> /dev/null || true)
  case $state in idle | mixed | allocated) break ;; esac
  sleep 1
done
echo "Slurm $(sbatch --version | cut -d' ' -f2), $cores CPUs: node $state"
case $state in idle | mixed | allocated) ;; *) exit 1 ;; esac

# --- A sweep of eight variants, in a folder whose name has a space and a quote.
folder="$work/study's folder"
mkdir "$folder"
cd "$folder"
export XDG_CACHE_HOME=$work/cache
for number in $(seq 200); do
  echo "Once upon a time there was a dog. It had $number red balls and an apple."
done > "a text.txt"
cat > "the study.yaml" << 'END'
name: slurm test
model: builtin:tiny
sweep: {cache: [f32, f16, int8, bf16], kernel: [reference, i2_s]}
measure:
  generate: {prompts: [Once upon a time], tokens: 8}
  perplexity: {data: a text.txt, context: 64}
  divergence: {}
END
[ "$("$trit" run "the study.yaml" --list | wc -l)" = 8 ]
serial=$("$trit" run "the study.yaml" -t 1 -o serial --quiet)

# Figures, digits and all, but for time and memory.
cat > "$work/compare.py" << 'END'
import json
import sys


def figures(directory):
    found = {}
    for line in open(directory + "/results.jsonl"):
        record = json.loads(line)
        assert record["status"] == "finished", record
        metrics = {
            key: value
            for key, value in record["metrics"].items()
            if not key.endswith(("seconds", "_per_second", "wait_share", "held_bytes"))
            and not key.startswith("memory.")
        }
        found[record["label"]] = json.dumps(
            [record["index"], record["id"], metrics, record["texts"], record["series"]],
            sort_keys=True,
        ).encode()
    return found


serial, other = figures(sys.argv[1]), figures(sys.argv[2])
assert len(serial) == 9, serial.keys()
assert serial == other, sorted(key for key in serial if serial[key] != other.get(key))
print(f"{sys.argv[3]}: {len(serial)} records, {sum(map(len, serial.values()))} bytes of figures, "
      "equal to those of the serial run byte for byte")
END

# --- A job array.
"$trit" run "the study.yaml" --emit slurm -t 1 -o array > job.sbatch
grep '^#SBATCH' job.sbatch
job=$(sbatch --parsable job.sbatch)
while [ -n "$(squeue --noheader --jobs "$job" 2> /dev/null)" ]; do sleep 1; done
for log in slurm-test-"$job"_*.log; do echo "$log: $(tail -n 1 "$log")"; done
[ "$(ls slurm-test-"$job"_*.log | wc -l)" = 8 ]
shards=$(echo array/slurm-test-*)
# The line that the script shows for --wrap, as Slurm runs it.
wrapped=$(sed -n 's/^# *sbatch --dependency=afterany:JOB --wrap //p' job.sbatch)
collecting=$(eval "sbatch --parsable --output=collect.log --wrap $wrapped")
while [ -n "$(squeue --noheader --jobs "$collecting" 2> /dev/null)" ]; do sleep 1; done
merged=$(sed -n 's/^results: //p' collect.log)
[ -n "$merged" ] || { cat collect.log; exit 1; }
echo "$(find "$shards" -name results.jsonl | wc -l) run directories in $shards"
python3 "$work/compare.py" "$serial" "$merged" "job array of 8"

# --- GNU parallel, twice: the second time nothing is left to do.
"$trit" run "the study.yaml" --emit parallel -t 1 -j 2 -o lines > jobs.sh
sh jobs.sh > parallel.log
merged=$(sed -n 's/^results: //p' parallel.log)
python3 "$work/compare.py" "$serial" "$merged" "GNU parallel, $(($(wc -l < slurm-test.joblog) - 1)) jobs"
sh jobs.sh > parallel.log
[ "$(wc -l < slurm-test.joblog)" = 9 ]

# --- The windows of the text, four jobs of all variants each.
cat > windows.sbatch << END
#!/bin/bash
#SBATCH --array=0-3
#SBATCH --output=windows-%a.log
first=\$((SLURM_ARRAY_TASK_ID * 20))
last=\$((SLURM_ARRAY_TASK_ID < 3 ? first + 20 : 1000000))
exec '$trit' run 'the study.yaml' --chunks \$first:\$last -t 1 -o windows --quiet
END
job=$(sbatch --parsable windows.sbatch)
while [ -n "$(squeue --noheader --jobs "$job" 2> /dev/null)" ]; do sleep 1; done
merged=$("$trit" collect windows -o joined --quiet)
python3 "$work/compare.py" "$serial" "$merged" "windows of the text in 4 jobs"
