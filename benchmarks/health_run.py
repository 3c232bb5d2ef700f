"""Runs the benchmark `health`: every method learns each machine from healthy recordings and judges the others."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fdx.data.preparing import RAW_DATA_VARIABLE
from fdx.types import ConfigError, DataError

from . import health_page
from .grid import Call, Cell, fill, run_cells
from .health_data import Machine
from .health_measure import measure
from .health_methods import CODE, METHODS, Method, get_methods
from .health_rows import Rows, rows_of
from .health_suite import INPUT, NAME, cells, get_tasks
from .health_suite import tasks as all_tasks
from .health_timing import measure_timing
from .page import write_page
from .unseen_verdicts import code_digest

TIMING_CODE = ('health/*.py',)


def run(call: Call, tasks: Sequence[str] | None, methods: Sequence[str] | None) -> pathlib.Path:
    """Fills every cell that is not there and writes the page.

    Args:
      call: what every study is told.
      tasks: names of machines; None: all that are there.
      methods: names of rows; None: all.

    Returns:
      The path of the page.

    Raises:
      ConfigError: names that do not exist, no folder of raw recordings, or nothing that can be run.
    """
    asked = all_tasks() if tasks is None else get_tasks(tasks)
    rows = METHODS if methods is None else get_methods(methods)
    folder = call.manual_dir or os.environ.get(RAW_DATA_VARIABLE)
    if not folder:
        raise ConfigError(f'`suite`={NAME} reads real recordings: name their folder with `manual_dir`')
    library = Library(folder)
    missing = {}
    for task in asked:
        try:
            library.rows(task.machine, 0)
        except DataError as e:
            missing[task.name] = str(e).replace(str(folder), 'the folder')
            call.say(f'{task.name}: skipped, {missing[task.name]}')
    there = tuple(task for task in asked if task.name not in missing)
    if not there:
        raise ConfigError(f'`suite`={NAME}: no machine of `tasks` is there')
    by_name = {method.name: method for method in rows}

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        return run_cell(cell, by_name[cell.method], library.rows(cell.task.machine, cell.seed), call.root)

    results = run_cells(cells(there, rows, call.seeds), one, _words, call.say)
    timing = _timing(call.root, measure_timing)
    return write_page(call.pages, NAME, health_page.assemble(results, call.command, missing, timing), health_page.KIND)


class Library:
    """Rows of machines, made once per machine and, where the seed decides the recordings, per seed."""

    def __init__(self, folder: str):
        """Args: the folder of raw recordings."""
        self._folder = folder
        self._made: dict[tuple[str, int], Rows] = {}

    def rows(self, machine: Machine, seed: int) -> Rows:
        """The rows of a machine.

        Raises:
          DataError: its recordings are not there.
        """
        key = machine.name, seed if machine.draws else 0
        if key not in self._made:
            self._made[key] = rows_of(machine, self._folder, key[1])
        return self._made[key]


def run_cell(cell: Cell, method: Method, rows: Rows, root: pathlib.Path) -> tuple[dict[str, Any], bool]:
    """What a cell found, and whether it lay on the disk.

    Args:
      cell: a method on a machine.
      method: the same method.
      rows: of the machine.
      root: folder of cells.
    """
    asked = {
        'task': cell.task.name,
        'method': method.name,
        'seed': cell.seed,
        'rows': rows.digest(),
        'code': code_digest(CODE),
    }

    def found() -> dict[str, Any]:
        names = {'dataset': cell.task.name, 'features': method.features, 'detector': method.label}
        return {'suite': NAME, **names, 'seed': cell.seed, **measure(rows, method, cell.seed)}

    return fill(cell.path(root), asked, found)


def _timing(root: pathlib.Path, take: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Seconds of baseline and monitor, measured once per version of the library's code."""
    path = root / 'cells' / NAME / INPUT / 'timing.json'
    found = dict(fill(path, {'code': code_digest(TIMING_CODE)}, take)[0])
    found.pop('asked')
    return found


def _words(cell: Mapping[str, Any]) -> str:
    words = [f'ROC AUC {cell["roc_auc"]:.3f}']
    if cell.get('alarm_rate') is not None:
        lead = cell['lead_share']
        words.append('no alarm' if lead is None else f'{100 * lead:.0f} % of the life left at the alarm')
    elif cell['detected'] is not None:
        words.append(f'{100 * cell["detected"]:.0f} % detected')
    return ', '.join(words)
