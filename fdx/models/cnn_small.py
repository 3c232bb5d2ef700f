"""A small 2-D network for images of any size: what can be trained from nothing, in seconds on two CPU cores.

Three stages of a 3x3 convolution, norm, ReLU and max pool; then the image is averaged in 4 x 4 cells and goes through a
bottleneck. An average over the whole image would tell what happens but not where, and where in the spectrum (and at
which order of the shaft) is most of what a fault is; cells keep it, at a size that does not depend on the image's.
Averages rather than maxima: the stages' pools have picked peaks already, and a mean is not moved by one noisy value.
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
from fdx.models.layers import ExampleDropout, flatten_examples, scaled_widths
from fdx.types import ConfigError

WIDTHS = {'stage1': 16, 'stage2': 32, 'stage3': 64}
BOTTLENECK_WIDTH = 256
CELLS = 4  # along each axis


def pool_cell(height: int, width: int) -> tuple[int, int]:
    """Cell and stride of a stage's pool: 2 along an axis, or 1 where fewer than CELLS positions would be left."""
    return tuple(2 if n // 2 >= CELLS else 1 for n in (height, width))


def _averaging(length: int) -> np.ndarray:
    """float32 [CELLS, length]: row i averages cell i of an axis."""
    rows = np.zeros((CELLS, length), np.float32)
    for row, (start, stop) in zip(rows, segments(length, CELLS)):
        row[start:stop] = 1 / (stop - start)
    return rows


def cell_means(x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, 4, 4, C]: means of cells (`cnn1d.segments`); an image of 4 x 4 stays as it is."""
    rows, columns = _averaging(x.shape[1]), _averaging(x.shape[2])
    # In full precision on accelerators too, or a 4 x 4 image would be rounded.
    return jnp.einsum('ih,bhwc,jw->bijc', rows, x, columns, precision=jax.lax.Precision.HIGHEST)


class Stage(nn.Module):
    """3x3 'same' convolution, norm, ReLU and max pool (see `pool_cell`).

    Attributes:
      features: output channels.
      axis_name, frozen_norms: of the norm.
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


class CNNSmall(nn.Module):
    """Three convolutions and a bottleneck: images of any size and number of channels in, logits and features out.

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

    STAGES = (*WIDTHS, 'bottleneck', 'head')
    STEM = 'stage1/conv/.*'
    NORMS = r'stage\d/bn/.*'
    HAS_STATISTICS = True

    def setup(self):
        """Creates the stages under their names."""
        if not self.width_multiplier > 0:
            raise ConfigError(f'cnn_small: width_multiplier={self.width_multiplier} must be above 0')
        unknown = sorted(set(self.frozen_norms) - set(norm_paths()))
        if unknown:
            known = ', '.join(norm_paths())
            raise ConfigError(f'cnn_small: frozen_norms names {", ".join(unknown)}; there are: {known}')
        *widths, bottleneck = scaled_widths([*WIDTHS.values(), BOTTLENECK_WIDTH], self.width_multiplier)
        for name, width in zip(WIDTHS, widths):
            setattr(self, name, Stage(width, self.axis_name, self.frozen_norms))
        self.bottleneck = nn.Dense(bottleneck, kernel_init=he_init())
        self.head = nn.Dense(self.num_classes)
        self.dropout = ExampleDropout(self.dropout_rate, self.axis_name)

    def __call__(
        self,
        x: jax.Array,
        *,
        train: bool = False,
        start: int = 0,
        stop: int | None = None,
        mask: jax.Array | None = None,
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Runs stages `start` to `stop` (exclusive; None: to the end).

        Args:
          x: float32 [B, H, W, C] images when `start` is 0, else the output of stage `start - 1`. The bottleneck takes
            the cells or the map that they are means of.
          train: True normalises by the batch, moves the running statistics (make 'batch_stats' mutable) and applies
            dropout, which needs the random stream 'dropout'.
          start: index in STAGES of the first stage to run.
          stop: index after the last stage to run.
          mask: float32 [B], 1 for real examples, 0 for padding, which then has no part in statistics; None: all real.

        Returns:
          (output, features): the output of the last stage run (logits [B, K] after `head`, cells [B, 4, 4, 64] after
          `stage3`: small where they are cached), and by name every stage's output, `stage3` as a map, and `embedding`
          [B, 256], the bottleneck's output.
        """
        features: dict[str, jax.Array] = {}
        for name in self.STAGES[start:stop]:
            if name in WIDTHS:
                features[name] = x = getattr(self, name)(x, train=train, mask=mask)
                x = cell_means(x) if name == 'stage3' else x
            elif name == 'bottleneck':
                x = nn.relu(self.bottleneck(flatten_examples(cell_means(x))))
                features['bottleneck'] = features['embedding'] = x
            else:
                features['head'] = x = self.head(self.dropout(x, train=train))
        return x, features


def norm_paths() -> tuple[str, ...]:
    """Paths of all norms in the order of the network: 'stage1/bn' to 'stage3/bn'."""
    return tuple(f'{name}/bn' for name in WIDTHS)
