"""TrainConfig: bad values name their flag, and JSON keeps everything."""

from __future__ import annotations

import json
import math

import pytest

from fdx.train.config import MAX_SAVES, TrainConfig
from fdx.types import ConfigError


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('label_key', 'fault', 'label or fault_type'),
        ('labels_per_class', -1, 'a count'),
        ('dropout_rate', 1.0, r'\[0, 1\)'),
        ('epochs', 0, 'at least 1'),
        ('batch_size', 0, 'at least 1'),
        ('learning_rate', 0.0, 'above 0'),
        ('learning_rate', math.nan, 'above 0'),
        ('halve_every', -1, '0 for never'),
        ('l2', -1e-6, '0 or above'),
        ('clip_norm', -1.0, r'0 \(off\) or above'),
        ('select_by', 'f1', 'loss, macro_f1, accuracy, last'),
        ('cache_features', 'yes', 'auto, on, off'),
        ('save_every', -1, 'number of epochs'),
        ('parallel', 'pjit', 'pmap, mesh'),
        ('compute_dtype', 'float16', 'float32 or bfloat16; float16 overflows'),
        ('compute_dtype', 'float64', 'parameters are float32'),
    ],
)
def test_a_bad_value_is_named(name, value, words):
    with pytest.raises(ConfigError, match=f'`{name}`={value!r} cannot be used: .*{words}'):
        TrainConfig(dataset='x', **{name: value})


def test_json_there_and_back():
    config = TrainConfig(dataset='x', exclude_recordings=('a', 'b'), model_options={'width_multiplier': 0.25}, seed=7)
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_settings_of_another_version_are_named():
    with pytest.raises(ConfigError, match='settings momentum, warmup .*stored run'):
        TrainConfig.from_json({'dataset': 'x', 'warmup': 3, 'momentum': 0.9})


def test_defaults_are_the_table_of_the_study():
    c = TrainConfig(dataset='x')
    assert (c.epochs, c.batch_size, c.learning_rate, c.halve_every, c.l2) == (4, 32, 5e-4, 2, 1e-6)
    assert (c.dropout_rate, c.clip_norm, c.select_by) == (0.5, 0.0, 'loss')


@pytest.mark.parametrize(
    ('epochs', 'save_every', 'expected'), [(4, 0, 1), (20, 0, 1), (21, 0, 2), (100, 0, 5), (9, 3, 3)]
)
def test_epochs_between_saves(epochs, save_every, expected):
    config = TrainConfig(dataset='x', epochs=epochs, save_every=save_every)
    assert config.epochs_between_saves() == expected
    if not save_every:
        assert math.ceil(epochs / expected) <= MAX_SAVES
