#!/usr/bin/env bash
# Opens JupyterLab with the kernel of this build, in a virtual environment below .build: the person's own Jupyter is
# neither used nor changed. Notebooks are kept in FOLDER, which is made where it is not there.
#   Scripts/notebook.sh PATH/trit FOLDER PORT
# JUPYTER_OPTIONS holds more words for `jupyter lab`, as --no-browser.
set -euo pipefail
cd "$(dirname "$0")/.."
trit=$(readlink -f "$1")
folder=$2
port=$3
environment=$(GOAL=notebook Scripts/python-environment.sh .build/jupyter/lab Scripts/jupyterlab.txt)
environment=$(readlink -f "$environment")
"$trit" notebook install --prefix "$environment" >/dev/null

mkdir -p "$folder"
export JUPYTER_CONFIG_DIR=$environment/etc/own JUPYTER_RUNTIME_DIR=$environment/runtime
read -ra more <<<"${JUPYTER_OPTIONS:-}"
exec "$environment/bin/jupyter" lab --ServerApp.root_dir="$(readlink -f "$folder")" --port="$port" "${more[@]}"
