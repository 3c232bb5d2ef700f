"""Batch normalisation against NumPy in float64: torch's conventions, decibels, padding, frozen norms."""

from __future__ import annotations

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models.batch_norm import EPSILON, BatchNorm, normalise_batch

SHAPE = (4, 5, 3, 2)


def normal(seed, shape=SHAPE, mean=0.0, std=1.0):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape) * std + mean, np.float32)


def variables(seed=1):
    rng = np.random.default_rng(seed)
    scale, bias, mean, var = rng.uniform(0.5, 1.5, (4, 2)).astype(np.float32)
    return {'params': {'scale': scale, 'bias': bias}, 'batch_stats': {'mean': mean, 'var': var}}


def train(x, mask=None, **options):
    return _train(x, mask, tuple(options.items()))


@functools.partial(jax.jit, static_argnums=2)
def _train(x, mask, options):
    """One program per shape: operation by operation, each would be compiled."""
    y, new = BatchNorm(2, **dict(options)).apply(variables(), x, train=True, mask=mask, mutable=['batch_stats'])
    return y, new['batch_stats']


def expected(x):
    """Output and new running statistics in float64."""
    x, v = x.astype(np.float64), variables()
    mean, var, unbiased = x.mean((0, 1, 2)), x.var((0, 1, 2)), x.var((0, 1, 2), ddof=1)
    y = (x - mean) / np.sqrt(var + 1e-5) * v['params']['scale'] + v['params']['bias']
    old = v['batch_stats']
    return y, {'mean': 0.9 * old['mean'] + 0.1 * mean, 'var': 0.9 * old['var'] + 0.1 * unbiased}


def test_training_is_torchs_rule():
    x = normal(0, mean=3.0)
    y, new = train(x)
    wanted, statistics = expected(x)
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-5)
    for name, value in statistics.items():
        np.testing.assert_allclose(new[name], value, rtol=1e-6, err_msg=name)


