#!/usr/bin/env bash
# Opens JupyterLab with the kernel of this build, in a virtual environment below .build: nothing else is changed. The
# lessons of a folder are copied as .ipynb to .build/jupyter/notebooks, where they can be edited.
#   Scripts/notebook.sh PATH/trit FOLDER PORT
set -euo pipefail
cd "$(dirname "$0")/.."
trit=$(readlink -f "$1")
lessons=$2
port=$3
environment=$(GOAL=notebook Scripts/python-environment.sh .build/jupyter/lab Scripts/jupyterlab.txt)
environment=$(readlink -f "$environment")
"$trit" notebook install --prefix "$environment" >/dev/null

work=.build/jupyter/notebooks
mkdir -p "$work"
export JUPYTER_CONFIG_DIR=$environment/etc/own JUPYTER_RUNTIME_DIR=$environment/runtime
exec "$environment/bin/jupyter" lab --ServerApp.root_dir="$(readlink -f "$work")" --port="$port" \
  ${JUPYTER_OPTIONS:-}
