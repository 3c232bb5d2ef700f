"""Rare faults from end to end, in one command: `make gan`.

    python -m launch.rare_faults --workdir=runs/gan --manual_dir=RECORDINGS

Makes faults rare (one training window of twenty), trains a conditional GAN on the remaining windows, writes its
records as a dataset, judges them against real windows that it never saw, and trains the same small network with the
generated records and with the simple remedies. It uses CWRU's recordings at load 0 if --manual_dir or FDX_RAW_DATA
names them, and a simulated bearing otherwise. A second call continues a stopped one. launch.synthesize and launch.train
do the same on your own data; launch.benchmark --suite=imbalance does it with all ratios and several seeds.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import pathlib
import time

from absl import flags

from fdx.benchmarks.grid import Call, Cell
from fdx.benchmarks.imbalance_run import config_of, run_cell
from fdx.benchmarks.imbalance_suite import MODEL, NAME, TASKS, Task
from fdx.data.preparing import RAW_DATA_VARIABLE
from fdx.files import write_json
from fdx.synth.run import generator_for, synthesise

from . import cli
from .display import progress, table
from .prepare_on_demand import prepare_if_missing
from .synthesize import judge_and_write
from .synthesize_on_demand import health_line
from .workdirs import locks_workdir

FLAGS = flags.FLAGS
REMEDIES = ('none', 'class_weight', 'oversample', 'gan')


def define_flags() -> None:
    """The flags of this program."""
    flags.DEFINE_string('workdir', 'runs/gan', 'where the generator, the judgement and the table go')
    flags.DEFINE_string('data_dir', 'data', 'folder of prepared datasets; the generated one goes there, too')
    flags.DEFINE_string('manual_dir', None, 'folder of CWRU recordings; else FDX_RAW_DATA; else a simulated bearing')
    flags.DEFINE_integer('ratio', 20, 'rare faults keep one training window of so many', lower_bound=1)
    flags.DEFINE_integer('steps', 1000, 'updates of the generator, a multiple of 25')
    flags.DEFINE_integer('width', 16, 'channels of its largest maps')
    flags.DEFINE_integer('judge_samples', 64, 'generated windows of each class that are judged', lower_bound=1)
    flags.DEFINE_integer('seed', 0, 'of everything; also the fold that is scored, 0 to 4', lower_bound=0, upper_bound=4)


def _task() -> Task:
    """CWRU if its recordings are there, otherwise the simulated rig."""
    cwru, rig = TASKS
    task = cwru if FLAGS.manual_dir or os.environ.get(RAW_DATA_VARIABLE) else rig
    return dataclasses.replace(task, ratio=FLAGS.ratio)


@locks_workdir
def main(argv) -> None:
    """Trains, judges and compares."""
    del argv
    began = time.perf_counter()
    logging.getLogger('fdx').setLevel(logging.ERROR)  # The tables of frozen parameters are for launch.train.
    task, root = _task(), pathlib.Path(FLAGS.workdir)
    print(f'{task.words}; 1:{FLAGS.ratio}', flush=True)
    prepare_if_missing(task.dataset, FLAGS.data_dir, FLAGS.manual_dir)
    settings = {'steps': FLAGS.steps, 'width': FLAGS.width}
    wanted = generator_for(config_of(Cell(NAME, task, MODEL, 'gan', FLAGS.seed), FLAGS.data_dir), **settings)
    made = synthesise(
        wanted, root / 'generator', progress=progress, on_row=lambda row: print(health_line(row), flush=True)
    )
    print(f'generated records: {made.name} in {FLAGS.data_dir}', flush=True)
    report = judge_and_write(made, root / 'judgement', FLAGS.judge_samples)
    rows, call = [], Call(root, FLAGS.data_dir, progress=progress)
    for remedy in REMEDIES:
        cell = Cell(NAME, task, MODEL, remedy, FLAGS.seed)
        results, _ = run_cell(cell, call, lambda config, folder: made.name, settings)
        rows.append(results['row'])
    print()
    print(comparison(rows))
    write_json(root / 'rare_faults.json', {'rows': rows, 'seconds': round(time.perf_counter() - began, 1)})
    print(f'\njudgement: {report}; {time.perf_counter() - began:.0f} s')
    print(f'one seed, {results["row"]["windows"]} test windows: launch.benchmark --suite=imbalance has more')


def comparison(rows: list[dict]) -> str:
    """Macro F1, accuracy and the lowest recall of each remedy, as text."""
    header = ['remedy', 'macro F1 %', 'accuracy %', 'worst recall %', 'of', 's']
    lines = []
    for row in rows:
        worst = min(row['recall'], key=row['recall'].get)
        numbers = [f'{100 * value:.1f}' for value in (row['macro_f1'], row['accuracy'], row['recall'][worst])]
        lines.append([row['method'], *numbers, worst, f'{row["seconds"]:.0f}'])
    return table(header, lines)


if __name__ == '__main__':
    define_flags()
    cli.run(main)
