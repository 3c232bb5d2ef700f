"""What the tests of this folder share: settings, and what a run left as numbers."""

from __future__ import annotations

import numpy as np

from fdx.train.checkpoints import Checkpoints

NAMES = ['normal', 'failure']
SETTINGS = {
    'dataset': 'motor_maintenance/small',
    'protocol': 'stratified',
    'model': 'mlp',
    'dropout_rate': 0.0,
    'epochs': 2,
    'batch_size': 61,
    'learning_rate': 1e-2,
    'halve_every': 0,
    'seed': 2,
}
# So high a rate that validation gets worse again soon.
RESTLESS = {'learning_rate': 0.1, 'patience': 3, 'epochs': 40, 'save_every': 40}


def numbers(history):
    return [{k: v for k, v in row.items() if k != 'seconds'} for row in history]


def meta_of(workdir, step='best'):
    checkpoints = Checkpoints(workdir)
    return checkpoints.meta(checkpoints.resolve(step))


def z_scores(data, rows, train_rows):
    """float32 [N, C] by NumPy alone."""
    wide = data.values.astype(np.float64)
    mean, deviation = wide[train_rows].mean(axis=0), wide[train_rows].std(axis=0)
    return ((wide[rows] - mean) / deviation).astype(np.float32)
