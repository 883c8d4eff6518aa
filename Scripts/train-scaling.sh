#!/usr/bin/env bash
# Trains and measures the eight models of experiments/scaling.yaml: four sizes, each in full precision and
# ternary.
# A training that was stopped goes on; one that is done is not repeated. $1 is the command; what follows
# goes to every training, as in: Scripts/train-scaling.sh .build/release/trit --set optimisation.steps=100
set -euo pipefail
trit=$1
shift
folder=models/scaling

for size in 0.3M 1.0M 1.8M 3.4M; do
  file=experiments/train/scaling/$size.yaml
  "$trit" train "$file" -o "$folder/$size-fp" "$@"
  "$trit" train "$file" -o "$folder/$size-ternary" \
    --set 'quantization={quantizer: absmean, activations: int8}' "$@"
done

# Measure them, and keep the records.
runs=runs/scaling-measure
"$trit" run experiments/train/scaling/measure.yaml --force
newest=$(ls -d "$runs"/*/ | tail -n 1)
cp "$newest/results.jsonl" experiments/data/scaling.jsonl
echo "experiments/data/scaling.jsonl holds the new records; draw them: $trit run experiments/scaling.yaml" >&2
