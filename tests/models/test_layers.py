"""Layers that networks share."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models.layers import ExampleDropout, flatten_examples, scaled_widths

SHAPE = (16, 40, 25)


@pytest.fixture(scope='module')
def dropped():
    x = np.random.default_rng(0).uniform(1, 2, SHAPE).astype(np.float32)
    return x, drop(x)


def drop(x, seed=0, rate=0.3, train=True):
    with jax.threefry_partitionable(False):  # Quicker to compile.
        return np.asarray(_compiled(rate, train)(x, jax.random.key(seed)))


@functools.cache
def _compiled(rate, train):
    return jax.jit(lambda x, key: ExampleDropout(rate).apply({}, x, train=train, rngs={'dropout': key}))


def test_share_of_zeros_is_the_rate(dropped):
    share = float((dropped[1] == 0).mean())
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / np.prod(SHAPE)))


def test_kept_values_are_scaled_so_that_the_mean_stays(dropped):
    x, y = (np.asarray(a) for a in dropped)
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / 0.7, rtol=1e-6)
    assert y.mean() == pytest.approx(x.mean(), rel=0.03)


def test_examples_have_masks_of_their_own(dropped):
    zeros = np.asarray(dropped[1]) == 0
    assert len({z.tobytes() for z in zeros}) == SHAPE[0]


def test_a_mask_depends_on_the_seed_and_the_place_in_the_batch(dropped):
    x, y = dropped
    np.testing.assert_array_equal(drop(x), y)
    np.testing.assert_array_equal(drop(x[:5]), y[:5])
    assert not np.array_equal(np.asarray(drop(x, seed=1)) == 0, np.asarray(y) == 0)


@pytest.mark.parametrize('options', [{'train': False}, {'rate': 0.0}])
def test_off_in_evaluation_and_at_rate_zero(dropped, options):
    np.testing.assert_array_equal(drop(dropped[0], **options), dropped[0])


def test_evaluation_needs_no_random_stream(dropped):
    y = ExampleDropout(0.9).apply({}, dropped[0], train=False)
    np.testing.assert_array_equal(y, dropped[0])


def test_flatten_keeps_time_frequency_channel_order():
    x = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(flatten_examples(jnp.asarray(x)), x.reshape(2, 60))


def test_scaled_widths_are_at_least_one():
    assert scaled_widths((64, 128), 0.25) == (16, 32)
    assert scaled_widths((64,), 1.0) == (64,)
    assert scaled_widths((4, 64), 1 / 32) == (1, 2)
