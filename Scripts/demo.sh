#!/usr/bin/env bash
# Runs experiments/quickstart.yaml with the model in $2, or says how to give it one.
set -euo pipefail
trit=$1
model=${2:-}

if [ -z "$model" ]; then
  cat >&2 <<'EOF'
The quickstart needs a model, and none is built in yet. Give it a GGUF file or a Hugging Face folder
of a BitNet or Llama model:

  make demo MODEL=path/to/model
  TRITLAB_MODEL=path/to/model make demo

A small one to try (2 MB, full precision): hf download raincandy-u/TinyStories-656K, then
  make demo MODEL=hf:raincandy-u/TinyStories-656K
EOF
  exit 66
fi

exec "$trit" run experiments/quickstart.yaml --set "model=$model"