def test_what_differs_from_flax():
    """With momentum 0.9 flax agrees but for the running variance: it averages the biased one."""
    x = normal(0)
    flax_norm = nn.BatchNorm(use_running_average=False, momentum=0.9, epsilon=EPSILON, use_fast_variance=False)
    y, new = jax.jit(functools.partial(flax_norm.apply, mutable=['batch_stats']))(variables(), x)
    ours, statistics = train(x)
    np.testing.assert_allclose(y, ours, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(new['batch_stats']['mean'], statistics['mean'], rtol=1e-6)
    n, old = 4 * 5 * 3, variables()['batch_stats']['var']
    flax_share, our_share = (np.asarray(var) - 0.9 * old for var in (new['batch_stats']['var'], statistics['var']))
    np.testing.assert_allclose(flax_share / our_share, (n - 1) / n, rtol=1e-5)
    assert nn.BatchNorm().momentum == 0.99


def test_evaluation_uses_the_running_statistics():
    x, v = normal(0), variables()
    y = jax.jit(functools.partial(BatchNorm(2).apply, train=False))(v, x)
    old, params = v['batch_stats'], v['params']
    wanted = (x.astype(np.float64) - old['mean']) / np.sqrt(old['var'] + 1e-5) * params['scale'] + params['bias']
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(('mean', 'std'), [(-80.0, 0.01), (1000.0, 1.0), (-60.0, 15.0), (1e4, 0.5)])
def test_variance_survives_a_mean_far_from_zero(mean, std):
    """E[x^2] - E[x]^2 in float32 is off by more than the variance itself where the first and last rows stand."""
    x = normal(0, (8, 64, 63, 2), mean, std)
    exact = x.astype(np.float64)
    _, found, var, count = jax.jit(lambda x: normalise_batch(x, *jnp.ones((2, 2)), jnp.ones(8), None))(x)
    assert count == 8 * 64 * 63
    np.testing.assert_allclose(var, exact.var((0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(found, exact.mean((0, 1, 2)), atol=1e-2 * std + 1e-7 * abs(mean))


def test_gradients_are_those_of_the_written_out_norm():
    x, g, weights = normal(0, mean=2.0), normal(5), np.array([1, 1, 0, 1], np.float32)
    v = variables()['params']

    def plain(x, scale, bias):
        w = weights[:, None, None, None] * jnp.ones_like(x)
        mean = (x * w).sum((0, 1, 2)) / w.sum((0, 1, 2))
        var = (jnp.square(x - mean) * w).sum((0, 1, 2)) / w.sum((0, 1, 2))
        return (x - mean) / jnp.sqrt(var + EPSILON) * scale + bias

    def ours(x, scale, bias):
        return normalise_batch(x, scale, bias, jnp.asarray(weights), None)[0]

    @jax.jit
    def both(x, g):
        pairs = (jax.vjp(f, x, v['scale'], v['bias']) for f in (ours, plain))
        return [(y, pull(g)) for y, pull in pairs]

    (y, pulled), (wanted, expected_pulled) = both(x, g)
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-5)
    for got, right in zip(pulled, expected_pulled):
        np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('padding', [0.0, 1e6])
def test_padding_influences_nothing(padding):
    """Whatever padding holds: output, statistics and gradients of the real examples are those without it."""
    x, g = normal(0), normal(5)
    padded = np.concatenate([x, np.full((3, *SHAPE[1:]), padding, np.float32)])
    mask = np.float32([1, 1, 1, 1, 0, 0, 0])
    (y, new), (wanted, statistics) = train(padded, mask), train(x)
    np.testing.assert_allclose(y[:4], wanted, rtol=1e-5)
    for name, value in statistics.items():
        np.testing.assert_allclose(new[name], value, rtol=1e-6)
    d_x = jax.jit(jax.grad(lambda x: (train(x)[0] * g).sum()))(x)
    d_padded = jax.jit(jax.grad(lambda x: (train(x, mask)[0][:4] * g).sum()))(padded)
    np.testing.assert_allclose(d_padded[:4], d_x, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(d_padded[4:], 0.0)


@pytest.mark.parametrize('mask', [None, [0, 0, 0, 0]])
def test_one_value_or_none_is_no_nan(mask):
    x = normal(0, (1, 1, 1, 2)) if mask is None else normal(0)
    y, new = train(x, mask if mask is None else np.float32(mask))
    assert np.isfinite(y).all()
    np.testing.assert_allclose(new['var'], 0.9 * variables()['batch_stats']['var'], rtol=1e-6)


class Pair(nn.Module):
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x, train):
        for name in ('a', 'b'):
            x = BatchNorm(2, frozen_norms=self.frozen_norms, name=name)(x, train=train)
        return x


def test_a_frozen_norm_is_found_by_its_path():
    model, x = Pair(('b',)), normal(0, mean=2.0)
    start = {kind: {'a': variables(1)[kind], 'b': variables(2)[kind]} for kind in ('params', 'batch_stats')}
    y, new = jax.jit(functools.partial(model.apply, train=True, mutable=['batch_stats']))(start, x)
    np.testing.assert_array_equal(new['batch_stats']['b']['mean'], start['batch_stats']['b']['mean'])
    np.testing.assert_array_equal(new['batch_stats']['b']['var'], start['batch_stats']['b']['var'])
    assert not np.allclose(new['batch_stats']['a']['mean'], start['batch_stats']['a']['mean'])
    second = variables(2)
    inner = train(x)[0]
    wanted = jax.jit(functools.partial(BatchNorm(2).apply, train=False))(second, inner)
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-5)


def test_initialisation_in_training_leaves_the_statistics_fresh():
    fresh = jax.jit(functools.partial(BatchNorm(2).init, train=True))(jax.random.key(0), normal(0, mean=5.0))
    np.testing.assert_array_equal(fresh['batch_stats']['mean'], 0.0)
    np.testing.assert_array_equal(fresh['batch_stats']['var'], 1.0)
