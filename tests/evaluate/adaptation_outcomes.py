"""A run of adaptation that no training made, for tests of its numbers, figures and page."""

from __future__ import annotations

import types

import numpy as np

from fdx.adapt.config import AdaptConfig
from fdx.adapt.run import AdaptResult, Outputs
from fdx.evaluate.adaptation_results import Networks
from fdx.train.config import TrainConfig

CLASSES = ('inner<race>', 'outer_race', 'ball')
SIZES = {'source_train': 24, 'source_validation': 12, 'target_train': 18, 'target_test': 15}
LABELS = np.repeat([0, 1, 2], 5).astype(np.int32)
PREDICTED = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 2, 2])


def outputs(n: int, shift: float) -> Outputs:
    rng = np.random.default_rng(n)
    labels = (np.arange(n) % 3).astype(np.int32)
    return Outputs(np.eye(3, dtype=np.float32)[labels], rng.standard_normal((n, 4)) + shift, labels)


def parts(apart: float) -> dict[str, Outputs]:
    test = Outputs(3 * np.eye(3, dtype=np.float32)[PREDICTED], outputs(15, apart).features, LABELS)
    return {'source_train': outputs(24, 0), 'target_train': outputs(18, apart), 'target_test': test}


NETWORKS = Networks(parts(9.0), parts(0.0), 'random')
HISTORY = [
    {
        'epoch': i + 1,
        'step': 4 * (i + 1),
        'train_loss': 1.0 / (i + 1),
        'train_accuracy': 0.6 + 0.1 * i,
        'train_term': 0.3,
        'validation_loss': 1.1 / (i + 1),
        'validation_accuracy': 0.5 + 0.1 * i,
        'source_risk': risk,
        'dev': -1.0 * i,
        'snd': snd,
        'entropy': 0.5,
        'oracle_target_accuracy': right / 15,
        'oracle_target_macro_f1': f1,
        'seconds': 2.0,
    }
    for i, (risk, snd, right, f1) in enumerate([(3.0, 2.0, 12, 0.81), (1.0, -1.0, 11, 0.71), (2.0, np.inf, 6, 0.41)])
]


def run(config: dict | None = None, plan: dict | None = None, dropped: tuple = ((), ())) -> tuple:
    """(result, config, plan) of a run that kept epoch 2."""
    table = {'recording': np.array([f'r{i // 5}' for i in range(15)]), 'window_start': np.arange(15) * 100}
    table['bearing'] = np.full(15, '')
    examples = {name: Examples(n, table) for name, n in SIZES.items()}
    domains = types.SimpleNamespace(
        classes=CLASSES,
        unknown=None,
        sets='shared',
        dropped=dict(zip(('source', 'target'), dropped)),
        source=types.SimpleNamespace(front_end=types.SimpleNamespace(name='musicnn')),
        **examples,
    )
    plan = AdaptConfig(
        **{'source': 'cwru/a:load0', 'target': 'mfpt/b', 'method': 'mcc', 'select_by': 'snd', **(plan or {})}
    )
    config = TrainConfig(**{'dataset': 'cwru/a', 'seed': 7, 'epochs': 3, **(config or {})})
    return AdaptResult(None, 8, HISTORY, 6.5, domains), config, plan


class Examples:
    """As much of RecordExamples as results read."""

    def __init__(self, n: int, table: dict):
        self.rows, self.dataset = np.arange(n), types.SimpleNamespace(table=table)

    def __len__(self) -> int:
        return len(self.rows)
