"""What the reference runs found: rows packed over seeds, their JSON file and their table."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ..grid import pack
from ..page import how_measured
from .recipe import Recipe

# Keys of a run that become lists, one value per seed.
PER_SEED = {
    'seed': 'seeds',
    'fold': 'folds',
    'windows': 'windows',
    'accuracy': 'accuracy',
    'cpu_s': 'cpu_s',
    'wall_s': 'wall_s',
    'source_cpu_s': 'source_cpu_s',
}


def row_of(cell: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a cell: what was found and what it was found on.

    Returns:
      task, method, seed, fold, `accuracy` on the target's test part after the last epoch, the medians over epochs of
      CPU seconds and wall seconds of the steps (`cpu_s` and `wall_s` with the term, `source_cpu_s` without it; of
      source_only all epochs are without it), the number of scored `windows`, records, protocol, torch and machine.
    """
    about, row = cell['asked']['windows'], cell['row']
    # Without a term, every epoch is one on the source alone.
    row = {'cpu_s': row['source_cpu_s'], 'wall_s': None, **row}
    protocol = f'source {about["protocol"]}, test part of {about["protocol"]}'
    return {**row, 'windows': about['windows']['target_test'], 'records': about['records'], 'protocol': protocol}


def assemble(rows: Sequence[Mapping[str, Any]], recipe: Recipe, threads: int, command: str) -> dict[str, Any]:
    """The data of the JSON file: how it was measured, the recipe, and one row per task and method.

    Args:
      rows: of `row_of`.
      recipe: of all runs.
      threads: of PyTorch.
      command: that does the same again.
    """
    measured = how_measured(command, sorted({row['seed'] for row in rows}))
    # torch and its machine are in the rows, as the runs were measured in another environment than this one.
    return {
        'suite': 'references',
        'measured': {**measured, 'threads': threads},
        'recipe': dataclasses.asdict(recipe),
        'rows': pack(rows, PER_SEED),
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line per task and method: mean accuracy, seconds of an epoch with the term, and the accuracy of each seed."""
    lines = [f'{"task":18s} {"method":12s} {"accuracy, %":>11s} {"CPU s/epoch":>11s}  each seed']
    for row in pack(rows, PER_SEED):
        each = ' '.join(f'{100 * a:.1f}' for a in row['accuracy'])
        mean, seconds = 100 * statistics.mean(row['accuracy']), statistics.median(row['cpu_s'])
        lines.append(f'{row["task"]:18s} {row["method"]:12s} {mean:11.1f} {seconds:11.2f}  {each}')
    return '\n'.join(lines)
