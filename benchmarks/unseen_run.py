"""Runs the cells of the benchmark `unseen`: every method on every machine, which is left out of all learning."""

from __future__ import annotations

import hashlib
import os
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fdx.data.preparing import RAW_DATA_VARIABLE
from fdx.types import ConfigError, Recording

from . import unseen_page
from .grid import Call, Cell, fill, run_cells
from .page import write_page
from .unseen_machines import MACHINES, Found, read_machines
from .unseen_scores import score
from .unseen_suite import METHODS, NAME, QUESTIONS, Task, cells, get_methods, get_tasks
from .unseen_suite import tasks as all_tasks
from .unseen_verdicts import Method, Verdicts


def run(call: Call, tasks: Sequence[str] | None, methods: Sequence[str] | None) -> pathlib.Path:
    """Fills every cell that is not there and writes the page.

    Args:
      call: what every study is told.
      tasks: names of machines to test; the others are learned from all the same. None: all that are there.
      methods: names of rows; None: all that can be run.

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
    found, missing = read_machines(MACHINES, folder)
    for name, why in missing.items():
        call.say(f'{name}: {why}')
    there = tuple(task for task in asked if task.machine.name in found)
    skipped = {method.name: why for method in rows if (why := method.missing())}
    for name, why in skipped.items():
        call.say(f'{name}: skipped, {why}')
    able = [method for method in rows if method.name not in skipped]
    if not there or not able:
        raise ConfigError(f'`suite`={NAME}: nothing can be run: no machine of `tasks` is there, or no row of `methods`')
    by_name = {method.name: method for method in able}
    digests: dict[str, str] = {}

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        return run_cell(cell, by_name[cell.method], found, call.root, digests)

    results = run_cells(cells(there, able, call.seeds), one, _words, call.say)
    data = unseen_page.assemble(results, call.command, missing, skipped)
    return write_page(call.pages, NAME, data, unseen_page.KIND)


def _words(cell: Mapping[str, Any]) -> str:
    found = score(Verdicts.from_json(cell['verdicts']), cell['truth'], QUESTIONS[0])
    return f'balanced accuracy {100 * found["balanced_accuracy"]:.1f} %, abstained {100 * found["abstained"]:.1f} %'


def run_cell(
    cell: Cell, method: Method, found: Mapping[str, Found], root: pathlib.Path, digests: dict[str, str]
) -> tuple[dict[str, Any], bool]:
    """What a cell found, and whether it lay on the disk: the verdict on every recording of a machine, and its state.

    Args:
      cell: a method on a machine.
      method: the same method.
      found: of `read_machines`.
      root: folder of cells.
      digests: keeps digests of recordings between calls.
    """
    task: Task = cell.task
    folds = list(task.folds(found, cell.seed, method.learns))
    asked = {
        'task': task.name,
        'method': method.name,
        'seed': cell.seed,
        'settings': method.asked(),
        'folds': [[recordings_digest(part, digests) for part in pair] for pair in folds],
    }

    def measure() -> dict[str, Any]:
        began = time.perf_counter()
        verdicts = joined([method(others, tested, cell.seed) for others, tested in folds])
        tested = [recording for _, part in folds for recording in part]
        strata = found[task.machine.name].strata
        return {
            'suite': NAME,
            'machine': task.name,
            'method': method.name,
            'seed': cell.seed,
            'seconds': round(time.perf_counter() - began, 1),
            'recordings': [r.recording for r in tested],
            'truth': [r.fault_type for r in tested],
            'strata': [strata.get(r.recording, '') for r in tested],
            'verdicts': verdicts.to_json(),
        }

    return fill(cell.path(root), asked, measure)


def joined(parts: Sequence[Verdicts]) -> Verdicts:
    """The verdicts of several folds, one behind the other."""
    return Verdicts(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.abstained for part in parts]),
        tuple(reason for part in parts for reason in part.reasons),
    )


def recordings_digest(recordings: Sequence[Recording], known: dict[str, str]) -> str:
    """A digest of recordings, their samples, states and conditions.

    Args:
      recordings: of one or more machines.
      known: keeps digests of single recordings between calls.
    """
    digest = hashlib.sha256()
    for r in recordings:
        if r.recording not in known:
            facts = (r.recording, r.fault_type, r.bearing, r.sample_rate_hz, r.speed_rpm, r.geometry)
            content = hashlib.sha256(repr(facts).encode() + np.ascontiguousarray(r.samples).tobytes())
            known[r.recording] = content.hexdigest()
        digest.update(known[r.recording].encode())
    return digest.hexdigest()[:16]
