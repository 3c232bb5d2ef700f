"""Executes the notebooks of docs/tutorials.

    python docs/run_notebooks.py --check    # fails where a cell fails, and writes nothing
    python docs/run_notebooks.py            # writes the outputs into the notebooks, to be committed

A notebook runs in a temporary folder, with this checkout's fdx. Needs requirements-docs.txt; takes some three minutes.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import tempfile
import time

import nbclient
import nbformat

ROOT = pathlib.Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / 'docs' / 'tutorials'
SECONDS_PER_CELL = 900


def execute(path: pathlib.Path) -> nbformat.NotebookNode:
    """The notebook with its outputs; raises nbclient's CellExecutionError, with the cell's traceback."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook, timeout=SECONDS_PER_CELL, kernel_name='python3', resources={'metadata': {'path': folder}}
        )
        client.execute()
    for cell in notebook.cells:
        # When a cell ran, and on which kernel, would make every execution a change to commit.
        cell.metadata.pop('execution', None)
    notebook.metadata.pop('language_info', None)
    return notebook


def main() -> int:
    """Executes all of them; 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--check', action='store_true', help='write nothing')
    check = parser.parse_args().check
    os.environ['PYTHONPATH'] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])])
    for path in sorted(TUTORIALS.glob('*.ipynb')):
        began = time.perf_counter()
        try:
            notebook = execute(path)
        except nbclient.exceptions.CellExecutionError as e:
            print(f'{path.relative_to(ROOT)} fails:\n{e}', file=sys.stderr)
            return 1
        if not check:
            nbformat.write(notebook, path)
        print(f'{path.relative_to(ROOT)}: {time.perf_counter() - began:.0f} s')
    return 0


if __name__ == '__main__':
    sys.exit(main())
