"""Executes a notebook by nbclient through the kernel, validates it and writes it as HTML by nbconvert.

    execute.py IN.ipynb OUT.html
"""

import sys

import nbclient
import nbconvert
import nbformat


def main():
    source, target = sys.argv[1:]
    notebook = nbformat.read(source, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name=notebook.metadata.kernelspec.name).execute()
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any(output.output_type == "execute_result" for output in outputs), "no result"
    assert all(output.output_type != "error" for output in outputs), "an error"
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    with open(target, "w", encoding="utf-8") as file:
        file.write(page)
    print(f"{len(notebook.cells)} cells, {len(outputs)} outputs, {len(page) >> 10} KiB of HTML")


if __name__ == "__main__":
    main()
