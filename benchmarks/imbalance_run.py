"""Runs the cells of the imbalance benchmark and writes its page."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fdx.data.blocks import NUM_BLOCKS
from fdx.data.pipeline import steps_per_epoch
from fdx.data.source import open_dataset
from fdx.evaluate.metrics import summarise
from fdx.evaluate.scoring import score_run
from fdx.synth.dataset import BUILDER
from fdx.synth.run import default_name, generator_for, is_written, synthesise
from fdx.train.config import AUGMENTATIONS, TrainConfig
from fdx.train.forward import Progress
from fdx.train.programs import forget_when_many
from fdx.train.run import train
from fdx.train.run_data import select_rows
from fdx.types import ConfigError

from . import imbalance_page
from .grid import Call, Cell, fill, run_cells
from .imbalance_suite import (
    BATCH_SIZE,
    GENERATOR,
    LEARNING_RATE,
    MODEL,
    NAME,
    OPTIONS,
    REMEDIES,
    STEPS,
    TASKS,
    cells,
    get_remedies,
    get_tasks,
)
from .page import write_page

# Makes generated records for a run, with a generator kept in a folder, and returns their dataset, synthetic/NAME.
Generate = Callable[[TrainConfig, pathlib.Path], str]


def run(call: Call, tasks: list[str] | None, methods: list[str] | None) -> pathlib.Path:
    """Fills every cell that is not there and writes the page.

    Args:
      call: what every study is told.
      tasks: names of datasets; None: all.
      methods: remedies to compare; None: all.

    Returns:
      The path of the page.

    Raises:
      ConfigError: names that do not exist, or more seeds than there are folds.
      FdxError: preparation or training fails.
    """
    asked = TASKS if tasks is None else get_tasks(tasks)
    remedies = REMEDIES if methods is None else get_remedies(methods)
    if call.seeds > NUM_BLOCKS:
        raise ConfigError(f'`seeds`={call.seeds}: `suite`={NAME} takes another fold for each seed and has {NUM_BLOCKS}')
    _keep_programs(call.root / 'compiled')
    for task in asked:
        call.prepare(task.dataset)

    def one(cell: Cell) -> tuple[dict[str, Any], bool]:
        found, stored = run_cell(cell, call, _generator(call.progress), GENERATOR)
        if not stored:
            forget_when_many()
        return found, stored

    found = run_cells(cells(asked, remedies, call.seeds), one, _words, call.say)
    data = imbalance_page.assemble([cell['row'] for cell in found], call.command)
    return write_page(call.pages, NAME, data, imbalance_page.KIND)


def _words(results: dict[str, Any]) -> str:
    row = results['row']
    return f'macro F1 {100 * row["macro_f1"]:.1f} %, accuracy {100 * row["accuracy"]:.1f} %'


def _keep_programs(folder: pathlib.Path) -> None:
    """Keeps compiled programs: runs differ in their rows, and to compile takes longer than so short a training."""
    if not jax.config.jax_compilation_cache_dir:  # The user has not set another folder.
        jax.config.update('jax_compilation_cache_dir', str(folder.absolute()))
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.2)


def _generator(progress: Progress) -> Generate:
    """Makes generated records for a run, trained on its rows; takes those of an earlier call where they are there."""

    def generate(config: TrainConfig, folder: pathlib.Path) -> str:
        wanted = generator_for(config, **GENERATOR)
        name = default_name(wanted)
        if not is_written(wanted):
            synthesise(wanted, folder / name, progress=progress)
        return f'{BUILDER}/{name}'

    return generate


def config_of(cell: Cell, data_dir: str) -> TrainConfig:
    """The run's configuration; the number of epochs makes about STEPS updates."""
    fields = {
        'dataset': cell.task.dataset,
        'data_dir': data_dir,
        'protocol': cell.task.protocol,
        'fold': cell.seed,
        'imbalance': cell.task.imbalance,
        'balance': cell.method,
        'model': MODEL,
        'model_options': dict(OPTIONS),
        'dropout_rate': 0.0,
        'batch_size': BATCH_SIZE,
        'learning_rate': LEARNING_RATE,
        'halve_every': 0,
        'l2': 0.0,
        'select_by': 'last',
        'seed': cell.seed,
        # It is trained in two parts; `init` becomes the folder of the first part once that exists.
        **({'freeze': 'head', 'init': 'backbone'} if cell.method == 'smote_embedding' else {}),
    }
    config = TrainConfig(**fields)
    epochs = max(1, round(STEPS / steps_per_epoch(_examples(config), BATCH_SIZE)))
    return dataclasses.replace(config, epochs=epochs, save_every=epochs)


def _counts(config: TrainConfig) -> np.ndarray:
    """Training rows of each class."""
    dataset = open_dataset(config.dataset, config.data_dir)
    return np.bincount(dataset.table[config.label_key][select_rows(config, dataset)[0].train])


def _is_uneven(config: TrainConfig) -> bool:
    """Whether any class has fewer rows than another, so that there is something to generate."""
    return len(set(_counts(config).tolist())) > 1


def _examples(config: TrainConfig) -> int:
    """Training examples of an epoch: the rows, or as many as make all classes as frequent as the most frequent one."""
    counts = _counts(config)
    evens = config.balance in ('oversample', 'smote_embedding', 'gan', *AUGMENTATIONS)
    return int(counts.max() * np.count_nonzero(counts) if evens else counts.sum())


def run_cell(cell: Cell, call: Call, generate: Generate, settings: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Results of a cell and whether they lay on the disk: its row, and how balanced its training windows were.

    Args:
      cell: the run.
      call: where data and cells are.
      generate: makes generated datasets, asked where the remedy is gan.
      settings: of the generator, kept with the cell: with others it is another one.
    """
    config = config_of(cell, call.data_dir)
    asked = {'config': config.to_json(), 'generator': settings if cell.method == 'gan' else None}
    asked['dataset'] = open_dataset(config.dataset, call.data_dir).name

    def measure() -> dict[str, Any]:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            workdir = _trained(cell, config, pathlib.Path(folder), call, generate)
            seconds = time.perf_counter() - began
            scored = score_run(workdir, step='last')
        found = summarise(scored.predictions)
        row = {
            'task': cell.task.name,
            'model': MODEL,
            'method': cell.method,
            'protocol': cell.task.protocol,
            'records': asked['dataset'],
            'seed': cell.seed,
            'fold': cell.seed,
            'windows': len(scored.predictions.labels),
            'seconds': round(seconds, 2),
            'macro_f1': found['macro_f1'],
            'accuracy': found['accuracy'],
            'recall': {of_class['class']: of_class['recall'] for of_class in found['per_class']},
        }
        return {'row': row, 'balance': scored.predictors[0].meta['balance']}

    return fill(cell.path(call.root), asked, measure)


def _trained(cell: Cell, config: TrainConfig, folder: pathlib.Path, call: Call, generate: Generate) -> pathlib.Path:
    """Workdir of the trained network."""
    workdir = folder / 'run'
    if cell.method == 'smote_embedding':
        # Decoupled (Kang et al., ICLR 2020): the backbone learns from the rows as they are, the head from its balanced
        # embeddings.
        first = config_of(dataclasses.replace(cell, method='none'), config.data_dir)
        train(first, folder / 'backbone', progress=call.progress)
        config = dataclasses.replace(config, init=str(folder / 'backbone'))
    if cell.method == 'gan':
        changes = (
            {'synthetic': generate(config, call.root / 'generators')} if _is_uneven(config) else {'balance': 'none'}
        )
        config = dataclasses.replace(config, **changes)
    train(config, workdir, progress=call.progress)
    return workdir
