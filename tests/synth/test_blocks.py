"""Shifted maps against convolutions, and moves between positions and channels."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from fdx.synth.blocks import depth_to_space, shifted, space_to_depth


def drawn(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize('size', [1, 2, 3])
def test_a_product_with_shifted_maps_is_a_convolution(size):
    x, kernel = drawn(2, 5, 4, 3), drawn(size, size, 3, 6)
    before = (size - 1) // 2
    padding = [(before, size - 1 - before)] * 2

    @jax.jit
    def both(x, kernel):
        wanted = jax.lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
        return shifted(x, size) @ kernel.reshape(-1, 6), wanted

    found, wanted = both(x, kernel)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('shape', [(6, 4), (7, 5), (1, 8), (24, 6)])
@pytest.mark.parametrize('strides', [(2, 2), (2, 1), (1, 2)])
def test_there_and_back(shape, strides):
    x = drawn(2, *shape, 3)

    @jax.jit
    def run(x):
        deep = space_to_depth(x, *strides)
        return deep, depth_to_space(deep, *strides, shape)

    deep, back = run(x)
    assert deep.shape == (2, -(-shape[0] // strides[0]), -(-shape[1] // strides[1]), strides[0] * strides[1] * 3)
    np.testing.assert_array_equal(back, x)


def test_a_cell_goes_row_by_row_with_channels_fastest():
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    cells = np.asarray(jax.jit(lambda x: space_to_depth(x, 2, 2))(x))
    np.testing.assert_array_equal(cells[0, 0, 1], [2, 3, 6, 7])
