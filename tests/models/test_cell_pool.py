"""The unpadded max pool for CPU against the textbook form, in value and gradient."""

from __future__ import annotations

import flax.linen as nn
import jax
import numpy as np
import pytest

from fdx.models import cell_pool
from fdx.models.batch_norm import BatchNorm

CELLS = [((4, 1), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)), ((3, 2), (1, 3))]
SIZES = [(2, 11, 6, 2), (1, 4, 4, 3), (2, 9, 13, 1)]


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize(('cell', 'stride'), CELLS)
def test_equals_the_plain_form_where_nothing_ties(size, cell, stride):
    x = np.random.default_rng(0).permutation(int(np.prod(size))).reshape(size).astype(np.float32)
    shape = (size[0], *((n - c) // s + 1 for n, c, s in zip(size[1:3], cell, stride)), size[3])
    g = normal(2, shape)

    @jax.jit
    def both(x):
        found = []
        for form in (cell_pool.cpu_max_pool, cell_pool.plain_max_pool):
            value, pull = jax.vjp(lambda v, form=form: form(v, cell, stride), x)
            found.append((value, pull(g)[0]))
        return found

    (value, gradient), (expected, expected_gradient) = both(x)
    assert value.shape == shape
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6, atol=1e-6)


def test_values_written_out():
    x = normal(1, (1, 9, 5, 1))
    found = np.asarray(jax.jit(lambda x: cell_pool.cpu_max_pool(x, (4, 1), (2, 2)))(x))[0, ..., 0]
    wanted = [[x[0, 2 * t : 2 * t + 4, 2 * f, 0].max() for f in range(3)] for t in range(3)]
    np.testing.assert_array_equal(found, wanted)


def test_ties_send_the_gradient_to_one_of_each_cell():
    slope = jax.jit(jax.grad(lambda x: cell_pool.cpu_max_pool(x, (2, 2), (2, 2)).sum()))
    cells = (
        np.asarray(slope(np.full((1, 4, 4, 1), -2, np.float32)))[0, ..., 0]
        .reshape(2, 2, 2, 2)
        .transpose(0, 2, 1, 3)
        .reshape(4, 4)
    )
    assert np.sort(cells).tolist() == [[0, 0, 0, 1]] * 4


class NormedPool(nn.Module):
    """What stands in a stage behind the convolution."""

    pool: object

    @nn.compact
    def __call__(self, x):
        x = BatchNorm(x.shape[-1], epsilon=1e-3, name='bn')(nn.relu(x), train=True)
        return self.pool(x, (4, 1), (2, 2))


def test_gradient_behind_a_relu_and_a_norm():
    """Compiled together, XLA computes the pool's input anew for the gradient, rounded otherwise: none must get lost."""
    x, g = normal(0, (2, 61, 96, 8)), normal(1, (2, 29, 48, 8))
    variables = {
        'params': {'bn': {'scale': np.linspace(-1.5, 1.5, 8), 'bias': np.linspace(0.1, 0.4, 8)}},
        'batch_stats': {'bn': {'mean': np.zeros(8), 'var': np.ones(8)}},
    }

    def gradients(pool):
        def loss_fn(params, x):
            y, _ = NormedPool(pool).apply({**variables, 'params': params}, x, mutable=['batch_stats'])
            return (y * g).sum()

        return jax.jit(jax.grad(loss_fn, argnums=(0, 1)))(variables['params'], x)

    found, expected = gradients(cell_pool.cpu_max_pool), gradients(cell_pool.plain_max_pool)
    for got, wanted in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize('backend', ['cpu', 'gpu', 'tpu'])
def test_only_cpu_gets_the_cpu_form(monkeypatch, backend):
    monkeypatch.setattr(jax, 'default_backend', lambda: backend)
    jaxpr = str(jax.make_jaxpr(lambda x: cell_pool.max_pool(x, (2, 2), (2, 2)))(normal(0, (1, 4, 4, 1))))
    assert ('reduce_window' in jaxpr) == (backend != 'cpu')
