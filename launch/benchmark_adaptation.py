"""What adaptation is worth: cells of the suites loads, machines and rigs."""

from __future__ import annotations

import pathlib
import time

from absl import flags

from fdx.adapt.methods import get_method
from fdx.evaluate.adaptation_bench import dataset_names, run_cell
from fdx.evaluate.adaptation_suite import INPUTS, Cell, cells, get_suite
from fdx.evaluate.adaptation_table import write_suite
from fdx.signal.front_ends import DEFAULT_FRONT_END
from fdx.train.adapt_config import DEFAULT_CRITERION
from fdx.types import ConfigError
from launch.display import progress
from launch.prepare_on_demand import prepare_if_missing

FLAGS = flags.FLAGS
# Builders whose configs are named without their default front end.
DEFAULT_FRONT_ENDS = {'bearing_rig': DEFAULT_FRONT_END}


def run() -> pathlib.Path:
    """Fills every cell that is not there and writes the page."""
    suite = get_suite(FLAGS.suite)
    for method in FLAGS.methods:
        get_method(method)
    unknown = [name for name in FLAGS.inputs if name not in INPUTS]
    if unknown or not FLAGS.inputs or not FLAGS.methods:
        raise ConfigError(
            f'--inputs={",".join(FLAGS.inputs)}: there are {", ".join(INPUTS)}; --methods names at least one'
        )
    todo = cells(suite, tuple(FLAGS.inputs), tuple(FLAGS.methods), FLAGS.seeds)
    if not todo:
        raise ConfigError(f'--suite={suite.name} has the inputs {", ".join(suite.inputs)}: none is among --inputs')
    root, found, caches = pathlib.Path(FLAGS.workdir), [], {}
    at = None
    for i, cell in enumerate(todo, 1):
        if at != (cell.input.name, cell.seed):
            # Another input: what was kept of the last one only takes memory.
            at, caches = (
                (cell.input.name, cell.seed),
                {k: v for k, v in caches.items() if at and at[0] == cell.input.name},
            )
        found.append(_cell(cell, root, caches, f'[{i}/{len(todo)}]'))
    command = f'python -m launch.benchmark --suite={suite.name} --seeds={FLAGS.seeds}'
    return write_suite(pathlib.Path(FLAGS.out), suite, found, command)


def _cell(cell: Cell, root: pathlib.Path, caches: dict, where: str) -> dict:
    names = dataset_names(cell, DEFAULT_FRONT_ENDS)
    for name in names:
        prepare_if_missing(name.partition(':')[0], FLAGS.data_dir, FLAGS.manual_dir)
    began = time.perf_counter()
    results, stored = run_cell(cell, FLAGS.data_dir, names, root, caches, progress)
    if not stored:
        right = {row['selection']: row['accuracy'] for row in results['rows']}
        print(
            f'{where} {cell.input.name}, {cell.pair.name}, {cell.method}, seed {cell.seed}: '
            f'{100 * right[DEFAULT_CRITERION]:.1f} % by {DEFAULT_CRITERION}, {100 * right["last"]:.1f} % last, '
            f'{time.perf_counter() - began:.0f} s',
            flush=True,
        )
    return results
