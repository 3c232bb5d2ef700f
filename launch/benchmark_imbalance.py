"""What is done about rare faults: cells of the suite imbalance."""

from __future__ import annotations

import pathlib
import time

import jax
from absl import flags

from fdx.benchmarks.imbalance_cells import run_cell
from fdx.benchmarks.imbalance_page import write_imbalance
from fdx.benchmarks.imbalance_suite import GENERATOR, NAME, REMEDIES, TASKS, Cell, cells, get_remedies, get_tasks
from fdx.data.blocks import NUM_BLOCKS
from fdx.synth.dataset import BUILDER
from fdx.synth.run import default_name, generator_for, is_written, synthesise
from fdx.train.config import TrainConfig
from fdx.types import ConfigError

from .display import progress
from .prepare_on_demand import prepare_if_missing

FLAGS = flags.FLAGS
# Flags that are part of the page's command where they are given.
LISTS = ('methods', 'tasks')


def run() -> pathlib.Path:
    """Fills every cell that is not there and writes the page."""
    tasks = TASKS if FLAGS.tasks is None else get_tasks(FLAGS.tasks)
    remedies = REMEDIES if FLAGS.methods is None else get_remedies(FLAGS.methods)
    if FLAGS.seeds > NUM_BLOCKS:
        raise ConfigError(
            f'--seeds={FLAGS.seeds}: --suite={NAME} takes another fold for each seed and has {NUM_BLOCKS}'
        )
    _keep_programs(pathlib.Path(FLAGS.workdir) / 'compiled')
    for task in tasks:
        prepare_if_missing(task.dataset, FLAGS.data_dir, FLAGS.manual_dir)
    todo, root = cells(tasks, remedies, FLAGS.seeds), pathlib.Path(FLAGS.workdir)
    found = [_cell(cell, root, f'[{i}/{len(todo)}]') for i, cell in enumerate(todo, 1)]
    command = f'python -m launch.benchmark --suite={NAME} --seeds={FLAGS.seeds}'
    command += ''.join(f' --{name}={",".join(FLAGS[name].value)}' for name in LISTS if FLAGS[name].present)
    return write_imbalance(pathlib.Path(FLAGS.out), found, tasks, command)


def _keep_programs(folder: pathlib.Path) -> None:
    """Keeps compiled programs: runs differ in their rows, and to compile takes longer than so short a training."""
    jax.config.update('jax_compilation_cache_dir', str(folder.absolute()))
    jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.2)


def _cell(cell: Cell, root: pathlib.Path, where: str) -> dict:
    began = time.perf_counter()
    results, stored = run_cell(cell, FLAGS.data_dir, root, _generate, GENERATOR, progress)
    if not stored:
        # Every run loads programs of its own: kept, they use up what the kernel lets a process map (here in 85 runs).
        jax.clear_caches()
        row = results['row']
        print(
            f'{where} {cell.name}, {cell.remedy}, seed {cell.seed}: macro F1 {100 * row["macro_f1"]:.1f} %, accuracy '
            f'{100 * row["accuracy"]:.1f} %, {time.perf_counter() - began:.0f} s',
            flush=True,
        )
    return results


def _generate(config: TrainConfig, folder: pathlib.Path) -> str:
    """Generated records for a run, trained on its rows; those of an earlier call where they are there."""
    wanted = generator_for(config, **GENERATOR)
    name = default_name(wanted)
    if not is_written(wanted):
        synthesise(wanted, folder / name, progress=progress)
    return f'{BUILDER}/{name}'
