"""A small 2-D network for images of any size: it trains without pretrained weights, in seconds on two CPU cores.

Three stages of a 3x3 convolution, norm, ReLU and max pool; then the map is averaged in 4 x 4 cells and goes through a
bottleneck. An average over the whole map would lose the place of a pattern. The place in the spectrum, or the order of
the shaft, identifies the fault; cells keep it, and their number does not depend on the size of the image. The cells
hold averages, not maxima: the pools of the stages have selected the peaks, and one noisy value moves a mean little.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from fdx.models.batch_norm import BatchNorm
from fdx.models.cell_pool import max_pool
from fdx.models.cnn1d import segments
from fdx.models.conv import Conv3x3, he_init
from fdx.models.layers import flatten_examples, scaled_widths
from fdx.models.staged import Staged

WIDTHS = {'stage1': 16, 'stage2': 32, 'stage3': 64}
BOTTLENECK_WIDTH = 256
CELLS = 4  # along each axis


def pool_cell(height: int, width: int) -> tuple[int, int]:
    """Cell and stride of a stage's pool: 2 along an axis, or 1 where 2 would leave fewer than CELLS positions."""
    return 2 if height // 2 >= CELLS else 1, 2 if width // 2 >= CELLS else 1


def _averaging(length: int) -> np.ndarray:
    """float32 [CELLS, length]: row i averages cell i of an axis."""
    rows = np.zeros((CELLS, length), np.float32)
    for row, (start, stop) in zip(rows, segments(length, CELLS)):
        row[start:stop] = 1 / (stop - start)
    return rows


def cell_means(x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, 4, 4, C]: means of cells (`cnn1d.segments`); an image of 4 x 4 stays as it is."""
    rows, columns = _averaging(x.shape[1]), _averaging(x.shape[2])
    # Full precision, since accelerators would otherwise round even a 4 x 4 image, which must stay as it is.
    means = jnp.einsum('ih,bhwc,jw->bijc', rows, x, columns, precision=jax.lax.Precision.HIGHEST)
    return means.astype(x.dtype)


class Stage(nn.Module):
    """3x3 'same' convolution, norm, ReLU and max pool (see `pool_cell`).

    Attributes:
      features: output channels.
      axis_name, frozen_norms: see `BatchNorm`.
    """

    features: int
    axis_name: str | None
    frozen_norms: tuple[str, ...]

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """[B, H, W, C] -> [B, H', W', features]; H' is H // 2, or H where that would be under 4; W' likewise."""
        x = Conv3x3(self.features, name='conv')(x)
        x = BatchNorm(self.features, self.axis_name, self.frozen_norms, name='bn')(x, train=train, mask=mask)
        cell = pool_cell(*x.shape[1:3])
        return max_pool(nn.relu(x), cell, cell)


class CNNSmall(Staged):
    """Three convolutions and a bottleneck: images of any size and number of channels in, logits and features out.

    Images are [B, H, W, C]. The feature `stage3` is a map; the next stage gets its cells [B, 4, 4, 64]. The embedding
    [B, 256] is the output of the bottleneck.

    Attributes:
      num_classes: K, size of the classifier.
      dropout_rate: dropout in front of the classifier.
      width_multiplier: scales every hidden width, the bottleneck included.
      frozen_norms: paths of the norms that behave in training as in evaluation (see `norm_paths`).
      axis_name: the pmapped axis, or None; statistics are those of the batch on all devices.
    """

    num_classes: int
    dropout_rate: float = 0.5
    width_multiplier: float = 1.0
    frozen_norms: tuple[str, ...] = ()
    axis_name: str | None = None

    NAME = 'cnn_small'
    STAGES = (*WIDTHS, 'bottleneck', 'head')
    STEM = 'stage1/conv/.*'
    NORMS = r'stage\d/bn/.*'
    HAS_STATISTICS = True

    def known_norms(self) -> tuple[str, ...]:
        """See `norm_paths`."""
        return norm_paths()

    def parts(self) -> dict[str, nn.Module]:
        """The convolutions and the bottleneck."""
        *widths, bottleneck = scaled_widths([*WIDTHS.values(), BOTTLENECK_WIDTH], self.width_multiplier)
        return {
            **{name: Stage(width, self.axis_name, self.frozen_norms) for name, width in zip(WIDTHS, widths)},
            'bottleneck': nn.Dense(bottleneck, kernel_init=he_init()),
        }

    def apply_stage(self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None) -> jax.Array:
        """As in the base class; the bottleneck takes the cells, or the map that they are computed from."""
        if name == 'bottleneck':
            return nn.relu(self.bottleneck(flatten_examples(cell_means(x))))
        return super().apply_stage(name, x, train=train, mask=mask)

    def run_stage(
        self, name: str, x: jax.Array, *, train: bool, mask: jax.Array | None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """As in the base class; `stage3` passes on the means of its cells, since these take little room in a cache."""
        x, features = super().run_stage(name, x, train=train, mask=mask)
        return (cell_means(x) if name == 'stage3' else x), features


def norm_paths() -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stage1/bn' to 'stage3/bn'."""
    return tuple(f'{name}/bn' for name in WIDTHS)
