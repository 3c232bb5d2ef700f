"""What a checkpoint says about its run (law 5)."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import math
import platform

import jax
import numpy as np

import fdx
from fdx.data.dataset import PreparedDataset
from fdx.data.familiar_fit import fit_familiar
from fdx.data.protocols.splits import Splits
from fdx.signal.scaling import Gain
from fdx.train.config import TrainConfig
from fdx.train.init_leak import entries_of
from fdx.train.learned_from import learned_from
from fdx.train.model_setup import ModelSetup

PACKAGES = ('jax', 'flax', 'optax', 'orbax-checkpoint', 'numpy', 'scipy', 'tensorflow-datasets', 'grain')


def describe(config: TrainConfig, setup: ModelSetup, dataset: PreparedDataset, splits: Splits, gain: Gain) -> dict:
    """What a checkpoint says about itself, except for the numbers of its step; JSON can hold it."""
    seen = np.concatenate([splits.train, splits.validation])
    return {
        'config': config.to_json(),
        'class_names': dataset.class_names(config.label_key),
        'front_end': dataset.front_end.config(),
        'gain': gain,
        'dataset': {'name': dataset.name, **{k: v for k, v in dataset.metadata.items() if k != 'front_end'}},
        'splits': {name: len(getattr(splits, name)) for name in ('train', 'validation', 'test')},
        'train_recordings': sorted(set(dataset.table['recording'][splits.train])),
        'training': dataset.training_range(splits.train).to_json(),
        'familiar': fit_familiar([(dataset, seen)], gain).to_json(),
        'learned_from': [
            learned_from(config, dataset.name, dataset.table, splits.train, dataset.metadata['common_rate_hz']),
            *(entries_of(setup.ancestor, config) if setup.ancestor else []),
        ],
        'leaks': splits.leaks,
        'leak': dataclasses.asdict(splits.leak),
        'init': setup.origin,
        'frozen_stages': setup.start,
        'norms': {'trained': setup.norms - len(setup.frozen_norms), 'frozen': len(setup.frozen_norms)},
        'trained_values': setup.trained,
        **environment(),
    }


def environment() -> dict:
    """Versions of fdx and of the packages it depends on, JAX's backend and the number of devices."""
    return {
        'versions': {
            'fdx': fdx.__version__,
            'python': platform.python_version(),
            **{p: importlib.metadata.version(p) for p in PACKAGES},
        },
        'backend': jax.default_backend(),
        'devices': jax.device_count(),
    }


def selection(row: dict, select_by: str) -> dict:
    """Criterion and score of an epoch; higher is better, and a diverged epoch has no score."""
    score = {
        'loss': -row['validation_loss'],
        'macro_f1': row['validation_macro_f1'],
        'accuracy': row['validation_accuracy'],
        'last': float(row['step']),
    }[select_by]
    return {'criterion': select_by, 'score': score if math.isfinite(row['validation_loss']) else None}
