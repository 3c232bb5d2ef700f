"""Settings of a training on a user's own recordings, where no flag says otherwise."""

from __future__ import annotations

import dataclasses
import math
import shlex
from typing import Any

import numpy as np
from absl import flags

from fdx.data.collection.own import OWN_BUILDERS
from fdx.data.dataset import PreparedDataset
from fdx.data.protocols.splits import folds_of, split_rows
from fdx.data.source import open_dataset
from fdx.inspect.advisor import protocols_of_dataset
from fdx.train.config import TrainConfig
from fdx.types import SplitError

FLAGS = flags.FLAGS
# A linear classifier on mean spectra: on a few dozen recordings it beats the networks that learn or bring features
# (docs/benchmarks/own_machine.md). The batch holds all windows of small data, so that its statistics are theirs.
LINEAR: dict[str, Any] = {
    'model': 'band_linear',
    'dropout_rate': 0.0,
    'batch_size': 256,
    'learning_rate': 0.03,
    'halve_every': 0,
    'patience': 40,
}
# What is no spectrum over time has networks of its own, as elsewhere in fdx: front end -> network.
OF_FRONT_END = {
    'fault_orders': 'cnn_small',
    'fault_orders_shaft': 'cnn_small',
    'envelope_spectrum': 'cnn1d',
    'waveform': 'cnn1d',
}
NETWORK: dict[str, Any] = {
    'dropout_rate': 0.0,
    'learning_rate': 1e-3,
    'halve_every': 0,
    'l2': 0.0,
    'epochs': 60,
    'patience': 12,
    'save_every': 6,
}
# So many updates bring it to its optimum; running statistics alone need 40.
UPDATES, FEWEST_EPOCHS, MOST_EPOCHS = 120, 20, 120
# Saving a checkpoint takes longer than such an epoch.
SAVES = 10
# From this ratio between the classes' training windows on, classes are weighted.
UNEVEN = 1.5


def is_own(dataset: str) -> bool:
    """Whether a dataset is made of the user's recordings."""
    return dataset.partition('/')[0] in OWN_BUILDERS


def of_own(config: TrainConfig) -> tuple[TrainConfig, str, list[str]]:
    """The config with sensible settings for the flags that were not given.

    Args:
      config: whose dataset is prepared.

    Returns:
      (config, value of --fold, lines for the user: the protocol with its reason, and the command with every setting).

    Raises:
      SplitError: no protocol can split the recordings; the text says what each of them lacks.
    """
    data = open_dataset(config.dataset, config.data_dir)
    found = protocols_of_dataset(data, config.label_key)
    network = OF_FRONT_END.get(data.front_end.name)
    settings, lines = {**NETWORK, 'model': network} if network else dict(LINEAR), []
    if not FLAGS['protocol'].present:
        if not found.right:
            lacking = '; '.join(f'{fit.name}: {fit.reason}' for fit in found.fits if not fit.possible)
            raise SplitError(f'{data.name}: {found.reason}. {lacking}')
        settings['protocol'] = found.right
        lines.append(f'protocol {found.right}: {found.reason}')
    fold = FLAGS.fold if FLAGS['fold'].present else 'all'
    if FLAGS['model'].present:
        # Whoever names a network gets the settings that suit networks in general.
        settings = {k: v for k, v in settings.items() if k == 'protocol'}
    elif not network and data.front_end.axes.startswith('F'):
        settings['model_options'] = {'time_axis': 1, **config.model_options}
    counts = _train_counts(dataclasses.replace(config, protocol=settings.get('protocol', config.protocol)), data, fold)
    if settings.get('model') == LINEAR['model']:
        most = int(counts.sum(axis=1).max())
        settings['l2'] = float(f'{1 / most:.2g}')
        epochs = min(max(math.ceil(UPDATES / math.ceil(most / settings['batch_size'])), FEWEST_EPOCHS), MOST_EPOCHS)
        settings |= {'epochs': epochs, 'save_every': math.ceil(epochs / SAVES)}
    # A class that a fold does not train cannot be weighted there.
    if counts.min() > 0 and (counts.max(axis=1) >= UNEVEN * counts.min(axis=1)).any():
        settings['balance'] = 'class_weight'
    settings = {k: v for k, v in settings.items() if k == 'model_options' or not FLAGS[k].present}
    if settings:
        lines.append(f'settings: {_as_command(settings, fold)}')
    return dataclasses.replace(config, **settings), fold, lines


def _train_counts(config: TrainConfig, data: PreparedDataset, fold: str) -> np.ndarray:
    """Training windows of each class in every fold that is to be run: int [folds, K]."""
    table, key = data.table, config.label_key
    options: dict[str, Any] = {'seed': config.seed, 'label_key': key, 'exclude_recordings': config.exclude_recordings}
    folds = folds_of(config.protocol, table, key) if fold == 'all' else [int(fold)]
    parts = [split_rows(table, config.protocol, fold=f, **options).train for f in folds]
    return np.stack([np.bincount(table[key][rows], minlength=len(data.class_names(key))) for rows in parts])


def _as_command(settings: dict[str, Any], fold: str) -> str:
    """The settings as flags that can be pasted."""
    plain = {k: v for k, v in settings.items() if k != 'model_options'}
    words = [f'--{k}={v}' for k, v in {**plain, 'fold': fold}.items()]
    words += [f'--model_option={k}={v}' for k, v in settings.get('model_options', {}).items()]
    return ' '.join(map(shlex.quote, words))
