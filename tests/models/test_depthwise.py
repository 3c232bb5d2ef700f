"""The depthwise convolution for CPU against the textbook form, in value and gradient, and TensorFlow's padding."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models import depthwise

# B, F, T, C: even and odd lengths, maps smaller than the kernel, batches that do and do not divide by four.
SIZES = [(4, 8, 6, 5), (3, 7, 4, 2), (1, 1, 1, 3), (6, 2, 9, 1)]


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def values_and_gradients(x, kernel, stride):
    """Of both forms, as one program."""

    @jax.jit
    def run(x, kernel):
        found = []
        for form in (depthwise.cpu_depthwise, depthwise.plain_depthwise):
            value, pull = jax.vjp(lambda x, k, form=form: form(x, k, stride), x, kernel)
            found.append((value, *pull(normal(2, value.shape))))
        return found

    return run(x, kernel)


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('n', [3, 5])
@pytest.mark.parametrize('size', SIZES)
def test_equals_the_plain_form(size, n, stride):
    x, kernel = normal(0, size), normal(1, (n, n, 1, size[3]))
    found, expected = values_and_gradients(x, kernel, stride)
    assert found[0].shape == (size[0], -(-size[1] // stride), -(-size[2] // stride), size[3])
    for got, wanted in zip(found, expected, strict=True):
        assert got.shape == wanted.shape and got.dtype == jnp.float32
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_channels_do_not_mix_and_taps_are_not_turned():
    """A single pixel shows the kernel, point-reflected, around its place; the other channel stays empty."""
    x = np.zeros((1, 5, 5, 2), np.float32)
    x[0, 2, 2, 1] = 1
    kernel = np.arange(18, dtype=np.float32).reshape(3, 3, 1, 2)
    for form in (depthwise.cpu_depthwise, depthwise.plain_depthwise):
        y = np.asarray(jax.jit(lambda x, k, form=form: form(x, k))(x, kernel))
        np.testing.assert_array_equal(y[0, 1:4, 1:4, 1], kernel[::-1, ::-1, 0, 1])
        assert not np.any(y[..., 0])


# By hand from TensorFlow's rule: total = (ceil(length / stride) - 1) * stride + size - length, half of it before.
@pytest.mark.parametrize(
    ('length', 'size', 'stride', 'expected'),
    [
        (8, 3, 1, (8, 1, 1)),
        (8, 3, 2, (4, 0, 1)),
        (7, 3, 2, (4, 1, 1)),
        (8, 5, 2, (4, 1, 2)),
        (7, 5, 2, (4, 2, 2)),
        (1, 5, 2, (1, 2, 2)),
        (2, 5, 1, (2, 2, 2)),
    ],
)
def test_zeros_before_and_after(length, size, stride, expected):
    assert depthwise.same_padding(length, size, stride) == expected


@pytest.mark.parametrize('form', [depthwise.cpu_depthwise, depthwise.plain_depthwise])
def test_a_strided_axis_of_even_length_is_padded_after_it(form):
    """Sums of three along T: without a zero in front the first starts at 0, and the last reaches one beyond the end."""
    x = np.arange(1, 7, dtype=np.float32).reshape(1, 1, 6, 1)
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1] = 1
    even, odd = jax.jit(lambda x, k: (form(x, k, 2)[0, 0, :, 0], form(x[:, :, :5], k, 2)[0, 0, :, 0]))(x, kernel)
    np.testing.assert_array_equal(even, [6, 12, 11])
    np.testing.assert_array_equal(odd, [3, 9, 9])


def test_the_kernels_gradient_keeps_its_digits():
    """Far from zero over many values, as behind a ReLU6, against double precision."""
    rng = np.random.default_rng(0)
    x, g = rng.uniform(0, 6, (4, 64, 48, 3)).astype(np.float32), rng.uniform(0, 1, (4, 64, 48, 3)).astype(np.float32)
    kernel = np.zeros((3, 3, 1, 3), np.float32)
    pull = jax.jit(lambda k, g: jax.vjp(lambda k: depthwise.cpu_depthwise(x, k, 1), k)[1](g)[0])
    gradient = np.asarray(pull(kernel, g))
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    for i in range(3):
        for j in range(3):
            exact = (padded[:, i : i + 64, j : j + 48] * g).sum((0, 1, 2))
            np.testing.assert_allclose(gradient[i, j, 0], exact, rtol=1e-5)


@pytest.mark.parametrize('backend', ['cpu', 'gpu', 'tpu'])
def test_only_cpu_gets_the_sums(monkeypatch, backend):
    monkeypatch.setattr(jax, 'default_backend', lambda: backend)
    call = jax.make_jaxpr(lambda x, k: depthwise.depthwise_conv(x, k, 2))
    jaxpr = str(call(normal(0, (1, 4, 4, 2)), normal(1, (3, 3, 1, 2))))
    assert ('custom_vjp' in jaxpr) == (backend == 'cpu')
    assert ('conv_general_dilated' in jaxpr) == (backend != 'cpu')
