"""The pools of cnn1d and cnn_small, which give maps of any size four cells an axis."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fdx.models.batch_norm import BatchNorm
from fdx.models.cnn1d import adaptive_max_pool, segments
from fdx.models.cnn_small import cell_means


def test_segments_cover_an_axis_as_torch_has_it():
    assert segments(10, 4) == [(0, 3), (2, 5), (5, 8), (7, 10)]
    assert segments(8, 4) == [(0, 2), (2, 4), (4, 6), (6, 8)]
    assert segments(2, 4) == [(0, 1), (0, 1), (1, 2), (1, 2)]


def test_the_last_pool_sends_one_gradient_a_cell_where_values_tie():
    slope = jax.jit(jax.grad(lambda x: adaptive_max_pool(x).sum()))
    gradient = np.asarray(slope(np.full((1, 10, 1, 1), 0.5, np.float32)))
    # Cells from 0, 2, 5 and 7 on; each sends it to its first value.
    assert gradient[0, :, 0, 0].tolist() == [1, 0, 1, 0, 0, 1, 0, 1, 0, 0]


def test_no_gradient_is_lost_behind_a_norm():
    """Compiled together, XLA may compute the pool's input anew for the gradient; every cell keeps its whole share."""
    x = np.random.default_rng(4).standard_normal((4, 203, 1, 16)).astype(np.float32)
    statistics = {'mean': jnp.linspace(-0.3, 0.3, 16), 'var': jnp.linspace(0.5, 1.5, 16)}

    def total(bias, train):
        params = {'scale': jnp.linspace(0.5, 1.5, 16), 'bias': bias}
        y = BatchNorm(16).apply({'params': params, 'batch_stats': statistics}, x, train=train, mutable=['batch_stats'])[
            0
        ]
        return adaptive_max_pool(jax.nn.relu(y)).sum()

    for train in (False, True):
        # Maxima of 50 values are above zero: each of 4 x 4 cells gives its channel's bias a slope of one.
        slopes = jax.jit(jax.grad(total), static_argnums=1)(jnp.linspace(0.1, 0.4, 16), train)
        np.testing.assert_allclose(slopes, np.full(16, 16.0), rtol=1e-6)


def means_by_numpy(x):
    """[B, H, W, C] -> [B, 4, 4, C], cell by cell."""
    found = np.zeros((len(x), 4, 4, x.shape[3]))
    for i, j in np.ndindex(4, 4):
        h, w = x.shape[1] / 4, x.shape[2] / 4
        rows = slice(int(np.floor(i * h)), int(np.ceil((i + 1) * h)))
        columns = slice(int(np.floor(j * w)), int(np.ceil((j + 1) * w)))
        found[:, i, j] = x[:, rows, columns].mean((1, 2))
    return found


@pytest.mark.parametrize('size', [(4, 4), (9, 6), (16, 5), (2, 30), (1, 1)])
def test_cells_are_means_of_their_values(size):
    x = np.random.default_rng(3).standard_normal((2, *size, 3)).astype(np.float32)
    np.testing.assert_allclose(jax.jit(cell_means)(x), means_by_numpy(x), rtol=1e-5, atol=1e-6)
