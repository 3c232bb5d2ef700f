"""Settings that suit a few dozen recordings: the network by the front end, the rest by the number of windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx.data.dataset import PreparedDataset
from fdx.data.protocols.splits import split_rows
from fdx.signal.patch import FrontEnd
from fdx.train.config import TrainConfig

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


def settings_of(front_end: FrontEnd) -> dict[str, Any]:
    """The network for a front end and its settings, as fields of TrainConfig."""
    network = OF_FRONT_END.get(front_end.name)
    if network:
        return {**NETWORK, 'model': network}
    return {**LINEAR, **({'model_options': {'time_axis': 1}} if front_end.axes.startswith('F') else {})}


def by_size(settings: dict[str, Any], counts: np.ndarray) -> dict[str, Any]:
    """The settings with what follows from the number of training windows.

    A linear classifier gets the penalty of logistic regression with C = 1 and enough epochs for its optimum. Uneven
    classes are weighted.

    Args:
      settings: of `settings_of`, or {} for a network that someone else has chosen.
      counts: training windows of each class in every fold, int [folds, K]; see `train_counts`.
    """
    found = dict(settings)
    if settings.get('model') == LINEAR['model']:
        most = int(counts.sum(axis=1).max())
        epochs = min(max(math.ceil(UPDATES / math.ceil(most / settings['batch_size'])), FEWEST_EPOCHS), MOST_EPOCHS)
        found |= {'l2': float(f'{1 / most:.2g}'), 'epochs': epochs, 'save_every': math.ceil(epochs / SAVES)}
    # A class that a fold does not train cannot be weighted there.
    if counts.min() > 0 and (counts.max(axis=1) >= UNEVEN * counts.min(axis=1)).any():
        found['balance'] = 'class_weight'
    return found


def train_counts(config: TrainConfig, data: PreparedDataset, folds: Sequence[int]) -> np.ndarray:
    """Training windows of each class in every fold: int [folds, K].

    Raises:
      SplitError: the protocol of `config` cannot split the dataset.
    """
    table, key = data.table, config.label_key
    options: dict[str, Any] = {'seed': config.seed, 'label_key': key, 'exclude_recordings': config.exclude_recordings}
    parts = [split_rows(table, config.protocol, fold=f, **options).train for f in folds]
    return np.stack([np.bincount(table[key][rows], minlength=len(data.class_names(key))) for rows in parts])
