"""A study is a grid of cells: one run each, kept on the disk, so that a stopped study goes on and none runs twice.

The file of a cell holds what it found and what it was asked, that is everything that decides the run. A cell whose
settings have changed since is run again.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fdx.data.prepare import prepare_if_missing
from fdx.files import parse_json, write_json
from fdx.train.forward import Progress, no_progress

# Characters of names that have no place in a file name.
_WORDS = ((' -> ', '_to_'), ('/', '_'), (':', '_'), (' ', '_'))


def _quiet(line: Any) -> None:
    """Says nothing."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run of a study. Suite, task and input are texts, or have a `name`.

    Attributes:
      suite: the study.
      task: the question: a dataset or a pair of domains.
      input: the network, with the front end that feeds it.
      method: what is compared.
      seed: of everything that is random.
    """

    suite: Any
    task: Any
    input: Any
    method: str
    seed: int

    @property
    def title(self) -> str:
        """'loads, mel, load0 -> load1, dann, seed 0'."""
        return ', '.join([*map(name_of, (self.suite, self.input, self.task, self.method)), f'seed {self.seed}'])

    def path(self, root: pathlib.Path) -> pathlib.Path:
        """Where the cell is kept: root/cells/SUITE/INPUT/METHOD/TASK/seed_S.json."""
        folder = root / 'cells'
        for name in map(name_of, (self.suite, self.input, self.method, self.task)):
            for old, new in _WORDS:
                name = name.replace(old, new)
            folder /= name
        return folder / f'seed_{self.seed}.json'


def name_of(thing: Any) -> str:
    """The name of a suite, task or input; a text is its own."""
    return thing if isinstance(thing, str) else thing.name


@dataclasses.dataclass(frozen=True)
class Call:
    """What every study is told by its caller.

    Attributes:
      root: folder of cells, features and pages.
      data_dir: folder of prepared datasets.
      manual_dir: folder of raw recordings; None: see `fdx.data.prepare`.
      seeds: how many; they are 0, 1, ...
      command: that does the same again, for the page.
      say: called with a line for each cell that was run.
      on_epoch: called with each row of the history of a network that a study trains for later runs.
      progress: wraps long work.
    """

    root: pathlib.Path
    data_dir: str
    manual_dir: str | None = None
    seeds: int = 3
    command: str = ''
    say: Callable[[str], None] = _quiet
    on_epoch: Callable[[dict[str, Any]], None] = _quiet
    progress: Progress = no_progress

    @property
    def pages(self) -> pathlib.Path:
        """Folder of the pages."""
        return self.root / 'pages'

    def prepare(self, dataset: str) -> None:
        """Prepares a dataset where it is not there yet."""
        prepare_if_missing(dataset, self.data_dir, self.manual_dir, notify=self.say)


def read_cell(path: pathlib.Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What an earlier call left at `path`; None where there is nothing, or the answer to another question.

    Args:
      path: of the cell.
      asked: everything that decides it, JSON-able (tuples compare as lists).
    """
    if not path.exists():
        return None
    stored = parse_json(path.read_text(encoding='utf-8'))
    return stored if stored['asked'] == json.loads(json.dumps(asked)) else None


def write_cell(path: pathlib.Path, asked: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Writes a cell and returns it as the next call will find it.

    Raises:
      FileWriteError: it cannot be written.
    """
    write_json(path, {**found, 'asked': asked})
    return json.loads(path.read_text(encoding='utf-8'))


def fill(path: pathlib.Path, asked: dict[str, Any], run: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    """What a cell found, and whether it lay on the disk already; else `run` finds it now.

    Raises:
      FileWriteError: it cannot be written.
    """
    stored = read_cell(path, asked)
    if stored is not None:
        return stored, True
    return write_cell(path, asked, run()), False


def run_cells(
    cells: Sequence[Cell],
    run: Callable[[Cell], tuple[dict[str, Any], bool]],
    words: Callable[[dict[str, Any]], str],
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Fills every cell in order; says a line for each that did not lie on the disk.

    Args:
      cells: what to run.
      run: what `fill` returns for a cell.
      words: what a cell found, in words.
      say: called with '[2/30] TITLE: WORDS, 12 s'.
    """
    found = []
    for i, cell in enumerate(cells, 1):
        began = time.perf_counter()
        results, stored = run(cell)
        if not stored:
            say(f'[{i}/{len(cells)}] {cell.title}: {words(results)}, {time.perf_counter() - began:.0f} s')
        found.append(results)
    return found


def pack(records: Iterable[Mapping[str, Any]], per_seed: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row for all seeds of what is otherwise the same.

    Args:
      records: one per cell.
      per_seed: key of a record whose value depends on the seed -> key of the list in the row. A dict of values becomes
        a dict of lists.

    Returns:
      Rows in the order of their first record, each with the other keys as they are.
    """
    rows: dict[str, dict[str, Any]] = {}
    for record in records:
        same = {key: value for key, value in record.items() if key not in per_seed}
        row = rows.setdefault(json.dumps(same, sort_keys=True), {**same})
        for key, name in per_seed.items():
            value = record[key]
            if isinstance(value, Mapping):
                lists = row.setdefault(name, {})
                for part, number in value.items():
                    lists.setdefault(part, []).append(number)
            else:
                row.setdefault(name, []).append(value)
    return list(rows.values())
