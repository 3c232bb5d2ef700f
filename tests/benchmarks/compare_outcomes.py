"""Outcomes of a comparison that no training made, for tests of its numbers and pages."""

from __future__ import annotations

import pathlib

import numpy as np

from fdx.benchmarks.compare_runs import Outcome, plan_runs
from fdx.benchmarks.compare_store import Stored
from fdx.benchmarks.compare_strategies import parse_strategies
from fdx.evaluate.predictions import Predictions
from fdx.train.config import TrainConfig

NAMES = ['normal', 'inner<race>']
BASE = TrainConfig(dataset='d/c', init='imagenet', epochs=3, batch_size=16, learning_rate=1e-3, halve_every=0)
TRAINED = {'full': 1234567, 'first_last': 99, 'scratch': 1234567}


def outcome(run, origin):
    """Eight windows of two recordings; strategies and seeds differ in how many are right."""
    name, seed = run.strategy.name, run.config.seed
    labels = np.repeat([0, 1], 4)
    wrong = {'full': 0, 'first_last': 3, 'scratch': 1}[name] + seed
    predicted = np.where(np.arange(8) < wrong, 1 - labels, labels)
    windows = np.arange(8) + 100 * run.config.fold
    table = Predictions(
        np.eye(2)[predicted], labels, ['a'] * 4 + ['b'] * 4, windows, NAMES, np.full(8, run.config.fold)
    )
    leaks = run.config.protocol == 'random_windows'
    losses = (2.0, 1.0 + seed, np.nan if name == 'scratch' else 0.01)
    return Outcome(
        run,
        Stored(
            predictions=table,
            history=[
                {
                    'epoch': e,
                    'step': 5 * e,
                    'train_loss': v,
                    'validation_loss': 2 * v,
                    'seconds': 9.0 if e == 1 else 2.0,
                }
                for e, v in enumerate(losses, 1)
            ],
            meta={
                'dataset': {'name': 'd/c:1.0.0'},
                'front_end': {'name': 'triaxial_mel', 'scaling': 'train'},
                'class_names': NAMES,
                'versions': {'jax': '1'},
                'backend': 'cpu',
                'init': origin if run.strategy.pretrained else 'random',
                'trained_values': TRAINED[name],
                'frozen_stages': 0,
                'norms': {'trained': 0, 'frozen': 53} if name == 'first_last' else {'trained': 53, 'frozen': 0},
                'splits': {'train': 40},
                'step': 10,
            },
            rules=None,
            leaks=leaks,
            leak_share=0.75 if leaks else 0.0,
            leak_reason='random_windows deals windows of the same recordings' if leaks else '',
        ),
        fresh=True,
    )


def outcomes(seeds=(0, 1), folds=None, base=BASE, origin='imagenet v2'):
    strategies = parse_strategies(list(TRAINED), has_weights=True)
    folds = folds or {'time_blocks': [0], 'random_windows': [0]}
    return [outcome(run, origin) for run in plan_runs(base, strategies, folds, seeds, pathlib.Path('root'))]
