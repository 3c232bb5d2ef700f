"""Runs the cells of the own_machine benchmark: every fold of a protocol, scored together, by recording."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import jax
from sklearn.metrics import balanced_accuracy_score, f1_score

from fdx.data.prepare import prepare_if_missing
from fdx.data.preparing import RAW_DATA_VARIABLE
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.source import open_dataset
from fdx.evaluate.recordings import per_recording
from fdx.evaluate.scoring import score_run
from fdx.train.config import TrainConfig
from fdx.train.few_recordings import by_size, train_counts
from fdx.train.programs import forget_when_many
from fdx.train.run import train
from fdx.types import ConfigError

from . import own_machine_page
from .grid import Call, Cell, fill, run_cells
from .own_dataset import OwnStudy
from .own_machine_suite import INPUTS, LINEAR, NAME, TASKS, cells, get_inputs, get_tasks
from .page import write_page


def run(call: Call, tasks: list[str] | None, inputs: list[str] | None) -> pathlib.Path:
    """Fills every cell that is not there and writes the page.

    Args:
      call: what every study is told.
      tasks: names of tasks; None: all whose recordings are there.
      inputs: parts of names of inputs; None: all.

    Returns:
      The path of the page.

    Raises:
      ConfigError: names that do not exist, or no folder of raw recordings.
    """
    folder = call.manual_dir or os.environ.get(RAW_DATA_VARIABLE)
    if not folder:
        raise ConfigError(f'`suite`={NAME} reads real recordings: name their folder with `manual_dir`')
    asked = TASKS if tasks is None else get_tasks(tasks)
    there = tuple(task for task in asked if (pathlib.Path(folder) / task.bench.folder).is_dir())
    for task in asked:
        if task not in there:
            call.say(f'{task.name}: skipped, there is no {task.bench.folder} in {folder}')
    if not there:
        raise ConfigError(f'`manual_dir`={folder} holds none of {", ".join(t.bench.folder for t in asked)}')
    kinds = INPUTS if inputs is None else get_inputs(inputs)
    found = _run_all(cells(there, kinds, call.seeds), call, folder)
    return write_page(call.pages, NAME, own_machine_page.assemble(found, call.command), own_machine_page.KIND)


def run_own(call: Call, study: OwnStudy) -> pathlib.Path:
    """The same on the user's own recordings; returns the path of the page.

    Args:
      call: what every study is told.
      study: of `own_dataset.own_study`.
    """
    for line in study.left_out:
        call.say(f'left out: {line}')
    asked = [
        Cell(NAME, task, kind, kind.model, seed)
        for seed in range(call.seeds)
        for task in study.tasks
        for kind in study.inputs
        if (task.name, kind.name) in study.pairs
    ]
    call.say(f'{len(asked)} runs, each of all folds of its protocol; those that lie in {call.root} are not run again')
    found = _run_all(asked, call, '')
    data = own_machine_page.assemble(found, call.command, study.about)
    return write_page(call.pages, study.name, data, own_machine_page.KIND)


def _run_all(asked: Sequence[Cell], call: Call, manual_dir: str) -> list[dict[str, Any]]:
    if not jax.config.jax_compilation_cache_dir:  # The user has not set another folder.
        jax.config.update('jax_compilation_cache_dir', str((call.root / 'compiled').absolute()))
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.2)

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        found, stored = run_cell(cell, call, manual_dir)
        if not stored:
            forget_when_many()
        return found, stored

    return run_cells(asked, one, _words, call.say)


def _words(row: dict[str, Any]) -> str:
    return f'recordings: accuracy {100 * row["accuracy"]:.1f} %, macro F1 {100 * row["macro_f1"]:.1f} %'


def run_cell(cell: Cell, call: Call, manual_dir: str) -> tuple[dict[str, Any], bool]:
    """The row of a cell, and whether it lay on the disk.

    Args:
      cell: the run: all folds of its protocol.
      call: where data and cells are.
      manual_dir: folder of raw recordings.
    """
    kind, bench = cell.input, cell.task.bench
    own = bench.recordings(manual_dir, kind)
    name = prepare_if_missing(bench.dataset(kind), call.data_dir, recordings=own, notify=call.say)
    config = config_of(cell, name, call.data_dir)

    def measure() -> dict[str, Any]:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            root, caches = pathlib.Path(folder), {}
            table = open_dataset(name, call.data_dir).table
            for fold in folds_of(config.protocol, table):
                of_fold = dataclasses.replace(config, fold=fold)
                train(of_fold, root / f'fold_{fold}', caches=caches, progress=call.progress)
            seconds = time.perf_counter() - began
            predictions = score_run(root).predictions
        recordings = per_recording(predictions)
        truth, said = [r['label'] for r in recordings], [r['predicted_mean'] for r in recordings]
        right = [a == b for a, b in zip(truth, said)]
        return {
            'task': cell.task.name,
            'input': kind.name,
            'front_end': kind.front_end,
            'model': kind.model,
            'protocol': config.protocol,
            'records': name,
            'seed': cell.seed,
            'recordings': len(recordings),
            'windows': len(predictions.labels),
            'seconds': round(seconds, 1),
            'accuracy': sum(right) / len(right),
            'balanced_accuracy': float(balanced_accuracy_score(truth, said)),
            'macro_f1': float(f1_score(truth, said, average='macro')),
            'window_accuracy': float((predictions.predicted == predictions.labels).mean()),
        }

    return fill(cell.path(call.root), {'config': config.to_json(), 'dataset': name}, measure)


def config_of(cell: Cell, dataset: str, data_dir: str) -> TrainConfig:
    """The settings of fold 0; a linear classifier's penalty is that of logistic regression with C = 1."""
    settings = dict(cell.input.settings)
    if cell.input.by_size:
        data, protocol = open_dataset(dataset, data_dir), cell.task.protocol
        counts = train_counts(TrainConfig(dataset, data_dir, protocol=protocol), data, folds_of(protocol, data.table))
        settings = by_size(settings, counts)
    elif settings == LINEAR:
        rows = split_rows(open_dataset(dataset, data_dir).table, cell.task.protocol).train
        settings['l2'] = float(f'{1 / len(rows):.2g}')
    fields = {'protocol': cell.task.protocol, 'seed': cell.seed, **settings, 'model': cell.input.model}
    return TrainConfig(dataset, data_dir, **fields)
