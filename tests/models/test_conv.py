"""The CPU forms of convolution and pooling against the textbook forms, in value and gradient."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import conv

SIZES = [(2, 6, 4), (3, 5, 7), (1, 1, 1), (2, 1, 4)]


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def both(one, other, g, *args):
    """Value and gradients of two forms, as one program: operation by operation, each would be compiled."""

    @jax.jit
    def run(g, *args):
        found = []
        for form in (one, other):
            value, pull = jax.vjp(form, *args)
            found.append((value, *pull(g)))
        return found

    return run(g, *args)


def assert_close(a, b, rtol=1e-5):
    scale = float(np.abs(np.asarray(b)).max())
    np.testing.assert_allclose(a, b, rtol=0, atol=rtol * scale)


@pytest.mark.parametrize('c_in', [1, 3])
@pytest.mark.parametrize('size', SIZES)
def test_conv_equals_the_plain_form(size, c_in):
    x, kernel = normal(0, (*size, c_in)), normal(1, (3, 3, c_in, 2))
    g = normal(2, (*size, 2))
    (value, *gradients), (expected, *wanted_gradients) = both(conv.cpu_conv3x3, conv.plain_conv, g, x, kernel)
    assert_close(value, expected)
    for got, wanted in zip(gradients, wanted_gradients, strict=True):
        assert got.shape == wanted.shape
        assert_close(got, wanted)


def test_plain_conv_against_a_sum_written_out():
    x, kernel = np.asarray(normal(0, (1, 3, 4, 2))), np.asarray(normal(1, (3, 3, 2, 1)))
    padded = np.pad(x[0], ((1, 1), (1, 1), (0, 0))).astype(np.float64)
    expected = np.array([[(padded[t : t + 3, f : f + 3] * kernel[..., 0]).sum() for f in range(4)] for t in range(3)])
    assert_close(np.asarray(jax.jit(conv.plain_conv)(x, kernel))[0, :, :, 0], expected)


@pytest.mark.parametrize('n', [3, 7])
@pytest.mark.parametrize('size', [(6, 4), (5, 7), (1, 1), (8, 1)])
def test_plain_conv_with_a_stride_is_every_second_value(size, n):
    """Symmetric padding: 'SAME' would give other values where an axis is even."""
    x, kernel = normal(0, (2, *size, 3)), normal(1, (n, n, 3, 2))
    strided, whole = jax.jit(lambda x, k: (conv.plain_conv(x, k, 2), conv.plain_conv(x, k)))(x, kernel)
    assert whole.shape == (2, *size, 2)
    assert_close(strided, whole[:, ::2, ::2])


@pytest.mark.parametrize('size', [(2, 6, 4), (3, 5, 7), (1, 2, 3)])
def test_pool_equals_the_plain_form_where_nothing_ties(size):
    n = int(np.prod(size)) * 2
    x = np.random.default_rng(0).permutation(n).reshape(*size, 2).astype(np.float32)
    g = normal(2, (size[0], size[1] // 2, size[2] // 2, 2))
    (value, gradient), (expected, wanted) = both(conv.cpu_max_pool_2x2, conv.plain_max_pool_2x2, g, x)
    assert value.shape == g.shape
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(gradient, wanted)


def test_pool_gradient_of_ties_keeps_its_sum():
    g = jax.jit(jax.grad(lambda x: conv.cpu_max_pool_2x2(x).sum()))(np.ones((1, 2, 2, 1), np.float32))
    np.testing.assert_allclose(np.asarray(g)[0, ..., 0], np.full((2, 2), 0.25))


@pytest.mark.parametrize('backend', ['cpu', 'gpu', 'tpu'])
def test_only_cpu_gets_the_cpu_forms(monkeypatch, backend):
    monkeypatch.setattr(jax, 'default_backend', lambda: backend)
    x, kernel = normal(0, (1, 4, 4, 1)), normal(1, (3, 3, 1, 2))
    # A new function each time: JAX remembers what it traced.
    for jaxpr in (
        jax.make_jaxpr(lambda x, k: conv.conv3x3(x, k))(x, kernel),
        jax.make_jaxpr(lambda x: conv.max_pool_2x2(x))(x),
    ):
        assert ('custom_vjp' in str(jaxpr)) == (backend == 'cpu')


def test_conv3x3_is_nn_conv():
    ours, flax_conv = conv.Conv3x3(5), nn.Conv(5, (3, 3), padding=1)
    x, kernel, bias = normal(0, (2, 5, 4, 3)), normal(1, (3, 3, 3, 5)), normal(2, (5,))
    shapes = jax.eval_shape(ours.init, jax.random.key(0), x)
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(
        jnp.shape, jax.eval_shape(flax_conv.init, jax.random.key(0), x)
    )
    variables = {'params': {'kernel': kernel, 'bias': bias}}
    assert_close(jax.jit(ours.apply)(variables, x), jax.jit(flax_conv.apply)(variables, x))


def test_initial_kernels_have_he_variance():
    with jax.threefry_partitionable(False):
        kernel = np.asarray(jax.jit(lambda: conv.he_init()(jax.random.key(0), (3, 3, 32, 64)))())
    assert float(kernel.var()) == pytest.approx(2 / (9 * 32), rel=0.03)
    assert float(kernel.mean()) == pytest.approx(0, abs=2e-3)
