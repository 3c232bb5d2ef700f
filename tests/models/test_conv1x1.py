"""The 1x1 convolution as a matrix product against the textbook form, in value and gradient."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.models import conv1x1
from fdx.models.conv import plain_conv


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def values_and_gradients(x, kernel, stride):
    """Of both forms in one program: operation by operation, each would be compiled by itself."""

    @jax.jit
    def run(x, kernel):
        found = []
        for form in (conv1x1.cpu_conv1x1, plain_conv):
            value, pull = jax.vjp(lambda x, k, form=form: form(x, k, stride), x, kernel)
            found.append((value, *pull(normal(2, value.shape))))
        return found

    return run(x, kernel)


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('channels', [(1, 5), (6, 2), (3, 3), (4, 1)])
@pytest.mark.parametrize('size', [(2, 6, 4), (3, 5, 7), (1, 1, 1), (2, 8, 1)])
def test_equals_the_plain_form(size, channels, stride):
    x, kernel = normal(0, (*size, channels[0])), normal(1, (1, 1, *channels))
    (value, *gradients), (expected, *expected_gradients) = values_and_gradients(x, kernel, stride)
    assert value.shape == (size[0], -(-size[1] // stride), -(-size[2] // stride), channels[1])
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)
    for got, wanted in zip(gradients, expected_gradients, strict=True):
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('backend', ['cpu', 'gpu', 'tpu'])
def test_only_cpu_gets_the_matrix_product(monkeypatch, backend):
    monkeypatch.setattr(jax, 'default_backend', lambda: backend)
    jaxpr = str(jax.make_jaxpr(lambda x, k: conv1x1.conv1x1(x, k))(normal(0, (1, 4, 4, 2)), normal(1, (1, 1, 2, 3))))
    assert ('custom_vjp' in jaxpr) == (backend == 'cpu')
    assert ('conv_general_dilated' in jaxpr) == (backend != 'cpu')
