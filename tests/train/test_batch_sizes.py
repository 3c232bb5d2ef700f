"""Batches that leave a norm with one value per channel are refused; others are not."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from fdx.data.pipeline import ArrayExamples
from fdx.models.batch_norm import BatchNorm
from fdx.train.batch_sizes import check_batches, lonely_norm
from fdx.train.config import TrainConfig
from fdx.train.model_setup import set_up_model
from fdx.train.run import train
from fdx.types import ConfigError

IMAGE = (96, 64, 1)


def setup_of(model, shape=IMAGE, **changes):
    options = {'resnet50': {'width_multiplier': 1 / 16}}.get(model, {})
    return set_up_model(TrainConfig('a/b', model=model, model_options=options, **changes), 3, shape)


def examples(count, shape=IMAGE):
    return ArrayExamples(np.zeros((count, *shape), np.float32), np.zeros(count, np.int32))


@pytest.mark.parametrize(
    ('model', 'shape', 'norm'),
    [
        ('band_mlp', IMAGE, 'hidden/bn'),
        ('resnet50', IMAGE, None),
        ('resnet50', (32, 32, 1), 'stage4/block1/bn2'),
        ('vggish', IMAGE, None),
    ],
)
def test_norms_with_one_value_per_channel_are_found(model, shape, norm):
    assert lonely_norm(setup_of(model, shape), shape) == norm


def test_frozen_norms_do_not_count():
    assert lonely_norm(setup_of('resnet50', (32, 32, 1), freeze='head'), (32, 32, 1)) is None


def test_what_a_norm_makes_of_one_value_is_its_bias():
    """Why it is refused: the output does not depend on the example."""
    norm = BatchNorm(4)
    for value in (1.0, -50.0):
        x = np.full((3, 4), value, np.float32)
        variables = norm.init(jax.random.key(0), x, train=False)
        y, _ = norm.apply(variables, x, train=True, mask=np.float32([1, 0, 0]), mutable=['batch_stats'])
        np.testing.assert_allclose(y[0], 0, atol=1e-6)


@pytest.mark.parametrize(
    ('count', 'batch_size', 'message'),
    [
        (10, 1, r'`batch_size`=1: .*batch norm hidden/bn .*one value per channel.*use 2 or more'),
        (9, 4, r'`batch_size`=4: .* 9 training examples .*only one.*`batch_size`=3'),
        (33, 32, r'`batch_size`=32: .*`batch_size`=31'),
        (1, 32, r'there is only one training example'),
        (1, 1, r'`batch_size`=1'),
    ],
)
def test_a_batch_of_one_is_refused_with_what_fits(count, batch_size, message):
    with pytest.raises(ConfigError, match=message):
        check_batches(setup_of('band_mlp'), examples(count), batch_size)


@pytest.mark.parametrize(('count', 'batch_size'), [(10, 2), (9, 3), (34, 32), (5, 32), (2, 2), (0, 1)])
def test_other_batches_are_fine(count, batch_size):
    check_batches(setup_of('band_mlp'), examples(count), batch_size)


@pytest.mark.parametrize(('count', 'batch_size'), [(10, 1), (9, 4)])
def test_norms_over_a_map_can_do_with_one_example(count, batch_size):
    check_batches(setup_of('resnet50'), examples(count), batch_size)


@pytest.mark.parametrize('batch_size', [1, 17])
def test_a_run_is_refused_before_its_first_step(make_config, tmp_path, batch_size):
    """18 training windows: batches of 17 leave one."""
    config = dataclasses.replace(make_config(), model='band_mlp', model_options={}, batch_size=batch_size)
    with pytest.raises(ConfigError, match=f'`batch_size`={batch_size}:'):
        train(config, tmp_path / 'run')
    assert not (tmp_path / 'run' / 'checkpoints').exists()
