#!/usr/bin/env bash
# Proves the Jupyter kernel against Jupyter's own tools: the conformance suite (jupyter_kernel_test), a notebook executed
# by nbclient and by `jupyter nbconvert`, and rounds of interrupts, crashes, restarts and hostile peers after which no
# process may be left and no cell lost. Needs a network once, for packages of PyPI.
#   Scripts/test-jupyter.sh PATH/trit ROUNDS
set -euo pipefail
cd "$(dirname "$0")/.."
trit=$(readlink -f "$1")
rounds=$2
environment=$(GOAL=test-jupyter Scripts/python-environment.sh .build/jupyter/tests Tests/jupyter/requirements.txt)
environment=$(readlink -f "$environment")
python=$environment/bin/python

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Nothing of the person's own Jupyter is read or written.
export JUPYTER_CONFIG_DIR=$work/config JUPYTER_DATA_DIR=$work/data JUPYTER_RUNTIME_DIR=$work/runtime
export IPYTHONDIR=$work/ipython PYTHONDONTWRITEBYTECODE=1
"$trit" notebook install --user >/dev/null

echo "== jupyter_kernel_test"
"$python" Tests/jupyter/test_kernel.py

echo "== nbclient, nbconvert"
"$python" Tests/jupyter/sample.py "$work/sample.ipynb"
"$python" Tests/jupyter/execute.py "$work/sample.ipynb" "$work/sample.html"
"$environment/bin/jupyter" nbconvert --log-level=WARN --to html --execute "$work/sample.ipynb" \
  --output "$work/executed.html"
grep -q 'image/svg+xml' "$work/executed.html" || { echo "error: the page of nbconvert has no figure" >&2 && exit 1; }

echo "== $rounds rounds"
"$python" Tests/jupyter/stress.py "$rounds"
"$trit" notebook install --remove --user >/dev/null
echo "all of it passed"
