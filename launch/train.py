r"""Trains a classifier on a prepared dataset; the same command goes on where a stopped run stands.

Example, the study's head-only transfer on real recordings, all five time folds:

    python -m launch.train --dataset=cwru/load0_12k --init=runs/demo/pretrain --freeze=head --fold=all \
        --epochs=60 --halve_every=20 --learning_rate=5e-3 --workdir=runs/cwru

A table of readings (CSV columns rpm, temperature_c, vibration_g, current_a, failure), balanced, with a threshold that
finds 95 % of the failures of the validation rows:

    python -m launch.train --dataset=motor_maintenance/mine --csv=log.csv --balance=smote --threshold=recall:0.95 \
        --workdir=runs/mine

Rows of a log follow each other and are not independent examples. So whole stretches go to one split each
(--protocol=row_blocks, the default for --csv), or whole machines, runs or days where --group_column=NAME names them.

Rare faults: --imbalance=1:20 makes them rare on purpose, and --balance says what is done about it. gan first trains a
generator of their spectrograms, or takes the records that launch.synthesize wrote.

Defaults are Table 2 of Di Maggio, Sensors 23(1):211, 2023; for a table those that are printed. Score the run with
launch.evaluate, use it on raw files with launch.predict, take it to a microcontroller with launch.export.
"""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from typing import Any

import jax
from absl import flags

from fdx.data.csv_tables import csv_table
from fdx.data.protocols.splits import folds_of
from fdx.data.source import open_dataset
from fdx.train.checkpoints import Checkpoints
from fdx.train.config import TrainConfig
from fdx.train.run import train
from fdx.train.run_data import select_rows
from fdx.train.workdir import init_of_fold
from fdx.types import ConfigError

from . import cli
from .config_flags import define_train_flags, train_config
from .display import epoch_line, progress
from .own_defaults import is_own, of_own
from .prepare_on_demand import prepare_if_missing
from .recordings_flags import define_recordings_flags
from .synthesize_on_demand import with_synthetic
from .table_defaults import is_table, settings_text, table_settings
from .workdirs import locks_workdir

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this program: those of TrainConfig and its own."""
    define_train_flags()
    define_recordings_flags()
    flags.DEFINE_string('workdir', None, 'where checkpoints and logs go; with --fold=all, one sub-folder a fold')
    flags.DEFINE_string(
        'manual_dir', None, 'folder of raw recordings, to prepare the dataset on first use; else FDX_RAW_DATA names it'
    )
    flags.DEFINE_string(
        'csv',
        None,
        'table of readings, to prepare --dataset=motor_maintenance/NAME from on first use; NAME is yours',
    )
    flags.DEFINE_string(
        'group_column',
        None,
        'column of --csv with the machine, run or day of each row, whose rows stay in one split; it is not a reading',
    )
    flags.DEFINE_string('step', 'last', 'which checkpoint of the workdir to resume from: last, best or a number')
    flags.DEFINE_string('coordinator', None, 'several hosts: address:port of process 0; the others connect to it')
    flags.DEFINE_integer('num_processes', 1, 'several hosts: how many processes train together')
    flags.DEFINE_integer('process_id', 0, 'several hosts: number of this process')
    flags.mark_flag_as_required('workdir')


def _connect() -> None:
    """Joins the other processes, where there are any."""
    if FLAGS.coordinator:
        jax.distributed.initialize(FLAGS.coordinator, FLAGS.num_processes, FLAGS.process_id)
    elif FLAGS.num_processes != 1 or FLAGS.process_id != 0:
        raise ConfigError('--num_processes and --process_id need --coordinator=ADDRESS:PORT')


def _check_step() -> None:
    """Refuses a --step that would be ignored, because the workdir has no checkpoints or all folds are run."""
    if FLAGS.step == 'last':
        return
    if FLAGS.fold == 'all':
        raise ConfigError(f'--step={FLAGS.step} with --fold=all: resume one fold, e.g. --fold=0 with its own --workdir')
    Checkpoints(FLAGS.workdir).resolve(FLAGS.step)


def _of_table(config: TrainConfig, settings: dict[str, Any]) -> TrainConfig:
    """The config, with the table's own protocol if no flag names one; prints what is known about its rows."""
    data = open_dataset(config.dataset, config.data_dir)
    if 'protocol' in settings:
        config = dataclasses.replace(config, protocol=data.default_protocol)
        settings = {**settings, 'protocol': config.protocol}
    if settings:
        print(f'a table of readings: {settings_text(settings)}')
    print(f'its classes: {", ".join(f"{name} {count}" for name, count in data.metadata["balance"].items())}')
    splits, _ = select_rows(config, data)
    warn = splits.dependent and config.protocol == 'row_blocks'
    for note in map(cli.as_flags, splits.notes):
        print(f'warning: {note}' if warn else note, file=sys.stderr if warn else sys.stdout)
    if splits.leak_reason:
        leaks = cli.as_flags(splits.leak_reason)
        print(f'warning: LEAKS: {leaks}; scores of this run do not estimate those on new data', file=sys.stderr)
    return config


@locks_workdir
def main(argv) -> None:
    """Trains the fold or folds that the flags name."""
    del argv
    of_table = table_settings(FLAGS.dataset or '')
    config = train_config(**of_table)
    _check_step()
    _connect()
    table = csv_table(FLAGS.csv, FLAGS.group_column)
    name = prepare_if_missing(config.dataset, config.data_dir, FLAGS.manual_dir, table)
    config = dataclasses.replace(config, dataset=name)
    if is_table(FLAGS.dataset):
        config = _of_table(config, of_table)
    every_fold = FLAGS.fold == 'all'
    if is_own(config.dataset):
        config, fold, lines = of_own(config)
        every_fold = fold == 'all'
        print('\n'.join(map(cli.as_flags, lines)), flush=True)
    folds = [config.fold]
    if every_fold:
        folds = folds_of(config.protocol, open_dataset(config.dataset, config.data_dir).table, config.label_key)
    caches: dict = {}
    for fold in folds:
        workdir = pathlib.Path(FLAGS.workdir)
        if every_fold:
            workdir /= f'fold_{fold}'
            print(f'fold {fold}')
        of_fold = dataclasses.replace(config, fold=fold, init=init_of_fold(config.init, fold))
        of_fold = with_synthetic(of_fold, workdir)
        result = train(
            of_fold,
            workdir,
            caches=caches,
            progress=progress,
            on_epoch=lambda row: print(epoch_line(row), flush=True),
            resume_step=FLAGS.step,
        )
        print(f'best step {result.best_step} by validation {config.select_by}; {result.seconds:.1f} s; {workdir}')
    print(cli.as_flags(f'score it: python -m launch.evaluate --checkpoint={FLAGS.workdir}'))


if __name__ == '__main__':
    define_flags()
    cli.run(main)
