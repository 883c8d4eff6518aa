"""Writes the notebook that the tests execute: every kind of cell and of output.

    sample.py OUT.ipynb
"""

import sys

import nbformat
from nbformat import v4

CELLS = [
    'print("hello from a cell")',
    "let trits: [Int8] = [1, 0, -1, 1]\ntrits.map { Int($0) }.reduce(0, +)",
    "%%c\n#include <stdint.h>\nint32_t tripled(int32_t x) { return 3 * x; }",
    "tripled(14)",
    'display(Table(["trit", "code"], [["-1", "0"], ["0", "1"], ["1", "2"]]))',
    'Plot("squares", x: "x", y: "x²").line([0.0, 1, 2, 3], [0.0, 1, 4, 9])',
]


def main():
    notebook = v4.new_notebook(
        cells=[v4.new_markdown_cell("# A notebook for tests")] + [v4.new_code_cell(text) for text in CELLS],
        metadata={"kernelspec": {"name": "trit", "display_name": "TritLab (Swift)", "language": "swift"}})
    nbformat.write(notebook, sys.argv[1])


if __name__ == "__main__":
    main()
