"""Runs the cells of the imbalance benchmark, each kept on the disk when done."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fdx.data.pipeline import steps_per_epoch
from fdx.data.source import open_dataset
from fdx.evaluate.metrics import summarise
from fdx.evaluate.scoring import score_run
from fdx.train.config import AUGMENTATIONS, TrainConfig
from fdx.train.feature_cache import Progress, no_progress
from fdx.train.run import train
from fdx.train.run_data import select_rows

from .cells import read_cell, write_cell
from .imbalance_suite import BATCH_SIZE, LEARNING_RATE, MODEL, NAME, OPTIONS, STEPS, Cell

# Makes generated records for a run, with a generator kept in a folder, and returns their dataset, synthetic/NAME.
Generate = Callable[[TrainConfig, pathlib.Path], str]


def config_of(cell: Cell, data_dir: str) -> TrainConfig:
    """The run's configuration, with so many epochs that STEPS updates are made, about."""
    fields = {
        'dataset': cell.task.dataset,
        'data_dir': data_dir,
        'protocol': cell.task.protocol,
        'fold': cell.seed,
        'imbalance': cell.task.imbalance(cell.ratio),
        'balance': cell.remedy,
        'model': MODEL,
        'model_options': dict(OPTIONS),
        'dropout_rate': 0.0,
        'batch_size': BATCH_SIZE,
        'learning_rate': LEARNING_RATE,
        'halve_every': 0,
        'l2': 0.0,
        'select_by': 'last',
        'seed': cell.seed,
        # Trained in two parts; the first one's folder is known when it is there.
        **({'freeze': 'head', 'init': 'backbone'} if cell.remedy == 'smote_embedding' else {}),
    }
    config = TrainConfig(**fields)
    epochs = max(1, round(STEPS / steps_per_epoch(_examples(config), BATCH_SIZE)))
    return dataclasses.replace(config, epochs=epochs, save_every=epochs)


def _counts(config: TrainConfig) -> np.ndarray:
    """Training rows of each class."""
    dataset = open_dataset(config.dataset, config.data_dir)
    return np.bincount(dataset.table[config.label_key][select_rows(config, dataset)[0].train])


def _is_uneven(config: TrainConfig) -> bool:
    """Whether there is anything to generate."""
    return len(set(_counts(config).tolist())) > 1


def _examples(config: TrainConfig) -> int:
    """Training examples of an epoch: the rows, or as many as make all classes as frequent as the most frequent one."""
    counts = _counts(config)
    evens = config.balance in ('oversample', 'smote_embedding', 'gan', *AUGMENTATIONS)
    return int(counts.max() * np.count_nonzero(counts) if evens else counts.sum())


def cell_path(cell: Cell, root: pathlib.Path) -> pathlib.Path:
    """Where the cell is kept."""
    task = cell.name.replace('/', '_').replace(' 1:', '_1_')
    return root / 'cells' / NAME / task / cell.remedy / f'seed_{cell.seed}.json'


def run_cell(
    cell: Cell,
    data_dir: str,
    root: pathlib.Path,
    generate: Generate,
    settings: dict[str, Any],
    progress: Progress = no_progress,
) -> tuple[dict[str, Any], bool]:
    """Results of a cell and whether they lay on the disk: its row, and true and predicted classes of every test window.

    Args:
      cell: the run.
      data_dir: folder of prepared datasets.
      root: cells go there.
      generate: makes generated datasets, asked where the remedy is gan.
      settings: of the generator, kept with the cell: with others it is another one.
      progress: wraps long work.
    """
    path, config = cell_path(cell, root), config_of(cell, data_dir)
    asked = {'config': config.to_json(), 'generator': settings if cell.remedy == 'gan' else None}
    asked['dataset'] = open_dataset(config.dataset, data_dir).name
    stored = read_cell(path, asked)
    if stored is not None:
        return stored, True
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        workdir = _trained(cell, config, pathlib.Path(folder), root, generate, progress)
        seconds = time.perf_counter() - began
        scored = score_run(workdir, step='last')
    found = summarise(scored.predictions)
    row = {
        'suite': NAME,
        'task': cell.name,
        'model': MODEL,
        'method': cell.remedy,
        'seed': cell.seed,
        'protocol': f'{cell.task.protocol}, fold {cell.seed}',
        'macro_f1': found['macro_f1'],
        'accuracy': found['accuracy'],
        'recall': {of_class['class']: of_class['recall'] for of_class in found['per_class']},
        'seconds': round(seconds, 2),
    }
    balance = scored.predictors[0].meta['balance']
    return write_cell(path, asked, {'row': row, 'balance': balance, 'windows': len(scored.predictions.labels)}), False


def _trained(
    cell: Cell, config: TrainConfig, folder: pathlib.Path, root: pathlib.Path, generate: Generate, progress: Progress
) -> pathlib.Path:
    """Workdir of the trained network."""
    workdir = folder / 'run'
    if cell.remedy == 'smote_embedding':
        # Decoupled (Kang et al., ICLR 2020): the backbone learns from the rows as they are, the head from balanced
        # embeddings of it.
        first = config_of(dataclasses.replace(cell, remedy='none'), config.data_dir)
        train(first, folder / 'backbone', progress=progress)
        config = dataclasses.replace(config, init=str(folder / 'backbone'))
    if cell.remedy == 'gan':
        changes = {'synthetic': generate(config, root / 'generators')} if _is_uneven(config) else {'balance': 'none'}
        config = dataclasses.replace(config, **changes)
    train(config, workdir, progress=progress)
    return workdir
