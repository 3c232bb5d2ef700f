"""The 3x3 max pool for CPU against the textbook form, in value and gradient, ties included."""

from __future__ import annotations

import functools

import jax
import numpy as np
import pytest

from fdx.models import pooling, resnet
from fdx.models.resnet import Stem

SIZES = [(2, 6, 4, 2), (3, 5, 7, 1), (1, 1, 1, 3), (2, 1, 8, 2), (2, 7, 1, 2), (1, 2, 2, 1), (1, 9, 2, 4)]


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def both(x):
    """Value and gradient of each form."""
    return _both(x, normal(7, (x.shape[0], -(-x.shape[1] // 2), -(-x.shape[2] // 2), x.shape[3])))


@jax.jit
def _both(x, g):
    results = []
    for form in (pooling.cpu_max_pool_3x3, pooling.plain_max_pool_3x3):
        value, pull = jax.vjp(form, x)
        results.append((value, pull(g)[0]))
    return results


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('ties', [False, True])
def test_equals_the_plain_form(size, ties):
    """Rounded to few values, most cells tie: the gradient goes to the first in both."""
    x = normal(0, size) - np.float32(1)
    (value, gradient), (expected, expected_gradient) = both(np.round(x) if ties else x)
    assert value.shape == (size[0], -(-size[1] // 2), -(-size[2] // 2), size[3])
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6, atol=1e-6)


def test_a_constant_image_sends_its_gradient_to_the_first_of_each_cell():
    slope = jax.jit(jax.grad(lambda x: pooling.cpu_max_pool_3x3(x).sum()))
    gradient = np.asarray(slope(np.full((1, 4, 4, 1), -2, np.float32)))[0, ..., 0]
    np.testing.assert_array_equal(gradient, [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_gradient_behind_a_convolution_and_a_norm(monkeypatch):
    """Compiled together, XLA computes the pool's input anew for the gradient, rounded otherwise: none must get lost."""
    x, g = normal(0, (2, 32, 24, 3)), normal(1, (2, 8, 6, 16))
    stem = Stem(16, None, ())
    variables = jax.jit(functools.partial(stem.init, train=False, mask=None))(jax.random.key(0), x)

    def gradients(pool):
        def loss_fn(params):
            y, _ = stem.apply({**variables, 'params': params}, x, train=True, mask=None, mutable=['batch_stats'])
            return (y * g).sum()

        monkeypatch.setattr(resnet, 'max_pool_3x3', pool)
        return jax.jit(jax.grad(loss_fn))(variables['params'])

    found, expected = gradients(pooling.cpu_max_pool_3x3), gradients(pooling.plain_max_pool_3x3)
    for got, wanted in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize('backend', ['cpu', 'gpu', 'tpu'])
def test_only_cpu_gets_the_cpu_form(monkeypatch, backend):
    monkeypatch.setattr(jax, 'default_backend', lambda: backend)
    jaxpr = jax.make_jaxpr(lambda x: pooling.max_pool_3x3(x))(normal(0, (1, 4, 4, 1)))
    assert ('custom_vjp' in str(jaxpr)) == (backend == 'cpu')
