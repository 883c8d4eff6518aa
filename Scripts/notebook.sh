#!/usr/bin/env bash
# Opens JupyterLab with the kernel of this build, in a virtual environment below .build: the person's own Jupyter is
# neither used nor changed. Notebooks are kept in FOLDER, which is made where it is not there; the lessons are put into
# FOLDER/lessons.
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

# The lessons, to be run and changed; those that somebody has changed stay as they are.
mkdir -p "$folder/lessons"
for lesson in notebooks/[0-9]*.md; do
  copy=$folder/lessons/$(basename "${lesson%.md}").ipynb
  [ -e "$copy" ] || "$trit" notebook convert "$lesson" -o "$copy" >/dev/null
done
export JUPYTER_CONFIG_DIR=$environment/etc/own JUPYTER_RUNTIME_DIR=$environment/runtime
read -ra more <<<"${JUPYTER_OPTIONS:-}"
exec "$environment/bin/jupyter" lab --ServerApp.root_dir="$(readlink -f "$folder")" --port="$port" "${more[@]}"
