"""Trains the reference methods in PyTorch on the windows that fdx adapts on, one run after another, and prints a table.

    make bench-adapt      (or: python -m benchmarks.references --torch_python=/path/to/python --methods=jmmd --seeds=1)

Every run is a process of its own on one thread. Its cell, WORKDIR/cells/.../seed_S.json, is kept: a stopped call goes
on, and a cell is run again only where the recipe or the windows have changed. While it runs, seed_S.log shows its
epochs. Seed S scores fold S of the split, as the suite `loads` of launch.benchmark does. Accuracy is that of the last
epoch on the target's test part. Seconds are CPU seconds of the steps of an epoch with the term, the median over such
epochs: other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import subprocess
import sys
from typing import Any

from fdx.data.prepare import prepare_if_missing
from fdx.files import atomic_write_text
from fdx.types import ConfigError, FdxError

from ..grid import Cell, fill, run_cells
from ..page import json_text
from .recipe import METHODS, Recipe
from .records import DATASET, PROTOCOL, Pair, write_parts
from .results import assemble, row_of, table

# The folder of `benchmarks`, in a checkout and in the wheel: the other environment need not have fdx.
ROOT = pathlib.Path(__file__).resolve().parents[2]
PAIRS = 'load0:load3,load3:load0'


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides a run besides pair, method and seed.

    Attributes:
      workdir: folder of cells and of the windows' files.
      data_dir: folder of prepared datasets.
      torch_python: a Python that has PyTorch; it needs nothing of fdx.
      recipe: of every run.
      threads: of PyTorch.
    """

    workdir: pathlib.Path
    data_dir: str
    torch_python: str
    recipe: Recipe = Recipe()
    threads: int = 1


def run_torch(method: str, parts: pathlib.Path, seed: int, settings: Settings, log: pathlib.Path) -> dict[str, Any]:
    """What `common.train` found, in a process of the other environment; its epochs go into the file `log`.

    Raises:
      ConfigError: the process fails; the last line that it wrote says why.
    """
    changed = {k: v for k, v in dataclasses.asdict(settings.recipe).items() if v != getattr(Recipe(), k)}
    command = [settings.torch_python, '-m', f'benchmarks.references.{method}', f'--parts={parts.resolve()}']
    command += [f'--seed={seed}', f'--threads={settings.threads}', f'--recipe={json.dumps(changed)}']
    # One thread is a promise of numerical libraries too, which read it when they are loaded.
    environment = {**os.environ, 'OMP_NUM_THREADS': str(settings.threads)}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w', encoding='utf-8') as errors:
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=environment)
        except OSError as error:
            raise ConfigError(f'`torch_python`={settings.torch_python}: {error.strerror}') from error
    if done.returncode:
        why = (log.read_text(encoding='utf-8').strip().splitlines() or ['it says nothing'])[-1]
        raise ConfigError(f'`torch_python`={settings.torch_python}: {method} fails: {why}')
    return json.loads(done.stdout.strip().splitlines()[-1])


def run(pairs: list[Pair], methods: list[str], seeds: int, settings: Settings) -> list[dict[str, Any]]:
    """Fills every cell that is not there, seed by seed; returns one row for each.

    Raises:
      ConfigError: an unknown method or domain, or a PyTorch that does not run.
      FdxError: the data cannot be read.
    """
    unknown = sorted(set(methods) - set(METHODS))
    if unknown or not methods:
        raise ConfigError(f'`methods`={",".join(methods)}: there are {", ".join(METHODS)}')
    written: dict[tuple[Pair, int], tuple[pathlib.Path, dict]] = {}

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        key = (cell.task, cell.seed)
        if key not in written:
            path = settings.workdir / 'windows' / f'{cell.task.source}_{cell.task.target}_fold_{cell.seed}.npz'
            written[key] = path, write_parts(path, cell.task, cell.seed, settings.data_dir)
        path, about = written[key]
        asked = {'method': cell.method, 'seed': cell.seed, 'task': cell.task.name, 'dataset': cell.task.dataset}
        asked |= {'recipe': dataclasses.asdict(settings.recipe), 'threads': settings.threads, 'windows': about}

        def measure() -> dict[str, Any]:
            log = cell.path(settings.workdir).with_suffix('.log')
            found = run_torch(cell.method, path, cell.seed, settings, log)
            history = found.pop('history')
            row = {'task': cell.task.name, 'method': cell.method, 'seed': cell.seed, 'fold': cell.seed}
            return {'row': {**row, **found, 'machine': platform.machine()}, 'history': history}

        return fill(cell.path(settings.workdir), asked, measure)

    cells = [
        Cell('references', pair, 'torch', method, seed) for seed in range(seeds) for method in methods for pair in pairs
    ]

    def say(line: str) -> None:
        print(line, flush=True)

    return [row_of(found) for found in run_cells(cells, one, _words, say)]


def _words(found: dict[str, Any]) -> str:
    row = found['row']
    return f'{100 * row["accuracy"]:.1f} %, {row.get("cpu_s", row["source_cpu_s"]):.2f} CPU s per epoch'


def _recipe(changed: dict[str, Any]) -> Recipe:
    """`Recipe()` with other settings; ConfigError names those that it does not have."""
    known = [field.name for field in dataclasses.fields(Recipe)]
    unknown = sorted(set(changed) - set(known))
    if unknown:
        raise ConfigError(f'`recipe` sets {", ".join(unknown)}: a recipe has {", ".join(known)}')
    return Recipe(**changed)


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pairs', default=PAIRS, help='SOURCE:TARGET,... of domains')
    parser.add_argument('--methods', default=','.join(METHODS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--workdir', type=pathlib.Path, default=pathlib.Path('runs/references'))
    parser.add_argument('--dataset', default=DATASET)
    parser.add_argument('--data_dir', default='data')
    parser.add_argument('--manual_dir', help='folder of raw recordings, where the dataset is not prepared yet')
    parser.add_argument('--torch_python', default=sys.executable, help='a Python that has PyTorch')
    parser.add_argument('--recipe', type=json.loads, default={}, help='JSON of settings that differ from Recipe()')
    parser.add_argument('--out', type=pathlib.Path, help='write all rows to this JSON file')
    args = parser.parse_args()
    try:
        pairs = [Pair.parse(text, args.dataset, PROTOCOL) for text in args.pairs.split(',')]
        settings = Settings(args.workdir, args.data_dir, args.torch_python, _recipe(args.recipe))
        prepare_if_missing(args.dataset, args.data_dir, args.manual_dir, notify=print)
        rows = run(pairs, args.methods.split(','), args.seeds, settings)
        if args.out:
            words = f'--pairs={args.pairs} --methods={args.methods} --seeds={args.seeds}'
            data = assemble(rows, settings.recipe, settings.threads, f'python -m benchmarks.references {words}')
            args.out.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_text(args.out, json_text(data))
    except FdxError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(rows))
    return 0


if __name__ == '__main__':
    sys.exit(main())
