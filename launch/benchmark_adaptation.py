"""What adaptation is worth: cells of the suites loads, machines and rigs."""

from __future__ import annotations

import pathlib
import time

from absl import flags

from fdx.adapt.config import DEFAULT_CRITERION
from fdx.adapt.methods import METHODS
from fdx.benchmarks.adaptation_cells import dataset_names, run_cell
from fdx.benchmarks.adaptation_page import write_suite
from fdx.benchmarks.adaptation_suite import DEFAULT_METHODS, Cell, Suite, cells, get_suite
from fdx.data.blocks import NUM_BLOCKS
from fdx.signal.front_ends import DEFAULT_FRONT_END
from fdx.types import ConfigError

from .display import progress
from .prepare_on_demand import prepare_if_missing

FLAGS = flags.FLAGS
# Builders whose configs are named without their default front end.
DEFAULT_FRONT_ENDS = {'bearing_rig': DEFAULT_FRONT_END}
# Flags that are part of the page's command where they are given.
LISTS = ('methods', 'inputs')


def run() -> pathlib.Path:
    """Fills every cell that is not there and writes the page."""
    suite = get_suite(FLAGS.suite)
    methods = None if FLAGS.methods is None else tuple(dict.fromkeys(FLAGS.methods))
    _check(suite, DEFAULT_METHODS if methods is None else methods)
    todo = cells(suite, tuple(FLAGS.inputs), methods, FLAGS.seeds)
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
    command += ''.join(f' --{name}={",".join(FLAGS[name].value)}' for name in LISTS if FLAGS[name].present)
    return write_suite(pathlib.Path(FLAGS.out), suite, found, command)


def _check(suite: Suite, methods: tuple[str, ...]) -> None:
    """Refuses names that do not exist and inputs that would have no part, before anything is prepared."""
    if not methods or not set(methods) <= set(METHODS):
        raise ConfigError(f'--methods={",".join(methods)}: there are {", ".join(METHODS)}')
    # By default all inputs are named, whichever the suite has.
    asked, given = FLAGS.inputs, FLAGS['inputs'].present
    if not asked or (given and not set(asked) <= set(suite.inputs)):
        raise ConfigError(f'--inputs={",".join(asked)}: --suite={suite.name} has {", ".join(suite.inputs)}')
    unadapted = [name for name in asked if name not in suite.adapted]
    if given and unadapted and 'source_only' not in methods:
        raise ConfigError(
            f'--inputs={",".join(asked)}: --suite={suite.name} learns {", ".join(unadapted)} from the source alone: '
            'leave out, or add source_only to --methods'
        )
    if FLAGS.seeds > NUM_BLOCKS and any(pair.rotates for pair in suite.pairs):
        raise ConfigError(
            f'--seeds={FLAGS.seeds}: --suite={suite.name} takes another fold for each seed and has {NUM_BLOCKS}'
        )


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
