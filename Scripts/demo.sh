#!/usr/bin/env bash
# Runs experiments/quickstart.yaml on the built-in model, or on the model in $2.
set -euo pipefail
trit=$1
model=${2:-}

if [ -n "$model" ]; then
  exec "$trit" run experiments/quickstart.yaml --set "model=$model"
fi
exec "$trit" run experiments/quickstart.yaml
