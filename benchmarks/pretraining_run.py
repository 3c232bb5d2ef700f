"""Runs the pretraining benchmark: linear heads on frozen networks, and whole networks that are fine-tuned."""

from __future__ import annotations

import pathlib
from typing import Any

from fdx.evaluate.spread import spread_text
from fdx.types import ConfigError

from . import pretraining_suite
from .grid import Call, Cell, run_cells
from .page import read_page, write_page
from .pretraining_cells import FINE_TUNED, Machines, fine_tuned_cell, frozen_cell, recordings_cell
from .pretraining_merge import merged
from .pretraining_page import KIND
from .pretraining_results import NAME, assemble
from .pretraining_suite import FEW_RECORDINGS, NETWORKS, why_not
from .probe import CHOSEN
from .probe_report import shots_words

FROZEN = 'frozen'


def run(
    call: Call, tasks: list[str] | None, networks: list[str] | None, *, draws: int = 20, fine_tune: bool = True
) -> pathlib.Path:
    """Fills every cell that is not there and writes the page.

    Args:
      call: what every study is told.
      tasks: names of tasks; the others stay on the page as they are. None: all.
      networks: names of networks; rows of the others stay on the page as they are. None: all.
      draws: how often few labels are drawn, for each seed.
      fine_tune: whether whole networks are trained, too, where a task asks for it.

    Returns:
      The path of the page.

    Raises:
      ConfigError: names that do not exist.
      DataError: the page whose other rows were to stay cannot be read.
      FdxError: preparation or training fails.
    """
    asked, of = _named('tasks', tasks, pretraining_suite.TASKS), _named('networks', networks, NETWORKS)
    # Fails before the hours of work, not after them.
    older = None if tasks is None and networks is None else read_page(call.pages, NAME, KIND)
    pairs = [(task, network) for task in asked for network in of if why_not(task, network) is None]
    seeds = range(call.seeds)
    frozen = [Cell(NAME, task, network, FROZEN, seed) for task, network in pairs for seed in seeds]
    tuned = [
        Cell(NAME, task, network, FINE_TUNED, seed)
        for task, network in pairs
        if fine_tune and task.fine_tuned and network.can_be_trained
        for seed in seeds
    ]
    machines = Machines(call)

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        if cell.task.protocol == FEW_RECORDINGS:
            return recordings_cell(cell, call, draws, machines)
        return frozen_cell(cell, call, draws)

    found = _by_row(frozen, run_cells(frozen, one, _frozen_words, call.say))
    whole = _by_row(tuned, run_cells(tuned, lambda cell: fine_tuned_cell(cell, call), _tuned_words, call.say))
    data = assemble(found, seeds, call.command, whole)
    return write_page(call.pages, NAME, merged(older, data) if older else data, KIND)


def _named(parameter: str, names: list[str] | None, known: tuple) -> list:
    """The tasks or networks of the given names."""
    if names is None:
        return list(known)
    if not names or not set(names) <= {k.name for k in known}:
        raise ConfigError(f'`{parameter}`={",".join(names)}: there are {", ".join(k.name for k in known)}')
    return [k for k in known if k.name in names]


def _by_row(cells: list[Cell], found: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(task, network) -> what the cells found, seed by seed."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell, results in zip(cells, found, strict=True):
        rows.setdefault((cell.task.name, cell.input.name), []).append(results)
    return rows


def _frozen_words(results: dict[str, Any]) -> str:
    words = []
    for part in results['shots']:
        row = next(row for row in part['rows'] if row['stage'] == CHOSEN)
        score = row['accuracy'] if 'accuracy' in row else row['balanced_accuracy']
        words.append(f'{shots_words(part["shots"])} a class {spread_text(score, percent=True)} %')
    return ', '.join(words)


def _tuned_words(results: dict[str, Any]) -> str:
    return f'accuracy {100 * results["accuracy"]:.1f} %'
